"""Photons of any decay: exact pairs, soft limit, exact lepton and tau decays, published rates."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from darkbelle.gen.decays.amplitudes import MUON_DECAY
from darkbelle.gen.kinematics import dot, two_body
from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.gen.radiation import (
    FERMIONS_FROM_SCALAR,
    FERMIONS_FROM_VECTOR,
    SCALARS_FROM_SCALAR,
    X_MIN,
    Kernel,
    Radiated,
    radiate_decay,
)
from darkbelle.gen.radiation import decays as decays_module
from darkbelle.units import ALPHA_EM
from tests.gen.radiation.test_pairs import (
    FRAMES,
    GAMMA,
    GAMMA_5,
    METRIC,
    boosted,
    hardest,
    mean_number,
    n_photons,
    pairs,
)

P_MIN = 1e-4
PI, K, K_S, D0, D, B = 0.13957, 0.493677, 0.497611, 1.86484, 1.86966, 5.27934
PROTON, LAMBDA, MUON_MASS = 0.938272, 1.115683, MASS_MU

E_NU_NU = MASS_TAU, (11, -12, 16), (MASS_E, 0.0, 0.0)
MU_NU_NU = MASS_TAU, (13, -14, 16), (MASS_MU, 0.0, 0.0)
MICHEL = MASS_MU, (11, -12, 14), (MASS_E, 0.0, 0.0)
PI_NU = MASS_TAU, (-211, 16), (PI, 0.0)
THREE_PI_NU = MASS_TAU, (-211, 211, -211, 16), (PI, PI, PI, 0.0)
K_SCALAR = B, (321, 54), (K, 1.0)
K_HEAVY = B, (321, 54), (K, 4.7)
K_PI = D0, (-321, 211), (K, PI)
K_PI_PI = D, (-321, 211, 211), (K, PI, PI)
K_MU_MU = B, (321, 13, -13), (K, MASS_MU, MASS_MU)
P_PI = LAMBDA, (2212, -211), (PROTON, PI)
NU_MU_MU = 2.0, (16, 13, -13), (0.0, MASS_MU, MASS_MU)
MODES = {
    "tau to e": E_NU_NU,
    "tau to mu": MU_NU_NU,
    "mu to e": MICHEL,
    "tau to pi": PI_NU,
    "tau to 3 pi": THREE_PI_NU,
    "B to K S": K_SCALAR,
    "B to K, slow": K_HEAVY,
    "D0 to K pi": K_PI,
    "D to K pi pi": K_PI_PI,
    "B to K mu mu": K_MU_MU,
    "Lambda": P_PI,
    "N to nu mu mu": NU_MU_MU,
}
Kind = tuple[float, tuple[int, ...], tuple[float, ...]]
each_mode = pytest.mark.parametrize("kind", MODES.values(), ids=MODES)


def born(kind: Kind, n: int, rng: np.random.Generator) -> np.ndarray:
    """Decays at rest, shape (n_daughters, 4, n)."""
    mass, _, masses = kind
    element = MUON_DECAY if masses[1:] == (0.0, 0.0) else None
    return decay_at_rest(np.full(n, mass), masses, rng, element)


def radiated_by(kind: Kind, n: int, seed: int) -> tuple[np.ndarray, Radiated]:
    """Decays at rest before and after."""
    rng = np.random.default_rng(seed)
    momenta = born(kind, n, rng)
    return momenta, radiate_decay(momenta, kind[1], kind[2], rng)


# ---- pairs, whose exact emission is known --------------------------------------------------------


@pytest.fixture
def _strong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Emissions do not depend on the coupling; ten times as many hard ones."""
    monkeypatch.setattr(decays_module, "ALPHA_EM", 10 * ALPHA_EM)
    monkeypatch.setattr(decays_module, "X_MIN", 0.05)


