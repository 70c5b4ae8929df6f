"""B mesons that are left to others: none, toy and Pythia give whole and consistent families."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import stats

from darkbelle.errors import MissingDependencyError
from darkbelle.gen.decays.rest_of_event import RestOfEvent
from darkbelle.gen.decays.table import short_lived
from darkbelle.gen.decays.toy_beauty import PIONS, toy_modes
from darkbelle.gen.events import Origin, Outcome, Status, TruthEvents
from darkbelle.gen.external.pythia import start_pythia
from darkbelle.gen.particles import B0, B_PLUS, MUON, PI0, PION, conjugate, species
from darkbelle.records import columns
from darkbelle.units import C
from tests.gen.decays.beauty import mesons

P_MIN = 1e-4
BEAUTY = (B_PLUS, -B_PLUS, B0, -B0)


def grown(level: str, pdg_id: int, n: int, seed: int = 2) -> TruthEvents:
    return RestOfEvent(level)(mesons(pdg_id, n), np.random.default_rng(seed))


def same(one: TruthEvents, other: TruthEvents) -> bool:
    names = columns(type(one.particles))
    return one.offsets.tolist() == other.offsets.tolist() and all(
        np.array_equal(getattr(one.particles, name), getattr(other.particles, name))
        for name in names
    )


def is_consistent(truth: TruthEvents, before: TruthEvents) -> None:
    """Every decay keeps its momentum, and its daughters start where their parent ends."""
    p, event = truth.particles, truth.event_index()
    final = p.status == Status.FINAL
    child = np.flatnonzero(p.parent >= 0)
    parent = truth.parents(child)
    assert set(parent) == set(np.flatnonzero(~final))
    assert np.all((p.outcome == Outcome.DECAYED) == ~final)
    assert np.all(p.parent[child] < child - truth.offsets[event[child]])
    assert np.all(p.origin[child] == Origin.DECAY)
    for name in "xyzt":
        ends = getattr(p, f"decay_{name}")
        np.testing.assert_allclose(getattr(p, name)[child], ends[parent], atol=1e-9, rtol=0)
        assert np.all(ends[final] == 0)
    for name in ("px", "py", "pz", "e"):
        values = getattr(p, name)
        family = np.bincount(parent, values[child], len(p))[~final]
        np.testing.assert_allclose(family, values[~final], atol=2e-6)
        left = np.bincount(event[final], values[final])
        whole = np.bincount(before.event_index(), getattr(before.particles, name))
        np.testing.assert_allclose(left, whole, atol=2e-6)
    charge = np.array([species(int(code)).charge for code in p.pdg_id])
    total = np.bincount(event[final], charge[final])
    start = np.bincount(event[p.parent < 0], charge[p.parent < 0])
    assert total.tolist() == start.tolist()
    assert not np.isin(p.pdg_id[final], (*short_lived(), *BEAUTY)).any()
    assert not (p.pdg_id[p.status == Status.DECAYED] == MUON).any()


# ---- the toy -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pdg_id", BEAUTY)
def test_toy_modes(pdg_id: int):
    """Fractions and charges as the handbook has them, section 6."""
    modes = toy_modes(pdg_id)
    assert sum(mode.fraction for mode in modes) == pytest.approx(1, abs=1e-12)
    kinds = {"light": 0.0, "tau": 0.0, "pion": 0.0, "charged": 0.0, "star": 0.0}
    number = dict.fromkeys(PIONS, 0.0)
    for mode in modes:
        assert sum(species(code).charge for code in mode.daughters) == species(pdg_id).charge
        assert sum(species(code).mass for code in mode.daughters) < species(pdg_id).mass
        charm, *others = (abs(code) for code in mode.daughters)
        pions = [code for code in others if code in (PION, PI0)]
        kinds["star"] += mode.fraction * (charm in (413, 423))
        if {11, 13} & set(others):
            kinds["light"] += mode.fraction
            kinds["pion"] += mode.fraction * len(pions)
            kinds["charged"] += mode.fraction * (pions == [PION])
        elif 15 in others:
            kinds["tau"] += mode.fraction
        else:
            number[len(pions)] += mode.fraction
    assert kinds == pytest.approx(
        {"light": 0.206, "tau": 0.024, "pion": 0.206 * 0.24, "charged": 0.206 * 0.16, "star": 0.62}
    )
    assert number == pytest.approx({n: 0.77 * part for n, part in PIONS.items()})
    mirrored = {tuple(map(conjugate, mode.daughters)) for mode in modes}
    assert {mode.daughters for mode in toy_modes(-pdg_id)} == mirrored


def test_charges_of_the_pions_are_those_of_redrawing():
    """Each pion neutral with 0.28, redrawn until all charges add up to one."""
    rng = np.random.default_rng(3)
    charge = rng.choice([0, 1, -1], (400_000, 5), p=[0.28, 0.36, 0.36])
    neutral = np.sum(charge[charge.sum(axis=1) == 1] == 0, axis=1)
    counts = np.bincount(neutral, minlength=6)[[0, 2, 4]]
    found = [
        sum(
            mode.fraction
            for mode in toy_modes(B_PLUS)
            if len(mode.daughters) == 6 and mode.daughters.count(PI0) == n
        )
        for n in (0, 2, 4)
    ]
    expected = np.array(found) / sum(found) * counts.sum()
    assert stats.chisquare(counts, expected).pvalue > P_MIN


@pytest.mark.parametrize("pdg_id", [B_PLUS, -B0])
def test_toy_families(pdg_id: int):
    before = mesons(pdg_id, 1000)
    is_consistent(RestOfEvent.TOY(before, np.random.default_rng(4)), before)


@pytest.mark.parametrize("pdg_id", [B_PLUS, B0])
def test_mesons_fly(pdg_id: int):
    truth = grown("toy", pdg_id, 5000)
    p = truth.particles
    meson = p.pdg_id == pdg_id
    proper = ((p.decay_t - p.t) * C * p.mass / p.e)[meson]
    ctau = {B_PLUS: 0.049106, B0: 0.04547852}[pdg_id]
    assert stats.kstest(proper / ctau, "expon").pvalue > P_MIN


def test_nothing_is_decayed():
    before = mesons(B0, 50)
    after = grown("none", B0, 50)
    is_meson = after.particles.pdg_id == B0
    assert len(after.particles) == len(before.particles)
    assert np.all(after.particles.outcome[is_meson] == Outcome.UNDECAYED)
    assert not after.particles.is_final[is_meson].any()
    assert after.particles.is_final[~is_meson].all()


def test_no_step_of_its_own_without_being_asked():
    """Only the explicit step decays B mesons."""
    assert not set(BEAUTY) & set(short_lived())


@pytest.mark.parametrize("level", ["none", "toy"])
def test_no_events_and_no_mesons(level: str):
    nobody = mesons(B0, 0)
    assert RestOfEvent(level)(nobody, np.random.default_rng(1)).n_events == 0
    muons = mesons(MUON, 5)
    assert same(RestOfEvent(level)(muons, np.random.default_rng(1)), muons)


# ---- Pythia --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pdg_id", [B_PLUS, -B0])
def test_pythia_families(pdg_id: int):
    pytest.importorskip("pythia8mc")
    before = mesons(pdg_id, 400)
    truth = RestOfEvent.PYTHIA(before, np.random.default_rng(4))
    is_consistent(truth, before)
    p = truth.particles
    meson = p.pdg_id == pdg_id
    assert np.all(p.outcome[meson] == Outcome.DECAYED)
    proper = ((p.decay_t - p.t) * C * p.mass / p.e)[meson]
    ctau = {B_PLUS: 0.049106, B0: 0.04547852}[abs(pdg_id)]
    assert stats.kstest(proper / ctau, "expon").pvalue > P_MIN
    flown = (p.decay_x - p.x)[meson]
    assert flown * p.e[meson] == pytest.approx(
        ((p.decay_t - p.t) * C * p.px)[meson], rel=1e-6, abs=1e-9
    )


def test_pythia_is_a_function_of_its_random_numbers():
    """Whatever it has decayed before."""
    pytest.importorskip("pythia8mc")
    one = grown("pythia", B_PLUS, 20)
    assert not same(grown("pythia", B_PLUS, 20, seed=3), one)
    assert same(grown("pythia", B_PLUS, 20), one)


def test_pythia_with_nothing_to_do():
    muons = mesons(MUON, 5)
    assert same(RestOfEvent.PYTHIA(muons, np.random.default_rng(1)), muons)


def test_a_missing_pythia_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    monkeypatch.setattr("darkbelle.gen.decays.pythia.start_pythia", start_pythia.__wrapped__)
    with pytest.raises(MissingDependencyError, match=r"pip install 'darkbelle\[pythia\]'"):
        grown("pythia", B0, 1)
