"""Shifted responses: simulated events as they would be, had the detector measured otherwise.

A shift moves tracks or clusters that were found; it finds no others. Vertices are fitted anew, and
so is decided what the high level of the trigger sees. What stays as it was: which clusters belong
to which tracks, the identification, level one, and every random number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import FitStatus, RecoEvents, VertexTable
from darkbelle.detsim.helix import HelixIndex, omega_from_pt, perigee
from darkbelle.detsim.pivot import refer_to
from darkbelle.detsim.trigger.decision import redecide
from darkbelle.detsim.trigger.high_level import count_high_level
from darkbelle.detsim.trigger.menu import meets
from darkbelle.detsim.vertex_table import vertex_table
from darkbelle.gen.events import Particles
from darkbelle.gen.particles import PHOTON, charges
from darkbelle.geometry import Experiment
from darkbelle.geometry.systematics import (
    AnyShift,
    MomentumScaleError,
    PhotonResolutionError,
    PhotonScaleError,
    ShiftError,
    SystematicError,
    TrackResolutionError,
    chosen,
    directions,
)
from darkbelle.ragged import event_of
from darkbelle.records import columns

__all__ = ["changed_by", "shifts"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_DECISIONS = ("hlt", "physics")
_BY_TRACKS: Final = {
    "tracks": ("helix", "charge", "e_over_p"),
    "vertices": tuple(columns(VertexTable)),
    "trigger": _DECISIONS,
}
"""Columns that a shift of tracks can change."""
_BY_CLUSTERS: Final = {"clusters": ("energy",), "trigger": _DECISIONS}
"""Columns that a shift of clusters can change."""


def shifts(reco: RecoEvents, experiment: Experiment) -> Iterator[tuple[str, str, RecoEvents]]:
    """The shifted responses to events for those errors of theirs that shift something.

    Each comes with the names of the variation, such as "momentum_scale_up", and of its error.
    """
    errors = chosen(experiment.systematics, reco.systematics)
    shifting = {name: e for name, e in errors.items() if isinstance(e, ShiftError)}
    if not shifting:
        return
    before = _conditions(reco, experiment)
    for name, error in shifting.items():
        for variation, sign in directions(name):
            shifted = _shifted(error, reco, experiment, sign)
            after = _conditions(shifted, experiment)
            trigger = redecide(reco.trigger, before, after, experiment.trigger)
            yield variation, name, replace(shifted, trigger=trigger)


def changed_by(error: SystematicError) -> dict[str, tuple[str, ...]]:
    """Columns that a shift can change, by collection."""
    of_clusters = isinstance(error, (PhotonScaleError, PhotonResolutionError))
    return _BY_CLUSTERS if of_clusters else _BY_TRACKS


# ---- what is measured ----------------------------------------------------------------------------


def _shifted(error: AnyShift, reco: RecoEvents, experiment: Experiment, sign: int) -> RecoEvents:
    """Events with other tracks or clusters, the trigger left as it is."""
    match error:
        case MomentumScaleError():
            return _with_scaled_momenta(error, reco, experiment, sign)
        case TrackResolutionError():
            return _with_other_tracks(error, reco, experiment, sign)
        case PhotonScaleError():
            return _with_scaled_energies(error, reco, sign)
        case PhotonResolutionError():
            return _with_other_energies(error, reco, experiment, sign)


def _with_scaled_momenta(
    error: MomentumScaleError, reco: RecoEvents, experiment: Experiment, sign: int
) -> RecoEvents:
    local = _local_parameters(reco)
    local[HelixIndex.OMEGA] /= 1 + sign * error.relative
    return _with_tracks(reco, local, experiment)


def _with_other_tracks(
    error: TrackResolutionError, reco: RecoEvents, experiment: Experiment, sign: int
) -> RecoEvents:
    local = _local_parameters(reco)
    deviation = local - _true_parameters(reco, experiment)
    deviation[HelixIndex.PHI0] = (deviation[HelixIndex.PHI0] + np.pi) % (2 * np.pi) - np.pi
    rows = [HelixIndex[name.upper()] for name in error.parameters]
    local[rows] += sign * error.relative * deviation[rows]
    return _with_tracks(reco, local, experiment)


def _with_scaled_energies(error: PhotonScaleError, reco: RecoEvents, sign: int) -> RecoEvents:
    clusters = reco.clusters
    factor = np.where(clusters.track_index < 0, 1 + sign * error.relative, 1.0)
    return replace(reco, clusters=replace(clusters, energy=factor * clusters.energy))


def _with_other_energies(
    error: PhotonResolutionError, reco: RecoEvents, experiment: Experiment, sign: int
) -> RecoEvents:
    """Only clusters of one photon each: what others deposit has no true value."""
    clusters, particles = reco.clusters, reco.truth.particles
    event = event_of(reco.cluster_offsets)
    rows = np.flatnonzero(
        (clusters.track_index < 0) & (clusters.truth_index >= 0) & (clusters.n_particles == 1)
    )
    particle = reco.truth.offsets[event[rows]] + clusters.truth_index[rows]
    is_photon = particles.pdg_id[particle] == PHOTON
    rows, particle = rows[is_photon], particle[is_photon]
    deviation = clusters.energy[rows] - particles.e[particle]
    least = experiment.calorimeter.clustering.threshold_gev
    energy = clusters.energy.copy()
    energy[rows] = np.maximum(energy[rows] + sign * error.relative * deviation, least)
    return replace(reco, clusters=replace(clusters, energy=energy))


# ---- tracks, seen from where their particles are born --------------------------------------------


def _true_rows(reco: RecoEvents) -> npt.NDArray[np.int64]:
    """Row of each track's particle."""
    rows: npt.NDArray[np.int64] = (
        reco.truth.offsets[event_of(reco.track_offsets)] + reco.tracks.truth_index
    )
    return rows


