"""Decay trees made by hand: who decays to what, how often, where, and who radiates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.decays.tree import (
    ChargedPair,
    Decay,
    Mode,
    State,
    grow,
)
from darkbelle.gen.events import Origin, Outcome, Slot, Status, TruthEvents, assemble
from darkbelle.gen.kinematics import boost, dot, to_rest_frame, two_body
from darkbelle.gen.particles import (
    A_PRIME,
    CHI1,
    CHI2,
    DARK_HIGGS,
    ELECTRON,
    MUON,
    NU_TAU,
    PHOTON,
    PION,
    SCALAR,
    TAU,
    charges,
)
from darkbelle.gen.phasespace import in_phase_space
from darkbelle.gen.production.base import Correlation, HardEvents
from darkbelle.gen.radiation import FERMIONS_FROM_SCALAR, FERMIONS_FROM_VECTOR
from darkbelle.units import C

N = 20_000
P_MIN = 1e-3
ROOT_S = 10.0


def hard_events(n: int, masses: tuple[float, float], seed: int = 1) -> HardEvents:
    """Two particles back to back, in a frame that moves."""
    rng = np.random.default_rng(seed)
    s = np.full(n, ROOT_S**2)
    cosine, phi = 2 * rng.random(n) - 1, 2 * np.pi * rng.random(n)
    pair = two_body(np.sqrt(s), *masses, cosine, phi)
    frame = np.tile([[11.0], [0.4], [0.0], [3.0]], n)
    frame[0] = np.sqrt(s + frame[1] ** 2 + frame[3] ** 2)
    beams = boost(np.stack([0 * s, 0 * s, 0 * s, np.sqrt(s)]), frame)
    return HardEvents(s, beams, np.stack([boost(p, frame) for p in pair]))


@dataclass(frozen=True)
class Grown:
    """Slots, weights and the events made of them."""

    slots: list[Slot]
    weight: np.ndarray
    truth: TruthEvents

    def count(self, *codes: int) -> int:
        return int(np.isin(self.truth.particles.pdg_id, codes).sum())


def grown(
    mode: Mode,
    masses: tuple[float, float],
    n: int = N,
    *,
    fsr: bool = False,
    reach: float | None = None,
    seed: int = 2,
) -> Grown:
    vertex = np.random.default_rng(seed).normal(size=(4, n))
    rng = np.random.default_rng(seed + 1)
    hard = hard_events(n, masses)
    slots, weight = grow([], [mode], hard, vertex, rng, fsr=fsr, reach=reach)
    return Grown(slots, weight, assemble(slots, weight, vertex, None))


def prompt(*modes: Mode) -> Decay:
    return Decay(0.0, modes)


def to(fraction: float, *codes: int) -> Mode:
    return Mode(fraction, tuple(State.of(code) for code in codes))


MUONS, ELECTRONS, PIONS = (to(f, -c, c) for f, c in ((0.5, -13), (0.2, -11), (0.1, 211)))
QUIET = State(DARK_HIGGS, 0.5)

# ---- states, modes, shares -----------------------------------------------------------------------


def test_taus_decay_by_the_table():
    first = State(SCALAR, 4.0, prompt(to(1.0, TAU, -TAU)))
    p = grown(Mode(1.0, (first, QUIET)), (4.0, 0.5), 50).truth.particles
    taus = np.abs(p.pdg_id) == TAU
    assert taus.sum() == 100
    assert np.all(p.outcome[taus] == Outcome.DECAYED)
    assert np.count_nonzero(np.abs(p.pdg_id) == NU_TAU) == 100


def test_shares_multiply_through_the_tree():
    inner = State(A_PRIME, 1.0, prompt(MUONS, ELECTRONS))
    middle = Mode(0.3, (inner, inner))
    assert MUONS.share == 0.5
    assert inner.decay.share == pytest.approx(0.7)
    assert middle.share == pytest.approx(0.3 * 0.7**2)
    outer = State(DARK_HIGGS, 3.0, prompt(middle, PIONS))
    assert Mode(1.0, (inner, outer)).share == pytest.approx(0.7 * (0.3 * 0.49 + 0.1))
    assert Mode(1.0, (QUIET, QUIET)).share == 1
    assert prompt().share == 0


def test_masses():
    assert State(A_PRIME, None).least_mass == 0
    assert State(A_PRIME, 2.0).least_mass == 2


def test_to_pair_has_the_negative_first():
    for code, minus in ((MUON, 13), (PION, -211)):
        mode = Mode.to_pair(0.4, code, FERMIONS_FROM_VECTOR)
        assert [state.pdg_id for state in mode.daughters] == [minus, -minus]
        assert mode.pair == ChargedPair(0, 1, FERMIONS_FROM_VECTOR)
        assert charges(np.array([minus], np.int32))[0] == -1


# ---- which mode ----------------------------------------------------------------------------------


def test_modes_are_chosen_by_their_shares():
    first = State(A_PRIME, 1.0, prompt(MUONS, ELECTRONS, PIONS))
    found = grown(Mode(1.0, (first, QUIET)), (1.0, 0.5))
    counts = [found.count(code) for code in (13, 11, -211)]
    assert sum(counts) == N
    assert stats.chisquare(counts, N * np.array([5, 2, 1]) / 8).pvalue > P_MIN


def test_modes_are_chosen_by_all_that_follows():
    """A mode whose daughters are generated in part is generated less often."""
    inner = State(A_PRIME, 0.5, prompt(MUONS, ELECTRONS))
    twice, never = Mode(0.5, (inner, inner)), to(0.2, PHOTON, PHOTON)
    found = grown(Mode(1.0, (State(SCALAR, 2.0, prompt(twice, never)), QUIET)), (2.0, 0.5))
    n_twice = found.count(A_PRIME) / 2
    assert stats.binomtest(int(n_twice), N, 0.5 * 0.49 / (0.5 * 0.49 + 0.2)).pvalue > P_MIN
    n_muons = found.count(13)
    assert stats.binomtest(n_muons, found.count(13, 11), 5 / 7).pvalue > P_MIN


def test_a_rare_mode_may_not_occur():
    first = State(A_PRIME, 1.0, prompt(MUONS, to(1e-12, PION, -PION)))
    found = grown(Mode(1.0, (first, QUIET)), (1.0, 0.5), 100, fsr=True)
    assert found.count(PION, -PION) == 0
    assert found.count(13) == found.count(-13) == 100


# ---- generations ---------------------------------------------------------------------------------


def chain() -> Mode:
    """h' -> A' S, S -> chi2 chi1, chi2 -> chi1 and two muons: all of them fly."""
    at_rest = in_phase_space([0.3, 0.1056583755, 0.1056583755])
    to_muons = Mode(1.0, (State(CHI1, 0.3), State.of(MUON), State.of(-MUON)), at_rest)
    chi2 = State(CHI2, 0.8, Decay(3.0, (to_muons,)))
    scalar = State(SCALAR, 1.5, Decay(2.0, (Mode(1.0, (chi2, State(CHI1, 0.3))),)))
    vector = State(A_PRIME, 1.0, Decay(1.0, (ELECTRONS,)))
    return Mode(1.0, (State(DARK_HIGGS, 4.0, Decay(5.0, (Mode(1.0, (vector, scalar)),))), QUIET))


def test_several_generations():
    """Each starts where the former one ends; daughters follow all of the earlier generation."""
    n = 200
    truth = grown(chain(), (4.0, 0.5), n).truth
    codes = [57, 57, 56, 54, -11, 11, 53, 52, 52, 13, -13]
    parents = [-1, -1, 0, 0, 2, 2, 3, 3, 6, 6, 6]
    p = truth.particles
    assert np.all(np.abs(p.pdg_id.reshape(n, -1)) == np.abs(codes))
    assert np.all(p.parent.reshape(n, -1) == parents)
    born = np.flatnonzero(p.parent >= 0)
    rows = truth.parents(born)
    for name in "xyzt":
        assert np.array_equal(getattr(p, name)[born], getattr(p, f"decay_{name}")[rows])
    assert np.all((p.origin == Origin.DECAY) == (p.parent >= 0))
    assert np.all((p.outcome == Outcome.DECAYED) == (p.status == Status.DECAYED))
    for component in (p.e, p.px, p.py, p.pz):
        children = np.bincount(rows, component[born], len(p))[rows]
        assert children == pytest.approx(component[rows], abs=1e-12 * ROOT_S)


@pytest.mark.parametrize(
    ("code", "mass", "ctau"), [(57, 4, 5), (56, 1, 1), (54, 1.5, 2), (53, 0.8, 3)]
)
def test_each_generation_lives_on_its_own(code: int, mass: float, ctau: float):
    """Times of flight add up: that of a daughter counts from the end of its parent."""
    p = grown(chain(), (4.0, 0.5)).truth.particles
    rows = (p.pdg_id == code) & (p.status == Status.DECAYED)
    proper = C * (p.decay_t - p.t)[rows] * mass / p.e[rows]
    assert stats.kstest(proper / ctau, "expon").pvalue > P_MIN


def test_weights_of_all_flights_multiply():
    """The mean weight stays one, and only far decays are rarer than they were."""
    found = grown(chain(), (4.0, 0.5), reach=1.0)
    assert abs(found.weight.mean() - 1) < 4 * found.weight.std() / np.sqrt(N)
    assert found.weight.max() <= 2**4
    assert np.all(found.weight > 0)
    p, event = found.truth.particles, found.truth.event_index()
    rows = p.pdg_id == CHI2
    proper = C * (p.decay_t - p.t)[rows] * 0.8 / p.e[rows]
    weight = found.weight[event[rows]]
    edges = stats.expon.ppf(np.linspace(0, 1, 11), scale=3.0)
    sums = np.histogram(proper, edges, weights=weight)[0]
    error2 = np.histogram(proper, edges, weights=weight**2)[0]
    assert stats.chi2.sf(np.sum((sums - N / 10) ** 2 / error2), 10) > P_MIN


def test_a_resonance_has_its_own_mass():
    """Without a mass of its kind, each particle has that of its momentum."""
    first = State(A_PRIME, None, prompt(MUONS))
    p = grown(Mode(1.0, (first, QUIET)), (2.5, 0.5), 300).truth.particles
    found = p.mass[p.pdg_id == A_PRIME]
    assert found == pytest.approx(2.5, rel=1e-12)
    muons = np.stack([p.e, p.px, p.py, p.pz])[:, np.abs(p.pdg_id) == MUON]
    pairs = muons[:, ::2] + muons[:, 1::2]
    assert np.sqrt(dot(pairs, pairs)) == pytest.approx(found, rel=1e-11)


# ---- correlations --------------------------------------------------------------------------------


def forward(events: HardEvents, daughters: np.ndarray) -> np.ndarray:
    """Certain where the first daughter moves along with its parent, impossible elsewhere."""
    return (forwardness(events.momenta[0], daughters[0]) > 0).astype(float)


def with_the_beam(events: HardEvents, daughters: np.ndarray) -> np.ndarray:
    """By the event: forward where the parent has the electron's direction, backward elsewhere."""
    ahead = dot(events.difference, events.momenta[0]) < 0
    return (ahead == (forwardness(events.momenta[0], daughters[0]) > 0)).astype(float)


