"""What searches make of four-momenta, of decays made here without a detector."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.kinematics import boost, dot, from_axes, invariant_mass, to_rest_frame
from darkbelle.gen.particles import MASS_MU, MASS_TAU, species
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.samples.kinematics import (
    beam_constrained_mass,
    energy_difference,
    mass_of,
    missing_mass2,
    neutral_lepton_masses,
    pseudo_rest_frame_x,
    recoil_q2,
    reduced_mass,
)

COLLIDER = geometry.load("belle2").collider
SQRT_S = COLLIDER.sqrt_s
MASS_B, MASS_K, MASS_PI = (species(code).mass for code in (521, 321, 211))
N = 5000


def directions(rng, n=N):
    p = rng.normal(size=(3, n))
    return p / np.linalg.norm(p, axis=0)


def in_pairs(rng, mass):
    """One of two particles of a mass that share the beams, in their centre of mass."""
    energy = SQRT_S / 2
    size = np.sqrt(energy**2 - mass**2)
    return np.concatenate([np.full((1, N), energy), size * directions(rng)])


def to_lab(p):
    return from_axes(p, axes_of_collision(COLLIDER))


def boost_all(momenta, frame):
    return np.stack([boost(p, frame) for p in momenta])


def test_a_b_has_its_mass_and_half_of_the_energy():
    rng = np.random.default_rng(1)
    b = to_lab(in_pairs(rng, MASS_B))
    np.testing.assert_allclose(beam_constrained_mass(b, COLLIDER), MASS_B, rtol=1e-12)
    np.testing.assert_allclose(energy_difference(b, COLLIDER), 0.0, atol=1e-12)
    np.testing.assert_allclose(
        np.sqrt(missing_mass2(b, COLLIDER.four_momentum)), MASS_B, rtol=1e-10
    )
    # An error of its energy alone moves Delta E and not M_bc, which knows its momentum only.
    heavier = to_lab(in_pairs(rng, MASS_B) + np.array([0.05, 0.0, 0.0, 0.0])[:, None])
    np.testing.assert_allclose(energy_difference(heavier, COLLIDER), 0.05, rtol=1e-9)
    np.testing.assert_allclose(beam_constrained_mass(heavier, COLLIDER), MASS_B, rtol=1e-12)
    fast = to_lab(in_pairs(rng, 0.1) * np.array([2.0, 2.0, 2.0, 2.0])[:, None])
    assert not beam_constrained_mass(fast, COLLIDER).any()


def test_what_a_kaon_leaves_of_a_b():
    """Exact for a B at rest; the true B moves, which smears m^2 by +-2 p_B p_K, not its mean."""
    rng = np.random.default_rng(2)
    kaon, x = decay_at_rest(np.full(N, MASS_B), [MASS_K, 3.0], rng)
    at_rest = SQRT_S / 2 / MASS_B * np.array([MASS_B, 0.0, 0.0, 0.0])
    q2 = recoil_q2(to_lab(kaon), COLLIDER)
    left = at_rest[:, None] - kaon
    np.testing.assert_allclose(q2, dot(left, left), rtol=1e-12)
    b = in_pairs(rng, MASS_B)
    q2 = recoil_q2(to_lab(boost(kaon, b)), COLLIDER)
    p_b = np.sqrt(SQRT_S**2 / 4 - MASS_B**2)
    p_k = np.linalg.norm(kaon[1:, 0])
    spread = SQRT_S * p_b * p_k / MASS_B / np.sqrt(3)
    assert q2.std() == pytest.approx(spread, rel=0.05)
    assert q2.mean() == pytest.approx(9.0, abs=5 * spread / np.sqrt(N) + 0.05)
    assert invariant_mass(x[:, :1])[0] == pytest.approx(3.0)


@pytest.mark.parametrize("excess", [1e-9, 1e-5, 1e-2, 3.0])
def test_reduced_mass_from_threshold_on(excess):
    """Twice the momentum in the frame of the pair, seen where it has 5 GeV."""
    rng = np.random.default_rng(3)
    mass = 2 * MASS_MU + excess
    momentum = np.sqrt(excess / 2 * (excess / 2 + 2 * MASS_MU))
    flight = momentum * directions(rng)
    energy = np.full((1, N), np.hypot(momentum, MASS_MU))
    pair = np.stack([np.concatenate([energy, s * flight]) for s in (1, -1)])
    frame = np.concatenate([np.full((1, N), np.hypot(5.0, mass)), 5.0 * directions(rng)])
    plus, minus = boost_all(pair, frame)
    found = reduced_mass(plus, minus)
    np.testing.assert_allclose(found, 2 * momentum, rtol=1e-6 + 1e-15 / momentum**2)
    np.testing.assert_allclose(mass_of(plus + minus), mass, rtol=1e-9)


def test_the_pseudo_rest_frame_of_an_isotropic_decay():
    """<x_l>/x = gamma^2 (1 - beta^2 <cos delta>), delta between true and assumed direction."""
    rng = np.random.default_rng(4)
    n = 40_000
    energy = SQRT_S / 2
    momentum = np.sqrt(energy**2 - MASS_TAU**2)
    flight = momentum * directions(rng, n)
    tau, other = (np.concatenate([np.full((1, n), energy), s * flight]) for s in (1, -1))
    lepton, _ = decay_at_rest(np.full(n, MASS_TAU), [MASS_MU, 0.7], rng)
    x = 2 * lepton[0, 0] / MASS_TAU
    lepton = boost(lepton, tau)
    np.testing.assert_allclose(pseudo_rest_frame_x(lepton, other, SQRT_S), x, rtol=1e-9)
    *pions, _ = decay_at_rest(np.full(n, MASS_TAU), [MASS_PI] * 3 + [0.0], rng)
    tag = boost_all(pions, other).sum(axis=0)
    found = pseudo_rest_frame_x(lepton, tag, SQRT_S)
    cosine = -np.sum(tag[1:] * flight, axis=0) / np.linalg.norm(tag[1:], axis=0) / momentum
    gamma2 = (energy / MASS_TAU) ** 2
    expected = gamma2 * (1 - (1 - 1 / gamma2) * cosine.mean())
    assert expected > 1.04
    assert found.mean() / x == pytest.approx(expected, abs=5 * found.std() / x / np.sqrt(n))


def neutral_lepton_decays(rng, mass, n):
    """Pion, pair and N of tau -> pi N, N -> mu mu nu in the lab; weights of left-handed N.

    The matrix element of physics/decays.md, 5.3, for N polarised against its flight from the tau.
    """
    tau = to_lab(np.concatenate([in_pairs(rng, MASS_TAU)] * (n // N), axis=1))
    pion, flight = decay_at_rest(np.full(n, MASS_TAU), [MASS_PI, mass], rng)
    minus, plus, neutrino = decay_at_rest(np.full(n, mass), [MASS_MU, MASS_MU, 0.0], rng)
    axis = flight[1:] / np.linalg.norm(flight[1:], axis=0)
    k = mass * np.concatenate([np.ones((1, n)), axis])  # p - m s, with s against the flight
    left, right = -0.5 + 0.23121, 0.23121
    weight = left**2 * dot(k, plus) * dot(neutrino, minus)
    weight += right**2 * dot(k, minus) * dot(neutrino, plus)
    weight += left * right * MASS_MU**2 * dot(k, neutrino)
    pair = boost(minus + plus, flight)
    return boost(pion, tau), boost(pair, tau), boost(flight, tau), weight


@pytest.mark.parametrize(
    ("mass", "lighter_is_right", "mean_heavier", "mean_lighter"),
    [(0.4, 0.90, 0.664, 0.396), (0.8, 0.68, 0.926, 0.772), (1.2, 0.51, 1.249, 1.146),
     (1.5, 0.41, 1.514, 1.449)],
)  # fmt: skip
def test_one_of_two_masses_is_that_of_the_neutral_lepton(
    mass, lighter_is_right, mean_heavier, mean_lighter
):
    """Shares and means of physics/decays.md, 5.5."""
    rng = np.random.default_rng(5)
    n = 8 * N
    pion, pair, flight, weight = neutral_lepton_decays(rng, mass, n)
    heavier, lighter, is_real = neutral_lepton_masses(pion, pair, 7.0 * flight[1:])
    assert is_real.all()
    off = np.abs([heavier - mass, lighter - mass])
    assert off.min(axis=0).max() < 1e-6
    share = np.average(off[1] < off[0], weights=weight)
    assert share == pytest.approx(lighter_is_right, abs=0.015)
    assert np.average(heavier, weights=weight) == pytest.approx(mean_heavier, rel=0.006)
    assert np.average(lighter, weights=weight) == pytest.approx(mean_lighter, rel=0.006)


def test_a_flight_that_no_neutral_lepton_has():
    """Against the momentum of the pair nothing solves the equations; a mass is still given."""
    rng = np.random.default_rng(6)
    pion, pair, flight, _ = neutral_lepton_decays(rng, 1.0, N)
    away = directions(rng)
    heavier, lighter, is_real = neutral_lepton_masses(pion, pair, away)
    assert 0.01 < np.mean(~is_real) < 0.99
    np.testing.assert_array_equal(heavier[~is_real], lighter[~is_real])
    assert np.isfinite(heavier).all()
    assert np.all(heavier >= lighter)
    assert to_rest_frame(flight, flight)[0] == pytest.approx(np.ones(N))
