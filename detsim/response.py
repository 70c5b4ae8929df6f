"""The whole detector: true particles and an experiment in, reconstructed objects out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.calorimeter import measure_clusters
from darkbelle.detsim.events import RecoEvents
from darkbelle.detsim.identification import identify
from darkbelle.detsim.interactions import Flights, interact
from darkbelle.detsim.klm import respond
from darkbelle.detsim.klm_table import klm_cluster_table
from darkbelle.detsim.matching import energy_over_momentum, extrapolate, match
from darkbelle.detsim.suspects import suspects_among
from darkbelle.detsim.track_table import find_tracks
from darkbelle.detsim.vertex_table import vertex_table
from darkbelle.gen.events import Outcome, TruthEvents
from darkbelle.gen.particles import charges
from darkbelle.geometry import Experiment

__all__ = ["simulate"]


def simulate(truth: TruthEvents, experiment: Experiment, *, rng: np.random.Generator) -> RecoEvents:
    """Simulate the detector's response.

    Particles interact and decay on their way; charged ones leave tracks, of which all pairs of
    opposite charge are tried for a vertex; what reaches the calorimeter leaves clusters there, and
    what gets through in the K_L and muon system.
    """
    flights = interact(truth, experiment, rng)
    truth, ecl, field = flights.truth, experiment.calorimeter, experiment.solenoid.field_t
    tracks, track_offsets = find_tracks(flights, experiment, rng)
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
    suspects = suspects_among(tracks, track_offsets, ahead, truth, field)
    tracks = replace(
        tracks,
        cluster_index=matches.cluster_of_track,
        e_over_p=energy_over_momentum(tracks.helix, matches, clusters, field),
        pid=identify(suspects, experiment.identification, rng),
    )
    clusters = replace(
        clusters, track_index=matches.track_of_cluster, track_distance=matches.distance
    )
    arrivals = flights.arrivals
    charge, mass = charges(arrivals.pdg_id), truth.particles.mass[arrivals.row]
    behind = respond(arrivals, charge, mass, response.showered, experiment, rng)
    outcome = np.where(behind.outcome == Outcome.UNDETERMINED, Outcome.ESCAPED, behind.outcome)
    outcome[response.stopped] = Outcome.STOPPED
    outcome[response.showered] = Outcome.SHOWERED
    return RecoEvents(
        _with_outcomes(flights, outcome),
        tracks,
        track_offsets,
        vertices,
        vertex_offsets,
        clusters,
        response.offsets,
        *klm_cluster_table(behind, arrivals, truth, tracks, track_offsets),
    )


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
