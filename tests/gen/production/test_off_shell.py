"""Dark Higgsstrahlung with an off-shell A': its mass, its limits, the efficiency."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from darkbelle.gen.kinematics import invariant_mass
from darkbelle.gen.production.higgsstrahlung import Higgsstrahlung
from darkbelle.gen.production.off_shell import OffShellHiggsstrahlung

S = 10.58**2
P_MIN = 1e-3


def dark(m_ap: float, m_chi1: float, delta: float, alpha_d: float, m_hp: float = 0.5):
    return OffShellHiggsstrahlung(m_ap, m_hp, m_chi1, m_chi1 + delta, 1e-3, alpha_d)


PROCESSES = [
    dark(3.0, 1.0, 0.4, 0.1),
    dark(2.2, 1.0, 0.1, 0.5),
    dark(2.2, 1.0, 0.4, 0.1),
    dark(10.07, 2.5, 0.25, 0.1),
    dark(10.4, 2.5, 0.25, 0.01),
    dark(11.0, 4.5, 0.45, 0.1, m_hp=1.0),
]
each_process = pytest.mark.parametrize("hard", PROCESSES, ids=repr)


def shares(hard: OffShellHiggsstrahlung, edges: np.ndarray) -> np.ndarray:
    """Cross-section between squared masses, by adaptive quadrature."""

    def density(mass2: float) -> float:
        return float(hard.distribution(np.array(S), np.array(mass2)))

    return np.array(
        [
            integrate.quad(density, low, high, epsabs=0, epsrel=1e-8, limit=200)[0]
            for low, high in pairwise(edges)
        ]
    )


@each_process
def test_mass_of_the_vector(hard: OffShellHiggsstrahlung):
    """Unweighted events in equally filled bins of Q^2; their sum is the cross-section."""
    rng = np.random.default_rng(71)
    momenta, weight = hard.sample(np.full(100_000, S), rng)
    kept = rng.random(len(weight)) < weight / weight.max()
    mass2 = invariant_mass(momenta[0][:, kept]) ** 2
    inner = np.quantile(mass2, np.linspace(0, 1, 31)[1:-1])
    edges = np.array([hard.least_mass**2, *inner, (np.sqrt(S) - hard.m_hp) ** 2])
    expected = shares(hard, edges)
    assert expected.sum() == pytest.approx(hard.cross_section(np.array([S]))[0], rel=1e-7)

    # The bins come from these events: others fill them.
    momenta, weight = hard.sample(np.full(100_000, S), rng)
    kept = rng.random(len(weight)) < weight / weight.max()
    mass2 = invariant_mass(momenta[0][:, kept]) ** 2
    counts, _ = np.histogram(mass2, edges)
    expected *= counts.sum() / expected.sum()
    assert stats.chisquare(counts, expected).pvalue > P_MIN


@each_process
def test_angle(hard: OffShellHiggsstrahlung):
    """1 + p^2/(2 Q^2) sin^2(theta), turned into a uniform number event by event."""
    momenta, weight = hard.sample(np.full(100_000, S), np.random.default_rng(72))
    rng = np.random.default_rng(73)
    vector = momenta[0][:, rng.random(len(weight)) < weight / weight.max()]
    size2 = np.sum(vector[1:] ** 2, axis=0)
    a, c = size2 / (2 * invariant_mass(vector) ** 2), vector[3] / np.sqrt(size2)
    uniform = 0.5 + ((1 + a) * c - a * c**3 / 3) / (2 + 4 * a / 3)
    assert stats.kstest(uniform, "uniform").pvalue > P_MIN


def test_narrow_width():
    """alpha_D -> 0 is the A' on its mass shell, with alpha_h = 4 alpha_D."""
    hard = dark(3.0, 1.0, 0.4, 1e-6)
    narrow = Higgsstrahlung(3.0, 0.5, 1e-3, 4e-6)
    s = np.array([25.0, 50.0, S])
    assert hard.cross_section(s) == pytest.approx(narrow.cross_section(s), rel=1e-5)


def test_other_decays_take_their_share():
    """A narrow A' with as much width to all else as to chi1 chi2: half the rate of the two."""
    alone = dark(3.0, 1.0, 0.4, 1e-6)
    shared = replace(alone, visible_width=float(alone.width(np.array(9.0))))
    s = np.array([25.0, 50.0, S])
    assert shared.cross_section(s) == pytest.approx(alone.cross_section(s) / 2, rel=1e-4)


@pytest.mark.parametrize("alpha_d", [1e-6, 1e-3, 0.1])
def test_nothing_happens_far_below_a_real_vector(alpha_d: float):
    """But for ten widths, down to the masses of chi1 and chi2."""
    hard = dark(3.0, 1.0, 0.4, alpha_d)
    width = float(hard.width(np.array(9.0)))
    assert hard.threshold == pytest.approx(max(3.5 - 10 * width, 2.9))
    s = (hard.threshold + np.array([-0.1, 0.1]) * width) ** 2
    assert np.all((hard.cross_section(s) > 0) == [False, True])


def test_width_bounds_the_rate_where_radiation_meets_the_resonance():
    """Around s = m_A'^2 the A' that radiates is on its mass shell: a finite peak."""
    hard = dark(10.3, 2.5, 0.25, 0.1)
    below, at, above = hard.cross_section(np.array([10.0, 10.3, 10.8]) ** 2)
    assert at > 2 * max(below, above)


@pytest.mark.parametrize("alpha_d", [1e-3, 0.1, 0.5])
@pytest.mark.parametrize("m_ap", [2.2, 2.5, 3.0, 4.0])
def test_efficiency(m_ap: float, alpha_d: float):
    """Mean over largest weight."""
    hard = dark(m_ap, 1.0, 0.1, alpha_d)
    _, weight = hard.sample(np.full(100_000, S), np.random.default_rng(74))
    assert weight.mean() > 0.6 * weight.max()


@each_process
def test_efficiency_at_the_edges(hard: OffShellHiggsstrahlung):
    _, weight = hard.sample(np.full(100_000, S), np.random.default_rng(75))
    assert weight.mean() > 0.4 * weight.max()
