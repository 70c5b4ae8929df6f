"""What stands in a file, whatever it is: tables of groups, read by events, and the header."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from darkbelle.errors import SampleFormatError
from darkbelle.samples.files.aside import reason_of
from darkbelle.samples.files.columns import Rows
from darkbelle.samples.files.hdf5 import DAMAGES, open_checked

__all__ = ["read_header", "reading", "stored_lengths", "stored_tables"]

_SLOTS = 521
"""Of the cache of chunks of a dataset, as HDF5 has it by default."""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """The columns of a group; ``offsets`` are None where each event has one row."""

    columns: dict[str, h5py.Dataset]
    offsets: h5py.Dataset | None

    def layout(self) -> dict[str, tuple[Any, ...]]:
        """What the columns are, apart from their values."""
        columns = self.columns | ({} if self.offsets is None else {"offsets": self.offsets})
        return {
            name: (dataset.dtype.str, dataset.shape[1:], _comparable(dict(dataset.attrs)))
            for name, dataset in columns.items()
        }

    def read(self, events: slice) -> Rows:
        """The rows of some events."""
        rows, counts = events, None
        if self.offsets is not None:
            offsets = self.offsets[events.start : events.stop + 1]
            rows = slice(int(offsets[0]), int(offsets[-1]))
            counts = np.diff(offsets)
        return Rows(
            {name: dataset[rows] for name, dataset in self.columns.items()},
            {name: dict(dataset.attrs) for name, dataset in self.columns.items()},
            counts,
        )


def stored_tables(file: h5py.File) -> dict[str, StoredTable]:
    """All groups with columns, by their paths such as ``variations/tracking_up/tracks``."""
    tables = {}
    for path, names in _columns_of_groups(file).items():
        columns = {name: _open(file, f"{path}/{name}") for name in names}
        offsets = columns.pop("offsets", None)
        tables[path] = StoredTable(columns, offsets)
    return tables


def stored_lengths(file: h5py.File) -> dict[str, dict[str, int]]:
    """Numbers of rows of all columns, ``offsets`` among them, by the paths of their groups."""
    return {
        path: {name: h5py.h5d.open(file.id, f"{path}/{name}".encode()).shape[0] for name in names}
        for path, names in _columns_of_groups(file).items()
    }


def _columns_of_groups(file: h5py.File) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}

    def note(path: bytes, found: Any) -> None:
        group, _, name = path.decode().rpartition("/")
        if found.type == h5py.h5o.TYPE_DATASET and group:
            groups.setdefault(group, []).append(name)

    h5py.h5o.visit(file.id, note, info=True)  # unlike visititems, it opens nothing
    return groups


def _open(file: h5py.File, path: str) -> h5py.Dataset:
    """A dataset that keeps two chunks when it is read from begin to end in smaller steps."""
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(_SLOTS, _cache_of(file, path), 0.75)
    return h5py.Dataset(h5py.h5d.open(file.id, path.encode(), access))


def _cache_of(file: h5py.File, path: str) -> int:
    """Bytes of two chunks of a dataset; it is closed again, an open one would share its cache."""
    dataset = h5py.h5d.open(file.id, path.encode())
    layout = dataset.get_create_plist()
    is_chunked = layout.get_layout() == h5py.h5d.CHUNKED
    rows = layout.get_chunk() if is_chunked else dataset.shape
    return 2 * int(dataset.get_type().get_size()) * math.prod(map(int, rows))


def read_header(file: h5py.File) -> dict[str, Any]:
    """Attributes of a file, and the texts that are too long for one."""
    texts = {name: entry.asstr()[()] for name, entry in file.items() if _is_text(entry)}
    return dict(file.attrs) | texts


def _is_text(entry: h5py.Group | h5py.Dataset) -> bool:
    return isinstance(entry, h5py.Dataset) and entry.shape == ()


def _comparable(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in attributes.items()
    }


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """A finished sample; what its damage makes go wrong becomes a SampleFormatError."""
    try:
        with open_checked(path) as file:
            yield file
    except DAMAGES as error:
        raise SampleFormatError(f"'{path}' is damaged: {reason_of(error)}") from None
