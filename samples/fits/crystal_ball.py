"""The double-sided Crystal Ball: a Gaussian core with a power-law tail on either side.

Core and tail are those of T. Skwarnicki, DESY-F31-86-02 (1986), appendix E, on both sides with
parameters of their own. With t = (x - mean)/sigma,

    f = exp(-t^2/2)                               for -a_lo < t < a_hi,
    f = exp(-a^2/2) [1 + a (|t| - a)/n]^-n        beyond, with a, n of that side,

which is Skwarnicki's (n/a)^n exp(-a^2/2) (n/a - a + |t|)^-n without its large factors; f and its
first derivative are continuous. Integrated piece by piece,

    core   sqrt(pi/2) [erf(a_lo/sqrt(2)) + erf(a_hi/sqrt(2))],
    tail   exp(-a^2/2) n/(a (n - 1)), beyond |t| that times [1 + a (|t| - a)/n]^(1 - n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

__all__ = ["DoubleCrystalBall"]

FloatArray = npt.NDArray[np.float64]

_ROOT_2 = np.sqrt(2)
_ROOT_HALF_PI = np.sqrt(np.pi / 2)


@dataclass(frozen=True, slots=True)
class DoubleCrystalBall:
    """A normalised density; ``sigma`` and ``alpha_...`` are positive, ``n_...`` above one."""

    mean: float
    sigma: float
    alpha_lo: float
    """Where the lower tail begins, in units of sigma below the mean"""
    n_lo: float
    """Its power"""
    alpha_hi: float
    n_hi: float

    def pdf(self, x: npt.ArrayLike, within: tuple[float, float] | None = None) -> FloatArray:
        """Density at x, same shape.

        Its integral is one over all x, or over a range, outside of which it is zero. Of a tail with
        a power near one, as that of radiation, a fit in a range says little beyond it: normalise
        there.
        """
        t = (np.asarray(x, np.float64) - self.mean) / self.sigma
        core = np.exp(-(np.clip(t, -self.alpha_lo, self.alpha_hi) ** 2) / 2)
        lower = _fallen(-t, self.alpha_lo, self.n_lo, -self.n_lo)
        upper = _fallen(t, self.alpha_hi, self.n_hi, -self.n_hi)
        density: FloatArray = core * lower * upper / (self.sigma * self._whole)
        if within is None:
            return density
        low, high = self.cdf(np.array(within))
        is_inside = (np.asarray(x) >= within[0]) & (np.asarray(x) <= within[1])
        return np.where(is_inside, density / (high - low), 0.0)

    def cdf(self, x: npt.ArrayLike) -> FloatArray:
        """Integral up to x, same shape."""
        t = (np.asarray(x, np.float64) - self.mean) / self.sigma
        inside = np.clip(t, -self.alpha_lo, self.alpha_hi)
        lower = self._tail_lo * _fallen(-t, self.alpha_lo, self.n_lo, 1 - self.n_lo)
        core = _ROOT_HALF_PI * (erf(inside / _ROOT_2) + erf(self.alpha_lo / _ROOT_2))
        upper = self._tail_hi * (1 - _fallen(t, self.alpha_hi, self.n_hi, 1 - self.n_hi))
        integral: FloatArray = (lower + core + upper) / self._whole
        return integral

    @property
    def _tail_lo(self) -> float:
        return _tail(self.alpha_lo, self.n_lo)

    @property
    def _tail_hi(self) -> float:
        return _tail(self.alpha_hi, self.n_hi)

    @property
    def _whole(self) -> float:
        """Integral of f over t."""
        core = _ROOT_HALF_PI * (erf(self.alpha_lo / _ROOT_2) + erf(self.alpha_hi / _ROOT_2))
        return float(self._tail_lo + core + self._tail_hi)


def _fallen(t: FloatArray, alpha: float, n: float, power: float) -> FloatArray:
    """[1 + a (t - a)/n]^power beyond a, one below."""
    beyond = np.maximum(t - alpha, 0.0)
    fallen: FloatArray = np.exp(power * np.log1p(alpha / n * beyond))
    return fallen


def _tail(alpha: float, n: float) -> float:
    """Integral of a whole tail over t."""
    return float(np.exp(-(alpha**2) / 2) * n / (alpha * (n - 1)))
