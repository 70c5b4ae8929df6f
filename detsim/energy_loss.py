"""How charged particles slow down: mean ionisation loss, and how far a particle gets.

Path lengths are counted in the energy that a minimum-ionising particle would lose on them [GeV],
so that one curve serves every material of the tracking volume.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from darkbelle.gen.particles import MASS_E

__all__ = ["momentum_after", "momentum_of_path", "relative_loss", "stopping_path"]

FloatArray = npt.NDArray[np.float64]

_EXCITATION = 80e-9
"""Mean excitation energy [GeV]: between beryllium (64 eV) and silicon (173 eV), PDG 2024."""
_MINIMUM = 3.5
"""beta gamma of least loss."""
_SLOWEST, _FASTEST = 1e-3, 1e6
"""Range of beta gamma in the table: 1e6 are electrons of 511 GeV."""


def relative_loss(beta_gamma: FloatArray) -> FloatArray:
    """Mean loss in units of the least one: PDG 2024, Eq. 34.5, without density and shell terms.

    Constant beyond the minimum: in thin solid layers the relativistic rise is a few per cent.
    """
    least, x = _bethe(np.array(_MINIMUM)), np.minimum(beta_gamma, _MINIMUM)
    relative: FloatArray = _bethe(x) / least
    return relative


def _bethe(beta_gamma: FloatArray) -> FloatArray:
    beta2 = beta_gamma**2 / (1 + beta_gamma**2)
    log = np.log(2 * MASS_E * beta_gamma**2 / _EXCITATION)
    stopping: FloatArray = (np.maximum(log, 1.0) - beta2) / beta2
    return stopping


@cache
def _range_table() -> tuple[FloatArray, FloatArray]:
    """Beta gamma, and the path to its end over the particle's mass."""
    beta_gamma = np.geomspace(_SLOWEST, _FASTEST, 4000)
    beta = beta_gamma / np.sqrt(1 + beta_gamma**2)
    integrand = beta * beta_gamma / relative_loss(beta_gamma)  # over d(log(beta gamma))
    steps = (integrand[1:] + integrand[:-1]) / 2 * np.diff(np.log(beta_gamma))
    return beta_gamma, np.concatenate([[0.0], np.cumsum(steps)])


def stopping_path(momentum: FloatArray, mass: FloatArray) -> FloatArray:
    """Path after which a particle stands still [GeV], shape (n,)."""
    beta_gamma, path = _range_table()
    return mass * np.interp(momentum / mass, beta_gamma, path)


def momentum_of_path(path: FloatArray, mass: FloatArray) -> FloatArray:
    """Momentum [GeV] of a particle that stands still after a path [GeV], shape (n,)."""
    beta_gamma, paths = _range_table()
    return mass * np.interp(path / mass, paths, beta_gamma)


def momentum_after(momentum: FloatArray, mass: FloatArray, path: FloatArray) -> FloatArray:
    """Momentum [GeV] left after a path [GeV], zero for what has stopped, shape (n,)."""
    left = stopping_path(momentum, mass) - path
    return np.where(left > 0, np.minimum(momentum_of_path(left, mass), momentum), 0.0)
