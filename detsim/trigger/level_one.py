"""What the level-one hardware counts in each event."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.calorimeter import CalorimeterResponse
from darkbelle.detsim.charged import ChargedFlights
from darkbelle.detsim.klm import KlmResponse
from darkbelle.detsim.trigger.clusters import count_pairs, count_sums, find_clusters
from darkbelle.detsim.trigger.matching import Azimuths, count_together
from darkbelle.detsim.trigger.menu import Counts
from darkbelle.detsim.trigger.sectors import find_sectors
from darkbelle.detsim.trigger.tracks import find_trigger_tracks
from darkbelle.gen.events import TruthEvents
from darkbelle.geometry import Experiment

__all__ = ["count_level_one"]


def count_level_one(
    charged: ChargedFlights,
    truth: TruthEvents,
    showers: CalorimeterResponse,
    behind: KlmResponse,
    klm_event: npt.NDArray[np.intp],
    experiment: Experiment,
    rng: np.random.Generator,
) -> Counts:
    """Count tracks, clusters, sectors and what is made of them, by the names of the card.

    ``klm_event`` is the event of each cluster in the muon system.
    """
    card, n_events = experiment.trigger.l1, truth.n_events
    for_tracks, for_cells, for_sectors = rng.spawn(3)
    tracks = find_trigger_tracks(charged, truth, experiment, for_tracks)
    beams = experiment.collider.four_momentum
    clusters, sums = find_clusters(
        showers.deposits, showers.deposit_event, n_events, card.ecl, beams, for_cells
    )
    sectors = find_sectors(behind, klm_event, n_events, card.klm, for_sectors)
    found = {name: Azimuths.of_sectors(section) for name, section in sectors.items()}
    for name, kind in tracks.found.items():
        rows = np.flatnonzero(kind)
        found[name] = Azimuths(tracks.event[rows], tracks.phi0[rows], tracks.omega[rows])
    chosen = {name: clusters.chosen(cut) for name, cut in card.ecl.clusters.items()}
    for name in chosen.keys() & (card.asked | card.matching.asked):
        rows = np.flatnonzero(chosen[name])
        found[name] = Azimuths(clusters.event[rows], clusters.phi[rows])
    counts: Counts = {
        name: np.bincount(objects.event, minlength=n_events) for name, objects in found.items()
    }
    counts |= count_pairs(clusters, chosen, card.ecl.pairs, n_events)
    counts |= count_sums(sums, card.ecl)
    return counts | count_together(found, sectors, card.matching, n_events)
