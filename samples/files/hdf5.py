"""The file: one group a collection, one dataset a column, ``offsets`` where events own many rows.

The layout is that of ``docs/file-format.md``. Columns pass the filters shuffle and deflate, which
every HDF5 reader knows; the deflating is done here by isal and handed to HDF5 as finished chunks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import h5py
import numpy as np
import numpy.typing as npt

from darkbelle.errors import OutputError, SampleFormatError
from darkbelle.records import Column
from darkbelle.samples.files.aside import check_target, put_in_place, reason_of
from darkbelle.samples.files.columns import ColumnWriter, Rows, attributes_of
from darkbelle.samples.files.tables import Collection

__all__ = [
    "DAMAGES",
    "DIGEST",
    "EFFICIENCY_ENDING",
    "FORMAT",
    "FORMAT_VERSION",
    "UNKNOWN_CODES",
    "SampleWriter",
    "configuration_digests",
    "digest_of",
    "open_checked",
    "read_text",
]

FORMAT: Final = "darkbelle-sample"
FORMAT_VERSION: Final = 1
EFFICIENCY_ENDING: Final = "_efficiency"
"""Of the attributes that say what the steps of the generation kept."""
UNKNOWN_CODES: Final = "unknown_codes"
"""The attribute that counts final particles by codes that nobody knows, as JSON."""
DAMAGES: Final = (KeyError, IndexError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py and whoever uses the contents raise of a damaged file."""

Array = npt.NDArray[np.generic]

_ATTRIBUTE_LIMIT = 60_000
"""HDF5 keeps attributes below 64 kB; longer texts become scalar datasets."""
_REQUIRED = ("n_stored", "sum_w", "process", "parameters", "card", "card_sha256", "version")
DIGEST: Final = "sha256"
"""The attribute that holds the digest of a file."""
_PLACEHOLDER = hashlib.sha256(b"darkbelle: the digest of this file").hexdigest()
"""Stands where the digest will; nothing else in a file is the same by chance."""
_NO_DIGEST = "0" * len(_PLACEHOLDER)
_BLOCK = 2**20
"""Bytes that are hashed together."""
_OFFSETS = attributes_of(Column("first row of each event, and the total", "1", "i8"))


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
            raise OutputError(f"cannot write '{self._part}': {reason_of(error)}") from None
        self._columns: dict[tuple[str, str], ColumnWriter] = {}
        self._n_rows: dict[str, int] = {}
        self._is_whole = False
        self.n_events = 0
        self.sum_w = 0.0
        self.sum_w2 = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not self._is_whole:
            with suppress(OSError, RuntimeError):  # a full disk refuses even to close
                self._file.close()
            self._part.unlink(missing_ok=True)

    def append(self, collections: Mapping[str, Collection]) -> None:
        """Add some events; OutputError when the disk refuses them."""
        self.append_rows(
            {
                name: Rows(
                    collection.arrays,
                    {column: attributes_of(d) for column, d in collection.columns.items()},
                    collection.counts,
                )
                for name, collection in collections.items()
            }
        )

    def append_rows(self, groups: Mapping[str, Rows]) -> None:
        """Add some events as a file has them, in the order of names, which is that of HDF5.

        Whoever appends what they read from a file in the same steps writes the same bytes.
        """
        weight = np.asarray(groups["events"].arrays["weight"], dtype=np.float64)
        self.n_events += len(weight)
        self.sum_w += float(weight.sum())
        self.sum_w2 += float((weight**2).sum())
        try:
            for name, rows in sorted(groups.items()):
                if rows.counts is not None:
                    self._append_offsets(name, rows.counts)
                for column, values in sorted(rows.arrays.items()):
                    self._column(name, column, rows.attributes[column], values).append(values)
        except (OSError, RuntimeError) as error:  # h5py raises either
            raise OutputError(f"writing '{self._part}' failed: {reason_of(error)}") from None

    def _append_offsets(self, group: str, counts: npt.NDArray[np.int64]) -> None:
        offsets = self._n_rows.get(group, 0) + np.cumsum(counts, dtype=np.int64)
        if group not in self._n_rows:
            offsets = np.concatenate([[0], offsets])
        if len(offsets):
            self._n_rows[group] = int(offsets[-1])
        self._column(group, "offsets", _OFFSETS, offsets).append(offsets)

    def _column(
        self, group: str, name: str, attributes: Mapping[str, Any], example: Array
    ) -> ColumnWriter:
        key = group, name
        if key not in self._columns:
            self._columns[key] = ColumnWriter(self._file, group, name, attributes, example)
        return self._columns[key]

    def finish(self, attributes: Mapping[str, Any]) -> str:
        """Complete the file with its attributes, force it to disk, move it into place.

        Returns
        -------
        digest
            As `digest_of` finds it.
        """
        try:
            for _, column in sorted(self._columns.items()):
                column.finish()
            totals = {"n_stored": self.n_events, "sum_w": self.sum_w, "sum_w2": self.sum_w2}
            header = {"format": FORMAT, "format_version": FORMAT_VERSION, **attributes, **totals}
            for name, value in sorted(header.items()):
                _write_attribute(self._file, name, value)
            self._file.attrs[DIGEST] = _PLACEHOLDER
            self._file.attrs["complete"] = True
            self._file.close()
            digest, places = _digest(self._part, _PLACEHOLDER)
            if len(places) != 1:
                raise OutputError(f"'{self._part}' has {len(places)} places for its digest")
            with self._part.open("r+b") as part:
                part.seek(places[0])
                part.write(digest.encode())
        except (OSError, RuntimeError) as error:
            raise OutputError(f"writing '{self._part}' failed: {reason_of(error)}") from None
        self._is_whole = True
        try:
            check_target(self._path, force=self._force)
            put_in_place(self._part, self._path)
        except (OSError, OutputError) as error:
            raise OutputError(f"{error}; the finished sample is '{self._part}'") from None
        return digest


