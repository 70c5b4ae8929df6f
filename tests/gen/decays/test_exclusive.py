"""Angles and energies of exclusive decays: what the spins of parents and daughters make of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import integrate, stats

from darkbelle import geometry
from darkbelle.gen import DecayChain
from darkbelle.gen.decays.semileptonic import R1, R2, RHO2
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.kinematics import breakup_momentum, dot, to_rest_frame
from darkbelle.gen.particles import species
from tests.grids import spanned

COLLIDER = geometry.load("belle2").collider
N = 20_000
P_MIN = 1e-3


@cache
def events(parent: str, *decays: str, n: int = N) -> TruthEvents:
    """Of a chain of decays, each "parent -> daughters"."""
    chain = {"parent": parent, "decays": dict(decay.split(" -> ") for decay in decays)}
    p = None if parent.startswith("B") else (0.5, 2.0)
    process = DecayChain(chain=chain, p=p, isr=False, fsr=False)
    return process.generate(COLLIDER, n, np.random.default_rng(1))


def momenta(truth: TruthEvents, code: int, parent: int) -> np.ndarray:
    """Of the first daughter of a kind that each parent of a kind has, shape (4, n)."""
    p = truth.particles
    rows = np.flatnonzero((np.abs(p.pdg_id) == code) & (p.parent >= 0))
    parents = truth.parents(rows)
    of_kind = np.abs(p.pdg_id[parents]) == parent
    _, first = np.unique(parents[of_kind], return_index=True)
    rows = rows[of_kind][first]
    return np.stack([p.e, p.px, p.py, p.pz])[:, rows]


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sum(a * b, axis=0) / np.sqrt(np.sum(a**2, axis=0) * np.sum(b**2, axis=0))


def helicity_cosine(truth: TruthEvents, parent: int, middle: int, last: int) -> np.ndarray:
    """Of a granddaughter in the frame of the daughter, to the flight of the latter."""
    p = truth.particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    rows = np.flatnonzero((np.abs(p.pdg_id) == last) & (p.parent >= 0))
    rows = np.unique(truth.parents(rows))
    rows = rows[(np.abs(p.pdg_id[rows]) == middle) & (p.parent[rows] >= 0)]
    rows = rows[np.abs(p.pdg_id[truth.parents(rows)]) == parent]
    resonance, mother = own[:, rows], own[:, truth.parents(rows)]
    daughter = momenta(truth, last, middle)
    return cosine(to_rest_frame(daughter, resonance)[1:], -to_rest_frame(mother, resonance)[1:])


def follows(values: np.ndarray, cumulative) -> bool:
    return stats.kstest(values, cumulative).pvalue > P_MIN


@pytest.mark.parametrize(
    ("parent", "decays", "codes"),
    [
        ("B+", ("B+ -> phi K+", "phi -> K+ K-"), (521, 333, 321)),
        ("B0", ("B0 -> D*- pi+", "D*- -> anti-D0 pi-"), (511, 413, 421)),
        ("B0", ("B0 -> K*0 eta", "K*0 -> K+ pi-"), (511, 313, 321)),
        ("D0", ("D0 -> rho+ K-", "rho+ -> pi+ pi0"), (421, 213, 111)),
    ],
)
def test_vectors_of_helicity_zero_decay_along_their_flight(parent, decays, codes):
    """To two pseudoscalars: cos^2."""
    assert follows(helicity_cosine(events(parent, *decays), *codes), lambda c: (c**3 + 1) / 2)


@pytest.mark.parametrize("daughters", ["mu+ mu-", "e+ e-"])
def test_leptons_of_a_vector_of_helicity_zero_go_across(daughters: str):
    truth = events("B+", "B+ -> J/psi K+", f"J/psi -> {daughters}")
    found = helicity_cosine(truth, 521, 443, 13 if "mu" in daughters else 11)
    beta2 = 1 - (2 * species(13 if "mu" in daughters else 11).mass / species(443).mass) ** 2
    norm = 2 - 2 * beta2 / 3
    assert follows(found, lambda c: (c + 1 - beta2 * (c**3 + 1) / 3) / norm)


def test_photons_of_a_vector_of_helicity_zero_go_across():
    found = helicity_cosine(
        events("B+", "B+ -> anti-D*0 pi+", "anti-D*0 -> anti-D0 gamma"), 521, 423, 22
    )
    assert follows(found, lambda c: (3 * c - c**3 + 2) / 4)


def test_three_pions_of_a_vector_have_their_normal_along_its_flight():
    truth = events("B+", "B+ -> omega K+", "omega -> pi+ pi- pi0")
    p = truth.particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    rows = np.flatnonzero(p.pdg_id == 223)
    omega, mother = own[:, rows], own[:, truth.parents(rows)]
    pions = [
        to_rest_frame(own[:, (p.pdg_id == code) & (p.parent >= 0)], omega) for code in (211, -211)
    ]
    normal = np.cross(pions[0][1:], pions[1][1:], axis=0)
    assert follows(cosine(normal, to_rest_frame(mother, omega)[1:]), lambda c: (c**3 + 1) / 2)


def test_an_unpolarised_vector_decays_evenly():
    truth = events("phi", "phi -> K+ K-")
    p = truth.particles
    rows = np.flatnonzero(p.pdg_id == 333)
    phi = np.stack([p.e, p.px, p.py, p.pz])[:, rows]
    kaon = to_rest_frame(momenta(truth, 321, 333), phi)
    assert follows(cosine(kaon[1:], phi[1:]), lambda c: (c + 1) / 2)


def test_a_vector_beside_a_photon_has_helicity_one():
    """B -> K* gamma: sin^2, since the photon leaves no other."""
    found = helicity_cosine(events("B0", "B0 -> gamma K*0", "K*0 -> K+ pi-"), 511, 313, 321)
    assert follows(found, lambda c: (3 * c - c**3 + 2) / 4)


def test_vectors_without_decays_in_the_chain_are_polarised_too():
    found = helicity_cosine(events("B0", "B0 -> phi K_S0"), 511, 333, 321)
    assert len(found) > 0.4 * N
    assert follows(found, lambda c: (c**3 + 1) / 2)


@pytest.mark.parametrize(("parent", "code"), [("B+", 521), ("D_s+", 431)])
def test_taus_beside_a_neutrino_are_polarised(parent: str, code: int):
    """tau+ of helicity -1, tau- of +1: the pion goes ahead, 1 + cos."""
    truth = events(parent, f"{parent} -> tau+ nu_tau", "tau+ -> pi+ anti-nu_tau")
    assert follows(helicity_cosine(truth, code, 15, 211), lambda c: (c + 1) ** 2 / 4)


def test_taus_of_a_vector_know_of_each_other():
    """<cos cos> = (2 - 1/gamma^2)/(2 + 1/gamma^2)/9."""
    decays = ("psi(2S) -> tau+ tau-", "tau+ -> pi+ anti-nu_tau", "tau- -> pi- nu_tau")
    p = events("psi(2S)", *decays).particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    mother = own[:, p.pdg_id == 100443]
    cosines = []
    for sign in (1, -1):
        tau, pion = own[:, p.pdg_id == 15 * sign], own[:, p.pdg_id == -211 * sign]
        flight = -to_rest_frame(mother, tau)[1:]
        cosines.append(cosine(to_rest_frame(pion, tau)[1:], flight))
    product = cosines[0] * cosines[1]
    gamma2 = (species(100443).mass / (2 * species(15).mass)) ** 2
    expected = (2 - 1 / gamma2) / (2 + 1 / gamma2) / 9
    assert product.mean() == pytest.approx(expected, abs=4 * product.std() / np.sqrt(N))
    assert expected > 10 * product.std() / np.sqrt(N)


def test_pairs_of_broad_mesons_radiate_as_all_else():
    chain = {"parent": "B0", "decays": {"B0": "rho+ rho-"}}
    process = DecayChain(chain=chain, fsr=True)
    p = process.generate(COLLIDER, 500, np.random.default_rng(2)).particles
    assert np.all(np.isfinite(p.e))
    assert np.count_nonzero(np.abs(p.pdg_id) == 213) == 1000


def test_a_broad_parent_has_its_line_shape():
    p = events("phi", "phi -> K+ K-").particles
    mass = p.mass[p.pdg_id == 333]
    quartiles = np.quantile(mass, [0.25, 0.75])
    assert np.diff(quartiles)[0] == pytest.approx(0.004249, rel=0.1)


# ---- semileptonic --------------------------------------------------------------------------------


def recoil(truth: TruthEvents, parent: int, meson: int) -> np.ndarray:
    """w, the product of the velocities of both mesons."""
    p = truth.particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    mesons = np.flatnonzero((np.abs(p.pdg_id) == meson) & (p.parent >= 0))
    mesons = mesons[np.abs(p.pdg_id[truth.parents(mesons)]) == parent]
    mothers = own[:, truth.parents(mesons)]
    return dot(mothers, own[:, mesons]) / (species(parent).mass * species(meson).mass)


def star_rate(w: np.ndarray) -> np.ndarray:
    """Of B -> D* l nu, massless leptons, integrated over angles: HFLAV, arXiv:2206.07501."""
    r = species(413).mass / species(511).mass
    z = (np.sqrt(w + 1) - np.sqrt(2)) / (np.sqrt(w + 1) + np.sqrt(2))
    form = 1 - 8 * RHO2 * z + (53 * RHO2 - 15) * z**2 - (231 * RHO2 - 91) * z**3
    r1, r2 = R1 - 0.12 * (w - 1) + 0.05 * (w - 1) ** 2, R2 + 0.11 * (w - 1) - 0.06 * (w - 1) ** 2
    across = 2 * (1 - 2 * w * r + r**2) / (1 - r) ** 2 * (1 + r1**2 * (w - 1) / (w + 1))
    along = (1 + (1 - r2) * (w - 1) / (1 - r)) ** 2
    return np.sqrt(w**2 - 1) * (w + 1) ** 2 * form**2 * (across + along)


def meson_rate(w: np.ndarray) -> np.ndarray:
    """Of B -> D l nu with a pole: p^3/(1 - q^2/m^2)^2."""
    m_b, m_d = species(511).mass, species(411).mass
    q2 = m_b**2 + m_d**2 - 2 * m_b * m_d * w
    return (w**2 - 1) ** 1.5 / (1 - q2 / 6.33**2) ** 2


@pytest.mark.parametrize(
    ("name", "code", "rate"), [("D*-", 413, star_rate), ("D-", 411, meson_rate)]
)
def test_recoil_of_semileptonic_decays(name: str, code: int, rate):
    truth = events("B0", f"B0 -> {name} e+ nu_e")
    r = species(code).mass / species(511).mass
    w = np.linspace(1, (1 + r**2) / (2 * r), 2001)
    cumulative = integrate.cumulative_simpson(rate(w), x=w, initial=0)
    found = recoil(truth, 511, code)
    assert follows(found, lambda value: np.interp(value, w, cumulative / cumulative[-1]))


@pytest.mark.parametrize(
    ("parent", "daughters", "codes", "pole"),
    spanned(
        [
            ("B0", "D- e+ nu_e", (511, 411), 6.33),  # cf. `test_recoil_of_semileptonic_decays`
            ("B0", "pi- e+ nu_e", (511, 211), 5.325),
            ("B+", "pi0 e+ nu_e", (521, 111), 5.325),
            ("D0", "K- e+ nu_e", (421, 321), 2.112),
            ("D+", "K_S0 e+ nu_e", (411, 310), 2.112),
            ("D0", "pi- e+ nu_e", (421, 211), 2.010),
            ("D+", "pi0 e+ nu_e", (411, 111), 2.010),
        ],
        lambda case: case[1].startswith(("pi- ", "K- ")),
    ),
)
def test_poles_of_semileptonic_decays(parent: str, daughters: str, codes, pole: float):
    """p^3/(1 - q^2/m^2)^2 in q^2, of massless leptons; the vectors B_c*, B*, D_s*, D*."""
    truth = events(parent, f"{parent} -> {daughters}", n=100_000)
    m_parent, m_meson = (species(code).mass for code in codes)
    found = m_parent**2 + m_meson**2 - 2 * m_parent * m_meson * recoil(truth, *codes)
    q2 = np.linspace(0, (m_parent - m_meson) ** 2, 4001)
    momentum = breakup_momentum(np.full_like(q2, m_parent), m_meson, np.sqrt(q2))
    rate = momentum**3 / (1 - q2 / pole**2) ** 2
    cumulative = integrate.cumulative_simpson(rate, x=q2, initial=0)
    assert follows(found, lambda value: np.interp(value, q2, cumulative / cumulative[-1]))


def test_the_lepton_of_a_b_quark_goes_ahead():
    """By V-A the W is left-handed more often, and sends its lepton ahead, of either charge."""
    truth = events("B0", "B0 -> D*- e+ nu_e")
    p = truth.particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    leptons = np.flatnonzero((np.abs(p.pdg_id) == 11) & (p.parent >= 0))
    neutrinos = np.flatnonzero((np.abs(p.pdg_id) == 12) & (p.parent >= 0))
    pair = own[:, leptons] + own[:, neutrinos]
    mother = own[:, truth.parents(leptons)]
    c = cosine(to_rest_frame(own[:, leptons], pair)[1:], -to_rest_frame(mother, pair)[1:])
    # HFLAV's form factors: A_FB = 0.20, in the mean of c 0.15.
    assert 0.12 < c.mean() < 0.18


@pytest.mark.parametrize(
    "order",
    spanned(
        ["D*- tau+ nu_tau", "nu_tau tau+ D*-", "tau+ D*- nu_tau"],
        ["nu_tau tau+ D*-"],
    ),
)
def test_heavy_leptons_of_a_b_quark(order: str):
    """Five equal parts of q^2, against the rate with H_t and R_0 = 1.14, in any order."""
    truth = events("B0", f"B0 -> {order}")
    m_b, m_d, m_tau = (species(code).mass for code in (511, 413, 15))
    q2 = m_b**2 + m_d**2 - 2 * m_b * m_d * recoil(truth, 511, 413)
    edges = np.linspace(m_tau**2, (m_b - m_d) ** 2, 6)
    shares = np.histogram(q2, bins=edges)[0] / N
    expected = [0.049, 0.182, 0.272, 0.294, 0.202]
    assert shares == pytest.approx(expected, abs=4 * np.sqrt(0.21 / N))


def test_a_mode_of_the_table_keeps_its_current():
    """tau -> pi pi0 nu written as a chain has the rho; in any order."""
    truth = events("tau-", "tau- -> nu_tau pi0 pi-")
    pions = momenta(truth, 211, 15) + momenta(truth, 111, 15)
    mass = np.sqrt(dot(pions, pions))
    assert np.mean((mass > 0.65) & (mass < 0.9)) > 0.7
