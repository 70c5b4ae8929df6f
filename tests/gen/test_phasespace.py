"""Decays at rest: conservation, isotropy, a flat Dalitz plot, matrix elements."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from darkbelle.gen.kinematics import dot, kallen
from darkbelle.gen.phasespace import MatrixElement, decay_at_rest

P_MIN = 1e-4
N = 20_000
SEEDS = (1, 2, 3)

# Masses of a parent and three daughters: K+ -> pi+ pi+ pi-, K+ -> pi0 e+ nu, all different.
DECAYS = [
    (0.493677, (0.13957, 0.13957, 0.13957)),
    (0.493677, (0.13498, 0.000511, 0.0)),
    (1.0, (0.1, 0.2, 0.4)),
]


def decay(
    mass: float, daughters: tuple[float, ...], seed: int, element: MatrixElement | None = None
) -> np.ndarray:
    return decay_at_rest(np.full(N, mass), daughters, np.random.default_rng(seed), element)


def pair_mass2(momenta: np.ndarray, i: int, j: int) -> np.ndarray:
    pair = momenta[i] + momenta[j]
    return dot(pair, pair)


def uniform(values: np.ndarray, low: float = 0, high: float = 1) -> bool:
    return stats.kstest((values - low) / (high - low), "uniform").pvalue > P_MIN


def follows(values: np.ndarray, low: float, high: float, density: Callable) -> bool:
    """KS test against a density that is integrated in 20,000 steps."""
    edges = np.linspace(low, high, 20_001)
    cumulative = np.cumsum(density((edges[1:] + edges[:-1]) / 2))
    cdf = np.concatenate([[0], cumulative / cumulative[-1]])
    return stats.kstest(values, lambda x: np.interp(x, edges, cdf)).pvalue > P_MIN


def dalitz_limits(mass: float, daughters: tuple[float, ...], s12: np.ndarray) -> tuple:
    """Ends of m23^2 at given m12^2, by the energies in the frame of 12 (PDG 2024, Dalitz plot)."""
    m1, m2, m3 = daughters
    e2 = (s12 - m1**2 + m2**2) / (2 * np.sqrt(s12))
    e3 = (mass**2 - s12 - m3**2) / (2 * np.sqrt(s12))
    p2, p3 = np.sqrt(np.maximum(e2**2 - m2**2, 0)), np.sqrt(np.maximum(e3**2 - m3**2, 0))
    return (e2 + e3) ** 2 - (p2 + p3) ** 2, (e2 + e3) ** 2 - (p2 - p3) ** 2


@pytest.mark.parametrize(("mass", "daughters"), [*DECAYS, (0.5, (0.1, 0.3)), (0.135, (0.0, 0.0))])
def test_momenta_add_up_and_stay_on_their_shells(mass: float, daughters: tuple[float, ...]):
    momenta = decay(mass, daughters, 4)
    assert momenta.shape == (len(daughters), 4, N)
    np.testing.assert_allclose(momenta[:, 0].sum(axis=0), mass, rtol=1e-12)
    np.testing.assert_allclose(momenta[:, 1:].sum(axis=0), 0, atol=1e-12 * mass)
    for p, m in zip(momenta, daughters, strict=True):
        np.testing.assert_allclose(dot(p, p), m**2, atol=1e-12 * mass**2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("mass", "daughters"), [*DECAYS, (0.5, (0.1, 0.3))])
def test_every_daughter_is_isotropic(mass: float, daughters: tuple[float, ...], seed: int):
    for p in decay(mass, daughters, seed):
        assert uniform(p[3] / np.sqrt(np.sum(p[1:] ** 2, axis=0)), -1, 1)
        assert uniform(np.arctan2(p[2], p[1]), -np.pi, np.pi)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("mass", "daughters"), DECAYS)
def test_dalitz_plot_is_flat(mass: float, daughters: tuple[float, ...], seed: int):
    """m12^2 fills the width of the plot, m23^2 is uniform between the limits there."""
    momenta = decay(mass, daughters, seed)
    s12, s23 = pair_mass2(momenta, 0, 1), pair_mass2(momenta, 1, 2)
    m1, m2, m3 = daughters

    def width(s: np.ndarray) -> np.ndarray:
        low, high = dalitz_limits(mass, daughters, s)
        return high - low

    assert follows(s12, (m1 + m2) ** 2, (mass - m3) ** 2, width)
    low, high = dalitz_limits(mass, daughters, s12)
    assert uniform((s23 - low) / (high - low))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_decay_plane_turns_freely(seed: int):
    """Azimuth of the first around the third daughter, which the sampling draws by itself."""
    first, _, third = decay(*DECAYS[2], seed)[:, 1:]
    axis = third / np.linalg.norm(third, axis=0)
    sideways = np.cross(axis, [0, 0, 1], axisa=0, axisb=0, axisc=0)
    upwards = np.cross(axis, sideways, axis=0)
    angle = np.arctan2(np.sum(first * upwards, axis=0), np.sum(first * sideways, axis=0))
    assert uniform(angle, -np.pi, np.pi)


@pytest.mark.parametrize("seed", SEEDS)
def test_matrix_element_shapes_the_plot(seed: int):
    """|M|^2 = m12^2: the projection of the flat plot times that."""
    mass, daughters = DECAYS[2]
    m1, m2, m3 = daughters
    element = MatrixElement(
        lambda parent, first, second, third: dot(parent - third, first + second),
        lambda m, first, second, third: (m - third) ** 2,
    )
    s12 = pair_mass2(decay(mass, daughters, seed, element), 0, 1)

    def density(s: np.ndarray) -> np.ndarray:
        # s times p(M; m12, m3) p(m12; m1, m2) dm12
        return np.sqrt(kallen(mass**2, s, m3**2) * kallen(s, m1**2, m2**2))

    assert follows(s12, (m1 + m2) ** 2, (mass - m3) ** 2, density)
    assert not uniform(s12, s12.min(), s12.max())


@given(st.lists(st.floats(0.75, 5.0), min_size=1, max_size=5))
def test_parents_of_different_mass(masses: list[float]):
    """Each keeps its own mass, also just above threshold."""
    momenta = decay_at_rest(np.array(masses), (0.1, 0.2, 0.4), np.random.default_rng(7))
    assert momenta[:, 0].sum(axis=0) == pytest.approx(masses, rel=1e-12)


@pytest.mark.parametrize("daughters", [(0.1, 0.2, 0.4), (0.1, 0.2, 0.3, 0.0), 5 * (0.14,)])
def test_few_parents_decay_as_many_do(daughters: tuple[float, ...]):
    rng = np.random.default_rng(8)
    few = np.concatenate(
        [decay_at_rest(np.full(50, 1.2), daughters, rng) for _ in range(200)], axis=2
    )
    many = decay_at_rest(np.full(40_000, 1.2), daughters, rng)
    for i, j in ((0, 1), (1, 2), (0, 2)):
        masses2 = (pair_mass2(momenta, i, j) for momenta in (few, many))
        assert stats.ks_2samp(*masses2).pvalue > P_MIN


@pytest.mark.parametrize("daughters", [(0.1, 0.2), (0.1, 0.2, 0.3)])
def test_nothing_decays(daughters: tuple[float, ...]):
    momenta = decay_at_rest(np.zeros(0), daughters, np.random.default_rng(1))
    assert momenta.shape == (len(daughters), 4, 0)
