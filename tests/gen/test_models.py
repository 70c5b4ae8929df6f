"""What all models have in common, L_mu - L_tau, flights; tables are in ``tests/reference``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from darkbelle.errors import ConfigError
from darkbelle.gen.decays.flight import decay_points
from darkbelle.gen.models.base import Model, coupling_for_ctau
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.dark_photon import DarkPhoton
from darkbelle.gen.models.inelastic import InelasticDarkMatter
from darkbelle.gen.models.leptonic import LeptonicPseudoscalar, LeptonicScalar
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.models.photonic import PhotonicAlp
from darkbelle.gen.particles import KAON, MASS_E, MASS_MU, MASS_TAU, PION, masses
from darkbelle.units import HBAR_C, C

MASS_PION, MASS_KAON = (float(m) for m in masses(np.array([PION, KAON], np.int32)))

MODELS: dict[str, Callable[[float, float], Model]] = {
    "L_mu - L_tau": LmuLtau,
    "muonphilic": LeptonicScalar.muonphilic,
    "leptophilic scalar": LeptonicScalar.leptophilic,
    "leptophilic pseudoscalar": LeptonicPseudoscalar.leptophilic,
    "ALP": LeptonicPseudoscalar.alp,
    "photonic": PhotonicAlp,
    "dark photon": DarkPhoton,
    "dark Higgs": DarkHiggs,
    "chi2": lambda mass, epsilon: InelasticDarkMatter(mass, 0.4 * mass, 3 * mass, epsilon, 0.1),
}
"""By mass [GeV] and the one coupling that is free."""
SPECIAL = (1e-12, 2 * MASS_E, 0.1, 2 * MASS_MU, 2 * MASS_PION, 0.5, 1.999, 2.0, 2 * MASS_TAU, 10.0)
"""Masses [GeV] at which something opens or ends."""

model_of = pytest.mark.parametrize("model_of", MODELS.values(), ids=MODELS)


# ---- the contract --------------------------------------------------------------------------------


@model_of
@pytest.mark.parametrize("mass", SPECIAL)
def test_fractions_of_every_model_add_up_to_one(
    model_of: Callable[[float, float], Model], mass: float
):
    """Or nothing is open, and the state lives for ever."""
    for model in (model_of(mass, 0.3), model_of(math.nextafter(mass, math.inf), 0.3)):
        widths = model.widths()
        assert all(width >= 0 for width in widths.values())
        if model.width == 0:
            assert model.ctau == math.inf
            assert model.branching_fraction(*widths) == 0
        else:
            assert model.branching_fraction(*widths) == pytest.approx(1, rel=1e-14)
            assert model.ctau * model.width == pytest.approx(HBAR_C)


@model_of
@pytest.mark.parametrize("mass", SPECIAL)
def test_modes_are_always_the_same(model_of: Callable[[float, float], Model], mass: float):
    assert list(model_of(mass, 0.3).widths()) == list(model_of(1.0, 0.0).widths())


@model_of
@settings(max_examples=30)
@given(mass=st.floats(0.01, 10), coupling=st.floats(1e-9, 1))
def test_every_width_scales_with_the_square_of_the_coupling(
    model_of: Callable[[float, float], Model], mass: float, coupling: float
):
    unit = model_of(mass, 1.0).widths()
    for mode, width in model_of(mass, coupling).widths().items():
        assert width == pytest.approx(coupling**2 * unit[mode], rel=1e-12, abs=0), mode


@model_of
@settings(max_examples=30)
@given(mass=st.floats(0.01, 10), coupling=st.floats(1e-9, 1))
def test_from_coupling_to_ctau_and_back(
    model_of: Callable[[float, float], Model], mass: float, coupling: float
):
    ctau = model_of(mass, coupling).ctau
    assert coupling_for_ctau(partial(model_of, mass), ctau) == pytest.approx(coupling, rel=1e-12)


@given(mass=st.floats(0.3, 10), coupling=st.floats(1e-3, 1))
def test_other_couplings_count_on_the_way_back(mass: float, coupling: float):
    def model_at(g: float) -> Model:
        return LmuLtau(mass, g, m_chi=0.1, g_chi=0.01)

    found = coupling_for_ctau(model_at, model_at(coupling).ctau)
    assert found == pytest.approx(coupling, rel=1e-9)


def test_lifetime_out_of_reach():
    """Into chi alone, it already decays sooner; and two photons are all that is below 2 m_mu."""
    with pytest.raises(ConfigError, match=r"ctau = 1\.0 cm: without it, ctau = "):
        coupling_for_ctau(lambda g: LmuLtau(1.0, g, m_chi=0.1, g_chi=0.01), 1.0)
    with pytest.raises(ConfigError, match="adds 0 GeV"):
        coupling_for_ctau(lambda e: InelasticDarkMatter(1.0, 1e-4, 3.0, e, 0.1), 1.0)


@pytest.mark.parametrize("ctau", [0.0, -1.0, math.inf, math.nan])
def test_a_lifetime_is_positive_and_finite(ctau: float):
    with pytest.raises(ConfigError, match=r"^ctau must be positive and finite \(got "):
        coupling_for_ctau(lambda g: LmuLtau(1.0, g), ctau)


def test_unknown_modes_are_named():
    with pytest.raises(ConfigError, match=r"^unknown mode 'electrons', known: .*mumu, nu_mu"):
        LmuLtau(1.0, 0.1).branching_fraction("electrons")
    with pytest.raises(ConfigError, match=r"^unknown mode 'mumo', did you mean 'mumu'\?$"):
        LmuLtau(1.0, 0.1).branching_fraction("nu_mu", "mumo")


def steps(model_of: Callable[[float, float], Model], mass: float) -> float:
    """How much the total width jumps at a mass, relative."""
    below, above = (model_of(mass * (1 + shift), 1.0).width for shift in (-1e-13, 1e-13))
    return abs(above - below) / max(above, below)


@model_of
@pytest.mark.parametrize("threshold", [2 * MASS_MU, 2 * MASS_PION, 2 * MASS_KAON, 2 * MASS_TAU])
def test_thresholds_are_continuous(model_of: Callable[[float, float], Model], threshold: float):
    """Relative to what is open there; with nothing open, they are where a width begins."""
    if model_of(threshold * (1 - 1e-9), 1.0).width > 1e-3 * model_of(1.2 * threshold, 1.0).width:
        assert steps(model_of, threshold) < 1e-3


# ---- L_mu - L_tau --------------------------------------------------------------------------------


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
