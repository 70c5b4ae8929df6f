"""What tests send to the trigger's calorimeter: deposits, and particles from the origin."""

from __future__ import annotations

from functools import cache

import numpy as np

from darkbelle.detsim.showers import Deposits, deposit
from darkbelle.detsim.trigger.cells import CellGrid
from darkbelle.detsim.trigger.clusters import (
    TriggerClusters,
    count_pairs,
    count_sums,
    find_clusters,
)
from darkbelle.detsim.trigger.menu import Counts
from darkbelle.geometry.trigger import TriggerCells
from tests.detsim.sending import at_face, belle2

RESPONSE = "trigger.l1.ecl.response"
EXACT = (f"{RESPONSE}.relative_error=0.0", f"{RESPONSE}.noise_gev=0.0")
NARROW = (*EXACT, f"{RESPONSE}.spread_cm=0.1")
ALL_FOUND = (f"{RESPONSE}.efficiency=1.0", f"{RESPONSE}.edge_efficiency=1.0")


@cache
def cells(*overrides: str) -> TriggerCells:
    return belle2(*overrides).trigger.l1.ecl


def energy_at(
    energy: float | np.ndarray, theta: np.ndarray, phi: np.ndarray, distance: float = 140.0
) -> Deposits:
    """Energy [GeV] in some directions from the origin [rad], at a distance [cm]."""
    theta, phi = np.broadcast_arrays(np.atleast_1d(theta), np.atleast_1d(phi))
    n = len(theta)
    across = np.sin(theta)
    point = distance * np.stack([across * np.cos(phi), across * np.sin(phi), np.cos(theta)])
    energies = np.broadcast_to(energy, n).astype(float)
    return Deposits(np.arange(n), energies, point, np.full(n, 12.0), np.zeros(n))


def in_cells(energy: float | np.ndarray, cell: np.ndarray | list[int]) -> Deposits:
    """Energy in the middle of some cells."""
    grid, chosen = CellGrid.of(cells()), np.asarray(cell)
    return energy_at(energy, grid.theta[chosen], grid.phi[chosen])


def trigger(
    deposits: Deposits,
    event: np.ndarray | list[int],
    n_events: int,
    *overrides: str,
    seed: int = 1,
) -> tuple[TriggerClusters, np.ndarray, Counts]:
    """Clusters, sums of rings, counts."""
    card, beams = cells(*overrides), belle2().collider.four_momentum
    rng = np.random.default_rng(seed)
    clusters, sums = find_clusters(deposits, np.asarray(event, int), n_events, card, beams, rng)
    chosen = {name: clusters.chosen(cut) for name, cut in card.clusters.items()}
    counts: Counts = {
        name: np.bincount(clusters.event[passes], minlength=len(sums))
        for name, passes in chosen.items()
    }
    counts |= count_pairs(clusters, chosen, card.pairs, len(sums))
    return clusters, sums, counts | count_sums(sums, card)


def send(
    pdg_id: int, momentum: np.ndarray, per_event: int, *overrides: str, seed: int = 1
) -> tuple[TriggerClusters, np.ndarray, Counts]:
    """The same of particles straight from the origin, so many an event: momenta (3, n) [GeV]."""
    rng = np.random.default_rng(seed)
    n = momentum.shape[1]
    arrivals, mass = at_face(pdg_id, momentum)
    deposits, _, _ = deposit(arrivals, mass, np.full(n, pdg_id), belle2().calorimeter, rng)
    event = deposits.source // per_event
    return trigger(deposits, event, n // per_event, *overrides, seed=seed + 1)
