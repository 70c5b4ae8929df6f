"""The squared amplitude of e+e- -> l+ l- gamma: e^6 (initial + final + interference).

Summed over spins, unpolarised beams not averaged; in closed form and checked against explicit
spinor sums in ``tests/reference``. For massless leptons it is that of Berends et al., Nucl. Phys.
B202 (1982) 63: -4 (v_p - v_q)^2 (t^2 + t'^2 + u^2 + u'^2)/(s s').
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import dot
from darkbelle.gen.production import emission

__all__ = ["Invariants", "final_state", "initial_state", "interference"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Invariants:
    """What the squared amplitude depends on, shape (n,) each.

    Attributes
    ----------
    s, s_pair
        Squared masses of everything and of the two leptons.
    ka, kb, k1, k2
        Products of the photon's momentum with those of e-, e+, l-, l+.
    t, t_prime, u, u_prime
        -2 times the products e- l-, e+ l+, e- l+, e+ l-.
    """

    s: FloatArray
    s_pair: FloatArray
    ka: FloatArray
    kb: FloatArray
    k1: FloatArray
    k2: FloatArray
    t: FloatArray
    t_prime: FloatArray
    u: FloatArray
    u_prime: FloatArray

    @classmethod
    def of(cls, s: FloatArray, p1: FloatArray, p2: FloatArray, k: FloatArray) -> Invariants:
        """From l-, l+, gamma in the centre-of-mass frame with the electrons along +z."""
        root_s = np.sqrt(s)
        return cls(
            s,
            dot(p1 + p2, p1 + p2),
            root_s * (k[0] - k[3]) / 2,
            root_s * (k[0] + k[3]) / 2,
            dot(p1, k),
            dot(p2, k),
            -root_s * (p1[0] - p1[3]),
            -root_s * (p2[0] + p2[3]),
            -root_s * (p2[0] - p2[3]),
            -root_s * (p1[0] + p1[3]),
        )


def initial_state(mass: float, at: Invariants) -> FloatArray:
    """Photon from the beams [GeV^-2], for leptons of a mass [GeV]."""
    squares = at.t**2 + at.t_prime**2 + at.u**2 + at.u_prime**2
    flip = 2 * (at.ka**2 + at.kb**2) + at.s * at.s_pair
    amplitude: FloatArray = (4 * squares + 16 * mass**2 * flip / at.s_pair) / (
        at.s_pair * at.ka * at.kb
    )
    return amplitude


def final_state(mass: float, at: Invariants) -> FloatArray:
    """Photon from the leptons [GeV^-2]: the emission of a massless vector."""
    emitted = emission.Invariants(
        at.s, 2 * at.k1, 2 * at.k2, (at.u_prime - at.t) / 2, (at.t_prime - at.u) / 2
    )
    masses = emission.Masses(mass, 0.0)
    return emission.squared_amplitude(emission.VECTOR, masses, emitted) / at.s**2


def interference(mass: float, at: Invariants) -> FloatArray:
    """Of the two [GeV^-2]; odd under the exchange of l- and l+."""
    ka, kb, k1, k2 = at.ka, at.kb, at.k1, at.k2
    t, t_prime, u, u_prime = at.t, at.t_prime, at.u, at.u_prime
    both = u * u_prime + t * t_prime
    leading = (
        -t / (ka * k1) * (both + k2 * u_prime - kb * u)
        + u / (ka * k2) * (both + k1 * t_prime - kb * t)
        + u_prime / (kb * k1) * (both + k2 * t - ka * t_prime)
        - t_prime / (kb * k2) * (both + k1 * u - ka * u_prime)
        + (u * u_prime - t * t_prime) * (1 / ka + 1 / kb - 1 / k1 - 1 / k2)
        + 4 * (t + t_prime - u - u_prime)
    )
    flip = (
        kb * t / (ka * k1)
        - kb * u / (ka * k2)
        - ka * u_prime / (kb * k1)
        + ka * t_prime / (kb * k2)
        + (u - t_prime) / k1
        + (u_prime - t) / k2
        + 2 * (ka - kb) * (1 / k1 - 1 / k2)
    )
    single = -t / (ka * k1) + u / (ka * k2) + u_prime / (kb * k1) - t_prime / (kb * k2)
    amplitude: FloatArray = (
        8 / (at.s * at.s_pair) * (leading + 2 * mass**2 * flip)
        + 8 / at.s * ((t - u_prime) / k1 + (t_prime - u) / k2)
        + 8 / at.s_pair * ((u - t) / ka + (u_prime - t_prime) / kb + 2 * mass**2 * single)
    )
    return amplitude