def hardest_of_pairs(
    code: int, mass: float, root_s: float, n: int
) -> tuple[Radiated, np.ndarray, np.ndarray, np.ndarray]:
    """Events that radiate, their hardest photons and x."""
    rng = np.random.default_rng(81)
    momenta = pairs(np.full(n, root_s), mass, rng)
    radiated = radiate_decay(momenta, (code, -code), (mass, mass), rng)
    events, row = hardest(radiated)
    return radiated, events, row, 2 * radiated.photons[0, row] / root_s


@pytest.mark.usefixtures("_strong")
@pytest.mark.parametrize("root_s", [K_S, 1.1, B])
def test_spinless_pairs_are_exact(root_s: float):
    """Energy of the hardest, and rapidity of the negative pion along it, by the kernel."""
    radiated, events, row, x = hardest_of_pairs(-211, PI, root_s, 100_000)
    mu, kernel = (PI / root_s) ** 2, SCALARS_FROM_SCALAR
    silent = np.exp(-10 * mean_number(kernel, mu, 0.05, 1.0))
    found = np.count_nonzero(n_photons(radiated) == 0)
    assert stats.binomtest(found, 100_000, float(silent)).pvalue > P_MIN
    uniform = (np.exp(-10 * mean_number(kernel, mu, x, 1.0)) - silent) / (1 - silent)
    assert stats.kstest(uniform, "uniform").pvalue > P_MIN

    alone = n_photons(radiated)[events] == 1
    first, second = radiated.momenta[..., events[alone]]
    k, x = radiated.photons[:, row[alone]], x[alone]
    y = np.log(dot(second, k) / dot(first, k)) / 2
    y_max = np.arctanh(np.sqrt(1 - 4 * mu / (1 - x)))

    def primitive(y: np.ndarray) -> np.ndarray:
        return (1 - x - 2 * mu) * y - mu * np.sinh(2 * y)

    assert stats.kstest((1 + primitive(y) / primitive(y_max)) / 2, "uniform").pvalue > P_MIN


