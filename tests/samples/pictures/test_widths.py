"""Widths of residuals and their errors."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.samples.pictures.widths import (
    Width,
    bins_of_equal_content,
    central_width,
    widths_in_bins,
)


def test_the_width_of_a_normal_distribution_and_its_error():
    """Over 400 samples the widths scatter as their errors say, for weights too."""
    rng, n = np.random.default_rng(1), 400
    for weight in (np.ones(n), rng.uniform(0.2, 3.0, n)):
        found = [central_width(rng.normal(1.0, 2.0, n), weight) for _ in range(400)]
        values = np.array([(w.median, w.value, w.error) for w in found if w])
        mean, spread = values.mean(axis=0), values.std(axis=0)
        assert mean[0] == pytest.approx(1.0, abs=0.03)
        assert mean[1] == pytest.approx(2.0, rel=0.01)
        assert spread[1] == pytest.approx(mean[2], rel=0.12)


def test_tails_and_what_is_not_known_hardly_count():
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(0, 1, 10_000), np.full(100, 1e6), [np.nan]])
    found = central_width(values, np.ones(len(values)))
    assert found is not None
    assert found.value == pytest.approx(1.0, abs=0.04)


def test_few_values_have_no_width():
    assert central_width(np.arange(5.0), np.ones(5)) is None
    assert central_width(np.empty(0), np.empty(0)) is None
    assert len(bins_of_equal_content(np.arange(5.0))) == 0


def test_bins_hold_equally_many():
    rng = np.random.default_rng(3)
    across = rng.exponential(1.0, 5000)
    edges = bins_of_equal_content(across, 8)
    assert np.ptp(np.histogram(across, edges)[0]) <= 1
    residuals = rng.normal(0, 1, 5000) * across
    found = widths_in_bins(residuals, np.ones(5000), across, edges)
    for low, middle, high, width in found:
        assert low < middle < high
        assert low < width.value + 3 * width.error
        assert width.value - 3 * width.error < high


@pytest.mark.parametrize(
    ("value", "error", "told"),
    [(1.9532, 0.1012, "1.95 ± 0.10"), (43.2, 2.34, "43.2 ± 2.3"), (430.0, 23.0, "430 ± 23")],
)
def test_widths_are_told_as_exactly_as_they_are_known(value: float, error: float, told: str):
    assert Width(0.0, value, error).told() == told
