"""Fits of a double-sided Crystal Ball to weighted values."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from darkbelle.errors import ConfigError
from darkbelle.extras import needed_for
from darkbelle.samples.fits.crystal_ball import DoubleCrystalBall

__all__ = ["PARAMETERS", "ShapeFit", "fit_shape"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

PARAMETERS: Final = tuple(one.name for one in fields(DoubleCrystalBall))
_BOUNDS: Final = {
    "alpha_lo": (0.2, 5.0),
    "n_lo": (1.05, 50.0),
    "alpha_hi": (0.2, 5.0),
    "n_hi": (1.05, 50.0),
}
_N_BINS: Final = 400
"""Of the fit: many in the width of a peak, so that they cost no precision."""
_HALF_WIDTHS: Final = 8.0
"""That are fitted on either side of the median if no range is given."""
_FEWEST_EFFECTIVE: Final = 100.0
_FEWEST_IN_BIN: Final = 20.0
"""Effective events in each bin of the test of the fit."""
_STEP: Final = 1e-4
"""Of derivatives, as a share of the standard deviation of a parameter."""


@dataclass(frozen=True, slots=True, eq=False)
class ShapeFit:
    """A fitted shape, and how well it does."""

    shape: DoubleCrystalBall
    covariance: FloatArray
    """Of its parameters in the order of `PARAMETERS`, shape (6, 6); zero where one is at its bound,
    a tail that is Gaussian or that is all of the side"""
    edges: FloatArray
    """Of the bins that were fitted, shape (n_bins + 1,)"""
    content: FloatArray
    """Sums of weights, shape (n_bins,)"""
    variance: FloatArray
    """Sums of squared weights, shape (n_bins,)"""

    @property
    def errors(self) -> FloatArray:
        """Standard deviations of the parameters, shape (6,)."""
        errors: FloatArray = np.sqrt(np.diag(self.covariance))
        return errors

    @property
    def n_effective(self) -> float:
        """(sum w)^2 / sum w^2 of the weights that were fitted."""
        return float(self.content.sum() ** 2 / self.variance.sum())

    @property
    def expected(self) -> FloatArray:
        """What the shape expects in the bins, with the sum of the content, shape (n_bins,)."""
        expected: FloatArray = self.content.sum() * _shares(self.shape, self.edges)
        return expected

    def chi2(self) -> tuple[float, int]:
        """Chi^2 and degrees of freedom, in bins joined to hold 20 effective events at least.

        The variance in a joined bin is what the shape expects times the mean weight there, sum w^2
        / sum w.
        """
        expected = self.expected
        filled = self.variance > 0
        effective = np.zeros_like(expected)
        effective[filled] = self.content[filled] ** 2 / self.variance[filled]
        group = np.floor(np.cumsum(effective) / _FEWEST_IN_BIN).astype(np.int64)
        group = np.unique(np.minimum(group, max(group[-1] - 1, 0)), return_inverse=True)[1]
        joined, predicted, squares = (
            np.bincount(group, values) for values in (self.content, expected, self.variance)
        )
        chi2 = float(np.sum((joined - predicted) ** 2 * joined / (predicted * squares)))
        n_free = int(np.count_nonzero(np.diag(self.covariance)))
        return chi2, max(len(joined) - 1 - n_free, 0)

    @property
    def p_value(self) -> float:
        """Probability of a chi^2 as large."""
        chi2, n_free = self.chi2()
        return float(chdtrc(n_free, chi2)) if n_free else 1.0


def fit_shape(
    values: FloatArray, weights: FloatArray, within: tuple[float, float] | None = None
) -> ShapeFit:
    """Fit a double-sided Crystal Ball to weighted values.

    Parameters
    ----------
    values, weights
        Shape (n,); NaN is left out.
    within
        The range to fit, in which the density is normalised; if not given, eight half-widths (of
        the central 68 %) on either side of the median.

    Raises
    ------
    ConfigError
        Fewer than 100 effective events in the range, or a fit that does not converge.

    Notes
    -----
    Fitted are 400 bins, by the likelihood of their shares, in which weights stand for numbers of
    events. Errors are those of the sandwich H^-1 C H^-1 with the Hessian H of the weighted
    likelihood and C = sum of w^2 times the products of first derivatives, which holds for any
    weights where there are many (arXiv:1911.01303, eq. 18).
    """
    good = np.isfinite(values)
    values, weights = values[good], weights[good]
    low, middle, high = _quantiles(values, weights)
    if within is None:
        reach = _HALF_WIDTHS * (high - low) / 2
        within = middle - reach, middle + reach
    edges = np.linspace(*within, _N_BINS + 1)
    content = np.histogram(values, edges, weights=weights)[0]
    variance = np.histogram(values, edges, weights=weights**2)[0]
    n_effective = content.sum() ** 2 / variance.sum() if variance.sum() > 0 else 0.0
    if n_effective < _FEWEST_EFFECTIVE:
        raise ConfigError(
            f"a shape needs {_FEWEST_EFFECTIVE:g} effective events between {within[0]:.4g} and "
            f"{within[1]:.4g}, there are {n_effective:.3g}: produce more, or select less"
        )
    start = DoubleCrystalBall(middle, (high - low) / 2, 1.5, 5.0, 1.5, 5.0)
    scale = content.sum() / variance.sum()  # so that Minuit's own errors have the right size
    shape, inverse, free = _minimise(scale * content, edges, start)
    covariance = _sandwich(shape, inverse, free, edges, scale**2 * variance)
    return ShapeFit(shape, covariance, edges, content, variance)


def _quantiles(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Where 15.87, 50 and 84.13 % of the weights lie below, shape (3,)."""
    if len(values) == 0 or weights.sum() <= 0:
        raise ConfigError("a shape needs events, there are none that pass")
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    found: FloatArray = np.interp(
        np.array([0.1587, 0.5, 0.8413]) * cumulative[-1], cumulative, values[order]
    )
    return found


