"""Slots become an event-ordered particle table, also where some events lack a particle."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from darkbelle.gen.events import (
    CrossSection,
    Origin,
    Outcome,
    Particles,
    Slot,
    Status,
    TruthEvents,
    assemble,
)
from darkbelle.records import columns

N = 3
VERTEX = np.arange(4 * N, dtype=float).reshape(4, N)
END = VERTEX + 100


def momentum(seed: int) -> np.ndarray:
    p = np.random.default_rng(seed).normal(size=(4, N))
    p[0] = np.sqrt(np.sum(p[1:] ** 2, axis=0) + 0.5**2)
    return p


@pytest.fixture
def events() -> TruthEvents:
    """A photon in the last event alone, a parent, two children of which one is rare."""
    slots = [
        Slot(22, Status.FINAL, Origin.PRIMARY, 0.0, momentum(0), VERTEX,
             present=np.array([False, False, True])),
        Slot(55, Status.DECAYED, Origin.PRIMARY, 0.5, momentum(1), VERTEX, END,
             outcome=Outcome.DECAYED),
        Slot(np.array([14, 16, 52], np.int32), Status.FINAL, Origin.DECAY,
             np.array([0.0, 0.0, 0.2]), momentum(2), END, parent=1),
        Slot(-14, Status.FINAL, Origin.DECAY, 0.0, momentum(3), END, parent=1,
             present=np.array([True, False, True])),
    ]  # fmt: skip
    return assemble(slots, np.array([1.0, 2.0, 3.0]), VERTEX, CrossSection(4.0, 0.1))


def test_events_follow_one_another(events: TruthEvents):
    assert events.n_events == N
    assert events.offsets.tolist() == [0, 3, 5, 9]
    assert events.offsets.dtype == np.int64
    assert events.event_index().tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert events.particles.pdg_id.tolist() == [55, 14, -14, 55, 16, 22, 55, 52, -14]
    assert len(events.particles) == 9


def test_parent_is_the_index_within_the_event(events: TruthEvents):
    """Absent particles before the parent move it up."""
    assert events.particles.parent.tolist() == [-1, 0, 0, -1, 0, -1, -1, 1, 1]


def test_values_go_to_their_event(events: TruthEvents):
    particles = events.particles
    parent = particles.pdg_id == 55
    assert particles.px[parent] == pytest.approx(momentum(1)[1], rel=1e-15)
    assert particles.e[parent] == pytest.approx(momentum(1)[0], rel=1e-14)
    assert particles.mass.tolist() == [0.5, 0, 0, 0.5, 0, 0, 0.5, 0.2, 0]
    for i, name in enumerate("xyzt"):
        assert getattr(particles, name)[parent].tolist() == VERTEX[i].tolist()
        assert getattr(particles, f"decay_{name}")[parent].tolist() == END[i].tolist()
        assert np.all(getattr(particles, f"decay_{name}")[~parent] == 0)
    child = particles.parent >= 0
    assert particles.x[child].tolist() == END[0][[0, 0, 1, 2, 2]].tolist()
    assert np.all(particles.outcome[parent] == Outcome.DECAYED)
    assert np.all(particles.outcome[~parent] == Outcome.UNDETERMINED)


def test_event_record(events: TruthEvents):
    assert events.weight.tolist() == [1, 2, 3]
    assert events.vertex is VERTEX
    assert events.cross_section == CrossSection(4.0, 0.1)


def test_columns_are_described_and_hold_no_less_than_they_store(events: TruthEvents):
    """In memory a column is at least as wide as the file's, and of the same kind."""
    described = columns(Particles)
    assert list(described) == [field.name for field in dataclasses.fields(Particles)]
    for name, column in described.items():
        values = getattr(events.particles, name)
        assert values.shape == (9,)
        assert values.dtype.kind == np.dtype(column.dtype).kind
        assert values.dtype.itemsize >= np.dtype(column.dtype).itemsize
        assert column.description
        assert column.unit


def test_no_events():
    slot = Slot(13, Status.FINAL, Origin.GUN, 0.1, np.zeros((4, 0)), np.zeros((4, 0)))
    events = assemble([slot], np.zeros(0), np.zeros((4, 0)), None)
    assert events.n_events == len(events.particles) == 0
    assert events.offsets.tolist() == [0]
    assert events.event_index().shape == (0,)


def test_event_without_any_particle():
    nobody = np.array([False, True, False])
    slot = Slot(13, Status.FINAL, Origin.GUN, 0.1, momentum(4), VERTEX, present=nobody)
    events = assemble([slot], np.ones(N), VERTEX, None)
    assert events.offsets.tolist() == [0, 0, 1, 1]
    assert events.event_index().tolist() == [1]
