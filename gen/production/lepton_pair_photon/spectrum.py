"""Spectra of the photon in e+e- -> l+ l- gamma, whatever the leptons do.

Squared masses of the pair are s' = rest * s; x = 1 - rest is the photon's energy in units of the
beam energy. The interference vanishes, since nothing here tells l- from l+.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from darkbelle.gen.production import emission
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["final_spectrum", "initial_spectrum"]

FloatArray = npt.NDArray[np.float64]

_NODE, _NODE_WEIGHT = np.polynomial.legendre.leggauss(24)


def initial_spectrum(mass: float, cos_max: float, s: FloatArray, rest: FloatArray) -> FloatArray:
    """Cross-section per x of photons from the beams within |cos| < cos_max [fb].

    The pair's own cross-section at s' times (alpha/pi x) [(2 - 2 x + x^2)/(1 - cos^2) - x^2/2]
    (Bonneau and Martin, Nucl. Phys. B27 (1971) 381).
    """
    x = 1 - rest
    angular = (1 + rest**2) * 2 * math.atanh(cos_max) - x**2 * cos_max
    return ALPHA_EM / (np.pi * x) * angular * LeptonPair(mass).cross_section(s * rest)


def final_spectrum(mass: float, cos_max: float, s: FloatArray, rest: FloatArray) -> FloatArray:
    """Cross-section per x of photons from the leptons within |cos| < cos_max [fb].

    The squared amplitude is quadratic in the direction of the beams. Averaged over the azimuth of
    the pair around the photon it is given by its values at three: along the photon, across it in
    the plane of the leptons, and across that plane.
    """
    rapidity = np.arccosh(np.maximum(np.sqrt(s * rest) / (2 * mass), 1.0))[..., None]
    # Even in beta * c, c being the cosine between l- and the photon in the frame of the pair.
    eta = rapidity * (_NODE + 1) / 2
    beta_c = np.tanh(eta)
    s, s_pair = s[..., None], (s * rest)[..., None]
    gap = s - s_pair
    d1, d2 = gap * (1 - beta_c) / 2, gap * (1 + beta_c) / 2
    forward = (s + s_pair) * beta_c
    sideways2 = np.maximum(np.tanh(rapidity) ** 2 - beta_c**2, 0.0)  # (beta sin)^2
    sideways = np.sqrt(s * s_pair * sideways2) / 2
    zero = np.zeros_like(sideways)
    along, in_plane, out_of_plane = (
        emission.squared_amplitude(
            emission.VECTOR,
            emission.Masses(mass, 0.0),
            emission.Invariants(s, d1, d2, a, b),
        )
        for a, b in (
            ((gap - forward) / 4, (gap + forward) / 4),
            (sideways, -sideways),
            (zero, zero),
        )
    )
    across = (in_plane + out_of_plane) / 2
    angular = 2 * cos_max * across + 2 / 3 * cos_max**3 * (along - across)
    squared = (angular / np.cosh(eta) ** 2 * rapidity) @ _NODE_WEIGHT / s[..., 0] ** 2
    # Phase space d(rest) d(cos) d(beta c) with both azimuths integrated.
    phase_space = gap[..., 0] / (512 * np.pi**3)
    spectrum: FloatArray = (
        (4 * np.pi * ALPHA_EM) ** 3 / (8 * s[..., 0]) * phase_space * squared * HBAR_C2
    )
    return spectrum
