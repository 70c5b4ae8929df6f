"""Decays of light particles: fractions, conservation, spectra, lifetimes, whole events."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from darkbelle.errors import ConfigError
from darkbelle.gen.decays.amplitudes import KAON_TO_PION, MUON_DECAY, VECTOR_POLE
from darkbelle.gen.decays.decay import Daughters, decay_short_lived, sample_daughters
from darkbelle.gen.decays.table import decay_modes, short_lived
from darkbelle.gen.events import Origin, Outcome, Slot, Status, TruthEvents, assemble
from darkbelle.gen.kinematics import boost, dot, to_rest_frame
from darkbelle.gen.particles import (
    D0,
    D_PLUS,
    ELECTRON,
    ETA,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MUON,
    NEUTRON,
    NU_E,
    NU_MU,
    PHOTON,
    PI0,
    PION,
    PROTON,
    charges,
    conjugate,
    species,
)
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.units import C
from tests.grids import spanned

P_MIN = 1e-4
N = 20_000
SEEDS = spanned((1, 2, 3), (1,))
# Branching fractions of PDG 2024 in per cent, by daughters.
FRACTIONS = {
    MUON: {(ELECTRON, -NU_E, NU_MU): 100},
    PION: {(-MUON, NU_MU): 99.9877, (-ELECTRON, NU_E): 0.0123},
    KAON: {
        (-MUON, NU_MU): 63.56,
        (PION, PI0): 20.67,
        (PION, PION, -PION): 5.58,
        (PI0, -ELECTRON, NU_E): 5.07,
        (PI0, -MUON, NU_MU): 3.35,
        (PION, PI0, PI0): 1.76,
    },
    K_L: {
        (-PION, -ELECTRON, NU_E): 40.55 / 2,
        (PION, ELECTRON, -NU_E): 40.55 / 2,
        (-PION, -MUON, NU_MU): 27.04 / 2,
        (PION, MUON, -NU_MU): 27.04 / 2,
        (PI0, PI0, PI0): 19.52,
        (PION, -PION, PI0): 12.54,
    },
    K_S: {(PION, -PION): 69.20, (PI0, PI0): 30.69},
    LAMBDA: {(PROTON, -PION): 64.1, (NEUTRON, PI0): 35.9},
    PI0: {(PHOTON, PHOTON): 100},
    ETA: {
        (PHOTON, PHOTON): 39.36,
        (PI0, PI0, PI0): 32.56,
        (PION, -PION, PI0): 23.02,
        (PION, -PION, PHOTON): 4.28,
    },
}
ALL = sorted({*FRACTIONS, *(conjugate(code) for code in FRACTIONS)})


def moving(pdg_id: int, n: int, seed: int, p_max: float = 4.0) -> np.ndarray:
    """Momenta of up to ``p_max`` in all directions, shape (4, n)."""
    rng = np.random.default_rng(100 + seed)
    direction = rng.normal(size=(3, n))
    p = p_max * rng.random(n) * direction / np.linalg.norm(direction, axis=0)
    return np.stack([np.sqrt(np.sum(p**2, axis=0) + species(pdg_id).mass ** 2), *p])


def decay(pdg_id: int, momentum: np.ndarray, seed: int) -> Daughters:
    codes = np.full(momentum.shape[1], pdg_id, np.int32)
    return sample_daughters(codes, momentum, np.random.default_rng(seed))


def total(daughters: Daughters, n: int) -> np.ndarray:
    """Sum of the daughters' momenta, each parent's, shape (4, n)."""
    return np.stack([np.bincount(daughters.parent, p, n) for p in daughters.momentum])


def modes_of(daughters: Daughters, n: int) -> list[tuple[int, ...]]:
    """Codes of each parent's daughters, in the order of the table."""
    first = np.searchsorted(daughters.parent, np.arange(n + 1))
    codes = daughters.pdg_id.tolist()
    return [tuple(codes[i:j]) for i, j in itertools.pairwise(first)]


def of_mode(pdg_id: int, mode: tuple[int, ...], n: int, seed: int) -> np.ndarray:
    """Momenta in the rest frame of the decays into one mode, shape (k, 4, n)."""
    wanted = next(m for m in decay_modes(pdg_id) if m.daughters == mode)
    return wanted.sample(np.full(n, species(pdg_id).mass), np.random.default_rng(seed))


