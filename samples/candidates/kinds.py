"""What a kind of candidates is: its columns, and the function that finds all those of some events.

Candidates are found in records, and so in a sample block after block, or fresh from `simulate`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt
import vector.backends.awkward

from darkbelle.detsim import RecoEvents
from darkbelle.geometry import Experiment
from darkbelle.records import Column
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.reconstructed import blocks_of_events, reco_events

__all__ = ["MOMENTUM", "TRUTH", "CandidateKind", "Candidates", "candidates_of"]

Array = npt.NDArray[np.generic]
RowArray = npt.NDArray[np.int64]

MOMENTUM: Final = {name: Column("momentum", "GeV", "f8") for name in ("px", "py", "pz")}
TRUTH: Final = {
    "is_signal": Column("whether it is what it is taken for, of a dark state", "1", "?"),
    "parent_pdg": Column("code of what its particles are products of the decay of", "1", "i4"),
}
"""Columns that all kinds have, from the true particles of tracks and clusters."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates of some events, event after event: the event and the columns of each."""

    event: RowArray
    columns: dict[str, Array]


@dataclass(frozen=True, slots=True)
class CandidateKind:
    """A kind of candidates: what it is in a line, its columns, and what finds them."""

    description: str
    columns: dict[str, Column]
    find: Callable[[RecoEvents, Experiment], Candidates]


def candidates_of(sample: Sample, kind: CandidateKind) -> Any:
    """All candidates of a kind in a sample, a list for each event, as vectors."""
    counts: list[RowArray] = []
    found: dict[str, list[Array]] = {name: [] for name in kind.columns}
    for events in blocks_of_events(sample):
        block = kind.find(reco_events(sample, events), sample.experiment)
        counts.append(np.bincount(block.event, minlength=events.stop - events.start))
        for name, described in kind.columns.items():
            found[name].append(block.columns[name].astype(described.dtype))
    flat = {name: np.concatenate(values) for name, values in found.items()}
    return ak.unflatten(
        ak.zip(
            flat,
            with_name=("Momentum4D" if "mass" in flat else "Momentum3D") if "px" in flat else None,
            behavior=vector.backends.awkward.behavior,
        ),
        np.concatenate(counts),
    )
