"""Hadrons and photons in the muon system: punch-through, leakage, K_L, what missed the calorimeter.

Statistical tolerances are four standard deviations.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad

from darkbelle.detsim.klm import KlmResponse
from darkbelle.gen.events import Outcome
from darkbelle.gen.particles import ELECTRON, K_L, KAON, MUON, NEUTRON, PHOTON, PION, PROTON
from darkbelle.geometry import Experiment, load
from tests.detsim.klm_gun import share, shoot
from tests.grids import spanned

PERFECT = ("klm.hits.layer_efficiency=1.0", "klm.hits.overlap_factor=1.0")
STRAIGHT = (*PERFECT, "solenoid.field_t=0.0")
IN_CRYSTALS = 1 - np.exp(-0.8)
"""Hadrons that shower in the calorimeter at normal incidence."""


@cache
def card(*overrides: str, name: str = "belle2") -> Experiment:
    return load(name, overrides)


def tolerance(rate: float, n: int) -> float:
    return 4 * float(np.sqrt(max(rate * (1 - rate), 1 / n) / n))


def reaching(response: KlmResponse, n_layers: int) -> float:
    """Share of the arrivals with hits in so many layers."""
    return float((response.n_layers >= n_layers).sum() / len(response.outcome))


# ---- charged hadrons -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "p"),
    spanned(
        product(["belle2", "belle"], [1.0, 1.5, 2.0, 3.0, 4.0]),
        [("belle2", 1.0), ("belle2", 2.0), ("belle2", 4.0), ("belle", 1.5), ("belle", 3.0)],
    ),
)
def test_pions_that_get_as_far_as_muons(p: float, name: str) -> None:
    """At most one layer less than muons of this momentum: 1 to 5 %, published 1.3 to 4.1 %.

    With decays in flight, which are no matter here: arXiv:1808.10567, 2503.11351; 1.4 % in Belle.
    """
    n = 40_000
    expected = shoot(card(*PERFECT, name=name), MUON, p, n=100)[1].n_layers.max()
    pions = shoot(card(name=name), PION, p, n=n, showered=IN_CRYSTALS)[1]
    assert 0.008 < reaching(pions, int(expected) - 1) < 0.05


@pytest.mark.parametrize("n_layers", spanned([2, 5, 10, 15], [2, 10]))
@pytest.mark.parametrize("p", [3.0])
def test_depth_of_punch_through(p: float, n_layers: int) -> None:
    """Interaction at exponential depth, then an exponential tail: the sum of both in closed form.

    Without field at 90 degrees: 0.31 interaction lengths of coil, 0.28 a plate; the first layer
    stands before the first plate.
    """
    n, klm = 100_000, card().klm
    depth = klm.coil.thickness_lambda + (n_layers - 1) * klm.plate.thickness_lambda
    tail = klm.hadron_showers.tail_lambda
    expected = (np.exp(-depth) - tail * np.exp(-depth / tail)) / (1 - tail)
    response = shoot(card(*STRAIGHT), PION, p, n=n)[1]
    assert reaching(response, n_layers) == pytest.approx(expected, abs=tolerance(expected, n))


def test_leakage_out_of_the_calorimeter() -> None:
    """Showers that start at exponential depths of 0.8 lengths and reach the second layer."""
    n, klm = 100_000, card().klm
    tail = klm.hadron_showers.tail_lambda
    behind = klm.coil.thickness_lambda + klm.plate.thickness_lambda

    def starts_and_reaches(depth: float) -> float:
        return float(np.exp(-depth) / IN_CRYSTALS * np.exp(-(0.8 - depth + behind) / tail))

    expected = quad(starts_and_reaches, 0, 0.8)[0]
    assert 0.03 < expected < 0.15
    response = shoot(card(*STRAIGHT), PION, 3.0, n=n, showered=1.0)[1]
    assert share(response) == pytest.approx(expected, abs=tolerance(expected, n))
    assert set(response.outcome) == {Outcome.ESCAPED}
    assert set(response.innermost_layer) == {1}


def test_shorter_showers_punch_through_more_rarely() -> None:
    rates = [
        reaching(shoot(card(*PERFECT, *change), PION, 2.0, n=40_000)[1], 14)
        for change in ((), ("klm.hadron_showers.tail_lambda=0.2",))
    ]
    assert rates[1] < 0.85 * rates[0]


def test_outcomes_of_pions() -> None:
    """At 3 GeV absorbed or escaped through 0.31 + 14 x 0.28 interaction lengths."""
    n = 100_000
    response = shoot(card(*STRAIGHT), PION, 3.0, n=n)[1]
    counts = np.bincount(response.outcome, minlength=9) / n
    escaped = np.exp(-0.31 - 14 * 0.28)
    assert counts[Outcome.ESCAPED] == pytest.approx(escaped, abs=tolerance(escaped, n))
    assert counts[Outcome.ABSORBED] + counts[Outcome.ESCAPED] == pytest.approx(1)


@pytest.mark.parametrize("code", [KAON, -KAON, PROTON, -PROTON])
def test_slow_heavy_hadrons_range_out(code: int) -> None:
    """1 GeV kaons get less far than muons; protons of 0.43 GeV of energy never get to the iron."""
    response = shoot(card(*STRAIGHT), code, 1.0, n=5000)[1]
    muons = shoot(card(*STRAIGHT), MUON, 1.0, n=10)[1]
    assert Outcome.STOPPED in response.outcome
    assert response.n_layers.max(initial=0) < muons.n_layers.min()
    if abs(code) == PROTON:
        slow = shoot(card(*STRAIGHT), code, 0.7, n=500)[1]
        assert len(slow.source) == 0
        assert set(slow.outcome) == {Outcome.STOPPED}


# ---- K_L and neutrons ----------------------------------------------------------------------------

DESIGN_LINE = {0.5: 0.8 / 6, 1.0: 0.8 / 3, 2.0: 1.6 / 3, 3.0: 0.8, 4.0: 0.8}
"""K_L seen in KLM or ECL: arXiv:1808.10567, 1011.0352."""


@pytest.mark.parametrize("p", spanned(DESIGN_LINE, [0.5, 2.0, 4.0]))
def test_efficiency_for_k_long(p: float) -> None:
    """Against the card, in the barrel, where there is room for showers; overlaps have their own."""
    n, card_values = 40_000, card().klm.neutral_hadrons
    for showered, values in (
        (0.0, card_values.efficiency),
        (1.0, card_values.showered_efficiency),
    ):
        expected = float(np.interp(p, card_values.momentum_gev, values))
        seen = share(shoot(card(), K_L, p, 80.0, n=n, showered=showered)[1])
        assert seen == pytest.approx(expected, abs=tolerance(expected, n))


@pytest.mark.parametrize("p", spanned(DESIGN_LINE, [0.5, 2.0, 4.0]))
def test_k_long_agree_with_the_design_line(p: float) -> None:
    """Alone the muon system sees 0.6 of the line (handbook, section 6).

    The rest is left to what showers in the calorimeter and leaves no cluster here: that needs a
    share between none and all of it.
    """
    n, line = 100_000, DESIGN_LINE[p]
    _, response = shoot(card(), K_L, p, 80.0, n=n, showered=IN_CRYSTALS)
    seen = share(response)
    assert seen == pytest.approx(0.6 * line, abs=0.01 + tolerance(seen, n))
    showered = response.outcome == Outcome.ESCAPED
    also_here = np.isin(np.flatnonzero(showered), response.source).mean()
    share_of_calorimeter = (line - seen) / (showered.mean() * (1 - also_here))
    assert 0 < share_of_calorimeter < 0.75


def test_efficiency_for_k_long_in_belle() -> None:
    """50 to 60 %, flat above 1.5 GeV (NIM A 479 (2002) 117)."""
    for p in (1.5, 3.0):
        seen = share(shoot(card(name="belle"), K_L, p, 80.0, n=20_000, showered=IN_CRYSTALS)[1])
        assert 0.50 < seen < 0.60


@pytest.mark.parametrize("theta", [80.0, 30.0, 140.0])
def test_direction_of_k_long(theta: float) -> None:
    """40 mrad in theta, and in phi across the line of sight."""
    arrivals, response = shoot(card(), K_L, 3.0, theta, n=20_000)
    px, py = arrivals.momentum[1:3][:, response.source]
    in_theta = response.theta - np.deg2rad(theta)
    in_phi = np.angle(np.exp(1j * (response.phi - np.arctan2(py, px)))) * np.sin(np.deg2rad(theta))
    n = len(response.source)
    for residual in (in_theta, in_phi):
        assert np.median(residual) == pytest.approx(0, abs=4 * 1.25 * 0.040 / np.sqrt(n) + 1e-3)
        assert np.std(residual) == pytest.approx(0.040, rel=0.02 + 4 / np.sqrt(2 * n))


def test_where_k_long_shower() -> None:
    """First layer behind an exponential depth, if two layers are left: at 90 degrees, 3 GeV."""
    response = shoot(card(), K_L, 3.0, n=40_000)[1]
    n = len(response.source)
    ends = np.array([0.31 + 0.28 * i for i in range(14)])  # depth of layers 1 to 14
    expected = np.diff(1 - np.exp(-ends), prepend=0) / (1 - np.exp(-ends[-1]))
    seen = np.bincount(response.innermost_layer, minlength=16)[1:15] / n
    assert np.bincount(response.innermost_layer, minlength=16)[15] == 0
    for rate, wanted in zip(seen, expected, strict=True):
        assert rate == pytest.approx(wanted, abs=tolerance(wanted, n))
    radius = np.hypot(response.x, response.y)  # of the layer, but for the error across
    layer = 204.0 + 9.1 * (response.innermost_layer - 1)
    assert np.median(radius / layer) == pytest.approx(1, abs=0.005)


def test_outcomes_of_k_long() -> None:
    """Seen ones are absorbed; all together 1 - exp(-0.31 - 14 x 0.28), less at normal incidence."""
    n = 100_000
    arrivals, response = shoot(card(), K_L, 1.0, n=n)
    absorbed = response.outcome == Outcome.ABSORBED
    assert absorbed[response.source].all()
    expected = 1 - np.exp(-0.31 - 14 * 0.28)
    assert absorbed.mean() == pytest.approx(expected, abs=tolerance(expected, n))
    assert set(response.outcome) == {Outcome.ABSORBED, Outcome.ESCAPED}
    assert len(arrivals) == n


def test_neutrons() -> None:
    """By the factors of the card relative to K_L; both kinds absorbed as K_L."""
    n, values = 40_000, card().klm.neutral_hadrons
    for code, factor in ((NEUTRON, values.neutron_factor), (-NEUTRON, values.antineutron_factor)):
        expected = factor * values.efficiency[1] / 2
        seen = share(shoot(card(), code, 1.5, 80.0, n=n)[1])
        assert seen == pytest.approx(expected, abs=tolerance(expected, n))


def test_neutral_hadrons_need_layers() -> None:
    """Nothing below 18 degrees or beyond 156; two layers at least everywhere."""
    for theta in (16.0, 157.0):
        assert len(shoot(card(), K_L, 3.0, theta, n=2000)[1].source) == 0
        assert len(shoot(card(), K_L, 3.0, theta, n=2000, showered=1.0)[1].source) == 0
    rng = np.random.default_rng(3)
    theta = np.rad2deg(np.arccos(rng.uniform(-0.92, 0.96, 20_000)))
    response = shoot(card(), K_L, 3.0, theta, n=20_000)[1]
    assert response.n_layers.min() == 2
    assert (response.n_layers + response.innermost_layer <= 30).all()


def test_longer_showers_have_more_layers() -> None:
    short = shoot(card("klm.hadron_showers.tail_lambda=0.1"), K_L, 3.0)[1]
    long = shoot(card("klm.hadron_showers.tail_lambda=1.0"), K_L, 3.0)[1]
    assert short.n_layers.mean() < 2.1 < 4 < long.n_layers.mean()


# ---- what missed the calorimeter -----------------------------------------------------------------


@pytest.mark.parametrize("theta", spanned([31.8, 129.7], [129.7]))
@pytest.mark.parametrize("energy", [0.1, 0.19, 0.2, 0.49, 0.5, 3.0])
def test_photons_through_the_gaps(theta: float, energy: float) -> None:
    """0.8 from 0.5 GeV on, 0.3 from 0.2 GeV on, nothing below."""
    n = 20_000
    expected = 0.8 if energy >= 0.5 else 0.3 if energy >= 0.2 else 0.0
    response = shoot(card("klm.hits.overlap_factor=1.0"), PHOTON, energy, theta, n=n)[1]
    assert share(response) == pytest.approx(expected, abs=tolerance(expected, n))
    assert set(response.outcome) == {Outcome.ABSORBED}
    if expected:
        assert set(response.innermost_layer) == {1}


def test_absorbed_photons_and_electrons_leave_nothing() -> None:
    for code in (PHOTON, ELECTRON, -ELECTRON):
        response = shoot(card(), code, 3.0, 31.8, n=1000, showered=1.0)[1]
        assert len(response.source) == 0
        assert set(response.outcome) == {Outcome.ESCAPED}


def test_electrons_through_the_gaps() -> None:
    """As photons, but bent."""
    n = 20_000
    for code in (ELECTRON, -ELECTRON):
        response = shoot(card(), code, 3.0, 31.8, n=n, phi=0.0)[1]
        assert share(response) == pytest.approx(0.8, abs=tolerance(0.8, n))
        assert abs(np.median(response.phi)) > 0.1
        assert np.sign(np.median(response.phi)) == np.sign(code)


def test_photons_beside_the_muon_system() -> None:
    response = shoot(card(), PHOTON, 3.0, 14.0, n=1000)[1]
    assert len(response.source) == 0
    assert set(response.outcome) == {Outcome.ESCAPED}
