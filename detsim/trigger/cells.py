"""Trigger cells of the calorimeter: what the hardware sees of the energy left in the crystals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.showers import Deposits
from darkbelle.geometry.trigger import N_RINGS, TriggerCells
from darkbelle.units import deg

__all__ = ["CellGrid", "LitCells", "light_cells", "ring_sums"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

LEAST_PART: Final = 0.1
"""Parts of deposits below this share of a cell's threshold are left out.

Noise of a third of the threshold would lift one in a thousand of them above it.
"""
BARREL, FORWARD, BACKWARD = range(3)
"""Sections, in the order in which their clusters are passed on."""

_TURN = 2 * np.pi


@dataclass(frozen=True)
class CellGrid:
    """How cells are numbered: ring after ring from forward, in each from phi = 0 around.

    ``edges`` are those of the rings [rad], shape (n_rings + 1,); ``number`` of cells, ``start``,
    the number of their first one, and ``section`` have shape (n_rings,). Rings count from 0 here.
    """

    edges: FloatArray
    number: IndexArray
    start: IndexArray
    section: IndexArray

    @classmethod
    def of(cls, card: TriggerCells) -> Self:
        """The grid of a card."""
        return cls._laid_out(card.theta_edges_deg, card.cells, card.barrel_rings)

    @classmethod
    @cache  # with its neighbours
    def _laid_out(
        cls, edges_deg: tuple[float, ...], cells: tuple[int, ...], barrel: tuple[int, int]
    ) -> Self:
        number, ring = np.array(cells), np.arange(1, N_RINGS + 1)
        first, last = barrel
        section = np.where(ring < first, FORWARD, np.where(ring > last, BACKWARD, BARREL))
        return cls(np.array(edges_deg) * deg, number, np.cumsum(number) - number, section)

    def __len__(self) -> int:
        return int(self.number.sum())

    @cached_property
    def ring(self) -> IndexArray:
        """Ring of each cell, shape (n_cells,)."""
        return np.repeat(np.arange(N_RINGS), self.number)

    @cached_property
    def theta(self) -> FloatArray:
        """Polar angle of the centre of each cell [rad], shape (n_cells,)."""
        theta: FloatArray = ((self.edges[:-1] + self.edges[1:]) / 2)[self.ring]
        return theta

    @cached_property
    def phi(self) -> FloatArray:
        """Azimuth of the centre of each cell, 0 to 2 pi [rad], shape (n_cells,)."""
        ring = self.ring
        phi: FloatArray = (
            (np.arange(len(self)) - self.start[ring] + 0.5) * _TURN / self.number[ring]
        )
        return phi

    def at(self, ring: IndexArray, phi: FloatArray) -> IndexArray:
        """Cells of some rings at some azimuths [rad], shape (n,)."""
        number = self.number[ring]
        cell: IndexArray = (
            self.start[ring] + np.floor(phi * number / _TURN).astype(np.intp) % number
        )
        return cell

    @cached_property
    def neighbours(self) -> IndexArray:
        """Cells of the same section that each cell touches, at a corner too, shape (k, n_cells).

        Cells that have less than k hold the number of cells in the places left.
        """
        ring, nobody = self.ring, len(self)
        position, number = np.arange(nobody) - self.start[ring], self.number[ring]
        columns: list[IndexArray] = []
        for side in (-1, 0, 1):
            other = np.clip(ring + side, 0, N_RINGS - 1)
            exists = (other == ring + side) & (self.section[other] == self.section[ring])
            around = self.number[other]
            # Closed intervals of azimuth meet, in units of one over the product of the numbers.
            first = -(-position * around // number) - 1
            last = (position + 1) * around // number
            for step in range(int((last - first)[exists].max()) + 1):
                cell = self.start[other] + (first + step) % around
                touches = exists & (first + step <= last) & (cell != np.arange(nobody))
                columns.append(np.where(touches, cell, nobody))
        table = np.stack(columns)
        return table[(table < nobody).any(axis=1)]


@dataclass(frozen=True, slots=True)
class LitCells:
    """Cells above threshold with their energies [GeV], event after event, shape (n,) each."""

    event: IndexArray
    cell: IndexArray
    energy: FloatArray


def light_cells(
    deposits: Deposits,
    event: npt.NDArray[np.integer],
    grid: CellGrid,
    card: TriggerCells,
    rng: np.random.Generator,
) -> LitCells:
    """The cells that deposits of some events light."""
    response = card.response
    in_time = np.flatnonzero(np.abs(deposits.time) <= card.window_ns / 2)
    seen = deposits.energy[in_time] * (
        1 + response.relative_error * rng.standard_normal(len(in_time))
    )
    owner, cell, part = _parts(
        deposits.point[:, in_time],
        seen,
        grid,
        response.spread_cm,
        LEAST_PART * card.threshold_gev,
    )
    key = event[in_time[owner]] * len(grid) + cell
    order = np.argsort(key, kind="stable")  # quick, as the keys are nearly in order
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    energy = np.add.reduceat(part[order], first)
    energy += response.noise_gev * rng.standard_normal(len(energy))
    lit = np.flatnonzero(energy > card.threshold_gev)
    of_event, cell = np.divmod(key[first[lit]], len(grid))
    return LitCells(of_event, cell, energy[lit])


def ring_sums(cells: LitCells, grid: CellGrid, n_events: int) -> FloatArray:
    """Energy of the rings in each event [GeV], shape (n_events, n_rings)."""
    place = grid.ring[cells.cell] * n_events + cells.event
    sums = np.asarray(np.bincount(place, cells.energy, N_RINGS * n_events), np.float64)
    return sums.reshape(N_RINGS, n_events).T


def _parts(
    point: FloatArray, energy: FloatArray, grid: CellGrid, spread: float, least: float
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Divide deposits among the cells around their points (3, n).

    What lies beyond a border falls exponentially with its distance; the nearest border of a ring
    and the nearest in azimuth count, and no shower reaches from one section into another.

    Returns
    -------
    owner, cell, energy
        Deposit, cell and energy [GeV] of each part: that around its point, and others above the
        least energy.
    """
    x, y, z = point
    r = np.sqrt(x**2 + y**2)
    theta, phi = np.arctan2(r, z), np.arctan2(y, x)
    ring = np.searchsorted(grid.edges[1:-1], theta, side="right")
    from_edge, to_edge = theta - grid.edges[ring], grid.edges[ring + 1] - theta
    next_ring = ring + np.where(to_edge < from_edge, 1, -1)
    next_ring = np.minimum(np.maximum(next_ring, 0), N_RINGS - 1)
    beyond = _share_beyond(np.sqrt(r**2 + z**2) * np.minimum(from_edge, to_edge), spread)
    beyond *= (next_ring != ring) & (grid.section[next_ring] == grid.section[ring])

    width = _TURN / grid.number[ring]
    inside = phi / width
    inside -= np.floor(inside)
    is_later = inside > 0.5
    aside = _share_beyond(r * width * np.where(is_later, 1 - inside, inside), spread)
    # A quarter of a cell from the border is beside it in rings of half or twice as many cells too.
    next_phi = phi + width * np.where(is_later, 1.25 - inside, -0.25 - inside)

    everyone = np.arange(len(energy))
    into_ring = np.flatnonzero(energy * beyond > least)
    into_phi = np.flatnonzero(energy * aside > least)
    into_both = into_ring[aside[into_ring] * beyond[into_ring] * energy[into_ring] > least]
    owners, cells, parts = [], [], []
    for owner, share_of_ring, its_ring, share_in_phi, its_phi in (
        (everyone, 1 - beyond, ring, 1 - aside, phi),
        (into_ring, beyond, next_ring, 1 - aside, phi),
        (into_phi, 1 - beyond, ring, aside, next_phi),
        (into_both, beyond, next_ring, aside, next_phi),
    ):
        owners.append(owner)
        cells.append(grid.at(its_ring[owner], its_phi[owner]))
        parts.append(energy[owner] * share_of_ring[owner] * share_in_phi[owner])
    return np.concatenate(owners), np.concatenate(cells), np.concatenate(parts)


def _share_beyond(distance: FloatArray, spread: float) -> FloatArray:
    """Share of showers beyond a border at some distances [cm], shape (n,)."""
    share: FloatArray = 0.5 * np.exp(-np.abs(distance) / spread)
    return share
