"""Observables of tau -> pi N with N -> mu mu nu away from the beams, cf. arXiv:2402.02580."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.kinematics import along_axes
from darkbelle.gen.particles import MASS_MU, PION
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

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Array = npt.NDArray[np.generic]

_MASS_PION: Final = particle_mass(PION)


def heavy_neutrino(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The most displaced vertex as N -> mu mu nu, and the prompt track next to it as the pion."""
    n_events, vertices = reco.n_events, reco.vertices
    usable = np.flatnonzero(good_vertices(reco))
    event = event_of(reco.vertex_offsets)[usable]
    vertex = leading(event, vertices.flight_xy_significance[usable], n_events, 1)[0]
    vertex = np.append(usable, -1)[vertex]
    exists = vertex >= 0
    pair = np.full((4, n_events), np.nan)
    own = np.full((2, n_events), -1)
    first_track = reco.track_offsets[:-1][exists]
    chosen = vertex[exists]
    momenta = momenta_at(reco, experiment, chosen, first_track)
    pair[:, exists] = four_momenta(momenta, MASS_MU).sum(axis=1)
    own[:, exists] = first_track + np.stack([vertices.track_plus, vertices.track_minus])[:, chosen]

    pion = _pion_beside(reco, experiment, pair, own)
    exists &= pion >= 0
    pion, chosen, pair = pion[exists], vertex[exists], pair[:, exists]
    pion_momentum = four_momenta(track_momenta(reco, experiment, pion), _MASS_PION)
    centre = np.array(experiment.collider.luminous_region.centre_cm)
    flight = np.stack([vertices.x, vertices.y, vertices.z])[:, chosen] - centre[:, None]
    heavier, lighter, _ = neutral_lepton_masses(pion_momentum, pair, flight)
    values = {
        "heavy_neutrino_mass_plus": heavier,
        "heavy_neutrino_mass_minus": lighter,
        "heavy_neutrino_mumu_mass": mass_of(pair),
        "heavy_neutrino_pi_mumu_mass": mass_of(pion_momentum + pair),
        "heavy_neutrino_flight_xy": vertices.flight_xy[chosen],
        "heavy_neutrino_pointing_angle": vertices.pointing_angle[chosen],
    }
    return {"has_heavy_neutrino": exists, **where(exists, values)}


def _pion_beside(
    reco: RecoEvents, experiment: Experiment, pair: FloatArray, own: RowArray
) -> RowArray:
    """Row of the prompt track nearest in direction to a pair, (4, n_events), in the CM frame.

    It is none of those that the pair is made of, ``own``, shape (2, n_events); -1 without one.
    """
    rows = np.flatnonzero(near_tracks(reco))
    event = event_of(reco.track_offsets)[rows]
    rows = rows[np.all(rows != own[:, event], axis=0) & np.isfinite(pair[0, event])]
    event = event_of(reco.track_offsets)[rows]
    axes = axes_of_collision(experiment.collider)
    track = along_axes(four_momenta(track_momenta(reco, experiment, rows), _MASS_PION), axes)[1:]
    towards = along_axes(pair[:, event], axes)[1:]
    cosine = np.sum(track * towards, axis=0) / (
        np.linalg.norm(track, axis=0) * np.linalg.norm(towards, axis=0)
    )
    chosen: RowArray = np.append(rows, -1)[leading(event, cosine, reco.n_events, 1)[0]]
    return chosen


HEAVY_NEUTRINO: Final = ObservableSet(
    {
        "has_heavy_neutrino": Column(
            "a good vertex, the one most significantly away from the luminous region, and another "
            "track from there; their observables are NaN without",
            "1",
            "i1",
        ),
        "heavy_neutrino_mass_plus": Column(
            "heavier of the two masses of N in tau -> pi N, N -> mu mu nu; both are one where "
            "errors leave no solution",
            "GeV",
            "f4",
        ),
        "heavy_neutrino_mass_minus": Column("the lighter of the two", "GeV", "f4"),
        "heavy_neutrino_mumu_mass": Column("mass of the vertex as mu+ mu-", "GeV", "f4"),
        "heavy_neutrino_pi_mumu_mass": Column(
            "mass of vertex and track, which is taken for the pion: of those from the luminous "
            "region it is the nearest in direction in the centre-of-mass frame",
            "GeV",
            "f4",
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
