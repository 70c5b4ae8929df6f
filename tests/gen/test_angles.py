"""Cosines with even densities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.angles import even_cosines, random_axes


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


def test_random_axes_are_right_handed_and_isotropic():
    n = 20_000
    x, y, z = random_axes(n, np.random.default_rng(93))
    for one, other in ((x, x), (y, y), (z, z)):
        assert np.sum(one * other, axis=0) == pytest.approx(np.ones(n), abs=1e-14)
    assert np.cross(x, y, axis=0) == pytest.approx(z, abs=1e-14)
    for axis in (x, y, z):
        for component in axis:
            assert stats.kstest(component, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    # The angle around x, from where x is steepest, is free as well.
    level = np.cross(np.array([[0.0], [0.0], [1.0]]), x, axis=0)
    turn = np.arctan2(np.sum(y * np.cross(x, level, axis=0), axis=0), np.sum(y * level, axis=0))
    assert stats.kstest(turn, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-4
    assert abs(stats.spearmanr(turn, x[2]).statistic) < 4 / np.sqrt(n)
