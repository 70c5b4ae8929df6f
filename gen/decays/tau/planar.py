"""Three bodies in a plane: a massless one, and a pair of given mass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import random_axes
from darkbelle.gen.kinematics import breakup_momentum

__all__ = ["massless_and_pair"]

FloatArray = npt.NDArray[np.float64]


def massless_and_pair(
    mass: FloatArray,
    pair_mass: FloatArray,
    own_masses: tuple[float, float],
    cosine: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Momenta of a massless particle and of a pair in the parent's frame, turned at random.

    Parameters
    ----------
    mass, pair_mass
        Of the parent and of the pair [GeV], shape (n,).
    own_masses
        Of the pair's members [GeV].
    cosine
        Between the first member and the massless particle in the pair's frame, shape (n,).
    """
    first_mass, second_mass = own_masses
    energy = (mass - pair_mass) * (mass + pair_mass) / (2 * mass)
    pair_energy = mass - energy
    momentum = breakup_momentum(pair_mass, first_mass, second_mass)
    own_energy = pair_mass / 2 + (first_mass**2 - second_mass**2) / (2 * pair_mass)
    forward = momentum * cosine
    first_energy = (pair_energy * own_energy - energy * forward) / pair_mass
    along = (pair_energy * forward - energy * own_energy) / pair_mass
    axis, side, _ = random_axes(len(mass), rng)
    across = momentum * np.sqrt(1 - cosine**2) * side
    massless = np.stack([energy, *(energy * axis)])
    first = np.stack([first_energy, *(along * axis + across)])
    second = np.stack([pair_energy - first_energy, *(-(energy + along) * axis - across)])
    return massless, first, second
