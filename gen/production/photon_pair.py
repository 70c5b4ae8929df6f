"""e+e- -> gamma gamma away from the beams, at tree level with massless electrons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import two_body
from darkbelle.gen.particles import MASS_E
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["PhotonPair"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PhotonPair:
    """Two photons, neither the first in anything. The weights are constant at one energy.

    Attributes
    ----------
    theta_min
        Least angle between either photon and the beams [rad], much larger than m_e/sqrt(s).
    threshold
        Least sqrt(s) [GeV]. After hard radiation by the beams light pairs are many, and boosted
        along the beams; a few GeV leave them out.
    """

    theta_min: float
    threshold: float = 2 * MASS_E

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2], zero below threshold.

        The integral of (2 pi alpha^2/s)(1 + c^2)/(1 - c^2) over half of the directions (Peskin and
        Schroeder, eq. 5.107), since the photons are identical.
        """
        is_open = s > self.threshold**2
        scale = 2 * np.pi * ALPHA_EM**2 * HBAR_C2 * self._half_integral()
        return np.where(is_open, scale / np.where(is_open, s, 1.0), 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of the photons, shape (2, 4, n), and weights [fb], one event at each s."""
        n = len(s)
        target = (2 * rng.random(n) - 1) * self._half_integral()
        # The integral of the density is 2 eta - tanh(eta) in eta = artanh(c). Three Newton steps
        # invert it to rounding from a start that is right at both ends.
        eta = (target + np.tanh(target)) / 2
        for _ in range(3):
            cos_theta = np.tanh(eta)
            eta -= (2 * eta - cos_theta - target) / (1 + cos_theta**2)
        pair = two_body(np.sqrt(s), 0.0, 0.0, np.tanh(eta), azimuths(n, rng))
        return np.stack(pair), self.cross_section(s)

    def _half_integral(self) -> float:
        """Integral of (1 + c^2)/(1 - c^2) from 0 to cos(theta_min)."""
        cos_max = math.cos(self.theta_min)
        return 2 * math.atanh(cos_max) - cos_max
