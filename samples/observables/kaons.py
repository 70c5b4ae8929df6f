"""Kaons of B -> K X: K+, K_S -> pi pi, K*0 -> K+ pi-, K*+ -> K_S pi+ and K+ pi0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from darkbelle.detsim import RecoEvents
from darkbelle.gen.particles import K_S, KAON, PI0, PION
from darkbelle.geometry import Experiment
from darkbelle.samples import kinfit
from darkbelle.samples.observables.base import particle_mass
from darkbelle.samples.observables.combinations import (
    Combinations,
    Part,
    PhotonPair,
    PromptTracks,
    VertexTracks,
    combine,
    good_vertices,
    near_tracks,
    of_tracks,
    of_vertices,
    photon_pairs,
)
from darkbelle.samples.windows import K_SHORT_WINDOW, K_STAR_WINDOW, PI0_WINDOW

__all__ = ["KAONS", "known_masses", "reconstruct"]

_KAON_POINT: Final = "k_loose"
_K_SHORT_FLIGHT: Final = 0.05
"""cm, transverse."""


def charged_kaons(reco: RecoEvents, experiment: Experiment) -> Combinations:
    """Prompt tracks that are identified as kaons."""
    point = experiment.identification.point_names.index(_KAON_POINT)
    rows = np.flatnonzero(near_tracks(reco) & reco.tracks.pid[:, point])
    return of_tracks(reco, experiment, rows, KAON)


def charged_pions(reco: RecoEvents, experiment: Experiment) -> Combinations:
    """Prompt tracks, all taken for pions."""
    return of_tracks(reco, experiment, np.flatnonzero(near_tracks(reco)), PION)


def short_kaons(reco: RecoEvents, experiment: Experiment) -> Combinations:
    """Vertices of two pions of about the mass of a K_S, some way from the beams."""
    vertices = reco.vertices
    low, high = K_SHORT_WINDOW
    chosen = good_vertices(reco) & (vertices.flight_xy > _K_SHORT_FLIGHT)
    chosen &= (vertices.mass_pipi > low) & (vertices.mass_pipi < high)
    return of_vertices(reco, experiment, np.flatnonzero(chosen), (PION, -PION))


def neutral_excited_kaons(reco: RecoEvents, experiment: Experiment) -> Combinations:
    """K*0 -> K+ pi- and its conjugate."""
    kaons, pions = charged_kaons(reco, experiment), charged_pions(reco, experiment)
    pairs = combine(kaons, pions, reco.n_events)
    charge = sum(reco.tracks.charge[part.rows[0]] for part in pairs.parts)
    return pairs.take(charge == 0).within(K_STAR_WINDOW)


def charged_excited_to_short(reco: RecoEvents, experiment: Experiment) -> Combinations:
    """K*+ -> K_S pi+."""
    kaons, pions = short_kaons(reco, experiment), charged_pions(reco, experiment)
    return combine(kaons, pions, reco.n_events).within(K_STAR_WINDOW)


def charged_excited_to_pi0(reco: RecoEvents, experiment: Experiment) -> Combinations:
    """K*+ -> K+ pi0."""
    kaons, pions = charged_kaons(reco, experiment), photon_pairs(reco).within(PI0_WINDOW)
    return combine(kaons, pions, reco.n_events).within(K_STAR_WINDOW)


KAONS: Final = {
    "k_plus": (charged_kaons,),
    "k_short": (short_kaons,),
    "k_star_zero": (neutral_excited_kaons,),
    "k_star_plus": (charged_excited_to_short, charged_excited_to_pi0),
}
"""How each kaon is found, by its decays that are looked for."""


def reconstruct(reco: RecoEvents, experiment: Experiment, kaon: str) -> list[Combinations]:
    """Candidates of a kaon, those of each of its decays apart."""
    return [find(reco, experiment) for find in KAONS[kaon]]


def known_masses(parts: Sequence[Part]) -> list[kinfit.Constraint]:
    """Masses of the narrow particles of a kaon, whose parts are the first of a set of particles."""
    known: list[kinfit.Constraint] = []
    place = 0
    for part in parts:
        match part:
            case VertexTracks():
                known.append(kinfit.Mass((place, place + 1), particle_mass(K_S)))
            case PhotonPair():
                known.append(kinfit.Mass((place, place + 1), particle_mass(PI0)))
            case PromptTracks():
                pass
        place += len(part.rows)
    return known
