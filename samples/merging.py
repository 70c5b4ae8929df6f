"""Samples joined to one: their events in the order of their streams, their sums added.

What stands in a file are parts: ranges of whole chunks of the stream of a seed and a point. Parts
that are next to each other become one part again, and a file of one part is written in the steps in
which `production` writes it, so that it has the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from darkbelle.errors import ConfigError, MergeError, SampleFormatError
from darkbelle.samples.hdf5 import DIGEST, EFFICIENCY_ENDING, SampleWriter, check_target, digest_of
from darkbelle.samples.production import CHUNK_SIZE
from darkbelle.samples.stored import read_header, reading, stored_tables

__all__ = ["merge"]

_PARTS: Final = "parts"
_TOTALS: Final = {"n_stored", "sum_w", "sum_w2", DIGEST, "complete"}
_STREAM: Final = ("seed", "point", "first_chunk", "chunks")
_OF_PART: Final = {*_STREAM, "n_generated", "lumi", "xsec", "xsec_err"}
_FIRST_COMPARED: Final = ("version", "process", "parameters", "systematics", "chunk_size", "card")


@dataclass(frozen=True, slots=True)
class _Part:
    """Whole chunks of one stream; ``header`` are the attributes that are a part's own."""

    path: Path
    first_row: int
    header: dict[str, Any]
    chunk_size: int

    @property
    def source(self) -> tuple[Any, ...]:
        """What parts of one stream have in common: without a seed a part is its own."""
        if "seed" in self.header:
            return (0, int(self.header["seed"]), int(self.header.get("point", 0)))
        return (1, self.header[DIGEST])

    @property
    def n_events(self) -> int:
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
        if self.source[0] == 1:
            return "the same events"
        return f"chunk {self.first} of seed {self.source[1]}, point {self.source[2]}"


@dataclass(frozen=True, slots=True)
class _Input:
    """A file: what all that are joined must have in common, and its parts."""

    path: Path
    common: dict[str, Any]
    layout: dict[str, Any]
    parts: tuple[_Part, ...]


def merge(
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    force: bool = False,
    progress: Callable[[int], Callable[[int], object]] = lambda total: lambda done: None,
) -> int:
    """Join samples of one configuration.

    Parts of one seed and point are put in order; where they make up a run without a gap, the file
    has the bytes of that run. Else its attribute ``parts`` (JSON) says what its rows are. The
    cross-section of several seeds is the mean by their errors.

    Parameters
    ----------
    paths
        The samples.
    output, force, progress
        As for `darkbelle.samples.produce`.

    Returns
    -------
    n_events
        Number of events in the new sample.

    Raises
    ------
    MergeError
        The samples differ in their configuration, or have events in common.
    SampleFormatError
        One is no sample, or damaged.
    OutputError
        The file cannot be written.
    """
    if not paths:
        raise ConfigError("no samples to merge")
    check_target(output, force=force)
    inputs = [_inspect(Path(path)) for path in paths]
    for other in inputs[1:]:
        _require_equal(inputs[0], other)
    parts = _in_order([part for each in inputs for part in each.parts])
    joined = _joined(parts)
    done = progress(sum(part.n_events for part in parts))
    with SampleWriter(output, force=force) as writer:
        for groups in _blocks(parts, renumber=len({part.source for part in parts}) > 1):
            writer.append_rows(groups)
            done(len(groups["events"].arrays["event_id"]))
        writer.finish(inputs[0].common | _header_of(joined))
    return writer.n_events


def _inspect(path: Path) -> _Input:
    """The header of a file whose bytes are those that were written."""
    digest_of(path)
    with reading(path) as file:
        header = read_header(file)
        layout = {name: table.layout() for name, table in stored_tables(file).items()}
        own = {name: header.pop(name) for name in list(header) if _is_of_part(name)}
        totals = {name: header.pop(name) for name in _TOTALS}
        own[DIGEST] = totals[DIGEST]
        several = header.pop(_PARTS, None)
        parts, first_row = [], 0
        for entry in [own] if several is None else json.loads(several):
            parts.append(_Part(path, first_row, entry, int(header.get("chunk_size", CHUNK_SIZE))))
            first_row += parts[-1].n_events
        if first_row != totals["n_stored"]:
            raise SampleFormatError(
                f"'{path}' is damaged: {totals['n_stored']} events instead of {first_row}"
            )
        return _Input(path, header, layout, tuple(parts))


def _is_of_part(name: str) -> bool:
    return name in _OF_PART or name.endswith(EFFICIENCY_ENDING)