def uniform(values: np.ndarray, low: float, high: float) -> bool:
    return stats.kstest((values - low) / (high - low), "uniform").pvalue > P_MIN


def follows(values: np.ndarray, low: float, high: float, density: Callable) -> bool:
    """KS test against a density that is integrated in 20,000 steps."""
    edges = np.linspace(low, high, 20_001)
    cumulative = np.cumsum(density((edges[1:] + edges[:-1]) / 2))
    cdf = np.concatenate([[0], cumulative / cumulative[-1]])
    return stats.kstest(values, lambda x: np.interp(x, edges, cdf)).pvalue > P_MIN


# ---- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pdg_id", FRACTIONS)
def test_fractions_are_those_of_the_pdg_normalised(pdg_id: int):
    sum_ = sum(FRACTIONS[pdg_id].values())
    found = {mode.daughters: mode.fraction for mode in decay_modes(pdg_id)}
    assert found == pytest.approx({k: v / sum_ for k, v in FRACTIONS[pdg_id].items()}, rel=2e-3)
    assert sum(found.values()) == pytest.approx(1, abs=1e-15)


def flavours(pdg_id: int) -> tuple[int, int, int]:
    """Electron, muon and baryon number."""
    size, sign = abs(pdg_id), int(math.copysign(1, pdg_id))
    numbers = ((ELECTRON, NU_E), (MUON, NU_MU), (PROTON, NEUTRON, LAMBDA))
    return tuple(sign * (size in group) for group in numbers)


@pytest.mark.parametrize("pdg_id", ALL)
def test_charge_lepton_and_baryon_numbers_are_kept(pdg_id: int):
    for mode in decay_modes(pdg_id):
        assert sum(species(code).charge for code in mode.daughters) == species(pdg_id).charge
        summed = np.sum([flavours(code) for code in mode.daughters], axis=0)
        assert tuple(summed) == flavours(pdg_id)
        assert sum(species(code).mass for code in mode.daughters) < species(pdg_id).mass


@pytest.mark.parametrize("pdg_id", [PROTON, -ELECTRON, 3112, 55])
def test_what_does_not_decay_here(pdg_id: int):
    with pytest.raises(ConfigError, match=f"pdg_id {pdg_id} .* has no decay modes"):
        decay_modes(pdg_id)


# ---- daughters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pdg_id", ALL)
def test_four_momentum_is_kept_in_every_mode(pdg_id: int):
    for mode in decay_modes(pdg_id):
        momenta = of_mode(pdg_id, mode.daughters, 2000, 5)
        parent = moving(pdg_id, 2000, 5)
        summed = sum(boost(p, parent) for p in momenta)
        assert np.max(np.abs(summed - parent) / parent[0]) < 1e-12
        for code, p in zip(mode.daughters, momenta, strict=True):
            assert dot(p, p) == pytest.approx(species(code).mass ** 2, abs=1e-12)


