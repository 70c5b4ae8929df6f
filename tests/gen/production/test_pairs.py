"""Angles of e+e- -> l+l-, gamma gamma and e+e-, and the coupling that runs with them.

Cross-sections at 10.58 GeV stand against a table in ``tests/reference/test_sm_benchmarks.py``.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.isr import sample_cos_theta
from darkbelle.gen.kinematics import dot, two_body
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.bhabha import Bhabha
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.gen.production.photon_pair import PhotonPair
from darkbelle.gen.production.running_coupling import RunningCoupling
from darkbelle.gen.sampling import Bound, unweight
from darkbelle.gen.vacuum_polarisation import running_factor
from darkbelle.units import ALPHA_EM, HBAR_C2

S = 10.58**2


def cosines(hard: HardProcess, s: float, n: int, seed: int) -> np.ndarray:
    """Of the first particle to the electron beam, in unweighted events."""
    rng = np.random.default_rng(seed)
    momenta, weight = hard.sample(np.full(n, s), rng)
    kept, _ = unweight(weight, Bound.from_pilot(weight), rng)
    p = momenta[0][:, kept]
    return p[3] / np.sqrt(np.sum(p[1:] ** 2, axis=0))


@pytest.mark.parametrize("mass", [MASS_MU, MASS_TAU])
@pytest.mark.parametrize("energy", [1.02, 1.5, 5.0])
def test_angles_of_leptons(mass: float, energy: float):
    """1 + c^2 + (1 - beta^2)(1 - c^2), at energies in units of the threshold."""
    beta2 = 1 - energy**-2
    c = cosines(LeptonPair(mass), (2 * mass * energy) ** 2, 110_000, 51)
    share = ((2 - beta2) * (c + 1) + beta2 * (c**3 + 1) / 3) / (4 - 4 * beta2 / 3)
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_second_moment_of_leptons():
    """<c^2> of 1 + c^2 is 2/5, which a larger sample tests to 0.3 %."""
    c = cosines(LeptonPair(MASS_MU), S, 1_100_000, 55)
    beta2 = 1 - 4 * MASS_MU**2 / S
    expected = ((2 - beta2) / 3 + beta2 / 5) / (2 - 2 * beta2 / 3)
    assert np.mean(c**2) == pytest.approx(expected, abs=4 * 0.31 / 1000)


@pytest.mark.parametrize("degrees", [1, 10, 45])
def test_angles_of_photons(degrees: float):
    """(1 + c^2)/(1 - c^2), the first photon being forward as often as not."""
    c = cosines(PhotonPair(np.radians(degrees)), S, 110_000, 52)
    c_max = np.cos(np.radians(degrees))
    assert np.abs(c).max() < c_max + 1e-12
    share = (2 * np.arctanh(c) - c) / (2 * np.arctanh(c_max) - c_max)
    assert stats.kstest(share, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def bhabha_integral(c: np.ndarray | float) -> np.ndarray | float:
    """Of (3 + c^2)^2/(1 - c)^2."""
    gap = 1 - c
    return -(gap**3) / 3 + 2 * gap**2 - 12 * gap + 16 * np.log(gap) + 16 / gap


@pytest.mark.parametrize("degrees", [1, 10, 45])
def test_angles_of_bhabha(degrees: float):
    """The electron goes on forward."""
    c = cosines(Bhabha(np.radians(degrees), running=False), S, 130_000, 53)
    assert len(c) > 100_000
    low, high = bhabha_integral(np.cos(np.radians(np.array([180 - degrees, degrees]))))
    assert stats.kstest((bhabha_integral(c) - low) / (high - low), "uniform").pvalue > 1e-3
    assert np.mean(c > 0) > 0.8


@pytest.mark.parametrize("degrees", [0.5, 10, 80])
def test_bhabha_cross_section_in_closed_form(degrees: float):
    found = Bhabha(np.radians(degrees), running=False).cross_section(np.array([S]))
    low, high = bhabha_integral(np.cos(np.radians(np.array([180 - degrees, degrees]))))
    assert found == pytest.approx(np.pi * ALPHA_EM**2 * HBAR_C2 / (2 * S) * (high - low), rel=1e-9)


def test_bhabha_runs_with_both_photons():
    """Forward with t in the exchange, backward with the mean of s and t = -s: u = 0 there."""
    theta_min = np.radians(10)
    (momenta, running), (_, bare) = (
        Bhabha(theta_min, running=on).sample(np.full(100_000, S), np.random.default_rng(56))
        for on in (True, False)
    )
    ratio, c = running / bare, momenta[0, 3] / momenta[0, 0]
    forward, backward = c > 0.98, c < -0.9
    assert backward.sum() > 20
    t = -S / 2 * (1 - c)
    assert ratio[forward] == pytest.approx(running_factor(t[forward]), rel=1e-3)
    mean = (running_factor(np.array([S])) + running_factor(t[backward])) / 2
    assert ratio[backward] == pytest.approx(mean, rel=1e-3)


def test_bhabha_at_belle_energies():
    """300 nb between 10 and 170 degrees (arXiv:1808.10567, table 1) have radiation as well."""
    assert Bhabha(np.radians(10)).cross_section(np.array([S])) == pytest.approx(300e6, rel=0.02)


@pytest.mark.parametrize("degrees", [3, 10, 30, 90, 150])
def test_soft_photons_of_bhabha_know_its_angle(degrees: float):
    """Those left over are ln(s t/(u m_e^2)) of ln(s/m_e^2), less the 1 that either has; all of them
    where the electron is turned by more than 90 degrees."""
    n, half_angle = 100_000, np.radians(degrees) / 2
    pair = two_body(
        np.full(n, S**0.5), MASS_E, MASS_E, np.full(n, np.cos(2 * half_angle)), np.zeros(n)
    )
    cos_theta = sample_cos_theta(np.full(n, 1e-4), S, np.random.default_rng(57))
    share = Bhabha(0.02).resolves(np.stack(pair), cos_theta).mean()
    log = np.log(S / MASS_E**2)
    expected = min((log + 2 * np.log(np.tan(half_angle)) - 1) / (log - 1), 1.0)
    assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n) + 1e-4)


def test_bhabha_at_other_energies_goes_the_same_way():
    hard = Bhabha(0.1, threshold=4.0)
    before, weight = hard.sample(np.full(1000, S), np.random.default_rng(58))
    s = np.geomspace(10, 2 * S, 1000)
    after, weight_after = hard.at(s, before)
    assert after[:, 3] / after[:, 0] == pytest.approx(before[:, 3] / before[:, 0], abs=1e-7)
    assert after[:, 1] * before[:, 2] == pytest.approx(after[:, 2] * before[:, 1], abs=1e-9)
    assert dot(after.sum(axis=0), after.sum(axis=0))[s > 16] == pytest.approx(s[s > 16], rel=1e-12)
    np.testing.assert_array_equal(weight_after == 0, s <= 16)
    again, weight_again = hard.at(np.full(1000, S), before)
    assert again == pytest.approx(before, abs=1e-12)
    assert weight_again == pytest.approx(weight, rel=1e-12)


def test_running_coupling_scales_everything():
    pair = LeptonPair(MASS_TAU)
    running = RunningCoupling(pair)
    s = np.array([1.0, 4.0, 9.0]) ** 2
    assert running.threshold == pair.threshold
    assert running.cross_section(s) == pytest.approx(running_factor(s) * pair.cross_section(s))
    (bare, weight), (momenta, run) = (
        hard.sample(s, np.random.default_rng(54)) for hard in (pair, running)
    )
    assert np.all(momenta == bare)
    assert run == pytest.approx(running_factor(s) * weight)
