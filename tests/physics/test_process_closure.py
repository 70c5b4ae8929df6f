"""Every process from the beams to the decays: events in the laboratory against formulas.

Densities are written out here from the production handbook, or from textbooks; they are no code of
the generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen import Origin, Status
from darkbelle.gen.isr import Radiator
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.gen.processes import GeneratorCuts, find_process
from darkbelle.geometry import Collider, load
from darkbelle.units import ALPHA_EM, HBAR_C, HBAR_C2, HIGGS_VEV, C
from tests.grids import spanned
from tests.physics.views import View, boosted, cosine, square
from tests.pilot import SHORT, short_pilot

P_MIN = 1e-3
SIGMAS = 4.0
MANY = 100_000
PLAIN = {"isr": False, "fsr": False}

Density = Callable[[np.ndarray], np.ndarray]
Parameters = dict[str, Any]


@pytest.fixture(scope="module")
def collider() -> Collider:
    return load("belle2").collider


@pytest.fixture(scope="module")
def sharp_collider() -> Collider:
    return load("belle2", ["collider.beam_spread=false"]).collider


def generate(
    name: str,
    parameters: Parameters,
    collider: Collider,
    n: int = MANY,
    seed: int = 11,
    *,
    n_pilot: int = SHORT,
) -> View:
    process = find_process(name)(**parameters)
    with short_pilot(n_pilot):
        return View(process.generate(collider, n, np.random.default_rng(seed)))


def follows(x: np.ndarray, low: float, high: float, density: Density) -> float:
    """P-value of a density that is not normalised, by the trapezoidal rule."""
    nodes = low + (high - low) * (1 - np.cos(np.linspace(0, np.pi, 20_001))) / 2
    value = density(nodes)
    steps = np.append(0.0, np.cumsum(np.diff(nodes) * (value[1:] + value[:-1]) / 2))
    shares = np.interp(x, nodes, steps / steps[-1])
    return float(stats.kstest(shares, "uniform").pvalue)


# ---- lifetimes -----------------------------------------------------------------------------------


def leptonic(g: float, mass: float, lepton: float) -> float:
    """Width of a scalar to l+ l-, section 1.6."""
    return g**2 * mass / (8 * math.pi) * (1 - 4 * lepton**2 / mass**2) ** 1.5


def muons_of_mixing(epsilon: float, mass: float) -> float:
    """Width of an A' to l+ l- below all else, section 2."""
    widths = 0.0
    for lepton in (MASS_E, MASS_MU):
        r = (lepton / mass) ** 2
        widths += (1 + 2 * r) * math.sqrt(max(1 - 4 * r, 0.0))
    return ALPHA_EM * epsilon**2 * mass / 3 * widths


def higgs_to_photons(alpha_h: float, mass: float, m_ap: float) -> float:
    """Width of h' -> A'A', section 2."""
    r = (m_ap / mass) ** 2
    return alpha_h * mass**3 / (8 * m_ap**2) * math.sqrt(1 - 4 * r) * (1 - 4 * r + 12 * r**2)


IDM = {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.4, "decay_hp": "pipi"}
HIGGS = {"m_ap": 0.22, "m_hp": 1.0, "epsilon": 1e-6, "alpha_d": 1e-14}
# Process, parameters, mass and ctau [cm] of what flies, by its code.
LIFETIMES: list[tuple[str, Parameters, dict[int, tuple[float, float]]]] = [
    ("mumu-zprime", {"mass": 2.0, "ctau": 3.0}, {55: (2.0, 3.0)}),
    (
        "mumu-scalar",
        {"mass": 0.5, "coupling": 1e-7},
        {54: (0.5, HBAR_C / leptonic(1e-7, 0.5, MASS_MU))},
    ),
    ("mumu-scalar", {"mass": 0.15, "decay": "gammagamma", "ctau": 2.0}, {54: (0.15, 2.0)}),
    ("mumu-alp", {"mass": 3.0, "decay": "mumu", "ctau": 0.1}, {51: (3.0, 0.1)}),
    (
        "tautau-scalar",
        {"mass": 0.5, "decay": "mumu", "coupling": 1e-4},
        {54: (0.5, HBAR_C / leptonic(1e-4 * MASS_MU / HIGGS_VEV, 0.5, MASS_MU))},
    ),
    (
        "dark-higgsstrahlung",
        HIGGS,
        {
            56: (0.22, HBAR_C / muons_of_mixing(1e-6, 0.22)),
            57: (1.0, HBAR_C / higgs_to_photons(1e-14, 1.0, 0.22)),
        },
    ),
    # Tables of sections 3.3 and 3.4: 2.91 cm; 1.523e-8 m at sin(theta) = 1.
    (
        "inelastic-dark-matter",
        IDM,
        {53: (1.4, HBAR_C / (5.0409e-15 / 0.744)), 57: (0.4, 1.523e-6 / 1e-8)},
    ),
    (
        "inelastic-dark-matter",
        IDM | {"ctau": 0.3, "ctau_hp": 7.0},
        {53: (1.4, 0.3), 57: (0.4, 7.0)},
    ),
    ("gamma-alp", {"mass": 0.1, "coupling": 1e-4}, {51: (0.1, HBAR_C * 64e11 * math.pi)}),
    (
        "gamma-darkphoton",
        {"mass": 0.25, "decay": "mumu", "coupling": 1e-6},
        {56: (0.25, HBAR_C / muons_of_mixing(1e-6, 0.25))},
    ),
    # Handbook of decays, sections 2.3, 3.2, 5.2, 6 and 0.
    ("b-to-k-alp", {"mass": 0.5, "kaon": "K_S"}, {51: (0.5, 5.937), 310: (0.497611, 2.6844)}),
    ("b-to-k-scalar", {"mass": 0.5}, {54: (0.5, 0.794)}),
    (
        "b-to-k-scalar",
        {"mass": 0.5, "ctau": 30.0, "kaon": "K*0", "rest_of_event": "toy"},
        {54: (0.5, 30.0), 511: (5.27972, 0.0454786), -511: (5.27972, 0.0454786)},
    ),
    ("tau-to-pi-hnl", {"mass": 1.0}, {58: (1.0, 3288.0), -58: (1.0, 3288.0)}),
    ("tau-to-pi-hnl", {"mass": 1.0, "nature": "majorana"}, {58: (1.0, 1644.0)}),
    ("tau-to-l-alpha", {"mass": 1.0, "tag": "e"}, {15: (MASS_TAU, 87.03e-4)}),
    ("tautau", {"minus": "pi", "plus": "mu"}, dict.fromkeys((15, -15), (MASS_TAU, 87.03e-4))),
]