def test_a_mixture_of_species():
    """Each parent gets its own daughters, side by side, and its momentum back."""
    codes = np.random.default_rng(3).choice(np.array(ALL, np.int32), N)
    momentum = np.empty((4, N))
    for code in ALL:
        momentum[:, codes == code] = moving(code, int((codes == code).sum()), 3)
    daughters = sample_daughters(codes, momentum, np.random.default_rng(4))
    assert np.max(np.abs(total(daughters, N) - momentum) / momentum[0]) < 1e-12
    assert np.all(np.diff(daughters.parent) >= 0)
    allowed = {code: {mode.daughters for mode in decay_modes(code)} for code in ALL}
    for code, mode in zip(codes.tolist(), modes_of(daughters, N), strict=True):
        assert mode in allowed[code]
    charge = np.bincount(daughters.parent, charges(daughters.pdg_id), N)
    assert charge.tolist() == charges(codes).tolist()
    assert daughters.mass.tolist() == [species(code).mass for code in daughters.pdg_id.tolist()]
    shell = daughters.momentum[0] ** 2 - np.sum(daughters.momentum[1:] ** 2, axis=0)
    assert shell == pytest.approx(daughters.mass**2, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pdg_id", [code for code, modes in FRACTIONS.items() if len(modes) > 1])
def test_branching_fractions(pdg_id: int, seed: int):
    n = 100_000 if pdg_id == PION else N
    counts = Counter(modes_of(decay(pdg_id, moving(pdg_id, n, seed), seed), n))
    modes = FRACTIONS[pdg_id]
    assert set(counts) <= set(modes)
    expected = np.array(list(modes.values())) * n / sum(modes.values())
    assert stats.chisquare([counts[mode] for mode in modes], expected).pvalue > P_MIN


@pytest.mark.parametrize("pdg_id", [MUON, PION, KAON, LAMBDA])
def test_antiparticles_mirror_particles(pdg_id: int):
    """The same random numbers give the conjugate daughters at the same or opposite momenta."""
    momentum = moving(pdg_id, 1000, 6)
    particle, anti = decay(pdg_id, momentum, 6), decay(-pdg_id, momentum, 6)
    assert anti.pdg_id.tolist() == [conjugate(code) for code in particle.pdg_id.tolist()]
    p, q = (to_rest_frame(one.momentum, momentum[:, one.parent]) for one in (particle, anti))
    np.testing.assert_allclose(np.abs(q), np.abs(p), atol=1e-12)
    assert np.sum(charges(anti.pdg_id)) == -np.sum(charges(particle.pdg_id))


def test_kaon_decays_to_both_charges_alike():
    daughters = decay(K_L, moving(K_L, N, 7), 7)
    electrons = np.sum(np.abs(daughters.pdg_id) == ELECTRON)
    positrons = np.sum(daughters.pdg_id == -ELECTRON)
    assert stats.binomtest(int(positrons), int(electrons), 0.5).pvalue > P_MIN


@pytest.mark.parametrize(
    ("pdg_id", "daughter", "momentum"),
    [
        # PDG 2024, column p [MeV/c]
        (PION, -MUON, 29.8),
        (KAON, -MUON, 235.6),
        (K_S, PION, 206.0),
        (LAMBDA, PROTON, 100.6),
        (LAMBDA, NEUTRON, 104.0),
        (PI0, PHOTON, 67.5),
    ],
)
def test_momentum_in_the_rest_frame(pdg_id: int, daughter: int, momentum: float):
    parent = moving(pdg_id, 1000, 8)
    daughters = decay(pdg_id, parent, 8)
    two = np.bincount(daughters.parent)[daughters.parent] == 2
    chosen = two & (daughters.pdg_id == daughter)
    assert chosen.any()
    p = to_rest_frame(daughters.momentum[:, chosen], parent[:, daughters.parent[chosen]])
    assert np.linalg.norm(p[1:], axis=0) * 1e3 == pytest.approx(momentum, abs=0.5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("pdg_id", "daughter"), [(K_S, PION), (LAMBDA, PROTON), (-LAMBDA, PION)])
def test_decays_are_isotropic(pdg_id: int, daughter: int, seed: int):
    """About the flight direction and about the beam."""
    parent = moving(pdg_id, N, seed)
    daughters = decay(pdg_id, parent, seed)
    chosen = daughters.pdg_id == daughter
    frame = parent[:, daughters.parent[chosen]]
    p = to_rest_frame(daughters.momentum[:, chosen], frame)
    direction = p[1:] / np.linalg.norm(p[1:], axis=0)
    flight = frame[1:] / np.linalg.norm(frame[1:], axis=0)
    assert uniform(np.sum(direction * flight, axis=0), -1, 1)
    assert uniform(direction[2], -1, 1)
    assert uniform(np.arctan2(direction[1], direction[0]), -np.pi, np.pi)


@pytest.mark.parametrize("seed", SEEDS)
def test_photons_of_a_fast_pi0_have_a_flat_spectrum(seed: int):
    """Between (E - p)/2 and (E + p)/2."""
    parent = np.repeat([[math.hypot(2.0, species(PI0).mass)], [0.0], [2.0], [0.0]], N, axis=1)
    energy = decay(PI0, parent, seed).momentum[0]
    low, high = (parent[0, 0] - 2) / 2, (parent[0, 0] + 2) / 2
    assert uniform(energy[::2], low, high)
    assert energy[::2] + energy[1::2] == pytest.approx(parent[0], rel=1e-12)


def test_nothing_decays():
    daughters = sample_daughters(np.zeros(0, np.int32), np.zeros((4, 0)), np.random.default_rng(1))
    assert daughters.momentum.shape == (4, 0)
    assert len(daughters.parent) == len(daughters.pdg_id) == len(daughters.mass) == 0
    assert daughters.pdg_id.dtype == np.int32


def test_unknown_decays_are_named():
    with pytest.raises(ConfigError, match="pdg_id 2212"):
        decay(PROTON, moving(PROTON, 1, 1), 1)


# ---- spectra -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pdg_id", [MUON, -MUON])
def test_michel_spectrum(pdg_id: int, seed: int):
    """x^2 (3 - 2x) for the electron and its fellow neutrino, x^2 (1 - x) for the other one."""
    mode = decay_modes(pdg_id)[0]
    x_e, x_other, x_mu = of_mode(pdg_id, mode.daughters, N, seed)[:, 0] * 2 / species(MUON).mass
    for x in (x_e, x_mu):
        assert stats.kstest(x, lambda x: np.clip(2 * x**3 - x**4, 0, 1)).pvalue > P_MIN
    assert stats.kstest(x_other, lambda x: 4 * x**3 - 3 * x**4).pvalue > P_MIN
    assert stats.kstest(x_e, lambda x: 4 * x**3 - 3 * x**4).pvalue < P_MIN


KAON_MODES = [
    (KAON, (PI0, -ELECTRON, NU_E)),
    (KAON, (PI0, -MUON, NU_MU)),
    (K_L, (PION, ELECTRON, -NU_E)),
    (K_L, (-PION, -MUON, NU_MU)),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("pdg_id", "mode"), KAON_MODES)
def test_lepton_mass_in_kaon_decays(pdg_id: int, mode: tuple[int, ...], seed: int):
    """Spectrum of q^2 from helicity amplitudes, x = m_l^2/q^2, f+ alone.

    dN/dq^2 ~ p q^2 (1 - x)^2 f+^2 [H0^2 (1 + x/2) + 3/2 x Ht^2] with H0 = 2 M p/q and
    Ht = (M^2 - m_pi^2)/q (Koerner and Schuler, Z. Phys. C 46, 93).
    """
    mass, pion, lepton = (species(code).mass for code in (pdg_id, *mode[:2]))
    momenta = of_mode(pdg_id, mode, N, seed)
    pair = momenta[1] + momenta[2]

    def density(q2: np.ndarray) -> np.ndarray:
        x = lepton**2 / q2
        p = np.sqrt(((mass**2 + pion**2 - q2) / (2 * mass)) ** 2 - pion**2)
        helicities = (2 * mass * p) ** 2 / q2 * (1 + x / 2)
        helicities += 1.5 * x * (mass**2 - pion**2) ** 2 / q2
        return p * q2 * (1 - x) ** 2 * helicities / (1 - q2 / VECTOR_POLE**2) ** 2

    assert follows(dot(pair, pair), lepton**2, (mass - pion) ** 2, density)


@pytest.mark.parametrize("seed", SEEDS)
def test_vector_current_gives_sine_squared(seed: int):
    """A massless lepton follows 1 - cos^2 in the frame of the lepton pair, axis along the pion."""
    pion, electron, neutrino = of_mode(KAON, (PI0, -ELECTRON, NU_E), N, seed)
    frame = electron + neutrino
    e, axis = (to_rest_frame(p, frame)[1:] for p in (electron, pion))
    size = np.linalg.norm(e, axis=0) * np.linalg.norm(axis, axis=0)
    assert follows(np.sum(e * axis, axis=0) / size, -1, 1, lambda c: 1 - c**2)


@pytest.mark.parametrize(
    ("element", "pdg_id", "mode"),
    [
        (MUON_DECAY, MUON, (ELECTRON, -NU_E, NU_MU)),
        *((KAON_TO_PION, *kaon_mode) for kaon_mode in KAON_MODES),
    ],
)
def test_matrix_elements_keep_below_their_maximum(element, pdg_id: int, mode: tuple[int, ...]):
    """And come close to it."""
    masses = [species(code).mass for code in mode]
    mass = np.full(200_000, species(pdg_id).mass)
    momenta = decay_at_rest(mass, masses, np.random.default_rng(9))
    parent = np.stack([mass, *np.zeros((3, len(mass)))])
    relative = element.squared(parent, *momenta) / element.maximum(mass, *masses)
    assert relative.min() >= 0
    assert 0.85 < relative.max() <= 1


# ---- whole events --------------------------------------------------------------------------------


def single(pdg_id: int, n: int, seed: int) -> TruthEvents:
    """A particle an event, away from the origin and from time zero."""
    start = np.random.default_rng(200 + seed).normal(size=(4, n))
    slot = Slot(
        pdg_id, Status.FINAL, Origin.PRIMARY, species(pdg_id).mass, moving(pdg_id, n, seed), start
    )
    return assemble([slot], np.arange(n, dtype=float), start, None)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("pdg_id", "ctau"),
    [(K_S, 2.6844), (-LAMBDA, 7.85), (PI0, 2.527e-6), (D0, 0.012302), (-D_PLUS, 0.030978)],
)
def test_lifetimes(pdg_id: int, ctau: float, seed: int):
    """Straight flights, exponential in the proper length, at the speed of the particle."""
    n = N
    before = single(pdg_id, n, seed).particles
    truth = decay_short_lived(single(pdg_id, n, seed), np.random.default_rng(seed))
    mother = truth.offsets[:-1]
    p = truth.particles
    moved = np.stack([(p.decay_x - p.x), (p.decay_y - p.y), (p.decay_z - p.z)])[:, mother]
    momentum = np.stack([p.px, p.py, p.pz])[:, mother]
    length = np.sum(moved * momentum, axis=0) / np.linalg.norm(momentum, axis=0)
    assert np.linalg.norm(moved, axis=0) == pytest.approx(length, rel=1e-9, abs=1e-12)
    proper = length * p.mass[mother] / np.linalg.norm(momentum, axis=0)
    assert proper.mean() == pytest.approx(ctau, rel=4 / math.sqrt(n))
    assert stats.kstest(proper / ctau, "expon").pvalue > P_MIN
    duration = (p.decay_t - p.t)[mother]
    assert duration * C * np.linalg.norm(momentum, axis=0) == pytest.approx(
        length * p.e[mother], rel=1e-6, abs=1e-12
    )
    np.testing.assert_array_equal(p.x[mother], before.x)
    np.testing.assert_array_equal(p.px[mother], before.px)


