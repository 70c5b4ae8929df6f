"""Modes of the tau: fractions, conservation laws, antiparticles, spectra of the leptons."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.particles import (
    ELECTRON,
    MASS_TAU,
    MUON,
    NU_TAU,
    OMEGA,
    PI0,
    PION,
    TAU,
    charges,
    masses,
    species,
)

P_MIN = 1e-4
SEEDS = (1, 2, 3)
N = 40_000
MODES = decay_modes(TAU)
REST = np.array([MASS_TAU, 0, 0, 0])[:, None]
LEPTONIC = [mode for mode in MODES if mode.daughters[0] in (ELECTRON, MUON)]


def sampled(mode: DecayMode, n: int, seed: int) -> np.ndarray:
    return mode.sample(np.full(n, MASS_TAU), np.random.default_rng([71, seed]))


def norm(p: np.ndarray) -> np.ndarray:
    return np.linalg.norm(p[1:], axis=0)


# ---- every mode ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [TAU, -TAU])
def test_charge_and_lepton_numbers(code: int):
    sign = code // TAU
    for mode in decay_modes(code):
        daughters = np.array(mode.daughters, np.int32)
        assert charges(daughters).sum() == -sign
        assert mode.daughters[-1] == sign * NU_TAU
        for lepton in (ELECTRON, MUON):
            found = daughters[(np.abs(daughters) == lepton) | (np.abs(daughters) == lepton + 1)]
            assert np.sign(found).sum() == 0
        assert masses(daughters).sum() < MASS_TAU


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: str(mode.daughters))
def test_momenta_add_up_on_their_shells_and_point_everywhere(mode: DecayMode):
    n = 1000
    momenta = sampled(mode, n, 1)
    assert momenta.shape == (len(mode.daughters), 4, n)
    np.testing.assert_allclose(momenta.sum(axis=0), np.broadcast_to(REST, (4, n)), atol=1e-13)
    own = masses(np.array(mode.daughters, np.int32))
    shell = np.sqrt(np.sum(momenta[:, 1:] ** 2, axis=1) + own[:, None] ** 2)
    narrow = np.array(mode.daughters) != OMEGA
    np.testing.assert_allclose(momenta[narrow, 0], shell[narrow], atol=1e-12)
    for p in momenta:
        for component in p[1:] / norm(p):
            assert stats.kstest(component, stats.uniform(-1, 2).cdf).pvalue > P_MIN


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: str(mode.daughters))
def test_spin_is_analysed_by_a_vector_that_points_everywhere(mode: DecayMode):
    """|h| = 1 by any pure amplitude, <h> = 0 by rotations; no other mode has a polarimeter."""
    if mode.polarimeter is None:
        assert mode.at_rest is None
        return
    h = mode.polarimeter(sampled(mode, N, 2))
    assert np.linalg.norm(h, axis=0) == pytest.approx(np.ones(N), abs=1e-12)
    for component in h:
        assert stats.kstest(component, stats.uniform(-1, 2).cdf).pvalue > P_MIN


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: str(mode.daughters))
def test_antiparticle_by_cp(mode: DecayMode):
    """Mirrored momenta are as likely, and h is that of the particle."""
    anti = mode.conjugated()
    assert anti.fraction == mode.fraction
    momenta, mirrored = sampled(mode, 100, 3), sampled(anti, 100, 3)
    if mode.at_rest is not None:
        np.testing.assert_array_equal(mirrored[:, 1:], -momenta[:, 1:])
    if mode.polarimeter is not None:
        assert anti.polarimeter is not None
        turned = momenta * np.array([1, -1, -1, -1])[None, :, None]
        np.testing.assert_array_equal(anti.polarimeter(turned), mode.polarimeter(momenta))
        # A single neutrino flies along h of the tau+, against h of the tau-.
        if len(mode.daughters) == 2:
            for polarised, sign, p in ((mode, -1, momenta), (anti, 1, mirrored)):
                neutrino = p[1, 1:] / p[1, 0]
                np.testing.assert_allclose(polarised.polarimeter(p), sign * neutrino, atol=1e-12)


@pytest.mark.parametrize("code", [TAU, -TAU])
def test_workers_are_sent_the_modes(code: int):
    for mode in decay_modes(code):
        again = pickle.loads(pickle.dumps(mode))
        np.testing.assert_array_equal(sampled(again, 10, 4), sampled(mode, 10, 4))


def test_few_none_and_rounded_taus():
    """Masses that come from momenta in the laboratory are off by rounding errors."""
    rng = np.random.default_rng(72)
    for mode in MODES:
        assert mode.sample(np.empty(0), rng).shape == (len(mode.daughters), 4, 0)
        mass = MASS_TAU * (1 + 1e-9 * rng.normal(size=50))
        momenta = mode.sample(mass, rng)
        np.testing.assert_allclose(momenta.sum(axis=0)[0], mass, rtol=1e-13)
        if mode.polarimeter is not None:
            assert mode.polarimeter(momenta[:, :, :0]).shape == (3, 0)


# ---- leptons -------------------------------------------------------------------------------------


def michel(x: np.ndarray, x0: float) -> tuple[np.ndarray, np.ndarray]:
    """Spectrum and asymmetry of the lepton, x = E/E_max: V-A with masses.

    d2Gamma/dx dcos ~ spectrum (1 - P cos asymmetry), PDG 2024, review of muon decay parameters,
    rho = delta = 3/4, xi = 1, eta = 0.
    """
    momentum = np.sqrt(x**2 - x0**2)
    even = x * (1 - x) + (4 * x**2 - 3 * x - x0**2) / 6
    odd = momentum / 3 * (1 - x + (4 * x - 4 + np.sqrt(1 - x0**2)) / 2)
    return momentum * even, odd / even


def scaled(mode: DecayMode, momenta: np.ndarray) -> tuple[np.ndarray, float]:
    lepton = species(mode.daughters[0]).mass
    greatest = (MASS_TAU**2 + lepton**2) / (2 * MASS_TAU)
    return momenta[0, 0] / greatest, lepton / greatest


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", LEPTONIC, ids=["e", "mu"])
def test_michel_spectrum(mode: DecayMode, seed: int):
    x, x0 = scaled(mode, sampled(mode, N, seed))
    grid = np.linspace(x0, 1, 20_001)
    density = michel((grid[1:] + grid[:-1]) / 2, x0)[0]
    cumulative = np.concatenate([[0], np.cumsum(density)]) / density.sum()
    assert stats.kstest(x, lambda x: np.interp(x, grid, cumulative)).pvalue > P_MIN


@pytest.mark.parametrize("mode", LEPTONIC, ids=["e", "mu"])
def test_michel_asymmetry(mode: DecayMode):
    """The mean of h along the lepton, at each energy, is minus the asymmetry."""
    momenta = sampled(mode, 200_000, 5)
    x, x0 = scaled(mode, momenta)
    along = np.sum(mode.polarimeter(momenta) * momenta[0, 1:], axis=0) / norm(momenta[0])
    expected = -michel(x, x0)[1]
    bin_ = np.minimum((x * 10).astype(int), 9)
    for i in range(2, 10):
        pull = (along - expected)[bin_ == i]
        assert abs(pull.mean()) < 4 * pull.std() / np.sqrt(len(pull))
    assert along[bin_ == 9].mean() < -0.7
    assert along[bin_ == 2].mean() > 0.1


@pytest.mark.parametrize("mode", LEPTONIC, ids=["e", "mu"])
def test_antineutrino_of_the_lepton(mode: DecayMode):
    """Its y = 2 E/m has the density y^2 (1 - y - r)^2/(1 - y), unlike that of nu_tau."""
    momenta = sampled(mode, N, 6)
    r = (species(mode.daughters[0]).mass / MASS_TAU) ** 2
    grid = np.linspace(0, 1 - r, 20_001)
    y = (grid[1:] + grid[:-1]) / 2
    density = y**2 * (1 - y - r) ** 2 / (1 - y)
    cumulative = np.concatenate([[0], np.cumsum(density)]) / density.sum()

    def pvalue(p: np.ndarray) -> float:
        found = 2 * p[0] / MASS_TAU
        return stats.kstest(found, lambda y: np.interp(y, grid, cumulative)).pvalue

    assert pvalue(momenta[1]) > P_MIN
    assert pvalue(momenta[2]) < P_MIN


# ---- who is who ----------------------------------------------------------------------------------


def test_equal_pions_are_equal():
    for equal, odd in ((-PION, PION), (PI0, -PION)):
        mode = next(m for m in MODES if m.daughters == (equal, equal, odd, NU_TAU))
        momenta = sampled(mode, N, 7)
        swapped = momenta[[1, 0, 2, 3]]
        assert stats.ks_2samp(momenta[0, 0], momenta[1, 0]).pvalue > P_MIN
        assert stats.ks_2samp(momenta[0, 0], momenta[2, 0]).pvalue < P_MIN
        np.testing.assert_allclose(mode.polarimeter(swapped), mode.polarimeter(momenta), atol=1e-11)
