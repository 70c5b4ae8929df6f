"""What every format is made of: columns of a sample, block after block of its events.

Rows of a table have ``event_id`` and ``weight``, those of collections their ``index`` in the event.
Matrices are flat columns: ``helix_d0``, ``pid_mu_loose``, ``cov_0`` (lower triangle, row by row).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helix import HelixIndex
from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.samples.candidates import KINDS, CandidateKind
from darkbelle.samples.exporting.edm4hep import meanings_in_edm4hep, to_edm4hep
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.reconstructed import blocks_of_events, reco_events
from darkbelle.samples.files.variations import WEIGHTS, VariationKind

__all__ = [
    "EVENTS",
    "Block",
    "Content",
    "Lists",
    "one_table",
    "whole_sample",
]

Array = npt.NDArray[Any]
Columns = dict[str, Array]
Meanings = dict[str, tuple[str, str]]

EVENTS: Final = "events"
_PER_EVENT: Final = (EVENTS, "trigger")
_COLLECTIONS: Final = ("particles", "tracks", "vertices", "clusters", "klm_clusters")
_LABELS: Final = {"helix": tuple(index.name.lower() for index in HelixIndex)}
_IDENTITY: Final = ("event_id", "weight")
_INDEX: Final = {"index": ("1", "place within the event")}
_NOT_TOLD: Final = ("card", "complete", "config_sha256", "format", "format_version", "sha256")


@dataclass(frozen=True, slots=True)
class Lists:
    """A collection: the rows of all events one after the other, and how many each event has."""

    columns: Columns
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows: a value a row of each column, and lists where a row is a whole event."""

    columns: Columns
    lists: Mapping[str, Lists] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file shall hold: blocks of one shape, the first of which may have no rows.

    ``meanings`` are unit and description of each column; those of lists are named
    ``COLLECTION_COLUMN``. ``header`` is what holds for the whole sample.
    """

    name: str
    header: Mapping[str, Any]
    meanings: Meanings
    blocks: Iterator[Block]


def whole_sample(sample: Sample, *, edm4hep: bool = False) -> Content:
    """Events with all their collections as lists, decisions of the trigger, factors of weights."""
    kinds = {variation.kind for variation in sample.variations.values()}
    beside = ["trigger", *([WEIGHTS] if VariationKind.WEIGHT in kinds else [])]
    meanings = _meanings(sample, EVENTS, edm4hep=edm4hep)
    for table in (*beside, *_COLLECTIONS):
        own = _meanings(sample, table, edm4hep=edm4hep)
        meanings |= {f"{table}_{name}": meaning for name, meaning in own.items()}

    def blocks() -> Iterator[Block]:
        for events in blocks_of_events(sample):
            columns = _columns(sample, EVENTS, events, edm4hep=edm4hep)
            for table in beside:
                own = _columns(sample, table, events, edm4hep=edm4hep)
                columns |= {f"{table}_{name}": values for name, values in own.items()}
            lists = {}
            for table in _COLLECTIONS:
                offsets, rows = _rows(sample, table, events)
                own = _columns(sample, table, rows, edm4hep=edm4hep)
                lists[table] = Lists(own, np.diff(offsets))
            yield Block(columns, lists)

    return Content(EVENTS, _header_of(sample), meanings, blocks())


def one_table(sample: Sample, table: str, *, edm4hep: bool = False) -> Content:
    """The events with a row each, or a collection or kind of candidates with a row an object."""
    if table in KINDS:
        if edm4hep:
            raise ConfigError("EDM4hep has no names for candidates: leave these out")
        return _candidates(sample, table, KINDS[table])
    if table not in (*_PER_EVENT, *_COLLECTIONS):
        known = (*_PER_EVENT, *_COLLECTIONS, *KINDS)
        raise ConfigError(f"there is no table '{table}', {did_you_mean(table, known)}")
    meanings = _meanings(sample, EVENTS, edm4hep=edm4hep, only=_IDENTITY)
    if table in _COLLECTIONS:
        meanings |= _INDEX
    meanings |= _meanings(sample, table, edm4hep=edm4hep)

    def blocks() -> Iterator[Block]:
        for events in blocks_of_events(sample):
            columns = _columns(sample, EVENTS, events, edm4hep=edm4hep, only=_IDENTITY)
            rows = events
            if table in _COLLECTIONS:
                offsets, rows = _rows(sample, table, events)
                counts = np.diff(offsets)
                columns = {name: np.repeat(values, counts) for name, values in columns.items()}
                first = np.repeat(offsets[:-1], counts)
                columns["index"] = np.arange(offsets[0], offsets[-1]) - first
            yield Block(columns | _columns(sample, table, rows, edm4hep=edm4hep))

    return Content(table, _header_of(sample), meanings, blocks())


def _candidates(sample: Sample, name: str, kind: CandidateKind) -> Content:
    """Candidates of a sample, a row each, with words for what is a code in records."""
    meanings = _meanings(sample, EVENTS, edm4hep=False, only=_IDENTITY)
    meanings |= {column: (c.unit, c.description) for column, c in kind.columns.items()}

    def blocks() -> Iterator[Block]:
        for events in blocks_of_events(sample):
            found = kind.find(reco_events(sample, events), sample.experiment)
            identity = _columns(sample, EVENTS, events, edm4hep=False, only=_IDENTITY)
            columns = {column: values[found.event] for column, values in identity.items()}
            for column, described in kind.columns.items():
                values: Array = found.columns[column].astype(described.dtype)
                if described.codes is not None:
                    words = {int(code): code.name.lower() for code in described.codes}
                    values = np.array([words[code] for code in range(len(words))])[values]
                columns[column] = values
            yield Block(columns)

    return Content(name, _header_of(sample), meanings, blocks())


def _header_of(sample: Sample) -> dict[str, Any]:
    """What holds for a whole sample: process and parameters, cross-section [fb], counts, sums."""
    header = {k: v for k, v in sorted(sample.attributes.items()) if k not in _NOT_TOLD}
    header["parameters"] = sample.parameters
    if sample.variation is not None:
        header["variation"] = sample.variation.name
    return header


def _rows(sample: Sample, table: str, events: slice) -> tuple[npt.NDArray[np.int64], slice]:
    """Offsets and rows of the objects of some events."""
    offsets = sample.rows(table, "offsets", slice(events.start, events.stop + 1))
    return offsets, slice(int(offsets[0]), int(offsets[-1]))


def _columns(
    sample: Sample, table: str, rows: slice, *, edm4hep: bool, only: Iterable[str] = ()
) -> Columns:
    """Rows of some columns of a table, or of all, matrices in flat columns."""
    columns: Columns = {}
    for name in only or sample.units(table):
        if name == "offsets":
            continue
        values = sample.rows(table, name, rows)
        if values.ndim == 1:
            columns[name] = values
        else:
            labels = _labels(sample, table, name, values.shape[1])
            columns |= {f"{name}_{label}": values[:, i] for i, label in enumerate(labels)}
    return to_edm4hep(table, columns) if edm4hep else columns


def _meanings(sample: Sample, table: str, *, edm4hep: bool, only: Iterable[str] = ()) -> Meanings:
    """Units and descriptions of what `_columns` gives."""
    meanings: Meanings = {}
    attributes = sample.attributes_of(table)
    for name in only or attributes:
        if name == "offsets":
            continue
        told = attributes[name]
        codes = f": {told['codes']}" if "codes" in told else ""
        unit, description = str(told["unit"]), f"{told['description']}{codes}"
        shape = sample.rows(table, name, slice(0, 0)).shape
        if len(shape) == 1:
            meanings[name] = unit, description
        else:
            units = itertools.cycle(unit.split(", "))
            for label, own in zip(_labels(sample, table, name, shape[1]), units, strict=False):
                meanings[f"{name}_{label}"] = own, description
    return meanings_in_edm4hep(table, meanings) if edm4hep else meanings


def _labels(sample: Sample, table: str, name: str, n_columns: int) -> tuple[str, ...]:
    """What tells the columns of a matrix apart."""
    return sample.names(table, name) or _LABELS.get(name) or tuple(map(str, range(n_columns)))
