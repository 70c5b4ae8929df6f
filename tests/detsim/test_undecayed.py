"""Particles that the generator leaves undecayed: in the truth, but nothing to a detector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle import gen, geometry
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.errors import KinematicsError
from darkbelle.gen import Outcome, Status, TruthEvents
from darkbelle.gen.particles import MASS_MU, TAU
from darkbelle.gen.processes import TauTau, TauTauScalar

CARD = geometry.load("belle2")


def seen_by(truth: TruthEvents, seed: int = 8) -> RecoEvents:
    return simulate(truth, CARD, rng=np.random.default_rng(seed))


def objects(reco: RecoEvents) -> int:
    return len(reco.tracks) + len(reco.clusters) + len(reco.klm_clusters) + len(reco.vertices)


@pytest.fixture(scope="module")
def taus() -> TruthEvents:
    process = TauTau(isr=False, fsr=False)
    return process.generate(CARD.collider, 400, np.random.default_rng(7))


def test_a_detector_does_not_see_them(taus: TruthEvents):
    reco = seen_by(taus)
    assert objects(reco) == 0
    for level in (reco.trigger.l1, reco.trigger.hlt, reco.trigger.physics):
        assert not level.any()


def test_it_would_see_muons_in_their_place(taus: TruthEvents):
    """The same flights, so that it is the outcome alone that hides them."""
    p = taus.particles
    muons = replace(
        p,
        pdg_id=np.where(np.abs(p.pdg_id) == TAU, np.sign(p.pdg_id) * 13, p.pdg_id),
        mass=np.where(np.abs(p.pdg_id) == TAU, MASS_MU, p.mass),
        outcome=np.where(p.outcome == Outcome.UNDECAYED, Outcome.UNDETERMINED, p.outcome),
    )
    reco = seen_by(replace(taus, particles=muons))
    assert len(reco.tracks) > 400
    assert reco.trigger.l1.any(axis=1).mean() > 0.5


def test_they_stay_in_the_truth_as_they_were(taus: TruthEvents):
    before, after = taus.particles, seen_by(taus).truth.particles
    is_tau = np.abs(after.pdg_id) == TAU
    assert is_tau.sum() == 2 * taus.n_events
    assert np.all(after.status[is_tau] == Status.FINAL)
    assert np.all(after.outcome[is_tau] == Outcome.UNDECAYED)
    assert not after.is_final[is_tau].any()
    for name in ("px", "py", "pz", "x", "decay_x", "decay_t"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


def test_what_comes_with_them_is_seen():
    """Electrons and photons of tau+ tau- phi_L(-> e e), and nothing that a tau made."""
    process = TauTauScalar(mass=1.0, decay="ee", ctau=0.0)
    truth = process.generate(CARD.collider, 400, np.random.default_rng(9))
    reco = seen_by(truth)
    assert len(reco.tracks) > 400
    pdg_id = reco.truth.particles.pdg_id
    tables = (
        (reco.tracks, reco.track_offsets),
        (reco.clusters, reco.cluster_offsets),
        (reco.klm_clusters, reco.klm_cluster_offsets),
    )
    for table, offsets in tables:
        owner = np.repeat(reco.truth.offsets[:-1], np.diff(offsets)) + table.truth_index
        assert not np.any(np.abs(pdg_id[owner[table.truth_index >= 0]]) == TAU)
    born = np.flatnonzero(reco.truth.particles.status == Status.SIMULATED)
    assert not np.any(np.abs(pdg_id[reco.truth.parents(born)]) == TAU)


def test_a_tau_that_nobody_marked_is_refused():
    truth = gen.ParticleGun(pdg_id=TAU, p=2.0).generate(CARD.collider, 5, np.random.default_rng(3))
    with pytest.raises(KinematicsError, match="the generator must decay it"):
        seen_by(truth)
