"""What every hard process of the Standard Model promises as a `HardProcess`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.kinematics import dot
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.bhabha import Bhabha
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.gen.production.lepton_pair_photon import LeptonPairPhoton
from darkbelle.gen.production.photon_pair import PhotonPair
from darkbelle.gen.production.running_coupling import RunningCoupling
from darkbelle.gen.production.two_photon import TwoPhoton
from darkbelle.gen.sampling import Bound, unweight


class Case(NamedTuple):
    hard: HardProcess
    masses: tuple[float, ...]
    efficiency: float
    """Least mean weight over the largest at one energy."""


CASES = {
    "muons": Case(LeptonPair(MASS_MU), (MASS_MU, MASS_MU), 0.999),
    "taus": Case(LeptonPair(MASS_TAU), (MASS_TAU, MASS_TAU), 0.999),
    "running": Case(RunningCoupling(LeptonPair(MASS_TAU)), (MASS_TAU, MASS_TAU), 0.999),
    "photons": Case(PhotonPair(np.radians(10)), (0.0, 0.0), 0.999),
    "bhabha": Case(Bhabha(np.radians(10), running=False), (MASS_E, MASS_E), 0.9),
    "running-bhabha": Case(Bhabha(np.radians(1)), (MASS_E, MASS_E), 0.85),
    "muons-photon": Case(
        LeptonPairPhoton(MASS_MU, 0.5, np.radians(10)), (MASS_MU, MASS_MU, 0.0), 0.15
    ),
    "running-muons-photon": Case(
        LeptonPairPhoton(MASS_MU, 0.5, np.radians(10), running=True), (MASS_MU, MASS_MU, 0.0), 0.15
    ),
    "taus-photon": Case(
        LeptonPairPhoton(MASS_TAU, 0.1, np.radians(10)), (MASS_TAU, MASS_TAU, 0.0), 0.15
    ),
    "two-photon": Case(TwoPhoton(MASS_MU, 0.5), (MASS_E, MASS_E, MASS_MU, MASS_MU), 0.4),
    "two-photon-all": Case(TwoPhoton(MASS_MU), (MASS_E, MASS_E, MASS_MU, MASS_MU), 0.25),
    "two-photon-taus": Case(TwoPhoton(MASS_TAU), (MASS_E, MASS_E, MASS_TAU, MASS_TAU), 0.4),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def energies(hard: HardProcess, n: int) -> np.ndarray:
    """Squared energies from 1 % above threshold, or 1 GeV, to 11 GeV."""
    return np.linspace(max(1.01 * hard.threshold, 1.0), 11.0, n) ** 2


@each_case
def test_final_states_are_on_shell_and_balanced(case: Case):
    s = energies(case.hard, 20_000)
    momenta, weight = case.hard.sample(s, np.random.default_rng(41))
    root_s = np.sqrt(s)
    total = momenta.sum(axis=0) / root_s
    assert np.abs(total[0] - 1).max() < 1e-12
    assert np.abs(total[1:]).max() < 1e-12
    for p, mass in zip(momenta, case.masses, strict=True):
        assert np.abs((dot(p, p) - mass**2) / s).max() < 1e-12
        assert np.all(p[0] > 0)
    assert np.all(weight >= 0)
    assert np.mean(weight > 0) > 0.99


@each_case
def test_weights_average_to_the_cross_section(case: Case):
    for fraction in (0.1, 0.5, 0.95):
        root_s = case.hard.threshold + fraction * (11.0 - case.hard.threshold)
        s = np.full(40_000, root_s**2)
        weight = case.hard.sample(s, np.random.default_rng(42))[1]
        expected = case.hard.cross_section(s[:1])[0]
        error = weight.std() / 200
        assert error < 0.01 * expected
        assert abs(weight.mean() - expected) < 4.5 * error + 1e-12 * expected


@each_case
def test_weights_are_even(case: Case):
    weight = case.hard.sample(np.full(100_000, 10.58**2), np.random.default_rng(43))[1]
    assert weight.mean() > case.efficiency * weight.max()


@each_case
def test_azimuth_is_flat(case: Case):
    """Of each particle, after unweighting."""
    rng = np.random.default_rng(44)
    momenta, weight = case.hard.sample(np.full(100_000, 10.58**2), rng)
    kept, _ = unweight(weight, Bound.from_pilot(weight), rng)
    for p in momenta[:, :, kept]:
        share = np.arctan2(p[2], p[1]) / (2 * np.pi) + 0.5
        assert stats.kstest(share, "uniform").pvalue > 1e-3


@each_case
def test_closed_below_threshold(case: Case):
    s = np.array([0.99, 1.0, 1.05, 4.0]) * case.hard.threshold**2
    assert np.all((case.hard.cross_section(s) > 0) == [False, False, True, True])
    momenta, weight = case.hard.sample(s, np.random.default_rng(45))
    assert np.all(weight[:2] == 0)
    assert weight[3] > 0
    assert np.all(np.isfinite(momenta))


@each_case
def test_no_events(case: Case):
    momenta, weight = case.hard.sample(np.zeros(0), np.random.default_rng(46))
    assert momenta.shape == (len(case.masses), 4, 0)
    assert weight.shape == case.hard.cross_section(np.zeros(0)).shape == (0,)
