"""A scalar that mixes with the Higgs boson: L = -sin(theta) (m_f/v) S fbar f.

It decays like a dark Higgs boson without a dark sector. B -> K S: Winkler, arXiv:1809.01876;
Boiarska et al., arXiv:1904.10447; search by Belle II, arXiv:2306.02830.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from darkbelle.gen.models.b_to_s import (
    CKM_TOP,
    TOP_POLE,
    EmittedByB,
    branching_fraction_of_b,
)
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.form_factors import BALL_ZWICKY, FormFactors
from darkbelle.gen.particles import is_vector
from darkbelle.units import FERMI, HIGGS_VEV

__all__ = ["HiggsMixedScalar"]

_MASS_B: Final = 4.18
"""GeV, MSbar at that mass (PDG 2024); of it and m_s only the ratio matters."""
_MASS_S: Final = 0.0935
"""GeV, MSbar at 2 GeV (PDG 2024)."""


@dataclass(frozen=True, slots=True)
class HiggsMixedScalar(EmittedByB):
    """Mass [GeV] and mixing; mass of the top quark in the loop [GeV].

    The MSbar mass instead of the pole mass of the top quark makes all rates of B 21 % smaller.
    """

    mass: float
    sin_theta: float
    m_top: float = TOP_POLE
    form_factors: FormFactors = BALL_ZWICKY

    @property
    def xi(self) -> float:
        """Of L = (m_b/v) xi sin(theta) S sbar P_R b + h.c.

        3 sqrt2 G_F m_t^2 |V_tb V_ts*|/(16 pi^2) (arXiv:1904.10447).
        """
        return 3 * math.sqrt(2) * FERMI * self.m_top**2 * CKM_TOP / (16 * math.pi**2)

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV] by the modes of `DarkHiggs`; its dark ones are closed."""
        return DarkHiggs(self.mass, self.sin_theta).widths()

    def fraction_of_b(self, kaon: int) -> float:
        """Branching fraction of B -> kaon S, cf. `branching_fraction_of_b`."""
        quarks = _MASS_B + _MASS_S if is_vector(kaon) else _MASS_B - _MASS_S
        coupling = _MASS_B / HIGGS_VEV * self.xi * self.sin_theta / quarks
        return branching_fraction_of_b(kaon, self.mass, coupling, self.form_factors)
