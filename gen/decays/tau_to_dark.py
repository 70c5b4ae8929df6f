"""How tau -> l a and tau -> pi N analyse the spin of the tau: h lies along l or pi.

N is polarised too: averaged over the spins of the tau, its polarisation in its own frame is just
that h, for N from tau- as for its antiparticle from tau+.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.particles import MASS_TAU, PION, masses

__all__ = ["AlongFirst", "lepton_analysing_power", "pion_analysing_power"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AlongFirst:
    """Polarimeter of a decay that is analysed by the direction of its first daughter.

    ``analysing_power``, from -1 to 1, is that of the particle; the conjugated mode has its own
    from that.
    """

    analysing_power: float

    def __call__(self, momenta: FloatArray) -> FloatArray:
        """H, shape (3, n), of daughters that are not at rest."""
        first = momenta[0, 1:]
        h: FloatArray = self.analysing_power * first / np.sqrt(np.sum(first**2, axis=0))
        return h


def pion_analysing_power(mass: float) -> float:
    """Of tau- -> pi- N, the mass [GeV] being that of N: one for a light N.

    2 m_tau p (m_tau^2 - m_N^2)/[(m_tau^2 - m_N^2)^2 - m_pi^2 (m_tau^2 + m_N^2)], of the amplitude
    Nbar q_m gamma^m (1 - gamma5) tau.
    """
    m_pion = float(masses(np.array([PION], np.int32))[0])
    momentum = float(breakup_momentum(np.array(MASS_TAU), mass, m_pion))
    gap = (MASS_TAU - mass) * (MASS_TAU + mass)
    both = gap**2 - m_pion**2 * (MASS_TAU**2 + mass**2)
    return 2 * MASS_TAU * momentum * gap / both


def lepton_analysing_power(m_lepton: float, mass: float, vector: float, axial: float) -> float:
    """Of tau- -> l- a, the mass [GeV] being that of a: -1 for V-A and +1 for V+A, both light.

    L = (d_m a) lbar gamma^m (vector + axial gamma5) tau, real and not both zero. The amplitude is
    lbar (A + B gamma5) tau with A = vector (m_tau - m_l) and B = -axial (m_tau + m_l), and the
    power -2 A B p/[(E_l + m_l) A^2 + (E_l - m_l) B^2].
    """
    momentum = float(breakup_momentum(np.array(MASS_TAU), m_lepton, mass))
    scalar, pseudoscalar = vector * (MASS_TAU - m_lepton), -axial * (MASS_TAU + m_lepton)
    above = m_lepton + float(np.hypot(momentum, m_lepton))
    rate = above * scalar**2 + momentum**2 / above * pseudoscalar**2
    return -2 * scalar * pseudoscalar * momentum / rate
