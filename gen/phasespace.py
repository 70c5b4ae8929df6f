"""Unweighted decays of particles at rest, flat in phase space or by a matrix element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from darkbelle.errors import KinematicsError
from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import boost, breakup_momentum, two_body
from darkbelle.gen.sampling import first_kept

__all__ = [
    "DecayAtRest",
    "MatrixElement",
    "decay_at_rest",
    "draw_chain",
    "follow_chain",
    "greatest_product",
    "in_phase_space",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

_MARGIN: Final = 1.0001
"""What a maximum that was searched for may miss."""
_ALIKE: Final = 1e-4
"""GeV; masses that differ by rounding errors are far closer."""


class DecayAtRest(Protocol):
    """How daughters share the energy of a parent, isotropic; picklable: workers are sent it."""

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Momenta in the frames of parents of masses (n,), shape (n_daughters, 4, n)."""


def in_phase_space(
    daughter_masses: Sequence[float], matrix_element: MatrixElement | None = None
) -> DecayAtRest:
    """Decays by `decay_at_rest`."""
    return partial(decay_at_rest, daughter_masses=daughter_masses, matrix_element=matrix_element)


@dataclass(frozen=True, slots=True)
class MatrixElement:
    """Spin-summed square of a three-body amplitude, up to a constant, and what it never exceeds.

    ``squared`` takes the momenta of parent and daughters, shape (4, n) each; ``maximum`` takes the
    mass of the parent, shape (n,), and those of the daughters [GeV]; both return the shape (n,).
    """

    squared: Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]
    maximum: Callable[..., FloatArray]


def decay_at_rest(
    mass: FloatArray,
    daughter_masses: Sequence[float | FloatArray],
    rng: np.random.Generator,
    matrix_element: MatrixElement | None = None,
) -> FloatArray:
    """Momenta of two or more daughters in the parent's frame, shape (n_daughters, 4, n).

    Flat in phase space or, where there are three, distributed as their matrix element says.

    Parameters
    ----------
    mass
        Masses of the parents [GeV], shape (n,).
    daughter_masses
        One for all or shape (n,) each; with a matrix element, one for all.

    Raises
    ------
    KinematicsError
        A parent is lighter than its daughters.
    """
    least: float | FloatArray = sum(daughter_masses)
    if not np.all(mass >= least):
        worst = np.argmin(mass - least)
        raise KinematicsError(
            f"a particle of {mass[worst]:.6g} GeV cannot decay to "
            f"{np.broadcast_to(least, mass.shape)[worst]:.6g} GeV"
        )
    if len(daughter_masses) == 2:
        first, second = daughter_masses
        return np.stack(two_body(mass, first, second, *_directions(len(mass), rng)))
    if matrix_element is None:
        return _many_body(mass, daughter_masses, rng)
    first, second, third = daughter_masses
    return _three_body(mass, (first, second, third), rng, matrix_element)


def _three_body(
    mass: FloatArray,
    daughter_masses: tuple[float | FloatArray, float | FloatArray, float | FloatArray],
    rng: np.random.Generator,
    matrix_element: MatrixElement,
) -> FloatArray:
    """By rejection: the mass m of the first two has the density p(M; m, m3) p(m; m1, m2).

    PDG 2024, review of kinematics, three-body decays. The first factor falls with m and the second
    grows, so that their ends bound the product.
    """
    first, second, third = (np.broadcast_to(own, mass.shape) for own in daughter_masses)
    low, high = first + second, mass - third
    bound = breakup_momentum(mass, low, third) * breakup_momentum(high, first, second)
    bound *= matrix_element.maximum(mass, *daughter_masses)

    def attempt(rows: IndexArray) -> tuple[FloatArray, BoolArray]:
        total, m1, m2, m3 = (own[rows] for own in (mass, first, second, third))
        pair = rng.uniform(low[rows], high[rows])
        frame, p3 = two_body(total, pair, m3, *_directions(len(rows), rng))
        halves = two_body(pair, m1, m2, *_directions(len(rows), rng))
        trial = np.stack([*(boost(half, frame, pair) for half in halves), p3])
        weight = breakup_momentum(total, pair, m3) * breakup_momentum(pair, m1, m2)
        parent = np.stack([total, *np.zeros((3, len(rows)))])
        weight *= matrix_element.squared(parent, *trial)
        return trial, rng.random(len(rows)) * bound[rows] < weight

    return first_kept(len(mass), attempt)