def forwardness(parent: np.ndarray, daughter: np.ndarray) -> np.ndarray:
    """Energy of the daughter beyond half of the parent's."""
    return daughter[0] - parent[0] / 2


@pytest.mark.parametrize("correlation", [forward, with_the_beam])
@pytest.mark.parametrize("n", [0, 1, 7, 5000])
def test_a_correlation_is_respected_event_by_event(correlation: Correlation, n: int):
    """Also where only some of the events decay that way."""
    decays = Mode(0.5, MUONS.daughters, correlation=correlation)
    first = State(A_PRIME, 1.0, prompt(ELECTRONS, decays))
    vertex, hard = np.zeros((4, n)), hard_events(n, (1.0, 0.5))
    mode = Mode(1.0, (first, QUIET))
    slots, _ = grow([], [mode], hard, vertex, np.random.default_rng(4), fsr=False, reach=None)
    muons = [slot for slot in slots if abs(slot.pdg_id) == MUON]
    events = muons[0].events
    assert n < 100 or 0.6 * n < len(events) < 0.8 * n
    daughters = np.stack([slot.momentum for slot in muons])
    assert np.all(correlation(hard.take(events), daughters) == 1)


def test_a_correlation_shapes_the_angle():
    """A chance of c^2 makes isotropic decays c^2, however often they are tried."""

    def squared(events: HardEvents, daughters: np.ndarray) -> np.ndarray:
        return cosine_to_flight(events.momenta[0], daughters[0]) ** 2

    first = State(A_PRIME, 1.0, prompt(Mode(0.5, MUONS.daughters, correlation=squared)))
    p = grown(Mode(1.0, (first, QUIET)), (1.0, 0.5)).truth.particles
    momenta = np.stack([p.e, p.px, p.py, p.pz])
    cosine = cosine_to_flight(momenta[:, p.pdg_id == A_PRIME], momenta[:, p.pdg_id == 13])
    assert stats.kstest(cosine, lambda c: (c**3 + 1) / 2).pvalue > P_MIN


