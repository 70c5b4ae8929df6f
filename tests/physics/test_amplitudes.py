"""Closed forms of production and decay against explicit spinors, at random points of any frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from darkbelle.gen.decays.chi2 import Chi2Decay, LeptonPair, ScalarPair
from darkbelle.gen.models.dark_photon import r_ratio
from darkbelle.gen.models.inelastic import InelasticDarkMatter
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.gen.production import emission, higgsstrahlung, with_photon
from darkbelle.gen.production.base import HardEvents
from darkbelle.gen.production.off_shell import OffShellHiggsstrahlung
from darkbelle.units import ALPHA_EM, HBAR_C2
from tests.physics.spinors import (
    GAMMA,
    GAMMA5,
    adjoint,
    antispinors,
    boosted,
    contract,
    current,
    momentum,
    photon_polarisations,
    propagator,
    random_directions,
    sandwich,
    slash,
    spinors,
    squared_sum,
    two_bodies,
    vector_polarisations,
)

ROOT_S = 10.58
S = ROOT_S**2
N = 40
PION = 0.13957039
E2 = 4 * np.pi * ALPHA_EM


def beams(n: int, mass: float = 0.0, root_s: float = ROOT_S) -> tuple[np.ndarray, np.ndarray]:
    """Electron and positron in their centre of mass."""
    flight = np.zeros((3, n))
    flight[2] = np.sqrt(root_s**2 / 4 - mass**2)
    return momentum(mass, flight), momentum(mass, -flight)


@dataclass(frozen=True)
class Point:
    """A collision of massless beams, seen from a boosted frame."""

    electron: np.ndarray
    positron: np.ndarray
    momenta: np.ndarray
    daughters: np.ndarray

    @classmethod
    def seen(cls, momenta: np.ndarray, daughters: np.ndarray) -> Point:
        n = momenta.shape[-1]
        frame = momentum(ROOT_S, np.array([[1.5], [-0.4], [3.0]]) * np.ones(n))
        pa, pb = beams(n)
        moved = [boosted(p, frame, ROOT_S) for p in (pa, pb, *momenta, *daughters)]
        count = len(momenta)
        return cls(moved[0], moved[1], np.stack(moved[2 : 2 + count]), np.stack(moved[-2:]))

    @property
    def events(self) -> HardEvents:
        s = np.full(self.electron.shape[1], S)
        return HardEvents(s, self.electron - self.positron, self.momenta)

    def annihilation(self) -> list[np.ndarray]:
        """Currents vbar gamma^m u of the beams."""
        pairs = ((v, u) for v in antispinors(self.positron, 0) for u in spinors(self.electron, 0))
        return [current(v, u) for v, u in pairs]

    def fermion_currents(self, first: float, second: float) -> list[np.ndarray]:
        """Currents ubar gamma^m v of the daughters."""
        one, two = self.daughters
        return [current(u, v) for u in spinors(one, first) for v in antispinors(two, second)]


def transverse(j: np.ndarray, p: np.ndarray) -> np.ndarray:
    """J without its part along p, as the massive propagator has it."""
    return j - p * contract(p, j) / contract(p, p)


# ---- the spinors themselves ----------------------------------------------------------------------


@pytest.mark.parametrize("mass", [0.0, 0.7])
def test_spinors_are_complete(mass: float):
    rng = np.random.default_rng(1)
    p = momentum(mass, rng.normal(size=(3, N)))
    particles = sum(u[:, :, None] * adjoint(u)[:, None, :] for u in spinors(p, mass))
    antiparticles = sum(v[:, :, None] * adjoint(v)[:, None, :] for v in antispinors(p, mass))
    assert np.abs(particles - slash(p) - mass * np.eye(4)).max() < 1e-13
    assert np.abs(antiparticles - slash(p) + mass * np.eye(4)).max() < 1e-13


def test_polarisations_are_complete():
    k = momentum(0.5, np.random.default_rng(2).normal(size=(3, N)))
    found = sum(e[:, None] * e[None] for e in vector_polarisations(k, 0.5))
    expected = -np.diag([1.0, -1, -1, -1])[:, :, None] + k[:, None] * k[None] / 0.25
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


# ---- l+ l- X -------------------------------------------------------------------------------------

EMISSIONS = [
    emission.Masses(lepton, boson) for lepton in (MASS_MU, MASS_TAU) for boson in (0.1, 1.0, 3.0)
]
each_emission = pytest.mark.parametrize("masses", EMISSIONS, ids=str)


def emission_point(masses: emission.Masses, daughter: float = 0.0) -> Point:
    rng = np.random.default_rng(3)
    pair_mass = rng.uniform(2 * masses.lepton, ROOT_S - masses.boson, N)
    k, pair = two_bodies(sum(beams(N)), ROOT_S, masses.boson, pair_mass, random_directions(N, rng))
    leptons = two_bodies(pair, pair_mass, masses.lepton, masses.lepton, random_directions(N, rng))
    daughters = two_bodies(k, masses.boson, daughter, daughter, random_directions(N, rng))
    return Point.seen(np.stack([*leptons, k]), daughters)


def leptonic(
    point: Point, masses: emission.Masses, vertex: np.ndarray
) -> tuple[list[np.ndarray], float]:
    """Currents J^m for the spins of l- and l+, and the size of a single diagram."""
    p1, p2, k = point.momenta
    m, mass2 = masses.lepton, masses.boson**2
    first = vertex @ propagator(p1 + k, m, 2 * contract(p1, k) + mass2)
    second = propagator(-p2 - k, m, 2 * contract(p2, k) + mass2) @ vertex
    currents, size = [], 0.0
    for u in spinors(p1, m):
        for v in antispinors(p2, m):
            one = np.stack([sandwich(u, first @ gamma, v) for gamma in GAMMA])
            two = np.stack([sandwich(u, gamma @ second, v) for gamma in GAMMA])
            currents.append(one + two)
            size = max(size, np.abs(one).max())
    return currents, size


def emitted(point: Point, masses: emission.Masses, vertices: list[np.ndarray]) -> np.ndarray:
    """T, summed over spins and the given vertices."""
    return sum(
        squared_sum(contract, point.annihilation(), leptonic(point, masses, vertex)[0])
        for vertex in vertices
    )


@each_emission
def test_emission(masses: emission.Masses):
    point = emission_point(masses)
    one = np.ones((N, 1, 1)) * np.eye(4)
    polarisations = vector_polarisations(point.momenta[2], masses.boson)
    vertices = {
        emission.VECTOR: [slash(e) for e in polarisations],
        emission.SCALAR: [one],
        emission.PSEUDOSCALAR: [1j * one @ GAMMA5],
    }
    at = emission.Invariants.of(point.events)
    for coupling, vertex in vertices.items():
        found = emission.squared_amplitude(coupling, masses, at)
        assert found == pytest.approx(emitted(point, masses, vertex), rel=1e-9), coupling.name


@each_emission
def test_emission_of_a_derivative_pseudoscalar(masses: emission.Masses):
    """(C/Lambda) d_m a lbar gamma^m gamma5 l is g_P = 2 m_l C/Lambda."""
    point = emission_point(masses)
    derivative = emitted(point, masses, [slash(point.momenta[2]) @ GAMMA5])
    at = emission.Invariants.of(point.events)
    expected = emission.squared_amplitude(emission.PSEUDOSCALAR, masses, at)
    assert derivative == pytest.approx((2 * masses.lepton) ** 2 * expected, rel=1e-7)


@each_emission
def test_currents_of_the_emission_are_conserved(masses: emission.Masses):
    point = emission_point(masses)
    total, k = point.electron + point.positron, point.momenta[2]
    currents, size = leptonic(point, masses, slash(k))
    assert np.abs(currents).max() < 1e-12 * size
    for polarisation in vector_polarisations(k, masses.boson):
        currents, size = leptonic(point, masses, slash(polarisation))
        scale = size * np.abs(total).max()
        assert max(np.abs(contract(total, j)).max() for j in currents) < 1e-12 * scale


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.49])
@each_emission
def test_decay_correlation_of_the_emission(masses: emission.Masses, ratio: float):
    daughter = ratio * masses.boson
    point = emission_point(masses, daughter)
    vertices = [slash(j) for j in point.fermion_currents(daughter, daughter)]
    at = emission.Invariants.of(point.events)
    trace = emission.squared_amplitude(emission.VECTOR, masses, at)
    found = emission.FermionPair(masses)(point.events, point.daughters)
    expected = emitted(point, masses, vertices) / (2 * masses.boson**2 * trace)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-9)


# ---- A' h' ---------------------------------------------------------------------------------------


def higgs_point(mass: float, m_hp: float, first: float, second: float) -> Point:
    rng = np.random.default_rng(4)
    pair = two_bodies(sum(beams(N)), ROOT_S, mass, m_hp, random_directions(N, rng))
    daughters = two_bodies(pair[0], mass, first, second, random_directions(N, rng))
    return Point.seen(pair, daughters)


HIGGS = [(0.3, 0.1), (3.0, 0.5), (9.0, 1.0)]
each_higgs = pytest.mark.parametrize(("mass", "m_hp"), HIGGS)


def at_cosine(cosine: float) -> np.ndarray:
    return np.array([[np.sqrt(1 - cosine**2)], [0.0], [cosine]])


@each_higgs
def test_higgsstrahlung(mass: float, m_hp: float):
    """Two nodes of Gauss integrate the angle, which is quadratic in its cosine, exactly."""
    squared = 0.0
    for cosine in (-np.sqrt(1 / 3), np.sqrt(1 / 3)):
        pair = two_bodies(sum(beams(1)), ROOT_S, mass, m_hp, at_cosine(cosine))
        point = Point.seen(pair, pair)
        polarisations = vector_polarisations(point.momenta[0], mass)
        squared += squared_sum(contract, point.annihilation(), polarisations)[0] / 2
    size = np.linalg.norm(pair[0, 1:])
    epsilon, alpha_h = 1e-3, 0.1
    couplings = E2 * epsilon**2 * 4 * np.pi * alpha_h * (2 * mass / (S - mass**2)) ** 2
    expected = couplings * squared / 4 / (2 * S) * size / (4 * np.pi * ROOT_S) * HBAR_C2
    hard = higgsstrahlung.Higgsstrahlung(mass, m_hp, epsilon, alpha_h)
    assert hard.cross_section(np.array([S])) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.3, 0.3), (0.3, 0.5), (0.5, 0.3), (0.1, 0.89)])
@each_higgs
def test_fermions_of_higgsstrahlung(mass: float, m_hp: float, shares: tuple[float, float]):
    first, second = (share * mass for share in shares)
    point = higgs_point(mass, m_hp, first, second)
    vector = point.momenta[0]
    currents = [transverse(j, vector) for j in point.fermion_currents(first, second)]
    trace = squared_sum(contract, point.annihilation(), vector_polarisations(vector, mass))
    found = higgsstrahlung.FermionPair(first, second)(point.events, point.daughters)
    expected = squared_sum(contract, point.annihilation(), currents)
    expected /= 2 * (mass**2 - (first - second) ** 2) * trace
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)


@each_higgs
def test_scalars_of_higgsstrahlung(mass: float, m_hp: float):
    """The bound is reached by the polarisation in the plane of the beams."""
    point = higgs_point(mass, m_hp, PION, PION)
    vector, difference = point.momenta[0], point.daughters[0] - point.daughters[1]
    tensor = np.array(
        [
            [sum(contract(j, e) * contract(j, f).conj() for j in point.annihilation()) for f in es]
            for es in [vector_polarisations(vector, mass)]
            for e in es
        ]
    )
    largest = np.linalg.eigvalsh(np.moveaxis(tensor, -1, 0))[:, -1]
    expected = squared_sum(contract, point.annihilation(), [difference])
    expected /= -contract(difference, difference) * largest
    found = higgsstrahlung.scalars(point.events, point.daughters)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("mass", [2.5, 3.0, 7.0])
def test_dark_higgs_with_an_off_shell_vector(mass: float):
    """Three final particles: d sigma/dQ^2 from the whole amplitude, averaged over all angles.

    The decay is quadratic in its direction, so that three axes are exact.
    """
    hard = OffShellHiggsstrahlung(3.0, 0.5, 1.0, 1.4, 1e-3, 0.1)
    squared = 0.0
    for cosine in (-np.sqrt(1 / 3), np.sqrt(1 / 3)):
        pair = two_bodies(sum(beams(1)), ROOT_S, mass, hard.m_hp, at_cosine(cosine))
        for axis in np.eye(3):
            daughters = two_bodies(pair[0], mass, 1.0, 1.4, axis[:, None])
            point = Point.seen(pair, daughters)
            currents = [transverse(j, point.momenta[0]) for j in point.fermion_currents(1.0, 1.4)]
            squared += squared_sum(contract, point.annihilation(), currents)[0] / 6
    at_rest = two_bodies(momentum(mass, np.zeros((3, 1))), mass, 1.0, 1.4, at_cosine(1.0))
    phase_space = np.linalg.norm(pair[0, 1:]) / (4 * np.pi * ROOT_S)
    phase_space *= np.linalg.norm(at_rest[0, 1:]) / (4 * np.pi * mass) / (2 * np.pi)
    width2 = 9.0 * hard.width(np.array(9.0)) ** 2
    couplings = E2 * hard.epsilon**2 * (4 * np.pi * hard.alpha_d) ** 2 * 4 * (2 * hard.m_ap) ** 2
    couplings /= ((S - 9.0) ** 2 + width2) * ((mass**2 - 9.0) ** 2 + width2)
    expected = couplings * squared / 4 / (2 * S) * phase_space * HBAR_C2
    found = hard.distribution(np.array([S]), np.array([mass**2]))
    assert found == pytest.approx(expected, rel=1e-9)


# ---- chi2 -> chi1 and a pair ---------------------------------------------------------------------


def chi2_squared(decay: Chi2Decay, q: float, cosine: float, *, scalars: bool) -> float:
    """Sum over spins without couplings, with a unit form factor."""
    m2, m1, m = decay.model.m_chi2, decay.model.m_chi1, decay.pair.mass
    chi2 = momentum(m2, np.zeros((3, 1)))
    chi1, pair = two_bodies(chi2, m2, m1, q, np.array([[0.0], [0.0], [1.0]]))
    minus, plus = two_bodies(pair, q, m, m, at_cosine(cosine))
    chi = [current(u1, u2) for u1 in spinors(chi1, m1) for u2 in spinors(chi2, m2)]
    if scalars:
        other = [minus - plus]
    else:
        other = [current(u, v) for u in spinors(minus, m) for v in antispinors(plus, m)]
    return float(squared_sum(contract, chi, other)[0])


PAIRS = {"ee": LeptonPair(MASS_E), "mumu": LeptonPair(MASS_MU), "pipi": ScalarPair(PION)}


@pytest.mark.parametrize("q", [0.285, 0.35, 0.398])
@pytest.mark.parametrize("mode", PAIRS)
def test_decay_of_chi2(mode: str, q: float):
    """The rate into pions is that of a unit form factor times R over its R."""
    pair = PAIRS[mode]
    decay = Chi2Decay(InelasticDarkMatter(1.0, 0.4, 3.0, 1.0, 1.0), mode, pair)
    scalars = isinstance(pair, ScalarPair)

    def squared(cosine: float) -> float:
        return chi2_squared(decay, q, cosine, scalars=scalars)

    curvature = pair.curvature((1.4 + 1.0) ** 2, np.array([q**2]))[0]
    for cosine in (-0.9, 0.4, 1.0):
        expected = 1 + curvature * cosine**2
        assert squared(cosine) / squared(0.0) == pytest.approx(expected, rel=1e-9)

    mean = squared(np.sqrt(1 / 3))
    in_chi2 = np.sqrt((2.4**2 - q**2) * (0.4**2 - q**2)) / (2 * 1.4)
    in_pair = np.sqrt(q**2 / 4 - pair.mass**2)
    phase_space = in_chi2 / (4 * np.pi * 1.4) * in_pair / (4 * np.pi * q) / (2 * np.pi)
    couplings = E2 * 4 * np.pi / (q**2 - 9) ** 2
    expected = couplings * mean / 2 / (2 * 1.4) * phase_space
    if scalars:
        unit = (1 - 4 * PION**2 / q**2) ** 1.5 / 4
        expected *= r_ratio(mode, np.array([q])) / unit
    assert decay.density(np.array([q**2])) == pytest.approx(expected, rel=1e-9)


# ---- gamma A' ------------------------------------------------------------------------------------


def radiative(
    pa: np.ndarray, pb: np.ndarray, k: np.ndarray, mass: float
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Sum over the beams' spins of the squared amplitude, from two polarisations."""
    one, two = -2 * contract(pa, k), -2 * contract(pb, k)

    def squared(photon: np.ndarray, vector: np.ndarray) -> np.ndarray:
        matrix = slash(vector) @ propagator(pa - k, mass, one) @ slash(photon)
        matrix = matrix + slash(photon) @ propagator(k - pb, mass, two) @ slash(vector)
        return squared_sum(
            lambda v, u: sandwich(v, matrix, u), antispinors(pb, mass), spinors(pa, mass)
        )

    return squared


