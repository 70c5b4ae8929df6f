"""The dark photon: hadronic ratio between the points, thresholds, decays into chi1 chi2."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.gen.models.dark_photon import HADRONS, VISIBLE, DarkPhoton, chi1_chi2_width, r_ratio
from darkbelle.gen.models.two_body import vector_to_dirac
from darkbelle.gen.particles import KAON, MASS_MU, PI0, PION, masses
from darkbelle.units import ALPHA_EM

MASS_PION, MASS_PI0, MASS_KAON = (float(m) for m in masses(np.array([PION, PI0, KAON], np.int32)))
THRESHOLDS = {
    "pi0gamma": MASS_PI0,
    "pipi": 2 * MASS_PION,
    "pipipi0": 2 * MASS_PION + MASS_PI0,
    "KK": 2 * MASS_KAON,
}


def test_leptons_are_those_of_a_vector():
    """Coupling e epsilon."""
    widths = DarkPhoton(0.3, 1e-3).widths()
    coupling = 1e-3 * math.sqrt(4 * math.pi * ALPHA_EM)
    assert widths["mumu"] == pytest.approx(vector_to_dirac(coupling, 0.3, MASS_MU), rel=1e-12)


@pytest.mark.parametrize(("mode", "threshold"), THRESHOLDS.items())
def test_hadrons_open_at_their_threshold(mode: str, threshold: float):
    """And grow as the orbital momentum has it: L = 1 for two particles."""
    below = np.linspace(0.01, threshold, 50)
    assert np.all(r_ratio(mode, below) == 0)
    near, far = r_ratio(mode, threshold * (1 + np.array([1e-6, 4e-6])))
    power = {"pi0gamma": 3, "pipi": 1.5, "pipipi0": 4, "KK": 1.5}[mode]
    assert far / near == pytest.approx(4**power, rel=1e-3)


def test_form_factor_of_the_pion_near_threshold():
    """R = beta^3 |F|^2/4; |F|^2 = (1 + r^2 q^2/6)^2 with r = 0.66 fm gives 1.3 at 0.285 GeV."""
    q = np.array([0.2795, 0.285, 0.29])
    radius = 0.659 / 0.1973
    beta = np.sqrt(1 - (2 * MASS_PION / q) ** 2)
    expected = beta**3 / 4 * (1 + radius**2 * q**2 / 6) ** 2
    assert r_ratio("pipi", q) == pytest.approx(expected, rel=0.1)


def test_phi_between_the_points():
    """Of 4.25 MeV at 1019.46 MeV; the peak, 12 pi B_ee B_KK/m^2, is 9 B_ee B_KK/alpha^2 in R.

    B_ee B_KK = 2.98e-4 * 0.83 (PDG 2024). The points themselves are 4.7 MeV wide at half maximum:
    the phase space of kaons grows by a tenth over the resonance, and channels interfere.
    """
    q = np.linspace(1.0, 1.04, 4001)
    ratio = r_ratio("KK", q)
    peak = 9 * 2.98e-4 * 0.83 / ALPHA_EM**2
    assert ratio.max() == pytest.approx(peak, rel=0.04)
    assert q[ratio.argmax()] == pytest.approx(1.01946, abs=3e-4)
    above_half = q[ratio > ratio.max() / 2]
    assert np.ptp(above_half) == pytest.approx(4.25e-3, rel=0.12)


def test_inclusive_hadrons_replace_the_channels_at_two_gev():
    q = np.array([math.nextafter(2.0, 0.0), 2.0])
    ratios = {mode: r_ratio(mode, q) for mode in HADRONS}
    assert ratios["hadrons"][0] == 0
    assert all(ratio[1] == 0 for mode, ratio in ratios.items() if mode != "hadrons")
    below, above = sum(ratios.values())
    assert above == pytest.approx(below, rel=0.05)


def test_no_masses_no_ratios():
    for mode in VISIBLE:
        assert r_ratio(mode, np.zeros((2, 0))).shape == (2, 0)


# ---- chi1 chi2 -----------------------------------------------------------------------------------


def test_degenerate_chi_are_a_dirac_pair():
    q = np.array([0.5, 2.0, 2.1, 7.0])
    expected = [vector_to_dirac(math.sqrt(4 * math.pi * 0.1), float(m), 1.0) for m in q]
    assert chi1_chi2_width(q, 1.0, 0.0, 0.1) == pytest.approx(np.array(expected), rel=1e-12)


def test_chi_width_by_the_amplitude():
    """Gamma = p/(8 pi q^2) * (1/3) sum |M|^2, by traces: m1 = 1, m2 = 1.4, q = 3.

    sum |M|^2 = 4 g^2 [E1 E2 + p^2 (1 + 2)/3 ... ] reduces to 4 g^2 (3 E1 E2 + p^2 + 3 m1 m2), the
    three spatial polarisations of ubar gamma^i v.
    """
    m1, m2, q, alpha = 1.0, 1.4, 3.0, 0.1
    e1 = (q**2 + m1**2 - m2**2) / (2 * q)
    p2 = e1**2 - m1**2
    e2 = q - e1
    squared = 4 * 4 * math.pi * alpha * (3 * e1 * e2 + p2 + 3 * m1 * m2)
    expected = math.sqrt(p2) / (8 * math.pi * q**2) * squared / 3
    found = chi1_chi2_width(np.array(q), m1, m2 - m1, alpha)
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_chi_below_threshold_and_massless():
    q = np.array([0.0, 1.0, 2.4])
    assert np.all(chi1_chi2_width(q, 1.0, 0.4, 0.1) == 0)
    assert chi1_chi2_width(np.array(3.0), 0.0, 0.0, 0.1) == pytest.approx(0.1)
    model = DarkPhoton(3.0, 1e-3, 1.0, 0.4, 0.1)
    assert model.branching_fraction("chi1chi2") > 0.999
    assert DarkPhoton(3.0, 1e-3).widths()["chi1chi2"] == 0
