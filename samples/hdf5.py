"""The file: one group a collection, one dataset a column, ``offsets`` where events own many rows.

The layout is that of ``docs/file-format.md``. Columns pass the filters shuffle and deflate, which
every HDF5 reader knows; the deflating is done here by isal and handed to HDF5 as finished chunks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import h5py
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from darkbelle.errors import OutputError, SampleFormatError
from darkbelle.records import Column
from darkbelle.samples.tables import Collection

__all__ = [
    "CHUNK_ROWS",
    "EFFICIENCY_ENDING",
    "FORMAT",
    "FORMAT_VERSION",
    "SampleWriter",
    "check_target",
    "open_checked",
    "read_text",
]

FORMAT: Final = "darkbelle-sample"
FORMAT_VERSION: Final = 1
CHUNK_ROWS: Final = 65_536
"""Rows that are compressed together."""
EFFICIENCY_ENDING: Final = "_efficiency"
"""Of the attributes that say what the steps of the generation kept."""

Array = npt.NDArray[np.generic]

_DEFLATE_LEVEL = 1
_ATTRIBUTE_LIMIT = 60_000
"""HDF5 keeps attributes below 64 kB; longer texts become scalar datasets."""
_REQUIRED = ("n_stored", "sum_w", "process", "parameters", "card", "card_sha256", "version")
_OFFSETS = Column("first row of each event, and the total", "1", "i8")


class _ColumnWriter:
    """One dataset that grows by whole compressed chunks."""

    def __init__(self, group: h5py.Group, name: str, described: Column) -> None:
        self._group, self._name, self._described = group, name, described
        self._pending: list[Array] = []
        self._n_pending = 0
        self._dataset: h5py.Dataset | None = None

    def append(self, values: Array) -> None:
        """Add rows; full chunks are written at once."""
        self._pending.append(values)
        self._n_pending += len(values)
        while self._n_pending >= CHUNK_ROWS:
            rows = self._pending[0] if len(self._pending) == 1 else np.concatenate(self._pending)
            self._write(rows[:CHUNK_ROWS])
            self._pending = [rows[CHUNK_ROWS:]]
            self._n_pending = len(rows) - CHUNK_ROWS

    def finish(self, row_shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Write what is left; a column without rows becomes an empty dataset."""
        rest = np.concatenate(self._pending) if self._pending else np.empty((0, *row_shape), dtype)
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
        described = self._described
        dataset = self._group.create_dataset(
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
        dataset.attrs["unit"] = described.unit
        dataset.attrs["description"] = described.description
        if described.names:
            dataset.attrs["names"] = ", ".join(described.names)
        if described.prescales:
            dataset.attrs["prescales"] = np.array(described.prescales, "<i8")
        if described.codes is not None:
            dataset.attrs["codes"] = ", ".join(
                f"{c.value} {c.name.lower()}" for c in described.codes
            )
        for name in ("edm4hep", "sign_flip", "packing", "systematic", "source", "correlated"):
            if (value := getattr(described, name)) is not None:
                dataset.attrs[name] = value
        return dataset


def _deflate(rows: Array) -> bytes:
    """A chunk as the filters shuffle and deflate leave it."""
    octets = np.ascontiguousarray(rows).view(np.uint8).reshape(-1, rows.dtype.itemsize)
    if rows.dtype.itemsize > 1:
        octets = np.ascontiguousarray(octets.T)
    compressed: bytes = isal_zlib.compress(octets, level=_DEFLATE_LEVEL)
    return compressed


def check_target(path: str | Path, *, force: bool) -> Path:
    """The real path of a file to write; one that exists or cannot be written is refused.

    Raises
    ------
    OutputError
        With the path and the remedy.
    """
    target = Path(path)
    try:
        target = target.resolve()
        if not target.name or target.is_dir():
            raise OutputError(f"'{path}' is a folder, not a file")
        if target.exists() and not target.is_file():
            raise OutputError(f"'{path}' is no ordinary file")
        if target.exists() and not force:
            raise OutputError(f"'{path}' exists already: choose another name, or use --force")
        if not target.parent.is_dir():
            raise OutputError(f"cannot write '{path}': there is no folder '{target.parent}'")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write '{path}': no permission in '{target.parent}'")
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror}") from None
    return target


