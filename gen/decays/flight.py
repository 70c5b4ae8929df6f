"""How far a particle flies before it decays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import invariant_mass
from darkbelle.units import C

__all__ = ["decay_points"]

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
    flight = np.stack([*(proper * momentum[1:]), proper * momentum[0] / C])
    end: FloatArray = start + flight
    return end
