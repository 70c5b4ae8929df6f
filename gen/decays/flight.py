"""How far a particle flies before it decays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from darkbelle.gen.kinematics import invariant_mass
from darkbelle.units import C

__all__ = ["MixedLifetimes", "decay_points", "favoured_decay_points"]

FloatArray = npt.NDArray[np.float64]


def decay_points(
    start: FloatArray, momentum: FloatArray, ctau: float | FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Exponentially distributed ends (x, y, z, t) of straight flights, shape (4, n).

    Parameters
    ----------
    start
        Production points (x, y, z, t) [cm, ns], shape (4, n).
    momentum
        Four-momenta [GeV], shape (4, n).
    ctau
        Mean proper decay length [cm], one for all or shape (n,).
    """
    proper = ctau * rng.standard_exponential(momentum.shape[1]) / invariant_mass(momentum)
    return _end(start, momentum, proper)


def favoured_decay_points(
    start: FloatArray,
    momentum: FloatArray,
    ctau: float,
    reach: float | None,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Ends of straight flights of which at least half are drawn within reach, and their weights.

    Where the mean length exceeds ``reach`` [cm], one half of the flights is exponential, the other
    uniform in length up to it; the weights, at most two, restore the exponential. Shorter flights,
    most of which end within reach anyhow, are exponential with weight one, and so are all without
    a reach.

    Returns
    -------
    end
        (x, y, z, t), shape (4, n).
    weight
        Shape (n,).
    """
    n = momentum.shape[1]
    if reach is None:
        return decay_points(start, momentum, ctau, rng), np.ones(n)
    size = np.sqrt(np.sum(momentum[1:] ** 2, axis=0))
    mean = ctau * size / invariant_mass(momentum)
    length, weight = mean * rng.standard_exponential(n), np.ones(n)
    far = np.flatnonzero(mean > reach)
    mean = mean[far]
    length[far] = np.where(rng.random(len(far)) < 0.5, length[far], reach * rng.random(len(far)))
    wanted = np.exp(-length[far] / mean) / mean
    drawn = (wanted + np.where(length[far] < reach, 1 / reach, 0.0)) / 2
    weight[far] = wanted / drawn
    return _end(start, momentum, length / size), weight


@dataclass(slots=True)
class MixedLifetimes:
    """Mean proper decay lengths of events, uniform in their logarithm, and what flew with them.

    All particles of one event share theirs, so that k of them with the proper lengths l_i and the
    sum S have the density, with L = log(longest/shortest) and Q the regularised incomplete gamma
    function,

        q = integral of c^-k exp(-S/c) d(log c) / L
          = Gamma(k) S^-k [Q(k, S/longest) - Q(k, S/shortest)] / L      (u = S/c).
    """

    shortest: float
    """Ends of the range [cm]"""
    longest: float
    ctau: FloatArray
    """Drawn mean proper decay lengths [cm], shape (n_events,)"""
    number: npt.NDArray[np.int64]
    """Of flights, shape (n_events,)"""
    length: FloatArray
    """Sum of their proper lengths [cm], shape (n_events,)"""

    @classmethod
    def draw(cls, shortest: float, longest: float, n: int, rng: np.random.Generator) -> Self:
        """For n events, before any flight."""
        ctau = shortest * np.exp(math.log(longest / shortest) * rng.random(n))
        return cls(shortest, longest, ctau, np.zeros(n, np.int64), np.zeros(n))

    def fly(
        self,
        start: FloatArray,
        momentum: FloatArray,
        events: npt.NDArray[np.integer],
        rng: np.random.Generator,
    ) -> FloatArray:
        """Ends (x, y, z, t) of flights of one particle in each of some events, shape (4, n).

        Parameters
        ----------
        start, momentum
            Production points [cm, ns] and four-momenta [GeV], shape (4, n).
        events
            Rows of the events, shape (n,), none twice.
        """
        length = self.ctau[events] * rng.standard_exponential(len(events))
        self.number[events] += 1
        self.length[events] += length
        return _end(start, momentum, length / invariant_mass(momentum))

    def weights(self) -> FloatArray:
        """Those of the longest lifetime, longest^-k exp(-S/longest) / q, mean one, (n_events,)."""
        weight = np.ones(len(self.length))
        for k in np.unique(self.number[self.number > 0]).tolist():
            rows = np.flatnonzero(self.number == k)
            weight[rows] = _mixture_weights(k, self.length[rows], self.shortest, self.longest)
        return weight


def _mixture_weights(k: int, length: FloatArray, shortest: float, longest: float) -> FloatArray:
    """Weights of k flights with some sum of proper lengths [cm], shape (n,).

    With x = S/longest, r = longest/shortest and y = (r - 1) x, the density q times longest^k
    exp(x) is, by u = x + v and the powers of that sum,

        x^-k / L integral_0^y (x + v)^(k-1) exp(-v) dv
            = 1/(k L) sum_(j=1)^k binom(k, j) (r - 1)^j g_j(y),   g_j(y) = j! P(j, y) / y^j,

    P being the lower regularised incomplete gamma function: all terms are positive and none has
    an exponential. g_j is one at zero, where the weight is k L / (r^k - 1).
    """
    excess = (longest - shortest) / shortest
    y = excess / longest * length
    is_short = y < 1e-7
    large = np.where(is_short, 1.0, y)
    total = np.zeros_like(length)
    for j in range(1, k + 1):
        share = np.where(
            is_short, 1 - j * y / (j + 1), math.factorial(j) * gammainc(j, large) / large**j
        )
        total += math.comb(k, j) * excess**j * share
    weight: FloatArray = k * math.log1p(excess) / total
    return weight


def _end(start: FloatArray, momentum: FloatArray, proper: FloatArray) -> FloatArray:
    """Where and when flights end after some proper length over mass [cm/GeV]."""
    flight = np.stack([*(proper * momentum[1:]), proper * momentum[0] / C])
    end: FloatArray = start + flight
    return end
