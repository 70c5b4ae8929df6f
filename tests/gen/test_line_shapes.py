"""Masses of broad states: widths, densities within phase space, conservation, edges."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from darkbelle.errors import KinematicsError
from darkbelle.gen.kinematics import breakup_momentum, dot, invariant_mass
from darkbelle.gen.line_shapes import BroadDaughters, LineShape, in_states, line_shape
from darkbelle.gen.particles import K0, KAON, PI0, PION, species

P_MIN = 1e-4
N = 20_000
SEEDS = (1, 2, 3)
M_B = species(511).mass
BROAD = (113, 213, 223, 313, 323, 333)
K_STAR: LineShape = line_shape(313)
RHO: LineShape = line_shape(113)


def sample(daughters: tuple, mass: float, seed: int, wave: int = 0, n: int = N) -> np.ndarray:
    """Momenta of the daughters, shape (n_daughters, 4, n)."""
    decay = BroadDaughters(daughters, wave)
    return decay(np.full(n, mass), rng=np.random.default_rng(seed))


def follows(values: np.ndarray, low: float, high: float, density: Callable) -> bool:
    """KS test against a density that is integrated in 50,000 steps."""
    edges = np.linspace(low, high, 50_001)
    cumulative = np.cumsum(density((edges[1:] + edges[:-1]) / 2))
    cdf = np.concatenate([[0], cumulative / cumulative[-1]])
    return stats.kstest(values, lambda x: np.interp(x, edges, cdf)).pvalue > P_MIN


# ---- the shapes ----------------------------------------------------------------------------------


def test_running_width():
    """Handbook of decays, section 2.5."""
    width = K_STAR.width_at(np.array([0.8, K_STAR.mass, 1.0]))
    assert width == pytest.approx([0.02775, 0.0471, 0.06570], rel=2e-4)


def test_shape_in_a_decay():
    """B0 -> K*0 a(0.5), m < 2.5 GeV: 82.5 % within 75 MeV, 73.9 % within 50; section 2.5."""
    m = np.linspace(K_STAR.least, 2.5, 200_001)
    density = breakup_momentum(M_B, m, 0.5) ** 3 * K_STAR.density(m)
    for reach, share in ((0.075, 0.825), (0.05, 0.739)):
        near = np.abs(m - K_STAR.mass) < reach
        assert density[near].sum() / density.sum() == pytest.approx(share, abs=6e-4)
    assert m[density.argmax()] == pytest.approx(0.8947, abs=1e-4)


@pytest.mark.parametrize("pdg_id", BROAD)
def test_all_that_follows_is_open(pdg_id: int):
    shape = line_shape(pdg_id)
    pairs = {113: (PION, PION), 213: (PION, PI0), 313: (KAON, PION), 323: (K0, PION), 333: (K0, K0)}
    pair = pairs.get(pdg_id, (PION, PION, PI0))
    assert shape.least >= sum(species(code).mass for code in pair)
    assert shape.least < shape.mass - 3 * shape.width or shape.least < 0.65
    assert shape.mass == pytest.approx(species(pdg_id).mass, rel=1e-9)
    assert shape.width_at(np.array([shape.mass])) == pytest.approx(shape.width)
    assert line_shape(-pdg_id) == shape


@pytest.mark.parametrize("pdg_id", [KAON, PION, 331, 443, 413])
def test_what_is_narrow_has_none(pdg_id: int):
    assert line_shape(pdg_id) is None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pdg_id", BROAD)
def test_drawn_masses_follow_the_shape(pdg_id: int, seed: int):
    """And keep below the ceiling, where it cuts and where it does not."""
    shape = line_shape(pdg_id)
    rng = np.random.default_rng(seed)
    for ceiling in (shape.mass + 0.3 * shape.width, 5.0):
        masses = shape.draw(np.full(N, ceiling), rng)
        high = min(ceiling, shape.most)
        assert masses.min() > shape.least
        assert masses.max() < high
        assert follows(masses, shape.least, high, shape.density)


# ---- in decays -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("m_a", [0.16, 0.5, 4.2, 4.5])
def test_k_star_and_alp(m_a: float, seed: int):
    """Density p^3 rho, also where the kinematic limit cuts into the peak."""
    first, _ = sample((K_STAR, m_a), M_B, seed, wave=1)

    def density(m: np.ndarray) -> np.ndarray:
        return breakup_momentum(M_B, m, m_a) ** 3 * K_STAR.density(m)

    high = min(K_STAR.most, M_B - m_a)
    assert follows(invariant_mass(first), K_STAR.least, high, density)


def test_the_wave_matters():
    """It is p^3, not p, that the masses of K*0 follow close to the limit."""
    first, _ = sample((K_STAR, 4.3), M_B, 1, wave=0)

    def density(m: np.ndarray) -> np.ndarray:
        return breakup_momentum(M_B, m, 4.3) ** 3 * K_STAR.density(m)

    assert not follows(invariant_mass(first), K_STAR.least, M_B - 4.3, density)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_broad_daughters(seed: int):
    """D_s+ -> K*0 rho-like, 1.9 GeV: p rho rho, where both reach for the same energy."""
    mass = 1.9
    first, second = sample((K_STAR, RHO), mass, seed)
    m1 = np.linspace(K_STAR.least, K_STAR.most, 801)[:-1]
    m2 = np.linspace(RHO.least, RHO.most, 803)[:-1, None]
    open_ = m1 + m2 < mass
    joint = np.where(open_, breakup_momentum(mass, m1, m2), 0) * K_STAR.density(m1)
    joint *= RHO.density(m2)
    for p, m, marginal in ((first, m1, joint.sum(axis=0)), (second, m2[:, 0], joint.sum(axis=1))):
        density = marginal.copy()
        assert follows(invariant_mass(p), m[0], m[-1], lambda x, m=m, d=density: np.interp(x, m, d))


@pytest.mark.parametrize("seed", SEEDS)
def test_three_and_four_bodies(seed: int):
    """Phase space of a massive and two massless bodies is 1 - x^2 + 2 x ln x, x = (m/M)^2.

    With three massless ones, these have Phi_3 ~ s, and Phi_4 is the integral of p s over s.
    """
    mass = 1.3

    def three(m: np.ndarray) -> np.ndarray:
        x = (m / mass) ** 2
        return RHO.density(m) * (1 - x**2 + 2 * x * np.log(x))

    def four(m: np.ndarray) -> np.ndarray:
        grid = np.linspace(RHO.least, mass, 400)
        root = np.linspace(0, 1, 400)[:, None] * (mass - grid)
        volume = (breakup_momentum(mass, grid, root) * root**3).mean(axis=0) * (mass - grid)
        return RHO.density(m) * np.interp(m, grid, volume)

    for massless, density in ((2, three), (3, four)):
        rho, *_ = sample((RHO, *[0.0] * massless), mass, seed, n=5000)
        assert follows(invariant_mass(rho), RHO.least, mass, density)
        # The place of the broad one among the daughters is of no importance.
        *_, rho = sample((*[0.0] * massless, RHO), mass, seed, n=5000)
        assert follows(invariant_mass(rho), RHO.least, mass, density)


@pytest.mark.parametrize(
    ("mass", "daughters"), [(5.28, (K_STAR, 0.5)), (1.9, (K_STAR, RHO)), (1.9, (RHO, 0.0, 0.14))]
)
def test_momenta_add_up_and_are_isotropic(mass: float, daughters: tuple):
    momenta = sample(daughters, mass, 4)
    np.testing.assert_allclose(momenta[:, 0].sum(axis=0), mass, rtol=1e-12)
    np.testing.assert_allclose(momenta[:, 1:].sum(axis=0), 0, atol=1e-12 * mass)
    for p, daughter in zip(momenta, daughters, strict=True):
        if not isinstance(daughter, LineShape):
            np.testing.assert_allclose(dot(p, p), daughter**2, atol=1e-12 * mass**2)
        direction = p[1:] / np.sqrt(np.sum(p[1:] ** 2, axis=0))
        assert stats.kstest((direction[2] + 1) / 2, "uniform").pvalue > P_MIN
        angle = np.arctan2(direction[1], direction[0])
        assert stats.kstest(angle / (2 * np.pi) + 0.5, "uniform").pvalue > P_MIN


def test_parents_of_many_masses():
    """Down to the threshold, each with its own density: the free energy is shared as alone."""
    rng = np.random.default_rng(5)
    mass = RHO.least + 0.14 + 10 ** rng.uniform(-6, 0.5, N)
    rho, pion = BroadDaughters((RHO, 0.14), 1)(mass, rng=rng)
    assert (rho + pion)[0] == pytest.approx(mass, rel=1e-12)
    heavy = mass > 2.5
    low, high = mass[heavy].min(), mass[heavy].max()
    assert high - low > 1

    def density(m: np.ndarray) -> np.ndarray:
        weights = breakup_momentum(mass[heavy][:300, None], m[None], 0.14) ** 3
        norm = weights * RHO.density(m)
        return (norm / norm.sum(axis=1)[:, None]).sum(axis=0)

    edges = np.linspace(RHO.least, RHO.most, 2001)
    cdf = np.concatenate([[0], np.cumsum(density((edges[1:] + edges[:-1]) / 2))])
    found = invariant_mass(rho[:, heavy])
    assert stats.kstest(found, lambda x: np.interp(x, edges, cdf / cdf[-1])).pvalue > P_MIN


def test_edges():
    decay = in_states((313, PION))
    assert pickle.loads(pickle.dumps(decay)) == decay
    assert decay(np.zeros(0), rng=np.random.default_rng(1)).shape == (2, 4, 0)
    with pytest.raises(KinematicsError, match=r"0\.7 GeV cannot decay to 0\.772"):
        decay(np.full(3, 0.7), rng=np.random.default_rng(1))
    narrow = in_states((KAON, PION))(np.full(5, 1.8), rng=np.random.default_rng(1))
    assert invariant_mass(narrow[0]) == pytest.approx(species(KAON).mass)


def test_a_narrow_state_is_the_limit():
    shape = replace(K_STAR, width=1e-5)
    first, _ = sample((shape, 1.0), M_B, 6, wave=1)
    assert np.median(np.abs(invariant_mass(first) - shape.mass)) == pytest.approx(5e-6, rel=0.05)
