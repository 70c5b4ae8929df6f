"""How tau -> l a and tau -> pi N analyse spins, against traces of Dirac matrices."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.gen.decays.tau_to_dark import (
    AlongFirst,
    lepton_analysing_power,
    pion_analysing_power,
)
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU, PION, masses
from darkbelle.gen.phasespace import decay_at_rest
from tests.gen.dirac import GAMMA5, UNIT, slash, trace

MASS_PION = float(masses(np.array([PION], np.int32))[0])


def spinning(p: np.ndarray, mass: float, spin: np.ndarray) -> np.ndarray:
    """u ubar of a particle whose spin four-vector is given."""
    return (slash(p) + mass * UNIT) @ (UNIT + GAMMA5 @ slash(spin)) / 2


@pytest.mark.parametrize("m_lepton", [MASS_E, MASS_MU])
@pytest.mark.parametrize("mass", [0.0, 0.7, 1.5, 1.67])
@pytest.mark.parametrize(("vector", "axial"), [(1, -1), (1, 1), (1, 0), (0.3, -2), (0, 1)])
def test_lepton(m_lepton: float, mass: float, vector: float, axial: float):
    """Amplitude lbar q_m g^m (vector + axial g5) tau, q the momentum of a."""
    tau = np.array([MASS_TAU, 0, 0, 0])
    lepton, alp = decay_at_rest(np.array([MASS_TAU]), (m_lepton, mass), np.random.default_rng(1))[
        ..., 0
    ]
    spin = np.array([0, 0.6, 0, -0.8])
    vertex = slash(alp) @ (vector * UNIT + axial * GAMMA5)
    bar = (vector * UNIT - axial * GAMMA5) @ slash(alp)
    up, down = (
        trace(slash(lepton) + m_lepton * UNIT, vertex, spinning(tau, MASS_TAU, s), bar).real
        for s in (spin, -spin)
    )
    polarimeter = AlongFirst(lepton_analysing_power(m_lepton, mass, vector, axial))
    h = polarimeter(np.stack([lepton, alp])[..., None])[:, 0]
    assert h @ spin[1:] == pytest.approx((up - down) / (up + down), abs=1e-9)


@pytest.mark.parametrize("mass", [0.0, 0.3, 1.0, 1.6, 1.637])
def test_pion_and_spin_of_the_neutrino(mass: float):
    """Amplitude Nbar q_m g^m (1 - g5) tau; with the tau unpolarised, N has the polarisation h."""
    tau = np.array([MASS_TAU, 0, 0, 0])
    pion, heavy = decay_at_rest(np.array([MASS_TAU]), (MASS_PION, mass), np.random.default_rng(2))[
        ..., 0
    ]
    vertex, bar = slash(pion) @ (UNIT - GAMMA5), (UNIT + GAMMA5) @ slash(pion)
    h = AlongFirst(pion_analysing_power(mass))(np.stack([pion, heavy])[..., None])[:, 0]

    spin = np.array([0, 0.6, 0, -0.8])
    up, down = (
        trace(slash(heavy) + mass * UNIT, vertex, spinning(tau, MASS_TAU, s), bar).real
        for s in (spin, -spin)
    )
    assert h @ spin[1:] == pytest.approx((up - down) / (up + down), abs=1e-9)
    if mass == 0:
        assert np.linalg.norm(h) == pytest.approx(1, rel=1e-12)
        return
    for axis in np.eye(3):  # spin of N at rest, seen from the tau
        along = heavy[1:] @ axis
        own = np.array([along / mass, *(axis + heavy[1:] * along / (mass * (heavy[0] + mass)))])
        up, down = (
            trace(spinning(heavy, mass, s), vertex, slash(tau) + MASS_TAU * UNIT, bar).real
            for s in (own, -own)
        )
        assert h @ axis == pytest.approx((up - down) / (up + down), abs=1e-9)


def test_handbook():
    """Numbers of sections 4.6 and 5.1."""
    assert lepton_analysing_power(MASS_MU, 0.7, 1, -1) == pytest.approx(-0.99976, abs=1e-5)
    assert lepton_analysing_power(MASS_MU, 1.5, 1, -1) == pytest.approx(-0.952, abs=5e-4)
    assert lepton_analysing_power(MASS_E, 1.0, 1, 1) == pytest.approx(1, abs=1e-5)
    assert lepton_analysing_power(MASS_MU, 1.0, 1, 0) == 0


def test_closed_decays_analyse_nothing():
    assert lepton_analysing_power(MASS_MU, 1.8, 1, -1) == 0
    assert pion_analysing_power(1.7) == 0


def test_no_events():
    assert AlongFirst(1.0)(np.empty((2, 4, 0))).shape == (3, 0)
