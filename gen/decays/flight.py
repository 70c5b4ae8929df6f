"""How far a particle flies before it decays."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import exprel

from darkbelle.gen.kinematics import invariant_mass
from darkbelle.units import C

__all__ = ["decay_points", "favoured_decay_points", "mixed_decay_points"]

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


def mixed_decay_points(
    start: FloatArray,
    momentum: FloatArray,
    shortest: float,
    longest: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Ends of straight flights of all lifetimes in a range, and weights of those of the longest.

    Mean proper lengths are uniform in their logarithm, so that proper lengths l have the density
    q(l) = (exp(-l/longest) - exp(-l/shortest)) / (l log(longest/shortest)), the integral of
    exp(-l/c)/c over log c. The weight exp(-l/longest)/longest / q(l) has the mean one.

    Parameters
    ----------
    shortest, longest
        Ends of the range of mean proper decay lengths [cm].

    Returns
    -------
    end
        (x, y, z, t), shape (4, n).
    weight
        Shape (n,).
    """
    n, log_ratio = momentum.shape[1], math.log(longest / shortest)
    ctau = shortest * np.exp(log_ratio * rng.random(n))
    length = ctau * rng.standard_exponential(n)
    # l / (1 - exp(-l/scale)) is scale / exprel(-l/scale), exact for short and for long ones.
    scale = 1 / (1 / shortest - 1 / longest)
    weight = log_ratio * scale / longest / exprel(-length / scale)
    return _end(start, momentum, length / invariant_mass(momentum)), weight


def _end(start: FloatArray, momentum: FloatArray, proper: FloatArray) -> FloatArray:
    """Where and when flights end after some proper length over mass [cm/GeV]."""
    flight = np.stack([*(proper * momentum[1:]), proper * momentum[0] / C])
    end: FloatArray = start + flight
    return end
