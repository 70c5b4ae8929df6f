"""Files of events as streams of bytes: recognised, decompressed, and watched to their end.

The libraries that parse them stop at what they do not understand as if the file ended there.
"""

from __future__ import annotations

import bz2
import enum
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from darkbelle.errors import EventFileError
from darkbelle.extras import needed_for

__all__ = ["EventStream", "Format"]

_HEAD = 4096
"""Bytes in which a file must say what it is."""
_BLOCK = 1 << 16
"""Bytes that are read together."""
_TAIL = 256
"""Bytes that are remembered: more than what begins or ends anything."""
_DAMAGES: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
_ZSTD = b"\x28\xb5\x2f\xfd"
_OPENERS: Final[dict[bytes, Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""By the first bytes of what they decompress."""


class Format(enum.Enum):
    """What files of events may be: name, how they begin, an event in them, and how they end."""

    HEPMC3 = (
        "HepMC3",
        b"HepMC::Asciiv3",
        re.compile(rb"^E ", re.MULTILINE),
        b"HepMC::Asciiv3-END_EVENT_LISTING",
    )
    HEPMC2 = (
        "HepMC2",
        b"HepMC::IO_GenEvent",
        re.compile(rb"^E ", re.MULTILINE),
        b"HepMC::IO_GenEvent-END_EVENT_LISTING",
    )
    LHE = ("LHE", b"<LesHouchesEvents", re.compile(rb"<event[ >\r\n]"), b"</LesHouchesEvents>")

    @property
    def label(self) -> str:
        """Its name."""
        return str(self.value[0])

    @classmethod
    def of(cls, head: bytes) -> Format | None:
        """The format of a file that begins so."""
        return next((known for known in cls if known.value[1] in head), None)


class EventStream(io.RawIOBase):
    """A file of events, open for a library that reads bytes.

    Raises
    ------
    EventFileError
        There is no such file, or it is not known what it is.
    MissingDependencyError
        What decompresses it is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._damages: tuple[type[Exception], ...] = _DAMAGES
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a pipe or a device"
            raise EventFileError(f"'{path}' is {what}, not a file of events")
        try:
            self._file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise EventFileError(f"cannot read '{path}': {error.strerror}") from None
        self._bytes = self._decompressed(self._file)
        self._damage = ""
        head = b""
        while len(head) < _HEAD:
            block = self._take(_HEAD)
            if not block:
                break
            head += block
        known = Format.of(head)
        if known is None:
            self.close()
            what = self._damage or ("empty" if not head else "neither HepMC, as text, nor LHE")
            raise EventFileError(f"'{path}' is {what}")
        self.format = known
        self._ahead = head
        self._whole = self._begun = b""
        self._n_bytes, self._is_at_end = 0, False
        self._n_events, self._tail = 0, b"\n"

    def _decompressed(self, file: IO[bytes]) -> IO[bytes]:
        magic = file.read(8)
        file.seek(0)
        if magic.startswith(_ZSTD):
            with needed_for("reading .zst files", "hepmc"):
                from backports import zstd
            self._damages = (*_DAMAGES, zstd.ZstdError)
            return io.BufferedReader(zstd.open(file))
        for start, opener in _OPENERS.items():
            if magic.startswith(start):
                return io.BufferedReader(opener(file))
        return file

    def close(self) -> None:
        """Close the file."""
        self._bytes.close()
        self._file.close()
        super().close()

    @property
    def n_bytes_read(self) -> int:
        """How much of the file, compressed as it is, was read."""
        if not self._file.closed:
            self._n_bytes = self._file.tell()
        return self._n_bytes

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some more bytes of whole events; none where the file ends, or is damaged.

        HepMC prints its complaints of an event that is cut off, whoever asks it not to.
        """
        while not self._whole and self._fetch():
            pass
        taken = self._whole[: len(buffer)]
        self._whole = self._whole[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _fetch(self) -> bool:
        """Read on, and find what events are whole; False at the end."""
        block = self._ahead or self._take(_BLOCK)
        self._ahead = b""
        self._is_at_end = not block
        self._watch(block)
        self._begun += block
        _, _, event, ending = self.format.value
        n_whole = max((found.start() for found in event.finditer(self._begun)), default=0)
        if ending in self._tail:
            n_whole = len(self._begun)
        self._whole, self._begun = self._begun[:n_whole], self._begun[n_whole:]
        return bool(block)

    def _take(self, size: int) -> bytes:
        if self._damage:
            return b""
        try:
            return self._bytes.read(size)
        except self._damages as error:
            self._damage = f"damaged or cut off ({error})"
        return b""

    def _watch(self, taken: bytes) -> None:
        """Count the events that begin, each once though blocks end anywhere."""
        event, text = self.format.value[2], self._tail + taken
        self._n_events += len(event.findall(text)) - len(event.findall(self._tail))
        end = text.rstrip()  # any number of empty lines may follow
        self._tail = end[-_TAIL:] + text[len(end) :][-1:]

    @contextmanager
    def damage_told(self, n_read: int, kinds: tuple[type[Exception], ...]) -> Iterator[None]:
        """Turn what a library raises of a damaged file into one clear error."""
        try:
            yield
        except kinds as error:
            self.check_damage()
            raise EventFileError(
                f"'{self.path}' is damaged or cut off after event {n_read - 1} or a later one, "
                f"counted from 0: {error}"
                if n_read
                else f"'{self.path}' is damaged or cut off: {error}"
            ) from None

    def check_damage(self) -> None:
        """Refuse a file that does not decompress to its end, which explains all else."""
        while not self.closed and self._take(_BLOCK):  # pylhe closes what it gave up
            pass
        if self._damage:
            raise EventFileError(f"'{self.path}' is {self._damage}")

    def check_end(self, n_read: int) -> None:
        """Refuse a file of which not all was understood.

        Parameters
        ----------
        n_read
            How many events a library found in it.

        Raises
        ------
        EventFileError
            It is cut off or damaged: says where.
        """
        path, label, ending = self.path, self.format.label, self.format.value[3]
        is_complete = ending in self._tail
        if not self._damage and is_complete and self._n_events == n_read:
            if n_read == 0:
                raise EventFileError(f"'{path}' holds no events")
            return
        self.check_damage()
        if self._is_at_end and not is_complete and self._n_events <= n_read + 1:
            raise EventFileError(
                f"'{path}' is cut off in event {n_read}, counted from 0: its last line, "
                f"{ending.decode()}, is missing"
            )
        raise EventFileError(
            f"'{path}' is damaged in event {n_read}, counted from 0: the {label} library cannot "
            "read it"
        )
