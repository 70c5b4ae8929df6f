"""The total cross-section of the emission, by quadrature."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from darkbelle.gen.production.emission.amplitude import Coupling, Masses
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["cross_section"]

FloatArray = npt.NDArray[np.float64]


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