def _digest(path: Path, text: str) -> tuple[str, list[int]]:
    """SHA-256 of a file with zeros for a text of the length of a digest, and where that stands."""
    sought, zeros = text.encode(), _NO_DIGEST.encode()
    total, places, start, rest = hashlib.sha256(), [], 0, b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            octets = rest + block
            place = octets.find(sought)
            while place >= 0:
                places.append(start + place)
                place = octets.find(sought, place + 1)
            octets = octets.replace(sought, zeros)
            n_done = max(len(octets) - len(sought) + 1, 0)  # a text may end in the next block
            total.update(octets[:n_done])
            start, rest = start + n_done, octets[n_done:]
    total.update(rest)
    return total.hexdigest(), places


def configuration_digests(
    process: str, parameters: str, card: str, *systematics: str
) -> dict[str, str]:
    """Attributes that tell one configuration from another, of its texts as a file holds them."""
    configuration = json.dumps([process, parameters, card, *systematics])
    texts = {"card_sha256": card, "config_sha256": configuration}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def digest_of(path: str | Path) -> str:
    """SHA-256 of a sample, computed with 64 characters "0" in the place of the attribute `sha256`.

    Raises
    ------
    SampleFormatError
        The file is no finished sample, or its bytes are not those that were written: the stored
        digest is another one.
    """
    where = Path(path)
    try:
        with open_checked(where) as file:
            stored = file.attrs.get(DIGEST)
        if not isinstance(stored, str) or len(stored.encode()) != len(_NO_DIGEST):
            raise SampleFormatError(f"'{where}' carries no checksum: produce it again")
        digest, places = _digest(where, stored)
    except DAMAGES as error:
        raise SampleFormatError(f"'{where}' is damaged: {reason_of(error)}") from None
    if digest != stored or len(places) != 1:
        raise SampleFormatError(f"'{where}' is damaged: its bytes do not have the checksum in it")
    return digest


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
        if where.is_dir():
            raise SampleFormatError(
                f"'{where}' is a folder: name a sample in it ('darkbelle info --verify' takes "
                "folders of campaigns)"
            )
        if not where.is_file():
            raise SampleFormatError(f"there is no file '{where}'")
        file = h5py.File(where, "r")
    except PermissionError:
        raise SampleFormatError(f"no permission to read '{where}'") from None
    except OSError:
        raise SampleFormatError(f"'{where}' is no HDF5 file, or a damaged one") from None
    try:
        complaint = _complaint(file)
    except DAMAGES as error:
        complaint = f"is damaged: {reason_of(error)}"
    if complaint is not None:
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
