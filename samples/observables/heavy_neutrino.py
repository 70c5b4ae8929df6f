"""Observables of tau -> pi N, N -> l l nu away from the beams, cf. arXiv:2402.02580."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.kinematics import along_axes
from darkbelle.gen.particles import MASS_E, MASS_MU, PION
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.records import Column
from darkbelle.samples.kinematics import mass_of, neutral_lepton_masses
from darkbelle.samples.observables.base import (
    ObservableSet,
    four_momenta,
    leading,
    particle_mass,
    track_momenta,
    where,
)
from darkbelle.samples.observables.combinations import good_vertices, near_tracks
from darkbelle.samples.observables.vertices import momenta_at

__all__ = ["HEAVY_NEUTRINO"]

RowArray = npt.NDArray[np.int64]
Array = npt.NDArray[np.generic]

_MASS_PION: Final = particle_mass(PION)
_LEPTONS: Final = {"mumu": MASS_MU, "ee": MASS_E}


def heavy_neutrino(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The most displaced vertex as that of N, and the prompt track beside it as the pion."""
    n_events, vertices = reco.n_events, reco.vertices
    usable = np.flatnonzero(good_vertices(reco))
    event = event_of(reco.vertex_offsets)[usable]
    vertex = leading(event, vertices.flight_xy_significance[usable], n_events, 1)[0]
    vertex = np.append(usable, -1)[vertex]  # -1 takes the last
    pion = _pion_beside(reco, experiment, vertex)
    exists = pion >= 0
    pion, vertex = pion[exists], vertex[exists]

    pion_momentum = four_momenta(track_momenta(reco, experiment, pion), _MASS_PION)
    momenta = momenta_at(reco, experiment, vertex, reco.track_offsets[:-1][exists])
    pairs = [four_momenta(momenta, mass).sum(axis=1) for mass in _LEPTONS.values()]
    centre = np.array(experiment.collider.luminous_region.centre_cm)
    flight = np.stack([vertices.x, vertices.y, vertices.z])[:, vertex] - centre[:, None]
    solutions = [neutral_lepton_masses(pion_momentum, pair, flight)[:2] for pair in pairs]
    heavier, lighter = np.stack(solutions, axis=1)
    values = {
        "heavy_neutrino_mass_plus": heavier,
        "heavy_neutrino_mass_minus": lighter,
        "heavy_neutrino_pair_mass": np.stack([mass_of(pair) for pair in pairs]),
        "heavy_neutrino_seen_mass": np.stack([mass_of(pion_momentum + pair) for pair in pairs]),
        "heavy_neutrino_flight_xy": vertices.flight_xy[vertex],
        "heavy_neutrino_pointing_angle": vertices.pointing_angle[vertex],
    }
    return {"has_heavy_neutrino": exists, **where(exists, values)}


def _pion_beside(reco: RecoEvents, experiment: Experiment, vertex: RowArray) -> RowArray:
    """Row of the prompt track nearest in direction to a vertex of each event, in the CM frame.

    It is none of the vertex; -1 without one.
    """
    vertices, axes = reco.vertices, axes_of_collision(experiment.collider)
    found = np.flatnonzero(vertex >= 0)
    chosen = vertex[found]
    own = np.full((2, reco.n_events), -1)
    own[0, found] = reco.track_offsets[found] + vertices.track_plus[chosen]
    own[1, found] = reco.track_offsets[found] + vertices.track_minus[chosen]
    flight = np.zeros((3, reco.n_events))
    flight[:, found] = np.stack([vertices.px, vertices.py, vertices.pz])[:, chosen]

    rows = np.flatnonzero(near_tracks(reco))
    event = event_of(reco.track_offsets)[rows]
    other = (vertex[event] >= 0) & np.all(rows != own[:, event], axis=0)
    rows, event = rows[other], event[other]
    tracks = four_momenta(track_momenta(reco, experiment, rows), _MASS_PION)
    pairs = four_momenta(flight[:, event], 0.0)
    tracks, pairs = along_axes(tracks, axes)[1:], along_axes(pairs, axes)[1:]
    cosine = np.sum(tracks * pairs, axis=0) / (
        np.linalg.norm(tracks, axis=0) * np.linalg.norm(pairs, axis=0)
    )
    nearest: RowArray = np.append(rows, -1)[leading(event, cosine, reco.n_events, 1)[0]]
    return nearest


_PAIR_NAMES: Final = tuple(_LEPTONS)

HEAVY_NEUTRINO: Final = ObservableSet(
    {
        "has_heavy_neutrino": Column(
            "a good vertex, the one most significantly away from the luminous region, and another "
            "track from there; their observables are NaN without",
            "1",
            "i1",
        ),
        "heavy_neutrino_mass_plus": Column(
            "heavier of the two masses of N in tau -> pi N, N -> l l nu; both are one where errors "
            "leave no solution",
            "GeV",
            "f4",
            names=_PAIR_NAMES,
        ),
        "heavy_neutrino_mass_minus": Column(
            "the lighter of the two", "GeV", "f4", names=_PAIR_NAMES
        ),
        "heavy_neutrino_pair_mass": Column("mass of the vertex", "GeV", "f4", names=_PAIR_NAMES),
        "heavy_neutrino_seen_mass": Column(
            "mass of vertex and track, which is taken for the pion: of those from the luminous "
            "region it is the nearest in direction in the centre-of-mass frame",
            "GeV",
            "f4",
            names=_PAIR_NAMES,
        ),
        "heavy_neutrino_flight_xy": Column(
            "transverse distance of the vertex from the luminous region", "cm", "f4"
        ),
        "heavy_neutrino_pointing_angle": Column(
            "angle between momentum and flight of the vertex", "rad", "f4"
        ),
    },
    heavy_neutrino,
)
