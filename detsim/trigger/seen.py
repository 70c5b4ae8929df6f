"""Tracks and clusters as the high level of the trigger sees them, and its selections of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import ClusterTable, FitStatus, TrackTable
from darkbelle.detsim.helix import HelixIndex, momentum
from darkbelle.gen.particles import PION, species
from darkbelle.geometry.trigger import Degrees, ShowerCut, TrackCut
from darkbelle.ragged import event_of

__all__ = ["SeenClusters", "SeenTracks", "within"]

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
            lab_to_cms @ (clusters.energy * np.stack([np.ones_like(sine), *along])),
            clusters.energy,
            np.degrees(clusters.theta),
            clusters.track_index < 0,
        )

    def select(self, cut: ShowerCut) -> BoolArray:
        """Which clusters pass a cut."""
        least = {"e_lab_gev": self.energy, "e_cms_gev": self.p_cms[0]}
        chosen = _passes(cut, least, {"e_lab_max_gev": self.energy})
        if cut.theta_deg is not None:
            chosen[chosen] = within(self.theta_deg[chosen], *cut.theta_deg)
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

    ``least`` and ``most`` are what cuts of these names are compared with.
    """

    offsets: IndexArray
    event: IndexArray
    p_lab: FloatArray
    p_cms: FloatArray
    charge: npt.NDArray[np.int8]
    is_good: BoolArray
    least: dict[str, FloatArray]
    most: dict[str, FloatArray]

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
        p_cms = lab_to_cms @ p_lab
        p_cms_gev = np.sqrt(p_cms[1] ** 2 + p_cms[2] ** 2 + p_cms[3] ** 2)
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
            least={
                "min_cdc_hits": tracks.n_hits_cdc.astype(np.float64),
                "pt_gev": np.sqrt(p[0] ** 2 + p[1] ** 2),
                "p_cms_gev": p_cms_gev,
                "e_gev": energy,
                "e_cms_gev": e_over_p * p_cms_gev,
                "e_over_p": e_over_p,
            },
            most={
                "d0_cm": np.abs(tracks.helix[:, HelixIndex.D0]),
                "z0_cm": np.abs(tracks.helix[:, HelixIndex.Z0]),
                "e_max_gev": energy,
            },
        )

    def select(self, cut: TrackCut) -> BoolArray:
        """Which good tracks pass a cut."""
        return _passes(cut, self.least, self.most) & self.is_good

    def hardest_pair(self, chosen: BoolArray) -> tuple[IndexArray, IndexArray]:
        """The positive and the negative of each event with the highest pt: rows, -1 for none."""
        n_events, pt = len(self.offsets) - 1, self.least["pt_gev"]
        plus, minus = (np.flatnonzero(chosen & (sign * self.charge > 0)) for sign in (1, -1))
        return _hardest(plus, pt, self.event, n_events), _hardest(minus, pt, self.event, n_events)


def within(value: FloatArray, *ranges: Degrees) -> BoolArray:
    """Whether values lie in one of the ranges."""
    inside = np.zeros(value.shape, dtype=bool)
    for low, high in ranges:
        inside |= (low <= value) & (value <= high)
    return inside


def _passes(
    cut: TrackCut | ShowerCut,
    least: Mapping[str, FloatArray],
    most: Mapping[str, FloatArray],
) -> BoolArray:
    """Whether values reach what a cut sets as the least, and lie below what it sets as the most."""
    passes = np.ones(len(next(iter(most.values()))), dtype=bool)
    for name in cut.model_fields_set:
        bound = getattr(cut, name)
        if name in least:
            passes &= least[name] >= bound
        elif name in most and bound is not None:
            passes &= most[name] < bound
    return passes


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
