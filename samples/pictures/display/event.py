"""What there is to see of one event: ways of particles, tracks, towers, hits, vertices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt

from darkbelle.detsim import VertexStatus
from darkbelle.detsim.helices import Helices
from darkbelle.detsim.helix import HelixIndex
from darkbelle.errors import ConfigError
from darkbelle.gen.events import Outcome, Status
from darkbelle.gen.particles import PHOTON, charges, is_dark, is_invisible
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.display.paths import (
    Cylinder,
    arc_at_radius,
    helix_paths,
    straight_paths,
    true_paths,
)
from darkbelle.samples.wording import counted
from darkbelle.units import C

__all__ = ["Fits", "Particles", "SeenEvent", "Towers"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]

_LEAST_ENERGY: Final = 0.02
"""GeV of photons and of what the detector made, below which ways are not drawn."""
_LEAST_FLIGHT: Final = 0.1
"""cm that something must fly before it decays, to be drawn."""
_LARGEST_CHI2: Final = 10.83
"""Of a vertex with one degree of freedom: a probability of 0.001."""


@dataclass(frozen=True, slots=True)
class Particles:
    """Ways of true particles: code, momentum [GeV], points (n, m, 3) [cm]; ``row`` in the event."""

    row: RowArray
    pdg_id: npt.NDArray[np.int32]
    p: FloatArray
    is_hidden: BoolArray
    points: FloatArray

    @property
    def is_neutral(self) -> BoolArray:
        """Whether each flies straight, shape (n,)."""
        neutral: BoolArray = charges(self.pdg_id) == 0
        return neutral


@dataclass(frozen=True, slots=True)
class Towers:
    """Clusters of the calorimeter: energy [GeV], face and direction, shape (n, 3)."""

    energy: FloatArray
    face: FloatArray
    direction: FloatArray
    has_track: BoolArray


@dataclass(frozen=True, slots=True)
class Fits:
    """Fitted vertices [cm], shape (n, 3), and their covariances [cm^2]."""

    points: FloatArray
    cov: FloatArray


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """One event of a sample.

    ``tracks`` are points of fitted tracks, (n, m, 3), and ``track_codes`` those of their true
    particles; ``hits`` the K_L and muon clusters and ``vertices`` the true ones, (n, 3) [cm].
    """

    particles: Particles
    tracks: FloatArray
    track_codes: npt.NDArray[np.int32]
    towers: Towers
    hits: FloatArray
    vertices: FloatArray
    fits: Fits
    collision: FloatArray

    @classmethod
    def of(cls, sample: Sample, event: int) -> SeenEvent:
        """The event at a place in a sample, counted from 0.

        Raises
        ------
        ConfigError
            There is no such event.
        """
        if not 0 <= event < len(sample):
            there = f"0 to {len(sample) - 1}" if len(sample) else "none"
            raise ConfigError(
                f"'{sample.path}' has {counted(len(sample), 'event')}, {there}: "
                f"there is no event {event}"
            )
        particles, tracks = sample.particles[event], sample.tracks[event]
        klm = sample.klm_clusters[event]
        codes = ak.to_numpy(particles.pdg_id)
        return cls(
            _particles(sample, particles, klm),
            _tracks(sample, tracks),
            codes[ak.to_numpy(tracks.truth_index)],
            _towers(sample.clusters[event], Cylinder.of_calorimeter(sample.experiment)),
            _positions(klm.position),
            _vertices(particles),
            _fits(sample.vertices[event]),
            np.array([sample.column("events", axis)[event] for axis in "xyz"]),
        )


def _positions(position: Any) -> FloatArray:
    """Points as an array, shape (n, 3)."""
    columns = [ak.to_numpy(position[axis]).astype(np.float64) for axis in "xyz"]
    return np.stack(columns, axis=-1)


def _particles(sample: Sample, rows: Any, klm: Any) -> Particles:
    """All that fly visibly far, but for beams, soft photons and what the detector made of them."""
    codes, status = ak.to_numpy(rows.pdg_id), ak.to_numpy(rows.status)
    start, end = _positions(rows.vertex), _positions(rows.decay_vertex)
    momentum = np.stack([ak.to_numpy(rows[c]).astype(np.float64) for c in ("px", "py", "pz")], -1)
    size = np.linalg.norm(momentum, axis=1)
    energy = np.hypot(size, ak.to_numpy(rows.mass))
    is_soft = (energy < _LEAST_ENERGY) & ((codes == PHOTON) | (status == Status.SIMULATED))
    is_short = np.linalg.norm(end - start, axis=1) < _LEAST_FLIGHT
    decays = status == Status.DECAYED
    drawn = (status != Status.BEAM) & (size > 0) & ~is_soft & ~(decays & is_short)
    chosen = np.flatnonzero(drawn)
    pt = np.hypot(momentum[:, 0], momentum[:, 1])
    time = ak.to_numpy(rows.decay_vertex["t"]) - ak.to_numpy(rows.vertex["t"])
    flight = C * np.maximum(time, 0.0) * pt / np.maximum(energy, np.finfo(float).tiny)
    codes = codes[chosen]
    points = true_paths(
        start[chosen],
        end[chosen],
        momentum[chosen],
        charges(codes),
        flight[chosen],
        sample.experiment,
    )
    outcome = ak.to_numpy(rows.outcome)[chosen]
    has_end = np.any(end[chosen] != 0, axis=1) & (outcome != int(Outcome.DECAYED))
    _lead_on(points, chosen, has_end, klm)
    is_hidden = is_invisible(codes) | (outcome == int(Outcome.UNDECAYED))
    return Particles(chosen, codes, size[chosen], is_hidden, points)


def _lead_on(points: FloatArray, rows: RowArray, has_end: BoolArray, klm: Any) -> None:
    """Let ways end where particles left clusters behind the calorimeter, where truth has ended."""
    owner, first = np.unique(ak.to_numpy(klm.truth_index), return_index=True)
    _, of_rows, of_owners = np.intersect1d(rows[has_end], owner, return_indices=True)
    chosen = np.flatnonzero(has_end)[of_rows]
    onward = straight_paths(points[chosen, -1], _positions(klm.position)[first[of_owners]])
    points[chosen, -onward.shape[1] :] = onward


def _tracks(sample: Sample, rows: Any) -> FloatArray:
    """Tracks from their first hits to the calorimeter, or half a turn."""
    helix = np.stack([ak.to_numpy(rows[i.name.lower()]) for i in HelixIndex], axis=-1)
    tracks = Helices.from_helix(helix, np.zeros(len(helix)))
    calorimeter = Cylinder.of_calorimeter(sample.experiment)
    begin = arc_at_radius(tracks, ak.to_numpy(rows.first_hit_radius).astype(np.float64))
    return helix_paths(tracks, begin, np.maximum(calorimeter.arc_out(tracks), begin))


def _towers(rows: Any, faces: Cylinder) -> Towers:
    """Clusters where their directions, seen from the origin, meet the faces of the crystals."""
    theta, phi = ak.to_numpy(rows.theta), ak.to_numpy(rows.phi)
    sine = np.sin(theta)
    direction = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)
    distance = faces.way_out(np.zeros_like(direction), direction)
    energy, has_track = ak.to_numpy(rows.energy), ak.to_numpy(rows.track_index) >= 0
    return Towers(energy, distance[:, None] * direction, direction, has_track)


def _vertices(rows: Any) -> FloatArray:
    """Where the beams met, dark states decayed, and several charged particles were born."""
    codes, parent = ak.to_numpy(rows.pdg_id), ak.to_numpy(rows.parent)
    status = ak.to_numpy(rows.status)
    is_born = (charges(codes) != 0) & (parent >= 0)
    n_charged = np.bincount(parent[is_born], minlength=len(codes))
    ends = (n_charged >= 2) | (is_dark(codes) & (status == Status.DECAYED))
    return np.unique(_positions(rows.decay_vertex)[ends | (status == Status.BEAM)], axis=0)


def _fits(rows: Any) -> Fits:
    """Fitted vertices of probable pairs."""
    good = ak.to_numpy((rows.fit_status == int(VertexStatus.OK)) & (rows.chi2 < _LARGEST_CHI2))
    return Fits(_positions(rows.position)[good], ak.to_numpy(rows.cov)[good])
