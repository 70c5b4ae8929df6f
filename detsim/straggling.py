"""Energy that charged particles which pass the crystals leave there, about the most probable one.

Collisions that transfer more than xi are drawn one by one and their electrons shower, as photons
that are radiated do. All other collisions, and what else makes the deposit uncertain, are a
Gaussian. Pairs made by muons are left out: they are as frequent as photons only below m_e/m_mu of
the energy, some tens of MeV, and much rarer above (PDG 2024, section 34.6).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.radiation import photon_number, sample_photon_fraction
from darkbelle.detsim.shower_profile import (
    BY_ELECTRON,
    BY_PHOTON,
    contained_share,
    profile_shape,
)
from darkbelle.gen.particles import MASS_E
from darkbelle.geometry import Calorimeter
from darkbelle.geometry.calorimeter import Tracks
from darkbelle.units import MeV

__all__ = ["greatest_transfer", "straggling"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

_FWHM = 2.3548
"""Full width at half maximum of a Gaussian in units of its sigma."""
_BROADER = 1.5
"""What collisions add to that of a Gaussian of 1.5 to 4 xi [xi], within 0.3 %."""
_MODE, _MODE_SLOPE = 0.37, 0.82
"""Mode [xi] with a Gaussian of one xi, and its growth with the logarithm of that: 0.01 for 1 to 4.

As `_BROADER`, from the Fourier transform of a Gaussian and collisions of more than xi with
T_max = 100 xi. For T_max from 2 to 200 xi the mode goes with the number of collisions within 0.1.
"""


def greatest_transfer(beta_gamma: FloatArray, mass: FloatArray) -> FloatArray:
    """Greatest energy T_max [GeV] of a knock-on electron: PDG 2024, Eq. 34.4."""
    ratio = MASS_E / mass
    gamma = np.sqrt(1 + beta_gamma**2)
    transfer: FloatArray = 2 * MASS_E * beta_gamma**2 / (1 + 2 * gamma * ratio + ratio**2)
    return transfer


def straggling(
    momentum: FloatArray,
    mass: FloatArray,
    has_spin: BoolArray,
    path: FloatArray,
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> FloatArray:
    """Seen energy minus the most probable one [GeV], shape (n,).

    Parameters
    ----------
    momentum, mass
        Those of unit charges [GeV].
    has_spin
        Whether they are of spin 1/2, and not of spin 0.
    path
        Lengths of the ways through the crystals, in depths of these.
    """
    energy = np.hypot(momentum, mass)
    beta2 = (momentum / energy) ** 2
    top = greatest_transfer(momentum / mass, mass)
    xi = np.maximum(ecl.tracks.knock_on_gev * path / beta2, np.finfo(float).tiny)
    softest = np.minimum(xi, top)
    soft = xi * softest * (1 - beta2 * softest / (2 * top))
    spread = np.sqrt(_other_variance(ecl.tracks) + soft)
    number = xi / softest - xi / top * (1 + beta2 * np.log(top / softest))
    mode = number * xi * (_MODE + _MODE_SLOPE * np.log(spread / xi))

    deviation = spread * rng.standard_normal(len(xi)) - mode
    for (parent, begun), start in (
        (_knock_ons(energy, beta2, xi, top, has_spin, rng), BY_ELECTRON),
        (_photons(energy, mass, path, ecl, rng), BY_PHOTON),
    ):
        seen = _seen(begun, start, path[parent], ecl, rng)
        deviation += np.bincount(parent, seen, len(xi))
    return deviation


def _other_variance(look: Tracks) -> float:
    """Variance [GeV^2] that collisions do not explain: with them, the width is that of the card."""
    core = max(look.width_gev - _BROADER * look.knock_on_gev, 0.0) / _FWHM
    return max(core**2 - look.knock_on_gev**2, 0.0)


def _knock_ons(
    energy: FloatArray,
    beta2: FloatArray,
    xi: FloatArray,
    top: FloatArray,
    has_spin: BoolArray,
    rng: np.random.Generator,
) -> tuple[IndexArray, FloatArray]:
    """Which particles make electrons of more than xi, and of which energies [GeV].

    PDG 2024, Eq. 34.8: xi/T^2 (1 - beta^2 T/T_max), for spin 1/2 with T^2/(2 E^2) added to the
    bracket (Rossi, "High Energy Particles", 1952, section 2.3), which is one at most. Before it is
    looked at, each particle has one above xi on average.
    """
    n = len(energy)
    parent = rng.integers(n, size=rng.poisson(n)) if n else np.empty(0, np.intp)
    transfer = xi[parent] / (1 - rng.random(len(parent)))
    ratio = transfer / top[parent]
    bracket = 1 - beta2[parent] * ratio + has_spin[parent] * (transfer / energy[parent]) ** 2 / 2
    made = (ratio < 1) & (rng.random(len(parent)) < bracket)
    return parent[made], transfer[made]


def _photons(
    energy: FloatArray,
    mass: FloatArray,
    path: FloatArray,
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> tuple[IndexArray, FloatArray]:
    """Which particles radiate, never twice, and photons of which energies [GeV].

    As electrons in lengths that are longer by the square of the mass; screening and the size of the
    nucleus change that by 20 % for muons of 4 GeV (Groom et al., At. Data Nucl. Data Tables 78
    (2001) 183, section 4.2).
    """
    softest = np.minimum(ecl.showers.critical_energy_mev * MeV / energy, 1.0)
    number = ecl.depth_x0 * path * (MASS_E / mass) ** 2 * photon_number(softest)
    parent = np.flatnonzero(rng.random(len(energy)) < number)
    return parent, energy[parent] * sample_photon_fraction(softest[parent], rng)


def _seen(
    energy: FloatArray,
    start: float,
    path: FloatArray,
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> FloatArray:
    """What showers that begin anywhere on paths leave [GeV], shape (n,)."""
    seen = energy.copy()
    showers = np.flatnonzero(energy > ecl.showers.critical_energy_mev * MeV)
    left = rng.random(len(showers)) * path[showers] * ecl.depth_x0
    shape = profile_shape(energy[showers], start, ecl.showers)
    seen[showers] *= contained_share(shape, left, ecl)
    return seen
