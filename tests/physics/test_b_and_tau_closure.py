"""B mesons of the Y(4S) and pairs of taus, from the beams to what they decay to.

Densities, moments and rates are written out here from the handbook of decays; they are no code of
the generator.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen import Status
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.particles import (
    ALP,
    B0,
    B_PLUS,
    HNL,
    K_S,
    K_STAR,
    K_STAR0,
    KAON,
    MASS_MU,
    MASS_TAU,
    MUON,
    PHOTON,
    PION,
    SCALAR,
    TAU,
)
from darkbelle.gen.processes import GammaAlp, find_process
from darkbelle.gen.processes.tau import known_tau
from darkbelle.gen.radiation import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_SCALAR,
    FERMIONS_FROM_VECTOR,
    Kernel,
)
from darkbelle.geometry import Collider, load
from darkbelle.units import HBAR_C2
from tests.physics.views import View, boosted, cosine, square
from tests.pilot import short_pilot
from tests.reference.reading import rows

P_MIN = 1e-3
SIGMAS = 4.0
MANY = 100_000
PLAIN = {"isr": False, "fsr": False}
B_SHARES = {B_PLUS: 0.5113, B0: 0.4861}

Parameters = dict[str, Any]


@pytest.fixture(scope="module")
def collider() -> Collider:
    return load("belle2").collider


@pytest.fixture(scope="module")
def sharp() -> Collider:
    return load("belle2", ["collider.beam_spread=false"]).collider


def generate(
    name: str, parameters: Parameters, collider: Collider, n: int = MANY, seed: int = 51
) -> View:
    process = find_process(name)(**PLAIN | parameters)
    with short_pilot():
        return View(process.generate(collider, n, np.random.default_rng(seed)))


def is_mean(x: np.ndarray, expected: float, slack: float = 0.0) -> bool:
    return abs(x.mean() - expected) < SIGMAS * x.std() / math.sqrt(len(x)) + slack


# ---- e+e- -> Y(4S) -> B Bbar ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kaon", "b_code"),
    [("K+", B_PLUS), pytest.param("K_S", B0, marks=pytest.mark.validation)],
)
def test_angle_of_the_b_mesons(kaon: str, b_code: int, sharp: Collider):
    """(3/4) sin^2(theta), whichever of the two has the signal; section 1."""
    view = generate("b-to-k-alp", {"mass": 1.0, "kaon": kaon, "decay": "invisible"}, sharp)
    for code in (b_code, -b_code):
        c = cosine(*view.in_beams_frame(view.first(code)))
        assert stats.kstest((2 + 3 * c - c**3) / 4, "uniform").pvalue > P_MIN
        assert is_mean(c**2, 1 / 5)
    signal = view.events.particles.pdg_id[view.events.parents(np.flatnonzero(view.where(ALP)))]
    assert abs(np.mean(signal > 0) - 0.5) < SIGMAS * 0.5 / math.sqrt(MANY)


def test_b_mesons_share_what_the_beams_bring(collider: Collider):
    """Each has half of the energy of the Y(4S), also where the beams have radiated."""
    view = generate("b-to-k-alp", {"mass": 1.0, "isr": True}, collider, 5000)
    upsilon = view.first(300553)
    for code in (B_PLUS, -B_PLUS):
        energy = boosted(view.first(code), upsilon)[0]
        assert energy == pytest.approx(np.sqrt(square(upsilon)) / 2, rel=1e-9)
    assert np.sqrt(square(upsilon)).min() > 2 * 5.27941


def born(s: float, m_b: float) -> float:
    """12 pi Gamma_ee Gamma/((s - M^2)^2 + M^2 Gamma^2) [fb], Gamma with the cube of p*."""
    mass, to_electrons = 10.5794, 0.321e-6
    width = 0.0205 * ((s / 4 - m_b**2) / (mass**2 / 4 - m_b**2)) ** 1.5
    shape = width / ((s - mass**2) ** 2 + (mass * width) ** 2)
    return 12 * math.pi * to_electrons * shape * HBAR_C2


# Kaon, mother, shares of what is generated of it; sections 2.2 and 6.
KAONS: list[tuple[str, int, str, float]] = [
    ("K+", B_PLUS, "BR_Bp_Kp_a", 1.0),
    ("K_S", B0, "BR_B0_K0_a", 0.5 * 0.6920),
    ("K*0", B0, "BR_B0_Kst0_a", 2 / 3),
    ("K*+", B_PLUS, "BR_Bp_Kstp_a", (0.6920 + 1) / 3),
]


@pytest.mark.parametrize(("kaon", "mother", "column", "share"), KAONS)
def test_rates_of_b_mesons(kaon: str, mother: int, column: str, share: float, sharp: Collider):
    """2 f BR sigma, here without radiation."""
    (row,) = (row for row in rows("decays_btoka_alp_gaw") if row["m_a_GeV"] == 1.0)
    process = find_process("b-to-k-alp")(mass=1.0, kaon=kaon, **PLAIN)
    found = process.cross_section(sharp, np.random.default_rng(1)).value
    sigma = born(sharp.sqrt_s**2, {B_PLUS: 5.27941, B0: 5.27972}[mother])
    expected = 2 * B_SHARES[mother] * row[column] * share * sigma
    assert found == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("experiment", "per_fb"), [("belle2", 387e6 / 365), ("belle", 772e6 / 711)]
)
def test_visible_cross_section_of_b_pairs(experiment: str, per_fb: float):
    """N_BB over the luminosity, with radiation and the spread of the beams; sections 1 and 2."""
    process = find_process("b-to-k-alp")(mass=1.0)
    with short_pilot(50_000):
        found = process.cross_section(load(experiment).collider, np.random.default_rng(2))
    (row,) = (row for row in rows("decays_btoka_alp_gaw") if row["m_a_GeV"] == 1.0)
    pairs = found.value / (2 * B_SHARES[B_PLUS] * row["BR_Bp_Kp_a"])
    assert pairs == pytest.approx(per_fb, rel=0.05 if experiment == "belle" else 0.01)


@pytest.mark.parametrize(
    ("kaon", "kst", "to_kaon", "mass"),
    [
        ("K*0", K_STAR0, (KAON,), 0.5),
        pytest.param("K*0", K_STAR0, (KAON,), 3.0, marks=pytest.mark.validation),
        pytest.param("K*+", K_STAR, (KAON, K_S), 0.5, marks=pytest.mark.validation),
        ("K*+", K_STAR, (KAON, K_S), 3.0),
    ],
)
def test_kaon_of_the_k_star(
    kaon: str, kst: int, to_kaon: tuple[int, ...], mass: float, sharp: Collider
):
    """Helicity zero, (3/2) cos^2(theta) to its flight in the B frame; section 2.5."""
    view = generate("b-to-k-scalar", {"mass": mass, "kaon": kaon, "decay": "invisible"}, sharp)
    resonance = np.flatnonzero(view.where(kst, -kst))
    frame, b_meson = view.of(resonance), view.of(view.events.parents(resonance))
    kaons = view.momentum(*to_kaon, *(-code for code in to_kaon))
    c = cosine(boosted(kaons, frame), -boosted(b_meson, frame))
    assert stats.kstest((1 + c**3) / 2, "uniform").pvalue > P_MIN
    assert is_mean(c**2, 3 / 5)


def test_mass_of_the_k_star(sharp: Collider):
    """p*^3 times the line shape of section 2.5."""
    view = generate(
        "b-to-k-scalar", {"mass": 0.5, "kaon": "K*0", "decay": "invisible"}, sharp, seed=52
    )
    found = np.sqrt(square(view.momentum(K_STAR0, -K_STAR0)))
    m0, width, kaon, pion, r, m_b = 0.89556, 0.0471, 0.493677, 0.13957039, 3.0, 5.27972

    def breakup(m: np.ndarray | float, a: np.ndarray | float, b: float) -> np.ndarray:
        return np.sqrt(np.maximum((m**2 - (a + b) ** 2) * (m**2 - (a - b) ** 2), 0)) / (2 * m)

    m = np.linspace(kaon + pion, 1.5, 20_001)
    q, q0 = breakup(m, kaon, pion), breakup(m0, kaon, pion)
    running = width * (q / q0) ** 3 * m0 / m * (1 + (r * q0) ** 2) / (1 + (r * q) ** 2)
    shape = m * m0 * running / ((m0**2 - m**2) ** 2 + (m0 * running) ** 2)
    density = breakup(m_b, m, 0.5) ** 3 * shape
    shares = np.cumsum((density[1:] + density[:-1]) / 2)
    uniform = np.interp(found, m, np.append(0.0, shares / shares[-1]))
    assert stats.kstest(uniform, "uniform").pvalue > P_MIN


def test_spinless_particles_of_b_mesons_are_isotropic(sharp: Collider):
    """K and S in the frame of the B, to its flight and to the electron; muons in that of S."""
    view = generate("b-to-k-scalar", {"mass": 1.0}, sharp, 20_000)
    scalar = np.flatnonzero(view.where(SCALAR))
    b_meson, muon = view.of(view.events.parents(scalar)), view.first(MUON)
    for daughter, frame in ((view.of(scalar), b_meson), (muon, view.of(scalar))):
        for axis in (view.total, view.electron):
            c = cosine(boosted(daughter, frame), boosted(axis, frame))
            assert stats.kstest((c + 1) / 2, "uniform").pvalue > P_MIN


# ---- spins of tau pairs --------------------------------------------------------------------------


def flights(view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions of tau- and of what either tau makes that is charged, and of the electron.

    In the frame of the pair that of tau- and electron, in their own, reached from there, the rest;
    shapes (3, n), (2, 3, n), (3, n).
    """
    taus = [view.first(TAU), view.first(-TAU)]
    pair = taus[0] + taus[1]
    p = view.events.particles
    charged = np.isin(np.abs(p.pdg_id), (11, 13, PION)) & (p.status == Status.FINAL)
    seen = np.flatnonzero(charged & (p.parent >= 0))
    parent = view.events.parents(seen)
    found = []
    for code, tau in zip((TAU, -TAU), taus, strict=True):
        momentum = view.of(seen[p.pdg_id[parent] == code])
        rest = boosted(boosted(momentum, pair), boosted(tau, pair))
        found.append(rest[1:] / np.sqrt(np.sum(rest[1:] ** 2, axis=0)))
    k, beam = (boosted(q, pair)[1:] for q in (taus[0], view.electron))
    unit = [v / np.sqrt(np.sum(v**2, axis=0)) for v in (k, beam)]
    return unit[0], np.stack(found), unit[1]


