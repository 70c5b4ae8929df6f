"""Pairs of tracks and of photons: displaced vertices, prompt dimuons, two photons."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents, VertexTable
from darkbelle.gen.particles import MUON, PHOTON, is_dark
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.records import Column, columns
from darkbelle.samples.candidates.ancestry import Ancestry
from darkbelle.samples.candidates.kinds import MOMENTUM, TRUTH, CandidateKind, Candidates
from darkbelle.samples.kinematics import mass_of, missing_mass2, reduced_mass
from darkbelle.samples.observables.base import (
    LEAST_PHOTON,
    energy_cms,
    four_momenta,
    light_momenta,
    particle_mass,
    track_momenta,
)
from darkbelle.samples.observables.combinations import (
    combine,
    good_vertices,
    near_tracks,
    of_tracks,
    photon_pairs,
)

__all__ = ["DIMUONS", "DISPLACED_VERTICES", "PHOTON_PAIRS"]

RowArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

LEAST_FLIGHT: Final = 0.05
"""cm, transverse: of displaced vertices, as in the search of arXiv:2306.02830."""
_AS_THEY_ARE: Final = (
    *("track_plus", "track_minus", "chi2", "px", "py", "pz", "pointing_angle"),
    *("flight_xy", "flight_xy_significance", "mass_ee", "mass_mumu", "mass_pipi", "mass_kk"),
)
_TRACKS: Final = {name: columns(VertexTable)[name] for name in ("track_plus", "track_minus")}


def find_displaced_vertices(reco: RecoEvents, experiment: Experiment) -> Candidates:
    """Good vertices some way from the beams; signal are two products of one dark state."""
    rows = np.flatnonzero(good_vertices(reco) & (reco.vertices.flight_xy > LEAST_FLIGHT))
    event = event_of(reco.vertex_offsets)[rows]
    table = reco.vertices
    tracks = reco.track_offsets[event] + np.stack([table.track_plus[rows], table.track_minus[rows]])
    ancestry = Ancestry.of(reco)
    particles = ancestry.of_track[tracks]
    parent = ancestry.code(ancestry.common_mother(particles))
    plus, minus = ancestry.code(particles)
    return Candidates(
        event,
        {
            "vertex": rows - reco.vertex_offsets[event],
            **{name: getattr(table, name)[rows] for name in _AS_THEY_ARE},
            **{f"vertex_{axis}": getattr(table, axis)[rows] for axis in "xyz"},
            "plus_pdg": plus,
            "minus_pdg": minus,
            "is_signal": is_dark(parent),
            "parent_pdg": parent,
        },
    )


def find_dimuons(reco: RecoEvents, experiment: Experiment) -> Candidates:
    """Pairs of tracks from the collision as muons; signal are all products of a dark state."""
    near, charge = near_tracks(reco), reco.tracks.charge
    plus, minus = (
        of_tracks(reco, experiment, np.flatnonzero(near & (charge == sign)), MUON)
        for sign in (1, -1)
    )
    found = combine(plus, minus, reco.n_events)
    rows = np.concatenate([part.rows for part in found.parts])
    momenta = track_momenta(reco, experiment, rows)
    one, two = np.moveaxis(four_momenta(momenta, particle_mass(MUON)), 1, 0)
    ancestry, first = Ancestry.of(reco), reco.track_offsets[found.event]
    return Candidates(
        found.event,
        {
            "track_plus": rows[0] - first,
            "track_minus": rows[1] - first,
            **_of_sum(found.momentum),
            "reduced_mass": reduced_mass(one, two),
            "recoil_mass2": missing_mass2(found.momentum, experiment.collider.four_momentum),
            **_truth(ancestry, ancestry.of_track[rows], (-MUON, MUON)),
        },
    )


def find_photon_pairs(reco: RecoEvents, experiment: Experiment) -> Candidates:
    """Pairs of photons; signal are the two that a dark state decays to."""
    found = photon_pairs(reco)
    rows = found.parts[0].rows
    energies = energy_cms(light_momenta(reco, rows), experiment.collider)
    ancestry, first = Ancestry.of(reco), reco.cluster_offsets[found.event]
    return Candidates(
        found.event,
        {
            "cluster_first": rows[0] - first,
            "cluster_second": rows[1] - first,
            **_of_sum(found.momentum),
            "energy_first": energies[0],
            "energy_second": energies[1],
            **_truth(ancestry, ancestry.of_cluster[rows], (PHOTON, PHOTON)),
        },
    )


def _of_sum(momentum: FloatArray) -> dict[str, FloatArray]:
    """Momentum and mass of pairs with a sum of four-momenta, shape (4, n)."""
    return {**dict(zip(MOMENTUM, momentum[1:], strict=True)), "mass": mass_of(momentum)}


def _truth(
    ancestry: Ancestry, particles: RowArray, wanted: tuple[int, int]
) -> dict[str, npt.NDArray[Any]]:
    """Columns of the truth of pairs that are all products of something, shape (2, n)."""
    parent = ancestry.code(ancestry.whole_mother(particles))
    are_wanted = np.all(ancestry.code(particles) == np.reshape(wanted, (2, 1)), axis=0)
    return {"is_signal": is_dark(parent) & are_wanted, "parent_pdg": parent}


DISPLACED_VERTICES: Final = CandidateKind(
    f"two tracks of a vertex more than {LEAST_FLIGHT} cm from the beams",
    {
        "vertex": Column("index within the event", "1", "i4"),
        **{name: columns(VertexTable)[name] for name in _AS_THEY_ARE},
        **{f"vertex_{axis}": columns(VertexTable)[axis] for axis in "xyz"},
        "plus_pdg": Column("code of the true particle of the positive track", "1", "i4"),
        "minus_pdg": Column("code of the true particle of the negative track", "1", "i4"),
        **TRUTH,
    },
    find_displaced_vertices,
)
DIMUONS: Final = CandidateKind(
    "two tracks of opposite charge from the collision, as muons",
    {
        **_TRACKS,
        **MOMENTUM,
        "mass": Column("mass as mu+ mu-", "GeV", "f8"),
        "reduced_mass": Column("sqrt(M^2 - 4 m_mu^2)", "GeV", "f4"),
        "recoil_mass2": Column("square of the mass recoiling against the pair", "GeV^2", "f4"),
        **TRUTH,
    },
    find_dimuons,
)
PHOTON_PAIRS: Final = CandidateKind(
    f"two photons above {LEAST_PHOTON} GeV, from the origin",
    {
        "cluster_first": Column("index of a cluster within the event", "1", "i4"),
        "cluster_second": Column("index of a cluster within the event", "1", "i4"),
        **MOMENTUM,
        "mass": Column("mass of the pair", "GeV", "f8"),
        "energy_first": Column("energy of the first in the centre-of-mass frame", "GeV", "f4"),
        "energy_second": Column("energy of the second in the centre-of-mass frame", "GeV", "f4"),
        **TRUTH,
    },
    find_photon_pairs,
)
