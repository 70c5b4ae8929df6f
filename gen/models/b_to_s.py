"""Decays of B into a kaon and a spinless state X, by a b -> s transition that emits it.

Either L = -g (d_m X) sbar gamma^m P_L b + h.c., or by its equation of motion a Yukawa coupling
y X sbar P_R b + h.c. with g = y/(m_b - m_s) to K, and y/(m_b + m_s) to K*. The amplitude is g/2
times the matrix elements in `form_factors`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Final

import numpy as np

from darkbelle.errors import ConfigError
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.models.base import Model
from darkbelle.gen.models.form_factors import FormFactors
from darkbelle.gen.particles import (
    B0,
    B_PLUS,
    K0,
    K_S,
    K_STAR,
    K_STAR0,
    KAON,
    is_vector,
    masses,
    species,
)
from darkbelle.units import HBAR_C

__all__ = [
    "CKM_TOP",
    "MASS_W",
    "TOP_MSBAR",
    "TOP_POLE",
    "EmittedByB",
    "branching_fraction_of_b",
    "mother_of",
]

MASS_W: Final = 80.369
"""GeV, PDG 2024"""
TOP_POLE: Final = 172.57
"""Pole mass of the top quark [GeV], PDG 2024."""
TOP_MSBAR: Final = 162.7
"""Mass of the top quark in the MSbar scheme, at that mass [GeV]."""
CKM_TOP: Final = 0.0411
"""|V_tb V_ts*|, PDG 2024."""


class EmittedByB(Model):
    """A state that B mesons emit."""

    __slots__ = ()

    @abstractmethod
    def fraction_of_b(self, kaon: int) -> float:
        """Branching fraction of B -> kaon X, the B being `mother_of` the kaon; zero if closed."""


_MOTHERS: Final = {KAON: B_PLUS, K0: B0, K_S: B0, K_STAR0: B0, K_STAR: B_PLUS}


def mother_of(kaon: int) -> int:
    """Code of the B that decays to a kaon: K+, K0, K_S, K*0 or K*+."""
    if kaon not in _MOTHERS:
        raise ConfigError(f"B does not decay to pdg_id {kaon} here, choose from {sorted(_MOTHERS)}")
    return _MOTHERS[kaon]


def branching_fraction_of_b(
    kaon: int, mass: float, coupling: float, form_factors: FormFactors
) -> float:
    """Branching fraction of B -> kaon X, zero where it is closed; the K* is narrow.

    g^2 |H|^2 p/(32 pi m_B^2) over the width of the B, where H = (m_B^2 - m_K^2) f0 for K and
    2 m_B p A0 for K* (arXiv:1611.09355, rederived).

    Parameters
    ----------
    kaon
        PDG code of K+, K0, K_S (half of K0), K*0 or K*+.
    mass
        Mass of X [GeV].
    coupling
        g [1/GeV].
    """
    mother = mother_of(kaon)
    m_b, m_kaon = masses(np.array([mother, kaon], np.int32)).tolist()
    if mass >= m_b - m_kaon:
        return 0.0
    momentum = float(breakup_momentum(np.array(m_b), m_kaon, mass))
    if is_vector(kaon):
        element = 2 * m_b * momentum * form_factors.a0(mass**2)
    else:
        element = (m_b - m_kaon) * (m_b + m_kaon) * form_factors.f0(mass**2)
    width = (coupling * element / m_b) ** 2 * momentum / (32 * math.pi)
    share = 0.5 if kaon == K_S else 1.0
    fraction: float = share * width * species(mother).ctau / HBAR_C
    return fraction
