"""Clusters of trigger cells, and what the first level counts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.showers import Deposits
from darkbelle.detsim.trigger.cells import CellGrid, LitCells, light_cells, ring_sums
from darkbelle.detsim.trigger.menu import Counts
from darkbelle.detsim.trigger.selections import between, of_energy
from darkbelle.gen.kinematics import to_rest_frame
from darkbelle.geometry.trigger import N_RINGS, CellClusterCut, ClusterPair, TriggerCells
from darkbelle.ragged import offsets_of, pairs_within
from darkbelle.units import deg

__all__ = ["TriggerClusters", "count_pairs", "count_sums", "find_clusters"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

BLOCK: Final = 1024
"""Events whose cells are laid out at once, so that they stay in the cache."""


@dataclass(frozen=True, slots=True)
class TriggerClusters:
    """Clusters as the hardware passes them on, event after event, shape (n,) each.

    ``energy`` [GeV] is in the laboratory, ``ring`` counts from 1, ``phi`` is the azimuth of the
    most energetic cell, 0 to 2 pi [rad]. In the centre of mass ``e_cms`` [GeV] and the whole
    degrees ``theta_cms_deg`` and ``phi_cms_deg`` are those of a photon from the origin to it.
    """

    event: IndexArray
    energy: FloatArray
    ring: IndexArray
    phi: FloatArray
    e_cms: FloatArray
    theta_cms_deg: IndexArray
    phi_cms_deg: IndexArray

    def __len__(self) -> int:
        return len(self.event)

    def take(self, chosen: IndexArray | BoolArray) -> Self:
        """Some of them."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def chosen(self, cut: CellClusterCut) -> BoolArray:
        """Whether each passes a cut, shape (n,)."""
        passes = of_energy(cut, self.energy, self.e_cms)
        if len(cut.rings) < N_RINGS:
            in_ring = np.zeros(N_RINGS + 1, dtype=bool)
            in_ring[list(cut.rings)] = True
            passes &= in_ring[self.ring]
        return passes


def find_clusters(
    deposits: Deposits,
    event: npt.NDArray[np.integer],
    n_events: int,
    card: TriggerCells,
    beams: FloatArray,
    rng: np.random.Generator,
) -> tuple[TriggerClusters, FloatArray]:
    """Find the clusters of deposits, whose events are given in order.

    ``beams`` is the four-momentum of the colliding pair without spread [GeV], shape (4,).

    Returns
    -------
    clusters
        Those that are found and passed on.
    sums
        Energy of the rings in each event [GeV], shape (n_events, n_rings).
    """
    grid = CellGrid.of(card)
    cells = light_cells(deposits, event, grid, card, rng)
    peak, energy = _peaks(cells, grid)
    found = rng.random(len(peak)) < _efficiency(card)[grid.ring[cells.cell[peak]]]
    peak, energy = peak[found], energy[found]
    of_event, cell = cells.event[peak], cells.cell[peak]
    passed = _passed_on(of_event, cell, grid, n_events, card.max_clusters)
    of_event, cell, energy = of_event[passed], cell[passed], energy[passed]
    at_one_gev, theta_cms_deg, phi_cms_deg = _seen_from_cms(grid, beams, card.e_cms_step_gev)
    clusters = TriggerClusters(
        of_event,
        energy,
        grid.ring[cell] + 1,
        grid.phi[cell],
        energy / at_one_gev[cell],
        theta_cms_deg[cell],
        phi_cms_deg[cell],
    )
    return clusters, ring_sums(cells, grid, n_events)


def _efficiency(card: TriggerCells) -> FloatArray:
    """Probability to find clusters of each ring, shape (n_rings,)."""
    efficiency = np.full(N_RINGS, card.response.efficiency)
    efficiency[[0, -1]] = card.response.edge_efficiency
    return efficiency


def _peaks(cells: LitCells, grid: CellGrid) -> tuple[IndexArray, FloatArray]:
    """Cells that have more energy than those around them, and the sum of them all [GeV]."""
    neighbours, n_slots = grid.neighbours, len(grid) + 1
    layout = np.zeros(BLOCK * n_slots)
    is_peak, total = np.empty(len(cells.event), dtype=bool), np.empty(len(cells.event))
    n_blocks = int(cells.event[-1]) // BLOCK + 1 if len(cells.event) else 0
    bounds = np.searchsorted(cells.event, BLOCK * np.arange(n_blocks + 1))
    for begin, end in pairwise(bounds):
        block = slice(begin, end)
        cell, energy = cells.cell[block], cells.energy[block]
        first_slot = cells.event[block] % BLOCK * n_slots
        layout[first_slot + cell] = energy
        beside = neighbours.take(cell, axis=1)
        around = layout.take(first_slot + beside)
        layout[first_slot + cell] = 0.0
        # Of equals the first one wins.
        is_peak[block] = np.where(beside < cell, around < energy, around <= energy).all(axis=0)
        total[block] = energy + around.sum(axis=0)
    peak = np.flatnonzero(is_peak)
    return peak, total[peak]


