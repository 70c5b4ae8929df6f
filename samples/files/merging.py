"""Samples joined to one: their events in the order of their streams, their sums added.

What stands in a file are parts: ranges of whole chunks of the stream of a seed and a point. Parts
that are next to each other become one part again, and a file of one part is written in the steps in
which `production` writes it, so that it has the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from darkbelle.errors import ConfigError, MergeError, SampleFormatError
from darkbelle.gen import CrossSection
from darkbelle.samples.files.aside import check_apart, check_target
from darkbelle.samples.files.hdf5 import DIGEST, EFFICIENCY_ENDING, SampleWriter, digest_of
from darkbelle.samples.files.parts import PARTS, StoredPart, disjoint, is_of_part, parts_of
from darkbelle.samples.files.stored import read_header, reading, stored_tables
from darkbelle.samples.progress import Progress, silent

__all__ = ["XSEC_SUM_W", "mean_cross_section", "merge", "weights_of_cross_section"]

XSEC_SUM_W: Final = "xsec_sum_w"
"""The attribute with the sum of weights that the cross-section belongs to."""

_TOTALS: Final = {"n_stored", "sum_w", "sum_w2", DIGEST, "complete"}
_FIRST_COMPARED: Final = ("version", "process", "parameters", "systematics", "chunk_size", "card")


@dataclass(frozen=True, slots=True)
class _Input:
    """A file: what all that are joined must have in common, and its parts."""

    path: Path
    common: dict[str, Any]
    layout: dict[str, Any]
    parts: tuple[StoredPart, ...]


def merge(
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    force: bool = False,
    progress: Progress = silent,
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
        The file cannot be written, or is one of the samples.
    """
    if not paths:
        raise ConfigError("no samples to merge")
    check_apart([check_target(output, force=force)], map(Path, paths))
    inputs = [_inspect(Path(path)) for path in paths]
    for other in inputs[1:]:
        _require_equal(inputs[0], other)
    parts = disjoint([part for each in inputs for part in each.parts])
    joined = _joined(parts)
    done = progress("events", sum(part.n_events for part in parts))
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
        parts = parts_of(path, header)
        if (n_events := sum(part.n_events for part in parts)) != header["n_stored"]:
            raise SampleFormatError(
                f"'{path}' is damaged: {header['n_stored']} events instead of {n_events}"
            )
        common = {
            name: value
            for name, value in header.items()
            if name not in (*_TOTALS, PARTS) and not is_of_part(name)
        }
        return _Input(path, common, layout, tuple(parts))


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


def _joined(parts: Sequence[StoredPart]) -> list[StoredPart]:
    """The parts with those made one that are next to each other."""
    joined: list[StoredPart] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last and last.source == part.source and last.stop == part.first and not last.is_cut:
            both = {"chunks": part.stop - last.first, "n_generated": last.n_events + part.n_events}
            joined[-1] = replace(last, header=last.header | both)
        else:
            joined.append(part)
    return joined


def _blocks(parts: Sequence[StoredPart], *, renumber: bool) -> Iterator[dict[str, Any]]:
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


def _header_of(joined: Sequence[StoredPart]) -> dict[str, Any]:
    """Attributes of a file of these parts, apart from what all its files have in common."""
    headers = [part.header for part in joined]
    if len(joined) == 1:
        return {name: value for name, value in headers[0].items() if name != DIGEST}
    header: dict[str, Any] = {
        "n_generated": sum(part.n_events for part in joined),
        PARTS: json.dumps([_plain(part) for part in joined]),
    }
    if all("xsec" in each for each in headers):
        xsec = mean_cross_section(headers)
        header |= {"xsec": xsec.value, "xsec_err": xsec.error}
    if any(XSEC_SUM_W in each for each in headers):
        header[XSEC_SUM_W] = sum(map(weights_of_cross_section, headers))
    for name in headers[0]:
        if name.endswith(EFFICIENCY_ENDING) and all(name in each for each in headers):
            # Kept over tried: both add up.
            tried = sum(p.n_events / float(p.header[name]) for p in joined)
            header[name] = header["n_generated"] / tried
    return header


def _plain(part: StoredPart) -> dict[str, Any]:
    """The header of a part as JSON takes it; a digest tells apart what has no seed."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in part.header.items()
        if name != DIGEST or "seed" not in part.header
    }


def mean_cross_section(headers: Sequence[Mapping[str, Any]]) -> CrossSection:
    """Mean by the errors of independent estimates; one that has no error is exact."""
    found = {(float(each["xsec"]), float(each["xsec_err"])) for each in headers}
    exact = [value for value, error in found if error == 0]
    if exact:
        return CrossSection(exact[0], 0.0)
    if len(found) == 1:
        return CrossSection(*found.pop())
    values, errors = np.array(sorted(found)).T
    value = np.average(values, weights=errors**-2)
    return CrossSection(float(value), float(np.sum(errors**-2) ** -0.5))


def weights_of_cross_section(header: Mapping[str, Any]) -> float:
    """The sum of weights that the cross-section of a header belongs to.

    Weights of our processes are one on average: theirs is the number of events that were tried.
    """
    return float(header.get(XSEC_SUM_W, header["n_generated"]))