@pytest.mark.parametrize(("name", "parameters", "flying"), LIFETIMES)
def test_lifetimes(
    name: str,
    parameters: Parameters,
    flying: dict[int, tuple[float, float]],
    collider: Collider,
):
    """Exponential with beta gamma c tau, straight, at the speed of the particle."""
    view = generate(name, parameters, collider, 10_000)
    for code, (mass, ctau) in flying.items():
        rows = np.flatnonzero(view.where(code))
        flight, p = view.flights(rows), view.of(rows)
        momentum = np.sqrt(np.sum(p[1:] ** 2, axis=0))
        length = np.sqrt(np.sum(flight[:3] ** 2, axis=0))
        tolerance = 1e-9 * ctau
        assert stats.kstest(length * mass / momentum / ctau, "expon").pvalue > P_MIN, code
        along, time = length * p[1:] / momentum, length * p[0] / momentum
        np.testing.assert_allclose(flight[:3], along, rtol=1e-9, atol=tolerance)
        np.testing.assert_allclose(C * flight[3], time, rtol=1e-7, atol=tolerance)


def test_six_muons_come_from_three_places(collider: Collider):
    """Those of the h' come later by its flight; each pair starts where its own A' ends."""
    view = generate("dark-higgsstrahlung", HIGGS | PLAIN, collider, 5000)
    truth, p = view.events, view.events.particles
    muons = np.flatnonzero(view.where(13))
    assert len(muons) == 3 * truth.n_events
    vectors = truth.parents(muons)
    of_higgs = np.flatnonzero(p.parent[vectors] >= 0)
    assert len(of_higgs) == 2 * truth.n_events
    higgs = truth.parents(vectors[of_higgs])
    assert np.all(p.pdg_id[higgs] == 57)
    born = truth.vertex[:, truth.event_index()[muons]][:, of_higgs]
    flights = view.flights(higgs) + view.flights(vectors[of_higgs])
    start = np.stack([getattr(p, name)[muons[of_higgs]] for name in "xyzt"])
    assert start == pytest.approx(born + flights, rel=1e-9, abs=1e-12)


def test_electrons_of_chi2_start_after_its_flight(collider: Collider):
    """From where the beams met, by the flights of A' and chi2; chi1 leaves with them."""
    view = generate("inelastic-dark-matter", IDM | PLAIN, collider, 5000)
    p, n = view.events.particles, view.events.n_events
    electron, chi2, vector = (view.first_row(code) for code in (11, 53, 56))
    flights = view.flights(vector) + view.flights(chi2)
    born = np.stack([getattr(p, name)[electron] for name in "xyzt"])
    assert born == pytest.approx(view.events.vertex + flights, rel=1e-9, abs=1e-12)
    chi1 = view.first_row(52, 1)
    assert np.all(p.parent[chi1] == p.parent[electron])
    assert np.all(p.parent[view.first_row(52)] == p.parent[chi2])
    assert np.mean(born[3] > 0.01) > 0.8
    assert n == 5000


# ---- angles in the centre of mass ----------------------------------------------------------------


def even(curvature: float) -> Density:
    return lambda c: 1 + curvature * c**2


def lepton_pair(mass: float, s: float) -> Density:
    """1 + c^2 + (1 - beta^2)(1 - c^2), section 7."""
    beta2 = 1 - 4 * mass**2 / s
    return lambda c: 1 + c**2 + (1 - beta2) * (1 - c**2)


