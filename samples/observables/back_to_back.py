"""Observables of two particles that share the energy of the beams, as luminosity is measured by."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.kinematics import along_axes, dot
from darkbelle.gen.particles import MASS_MU
from darkbelle.geometry import Collider, Experiment
from darkbelle.ragged import event_of
from darkbelle.records import Column
from darkbelle.samples.observables.base import (
    ObservableSet,
    energy_cms,
    fastest_tracks,
    four_momenta,
    leading,
    light_momenta,
    track_momenta,
    where,
)

__all__ = ["CLUSTER_PAIR", "TRACK_PAIR"]

FloatArray = npt.NDArray[np.float64]
Array = npt.NDArray[np.generic]


def _back_to_back(pair: FloatArray, collider: Collider, prefix: str) -> dict[str, FloatArray]:
    """Observables of arXiv:2407.00965 for two momenta, shape (4, 2, n)."""
    total = pair.sum(axis=1)
    cms = along_axes(pair, axes_of_collision(collider)[..., None])
    theta = np.arctan2(np.hypot(cms[1], cms[2]), cms[3])
    (x1, x2), (y1, y2) = cms[1], cms[2]
    # The angle of one azimuth to the opposite of the other, without their wrap.
    acoplanarity = np.abs(np.arctan2(x1 * y2 - y1 * x2, -(x1 * x2 + y1 * y2)))
    return {
        f"{prefix}_mass": np.sqrt(np.maximum(dot(total, total), 0.0)),
        f"{prefix}_energies": cms[0],
        f"{prefix}_acollinearity": theta.sum(axis=0) - np.pi,
        f"{prefix}_acoplanarity": acoplanarity,
    }


def _columns(prefix: str, flag: str, pair: str, names: tuple[str, ...]) -> dict[str, Column]:
    """What `_back_to_back` fills, and its flag."""
    return {
        f"has_{prefix}": Column(f"{flag}; the observables of the pair are NaN without", "1", "i1"),
        f"{prefix}_mass": Column(f"mass of {pair}", "GeV", "f4"),
        f"{prefix}_energies": Column(
            "their energies in the centre-of-mass frame", "GeV", "f4", names=names
        ),
        f"{prefix}_acollinearity": Column(
            "sum of their polar angles in the centre-of-mass frame less pi", "rad", "f4"
        ),
        f"{prefix}_acoplanarity": Column(
            "pi less the angle between their azimuths in the centre-of-mass frame", "rad", "f4"
        ),
    }


def track_pair(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The fastest track of each charge as a muon, with its cluster."""
    rows = fastest_tracks(reco, 1)[:, 0]
    has_pair = np.all(rows >= 0, axis=0)
    rows = rows[:, has_pair]
    pair = four_momenta(track_momenta(reco, experiment, rows), MASS_MU)
    within = reco.tracks.cluster_index[rows]
    cluster = np.where(within < 0, -1, reco.cluster_offsets[np.flatnonzero(has_pair)] + within)
    of_clusters = {
        f"track_pair_cluster_{name}": np.append(column, np.nan)[cluster]  # -1 takes the last
        for name, column in (("energies", reco.clusters.energy), ("thetas", reco.clusters.theta))
    }
    values = _back_to_back(pair, experiment.collider, "track_pair")
    return {"has_track_pair": has_pair, **where(has_pair, values | of_clusters)}


_CHARGES = ("positive", "negative")

TRACK_PAIR: Final = ObservableSet(
    {
        **_columns(
            "track_pair",
            "two good tracks of opposite charge",
            "the fastest track of each charge, taken for muons",
            _CHARGES,
        ),
        "track_pair_cluster_energies": Column(
            "energies of their clusters in the lab, NaN without one", "GeV", "f4", names=_CHARGES
        ),
        "track_pair_cluster_thetas": Column(
            "polar angles of these in the lab", "rad", "f4", names=_CHARGES
        ),
    },
    track_pair,
)


def cluster_pair(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The two clusters with the most energy in the centre of mass, whoever made them."""
    momenta = light_momenta(reco, np.arange(len(reco.clusters)))
    energy = energy_cms(momenta, experiment.collider)
    rows = leading(event_of(reco.cluster_offsets), energy, reco.n_events, 2)
    has_pair = np.all(rows >= 0, axis=0)
    rows = rows[:, has_pair]
    values = _back_to_back(momenta[:, rows], experiment.collider, "cluster_pair")
    values["cluster_pair_thetas"] = reco.clusters.theta[rows]
    return {"has_cluster_pair": has_pair, **where(has_pair, values)}


_ORDER = ("first", "second")

CLUSTER_PAIR: Final = ObservableSet(
    {
        **_columns(
            "cluster_pair",
            "two clusters",
            "the two clusters most energetic in the centre-of-mass frame, as photons",
            _ORDER,
        ),
        "cluster_pair_thetas": Column("their polar angles in the lab", "rad", "f4", names=_ORDER),
    },
    cluster_pair,
)
