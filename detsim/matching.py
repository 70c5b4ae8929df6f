"""Tracks carried to the calorimeter, and the clusters that they own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.cavity import Cavity
from darkbelle.detsim.events import ClusterTable
from darkbelle.detsim.helices import Helices
from darkbelle.detsim.helix import direction_at, momentum, position_at
from darkbelle.detsim.showers import TRACK_DEPTH
from darkbelle.geometry import Calorimeter
from darkbelle.ragged import event_of

__all__ = ["Extrapolation", "Matches", "energy_over_momentum", "extrapolate", "match"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """Where tracks leave the tracking volume, shape (n, ...).

    ``point`` (x, y, z) lies a little behind the face of the calorimeter, where showers are;
    ``length`` is that of the flight from the perigee [cm]; ``arrives`` is False where a track
    curls, and the rest meaningless.
    """

    point: FloatArray
    length: FloatArray
    arrives: BoolArray


@dataclass(frozen=True, slots=True)
class Matches:
    """Which clusters belong to which tracks.

    Of a track: the most energetic of its clusters, as index within the event, -1 for none, and as
    row of the table. Of a cluster: the nearest track, if it is near enough, in the same way,
    and its distance [cm].
    """

    cluster_of_track: npt.NDArray[np.int32]
    row_of_cluster: IndexArray
    track_of_cluster: npt.NDArray[np.int32]
    distance: FloatArray


def extrapolate(helix: FloatArray, ecl: Calorimeter) -> Extrapolation:
    """Carry tracks (n, 5) from their perigee to the calorimeter."""
    tracks = Helices.from_helix(helix, np.zeros(len(helix)))
    start = position_at(helix, tracks.birth).T
    arc, arrives = Cavity.of(ecl).exit(tracks, start)
    phi, secant = direction_at(helix, arc), np.sqrt(tracks.secant2)
    ahead = np.stack([np.cos(phi), np.sin(phi), tracks.tan_lambda], axis=-1) / secant[:, None]
    point = position_at(helix, arc) + TRACK_DEPTH * ahead
    return Extrapolation(point, arc * secant, arrives)


def match(
    extrapolation: Extrapolation,
    track_offsets: npt.NDArray[np.int64],
    clusters: ClusterTable,
    cluster_offsets: npt.NDArray[np.int64],
    farthest: float,
) -> Matches:
    """Give clusters to the nearest track within a distance [cm]."""
    event = event_of(cluster_offsets)
    # Every cluster with every track of its event, cluster after cluster.
    repeats = np.diff(track_offsets)[event]
    cluster = np.repeat(np.arange(len(clusters)), repeats)
    first = np.concatenate([[0], np.cumsum(repeats)])[:-1]
    rank = np.arange(len(cluster)) - first[cluster]
    track = track_offsets[event[cluster]] + rank
    apart = _distance(extrapolation.point[track], clusters, cluster)
    apart = np.where(extrapolation.arrives[track], apart, np.inf)

    nearest = np.full(len(clusters), np.inf)
    np.minimum.at(nearest, cluster, apart)
    own = np.flatnonzero((apart == nearest[cluster]) & (apart < farthest))
    track_of_cluster = np.full(len(clusters), -1, np.int32)
    track_of_cluster[cluster[own]] = rank[own]

    strongest = np.zeros(len(extrapolation.arrives))
    np.maximum.at(strongest, track[own], clusters.energy[cluster[own]])
    best = own[clusters.energy[cluster[own]] == strongest[track[own]]]
    row = np.full(len(strongest), -1, np.intp)
    row[track[best]] = cluster[best]
    cluster_of_track = np.full(len(strongest), -1, np.int32)
    cluster_of_track[track[best]] = cluster[best] - cluster_offsets[event[cluster[best]]]
    return Matches(cluster_of_track, row, track_of_cluster, nearest)


def energy_over_momentum(
    helix: FloatArray, matches: Matches, clusters: ClusterTable, field: float
) -> FloatArray:
    """Energy of the cluster over the momentum of each track, NaN without cluster or field."""
    p = np.linalg.norm(momentum(helix, field), axis=1)
    own = np.flatnonzero(matches.cluster_of_track >= 0)
    ratio = np.full(len(helix), np.nan)
    ratio[own] = clusters.energy[matches.row_of_cluster[own]] / p[own]
    return ratio


def _distance(point: FloatArray, clusters: ClusterTable, chosen: IndexArray) -> FloatArray:
    """Distance of points from the centroids of chosen clusters, across the line of sight [cm]."""
    theta, phi, r = clusters.theta[chosen], clusters.phi[chosen], clusters.r[chosen]
    sine = np.sin(theta)
    direction = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)
    length = np.linalg.norm(point, axis=1)
    apart = np.linalg.norm(point / length[:, None] - direction, axis=1)
    distance: FloatArray = apart * (length + r) / 2
    return distance