def _passed_on(
    event: IndexArray, cell: IndexArray, grid: CellGrid, n_events: int, most: int
) -> BoolArray:
    """Which clusters are among the first of their events: by section, then azimuth, shape (n,)."""
    passed = np.ones(len(event), dtype=bool)
    number = np.bincount(event, minlength=n_events)
    crowded = np.flatnonzero(number[event] > most)
    where = cell[crowded]
    order = crowded[np.lexsort((grid.phi[where], grid.section[grid.ring[where]], event[crowded]))]
    first = np.searchsorted(event[order], event[order])
    passed[order[np.arange(len(order)) - first >= most]] = False
    return passed


def _seen_from_cms(
    grid: CellGrid, beams: FloatArray, step: float
) -> tuple[FloatArray, IndexArray, IndexArray]:
    """Photons from the origin to each cell, shape (n_cells,) each.

    Returns
    -------
    at_one_gev
        Energy in the laboratory of 1 GeV in the centre of mass [GeV], in steps if there are any.
    theta_deg, phi_deg
        Direction in the centre of mass in whole degrees.
    """
    theta, phi = grid.theta, grid.phi
    across = np.sin(theta)
    photon = np.stack(
        [np.ones(len(grid)), across * np.cos(phi), across * np.sin(phi), np.cos(theta)]
    )
    e, px, py, pz = to_rest_frame(photon, beams)
    at_one_gev = 1 / e
    if step > 0:
        at_one_gev = step * np.maximum(np.round(at_one_gev / step), 1.0)
    theta_deg, phi_deg = np.arctan2(np.hypot(px, py), pz) / deg, np.arctan2(py, px) / deg
    return at_one_gev, np.round(theta_deg).astype(np.intp), np.round(phi_deg).astype(np.intp)


def count_sums(sums: FloatArray, card: TriggerCells) -> Counts:
    """Whether sums of rings, and pairs of sums, reach what the card names."""
    counts: Counts = {}
    for name, total in card.sums.items():
        counts[name] = (_in_rings(sums, [total.rings])[0] > total.e_lab_gev).astype(np.int8)
    for name, pairs in card.ring_pairs.items():
        ahead = _in_rings(sums, [pair.forward for pair in pairs])
        behind = _in_rings(sums, [pair.backward for pair in pairs])
        hold = ahead > np.array([[pair.forward_gev] for pair in pairs])
        hold &= behind > np.array([[pair.backward_gev] for pair in pairs])
        counts[name] = np.any(hold, axis=0).astype(np.int8)
    return counts


def _in_rings(sums: FloatArray, groups: Sequence[tuple[int, ...]]) -> FloatArray:
    """Energy of groups of rings in each event [GeV], shape (n_groups, n_events)."""
    rings = sums.T
    return np.stack([rings[np.array(group, np.intp) - 1].sum(axis=0) for group in groups])


def count_pairs(
    clusters: TriggerClusters,
    chosen: dict[str, BoolArray],
    pairs: dict[str, ClusterPair],
    n_events: int,
) -> Counts:
    """Pairs of clusters of an event at some angles, by names of pairs of selections."""
    first, second = pairs_within(offsets_of(clusters.event, n_events))
    dphi = np.abs(clusters.phi_cms_deg[first] - clusters.phi_cms_deg[second])
    dphi = np.minimum(dphi, 360 - dphi)
    theta_sum = clusters.theta_cms_deg[first] + clusters.theta_cms_deg[second]
    swapped = clusters.energy[first] >= clusters.energy[second]
    softer, harder = np.where(swapped, second, first), np.where(swapped, first, second)
    event = clusters.event[first]
    counts: Counts = {}
    for name, pair in pairs.items():
        one, other = chosen[pair.one], chosen[pair.other]
        fits = one[softer] & other[harder]
        if not pair.ordered:
            fits |= one[harder] & other[softer]
        fits &= between(dphi, pair.dphi_deg, 180) & between(theta_sum, pair.theta_sum_deg, 360)
        counts[name] = np.bincount(event[fits], minlength=n_events)
    return counts
