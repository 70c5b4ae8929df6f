"""chi2 -> chi1 and a pair: kinematics and distributions of the sampled decays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from darkbelle.gen.decays.chi2 import Chi2Decay, LeptonPair, Sampler, ScalarPair
from darkbelle.gen.kinematics import dot, to_rest_frame
from darkbelle.gen.models.inelastic import InelasticDarkMatter
from darkbelle.gen.particles import MASS_E, MASS_MU

P_MIN = 1e-3
N = 100_000
PION, KAON = 0.13957039, 0.493677


def decay(m_chi1: float, delta: float, m_ap: float, mode: str, pair: LeptonPair | ScalarPair):
    return Chi2Decay(InelasticDarkMatter(m_chi1, delta, m_ap, 1e-3, 0.1), mode, pair)


DECAYS = {
    "electrons": decay(1.0, 0.4, 3.0, "ee", LeptonPair(MASS_E)),
    "muons": decay(1.0, 0.4, 3.0, "mumu", LeptonPair(MASS_MU)),
    "muons at threshold": decay(1.0, 0.2117, 3.0, "mumu", LeptonPair(MASS_MU)),
    "pions": decay(3.0, 1.2, 9.0, "pipi", ScalarPair(PION)),
    "kaons": decay(3.0, 1.2, 9.0, "KK", ScalarPair(KAON)),
    "close to the A'": decay(0.1, 0.5, 0.55, "ee", LeptonPair(MASS_E)),
}
each_decay = pytest.mark.parametrize("decay", DECAYS.values(), ids=DECAYS.keys())


def drawn(decay: Chi2Decay, seed: int = 1, n: int = N) -> np.ndarray:
    mass = np.full(n, decay.model.m_chi2)
    return Sampler.of(decay)(mass, rng=np.random.default_rng([103, seed]))


@each_decay
def test_decays_are_on_shell_and_balanced(decay: Chi2Decay):
    momenta = drawn(decay)
    total = momenta.sum(axis=0)
    assert (
        np.abs(total - np.array([[decay.model.m_chi2], [0], [0], [0]])).max()
        < 1e-12 * decay.model.m_chi2
    )
    m = decay.pair.mass
    for p, mass in zip(momenta, (decay.model.m_chi1, m, m), strict=True):
        assert np.abs(dot(p, p) - mass**2).max() < 1e-12 * decay.model.m_chi2**2


@pytest.mark.parametrize("seed", [1, 2, 3])
@each_decay
def test_mass_of_the_pair(decay: Chi2Decay, seed: int):
    """Against the integral of the density, on a grid in v with q^2 = least + range v^2."""
    pair = drawn(decay, seed)[1:].sum(axis=0)
    least, greatest = 4 * decay.pair.mass**2, decay.model.delta**2
    v = np.linspace(0, 1, 20_001)
    density = v * decay.density(least + (greatest - least) * v**2)
    cumulative = integrate.cumulative_trapezoid(density, v, initial=0)
    found = np.sqrt(np.clip((dot(pair, pair) - least) / (greatest - least), 0, 1))
    test = stats.kstest(found, lambda x: np.interp(x, v, cumulative / cumulative[-1]))
    assert test.pvalue > P_MIN


@pytest.mark.parametrize("seed", [1, 2, 3])
@each_decay
def test_angle_in_the_pair(decay: Chi2Decay, seed: int):
    """1 + curvature c^2, turned into a uniform number event by event; no azimuth is preferred."""
    chi1, minus, plus = drawn(decay, seed)
    pair = minus + plus
    lepton, axis = to_rest_frame(minus, pair)[1:], to_rest_frame(chi1, pair)[1:]
    norm = np.sqrt(np.sum(lepton**2, axis=0) * np.sum(axis**2, axis=0))
    c = np.sum(lepton * axis, axis=0) / norm
    curvature = decay.pair.curvature(
        (decay.model.m_chi2 + decay.model.m_chi1) ** 2, dot(pair, pair)
    )
    uniform = 0.5 + (c + curvature * c**3 / 3) / (2 + 2 * curvature / 3)
    assert stats.kstest(uniform, "uniform").pvalue > P_MIN


@each_decay
def test_directions_are_isotropic(decay: Chi2Decay):
    """Those of chi1, and the normal to the plane of the decay."""
    chi1, minus, plus = drawn(decay)
    for vector in (chi1[1:], np.cross(minus[1:], plus[1:], axis=0)):
        size = np.sqrt(np.sum(vector**2, axis=0))
        for component in vector:
            uniform = component / size / 2 + 0.5
            assert stats.kstest(uniform, "uniform").pvalue > P_MIN / 10


@each_decay
def test_steps_stay_above_the_density(decay: Chi2Decay):
    """And close to it: most trials are kept."""
    sampler = Sampler.of(decay)
    v = np.random.default_rng(102).random(N)
    least, greatest = 4 * decay.pair.mass**2, decay.model.delta**2
    density = v * decay.density(least + (greatest - least) * v**2)
    bound = sampler.bound[(v * len(sampler.bound)).astype(int)]
    assert np.all(density <= bound)
    assert density.mean() > 0.9 * bound.mean()


def test_closed_outside_its_limits():
    density = DECAYS["muons"].density(np.array([0.01, 0.0446, 0.05, 0.159, 0.161, 9.0]))
    assert np.all((density > 0) == [False, False, True, True, False, False])


@each_decay
def test_no_decays(decay: Chi2Decay):
    assert drawn(decay, n=0).shape == (3, 4, 0)
