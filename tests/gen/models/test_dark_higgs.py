"""The dark Higgs boson: hadrons between the points, dark decays, the loop of two A'."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import dblquad

from darkbelle.gen.models.dark_higgs import DarkHiggs, triangle_integral
from darkbelle.gen.particles import K_S, KAON, MASS_E, MASS_MU, PION, masses

MASS_PION, MASS_KAON, MASS_K0 = (float(m) for m in masses(np.array([PION, KAON, K_S], np.int32)))
THRESHOLDS = {
    "pipi": 2 * MASS_PION,
    "pi0pi0": 2 * MASS_PION,
    "4pi": 4 * MASS_PION,
    "KK": 2 * MASS_KAON,
    "K0K0": 2 * MASS_K0,
}


@pytest.mark.parametrize(("mode", "threshold"), THRESHOLDS.items())
def test_hadrons_open_at_their_threshold(mode: str, threshold: float):
    for mass in np.linspace(0.05, threshold, 20):
        assert DarkHiggs(float(mass), 1.0).widths()[mode] == 0
    near, far = (DarkHiggs(threshold * (1 + d), 1.0).widths()[mode] for d in (1e-8, 4e-8))
    assert far / near == pytest.approx(2 if mode != "4pi" else 4**3.5, rel=1e-4)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.28, 0.285), (0.32, 0.34), (0.5, 0.55), (0.97, 0.98), (1.2, 1.25), (3.1, 3.2)],
)
def test_total_width_stays_between_its_points(low: float, high: float):
    """Where the table has no extremum."""
    ends = np.array([DarkHiggs(mass, 1.0).width for mass in (low, high)])
    between = [DarkHiggs(float(mass), 1.0).width for mass in np.linspace(low, high, 21)[1:-1]]
    assert 0.98 * ends.min() < min(between)
    assert max(between) < 1.02 * ends.max()


def test_isospin_of_pions():
    widths = DarkHiggs(0.7, 1.0).widths()
    assert widths["pi0pi0"] == pytest.approx(widths["pipi"] / 2, rel=1e-3)


def test_hadrons_meet_partons_at_two_gev():
    below, above = DarkHiggs(2.0, 1.0), DarkHiggs(math.nextafter(2.0, 3.0), 1.0)
    assert above.width == pytest.approx(below.width, rel=0.03)
    assert below.branching_fraction("gg", "ss", "cc") == 0
    assert above.branching_fraction("pipi", "pi0pi0", "KK", "K0K0", "4pi") == 0


def test_above_the_table_widths_grow_on():
    """Charm takes over: 3 m_c^2/m_tau^2 and phase space, within the factor of two of the table."""
    widths = DarkHiggs(9.0, 1.0).widths()
    assert 0.5 < widths["cc"] / (3 * (1.0 / 1.777) ** 2 * widths["tautau"]) < 2
    assert widths["gg"] > DarkHiggs(4.0, 1.0).widths()["gg"]


# ---- dark decays ---------------------------------------------------------------------------------


def test_dark_photons_by_the_amplitude():
    """Vertex 2 i g_h m_ap g^{mn}; M = 3, m_ap = 1: sum over polarisations 2 + (k1.k2/m_ap^2)^2."""
    mass, m_ap, alpha_h = 3.0, 1.0, 0.1
    k1k2 = mass**2 / 2 - m_ap**2
    squared = 4 * 4 * math.pi * alpha_h * m_ap**2 * (2 + (k1k2 / m_ap**2) ** 2)
    momentum = math.sqrt(mass**2 / 4 - m_ap**2)
    expected = momentum / (8 * math.pi * mass**2) * squared / 2
    widths = DarkHiggs(mass, 0.0, m_ap, alpha_h).widths()
    assert widths["apap"] == pytest.approx(expected, rel=1e-12)


def test_light_dark_photons_are_goldstone_bosons():
    """Equivalence theorem: alpha_h M^3/(8 m_ap^2) = (g_h/m_ap)^2 M^3/(32 pi)."""
    width = DarkHiggs(1.0, 0.0, 1e-6, 0.1).widths()["apap"]
    assert width == pytest.approx(0.1 / 8 * 1e12, rel=1e-9)


def test_chi_by_the_amplitude():
    """Vertex i y, sum |M|^2 = 2 y^2 M^2 beta^2, half for two of one kind: M = 1, beta = 0.8."""
    widths = DarkHiggs(1.0, 0.0, m_chi1=0.3, yukawa=0.5).widths()
    assert widths["chi1chi1"] == pytest.approx(0.25 * 0.8**3 / (16 * math.pi), rel=1e-12)
    assert DarkHiggs(0.6, 0.0, m_chi1=0.3, yukawa=0.5).widths()["chi1chi1"] == 0


def test_dark_decays_open_continuously():
    for model in (
        DarkHiggs(2.0 * (1 + 1e-14), 1e-3, 1.0, 1e-12),
        DarkHiggs(2.0 * (1 + 1e-14), 1e-3, m_chi1=1.0, yukawa=0.1),
    ):
        assert model.branching_fraction("apap", "chi1chi1") < 1e-3


# ---- the loop ------------------------------------------------------------------------------------


@pytest.mark.parametrize("m_lepton", [MASS_E, MASS_MU])
@pytest.mark.parametrize(("mass", "m_ap"), [(0.3, 0.5), (1.0, 1.01), (1.9, 1.0)])
def test_triangle_in_two_dimensions(mass: float, m_ap: float, m_lepton: float):
    r, h = (m_lepton / m_ap) ** 2, (mass / m_ap) ** 2

    def integrand(z: float, y: float) -> float:
        return (2 - y - z) / ((1 - y - z) ** 2 * r + y + z - y * z * h)

    expected, _ = dblquad(integrand, 0, 1, 0, lambda y: 1 - y, epsabs=1e-7, epsrel=1e-7)
    assert triangle_integral(mass, m_lepton, m_ap) == pytest.approx(expected, rel=1e-6)


def test_triangle_of_massless_leptons():
    """For a light h' too: Int ds (2 - s) = 3/2."""
    assert triangle_integral(1e-9, 1e-12, 1.0) == pytest.approx(1.5, rel=1e-12)


def test_loop_scales_and_adds_to_mixing():
    loop, stronger = (DarkHiggs(0.5, 0.0, 1.0, 0.1, e).widths()["mumu"] for e in (1e-3, 2e-3))
    assert stronger == pytest.approx(16 * loop, rel=1e-12)
    mixing = DarkHiggs(0.5, 1e-6).widths()["mumu"]
    both = DarkHiggs(0.5, 1e-6, 1.0, 0.1, 1e-3).widths()["mumu"]
    assert both == pytest.approx(mixing + loop, rel=1e-12)
    assert 0.3 < mixing / loop < 3