def higgsstrahlung(m_ap: float, m_hp: float, s: float) -> Density:
    """1 + p^2/(2 m_A'^2) sin^2, section 2."""
    p2 = (s - (m_ap + m_hp) ** 2) * (s - (m_ap - m_hp) ** 2) / (4 * s)
    return lambda c: 1 + p2 / (2 * m_ap**2) * (1 - c**2)


def dark_photon(mass: float, s: float) -> Density:
    """[1 + c^2 + 4 (1 - x)/x^2]/(1 - c^2) at wide angles, section 4.2."""
    x = 1 - mass**2 / s
    return lambda c: (1 + c**2 + 4 * (1 - x) / x**2) / (1 - c**2)


def bhabha(c: np.ndarray) -> np.ndarray:
    """[(3 + c^2)/(1 - c)]^2, section 7."""
    return ((3 + c**2) / (1 - c)) ** 2


S = load("belle2", ["collider.beam_spread=false"]).collider.sqrt_s ** 2
TEN_DEGREES = math.cos(math.radians(10))
WIDE = {"theta_min": math.radians(10)}
# Process, parameters, code, greatest cosine, density of the cosine to the electron.
ANGLES: list[tuple[str, Parameters, int, float, Density]] = [
    ("mumu", {}, 13, 1.0, lepton_pair(MASS_MU, S)),
    ("tautau", {"minus": "pi", "plus": "pi"}, -15, 1.0, lepton_pair(MASS_TAU, S)),
    ("gammagamma", WIDE, 22, TEN_DEGREES, lambda c: (1 + c**2) / (1 - c**2)),
    ("bhabha", {"vacuum_polarisation": False}, 11, TEN_DEGREES, bhabha),
    ("gamma-alp", {"mass": 3.0}, 22, 1.0, even(1.0)),
    ("gamma-alp", {"mass": 9.0, "decay": "invisible"}, 51, 1.0, even(1.0)),
    ("gamma-darkphoton", {"mass": 1.0, **WIDE}, 22, TEN_DEGREES, dark_photon(1.0, S)),
    ("gamma-darkphoton", {"mass": 9.0, **WIDE}, 22, TEN_DEGREES, dark_photon(9.0, S)),
    ("dark-higgsstrahlung", {"m_ap": 3.0, "m_hp": 0.5}, 56, 1.0, higgsstrahlung(3.0, 0.5, S)),
    ("dark-higgsstrahlung", {"m_ap": 9.0, "m_hp": 1.0}, 57, 1.0, higgsstrahlung(9.0, 1.0, S)),
    # Narrow: the A' is at its mass in all but a few events.
    ("inelastic-dark-matter", IDM | {"alpha_d": 1e-4}, 57, 1.0, higgsstrahlung(3.0, 0.4, S)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters", "code", "c_max", "density"),
    spanned(ANGLES, lambda case: case[1].get("mass") != 9.0 and case[1].get("m_ap") != 9.0),
)
def test_polar_angles(
    name: str,
    parameters: Parameters,
    code: int,
    c_max: float,
    density: Density,
    sharp_collider: Collider,
):
    view = generate(name, PLAIN | parameters, sharp_collider)
    cos_theta = cosine(*view.in_beams_frame(view.first(code)))
    assert np.abs(cos_theta).max() < c_max + 1e-9
    assert follows(cos_theta, -c_max, c_max, density) > P_MIN


# Moments of section 1.8 (``fsr_moments.csv``): mean cos^2 of X and of mu-.
@pytest.mark.parametrize(
    "name",
    spanned(
        ["mumu-scalar", "mumu-alp", "tautau-scalar", "mumu-zprime"], ["mumu-scalar", "mumu-zprime"]
    ),
)
def test_emission_is_of_first_order_in_cos2(name: str, sharp_collider: Collider):
    """One virtual photon makes 1 + a cos^2 of any angle, here of the boson, with a fitted."""
    choices = {"decay": "any"} if name == "tautau-scalar" else {"decay": "invisible"}
    view = generate(name, PLAIN | choices | {"mass": 1.0}, sharp_collider)
    code = {"mumu-alp": 51, "mumu-zprime": 55}.get(name, 54)
    cos_theta = cosine(*view.in_beams_frame(view.first(code)))
    mean = np.mean(cos_theta**2)
    a = (mean - 1 / 3) / (1 / 5 - mean / 3)
    assert follows(cos_theta, -1, 1, even(a)) > P_MIN


# ---- angles of decays ----------------------------------------------------------------------------

# Process, parameters, code of the parent, code of a daughter.
ISOTROPIC: list[tuple[str, Parameters, int, int]] = [
    ("mumu-scalar", {"mass": 0.15, "decay": "ee", "couples_to": "leptons"}, 54, 11),
    ("mumu-alp", {"mass": 2.0, "decay": "ee"}, 51, 11),
    ("tautau-scalar", {"mass": 1.0, "decay": "mumu"}, 54, 13),
    ("inelastic-dark-matter", {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.4}, 57, 13),
    ("gamma-alp", {"mass": 3.0}, 51, 22),
    ("dark-higgsstrahlung", {"m_ap": 1.0, "m_hp": 3.0}, 57, 56),
]


@pytest.mark.parametrize(("name", "parameters", "parent", "daughter"), ISOTROPIC)
def test_spinless_particles_decay_isotropically(
    name: str, parameters: Parameters, parent: int, daughter: int, sharp_collider: Collider
):
    """In their own frame, to the electron and to their flight."""
    view = generate(name, PLAIN | parameters, sharp_collider, 20_000)
    truth = view.events
    rows = np.flatnonzero(view.where(daughter) & (truth.particles.parent >= 0))
    rows = rows[truth.particles.pdg_id[truth.parents(rows)] == parent]
    event = truth.event_index()[rows]
    rows = rows[np.unique(event, return_index=True)[1]]
    frame = view.of(truth.parents(rows))
    assert len(rows) == truth.n_events
    for axis in (view.electron, view.total):
        cos_theta = cosine(boosted(view.of(rows), frame), boosted(axis, frame))
        assert stats.kstest((cos_theta + 1) / 2, "uniform").pvalue > P_MIN


def quadratic_share(c: np.ndarray, constant: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Share of the density constant + square c^2 below c, event by event."""
    return 0.5 + (constant * c + square * c**3 / 3) / (2 * (constant + square / 3))


HELICITY: list[tuple[str, Parameters, int, float, bool]] = [
    ("dark-higgsstrahlung", {"m_ap": 1.0, "m_hp": 0.5, "decay": "mumu"}, 13, MASS_MU, True),
    ("dark-higgsstrahlung", {"m_ap": 4.0, "m_hp": 1.0, "decay": "tautau"}, 15, MASS_TAU, True),
    ("dark-higgsstrahlung", {"m_ap": 0.8, "m_hp": 0.5, "decay": "pipi"}, 211, 0.13957039, False),
    ("gamma-darkphoton", {"mass": 1.0, "decay": "mumu"}, 13, MASS_MU, True),
    ("gamma-darkphoton", {"mass": 8.0, "decay": "tautau"}, 15, MASS_TAU, True),
    ("gamma-darkphoton", {"mass": 0.8, "decay": "pipi"}, 211, 0.13957039, False),
]


@pytest.mark.parametrize(
    ("name", "parameters", "code", "m", "fermions"),
    [pytest.param(*row, marks=[pytest.mark.validation] * (row[2] == 15)) for row in HELICITY],
)
def test_decays_of_the_dark_photon(
    name: str, parameters: Parameters, code: int, m: float, *, fermions: bool,
    sharp_collider: Collider,
):  # fmt: skip
    """Angle to its flight, from its density matrix: the share of longitudinal A' at each angle.

    Higgsstrahlung (section 2): (Q^2 + p^2) sin^2/(2 Q^2 + p^2 sin^2), the tensor L_mn between
    polarisations. With a photon (section 4.2): the tensor is -g Y' - p_a p_a - p_b p_b, which in
    the frame of the A' is Y' - (along p_a)^2 - (along p_b)^2 with Y' = E_a^2 + E_b^2.
    """
    options = WIDE if name == "gamma-darkphoton" else {}
    view = generate(name, PLAIN | options | parameters, sharp_collider)
    vector = view.first(56)
    in_beams, electron = view.in_beams_frame(vector)
    mass2 = square(vector)
    if name == "dark-higgsstrahlung":
        sin2 = 1 - cosine(in_beams, electron) ** 2
        p2 = in_beams[0] ** 2 - mass2
        longitudinal = (mass2 + p2) * sin2 / (2 * mass2 + p2 * sin2)
    else:
        beams = [boosted(p, vector) for p in (view.electron, view.total - view.electron)]
        flight = -boosted(view.total, vector)
        along = sum((p[0] * cosine(p, flight)) ** 2 for p in beams)
        longitudinal = (1 - along / sum(p[0] ** 2 for p in beams)) / 2
    # A pair of scalars has the density l c^2 + (1 - l) sin^2/2, fermions 1 - beta^2 of that.
    constant, slope = (1 - longitudinal) / 2, (3 * longitudinal - 1) / 2
    if fermions:
        beta2 = 1 - 4 * m**2 / mass2
        constant, slope = 1 - beta2 * constant, -beta2 * slope
    cos_decay = cosine(boosted(view.first(code), vector), -boosted(view.total, vector))
    shares = quadratic_share(cos_decay, constant, slope)
    assert stats.kstest(shares, "uniform").pvalue > P_MIN


@pytest.mark.parametrize(
    ("name", "parameters"),
    spanned(
        [
            ("dark-higgsstrahlung", {"m_ap": 1.0, "m_hp": 0.5}),
            ("gamma-darkphoton", {"mass": 1.0, **WIDE}),
        ],
        lambda case: case[0] == "gamma-darkphoton",
    ),
)
def test_decays_to_scalars_are_aligned_alike(
    name: str, parameters: Parameters, sharp_collider: Collider
):
    """Amplitudes x.e: x across the plane of three pions, along kaons, along two pions.

    The angles of all to the flight of the A' are of one distribution.
    """
    cosines = []
    for decay, first, second in (("pipi", 211, -211), ("pipipi0", 211, -211), ("KK", 310, 130)):
        options = PLAIN | parameters | {"decay": decay}
        view = generate(name, options, sharp_collider, 40_000)
        truth, p = view.events, view.events.particles
        rows = view.where(first) & (p.parent >= 0)
        event = truth.event_index()[rows]
        vector, total = view.first(56)[:, event], view.total[:, event]
        one, other = (
            boosted(view.of(np.flatnonzero(view.where(code) & (p.parent >= 0))), vector)
            for code in (first, second)
        )
        axis = np.cross(one[1:], other[1:], axis=0) if decay == "pipipi0" else one[1:]
        cosines.append(cosine(np.stack([one[0], *axis]), -boosted(total, vector)))
    pions, three, kaons = cosines
    assert abs(np.mean(pions**2) - 1 / 3) > 0.02
    assert len(kaons) > 5e3
    assert stats.ks_2samp(pions, three).pvalue > P_MIN
    assert stats.ks_2samp(pions, kaons).pvalue > P_MIN


def test_chi1_and_chi2_know_of_the_spin_of_the_dark_photon(sharp_collider: Collider):
    """As pairs of fermions, with 2 d^2/(p1.p2 + m1 m2) for beta^2 (section 2)."""
    parameters = {"m_ap": 4.0, "m_chi1": 0.8, "delta": 0.3, "m_hp": 0.5, "alpha_d": 1e-3}
    view = generate("inelastic-dark-matter", PLAIN | parameters, sharp_collider)
    vector, chi2 = view.first(56), view.first(53)
    mass2, (in_beams, electron) = square(vector), view.in_beams_frame(vector)
    sin2, p2 = 1 - cosine(in_beams, electron) ** 2, in_beams[0] ** 2 - mass2
    longitudinal = (mass2 + p2) * sin2 / (2 * mass2 + p2 * sin2)
    breakup2 = (mass2 - 1.9**2) * (mass2 - 0.3**2) / (4 * mass2)
    size = 4 * breakup2 / (mass2 - 0.3**2)
    constant, slope = (1 - longitudinal) / 2, (3 * longitudinal - 1) / 2
    cos_decay = cosine(boosted(chi2, vector), -boosted(view.total, vector))
    shares = quadratic_share(cos_decay, 1 - size * constant, -size * slope)
    assert stats.kstest(shares, "uniform").pvalue > P_MIN


# ---- invariant masses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("m_ap", "alpha_d"), spanned([(3.0, 0.5), (4.0, 0.1), (12.0, 0.1)], [(3.0, 0.5), (12.0, 0.1)])
)
def test_mass_of_the_dark_photon(m_ap: float, alpha_d: float, sharp_collider: Collider):
    """Section 3.2: higgsstrahlung of mass Q times the Breit-Wigner with the width of chi1 chi2."""
    parameters = IDM | {"m_ap": m_ap, "alpha_d": alpha_d}
    view = generate("inelastic-dark-matter", PLAIN | parameters, sharp_collider)
    q = np.sqrt(square(view.first(56)))

    def width(q: np.ndarray | float) -> np.ndarray:
        total2, gap2 = (2.4 / q) ** 2, (0.4 / q) ** 2
        spin = (1 + total2 / 2) * np.sqrt(np.maximum(1 - total2, 0))
        return alpha_d * q / 3 * (1 - gap2) ** 1.5 * spin

    def density(q: np.ndarray) -> np.ndarray:
        a, b = q**2 / S, 0.4**2 / S
        lam = np.maximum(1 + a**2 + b**2 - 2 * (a + b + a * b), 0)
        production = np.sqrt(lam) * (lam + 12 * a) / q**2
        propagator = (q**2 - m_ap**2) ** 2 + (m_ap * width(m_ap)) ** 2
        return production * q * width(q) / propagator * q

    assert follows(q, 2.4, math.sqrt(S) - 0.4, density) > P_MIN


def test_mass_of_the_electron_pair_of_chi2(sharp_collider: Collider):
    """Section 3.3."""
    view = generate("inelastic-dark-matter", PLAIN | IDM, sharp_collider)
    q = np.sqrt(square(view.momentum(11, -11)))

    def density(q: np.ndarray) -> np.ndarray:
        q2, r = q**2, 4 * MASS_E**2 / q**2
        lam = (2.4**2 - q2) * np.maximum(0.4**2 - q2, 0)
        ratio = (1 + r / 2) * np.sqrt(np.maximum(1 - r, 0))
        rate = np.sqrt(lam) * (0.4**2 - q2) * (2.4**2 + 2 * q2) / (q2 - 9) ** 2 * ratio
        return rate * 2 * q * q

    # Over ln(q), which the pole of the photon at small q makes smooth.
    low, high = math.log(2 * MASS_E), math.log(0.4)
    in_log = np.clip(np.log(q), low, high)
    assert follows(in_log, low, high, lambda x: density(np.exp(x))) > P_MIN


# ---- radiation by the beams ----------------------------------------------------------------------


@pytest.mark.parametrize("alpha_d", [1e-6, 1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize("m_ap", [3.0, 9.0])
def test_a_narrow_dark_photon_after_radiation(
    m_ap: float, alpha_d: float, sharp_collider: Collider
):
    """Higgsstrahlung (section 2) times the branching fraction to chi1 chi2, with the radiator.

    However narrow, the A' is found, by at least a quarter of the events that are tried.
    """
    parameters = {"m_ap": m_ap, "m_chi1": 0.5, "delta": 0.2, "m_hp": 0.4, "alpha_d": alpha_d}
    process = find_process("inelastic-dark-matter")(**parameters, epsilon=1e-2)
    generator = process.prepare(sharp_collider, np.random.default_rng(13))
    radiator, m2 = Radiator.at(S), m_ap**2
    end = (1 - (m_ap + 0.4) ** 2 / S) ** radiator.exponent
    u = end * (1 - np.linspace(1, 0, 100_001) ** 2)
    x = u ** (1 / radiator.exponent)
    s = S * (1 - x)
    lam = np.maximum((s - (m_ap + 0.4) ** 2) * (s - (m_ap - 0.4) ** 2) / s**2, 0)
    born = np.sqrt(lam) * (lam + 12 * m2 / s) * s / (s - m2) ** 2
    born *= math.pi * ALPHA_EM * 1e-4 * 4 * alpha_d / 3 * HBAR_C2
    expected = np.trapezoid(radiator.flattened(x) * born, u) * process.final_states()[0].share
    expected *= process.model.dark_photon.branching_fraction("chi1chi2")
    assert generator.cross_section.value == pytest.approx(expected, rel=6e-3)
    assert generator.efficiencies["unweighting"] > 0.25


def test_radiation_takes_few_photons_into_the_usual_window(sharp_collider: Collider):
    """10 to 170 degrees in the centre of mass, with the default least angle and a smaller one.

    Photons from below 10 degrees add 1.3 % there.
    """
    window = {"n_photons": 2, "theta": (math.pi / 18, 17 * math.pi / 18), "energy": 1.0}
    rates = []
    for options in ({}, {"theta_min": math.radians(3)}):
        view = generate("gammagamma", options, sharp_collider, 200_000)
        cuts = GeneratorCuts(**window, frame="cms")
        share = cuts.passed(view.events, sharp_collider).mean()
        rates.append(view.events.cross_section.value * share)
    assert rates[0] == pytest.approx(4.92e6, rel=0.005)
    assert rates[1] == pytest.approx(rates[0], rel=0.01)


@pytest.mark.parametrize("mass", [1.0, 5.0, 9.0])
def test_photons_off_the_beams_are_counted_once(mass: float, sharp_collider: Collider):
    """Whatever they radiate, sigma = H(1 - m^2/s) 12 pi^2 Gamma_ee/(m s), Gamma_ee of no mass.

    Here of any number of photons, there of two: they may differ in the third order, by 1.5 %.
    """
    width = ALPHA_EM * 1e-6 * mass / 3
    emitted = Radiator.at(S)(np.array([1 - mass**2 / S]))[0]
    inclusive = emitted * 12 * math.pi**2 * width / (mass * S) * HBAR_C2
    rates = []
    for energy_min in (0.001, 0.1):
        process = find_process("gamma-darkphoton")(mass=mass, energy_min=energy_min)
        found = process.cross_section(sharp_collider, np.random.default_rng(12))
        assert found.error < 1e-3 * found.value
        rates.append(found.value)
    assert rates[0] == pytest.approx(inclusive, rel=0.015)
    assert rates[1] == pytest.approx(rates[0], rel=3e-3)


def test_the_photon_that_counts_is_the_hardest(sharp_collider: Collider):
    """Its share of what the beams have left is larger than that of the photon besides."""
    view = generate("gamma-darkphoton", {"mass": 5.0}, sharp_collider)
    p, truth = view.events.particles, view.events
    radiated = np.flatnonzero(p.origin == Origin.INITIAL_STATE_RADIATION)
    event = truth.event_index()[radiated]
    left = view.total[:, event] - view.of(radiated)
    share = 1 - square(left) / square(view.total)[event]
    hard = 1 - 25 / square(left)
    assert np.all(share < hard * (1 + 1e-9))
    assert np.mean(share > 0.5 * hard) > 0.02


# ---- weights -------------------------------------------------------------------------------------


def observables(view: View) -> list[np.ndarray]:
    """Of each event: energies and angles of the first two particles, visible energy, mass.

    Energies are those in the centre of mass, the angles in the laboratory.
    """
    p, truth = view.events.particles, view.events
    primary = np.flatnonzero((p.parent < 0) & (p.status != Status.BEAM) & (p.origin == 1))
    event = truth.event_index()[primary]
    first = primary[np.unique(event, return_index=True)[1]]
    values = []
    for rows in (first, first + 1):
        momentum = view.of(rows)
        values.append(boosted(momentum, view.total)[0])
        values.append(momentum[3] / np.sqrt(np.sum(momentum[1:] ** 2, axis=0)))
    pair = view.of(first) + view.of(first + 1)
    return [*values, square(pair)]


def compare(one: View, other: View, n_bins: int = 20) -> list[float]:
    """P-values of chi2 between weighted histograms, in bins of about equal content."""
    weights = one.events.weight, other.events.weight
    pairs = zip(observables(one), observables(other), strict=True)
    return [agree(pair, weights, n_bins) for pair in pairs]


def agree(
    values: tuple[np.ndarray, np.ndarray], weights: tuple[np.ndarray, np.ndarray], n_bins: int = 20
) -> float:
    """P-value of two weighted samples to be of one distribution; one where all values agree."""
    edges = np.unique(np.quantile(values[0], np.linspace(0, 1, n_bins + 1)))
    spread = edges[-1] - edges[0]
    if spread < 1e-9 * abs(edges[0]):
        return float(np.allclose(values[1], edges[0], rtol=1e-8))
    edges = np.unique([-np.inf, *edges[1:-1], np.inf])
    shares, errors2 = [], []
    for value, weight in zip(values, weights, strict=True):
        total = weight.sum()
        bins = np.digitize(value, edges[1:-1])
        share = np.bincount(bins, weight, len(edges) - 1) / total
        # Of a share w/total, with total correlated: sum of (w - share)^2 within and outside.
        sum_w2 = np.bincount(bins, weight**2, len(edges) - 1)
        errors2.append((sum_w2 * (1 - 2 * share) + share**2 * np.sum(weight**2)) / total**2)
        shares.append(share)
    chi2 = np.sum((shares[0] - shares[1]) ** 2 / (errors2[0] + errors2[1]) * (1 - shares[0]))
    return float(stats.chi2.sf(chi2, len(edges) - 2))


SIGNALS: dict[str, Parameters] = {
    "mumu-zprime": {"mass": 1.0},
    "mumu-scalar": {"mass": 0.5},
    "mumu-alp": {"mass": 5.0},
    "tautau-scalar": {"mass": 0.1},
    "dark-higgsstrahlung": {"m_ap": 1.0, "m_hp": 0.5},
    "inelastic-dark-matter": IDM,
    "gamma-alp": {"mass": 1.0},
    "gamma-darkphoton": {"mass": 1.0, "theta_min": 0.2},
    "b-to-k-alp": {"mass": 1.0, "kaon": "K*0"},
    "b-to-k-scalar": {"mass": 1.0},
    "tau-to-l-alpha": {"mass": 1.0, "tag": "mu"},
    "tau-to-pi-hnl": {"mass": 1.0, "ctau": 1.0, "tag": "pi"},
    "decay-chain": {"chain": {"parent": "D*+", "decays": {"D*+": "D0 pi+", "D0": "K- pi+"}}},
}
BACKGROUNDS: dict[str, Parameters] = {
    name: {} for name in ("mumu", "tautau", "mumu-gamma", "gammagamma", "ee-mumu", "bhabha")
}


OF_EACH_KIND = [
    "mumu-zprime", "dark-higgsstrahlung", "inelastic-dark-matter", "gamma-darkphoton",
    "b-to-k-scalar", "tau-to-pi-hnl", "decay-chain", "mumu-gamma", "ee-mumu", "bhabha",
]  # fmt: skip


@pytest.mark.parametrize("name", spanned([*SIGNALS, *BACKGROUNDS], OF_EACH_KIND))
def test_weighted_events_are_distributed_as_unweighted_ones(name: str, collider: Collider):
    """Energies, angles and masses of the final state, radiation included."""
    parameters = (SIGNALS | BACKGROUNDS)[name]
    n, n_pilot = 20_000, 40_000
    plain = generate(name, parameters, collider, n, 21, n_pilot=n_pilot)
    weighted = generate(name, parameters | {"weighted": True}, collider, n, 22, n_pilot=n_pilot)
    assert np.mean(plain.events.weight == 1) > 0.999
    assert np.ptp(weighted.events.weight) > 0
    p_values = compare(plain, weighted)
    assert min(p_values) > P_MIN / 5, p_values
    weight = weighted.events.weight
    error = weight.std() * (n**-0.5 + n_pilot**-0.5)
    assert abs(weight.mean() - 1) < SIGMAS * error
    one, other = plain.events.cross_section, weighted.events.cross_section
    assert abs(one.value - other.value) < SIGMAS * math.hypot(one.error, other.error)


DISPLACED: list[tuple[str, Parameters, tuple[int, ...]]] = [
    ("mumu-zprime", {"mass": 1.0, "ctau": 30.0}, (55,)),
    ("mumu-scalar", {"mass": 0.5, "ctau": 3.0}, (54,)),
    ("mumu-alp", {"mass": 0.5, "ctau": 100.0}, (51,)),
    ("tautau-scalar", {"mass": 0.1, "ctau": 1.0}, (54,)),
    ("dark-higgsstrahlung", HIGGS, (56, 57)),
    ("inelastic-dark-matter", IDM | {"ctau": 10.0, "ctau_hp": 20.0}, (53, 57)),
    ("gamma-alp", {"mass": 0.5, "ctau": 10.0}, (51,)),
    ("gamma-darkphoton", {"mass": 0.5, "ctau": 10.0, "decay": "mumu"}, (56,)),
    ("b-to-k-alp", {"mass": 0.5, "ctau": 10.0}, (51,)),
    ("b-to-k-scalar", {"mass": 1.0, "ctau": 30.0, "kaon": "K*+"}, (54,)),
    ("tau-to-pi-hnl", {"mass": 1.0, "ctau": 30.0, "tag": "mu"}, (58,)),
]


@pytest.mark.parametrize(
    ("name", "parameters", "codes"), spanned(DISPLACED, lambda case: case[0] in OF_EACH_KIND)
)
def test_favoured_decays_are_distributed_as_direct_ones(
    name: str, parameters: Parameters, codes: tuple[int, ...], collider: Collider
):
    """Radii of decays, and how many are within 10 cm; the cross-section stays as it is."""
    n = 20_000

    def made(seed: int, **reach: float) -> View:
        """By the same pilot run, but independent: one seed for both would hide differences."""
        process = find_process(name)(**parameters, **reach)
        with short_pilot():
            generator = process.prepare(collider, np.random.default_rng(31))
        return View(generator.generate(n, np.random.default_rng(seed)))

    plain, favoured = made(32), made(33, reach=10.0)
    weight = favoured.events.weight
    assert np.all(weight > 0)
    assert abs(weight.mean() - 1) < SIGMAS * weight.std() / math.sqrt(n)
    assert plain.events.cross_section == favoured.events.cross_section
    for code in codes:
        radii = []
        for view in (plain, favoured):
            p, rows = view.events.particles, np.flatnonzero(view.where(code, -code))
            rows = rows[np.unique(view.events.event_index()[rows], return_index=True)[1]]
            radii.append(np.hypot(p.decay_x[rows], p.decay_y[rows]))
        assert agree((radii[0], radii[1]), (plain.events.weight, weight)) > P_MIN
        inside = [radius < 10.0 for radius in radii]
        expected, found = inside[0].sum(), weight[inside[1]].sum()
        error = math.hypot(math.sqrt(expected), math.sqrt(np.sum(weight[inside[1]] ** 2)))
        assert abs(expected - found) < SIGMAS * error
        assert inside[1].mean() > 0.45


CUTS: list[tuple[str, bool, Parameters]] = [
    ("mumu", True, {"n_charged": 2, "theta": (0.3, 2.6)}),
    ("mumu-zprime", False, {"n_charged": 2, "theta": (0.65, 2.2), "energy": 1.0}),
    ("gammagamma", False, {"n_photons": 2, "theta": (0.6, 2.5), "frame": "cms"}),
    ("inelastic-dark-matter", True, {"n_charged": 4, "energy": 0.3}),
]


@pytest.mark.parametrize(("name", "weighted", "cuts"), CUTS)
def test_cuts_keep_what_would_be_cut_afterwards(
    name: str, cuts: Parameters, collider: Collider, *, weighted: bool
):
    n, parameters = 20_000, (SIGNALS | BACKGROUNDS)[name] | {"weighted": weighted}
    process = find_process(name)(**parameters, cuts=cuts)
    before = generate(name, parameters, collider, n, 41, n_pilot=100_000)
    passed = process.cuts.passed(before.events, collider)
    after = View(before.events.take(np.flatnonzero(passed)))
    generator = process.prepare(collider, np.random.default_rng(42))
    behind = View(generator.generate(8000, np.random.default_rng(43)))
    assert np.all(process.cuts.passed(behind.events, collider))
    p_values = compare(after, behind)
    assert min(p_values) > P_MIN / 5, p_values

    weight = before.events.weight
    share = weight[passed].sum() / weight.sum()
    error = np.sqrt(np.sum((weight * (passed - share)) ** 2)) / weight.sum()
    efficiency = generator.efficiencies["cuts"]
    assert abs(efficiency - share) < SIGMAS * error * 1.5
    found, total = generator.cross_section, before.events.cross_section
    ratio_error = math.hypot(error, share * found.error / found.value)
    assert abs(found.value / total.value - share) < SIGMAS * ratio_error
    weight = behind.events.weight
    assert abs(weight.mean() - 1) < SIGMAS * 2 * (weight.std() + 1e-12) / math.sqrt(8000) + 1e-9
