"""Scalars and pseudoscalars that couple to leptons: L = -g_l S lbar l, or -g_l a lbar i gamma5 l.

Leptophilic scalar: arXiv:1606.04943, BaBar arXiv:2005.01885. An axion-like particle with
(C/Lambda) d_m a lbar gamma^m gamma5 l is g_l = 2 m_l C/Lambda at tree level (arXiv:1708.00443).
Two photons by loops of the leptons alone: "The Higgs Hunter's Guide", chapter 2, appendix C.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from darkbelle.gen.models.base import Model
from darkbelle.gen.models.two_body import pseudoscalar_to_dirac, scalar_to_dirac, to_photons
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.units import ALPHA_EM, HIGGS_VEV

__all__ = ["LeptonicPseudoscalar", "LeptonicScalar"]

_LEPTONS: Final = {"ee": MASS_E, "mumu": MASS_MU, "tautau": MASS_TAU}
_SMALL: Final = 0.1
"""Below it, the closed forms of the loops cancel and their series converge."""
_SERIES: Final = tuple(4**n / (2 * n**2 * math.comb(2 * n, n)) for n in range(1, 20))
"""Of arcsin^2 sqrt(t) = t + t^2/3 + 8 t^3/45 + ..."""


@dataclass(frozen=True, slots=True)
class LeptonicScalar(Model):
    """Mass [GeV] of S and its couplings to e, mu, tau."""

    mass: float
    g_e: float
    g_mu: float
    g_tau: float

    @classmethod
    def muonphilic(cls, mass: float, coupling: float) -> LeptonicScalar:
        """Coupled to muons alone."""
        return cls(mass, 0.0, coupling, 0.0)

    @classmethod
    def leptophilic(cls, mass: float, xi: float) -> LeptonicScalar:
        """Coupled like the Higgs boson to every lepton, times xi."""
        g = xi / HIGGS_VEV
        return cls(mass, g * MASS_E, g * MASS_MU, g * MASS_TAU)

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: ee, mumu, tautau, gammagamma."""
        couplings = (self.g_e, self.g_mu, self.g_tau)
        return _widths(self.mass, couplings, scalar_to_dirac, _scalar_loop)


@dataclass(frozen=True, slots=True)
class LeptonicPseudoscalar(Model):
    """Mass [GeV] of a, its couplings to e, mu, tau, and whether these are derivative couplings."""

    mass: float
    g_e: float
    g_mu: float
    g_tau: float
    is_derivative: bool = False

    @classmethod
    def leptophilic(cls, mass: float, xi: float) -> LeptonicPseudoscalar:
        """Coupled to every lepton by xi m_l/v."""
        g = xi / HIGGS_VEV
        return cls(mass, g * MASS_E, g * MASS_MU, g * MASS_TAU)

    @classmethod
    def alp(cls, mass: float, coupling: float) -> LeptonicPseudoscalar:
        """Derivative coupling C/Lambda [1/GeV], the same for every lepton."""
        g = 2 * coupling
        return cls(mass, g * MASS_E, g * MASS_MU, g * MASS_TAU, is_derivative=True)

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: ee, mumu, tautau, gammagamma."""
        couplings = (self.g_e, self.g_mu, self.g_tau)
        loop = _derivative_loop if self.is_derivative else _pseudoscalar_loop
        return _widths(self.mass, couplings, pseudoscalar_to_dirac, loop)


def _widths(
    mass: float,
    couplings: tuple[float, float, float],
    to_leptons: Callable[[float, float, float], float],
    loop: Callable[[float], complex],
) -> dict[str, float]:
    """Leptons at tree level, and the photons of their loops."""
    widths = {
        mode: to_leptons(g, mass, m)
        for (mode, m), g in zip(_LEPTONS.items(), couplings, strict=True)
    }
    amplitude = sum(
        g / m * loop((mass / (2 * m)) ** 2)
        for m, g in zip(_LEPTONS.values(), couplings, strict=True)
    )
    effective = ALPHA_EM / (2 * math.pi) * abs(amplitude)
    return widths | {"gammagamma": to_photons(effective, mass)}


def _scalar_loop(tau: float) -> complex:
    """2 [tau + (tau - 1) f]/tau^2, tau = M^2/4m^2: 4/3 for heavy leptons."""
    if tau < _SMALL:
        return 2 * math.fsum((c - d) * tau**n for n, (c, d) in enumerate(pairwise(_SERIES)))
    return 2 * (tau + (tau - 1) * _f(tau)) / tau**2


def _pseudoscalar_loop(tau: float) -> complex:
    """2 f/tau: 2 for heavy leptons."""
    return 2 + _derivative_loop(tau)


def _derivative_loop(tau: float) -> complex:
    """2 f/tau - 2: heavy leptons decouple."""
    if tau < _SMALL:
        return 2 * math.fsum(c * tau**n for n, c in enumerate(_SERIES[1:], start=1))
    return 2 * (_f(tau) / tau - 1)


def _f(tau: float) -> complex:
    """arcsin^2 sqrt(tau), continued above the threshold tau = 1."""
    return cmath.asin(math.sqrt(tau)) ** 2
