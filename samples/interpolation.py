"""Between the points of a grid: cubic splines, with the error that a straight line would make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from darkbelle.errors import ConfigError

__all__ = ["Interpolated", "interpolate"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interpolated:
    """An efficiency between points, with its three errors."""

    eff: float
    stat: float
    """Of the points, propagated"""
    syst: float
    """Of the points, each systematic error fully correlated between them"""
    grid: float
    """Of the interpolation: how far a cubic spline is from straight lines"""

    @property
    def error(self) -> float:
        """All of them, in quadrature."""
        return math.hypot(self.stat, self.syst, self.grid)

    def __str__(self) -> str:
        parts = f"{self.stat:.2g} (stat) +- {self.syst:.2g} (syst) +- {self.grid:.2g} (grid)"
        return f"{self.eff:.4g} +- {parts}"


def interpolate(
    axes: Mapping[str, npt.NDArray[np.float64]],
    point: Mapping[str, float],
    eff: FloatArray,
    stat_covariance: FloatArray,
    shifts: Mapping[str, FloatArray],
) -> Interpolated:
    """Interpolate rows of a full grid, shape (n_rows,) each, at a point.

    The statistical errors have a covariance, shape (n_rows, n_rows).

    Splines and straight lines are sums of the rows with weights, products of those of each axis. An
    axis counts by its logarithm where its points are more evenly spaced in that. The errors of the
    rows are multiplied with the weights of the spline; what that adds to straight lines is taken
    for the error of the interpolation, which it is not less than where the curvature varies slowly.

    Raises
    ------
    ConfigError
        A point outside of the axes, or rows that are no full grid.
    """
    n_rows = len(eff)
    corners = [np.unique(values, return_inverse=True) for values in axes.values()]
    _check_grid(axes, [len(points) for points, _ in corners], n_rows)
    if not np.all(np.isfinite(eff)):
        raise ConfigError("a row has no events, choose others with where(...)")
    linear, cubic = np.ones(n_rows), np.ones(n_rows)
    for name, (points, place) in zip(axes, corners, strict=True):
        if not points[0] <= point[name] <= points[-1]:
            raise ConfigError(
                f"{name} = {point[name]:g} lies outside of the map, {points[0]:g} to {points[-1]:g}"
            )
        along, at = _scaled(points, point[name])
        linear *= _linear_weights(along, at)[place]
        cubic *= _cubic_weights(along, at)[place]
    found, straight = float(cubic @ eff), float(linear @ eff)
    systematic = math.hypot(*(float(cubic @ shift) for shift in shifts.values()))
    statistical = math.sqrt(max(float(cubic @ stat_covariance @ cubic), 0.0))
    return Interpolated(min(max(found, 0.0), 1.0), statistical, systematic, abs(found - straight))


def _check_grid(axes: Mapping[str, FloatArray], sizes: list[int], n_rows: int) -> None:
    """Refuse holes, and rows at the same place."""
    n_places = len(np.unique(np.stack([*axes.values()], axis=1), axis=0)) if axes else 1
    if n_places < n_rows:
        raise ConfigError(
            f"{n_rows - n_places + 1} rows of the map are at one point of {', '.join(axes) or 'it'}"
        )
    n_needed = reduce(int.__mul__, sizes, 1)
    if n_places < n_needed:
        raise ConfigError(
            f"{n_needed - n_places} points of the grid of {', '.join(axes)} are missing: "
            "choose rows that make a full one with where(...)"
        )


def _scaled(points: FloatArray, at: float) -> tuple[FloatArray, float]:
    """Points of an axis, or their logarithms where these are more evenly spaced."""
    if len(points) < 3 or points[0] <= 0:
        return points, at
    logs = np.log(points)
    steps, log_steps = np.diff(points), np.diff(logs)
    is_log = np.ptp(log_steps) / log_steps.mean() < np.ptp(steps) / steps.mean()
    return (logs, float(np.log(at))) if is_log else (points, at)


def _linear_weights(points: FloatArray, at: float) -> FloatArray:
    return np.array([np.interp(at, points, unit) for unit in np.eye(len(points))])


def _cubic_weights(points: FloatArray, at: float) -> FloatArray:
    """Of a spline with continuous third derivatives next to its ends, fewer points a polynomial."""
    if len(points) == 1:
        return np.ones(1)
    weights: FloatArray = CubicSpline(points, np.eye(len(points)))(at)
    return weights