def along(view: View) -> np.ndarray:
    """Cosines to the flight of their own tau, shape (2, n)."""
    k, seen, _ = flights(view)
    return np.stack([np.sum(seen[0] * k, axis=0), -np.sum(seen[1] * k, axis=0)])


def products(view: View) -> list[np.ndarray]:
    """Products of the polarimeters of two pions along tau-, across the plane, and in it."""
    k, seen, beam = flights(view)
    normal = np.cross(k, beam, axis=0)
    normal /= np.sqrt(np.sum(normal**2, axis=0))
    axes = k, normal, np.cross(normal, k, axis=0)
    return [-np.sum(seen[0] * axis, axis=0) * np.sum(seen[1] * axis, axis=0) for axis in axes]


def longitudinal(gamma: float) -> float:
    """Correlation of the components along the flight, of one where complete; section 4.2."""
    return (2 - gamma**-2) / (2 + gamma**-2)


@pytest.fixture(scope="module")
def pions(sharp: Collider) -> View:
    return generate("tautau", {"minus": "pi", "plus": "pi"}, sharp)


def test_angle_of_the_taus(pions: View, sharp: Collider):
    """1 + cos^2 + sin^2/gamma^2: mean cos^2 0.38932."""
    c = cosine(*pions.in_beams_frame(pions.first(TAU)))
    g2 = (2 * MASS_TAU / sharp.sqrt_s) ** 2
    shares = 0.5 + ((1 + g2) * c + (1 - g2) * c**3 / 3) / (2 * (1 + g2 + (1 - g2) / 3))
    assert stats.kstest(shares, "uniform").pvalue > P_MIN
    assert is_mean(c**2, 0.38932)


