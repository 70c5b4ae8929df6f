"""Oscillations of neutral B mesons: how often, when, and what comes of those that change."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle import geometry
from darkbelle.gen import BToKScalar
from darkbelle.gen.decays.mixing import OSCILLATION
from darkbelle.gen.events import Outcome, TruthEvents
from darkbelle.gen.particles import B0, KAON, charges, species
from darkbelle.units import C

COLLIDER = geometry.load("belle2").collider
N = 20_000
SHARE = 0.18579361
"""Of mixed events, integrated over time: handbook, decays_reference_numbers.csv."""


def made(n: int = N, seed: int = 1, **others) -> TruthEvents:
    process = BToKScalar(mass=1.0, kaon="K*0", ctau=0.0, isr=False, fsr=False, **others)
    return process.generate(COLLIDER, n, np.random.default_rng(seed))


def flavours(truth: TruthEvents) -> np.ndarray:
    code = truth.particles.pdg_id
    return np.sign(code[np.abs(code) == B0]).reshape(-1, 2)


def times(truth: TruthEvents) -> np.ndarray:
    """Proper times over the lifetime, shape (n, 2)."""
    p = truth.particles
    rows = np.abs(p.pdg_id) == B0
    lived = ((p.decay_t - p.t) * p.mass / p.e)[rows]
    return (lived * C / species(B0).ctau).reshape(-1, 2)


def test_none_changes_unless_asked_for():
    assert np.all(flavours(made()).sum(axis=1) == 0)


@pytest.mark.parametrize("rest", ["none", "toy"])
def test_as_many_are_mixed_as_should_be(rest: str):
    n = 5000 if rest == "toy" else N
    mixed = np.abs(flavours(made(n, mixing=True, rest_of_event=rest)).sum(axis=1)) == 2
    assert stats.binomtest(int(mixed.sum()), n, SHARE).pvalue > 1e-3


def test_when_they_are_mixed():
    """The share among pairs so far apart in time; about all of them half a period apart."""
    truth = made(8000, mixing=True, rest_of_event="toy")
    mixed = np.abs(flavours(truth).sum(axis=1)) == 2
    lifetimes = times(truth)
    apart = np.diff(lifetimes, axis=1)[:, 0]
    x = OSCILLATION * species(B0).ctau / C
    expected = (1 - np.cos(x * apart)) / 2
    pull = (mixed - expected).sum() / np.sqrt((expected * (1 - expected)).sum())
    assert abs(pull) < 3.3
    half = np.abs(np.abs(x * apart) - np.pi) < 0.5
    assert mixed[half].mean() > 0.85


def test_all_descendants_change():
    """Charges add up at every decay, and the kaon tells the flavour of the signal."""
    truth = made(2000, mixing=True, rest_of_event="toy")
    p = truth.particles
    born = np.flatnonzero(p.parent >= 0)
    charge = charges(p.pdg_id)
    sums = np.bincount(truth.parents(born), charge[born], len(p))
    decayed = p.outcome == Outcome.DECAYED
    assert np.all(sums[decayed] == charge[decayed])
    kaons = born[np.abs(p.pdg_id[born]) == KAON]
    stars = truth.parents(kaons)
    stars, kaons = stars[np.abs(p.pdg_id[stars]) == 313], kaons[np.abs(p.pdg_id[stars]) == 313]
    mothers = truth.parents(stars)
    assert len(mothers) == 2000
    assert np.all(np.sign(p.pdg_id[mothers]) == np.sign(p.pdg_id[kaons]))
