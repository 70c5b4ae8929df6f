"""Events of a sample as the records that the simulation made, to the width of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import (
    ClusterTable,
    KlmClusterTable,
    RecoEvents,
    TrackTable,
    TriggerTable,
    VertexTable,
)
from darkbelle.detsim.helix import unpack
from darkbelle.gen.events import Particles, TruthEvents
from darkbelle.records import columns
from darkbelle.samples.files.reading import Sample

__all__ = ["blocks_of_events", "reco_events", "truth_events"]

BLOCK: Final = 32_768
"""Events that are read together: about 100 MB."""

OffsetArray = npt.NDArray[np.int64]


def blocks_of_events(sample: Sample) -> Iterator[slice]:
    """Events of a sample in blocks that fit into memory, one without events if there are none."""
    for start in range(0, max(len(sample), 1), BLOCK):
        yield slice(start, min(start + BLOCK, len(sample)))


def truth_events(sample: Sample, events: slice) -> TruthEvents:
    """The true particles of some events, as the detector left them."""
    particles, offsets = _table(sample, "particles", Particles, events)
    weight, *vertex = (sample.rows("events", name, events) for name in ("weight", *"xyzt"))
    return TruthEvents(particles, offsets, weight, np.stack(vertex), sample.cross_section)


def reco_events(sample: Sample, events: slice) -> RecoEvents:
    """Some events of a sample as `darkbelle.detsim.simulate` returned them."""
    tracks, track_offsets = _table(sample, "tracks", TrackTable, events)
    vertices, vertex_offsets = _table(sample, "vertices", VertexTable, events)
    clusters, cluster_offsets = _table(sample, "clusters", ClusterTable, events)
    klm_clusters, klm_cluster_offsets = _table(sample, "klm_clusters", KlmClusterTable, events)
    decisions = {name: sample.rows("trigger", name, events) for name in columns(TriggerTable)}
    return RecoEvents(
        truth_events(sample, events),
        tracks=tracks,
        track_offsets=track_offsets,
        vertices=vertices,
        vertex_offsets=vertex_offsets,
        clusters=clusters,
        cluster_offsets=cluster_offsets,
        klm_clusters=klm_clusters,
        klm_cluster_offsets=klm_cluster_offsets,
        trigger=TriggerTable(**decisions),
    )


def _table(sample: Sample, name: str, record: type, events: slice) -> tuple[Any, OffsetArray]:
    """A collection as a record with the offsets of its events, floating-point numbers in full."""
    offsets = sample.rows(name, "offsets", slice(events.start, events.stop + 1))
    rows = slice(int(offsets[0]), int(offsets[-1]))
    arrays = {}
    for column, described in columns(record).items():
        values = sample.rows(name, column, rows)
        if described.dtype.startswith("f"):
            values = values.astype(np.float64)
        arrays[column] = unpack(values) if described.packing else values
    return record(**arrays), offsets - offsets[0]