def _require_equal(one: _Input, other: _Input) -> None:
    """Refuse samples that differ in more than their events, and say in what."""
    names = one.common | other.common
    for name in [*(name for name in _FIRST_COMPARED if name in names), *sorted(names)]:
        values = [each.common.get(name) for each in (one, other)]
        if name in ("parameters", "card"):
            values = [json.loads(str(value)) for value in values]
        if values[0] != values[1]:
            where, a, b = _first_difference(name, *values)
            raise MergeError(
                f"'{one.path}' and '{other.path}' are no parts of one sample: {where} is "
                f"{_short(a)} in one, {_short(b)} in the other"
            )
    for first, second in ((one, other), (other, one)):
        for name, columns in first.layout.items():
            for column, described in columns.items():
                if second.layout.get(name, {}).get(column) != described:
                    raise MergeError(
                        f"'{second.path}' has no /{name}/{column} like that of '{first.path}': "
                        "produce both with the same options"
                    )


def _first_difference(where: str, one: Any, other: Any) -> tuple[str, Any, Any]:
    """The first entry that differs, by its path within tables."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one | other:
            if one.get(key) != other.get(key):
                return _first_difference(f"{where}.{key}", one.get(key), other.get(key))
    return where, one, other


def _short(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _in_order(parts: list[_Part]) -> list[_Part]:
    """Parts by their streams and chunks, those without events left out where others have some."""
    filled = [part for part in parts if part.n_events] or parts[:1]
    filled.sort(key=lambda part: (part.source, part.first))
    for one, two in pairwise(filled):
        if one.source == two.source and two.first < one.stop:
            raise MergeError(f"'{one.path}' and '{two.path}' both hold {two.describe()}")
    return filled


def _joined(parts: Sequence[_Part]) -> list[_Part]:
    """The parts with those made one that are next to each other."""
    joined: list[_Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last and last.source == part.source and last.stop == part.first and not last.is_cut:
            both = {"chunks": part.stop - last.first, "n_generated": last.n_events + part.n_events}
            joined[-1] = replace(last, header=last.header | both)
        else:
            joined.append(part)
    return joined


def _blocks(parts: Sequence[_Part], *, renumber: bool) -> Iterator[dict[str, Any]]:
    """The rows of all parts in the steps in which they were made."""
    n_done = 0
    for part in parts:
        size = part.chunk_size
        with reading(part.path) as file:
            tables = stored_tables(file)
            for start in range(0, max(part.n_events, 1), size):
                stop = min(start + size, part.n_events)
                events = slice(part.first_row + start, part.first_row + stop)
                groups = {name: table.read(events) for name, table in tables.items()}
                first_id = n_done if renumber else part.first * size + start
                numbers = {"event_id": first_id + np.arange(stop - start)}
                rows = groups["events"]
                groups["events"] = replace(rows, arrays={**rows.arrays, **numbers})
                n_done += stop - start
                yield groups


def _header_of(joined: Sequence[_Part]) -> dict[str, Any]:
    """Attributes of a file of these parts, apart from what all its files have in common."""
    headers = [part.header for part in joined]
    if len(joined) == 1:
        return {name: value for name, value in headers[0].items() if name != DIGEST}
    header: dict[str, Any] = {
        "n_generated": sum(part.n_events for part in joined),
        _PARTS: json.dumps([_plain(part) for part in joined]),
    }
    if all("xsec" in each for each in headers):
        header |= _mean_cross_section(headers)
    for name in headers[0]:
        if name.endswith(EFFICIENCY_ENDING) and all(name in each for each in headers):
            # Kept over tried: both add up.
            tried = sum(p.n_events / float(p.header[name]) for p in joined)
            header[name] = header["n_generated"] / tried
    return header


def _plain(part: _Part) -> dict[str, Any]:
    """The header of a part as JSON takes it; a digest tells apart what has no seed."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in part.header.items()
        if name != DIGEST or "seed" not in part.header
    }


def _mean_cross_section(headers: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Mean by the errors of independent estimates; one that has no error is exact."""
    found = {(float(each["xsec"]), float(each["xsec_err"])) for each in headers}
    exact = [value for value, error in found if error == 0]
    if len(found) == 1 or exact:
        value, error = (exact[0], 0.0) if exact else found.pop()
        return {"xsec": value, "xsec_err": error}
    values, errors = np.array(sorted(found)).T
    value = np.average(values, weights=errors**-2)
    return {"xsec": float(value), "xsec_err": float(np.sum(errors**-2) ** -0.5)}
