"""Widths of a boson into two fermions or two photons at tree level [GeV], zero when closed.

Standard; e.g. Gunion, Haber, Kane, Dawson, "The Higgs Hunter's Guide", for spin 0.
"""

from __future__ import annotations

import math

__all__ = [
    "pseudoscalar_to_dirac",
    "scalar_to_dirac",
    "to_photons",
    "vector_to_dirac",
    "velocity",
]


def velocity(mass: float, daughter_mass: float) -> float:
    """Velocity of two equal daughters in the frame of their parent, zero below threshold."""
    if mass <= 2 * daughter_mass:
        return 0.0
    ratio = 2 * daughter_mass / mass
    return math.sqrt((1 - ratio) * (1 + ratio))


def vector_to_dirac(coupling: float, mass: float, fermion_mass: float) -> float:
    """L = -g V_a fbar gamma^a f: g^2 M/(12 pi) (1 + 2 m^2/M^2) beta."""
    beta = velocity(mass, fermion_mass)
    return coupling**2 * mass / (12 * math.pi) * (1 + (1 - beta**2) / 2) * beta


def scalar_to_dirac(coupling: float, mass: float, fermion_mass: float) -> float:
    """L = -g S fbar f: g^2 M/(8 pi) beta^3."""
    return coupling**2 * mass / (8 * math.pi) * velocity(mass, fermion_mass) ** 3


def pseudoscalar_to_dirac(coupling: float, mass: float, fermion_mass: float) -> float:
    """L = -g a fbar i gamma5 f: g^2 M/(8 pi) beta."""
    return coupling**2 * mass / (8 * math.pi) * velocity(mass, fermion_mass)


def to_photons(coupling: float, mass: float) -> float:
    """L = -(g/4) a F Ftilde or -(g/4) S F F, g [1/GeV]: g^2 M^3/(64 pi)."""
    return coupling**2 * mass**3 / (64 * math.pi)
