"""What particles leave in the crystals, against formulas and integrals worked out apart."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from darkbelle.detsim.energy_loss import relative_loss
from darkbelle.detsim.showers import Deposits, deposit, region_at
from darkbelle.gen.particles import (
    ELECTRON,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MUON,
    NEUTRON,
    PHOTON,
    PION,
    PROTON,
)
from darkbelle.geometry import Calorimeter
from darkbelle.geometry.calorimeter import Region, ResolutionFormula
from darkbelle.units import C, deg
from tests.detsim.sending import (
    P_VALUE,
    at_face,
    beam,
    belle2,
    everywhere,
    isotropic,
    mass_of,
    seeded,
)
from tests.grids import spanned

HADRONS = (PION, -PION, KAON, -KAON, PROTON, -PROTON, NEUTRON, -NEUTRON, K_L, K_S, LAMBDA)
PLAIN = ("calorimeter.background=mid", "calorimeter.showers.angle_scale_mrad=500.0")
"""The formulas of the handbook, whatever the card takes for the best guess."""
NO_SPLIT_OFFS = "calorimeter.hadrons.split_offs=0.0"
NO_SMEARING = "calorimeter.showers.front_smearing=0.0"


def ecl(*overrides: str) -> Calorimeter:
    return belle2(*PLAIN, *overrides).calorimeter


def perfect(part: str = "barrel") -> str:
    """A part that measures energies almost without error."""
    formula = "{e_min_gev = 1.0, below = 1e-9, a = 0.0, b = 0.0, c = 0.0, d = 1e-9}"
    return f"calorimeter.{part}.resolution.mid.energy_percent={formula}"


PERFECT = tuple(perfect(part) for part in ("forward", "barrel", "backward"))


def leave(
    pdg_id: int | list[int] | np.ndarray,
    momentum: np.ndarray,
    *overrides: str,
    start: np.ndarray | None = None,
    seed: int = 1,
    like: int | None = None,
) -> tuple[Deposits, np.ndarray, np.ndarray]:
    """Deposits of particles that fly straight, and which of them showered and stopped.

    They behave like themselves or like another species.
    """
    arrivals, mass = at_face(pdg_id, momentum, start)
    behaviour = arrivals.pdg_id if like is None else np.full(len(arrivals), like, np.int32)
    return deposit(arrivals, mass, behaviour, ecl(*overrides), np.random.default_rng(seed))


def energies(deposits: Deposits, n: int) -> np.ndarray:
    """Sum of each particle's deposits [GeV], shape (n,)."""
    return np.bincount(deposits.source, deposits.energy, n)


def starts(position: tuple[float, float, float], n: int, t: float = 0.0) -> np.ndarray:
    return np.tile(np.array([*position, t])[:, None], n)


def along(direction: tuple[float, float, float], p: float, n: int) -> np.ndarray:
    return np.tile(p * np.array(direction)[:, None] / np.linalg.norm(direction), n)


def slowed(p: float, pdg_id: int, loss: float) -> float:
    """Kinetic energy left after a loss [GeV] of a minimum-ionising particle, in small steps."""
    mass = mass_of(pdg_id)
    kinetic, step = math.hypot(p, mass) - mass, loss / 20_000
    for _ in range(20_000):
        momentum = math.sqrt(kinetic * (kinetic + 2 * mass))
        kinetic -= step * float(relative_loss(np.array(momentum / mass)))
        if kinetic <= 0:
            return 0.0
    return kinetic


# ---- the resolutions -----------------------------------------------------------------------------

ENERGIES = np.array([0.05, 0.1, 0.2, 0.5, 1, 2, 4, 7])
HANDBOOK = """
forward low energy_percent 3.82 3.17 2.65 2.21 2.04 1.97 1.97 2.01
forward low theta_mrad 6.13 5.36 4.47 3.37 2.67 2.09 1.61 1.28
forward low phi_mrad 15.26 13.77 11.64 8.84 6.99 5.42 4.12 3.24
forward mid energy_percent 6.67 4.69 3.38 2.41 2.08 1.96 1.99 2.08
forward mid theta_mrad 6.91 5.77 4.58 3.27 2.53 2.00 1.61 1.39
forward mid phi_mrad 16.13 13.74 11.37 8.63 6.91 5.48 4.30 3.51
forward high energy_percent 10.19 6.99 4.70 2.89 2.23 1.97 1.98 2.12
barrel low energy_percent 3.89 3.27 2.76 2.28 2.04 1.88 1.77 1.72
barrel low theta_mrad 8.96 7.78 6.43 4.82 3.85 3.07 2.47 2.09
barrel low phi_mrad 10.64 9.55 8.01 5.93 4.52 3.30 2.25 1.53
barrel mid energy_percent 6.93 4.80 3.48 2.50 2.11 1.89 1.79 1.76
barrel mid theta_mrad 9.82 8.08 6.50 4.82 3.84 3.08 2.49 2.11
barrel mid phi_mrad 11.66 9.98 8.17 5.95 4.51 3.28 2.24 1.52
barrel high energy_percent 11.31 7.72 5.12 3.04 2.24 1.89 1.86 1.98
backward low energy_percent 3.96 3.29 2.78 2.40 2.30 2.31 2.40 2.50
backward low theta_mrad 10.07 8.70 7.13 5.33 4.28 3.48 2.89 2.54
backward low phi_mrad 14.21 12.67 10.90 8.54 6.87 5.36 4.01 3.04
backward mid energy_percent 8.73 6.01 4.15 2.80 2.40 2.35 2.52 2.76
backward mid theta_mrad 11.73 9.46 7.43 5.37 4.27 3.50 2.97 2.67
backward mid phi_mrad 16.14 13.50 11.23 8.64 6.93 5.41 4.08 3.12
backward high energy_percent 16.26 10.51 6.62 3.72 2.74 2.44 2.59 2.91
"""


