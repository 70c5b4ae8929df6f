"""What observables share: leading objects of events, momenta, NaN where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import FitStatus, RecoEvents
from darkbelle.detsim.helix import HelixIndex, momentum
from darkbelle.gen.kinematics import dot
from darkbelle.gen.particles import masses
from darkbelle.geometry import Collider, Experiment
from darkbelle.ragged import event_of, offsets_of
from darkbelle.records import Column

__all__ = [
    "LEAST_PHOTON",
    "ObservableSet",
    "energy_cms",
    "fastest_tracks",
    "four_momenta",
    "leading",
    "light_momenta",
    "opposite_masses2",
    "particle_mass",
    "photon_rows",
    "track_momenta",
    "where",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
Array = npt.NDArray[np.generic]

LEAST_PHOTON: Final = 0.1
"""Energy [GeV] from which a cluster without a track is a photon, as usual in the searches."""


@dataclass(frozen=True, slots=True)
class ObservableSet:
    """Observables that are computed together: their columns, and the function that fills them."""

    columns: dict[str, Column]
    compute: Callable[[RecoEvents, Experiment], dict[str, Array]]


def leading(event: RowArray, value: FloatArray, n_events: int, n: int) -> RowArray:
    """Places of the n greatest values of each event, greatest first, shape (n, n_events).

    -1 where an event has fewer. ``event`` rises.
    """
    offsets = offsets_of(event, n_events)
    filled = np.flatnonzero(np.diff(offsets))
    left = value.astype(np.float64)
    best = np.full(n_events, -np.inf)
    chosen = np.full((n, n_events), -1, np.int64)
    for choice in chosen:
        best[filled] = np.maximum.reduceat(left, offsets[filled])
        found = np.flatnonzero((left == best[event]) & (left > -np.inf))
        choice[event[found]] = found
        left[choice[choice >= 0]] = -np.inf
    return chosen


def fastest_tracks(reco: RecoEvents, n: int) -> RowArray:
    """Rows of the n fastest good tracks of either charge, the positive ones first.

    Shape (2, n, n_events), fastest first, -1 where an event has fewer.
    """
    tracks = reco.tracks
    tan_lambda, omega = tracks.helix[:, HelixIndex.TAN_LAMBDA], tracks.helix[:, HelixIndex.OMEGA]
    is_good = tracks.fit_status == FitStatus.OK
    event = event_of(reco.track_offsets)
    chosen = []
    for charge in (1, -1):
        rows = np.flatnonzero(is_good & (tracks.charge == charge))
        speed = (1 + tan_lambda[rows] ** 2) / omega[rows] ** 2  # p^2 in other units
        places = leading(event[rows], speed, reco.n_events, n)
        chosen.append(np.append(rows, -1)[places])  # -1 takes the last
    return np.stack(chosen)


def track_momenta(reco: RecoEvents, experiment: Experiment, rows: RowArray) -> FloatArray:
    """Momenta of some tracks at their perigees [GeV], shape (3, ...) for rows (...)."""
    return np.moveaxis(momentum(reco.tracks.helix[rows], experiment.solenoid.field_t), -1, 0)


def photon_rows(reco: RecoEvents) -> RowArray:
    """Clusters that no track owns, of some energy."""
    clusters = reco.clusters
    return np.flatnonzero((clusters.track_index < 0) & (clusters.energy > LEAST_PHOTON))


def four_momenta(momenta: FloatArray, mass: float) -> FloatArray:
    """Four-momenta of particles of one mass, shape (3, ...) to (4, ...)."""
    energy = np.sqrt(np.sum(momenta**2, axis=0) + mass**2)
    return np.concatenate([energy[None], momenta])


def particle_mass(pdg_id: int) -> float:
    """Mass of a known particle [GeV]."""
    return float(masses(np.array(pdg_id, np.int32)))


def light_momenta(reco: RecoEvents, rows: RowArray) -> FloatArray:
    """Four-momenta of clusters as photons from the origin, shape (4, ...) for rows (...)."""
    energy, theta, phi = (getattr(reco.clusters, name)[rows] for name in ("energy", "theta", "phi"))
    across = energy * np.sin(theta)
    return np.stack([energy, across * np.cos(phi), across * np.sin(phi), energy * np.cos(theta)])


def energy_cms(p: FloatArray, collider: Collider) -> FloatArray:
    """Energy in the centre of mass of the nominal beams."""
    return dot(p, collider.four_momentum) / collider.sqrt_s


def opposite_masses2(plus: FloatArray, minus: FloatArray) -> FloatArray:
    """Squared masses less 4 m^2 of all pairs of two particles of one mass m, at least zero.

    M^2 = 4 m^2 - (p - q)^2 does not cancel at threshold. Shapes (4, n, k) and (4, m, k) to
    (n, m, k).
    """
    difference = plus[:, :, None] - minus[:, None]
    return np.maximum(-dot(difference, difference), 0.0)


def where(exists: BoolArray, values: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Values of the events that have them among all events, NaN elsewhere.

    ``values`` have the shape (..., n_existing); the axis of events comes first in the result.
    """
    filled: dict[str, FloatArray] = {}
    for name, value in values.items():
        column = np.full((len(exists), *value.shape[:-1]), np.nan)
        column[exists] = np.moveaxis(value, -1, 0)
        filled[name] = column
    return filled
