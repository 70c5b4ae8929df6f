"""Candidates of B -> K X, all of them: any kaon with two photons, or two tracks of a vertex."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.detsim.vertex_table import HYPOTHESES
from darkbelle.gen.particles import B0, B_PLUS, K_S, K_STAR, K_STAR0, KAON, PI0, is_dark
from darkbelle.geometry import Experiment
from darkbelle.records import Column
from darkbelle.samples.candidates.ancestry import Ancestry
from darkbelle.samples.candidates.kinds import TRUTH, CandidateKind, Candidates
from darkbelle.samples.observables.b_to_k import b_mesons, measured
from darkbelle.samples.observables.base import particle_mass
from darkbelle.samples.observables.combinations import (
    Combinations,
    Part,
    PhotonPair,
    PromptTracks,
    VertexTracks,
    good_vertices,
    of_vertices,
    photon_pairs,
)
from darkbelle.samples.observables.kaons import reconstruct

__all__ = ["B_TO_K", "KaonKind", "XKind"]

RowArray = npt.NDArray[np.int64]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
Array = npt.NDArray[np.generic]


class KaonKind(enum.IntEnum):
    """What a B decays to beside X."""

    K_PLUS = 0
    K_SHORT = 1
    K_STAR_ZERO = 2
    K_STAR_PLUS = 3


class XKind(enum.IntEnum):
    """What X decays to."""

    GAMMAGAMMA = 0
    EE = 1
    MUMU = 2
    PIPI = 3
    KK = 4


@dataclass(frozen=True, slots=True)
class _Family:
    """A kaon and the B that it comes from, by their codes."""

    kaon: int
    b: int


_FAMILIES: Final = {
    KaonKind.K_PLUS: _Family(KAON, B_PLUS),
    KaonKind.K_SHORT: _Family(K_S, B0),
    KaonKind.K_STAR_ZERO: _Family(K_STAR0, B0),
    KaonKind.K_STAR_PLUS: _Family(K_STAR, B_PLUS),
}
_MOST_OF_KAON: Final = ("kaon_first", "kaon_second", "kaon_third")
"""Indices of what a kaon is made of, which is three tracks and clusters at most."""


def find_b_to_k(reco: RecoEvents, experiment: Experiment) -> Candidates:
    """All candidates within the cuts of the observables; signal are all products of a B."""
    ancestry = Ancestry.of(reco)
    found = [
        _of_decay(reco, experiment, ancestry, kind, x_kind, kaons, x)
        for kind in KaonKind
        for kaons in reconstruct(reco, experiment, kind.name.lower())
        for x_kind, x in _pairs(reco, experiment)
    ]
    columns = {
        name: np.concatenate([each.columns[name] for each in found]) for name in B_TO_K.columns
    }
    event = np.concatenate([each.event for each in found])
    order = np.argsort(event, kind="stable")
    return Candidates(event[order], {name: values[order] for name, values in columns.items()})


def _pairs(reco: RecoEvents, experiment: Experiment) -> Iterator[tuple[XKind, Combinations]]:
    """Candidates of X by what it decays to."""
    vertex = np.flatnonzero(good_vertices(reco))
    for kind in XKind:
        if kind is XKind.GAMMAGAMMA:
            yield kind, photon_pairs(reco)
        else:
            yield kind, of_vertices(reco, experiment, vertex, HYPOTHESES[kind.name.lower()])


def _of_decay(
    reco: RecoEvents,
    experiment: Experiment,
    ancestry: Ancestry,
    kind: KaonKind,
    x_kind: XKind,
    kaons: Combinations,
    x: Combinations,
) -> Candidates:
    """Candidates with the kaons of one decay and the X of another."""
    family = _FAMILIES[kind]
    found = b_mesons(reco, experiment, kaons, x)
    *kaon_parts, x_part = found.parts
    kaon = _kaon(ancestry, kaon_parts, family)
    true_x = ancestry.whole_mother(_particles(ancestry, x_part))
    parent = ancestry.code(true_x)
    b = ancestry.whole_mother(np.stack([kaon, true_x]))
    from_tracks = isinstance(x_part, VertexTracks)
    first = (reco.track_offsets if from_tracks else reco.cluster_offsets)[found.event]
    is_b = np.abs(ancestry.code(b)) == family.b
    columns: dict[str, Array] = {
        "kaon_kind": np.full(len(found), kind),
        "x_kind": np.full(len(found), x_kind),
        **_indices(reco, found, kaon_parts),
        "x_first": x_part.rows[0] - first,
        "x_second": x_part.rows[1] - first,
        "flight_xy": np.full(len(found), np.nan),
        **measured(reco, experiment, found, particle_mass(family.b)),
        "is_signal": is_b & is_dark(parent),
        "parent_pdg": parent,
    }
    return Candidates(found.event, columns)


def _kaon(ancestry: Ancestry, parts: list[Part], family: _Family) -> RowArray:
    """The true kaon that all parts make up, -1 where there is none or another one."""
    rows = np.stack([_intermediate(ancestry, part) for part in parts])
    found = rows[0] if len(parts) == 1 else ancestry.whole_mother(rows)
    return np.where(np.abs(ancestry.code(found)) == family.kaon, found, -1)


def _intermediate(ancestry: Ancestry, part: Part) -> RowArray:
    """What a part of a kaon is if it is what it is taken for: a track, a K_S, or a pi0."""
    particles = _particles(ancestry, part)
    if isinstance(part, VertexTracks | PhotonPair):
        mother = ancestry.whole_mother(particles)
        expected = K_S if isinstance(part, VertexTracks) else PI0
        return np.where(ancestry.code(mother) == expected, mother, -1)
    alone: RowArray = particles[0]
    return alone


def _particles(ancestry: Ancestry, part: Part) -> RowArray:
    """Particles of the tracks or clusters of a part, -1 for those of another species."""
    rows = (ancestry.of_track if part.is_charged else ancestry.of_cluster)[part.rows]
    codes, species = ancestry.code(rows), np.array(part.species)[:, None]
    if isinstance(part, PromptTracks):  # of either charge
        codes, species = np.abs(codes), np.abs(species)
    return np.where(codes == species, rows, -1)


def _indices(reco: RecoEvents, found: Combinations, parts: list[Part]) -> dict[str, Array]:
    """Indices of the tracks and clusters of a kaon within their events, -1 for no more."""
    within = np.concatenate(
        [
            part.rows
            - (reco.track_offsets if part.is_charged else reco.cluster_offsets)[found.event]
            for part in parts
        ]
    )
    nothing = np.full((len(_MOST_OF_KAON) - len(within), len(found)), -1)
    return dict(zip(_MOST_OF_KAON, np.concatenate([within, nothing]), strict=True))


B_TO_K: Final = CandidateKind(
    "a kaon with two photons, or with two tracks of a vertex, near the mass of a B",
    {
        "kaon_kind": Column("which kaon", "1", "i1", codes=KaonKind),
        "x_kind": Column("what X is taken to decay to", "1", "i1", codes=XKind),
        "kaon_first": Column("index of a track of the kaon within the event", "1", "i4"),
        "kaon_second": Column("index of its next track, or cluster of a pi0, or -1", "1", "i4"),
        "kaon_third": Column("index of its next track, or cluster of a pi0, or -1", "1", "i4"),
        "x_first": Column("index of a cluster, or of the positive track of X", "1", "i4"),
        "x_second": Column("index of a cluster, or of the negative track of X", "1", "i4"),
        "m_bc": Column("mass with half of the beams' energy for its own", "GeV", "f4"),
        "delta_e": Column("energy less half of that of the beams, in their frame", "GeV", "f4"),
        "mass": Column("mass of X", "GeV", "f4"),
        "reduced_mass": Column("sqrt(M^2 - 4 m^2) of X, m of one of its tracks", "GeV", "f4"),
        "mass_fit": Column("mass of X after a fit to the masses of B, K_S and pi0", "GeV", "f4"),
        "flight_xy": Column("transverse distance of X from the beams, NaN of photons", "cm", "f4"),
        **TRUTH,
    },
    find_b_to_k,
)
