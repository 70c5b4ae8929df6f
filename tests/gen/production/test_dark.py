"""What all hard processes of the dark sector promise: kinematics, weights, thresholds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.gen.kinematics import dot
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.higgsstrahlung import Higgsstrahlung
from darkbelle.gen.production.off_shell import OffShellHiggsstrahlung
from darkbelle.gen.production.with_photon import PhotonAlp, PhotonDarkPhoton

HIGGS = [
    Higgsstrahlung(m_ap, m_hp, 1e-3, 0.1) for m_ap, m_hp in [(0.01, 0.3), (3.0, 0.5), (9.0, 1.0)]
]
PHOTON = [
    PhotonAlp(0.01, 1e-3),
    PhotonAlp(9.0, 1e-3),
    PhotonDarkPhoton(1e-4, 1e-3),
    PhotonDarkPhoton(0.01, 1e-3),
    PhotonDarkPhoton(9.0, 1e-3, energy_min=0.1),
    PhotonDarkPhoton(3.0, 1e-3, theta_min=math.radians(12.4)),
]
OFF_SHELL = [
    OffShellHiggsstrahlung(m_ap, 0.5, 1.0, m_chi2, 1e-3, alpha_d)
    for m_ap, m_chi2, alpha_d in [
        (3.0, 1.4, 0.1),
        (2.2, 1.1, 0.5),
        (2.2, 1.4, 0.1),
        (4.0, 1.1, 1e-5),
        (10.3, 1.4, 0.1),
    ]
]
each_process = pytest.mark.parametrize("hard", [*HIGGS, *PHOTON, *OFF_SHELL], ids=repr)


def masses(hard: HardProcess, first: np.ndarray) -> tuple[np.ndarray | float, float]:
    """Masses of the two particles; the off-shell A' has its own."""
    if isinstance(hard, Higgsstrahlung):
        return hard.m_ap, hard.m_hp
    if isinstance(hard, OffShellHiggsstrahlung):
        return np.clip(np.sqrt(dot(first, first)), hard.least_mass, None), hard.m_hp
    return 0.0, hard.mass


@each_process
def test_final_states_are_on_shell_and_balanced(hard: HardProcess):
    s = np.linspace(1.0001 * hard.threshold, 11.0, 5000) ** 2
    momenta, weight = hard.sample(s, np.random.default_rng(51))
    total, root_s = momenta.sum(axis=0), np.sqrt(s)
    assert total[0] == pytest.approx(root_s, rel=1e-12)
    assert np.abs(total[1:] / root_s).max() < 1e-12
    for p, mass in zip(momenta, masses(hard, momenta[0]), strict=True):
        assert np.abs(dot(p, p) - mass**2).max() < 1e-12 * s.max()
    assert np.all(weight > 0)


@each_process
def test_weights_average_to_the_cross_section(hard: HardProcess):
    for root_s in (hard.threshold + 0.2, 10.58):
        s = np.full(40_000, root_s**2)
        _, weight = hard.sample(s, np.random.default_rng(52))
        error = weight.std() / 200
        assert error < 0.01 * weight.mean()
        total = hard.cross_section(s[:1])[0]
        assert abs(weight.mean() - total) < 5 * error + 1e-12 * total


@each_process
def test_closed_below_threshold(hard: HardProcess):
    s = np.array([0.5 * hard.threshold, hard.threshold, hard.threshold + 1e-3, 12.0]) ** 2
    momenta, weight = hard.sample(s, np.random.default_rng(53))
    assert np.all((weight > 0) == [False, False, True, True])
    assert np.all((hard.cross_section(s) > 0) == [False, False, True, True])
    assert np.all(np.isfinite(momenta))


@each_process
def test_no_events(hard: HardProcess):
    momenta, weight = hard.sample(np.zeros(0), np.random.default_rng(54))
    assert momenta.shape == (2, 4, 0)
    assert weight.shape == hard.cross_section(np.zeros(0)).shape == (0,)


@each_process
def test_nothing_depends_on_the_azimuth(hard: HardProcess):
    momenta, weight = hard.sample(np.full(20_000, 10.58**2), np.random.default_rng(55))
    phase = np.exp(1j * np.arctan2(momenta[0, 2], momenta[0, 1]))
    for harmonic in (1, 2):
        mean = np.sum(weight * phase**harmonic) / weight.sum()
        assert abs(mean) < 4.5 * np.sqrt(np.sum(weight**2)) / weight.sum()