def summed(squared, photons: list[np.ndarray], vectors: list[np.ndarray]) -> np.ndarray:
    return sum(squared(photon, vector) for photon in photons for vector in vectors)


@pytest.mark.parametrize("mass", [1e-3, 0.01, 0.019])
def test_photon_with_a_dark_photon_off_massive_electrons(mass: float):
    """At 20 MeV, where the mass of the electron counts at all angles."""
    root_s, epsilon = 0.02, 1e-3
    s = np.full(N, root_s**2)
    hard = with_photon.PhotonDarkPhoton(mass, epsilon)
    (photon, vector), weight = hard.sample(s, np.random.default_rng(5))
    pa, pb = beams(N, MASS_E, root_s)
    vectors = vector_polarisations(vector, mass)
    squared = summed(radiative(pa, pb, photon, MASS_E), photon_polarisations(photon), vectors)
    beta = np.sqrt(1 - 4 * MASS_E**2 / s)
    cosine = photon[3] / photon[0]
    phase_space = photon[0] / (8 * np.pi * root_s)
    by_cosine = (E2 * epsilon) ** 2 * squared / 4 / (2 * s * beta) * phase_space * HBAR_C2
    by_rapidity = by_cosine * (1 - (beta * cosine) ** 2) / beta
    assert weight == pytest.approx(by_rapidity * 2 * np.arctanh(beta), rel=1e-7)