@pytest.mark.parametrize("row", HANDBOOK.strip().split("\n"))
def test_values_of_the_parametrisation(row: str) -> None:
    part, level, quantity, *values = row.split()
    formula = getattr(getattr(ecl(), part).resolution[level], quantity)
    expected = np.array(values, float)
    np.testing.assert_allclose(formula.at(ENERGIES), expected, atol=0.0055)


def test_checks_15_to_17() -> None:
    """Photons in the barrel with the usual background: sigma(E)/E, and angles at 1 GeV."""
    resolution = ecl().barrel.resolution["mid"]
    value = resolution.energy_percent.at(np.array([0.1, 1.0, 7.0, 8.0]))
    np.testing.assert_allclose(value[:3], [4.80, 2.11, 1.76], atol=0.005)
    np.testing.assert_allclose(value[[0, 3]], [4.0, 1.6], rtol=0.2)
    one = np.array([1.0])
    assert resolution.theta_mrad.at(one) == pytest.approx(3.84, abs=0.005)
    assert resolution.phi_mrad.at(one) == pytest.approx(4.51, abs=0.005)


def test_terms_in_quadrature() -> None:
    """The design's 0.2 %/E (+) 1.6 %/E^(1/4) (+) 1.2 %, last row of the handbook's table."""
    formula = ResolutionFormula(
        e_min_gev=0.02, below=11.0, a=0.2, b=0.0, c=1.6, d=1.2, in_quadrature=True
    )
    expected = [5.37, 3.68, 2.86, 2.28, 2.01, 1.81, 1.65, 1.55]
    np.testing.assert_allclose(formula.at(ENERGIES), expected, atol=0.006)
    signed = formula.model_copy(update={"a": -0.2, "b": -0.3})
    assert signed.at(np.array([1.0])) == pytest.approx(math.sqrt(4.0 + 0.09 + 0.04))


def test_formulas_end() -> None:
    """Constant below the least energy, and beyond all energy that a collision has."""
    for crystals in ecl().regions.values():
        for resolution in crystals.resolution.values():
            for quantity in ("energy_percent", "theta_mrad", "phi_mrad"):
                formula = getattr(resolution, quantity)
                low = formula.at(formula.e_min_gev * np.array([1e-6, 0.5, 0.999]))
                assert (low == formula.below).all()
                high = formula.at(np.array([12.0, 40.0, 1e3, 1e6]))
                assert (high == high[0]).all()
                assert (formula.at(np.geomspace(1e-4, 1e3, 500)) > 0).all()


def test_parts_begin_and_end_sharply() -> None:
    edges = {
        12.4: (Region.NONE, Region.FORWARD),
        31.4: (Region.FORWARD, Region.NONE),
        32.2: (Region.NONE, Region.BARREL),
        128.7: (Region.BARREL, Region.NONE),
        130.7: (Region.NONE, Region.BACKWARD),
        155.1: (Region.BACKWARD, Region.NONE),
    }
    for edge, (before, after) in edges.items():
        theta = np.array([edge - 1e-9, edge + 1e-9]) * deg
        assert region_at(ecl(), theta).tolist() == [before, after]
        deposits, showered, _ = leave(PHOTON, beam(1.0, np.array([edge - 1e-6, edge + 1e-6]), 2))
        seen = [before != Region.NONE, after != Region.NONE]
        assert showered.tolist() == seen
        assert deposits.source.tolist() == np.flatnonzero(seen).tolist()
    assert region_at(ecl(), np.array([0.0, np.pi])).tolist() == [Region.NONE] * 2


# ---- the line of photons -------------------------------------------------------------------------


