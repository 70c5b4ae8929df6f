"""Widths of L_mu - L_tau and flights; the table of widths is in ``tests/reference``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.decays.flight import decay_points
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.particles import MASS_MU, MASS_TAU
from darkbelle.units import HBAR_C, C


def test_widths_by_hand():
    """M = 1 GeV, g' = 0.1: g'^2 M/24 pi for a neutrino; g_chi = 1, r = 0.09 for chi of 0.3 GeV."""
    widths = LmuLtau(1.0, 0.1, 0.3, 1.0).widths()
    assert widths["nu_mu"] == widths["nu_tau"] == pytest.approx(0.01 / (24 * math.pi))
    assert widths["chichi"] == pytest.approx(1.18 * 0.8 / (12 * math.pi))
    assert widths["tautau"] == 0
    r = MASS_MU**2
    expected = 0.01 / (12 * math.pi) * (1 + 2 * r) * math.sqrt(1 - 4 * r)
    assert widths["mumu"] == pytest.approx(expected)


@pytest.mark.parametrize("mass", [0.05, 0.3, 3.0, 9.0])
@pytest.mark.parametrize("m_chi", [None, 0.01])
def test_fractions_add_up_to_one(mass: float, m_chi: float | None):
    model = LmuLtau(mass, 0.1, m_chi, 1.0)
    assert model.branching_fraction(*model.widths()) == pytest.approx(1, rel=1e-14)
    assert model.ctau * model.width == pytest.approx(HBAR_C)
    assert LmuLtau(mass, 0.2, m_chi, 2.0).width == pytest.approx(4 * model.width)


@pytest.mark.parametrize(("mode", "threshold"), [("mumu", 2 * MASS_MU), ("tautau", 2 * MASS_TAU)])
def test_modes_open_at_their_threshold(mode: str, threshold: float):
    assert LmuLtau(threshold, 1.0).widths()[mode] == 0
    assert LmuLtau(threshold * (1 + 1e-9), 1.0).widths()[mode] > 0


def test_chi_too_heavy_or_absent_has_no_width():
    assert LmuLtau(1.0, 0.1, 0.5, 1.0).widths()["chichi"] == 0
    assert LmuLtau(1.0, 0.1).widths()["chichi"] == 0


# ---- flight --------------------------------------------------------------------------------------


def test_flight_is_straight_and_exponential():
    """E = 5, p = 3 GeV along y: beta gamma = 0.75, and 5/3 of the length as time."""
    n, ctau = 20_000, 2.0
    momentum = np.repeat(np.array([[5.0], [0.0], [3.0], [0.0]]), n, axis=1)
    start = np.repeat(np.array([[1.0], [2.0], [3.0], [0.5]]), n, axis=1)
    x, y, z, t = decay_points(start, momentum, ctau, np.random.default_rng(61)) - start
    assert np.all(x == 0)
    assert np.all(z == 0)
    assert t * C == pytest.approx(y * 5 / 3, rel=1e-9, abs=1e-9)
    assert stats.kstest(y / (0.75 * ctau), "expon").pvalue > 1e-4


def test_no_lifetime_is_no_flight():
    momentum = np.array([[5.0], [1.0], [2.0], [3.0]])
    start = np.array([[1.0], [2.0], [3.0], [0.5]])
    assert np.all(decay_points(start, momentum, 0.0, np.random.default_rng(62)) == start)


def test_no_particles_no_flights():
    nothing = np.zeros((4, 0))
    assert decay_points(nothing, nothing, 1.0, np.random.default_rng(63)).shape == (4, 0)
