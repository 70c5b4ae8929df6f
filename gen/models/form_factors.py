"""Form factors of B -> K and B -> K* that decays into a spinless state depend on.

q_m <K|sbar gamma^m b|B> = (m_B^2 - m_K^2) f0(q^2);
|q_m <K*|sbar gamma^m gamma5 b|B>| = 2 m_K* A0(q^2) |e* q|, e the polarisation of the K*.

The two choices agree to 0.3 % in f0, and in A0 to 1.5 % at q^2 = 0 and to 25 % at 19 GeV^2;
their normalisation is uncertain by 10 % (f0) and 15 % (A0).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["BALL_ZWICKY", "Z_EXPANSION", "FormFactors", "Poles", "SeriesExpansion"]


@dataclass(frozen=True, slots=True)
class Poles:
    """Sum of residue/(1 - q^2/m^2) over pairs of a residue and a squared mass m^2 [GeV^2]."""

    terms: tuple[tuple[float, float], ...]

    def __call__(self, q2: float) -> float:
        """Value at q^2 [GeV^2]."""
        return sum(residue / (1 - q2 / m2) for residue, m2 in self.terms)


@dataclass(frozen=True, slots=True)
class SeriesExpansion:
    """Sum of a_k (z(q^2) - z(0))^k over 1 - q^2/m_R^2 (arXiv:1503.05534).

    z maps the plane of q^2, cut from (m_B + m_kaon)^2 on, into the unit disk.
    """

    coefficients: tuple[float, ...]
    m_resonance: float
    m_b: float
    m_kaon: float

    def __call__(self, q2: float) -> float:
        """Value at q^2 [GeV^2]."""
        shift = self._z(q2) - self._z(0.0)
        series = sum(a * shift**k for k, a in enumerate(self.coefficients))
        return series / (1 - q2 / self.m_resonance**2)

    def _z(self, q2: float) -> float:
        cut, end = (self.m_b + self.m_kaon) ** 2, (self.m_b - self.m_kaon) ** 2
        # The point that maps to zero halves the range of z.
        at_zero = math.sqrt(cut * math.sqrt(1 - end / cut))
        root = math.sqrt(cut - q2)
        return (root - at_zero) / (root + at_zero)


@dataclass(frozen=True, slots=True)
class FormFactors:
    """Of q^2 [GeV^2], f0 of B -> K and A0 of B -> K*."""

    f0: Callable[[float], float]
    a0: Callable[[float], float]


BALL_ZWICKY: Final = FormFactors(
    f0=Poles(((0.330, 37.46),)),
    a0=Poles(((1.364, 27.88), (-0.990, 36.78))),
)
"""Light-cone sum rules, hep-ph/0406232 (f0) and hep-ph/0412079 (A0), as in arXiv:1611.09355."""
Z_EXPANSION: Final = FormFactors(
    f0=SeriesExpansion((0.32909, 0.19512, -0.44613), 5.630, 5.27972, 0.497611),
    a0=SeriesExpansion((0.369196, -1.36584, 0.128191), 5.367, 5.27972, 0.89556),
)
"""Light-cone sum rules with lattice, arXiv:1811.00983 (f0) and arXiv:1503.05534 (A0)."""
