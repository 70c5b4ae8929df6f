"""e+e- -> l+ l- gamma: limits of the amplitude, spectra of the photon.

Amplitudes at points and cross-sections within cuts stand against tables in
``tests/reference/test_sm_benchmarks.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.kinematics import dot, two_body
from darkbelle.gen.particles import MASS_MU, MASS_TAU
from darkbelle.gen.production import emission
from darkbelle.gen.production.base import HardEvents
from darkbelle.gen.production.lepton_pair_photon import (
    Invariants,
    LeptonPairPhoton,
    final_state,
    initial_state,
    interference,
)
from darkbelle.gen.production.lepton_pair_photon.spectrum import final_spectrum, initial_spectrum
from darkbelle.gen.sampling import Bound, unweight
from darkbelle.gen.vacuum_polarisation import running_factor
from darkbelle.units import ALPHA_EM, HBAR_C2

S = 10.58**2
CASES = [LeptonPairPhoton(MASS_MU, 0.5, 0.3), LeptonPairPhoton(MASS_TAU, 0.1, 0.1)]
each_case = pytest.mark.parametrize("hard", CASES, ids=["mu", "tau"])


def total(mass: float, at: Invariants) -> np.ndarray:
    return initial_state(mass, at) + final_state(mass, at) + interference(mass, at)


@each_case
def test_final_state_is_the_emission_of_a_massless_vector(hard: LeptonPairPhoton):
    s = np.full(1000, S)
    momenta = hard.sample(s, np.random.default_rng(61))[0]
    masses, zero = emission.Masses(hard.mass, 0.0), np.zeros_like(s)
    beams = np.stack([zero, zero, zero, np.sqrt(s)])
    at = emission.Invariants.of(HardEvents(s, beams, momenta))
    expected = emission.squared_amplitude(emission.VECTOR, masses, at) / s**2
    assert final_state(hard.mass, Invariants.of(s, *momenta)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("mass", [MASS_MU, MASS_TAU])
def test_soft_photons_factorise(mass: float):
    """The lepton pair's squared amplitude times that of the classical current of all four."""
    rng = np.random.default_rng(62)
    n, energy = 200, 1e-6
    cos_theta = rng.uniform(-0.95, 0.95, n)
    root_s, zero = np.full(n, 10.58), np.zeros(n)
    p1, p2 = two_body(root_s, mass, mass, cos_theta, zero)
    cos_k, phi_k = rng.uniform(-0.95, 0.95, n), rng.uniform(0, 2 * np.pi, n)
    sin_k = np.sqrt(1 - cos_k**2)
    k = energy * np.stack([np.ones(n), sin_k * np.cos(phi_k), sin_k * np.sin(phi_k), cos_k])
    pa, pb = two_body(root_s, 0.0, 0.0, np.ones(n), zero)
    current = p1 / dot(p1, k) - p2 / dot(p2, k) - pa / dot(pa, k) + pb / dot(pb, k)
    beta2 = 1 - 4 * mass**2 / S
    pair = 4 * (1 + beta2 * cos_theta**2 + 4 * mass**2 / S)
    at = Invariants.of(np.full(n, S), p1, p2, k)
    assert total(mass, at) == pytest.approx(-dot(current, current) * pair, rel=1e-4)


def test_massless_limit():
    """-4 (v_p - v_q)^2 (t^2 + t'^2 + u^2 + u'^2)/(s s') (Berends et al. 1982)."""
    s = np.full(2000, S)
    mass = 1e-4
    p1, p2, k = LeptonPairPhoton(mass, 1.0, 0.5).sample(s, np.random.default_rng(63))[0]
    at = Invariants.of(s, p1, p2, k)
    wide = (np.minimum(at.k1, at.k2) > 1e-2) & (at.s_pair > 1)
    half, zero = np.full_like(s, 10.58 / 2), np.zeros_like(s)
    pa, pb = np.stack([half, zero, zero, half]), np.stack([half, zero, zero, -half])
    v = pb / at.kb - pa / at.ka - p2 / at.k2 + p1 / at.k1
    squares = at.t**2 + at.t_prime**2 + at.u**2 + at.u_prime**2
    expected = -4 * dot(v, v) * squares / (at.s * at.s_pair)
    assert wide.sum() > 200
    assert total(mass, at)[wide] == pytest.approx(expected[wide], rel=1e-5)


@each_case
def test_exchange_of_the_leptons(hard: LeptonPairPhoton):
    """The squares are even under l- <-> l+, the interference is odd; the sum is positive."""
    s = np.full(2000, S)
    p1, p2, k = hard.sample(s, np.random.default_rng(64))[0]
    at, exchanged = Invariants.of(s, p1, p2, k), Invariants.of(s, p2, p1, k)
    for part, sign in ((initial_state, 1), (final_state, 1), (interference, -1)):
        value = part(hard.mass, at)
        assert part(hard.mass, exchanged) == pytest.approx(sign * value, rel=1e-7)
    assert np.all(total(hard.mass, at) > 0)


