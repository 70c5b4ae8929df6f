"""Observables of two vertices without a common track, cf. arXiv:2505.09705."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents, VertexStatus
from darkbelle.detsim.helix import momentum_towards
from darkbelle.gen.particles import MASS_E, PION
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of, offsets_of, pairs_within
from darkbelle.records import Column
from darkbelle.samples.observables.base import (
    ObservableSet,
    energy_cms,
    four_momenta,
    leading,
    particle_mass,
    where,
)

__all__ = ["TWO_VERTICES"]

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
Array = npt.NDArray[np.generic]

_MASSES: Final = {"hp": ("mumu", "pipi", "kk"), "chi": ("ee", "mumu", "pipi")}
_MASS_PION: Final = particle_mass(PION)


def two_vertices(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The two vertices that fit best together, of which the one that points better is the h'."""
    rows = _best_two(reco)
    has_two = np.all(rows >= 0, axis=0)
    rows = rows[:, has_two]
    swapped = np.diff(reco.vertices.pointing_angle[rows], axis=0)[0] < 0
    rows = np.where(swapped, rows[::-1], rows)
    first_track = reco.track_offsets[np.flatnonzero(has_two)]
    seen: FloatArray = np.zeros((4, rows.shape[1]))
    values: dict[str, FloatArray] = {}
    for (prefix, pairs), vertex, mass in zip(
        _MASSES.items(), rows, (_MASS_PION, MASS_E), strict=True
    ):
        tracks = momenta_at(reco, experiment, vertex, first_track)
        seen += four_momenta(tracks, mass).sum(axis=1)
        values |= {f"{prefix}_mass_{p}": getattr(reco.vertices, f"mass_{p}")[vertex] for p in pairs}
        values |= {
            f"{prefix}_{name}": getattr(reco.vertices, name)[vertex]
            for name in ("flight_xy", "pointing_angle")
        }
        values[f"{prefix}_opening_angle"] = _angle(tracks[:, 0], tracks[:, 1])
    collider = experiment.collider
    missing = collider.sqrt_s - energy_cms(seen, collider)
    return {
        "has_two_vertices": has_two,
        **where(has_two, values | {"two_vertex_missing_energy": missing}),
    }


def momenta_at(
    reco: RecoEvents, experiment: Experiment, vertex: RowArray, first_track: RowArray
) -> FloatArray:
    """Momenta of the two tracks of vertices, there, positive one first, shape (3, 2, n)."""
    vertices = reco.vertices
    members = first_track + np.stack([vertices.track_plus[vertex], vertices.track_minus[vertex]])
    points = np.stack([vertices.x[vertex], vertices.y[vertex]], axis=-1)
    field = experiment.solenoid.field_t
    found = [momentum_towards(reco.tracks.helix[row], points, field).T for row in members]
    return np.stack(found, axis=1)


def _best_two(reco: RecoEvents) -> RowArray:
    """Rows of the two good vertices with the least sum of chi2, shape (2, n_events), or -1."""
    vertices, n_events = reco.vertices, reco.n_events
    good = np.flatnonzero(vertices.fit_status == VertexStatus.OK)
    event = event_of(reco.vertex_offsets)[good]
    pairs = good[np.stack(pairs_within(offsets_of(event, n_events)))]
    one, two = pairs
    apart = (vertices.track_plus[one] != vertices.track_plus[two]) & (
        vertices.track_minus[one] != vertices.track_minus[two]
    )
    pairs = pairs[:, apart]
    event = event_of(reco.vertex_offsets)[pairs[0]]
    best = leading(event, -vertices.chi2[pairs].sum(axis=0), n_events, 1)[0]
    return np.append(pairs, [[-1], [-1]], axis=1)[:, best]  # -1 takes the last


def _angle(p: FloatArray, q: FloatArray) -> FloatArray:
    """Angle between vectors [rad], accurate for small ones, shape (3, n) to (n,)."""
    difference = p / np.linalg.norm(p, axis=0) - q / np.linalg.norm(q, axis=0)
    angle: FloatArray = 2 * np.arcsin(np.minimum(np.linalg.norm(difference, axis=0) / 2, 1.0))
    return angle


_LIKE = {
    "hp": "the vertex taken for that of an h'",
    "chi": "the vertex taken for that of a chi2",
}

TWO_VERTICES: Final = ObservableSet(
    {
        "has_two_vertices": Column(
            "two good vertices without a common track, those of the least sum of chi2, the one "
            "that points better taken for that of an h'; their observables are NaN without",
            "1",
            "i1",
        ),
        **{
            f"{prefix}_{name}": described
            for prefix, what in _LIKE.items()
            for name, described in {
                **{
                    f"mass_{pair}": Column(f"mass of {what}, its tracks as {pair}", "GeV", "f4")
                    for pair in _MASSES[prefix]
                },
                "flight_xy": Column(
                    f"transverse distance of {what} from the luminous region", "cm", "f4"
                ),
                "pointing_angle": Column(
                    f"angle between momentum and flight of {what}", "rad", "f4"
                ),
                "opening_angle": Column(f"angle between the tracks of {what}", "rad", "f4"),
            }.items()
        },
        "two_vertex_missing_energy": Column(
            "energy in the centre-of-mass frame that the two leave, as pions and electrons",
            "GeV",
            "f4",
        ),
    },
    two_vertices,
)
