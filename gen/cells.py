"""Unweighted points from a density on the unit cube, by rejection in cells that bound it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Cells"]

FloatArray = npt.NDArray[np.float64]

_MARGIN: Final = 1.05
"""What the density inside a cell may exceed the points that were looked at by."""
_SURPLUS: Final = 1.1
"""Trials beyond what the efficiency asks for, so that a second round is rarely needed."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Equal cells of the unit cube, each with what the density does not exceed there.

    ``density`` takes points, shape (d, n), and returns the shape (n,); it must be smooth on the
    scale of a cell. ``efficiency`` is the part of the trials that is kept.
    """

    density: Callable[[FloatArray], FloatArray]
    shape: tuple[int, ...]
    bound: FloatArray
    cumulative: FloatArray
    efficiency: float

    @classmethod
    def of(
        cls, density: Callable[[FloatArray], FloatArray], shape: tuple[int, ...], probes: int
    ) -> Cells:
        """Look at the density on a lattice, ``probes`` steps a cell in each direction."""
        ticks = [np.linspace(0, 1, probes * size + 1) for size in shape]
        lattice = np.stack([axis.ravel() for axis in np.meshgrid(*ticks, indexing="ij")])
        values = density(lattice)
        greatest = values.reshape([len(axis) for axis in ticks])
        for axis, size in enumerate(shape):
            across = np.moveaxis(greatest, axis, -1)
            inner = across[..., :-1].reshape(*across.shape[:-1], size, probes).max(axis=-1)
            greatest = np.moveaxis(np.maximum(inner, across[..., probes::probes]), -1, axis)
        bound = _MARGIN * greatest.ravel()
        cumulative = np.cumsum(bound)
        # The mean by the trapezoidal rule is good enough to say how many trials are needed.
        efficiency = float(values.mean() / bound.mean())
        return cls(density, shape, bound, cumulative / cumulative[-1], efficiency)

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Points that follow the density, shape (d, n)."""
        kept = [np.empty((len(self.shape), 0))]
        missing = n
        while missing > 0:
            trial = self._accepted(int(_SURPLUS * missing / self.efficiency) + 8, rng)
            kept.append(trial[:, :missing])
            missing -= trial.shape[1]
        return np.concatenate(kept, axis=1)

    def _accepted(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Those of n trials that are kept."""
        cell = np.searchsorted(self.cumulative[:-1], rng.random(n), side="right")
        corner = np.stack(np.unravel_index(cell, self.shape))
        point = (corner + rng.random(corner.shape)) / np.array(self.shape)[:, None]
        accepted = rng.random(n) * self.bound[cell] < self.density(point)
        kept: FloatArray = point[:, accepted]
        return kept
