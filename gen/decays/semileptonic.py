"""Semileptonic decays of pseudoscalars, with massive leptons.

In the frame of the leptons, with the lepton at the cosine c to the flight of the pair (to which V-A
sends the lepton of a left-handed pair), a current of helicity amplitudes H gives, over phase space,

    (q^2 - m^2) [(1 - c)^2 H_+^2 + (1 + c)^2 H_-^2 + 2 (1 - c^2) H_0^2
                 + m^2/q^2 ((1 - c^2) (H_+^2 + H_-^2) + 2 (H_t - c H_0)^2)]

(J. G. Koerner, G. A. Schuler, Z. Phys. C46 (1990) 93; signs rederived).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import dot
from darkbelle.gen.phasespace import MatrixElement

__all__ = ["to_pseudoscalar", "to_vector"]

FloatArray = npt.NDArray[np.float64]

RHO2: Final = 1.121
R1: Final = 1.269
R2: Final = 0.853
"""Of B -> D* l nu at zero recoil: HFLAV 2021, arXiv:2206.07501."""
R0: Final = 1.14
"""Of heavy-quark symmetry, arXiv:1203.2654."""


@dataclass(frozen=True, slots=True)
class _Pole:
    """f+(q^2) with a pole at a mass [GeV]."""

    mass: float

    def squared(
        self, parent: FloatArray, meson: FloatArray, lepton: FloatArray, neutrino: FloatArray
    ) -> FloatArray:
        current, transfer = parent + meson, parent - meson
        leptons = 2 * dot(current, lepton) * dot(current, neutrino)
        leptons -= dot(current, current) * dot(lepton, neutrino)
        form_factor: FloatArray = 1 / (1 - dot(transfer, transfer) / self.mass**2)
        return leptons * form_factor**2

    def maximum(self, mass: FloatArray, meson: float, *_: float) -> FloatArray:
        """At no momentum transfer; the form factor grows more slowly than the rest falls."""
        return (mass**2 - meson**2) ** 2 / 2


def to_pseudoscalar(pole: float) -> MatrixElement:
    """P -> P' l nu, in this order, by f+ with a pole [GeV], without f-."""
    element = _Pole(pole)
    return MatrixElement(element.squared, element.maximum)


def _helicities(w: FloatArray, r: FloatArray | float) -> tuple[FloatArray, ...]:
    """H_+, H_-, H_0, H_t of B -> D*, times sqrt(q^2), for m_B = 1 and up to a constant.

    Caprini, Lellouch, Neubert, Nucl. Phys. B530 (1998) 153; R_0 as in arXiv:1203.2654.
    """
    away = np.maximum(w - 1, 0.0)
    root = np.sqrt(w + 1)
    z = (root - math.sqrt(2)) / (root + math.sqrt(2))
    h_a1 = 1 - 8 * RHO2 * z + (53 * RHO2 - 15) * z**2 - (231 * RHO2 - 91) * z**3
    r0 = R0 - 0.11 * away + 0.01 * away**2
    r1 = R1 - 0.12 * away + 0.05 * away**2
    r2 = R2 + 0.11 * away - 0.06 * away**2
    root_q2 = np.sqrt(np.maximum(1 - 2 * w * r + r**2, 0.0))
    momentum = np.sqrt(away * (w + 1))
    common = h_a1 * (w + 1)
    across = root_q2 * common
    odd = momentum / (w + 1) * r1
    zero = common * ((1 - r) + away * (1 - r2))
    time = h_a1 * momentum * (1 + r) * r0
    return across * (1 - odd), across * (1 + odd), zero, time


def _vector_squared(
    parent: FloatArray, vector: FloatArray, lepton: FloatArray, neutrino: FloatArray
) -> FloatArray:
    """Summed over the helicities of the vector."""
    mass2, own2, pair = dot(parent, parent), dot(vector, vector), lepton + neutrino
    q2, lepton2 = dot(pair, pair), dot(lepton, lepton)
    r, w = np.sqrt(own2 / mass2), dot(parent, vector) / np.sqrt(mass2 * own2)
    plus, minus, zero, time = _helicities(w, r)
    # In the frame of the pair P.(l - nu) = E_P m^2/sqrt(q^2) + |P| (q^2 - m^2)/sqrt(q^2) c.
    flip = lepton2 / q2
    along = dot(parent, pair)
    flight = np.sqrt(np.maximum(along**2 - mass2 * q2, 1e-300))
    c = (dot(parent, lepton - neutrino) - along * flip) / (flight * (1 - flip))
    across = 1 - c**2
    squared: FloatArray = (1 - flip) * (
        (1 - c) ** 2 * plus**2
        + (1 + c) ** 2 * minus**2
        + 2 * across * zero**2
        + flip * (across * (plus**2 + minus**2) + 2 * (time - c * zero) ** 2)
    )
    return squared


def _vector_maximum(mass: FloatArray, vector: float, lepton: float, *_: float) -> FloatArray:
    """By the greatest of the first three, whose shares in c are (1 -+ c)^2/4 and what is left.

    Searched among recoils, which some margin makes up for, with all that masses add.
    """
    masses, inverse = np.unique(mass, return_inverse=True)
    r = vector / masses
    w_max = (1 + r**2 - (lepton / masses) ** 2) / (2 * r)
    w = 1 + np.linspace(0, 1, 129)[:, None] * (w_max - 1)
    plus, minus, zero, time = (np.abs(amplitude) for amplitude in _helicities(w, r))
    flip = lepton**2 / (masses**2 * np.maximum(1 - 2 * w * r + r**2, 1e-12))
    greatest = 4 * np.maximum(np.maximum(plus, minus), zero) ** 2
    greatest += np.minimum(flip, 1.0) * (plus**2 + minus**2 + 2 * (time + zero) ** 2)
    maximum: FloatArray = 1.01 * np.max(greatest, axis=0)[inverse]
    return maximum


def to_vector() -> MatrixElement:
    """B -> D* l nu, in this order, by heavy-quark symmetry; the D* is left unpolarised."""
    return MatrixElement(_vector_squared, _vector_maximum)
