"""Unweighting with a bound from a pilot run; what exceeds it keeps its excess as a weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Bound", "unweight"]

FloatArray = npt.NDArray[np.float64]

_MARGIN = 1.1


@dataclass(frozen=True, slots=True)
class Bound:
    """Largest weight and moments of the weights of a pilot run."""

    maximum: float
    mean: float
    error: float

    @classmethod
    def from_pilot(cls, weights: FloatArray) -> Bound:
        """Bound with a margin of 10 % above the largest weight seen."""
        error = float(weights.std(ddof=1)) / len(weights) ** 0.5
        return cls(_MARGIN * float(weights.max()), float(weights.mean()), error)

    @property
    def efficiency(self) -> float:
        """Share of weighted events that unweighting keeps."""
        return self.mean / self.maximum


def unweight(
    weights: FloatArray, bound: Bound, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Indices of the events kept, and their weights.

    The weight is one but for an event above the bound, which is always kept and carries the
    excess, so that no distribution is distorted.
    """
    relative = weights / bound.maximum
    kept = np.flatnonzero(rng.random(len(weights)) < relative)
    return kept, np.maximum(relative[kept], 1.0)
