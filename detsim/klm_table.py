"""The table of clusters in the K_L and muon system."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.events import KlmClusterTable, TrackTable
from darkbelle.detsim.klm import KlmResponse
from darkbelle.gen.events import Origin, TruthEvents
from darkbelle.ragged import event_of, offsets_of

__all__ = ["klm_cluster_table"]


def klm_cluster_table(
    response: KlmResponse,
    arrivals: Arrivals,
    truth: TruthEvents,
    tracks: TrackTable,
    track_offsets: npt.NDArray[np.int64],
) -> tuple[KlmClusterTable, npt.NDArray[np.int64]]:
    """The clusters of a response, and the events' offsets.

    ``arrivals`` are those that the response is to, their rows those of ``truth``. A cluster belongs
    to the track of its particle, or of the particle's parent if that decayed in flight.
    """
    particles = truth.particles
    row = arrivals.row[response.source]
    event = truth.event_index()[row]
    event_of_track = event_of(track_offsets)
    track_of_row = np.full(len(particles), -1, np.int32)
    rank = np.arange(len(tracks)) - track_offsets[event_of_track]
    track_of_row[truth.offsets[event_of_track] + tracks.truth_index] = rank
    in_flight = particles.origin[row] == Origin.DECAY_IN_FLIGHT
    parent = row.copy()
    parent[in_flight] = truth.parents(row[in_flight])
    own, inherited = track_of_row[row], track_of_row[parent]
    table = KlmClusterTable(
        theta=response.theta,
        phi=response.phi,
        x=response.x,
        y=response.y,
        z=response.z,
        time=response.time,
        n_layers=response.n_layers,
        innermost_layer=response.innermost_layer,
        section=response.section,
        track_index=np.where(own >= 0, own, inherited),
        truth_index=(row - truth.offsets[event]).astype(np.int32),
    )
    return table, offsets_of(event, truth.n_events)
