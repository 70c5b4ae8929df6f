"""What B mesons emit: relations between rates, and what is closed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.models import (
    FermionCoupledAlp,
    HiggsMixedScalar,
    WCoupledAlp,
    coupling_for_ctau,
)
from darkbelle.gen.models.b_to_s import (
    MASS_W,
    TOP_MSBAR,
    TOP_POLE,
    branching_fraction_of_b,
    is_vector,
    mother_of,
)
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.form_factors import BALL_ZWICKY, Z_EXPANSION
from darkbelle.gen.models.w_alp import w_loop
from darkbelle.gen.particles import (
    B0,
    B_PLUS,
    K0,
    K_S,
    K_STAR,
    K_STAR0,
    KAON,
    PION,
    masses,
    species,
)
from darkbelle.units import HBAR_C

KAONS = (KAON, K0, K_S, K_STAR0, K_STAR)
MODELS = [
    lambda mass, g: WCoupledAlp(mass, g),
    lambda mass, g: FermionCoupledAlp(mass, g),
    lambda mass, g: HiggsMixedScalar(mass, g),
]


def mass_of(pdg_id: int) -> float:
    return float(masses(np.array([pdg_id], np.int32))[0])


@pytest.mark.parametrize("kaon", KAONS)
def test_charge_and_spin_of_kaons(kaon: int):
    assert species(mother_of(kaon)).charge == species(kaon).charge
    assert is_vector(kaon) == (kaon in (K_STAR0, K_STAR))


def test_other_daughters_are_refused():
    with pytest.raises(ConfigError, match="pdg_id 211"):
        WCoupledAlp(1.0, 1e-5).fraction_of_b(PION)


def test_golden_rule():
    """Two-body phase space times |g/2|^2 times the element, its sum over polarisations for K*."""
    g, mass, m_b, m_kstar = 1e-9, 1.3, mass_of(B0), mass_of(K_STAR0)
    p = float(breakup_momentum(np.array(m_b), m_kstar, mass))
    # Longitudinal e = (p, 0, 0, E)/m_K* and q = p_B - p_K*: e q = m_B p/m_K*.
    element = 2 * m_kstar * BALL_ZWICKY.a0(mass**2) * m_b * p / m_kstar
    width = p / (8 * math.pi * m_b**2) * (g / 2 * element) ** 2
    expected = width * species(B0).ctau / HBAR_C
    assert branching_fraction_of_b(K_STAR0, mass, g, BALL_ZWICKY) == pytest.approx(expected)

    m_b, m_kaon = mass_of(B_PLUS), mass_of(KAON)
    p = float(breakup_momentum(np.array(m_b), m_kaon, mass))
    element = (m_b**2 - m_kaon**2) * Z_EXPANSION.f0(mass**2)
    width = p / (8 * math.pi * m_b**2) * (g / 2 * element) ** 2
    expected = width * species(B_PLUS).ctau / HBAR_C
    assert branching_fraction_of_b(KAON, mass, g, Z_EXPANSION) == pytest.approx(expected)


@pytest.mark.parametrize("model_at", MODELS)
def test_rates_of_kaons(model_at):
    """K_S is half of K0; B+ and B0 differ by their lifetimes but little else."""
    model = model_at(0.5, 1e-4)
    neutral, charged = model.fraction_of_b(K0), model.fraction_of_b(KAON)
    assert model.fraction_of_b(K_S) == neutral / 2
    lifetimes = species(B_PLUS).ctau / species(B0).ctau
    assert charged / neutral == pytest.approx(lifetimes, rel=2e-3)
    assert model_at(0.5, 2e-4).fraction_of_b(KAON) == pytest.approx(4 * charged, rel=1e-12)


@pytest.mark.parametrize("model_at", MODELS)
@pytest.mark.parametrize("kaon", KAONS)
def test_thresholds(model_at, kaon: int):
    """Closed beyond the difference of masses; below it as p and, for K*, as p^3."""
    end = mass_of(mother_of(kaon)) - mass_of(kaon)
    assert model_at(end + 1e-6, 1.0).fraction_of_b(kaon) == 0
    near, far = (model_at(end - d, 1.0).fraction_of_b(kaon) for d in (1e-8, 4e-8))
    assert far / near == pytest.approx(8 if is_vector(kaon) else 2, rel=1e-4)


@pytest.mark.parametrize("model_at", MODELS)
def test_coupling_for_a_lifetime(model_at):
    coupling = coupling_for_ctau(lambda g: model_at(0.5, g), 3.0)
    assert model_at(0.5, coupling).ctau == pytest.approx(3.0, rel=1e-12)


def test_scheme_of_the_top_quark():
    alp, scalar = (
        model(1.0, 1e-5, m_top=TOP_MSBAR).fraction_of_b(KAON)
        / model(1.0, 1e-5, m_top=TOP_POLE).fraction_of_b(KAON)
        for model in (WCoupledAlp, HiggsMixedScalar)
    )
    assert alp == pytest.approx(0.888, abs=5e-4)
    assert scalar == pytest.approx((TOP_MSBAR / TOP_POLE) ** 4, rel=1e-12)


def test_loop_of_light_and_heavy_quarks():
    """f(x) goes as x for light quarks, so that charm does not matter, and as ln x for heavy."""
    assert w_loop(1e-6) == pytest.approx(1e-6, rel=1e-4)
    assert w_loop(1e12) == pytest.approx(math.log(1e12) - 1, rel=1e-9)
    assert w_loop((1.273 / MASS_W) ** 2) < 3e-4


def test_logarithm_of_the_scale():
    """g_bs grows by as much with every decade."""
    first, second, third = (FermionCoupledAlp(1.0, 1e-3, scale).b_to_s for scale in (1e3, 1e4, 1e5))
    assert third - second == pytest.approx(second - first, rel=1e-9)


def test_scalar_decays_like_a_dark_higgs_boson():
    assert HiggsMixedScalar(0.7, 1e-3).widths() == DarkHiggs(0.7, 1e-3).widths()