@cache
def logarithmic_gaussian(asymmetry: float) -> tuple[np.ndarray, np.ndarray]:
    """Points and cumulative distribution, half of the central 68.27 % being one wide.

    Density exp(-log(1 - eta x)^2/(2 s^2)), of mode zero, where s makes the full width at half
    maximum 2.3548; then x is scaled.
    """

    def fwhm(s: float) -> float:
        half = s * math.sqrt(2 * math.log(2))
        return (math.exp(half) - math.exp(-half)) / asymmetry

    width = 2 * math.sqrt(2 * math.log(2))
    s = optimize.brentq(lambda trial: fwhm(trial) - width, 1e-3, 3)
    x = np.linspace(-30, 1 / asymmetry, 400_001)[:-1]
    density = np.exp(-(np.log1p(-asymmetry * x) ** 2) / (2 * s**2))
    cumulative = integrate.cumulative_trapezoid(density, x, initial=0)
    cumulative /= cumulative[-1]
    low, high = np.interp(stats.norm.cdf([-1, 1]), cumulative, x)
    return x * 2 / (high - low), cumulative


@pytest.mark.parametrize(
    ("energy", "theta_deg"),
    spanned(
        product([0.03, 0.1, 1.0, 6.0], [20.0, 60.0, 90.0, 140.0]),
        [(0.03, 60.0), (0.1, 20.0), (1.0, 90.0), (1.0, 140.0), (6.0, 20.0), (6.0, 60.0)],
    ),
)
def test_line_of_photons(energy: float, theta_deg: float) -> None:
    """Mode at the true energy, 68 % within the resolution of the card, a tail below."""
    n = 100_000
    deposits, _, _ = leave(PHOTON, beam(energy, theta_deg, n), NO_SMEARING)
    assert len(deposits) == n
    region = Region(int(region_at(ecl(), np.array([theta_deg * deg]))[0]))
    formula = ecl().regions[region].resolution["mid"].energy_percent
    sigma = energy * formula.at(np.array([energy]))[0] / 100
    deviation = (deposits.energy - energy) / sigma
    x, cumulative = logarithmic_gaussian(0.3)
    law = stats.kstest(deviation, lambda value: np.interp(value, x, cumulative))
    assert law.pvalue > P_VALUE
    tail = np.interp(-2, x, cumulative)
    assert tail == pytest.approx(0.0793, abs=0.0001)
    assert stats.binomtest(int(np.sum(deviation < -2)), n, tail).pvalue > P_VALUE


def peak(values: np.ndarray, low: float, high: float, n_bins: int) -> tuple[float, float]:
    """Mode and full width at half maximum of a histogram smoothed by a parabola at its top."""
    counts, edges = np.histogram(values, np.linspace(low, high, n_bins + 1))
    centre = (edges[1:] + edges[:-1]) / 2
    top = counts > 0.8 * counts.max()
    bend, slope, height = np.polyfit(centre[top], counts[top], 2)
    mode = -slope / (2 * bend)
    half = (height - slope**2 / (4 * bend)) / 2
    above = np.flatnonzero(counts > half)
    first, last = above[0], above[-1]

    def crossing(i: int, j: int) -> float:
        return float(np.interp(half, [counts[i], counts[j]], [centre[i], centre[j]]))

    return float(mode), crossing(last + 1, last) - crossing(first - 1, first)


def central_width(values: np.ndarray) -> float:
    """Half of the central 68.27 %."""
    low, high = np.quantile(values, stats.norm.cdf([-1, 1]))
    return float(high - low) / 2


def test_core_width_of_photons() -> None:
    """Mode and widths as seen in a histogram, 1 GeV in the barrel.

    The core is narrower than the resolution by eta/(exp(s^2) sinh(s)) = 0.922: eta = 0.3 and
    s = 0.2941.
    """
    deposits, _, _ = leave(PHOTON, beam(1.0, 90, 500_000), NO_SMEARING)
    mode, fwhm = peak(deposits.energy, 0.85, 1.1, 125)
    assert mode == pytest.approx(1.0, abs=0.0015)
    assert fwhm / 2.3548 == pytest.approx(0.922 * 0.021048, rel=0.02)
    assert central_width(deposits.energy) == pytest.approx(0.021048, rel=0.01)


@pytest.mark.parametrize(
    ("theta_deg", "front"), [(90.0, 0.203), (50.0, 0.203 / math.sin(50 * deg)), (20.0, 0.3193)]
)
def test_photons_that_convert_in_front_lose_a_little(theta_deg: float, front: float) -> None:
    """1 - exp(-7/9 t r(E)) of them have a relative error of 1 % (+) none; r(1 GeV) = 0.94."""
    n = 50_000
    cards = (perfect("barrel"), perfect("forward"))
    deposits, _, _ = leave(PHOTON, beam(1.0, theta_deg, n), *cards)
    smeared = np.abs(deposits.energy - 1) > 1e-9
    expected = -math.expm1(-7 / 9 * 0.94 * front)
    assert stats.binomtest(int(smeared.sum()), n, expected).pvalue > P_VALUE
    x, cumulative = logarithmic_gaussian(0.3)
    deviation = (deposits.energy[smeared] - 1) / 0.01
    law = stats.kstest(deviation, lambda value: np.interp(value, x, cumulative))
    assert law.pvalue > P_VALUE
    deposits, _, _ = leave(ELECTRON, beam(1.0, theta_deg, 1_000), *cards)
    np.testing.assert_allclose(deposits.energy, 1.0, rtol=1e-9)


