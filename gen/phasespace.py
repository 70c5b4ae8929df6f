"""Unweighted decays of particles at rest into two or three bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.errors import KinematicsError
from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import boost, breakup_momentum, two_body

__all__ = ["MatrixElement", "decay_at_rest"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MatrixElement:
    """Spin-summed square of a three-body amplitude, up to a constant, and what it never exceeds.

    ``squared`` takes the momenta of parent and daughters, shape (4, n) each; ``maximum`` takes the
    mass of the parent, shape (n,), and those of the daughters [GeV]; both return the shape (n,).
    """

    squared: Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]
    maximum: Callable[[FloatArray, float, float, float], FloatArray]


def decay_at_rest(
    mass: FloatArray,
    daughter_masses: Sequence[float],
    rng: np.random.Generator,
    matrix_element: MatrixElement | None = None,
) -> FloatArray:
    """Momenta of the daughters in the parent's frame, shape (2 or 3, 4, n).

    Flat in phase space or, where there are three, distributed as their matrix element says.

    Parameters
    ----------
    mass
        Masses of the parents [GeV], shape (n,).

    Raises
    ------
    KinematicsError
        A parent is lighter than its daughters.
    """
    if len(mass) and not mass.min() >= sum(daughter_masses):
        raise KinematicsError(
            f"a particle of {mass.min():.6g} GeV cannot decay to {sum(daughter_masses):.6g} GeV"
        )
    if len(daughter_masses) == 2:
        first, second = daughter_masses
        return np.stack(two_body(mass, first, second, *_directions(len(mass), rng)))
    first, second, third = daughter_masses
    return _three_body(mass, (first, second, third), rng, matrix_element)


def _three_body(
    mass: FloatArray,
    daughter_masses: tuple[float, float, float],
    rng: np.random.Generator,
    matrix_element: MatrixElement | None,
) -> FloatArray:
    """By rejection: the mass m of the first two has the density p(M; m, m3) p(m; m1, m2).

    PDG 2024, review of kinematics, three-body decays. The first factor falls with m and the second
    grows, so that their ends bound the product.
    """
    first, second, third = daughter_masses
    low, high = first + second, mass - third
    bound = breakup_momentum(mass, low, third) * breakup_momentum(high, first, second)
    if matrix_element is not None:
        bound *= matrix_element.maximum(mass, *daughter_masses)
    momenta = np.empty((3, 4, len(mass)))
    pending = np.arange(len(mass))
    while n := len(pending):
        total = mass[pending]
        pair = rng.uniform(low, high[pending])
        frame, p3 = two_body(total, pair, third, *_directions(n, rng))
        halves = two_body(pair, first, second, *_directions(n, rng))
        trial = np.stack([*(boost(half, frame, pair) for half in halves), p3])
        weight = breakup_momentum(total, pair, third) * breakup_momentum(pair, first, second)
        if matrix_element is not None:
            parent = np.stack([total, *np.zeros((3, n))])
            weight *= matrix_element.squared(parent, *trial)
        accepted = rng.random(n) * bound[pending] < weight
        momenta[:, :, pending[accepted]] = trial[:, :, accepted]
        pending = pending[~accepted]
    return momenta


def _directions(n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Isotropic cosines and azimuths."""
    return 2 * rng.random(n) - 1, azimuths(n, rng)
