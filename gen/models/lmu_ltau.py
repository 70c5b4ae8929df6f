"""The Z' of a gauged L_mu - L_tau, alone or as mediator to a Dirac fermion chi.

L = -g' Z'_a (mubar gamma^a mu - taubar gamma^a tau + left-handed neutrinos of both)
    - g_chi Z'_a chibar gamma^a chi

(He, Joshi, Lew, Volkas, Phys. Rev. D43 (1991) R22; normalisation of Belle II, arXiv:1912.11276).
Tree-level widths; kinetic mixing at one loop is neglected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from darkbelle.gen.particles import MASS_MU, MASS_TAU
from darkbelle.units import HBAR_C

__all__ = ["LmuLtau"]


def _dirac_width(coupling: float, mass: float, fermion_mass: float) -> float:
    """Width of a vector to a Dirac pair [GeV], zero below threshold."""
    if mass <= 2 * fermion_mass:
        return 0.0
    r = (fermion_mass / mass) ** 2
    return coupling**2 * mass / (12 * math.pi) * (1 + 2 * r) * math.sqrt(1 - 4 * r)


@dataclass(frozen=True, slots=True)
class LmuLtau:
    """Mass [GeV] and coupling of the Z', and mass and coupling of chi where there is one."""

    mass: float
    coupling: float
    m_chi: float | None = None
    g_chi: float = 0.0

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: mumu, tautau, each of the two neutrinos, chichi."""
        neutrino = self.coupling**2 * self.mass / (24 * math.pi)
        return {
            "mumu": _dirac_width(self.coupling, self.mass, MASS_MU),
            "tautau": _dirac_width(self.coupling, self.mass, MASS_TAU),
            "nu_mu": neutrino,
            "nu_tau": neutrino,
            "chichi": 0.0
            if self.m_chi is None
            else _dirac_width(self.g_chi, self.mass, self.m_chi),
        }

    @property
    def width(self) -> float:
        """Total width [GeV]."""
        return sum(self.widths().values())

    @property
    def ctau(self) -> float:
        """Mean proper decay length [cm]."""
        return HBAR_C / self.width

    def branching_fraction(self, *modes: str) -> float:
        """Sum of the branching fractions of some modes."""
        widths = self.widths()
        return sum(widths[mode] for mode in modes) / self.width
