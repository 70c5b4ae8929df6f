"""Cosines with even densities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.angles import even_cosines


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("curvature", [-1.0, -0.5, 0.0, 0.5, 1.0, 1e3])
def test_density(curvature: float, seed: int):
    found = even_cosines(np.full(100_000, curvature), np.random.default_rng([91, seed]))

    def cumulative(c: np.ndarray) -> np.ndarray:
        return 0.5 + (c + curvature * c**3 / 3) / (2 + 2 * curvature / 3)

    assert np.abs(found).max() <= 1
    assert stats.kstest(found, cumulative).pvalue > 1e-3


def test_each_has_its_own_density():
    curvature = np.tile([-1.0, 2.0], 50_000)
    found = even_cosines(curvature, np.random.default_rng(92))
    uniform = 0.5 + (found + curvature * found**3 / 3) / (2 + 2 * curvature / 3)
    assert stats.kstest(uniform[::2], "uniform").pvalue > 1e-3
    assert stats.kstest(uniform[1::2], "uniform").pvalue > 1e-3
