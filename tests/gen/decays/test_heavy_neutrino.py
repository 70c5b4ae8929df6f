"""N -> mu- mu+ nu_tau against the traces of its currents, taken from Dirac matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.errors import KinematicsError
from darkbelle.gen.angles import directions
from darkbelle.gen.decays.heavy_neutrino import (
    NeutralCurrent,
    neutral_current_polarimeter,
    to_lepton_pair,
)
from darkbelle.gen.kinematics import invariant_mass
from darkbelle.gen.models.heavy_neutrino import HeavyNeutrino
from darkbelle.gen.particles import MASS_E, MASS_MU
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.units import FERMI, SIN2_WEAK
from tests.gen.dirac import GAMMA, GAMMA5, LOWER, UNIT, slash, trace

TO_MUONS = to_lepton_pair(13)

NEUTRINO = UNIT - GAMMA5
MUON = (2 * SIN2_WEAK - 0.5) * UNIT + 0.5 * GAMMA5
"""gV - gA gamma5."""


def amplitude_squared(mass: float, momenta: np.ndarray, spin: np.ndarray) -> np.ndarray:
    """Of (G_F/sqrt2) [nubar g^m (1 - g5) N] [mubar g_m (gV - gA g5) mu], at mixing one."""
    minus, plus, neutrino = (slash(p) for p in momenta)
    n = momenta.shape[2]
    at_rest = slash(np.stack([np.full(n, mass), *np.zeros((3, n))])) + mass * UNIT
    polarised = at_rest @ (UNIT + GAMMA5 @ slash(np.stack([np.zeros(n), *spin]))) / 2
    total = np.zeros(n, dtype=complex)
    for i in range(4):
        for j in range(4):
            left = GAMMA[i] @ NEUTRINO
            bar_left = GAMMA[j] @ NEUTRINO  # gamma0 (g^j (1 - g5))^+ gamma0 is the same
            right = GAMMA[i] @ MUON
            bar_right = GAMMA[j] @ MUON
            above = trace(neutrino, left, polarised, bar_left)
            below = trace(minus + MASS_MU * UNIT, right, plus - MASS_MU * UNIT, bar_right)
            total += LOWER[i] * LOWER[j] * above * below
    np.testing.assert_allclose(total.imag, 0, atol=1e-9 * np.abs(total).max())
    return FERMI**2 / 2 * total.real


@pytest.mark.parametrize("mass", [0.23, 0.5, 1.5])
def test_polarimeter_by_traces(mass: float):
    rng = np.random.default_rng(1)
    n = 200
    momenta = decay_at_rest(np.full(n, mass), (MASS_MU, MASS_MU, 0.0), rng)
    spin = directions(n, rng)
    up, down = (amplitude_squared(mass, momenta, sign * spin) for sign in (1, -1))
    h = neutral_current_polarimeter(momenta)
    np.testing.assert_allclose((up - down) / (up + down), np.sum(h * spin, axis=0), atol=1e-9)
    assert np.all(np.sum(h**2, axis=0) <= 1 + 1e-12)


@pytest.mark.parametrize("mass", [0.23, 0.5, 1.5])
def test_distribution_by_traces(mass: float):
    """Momenta flat in phase space, weighted, fill the Dalitz plane as sampled ones do."""
    rng = np.random.default_rng(2)
    flat = decay_at_rest(np.full(20_000, mass), (MASS_MU, MASS_MU, 0.0), rng)
    none = np.zeros((3, flat.shape[2]))
    weight = amplitude_squared(mass, flat, none)
    sampled = TO_MUONS.sample(np.full(20_000, mass), rng)
    least, greatest = MASS_MU, mass / 2

    def fill(momenta: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        edges = [np.linspace(least, greatest, 8)] * 2
        return np.histogram2d(momenta[0, 0], momenta[1, 0], edges, weights=weight)[0].ravel()

    scale = len(weight) / weight.sum()
    expected, variance = fill(flat, weight * scale), fill(flat, (weight * scale) ** 2)
    is_filled = expected > 20
    difference, error2 = (fill(sampled) - expected)[is_filled], (expected + variance)[is_filled]
    chi2 = np.sum(difference**2 / error2)
    assert is_filled.sum() > 10
    assert 1e-3 < stats.chi2.sf(chi2, is_filled.sum() - 1) < 0.999


def test_width_by_phase_space():
    """The mean square times the volume of phase space, 1.010075e-4 for 1 GeV (handbook)."""
    momenta = decay_at_rest(np.full(20_000, 1.0), (MASS_MU, MASS_MU, 0.0), np.random.default_rng(3))
    square = 2 * amplitude_squared(1.0, momenta, np.zeros((3, momenta.shape[2])))
    width = square.mean() / 2 * 1.010075e-4 / 2
    expected = HeavyNeutrino(1.0, 1.0).widths()["numumu"]
    assert width == pytest.approx(expected, rel=4 * square.std() / square.mean() / 20_000**0.5)


@pytest.mark.parametrize("mass", [2 * MASS_MU * (1 + 1e-9), 0.4, 1.7])
def test_momenta_are_conserved_and_isotropic(mass: float):
    rng = np.random.default_rng(4)
    momenta = TO_MUONS.sample(np.full(20_000, mass), rng)
    np.testing.assert_allclose(momenta.sum(axis=0)[0], mass, rtol=1e-14)
    np.testing.assert_allclose(momenta.sum(axis=0)[1:], 0, atol=1e-14)
    for muon in momenta[:2]:
        np.testing.assert_allclose(invariant_mass(muon), MASS_MU, rtol=1e-8)
    neutrino = momenta[2]
    for component in neutrino[1:]:
        assert stats.kstest(component / neutrino[0], stats.uniform(-1, 2).cdf).pvalue > 1e-3


def test_masses_of_the_events_and_none():
    rng = np.random.default_rng(5)
    mass = rng.uniform(0.22, 1.7, 5000)
    momenta = NeutralCurrent(MASS_E)(mass, rng=rng)
    np.testing.assert_allclose(invariant_mass(momenta.sum(axis=0)), mass, rtol=1e-12)
    assert TO_MUONS.sample(np.empty(0), rng).shape == (3, 4, 0)
    assert neutral_current_polarimeter(np.empty((3, 4, 0))).shape == (3, 0)


def test_too_light():
    with pytest.raises(KinematicsError, match="cannot decay to two leptons"):
        TO_MUONS.sample(np.full(2, 2 * MASS_MU), np.random.default_rng(6))


def test_antiparticle():
    """Leptons trade places and spins turn around."""
    mode = TO_MUONS.conjugated()
    assert mode.daughters == (-13, 13, -16)
    assert mode.polarimeter is not None
    momenta = mode.sample(np.full(1000, 1.0), np.random.default_rng(7))
    reversed_spin = -neutral_current_polarimeter(momenta)
    np.testing.assert_allclose(mode.polarimeter(momenta), reversed_spin, rtol=1e-12)