@pytest.mark.parametrize("aside", [0.0, 20.0, 60.0, 100.0])
def test_slanted_photons_are_known_less_well(aside: float) -> None:
    """By 1 + a/0.5 rad; a photon from x = d towards y meets the wall at sin(a) = d/125."""
    n = 100_000
    start, momentum = starts((aside, 0, 0), n), along((0, 1, 0), 1.0, n)
    deposits, _, _ = leave(PHOTON, momentum, NO_SMEARING, start=start)
    worse = 1 + math.asin(aside / 125) / 0.5
    x, cumulative = logarithmic_gaussian(0.3)
    deviation = (deposits.energy - 1) / (worse * 0.021048)
    law = stats.kstest(deviation, lambda value: np.interp(value, x, cumulative))
    assert law.pvalue > P_VALUE


# ---- where showers are ---------------------------------------------------------------------------


def mean_depth(energy: float, offset: float) -> float:
    """Mean of the profile t^(a - 1) exp(-b t) behind the face [cm], integrated by hand.

    Its maximum is at (a - 1)/b = log(E/11.2 MeV) + offset; b = 0.5, in X0 of 30/16.1 cm.
    """
    a = 1 + 0.5 * (math.log(energy / 11.2e-3) + offset)

    def profile(t: float) -> float:
        return t ** (a - 1) * math.exp(-t / 2)

    weighted, total = (
        integrate.quad(lambda t, k=k: t**k * profile(t), 0, 200, limit=200)[0] for k in (1, 0)
    )
    return weighted / total * 30 / 16.1


