"""What a file holds: whole chunks of the stream of a seed and a point, one range or several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from darkbelle.errors import MergeError
from darkbelle.samples.files.hdf5 import DIGEST, EFFICIENCY_ENDING
from darkbelle.samples.production import CHUNK_SIZE

__all__ = ["PARTS", "StoredPart", "disjoint", "is_of_part", "parts_of"]

PARTS: Final = "parts"
"""The attribute that says what the rows of a file of several parts are."""
_STREAM: Final = ("seed", "point", "first_chunk", "chunks")
_OF_PART: Final = {*_STREAM, "n_generated", "lumi", "xsec", "xsec_err", "xsec_sum_w"}


@dataclass(frozen=True, slots=True)
class StoredPart:
    """Whole chunks of one stream, or events without one."""

    path: Path
    first_row: int
    header: dict[str, Any]
    """Attributes that are its own"""
    chunk_size: int
    origin: tuple[str, str, str]
    """Process, parameters and digest of the card: what besides a stream determines events"""

    @property
    def source(self) -> tuple[Any, ...]:
        """What parts of one stream have in common: without a seed a part is its own."""
        if "seed" in self.header:
            return (*self.origin, 0, int(self.header["seed"]), int(self.header.get("point", 0)))
        return (*self.origin, 1, self.header[DIGEST])

    @property
    def n_events(self) -> int:
        """Number of its rows of events."""
        return int(self.header["n_generated"])

    @property
    def first(self) -> int:
        """Its first chunk."""
        return int(self.header.get("first_chunk", 0))

    @property
    def stop(self) -> int:
        """The chunk after its last one."""
        return self.first + int(self.header.get("chunks", 1))

    @property
    def is_cut(self) -> bool:
        """Whether events are missing from its last chunk."""
        return self.n_events < (self.stop - self.first) * self.chunk_size

    def describe(self) -> str:
        """As a message names it."""
        if "seed" not in self.header:
            return "the same events"
        _, seed, point = self.source[-3:]
        return f"chunk {self.first} of seed {seed}, point {point}"


def parts_of(path: Path, header: Mapping[str, Any]) -> list[StoredPart]:
    """The parts of a file in the order of its rows, by its attributes and long texts."""
    own = {name: header[name] for name in header if is_of_part(name) or name == DIGEST}
    entries = json.loads(header[PARTS]) if PARTS in header else [own]
    size = int(header.get("chunk_size", CHUNK_SIZE))
    origin = header["process"], header["parameters"], header["card_sha256"]
    parts, first_row = [], 0
    for entry in entries:
        parts.append(StoredPart(path, first_row, entry, size, origin))
        first_row += parts[-1].n_events
    return parts


def is_of_part(name: str) -> bool:
    """Whether an attribute of a file says something of its part, not of all of its kind."""
    return name in _OF_PART or name.endswith(EFFICIENCY_ENDING)


def disjoint(parts: Iterable[StoredPart]) -> list[StoredPart]:
    """Parts by their streams and chunks, those without events left out where others have some.

    Systematic variations do not tell events apart: they stand beside the same ones.

    Raises
    ------
    MergeError
        Two have events in common.
    """
    parts = list(parts)
    filled = [part for part in parts if part.n_events] or parts[:1]
    filled.sort(key=lambda part: (part.source, part.first))
    for one, two in pairwise(filled):
        if one.source == two.source and two.first < one.stop:
            if one.path == two.path:
                raise MergeError(f"'{one.path}' is named twice: it holds {two.describe()}")
            raise MergeError(f"'{one.path}' and '{two.path}' both hold {two.describe()}")
    return filled
