"""A dark Higgs boson h' that mixes with the Higgs boson, and gives its mass to a dark photon.

L = -sin(theta) (m_f/v) h' fbar f + g_h m_ap h' A'A' + (y/2) h' chi1bar chi1, alpha_h = g_h^2/4pi.

Leptons by the closed formula; hadrons up to 2 GeV by the dispersive analysis of Winkler,
arXiv:1809.01876, above it perturbative and uncertain by a factor of two. Dark sector: Batell,
Pospelov, Ritz, arXiv:0903.0363; Duerr et al., arXiv:2012.08595.

Left out: h' -> chi2 chi2; h' -> A' A'* between m_ap and 2 m_ap; the interference of mixing with
the loop of two A', which at epsilon = 1e-3, alpha_h = 0.1 and m_ap = 1 GeV is to leptons what
sin(theta) = 1e-6 is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.models.base import Model
from darkbelle.gen.models.tabulated import Opening, TabulatedChannel, columns
from darkbelle.gen.models.two_body import scalar_to_dirac, velocity
from darkbelle.gen.particles import K_S, KAON, MASS_E, MASS_MU, MASS_TAU, PION, masses
from darkbelle.units import ALPHA_EM, HIGGS_VEV

__all__ = ["DarkHiggs", "triangle_integral"]

FloatArray = npt.NDArray[np.float64]

_LEPTONS: Final = {"ee": MASS_E, "mumu": MASS_MU, "tautau": MASS_TAU}
_EXCLUSIVE: Final = ("pipi", "pi0pi0", "KK", "K0K0", "4pi")
_PERTURBATIVE: Final = ("gg", "ss", "cc")
_D_ZERO: Final = 421
_D_PLUS: Final = 411
_EXCLUSIVE_TO: Final = 2.0
"""GeV"""


@dataclass(frozen=True, slots=True)
class DarkHiggs(Model):
    """Masses [GeV] and couplings of the h' and of the dark states, where these exist.

    Attributes
    ----------
    mass, sin_theta
        Mass of the h' [GeV], and its mixing.
    m_ap, alpha_h, epsilon
        Mass of the A' [GeV], g_h^2/4pi, and the mixing of the A', by which the loop of two A'
        reaches leptons (as epsilon^4).
    m_chi1, yukawa
        Mass of the Majorana chi1 [GeV], and y.
    """

    mass: float
    sin_theta: float
    m_ap: float | None = None
    alpha_h: float = 0.0
    epsilon: float = 0.0
    m_chi1: float | None = None
    yukawa: float = 0.0

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV].

        Leptons ee, mumu, tautau; pipi (charged), pi0pi0, KK (charged), K0K0 and 4pi (any) up to
        2 GeV, gg, ss and cc above it; apap, chi1chi1.
        """
        leptons = {
            mode: scalar_to_dirac(self.sin_theta * m / HIGGS_VEV, self.mass, m) + self._loop(m)
            for mode, m in _LEPTONS.items()
        }
        hadrons = {
            mode: self.sin_theta**2 * _hadronic_width(mode, self.mass)
            for mode in (*_EXCLUSIVE, *_PERTURBATIVE)
        }
        return leptons | hadrons | {"apap": self._to_dark_photons(), "chi1chi1": self._to_chi()}

    def _to_dark_photons(self) -> float:
        """alpha_h M^3/(8 m_ap^2) beta (1 - 4r + 12r^2), r = (m_ap/M)^2."""
        if self.m_ap is None or self.mass <= 2 * self.m_ap:
            return 0.0
        beta, r = velocity(self.mass, self.m_ap), (self.m_ap / self.mass) ** 2
        return self.alpha_h * self.mass / (8 * r) * beta * (beta**2 + 12 * r**2)

    def _to_chi(self) -> float:
        """y^2 M beta^3/(16 pi): half of a Dirac pair."""
        return (
            0.0 if self.m_chi1 is None else scalar_to_dirac(self.yukawa, self.mass, self.m_chi1) / 2
        )

    def _loop(self, m_lepton: float) -> float:
        """Into leptons by a loop of two A', below m_ap; arXiv:0903.0363, rederived.

        alpha_h alpha^2 epsilon^4 M/(2 pi^2) (m_l/m_ap)^2 beta^3 I^2.
        """
        if self.m_ap is None or self.mass >= self.m_ap:
            return 0.0
        integral = triangle_integral(self.mass, m_lepton, self.m_ap)
        coupling = 2 * ALPHA_EM * self.epsilon**2 * m_lepton / self.m_ap * integral
        return scalar_to_dirac(coupling * math.sqrt(self.alpha_h / math.pi), self.mass, m_lepton)


def triangle_integral(mass: float, m_lepton: float, m_ap: float) -> float:
    """I of h' -> l+ l- by a loop of two A', for mass < 2 m_ap.

    Int dy dz (2 - y - z)/[(1 - y - z)^2 m_l^2/m_ap^2 + y + z - y z M^2/m_ap^2] over the triangle
    y + z < 1; with s = y + z, what is left of it over y/s is an arctangent.
    """
    root, weight = _nodes()
    s = root**2
    c = (1 - s) ** 2 * (m_lepton / m_ap) ** 2 + s
    d = (s * mass / m_ap) ** 2
    tangent = np.sqrt(d / (4 * c - d))
    inner = 4 / (4 * c - d) * np.arctan(tangent) / tangent
    return float(np.sum(s * (2 - s) * inner * 2 * root * weight))


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(64)
    return (x + 1) / 2, w / 2


def _hadronic_width(mode: str, mass: float) -> float:
    """At mixing 1 [GeV]; the ratio to its opening stays constant above the table, 4 GeV."""
    if (mode in _EXCLUSIVE) != (mass <= _EXCLUSIVE_TO):
        return 0.0
    return float(_hadrons()[mode](np.array(mass)))


@cache
def _hadrons() -> dict[str, TabulatedChannel]:
    codes = np.array([PION, KAON, K_S, _D_ZERO, _D_PLUS], np.int32)
    pion, kaon, kaon0, d_zero, d_plus = (float(m) for m in masses(codes))
    openings = {
        "pipi": Opening(2 * pion, 0.5),
        "pi0pi0": Opening(2 * pion, 0.5),  # half of the charged pions, in the limit of isospin
        "KK": Opening(2 * kaon, 0.5),
        "K0K0": Opening(2 * kaon0, 0.5),
        "4pi": Opening(4 * pion, 3.5),
        "gg": Opening(0.0, 0.0, rise=3.0),
        "ss": Opening(2 * kaon, 1.5, rise=1.0),
        "cc": Opening(d_zero + d_plus, 1.5, rise=1.0),
    }
    table = columns("dark_higgs")
    return {
        mode: TabulatedChannel.of(opening, table["mass"], table["width"] * table[mode])
        for mode, opening in openings.items()
    }
