"""Widths of residuals: half of the central 68.27 %, which tails hardly move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Width", "bins_of_equal_content", "central_width", "widths_in_bins"]

FloatArray = npt.NDArray[np.float64]

_CENTRAL: Final = (0.158655, 0.5, 0.841345)
_ERROR: Final = 0.9617
"""Times width / sqrt(n) is the error of the width of a normal distribution.

The covariance of quantiles p <= q is p (1 - q) / (n f(p) f(q)), with f the density there (e.g.
A. Stuart and J. K. Ord, Kendall's Advanced Theory of Statistics 1, 10.10); with p = 1 - q =
0.158655 and f = 0.241971/width it leaves sqrt(p (1 - 2 p) / 2) / 0.241971.
"""
_FEWEST: Final = 12
"""Values that make a width."""


@dataclass(frozen=True, slots=True)
class Width:
    """Median, half of the central 68.27 %, and the error of that."""

    median: float
    value: float
    error: float

    def told(self, scale: float = 1.0) -> str:
        """``1.95 ± 0.10``, as exact as the error deserves."""
        digits = max(0, 1 - math.floor(math.log10(scale * self.error or 1.0)))
        return f"{scale * self.value:.{digits}f} ± {scale * self.error:.{digits}f}"


def central_width(values: FloatArray, weights: FloatArray) -> Width | None:
    """Median and width of weighted values, None of too few.

    The error takes the n_eff = (sum w)^2 / sum w^2 values for normally distributed.
    """
    good = np.isfinite(values) & (weights > 0)
    if np.count_nonzero(good) < _FEWEST:
        return None
    order = np.argsort(values[good])
    ordered, weight = values[good][order], weights[good][order]
    middle = np.cumsum(weight) - weight / 2
    low, median, high = np.interp(_CENTRAL, middle / weight.sum(), ordered)
    width = (high - low) / 2
    n_effective = weight.sum() ** 2 / (weight**2).sum()
    return Width(float(median), float(width), float(_ERROR * width / np.sqrt(n_effective)))


def bins_of_equal_content(values: FloatArray, n_bins: int = 10) -> FloatArray:
    """Edges of bins with equally many values, fewer of few; none of none."""
    values = values[np.isfinite(values)]
    n_bins = min(n_bins, len(values) // (2 * _FEWEST))
    if n_bins < 1:
        return np.empty(0)
    return np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))


def widths_in_bins(
    residuals: FloatArray, weights: FloatArray, across: FloatArray, edges: FloatArray
) -> list[tuple[float, float, float, Width]]:
    """Ends and median of each bin with a width, and that."""
    found = []
    for low, high in pairwise(edges):
        chosen = (across >= low) & (across <= high)
        width = central_width(residuals[chosen], weights[chosen])
        if width is not None:
            middle = float(np.median(across[chosen]))
            found.append((float(low), middle, float(high), width))
    return found
