"""One column of a file: a dataset that grows by whole compressed chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from darkbelle.records import Column

__all__ = ["CHUNK_ROWS", "ColumnWriter", "Rows", "attributes_of"]

CHUNK_ROWS: Final = 65_536
"""Rows that are compressed together."""

Array = npt.NDArray[np.generic]

_DEFLATE_LEVEL = 3
"""What levels 1 and 2 of isal make depends on the addresses in memory: one process of thirty gives
other bytes, for the same rows. Level 3 takes 5 us an event more."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a group as a file has them: columns, their attributes, the rows of each event.

    ``counts`` is None where a file has no offsets beside the columns.
    """

    arrays: Mapping[str, Array]
    attributes: Mapping[str, Mapping[str, Any]]
    counts: npt.NDArray[np.int64] | None = None


def attributes_of(described: Column) -> dict[str, Any]:
    """What a file says of a column."""
    attributes: dict[str, Any] = {"unit": described.unit, "description": described.description}
    if described.names:
        attributes["names"] = ", ".join(described.names)
    if described.prescales:
        attributes["prescales"] = np.array(described.prescales, "<i8")
    if described.codes is not None:
        attributes["codes"] = ", ".join(f"{c.value} {c.name.lower()}" for c in described.codes)
    for name in ("edm4hep", "sign_flip", "packing", "systematic", "source", "correlated"):
        if (value := getattr(described, name)) is not None:
            attributes[name] = value
    return attributes


class ColumnWriter:
    """One dataset that grows by whole compressed chunks of rows alike to an example."""

    def __init__(
        self, file: h5py.File, group: str, name: str, attributes: Mapping[str, Any], example: Array
    ) -> None:
        self._file, self._group, self._name, self._attributes = file, group, name, attributes
        self._pending: list[Array] = [example[:0]]
        self._n_pending = 0
        self._dataset: h5py.Dataset | None = None

    def append(self, values: Array) -> None:
        """Add rows; full chunks are written at once."""
        self._pending.append(values)
        self._n_pending += len(values)
        while self._n_pending >= CHUNK_ROWS:
            rows = np.concatenate(self._pending)
            self._write(rows[:CHUNK_ROWS])
            self._pending = [rows[CHUNK_ROWS:]]
            self._n_pending = len(rows) - CHUNK_ROWS

    def finish(self) -> None:
        """Write what is left; a column without rows becomes an empty dataset."""
        rest = np.concatenate(self._pending)
        if len(rest) or self._dataset is None:
            self._write(rest)

    def _write(self, rows: Array) -> None:
        if self._dataset is None:
            self._dataset = self._create(rows)
        start = self._dataset.shape[0]
        self._dataset.resize(start + len(rows), axis=0)
        if len(rows):
            chunk_rows = self._dataset.chunks[0]
            if len(rows) < chunk_rows:
                padding = np.zeros((chunk_rows - len(rows), *rows.shape[1:]), rows.dtype)
                rows = np.concatenate([rows, padding])
            offset = (start,) + (0,) * (rows.ndim - 1)
            self._dataset.id.write_direct_chunk(offset, _deflate(rows))

    def _create(self, first: Array) -> h5py.Dataset:
        dataset = self._file.require_group(self._group).create_dataset(
            self._name,
            shape=(0, *first.shape[1:]),
            maxshape=(None, *first.shape[1:]),
            chunks=(max(len(first), 1), *first.shape[1:]),
            dtype=first.dtype,
            shuffle=first.dtype.itemsize > 1,
            compression="gzip",
            compression_opts=_DEFLATE_LEVEL,
            track_times=False,
        )
        for name, value in sorted(self._attributes.items()):
            dataset.attrs[name] = value
        return dataset


def _deflate(rows: Array) -> bytes:
    """A chunk as the filters shuffle and deflate leave it."""
    octets = np.ascontiguousarray(rows).view(np.uint8).reshape(-1, rows.dtype.itemsize)
    if rows.dtype.itemsize > 1:
        octets = np.ascontiguousarray(octets.T)
    compressed: bytes = isal_zlib.compress(octets, level=_DEFLATE_LEVEL)
    return compressed
