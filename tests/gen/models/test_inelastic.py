"""Inelastic dark matter: the width of chi2, limits, derived couplings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from darkbelle.gen.models.base import coupling_for_ctau
from darkbelle.gen.models.dark_photon import VISIBLE
from darkbelle.gen.models.inelastic import InelasticDarkMatter, epsilon_for_relic_variable
from darkbelle.gen.particles import MASS_E, MASS_MU
from darkbelle.units import ALPHA_EM

POINT = InelasticDarkMatter(1.0, 0.4, 3.0, 1e-3, 0.1)


def test_point_contact_limit():
    """4 eps^2 alpha alpha_D delta^5/(15 pi m_ap^4): m_e << delta << m_chi1 << m_ap."""
    model = InelasticDarkMatter(1e4, 1.0, 1e8, 1e-3, 0.1)
    expected = 4e-7 * ALPHA_EM / (15 * math.pi * 1e32)
    assert model.widths()["ee"] == pytest.approx(expected, rel=3e-4)


@pytest.mark.parametrize(
    ("delta", "mass"),
    [(1.0001 * 2 * MASS_E, MASS_E), (0.5, MASS_E), (0.22, MASS_MU), (2.5, MASS_MU)],
)
def test_leptons_by_the_squared_amplitude(delta: float, mass: float):
    """Both integrals of the Dalitz plot of the squared amplitude, m_chi1 = 2.5 delta.

    sum |M|^2 = 32 (g_D eps e)^2/(q^2 - m_ap^2)^2 [(p1.l+)(P2.l-) + (p1.l-)(P2.l+) + m_f^2 p1.P2
    - m1 m2 (l+.l- + 2 m_f^2)]; dGamma = sum |M|^2/2 dq^2 dt/(256 pi^3 m2^3), t = (p1 + l+)^2.
    """
    m1 = 2.5 * delta
    m2, m_ap = m1 + delta, 3 * m1
    coupling = (4 * math.pi) ** 2 * 0.1 * 1e-6 * ALPHA_EM
    x, w = np.polynomial.legendre.leggauss(12)

    def over_t(q2: float) -> float:
        momentum = math.sqrt(max(((m1 + m2) ** 2 - q2) * (delta**2 - q2), 0)) / (2 * math.sqrt(q2))
        energy = (m2**2 - m1**2 - q2) / (2 * math.sqrt(q2))  # of chi1, in the frame of the pair
        e_lepton = math.sqrt(q2) / 2
        p_lepton = math.sqrt(max(q2 / 4 - mass**2, 0))
        plus, minus = (energy * e_lepton + sign * momentum * p_lepton * x for sign in (-1, 1))
        pair = q2 / 2 - mass**2
        P2_minus, P2_plus = minus + pair + mass**2, plus + pair + mass**2
        p1P2 = m1**2 + energy * math.sqrt(q2)
        squared = plus * P2_minus + minus * P2_plus + mass**2 * p1P2
        squared = 32 * coupling * (squared - m1 * m2 * (pair + 2 * mass**2)) / (q2 - m_ap**2) ** 2
        width_in_t = 2 * momentum * p_lepton
        return float(np.sum(squared / 2 * w) * width_in_t) / (256 * math.pi**3 * m2**3)

    longest = math.acosh(delta / (2 * mass))
    unit = over_t(2 * mass * delta)  # quad dislikes small numbers

    def integrand(y: float) -> float:
        q = 2 * mass * math.cosh(y)
        return over_t(q**2) / unit * 2 * q * 2 * mass * math.sinh(y)

    expected = unit * quad(integrand, 0, longest, epsabs=0, epsrel=1e-9, limit=200)[0]
    mode = "ee" if mass == MASS_E else "mumu"
    found = InelasticDarkMatter(m1, delta, m_ap, 1e-3, 0.1).widths()[mode]
    assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("mode", VISIBLE)
def test_differential_widths_add_up(mode: str):
    """By an even sum over q, which knows nothing of thresholds and resonances."""
    model = InelasticDarkMatter(6.0, 4.0, 18.0, 1e-3, 0.1)
    edges = np.linspace(0, 4, 2_000_001)
    q = (edges[1:] + edges[:-1]) / 2
    total = np.sum(model.differential_width(mode, q**2) * 2 * q * np.diff(edges))
    assert model.widths()[mode] == pytest.approx(total, rel=1e-4)


def test_differential_width_ends():
    q2 = np.array([0.0, 4 * MASS_E**2, POINT.delta**2, 1.0])
    assert np.all(POINT.differential_width("ee", q2) == 0)
    assert POINT.differential_width("ee", np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("delta", [0.0, 2 * MASS_E])
def test_nothing_to_decay_into(delta: float):
    model = InelasticDarkMatter(1.0, delta, 3.0, 1e-3, 0.1)
    assert model.width == 0
    assert model.ctau == math.inf


def test_width_is_linear_in_alpha_d():
    stronger = InelasticDarkMatter(1.0, 0.4, 3.0, 1e-3, 0.3)
    assert stronger.width == pytest.approx(3 * POINT.width, rel=1e-12)


def test_mixing_for_a_lifetime():
    """The handbook's 2.91 cm at epsilon = 1e-3."""
    epsilon = coupling_for_ctau(lambda e: InelasticDarkMatter(1.0, 0.4, 3.0, e, 0.1), 2.91141)
    assert epsilon == pytest.approx(1e-3, rel=3e-5)


# ---- derived couplings ---------------------------------------------------------------------------


@settings(max_examples=30)
@given(m_chi1=st.floats(0.01, 5), epsilon=st.floats(1e-8, 1), alpha_d=st.floats(1e-4, 1))
def test_relic_variable_and_back(m_chi1: float, epsilon: float, alpha_d: float):
    model = InelasticDarkMatter(m_chi1, 0.1, 3.1, epsilon, alpha_d)
    found = epsilon_for_relic_variable(model.relic_variable, alpha_d, 3.1 / m_chi1)
    assert found == pytest.approx(epsilon, rel=1e-12)


def test_couplings_by_hand():
    """alpha_D = 0.1: g_D = 1.1209982; q_phi = 2: y = 2 * 1.1209982 * 0.4/(2 * 3) = 0.14946643."""
    assert POINT.alpha_h == pytest.approx(0.4)
    assert POINT.yukawa == pytest.approx(0.14946643, rel=1e-7)
    assert POINT.relic_variable == pytest.approx(1e-7 / 81)
    assert POINT.m_chi2 == 1.4


def test_states_of_the_same_model():
    """Both go to chi, where nothing forbids it."""
    assert POINT.dark_photon.branching_fraction("chi1chi2") > 0.999
    light, heavy = (POINT.dark_higgs(mass, 1e-4) for mass in (1.5, 2.5))
    assert light.widths()["chi1chi1"] == 0
    assert heavy.branching_fraction("chi1chi1") > 0.999
