"""A heavy neutrino N that mixes with the tau neutrino alone, lighter than the tau.

Bondarenko, Boyarsky, Gorbunov, Ruchayskiy, arXiv:1805.08567; neutral mesons rederived from the
charged ones of the tau. With no other mixing, N decays by neutral currents alone. Some papers
write widths of Majorana neutrinos, which are twice as large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.models.alpha_s import alpha_s
from darkbelle.gen.models.base import Model, coupling_for_ctau
from darkbelle.gen.particles import (
    ETA,
    KAON,
    MASS_E,
    MASS_MU,
    MASS_TAU,
    PI0,
    PION,
    RHO,
    TAU,
    masses,
    species,
)
from darkbelle.units import FERMI, HBAR_C, SIN2_WEAK

__all__ = [
    "HeavyNeutrino",
    "exclusive_hadrons",
    "inclusive_hadrons",
    "neutral_current_integrals",
    "u2_for_ctau",
]

FloatArray = npt.NDArray[np.float64]

V_UD: Final = 0.97367
"""PDG 2024"""
F_PION: Final = 0.1302
"""Decay constants [GeV] of arXiv:1805.08567, those of vectors without their mass."""
F_RHO: Final = 0.2095

_PSEUDOSCALARS: Final = {"nupi0": (PI0, F_PION), "nueta": (ETA, 0.0817), "nuetap": (331, -0.0946)}
_VECTORS: Final = {
    "nurho": (113, F_RHO * (1 - 2 * SIN2_WEAK)),
    "nuomega": (223, 0.195 * (-2 * SIN2_WEAK / 3)),
    "nuphi": (333, 0.229 * -math.sqrt(2) * (0.5 - 2 * SIN2_WEAK / 3)),
}
_LEPTONS: Final = {"nuee": MASS_E, "numumu": MASS_MU}
_QUARKS: Final = ((2 / 3, 2.16e-3), (1 / 3, 4.7e-3), (1 / 3, 93.5e-3))
"""Sizes of charges and masses [GeV] of u, d and s (PDG 2024)."""
_INCLUSIVE_FROM: Final = 1.0
"""GeV; single mesons and quarks agree to 4 % there."""


@dataclass(frozen=True, slots=True)
class HeavyNeutrino(Model):
    """Mass [GeV] of N, |V_Ntau|^2, and whether it is its own antiparticle.

    A Majorana N decays as often to what its antiparticle would decay to: all its widths double.
    """

    mass: float
    u2_tau: float
    is_majorana: bool = False

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV].

        3nu, nuee, numumu; nupi0, nueta, nuetap, nurho, nuomega and nuphi below 1 GeV, all of them
        together as nuhadrons from there on. Hadrons are uncertain by 20 %.
        """
        is_inclusive = self.mass >= _INCLUSIVE_FROM
        exclusive = {
            mode: 0.0 if is_inclusive else width
            for mode, width in exclusive_hadrons(self.mass).items()
        }
        inclusive = inclusive_hadrons(self.mass) if is_inclusive else 0.0
        at_one = {
            "3nu": _unit(self.mass),
            **{mode: _to_pair(self.mass, 1.0, m) for mode, m in _LEPTONS.items()},
            **exclusive,
            "nuhadrons": inclusive,
        }
        factor = self.u2_tau * (2 if self.is_majorana else 1)
        return {mode: factor * width for mode, width in at_one.items()}

    def fraction_of_tau(self, meson: int) -> float:
        """Branching fraction of tau -> meson N, the meson being pi+ or a narrow rho+.

        u2 (G_F V_ud f)^2 m_tau^3/(16 pi) [(1 - y)^2 - z (1 + y)] sqrt(lambda(1, y, z)) for the
        pion, with (1 - y)^2 + z (1 + y - 2 z) for the rho, y = m_N^2/m_tau^2 and z that of the
        meson; without the electroweak correction, a factor of 1.02.
        """
        if meson not in (PION, RHO):
            raise ConfigError(f"tau decays to N with pdg_id {PION} or {RHO}, not {meson}")
        m_meson = _mass(meson)
        y, z = (self.mass / MASS_TAU) ** 2, (m_meson / MASS_TAU) ** 2
        momentum = float(breakup_momentum(np.array(MASS_TAU), self.mass, m_meson))
        if meson == PION:
            strength, bracket = F_PION, (1 - y) ** 2 - z * (1 + y)
        else:
            strength, bracket = F_RHO, (1 - y) ** 2 + z * (1 + y - 2 * z)
        unit = (FERMI * V_UD * strength) ** 2 * MASS_TAU**3 / (16 * math.pi)
        width = self.u2_tau * unit * bracket * 2 * momentum / MASS_TAU
        return width * species(TAU).ctau / HBAR_C