def _births(particles: Particles, rows: npt.NDArray[np.int64]) -> FloatArray:
    return np.stack([particles.x[rows], particles.y[rows], particles.z[rows]])


def _local_parameters(reco: RecoEvents) -> FloatArray:
    """Parameters of the tracks with their particles' births as pivots, shape (5, n).

    There a track's deviation is Gaussian, and a shift leaves displaced vertices where they are.
    """
    births = _births(reco.truth.particles, _true_rows(reco))
    seen = refer_to(reco.tracks.helix.T, births)
    return np.stack([getattr(seen, index.name.lower()) for index in HelixIndex])


def _true_parameters(reco: RecoEvents, experiment: Experiment) -> FloatArray:
    """The same of the particles."""
    particles, rows = reco.truth.particles, _true_rows(reco)
    px, py, pz = particles.px[rows], particles.py[rows], particles.pz[rows]
    pt, charge = np.hypot(px, py), charges(particles.pdg_id[rows])
    zero = np.zeros(len(rows))
    omega = omega_from_pt(pt, charge, experiment.solenoid.field_t)
    return np.stack([zero, np.arctan2(py, px), omega, zero, pz / pt])


def _with_tracks(reco: RecoEvents, local: FloatArray, experiment: Experiment) -> RecoEvents:
    """Events with tracks of other local parameters, the vertices fitted anew."""
    tracks, field = reco.tracks, experiment.solenoid.field_t
    d0, phi, omega, z0, tan_lambda = local
    away = np.stack([d0 * np.sin(phi), -d0 * np.cos(phi), z0])
    births = _births(reco.truth.particles, _true_rows(reco))
    helix, _ = perigee((births + away).T, phi, omega, tan_lambda)
    good = tracks.fit_status == FitStatus.OK
    ratio = np.ones(len(tracks))
    ratio[good] = _inverse_momentum(helix[good]) / _inverse_momentum(tracks.helix[good])
    tracks = replace(
        tracks,
        helix=helix,
        charge=np.sign(field * omega).astype(np.int8),
        e_over_p=tracks.e_over_p * ratio,
    )
    vertices, offsets = vertex_table(tracks, reco.track_offsets, experiment)
    return replace(reco, tracks=tracks, vertices=vertices, vertex_offsets=offsets)


def _inverse_momentum(helix: FloatArray) -> FloatArray:
    """Up to a factor of the field."""
    inverse: FloatArray = np.abs(helix[:, HelixIndex.OMEGA]) / np.hypot(
        1, helix[:, HelixIndex.TAN_LAMBDA]
    )
    return inverse


# ---- the high level of the trigger ---------------------------------------------------------------


def _conditions(reco: RecoEvents, experiment: Experiment) -> BoolArray:
    """Whether events meet the conditions of the lines, shape (n_events, n_lines)."""
    counts = count_high_level(
        reco.tracks,
        reco.track_offsets,
        reco.clusters,
        reco.cluster_offsets,
        reco.vertices,
        reco.vertex_offsets,
        experiment,
    )
    return meets(experiment.trigger.hlt, counts, reco.n_events)