@pytest.mark.parametrize("daughter", [0.0, PION, 0.24])
@pytest.mark.parametrize("mass", [0.5, 5.0, 10.0])
def test_decay_correlation_with_a_photon(mass: float, daughter: float):
    rng = np.random.default_rng(6)
    pair = two_bodies(sum(beams(N)), ROOT_S, 0.0, mass, random_directions(N, rng))
    daughters = two_bodies(pair[1], mass, daughter, daughter, random_directions(N, rng))
    point = Point.seen(pair, daughters)
    photon, vector = point.momenta
    squared = radiative(point.electron, point.positron, photon, 0.0)
    photons = photon_polarisations(photon)
    trace = summed(squared, photons, vector_polarisations(vector, mass))

    fermions = summed(squared, photons, point.fermion_currents(daughter, daughter))
    found = with_photon.fermion_pair(point.events, point.daughters)
    assert found == pytest.approx(fermions / (2 * mass**2 * trace), rel=1e-8)

    difference = point.daughters[0] - point.daughters[1]
    scalars = summed(squared, photons, [difference])
    found = with_photon.scalars(point.events, point.daughters)
    size2 = -contract(difference, difference)
    assert found == pytest.approx(2 * scalars / (size2 * trace), rel=1e-8, abs=1e-10)
