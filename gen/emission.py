"""e+e- -> l+ l- X, a boson X radiated by one of the leptons of the final state.

Tree level with massive leptons, unpolarised beams, massless electrons in the amplitude. X couples
as a vector, scalar or pseudoscalar, L = -g X_mu lbar gamma^mu l, -g X lbar l,
-g X lbar i gamma5 l. Couplings are stripped: cross-sections are for g = 1 and scale with g^2.

The squared amplitude is (e^4 g^2/s^2) T with T = 2 s h - 2 R, where h = -g_mn H^mn and
R = r_m r_n H^mn are contractions of the leptonic tensor of the final state. Both are short
polynomials in D1 = 2 p1.k + M^2, D2 = 2 p2.k + M^2, a = r.p1 and b = r.p2; p1, p2 are the momenta
of l- and l+, k that of X, r = p(e-) - p(e+). Checked against explicit spinor sums in
``tests/reference``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import boost, dot, kallen, rotate_z_to
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = [
    "PSEUDOSCALAR",
    "SCALAR",
    "VECTOR",
    "Coupling",
    "Emission",
    "Invariants",
    "Masses",
    "cross_section",
    "decay_correlation",
    "sample",
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
    def of(cls, s: FloatArray, p1: FloatArray, p2: FloatArray, k: FloatArray) -> Invariants:
        """From momenta in the centre-of-mass frame with the electrons along +z."""
        k2, root_s = dot(k, k), np.sqrt(s)
        return cls(s, 2 * dot(p1, k) + k2, 2 * dot(p2, k) + k2, -root_s * p1[3], -root_s * p2[3])

    def take(self, index: npt.NDArray[np.intp]) -> Invariants:
        """Those of the chosen events."""
        return Invariants(
            self.s[index], self.d1[index], self.d2[index], self.a[index], self.b[index]
        )


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

    ``soft`` tells whether small X energies are enhanced (a pole in 1/E, as for a vector);
    ``helicity_flip`` whether light bosons are collinear with the lepton beyond 1/D.
    """

    name: str
    isotropic: Callable[[FloatArray, float, float], Isotropic]
    oriented: Callable[[FloatArray, float, float], Oriented]
    soft: Callable[[Masses], float]
    helicity_flip: Callable[[Masses], bool]


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


VECTOR = Coupling("vector", _vector_isotropic, _vector_oriented, lambda _: 1.0, lambda _: False)
SCALAR = Coupling(
    "scalar",
    _scalar_isotropic,
    _scalar_oriented,
    lambda masses: 0.5 if masses.boson < 2 * masses.lepton else 0.0,
    lambda masses: masses.boson < 2 * masses.lepton,
)
PSEUDOSCALAR = Coupling(
    "pseudoscalar",
    _pseudoscalar_isotropic,
    _pseudoscalar_oriented,
    lambda _: 0.0,
    lambda _: False,
)


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


def decay_correlation(
    masses: Masses, at: Invariants, p1: FloatArray, p2: FloatArray, difference: FloatArray
) -> FloatArray:
    """Probability to keep an isotropic decay of a vector X -> f fbar, shape (n,), within [0, 1].

    ``difference`` is the momentum of f minus that of fbar in the centre-of-mass frame. With it the
    decay has the spin correlations of the full amplitude, for charged leptons, neutrinos and Dirac
    fermions.
    """
    m2, x2, s = masses.lepton**2, masses.boson**2, at.s
    u1, u2 = dot(p1, difference), dot(p2, difference)
    w = -np.sqrt(s) * difference[3]
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
    along = 2 * s * isotropic - 2 * oriented
    kept: FloatArray = 1 - along / (x2 * squared_amplitude(VECTOR, masses, at))
    return kept


# ---- total cross-section ------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [0, 1], gathered where the lepton pair is slow."""
    x, w = np.polynomial.legendre.leggauss(96)
    u, w = (x + 1) / 2, w / 2
    return 1 - (1 - u) ** 3, 3 * (1 - u) ** 2 * w


def cross_section(coupling: Coupling, masses: Masses, s: FloatArray) -> FloatArray:
    """Total cross-section for g = 1 [fb] at the squared energies s [GeV^2], zero below threshold.

    One-dimensional quadrature in Sg = s - s12 + M^2 of the distribution that follows from averaging
    T over the orientation of the final state, <T> = (4 s/3) h.
    """
    m2, x2 = masses.lepton**2, masses.boson**2
    is_open = s > masses.threshold**2
    s_open = np.where(is_open, s, 2 * masses.threshold**2)[:, None]
    least = 2 * np.sqrt(s_open) * masses.boson
    # Sg = least cosh(y) spreads the soft end and makes the square root of lambda smooth.
    y_max = np.arccosh(np.maximum((s_open + x2 - 4 * m2) / least, 1.0))
    node, weight = _nodes()
    y = y_max * node
    sg, root_lam = least * np.cosh(y), least * np.sinh(y)
    s12 = s_open + x2 - sg
    beta2 = np.maximum(1 - 4 * m2 / s12, 0.0)
    kp = np.sqrt(beta2) * root_lam
    gap = 4 * m2 * sg**2 / s12 + 4 * s_open * x2 * beta2  # Sg^2 - kp^2 without cancellation
    log = np.log((sg + kp) ** 2 / gap)
    c_a, c_b, c_c, c_e, c_f = coupling.isotropic(s_open, m2, x2)
    integrand = (
        16 * c_a * kp / gap
        + 4 / sg * (c_b + c_e * sg**2) * log
        + 4 * c_c * log
        + kp * (2 * c_f - 4 * c_e)
    )
    integral = np.sum(integrand * root_lam * y_max * weight, axis=1)
    total = ALPHA_EM**2 / (96 * np.pi * s_open[:, 0] ** 3) * integral * HBAR_C2
    return np.where(is_open, total, 0.0)


