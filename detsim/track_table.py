"""The tracks that are found among all charged particles that flew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.charged import ChargedFlights
from darkbelle.detsim.events import FitStatus, TrackTable
from darkbelle.detsim.helix import HelixIndex
from darkbelle.detsim.interactions import Flights
from darkbelle.detsim.tracking import MeasuredTracks, measure
from darkbelle.gen.events import Origin, TruthEvents
from darkbelle.geometry import Experiment
from darkbelle.geometry.card import Detector
from darkbelle.ragged import offsets_of

__all__ = ["FoundTracks", "find_tracks"]


@dataclass(frozen=True, slots=True)
class FoundTracks:
    """Tracks, event i owning ``offsets[i]`` to ``offsets[i + 1]``; no cluster or species is known.

    ``efficiency`` is the probability that each charged particle had to be found, ``found`` whether
    it was, shape (n_charged,).
    """

    table: TrackTable
    offsets: npt.NDArray[np.int64]
    efficiency: npt.NDArray[np.float64]
    found: npt.NDArray[np.bool_]


def find_tracks(
    charged: ChargedFlights, flights: Flights, experiment: Experiment, rng: np.random.Generator
) -> FoundTracks:
    """The tracks that are found among charged particles."""
    truth, losses, tracked = flights.truth, flights.losses, charged.row
    place = np.empty(len(truth.particles), np.intp)
    place[tracked] = np.arange(len(tracked))
    losses = replace(losses, particle=place[losses.particle])
    measured = measure(charged.particles, experiment, rng, losses, charged.helices)
    kinks = _after_kinks(truth, tracked, measured.accepted)
    kink_factor = experiment.tracking.finding.kink_factor
    lost = kinks[rng.random(len(kinks)) >= kink_factor]
    measured.found[lost] = False
    measured.efficiency[kinks] *= kink_factor
    table, offsets = _track_table(measured, tracked, truth, experiment.solenoid.field_t)
    return FoundTracks(table, offsets, measured.efficiency, measured.found)


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
    kinks: npt.NDArray[np.intp] = daughters[has_track[truth.parents(rows)]]
    return kinks


def _track_table(
    measured: MeasuredTracks, tracked: npt.NDArray[np.intp], truth: TruthEvents, field: float
) -> tuple[TrackTable, npt.NDArray[np.int64]]:
    """The tracks that were found, and the offsets of the events."""
    found = np.flatnonzero(measured.found)
    event = truth.event_index()[tracked[found]]
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
        cluster_index=np.full(len(found), -1, np.int32),
        e_over_p=np.full(len(found), np.nan),
        pid=np.zeros((len(found), 0), bool),
        truth_index=(tracked[found] - truth.offsets[event]).astype(np.int32),
        fit_status=np.full(len(found), status, np.int8),
    )
    return table, offsets_of(event, truth.n_events)
