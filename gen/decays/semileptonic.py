"""Semileptonic decays of pseudoscalars, leptons massless in the amplitudes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import dot, invariant_mass
from darkbelle.gen.phasespace import MatrixElement

__all__ = ["to_pseudoscalar", "to_vector"]

FloatArray = npt.NDArray[np.float64]

RHO2: Final = 1.121
R1: Final = 1.269
R2: Final = 0.853
"""Of B -> D* l nu at zero recoil: HFLAV 2021, arXiv:2206.07501."""


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


def _recoil_factors(w: FloatArray, r: FloatArray | float) -> tuple[FloatArray, ...]:
    """(w + 1)^2 h_A1^2, then the squared helicity amplitudes H_+, H_-, H_0 over it."""
    away = np.maximum(w - 1, 0.0)
    root = np.sqrt(w + 1)
    z = (root - math.sqrt(2)) / (root + math.sqrt(2))
    h_a1 = 1 - 8 * RHO2 * z + (53 * RHO2 - 15) * z**2 - (231 * RHO2 - 91) * z**3
    r1 = R1 - 0.12 * away + 0.05 * away**2
    r2 = R2 + 0.11 * away - 0.06 * away**2
    across = (1 - 2 * w * r + r**2) / (1 - r) ** 2
    odd = np.sqrt(away / (w + 1)) * r1
    along = 1 + away / (1 - r) * (1 - r2)
    return (root**2 * h_a1) ** 2, across * (1 - odd) ** 2, across * (1 + odd) ** 2, along**2


def _vector_squared(
    parent: FloatArray, vector: FloatArray, lepton: FloatArray, neutrino: FloatArray
) -> FloatArray:
    """Summed over the helicities of the vector.

    Over phase space (w + 1)^2 h_A1^2 [(1 - c)^2 H_+^2 + (1 + c)^2 H_-^2 + 2 (1 - c^2) H_0^2], with
    c the cosine between lepton and flight of the pair, in the frame of the pair: Caprini, Lellouch,
    Neubert, Nucl. Phys. B530 (1998) 153.
    """
    mass, own, pair = invariant_mass(parent), invariant_mass(vector), lepton + neutrino
    common, plus, minus, zero = _recoil_factors(dot(parent, vector) / (mass * own), own / mass)
    # In the frame of the pair P.(l - nu) is |P| |q| c.
    flight2 = dot(parent, pair) ** 2 - mass**2 * dot(pair, pair)
    c = dot(parent, lepton - neutrino) / np.sqrt(np.maximum(flight2, 1e-300))
    squared: FloatArray = common * (
        (1 - c) ** 2 * plus + (1 + c) ** 2 * minus + 2 * (1 - c**2) * zero
    )
    return squared


def _vector_maximum(mass: FloatArray, vector: float, *_: float) -> FloatArray:
    """Four times the greatest of the three, since their shares in c are (1 -+ c)^2/4 and the rest.

    Searched among recoils, which some margin makes up for.
    """
    masses, inverse = np.unique(mass, return_inverse=True)
    r = vector / masses
    w = 1 + np.linspace(0, 1, 65)[:, None] * ((1 + r**2) / (2 * r) - 1)
    common, plus, minus, zero = _recoil_factors(w, r)
    greatest = 1.01 * 4 * np.max(common * np.maximum(np.maximum(plus, minus), zero), axis=0)
    maximum: FloatArray = greatest[inverse]
    return maximum


def to_vector() -> MatrixElement:
    """B -> D* l nu, in this order, by heavy-quark symmetry; the D* is left unpolarised."""
    return MatrixElement(_vector_squared, _vector_maximum)
