"""Observables of B -> K X with X to two photons, to two tracks of a vertex, or to nothing seen.

One candidate an event and kind of kaon: that of the least |Delta E| among those in a wide window of
M_bc and Delta E.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.detsim.vertex_table import HYPOTHESES
from darkbelle.geometry import Experiment
from darkbelle.records import Column
from darkbelle.samples import kinfit
from darkbelle.samples.kinematics import (
    beam_constrained_mass,
    energy_difference,
    mass_of,
    recoil_q2,
    reduced_mass,
)
from darkbelle.samples.observables.base import ObservableSet, leading, particle_mass, where
from darkbelle.samples.observables.combinations import (
    Combinations,
    VertexTracks,
    combine,
    good_vertices,
    of_vertices,
    photon_pairs,
)
from darkbelle.samples.observables.kaons import KAONS, known_masses, reconstruct

__all__ = ["B_TO_K_PHOTONS", "B_TO_K_RECOIL", "B_TO_K_TRACKS", "b_mesons", "measured"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Array = npt.NDArray[np.generic]

_LEAST_M_BC: Final = 5.2
_MOST_DELTA_E: Final = 0.3
"""GeV"""
_B_MASS: Final = {kaon: particle_mass(521 if kaon.endswith("plus") else 511) for kaon in KAONS}
_PAIRS: Final = ("ee", "mumu", "pipi", "kk")
_TRACK_KAONS: Final = ("k_plus", "k_star_zero")


def _candidates(
    reco: RecoEvents,
    experiment: Experiment,
    kaons: list[Combinations],
    x: Combinations,
    b_mass: float,
) -> dict[str, FloatArray]:
    """Observables of the candidate of each event, NaN where there is none, shape (n_events,).

    The kaons of each of their decays are apart.
    """
    best, *others = [_of_decay(reco, experiment, each, x, b_mass) for each in kaons]
    for other in others:
        nearer = np.abs(other["delta_e"]) < np.abs(best["delta_e"])
        nearer |= np.isnan(best["delta_e"])
        best = {name: np.where(nearer, other[name], best[name]) for name in best}
    return best


def _of_decay(
    reco: RecoEvents, experiment: Experiment, kaons: Combinations, x: Combinations, b_mass: float
) -> dict[str, FloatArray]:
    """As `_candidates`, with the kaons of one decay."""
    found = b_mesons(reco, experiment, kaons, x)
    delta_e = energy_difference(found.momentum, experiment.collider)
    chosen = leading(found.event, -np.abs(delta_e), reco.n_events, 1)[0]
    exists = chosen >= 0
    return where(exists, measured(reco, experiment, found.take(chosen[exists]), b_mass))


def b_mesons(
    reco: RecoEvents, experiment: Experiment, kaons: Combinations, x: Combinations
) -> Combinations:
    """All candidates of B -> K X within the cuts, with X the last of their parts."""
    found = combine(kaons, x, reco.n_events)
    m_bc = beam_constrained_mass(found.momentum, experiment.collider)
    delta_e = energy_difference(found.momentum, experiment.collider)
    return found.take((m_bc > _LEAST_M_BC) & (np.abs(delta_e) < _MOST_DELTA_E))


def measured(
    reco: RecoEvents, experiment: Experiment, found: Combinations, b_mass: float
) -> dict[str, FloatArray]:
    """Observables of candidates of B -> K X, shape (n,) each."""
    *kaon_parts, source = found.parts
    particles = found.measured(reco, experiment)
    last_two = (len(particles.masses) - 2, len(particles.masses) - 1)
    everything = kinfit.Mass(tuple(range(len(particles.masses))), b_mass)
    fitted = kinfit.fit(particles, [everything, *known_masses(kaon_parts)])
    one, two = particles.momenta()[:, last_two].swapaxes(0, 1)
    values = {
        "m_bc": beam_constrained_mass(found.momentum, experiment.collider),
        "delta_e": energy_difference(found.momentum, experiment.collider),
        "mass": mass_of(one + two),
        "reduced_mass": reduced_mass(one, two),
        "mass_fit": fitted.particles.mass(last_two)[0],
    }
    if isinstance(source, VertexTracks):
        values["flight_xy"] = reco.vertices.flight_xy[source.vertex]
    return values


def _columns(
    prefix: str, families: list[dict[str, FloatArray]], names: tuple[str, ...]
) -> dict[str, Array]:
    """Matrices (n_events, n_families) of some of the observables, and the flag."""
    exists = np.stack([np.isfinite(family["delta_e"]) for family in families], axis=-1)
    matrices = {
        f"{prefix}_{name}": np.stack([family[name] for family in families], axis=-1)
        for name in names
    }
    return {f"has_{prefix}": exists, **matrices}


def b_to_k_photons(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """B -> K X, X -> gamma gamma, with the photons taken from the origin."""
    pairs = photon_pairs(reco)
    families = [
        _candidates(reco, experiment, reconstruct(reco, experiment, kaon), pairs, _B_MASS[kaon])
        for kaon in KAONS
    ]
    return _columns("b_photons", families, ("m_bc", "delta_e", "mass", "mass_fit"))


def b_to_k_tracks(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """B -> K X, X to two tracks of a vertex, for each kaon and what the tracks are taken for."""
    vertex = np.flatnonzero(good_vertices(reco))
    pairs = [of_vertices(reco, experiment, vertex, HYPOTHESES[pair]) for pair in _PAIRS]
    families = []
    for kaon in _TRACK_KAONS:
        kaons = reconstruct(reco, experiment, kaon)
        families += [_candidates(reco, experiment, kaons, x, _B_MASS[kaon]) for x in pairs]
    return _columns(
        "b_tracks",
        families,
        ("m_bc", "delta_e", "mass", "reduced_mass", "mass_fit", "flight_xy"),
    )


def b_to_k_recoil(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """What B -> K leaves, of the kaon that leaves least."""
    n_events = reco.n_events
    families = []
    for kaon in KAONS:
        least = np.full(n_events, np.inf)
        for kaons in reconstruct(reco, experiment, kaon):
            q2 = recoil_q2(kaons.momentum, experiment.collider)
            np.minimum.at(least, kaons.event, q2)
        families.append(least)
    q2 = np.stack(families, axis=-1)
    exists = np.isfinite(q2)
    return {"has_b_recoil": exists, "b_recoil_q2": np.where(exists, q2, np.nan)}


_KAON_NAMES: Final = tuple(KAONS)
_CUTS: Final = f"M_bc > {_LEAST_M_BC} GeV and |Delta E| < {_MOST_DELTA_E} GeV"


def _common(prefix: str, x: str, names: tuple[str, ...]) -> dict[str, Column]:
    """What all candidates have."""
    return {
        f"has_{prefix}": Column(
            f"a candidate of B -> K X with {x}, {_CUTS}, by kaon; the observables of that of the "
            "least |Delta E| are NaN without",
            "1",
            "i1",
            names=names,
        ),
        f"{prefix}_m_bc": Column(
            "mass of the B with half of the beams' energy for its own",
            "GeV",
            "f4",
            names=names,
        ),
        f"{prefix}_delta_e": Column(
            "energy of the B in the centre-of-mass frame less half of that of the beams",
            "GeV",
            "f4",
            names=names,
        ),
        f"{prefix}_mass": Column("mass of X", "GeV", "f4", names=names),
        f"{prefix}_mass_fit": Column(
            "mass of X after a fit to the masses of B, K_S and pi0", "GeV", "f4", names=names
        ),
    }


B_TO_K_PHOTONS: Final = ObservableSet(
    _common("b_photons", "X to two photons, as from the origin", _KAON_NAMES), b_to_k_photons
)

_TRACK_NAMES: Final = tuple(f"{kaon}_{pair}" for kaon in _TRACK_KAONS for pair in _PAIRS)

B_TO_K_TRACKS: Final = ObservableSet(
    {
        **_common(
            "b_tracks", "X to the two tracks of a vertex, as pairs of four kinds", _TRACK_NAMES
        ),
        "b_tracks_reduced_mass": Column(
            "sqrt(M^2 - 4 m^2) of X, m of one of its tracks", "GeV", "f4", names=_TRACK_NAMES
        ),
        "b_tracks_flight_xy": Column(
            "transverse distance of the vertex from the luminous region",
            "cm",
            "f4",
            names=_TRACK_NAMES,
        ),
    },
    b_to_k_tracks,
)

B_TO_K_RECOIL: Final = ObservableSet(
    {
        "has_b_recoil": Column(
            "a kaon, by kind; its recoil is NaN without", "1", "i1", names=_KAON_NAMES
        ),
        "b_recoil_q2": Column(
            "square of the mass that B -> K leaves, the B taken to be at rest in the "
            "centre-of-mass frame; the least of all kaons of a kind",
            "GeV^2",
            "f4",
            names=_KAON_NAMES,
        ),
    },
    b_to_k_recoil,
)