def test_pions_know_of_each_other(pions: View, sharp: Collider):
    """Joint density (1 + k c c')/4, each alone flat; <c c'> = 0.0992, 0 without spins."""
    c, other = along(pions)
    k = longitudinal(sharp.sqrt_s / (2 * MASS_TAU))
    for alone in (c, other):
        assert stats.kstest((alone + 1) / 2, "uniform").pvalue > P_MIN
    shares = (other + 1) / 2 + k * c * (other**2 - 1) / 4
    assert stats.kstest(shares, "uniform").pvalue > P_MIN
    assert is_mean(c * other, 0.09924)


def test_pions_know_of_each_other_in_all_directions(pions: View, sharp: Collider):
    """Means of 1 - 2 E/tr(E), with E = (sin^2/gamma^2, 1, cos^2) there, in tr(E); section 4.2."""
    g2 = (2 * MASS_TAU / sharp.sqrt_s) ** 2
    trace = 8 / 3 + 4 * g2 / 3
    for found, sum_e in zip(products(pions), (4 * g2 / 3, 2, 2 / 3), strict=True):
        assert is_mean(found, (1 - 2 * sum_e / trace) / 9)


def through(kernel: Kernel) -> type[GammaAlp]:
    """A photon and a boson of 5 GeV, whose taus both make a pion."""

    class Tauonic(GammaAlp):
        """e+e- -> gamma a, a -> tau tau."""

        name = "tauonic"
        summary = "taus of a boson"

        def final_states(self) -> tuple[Mode, ...]:
            known = Mode.to_pair(1.0, TAU, kernel)
            taus = known_tau(TAU, "pi"), known_tau(-TAU, "pi")
            mode = Mode(1.0, taus, pair=known.pair, spins=known.spins)
            return (Mode(1.0, (State.of(PHOTON), State(ALP, 5.0, Decay(0.0, (mode,))))),)

    return Tauonic


