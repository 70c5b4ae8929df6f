"""Spins of taus against explicit Dirac spinors: polarimeters, and rates of both charges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.decays.tau.currents import three_pion_current, transverse
from darkbelle.gen.decays.tau.hadronic import hadronic_vector
from darkbelle.gen.particles import (
    ELECTRON,
    K_S,
    KAON,
    MASS_TAU,
    MUON,
    NU_E,
    NU_MU,
    NU_TAU,
    PI0,
    PION,
    TAU,
    conjugate,
    species,
)
from darkbelle.gen.phasespace import decay_at_rest
from tests.grids import spanned
from tests.physics import spinors as dirac

LEFT = np.eye(4) - dirac.GAMMA5
N = 200


def mode_of(*daughters: int) -> DecayMode:
    """Of the tau-, and of the tau+ where the neutrino is one of the latter."""
    code = TAU if daughters[-1] == NU_TAU else -TAU
    return next(mode for mode in decay_modes(code) if mode.daughters == daughters)


def conjugates(daughters: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(conjugate(code) for code in daughters)


def at_rest(n: int) -> np.ndarray:
    return np.stack([np.full(n, MASS_TAU), *np.zeros((3, n))])


def polarised(states: list[np.ndarray], s: np.ndarray) -> np.ndarray:
    """Superposition of the states with sigma_z = +1 and -1 that has sigma.s = 1, shape (n, 4)."""
    theta, phi = np.arccos(s[2]), np.arctan2(s[1], s[0])
    up, down = np.cos(theta / 2), np.sin(theta / 2) * np.exp(1j * phi)
    return up[:, None] * states[0] + down[:, None] * states[1]


def left_current(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Leftbar gamma^m (1 - gamma5) right, shape (4, n)."""
    return dirac.current(left, right @ LEFT.T)


