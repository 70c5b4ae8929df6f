"""Form factors and line shapes of the hadrons that taus decay to.

J. H. Kuehn and A. Santamaria, Z. Phys. C 48 (1990) 445, with their parameters; the K* has the width
of its P wave. Squared masses s and Q^2 in GeV^2; momenta of shape (4, n).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import breakup_momentum, dot
from darkbelle.gen.line_shapes import known_line_shape
from darkbelle.gen.particles import K_STAR, PION, species

__all__ = [
    "a1_line",
    "kaon_form_factor",
    "pion_form_factor",
    "three_pion_current",
    "three_pion_function",
    "transverse",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class _Resonance:
    """Mass and width [GeV]."""

    mass: float
    width: float


_RHO: Final = _Resonance(0.773, 0.145)
_RHO_1450: Final = _Resonance(1.370, 0.510)
_RHO_1450_SHARE: Final = -0.145
_A1: Final = _Resonance(1.251, 0.599)
_K_STAR: Final = known_line_shape(K_STAR)
_MASS_PION: Final = species(PION).mass or 0.0


def transverse(momentum: FloatArray, total: FloatArray) -> FloatArray:
    """The part of a momentum that is orthogonal to the total, shape (4, n)."""
    across: FloatArray = momentum - dot(total, momentum) / dot(total, total) * total
    return across


def pion_form_factor(
    s: FloatArray, first_mass: float = _MASS_PION, second_mass: float = _MASS_PION
) -> ComplexArray:
    """F of two pions of these masses [GeV]: rho and rho(1450), F(0) = 1 with massless pions."""
    momentum = breakup_momentum(np.sqrt(s), first_mass, second_mass)
    opening = momentum**3 / np.sqrt(s)
    rho, rho_1450 = (
        _propagator(s / own.mass**2, _pull(own, first_mass, second_mass) * opening)
        for own in (_RHO, _RHO_1450)
    )
    return (rho + _RHO_1450_SHARE * rho_1450) / (1 + _RHO_1450_SHARE)


def _propagator(ratio: FloatArray, pull: FloatArray) -> ComplexArray:
    """1/(1 - s/M^2 - i m Gamma/M^2), with s/M^2 and m Gamma/M^2."""
    inverse = np.empty(ratio.shape, np.complex128)
    inverse.real, inverse.imag = 1 - ratio, -pull
    return 1 / inverse


@lru_cache
def _pull(resonance: _Resonance, first_mass: float, second_mass: float) -> float:
    """What turns p^3/sqrt(s) into sqrt(s) Gamma(s)/M^2, Gamma(s) = Gamma (M^2/s)(p/p(M^2))^3."""
    on_shell = breakup_momentum(np.array(resonance.mass), first_mass, second_mass)
    return resonance.width / float(on_shell) ** 3


def kaon_form_factor(s: FloatArray, kaon_mass: float, pion_mass: float) -> ComplexArray:
    """K*(892)- alone, in a P wave with a barrier (Blatt, Weisskopf), 1 at s = 0."""
    shape = replace(_K_STAR, pair=(kaon_mass, pion_mass))
    width = shape.width_at(np.sqrt(s))
    return _propagator(s / shape.mass**2, width / shape.mass)


def three_pion_function(mass2: FloatArray) -> FloatArray:
    """How the phase space of a1 -> rho pi grows with Q^2: g(Q^2) of Kuehn and Santamaria."""
    above = mass2 - 9 * _MASS_PION**2
    near = 4.1 * above**3 * (1 - 3.3 * above + 5.8 * above**2)
    far = 1.623 * mass2 + 10.38 - 9.32 / mass2 + 0.65 / mass2**2
    return np.where(mass2 < (_RHO.mass + _MASS_PION) ** 2, near, far)


def a1_line(mass2: FloatArray) -> ComplexArray:
    """Propagator of the a1(1260), 1 at Q^2 = 0."""
    mass, width = _A1.mass, _A1.width
    running = width * three_pion_function(mass2) / three_pion_function(np.array(mass**2))
    return _propagator(mass2 / mass**2, running / mass)


def three_pion_current(first: FloatArray, second: FloatArray, odd: FloatArray) -> ComplexArray:
    """Of two equal pions and the odd one, but for `a1_line` and a constant, shape (4, n)."""
    total = first + second + odd
    towards_first, towards_second = transverse(first - odd, total), transverse(second - odd, total)
    s1, s2 = (_pair_mass2(one, odd) for one in (second, first))
    return towards_first * pion_form_factor(s2) + towards_second * pion_form_factor(s1)


def _pair_mass2(one: FloatArray, other: FloatArray) -> FloatArray:
    pair = one + other
    return dot(pair, pair)
