"""How far particles fly, and the weights of flights that are favoured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import polygamma

from darkbelle.gen.decays.flight import MixedLifetimes, decay_points, favoured_decay_points
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


# ---- ranges of lifetimes -------------------------------------------------------------------------

SHORTEST, LONGEST = 0.01, 100.0
EPS = np.array([-1e-6, 1e-6])


def proper_lengths(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the mixture, with the weights of the longest lifetime."""
    start, momentum = flying(seed=seed)
    rng = np.random.default_rng(200 + seed)
    mixed = MixedLifetimes.draw(SHORTEST, LONGEST, N, rng)
    end = mixed.fly(start, momentum, np.arange(N), rng)
    return lengths(start, end) / mean_lengths(momentum, 1.0), mixed.weights()


def of_several(k: int, length: np.ndarray, shortest: float, longest: float) -> np.ndarray:
    """Weights of k flights of some total length."""
    number = np.full(len(length), k)
    return MixedLifetimes(shortest, longest, length, number, length).weights()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lengths_of_a_mixture(seed: int):
    """The distribution function is that of the exponential, averaged over the logarithm of ctau."""
    proper, _ = proper_lengths(seed)
    log_ctau = np.linspace(np.log(SHORTEST), np.log(LONGEST), 2001)
    at = np.geomspace(1e-4, 1e3, 400)
    share = np.trapezoid(-np.expm1(-at[:, None] / np.exp(log_ctau)), log_ctau, axis=1)
    share /= log_ctau[-1] - log_ctau[0]
    inside = proper[(proper > at[0]) & (proper < at[-1])]

    def distribution(x: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.interp(np.log(x), np.log(at), share)
        return (found - share[0]) / (share[-1] - share[0])

    assert len(inside) > 0.99 * N
    assert stats.kstest(inside, distribution).pvalue > P_MIN


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("ctau", [0.01, 0.1, 3.0, 100.0, 140.0])
def test_a_mixture_serves_every_lifetime(ctau: float, seed: int):
    """Weights of the longest lifetime times a ratio of exponentials restore any other one.

    As many events are effective as 1/E[w^2] says, where E[w^2] is the integral of the square of the
    wanted density over that of the mixture: with a = 1/longest, b = 1/shortest, L = log(b/a) and
    z = (2/ctau - a)/(b - a) it is L psi'(z) / (ctau^2 (b - a)^2), psi' being the trigamma function.
    """
    proper, weight = proper_lengths(seed)
    assert np.all(weight > 0)
    weight = weight * LONGEST / ctau * np.exp(proper / LONGEST - proper / ctau)
    error = weight.std() / np.sqrt(N)
    assert abs(weight.mean() - 1) < SIGMAS * error
    edges = np.linspace(0, 1, 21)
    sums, squares = (
        np.histogram(-np.expm1(-proper / ctau), edges, weights=weight**power)[0] for power in (1, 2)
    )
    # Shares of all that was drawn, not of the sum of weights: covariance of multinomial counts.
    difference = sums / N - 1 / 20
    covariance = np.diag(squares / N) - np.outer(sums, sums) / N**2
    chi2 = N * difference @ np.linalg.solve(covariance, difference)
    assert stats.chi2.sf(chi2, 20) > P_MIN
    a, b = 1 / LONGEST, 1 / SHORTEST
    share = (ctau * (b - a)) ** 2 / (np.log(b / a) * polygamma(1, (2 / ctau - a) / (b - a)))
    tolerance = 0.05 if ctau <= LONGEST else 0.6  # close to twice the longest it is ever less sure
    assert weight.sum() ** 2 / np.sum(weight**2) / N == pytest.approx(share, rel=tolerance)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_weights_of_several_are_an_integral(k: int):
    """One over the mean, over the logarithm of ctau, of what the densities are in the longest."""
    x = np.geomspace(1e-7, 100, 60)
    log_ctau = np.linspace(np.log(SHORTEST / LONGEST), 0, 40_001)
    ratio = np.exp(-k * log_ctau - x[:, None] * np.expm1(-log_ctau))
    mean = np.trapezoid(ratio, log_ctau, axis=1) / -log_ctau[0]
    found = of_several(k, LONGEST * x, SHORTEST, LONGEST)
    assert found == pytest.approx(1 / mean, rel=1e-4)
    if k == 1:
        known = 1e4 * x * np.log(1e4) / 1e4 / -np.expm1(-(1e4 - 1) * x)
        assert found == pytest.approx(known, rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
@pytest.mark.parametrize(("low", "high"), [(1e-12, 1e12), (0.01, 100.0), (1.0, 1 + 1e-9)])
def test_weights_of_several_at_both_ends(k: int, low: float, high: float):
    """k L / (r^k - 1) at nothing, L x far away, and no step where the series ends."""
    log_ratio = np.log1p((high - low) / low)
    none, far, *step = of_several(
        k, np.array([0.0, 1e6 * high, *(1e-7 * low * high / (high - low) * (1 + EPS))]), low, high
    )
    assert none == pytest.approx(k * log_ratio / np.expm1(k * log_ratio), rel=1e-9)
    if high / low > 2:
        assert far == pytest.approx(log_ratio * 1e6, rel=1e-4)
    assert step[0] == pytest.approx(step[1], rel=1e-10)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("ctau", [0.01, 0.3, 3.0, 100.0])
def test_several_of_an_event_share_a_lifetime(ctau: float, k: int):
    """Reweighted, their sum has a gamma distribution; some events have one less.

    As many events are effective as 1/E[w^2] says, by quadrature: by a lifetime each, it was the
    power of the share of one.
    """
    start, momentum = flying(seed=k)
    rng = np.random.default_rng(300 + k)
    mixed = MixedLifetimes.draw(SHORTEST, LONGEST, N, rng)
    proper = np.zeros(N)
    for i in range(k):
        rows = np.flatnonzero(np.arange(N) % 4 > 0) if i == k - 1 else np.arange(N)
        end = mixed.fly(start[:, rows], momentum[:, rows], rows, rng)
        proper[rows] += lengths(start[:, rows], end) / mean_lengths(momentum[:, rows], 1.0)
    number = np.where(np.arange(N) % 4 > 0, k, k - 1)
    factor = (LONGEST / ctau) ** number * np.exp(proper / LONGEST - proper / ctau)
    weight = mixed.weights() * factor
    assert abs(weight.mean() - 1) < SIGMAS * weight.std() / np.sqrt(N)
    share = stats.gamma.cdf(proper / ctau, number)
    sums, squares = (np.histogram(share, 20, (0, 1), weights=weight**power)[0] for power in (1, 2))
    difference = sums / N - 1 / 20
    covariance = np.diag(squares / N) - np.outer(sums, sums) / N**2
    chi2 = N * difference @ np.linalg.solve(covariance, difference)
    assert stats.chi2.sf(chi2, 20) > P_MIN
    all_of_them = number == k
    own = weight[all_of_them]
    found = own.sum() ** 2 / np.sum(own**2) / len(own)
    assert found == pytest.approx(effective_share(k, ctau), rel=0.08)
    if ctau == LONGEST:
        assert found > 0.5 * effective_share(1, ctau)


def effective_share(k: int, ctau: float) -> float:
    """1/E[w^2] of events with k flights, by an integral over their sum."""
    log_length = np.linspace(np.log(1e-6 * ctau), np.log(300 * ctau), 20_001)
    length = np.exp(log_length)
    weight = of_several(k, length, SHORTEST, LONGEST)
    weight = weight * (LONGEST / ctau) ** k * np.exp(length / LONGEST - length / ctau)
    density = stats.gamma.pdf(length, k, scale=ctau)
    return float(1 / np.trapezoid(density * weight * length, log_length))


def test_weights_of_a_mixture_stay_numbers():
    """For lengths of nothing and of very long or narrow ranges."""
    start, momentum = flying(1000)
    for shortest, longest in ((1e-12, 1e12), (1.0, 1.0 + 1e-9), (1e-9, 2e-9)):
        rng = np.random.default_rng(9)
        mixed = MixedLifetimes.draw(shortest, longest, 1000, rng)
        mixed.fly(start, momentum, np.arange(1000), rng)
        weight = mixed.weights()
        assert np.all(np.isfinite(weight) & (weight > 0))
        if longest < shortest * 1.1:
            assert weight == pytest.approx(1, abs=1e-6)
    none = MixedLifetimes.draw(1.0, 2.0, 0, np.random.default_rng(9))
    end = none.fly(*flying(0), np.arange(0), np.random.default_rng(9))
    assert (end.shape, none.weights().shape) == ((4, 0), (0,))