def cosine_to_flight(parent: np.ndarray, daughter: np.ndarray) -> np.ndarray:
    """Cosine of a daughter in the frame of its parent to the parent's flight, within [-1, 1]."""
    at_rest = to_rest_frame(daughter, parent)[1:]
    sizes = np.sum(at_rest**2, axis=0) * np.sum(parent[1:] ** 2, axis=0)
    return np.clip(np.sum(at_rest * parent[1:], axis=0) / np.sqrt(sizes), -1, 1)


# ---- photons of the final state ------------------------------------------------------------------


def radiating() -> Mode:
    """A light scalar to electrons, which radiate often, and an A' to muons."""
    scalar = Mode.to_pair(1.0, ELECTRON, FERMIONS_FROM_SCALAR)
    vector = Mode.to_pair(1.0, MUON, FERMIONS_FROM_VECTOR)
    return Mode(
        1.0, (State(SCALAR, 3.0, prompt(scalar)), State(A_PRIME, 1.0, Decay(1.0, (vector,))))
    )


def test_photons_belong_to_what_radiates():
    found = grown(radiating(), (3.0, 1.0), fsr=True)
    truth, p = found.truth, found.truth.particles
    photons = np.flatnonzero(p.pdg_id == PHOTON)
    assert np.all(p.origin[photons] == Origin.FINAL_STATE_RADIATION)
    parents = p.pdg_id[truth.parents(photons)]
    n_scalar, n_vector = ((parents == code).sum() for code in (SCALAR, A_PRIME))
    assert n_scalar + n_vector == len(photons)
    assert 1.5 * n_vector < n_scalar
    assert n_vector > 0.02 * N
    for component in (p.e, p.px, p.py, p.pz):
        born = np.flatnonzero(p.parent >= 0)
        rows = truth.parents(born)
        children = np.bincount(rows, component[born], len(p))[rows]
        assert children == pytest.approx(component[rows], abs=1e-12 * ROOT_S)