@pytest.mark.parametrize("energy", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(("pdg_id", "offset"), [(PHOTON, 0.5), (ELECTRON, -0.5), (-ELECTRON, -0.5)])
def test_depth_of_showers(pdg_id: int, offset: float, energy: float) -> None:
    """Behind the face, along the flight; photons a radiation length deeper than electrons."""
    for theta_deg, face in ((90.0, 125.0), (50.0, 125 / math.sin(50 * deg)), (20.0, 208.58)):
        momentum = beam(energy, theta_deg, 50)
        deposits, _, _ = leave(pdg_id, momentum)
        distance = face + mean_depth(energy, offset)
        expected = distance * momentum / energy
        np.testing.assert_allclose(deposits.point, expected, atol=0.01)


def test_times_of_showers() -> None:
    """Zero from the origin; later by the detour of 60 cm aside, and by the time of birth."""
    n = 20
    deposits, _, _ = leave(PHOTON, isotropic(1.0, n))
    np.testing.assert_allclose(deposits.time, 0.0, atol=1e-9)
    momentum, start = along((0, 1, 0), 1.0, n), starts((60, 0, 0), n, t=0.7)
    deposits, _, _ = leave(PHOTON, momentum, start=start)
    depth = mean_depth(1.0, 0.5)
    y = math.sqrt(125**2 - 60**2) + depth
    np.testing.assert_allclose(deposits.point, [[60] * n, [y] * n, [0] * n], atol=1e-3)
    np.testing.assert_allclose(deposits.time, 0.7 + (y - math.hypot(60, y)) / C, atol=1e-5)
    # Born on the way of a photon from the origin, but 5 ns later than it would be there.
    start = starts((40, 30, 10), n, t=5 + math.sqrt(2600) / C)
    deposits, _, _ = leave(PHOTON, along((40, 30, 10), 1.0, n), start=start)
    np.testing.assert_allclose(deposits.time, 5.0, atol=1e-9)


def test_width_of_showers() -> None:
    """12 cm^2 within 12 %; at an angle a the profile's variance along the flight adds sin(a)^2."""
    n = 20_000
    straight, _, _ = leave(PHOTON, beam(1.0, 90, n))
    log = np.log(straight.second_moment / 12)
    assert log.mean() == pytest.approx(0, abs=4.5 * 0.12 / math.sqrt(n))
    assert log.std() == pytest.approx(0.12, rel=0.03)
    slanted, _, _ = leave(PHOTON, along((0, 1, 0), 1.0, n), start=starts((100, 0, 0), n))
    a = 1 + 0.5 * (math.log(1 / 11.2e-3) + 0.5)
    variance = a / 0.25 * (30 / 16.1) ** 2  # of a gamma distribution, in cm^2
    added = np.mean(slanted.second_moment) - np.mean(straight.second_moment)
    assert added == pytest.approx(variance * 0.8**2, abs=0.1)


# ---- births in and beyond the crystals -----------------------------------------------------------


def contained(energy: float, left_cm: float) -> float:
    """Share of a photon's shower in some length of the crystals, over that in all 30 cm."""
    a = 1 + 0.5 * (math.log(energy / 11.2e-3) + 0.5)
    inside, whole = (
        integrate.quad(lambda t: t ** (a - 1) * math.exp(-t / 2), 0, cm * 16.1 / 30)[0]
        for cm in (left_cm, 30.0)
    )
    return inside / whole


@pytest.mark.parametrize("energy", [0.2, 2.0])
def test_births_in_the_crystals_lose_energy(energy: float) -> None:
    """The deeper the more, outward and inward; a tenth of a micron is not in the crystals."""
    n, means = 200, {}
    for depth in (1e-7, 0.5, 5.0, 10.0, 20.0, 29.0):
        for way in (1, -1):
            momentum, start = along((way, 0, 0), energy, n), starts((125 + depth, 0, 0), n)
            deposits, showered, _ = leave(PHOTON, momentum, perfect(), start=start)
            assert showered.all()
            means[depth, way] = energies(deposits, n).mean() / energy
    for depth in (0.5, 5.0, 10.0, 20.0, 29.0):
        # Nothing stands before the crystals for what is born in them: no smearing.
        assert means[depth, 1] == pytest.approx(contained(energy, 30 - depth), rel=1e-6)
        assert means[depth, -1] == pytest.approx(contained(energy, depth), rel=1e-6)
    assert means[1e-7, 1] == pytest.approx(1.0, abs=0.003)
    outward = [means[depth, 1] for depth in (0.5, 5.0, 10.0, 20.0, 29.0)]
    assert (np.diff(outward) < 0).all()


@pytest.mark.parametrize(
    "place", [(155.1, 0, 0), (0, -200, 100), (60, 60, 226.1), (0, 70, -132.1), (400, 0, 0)]
)
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_births_beyond_the_crystals_leave_nothing(
    place: tuple[float, float, float], way: float
) -> None:
    codes = [PHOTON, ELECTRON, MUON, PION, -PROTON, -NEUTRON, K_L] * 10
    momentum = way * along(place, 1.0, len(codes))
    deposits, showered, stopped = leave(codes, momentum, start=starts(place, len(codes)))
    assert len(deposits) == 0
    assert not showered.any()
    assert not stopped.any()


# ---- muons and hadrons: the resolution -----------------------------------------------------------


@pytest.mark.parametrize(("pdg_id", "p"), [(MUON, 2.0), (MUON, 0.2), (PION, 2.0), (K_L, 3.0)])
def test_resolution_of_others(pdg_id: int, p: float) -> None:
    """A Gaussian of the photons' width around what is left; with the same random numbers."""
    momentum = beam(p, 90, 20_000)
    exact, smeared = (leave(pdg_id, momentum, NO_SPLIT_OFFS, *cards)[0] for cards in (PERFECT, ()))
    np.testing.assert_array_equal(exact.source, smeared.source)
    sigma = ecl().barrel.resolution["mid"].energy_percent.at(exact.energy) / 100
    pull = (smeared.energy / exact.energy - 1) / sigma
    assert stats.kstest(pull, "norm").pvalue > P_VALUE


# ---- muons ---------------------------------------------------------------------------------------


def test_deposit_of_muons() -> None:
    """Most probable 0.20 GeV, full width at half maximum 0.06 GeV; see ``test_straggling.py``."""
    n = 200_000
    deposits, showered, stopped = leave(MUON, beam(4.0, 90, n), *PERFECT)
    assert len(deposits) == n
    assert not showered.any()
    assert not stopped.any()
    mode, fwhm = peak(deposits.energy, 0.15, 0.35, 100)
    assert mode == pytest.approx(0.20, abs=0.002)
    assert fwhm == pytest.approx(0.06, rel=0.04)
    assert 0.006 < np.mean(deposits.energy > 0.5) < 0.010


def test_slanted_and_slow_muons_leave_more() -> None:
    """By the path over 30 cm, and by dE/dx where beta gamma is below 3.5.

    They lose 0.18 GeV, which is seen as 0.20, and 10 MeV before the crystals, which is not.
    """
    n = 20_000
    deposits, _, _ = leave(MUON, along((0, 1, 0), 3.0, n), start=starts((100, 0, 0), n))
    assert peak(deposits.energy, 0.25, 0.45, 40)[0] == pytest.approx(0.20 / 0.6, rel=0.02)
    deposits, showered, stopped = leave(PROTON, beam(1.2, 90, n))
    assert not stopped.any()
    loss = slowed(1.2, PROTON, 0.01) - slowed(1.2, PROTON, 0.19)
    assert loss > 1.4 * 0.18
    quiet = deposits.energy[~showered[deposits.source]]
    assert np.median(quiet) == pytest.approx(loss * 0.20 / 0.18, rel=0.01)


@pytest.mark.parametrize("p", [0.02, 0.05, 0.1, 0.2, 0.23])
@pytest.mark.parametrize("pdg_id", spanned([MUON, -MUON], [-MUON]))
def test_soft_muons_stop(pdg_id: int, p: float) -> None:
    """They leave the kinetic energy that 10 MeV of quartz leave them, and never shower."""
    n = 500
    kinetic = slowed(p, pdg_id, 0.01 / math.sin(70 * deg))
    deposits, showered, stopped = leave(pdg_id, beam(p, 70, n), *PERFECT)
    assert stopped.all()
    assert not showered.any()
    assert (kinetic > 0) == (p > 0.05)
    np.testing.assert_allclose(energies(deposits, n), kinetic, rtol=2e-3)


@pytest.mark.parametrize(("part", "theta_deg"), [("forward", 20.0), ("backward", 145.0)])
def test_material_before_the_end_caps_counts(part: str, theta_deg: float) -> None:
    """Of each part of its own, at right angles to the face."""
    for front in (0.0, 30.0):
        card = f"calorimeter.{part}.front_mip_mev={front}"
        deposits, _, stopped = leave(MUON, beam(0.2, theta_deg, 100), card, *PERFECT)
        assert stopped.all()
        expected = slowed(0.2, MUON, front * 1e-3 / abs(math.cos(theta_deg * deg)))
        np.testing.assert_allclose(deposits.energy, expected, rtol=2e-3)


# ---- hadrons that are taken for leptons ----------------------------------------------------------


@pytest.mark.parametrize("pdg_id", [PION, -KAON, PROTON, -PROTON])
def test_hadrons_like_electrons(pdg_id: int) -> None:
    """They leave their momentum, not their energy, in the line and at the depth of electrons."""
    n = 20_000
    momentum = beam(2.0, 90, n)
    deposits, showered, stopped = leave(pdg_id, momentum, like=ELECTRON)
    assert showered.all()
    assert not stopped.any()
    assert len(deposits) == n
    x, cumulative = logarithmic_gaussian(0.3)
    sigma = ecl().barrel.resolution["mid"].energy_percent.at(2.0) / 100
    deviation = (deposits.energy / 2.0 - 1) / sigma
    law = stats.kstest(deviation, lambda value: np.interp(value, x, cumulative))
    assert law.pvalue > P_VALUE
    depth = np.linalg.norm(deposits.point, axis=0) - 125
    np.testing.assert_allclose(depth, mean_depth(2.0, -0.5), atol=0.01)
    assert np.median(deposits.second_moment) == pytest.approx(12, rel=0.01)


@pytest.mark.parametrize("pdg_id", [PION, -KAON, PROTON, -PROTON])
def test_hadrons_like_muons(pdg_id: int) -> None:
    """They leave what muons do, and never shower, nor do they annihilate."""
    n = 50_000
    deposits, showered, stopped = leave(pdg_id, beam(5.0, 90, n), *PERFECT, like=MUON)
    assert not showered.any()
    assert not stopped.any()
    assert len(deposits) == n
    assert peak(deposits.energy, 0.15, 0.35, 50)[0] == pytest.approx(0.20, abs=0.003)
    deposits, showered, stopped = leave(pdg_id, beam(0.25, 90, 500), *PERFECT, like=MUON)
    assert stopped.all()
    assert not showered.any()
    kinetic = slowed(0.25, pdg_id, 0.01)
    np.testing.assert_allclose(energies(deposits, 500), kinetic, rtol=2e-3)


# ---- hadrons -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pdg_id", HADRONS)
@pytest.mark.parametrize(
    ("theta_deg", "front"),
    [(90.0, 0.055), (60.0, 0.055 / math.sin(60 * deg)), (20.0, 0.1 / math.cos(20 * deg))],
)
def test_hadrons_that_shower(pdg_id: int, theta_deg: float, front: float) -> None:
    """1 - exp(-0.8 - front) of fast ones, in the crystals or before them: 57.5 % at 90 deg."""
    n = 20_000
    deposits, showered, stopped = leave(pdg_id, beam(5.0, theta_deg, n))
    assert not stopped.any()
    expected = -math.expm1(-0.8 - front)
    assert stats.binomtest(int(showered.sum()), n, expected).pvalue > P_VALUE
    seen = np.bincount(deposits.source, minlength=n)
    if pdg_id in (NEUTRON, -NEUTRON, K_L, K_S, LAMBDA):
        assert (seen[~showered] == 0).all()  # not even rounding
    else:
        assert (seen[~showered] == 1).all()
    assert (seen[showered] >= 1).all()


def test_charged_hadrons_that_do_not_shower_are_like_muons() -> None:
    n = 100_000
    deposits, showered, _ = leave(PION, beam(2.0, 90, n), *PERFECT)
    passing = deposits.energy[~showered[deposits.source]]
    # T_max of muons of 1.51 GeV is the same.
    muons, _, _ = leave(MUON, beam(1.51, 90, n), *PERFECT, seed=2)
    assert stats.ks_2samp(passing, muons.energy).pvalue > P_VALUE
    mode, fwhm = peak(passing, 0.15, 0.35, 50)
    assert mode == pytest.approx(0.20, abs=0.003)
    assert fwhm == pytest.approx(0.056, rel=0.04)


def test_share_of_hadrons_that_is_seen() -> None:
    """A beta distribution of 0.6 and 2.0 times the kinetic energy of neutral ones."""
    n = 50_000
    deposits, showered, _ = leave(NEUTRON, beam(3.0, 90, n), NO_SPLIT_OFFS, *PERFECT)
    kinetic = math.hypot(3.0, mass_of(NEUTRON)) - mass_of(NEUTRON)
    share = energies(deposits, n)[showered] / kinetic
    assert stats.kstest(share, stats.beta(0.6, 2.0).cdf).pvalue > P_VALUE


@pytest.mark.parametrize(
    ("energy", "published"), [(1.84, 0.371), (2.8, 0.445), (3.76, 0.445)], ids=["M63", "M65", "M67"]
)
def test_k_l_that_are_seen(energy: float, published: float) -> None:
    """Share above 0.1 GeV, Belle II, arXiv:2311.14647, Fig. 5; 20 %, as far apart as simulation."""
    n = 40_000
    p = math.sqrt(energy**2 - mass_of(K_L) ** 2)
    for theta_deg in (60.0, 90.0, 25.0):
        deposits, _, _ = leave(K_L, beam(p, theta_deg, n))
        largest = np.zeros(n)
        np.maximum.at(largest, deposits.source, deposits.energy)
        assert np.mean(largest > 0.1) == pytest.approx(published, rel=0.2)


@pytest.mark.parametrize(("pdg_id", "p"), [(-PROTON, 0.3), (-NEUTRON, 0.1), (-NEUTRON, 1.0)])
def test_antinucleons_annihilate(pdg_id: int, p: float) -> None:
    """Two nucleon masses stand ready beside the kinetic energy; antiprotons do so at rest.

    Half of that energy is seen more often than of other showers: 2 and 3.
    """
    n, mass = 40_000, mass_of(pdg_id)
    kinetic = math.hypot(p, mass) - mass
    cards = (*PERFECT, "calorimeter.barrel.front_mip_mev=0.0")
    deposits, showered, stopped = leave(pdg_id, beam(p, 90, n), NO_SPLIT_OFFS, *cards)
    energy = energies(deposits, n)[showered]
    assert not stopped.any()
    if pdg_id == -PROTON:
        assert showered.all()
        share = (energy - kinetic) / (2 * mass)
    else:
        share = energy / (2 * mass + kinetic)
    assert stats.kstest(share, stats.beta(2.0, 3.0).cdf).pvalue > P_VALUE
    assert np.mean(energy > kinetic) > 0.8
    deposits, showered, _ = leave(abs(pdg_id), beam(p, 90, n), *cards)
    assert (energies(deposits, n) <= kinetic * (1 + 1e-9)).all()


def test_split_offs() -> None:
    """0.15 a shower, of 0.1 GeV and 20 cm aside, both exponential, across the line of sight."""
    n = 100_000
    deposits, showered, _ = leave(K_L, beam(50.0, 90, n), "calorimeter.hadrons.offset_cm=0.0")
    first = np.unique(deposits.source, return_index=True)[1]
    split = np.setdiff1d(np.arange(len(deposits)), first)
    main = first[np.searchsorted(deposits.source[first], deposits.source[split])]
    away = deposits.point[:, split] - deposits.point[:, main]
    # Beyond 45 deg from the barrel's middle the crystals go on, so few are lost.
    distance = np.linalg.norm(away, axis=0)
    near = distance < 100
    rate = showered.sum() * 0.15 * -math.expm1(-100 / 20)
    assert near.sum() == pytest.approx(rate, abs=4.5 * math.sqrt(rate))
    law = stats.truncexpon(b=5, scale=20)
    assert stats.kstest(distance[near], law.cdf).pvalue > P_VALUE
    assert stats.kstest(deposits.energy[split], stats.expon(scale=0.1).cdf).pvalue > P_VALUE
    across = np.abs((away * deposits.point[:, main]).sum(axis=0))
    assert (across < 1e-9 * distance * 135).all()


def test_split_offs_beyond_the_crystals_are_lost() -> None:
    far = "calorimeter.hadrons.split_off_distance_cm=80.0"
    for theta_deg in (14.0, 30.0, 33.0, 90.0, 128.0, 154.0):
        deposits, _, _ = leave(
            K_L, beam(20.0, theta_deg, 20_000), far, "calorimeter.hadrons.offset_cm=0.0"
        )
        theta = np.arctan2(np.hypot(*deposits.point[:2]), deposits.point[2])
        assert (region_at(ecl(), theta) != Region.NONE).all()


def test_offset_of_hadronic_showers() -> None:
    """3 cm in each direction, of showers alone; wider than tracks by the second moment."""
    n = 50_000
    deposits, showered, _ = leave(PION, along((1, 0, 0), 5.0, n), NO_SPLIT_OFFS)
    off = deposits.point - np.array([[135.0], [0.0], [0.0]])
    shower = showered[deposits.source]
    assert (off[:, ~shower] == 0).all()
    for component in off[:, shower]:
        assert stats.kstest(component, stats.norm(scale=3).cdf).pvalue > P_VALUE
    for chosen, middle, spread in ((shower, 50.0, 0.5), (~shower, 5.0, 0.3)):
        law = stats.lognorm(s=spread, scale=middle)
        assert stats.kstest(deposits.second_moment[chosen], law.cdf).pvalue > P_VALUE


def test_curling_into_an_end_cap_towards_the_axis() -> None:
    """Crystals are met all the same: muons stop there, hadrons shower as often as anywhere."""
    n = 5_000
    start, momentum = starts((100, 0, 195.999), n), along((-1, 0, 0.3), 0.2, n)
    deposits, _, stopped = leave(MUON, momentum, *PERFECT, start=start)
    assert stopped.all()
    kinetic = slowed(0.2, MUON, 0.012 * math.hypot(1, 0.3) / 0.3)
    np.testing.assert_allclose(energies(deposits, n), kinetic, rtol=2e-3)
    _, showered, _ = leave(K_L, momentum, start=start)
    assert showered.mean() > 0.5


# ---- all of them ---------------------------------------------------------------------------------


@seeded
@given(
    st.integers(0, 2**32 - 1),
    st.lists(
        st.sampled_from([PHOTON, ELECTRON, -ELECTRON, MUON, -MUON, *HADRONS]),
        min_size=1,
        max_size=12,
    ),
)
def test_energy_is_never_more_than_there_is(seed: int, codes: list[int]) -> None:
    """But for the resolution, whose line ends 1/asymmetry above for photons and electrons."""
    codes = codes * 20
    n = len(codes)
    momentum, start = everywhere(n, seed, p=(1e-3, 100.0), reach=160.0)
    arrivals, mass = at_face(codes, momentum, start)
    deposits, showered, stopped = deposit(
        arrivals, mass, arrivals.pdg_id, ecl(), np.random.default_rng(seed)
    )
    exact, _, _ = deposit(
        arrivals, mass, arrivals.pdg_id, ecl(*PERFECT), np.random.default_rng(seed)
    )
    energy, species = energies(deposits, n), np.abs(codes)
    assert (deposits.energy > 0).all()
    assert np.isfinite(deposits.point).all()
    assert np.isfinite(deposits.time).all()
    assert (deposits.second_moment > 0).all()
    assert (np.diff(deposits.source) >= 0).all()
    assert not (showered & stopped).any()

    available = arrivals.momentum[0] - mass
    annihilate = np.isin(codes, (-PROTON, -NEUTRON))
    available[annihilate] += 2 * mass[annihilate]
    light = (species == PHOTON) | (species == ELECTRON)
    assert (energies(exact, n) <= available * (1 + 1e-9))[~light].all()
    worst = 0.13 * (1 + np.pi / 2 / 0.5) + 0.01
    assert (energy <= arrivals.momentum[0] * (1 + worst / 0.3))[light].all()
    assert not stopped[light].any()
    assert not showered[species == MUON].any()

    theta = np.arctan2(np.hypot(*arrivals.point[:2]), arrivals.point[2])
    blind = region_at(ecl(), theta) == Region.NONE
    assert not (showered | stopped)[blind].any()
    assert not np.isin(deposits.source, np.flatnonzero(blind)).any()
    outside = np.maximum(np.hypot(*arrivals.point[:2]) - 125, np.abs(arrivals.point[2] - 47) - 149)
    np.testing.assert_array_equal(showered[light], (~blind & (outside < 30))[light])


@pytest.mark.parametrize("level", ["low", "mid", "high"])
def test_background_chooses_the_resolution(level: str) -> None:
    values = {"low": 3.27, "mid": 4.80, "high": 7.72}  # 0.1 GeV in the barrel, per cent
    deposits, _, _ = leave(
        PHOTON, beam(0.1, 90, 100_000), f"calorimeter.background={level}", NO_SMEARING
    )
    assert central_width(deposits.energy) == pytest.approx(0.1 * values[level] / 100, rel=0.02)


def test_nobody_arrives() -> None:
    deposits, showered, stopped = leave([], np.empty((3, 0)))
    assert len(deposits) == len(showered) == len(stopped) == 0
    assert deposits.point.shape == (3, 0)


def test_seeds() -> None:
    codes = [PHOTON, MUON, PION, -NEUTRON, K_L] * 40
    one, same, other = (leave(codes, isotropic(1.0, 200), seed=s)[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(one.energy, same.energy)
    np.testing.assert_array_equal(one.point, same.point)
    assert not np.array_equal(one.energy[:10], other.energy[:10])


def test_inputs_are_left_alone() -> None:
    momentum, start = everywhere(500, 3, reach=140.0)
    arrivals, mass = at_face([PHOTON, PION, MUON, -NEUTRON, K_L] * 100, momentum, start)
    copies = [values.copy() for values in (arrivals.point, arrivals.momentum, mass)]
    deposit(arrivals, mass, arrivals.pdg_id, ecl(), np.random.default_rng(1))
    for values, copy in zip((arrivals.point, arrivals.momentum, mass), copies, strict=True):
        np.testing.assert_array_equal(values, copy)