def _shares(shape: DoubleCrystalBall, edges: FloatArray) -> FloatArray:
    """Share of each bin of what the shape has in all of them."""
    integral = shape.cdf(edges)
    shares: FloatArray = np.maximum(np.diff(integral), 1e-300) / (integral[-1] - integral[0])
    return shares


def _minimise(
    content: FloatArray, edges: FloatArray, start: DoubleCrystalBall
) -> tuple[DoubleCrystalBall, FloatArray, BoolArray]:
    """The best shape, the inverse of the Hessian of its free parameters, and which are free.

    What ends at a bound is kept there, and the others are fitted again.
    """
    with needed_for("fits of shapes", "fit"):
        from iminuit import Minuit

    def cost(*parameters: float) -> float:
        return float(-content @ np.log(_shares(DoubleCrystalBall(*parameters), edges)))

    minuit = Minuit(cost, *astuple(start), name=PARAMETERS)
    minuit.errordef = Minuit.LIKELIHOOD
    minuit.limits["mean"] = (edges[0], edges[-1])
    minuit.limits["sigma"] = (1e-3 * start.sigma, edges[-1] - edges[0])
    for name, bounds in _BOUNDS.items():
        minuit.limits[name] = bounds
    for _ in PARAMETERS:
        minuit.migrad()
        stuck = [name for name in _BOUNDS if not minuit.fixed[name] and _is_stuck(minuit, name)]
        for name in stuck:
            minuit.fixed[name] = True
        if not stuck:
            break
    minuit.hesse()
    if not (minuit.valid and minuit.covariance is not None):
        raise ConfigError("the fit of a shape does not converge: give another range to fit")
    free = ~np.array([minuit.fixed[name] for name in PARAMETERS])
    inverse = np.array(minuit.covariance)[np.ix_(free, free)]
    return DoubleCrystalBall(*minuit.values), inverse, free


def _is_stuck(minuit: object, name: str) -> bool:
    """Whether a parameter is at one of its bounds, or its error reaches beyond the upper one."""
    value, error = minuit.values[name], minuit.errors[name]  # type: ignore[attr-defined]
    low, high = _BOUNDS[name]
    return bool(value - low < 1e-3 * low or high - value < 1e-2 * high or error > high - low)


def _sandwich(
    shape: DoubleCrystalBall,
    inverse: FloatArray,
    free: BoolArray,
    edges: FloatArray,
    squares: FloatArray,
) -> FloatArray:
    """H^-1 C H^-1 of the free parameters, zero for the others, shape (6, 6)."""
    best = np.array(astuple(shape))
    slopes = []
    for i, step in zip(np.flatnonzero(free), _STEP * np.sqrt(np.diag(inverse)), strict=True):
        ends = []
        for sign in (1, -1):
            moved = best.copy()
            moved[i] += sign * step
            ends.append(np.log(_shares(DoubleCrystalBall(*moved), edges)))
        slopes.append((ends[0] - ends[1]) / (2 * step))
    slope = np.array(slopes)
    covariance = np.zeros((len(best), len(best)))
    covariance[np.ix_(free, free)] = inverse @ (slope * squares) @ slope.T @ inverse
    return covariance
