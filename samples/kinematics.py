"""What searches make of four-momenta (e, px, py, pz), shape (4, n), in the lab unless said."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import dot
from darkbelle.gen.particles import MASS_TAU
from darkbelle.geometry import Collider

__all__ = [
    "beam_constrained_mass",
    "energy_difference",
    "mass_of",
    "missing_mass2",
    "neutral_lepton_masses",
    "pseudo_rest_frame_x",
    "recoil_q2",
    "reduced_mass",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def mass_of(p: FloatArray) -> FloatArray:
    """Invariant mass [GeV], zero where rounding makes its square negative."""
    return np.sqrt(np.maximum(dot(p, p), 0.0))


def reduced_mass(p: FloatArray, q: FloatArray) -> FloatArray:
    """Mass of two particles of one mass m as sqrt(M^2 - 4 m^2), twice the momentum in their frame.

    It is sqrt(-(p - q)^2), which does not cancel at threshold.
    """
    apart = p - q
    return np.sqrt(np.maximum(-dot(apart, apart), 0.0))


def energy_difference(candidate: FloatArray, collider: Collider) -> FloatArray:
    """Delta E [GeV]: energy in the centre of mass less half of that of the nominal beams."""
    sqrt_s = collider.sqrt_s
    return dot(candidate, collider.four_momentum) / sqrt_s - sqrt_s / 2


def beam_constrained_mass(candidate: FloatArray, collider: Collider) -> FloatArray:
    """M_bc [GeV], the mass with half of the beams' energy for that of the candidate.

    With the energy E* in the centre of mass, s/4 - p*^2 = M^2 - Delta E (E* + sqrt(s)/2); zero
    where that is negative.
    """
    excess = energy_difference(candidate, collider)
    mass2 = dot(candidate, candidate) - excess * (excess + collider.sqrt_s)
    return np.sqrt(np.maximum(mass2, 0.0))


def missing_mass2(seen: FloatArray, beams: FloatArray) -> FloatArray:
    """Square of the mass [GeV^2] that is left of the beams' four-momentum, shape (4,)."""
    missing = beams[:, None] - seen
    return dot(missing, missing)


def recoil_q2(kaon: FloatArray, collider: Collider) -> FloatArray:
    """Square of the mass [GeV^2] that B -> K leaves, the B taken to be at rest.

    s/4 + m_K^2 - sqrt(s) E*_K, cf. arXiv:2311.14647, section V.
    """
    return collider.sqrt_s**2 / 4 + dot(kaon, kaon) - dot(kaon, collider.four_momentum)


def pseudo_rest_frame_x(lepton: FloatArray, tag: FloatArray, sqrt_s: float) -> FloatArray:
    """x_l = 2 E_l/m_tau in a rest frame of the tau that the other tau's hadrons tell of.

    The tau has half of the energy and flies against them (H. Albrecht et al., Z. Phys. C 68 (1995)
    25); ``lepton`` and ``tag`` are in the centre of mass. Not bounded by one.
    """
    energy = sqrt_s / 2
    flight = -tag[1:] / np.linalg.norm(tag[1:], axis=0)
    momentum = np.sqrt(energy**2 - MASS_TAU**2)
    along = np.sum(lepton[1:] * flight, axis=0)
    x: FloatArray = 2 * (lepton[0] * energy - along * momentum) / MASS_TAU**2
    return x


def neutral_lepton_masses(
    pion: FloatArray, pair: FloatArray, flight: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Masses [GeV] that a neutral lepton of tau -> pi N, N -> (pair) nu can have.

    Energy and momentum in either decay, the masses of tau and neutrino, and the direction of N
    leave two solutions (cf. arXiv:1908.09719). The line of flight is that of the laboratory, where
    pion and pair must be given.

    Parameters
    ----------
    pion, pair
        Four-momenta, shape (4, n).
    flight
        From the decay of the tau to that of N, of any length above zero, shape (3, n).

    Returns
    -------
    heavier, lighter, is_real
        Shape (n,) each. Where errors leave no solution both are that of the nearest discriminant,
        zero.

    Notes
    -----
    With E = E_N, P = |p_N|, a = n.p_pi and b = n.p_pair: that the tau has its mass makes
    2 (E_pi + E_pair) E = m_tau^2 - m_pi^2 + m_pair^2 + 2 (a + b) P, so E = al + be P; that the
    neutrino has none is E^2 - P^2 + m_pair^2 = 2 (E E_pair - b P), a quadratic equation for P.
    """
    direction = flight / np.linalg.norm(flight, axis=0)
    along_pion, along_pair = (np.sum(p[1:] * direction, axis=0) for p in (pion, pair))
    both, pair2 = pion[0] + pair[0], dot(pair, pair)
    rest = (MASS_TAU**2 - dot(pion, pion) + pair2) / (2 * both)
    slope = (along_pion + along_pair) / both
    quadratic = (slope - 1) * (slope + 1)
    half_linear = slope * (rest - pair[0]) + along_pair
    constant = rest * (rest - 2 * pair[0]) + pair2
    discriminant = half_linear**2 - quadratic * constant
    # The sum without cancellation, then the other root by their product.
    larger = -half_linear - np.copysign(np.sqrt(np.maximum(discriminant, 0.0)), half_linear)
    first = larger / quadratic
    second = constant / np.where(larger == 0, 1.0, larger)
    second = np.where(discriminant > 0, second, first)
    solutions = np.stack([first, second])
    energy = rest + slope * solutions
    masses = np.sqrt(np.maximum((energy - solutions) * (energy + solutions), 0.0))
    return masses.max(axis=0), masses.min(axis=0), discriminant >= 0
