"""e+e- -> e+e- away from the beams: exchange and annihilation of one photon at tree level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import two_body
from darkbelle.gen.particles import MASS_E
from darkbelle.gen.vacuum_polarisation import delta_alpha
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["Bhabha"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_NODE, _NODE_WEIGHT = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True, slots=True)
class Bhabha:
    """e-, e+ on their mass shell, with the cross-section of massless electrons.

    Attributes
    ----------
    theta_min
        Least angle between either particle and the beams [rad], much larger than m_e/sqrt(s).
    running
        Whether alpha runs, with t in the exchange and with s in the annihilation.
    threshold
        Least sqrt(s) [GeV]. After hard radiation by the beams light pairs are many, and boosted
        along the beams; a few GeV leave them out.
    """

    theta_min: float
    running: bool = True
    threshold: float = 2 * MASS_E

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Cross-section [fb] at the squared energies s [GeV^2], zero below threshold.

        By quadrature in ln(1 - c).
        """
        is_open = s > self.threshold**2
        cos_max = math.cos(self.theta_min)
        low, high = math.log(2 * math.sin(self.theta_min / 2) ** 2), math.log1p(cos_max)
        gap = np.exp(low + (high - low) * (_NODE + 1) / 2)
        density = self._density(np.where(is_open, s, 1.0)[:, None], gap)
        return np.where(is_open, density @ (_NODE_WEIGHT * gap) * (high - low) / 2, 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of e-, e+, shape (2, 4, n), and weights [fb], one event at each s [GeV^2]."""
        n = len(s)
        low, high = self._inverse_gaps()
        gap = 1 / (low + (high - low) * rng.random(n))
        return self._events(s, gap, azimuths(n, rng))

    def at(self, s: FloatArray, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As `sample`, with the directions of events that were drawn at other energies."""
        _, px, py, pz = momenta[0]
        pt = np.hypot(px, py)
        return self._events(s, 2 * np.sin(np.arctan2(pt, pz) / 2) ** 2, np.arctan2(py, px))

    def resolves(self, momenta: FloatArray, cos_theta: FloatArray) -> BoolArray:
        """Whether photons of these polar cosines leave closer to a beam than the electron.

        The soft photons of both particles before and after the scattering together depend on
        ln(s t/(u m_e^2)) instead of ln(s/m_e^2) (Jadach, Richter-Was, Ward and Was, Comput. Phys.
        Commun. 70 (1992) 305), t/u = tan^2(theta/2): their rapidities are those left here.
        """
        _, px, py, pz = momenta[0]
        resolves: BoolArray = np.abs(cos_theta) * np.hypot(np.hypot(px, py), pz) > pz
        return resolves

    def _inverse_gaps(self) -> tuple[float, float]:
        """Ends of 1/(1 - c), in which the 1/(1 - c)^2 of the exchange is flat."""
        return 1 / (1 + math.cos(self.theta_min)), 1 / (2 * math.sin(self.theta_min / 2) ** 2)

    def _events(
        self, s: FloatArray, gap: FloatArray, phi: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Momenta and weights where 1 - c is proposed as in `sample`."""
        is_open = s > self.threshold**2
        s = np.where(is_open, s, self.threshold**2)
        low, high = self._inverse_gaps()
        weight = self._density(s, gap) * gap**2 * (high - low)
        pair = two_body(np.sqrt(s), MASS_E, MASS_E, 1 - gap, phi)
        return np.stack(pair), np.where(is_open, weight, 0.0)

    def _density(self, s: FloatArray, gap: FloatArray) -> FloatArray:
        """Differential cross-section in the electron's cosine c [fb], at gap = 1 - c.

        (pi alpha^2/s) [u^2 (1/s + 1/t)^2 + (t/s)^2 + (s/t)^2] (Peskin and Schroeder, problem 5.2)
        with each propagator times its 1/(1 - delta_alpha).
        """
        t_over_s = -gap / 2
        annihilation, exchange = np.ones_like(s), 1 / t_over_s
        if self.running:
            annihilation = 1 / (1 - delta_alpha(s))
            exchange = exchange / (1 - delta_alpha(s * t_over_s))
        bracket = (
            ((1 + t_over_s) * (annihilation + exchange)) ** 2
            + (t_over_s * annihilation) ** 2
            + exchange**2
        )
        return np.pi * ALPHA_EM**2 * HBAR_C2 / s * bracket