@pytest.mark.usefixtures("_strong")
@pytest.mark.parametrize(
    ("code", "mass", "root_s"),
    [pytest.param(11, MASS_E, 3.1, marks=pytest.mark.validation), (13, MASS_MU, B)],
)
def test_pairs_of_fermions_are_nearly_exact(code: int, mass: float, root_s: float):
    """Whatever the parent: 4 % up to 0.6 of the highest energy, beyond it what parents differ by.

    Photons at wide angle do not know the parent's spin: hardest ones lie between those from a
    scalar and from a vector.
    """
    n = 200_000
    *_, x = hardest_of_pairs(code, mass, root_s, n)
    mu = (mass / root_s) ** 2

    def between(kernel: Kernel, low: float, high: float) -> float:
        more, less = (10 * float(mean_number(kernel, mu, edge, 1.0)) for edge in (low, high))
        return n * (np.exp(-less) - np.exp(-more))

    for low, high in ((0.05, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        found = np.count_nonzero((x > low) & (x < high))
        by_scalar, by_vector = (
            between(kernel, low, high) for kernel in (FERMIONS_FROM_SCALAR, FERMIONS_FROM_VECTOR)
        )
        spare = (0.04 if high <= 0.6 else 0.02) + 4 / np.sqrt(found)
        assert (1 - spare) * by_vector < found < (1 + spare) * by_scalar
        assert high > 0.6 or found == pytest.approx(by_scalar, rel=spare)


# ---- soft photons --------------------------------------------------------------------------------


def exponent(momenta: np.ndarray, charges: tuple[int, ...]) -> float:
    """-alpha/(4 pi^2) of J^2 omega^2 over all angles, parent included, for one decay.

    By Feynman's parameter, 1/(p.n q.n) = int dz/(P.n)^2 with P = z p + (1 - z) q, and the integral
    of 1/(P.n)^2 over all directions n is 4 pi/P^2 (Yennie, Frautschi, Suura, Ann. Phys. 13 (1961)
    379).
    """
    everybody = [*momenta, momenta.sum(axis=0)]
    signs = [*charges, -sum(charges)]
    total = 0.0
    for p, one in zip(everybody, signs, strict=True):
        for q, other in zip(everybody, signs, strict=True):
            if one * other == 0:
                continue
            pp, qq, pq = (a @ METRIC @ b for a, b in ((p, p), (q, q), (p, q)))

            def inverse(u: float, pp: float = pp, qq: float = qq, pq: float = pq) -> float:
                z = 1 / (1 + np.exp(-u))
                return z * (1 - z) / (z**2 * pp + (1 - z) ** 2 * qq + 2 * z * (1 - z) * pq)

            total -= one * other * pq * integrate.quad(inverse, -40, 40, limit=200)[0]
    return ALPHA_EM / np.pi * total


CHARGES = {11: -1, 13: -1, -13: 1, 211: 1, -211: -1, 321: 1, -321: -1, 2212: 1}


@each_mode
@pytest.mark.parametrize("seed", [1, 2])
def test_soft_photons_have_the_rate_of_the_current(kind: Kind, seed: int):
    """Of one and the same decay, many times; charged parents radiate too."""
    n, low, high = 60_000, X_MIN, 3e-3
    mass, codes, masses = kind
    rng = np.random.default_rng(seed)
    momenta = born(kind, 1, rng)
    charges = tuple(CHARGES.get(code, 0) for code in codes)
    expected = n * np.log(high / low) * exponent(momenta[:, :, 0], charges)
    radiated = radiate_decay(momenta * np.ones(n), codes, masses, rng)
    x = 2 * radiated.photons[0] / mass
    found = np.count_nonzero((x > low) & (x < high))
    # What harder photons before them took, and the energy itself, are corrections of a per cent.
    assert abs(found - expected) < 4 * np.sqrt(expected) + 0.01 * expected


def test_soft_photons_interfere():
    """Of K+ pi- moving apart there are more than of either with a charged parent."""
    momenta = born((B, (321, -211), (K, PI)), 1, np.random.default_rng(3))[:, :, 0]
    together, kaon, pion = (exponent(momenta, q) for q in ((1, -1), (1, 0), (0, -1)))
    assert together > 1.05 * (kaon + pion)
    momenta = born((D0, (-321, 211), (K, PI)), 1, np.random.default_rng(3))[:, :, 0]
    assert exponent(momenta, (-1, 1)) > exponent(momenta, (1, 1))


def test_collinear_photons_know_the_spin_of_their_emitter(monkeypatch: pytest.MonkeyPatch):
    """[1 + (1 - xi)^2]/xi of a fermion over 2 (1 - xi)/xi, xi the share of the emitter's energy.

    The emitter has 0.3 of half of the parent's mass, and hardly a mass of its own.
    """
    monkeypatch.setattr(decays_module, "X_MIN", 0.03)
    n, light, heavy = 200_000, 1e-5, np.sqrt(0.7)
    rng = np.random.default_rng(80)
    momenta = np.stack(
        two_body(np.ones(n), light, heavy, 2 * rng.random(n) - 1, 2 * np.pi * rng.random(n))
    )
    edges = np.array([0.15, 0.3, 0.45, 0.6, 0.75, 0.9])
    counts = []
    for code in (11, 211):
        radiated = radiate_decay(momenta, (code, 54), (light, heavy), rng)
        p, k = radiated.momenta[0][:, radiated.event], radiated.photons
        collinear = dot(p, k) < 3e-4
        counts.append(np.histogram((k[0] / (p[0] + k[0]))[collinear], edges)[0])
    xi = (edges[1:] + edges[:-1]) / 2
    ratio = (1 + (1 - xi) ** 2) / (2 * (1 - xi))
    fermions, scalars = counts
    error = np.sqrt(fermions + ratio**2 * scalars)
    assert np.all(error < 0.25 * fermions)
    assert np.all(np.abs(fermions - ratio * scalars) < 3.5 * error + 0.03 * fermions)


# ---- leptonic decays, exactly --------------------------------------------------------------------

LEFT = (np.eye(4) - GAMMA_5) / 2


def slashed(p: np.ndarray) -> np.ndarray:
    return np.einsum("...m,mab->...ab", p @ METRIC, GAMMA)


def leptonic(operators: np.ndarray, p: np.ndarray, parent: np.ndarray, q: np.ndarray) -> np.ndarray:
    """|M|^2 over both neutrinos, of momentum q: their tensor is q^a q^b - q^2 g^ab.

    ``operators`` (n, n_polarisations, 4, 4, 4) stand between the leptons, with the index a.
    """
    mass, heavy = (np.sqrt(np.maximum((v @ METRIC * v).sum(axis=-1), 0.0)) for v in (p, parent))
    one = np.eye(4)
    light = slashed(p) + mass[..., None, None] * one
    barred = GAMMA[0] @ np.conj(np.swapaxes(operators, -1, -2)) @ GAMMA[0]
    left = light[:, None, None] @ operators @ (slashed(parent) + heavy * one)
    trace = np.einsum("nuxad,nuyda->nuxy", left, barred).real
    lowered = q @ METRIC
    tensor = np.einsum("nx,ny->nxy", lowered, lowered)
    tensor -= (q * lowered).sum(axis=-1)[:, None, None] * METRIC
    return np.einsum("nuxy,nxy->nu", trace, tensor)


def grid(mass: float, own: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Energies of a lepton beside two neutrinos, and their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    most = (mass**2 + own**2) / (2 * mass)
    return own + (most - own) * (nodes + 1) / 2, weights * (most - own) / 2


def leptonic_spectrum(x: float, mass: float, own: float, n: int = 14) -> float:
    """dN/dx at first order, by Gauss in energy and rapidity where all but the photon rests."""
    energy, weight = grid(mass, own, n)
    size, zero = np.sqrt(energy**2 - own**2), np.zeros(n)
    p = np.stack([energy, zero, zero, size], axis=-1)
    parent = np.array([mass, 0.0, 0.0, 0.0])
    without = leptonic((GAMMA @ LEFT)[None, None], p, parent, parent - p)[:, 0]

    root_s = mass * np.sqrt(1 - x)
    energies, weights = grid(root_s, own, n)
    nodes, shares = np.polynomial.legendre.leggauss(n)
    energy, share = np.repeat(energies, n), np.tile(nodes, n)
    along = energy * np.tanh(np.arccosh(energy / own) * share)
    size = np.sqrt(energy**2 - own**2)
    step = np.repeat(weights, n) * np.tile(shares, n) * np.arccosh(energy / own)
    step *= (energy**2 - along**2) / (energy * size)  # dcos/dy
    p = np.stack([energy, np.sqrt(size**2 - along**2), 0 * energy, along], axis=-1)
    omega = x * mass / (2 * np.sqrt(1 - x))
    k = omega * np.array([1.0, 0, 0, 1])
    rest = np.array([root_s, 0.0, 0.0, 0.0])
    from_light = np.einsum(
        "uab,nbc,xcd->nuxad", GAMMA, slashed(p + k) + own * np.eye(4), GAMMA @ LEFT
    )
    from_heavy = np.einsum(
        "xab,bc,ucd->uxad", GAMMA @ LEFT, slashed(rest) + mass * np.eye(4), GAMMA
    )
    operators = from_light / (2 * p @ METRIC @ k)[:, None, None, None, None]
    operators -= from_heavy / (2 * (rest + k) @ METRIC @ k)
    squared = -leptonic(operators, p, rest + k, rest - p) @ np.diag(METRIC)
    ratio = np.sum(step * size * squared / 2) / np.sum(
        weight * np.sqrt(grid(mass, own, n)[0] ** 2 - own**2) * without
    )
    return ALPHA_EM * x * mass / (2 * np.pi) * ratio * mass / 2


@cache
def leptonic_number(mass: float, own: float, low: float, high: float) -> float:
    """First-order number of photons with low < x < high."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    span = np.log(high / low)
    x = low * np.exp((nodes + 1) / 2 * span)
    return sum(
        w * span / 2 * at * leptonic_spectrum(at, mass, own)
        for at, w in zip(x, weights, strict=True)
    )


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(E_NU_NU, id="tau-e"),
        pytest.param(MU_NU_NU, id="tau-mu", marks=pytest.mark.validation),
        pytest.param(MICHEL, id="mu-e"),
    ],
)
def test_leptonic_decays(kind: Kind):
    """The spectrum of the exact matrix element, of tau and lepton, to 3 % and 10 % at its end."""
    n = 250_000
    mass, _, (own, *_) = kind
    _, radiated = radiated_by(kind, n, 82)
    x = 2 * radiated.photons[0, hardest(radiated)[1]] / mass
    edges = (2e-3, 0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.9)
    more = 0.0
    for low, high in list(pairwise(edges))[::-1]:
        here = leptonic_number(mass, own, low, high)
        expected = n * np.exp(-more) * -np.expm1(-here)
        more += here
        found = np.count_nonzero((x > low) & (x < high))
        spare = 0.03 if high <= 0.5 else 0.1
        assert abs(found - expected) < 4 * np.sqrt(expected) + spare * expected


@pytest.mark.parametrize(
    ("kind", "fraction", "value", "error"),
    [
        pytest.param(E_NU_NU, 0.1782, 0.0183, 0.0005, id="tau-e"),
        pytest.param(MU_NU_NU, 0.1739, 0.00367, 0.00008, id="tau-mu", marks=pytest.mark.validation),
        pytest.param(MICHEL, 1.0, 0.0131, 0.0002, id="mu-e"),
    ],
)
def test_published_fractions(kind: Kind, fraction: float, value: float, error: float):
    """Above 10 MeV: taus PDG 2024; muons first order, Fael, Mercolli, Passera (JHEP 07 (2015) 153).

    Those with two photons count for electrons of the tau: between none and all of 5 %.
    """
    n = 200_000
    _, radiated = radiated_by(kind, n, 83)
    share = len(np.unique(radiated.event[radiated.photons[0] > 0.01])) / n
    noise = np.sqrt(share / n)
    assert abs(-np.log1p(-share) * fraction - value) < error + 4 * noise * fraction


# ---- hadronic decays -----------------------------------------------------------------------------


def pion_spectrum(x: float) -> float:
    """dN/dx of tau -> pi nu gamma, inner bremsstrahlung, by its amplitude.

    u(nu) (1 + gamma5) [p.e/p.k - P.e/P.k + k e/(2 P.k)] u(tau), slashes left out: Decker and
    Finkemeier, Phys. Rev. D48 (1993) 4203.
    """
    root_s, omega = MASS_TAU * np.sqrt(1 - x), x * MASS_TAU / (2 * np.sqrt(1 - x))
    k, rest = omega * np.array([1.0, 0, 0, 1]), np.array([root_s, 0.0, 0, 0])
    parent = rest + k
    size = (root_s**2 - PI**2) / (2 * root_s)
    right = np.eye(4) + GAMMA_5

    def squared(operator: np.ndarray, q: np.ndarray, parent: np.ndarray) -> float:
        inner = right @ operator
        barred = GAMMA[0] @ inner.conj().T @ GAMMA[0]
        trace = slashed(q) @ inner @ (slashed(parent) + MASS_TAU * np.eye(4)) @ barred
        return np.trace(trace).real

    def at(y: float) -> float:
        along = np.hypot(size, PI) * np.tanh(y)
        p = np.array([np.hypot(size, PI), np.sqrt(max(size**2 - along**2, 0.0)), 0.0, along])
        current = p / (p @ METRIC @ k) - parent / (parent @ METRIC @ k)
        total = 0.0
        for mu in range(4):
            flip = slashed(k) @ GAMMA[mu] / (2 * parent @ METRIC @ k)
            total -= METRIC[mu, mu] * squared(current[mu] * np.eye(4) + flip, rest - p, parent)
        return total * p[0] / size / np.cosh(y) ** 2

    still = np.array([MASS_TAU, 0.0, 0, 0])
    before = (MASS_TAU**2 - PI**2) / (2 * MASS_TAU)
    without = squared(np.eye(4), before * np.array([1.0, 0, 0, 1]), still)
    y_max = np.arctanh(size / np.hypot(size, PI))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    total = y_max * sum(w * at(y_max * y) for y, w in zip(nodes, weights, strict=True))
    flatter = (size / root_s) / (before / MASS_TAU)
    return ALPHA_EM * x * MASS_TAU**2 / (8 * np.pi) * flatter * total / without


def test_tau_to_pion():
    """4 % up to three quarters of the highest energy; the tau's own spin is left out."""
    n = 400_000
    _, radiated = radiated_by(PI_NU, n, 84)
    x = 2 * radiated.photons[0, hardest(radiated)[1]] / MASS_TAU
    nodes, weights = np.polynomial.legendre.leggauss(4)
    for low, high in ((1e-3, 0.01), (0.01, 0.1), (0.1, 0.3), (0.3, 0.75)):
        span = np.log(high / low)
        at = low * np.exp((nodes + 1) / 2 * span)
        number = sum(w * span / 2 * x * pion_spectrum(x) for x, w in zip(at, weights, strict=True))
        found = np.count_nonzero((x > low) & (x < high))
        assert abs(found - n * number) < 4 * np.sqrt(found) + 0.04 * found


def test_kaons_to_two_pions():
    """K_S -> pi pi gamma above 50 MeV: 1.79e-3 of 0.6920 (PDG 2024)."""
    n = 300_000
    _, radiated = radiated_by((K_S, (211, -211), (PI, PI)), n, 85)
    share = np.count_nonzero(radiated.photons[0] > 0.05) / n
    assert abs(share - 1.79e-3 / 0.6920) < 0.05e-3 / 0.6920 + 4 * np.sqrt(share / n)


# ---- momenta -------------------------------------------------------------------------------------


@each_mode
@pytest.mark.parametrize("frame", FRAMES)
def test_momenta_are_balanced_and_on_shell(kind: Kind, frame: tuple[float, ...]):
    n = 20_000
    rng = np.random.default_rng(86)
    before = boosted(born(kind, n, rng), frame)
    radiated = radiate_decay(before, kind[1], kind[2], rng)
    after = radiated.momenta.sum(axis=0)
    for component, photons in zip(after, radiated.photons, strict=True):
        component += np.bincount(radiated.event, photons, n)
    total = before.sum(axis=0)
    assert np.abs(after - total).max() < 1e-12 * total[0].max()
    for p, mass in zip(radiated.momenta, kind[2], strict=True):
        assert np.abs(dot(p, p) - mass**2).max() < 1e-12 * total[0].max() ** 2
        assert p[0].min() >= mass
    k = radiated.photons
    assert np.all(np.abs(dot(k, k)) < 1e-12 * k[0] * total[0].max())
    assert len(radiated.event) > 10
    silent = n_photons(radiated) == 0
    assert np.array_equal(radiated.momenta[..., silent], before[..., silent])
    assert np.all(np.diff(radiated.event) >= 0)


@pytest.mark.parametrize("kind", [E_NU_NU, PI_NU, K_SCALAR, K_PI, P_PI])
def test_any_frame(kind: Kind):
    """Also that of a parent that flies: the same energies of what has the same random numbers.

    But for the azimuth, which has no origin of its own; where it counts, for three bodies with
    several charges, decays differ after their first photons.
    """
    frame = (11.0, 0.4, -0.3, 3.0)
    at_rest = born(kind, 20_000, np.random.default_rng(87))
    here = radiate_decay(at_rest, kind[1], kind[2], np.random.default_rng(88))
    there = radiate_decay(boosted(at_rest, frame), kind[1], kind[2], np.random.default_rng(88))
    assert np.array_equal(here.event, there.event)
    single = n_photons(here)[here.event] == 1
    energies = [
        dot(radiated.photons, momenta.sum(axis=0)[:, radiated.event])[single]
        for radiated, momenta in ((here, at_rest), (there, boosted(at_rest, frame)))
    ]
    assert energies[0] == pytest.approx(energies[1], rel=1e-6)


@pytest.mark.usefixtures("_strong")
def test_what_recoils_keeps_its_direction():
    """And its inner angles; the photon has any azimuth around it."""
    rng = np.random.default_rng(89)
    n = 40_000
    one = born(E_NU_NU, 1, rng) * np.ones(n)
    radiated = radiate_decay(one, E_NU_NU[1], E_NU_NU[2], rng)
    events, row = hardest(radiated)
    alone = n_photons(radiated)[events] == 1
    events, k = events[alone], radiated.photons[:, row[alone]]
    before, after = one[1:, :, 0].sum(axis=0), radiated.momenta[1:, :, events].sum(axis=0)
    axis = before[1:] / np.linalg.norm(before[1:])
    assert axis @ after[1:] == pytest.approx(np.linalg.norm(after[1:], axis=0), rel=1e-9)
    inner = dot(*radiated.momenta[1:, :, events])
    assert inner == pytest.approx(dot(*one[1:, :, 0]) * np.ones(len(events)), rel=1e-9)
    up = np.cross(axis, [1.0, 0.0, 0.0])
    up /= np.linalg.norm(up)
    azimuth = np.arctan2(np.cross(axis, up) @ k[1:], up @ k[1:])
    assert len(azimuth) > 5000
    assert stats.kstest(azimuth, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > P_MIN


@pytest.mark.usefixtures("_strong")
def test_the_order_of_daughters_does_not_matter():
    """Shares of photons that are closest to each, whoever comes first."""
    rng = np.random.default_rng(90)
    _, codes, masses = K_MU_MU
    near = []
    for order in ([0, 1, 2], [2, 0, 1]):
        momenta = born(K_MU_MU, 60_000, rng)[order]
        radiated = radiate_decay(
            momenta, [codes[i] for i in order], [masses[i] for i in order], rng
        )
        p = radiated.momenta[:, :, radiated.event]
        closeness = np.stack([dot(own, radiated.photons) / own[0] for own in p])
        counts = np.bincount(np.argmin(closeness, axis=0), minlength=3)
        near.append(counts[np.argsort(order)])
    assert stats.chi2_contingency(near).pvalue > P_MIN


def test_masses_that_vary():
    """A mass an event, of the emitter and of what recoils."""
    n = 30_000
    rng = np.random.default_rng(91)
    rho = rng.uniform(0.4, 1.2, n)
    parent = rng.uniform(2.0, 5.0, n)
    momenta = np.stack(two_body(parent, rho, PI, 2 * rng.random(n) - 1, rng.random(n)))
    radiated = radiate_decay(momenta, (213, -211), (rho, PI), rng)
    assert len(radiated.event) > 500
    for p, mass in zip(radiated.momenta, (rho, PI), strict=True):
        assert np.abs(dot(p, p) - mass**2).max() < 1e-11


def test_neutral_daughters_are_left_alone():
    momenta = born((0.9, (111, 22), (0.135, 0.0)), 50, np.random.default_rng(92))
    radiated = radiate_decay(momenta, (111, 22), (0.135, 0.0), np.random.default_rng(93))
    assert radiated.momenta is momenta
    assert radiated.photons.shape == (4, 0)


@pytest.mark.parametrize("frame", FRAMES)
def test_decays_at_threshold_are_left_alone(frame: tuple[float, ...]):
    still = np.array([[[PI], [0], [0], [0]], [[K], [0], [0], [0]]]) * np.ones(1000)
    slow = boosted(still, frame)
    radiated = radiate_decay(slow, (211, -321), (PI, K), np.random.default_rng(94))
    assert np.array_equal(radiated.momenta, slow)
    assert radiated.photons.shape == (4, 0)


@each_mode
def test_no_decays(kind: Kind):
    nothing = np.zeros((len(kind[1]), 4, 0))
    radiated = radiate_decay(nothing, kind[1], kind[2], np.random.default_rng(95))
    assert radiated.momenta.shape == nothing.shape
    assert radiated.photons.shape == (4, 0)
    assert radiated.event.shape == (0,)