class SampleWriter:
    """Writes a sample aside and puts it in its place when it is whole.

    Use as a context manager: an exception leaves neither a file nor a part of one.

    Parameters
    ----------
    path
        The file to write.
    force
        Replace an existing file.

    Raises
    ------
    OutputError
        The target exists (without ``force``), cannot be written, or is being written.
    """

    def __init__(self, path: str | Path, *, force: bool = False) -> None:
        self._path = check_target(path, force=force)
        self._force = force
        self._part = self._path.with_name(self._path.name + ".part")
        try:
            self._part.touch(exist_ok=False)  # HDF5 would truncate before it looks for a lock
            self._file = h5py.File(self._part, "w", libver=("earliest", "v110"))
        except FileExistsError:
            raise OutputError(
                f"'{self._part}' exists: another run is writing it, or one that was killed left "
                "it behind; then delete it"
            ) from None
        except OSError as error:
            raise OutputError(f"cannot write '{self._part}': {_reason(error)}") from None
        self._columns: dict[tuple[str, str], tuple[_ColumnWriter, Array]] = {}
        self._rows: dict[str, int] = {}
        self._is_whole = False
        self.n_events = 0
        self.sum_w = 0.0
        self.sum_w2 = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None and not self._is_whole:
            with suppress(OSError, RuntimeError):  # a full disk refuses even to close
                self._file.close()
            self._part.unlink(missing_ok=True)

    def append(self, collections: Mapping[str, Collection]) -> None:
        """Add some events; OutputError when the disk refuses them."""
        weight = np.asarray(collections["events"].arrays["weight"], dtype=np.float64)
        self.n_events += len(weight)
        self.sum_w += float(weight.sum())
        self.sum_w2 += float((weight**2).sum())
        try:
            for name, collection in collections.items():
                self._append(name, collection)
        except (OSError, RuntimeError) as error:  # h5py raises either
            raise OutputError(f"writing '{self._part}' failed: {_reason(error)}") from None

    def _append(self, name: str, collection: Collection) -> None:
        if collection.counts is not None:
            first_row = self._rows.get(name, 0)
            offsets = first_row + np.cumsum(collection.counts, dtype=np.int64)
            if name not in self._rows:
                offsets = np.concatenate([[0], offsets])
            self._rows[name] = int(offsets[-1]) if len(offsets) else first_row
            self._column(name, "offsets", _OFFSETS, offsets).append(offsets)
        for column, described in collection.columns.items():
            values = collection.arrays[column]
            self._column(name, column, described, values).append(values)

    def _column(self, group: str, name: str, described: Column, like: Array) -> _ColumnWriter:
        key = group, name
        if key not in self._columns:
            writer = _ColumnWriter(self._file.require_group(group), name, described)
            self._columns[key] = writer, like[:0]
        return self._columns[key][0]

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Complete the file with its attributes, force it to disk, move it into place."""
        try:
            for writer, like in self._columns.values():
                writer.finish(like.shape[1:], like.dtype)
            totals = {"n_stored": self.n_events, "sum_w": self.sum_w, "sum_w2": self.sum_w2}
            header = {"format": FORMAT, "format_version": FORMAT_VERSION, **attributes, **totals}
            for name, value in header.items():
                _write_attribute(self._file, name, value)
            self._file.attrs["complete"] = True
            self._file.close()
            with self._part.open("rb") as part:
                os.fsync(part.fileno())
        except (OSError, RuntimeError) as error:
            raise OutputError(f"writing '{self._part}' failed: {_reason(error)}") from None
        self._is_whole = True
        try:
            check_target(self._path, force=self._force)
            self._part.replace(self._path)
        except (OSError, OutputError) as error:
            raise OutputError(f"{error}; the finished sample is '{self._part}'") from None


def _reason(error: OSError | RuntimeError) -> str:
    """What went wrong, in a line: the system's word where there is one."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error).splitlines()[0]


def _write_attribute(file: h5py.File, name: str, value: Any) -> None:
    if isinstance(value, str) and len(value.encode()) > _ATTRIBUTE_LIMIT:
        file.create_dataset(name, data=value, track_times=False)
    else:
        file.attrs[name] = value


def read_text(file: h5py.File, name: str) -> str:
    """A text of the header, attribute or scalar dataset."""
    value = file.attrs[name] if name in file.attrs else file[name].asstr()[()]
    return str(value)


def open_checked(path: str | Path) -> h5py.File:
    """Open a finished sample for reading.

    Raises
    ------
    SampleFormatError
        No such file, no HDF5, no sample, an unknown version, or an unfinished one.
    """
    where = Path(path)
    try:
        if not where.is_file():
            raise SampleFormatError(f"there is no file '{where}'")
        file = h5py.File(where, "r")
    except PermissionError:
        raise SampleFormatError(f"no permission to read '{where}'") from None
    except OSError:
        raise SampleFormatError(f"'{where}' is no HDF5 file, or a damaged one") from None
    if complaint := _complaint(file):
        file.close()
        raise SampleFormatError(f"'{where}' {complaint}")
    return file


def _complaint(file: h5py.File) -> str | None:
    """Why an HDF5 file cannot be read as a sample."""
    if file.attrs.get("format") != FORMAT:
        return "is an HDF5 file, but no darkbelle sample"
    version = file.attrs.get("format_version")
    if not isinstance(version, np.integer):
        return "is damaged: it has no format_version"
    if version < 1:
        return f"is damaged: there is no format version {version}"
    if version > FORMAT_VERSION:
        return (
            f"has format version {version}, this darkbelle reads up to {FORMAT_VERSION}: "
            "update darkbelle"
        )
    if not file.attrs.get("complete", False):
        return "was never finished: produce it again"
    missing = [name for name in _REQUIRED if name not in file.attrs and name not in file]
    return f"is damaged: it has no {', '.join(missing)}" if missing else None