G2 = (2 * MASS_TAU / 5.0) ** 2
# Correlation along the flight, and across it.
BOSONS = [
    (FERMIONS_FROM_SCALAR, -1.0, 1.0),
    (FERMIONS_FROM_PSEUDOSCALAR, -1.0, -1.0),
    (FERMIONS_FROM_VECTOR, (2 - G2) / (2 + G2), G2 / (2 + G2)),
]


@pytest.mark.parametrize(
    ("kernel", "parallel", "across"), BOSONS, ids=["scalar", "pseudoscalar", "vector"]
)
def test_taus_of_a_boson(kernel: Kernel, parallel: float, across: float, sharp: Collider):
    """Triplet in a p-wave, singlet, and a vector that has forgotten the beams."""
    process = through(kernel)(mass=5.0, **PLAIN)
    view = View(process.generate(sharp, 30_000, np.random.default_rng(53)))
    for found, expected in zip(products(view), (parallel, across, across), strict=True):
        assert is_mean(found, expected / 9)


# ---- dark decays of taus -------------------------------------------------------------------------


@pytest.mark.parametrize(("chirality", "power"), [("V-A", -1), ("V+A", 1), ("isotropic", 0)])
def test_lepton_beside_an_alpha(chirality: str, power: float, sharp: Collider):
    """With a pion as the tag: both charges of the signal have the same sign; section 4.6."""
    parameters = {"mass": 1.0, "lepton": "e", "chirality": chirality, "tag": "pi"}
    view = generate("tau-to-l-alpha", parameters, sharp, 40_000)
    c, other = along(view)
    k = power * longitudinal(sharp.sqrt_s / (2 * MASS_TAU))
    shares = (other + 1) / 2 + k * c * (other**2 - 1) / 4
    assert stats.kstest(shares, "uniform").pvalue > P_MIN
    p = view.events.particles
    is_minus = p.pdg_id[view.events.parents(np.flatnonzero(view.where(ALP)))] > 0
    for of_charge in (is_minus, ~is_minus):
        assert is_mean((c * other)[of_charge], k / 9)
    assert abs(is_minus.mean() - 0.5) < SIGMAS * 0.5 / math.sqrt(len(is_minus))


def test_energy_of_the_lepton_beside_an_alpha(sharp: Collider):
    """1 + (m_l^2 - m_a^2)/m_tau^2 of half the mass of the tau, in its frame."""
    view = generate("tau-to-l-alpha", {"mass": 0.7, "lepton": "mu", "tag": "pi"}, sharp, 2000)
    alpha = np.flatnonzero(view.where(ALP))
    tau, lepton = view.of(view.events.parents(alpha)), view.momentum(MUON, -MUON)
    x = 2 * boosted(lepton, tau)[0] / MASS_TAU
    assert x == pytest.approx(1 + (MASS_MU**2 - 0.49) / MASS_TAU**2, rel=1e-9)


@pytest.mark.parametrize(
    ("tag", "share"), [("any", 1.0), ("e", 0.178175), ("3pi", 0.089868), ("pi_pi0", 0.254941)]
)
def test_rates_of_dark_tau_decays(tag: str, share: float, sharp: Collider):
    """2 BR sigma(tau tau) times the share of the tag, of 0.9977 in all."""
    parameters = {"mass": 1.0, "branching_fraction": 2e-4, "tag": tag, **PLAIN}
    found = find_process("tau-to-l-alpha")(**parameters).cross_section(
        sharp, np.random.default_rng(3)
    )
    pairs = find_process("tautau")(**PLAIN).cross_section(sharp, np.random.default_rng(4))
    expected = 2 * 2e-4 * pairs.value * (share if tag == "any" else share / 0.9977)
    assert found.value == pytest.approx(expected, rel=1e-3)
    both = find_process("tautau")(minus=tag, plus="mu", **PLAIN)
    expected = pairs.value * 0.173937 / 0.9977 * (share if tag == "any" else share / 0.9977)
    assert both.cross_section(sharp, np.random.default_rng(5)).value == pytest.approx(
        expected, rel=1e-3
    )


