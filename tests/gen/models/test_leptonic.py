"""Scalars and pseudoscalars of leptons: loops, thresholds, couplings."""

from __future__ import annotations

import cmath
import math
from itertools import pairwise

import pytest
from scipy.integrate import quad

from darkbelle.gen.models.leptonic import LeptonicPseudoscalar, LeptonicScalar
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.units import ALPHA_EM, HIGGS_VEV


def loop_by_quadrature(tau: float, *, scalar: bool) -> complex:
    """Integral over the Feynman triangle of the loop, tau = M^2/4m^2 + i0.

    4 Int_0^1 dx Int_0^{1-x} dy N/(1 - 4 x y tau), N = 1 for a pseudoscalar and 1 - 4 x y for a
    scalar; over y in closed form, by the logarithm of 1 - 4 tau x (1 - x).
    """

    def integrand(x: float) -> complex:
        log = cmath.log(complex(1 - 4 * tau * x * (1 - x), -1e-300))
        plain = -log / (4 * tau * x)
        return 4 * (plain - (plain - (1 - x)) / tau) if scalar else 4 * plain

    root = math.sqrt(1 - 1 / tau) if tau > 1 else 0.0
    ends = [1e-15, (1 - root) / 2, 0.5, (1 + root) / 2, 1]  # where the logarithm is singular
    return sum(
        quad(integrand, low, high, complex_func=True, epsabs=1e-10)[0]
        for low, high in pairwise(ends)
        if high > low
    )


@pytest.mark.parametrize("ratio", [0.3, 0.8, 0.99, 1.5, 4.0])
def test_photons_by_the_loop_of_a_muon(ratio: float):
    """M = ratio * 2 m_mu; the loop as an integral over Feynman parameters."""
    mass, tau = 2 * MASS_MU * ratio, ratio**2
    unit = ALPHA_EM**2 * mass**3 / (256 * math.pi**3 * MASS_MU**2)
    scalar = LeptonicScalar.muonphilic(mass, 1.0).widths()["gammagamma"]
    expected = unit * abs(loop_by_quadrature(tau, scalar=True)) ** 2
    assert scalar == pytest.approx(expected, rel=1e-7)
    pseudoscalar = LeptonicPseudoscalar(mass, 0.0, 1.0, 0.0).widths()["gammagamma"]
    expected = unit * abs(loop_by_quadrature(tau, scalar=False)) ** 2
    assert pseudoscalar == pytest.approx(expected, rel=1e-7)
    derivative = LeptonicPseudoscalar(mass, 0.0, 1.0, 0.0, is_derivative=True)
    expected = unit * abs(loop_by_quadrature(tau, scalar=False) - 2) ** 2
    assert derivative.widths()["gammagamma"] == pytest.approx(expected, rel=1e-6)


def test_heavy_leptons_do_not_decouple_from_yukawas():
    """Far below the electron: amplitudes 4/3 and 2 for each lepton, g_l/m_l the same for all."""
    mass, unit = 1e-6, (ALPHA_EM / (math.pi * HIGGS_VEV)) ** 2 * 1e-18 / (256 * math.pi)
    scalar, pseudoscalar = (
        kind.leptophilic(mass, 1.0).widths()["gammagamma"]
        for kind in (LeptonicScalar, LeptonicPseudoscalar)
    )
    assert scalar == pytest.approx(unit * 4**2, rel=1e-5)
    assert pseudoscalar == pytest.approx(unit * 6**2, rel=1e-5)


def test_heavy_leptons_decouple_from_an_alp():
    """2 (f/tau - 1) is (2/3) tau, and the electron's tau is all that counts."""
    mass = 1e-6
    model = LeptonicPseudoscalar.alp(mass, 1.0)
    tau = (mass / (2 * MASS_E)) ** 2
    amplitude = 2 * 2 / 3 * tau * (1 + (MASS_E / MASS_MU) ** 2 + (MASS_E / MASS_TAU) ** 2)
    expected = ALPHA_EM**2 * mass**3 / (256 * math.pi**3) * amplitude**2
    assert model.width == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", [LeptonicScalar.muonphilic, LeptonicPseudoscalar.leptophilic])
def test_series_and_closed_form_of_the_loops_meet(kind):
    """At tau = 0.1 of the muon."""
    mass = 2 * MASS_MU * math.sqrt(0.1)
    below, above = (
        kind(mass * (1 + shift), 1.0).widths()["gammagamma"] for shift in (-1e-13, 1e-13)
    )
    assert above == pytest.approx(below, rel=1e-11)


def test_loop_far_above_threshold():
    """Electrons alone at 10 GeV: f -> -(ln(4 tau) - i pi)^2/4."""
    mass = 10.0
    model = LeptonicPseudoscalar(mass, 1.0, 0.0, 0.0)
    tau = (mass / (2 * MASS_E)) ** 2
    amplitude = -((cmath.log(4 * tau) - 1j * math.pi) ** 2) / (2 * tau)
    expected = ALPHA_EM**2 * mass**3 / (256 * math.pi**3) * abs(amplitude / MASS_E) ** 2
    assert model.widths()["gammagamma"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("mode", ["mumu", "tautau"])
def test_waves_at_threshold(mode: str):
    """A P wave opens as beta^3, an S wave as beta."""
    threshold = 2 * {"mumu": MASS_MU, "tautau": MASS_TAU}[mode]

    def growth(model: type[LeptonicScalar | LeptonicPseudoscalar]) -> float:
        near, far = (
            model.leptophilic(threshold * (1 + d), 1.0).widths()[mode] for d in (1e-8, 4e-8)
        )
        return far / near

    assert growth(LeptonicScalar) == pytest.approx(8, rel=1e-6)
    assert growth(LeptonicPseudoscalar) == pytest.approx(2, rel=1e-6)
    assert LeptonicScalar.leptophilic(threshold, 1.0).widths()[mode] == 0


def test_alp_couples_by_twice_the_mass():
    """m_l^2 (C/Lambda)^2 M beta/(2 pi); C/Lambda = 0.01/GeV, M = 1 GeV."""
    widths = LeptonicPseudoscalar.alp(1.0, 0.01).widths()
    expected = MASS_MU**2 * 1e-4 / (2 * math.pi) * math.sqrt(1 - 4 * MASS_MU**2)
    assert widths["mumu"] == pytest.approx(expected, rel=1e-12)


def test_muonphilic_below_the_dimuon_threshold_goes_to_photons():
    model = LeptonicScalar.muonphilic(0.2, 1e-3)
    assert model.branching_fraction("gammagamma") == 1
    assert model.ctau < math.inf