@pytest.mark.parametrize("pdg_id", sorted(short_lived()))
def test_decays_go_on_until_none_is_left(pdg_id: int):
    """Daughters start where their parent ends; the final particles carry all of the momentum."""
    n = 1000
    before = single(pdg_id, n, 11)
    truth = decay_short_lived(before, np.random.default_rng(11))
    p, event = truth.particles, truth.event_index()
    decayed = p.status == Status.DECAYED
    assert np.all(np.isin(p.pdg_id, short_lived()) == decayed)
    assert np.all((p.outcome == Outcome.DECAYED) == decayed)
    assert np.all(p.status[~decayed] == Status.FINAL)
    assert np.all(p.outcome[~decayed] == Outcome.UNDETERMINED)
    child = np.flatnonzero(p.parent >= 0)
    assert np.all(p.origin[child] == Origin.DECAY)
    assert (p.parent < 0).sum() == n
    assert np.all(p.origin[p.parent < 0] == Origin.PRIMARY)
    parent = truth.offsets[event[child]] + p.parent[child]
    assert np.all(decayed[parent])
    assert set(parent) == set(np.flatnonzero(decayed))
    for name in "xyzt":
        ends = getattr(p, f"decay_{name}")
        np.testing.assert_array_equal(getattr(p, name)[child], ends[parent])
        assert np.all(ends[~decayed] == 0)
    for name in ("px", "py", "pz", "e"):
        values = getattr(p, name)
        summed = np.bincount(event[~decayed], values[~decayed], n)
        np.testing.assert_allclose(summed, getattr(before.particles, name), atol=1e-11)
        family = np.bincount(parent, values[child], len(p))[decayed]
        np.testing.assert_allclose(family, values[decayed], atol=1e-11)
    assert truth.weight.tolist() == before.weight.tolist()


