"""Rejection in cells: the density is met, and never above its bound."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.cells import Cells

P_MIN = 1e-4
WIDTH = 0.02


def peak(point: np.ndarray) -> np.ndarray:
    """A Breit-Wigner at 0.3 in the first coordinate, a slope in the second."""
    return (1 + point[1]) / ((point[0] - 0.3) ** 2 + WIDTH**2)


def cumulative(x: np.ndarray) -> np.ndarray:
    low, high, here = (np.arctan((edge - 0.3) / WIDTH) for edge in (0.0, 1.0, x))
    return (here - low) / (high - low)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_points_follow_the_density(seed: int):
    x, y = Cells.of(peak, (64, 3), probes=2).sample(50_000, np.random.default_rng([81, seed]))
    assert stats.kstest(x, cumulative).pvalue > P_MIN
    assert stats.kstest(y, lambda y: (y + y**2 / 2) / 1.5).pvalue > P_MIN
    assert abs(stats.spearmanr(x, y).statistic) < 4 / np.sqrt(len(x))


def test_efficiency_is_the_part_that_is_kept():
    cells, rng = Cells.of(peak, (64, 3), probes=2), np.random.default_rng(82)
    tried: list[int] = []

    def counted(point: np.ndarray) -> np.ndarray:
        tried.append(point.shape[1])
        return peak(point)

    counting = Cells(counted, cells.shape, cells.bound, cells.cumulative, cells.efficiency)
    kept = sum(counting._accepted(20_000, rng).shape[1] for _ in range(5))
    assert kept / sum(tried) == pytest.approx(cells.efficiency, rel=0.02)
    assert 0.6 < cells.efficiency < 0.9


def test_any_number_of_points():
    cells = Cells.of(peak, (8, 8), probes=2)
    for n in (0, 1, 1000):
        assert cells.sample(n, np.random.default_rng(83)).shape == (2, n)
