"""Bremsstrahlung and pair production: rates and sharing of energy against PDG 2024, section 34."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from darkbelle.detsim.radiation import (
    pair_momenta,
    pairs_per_x0,
    photon_number,
    sample_photon_fraction,
)
from darkbelle.gen.particles import MASS_E

P_VALUE = 1e-5
SEEDS = (1, 2, 3)
seeded = settings(derandomize=True, database=None, deadline=None)


def bremsstrahlung(y: float) -> float:
    """Photons in a radiation length, PDG 2024, Eq. 34.28 over k: (4/3 - 4/3 y + y^2)/y."""
    return (4 / 3 - 4 / 3 * y + y**2) / y


def sharing(x: np.ndarray) -> np.ndarray:
    """Integral from 0 to x of 1 - 4/3 x (1 - x), PDG 2024, Eq. 34.31, over 7/9."""
    return (x - 4 / 3 * (x**2 / 2 - x**3 / 3)) * 9 / 7


def beam(energy: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Photons, shape (4, n)."""
    return np.stack([energy, *(energy * direction / np.linalg.norm(direction, axis=0))])


@pytest.mark.parametrize("softest", [1e-3, 5e-3, 0.1, 0.5, 0.99, 1.0])
def test_photon_number_is_the_integral(softest: float) -> None:
    expected, _ = integrate.quad(bremsstrahlung, softest, 1)
    assert photon_number(np.array([softest]))[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_photon_number_by_hand() -> None:
    """At 1/2: 4/3 (ln 2 - 1/2) + 3/8 = 0.632530."""
    assert photon_number(np.array([0.5]))[0] == pytest.approx(0.632530, abs=1e-6)


@seeded
@given(st.floats(1e-6, 5), st.floats(1e-6, 5))
def test_harder_photons_are_fewer(one: float, other: float) -> None:
    low, high = photon_number(np.sort(np.array([one, other])))
    assert low >= high >= 0
    assert photon_number(np.array([1.5]))[0] == 0


def test_an_electron_loses_its_energy_in_a_radiation_length() -> None:
    """The integral of y dN is one: <E> = E exp(-X/X0), but for what is softer than the cut."""
    number, share = photon_number(np.array([1e-3]))[0], np.full(400_000, 1e-3)
    mean = number * sample_photon_fraction(share, np.random.default_rng(1)).mean()
    expected, _ = integrate.quad(lambda y: y * bremsstrahlung(y), 1e-3, 1)
    assert expected == pytest.approx(1, abs=2e-3)
    assert mean == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("softest", [1e-3, 0.05, 0.6])
def test_photon_spectrum(softest: float, seed: int) -> None:
    found = sample_photon_fraction(np.full(20_000, softest), np.random.default_rng(seed))
    assert found.min() >= softest
    assert found.max() <= 1
    total = photon_number(np.array([softest]))

    def cumulative(y: np.ndarray) -> np.ndarray:
        return 1 - photon_number(y) / total

    assert stats.kstest(found, cumulative).pvalue > P_VALUE


def test_every_electron_has_a_spectrum_of_its_own() -> None:
    """Different cuts side by side, in their order; none at all works."""
    softest = np.tile([1e-3, 0.1, 0.9], 1_000)
    found = sample_photon_fraction(softest, np.random.default_rng(2))
    assert (found >= softest).all()
    assert found[0::3].mean() < found[1::3].mean() < found[2::3].mean()
    assert sample_photon_fraction(np.empty(0), np.random.default_rng(2)).shape == (0,)


@pytest.mark.parametrize("seed", SEEDS)
def test_sharing_of_a_pair(seed: int) -> None:
    """Flat within 1/3, most uneven pairs most often, electrons like positrons."""
    n = 20_000
    photons = beam(np.full(n, 2.0), np.ones((3, n)))
    electrons, positrons = pair_momenta(photons, np.random.default_rng(seed))
    share = (electrons[0] - MASS_E) / (2.0 - 2 * MASS_E)
    assert stats.kstest(share, sharing).pvalue > P_VALUE
    assert stats.ks_2samp(electrons[0], positrons[0]).pvalue > P_VALUE
    total, _ = integrate.quad(lambda x: 1 - 4 / 3 * x * (1 - x), 0, 1)
    assert total == pytest.approx(pairs_per_x0(np.array([1e3]))[0])


@seeded
@given(
    st.integers(0, 2**32 - 1),
    st.floats(1.1e-3, 20),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1)).filter(
        lambda axis: math.hypot(*axis) > 1e-3
    ),
)
def test_pairs_keep_the_energy_and_their_masses(
    seed: int, energy: float, axis: tuple[float, float, float]
) -> None:
    photons = beam(np.full(50, energy), np.repeat(np.array(axis)[:, None], 50, axis=1))
    pair = pair_momenta(photons, np.random.default_rng(seed))
    np.testing.assert_allclose(pair[0][0] + pair[1][0], energy, rtol=1e-12)
    for p in pair:
        assert (p[0] >= MASS_E * (1 - 1e-12)).all()
        mass2 = p[0] ** 2 - np.sum(p[1:] ** 2, axis=0)
        np.testing.assert_allclose(mass2, MASS_E**2, atol=1e-12 * energy**2)


def test_opening_angles() -> None:
    """u = E theta/m follows dN/du^2 = 1/(1 + u^2)^2, median 1; the leptons leave on two sides."""
    n = 50_000
    direction = np.array([0.3, -0.5, 0.4])
    direction /= np.linalg.norm(direction)
    photons = beam(np.full(n, 1.0), np.repeat(direction[:, None], n, axis=1))
    pair = pair_momenta(photons, np.random.default_rng(4))
    across = []
    for p in pair:
        length = np.linalg.norm(p[1:], axis=0)
        along = direction @ p[1:]
        across.append(p[1:] - along * direction[:, None])
        theta = np.arctan2(np.linalg.norm(across[-1], axis=0), along)
        u2 = (p[0] * theta / MASS_E)[length > 0.05] ** 2
        assert stats.kstest(u2 / (1 + u2), "uniform").pvalue > P_VALUE
    assert (np.sum(across[0] * across[1], axis=0) <= 0).all()
    first = np.cross(direction, [0.0, 0.0, 1.0])
    second = np.cross(direction, first)
    azimuth = np.arctan2(first @ across[0], second @ across[0])
    assert stats.kstest(azimuth / (2 * np.pi) + 0.5, "uniform").pvalue > P_VALUE


def test_no_photons() -> None:
    for p in pair_momenta(np.empty((4, 0)), np.random.default_rng(5)):
        assert p.shape == (4, 0)


def test_rate_of_conversions() -> None:
    """Silicon, NIST XCOM, nuclear and electron field, recalled [cm^2/g]; 5 %."""
    energy, per_gram = np.array([0.01, 0.1, 1.0, 100.0]), np.array([0.0095, 0.0247, 0.0337, 0.0356])
    np.testing.assert_allclose(pairs_per_x0(energy), per_gram * 21.82, rtol=0.05)
    rising = pairs_per_x0(np.geomspace(1e-3, 1e3, 200))
    assert (np.diff(rising) >= 0).all()
    assert rising[0] == 0
