"""Particles that the generator leaves undecayed: in the truth, but nothing to a detector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle import gen, geometry
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.errors import KinematicsError
from darkbelle.gen import Outcome, Status, TruthEvents
from darkbelle.gen.particles import ALP, B0, B_PLUS, KAON, MASS_MU, PI0, PION, UPSILON_4S
from darkbelle.gen.processes import BToKAlp

CARD = geometry.load("belle2")
QUIET = {"isr": False, "fsr": False}


def seen_by(truth: TruthEvents, seed: int = 8) -> RecoEvents:
    return simulate(truth, CARD, rng=np.random.default_rng(seed))


def objects(reco: RecoEvents) -> int:
    return len(reco.tracks) + len(reco.clusters) + len(reco.klm_clusters) + len(reco.vertices)


def left(truth: TruthEvents) -> np.ndarray:
    return truth.particles.outcome == Outcome.UNDECAYED


@pytest.fixture(scope="module")
def b_mesons() -> TruthEvents:
    """B of events whose other B makes K+ a, of which they are all that is left."""
    process = BToKAlp(mass=1.0, decay="invisible", **QUIET)
    truth = process.generate(CARD.collider, 400, np.random.default_rng(7))
    return without(truth, KAON)


def without(truth: TruthEvents, *codes: int) -> TruthEvents:
    """As if the generator had left particles of some codes to themselves, too."""
    p = truth.particles
    hidden = np.isin(np.abs(p.pdg_id), codes) & (p.status == Status.FINAL)
    outcome = np.where(hidden, np.int8(Outcome.UNDECAYED), p.outcome)
    return replace(truth, particles=replace(p, outcome=outcome))


def test_a_detector_does_not_see_them(b_mesons: TruthEvents):
    reco = seen_by(b_mesons)
    assert objects(reco) == 0
    for level in (reco.trigger.l1, reco.trigger.hlt, reco.trigger.physics):
        assert not level.any()


def test_it_would_see_muons_in_their_place(b_mesons: TruthEvents):
    """Of their energies and flights, mostly too far ahead: the outcome alone hides them."""
    p, hidden = b_mesons.particles, left(b_mesons) & (np.abs(b_mesons.particles.pdg_id) == B_PLUS)
    stretch = np.sqrt((p.e**2 - MASS_MU**2) / np.maximum(p.e**2 - p.mass**2, 1e-9))
    factor = np.where(hidden, stretch, 1.0)
    muons = replace(
        p,
        pdg_id=np.where(hidden, np.sign(p.pdg_id) * 13, p.pdg_id),
        mass=np.where(hidden, MASS_MU, p.mass),
        **{name: factor * getattr(p, name) for name in ("px", "py", "pz")},
    )
    shown = replace(muons, outcome=np.where(hidden, Outcome.UNDETERMINED, p.outcome))
    assert objects(seen_by(replace(b_mesons, particles=muons))) == 0
    assert len(seen_by(replace(b_mesons, particles=shown)).tracks) > 50


def test_they_stay_in_the_truth_as_they_were(b_mesons: TruthEvents):
    before, after = b_mesons.particles, seen_by(b_mesons).truth.particles
    hidden = left(b_mesons)
    is_b = np.abs(after.pdg_id) == B_PLUS
    assert (is_b & hidden).sum() == b_mesons.n_events
    assert np.all(after.status[hidden] == Status.FINAL)
    assert np.all(after.outcome[hidden] == Outcome.UNDECAYED)
    assert not after.is_final[hidden].any()
    for name in ("px", "py", "pz", "x", "decay_x", "decay_t"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


@pytest.mark.parametrize(("kaon", "b_code"), [("K+", B_PLUS), ("K*0", B0)])
def test_what_comes_with_them_is_seen(kaon: str, b_code: int):
    """Kaon and photons of the one B, and nothing of the other one."""
    process = BToKAlp(mass=1.0, kaon=kaon, ctau=0.0)
    truth = process.generate(CARD.collider, 400, np.random.default_rng(9))
    reco = seen_by(truth)
    p, offsets = reco.truth.particles, reco.truth.offsets
    assert len(reco.tracks) > 250 * (2 if kaon == "K*0" else 1)
    assert len(reco.clusters) > 400
    hidden = np.flatnonzero(p.outcome == Outcome.UNDECAYED)
    assert len(hidden) == truth.n_events
    assert np.all(np.abs(p.pdg_id[hidden]) == b_code)
    tables = (
        (reco.tracks, reco.track_offsets),
        (reco.clusters, reco.cluster_offsets),
        (reco.klm_clusters, reco.klm_cluster_offsets),
    )
    for table, table_offsets in tables:
        owner = np.repeat(offsets[:-1], np.diff(table_offsets)) + table.truth_index
        assert not np.any(np.isin(owner[table.truth_index >= 0], hidden))
    born = np.flatnonzero(p.parent >= 0)
    assert not np.any(np.isin(reco.truth.parents(born), hidden))


def test_the_rest_of_the_event_leaves_none():
    """Its tracks are those that the undecayed B does not make."""
    few, many = (
        seen_by(
            BToKAlp(mass=1.0, ctau=0.0, rest_of_event=rest).generate(
                CARD.collider, 200, np.random.default_rng(5)
            )
        )
        for rest in ("none", "toy")
    )
    assert left(few.truth).sum() == 200
    assert not left(many.truth).any()
    assert len(many.tracks) > len(few.tracks) + 2 * 200
    kept = {B_PLUS, UPSILON_4S, ALP}
    decayed = many.truth.particles.status == Status.DECAYED
    assert kept | {PI0} <= {*np.abs(many.truth.particles.pdg_id[decayed]).tolist()}
    assert np.any(np.abs(many.truth.particles.pdg_id) == PION)


def test_a_b_meson_that_nobody_marked_is_refused():
    truth = gen.ParticleGun(pdg_id=B_PLUS, p=2.0).generate(
        CARD.collider, 5, np.random.default_rng(3)
    )
    with pytest.raises(KinematicsError, match="the generator must decay it"):
        seen_by(truth)


def test_taus_of_a_gun_decay():
    truth = gen.ParticleGun(pdg_id=15, p=2.0).generate(CARD.collider, 50, np.random.default_rng(3))
    tau = np.abs(truth.particles.pdg_id) == 15
    assert np.all(truth.particles.status[tau] == Status.DECAYED)
    assert len(seen_by(truth).tracks) > 20
