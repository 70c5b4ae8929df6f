"""Hadrons of tau decays: line shapes that are sampled, angles, bounds that are kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.cells import Cells
from darkbelle.gen.decays.tau.currents import kaon_form_factor, pion_form_factor
from darkbelle.gen.decays.tau.hadron_pair import HadronPair
from darkbelle.gen.decays.tau.three_pions import ThreePions
from darkbelle.gen.kinematics import dot, to_rest_frame
from darkbelle.gen.particles import K_S, KAON, MASS_TAU, PI0, PION, species

P_MIN = 1e-4
SEEDS = (1, 2, 3)
N = 40_000
MASS = {code: species(code).mass for code in (PION, PI0, KAON, K_S)}
PAIRS = {
    "rho": HadronPair(pion_form_factor, MASS[PION], MASS[PI0]),
    "K_S pi": HadronPair(kaon_form_factor, MASS[K_S], MASS[PION]),
    "K pi0": HadronPair(kaon_form_factor, MASS[KAON], MASS[PI0]),
}
TRIPLETS = {
    "3 charged": ThreePions(MASS[PION], MASS[PION]),
    "1 charged": ThreePions(MASS[PI0], MASS[PION]),
}


def sampled(decay: HadronPair | ThreePions, seed: int) -> np.ndarray:
    return decay(np.full(N, MASS_TAU), rng=np.random.default_rng([73, seed]))


def kaon_pion_line(m: np.ndarray, kaon: float, pion: float) -> np.ndarray:
    """dGamma/dm of the K* with the running width of the handbook, section 2.5, written out."""

    def momentum(m: np.ndarray | float) -> np.ndarray:
        return np.sqrt((m**2 - (kaon + pion) ** 2) * (m**2 - (kaon - pion) ** 2)) / (2 * m)

    m0, q, q0 = 0.89188, momentum(m), momentum(0.89188)
    width = 0.0485 * (q / q0) ** 3 * (m0 / m) * (1 + 9 * q0**2) / (1 + 9 * q**2)
    line = 1 / ((m0**2 - m**2) ** 2 + (m0 * width) ** 2)
    s = m**2 / MASS_TAU**2
    return m * (1 - s) ** 2 * (1 + 2 * s) * (q / m) ** 3 * line


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["K_S pi", "K pi0"])
def test_kaon_pion_masses(name: str, seed: int):
    decay = PAIRS[name]
    first, second, _ = sampled(decay, seed)
    mass = np.sqrt(dot(first + second, first + second))
    grid = np.linspace(decay.first_mass + decay.second_mass, MASS_TAU, 20_001)
    density = kaon_pion_line((grid[1:] + grid[:-1]) / 2, decay.first_mass, decay.second_mass)
    cumulative = np.concatenate([[0], np.cumsum(density)]) / density.sum()
    assert stats.kstest(mass, lambda m: np.interp(m, grid, cumulative)).pvalue > P_MIN


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_fly_along_the_neutrino(name: str, seed: int):
    """1 + (m^2 - s)/s cos^2 in the frame of the pair: a vector of mostly no helicity."""
    first, second, neutrino = sampled(PAIRS[name], seed)
    pair = first + second
    p, k = (to_rest_frame(q, pair)[1:] for q in (first, neutrino))
    cosine = np.sum(p * k, axis=0) / np.sqrt(np.sum(p**2, axis=0) * np.sum(k**2, axis=0))
    curvature = MASS_TAU**2 / dot(pair, pair) - 1
    uniform = 0.5 + (cosine + curvature * cosine**3 / 3) / (2 + 2 * curvature / 3)
    assert stats.kstest(uniform, "uniform").pvalue > P_MIN
    assert stats.kstest(cosine, stats.uniform(-1, 2).cdf).pvalue < P_MIN


def test_form_factors_near_threshold_and_at_zero():
    """Real at threshold; F(0) would be one without widths; the phase is 90 degrees at the pole."""
    threshold = np.array([(2 * MASS[PION]) ** 2])
    assert pion_form_factor(threshold).imag == 0
    assert pion_form_factor(np.array([1e-6])).real == pytest.approx(1, abs=1e-5)
    pole = np.array([0.89188**2])
    assert kaon_form_factor(pole, MASS[KAON], MASS[PI0]).real == pytest.approx(0, abs=1e-12)
    assert kaon_form_factor(pole, MASS[KAON], MASS[PI0]).imag == pytest.approx(0.89188 / 0.0485)
    below = pion_form_factor(np.array([0.27**2]), MASS[PION], MASS[PION])
    assert below.imag == 0


@pytest.mark.parametrize("decay", [*PAIRS.values(), *TRIPLETS.values()], ids=[*PAIRS, *TRIPLETS])
def test_densities_keep_below_their_bounds(decay: HadronPair | ThreePions):
    """Of half a million trials none is above; most are kept."""
    shape = (256,) if isinstance(decay, HadronPair) else (32, 32, 24)
    probes = 4 if isinstance(decay, HadronPair) else 2
    cells, rng = Cells.of(decay.density, shape, probes), np.random.default_rng(74)
    n = 500_000
    cell = np.searchsorted(cells.cumulative[:-1], rng.random(n), side="right")
    corner = np.stack(np.unravel_index(cell, shape))
    point = (corner + rng.random(corner.shape)) / np.array(shape)[:, None]
    ratio = decay.density(point) / cells.bound[cell]
    assert 0.9 < ratio.max() < 1
    assert ratio.mean() > 0.6
    assert ratio.mean() == pytest.approx(cells.efficiency, rel=0.05)
