"""Bremsstrahlung and pair production: how often, and how the energy is shared.

Complete screening (PDG 2024, Eqs. 34.28 and 34.31), the limit of high energies, with the rate of
conversions at lower ones.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import rotate_z_to
from darkbelle.gen.particles import MASS_E
from darkbelle.units import MeV

__all__ = ["pair_momenta", "pairs_per_x0", "photon_number", "sample_photon_fraction"]

FloatArray = npt.NDArray[np.float64]

_SCREENED: Final = 7 / 9
"""Conversions of a photon of highest energy in a radiation length."""
_ENERGIES: Final = np.array([1.022, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4, 1e5]) * MeV
_RATES: Final = np.array([0, 0.13, 0.26, 0.40, 0.58, 0.70, 0.80, 0.89, 0.94, 0.99, 1])


def pairs_per_x0(energy: FloatArray) -> FloatArray:
    """Conversions of a photon of some energy [GeV] in a radiation length, shape (n,).

    7/9 times the ratio of the cross-section to its limit, in silicon: NIST XCOM, recalled, and
    the parametrisation of GEANT 3.21 (PHYS211), which agree to a few per cent.
    """
    rate: FloatArray = _SCREENED * np.interp(np.log(energy), np.log(_ENERGIES), _RATES)
    return rate


def photon_number(softest: FloatArray) -> FloatArray:
    """Photons that an electron radiates in a radiation length.

    Counted are those that take more than a fraction ``softest`` of its energy.
    """
    k = np.minimum(softest, 1.0)
    number: FloatArray = -4 / 3 * (np.log(k) + 1 - k) + (1 - k**2) / 2
    return number


def sample_photon_fraction(softest: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Share of the electron's energy that a photon takes, above ``softest``, shape (n,)."""
    share = np.empty_like(softest)
    waiting = np.arange(len(softest))
    while len(waiting):
        k = softest[waiting] ** rng.random(len(waiting))
        accepted = 4 / 3 * rng.random(len(waiting)) < 4 / 3 * (1 - k) + k**2
        share[waiting[accepted]] = k[accepted]
        waiting = waiting[~accepted]
    return share


@cache
def _sharing() -> tuple[FloatArray, FloatArray]:
    """Cumulative distribution of the electron's share of the photon's energy."""
    x = np.linspace(0, 1, 501)
    return (x - 4 / 3 * (x**2 / 2 - x**3 / 3)) / _SCREENED, x


def pair_momenta(photon: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Four-momenta of electron and positron from photons [GeV], shape (4, n) each.

    Energy is conserved, a nucleus takes the rest of the momentum. Each lepton leaves at an angle of
    the order of its mass over its energy, on opposite sides: dN/du^2 = 1/(1 + u^2)^2 with
    u = E theta/m (Tsai, Rev. Mod. Phys. 46 (1974) 815).
    """
    energy = photon[0]
    n_pairs = len(energy)
    share = np.interp(rng.random(n_pairs), *_sharing())
    e_minus = MASS_E + share * (energy - 2 * MASS_E)
    azimuth = rng.uniform(-np.pi, np.pi, n_pairs)
    pair = []
    for e, side in ((e_minus, 1), (energy - e_minus, -1)):
        p = np.sqrt(np.maximum(e**2 - MASS_E**2, 0.0))
        u2 = rng.random(n_pairs)
        theta = np.minimum(np.sqrt(u2 / (1 - u2)) * MASS_E / e, np.pi / 2)
        across = side * p * np.sin(theta)
        along_z = np.stack(
            [e, across * np.cos(azimuth), across * np.sin(azimuth), p * np.cos(theta)]
        )
        pair.append(rotate_z_to(along_z, photon[1:] / energy))
    return pair[0], pair[1]
