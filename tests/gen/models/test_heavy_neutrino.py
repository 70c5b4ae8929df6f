"""Widths of heavy neutrinos, and the strong coupling they need."""

from __future__ import annotations

import math

import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen.models.alpha_s import alpha_s
from darkbelle.gen.models.heavy_neutrino import (
    HeavyNeutrino,
    exclusive_hadrons,
    inclusive_hadrons,
    neutral_current_integrals,
    u2_for_ctau,
)
from darkbelle.gen.particles import KAON, MASS_MU, MASS_TAU, PION, RHO


@pytest.mark.parametrize("x", [1e-5, 1e-3, 0.02, 0.1, 0.3, 0.45])
def test_integrals_in_closed_form(x: float):
    """arXiv:1805.08567, its logarithm without cancellation."""
    root = math.sqrt(1 - 4 * x**2)
    log = 4 * math.log(2 * x / (1 + root))
    first = (1 - 14 * x**2 - 2 * x**4 - 12 * x**6) * root + 12 * x**4 * (x**4 - 1) * log
    second = x**2 * (2 + 10 * x**2 - 12 * x**4) * root + 6 * x**4 * (1 - 2 * x**2 + 2 * x**4) * log
    assert neutral_current_integrals(x) == pytest.approx((first, 4 * second), rel=1e-11)


def test_integrals_at_the_threshold():
    """As the seventh power of the velocity: Int (1 - s)^2 sqrt(s - 4 x^2), and closed above."""
    near, far = (neutral_current_integrals(0.5 - d) for d in (1e-10, 4e-10))
    assert far[0] / near[0] == pytest.approx(4**3.5, rel=1e-5)
    assert far[1] / near[1] == pytest.approx(4**3.5, rel=1e-5)
    assert neutral_current_integrals(0.5) == neutral_current_integrals(0.6) == (0, 0)


def test_light_leptons():
    """C1 = gL^2 + gR^2 of three neutrinos."""
    widths = HeavyNeutrino(1.7, 1.0).widths()
    left, right = 0.23121 - 0.5, 0.23121
    assert widths["nuee"] / widths["3nu"] == pytest.approx(left**2 + right**2, rel=3e-6)


def test_majorana():
    """Twice the width, the same branching fractions, made as often."""
    dirac, majorana = HeavyNeutrino(0.7, 1e-4), HeavyNeutrino(0.7, 1e-4, is_majorana=True)
    assert majorana.ctau == pytest.approx(dirac.ctau / 2, rel=1e-12)
    fractions = [model.branching_fraction("numumu") for model in (dirac, majorana)]
    assert fractions[0] == pytest.approx(fractions[1], rel=1e-12)
    assert majorana.fraction_of_tau(PION) == dirac.fraction_of_tau(PION)


@pytest.mark.parametrize("is_majorana", [False, True])
def test_mixing_for_a_lifetime(is_majorana: bool):
    u2 = u2_for_ctau(0.7, 20.0, is_majorana=is_majorana)
    assert HeavyNeutrino(0.7, u2, is_majorana).ctau == pytest.approx(20.0, rel=1e-12)
    with pytest.raises(ConfigError, match="ctau must be positive"):
        u2_for_ctau(0.7, -1.0)


def test_mesons_meet_quarks():
    """Within 4 % at 1 GeV, and each counts on its own side alone."""
    assert inclusive_hadrons(1.0) == pytest.approx(sum(exclusive_hadrons(1.0).values()), rel=0.04)
    below, above = HeavyNeutrino(math.nextafter(1.0, 0), 1.0), HeavyNeutrino(1.0, 1.0)
    assert below.branching_fraction("nuhadrons") == 0
    assert above.branching_fraction(*exclusive_hadrons(1.0)) == 0
    assert above.width == pytest.approx(below.width, rel=0.04)


def test_thresholds():
    widths = HeavyNeutrino(0.13, 1.0).widths()
    assert widths["nupi0"] == widths["numumu"] == widths["nuhadrons"] == 0
    assert HeavyNeutrino(2 * MASS_MU * (1 + 1e-6), 1.0).widths()["numumu"] > 0
    assert HeavyNeutrino(1.64, 1.0).fraction_of_tau(PION) == 0
    near, far = (
        HeavyNeutrino(MASS_TAU - 0.77511 - d, 1.0).fraction_of_tau(RHO) for d in (1e-8, 4e-8)
    )
    assert far / near == pytest.approx(2, rel=1e-4)


def test_taus_make_it_with_two_mesons_alone():
    with pytest.raises(ConfigError, match="pdg_id 211 or 213, not 321"):
        HeavyNeutrino(0.7, 1.0).fraction_of_tau(KAON)


@pytest.mark.parametrize(("scale", "n_flavours"), [(50.0, 5), (10.0, 5), (2.0, 4), (1.0, 3)])
def test_strong_coupling_runs(scale: float, n_flavours: int):
    """Slope by the two coefficients of the beta function."""
    step = 1e-4
    slope = (alpha_s(scale * math.exp(step)) - alpha_s(scale * math.exp(-step))) / (4 * step)
    value = alpha_s(scale)
    b0 = (11 - 2 * n_flavours / 3) / (4 * math.pi)
    b1 = (102 - 38 * n_flavours / 3) / (4 * math.pi) ** 2
    assert slope == pytest.approx(-b0 * value**2 - b1 * value**3, rel=1e-6)


def test_strong_coupling_is_continuous():
    assert alpha_s(91.1876) == pytest.approx(0.118, rel=1e-12)
    for mass in (4.18, 1.27):
        assert alpha_s(mass * (1 - 1e-9)) == pytest.approx(alpha_s(mass), rel=1e-8)
