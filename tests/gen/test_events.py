"""Slots become an event-ordered particle table, also where some events lack a particle."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkbelle.gen.events import (
    CrossSection,
    Newborn,
    Origin,
    Outcome,
    Particles,
    Slot,
    Status,
    TruthEvents,
    append,
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
        Slot(22, Status.FINAL, Origin.PRIMARY, 0.0, momentum(0)[:, [2]], VERTEX[:, [2]],
             events=np.array([2])),
        Slot(55, Status.DECAYED, Origin.PRIMARY, 0.5, momentum(1), VERTEX, END,
             outcome=Outcome.DECAYED),
        Slot(np.array([14, 16, 52], np.int32), Status.FINAL, Origin.DECAY,
             np.array([0.0, 0.0, 0.2]), momentum(2), END, parent=1),
        Slot(-14, Status.FINAL, Origin.DECAY, 0.0, momentum(3)[:, [0, 2]], END[:, [0, 2]], parent=1,
             events=np.array([0, 2])),
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


def test_chosen_events_keep_their_particles(events: TruthEvents):
    """Any order, any repetition; parts joined again are the whole."""
    chosen = events.take(np.array([2, 0, 2]))
    assert chosen.offsets.tolist() == [0, 4, 7, 11]
    assert chosen.weight.tolist() == [3, 1, 3]
    assert chosen.vertex.tolist() == events.vertex[:, [2, 0, 2]].tolist()
    codes = events.particles.pdg_id
    assert chosen.particles.pdg_id.tolist() == [*codes[5:], *codes[:3], *codes[5:]]
    whole = TruthEvents.join([events.take(np.array(part, int)) for part in ([0], [], [1, 2])])
    assert whole.offsets.tolist() == events.offsets.tolist()
    assert whole.vertex.tolist() == events.vertex.tolist()
    assert whole.cross_section == events.cross_section
    for name in columns(Particles):
        values, expected = (getattr(e.particles, name) for e in (whole, events))
        assert values.dtype == expected.dtype
        assert values.tolist() == expected.tolist()


def test_no_events():
    slot = Slot(13, Status.FINAL, Origin.GUN, 0.1, np.zeros((4, 0)), np.zeros((4, 0)))
    events = assemble([slot], np.zeros(0), np.zeros((4, 0)), None)
    assert events.n_events == len(events.particles) == 0
    assert events.offsets.tolist() == [0]
    assert events.event_index().shape == (0,)


def test_event_without_any_particle():
    here = np.array([1])
    p, start = momentum(4)[:, here], VERTEX[:, here]
    slot = Slot(13, Status.FINAL, Origin.GUN, 0.1, p, start, events=here)
    events = assemble([slot], np.ones(N), VERTEX, None)
    assert events.offsets.tolist() == [0, 0, 1, 1]
    assert events.event_index().tolist() == [1]


# ---- newborn -------------------------------------------------------------------------------------


def born(parent: list[int] | np.ndarray, rng: np.random.Generator) -> Newborn:
    """Particles of random content, photons and electrons of either origin."""
    m = len(parent)
    mass = rng.random(m)
    momentum = rng.normal(size=(4, m))
    momentum[0] = np.sqrt(np.sum(momentum[1:] ** 2, axis=0) + mass**2)
    return Newborn(
        np.asarray(parent, np.intp),
        rng.choice(np.array([11, 22], np.int32), m),
        mass,
        momentum,
        rng.normal(size=(4, m)),
        rng.choice(np.array([Origin.CONVERSION, Origin.BREMSSTRAHLUNG], np.int8), m),
        rng.choice(np.array([Status.FINAL, Status.DECAYED], np.int8), m),
    )


def test_newborn_stand_at_the_end_of_their_event(events: TruthEvents):
    """Two of the last event's parent (row 6), one of the first event's child (row 2)."""
    added = dataclasses.replace(born([6, 2, 6], np.random.default_rng(5)), origin=Origin.DECAY)
    longer, rows = append(events, added)
    assert longer.offsets.tolist() == [0, 4, 6, 12]
    assert longer.offsets.dtype == np.int64
    assert rows.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 3, 11]
    particles, new = longer.particles, rows[9:]
    assert particles.parent[new].tolist() == [1, 2, 1]
    assert particles.pdg_id[new].tolist() == added.pdg_id.tolist()
    assert particles.status[new].tolist() == np.asarray(added.status).tolist()
    assert np.all(particles.origin[new] == Origin.DECAY)
    assert np.all(particles.outcome[new] == Outcome.UNDETERMINED)
    assert particles.mass[new].tolist() == added.mass.tolist()
    assert particles.e[new] == pytest.approx(added.momentum[0], rel=1e-14)
    for i, name in enumerate(("px", "py", "pz"), start=1):
        assert getattr(particles, name)[new].tolist() == added.momentum[i].tolist()
    for i, name in enumerate("xyzt"):
        assert getattr(particles, name)[new].tolist() == added.start[i].tolist()
        assert np.all(getattr(particles, f"decay_{name}")[new] == 0)
    assert longer.weight is events.weight
    assert longer.vertex is events.vertex
    assert longer.cross_section is events.cross_section


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_append_keeps_order_and_content(sizes: list[int], data: st.DataObject):
    """Any events, any parents: every particle is found where ``rows`` says, in its event."""
    n = sum(sizes)
    parents = data.draw(st.lists(st.integers(0, n - 1), max_size=8)) if n else []
    rng = np.random.default_rng(len(sizes) + 10 * n)
    owners = [np.flatnonzero(np.array(sizes) > j) for j in range(3)]
    slots = [
        Slot(j, Status.FINAL, Origin.PRIMARY, 0.1, *rng.normal(size=(2, 4, len(own))), events=own)
        for j, own in enumerate(owners)
    ]
    old = assemble(slots, np.ones(len(sizes)), np.zeros((4, len(sizes))), None)
    added = born(parents, rng)
    new, rows = append(old, added)

    assert sorted(rows) == list(range(n + len(parents))) == list(range(len(new.particles)))
    assert new.offsets[-1] == len(new.particles)
    born_in = old.event_index()[added.parent]
    counts = np.bincount(born_in, minlength=len(sizes))
    assert np.diff(new.offsets).tolist() == (np.array(sizes) + counts).tolist()
    event = new.event_index()[rows]
    assert event.tolist() == [*old.event_index(), *born_in]
    within = rows - new.offsets[event]
    assert within[:n].tolist() == (np.arange(n) - old.offsets[old.event_index()]).tolist()
    assert np.all(within[n:] >= np.array(sizes)[born_in])
    for i in range(len(sizes)):
        assert np.all(np.diff(within[n:][born_in == i]) == 1)
    for field in dataclasses.fields(Particles):
        before, after = getattr(old.particles, field.name), getattr(new.particles, field.name)
        assert after.dtype == before.dtype
        assert after[rows[:n]].tolist() == before.tolist()
    assert new.particles.pdg_id[rows[n:]].tolist() == added.pdg_id.tolist()
    assert new.particles.px[rows[n:]].tolist() == added.momentum[1].tolist()
    parent_row = new.offsets[event[n:]] + new.particles.parent[rows[n:]]
    assert parent_row.tolist() == rows[added.parent].tolist()


def test_nobody_is_born(events: TruthEvents):
    same, rows = append(events, born([], np.random.default_rng(1)))
    assert same is events
    assert rows.tolist() == list(range(9))
