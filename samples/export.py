"""Tables of a sample for other programs: flat columns, block after block, in one format or another.

Every row has ``event_id`` and ``weight``; rows of collections have their ``index`` in the event.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helix import HelixIndex
from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.samples.candidates import KINDS, CandidateKind
from darkbelle.samples.files.aside import aside, check_apart, check_target
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.reconstructed import blocks_of_events, reco_events

__all__ = ["FORMATS", "Format", "candidate_blocks", "export", "table_blocks"]

Array = npt.NDArray[Any]
Block = dict[str, Array]

CANDIDATES: Final = "candidates"
_PER_EVENT: Final = ("events", "trigger")
_TABLES: Final = (*_PER_EVENT, "particles", "tracks", "vertices", "clusters", "klm_clusters")
_LABELS: Final = {"helix": tuple(index.name.lower() for index in HelixIndex)}
_CSV_ROWS: Final = 8192
"""That are text at once, which takes much more memory than numbers."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: what it is in a line, and what writes blocks of columns of one shape."""

    description: str
    write: Callable[[Path, Iterator[Block]], None]


def export(
    sample: Sample,
    path: str | Path,
    *,
    format_name: str,
    table: str = "events",
    kind: str | None = None,
    force: bool = False,
) -> None:
    """Write one table of a sample in another format.

    Parameters
    ----------
    sample
        The sample, or one of its variations.
    path, force
        The file to write, and whether to replace one.
    format_name
        One of `FORMATS`.
    table
        A collection, or "candidates".
    kind
        Which candidates, one of `darkbelle.samples.candidates.KINDS`.

    Raises
    ------
    ConfigError
        An unknown format, table or kind.
    OutputError
        The file cannot be written; nothing half-written remains.
    """
    check_apart([check_target(path, force=force)], [sample.path])
    if format_name not in FORMATS:
        raise ConfigError(f"unknown format '{format_name}', {did_you_mean(format_name, FORMATS)}")
    if table == CANDIDATES:
        if kind not in KINDS:
            raise ConfigError(f"candidates are of a kind: {did_you_mean(str(kind), KINDS)}")
        blocks = candidate_blocks(sample, KINDS[kind])
    else:
        if kind is not None:
            raise ConfigError(f"only candidates have a kind, the {table} have none")
        blocks = table_blocks(sample, table)
    with aside(path, force=force) as part:
        FORMATS[format_name].write(part, blocks)


def table_blocks(sample: Sample, table: str) -> Iterator[Block]:
    """A collection of a sample as flat columns; what has names of its own is named by them."""
    if table not in _TABLES:
        known = (*_TABLES, CANDIDATES)
        raise ConfigError(f"there is no table '{table}', {did_you_mean(table, known)}")
    for events in blocks_of_events(sample):
        identity = _identity(sample, events)
        rows = events
        if table not in _PER_EVENT:
            offsets = sample.rows(table, "offsets", slice(events.start, events.stop + 1))
            counts = np.diff(offsets)
            identity = {name: np.repeat(values, counts) for name, values in identity.items()}
            first = np.repeat(offsets[:-1], counts)
            identity["index"] = np.arange(offsets[0], offsets[-1]) - first
            rows = slice(int(offsets[0]), int(offsets[-1]))
        block = dict(identity)
        for name in sample.units(table):
            if name not in identity and name != "offsets":
                block |= _flat(name, sample.rows(table, name, rows), sample.names(table, name))
        yield block


def candidate_blocks(sample: Sample, kind: CandidateKind) -> Iterator[Block]:
    """Candidates of a sample as flat columns, with words for what is a code in the file."""
    for events in blocks_of_events(sample):
        found = kind.find(reco_events(sample, events), sample.experiment)
        identity = _identity(sample, events)
        block = {name: values[found.event] for name, values in identity.items()}
        for name, described in kind.columns.items():
            values: Array = found.columns[name].astype(described.dtype)
            if described.codes is not None:
                words = {int(code): code.name.lower() for code in described.codes}
                values = np.array([words[code] for code in range(len(words))])[values]
            block[name] = values
        yield block


def _identity(sample: Sample, events: slice) -> Block:
    return {name: sample.rows("events", name, events) for name in ("event_id", "weight")}


def _flat(name: str, values: Array, names: tuple[str, ...]) -> Block:
    """A column, or those of a matrix."""
    if values.ndim == 1:
        return {name: values}
    labels = names or _LABELS.get(name) or tuple(map(str, range(values.shape[1])))
    return {f"{name}_{label}": values[:, i] for i, label in enumerate(labels)}


def _write_csv(path: Path, blocks: Iterator[Block]) -> None:
    """Comma-separated values below a line of names, numbers with the digits that they have."""
    first = next(blocks)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(first)
        for block in chain([first], blocks):
            for start in range(0, len(block["event_id"]), _CSV_ROWS):
                rows = slice(start, start + _CSV_ROWS)
                writer.writerows(zip(*(_as_text(v[rows]) for v in block.values()), strict=True))


def _as_text(values: Array) -> list[str]:
    """Numbers as the shortest text that gives them back in their width."""
    text: list[str] = values.astype(str).tolist()
    return text


FORMATS: Final = {"csv": Format("comma-separated values, as pandas reads them", _write_csv)}
"""Formats by name."""
