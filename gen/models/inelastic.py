"""Inelastic dark matter: chi2 -> chi1 f fbar through a virtual dark photon.

L = i g_D A'_m chi1bar gamma^m chi2 and a dark Higgs boson of charge q_phi that gives mass to the
A' and splits chi1 from chi2 (Duerr, Ferber, Garcia-Cely, Hearty, Schmidt-Hoberg,
arXiv:2012.08595). The A' has to be heavier than the splitting, or chi2 -> chi1 A' is on shell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from darkbelle.gen.models.base import Model
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.dark_photon import VISIBLE, DarkPhoton, r_ratio, r_ratio_nodes
from darkbelle.units import ALPHA_EM

__all__ = ["InelasticDarkMatter", "epsilon_for_relic_variable"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class InelasticDarkMatter(Model):
    """Masses [GeV] and couplings; as a `Model` it is that of chi2.

    Attributes
    ----------
    m_chi1, delta
        Mass of chi1, and by how much chi2 is heavier [GeV].
    m_ap, epsilon
        Mass [GeV] and kinetic mixing of the A'.
    alpha_d
        g_D^2/4pi of A' chi1 chi2; widths are linear in it.
    q_phi
        Charge of the dark Higgs boson in units of g_D: 2 where it couples to chi chi.
    """

    m_chi1: float
    delta: float
    m_ap: float
    epsilon: float
    alpha_d: float
    q_phi: float = 2.0

    @property
    def m_chi2(self) -> float:
        """Mass of chi2 [GeV]."""
        return self.m_chi1 + self.delta

    @property
    def alpha_h(self) -> float:
        """(q_phi g_D)^2/4pi, with which the A' couples to the dark Higgs boson."""
        return self.q_phi**2 * self.alpha_d

    @property
    def yukawa(self) -> float:
        """Coupling y of (y/2) h' (chi1bar chi1 - chi2bar chi2): q_phi g_D delta/(2 m_ap)."""
        return self.q_phi * math.sqrt(4 * math.pi * self.alpha_d) * self.delta / (2 * self.m_ap)

    @property
    def relic_variable(self) -> float:
        """What the relic abundance depends on: y = epsilon^2 alpha_D (m_chi1/m_ap)^4."""
        return self.epsilon**2 * self.alpha_d * (self.m_chi1 / self.m_ap) ** 4

    @property
    def dark_photon(self) -> DarkPhoton:
        """The A' with all its decays."""
        return DarkPhoton(self.m_ap, self.epsilon, self.m_chi1, self.delta, self.alpha_d)

    def dark_higgs(self, mass: float, sin_theta: float) -> DarkHiggs:
        """The dark Higgs boson of mass [GeV] and mixing, with all its decays."""
        return DarkHiggs(
            mass, sin_theta, self.m_ap, self.alpha_h, self.epsilon, self.m_chi1, self.yukawa
        )

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV] of chi2 -> chi1 + ee, mumu, tautau or one of `HADRONS`."""
        return {mode: self._width(mode) for mode in VISIBLE}

    def differential_width(self, mode: str, q2: FloatArray) -> FloatArray:
        """dGamma/dq^2 [1/GeV] of chi2 -> chi1 + mode, q2 [GeV^2] the squared mass of the mode.

        Zero beyond delta^2 and below threshold; any shape. From the squared amplitude, with
        K = `r_ratio`: epsilon^2 alpha alpha_D/(12 pi m_chi2^3) sqrt(lambda(m_chi2^2, m_chi1^2,
        q^2)) (delta^2 - q^2) [(m_chi1 + m_chi2)^2 + 2 q^2] K(q^2)/(q^2 - m_ap^2)^2.
        """
        # Beyond delta^2 a harmless q2 stands in, whose rate is zero.
        q2 = np.minimum(q2, self.delta**2)
        total2, left = (2 * self.m_chi1 + self.delta) ** 2, self.delta**2 - q2
        unit = self.epsilon**2 * ALPHA_EM * self.alpha_d / (12 * math.pi * self.m_chi2**3)
        rate: FloatArray = (
            unit
            * np.sqrt(total2 - q2)
            * left**1.5
            * (total2 + 2 * q2)
            * r_ratio(mode, np.sqrt(q2))
            / (q2 - self.m_ap**2) ** 2
        )
        return rate

    def _width(self, mode: str) -> float:
        """Integral over q^2, a panel between any two nodes of the ratio."""
        edges = np.unique(np.minimum(r_ratio_nodes(mode), self.delta))
        q, weight = _panels(edges)
        return float(np.sum(self.differential_width(mode, q**2) * 2 * q * weight))


def epsilon_for_relic_variable(y: float, alpha_d: float, mass_ratio: float) -> float:
    """Mixing at which epsilon^2 alpha_D (m_chi1/m_ap)^4 = y, ``mass_ratio`` being m_ap/m_chi1."""
    return math.sqrt(y / alpha_d) * mass_ratio**2


def _panels(edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Nodes q and weights of a quadrature in q between the edges, shape (n_panels, n_nodes).

    Gauss-Legendre in the angle of ln(q), which half powers at the ends of a panel do not disturb.
    """
    angle, weight = _nodes()
    low, length = np.log(edges[:-1, None]), np.log(edges[1:] / edges[:-1])[:, None]
    q = np.exp(low + length * np.sin(angle / 2) ** 2)
    return q, q * length * np.sin(angle) / 2 * weight


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [0, pi]; 32 give the widths into electrons to 1e-9."""
    x, w = np.polynomial.legendre.leggauss(32)
    return np.pi / 2 * (x + 1), np.pi / 2 * w
