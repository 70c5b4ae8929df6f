"""Unweighting changes no distribution, also where the bound was found too low."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.sampling import Bound, unweight

P_MIN = 1e-4


def triangle(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """x uniform on [0, 1] with the weight 2x: the density 2x, of integral one."""
    x = np.random.default_rng(seed).random(n)
    return x, 2 * x


def test_bound_of_a_pilot_run():
    bound = Bound.from_pilot(np.array([1.0, 2.0, 3.0]))
    assert bound.maximum == pytest.approx(3.3)
    assert bound.mean == pytest.approx(2.0)
    assert bound.error == pytest.approx(1 / np.sqrt(3))
    assert bound.efficiency == pytest.approx(2 / 3.3)


def test_unweighted_events_follow_the_weighted_distribution():
    x, weights = triangle(50_000, 1)
    kept, weight = unweight(weights, Bound.from_pilot(weights), np.random.default_rng(2))
    assert np.all(weight == 1)
    assert np.all(np.diff(kept) > 0)
    assert stats.kstest(x[kept], lambda x: x**2).pvalue > P_MIN
    expected = len(x) / 2.2
    assert abs(len(kept) - expected) < 5 * np.sqrt(expected)


def test_events_above_the_bound_carry_the_excess():
    """Bound 1 for weights up to 2: all events with x > 1/2 stay, with the weight 2x."""
    x, weights = triangle(50_000, 3)
    kept, weight = unweight(weights, Bound(1.0, 1.0, 0.0), np.random.default_rng(4))
    assert weight == pytest.approx(np.maximum(weights[kept], 1.0))
    assert np.sum(x[kept] > 0.5) == np.sum(x > 0.5)
    edges = np.linspace(0, 1, 21)
    sum_w, _ = np.histogram(x[kept], edges, weights=weight)
    sum_w2, _ = np.histogram(x[kept], edges, weights=weight**2)
    expected = len(x) * np.diff(edges**2)
    chi2 = np.sum((sum_w - expected) ** 2 / sum_w2)
    assert stats.chi2.sf(chi2, len(expected)) > P_MIN


def test_weight_zero_is_never_kept():
    kept, weight = unweight(np.zeros(1000), Bound(1.0, 0.5, 0.0), np.random.default_rng(5))
    assert len(kept) == len(weight) == 0


def test_nothing_comes_of_nothing():
    kept, weight = unweight(np.zeros(0), Bound(1.0, 0.5, 0.0), np.random.default_rng(6))
    assert kept.shape == weight.shape == (0,)
