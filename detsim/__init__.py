"""What the detector sees: true particles and an Experiment become reconstructed objects."""

from __future__ import annotations

from darkbelle.detsim.events import (
    ClusterTable,
    FitStatus,
    KlmClusterTable,
    RecoEvents,
    TrackTable,
    TriggerTable,
    VertexStatus,
    VertexTable,
)
from darkbelle.detsim.helix import HelixIndex
from darkbelle.detsim.response import simulate

__all__ = [
    "ClusterTable",
    "FitStatus",
    "HelixIndex",
    "KlmClusterTable",
    "RecoEvents",
    "TrackTable",
    "TriggerTable",
    "VertexStatus",
    "VertexTable",
    "simulate",
]
