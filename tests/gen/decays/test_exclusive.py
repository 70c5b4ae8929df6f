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
from darkbelle.gen.kinematics import dot, to_rest_frame
from darkbelle.gen.particles import species

COLLIDER = geometry.load("belle2").collider
N = 20_000
P_MIN = 1e-3


@cache
def events(parent: str, *decays: str) -> TruthEvents:
    """Of a chain of decays, each "parent -> daughters"."""
    chain = {"parent": parent, "decays": dict(decay.split(" -> ") for decay in decays)}
    p = None if parent.startswith("B") else (0.5, 2.0)
    process = DecayChain(chain=chain, p=p, isr=False, fsr=False)
    return process.generate(COLLIDER, N, np.random.default_rng(1))


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
    rows = np.flatnonzero((np.abs(p.pdg_id) == middle) & (p.parent >= 0))
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


# ---- semileptonic --------------------------------------------------------------------------------


def recoil(truth: TruthEvents, parent: int, meson: int) -> np.ndarray:
    """w, the product of the velocities of both mesons."""
    p = truth.particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    mesons = np.flatnonzero(np.abs(p.pdg_id) == meson)
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


def test_a_mode_of_the_table_keeps_its_current():
    """tau -> pi pi0 nu written as a chain has the rho; in any order."""
    truth = events("tau-", "tau- -> nu_tau pi0 pi-")
    pions = momenta(truth, 211, 15) + momenta(truth, 111, 15)
    mass = np.sqrt(dot(pions, pions))
    assert np.mean((mass > 0.65) & (mass < 0.9)) > 0.7
