"""Candidates in a sample, as awkward vectors that keep its events: a list for each of them.

Photons, pi0, eta and K_S are what analyses build upon. What a search looks at comes with
``is_signal`` from the true particles, also as tables of `KINDS`: displaced vertices, dimuons, pairs
of photons, B -> K X.
"""

from __future__ import annotations

from typing import Any, Final

from darkbelle.samples.candidates.b_to_k import B_TO_K, KaonKind, XKind
from darkbelle.samples.candidates.kinds import CandidateKind, Candidates, candidates_of
from darkbelle.samples.candidates.neutral import (
    ETA_WINDOW,
    K_SHORT_WINDOW,
    PHOTON_LISTS,
    PI0_WINDOW,
    PhotonCuts,
    eta,
    k_short,
    photon_pairs,
    photons,
    pi0,
)
from darkbelle.samples.candidates.pairs import DIMUONS, DISPLACED_VERTICES, PHOTON_PAIRS
from darkbelle.samples.files.reading import Sample

__all__ = [
    "ETA_WINDOW",
    "KINDS",
    "K_SHORT_WINDOW",
    "PHOTON_LISTS",
    "PI0_WINDOW",
    "CandidateKind",
    "Candidates",
    "KaonKind",
    "PhotonCuts",
    "XKind",
    "b_candidates",
    "candidates_of",
    "dimuons",
    "diphotons",
    "displaced_vertices",
    "eta",
    "k_short",
    "photon_pairs",
    "photons",
    "pi0",
]

KINDS: Final = {
    "displaced_vertices": DISPLACED_VERTICES,
    "dimuons": DIMUONS,
    "diphotons": PHOTON_PAIRS,
    "b_to_k": B_TO_K,
}
"""Kinds of candidates by name."""


def displaced_vertices(sample: Sample) -> Any:
    """Two tracks of a vertex away from the beams; signal are two products of one dark state."""
    return candidates_of(sample, DISPLACED_VERTICES)


def dimuons(sample: Sample) -> Any:
    """Two tracks from the collision as muons; signal are those that a dark state decays to."""
    return candidates_of(sample, DIMUONS)


def diphotons(sample: Sample) -> Any:
    """Two photons; signal are those that a dark state decays to."""
    return candidates_of(sample, PHOTON_PAIRS)


def b_candidates(sample: Sample) -> Any:
    """A kaon with X to two photons or tracks; signal is a B with a dark state, and all of it."""
    return candidates_of(sample, B_TO_K)
