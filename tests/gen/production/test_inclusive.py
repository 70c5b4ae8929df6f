"""Hadrons of known spectra: momenta, angles, cross-sections, and what is left beside them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle import geometry
from darkbelle.errors import KinematicsError
from darkbelle.gen import DecayChain
from darkbelle.gen.kinematics import breakup_momentum, dot
from darkbelle.gen.particles import species
from darkbelle.gen.production.inclusive import FlatMomentum, Inclusive

COLLIDER = geometry.load("belle2").collider
N = 100_000
P_MIN = 1e-4
CHARM = {
    "D0": ("K- pi+", 0.56, 1.6),
    "D+": ("K- pi+ pi+", 0.25, 1.6),
    "D*0": ("D0 pi0", 0.22, 2.1),
    "D*+": ("D0 pi+", 0.23, 2.1),
    "D_s+": ("K+ K- pi+", 0.09, 2.1),
    "D_s*+": ("D_s+ gamma", 0.06, 2.4),
    "Lambda_c+": ("p+ K- pi+", 0.07, 1.7),
}
"""A decay, how many come of a quark, power of x_p."""
J_PSI = species(443).mass
REST = 1.0


def of(parent: str, daughters: str, **others) -> DecayChain:
    return DecayChain(chain={"parent": parent, "decays": {parent: daughters}}, **others)


def sizes(momenta: np.ndarray) -> np.ndarray:
    return np.linalg.norm(momenta[1:], axis=0)


def sampled(hard: Inclusive, root_s: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return hard.sample(np.full(N, root_s**2), np.random.default_rng(seed))


def follows(values: np.ndarray, cumulative) -> bool:
    return stats.kstest(values, cumulative).pvalue > P_MIN


@pytest.mark.parametrize("parent", CHARM)
@pytest.mark.parametrize("root_s", [COLLIDER.sqrt_s, 6.0])
def test_charm_hadrons_have_their_spectra(parent: str, root_s: float):
    """x_p of x^alpha (1 - x), a beta density, and 1 + cos^2 to the beams."""
    daughters, _, alpha = CHARM[parent]
    process = of(parent, daughters)
    (hadron, rest), weight = sampled(process.hard_process(), root_s)
    mass = species(process.parent).mass
    greatest = np.sqrt(root_s**2 / 4 - mass**2)
    assert follows(sizes(hadron) / greatest, stats.beta(alpha + 1, 2).cdf)
    assert follows(hadron[3] / sizes(hadron), lambda c: (3 * c + c**3 + 4) / 8)
    assert follows(np.arctan2(hadron[2], hadron[1]), stats.uniform(-np.pi, 2 * np.pi).cdf)
    np.testing.assert_allclose(dot(hadron, hadron), mass**2, rtol=1e-12)
    np.testing.assert_allclose((hadron + rest)[0], root_s, rtol=1e-14)
    np.testing.assert_allclose((hadron + rest)[1:], 0, atol=1e-14)
    # It is as heavy as the hadron at least, since there is charm in it, too.
    assert np.sqrt(dot(rest, rest)).min() == pytest.approx(mass, rel=0.05)
    assert dot(rest, rest).min() > mass**2 * (1 - 1e-12)
    assert np.ptp(weight) == 0


@pytest.mark.parametrize("parent", CHARM)
def test_charm_hadrons_come_in_either_jet(parent: str):
    """2 f sigma(c cbar), but for the few events that radiation leaves below threshold."""
    daughters, fraction, _ = CHARM[parent]
    expected = 2 * fraction * 1.30e6
    for isr, lost in ((False, 1e-6), (True, 5e-3)):
        process = of(parent, daughters, isr=isr)
        found = process.cross_section(COLLIDER, np.random.default_rng(2)).value
        assert expected * (1 - lost) <= found <= expected * 1.001


# ---- of chosen momenta ---------------------------------------------------------------------------


def test_chosen_momenta_are_uniform_and_isotropic():
    hard = of("J/psi", "mu+ mu-", p=(0.5, 4.0)).hard_process()
    (hadron, rest), _ = sampled(hard, COLLIDER.sqrt_s)
    assert follows(sizes(hadron), stats.uniform(0.5, 3.5).cdf)
    assert follows(hadron[3] / sizes(hadron), stats.uniform(-1, 2).cdf)
    np.testing.assert_allclose(dot(hadron, hadron), J_PSI**2, rtol=1e-12)
    np.testing.assert_allclose((hadron + rest)[1:], 0, atol=1e-14)


def test_with_less_energy_they_are_uniform_up_to_what_is_possible():
    hard = of("J/psi", "mu+ mu-", p=(0.5, 4.0)).hard_process()
    greatest = float(breakup_momentum(np.array(6.0), J_PSI, REST))
    assert 0.5 < greatest < 4.0
    (hadron, rest), weight = sampled(hard, 6.0)
    assert follows(sizes(hadron), stats.uniform(0.5, greatest - 0.5).cdf)
    assert np.sqrt(dot(rest, rest)).min() == pytest.approx(REST, rel=1e-3)
    assert np.all(weight > 0)


def test_without_energy_for_the_least_momentum_there_are_none():
    hard = of("J/psi", "mu+ mu-", p=(3.0, 4.0)).hard_process()
    threshold = np.hypot(J_PSI, 3.0) + np.hypot(REST, 3.0)
    assert hard.threshold == pytest.approx(threshold, rel=1e-12)
    below, above = (sampled(hard, factor * threshold)[1] for factor in (0.999, 1.001))
    assert np.all(below == 0)
    assert np.all(above > 0)


def test_radiation_keeps_the_least_momentum():
    process = of("J/psi", "mu+ mu-", p=(4.5, 4.7))
    truth = process.generate(COLLIDER, 5000, np.random.default_rng(3))
    p = truth.particles
    own = np.stack([p.e, p.px, p.py, p.pz])
    rows, rest = np.flatnonzero(p.pdg_id == 443), np.flatnonzero(p.pdg_id == 91)
    total = own[:, rows] + own[:, rest]
    energy = dot(own[:, rows], total) / np.sqrt(dot(total, total))
    size = np.sqrt(energy**2 - J_PSI**2)
    assert 4.5 - 1e-6 < size.min() < size.max() < 4.7 + 1e-6
    assert len(np.unique(size.round(9))) > 4990


def test_broad_hadrons_leave_the_least_momentum_possible():
    hard = of("rho0", "pi+ pi-", p=(2.0, 5.0)).hard_process()
    root_s = 5.1
    (hadron, rest), weight = sampled(hard, root_s)
    mass = np.sqrt(dot(hadron, hadron))
    most = np.sqrt((root_s - np.hypot(REST, 2.0)) ** 2 - 2.0**2)
    assert mass.max() < most
    assert np.mean(np.abs(mass - 0.775) < 0.15) > 0.7
    assert sizes(hadron).min() >= 2.0
    greatest = breakup_momentum(np.full(N, root_s), mass, REST)
    assert follows((sizes(hadron) - 2.0) / (greatest - 2.0), stats.uniform.cdf)
    assert np.sqrt(dot(rest, rest)).min() > REST * (1 - 1e-9)
    assert np.all(weight > 0)


def test_no_events_are_no_trouble():
    hard = Inclusive(J_PSI, REST, FlatMomentum(0.0, 1.0), 0.0, 1.0)
    momenta, weight = hard.sample(np.empty(0), np.random.default_rng(4))
    assert momenta.shape == (2, 4, 0)
    assert weight.shape == (0,)


@pytest.mark.parametrize(
    ("p", "said"),
    [
        ((0.5, 6.0), "p = 6 GeV is more than J/psi can have at the sqrt_s = 10.5796 GeV of"),
        ((4.79, 4.79), "choose p <= 4.78 GeV"),
    ],
)
def test_momenta_beyond_the_limit_are_refused(p, said: str):
    with pytest.raises(KinematicsError) as caught:
        of("J/psi", "mu+ mu-", p=p).prepare(COLLIDER, np.random.default_rng(5))
    assert said in str(caught.value)
    assert str(caught.value).startswith("decay-chain: ")


def test_what_is_recommended_is_possible():
    of("J/psi", "mu+ mu-", p=4.78).prepare(COLLIDER, np.random.default_rng(6))


def test_hadrons_that_are_too_heavy_are_refused_for_that():
    with pytest.raises(KinematicsError, match=r"needs sqrt_s > 11\.261 GeV"):
        of("chi_b1(2P)", "Upsilon gamma", p=0.1).prepare(COLLIDER, np.random.default_rng(7))
