"""Combinations of tracks and clusters that may come from one particle, several an event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import FitStatus, RecoEvents, VertexStatus
from darkbelle.detsim.helix import HelixIndex
from darkbelle.detsim.vertexing import fit_vertices
from darkbelle.gen.particles import PHOTON
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of, offsets_of, pairs_between, pairs_within
from darkbelle.samples import kinfit
from darkbelle.samples.kinematics import mass_of
from darkbelle.samples.observables.base import (
    four_momenta,
    light_momenta,
    particle_mass,
    photon_rows,
    track_momenta,
)
from darkbelle.samples.observables.vertices import momenta_at

__all__ = [
    "Combinations",
    "Part",
    "PhotonPair",
    "PromptTracks",
    "VertexTracks",
    "combine",
    "good_vertices",
    "near_tracks",
    "of_tracks",
    "of_vertices",
    "photon_pairs",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]

_MOST_CHI2: Final = 20.0
"""Of a vertex, which 99 % of true ones stay below: the tails of tracks are long."""
_NEAR_D0: Final = 0.5
_NEAR_Z0: Final = 2.0
"""cm; tracks from the collision, as usual in the searches."""


class Part(Protocol):
    """What a combination takes of one place, shape (k, m): rows of tracks, or of clusters."""

    @property
    def rows(self) -> RowArray:
        """The rows."""

    @property
    def is_charged(self) -> bool:
        """Whether they are tracks."""

    @property
    def species(self) -> tuple[int, ...]:
        """Codes of what they are taken for."""

    def take(self, chosen: RowArray | BoolArray) -> Self:
        """Those of some combinations."""

    def particles(self, reco: RecoEvents, experiment: Experiment) -> kinfit.Particles:
        """As they are measured."""


@dataclass(frozen=True, slots=True)
class PromptTracks:
    """Tracks from the collision, whose momenta are those at their perigees."""

    rows: RowArray
    species: tuple[int, ...]
    is_charged: bool = True

    def take(self, chosen: RowArray | BoolArray) -> Self:
        """Those of some combinations."""
        return replace(self, rows=self.rows[:, chosen])

    def particles(self, reco: RecoEvents, experiment: Experiment) -> kinfit.Particles:
        """As they are measured."""
        helix, cov = (column[self.rows.T] for column in (reco.tracks.helix, reco.tracks.cov))
        masses = _masses(self.species)
        return kinfit.tracks(helix, cov, masses, experiment.solenoid.field_t)


@dataclass(frozen=True, slots=True)
class VertexTracks:
    """The two tracks of vertices, whose momenta are those there."""

    rows: RowArray
    species: tuple[int, ...]
    vertex: RowArray
    is_charged: bool = True

    def take(self, chosen: RowArray | BoolArray) -> Self:
        """Those of some combinations."""
        return replace(self, rows=self.rows[:, chosen], vertex=self.vertex[chosen])

    def particles(self, reco: RecoEvents, experiment: Experiment) -> kinfit.Particles:
        """As they are measured: the vertices, fitted again for what a table does not keep."""
        table = reco.vertices
        start = np.stack([column[self.vertex] for column in (table.x, table.y, table.z)], axis=-1)
        fitted = fit_vertices(
            reco.tracks.helix,
            reco.tracks.cov,
            self.rows.T,
            field=experiment.solenoid.field_t,
            start=start,
        )
        return kinfit.from_vertices(fitted, _masses(self.species))


@dataclass(frozen=True, slots=True)
class PhotonPair:
    """Two photons, taken for such from the origin."""

    rows: RowArray
    species: tuple[int, ...] = (PHOTON, PHOTON)
    is_charged: bool = False

    def take(self, chosen: RowArray | BoolArray) -> Self:
        """Those of some combinations."""
        return replace(self, rows=self.rows[:, chosen])

    def particles(self, reco: RecoEvents, experiment: Experiment) -> kinfit.Particles:
        """As they are measured."""
        names = ("energy", "theta", "phi", "sigma_energy", "sigma_theta", "sigma_phi")
        columns = {name: getattr(reco.clusters, name)[self.rows.T] for name in names}
        return kinfit.photons(**columns)


@dataclass(frozen=True, slots=True)
class Combinations:
    """Combinations of m, event after event: their momenta, shape (4, m), and what made them."""

    event: RowArray
    momentum: FloatArray
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return len(self.event)

    def take(self, chosen: RowArray | BoolArray) -> Combinations:
        """Some of them."""
        parts = tuple(part.take(chosen) for part in self.parts)
        return Combinations(self.event[chosen], self.momentum[:, chosen], parts)

    def within(self, window: tuple[float, float]) -> Combinations:
        """Those of a mass in a window [GeV]."""
        mass = mass_of(self.momentum)
        return self.take((mass > window[0]) & (mass < window[1]))

    def measured(self, reco: RecoEvents, experiment: Experiment) -> kinfit.Particles:
        """All their particles, part after part."""
        return kinfit.together(*(part.particles(reco, experiment) for part in self.parts))


def combine(one: Combinations, two: Combinations, n_events: int) -> Combinations:
    """All pairs of combinations of an event that have nothing in common."""
    first, second = pairs_between(offsets_of(one.event, n_events), offsets_of(two.event, n_events))
    one, two = one.take(first), two.take(second)
    apart = np.ones(len(one), bool)
    for part in one.parts:
        for other in two.parts:
            if part.is_charged == other.is_charged:
                apart &= np.all(part.rows[:, None] != other.rows[None], axis=(0, 1))
    both = Combinations(one.event, one.momentum + two.momentum, one.parts + two.parts)
    return both.take(apart)


def near_tracks(reco: RecoEvents) -> BoolArray:
    """Good tracks from about the collision, shape (n_tracks,)."""
    helix = reco.tracks.helix
    near = np.abs(helix[:, HelixIndex.D0]) < _NEAR_D0
    near &= np.abs(helix[:, HelixIndex.Z0]) < _NEAR_Z0
    near &= reco.tracks.fit_status == FitStatus.OK
    return near


def of_tracks(
    reco: RecoEvents, experiment: Experiment, rows: RowArray, species: int
) -> Combinations:
    """Single prompt tracks as particles of a species, of either charge."""
    momentum = four_momenta(track_momenta(reco, experiment, rows), particle_mass(species))
    part = PromptTracks(rows[None], (species,))
    return Combinations(event_of(reco.track_offsets)[rows], momentum, (part,))


def good_vertices(reco: RecoEvents) -> BoolArray:
    """Vertices that fit, shape (n_vertices,)."""
    fits: BoolArray = reco.vertices.chi2 < _MOST_CHI2
    fits &= reco.vertices.fit_status == VertexStatus.OK
    return fits


def of_vertices(
    reco: RecoEvents, experiment: Experiment, vertex: RowArray, species: tuple[int, int]
) -> Combinations:
    """Vertices, their positive and negative tracks as particles of some species."""
    event = event_of(reco.vertex_offsets)[vertex]
    first_track = reco.track_offsets[event]
    momenta = momenta_at(reco, experiment, vertex, first_track)
    momentum = sum(
        (four_momenta(momenta[:, i], mass) for i, mass in enumerate(_masses(species))),
        np.zeros((4, len(vertex))),
    )
    table = reco.vertices
    rows = first_track + np.stack([table.track_plus[vertex], table.track_minus[vertex]])
    return Combinations(event, momentum, (VertexTracks(rows, species, vertex),))


def photon_pairs(reco: RecoEvents) -> Combinations:
    """All pairs of photons."""
    rows = photon_rows(reco)
    event = event_of(reco.cluster_offsets)[rows]
    pairs = rows[np.stack(pairs_within(offsets_of(event, reco.n_events)))]
    momentum = light_momenta(reco, pairs).sum(axis=1)
    return Combinations(event_of(reco.cluster_offsets)[pairs[0]], momentum, (PhotonPair(pairs),))


def _masses(species: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(particle_mass(code) for code in species)
