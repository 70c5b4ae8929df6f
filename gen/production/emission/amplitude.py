"""The squared amplitude of the emission, and the spin correlations of a vector's decay.

It is (e^4 g^2/s^2) T with T = 2 s h - 2 R, where h = -g_mn H^mn and R = r_m r_n H^mn contract the
leptonic tensor of the final state. Both are short polynomials in D1 = 2 p1.k + M^2,
D2 = 2 p2.k + M^2, a = r.p1 and b = r.p2; p1, p2 are the momenta of l- and l+, k that of X,
r = p(e-) - p(e+). Checked against explicit spinors in ``tests/physics/test_amplitudes.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import dot
from darkbelle.gen.production.base import HardEvents

__all__ = [
    "PSEUDOSCALAR",
    "SCALAR",
    "VECTOR",
    "Coupling",
    "FermionPair",
    "Invariants",
    "Masses",
    "squared_amplitude",
]

FloatArray = npt.NDArray[np.float64]


class Masses(NamedTuple):
    """Masses of the final state [GeV]."""

    lepton: float
    boson: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return 2 * self.lepton + self.boson


@dataclass(frozen=True, slots=True)
class Invariants:
    """What the squared amplitude depends on, shape (n,) each."""

    s: FloatArray
    d1: FloatArray
    d2: FloatArray
    a: FloatArray
    b: FloatArray

    @classmethod
    def of(cls, events: HardEvents) -> Invariants:
        """From l-, l+ and X, in any frame."""
        p1, p2, k = events.momenta
        k2, r = dot(k, k), events.difference
        return cls(events.s, 2 * dot(p1, k) + k2, 2 * dot(p2, k) + k2, dot(r, p1), dot(r, p2))


# h = A (1/D1^2 + 1/D2^2) + B/(D1 D2) + C (1/D1 + 1/D2) + E (D1/D2 + D2/D1) + F
Isotropic = tuple[FloatArray, FloatArray, FloatArray, float, float]
# R = P0 (1/D1^2 + 1/D2^2) + P1 (b^2/D1^2 + a^2/D2^2) + (P2 + P3 (a^2 + b^2) + P4 a b)/(D1 D2)
#     + P5 (1/D1 + 1/D2) + P6 (D1/D2 + D2/D1) + P7
Oriented = tuple[
    FloatArray, float, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray
]


@dataclass(frozen=True, slots=True)
class Coupling:
    """How X couples to the lepton: the coefficients of h and of R from s, m_l^2 and M^2.

    ``is_soft``: small X energies have a pole, as for a vector. ``flips_helicity``: a light X is
    collinear with the lepton beyond 1/D.
    """

    name: str
    isotropic: Callable[[FloatArray, float, float], Isotropic]
    oriented: Callable[[FloatArray, float, float], Oriented]
    is_soft: bool = False
    flips_helicity: bool = False


def _vector_isotropic(s: FloatArray, m2: float, x2: float) -> Isotropic:
    return (
        -8 * x2 * s - 16 * m2 * s - 16 * m2 * x2 - 32 * m2**2,
        16 * s**2 + 32 * x2 * s + 16 * x2**2 - 64 * m2**2,
        -16 * s - 16 * x2 - 32 * m2,
        8.0,
        0.0,
    )


def _vector_oriented(s: FloatArray, m2: float, x2: float) -> Oriented:
    return (
        -4 * s**2 * (x2 + 2 * m2),
        16 * (x2 + 2 * m2),
        8 * s**2 * (s + x2 - 2 * m2),
        -16 * s,
        -32 * (x2 + 2 * m2) * np.ones_like(s),
        -8 * s**2,
        4 * s,
        np.zeros_like(s),
    )


def _scalar_isotropic(s: FloatArray, m2: float, x2: float) -> Isotropic:
    return (
        -4 * x2 * s + 16 * m2 * s - 8 * m2 * x2 + 32 * m2**2,
        8 * x2**2 + 32 * m2 * s - 48 * m2 * x2 + 64 * m2**2,
        (-8 * x2 + 32 * m2) * np.ones_like(s),
        4.0,
        8.0,
    )


def _scalar_oriented(s: FloatArray, m2: float, x2: float) -> Oriented:
    gap = 4 * m2 - x2
    return (
        2 * s**2 * gap,
        -8 * gap,
        4 * s**2 * gap,
        -8 * s,
        -16 * (s - gap),
        np.zeros_like(s),
        2 * s,
        4 * s,
    )


def _pseudoscalar_isotropic(s: FloatArray, m2: float, x2: float) -> Isotropic:
    return (
        -4 * x2 * s - 8 * m2 * x2,
        (8 * x2**2 - 16 * m2 * x2) * np.ones_like(s),
        -8 * x2 * np.ones_like(s),
        4.0,
        8.0,
    )


def _pseudoscalar_oriented(s: FloatArray, m2: float, x2: float) -> Oriented:
    del m2
    return (
        -2 * x2 * s**2,
        8 * x2,
        -4 * x2 * s**2,
        -8 * s,
        -16 * (s + x2),
        np.zeros_like(s),
        2 * s,
        4 * s,
    )


VECTOR = Coupling("vector", _vector_isotropic, _vector_oriented, is_soft=True)
SCALAR = Coupling("scalar", _scalar_isotropic, _scalar_oriented, flips_helicity=True)
PSEUDOSCALAR = Coupling("pseudoscalar", _pseudoscalar_isotropic, _pseudoscalar_oriented)


def squared_amplitude(coupling: Coupling, masses: Masses, at: Invariants) -> FloatArray:
    """T, the squared amplitude summed over spins in units of e^4 g^2/s^2 [GeV^2], shape (n,)."""
    m2, x2 = masses.lepton**2, masses.boson**2
    one, two = 1 / at.d1, 1 / at.d2
    poles, double, product = one + two, one**2 + two**2, one * two
    ratio = at.d1 * two + at.d2 * one
    c_a, c_b, c_c, c_e, c_f = coupling.isotropic(at.s, m2, x2)
    h = c_a * double + c_b * product + c_c * poles + c_e * ratio + c_f
    p = coupling.oriented(at.s, m2, x2)
    oriented = (
        p[0] * double
        + p[1] * ((at.b * one) ** 2 + (at.a * two) ** 2)
        + (p[2] + p[3] * (at.a**2 + at.b**2) + p[4] * at.a * at.b) * product
        + p[5] * poles
        + p[6] * ratio
        + p[7]
    )
    amplitude: FloatArray = 2 * at.s * h - 2 * oriented
    return amplitude


@dataclass(frozen=True, slots=True)
class FermionPair:
    """Correlation of a vector X -> f fbar, with the masses of the emission.

    With it the decay has the spin correlations of the full amplitude, for charged leptons,
    neutrinos and Dirac fermions; its mean is 1 - (1 - 4 m_f^2/M^2)/3 in every event.
    """

    masses: Masses

    def __call__(self, events: HardEvents, daughters: FloatArray) -> FloatArray:
        """Probability to keep an isotropic decay into f and fbar, shape (n,)."""
        at = Invariants.of(events)
        difference = daughters[0] - daughters[1]
        along = _along_decay(self.masses, at, events, difference)
        kept: FloatArray = 1 - along / (
            self.masses.boson**2 * squared_amplitude(VECTOR, self.masses, at)
        )
        return kept


def _along_decay(
    masses: Masses, at: Invariants, events: HardEvents, difference: FloatArray
) -> FloatArray:
    """The squared amplitude with X polarised along the difference of f and fbar, shape (n,)."""
    p1, p2, _ = events.momenta
    m2, x2, s = masses.lepton**2, masses.boson**2, at.s
    u1, u2 = dot(p1, difference), dot(p2, difference)
    w = dot(events.difference, difference)
    y = -dot(difference, difference)  # M^2 - 4 m_f^2
    a, b, one, two = at.a, at.b, 1 / at.d1, 1 / at.d2
    product, ratio = one * two, at.d1 * two + at.d2 * one
    common = 8 * x2 * y
    oriented = (
        (8 * (s**2 - 4 * b**2) * u1**2 + common * b**2 - 2 * x2 * s**2 * y) * one**2
        + (8 * (s**2 - 4 * a**2) * u2**2 + common * a**2 - 2 * x2 * s**2 * y) * two**2
        + (
            -(64 * a * b + 16 * s**2) * u1 * u2
            - 8 * s * y * (a + b) ** 2
            - 2 * common * a * b
            + 8 * x2 * s * (w**2 - (u1 + u2) ** 2)
            - 4 * x2 * s**2 * y
        )
        * product
        - 32 * w * (b * u1 * one + a * u2 * two)
        + 2 * s * y * ratio
        - 8 * w**2
        + 4 * s * y
    )
    isotropic = (
        (16 * (s + 2 * m2) * u1**2 - 4 * x2 * (s + 2 * m2) * y) * one**2
        + (16 * (s + 2 * m2) * u2**2 - 4 * x2 * (s + 2 * m2) * y) * two**2
        + (
            -(32 * s + 64 * m2) * u1 * u2
            - 16 * x2 * (u1**2 + u2**2)
            + common * (s + x2)
            - 16 * m2 * x2 * y
        )
        * product
        - common * (one + two)
        + 4 * y * ratio
    )
    along: FloatArray = 2 * s * isotropic - 2 * oriented
    return along