def test_photons_of_the_final_state():
    """Of pi+ pi- alone, where the K_S ends; none without being asked for."""
    n = 60_000
    before = single(K_S, n, 15)
    p = decay_short_lived(before, np.random.default_rng(15)).particles
    assert not np.any(p.origin == Origin.FINAL_STATE_RADIATION)
    truth = decay_short_lived(before, np.random.default_rng(15), fsr=True)
    p, event = truth.particles, truth.event_index()
    photons = np.flatnonzero(p.origin == Origin.FINAL_STATE_RADIATION)
    assert np.all(p.pdg_id[photons] == PHOTON)
    assert np.all(p.pdg_id[truth.parents(photons)] == K_S)
    charged = np.isin(event, event[p.pdg_id == PION])
    assert np.all(charged[photons])
    assert len(np.unique(event[photons])) > 0.01 * n
    final = p.status == Status.FINAL
    for name in ("px", "py", "pz", "e"):
        summed = np.bincount(event[final], getattr(p, name)[final], n)
        np.testing.assert_allclose(summed, getattr(before.particles, name), atol=1e-11)
    for name in "xyzt":
        ends = getattr(p, f"decay_{name}")[truth.parents(photons)]
        np.testing.assert_array_equal(getattr(p, name)[photons], ends)


def test_lambda_to_neutron_and_photons():
    """The pi0 of the second generation decays too: 35.9 % of the events end with n gamma gamma."""
    n = 3000
    truth = decay_short_lived(single(LAMBDA, n, 12), np.random.default_rng(12))
    split = np.split(truth.particles.pdg_id, truth.offsets[1:-1])
    contents = Counter(tuple(codes.tolist()) for codes in split)
    neutral = (LAMBDA, NEUTRON, PI0, PHOTON, PHOTON)
    assert set(contents) == {(LAMBDA, PROTON, -PION), neutral}
    assert stats.binomtest(contents[neutral], n, 0.359).pvalue > P_MIN
    neutral_events = truth.n_events - contents[(LAMBDA, PROTON, -PION)]
    assert (truth.particles.pdg_id == PHOTON).sum() == 2 * neutral_events
    photon_parent = truth.particles.parent[truth.particles.pdg_id == PHOTON]
    assert set(photon_parent) == {2}


