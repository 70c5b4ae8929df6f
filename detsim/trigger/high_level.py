"""What the high level of the trigger counts in reconstructed events."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import ClusterTable, TrackTable, VertexStatus, VertexTable
from darkbelle.detsim.trigger.menu import Counts
from darkbelle.detsim.trigger.selections import SeenClusters, SeenTracks, between, in_ranges
from darkbelle.gen.kinematics import dot, rotate_z_to, to_rest_frame
from darkbelle.geometry import Collider, Experiment
from darkbelle.geometry.trigger import DisplacedVertex, HardestPair
from darkbelle.ragged import event_of

__all__ = ["count_high_level"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.int64]
Selections = dict[str, BoolArray]


def count_high_level(
    tracks: TrackTable,
    track_offsets: IndexArray,
    clusters: ClusterTable,
    cluster_offsets: IndexArray,
    vertices: VertexTable,
    vertex_offsets: IndexArray,
    experiment: Experiment,
) -> Counts:
    """Count what the lines of the high level ask for, in each event."""
    menu, field = experiment.trigger.hlt, experiment.solenoid.field_t
    to_cms, n_events = _lab_to_cms(experiment.collider), len(track_offsets) - 1
    charged = SeenTracks.of(tracks, track_offsets, clusters, cluster_offsets, field, to_cms)
    showers = SeenClusters.of(clusters, cluster_offsets, to_cms)
    of_tracks = {name: charged.select(cut) for name, cut in menu.tracks.items()}
    of_clusters = {name: showers.select(cut) for name, cut in menu.clusters.items()}

    counts: Counts = {}
    for event, selections in ((charged.event, of_tracks), (showers.event, of_clusters)):
        for name in selections.keys() & menu.asked:
            counts[name] = np.bincount(event[selections[name]], minlength=n_events)
    for name, selection in menu.net_charges.items():
        chosen = of_tracks[selection]
        total = np.bincount(charged.event[chosen], charged.charge[chosen], n_events)
        counts[name] = np.abs(total).astype(np.int64)
    for name, cut in menu.sums.items():
        chosen = of_clusters[cut.clusters]
        total = np.bincount(showers.event[chosen], showers.energy[chosen], n_events)
        counts[name] = (total > cut.e_lab_gev).astype(np.int64)
    counts |= _count_pairs(menu.hardest_pairs, charged, of_tracks, n_events)
    counts |= _count_pairs(menu.hardest_pairs, showers, of_clusters, n_events)
    for name, displaced in menu.displaced_vertices.items():
        pair = charged.hardest_pair(of_tracks[displaced.tracks])
        counts[name] = _count_displaced(displaced, pair, charged, vertices, vertex_offsets)
    return counts


def _lab_to_cms(collider: Collider) -> FloatArray:
    """Lorentz transformation to where the electrons fly along +z, shape (4, 4)."""
    to_rest = to_rest_frame(np.eye(4), collider.four_momentum)
    electrons = to_rest @ np.array([1.0, *collider.direction_her])
    axis = electrons[1:] / electrons[0]
    from_beams = rotate_z_to(np.eye(4), axis[:, None])
    return from_beams.T @ to_rest


# ---- two objects ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pairs:
    """Pairs of objects, at most one an event: events, rows, momenta in the centre of mass."""

    event: IndexArray
    first: IndexArray
    second: IndexArray
    p: FloatArray
    q: FloatArray

    @classmethod
    def of(cls, rows: tuple[IndexArray, IndexArray], p_cms: FloatArray) -> _Pairs:
        """Pairs from their rows in each event, -1 for none."""
        event = np.flatnonzero((rows[0] >= 0) & (rows[1] >= 0))
        first, second = rows[0][event], rows[1][event]
        return cls(event, first, second, p_cms.take(first, axis=1), p_cms.take(second, axis=1))

    @cached_property
    def total(self) -> FloatArray:
        """Sum of both, which what is missing to the beams at rest balances."""
        return self.p + self.q

    @cached_property
    def dphi_deg(self) -> FloatArray:
        """Distance in azimuth."""
        return _dphi_deg(self.p, self.q)

    @cached_property
    def theta_sum_deg(self) -> FloatArray:
        """Sum of the polar angles."""
        return _theta_sum_deg(self.p, self.q)

    @cached_property
    def mass2(self) -> FloatArray:
        """Square of the mass of both [GeV^2]."""
        return dot(self.total, self.total)

    @cached_property
    def missing_p(self) -> FloatArray:
        """Size of the missing momentum [GeV]."""
        return _size(self.total)

    @cached_property
    def missing_theta_deg(self) -> FloatArray:
        """Polar angle of the missing momentum."""
        return 180 - np.degrees(_theta(self.total))

    @cached_property
    def missing_along(self) -> FloatArray:
        """Cosine of the angle between the missing momentum and the nearer of the two."""
        along = [-np.sum(self.total[1:] * k[1:], axis=0) / _size(k) for k in (self.p, self.q)]
        nearer: FloatArray = np.maximum(*along)
        return nearer / np.maximum(self.missing_p, np.finfo(float).tiny)

    def passing(self, cut: HardestPair, selections: Selections) -> BoolArray:
        """Which pairs pass a cut."""
        passes = self._with_legs(cut, selections)
        if cut.dphi_deg is not None:
            passes &= between(self.dphi_deg, cut.dphi_deg, 180)
        if cut.theta_sum_deg is not None:
            passes &= between(self.theta_sum_deg, cut.theta_sum_deg, 360)
        if cut.mass_gev is not None:
            passes &= self.mass2 > cut.mass_gev**2
        if cut.pt_gev is not None:
            passes &= _transverse(self.total) > cut.pt_gev
        if cut.missing_p_gev is not None:
            passes &= self.missing_p > cut.missing_p_gev
        if cut.missing_theta_deg is not None:
            passes &= in_ranges(self.missing_theta_deg, cut.missing_theta_deg)
        if cut.missing_angle_deg is not None:
            passes &= self.missing_along > np.cos(np.radians(cut.missing_angle_deg))
        return passes

    def _with_legs(self, cut: HardestPair, selections: Selections) -> BoolArray:
        """Pairs whose two belong to the selections that a cut asks for, either way round."""
        if cut.one is None:
            return np.ones(len(self.event), dtype=bool)
        one = selections[cut.one]
        fits, reverse = one.take(self.first), one.take(self.second)
        if cut.other is not None:
            other = selections[cut.other]
            fits &= other.take(self.second)
            reverse &= other.take(self.first)
        return fits | reverse


def _count_pairs(
    pairs: dict[str, HardestPair],
    seen: SeenTracks | SeenClusters,
    selections: Selections,
    n_events: int,
) -> Counts:
    """Whether the hardest two of some objects make the pairs that are asked for."""
    counts: Counts = {}
    for of in {cut.of for cut in pairs.values()} & selections.keys():
        hardest = _Pairs.of(seen.hardest_pair(selections[of]), seen.p_cms)
        for name, cut in pairs.items():
            if cut.of == of:
                counts[name] = np.zeros(n_events, np.int8)
                counts[name][hardest.event] = hardest.passing(cut, selections)
    return counts


def _transverse(p: FloatArray) -> FloatArray:
    """Transverse size of momenta (4, n)."""
    pt: FloatArray = np.sqrt(p[1] ** 2 + p[2] ** 2)
    return pt


def _size(p: FloatArray) -> FloatArray:
    """Size of momenta (4, n)."""
    size: FloatArray = np.sqrt(p[1] ** 2 + p[2] ** 2 + p[3] ** 2)
    return size


def _theta(p: FloatArray) -> FloatArray:
    """Polar angles of momenta (4, n) [rad]."""
    theta: FloatArray = np.arctan2(_transverse(p), p[3])
    return theta


def _dphi_deg(p: FloatArray, q: FloatArray) -> FloatArray:
    """Distance in azimuth of momenta (4, n), at most 180."""
    across, along = p[1] * q[2] - p[2] * q[1], p[1] * q[1] + p[2] * q[2]
    dphi: FloatArray = np.degrees(np.arctan2(np.abs(across), along))
    return dphi


def _theta_sum_deg(p: FloatArray, q: FloatArray) -> FloatArray:
    """Sum of the polar angles of momenta (4, n)."""
    theta_sum: FloatArray = np.degrees(_theta(p) + _theta(q))
    return theta_sum


# ---- displaced vertices --------------------------------------------------------------------------


def _count_displaced(
    cut: DisplacedVertex,
    pair: tuple[IndexArray, IndexArray],
    tracks: SeenTracks,
    vertices: VertexTable,
    vertex_offsets: IndexArray,
) -> IndexArray:
    """Whether the hardest tracks of each event, rows or -1, make a vertex away from the beams."""
    radius = np.sqrt(vertices.x**2 + vertices.y**2)
    far = between(radius, cut.radius_cm) & (vertices.fit_status == VertexStatus.OK)
    rows = np.flatnonzero(far & (vertices.chi2 < _chi2_of(cut.probability)))
    rows = rows[between(np.degrees(np.arctan2(radius[rows], vertices.z[rows])), cut.theta_deg, 180)]
    event = event_of(vertex_offsets)[rows]
    plus, minus = (legs[event] - tracks.offsets[event] for legs in pair)
    own = (vertices.track_plus[rows] == plus) & (vertices.track_minus[rows] == minus)
    event = event[own]
    p, q = (tracks.p_lab[:, legs[event]] for legs in pair)
    apart = np.maximum(180 - _dphi_deg(p, q), np.abs(180 - _theta_sum_deg(p, q)))
    event = event[apart > cut.back_to_back_deg]
    count = np.zeros(len(vertex_offsets) - 1, np.int64)
    count[event] = 1
    return count


def _chi2_of(probability: float) -> float:
    """The chi2 of one degree of freedom that chance exceeds with some probability."""
    return NormalDist().inv_cdf(probability / 2) ** 2
