"""Vacuum polarisation by leptons and hadrons: how the fine-structure constant runs.

alpha(q^2) = alpha/(1 - delta_alpha(q^2)), with the real part only; its imaginary part adds less
than 2e-4 to a cross-section at 10 GeV. Narrow hadronic resonances are left out.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.units import ALPHA_EM

__all__ = ["delta_alpha", "hadronic", "leptonic", "running_factor"]

FloatArray = npt.NDArray[np.float64]

# A + B ln(1 + C |q^2|) between the edges of |q| [GeV]: Burkhardt and Pietrzyk, Phys. Lett. B513
# (2001) 46; good to 5 % away from the resonances.
_EDGES2: Final = np.array([0.7, 2.0, 4.0, 10.0]) ** 2
_A: Final = np.array([0.0, 0.0, 0.0, 0.0, 0.0010485])
_B: Final = np.array([0.0023092, 0.0022333, 0.0024402, 0.0027340, 0.0029431])
_C: Final = np.array([3.9925370, 4.2191779, 3.2496684, 2.0995092, 1.0])

_SERIES_BELOW: Final = 0.02
"""q^2/(4 m^2) below which the closed form loses digits."""
_SERIES: Final = tuple(
    4.0**n * math.factorial(n + 1) ** 2 / (n * math.factorial(2 * n + 3)) for n in range(1, 8)
)


def delta_alpha(q2: FloatArray) -> FloatArray:
    """Leptonic and hadronic parts together, at q^2 [GeV^2] of either sign."""
    return leptonic(q2) + hadronic(q2)


def running_factor(q2: FloatArray) -> FloatArray:
    """1/(1 - delta_alpha)^2, on a cross-section that one photon of virtuality q^2 mediates."""
    return 1 / (1 - delta_alpha(q2)) ** 2


def leptonic(q2: FloatArray) -> FloatArray:
    """Electrons, muons and taus at one loop, at q^2 [GeV^2] of either sign."""
    electron, muon, tau = (_loop(q2 / (4 * m**2)) for m in (MASS_E, MASS_MU, MASS_TAU))
    return ALPHA_EM / (3 * np.pi) * (electron + muon + tau)


def hadronic(q2: FloatArray) -> FloatArray:
    """Hadrons at q^2 [GeV^2]; the parametrisation for space-like q^2 serves the time-like too."""
    size = np.abs(q2)
    piece = np.searchsorted(_EDGES2, size, side="right")
    shift: FloatArray = _A[piece] + _B[piece] * np.log1p(_C[piece] * size)
    return shift


def _loop(z: FloatArray) -> FloatArray:
    """Real part of one lepton's loop at z = q^2/(4 m^2), in units of alpha/(3 pi).

    6 times the integral over 0 < x < 1 of x (1 - x) ln|1 - 4 x (1 - x) z| (Peskin and Schroeder,
    eq. 7.90, on shell), in closed form or as its power series.
    """
    is_small = np.abs(z) < _SERIES_BELOW
    y = 1 / np.where(is_small, 1.0, z)
    root = np.sqrt(np.abs(1 - y))
    below_threshold = y > 1
    log = np.log((1 + root) ** 2 / np.abs(y))
    angle = 2 * np.arctan2(1.0, root)
    closed = -5 / 3 - y + (1 + y / 2) * root * np.where(below_threshold, angle, log)
    z = np.where(is_small, z, 0.0)
    series = np.zeros_like(z)
    for coefficient in reversed(_SERIES):
        series = z * (coefficient + series)
    return np.where(is_small, -6 * series, closed)
