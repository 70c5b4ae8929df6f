"""Symmetric matrices as rows of their lower triangles, over all tracks or vertices at once.

A 3x3 matrix has the rows 00, 10, 11, 20, 21, 22, in the order of `pack`, shape (6, ...).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["RELATIVE_PIVOT", "SparseRow", "apply", "invert", "packed_index", "transport"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
SparseRow = tuple[tuple[int, FloatArray | float], ...]
"""The elements of one row of a Jacobian that are not zero: column and value."""

RELATIVE_PIVOT = 1e-11
"""A pivot smaller than this fraction of its diagonal element is rounding, not information."""


def packed_index(i: int, j: int) -> int:
    """Place of an element of a symmetric matrix in its lower triangle, row by row."""
    i, j = max(i, j), min(i, j)
    return i * (i + 1) // 2 + j


def transport(cov: FloatArray, rows: Sequence[SparseRow]) -> list[list[FloatArray]]:
    """Covariance J C J^T of the quantities of which J has the derivatives, its lower triangle.

    ``cov`` is a lower triangle too, packed as by `pack`, shape (15, ...), or of any other size.
    """
    covariance = []
    columns: set[int] = set()
    for i, row in enumerate(rows):
        columns |= {column for column, _ in row}
        image = {b: apply(row, {a: cov[packed_index(a, b)] for a, _ in row}) for b in columns}
        covariance.append([apply(rows[j], image) for j in range(i + 1)])
    return covariance


def apply(row: SparseRow, values: Mapping[int, FloatArray] | FloatArray) -> FloatArray:
    """Product of a row with a vector, whose elements are found by column."""
    (column, factor), *rest = row
    total = factor * values[column]
    for column, factor in rest:
        total += factor * values[column]
    return total


def invert(rows: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Inverse of symmetric matrices, NaN where they are not positive definite; and whether.

    Lower triangles, rows of shape (3, ...) for 2x2, (6, ...) for 3x3 and so on. Gauss and Jordan's
    elimination, in which a pivot is what its predecessors leave of a diagonal element.
    """
    size = int(np.sqrt(2 * len(rows)))
    inverse, positive = rows.copy(), np.ones(rows.shape[1:], dtype=bool)
    for k in range(size):
        others = [i for i in range(size) if i != k]
        diagonal = packed_index(k, k)
        positive &= inverse[diagonal] > RELATIVE_PIVOT * rows[diagonal]
        scale = 1 / np.where(positive, inverse[diagonal], np.nan)
        column = {i: inverse[packed_index(i, k)].copy() for i in others}
        for i in others:
            scaled = column[i] * scale
            for j in others:
                if j <= i:
                    inverse[packed_index(i, j)] -= scaled * column[j]
            inverse[packed_index(i, k)] = scaled
        inverse[diagonal] = -scale
    return -inverse, positive