def test_others_are_left_alone():
    """A K_S beside a muon, a Sigma-, a K+ and a K_S that has decayed already."""
    n = 50
    slots = [
        Slot(code, status, Origin.PRIMARY, species(code).mass, moving(code, n, 13), np.ones((4, n)))
        for code, status in [
            (MUON, Status.FINAL),
            (K_S, Status.FINAL),
            (3112, Status.FINAL),
            (KAON, Status.FINAL),
            (K_S, Status.DECAYED),
        ]
    ]
    before = assemble(slots, np.ones(n), np.ones((4, n)), None)
    after = decay_short_lived(before, np.random.default_rng(13))
    old = after.offsets[:-1, None] + np.arange(5)
    assert after.particles.pdg_id[old[0]].tolist() == [MUON, K_S, 3112, KAON, K_S]
    status = after.particles.status[old]
    assert np.all(status == [Status.FINAL, Status.DECAYED, Status.FINAL, Status.FINAL,
                             Status.DECAYED])  # fmt: skip
    born = after.particles.parent >= 0
    first = born & (np.abs(after.particles.pdg_id) == PION)
    assert set(after.particles.parent[first]) == {1}
    assert before.particles.status.tolist().count(Status.FINAL) == 4 * n
    charged = assemble([slots[0], *slots[2:4]], np.ones(n), np.ones((4, n)), None)
    assert decay_short_lived(charged, np.random.default_rng(13)) is charged


def test_no_events():
    nobody = single(K_S, 0, 14)
    assert decay_short_lived(nobody, np.random.default_rng(14)) is nobody
