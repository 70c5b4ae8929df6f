"""e+e- -> A'* -> A' h', and the spin correlations of the A' decay.

Batell, Pospelov, Ritz, arXiv:0903.0363. The electrons' tensor L_mn is that of two transverse
polarisations, L_mn x^m x^n = 2 s x_T^2 for a momentum x with x_T across the beams; seen from an A'
of momentum P and mass Q it has the trace 4 s + 2 s P_T^2/Q^2, which is the angular distribution,
and the eigenvalues 2 s + 2 s P_T^2/Q^2, 2 s and 0, which bound those of the decays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths, even_cosines
from darkbelle.gen.kinematics import dot, kallen, two_body
from darkbelle.gen.production.base import HardEvents, scalar_axis
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["FermionPair", "Higgsstrahlung", "sample_pair", "scalars", "stripped_cross_section"]

FloatArray = npt.NDArray[np.float64]


def stripped_cross_section(s: FloatArray, vector_mass2: FloatArray, m_hp: float) -> FloatArray:
    """Cross-section of A' h' over eps^2 alpha_h m_A'^2/|s - m_A'^2|^2 [fb GeV^2].

    alpha_h = q_phi^2 alpha_D; the A' may have another squared mass than m_A'^2 [GeV^2].
    arXiv:0903.0363 where it does not; otherwise the amplitude keeps m_A' in its vertex.
    """
    lam = np.maximum(kallen(s, vector_mass2, m_hp**2), 0.0) / s**2
    angles = np.sqrt(lam) * (lam / vector_mass2 + 12 / s)
    total: FloatArray = np.pi * ALPHA_EM / 3 * HBAR_C2 * s * angles
    return total


def sample_pair(
    s: FloatArray, vector_mass: FloatArray, m_hp: float, rng: np.random.Generator
) -> FloatArray:
    """Unweighted momenta of A' and h', shape (2, 4, n): 1 + p^2/(2 Q^2) sin^2(theta)."""
    lam = np.maximum(kallen(s, vector_mass**2, m_hp**2), 0.0)
    ratio = lam / (8 * s * vector_mass**2)
    cos_theta = even_cosines(-ratio / (1 + ratio), rng)
    phi = azimuths(len(s), rng)
    return np.stack(two_body(np.sqrt(s), vector_mass, m_hp, cos_theta, phi))


@dataclass(frozen=True, slots=True)
class Higgsstrahlung:
    """e+e- -> A' h' with A' on its mass shell; particles A', h'.

    Attributes
    ----------
    m_ap, m_hp
        Masses [GeV].
    epsilon
        Kinetic mixing.
    alpha_h
        q_phi^2 alpha_D, with the dark charge q_phi of the dark Higgs.
    """

    m_ap: float
    m_hp: float
    epsilon: float
    alpha_h: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return self.m_ap + self.m_hp

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2], zero below threshold."""
        is_open, s = self._opened(s)
        m2 = self.m_ap**2
        total = self.epsilon**2 * self.alpha_h * m2 / (s - m2) ** 2
        total = total * stripped_cross_section(s, np.full_like(s, m2), self.m_hp)
        return np.where(is_open, total, 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of A' and h', shape (2, 4, n), and weights [fb], equal at equal s."""
        _, opened = self._opened(s)
        momenta = sample_pair(opened, np.full_like(opened, self.m_ap), self.m_hp, rng)
        return momenta, self.cross_section(s)

    def _opened(self, s: FloatArray) -> tuple[npt.NDArray[np.bool_], FloatArray]:
        """Whether each s is above threshold, and s where it is."""
        is_open = s > self.threshold**2
        return is_open, np.where(is_open, s, 2 * self.threshold**2)


@dataclass(frozen=True, slots=True)
class FermionPair:
    """Correlation of A' -> f fbar or chi1 chi2, vector couplings, masses in their order [GeV].

    1 - 2 L(d)/((p1.p2 + m1 m2) tr L) with d the first momentum across P; its mean is
    2/3 (1 + (m1 + m2)^2/(2 Q^2)) in every event.
    """

    first: float
    second: float

    def __call__(self, events: HardEvents, daughters: FloatArray) -> FloatArray:
        """Probability to keep an isotropic decay of the first particle, shape (n,)."""
        vector = events.momenta[0]
        mass2 = dot(vector, vector)
        shift = (self.first**2 - self.second**2) / mass2
        across = daughters[0] - daughters[1] - shift * vector  # 2 d
        trace = 2 * mass2 + _transverse2(events, vector)
        reach = mass2 - (self.first - self.second) ** 2
        kept: FloatArray = 1 - mass2 * _transverse2(events, across) / (reach * trace)
        return kept


def scalars(events: HardEvents, daughters: FloatArray) -> FloatArray:
    """Correlation of A' -> pi+ pi-, K Kbar or pi+ pi- pi0, shape (n,).

    L(x)/(-x.x) over its largest eigenvalue, x being the `scalar_axis`; its mean is
    (2 + r)/(3 (1 + r)) with r = P_T^2/Q^2.
    """
    vector = events.momenta[0]
    axis = scalar_axis(vector, daughters)
    mass2 = dot(vector, vector)
    largest = mass2 + _transverse2(events, vector)
    size2 = -dot(axis, axis)
    kept: FloatArray = mass2 * _transverse2(events, axis) / (size2 * largest)
    return kept


def _transverse2(events: HardEvents, x: FloatArray) -> FloatArray:
    """Square of the momentum across the beams in the frame of the hard process."""
    along_time = dot(events.momenta.sum(axis=0), x)
    along_beam = dot(events.difference, x)
    squared: FloatArray = (along_time - along_beam) * (along_time + along_beam) / events.s
    return squared - dot(x, x)
