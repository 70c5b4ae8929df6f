"""How far particles fly, and the weights of flights that are favoured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.decays.flight import decay_points, favoured_decay_points
from darkbelle.gen.kinematics import invariant_mass
from darkbelle.units import C

N = 40_000
P_MIN = 1e-3
SIGMAS = 4.0


def flying(n: int = N, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Starts, and momenta of particles of 0.5 GeV."""
    rng = np.random.default_rng(seed)
    p = rng.normal(size=(3, n))
    start = rng.normal(size=(4, n))
    return start, np.stack([np.sqrt(0.25 + np.sum(p**2, axis=0)), *p])


def lengths(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum((end - start)[:3] ** 2, axis=0))


def mean_lengths(momentum: np.ndarray, ctau: float) -> np.ndarray:
    size = np.sqrt(np.sum(momentum[1:] ** 2, axis=0))
    return ctau * size / invariant_mass(momentum)


@pytest.mark.parametrize("reach", [None, 0.1, 10.0, 1e4])
@pytest.mark.parametrize("ctau", [0.01, 3.0, 1e4])
def test_flights_are_straight_and_as_long_as_their_time(ctau: float, reach: float | None):
    start, momentum = flying(1000)
    end, _ = favoured_decay_points(start, momentum, ctau, reach, np.random.default_rng(2))
    flight, length = end - start, lengths(start, end)
    size = np.sqrt(np.sum(momentum[1:] ** 2, axis=0))
    assert flight[:3] == pytest.approx(length * momentum[1:] / size, rel=1e-9, abs=1e-12)
    assert C * flight[3] == pytest.approx(length * momentum[0] / size, rel=1e-9, abs=1e-12)


def test_without_reach_all_is_exponential():
    start, momentum = flying()
    end, weight = favoured_decay_points(start, momentum, 3.0, None, np.random.default_rng(3))
    same = decay_points(start, momentum, 3.0, np.random.default_rng(3))
    assert np.array_equal(end, same)
    assert np.all(weight == 1)
    length = lengths(start, end) / mean_lengths(momentum, 3.0)
    assert stats.kstest(length, "expon").pvalue > P_MIN


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("ctau", "reach"), [(3.0, 1.0), (30.0, 5.0), (1.0, 3.0), (1e3, 30.0)])
def test_weights_restore_the_exponential(ctau: float, reach: float, seed: int):
    """In bins of equal probability, and finer ones within reach."""
    start, momentum = flying(seed=seed)
    rng = np.random.default_rng(100 + seed)
    end, weight = favoured_decay_points(start, momentum, ctau, reach, rng)
    mean = mean_lengths(momentum, ctau)
    length = lengths(start, end)
    assert abs(weight.mean() - 1) < SIGMAS * weight.std() / np.sqrt(N)
    share = -np.expm1(-length / mean)
    within = -np.expm1(-reach / mean)
    # Uniform in [0, 1] each, where they are: of all, and of those within reach.
    for uniform, chosen in ((share, np.full(N, True)), (share / within, length < reach)):
        edges = np.linspace(0, 1, 21)
        sums = np.histogram(uniform[chosen], edges, weights=weight[chosen])[0]
        squares = np.histogram(uniform[chosen], edges, weights=weight[chosen] ** 2)[0]
        expected = sums.sum() / 20
        assert stats.chi2.sf(np.sum((sums - expected) ** 2 / squares), 19) > P_MIN
    found = np.sum(weight[length < reach]) / N
    error = np.sqrt(np.sum(weight[length < reach] ** 2) + np.var(within) * N) / N
    assert abs(found - within.mean()) < SIGMAS * error


@pytest.mark.parametrize("ctau", [1e-9, 0.1, 3.0, 1e5])
def test_half_of_the_decays_are_within_reach(ctau: float):
    """At least, for any lifetime; weights are at most two, and one where flights are short."""
    start, momentum = flying()
    end, weight = favoured_decay_points(start, momentum, ctau, 2.0, np.random.default_rng(5))
    error = np.sqrt(0.25 / N)
    assert np.mean(lengths(start, end) < 2.0) > 0.5 - SIGMAS * error
    assert np.all((weight > 0) & (weight <= 2))
    assert np.all(weight[mean_lengths(momentum, ctau) < 2.0] == 1)


def test_a_long_flight_gains_precision():
    """Of a share of 1e-4 that decays within reach, 20,000 events know 3 %; unweighted, 70 %."""
    start, momentum = flying(20_000)
    end, weight = favoured_decay_points(start, momentum, 1e4, 1.0, np.random.default_rng(6))
    inside = weight[lengths(start, end) < 1.0]
    assert len(inside) > 9000
    assert np.sqrt(np.sum(inside**2)) < 0.03 * inside.sum()


@pytest.mark.parametrize("reach", [None, 1.0])
def test_prompt(reach: float | None):
    start, momentum = flying(100)
    end, weight = favoured_decay_points(start, momentum, 0.0, reach, np.random.default_rng(7))
    assert np.array_equal(end, start)
    assert np.all(weight == 1)


@pytest.mark.parametrize("reach", [None, 1.0])
def test_nobody(reach: float | None):
    start, momentum = flying(0)
    end, weight = favoured_decay_points(start, momentum, 1.0, reach, np.random.default_rng(8))
    assert end.shape == (4, 0)
    assert weight.shape == (0,)
