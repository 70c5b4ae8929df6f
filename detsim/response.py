"""The whole detector: true particles and an experiment in, reconstructed objects out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.calorimeter import measure_clusters
from darkbelle.detsim.events import ClusterTable, FitStatus, RecoEvents, TrackTable
from darkbelle.detsim.helix import HelixIndex, momentum
from darkbelle.detsim.identification import Suspects, identify
from darkbelle.detsim.interactions import Flights, interact
from darkbelle.detsim.matching import Extrapolation, Matches, extrapolate, match
from darkbelle.detsim.tracking import ChargedParticles, MeasuredTracks, measure
from darkbelle.detsim.vertex_table import vertex_table
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.events import Origin, Outcome, Status, TruthEvents
from darkbelle.gen.particles import KAON, MUON, PION, charges, ctaus
from darkbelle.geometry import Experiment
from darkbelle.geometry.card import Detector

__all__ = ["simulate"]


def simulate(truth: TruthEvents, experiment: Experiment, *, rng: np.random.Generator) -> RecoEvents:
    """Simulate the detector's response.

    Particles interact and decay on their way; charged ones leave tracks, of which all pairs of
    opposite charge are tried for a vertex; what reaches the calorimeter leaves clusters.
    """
    flights = interact(truth, experiment, rng)
    truth, ecl, field = flights.truth, experiment.calorimeter, experiment.solenoid.field_t
    tracks, track_offsets = _find_tracks(flights, experiment, rng)
    vertices, vertex_offsets = vertex_table(tracks, track_offsets, experiment)
    response = measure_clusters(flights.arrivals, truth, ecl, rng)
    clusters = response.clusters
    ahead = extrapolate(tracks.helix, ecl)
    matches = match(
        ahead,
        track_offsets,
        clusters,
        response.offsets,
        ecl.clustering.match_distance_cm,
    )
    tracks = replace(
        tracks,
        cluster_index=matches.cluster_of_track,
        e_over_p=_e_over_p(tracks, matches, clusters, field),
        pid=identify(
            _suspects(tracks, track_offsets, ahead, truth, field), experiment.identification, rng
        ),
    )
    clusters = replace(
        clusters, track_index=matches.track_of_cluster, track_distance=matches.distance
    )
    outcome = np.full(len(flights.arrivals), Outcome.ESCAPED, np.int8)
    outcome[response.showered] = Outcome.SHOWERED
    outcome[response.stopped] = Outcome.STOPPED
    return RecoEvents(
        _with_outcomes(flights, outcome),
        tracks,
        track_offsets,
        vertices,
        vertex_offsets,
        clusters,
        response.offsets,
    )


def _find_tracks(
    flights: Flights, experiment: Experiment, rng: np.random.Generator
) -> tuple[TrackTable, npt.NDArray[np.int64]]:
    """Tracks of all charged particles that flew, and the offsets of the events."""
    truth, losses = flights.truth, flights.losses
    particles = truth.particles
    charge = charges(particles.pdg_id)
    flew = np.isin(particles.status, (Status.FINAL, Status.SIMULATED))
    tracked = np.flatnonzero(flew & (charge != 0))
    place = np.empty(len(particles), np.intp)
    place[tracked] = np.arange(len(tracked))
    measured = measure(
        ChargedParticles(
            np.stack([particles.x, particles.y, particles.z], axis=-1)[tracked],
            np.stack([particles.px, particles.py, particles.pz], axis=-1)[tracked],
            charge[tracked],
            particles.mass[tracked],
            flights.path[tracked],
        ),
        experiment,
        rng,
        replace(losses, particle=place[losses.particle]),
    )
    kinks = _after_kinks(truth, tracked, measured.accepted)
    lost = kinks[rng.random(len(kinks)) >= experiment.tracking.finding.kink_factor]
    measured.found[lost] = False
    return _track_table(measured, tracked, truth, experiment.solenoid.field_t)


def _after_kinks(
    truth: TruthEvents, tracked: npt.NDArray[np.intp], accepted: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Which of the tracked particles come from a decay in flight behind a track that can be found.

    ``tracked`` are rows of the particle table, ``accepted`` tells of each whether it can be found.
    """
    has_track = np.zeros(len(truth.particles), dtype=bool)
    has_track[tracked] = accepted
    particles = truth.particles
    daughters = np.flatnonzero(particles.origin[tracked] == Origin.DECAY_IN_FLIGHT)
    rows = tracked[daughters]
    parents = truth.offsets[truth.event_index()[rows]] + particles.parent[rows]
    kinks: npt.NDArray[np.intp] = daughters[has_track[parents]]
    return kinks


