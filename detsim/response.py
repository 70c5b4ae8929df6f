"""The whole detector: true particles and an experiment in, reconstructed objects out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.calorimeter import CalorimeterResponse, measure_clusters
from darkbelle.detsim.cavity import Cavity
from darkbelle.detsim.charged import ChargedFlights
from darkbelle.detsim.events import ClusterTable, RecoEvents, TrackTable
from darkbelle.detsim.identification import identify
from darkbelle.detsim.interactions import Flights, interact
from darkbelle.detsim.klm import KlmResponse, respond
from darkbelle.detsim.klm_table import klm_cluster_table
from darkbelle.detsim.matching import (
    Extrapolation,
    energy_over_momentum,
    extrapolate,
    match,
)
from darkbelle.detsim.suspects import behaviour_of, suspects_among
from darkbelle.detsim.track_table import find_tracks
from darkbelle.detsim.trigger.decision import decide_trigger
from darkbelle.detsim.trigger.high_level import count_high_level
from darkbelle.detsim.trigger.level_one import count_level_one
from darkbelle.detsim.vertex_table import vertex_table
from darkbelle.detsim.weights import Chances, event_weights
from darkbelle.gen.events import Outcome, TruthEvents
from darkbelle.geometry import Experiment
from darkbelle.geometry.systematics import chosen
from darkbelle.ragged import event_of

__all__ = ["simulate"]


def simulate(
    truth: TruthEvents,
    experiment: Experiment,
    *,
    rng: np.random.Generator,
    systematics: Sequence[str] = (),
) -> RecoEvents:
    """Simulate the detector's response.

    Particles interact and decay on their way; charged ones leave tracks, of which all pairs of
    opposite charge are tried for a vertex. What reaches the calorimeter leaves clusters there, and
    what gets through in the K_L and muon system; hadrons whose tracks are taken for electrons or
    muons behave as such in both. The trigger decides on all of it. Each stage has its own random
    numbers, so that a change in one leaves the others' alone.

    ``systematics`` are names of errors in the card, or "all", for which event weights are wanted;
    they change nothing else. ConfigError for an unknown one.
    """
    errors = chosen(experiment.systematics, systematics)
    for_flights, for_tracks, for_species, for_showers, for_klm, for_trigger = rng.spawn(6)
    flights = interact(truth, experiment, for_flights)
    truth, arrivals = flights.truth, flights.arrivals
    ecl, field = experiment.calorimeter, experiment.solenoid.field_t
    charged = ChargedFlights.of(flights, field)
    found = find_tracks(charged, flights, experiment, for_tracks)
    tracks, track_offsets = found.table, found.offsets
    vertices, vertex_offsets = vertex_table(tracks, track_offsets, experiment)
    ahead = extrapolate(tracks.helix, ecl)
    suspects = suspects_among(tracks, track_offsets, ahead, truth, field)
    pid = identify(suspects, experiment.identification, for_species)
    tracks = replace(tracks, pid=pid)
    behaviour = behaviour_of(arrivals, tracks, track_offsets, truth, pid, experiment.identification)

    showers = measure_clusters(arrivals, behaviour, truth, ecl, for_showers)
    tracks, clusters = _matched(tracks, track_offsets, ahead, showers, experiment)
    through = np.flatnonzero(~showers.stopped & Cavity.of(ecl).is_on_face(arrivals.point[:3]))
    behind = respond(
        arrivals.take(through), behaviour[through], showers.showered[through], experiment, for_klm
    )
    klm_clusters, klm_offsets = klm_cluster_table(
        behind, arrivals.take(through), truth, tracks, track_offsets
    )
    for_counting, for_lines = for_trigger.spawn(2)
    level_one = count_level_one(
        charged, truth, showers, behind, event_of(klm_offsets), experiment, for_counting
    )
    high_level = count_high_level(
        tracks, track_offsets, clusters, showers.offsets, vertices, vertex_offsets, experiment
    )
    trigger = decide_trigger(level_one, high_level, experiment.trigger, truth.n_events, for_lines)
    chances = Chances(truth, charged, found, suspects, pid, showers.chances, trigger, experiment)
    return RecoEvents(
        _with_outcomes(flights, showers, behind, through),
        tracks,
        track_offsets,
        vertices,
        vertex_offsets,
        clusters,
        showers.offsets,
        klm_clusters,
        klm_offsets,
        trigger,
        tuple(errors),
        event_weights(errors, chances),
    )


def _matched(
    tracks: TrackTable,
    offsets: npt.NDArray[np.int64],
    ahead: Extrapolation,
    showers: CalorimeterResponse,
    experiment: Experiment,
) -> tuple[TrackTable, ClusterTable]:
    """Tracks and clusters that know each other."""
    clusters, farthest = showers.clusters, experiment.calorimeter.clustering.match_distance_cm
    matches = match(ahead, offsets, clusters, showers.offsets, farthest)
    field = experiment.solenoid.field_t
    e_over_p = energy_over_momentum(tracks.helix, matches, clusters, field)
    return (
        replace(tracks, cluster_index=matches.cluster_of_track, e_over_p=e_over_p),
        replace(clusters, track_index=matches.track_of_cluster, track_distance=matches.distance),
    )


def _with_outcomes(
    flights: Flights,
    showers: CalorimeterResponse,
    behind: KlmResponse,
    through: npt.NDArray[np.intp],
) -> TruthEvents:
    """The truth with how those ended that arrived at the calorimeter, some of them behind it."""
    particles, arrivals = flights.truth.particles, flights.arrivals
    outcome = np.full(len(arrivals), Outcome.ESCAPED, np.int8)
    outcome[through] = behind.outcome
    outcome[showers.stopped] = Outcome.STOPPED
    outcome[showers.showered] = Outcome.SHOWERED
    ended = np.flatnonzero(outcome != Outcome.ESCAPED)
    names = ("outcome", "decay_x", "decay_y", "decay_z", "decay_t")
    values = (outcome[ended], *arrivals.point[:, ended])
    columns = {name: getattr(particles, name).copy() for name in names}
    for name, value in zip(names, values, strict=True):
        columns[name][arrivals.row[ended]] = value
    return replace(flights.truth, particles=replace(particles, **columns))