@each_case
def test_charge_symmetry(hard: LeptonPairPhoton):
    """The interference makes l- and l+ differ forward and backward, alike but for the sign."""
    n = 100_000
    momenta, weight = hard.sample(np.full(n, S), np.random.default_rng(65))
    forward = weight * np.sign(momenta[:2, 3])
    asymmetry, errors = forward.mean(axis=1), forward.std(axis=1) / np.sqrt(n)
    assert abs(asymmetry.sum()) < 4 * errors[0] * np.sqrt(2)
    assert np.all(np.abs(asymmetry) > 5 * errors)
    energies = (weight * (momenta[0, 0] - momenta[1, 0])).mean()
    assert abs(energies) < 4 * (weight * (momenta[0, 0] - momenta[1, 0])).std() / np.sqrt(n)


@each_case
def test_photon_within_its_cuts(hard: LeptonPairPhoton):
    k = hard.sample(np.full(50_000, S), np.random.default_rng(66))[0][2]
    assert k[0].min() > hard.energy_min * (1 - 1e-12)
    assert np.abs(k[3] / k[0]).max() < np.cos(hard.theta_min) + 1e-12
    heaviest = (S - 4 * hard.mass**2) / (2 * 10.58)
    assert 0.99 * heaviest < k[0].max() < heaviest


@each_case
def test_photon_energies(hard: LeptonPairPhoton):
    """After unweighting, against the quadrature of the spectrum."""
    rng = np.random.default_rng(67)
    momenta, weight = hard.sample(np.full(600_000, S), rng)
    kept, _ = unweight(weight, Bound.from_pilot(weight), rng)
    assert len(kept) > 1e5
    rest = 1 - 2 * momenta[2, 0, kept] / 10.58
    low, high = 4 * hard.mass**2 / S, 1 - 2 * hard.energy_min / 10.58
    grid = 1 - np.geomspace(1 - low, 1 - high, 4001)
    grid = np.unique(np.concatenate([grid, low + (high - low) * np.linspace(0, 1, 4001) ** 3]))
    args = hard.mass, np.cos(hard.theta_min), np.full_like(grid, S), grid
    spectrum = initial_spectrum(*args) + final_spectrum(*args)
    steps = np.diff(grid) * (spectrum[1:] + spectrum[:-1]) / 2
    cumulative = np.concatenate([[0.0], np.cumsum(steps)])
    assert cumulative[-1] == pytest.approx(hard.cross_section(np.array([S]))[0], rel=1e-4)
    share = np.interp(rest, grid, cumulative / cumulative[-1])
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_vacuum_polarisation():
    """At s' for photons from the beams, at s from the leptons, the mean of both between them."""
    bare, s = CASES[0], np.full(1000, S)
    momenta, weight = bare.sample(s, np.random.default_rng(69))
    again, running = replace(bare, running=True).sample(s, np.random.default_rng(69))
    assert np.array_equal(momenta, again)
    at = Invariants.of(s, *momenta)
    at_beams, at_leptons = running_factor(at.s_pair), running_factor(s)
    factor = {
        initial_state: at_beams, final_state: at_leptons,
        interference: np.sqrt(at_beams * at_leptons),
    }  # fmt: skip
    expected = sum(f * each(bare.mass, at) for each, f in factor.items()) / total(bare.mass, at)
    assert running / weight == pytest.approx(expected, rel=1e-12)
    assert np.ptp(expected) > 0.02


def test_photon_angles_from_the_beams():
    """(2 - 2 x + x^2)/(1 - c^2) - x^2/2 at each x, for the initial state alone."""
    hard = CASES[0]
    s, rng = np.full(400_000, S), np.random.default_rng(68)
    momenta, weight = hard.sample(s, rng)
    at = Invariants.of(s, *momenta)
    weight = weight * initial_state(hard.mass, at) / total(hard.mass, at)
    kept, _ = unweight(weight, Bound.from_pilot(weight), rng)
    k = momenta[2][:, kept]
    x, cos_theta = 2 * k[0] / 10.58, k[3] / k[0]

    def integral(c: np.ndarray | float) -> np.ndarray:
        return (2 - 2 * x + x**2) * np.arctanh(c) - x**2 * c / 2

    share = integral(cos_theta) / integral(np.cos(hard.theta_min))
    assert stats.kstest(share, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def test_final_spectrum_over_all_angles():
    """The distribution in s' of the emission at M = 0, integrated over D1 in closed form."""
    mass, s = MASS_MU, np.full(5, S)
    rest = np.array([0.001, 0.1, 0.5, 0.9, 0.99])
    s12 = s * rest
    beta = np.sqrt(1 - 4 * mass**2 / s12)
    sg = s - s12
    kp, gap = beta * sg, 4 * mass**2 * sg**2 / s12
    a, b, c, e, _ = emission.VECTOR.isotropic(s, mass**2, 0.0)
    log = np.log((sg + kp) ** 2 / gap)
    braces = 16 * a * kp / gap + 4 / sg * (b + e * sg**2) * log + 4 * c * log - 4 * e * kp
    # g^2 = 4 pi alpha; per s' times s is per x.
    expected = ALPHA_EM**2 * 4 * np.pi * ALPHA_EM / (96 * np.pi * s**2) * braces * HBAR_C2
    assert final_spectrum(mass, 1.0, s, rest) == pytest.approx(expected, rel=1e-9)