# ---- sampling -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Emission:
    """Sampled final states in their centre-of-mass frame, electrons along +z.

    Momenta of l-, l+ and X, shape (4, n); ``weight`` estimates the cross-section for g = 1 [fb].
    """

    p1: FloatArray
    p2: FloatArray
    k: FloatArray
    weight: FloatArray
    invariants: Invariants


def sample(coupling: Coupling, masses: Masses, s: FloatArray, rng: np.random.Generator) -> Emission:
    """Weighted final states, one at each squared energy s [GeV^2]; weight 0 below threshold."""
    n = len(s)
    m, x = masses
    is_open = s > masses.threshold**2
    s = np.where(is_open, s, 2 * masses.threshold**2)
    root_s = np.sqrt(s)
    sg, sg_density = _sample_sg(coupling, masses, s, rng)
    s12 = s + x**2 - sg
    beta2 = np.maximum(1 - 4 * m**2 / s12, 0.0)
    lam = np.maximum(kallen(s, s12, x**2), 0.0)
    x0 = np.sqrt(beta2 * lam) / sg
    deficit = 4 * m**2 / s12 + 4 * s * x**2 * beta2 / sg**2  # 1 - x0^2 without cancellation
    c, c_density, d1, d2 = _sample_cosine(coupling, masses, x0, deficit, sg, rng)

    # The pair's frame with X along +z, then the centre of mass, then X in a random direction.
    root_s12 = np.sqrt(s12)
    p_star = np.sqrt(beta2) * root_s12 / 2
    k_star = np.sqrt(lam) / (2 * root_s)
    sin, azimuth = np.sqrt(np.maximum(1 - c**2, 0.0)), 2 * np.pi * rng.random(n)
    transverse = p_star * sin * np.cos(azimuth), p_star * sin * np.sin(azimuth)
    zero = np.zeros(n)
    pair = np.stack([(s + s12 - x**2) / (2 * root_s), zero, zero, -k_star])
    first = boost(np.stack([root_s12 / 2, *transverse, p_star * c]), pair)
    cos_x, phi_x = 2 * rng.random(n) - 1, 2 * np.pi * rng.random(n)
    sin_x = np.sqrt(1 - cos_x**2)
    axis = np.stack([sin_x * np.cos(phi_x), sin_x * np.sin(phi_x), cos_x])
    k = np.stack([root_s - pair[0], *(k_star * axis)])
    p1 = rotate_z_to(first, axis)
    p2 = np.stack([root_s - p1[0] - k[0], *(-p1[1:] - k[1:])])

    at = Invariants(s, d1, d2, -root_s * p1[3], -root_s * p2[3])
    amplitude = squared_amplitude(coupling, masses, at)
    flux_and_couplings = (4 * np.pi * ALPHA_EM) ** 2 / (8 * s**3)
    phase_space = k_star * p_star / (32 * np.pi**3 * root_s * root_s12)
    weight = flux_and_couplings * amplitude * phase_space / (sg_density * 2 * c_density) * HBAR_C2
    return Emission(p1, p2, k, np.where(is_open, weight, 0.0), at)


def _sample_sg(
    coupling: Coupling, masses: Masses, s: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Sg from a mixture of 1/Sg (share ``soft``) and Sg, with its density."""
    low = 2 * np.sqrt(s) * masses.boson
    high = s + masses.boson**2 - 4 * masses.lepton**2
    share = coupling.soft(masses)
    u = rng.random(len(s))
    log_ratio = np.log(high / low)
    falling = low * np.exp(u * log_ratio)
    rising = np.sqrt(low**2 + u * (high**2 - low**2))
    sg = (
        np.where(rng.random(len(s)) < share, falling, rising)
        if 0 < share < 1
        else (falling if share else rising)
    )
    density = share / (sg * log_ratio) + (1 - share) * 2 * sg / (high**2 - low**2)
    return sg, density


def _sample_cosine(
    coupling: Coupling,
    masses: Masses,
    x0: FloatArray,
    deficit: FloatArray,
    sg: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Cosine between l- and X in the pair's frame, its density on [-1, 1], and D1, D2.

    From 1/(1 - x0^2 c^2), mixed in equal parts with 1/(1 - x0 c)^2 + 1/(1 + x0 c)^2 where the
    coupling flips the helicity.
    """
    rapidity_max = np.log((1 + x0) ** 2 / deficit) / 2  # artanh(x0)
    rapidity = (2 * rng.random(len(x0)) - 1) * rapidity_max
    x0c = np.tanh(rapidity)
    flip = coupling.helicity_flip(masses)
    if flip:
        low, high = 1 / (1 + x0), (1 + x0) / deficit
        sign = np.where(rng.random(len(x0)) < 0.5, 1.0, -1.0)
        pole = sign * (1 - 1 / (low + rng.random(len(x0)) * (high - low)))
        x0c = np.where(rng.random(len(x0)) < 0.5, pole, x0c)
    minus, plus = 1 - x0c, 1 + x0c
    density = x0 / (2 * rapidity_max * minus * plus)
    if flip:
        density = density / 2 + deficit / 8 * (1 / minus**2 + 1 / plus**2)
    return np.clip(x0c / x0, -1.0, 1.0), density, sg * minus / 2, sg * plus / 2
