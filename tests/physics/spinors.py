"""Amplitudes from explicit Dirac spinors, column by column: what closed forms are tested against.

Dirac representation. Momenta are (e, px, py, pz) of shape (4, n); spinors have the shape (n, 4),
currents (4, n) with an upper index, matrices (n, 4, 4). Nothing of ``darkbelle`` is used.
"""

from __future__ import annotations

from itertools import product

import numpy as np

__all__ = [
    "GAMMA",
    "GAMMA5",
    "METRIC",
    "adjoint",
    "antispinors",
    "boosted",
    "contract",
    "current",
    "momentum",
    "photon_polarisations",
    "propagator",
    "random_directions",
    "sandwich",
    "slash",
    "spinors",
    "squared_sum",
    "two_bodies",
    "vector_polarisations",
]

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
GAMMA = np.zeros((4, 4, 4), complex)
GAMMA[0] = np.diag([1, 1, -1, -1])
GAMMA[1:, :2, 2:], GAMMA[1:, 2:, :2] = PAULI, -PAULI
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]


def contract(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Minkowski product of (complex) four-vectors, without conjugation."""
    return np.einsum("m...,mk,k...->...", a, METRIC, b)


def slash(p: np.ndarray) -> np.ndarray:
    """gamma_m p^m, shape (n, 4, 4)."""
    return np.einsum("mn,mk,kij->nij", p, METRIC, GAMMA)


def propagator(p: np.ndarray, mass: float, square: np.ndarray) -> np.ndarray:
    """(pslash + m)/``square``, which is p^2 - m^2 worked out elsewhere."""
    return (slash(p) + mass * np.eye(4)) / square[:, None, None]


def spinors(p: np.ndarray, mass: float) -> list[np.ndarray]:
    """u(p) of two independent spins: sum u ubar = pslash + m."""
    norm = np.sqrt(p[0] + mass)[:, None]
    matrix = slash(p) + mass * np.eye(4)
    return [matrix[:, :, spin] / norm for spin in (0, 1)]


def antispinors(p: np.ndarray, mass: float) -> list[np.ndarray]:
    """v(p) of two independent spins: sum v vbar = pslash - m."""
    norm = np.sqrt(p[0] + mass)[:, None]
    matrix = mass * np.eye(4) - slash(p)
    return [matrix[:, :, spin] / norm for spin in (2, 3)]


def adjoint(spinor: np.ndarray) -> np.ndarray:
    """psi^dagger gamma^0."""
    return spinor.conj() @ GAMMA[0]


def current(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Leftbar gamma^m right, shape (4, n)."""
    return np.einsum("ni,mij,nj->mn", adjoint(left), GAMMA, right)


def sandwich(left: np.ndarray, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Leftbar matrix right, shape (n,)."""
    return np.einsum("ni,nij,nj->n", adjoint(left), matrix, right)


def squared_sum(amplitude, *states) -> np.ndarray:
    """Sum of |amplitude|^2 over all combinations of the states."""
    return sum(np.abs(amplitude(*combination)) ** 2 for combination in product(*states))


def photon_polarisations(k: np.ndarray) -> list[np.ndarray]:
    """Two real unit vectors across k, without time component."""
    direction = k[1:] / np.linalg.norm(k[1:], axis=0)
    helper = np.where(np.abs(direction[2]) < 0.9, [[0.0], [0.0], [1.0]], [[1.0], [0.0], [0.0]])
    first = np.cross(helper, direction, axis=0)
    first /= np.linalg.norm(first, axis=0)
    second = np.cross(direction, first, axis=0)
    return [np.concatenate([np.zeros((1, k.shape[1])), e]) for e in (first, second)]


def vector_polarisations(k: np.ndarray, mass: float) -> list[np.ndarray]:
    """Three real unit vectors orthogonal to k."""
    rest = np.eye(4)[1:, :, None] * np.ones(k.shape[1])
    return [boosted(e, k, mass) for e in rest]


# ---- kinematics ----------------------------------------------------------------------------------


def momentum(mass: float, three: np.ndarray) -> np.ndarray:
    """On the mass shell."""
    return np.concatenate([[np.sqrt(mass**2 + np.sum(three**2, axis=0))], three])


def boosted(p: np.ndarray, frame: np.ndarray, mass: np.ndarray | float) -> np.ndarray:
    """P from the rest frame of ``frame`` to where this was measured."""
    gamma, u = frame[0] / mass, frame[1:] / mass
    along = np.sum(u * p[1:], axis=0)
    return np.concatenate([[gamma * p[0] + along], p[1:] + u * (along / (gamma + 1) + p[0])])


def random_directions(n: int, rng: np.random.Generator) -> np.ndarray:
    """Isotropic unit vectors, shape (3, n)."""
    flight = rng.normal(size=(3, n))
    return flight / np.linalg.norm(flight, axis=0)


def two_bodies(
    parent: np.ndarray, mass: np.ndarray | float, first: float, second: float, direction: np.ndarray
) -> np.ndarray:
    """Daughters of a decay, the first along ``direction`` in the rest frame, shape (2, 4, n)."""
    energy = (mass**2 + first**2 - second**2) / (2 * mass)
    size = np.sqrt(energy**2 - first**2)
    one = np.concatenate([[energy * np.ones(direction.shape[1])], size * direction])
    one = boosted(one, parent, mass)
    return np.stack([one, parent - one])
