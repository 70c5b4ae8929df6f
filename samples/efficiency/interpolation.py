"""Between the points of a grid: cubic splines, with the error of straight lines nearby."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from darkbelle.errors import ConfigError

__all__ = ["Interpolated", "interpolate"]

FloatArray = npt.NDArray[np.float64]

_WITHIN: Final = np.arange(1, 6) / 6
"""Where in a cell, as shares of it, splines are held against straight lines."""


@dataclass(frozen=True, slots=True)
class Interpolated:
    """An efficiency between points, with its three errors."""

    eff: float
    stat: float
    """Of the points, propagated"""
    syst: float
    """Of the points, each systematic error fully correlated between them"""
    grid: float
    """Of the interpolation: how far a cubic spline is from straight lines, at most thereabouts"""

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
    rows are multiplied with the weights of the spline. The error of the interpolation is the
    greatest distance of the splines from straight lines in the cell and in those next to it: in the
    point itself they may cross. An axis does not add to it where the point is on one of its own.

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
    cubic = np.ones(n_rows)
    curved = straight = _on_grid(eff, [place for _, place in corners])
    for i, (name, (points, place)) in enumerate(zip(axes, corners, strict=True)):
        if not points[0] <= point[name] <= points[-1]:
            raise ConfigError(
                f"{name} = {point[name]:g} lies outside of the map, {points[0]:g} to {points[-1]:g}"
            )
        along, at = _scaled(points, point[name])
        cubic *= _cubic_weights(along, np.array([at]))[0, place]
        near = _nearby(along, at)
        curved = _along(i, _cubic_weights(along, near), curved)
        straight = _along(i, _linear_weights(along, near), straight)
    found, grid = float(cubic @ eff), float(np.abs(curved - straight).max())
    systematic = math.hypot(*(float(cubic @ shift) for shift in shifts.values()))
    statistical = math.sqrt(max(float(cubic @ stat_covariance @ cubic), 0.0))
    return Interpolated(min(max(found, 0.0), 1.0), statistical, systematic, grid)


def _on_grid(eff: FloatArray, places: Sequence[npt.NDArray[np.intp]]) -> FloatArray:
    """Rows of a full grid with an axis of their own for each coordinate."""
    grid = np.empty([int(place.max()) + 1 for place in places])
    grid[tuple(places)] = eff if places else eff[0]
    return grid


def _along(axis: int, weights: FloatArray, grid: FloatArray) -> FloatArray:
    """Sums with weights, (n, n_points), along one axis of a grid."""
    return np.moveaxis(np.tensordot(weights, grid, (1, axis)), 0, axis)


def _nearby(points: FloatArray, at: float) -> FloatArray:
    """Places in the cell of an axis and in those next to it; on a point itself that alone."""
    if np.any(points == at):
        return np.array([at])
    i = int(np.searchsorted(points, at))
    ends = points[max(i - 2, 0) : i + 2]
    inner: FloatArray = (ends[:-1, None] + np.diff(ends)[:, None] * _WITHIN).ravel()
    return np.append(inner, at)


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


def _linear_weights(points: FloatArray, at: FloatArray) -> FloatArray:
    """Of each point at some places, shape (n_places, n_points)."""
    return np.stack([np.interp(at, points, unit) for unit in np.eye(len(points))], axis=1)


def _cubic_weights(points: FloatArray, at: FloatArray) -> FloatArray:
    """Of a spline with continuous third derivatives next to its ends, fewer points a polynomial."""
    if len(points) == 1:
        return np.ones((len(at), 1))
    weights: FloatArray = CubicSpline(points, np.eye(len(points)))(at)
    return weights