def u2_for_ctau(mass: float, ctau: float, *, is_majorana: bool = False) -> float:
    """|V_Ntau|^2 at which the mean proper decay length is ``ctau`` [cm]; cf. coupling_for_ctau."""
    return coupling_for_ctau(lambda u: HeavyNeutrino(mass, u**2, is_majorana), ctau) ** 2


def exclusive_hadrons(mass: float) -> dict[str, float]:
    """Widths [GeV] of a Dirac N into a neutrino and one neutral meson, at mixing one.

    (G_F f)^2 m_N^3 (1 - z)^2/(32 pi) for pseudoscalars, times 1 + 2 z for vectors, z = m^2/m_N^2.
    """
    widths = {}
    for mode, (meson, strength) in (_PSEUDOSCALARS | _VECTORS).items():
        z = min(_mass(meson) / mass, 1.0) ** 2
        polarisations = 1 + 2 * z if mode in _VECTORS else 1.0
        unit = (FERMI * strength) ** 2 * mass**3 / (32 * math.pi)
        widths[mode] = unit * (1 - z) ** 2 * polarisations
    return widths


def inclusive_hadrons(mass: float) -> float:
    """Width [GeV] of a Dirac N into a neutrino and light quarks, at mixing one.

    Corrected like the decays of the tau, and the strange quark for the mass of two kaons.
    """
    a = alpha_s(mass) / math.pi
    correction = 1 + a + 5.2 * a**2 + 26.4 * a**3
    up, down, strange = (_to_pair(mass, charge, m) for charge, m in _QUARKS)
    kaons = math.sqrt(max(1 - (2 * _mass(KAON) / mass) ** 2, 0.0))
    return 3 * correction * (up + down + kaons * strange)


def neutral_current_integrals(x: float) -> tuple[float, float]:
    """f1 and f2 of N -> nu f fbar, x = m_f/m_N: the width is C1 f1 + C2 f2 of that of 3 nu.

    Integrals over the squared mass s of f fbar in units of m_N^2, with b^2 = 1 - 4 x^2/s:
    f1 = Int (1 - s)^2 b [2 + 4 s - 4 x^2 (1 - 1/s)], f2 = 24 x^2 Int (1 - s)^2 b. They are the
    closed forms of arXiv:1805.08567, which cancel at the threshold; zero above it.
    """
    if x >= 0.5:
        return 0.0, 0.0
    # In the logarithm of s, whose square root is smooth at the threshold.
    root, weight = _nodes()
    length = -2 * math.log(2 * x)
    log_s = length * root**2
    s = 4 * x**2 * np.exp(log_s)
    measure = s * np.expm1(log_s - length) ** 2 * np.sqrt(-np.expm1(-log_s))
    measure *= 2 * length * root * weight
    first = float(np.sum(measure * (2 + 4 * s - 4 * x**2 * (1 - 1 / s))))
    return first, 24 * x**2 * float(np.sum(measure))


def _to_pair(mass: float, charge: float, m_fermion: float) -> float:
    """Width [GeV] at mixing one into nu f fbar, by the size of the charge of f; one colour."""
    f1, f2 = neutral_current_integrals(m_fermion / mass)
    right = charge * SIN2_WEAK
    left = 0.5 - right
    return _unit(mass) * ((left**2 + right**2) * f1 - left * right * f2)


def _unit(mass: float) -> float:
    """Width [GeV] at mixing one into three neutrinos: G_F^2 m_N^5/(192 pi^3)."""
    return FERMI**2 * mass**5 / (192 * math.pi**3)


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(48)
    return (x + 1) / 2, w / 2


def _mass(pdg_id: int) -> float:
    return float(masses(np.array([pdg_id], np.int32))[0])
