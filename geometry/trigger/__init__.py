"""The schema of a trigger: what its two levels count in an event, and lines that ask for counts.

Whatever the trigger finds is a count: tracks, clusters, pairs, sectors, and flags, which are counts
of zero or one. A line names the counts that it needs, so that a card can define lines of its own.
Of what is measured, that passes which lies above the least and below the most; zero is no least,
and 180 degrees, or 360 of a sum, no most. Counts reach their bounds.
"""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from darkbelle.geometry.trigger.high_level import (
    ClusterCut,
    ClusterSum,
    DisplacedVertex,
    HardestPair,
    HighLevel,
    TrackCut,
)
from darkbelle.geometry.trigger.level_one import (
    KLM_SECTIONS,
    CellClusterCut,
    ClusterPair,
    KlmTracks,
    LevelOne,
    Match,
    Matching,
    Opening,
    RingPair,
    RingSum,
    TrackErrors,
    TriggerCells,
    TriggerTrack,
)
from darkbelle.geometry.trigger.limits import N_RINGS, Bounds, Condition, EnergyCut
from darkbelle.geometry.trigger.menu import Line, Menu, Prescales
from darkbelle.settings import Settings

__all__ = [
    "KLM_SECTIONS",
    "N_RINGS",
    "Bounds",
    "CellClusterCut",
    "ClusterCut",
    "ClusterPair",
    "ClusterSum",
    "Condition",
    "DisplacedVertex",
    "EnergyCut",
    "HardestPair",
    "HighLevel",
    "KlmTracks",
    "LevelOne",
    "Line",
    "Match",
    "Matching",
    "Menu",
    "Opening",
    "Prescales",
    "RingPair",
    "RingSum",
    "TrackCut",
    "TrackErrors",
    "Trigger",
    "TriggerCells",
    "TriggerTrack",
]


class Trigger(Settings):
    """Both levels; the second sees the events that the first has kept."""

    l1: LevelOne
    hlt: HighLevel

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for name in self.l1.lines:
            if name in self.hlt.lines:
                msg = f"'{name}' is the name of a line of both levels: names must differ"
                raise ValueError(msg)
        return self
