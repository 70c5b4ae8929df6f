"""What publications mean by the width of a peak."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import curve_fit

__all__ = ["average_width", "full_width", "half_central", "lower_width"]

FloatArray = npt.NDArray[np.float64]


def half_central(values: FloatArray) -> float:
    """Half of the interval that leaves 15.87 % on either side."""
    low, high = np.quantile(values, [0.158655, 0.841345])
    return float(high - low) / 2


def full_width(values: FloatArray) -> float:
    """Full width at half maximum of a smoothed peak over 2.355."""
    centre, sigma = float(np.median(values)), half_central(values)
    content, edges = np.histogram(values, 160, (centre - 4 * sigma, centre + 4 * sigma))
    smooth = gaussian_filter1d(content.astype(np.float64), 5)
    middle, top = (edges[1:] + edges[:-1]) / 2, int(np.argmax(smooth))
    half = smooth[top] / 2
    left = np.interp(half, smooth[: top + 1], middle[: top + 1])
    right = np.interp(-half, -smooth[top:], middle[top:])
    return float(right - left) / 2.355


def lower_width(values: FloatArray) -> float:
    """Width below the peak of a Gaussian with two widths, fitted within 1.5 of them."""

    def peak(x: FloatArray, height: float, mode: float, below: float, above: float) -> FloatArray:
        return height * np.exp(-(((x - mode) / np.where(x < mode, below, above)) ** 2) / 2)

    found = np.array([1.0, np.median(values), *[half_central(values)] * 2])
    for _ in range(20):
        _, mode, below, above = found
        middle, content = _histogram(values, mode - 1.5 * below, mode + 1.5 * above, 40)
        found[0] = content.max()
        found, _ = curve_fit(peak, middle, content, found, np.sqrt(content + 1))
        found[2:] = np.abs(found[2:])
    return float(found[2])


def average_width(values: FloatArray, low: float, high: float) -> float:
    """Mean of the widths of two Gaussians about one point, by their areas, within limits."""

    def peaks(
        x: FloatArray, area: float, share: float, centre: float, narrow: float, wide: float
    ) -> FloatArray:
        parts = ((share, narrow), (1 - share, wide))
        return area * sum(a / s * np.exp(-(((x - centre) / s) ** 2) / 2) for a, s in parts)

    middle, content = _histogram(values, low, high, 120)
    guess = half_central(values[(values > low) & (values < high)])
    start = (content.max() * guess, 0.8, np.median(values), 0.7 * guess, 2.5 * guess)
    limits = ([0, 0, low, 0.2 * guess, 0.2 * guess], [np.inf, 1, high, 2 * guess, high - low])
    (_, share, _, narrow, wide), _ = curve_fit(
        peaks, middle, content, start, np.sqrt(content + 1), bounds=limits, x_scale="jac"
    )
    return float(share * narrow + (1 - share) * wide)


def _histogram(
    values: FloatArray, low: float, high: float, n: int
) -> tuple[FloatArray, FloatArray]:
    """Middles and contents of bins."""
    content, edges = np.histogram(values, n, (low, high))
    return (edges[1:] + edges[:-1]) / 2, content.astype(np.float64)
