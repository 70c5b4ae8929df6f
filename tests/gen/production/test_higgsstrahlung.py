"""A' h': the angle, and the decays of the A'."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.kinematics import boost, dot, two_body
from darkbelle.gen.production.base import HardEvents
from darkbelle.gen.production.higgsstrahlung import FermionPair, Higgsstrahlung, scalars

S = 10.58**2
P_MIN = 1e-3
MASSES = [(0.01, 0.1), (0.3, 0.1), (3.0, 0.5), (9.0, 1.0)]
each_mass = pytest.mark.parametrize(("m_ap", "m_hp"), MASSES)


def hard_events(m_ap: float, m_hp: float, n: int) -> HardEvents:
    s = np.full(n, S)
    momenta, _ = Higgsstrahlung(m_ap, m_hp, 1e-3, 0.1).sample(s, np.random.default_rng(61))
    return HardEvents(s, np.stack([*np.zeros((3, n)), np.sqrt(s)]), momenta)


@pytest.mark.parametrize("seed", [1, 2, 3])
@each_mass
def test_angle(m_ap: float, m_hp: float, seed: int):
    """1 + A sin^2(theta) with A = p^2/(2 m^2): the integral is a cubic."""
    n = 100_000
    hard = Higgsstrahlung(m_ap, m_hp, 1e-3, 0.1)
    momenta, weight = hard.sample(np.full(n, S), np.random.default_rng([62, seed]))
    assert np.ptp(weight) == 0
    size2 = np.sum(momenta[0, 1:] ** 2, axis=0)
    a = size2.mean() / (2 * m_ap**2)

    def cumulative(c: np.ndarray) -> np.ndarray:
        return 0.5 + ((1 + a) * c - a * c**3 / 3) / (2 + 4 * a / 3)

    cosine = momenta[0, 3] / np.sqrt(size2)
    assert stats.kstest(cosine, cumulative).pvalue > P_MIN


def kept_along_axes(events: HardEvents, first: float, second: float, correlation) -> np.ndarray:
    """The probability for three axes in the rest frame; it is quadratic in the direction."""
    vector = events.momenta[0]
    mass, n = np.sqrt(dot(vector, vector)), vector.shape[1]
    kept = []
    for cosine, phi in ((1.0, 0.0), (0.0, 0.0), (0.0, np.pi / 2)):
        pair = two_body(mass, first, second, np.full(n, cosine), np.full(n, phi))
        kept.append(correlation(events, np.stack([boost(p, vector) for p in pair])))
    return np.stack(kept)


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.4, 0.4), (0.3, 0.6)])
@each_mass
def test_fermions_are_kept_with_a_probability(m_ap: float, m_hp: float, shares):
    """Its mean is 2/3 (1 + (m1 + m2)^2/(2 m^2)) in every event; rounding counts at 10 MeV."""
    first, second = (share * m_ap for share in shares)
    events = hard_events(m_ap, m_hp, 2000)
    kept = kept_along_axes(events, first, second, FermionPair(first, second))
    assert kept.min() > -1e-8
    assert kept.max() < 1 + 1e-8
    expected = 2 / 3 * (1 + sum(shares) ** 2 / 2)
    assert kept.mean(axis=0) == pytest.approx(expected, abs=1e-8)


@each_mass
def test_scalars_are_kept_with_a_probability(m_ap: float, m_hp: float):
    events = hard_events(m_ap, m_hp, 2000)
    kept = kept_along_axes(events, 0.4 * m_ap, 0.4 * m_ap, scalars)
    assert kept.min() > -1e-8
    assert kept.max() < 1 + 1e-8
    x = np.sum(events.momenta[0, 1:3] ** 2, axis=0) / m_ap**2
    assert kept.mean(axis=0) == pytest.approx((2 + x) / (3 * (1 + x)), abs=1e-8)


def test_decays_of_a_fast_vector():
    """Far above its mass an A' across the beams has helicity 0: scalars fly along it."""
    events = hard_events(0.01, 0.1, 1000)
    vector = events.momenta[0]
    n = vector.shape[1]
    mass, flight = np.full(n, 0.01), vector[1:] / np.sqrt(np.sum(vector[1:] ** 2, axis=0))
    half = np.concatenate([[mass / 2], flight * mass / 2])
    back = np.concatenate([half[:1], -half[1:]])
    daughters = np.stack([boost(p, vector, mass) for p in (half, back)])
    across = np.abs(flight[2]) < 0.9
    assert scalars(events, daughters)[across] == pytest.approx(1, abs=1e-4)
    assert FermionPair(0.0, 0.0)(events, daughters)[across] == pytest.approx(0, abs=1e-4)