def _many_body(
    mass: FloatArray, daughter_masses: Sequence[float | FloatArray], rng: np.random.Generator
) -> FloatArray:
    """By rejection from chains of two-body decays, cf. `draw_chain`."""
    own = np.stack([np.broadcast_to(m, mass.shape) for m in daughter_masses])
    bound = greatest_product(mass, own)

    def attempt(rows: IndexArray) -> tuple[FloatArray, BoolArray]:
        chain, product = draw_chain(mass[rows], own[:, rows], rng)
        return chain, rng.random(len(rows)) * bound[rows] < product

    return follow_chain(first_kept(len(mass), attempt), own, rng)


def draw_chain(
    mass: FloatArray, own: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Masses M_i of the first i daughters, whose kinetic energies are sorted uniforms.

    F. James, CERN 68-15 (1968), GENBOD: in phase space, their density is the product of the momenta
    p(M_i; M_(i-1), m_i), times the free energy to the power of the number of daughters less two.

    Parameters
    ----------
    mass, own
        Masses of the parents, shape (n,), and of their daughters, shape (n_daughters, n) [GeV].

    Returns
    -------
    chain
        Masses M_i, shape (n_daughters, n).
    product
        Product of the momenta, shape (n,).
    """
    sums = np.cumsum(own, axis=0)
    shares = np.zeros(own.shape)
    shares[1:-1] = np.sort(rng.random((len(own) - 2, len(mass))), axis=0)
    shares[-1] = 1.0
    chain = sums + shares * (mass - sums[-1])
    product: FloatArray = np.prod(breakup_momentum(chain[1:], chain[:-1], own[1:]), axis=0)
    return chain, product


def follow_chain(chain: FloatArray, own: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Momenta of all daughters: M_i decays into M_(i-1) and m_i, isotropically."""
    n_daughters, n = own.shape
    momenta = np.empty((4, n_daughters, n))
    for i in range(1, n_daughters):
        frame, momenta[:, i] = two_body(chain[i], chain[i - 1], own[i], *_directions(n, rng))
        if i == 1:
            momenta[:, 0] = frame
        else:
            momenta[:, :i] = boost(momenta[:, :i], frame, chain[i - 1])
    return np.swapaxes(momenta, 0, 1)


def greatest_product(mass: FloatArray, own: FloatArray) -> FloatArray:
    """What the product of the momenta of any chain does not exceed, shape (n,)."""
    if len(own) > 2 and len(mass) and np.ptp(mass) < _ALIKE and np.all(own == own[:, :1]):
        # The product grows with the mass; rounded up, it is searched once for all of a kind.
        heaviest = np.ceil(mass.max() / _ALIKE) * _ALIKE
        return np.full(len(mass), _searched_maximum(float(heaviest), tuple(own[:, 0].tolist())))
    # Each momentum alone is greatest where all kinetic energy has come together, or none has.
    sums = np.cumsum(own, axis=0)
    product: FloatArray = np.prod(
        breakup_momentum(mass - sums[-1] + sums[1:], sums[:-1], own[1:]), axis=0
    )
    return product


@lru_cache(maxsize=1024)
def _searched_maximum(mass: float, own: tuple[float, ...]) -> float:
    """Maximum of the product over the shares of the kinetic energy, which is smooth and single."""
    masses = np.array(own)
    sums = np.cumsum(masses)

    def less(logits: FloatArray) -> float:
        parts = np.exp(np.append(logits, 0.0))
        shares = np.concatenate([[0.0], np.cumsum(parts) / parts.sum()])
        chain = sums + shares * (mass - sums[-1])
        return -float(np.log(breakup_momentum(chain[1:], chain[:-1], masses[1:])).sum())

    found = minimize(less, np.zeros(len(own) - 2), method="Nelder-Mead", options={"xatol": 1e-4})
    return _MARGIN * float(np.exp(-found.fun))


def _directions(n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Isotropic cosines and azimuths."""
    return 2 * rng.random(n) - 1, azimuths(n, rng)
