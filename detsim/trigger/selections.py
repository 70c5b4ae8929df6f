"""What the high level of the trigger sees, selections of it, and limits of both levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import ClusterTable, FitStatus, TrackTable
from darkbelle.detsim.helix import HelixIndex, momentum
from darkbelle.gen.particles import PION, species
from darkbelle.geometry.trigger import ClusterCut, EnergyCut, TrackCut
from darkbelle.ragged import event_of

__all__ = ["SeenClusters", "SeenTracks", "between", "in_ranges", "of_energy"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SeenClusters:
    """Clusters as photons from the origin; momenta (e, px, py, pz), shape (4, n_clusters)."""

    offsets: IndexArray
    event: IndexArray
    p_cms: FloatArray
    energy: FloatArray
    theta_deg: FloatArray
    is_neutral: BoolArray

    @classmethod
    def of(
        cls, clusters: ClusterTable, offsets: IndexArray, lab_to_cms: FloatArray
    ) -> SeenClusters:
        """The clusters of some events; ``lab_to_cms`` is a Lorentz transformation, (4, 4)."""
        sine = np.sin(clusters.theta)
        along = (sine * np.cos(clusters.phi), sine * np.sin(clusters.phi), np.cos(clusters.theta))
        return cls(
            offsets,
            event_of(offsets),
            _transform(lab_to_cms, clusters.energy * np.stack([np.ones_like(sine), *along])),
            clusters.energy,
            np.degrees(clusters.theta),
            clusters.track_index < 0,
        )

    def select(self, cut: ClusterCut) -> BoolArray:
        """Which clusters pass a cut."""
        chosen = of_energy(cut, self.energy, self.p_cms[0])
        if cut.theta_deg is not None:
            chosen &= in_ranges(self.theta_deg, cut.theta_deg)
        if cut.neutral is not None:
            chosen &= self.is_neutral == cut.neutral
        return chosen

    def hardest_pair(self, chosen: BoolArray) -> tuple[IndexArray, IndexArray]:
        """The two of each event with the most energy in the centre of mass: rows, -1 for none."""
        n_events = len(self.offsets) - 1
        first = _hardest(np.flatnonzero(chosen), self.p_cms[0], self.event, n_events)
        others = chosen.copy()
        others[first[first >= 0]] = False
        return first, _hardest(np.flatnonzero(others), self.p_cms[0], self.event, n_events)


@dataclass(frozen=True, slots=True)
class SeenTracks:
    """Tracks as pions; momenta (e, px, py, pz), shape (4, n_tracks).

    ``energy`` is that of the clusters which a track owns, ``e_cms`` the same in the centre of mass
    [GeV]; ``d0`` and ``z0`` [cm] have no sign.
    """

    offsets: IndexArray
    event: IndexArray
    p_lab: FloatArray
    p_cms: FloatArray
    charge: npt.NDArray[np.int8]
    is_good: BoolArray
    pt: FloatArray
    p_cms_size: FloatArray
    energy: FloatArray
    e_cms: FloatArray
    e_over_p: FloatArray
    d0: FloatArray
    z0: FloatArray
    n_hits_cdc: npt.NDArray[np.integer]

    @classmethod
    def of(
        cls,
        tracks: TrackTable,
        offsets: IndexArray,
        clusters: ClusterTable,
        cluster_offsets: IndexArray,
        field: float,
        lab_to_cms: FloatArray,
    ) -> SeenTracks:
        """The tracks of some events in a field [T]; ``lab_to_cms`` has the shape (4, 4)."""
        p = momentum(tracks.helix, field).T
        mass = species(PION).mass or 0.0
        p2 = p[0] ** 2 + p[1] ** 2 + p[2] ** 2
        p_lab = np.stack([np.sqrt(p2 + mass**2), *p])
        p_cms = _transform(lab_to_cms, p_lab)
        p_cms_size = np.sqrt(p_cms[1] ** 2 + p_cms[2] ** 2 + p_cms[3] ** 2)
        owned = np.flatnonzero(clusters.track_index >= 0)
        owner = offsets[event_of(cluster_offsets)[owned]] + clusters.track_index[owned]
        energy = np.asarray(np.bincount(owner, clusters.energy[owned], len(tracks)), np.float64)
        e_over_p = energy / np.sqrt(p2)
        return cls(
            offsets,
            event_of(offsets),
            p_lab,
            p_cms,
            tracks.charge,
            tracks.fit_status == FitStatus.OK,
            pt=np.sqrt(p[0] ** 2 + p[1] ** 2),
            p_cms_size=p_cms_size,
            energy=energy,
            e_cms=e_over_p * p_cms_size,
            e_over_p=e_over_p,
            d0=np.abs(tracks.helix[:, HelixIndex.D0]),
            z0=np.abs(tracks.helix[:, HelixIndex.Z0]),
            n_hits_cdc=tracks.n_hits_cdc,
        )

    def select(self, cut: TrackCut) -> BoolArray:
        """Which good tracks pass a cut."""
        passes = self.is_good & of_energy(cut, self.energy, self.e_cms)
        for value, limit in (
            (self.pt, cut.pt_gev),
            (self.p_cms_size, cut.p_cms_gev),
            (self.e_over_p, cut.e_over_p),
        ):
            if limit > 0:
                passes &= value > limit
        for distance, most in ((self.d0, cut.d0_cm), (self.z0, cut.z0_cm)):
            if most is not None:
                passes &= distance < most
        if cut.min_cdc_hits > 0:
            passes &= self.n_hits_cdc >= cut.min_cdc_hits
        return passes

    def hardest_pair(self, chosen: BoolArray) -> tuple[IndexArray, IndexArray]:
        """The positive and the negative of each event with the highest pt: rows, -1 for none."""
        n_events = len(self.offsets) - 1
        plus = _hardest(np.flatnonzero(chosen & (self.charge > 0)), self.pt, self.event, n_events)
        minus = _hardest(np.flatnonzero(chosen & (self.charge < 0)), self.pt, self.event, n_events)
        return plus, minus


def _transform(matrix: FloatArray, p: FloatArray) -> FloatArray:
    """Momenta (4, n) after a Lorentz transformation (4, 4), on one core, unlike a product."""
    transformed: FloatArray = np.einsum("ij,jn->in", matrix, p)
    return transformed


def of_energy(cut: EnergyCut, e_lab: FloatArray, e_cms: FloatArray) -> BoolArray:
    """Whether energies in the laboratory and centre of mass [GeV] lie between limits."""
    passes = np.ones(len(e_lab), dtype=bool)
    for energy, least, most in (
        (e_lab, cut.e_lab_gev, cut.e_lab_max_gev),
        (e_cms, cut.e_cms_gev, cut.e_cms_max_gev),
    ):
        if least > 0:
            passes &= energy > least
        if most is not None:
            passes &= energy < most
    return passes


def between(
    value: FloatArray | IndexArray, limits: tuple[float, float], largest: float = math.inf
) -> BoolArray:
    """Whether values lie between limits, which themselves are in only if no value is beyond."""
    low, high = limits
    passes = np.ones(len(value), dtype=bool)
    if low > 0:
        passes &= value > low
    if high < largest:
        passes &= value < high
    return passes


def in_ranges(theta_deg: FloatArray, ranges: tuple[tuple[float, float], ...]) -> BoolArray:
    """Whether polar angles lie in one of the ranges."""
    return reduce(or_, (between(theta_deg, limits, 180) for limits in ranges))


def _hardest(
    rows: IndexArray, hardness: FloatArray, event: IndexArray, n_events: int
) -> IndexArray:
    """Of some rows the hardest of each event, -1 for none."""
    most = np.zeros(n_events)
    np.maximum.at(most, event[rows], hardness[rows])
    rows = rows[hardness[rows] == most[event[rows]]]
    hardest = np.full(n_events, -1, np.int64)
    hardest[event[rows]] = rows
    return hardest
