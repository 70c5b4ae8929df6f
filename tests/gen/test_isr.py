"""The radiator, the sampled photon energies and the photon's angle."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from darkbelle.gen.isr import IsrSpectrum, Radiator, sample_cos_theta
from darkbelle.gen.particles import MASS_E
from darkbelle.units import ALPHA_EM

S = 10.58**2
P_MIN = 1e-4


def flat(s: np.ndarray) -> np.ndarray:
    return np.ones_like(s)


def falling(s: np.ndarray) -> np.ndarray:
    """A cross-section with the 1/s of annihilation and a threshold at 6 GeV."""
    return np.sqrt(np.maximum(1 - 36 / s, 0.0)) / s


def integral(x_low: float, x_high: float, born=flat) -> float:
    """Integral of H(x) born(s(1 - x)) by adaptive quadrature in u = x^exponent."""
    radiator = Radiator.at(S)

    def integrand(u: float) -> float:
        x = np.array([u ** (1 / radiator.exponent)])
        return (radiator.flattened(x) * born(S * (1 - x)))[0]

    limits = (x_low**radiator.exponent, x_high**radiator.exponent)
    return integrate.quad(integrand, *limits, epsabs=0, epsrel=1e-9, limit=200)[0]


# ---- energies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0.001, 0.58309), (0.01, 0.71312), (0.1, 0.86698), (0.5, 0.97193), (1 - 1e-13, 1.00703)],
)
def test_integrals_of_the_radiator(x: float, expected: float):
    """Values in the header of the reference table."""
    assert integral(0, x) == pytest.approx(expected, abs=1e-5)


def test_soft_limit():
    """H -> Delta beta x^(beta - 1), which the variable u makes finite at x = 0."""
    radiator = Radiator.at(S)
    x = np.array([0.0, 1e-12])
    assert radiator.flattened(x) == pytest.approx(radiator.soft_virtual, rel=1e-9)
    soft = radiator.soft_virtual * radiator.exponent * x[1:] ** (radiator.exponent - 1)
    assert radiator(x[1:]) == pytest.approx(soft, rel=1e-9)


@pytest.mark.parametrize(
    ("born", "threshold"), [(flat, 1.0), (flat, 10.0), (falling, 6.0)], ids=["1", "10", "falling"]
)
def test_sampled_energies_follow_radiator_times_born(born, threshold: float):
    x_max = 1 - threshold**2 / S
    spectrum = IsrSpectrum.build(S, threshold, born)
    x, weight = spectrum.sample(40_000, np.random.default_rng(21))
    values = weight * born(S * (1 - x))
    assert x.min() >= 0
    assert x.max() <= x_max
    # The proposal follows the integrand, so that the weights hardly vary.
    assert values.std() < 0.01 * values.mean()
    total = integral(0, x_max, born)
    assert abs(values.mean() - total) < 5 * values.std() / 200 + 1e-6 * total
    edges = np.array([0.0, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.5, 0.65, 0.8, 1.0])
    edges = np.append(edges[edges < x_max], x_max)
    counts, _ = np.histogram(x, edges)
    shares = np.array([integral(low, high, born) for low, high in pairwise(edges)]) / total
    assert stats.chisquare(counts, shares / shares.sum() * len(x)).pvalue > P_MIN


# ---- angles --------------------------------------------------------------------------------------


def cos_theta_cdf(c: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Share of the first-order distribution W(x, c) below c, in closed form.

    With b c = tanh(eta), W dc is proportional to
    2(1-x) + x^2 (1 + tanh^2)/2 + 4 m^2 x/s - (4 m^2/s)(1-x)(cosh^2 + sinh^2) times d(eta).
    """
    b = math.sqrt(1 - 4 * MASS_E**2 / S)
    eta_max = math.atanh(b)

    def primitive(eta: np.ndarray) -> np.ndarray:
        constant = 2 * (1 - x) + 4 * MASS_E**2 * x / S
        pole = 4 * MASS_E**2 / S * (1 - x) * np.sinh(2 * eta) / 2
        return constant * eta + x**2 / 2 * (2 * eta - np.tanh(eta)) - pole

    eta = np.arctanh(np.clip(b * c, -b, b))
    return primitive(eta) / (2 * primitive(np.full_like(x, eta_max))) + 0.5


def test_closed_form_of_the_angle_is_the_splitting_function():
    """Its integral is (L - 1)(1 + (1-x)^2) up to m^2/s, as the handbook's for W."""
    x = np.array([0.01, 0.3, 0.9])
    eta = math.atanh(math.sqrt(1 - 4 * MASS_E**2 / S))
    total = 2 * ((2 * (1 - x) + x**2) * eta - x**2 / 2 - (1 - x))
    expected = (math.log(S / MASS_E**2) - 1) * (1 + (1 - x) ** 2)
    assert total == pytest.approx(expected, rel=1e-6)
    assert Radiator.at(S).exponent / 2 == pytest.approx(
        ALPHA_EM / math.pi * (math.log(S / MASS_E**2) - 1), rel=1e-12
    )


@pytest.mark.parametrize(("x", "n"), [(1e-5, 200_000), (0.3, 200_000), (0.95, 1_000_000)])
def test_photon_angle(x: float, n: int):
    """In all, and in bins away from the beams, where the x^2 term shapes hard photons."""
    energies = np.full(n, x)
    cos_theta = sample_cos_theta(energies, S, np.random.default_rng(22))
    assert np.all(np.abs(cos_theta) <= 1)
    assert stats.kstest(cos_theta_cdf(cos_theta, energies), "uniform").pvalue > P_MIN
    edges = np.array([-1.0, -0.999, -0.95, -0.7, -0.4, 0.0, 0.4, 0.7, 0.95, 0.999, 1.0])
    counts, _ = np.histogram(cos_theta, edges)
    shares = np.diff(cos_theta_cdf(edges, np.full_like(edges, x)))
    assert stats.chisquare(counts, shares * n).pvalue > P_MIN


def test_no_photon_has_a_placeholder():
    cos_theta = sample_cos_theta(np.array([0.0, 0.5, 0.0]), S, np.random.default_rng(23))
    assert cos_theta[0] == cos_theta[2] == 0
    assert len(sample_cos_theta(np.zeros(0), S, np.random.default_rng(23))) == 0
