"""The collections of a sample (events, particles, tracks ...) as columns ready for a file."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents, TriggerTable
from darkbelle.detsim.helix import pack
from darkbelle.gen import TruthEvents
from darkbelle.geometry import Experiment
from darkbelle.records import Column, columns
from darkbelle.samples.observables import ObservableSet

__all__ = [
    "EVENT_COLUMNS",
    "Collection",
    "collection",
    "described_by",
    "head",
    "measured",
    "observed",
    "tabulate",
]

Array = npt.NDArray[np.generic]

EVENT_COLUMNS = {
    "event_id": Column("number of the event, counted over the whole run", "1", "i8", "eventNumber"),
    "weight": Column("event weight", "1", "f8", "weight"),
    "x": Column("where the beams met", "cm", "f8"),
    "y": Column("where the beams met", "cm", "f8"),
    "z": Column("where the beams met", "cm", "f8"),
    "t": Column("when the beams met", "ns", "f8"),
}


@dataclass(frozen=True, slots=True)
class Collection:
    """Columns and their descriptions; ``counts`` are the rows of each event, None for one each."""

    columns: dict[str, Column]
    arrays: dict[str, Array]
    counts: npt.NDArray[np.int64] | None = None


def tabulate(
    truth: TruthEvents,
    reco: RecoEvents,
    *,
    experiment: Experiment,
    observables: tuple[ObservableSet, ...],
    first_event_id: int = 0,
) -> dict[str, Collection]:
    """All collections of some simulated events.

    The particles are those of ``reco.truth``: ``truth`` with the outcomes that the detector
    determined.
    """
    if reco.n_events != truth.n_events:
        msg = f"truth has {truth.n_events} events, reco has {reco.n_events}"
        raise ValueError(msg)
    event_columns = dict(EVENT_COLUMNS)
    event_arrays: dict[str, Array] = {
        "event_id": first_event_id + np.arange(truth.n_events),
        "weight": truth.weight,
        **dict(zip("xyzt", truth.vertex, strict=True)),
    }
    event_columns |= described_by(observables)
    event_arrays |= observed(observables, reco, experiment)
    return {
        "events": collection(event_columns, event_arrays),
        "particles": _table(reco.truth.particles, reco.truth.offsets),
        "klm_clusters": _table(reco.klm_clusters, reco.klm_cluster_offsets),
        **measured(reco, experiment),
    }


def measured(reco: RecoEvents, experiment: Experiment) -> dict[str, Collection]:
    """The collections that a shifted response can change, beside that of the events."""
    return {
        "tracks": _tracks(reco, experiment),
        "vertices": _table(reco.vertices, reco.vertex_offsets, cov=pack(reco.vertices.cov)),
        "clusters": _table(reco.clusters, reco.cluster_offsets),
        "trigger": _trigger(reco.trigger, experiment),
    }


def described_by(observables: tuple[ObservableSet, ...]) -> dict[str, Column]:
    """The columns of some sets of observables."""
    return {name: c for one in observables for name, c in one.columns.items()}


def observed(
    observables: tuple[ObservableSet, ...], reco: RecoEvents, experiment: Experiment
) -> dict[str, Array]:
    """Some sets of observables of some events."""
    return {
        name: values
        for one in observables
        for name, values in one.compute(reco, experiment).items()
    }


def head(collections: dict[str, Collection], n_events: int) -> dict[str, Collection]:
    """The first events of all collections."""
    kept = {}
    for name, collection in collections.items():
        counts = None if collection.counts is None else collection.counts[:n_events]
        n_rows = n_events if counts is None else int(counts.sum())
        arrays = {column: values[:n_rows] for column, values in collection.arrays.items()}
        kept[name] = Collection(collection.columns, arrays, counts)
    return kept


def _tracks(reco: RecoEvents, experiment: Experiment) -> Collection:
    """The tracks, with the names of the working points that the experiment knows."""
    tracks = _table(reco.tracks, reco.track_offsets, cov=pack(reco.tracks.cov))
    pid = replace(tracks.columns["pid"], names=experiment.identification.point_names)
    return replace(tracks, columns=tracks.columns | {"pid": pid})


def _trigger(decisions: TriggerTable, experiment: Experiment) -> Collection:
    """The decisions, with the lines of both menus and their prescales."""
    described = columns(TriggerTable)
    l1, hlt = experiment.trigger.l1, experiment.trigger.hlt
    for name, menu in (("l1", l1), ("l1_prescaled", l1), ("hlt", hlt)):
        described[name] = replace(described[name], names=menu.line_names, prescales=menu.ratios)
    return collection(described, {name: getattr(decisions, name) for name in described})


def _table(record: object, offsets: npt.NDArray[np.int64], **packed: Array) -> Collection:
    """A record as a collection, with some columns replaced by what a file holds of them."""
    described = columns(type(record))
    arrays = {name: getattr(record, name) for name in described} | packed
    return collection(described, arrays, np.diff(offsets))


def collection(
    described: dict[str, Column],
    arrays: dict[str, Array],
    counts: npt.NDArray[np.int64] | None = None,
) -> Collection:
    """A collection with every column in the width that files use, little-endian."""
    stored = {
        name: np.ascontiguousarray(arrays[name], dtype=f"<{column.dtype}")
        for name, column in described.items()
    }
    return Collection(described, stored, counts)
