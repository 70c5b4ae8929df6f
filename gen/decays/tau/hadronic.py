"""tau- -> hadrons nu_tau through a current J: how the decay analyses the spin.

With k the momentum of the neutrino, |M|^2 ~ V.(P - m s) where

    V = 2 Re[(k.J) J*] - (J.J*) k + 2 X,   K.X = det[Re J; Im J; k; K] for any K,

so that h = V/V^0 in the rest frame of the tau (Y. S. Tsai, Phys. Rev. D 4 (1971) 2821; J. H. Kuehn
and F. Wagner, Nucl. Phys. B 236 (1984) 16).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.gen.decays.tau.currents import three_pion_current, transverse
from darkbelle.gen.kinematics import across, dot

__all__ = [
    "hadronic_vector",
    "pair_polarimeter",
    "single_polarimeter",
    "three_pion_polarimeter",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


def hadronic_vector(current: ComplexArray, neutrino: FloatArray) -> FloatArray:
    """V of the tau- by the momenta of hadrons and neutrino in any frame, shape (4, n)."""
    real, imaginary = current.real, current.imag
    even = _even_vector(real, neutrino) + _even_vector(imaginary, neutrino)
    vector: FloatArray = even - 2 * across(real, imaginary, neutrino)
    return vector


def _even_vector(current: FloatArray, neutrino: FloatArray) -> FloatArray:
    vector: FloatArray = 2 * dot(neutrino, current) * current - dot(current, current) * neutrino
    return vector


def single_polarimeter(momenta: FloatArray) -> FloatArray:
    """Of a pseudoscalar and nu_tau: the direction of the former, shape (3, n)."""
    return -_direction(momenta[1])


def pair_polarimeter(momenta: FloatArray) -> FloatArray:
    """Of two hadrons in a P wave and nu_tau; the form factor drops out, shape (3, n)."""
    first, second, neutrino = momenta
    vector = _even_vector(transverse(first - second, first + second), neutrino)
    return _direction(vector)


def three_pion_polarimeter(momenta: FloatArray) -> FloatArray:
    """Of two equal pions, the odd one and nu_tau, shape (3, n)."""
    first, second, odd, neutrino = momenta
    vector = hadronic_vector(three_pion_current(first, second, odd), neutrino)
    return _direction(vector)


def _direction(vector: FloatArray) -> FloatArray:
    """Of a light-like vector, shape (3, n)."""
    direction: FloatArray = vector[1:] / vector[0]
    return direction