def test_photons_by_rank():
    """A slot holds the first photon of every event that has any, the next one the second ones."""
    found = grown(radiating(), (3.0, 1.0), fsr=True)
    place = next(i for i, slot in enumerate(found.slots) if slot.pdg_id == SCALAR)
    ranks = [slot for slot in found.slots if slot.pdg_id == PHOTON and slot.parent == place]
    assert len(ranks) > 2
    for slot, following in pairwise(ranks):
        assert np.all(np.diff(slot.events) > 0)
        assert np.all(np.isin(following.events, slot.events))
        assert len(following.events) < len(slot.events)


def test_photons_of_the_hard_process_have_no_parent():
    mode = Mode.to_pair(1.0, ELECTRON, FERMIONS_FROM_VECTOR)
    found = grown(mode, (0.51099895e-3, 0.51099895e-3), 2000, fsr=True)
    p = found.truth.particles
    photons = p.origin == Origin.FINAL_STATE_RADIATION
    assert photons.sum() > 200
    assert np.all(p.parent[photons] == -1)
    assert np.all(p.origin[~photons] == Origin.PRIMARY)


def test_a_single_charge_radiates():
    """What flies and has a charge too, from where it decays: B+ -> K+ S, and all that it has."""
    kaon = Mode(1.0, (State.of(321), State(SCALAR, 1.0)))
    meson = State(521, 5.27934, Decay(0.05, (kaon,)))
    truth = grown(Mode(1.0, (meson, QUIET)), (5.27934, 0.5), fsr=True).truth
    p = truth.particles
    # The meson itself radiates where it is made.
    photons = np.flatnonzero((p.origin == Origin.FINAL_STATE_RADIATION) & (p.parent >= 0))
    parents = truth.parents(photons)
    assert np.all(p.pdg_id[parents] == 521)
    assert stats.binomtest(len(np.unique(parents)), N, 0.0495).pvalue > P_MIN
    for name in "xyzt":
        assert np.array_equal(getattr(p, name)[photons], getattr(p, f"decay_{name}")[parents])
    born = np.flatnonzero(p.parent >= 0)
    for component in (p.e, p.px, p.py, p.pz):
        children = np.bincount(truth.parents(born), component[born], len(p))[p.pdg_id == 521]
        assert children == pytest.approx(component[p.pdg_id == 521], abs=1e-12 * ROOT_S)


def test_no_photons_where_they_are_switched_off():
    found = grown(radiating(), (3.0, 1.0), 1000)
    assert found.count(PHOTON) == 0
    assert len(found.truth.particles) == 6 * 1000


# ---- nobody --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reach", [None, 1.0])
@pytest.mark.parametrize("mode", [chain(), radiating()])
def test_no_events(mode: Mode, reach: float | None):
    masses = (4.0, 0.5) if mode.daughters[0].pdg_id == DARK_HIGGS else (3.0, 1.0)
    found = grown(mode, masses, 0, fsr=True, reach=reach)
    assert found.weight.shape == (0,)
    assert len(found.truth.particles) == 0


def test_slots_that_come_before_stay_the_first():
    n = 10
    vertex, hard = np.zeros((4, n)), hard_events(n, (1.0, 0.5))
    before = Slot(MUON, Status.FINAL, Origin.PRIMARY, 0.1, hard.momenta[0], vertex)
    first = State(A_PRIME, 1.0, prompt(ELECTRONS))
    mode = Mode(1.0, (first, QUIET))
    slots, _ = grow([before], [mode], hard, vertex, np.random.default_rng(5), fsr=False, reach=None)
    assert slots[0] is before
    assert [slot.parent for slot in slots[1:]] == [-1, -1, 1, 1]
    assert math.isclose(slots[1].mass, 1.0)
