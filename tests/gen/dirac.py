"""Traces of Dirac matrices, from the matrices themselves: what amplitudes are tested against."""

from __future__ import annotations

import numpy as np

__all__ = ["GAMMA", "GAMMA5", "LOWER", "UNIT", "slash", "trace"]

UNIT = np.eye(4, dtype=complex)
_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
GAMMA = np.zeros((4, 4, 4), dtype=complex)
GAMMA[0] = np.diag([1, 1, -1, -1])
GAMMA[1:, :2, 2:] = _PAULI
GAMMA[1:, 2:, :2] = -_PAULI
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
LOWER = np.array([1, -1, -1, -1])
"""Metric."""


def slash(p: np.ndarray) -> np.ndarray:
    """Of momenta, shape (4, ...); shape (..., 4, 4)."""
    return np.einsum("m...,m,mij->...ij", p, LOWER, GAMMA)


def trace(*matrices: np.ndarray) -> np.ndarray:
    """Of a product of matrices, shape (...)."""
    product = UNIT
    for matrix in matrices:
        product = product @ matrix
    return np.trace(product, axis1=-2, axis2=-1)
