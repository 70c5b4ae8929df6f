"""The Z' of a gauged L_mu - L_tau, alone or as mediator to a Dirac fermion chi.

L = -g' Z'_a (mubar gamma^a mu - taubar gamma^a tau + left-handed neutrinos of both)
    - g_chi Z'_a chibar gamma^a chi

(He, Joshi, Lew, Volkas, Phys. Rev. D43 (1991) R22; normalisation of Belle II, arXiv:1912.11276).
Tree-level widths. Kinetic mixing at one loop, g'/69 at zero momentum (arXiv:1702.01497), is
neglected: e+e- would have 2e-5 of the decays below the dimuon threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from darkbelle.gen.models.base import Model
from darkbelle.gen.models.two_body import vector_to_dirac
from darkbelle.gen.particles import MASS_MU, MASS_TAU

__all__ = ["LmuLtau"]


@dataclass(frozen=True, slots=True)
class LmuLtau(Model):
    """Mass [GeV] and coupling of the Z', and mass and coupling of chi where there is one."""

    mass: float
    coupling: float
    m_chi: float | None = None
    g_chi: float = 0.0

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: mumu, tautau, each of the two neutrinos, chichi."""
        neutrino = self.coupling**2 * self.mass / (24 * math.pi)
        return {
            "mumu": vector_to_dirac(self.coupling, self.mass, MASS_MU),
            "tautau": vector_to_dirac(self.coupling, self.mass, MASS_TAU),
            "nu_mu": neutrino,
            "nu_tau": neutrino,
            "chichi": 0.0
            if self.m_chi is None
            else vector_to_dirac(self.g_chi, self.mass, self.m_chi),
        }
