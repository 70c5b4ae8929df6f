"""An axion-like particle that couples to W bosons: L = -(g/4) a W^b Wtilde^b.

Izaguirre, Lin, Shuve, arXiv:1611.09355; searches by BaBar, arXiv:2111.01800, and Belle,
arXiv:2507.01249.
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
from darkbelle.gen.models.two_body import to_photons
from darkbelle.units import FERMI, SIN2_WEAK

__all__ = ["WCoupledAlp", "w_loop"]


@dataclass(frozen=True, slots=True)
class WCoupledAlp(EmittedByB):
    """Mass [GeV] and coupling g [1/GeV]; mass of the top quark in the loop [GeV].

    The MSbar mass instead of the pole mass of the top quark makes all rates of B 11 % smaller.
    """

    mass: float
    coupling: float
    m_top: float = TOP_POLE
    form_factors: FormFactors = BALL_ZWICKY

    @property
    def b_to_s(self) -> float:
        """Size of g_bs [1/GeV] in L = -g_bs (d_m a) sbar gamma^m P_L b + h.c.

        3 sqrt2 G_F m_W^2 g/(16 pi^2) |V_tb V_ts*| f(m_t^2/m_W^2) (arXiv:1611.09355); up and
        charm quarks, 2e-4 of it, are left out.
        """
        unit = 3 * math.sqrt(2) * FERMI * MASS_W**2 / (16 * math.pi**2)
        return unit * CKM_TOP * w_loop((self.m_top / MASS_W) ** 2) * self.coupling

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: gammagamma, of the coupling g sin^2(theta_W)."""
        return {"gammagamma": to_photons(SIN2_WEAK * self.coupling, self.mass)}

    def fraction_of_b(self, kaon: int) -> float:
        """Branching fraction of B -> kaon a, cf. `branching_fraction_of_b`."""
        return branching_fraction_of_b(kaon, self.mass, self.b_to_s, self.form_factors)


def w_loop(x: float) -> float:
    """f(x) = x [1 + x (ln x - 1)]/(1 - x)^2 of a quark with m^2 = x m_W^2, x not one."""
    return x * (1 + x * (math.log(x) - 1)) / (1 - x) ** 2