def rate(daughters: tuple[int, ...], momenta: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Squared amplitude of a tau with the spin s, summed over all other spins, shape (n,)."""
    is_particle = daughters[-1] == NU_TAU
    tau, neutrino = at_rest(momenta.shape[2]), momenta[-1]
    if is_particle:
        spin = polarised(dirac.spinors(tau, MASS_TAU), s)
        currents = [left_current(u, spin) for u in dirac.spinors(neutrino, 0.0)]
    else:
        # Negative energies: a spin s is the lack of one.
        spin = polarised(dirac.antispinors(tau, MASS_TAU), -s)
        currents = [left_current(spin, v) for v in dirac.antispinors(neutrino, 0.0)]
    others = matter_currents(daughters, momenta, is_particle=is_particle)
    pairs = ((one, other) for one in currents for other in others)
    return sum(np.abs(dirac.contract(one, other)) ** 2 for one, other in pairs)


def matter_currents(
    daughters: tuple[int, ...], momenta: np.ndarray, *, is_particle: bool
) -> list[np.ndarray]:
    """Of all but the tau and its neutrino."""
    if len(daughters) == 2:
        return [momenta[0].astype(complex)]
    if abs(daughters[0]) not in (ELECTRON, MUON):
        return [hadronic_current(momenta)]
    lepton, neutrino = momenta[:2]
    mass = species(daughters[0]).mass
    if is_particle:
        return [
            left_current(u, v)
            for u in dirac.spinors(lepton, mass)
            for v in dirac.antispinors(neutrino, 0.0)
        ]
    return [
        left_current(u, v)
        for u in dirac.spinors(neutrino, 0.0)
        for v in dirac.antispinors(lepton, mass)
    ]


def hadronic_current(momenta: np.ndarray) -> np.ndarray:
    """Kuehn and Santamaria, written out again; the form factor of a pair drops out."""
    *hadrons, _ = momenta
    total = sum(hadrons)
    square = dirac.contract(total, total)

    def across(p: np.ndarray) -> np.ndarray:
        return p - total * dirac.contract(total, p) / square

    if len(hadrons) == 2:
        return across(hadrons[0] - hadrons[1]).astype(complex)
    first, second, odd = hadrons
    current = across(first - odd) * rho_lines(first + odd)
    return current + across(second - odd) * rho_lines(second + odd)


def rho_lines(pair: np.ndarray) -> np.ndarray:
    s, m_pi = dirac.contract(pair, pair), species(PION).mass

    def line(mass: float, width: float) -> np.ndarray:
        p = np.sqrt(np.maximum(s / 4 - m_pi**2, 0))
        running = width * mass**2 / s * (p / np.sqrt(mass**2 / 4 - m_pi**2)) ** 3
        return mass**2 / (mass**2 - s - 1j * np.sqrt(s) * running)

    return (line(0.773, 0.145) - 0.145 * line(1.370, 0.510)) / 0.855


def flat(daughters: tuple[int, ...], n: int, seed: int) -> np.ndarray:
    own = [species(code).mass for code in daughters]
    return decay_at_rest(np.full(n, MASS_TAU), own, np.random.default_rng([75, seed]))


ANALYSED = [
    (ELECTRON, -NU_E, NU_TAU),
    (MUON, -NU_MU, NU_TAU),
    (-PION, NU_TAU),
    (-KAON, NU_TAU),
    (-PION, PI0, NU_TAU),
    (K_S, -PION, NU_TAU),
    (-KAON, PI0, NU_TAU),
    (PI0, PI0, -PION, NU_TAU),
    (-PION, -PION, PION, NU_TAU),
]
BOTH = [*ANALYSED, *(conjugates(daughters) for daughters in ANALYSED)]


@pytest.mark.parametrize("daughters", BOTH, ids=str)
def test_polarimeters(daughters: tuple[int, ...]):
    """Rates of opposite spins differ by h.s of their sum, in any direction s."""
    momenta = flat(daughters, N, 1)
    h = mode_of(*daughters).polarimeter(momenta)
    for seed in (1, 2):
        s = dirac.random_directions(N, np.random.default_rng([76, seed]))
        along, against = rate(daughters, momenta, s), rate(daughters, momenta, -s)
        asymmetry = (along - against) / (along + against)
        np.testing.assert_allclose(np.sum(h * s, axis=0), asymmetry, atol=1e-9)


def test_any_current():
    """Rates of a tau- are 8 V.(P - m s) per spin, whatever the current."""
    rng = np.random.default_rng(77)
    tau, s = at_rest(N), dirac.random_directions(N, rng)
    neutrino = dirac.momentum(0.0, rng.normal(size=(3, N)))
    current = rng.normal(size=(4, N)) + 1j * rng.normal(size=(4, N))
    vector = hadronic_vector(current, neutrino)
    spin = polarised(dirac.spinors(tau, MASS_TAU), s)
    found = sum(
        np.abs(dirac.contract(left_current(u, spin), current)) ** 2
        for u in dirac.spinors(neutrino, 0.0)
    )
    expected = 4 * MASS_TAU * (vector[0] + np.sum(vector[1:] * s, axis=0))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_three_pion_current():
    momenta = flat((-PION, -PION, PION, NU_TAU), N, 2)
    np.testing.assert_allclose(
        three_pion_current(*momenta[:3]), hadronic_current(momenta), rtol=1e-10, atol=1e-12
    )
    total = momenta[:3].sum(axis=0)
    assert np.abs(dirac.contract(transverse(momenta[0], total), total)).max() < 1e-14


# ---- rates ---------------------------------------------------------------------------------------


def mirror_odd(momenta: np.ndarray) -> np.ndarray:
    """Changes sign in a mirror, not under exchange of the equal pions."""
    first, second, odd, _ = momenta
    volume = np.sum(np.cross(first[1:], second[1:], axis=0) * odd[1:], axis=0)
    pairs = (first + odd, second + odd)
    s2, s1 = (dirac.contract(pair, pair) for pair in pairs)
    return np.sign(volume * (s1 - s2))


def neutrino_in_plane(momenta: np.ndarray) -> np.ndarray:
    """Squared cosine between the neutrino and the plane's normal, in the pions' frame."""
    total = momenta[:3].sum(axis=0)
    mass = np.sqrt(dirac.contract(total, total))
    back = total * np.array([1, -1, -1, -1])[:, None]
    first, second, neutrino = (dirac.boosted(p, back, mass)[1:] for p in momenta[[0, 1, 3]])
    normal = np.cross(first, second, axis=0)
    normal /= np.linalg.norm(normal, axis=0)
    return np.sum(normal * neutrino, axis=0) ** 2 / np.sum(neutrino**2, axis=0)


def pair_mass(i: int, j: int) -> Callable[[np.ndarray], np.ndarray]:
    def mass(momenta: np.ndarray) -> np.ndarray:
        pair = momenta[i] + momenta[j]
        return np.sqrt(dirac.contract(pair, pair))

    return mass


def neutrino_energy(momenta: np.ndarray) -> np.ndarray:
    return momenta[-1, 0]


def lepton_energy(momenta: np.ndarray) -> np.ndarray:
    return momenta[0, 0]


def a1_weight(momenta: np.ndarray) -> np.ndarray:
    """Square of the propagator, with g(Q^2) written out again."""
    total = momenta[:3].sum(axis=0)
    s = dirac.contract(total, total)
    m_pi = species(PION).mass

    def g(s: np.ndarray) -> np.ndarray:
        d = s - 9 * m_pi**2
        low = 4.1 * d**3 * (1 - 3.3 * d + 5.8 * d**2)
        high = s * (1.623 + 10.38 / s - 9.32 / s**2 + 0.65 / s**3)
        return np.where(s < (0.773 + m_pi) ** 2, low, high)

    m2 = 1.251**2
    return m2**2 / ((m2 - s) ** 2 + (1.251 * 0.599 * g(s) / g(np.array(m2))) ** 2)


def compared(daughters: tuple[int, ...], observables: list, n_flat: int) -> None:
    """Means over generated taus, and over flat phase space weighted by the rate."""
    generated = mode_of(*daughters).sample(np.full(60_000, MASS_TAU), np.random.default_rng(78))
    momenta = flat(daughters, n_flat, 3)
    up = np.tile([[0.0], [0.0], [1.0]], n_flat)
    weight = rate(daughters, momenta, up) + rate(daughters, momenta, -up)
    if len(daughters) == 4:
        weight *= a1_weight(momenta)
    weight /= weight.mean()
    for observable in observables:
        here, there = observable(generated), observable(momenta)
        expected = np.mean(weight * there)
        error = np.hypot(
            here.std() / np.sqrt(len(here)), np.std(weight * (there - expected)) / np.sqrt(n_flat)
        )
        assert abs(here.mean() - expected) < 4 * error, observable


THREE_PIONS = [daughters for daughters in BOTH if len(daughters) == 4]


@pytest.mark.parametrize(
    "daughters",
    spanned(
        [(daughters,) for daughters in THREE_PIONS],  # each and its charge conjugate
        [((-211, -211, 211, 16),), ((111, 111, 211, -16),)],
    ),
    ids=str,
)
def test_three_pions_follow_the_matrix_element(daughters: tuple[int, ...]):
    observables = [
        mirror_odd,
        neutrino_in_plane,
        pair_mass(0, 1),
        pair_mass(0, 2),
        pair_mass(1, 2),
        neutrino_energy,
    ]
    compared(daughters, observables, 60_000)


@pytest.mark.parametrize("sign", [1, -1])
def test_three_pions_tell_tau_from_antitau(sign: int):
    """What is odd in a mirror has opposite means, which are far from zero."""
    daughters = (-PION, -PION, PION, NU_TAU)
    mode = mode_of(*(daughters if sign > 0 else conjugates(daughters)))
    odd = mirror_odd(mode.sample(np.full(60_000, MASS_TAU), np.random.default_rng(79)))
    assert 0.05 < sign * odd.mean() < 0.1


@pytest.mark.parametrize("daughters", [d for d in ANALYSED if d[0] in (ELECTRON, MUON)], ids=str)
def test_leptons_follow_the_matrix_element(daughters: tuple[int, ...]):
    compared(daughters, [lepton_energy, neutrino_energy, pair_mass(0, 1), pair_mass(0, 2)], 20_000)