def test_rate_of_heavy_neutrinos(sharp: Collider):
    """Fractions of the table of section 5.2, times |U|^2."""
    (row,) = (row for row in rows("decays_hnl_tau_mixing") if row["m_N_GeV"] == 1.0)
    found = find_process("tau-to-pi-hnl")(mass=1.0, u2_tau=1e-4, **PLAIN).cross_section(
        sharp, np.random.default_rng(6)
    )
    pairs = find_process("tautau")(**PLAIN).cross_section(sharp, np.random.default_rng(4))
    expected = 2e-4 * row["BR_tau_piN"] * row["BR_numumu"] * pairs.value
    assert found.value == pytest.approx(expected, rel=1e-3)


# ---- heavy neutrinos -----------------------------------------------------------------------------

(MOMENTS,) = (row for row in rows("decays_hnl_numumu_moments") if row["m_N_GeV"] == 1.0)


@pytest.fixture(scope="module")
def neutrinos(sharp: Collider) -> View:
    return generate("tau-to-pi-hnl", {"mass": 1.0, "ctau": 1.0, "tag": "pi"}, sharp, 60_000)


def of_neutrinos(view: View, sign: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Flights of N (sign 1) or its antiparticle from their taus, and what they make, at rest.

    The muon of the sign of a decay of N counts as mu-.
    """
    p, truth = view.events.particles, view.events
    heavy = np.flatnonzero(view.where(sign * HNL))
    own, tau = view.of(heavy), view.of(truth.parents(heavy))
    event = truth.event_index()[heavy]
    made = {
        "mum": view.momentum(sign * MUON)[:, event],
        "mup": view.momentum(-sign * MUON)[:, event],
    }
    made["nu"] = own - made["mum"] - made["mup"]
    at_rest = {key: boosted(q, own) for key, q in made.items()}
    at_rest["dimuon"] = at_rest["mum"] + at_rest["mup"]
    assert np.all(np.abs(p.pdg_id[truth.parents(heavy)]) == TAU)
    return -boosted(tau, own), at_rest


@pytest.mark.parametrize("sign", [1, -1])
def test_moments_of_heavy_neutrinos(neutrinos: View, sign: int):
    """Energies and masses in the frame of N, those of the antiparticle with other charges."""
    _, made = of_neutrinos(neutrinos, sign)
    q2 = square(made["dimuon"])
    for found, column in (
        (q2, "mean_q2_over_mN2"),
        (np.sqrt(q2), "mean_mmumu_GeV"),
        (made["mum"][0], "mean_E_mum_GeV"),
        (made["mup"][0], "mean_E_mup_GeV"),
        (made["nu"][0], "mean_E_nu_GeV"),
    ):
        slack = SIGMAS * MOMENTS["rel_stat_error"] * MOMENTS[column]
        assert is_mean(found, MOMENTS[column], slack), column


@pytest.mark.parametrize("sign", [1, -1])
def test_helicities_of_heavy_neutrinos(neutrinos: View, sign: int):
    """N is left-handed, its antiparticle right-handed, whose asymmetries are opposite too.

    1 - alpha cos to the flight, so <cos> = -alpha/3, but for 0.1 % of polarisation; section 5.1.
    """
    flight, made = of_neutrinos(neutrinos, sign)
    for key in ("dimuon", "mum", "mup"):
        assert is_mean(cosine(made[key], flight), -MOMENTS[f"alpha_{key}"] / 3, 1e-3), key


def test_majorana_neutrinos_have_no_asymmetry(sharp: Collider):
    """As often N as its antiparticle, of one helicity: the muons' charges do not matter."""
    parameters = {"mass": 1.0, "ctau": 1.0, "tag": "pi", "nature": "majorana"}
    view = generate("tau-to-pi-hnl", parameters, sharp, 60_000)
    for sign in (1, -1):
        flight, made = of_neutrinos(view, sign)
        assert is_mean(cosine(made["dimuon"], flight), 0.0)
        assert is_mean(made["mum"][0] - made["mup"][0], 0.0)
    light = np.isin(view.events.particles.pdg_id, (16, -16))
    of_heavy = np.abs(view.events.particles.pdg_id[view.events.parents(np.flatnonzero(light))])
    codes = view.events.particles.pdg_id[light][of_heavy == HNL]
    assert abs(np.mean(codes > 0) - 0.5) < SIGMAS * 0.5 / math.sqrt(len(codes))