def _track_table(
    measured: MeasuredTracks, tracked: npt.NDArray[np.intp], truth: TruthEvents, field: float
) -> tuple[TrackTable, npt.NDArray[np.int64]]:
    """The tracks that were found, and the offsets of the events."""
    found = np.flatnonzero(measured.found)
    event = truth.event_index()[tracked[found]]
    offsets = np.zeros(truth.n_events + 1, dtype=np.int64)
    np.cumsum(np.bincount(event, minlength=truth.n_events), out=offsets[1:])
    helix = measured.helix[found]
    status = FitStatus.OK if field else FitStatus.NO_FIELD
    table = TrackTable(
        helix=helix,
        cov=measured.cov[found],
        charge=np.sign(field * helix[:, HelixIndex.OMEGA]).astype(np.int8),
        n_hits_pxd=measured.n_hits[Detector.PXD][found],
        n_hits_svd=measured.n_hits[Detector.SVD][found],
        n_hits_cdc=measured.n_hits[Detector.CDC][found],
        first_hit_radius=measured.first_hit[found],
        cluster_index=np.full(len(found), -1, np.int16),
        e_over_p=np.full(len(found), np.nan),
        pid=np.zeros((len(found), 0), bool),
        truth_index=(tracked[found] - truth.offsets[event]).astype(np.int32),
        fit_status=np.full(len(found), status, np.int8),
    )
    return table, offsets


def _with_outcomes(flights: Flights, outcome: npt.NDArray[np.int8]) -> TruthEvents:
    """The truth with how those ended that arrived at the calorimeter."""
    particles, arrivals = flights.truth.particles, flights.arrivals
    ended = np.flatnonzero(outcome != Outcome.ESCAPED)
    names = ("outcome", "decay_x", "decay_y", "decay_z", "decay_t")
    values = (outcome[ended], *arrivals.point[:, ended])
    columns = {name: getattr(particles, name).copy() for name in names}
    for name, value in zip(names, values, strict=True):
        columns[name][arrivals.row[ended]] = value
    return replace(flights.truth, particles=replace(particles, **columns))


def _suspects(
    tracks: TrackTable,
    offsets: npt.NDArray[np.int64],
    ahead: Extrapolation,
    truth: TruthEvents,
    field: float,
) -> Suspects:
    """What decides how tracks are identified."""
    particles = truth.particles
    rows = truth.offsets[np.repeat(np.arange(truth.n_events), np.diff(offsets))]
    rows = rows + tracks.truth_index
    pdg_id = particles.pdg_id[rows]
    p = np.linalg.norm(momentum(tracks.helix, field), axis=1)
    length = ctaus(pdg_id) * p / particles.mass[rows]
    muons = np.flatnonzero(
        (particles.origin == Origin.DECAY_IN_FLIGHT) & (np.abs(particles.pdg_id) == MUON)
    )
    became_muon = np.zeros(len(particles), dtype=bool)
    became_muon[truth.offsets[truth.event_index()[muons]] + particles.parent[muons]] = True
    return Suspects(
        pdg_id,
        p,
        np.arctan2(1.0, tracks.helix[:, HelixIndex.TAN_LAMBDA]),
        np.where(ahead.arrives, np.arctan2(ahead.point[:, 1], ahead.point[:, 0]), np.nan),
        _muon_fractions(pdg_id) * -np.expm1(-ahead.length / length),
        became_muon[rows],
    )


def _muon_fractions(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Fraction of decays of pions and kaons that give a muon, zero for other species."""
    fractions = np.zeros(len(pdg_id))
    for hadron in (PION, KAON):
        with_muon = (m for m in decay_modes(hadron) if MUON in np.abs(m.daughters))
        fractions[np.abs(pdg_id) == hadron] = sum(mode.fraction for mode in with_muon)
    return fractions


def _e_over_p(
    tracks: TrackTable, matches: Matches, clusters: ClusterTable, field: float
) -> npt.NDArray[np.float64]:
    """Energy of the cluster over the momentum of each track, NaN without cluster or field."""
    p = np.linalg.norm(momentum(tracks.helix, field), axis=1)
    has_cluster = matches.cluster_of_track >= 0
    ratio = np.full(len(tracks), np.nan)
    ratio[has_cluster] = clusters.energy[matches.row_of_cluster[has_cluster]] / p[has_cluster]
    return ratio
