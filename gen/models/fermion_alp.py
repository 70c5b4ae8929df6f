"""An axion-like particle that couples to all fermions alike, by its derivative.

L = (g/2) (d_m a) sum_f fbar gamma^m gamma5 f, g = c_ff/f_a; as Yukawa couplings, g m_f.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from darkbelle.gen.models.b_to_s import (
    CKM_TOP,
    MASS_W,
    TOP_POLE,
    EmittedByB,
    branching_fraction_of_b,
)
from darkbelle.gen.models.form_factors import BALL_ZWICKY, FormFactors
from darkbelle.gen.models.two_body import pseudoscalar_to_dirac
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.units import FERMI

__all__ = ["FermionCoupledAlp"]


@dataclass(frozen=True, slots=True)
class FermionCoupledAlp(EmittedByB):
    """Mass [GeV], coupling c_ff/f_a [1/GeV], and the scale [GeV] where it is universal.

    Of its decays only those into leptons are known here: above three pions, hadrons
    (arXiv:1811.03474) make it live shorter. Rates of B are uncertain by a factor of two:
    resummed logarithms (arXiv:2110.10698) halve them at a scale of 4 pi TeV.
    """

    mass: float
    coupling: float
    scale: float = 1000.0
    m_top: float = TOP_POLE
    form_factors: FormFactors = BALL_ZWICKY

    @property
    def b_to_s(self) -> float:
        """Size of g_bs [1/GeV] in L = -g_bs (d_m a) sbar gamma^m P_L b + h.c.

        sqrt2 G_F m_t^2 g/(8 pi^2) |V_tb V_ts*| [ln(scale^2/m_t^2)/2 - 1/4
        - (3/2)(1 - x + ln x)/(1 - x)^2], x = m_t^2/m_W^2, at one loop (arXiv:2012.12272).
        """
        x = (self.m_top / MASS_W) ** 2
        unit = math.sqrt(2) * FERMI * self.m_top**2 / (8 * math.pi**2)
        logarithm = math.log(self.scale / self.m_top)
        finite = -0.25 - 1.5 * (1 - x + math.log(x)) / (1 - x) ** 2
        return abs(unit * CKM_TOP * (logarithm + finite) * self.coupling)

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: ee, mumu, tautau."""
        leptons = {"ee": MASS_E, "mumu": MASS_MU, "tautau": MASS_TAU}
        return {
            mode: pseudoscalar_to_dirac(self.coupling * m, self.mass, m)
            for mode, m in leptons.items()
        }

    def fraction_of_b(self, kaon: int) -> float:
        """Branching fraction of B -> kaon a, cf. `branching_fraction_of_b`."""
        return branching_fraction_of_b(kaon, self.mass, self.b_to_s, self.form_factors)
