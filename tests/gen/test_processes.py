"""The registry, and one suite that every registered process must pass."""

from __future__ import annotations

import dataclasses
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen import processes
from darkbelle.gen.events import Particles, Status, TruthEvents
from darkbelle.gen.particles import charges, species
from darkbelle.gen.processes import (
    MuMuZPrime,
    ParticleGun,
    Process,
    find_process,
    process_names,
)
from darkbelle.geometry import Collider
from darkbelle.units import C

# The least that a process needs to run, by name; a new process adds its line.
EXAMPLES = {
    "mumu-zprime": {"mass": 1.0, "ctau": 10.0},
    "particle-gun": {"p": (0.5, 2.0), "theta": (0.3, 2.6)},
}
NAMES = sorted(EXAMPLES)

# ---- registry ------------------------------------------------------------------------------------


def test_every_process_has_its_example():
    assert process_names() == NAMES


def test_find():
    assert find_process("mumu-zprime") is MuMuZPrime
    assert find_process("particle-gun")(p="1") == ParticleGun(p=1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mumu-zprim", "unknown process 'mumu-zprim', did you mean 'mumu-zprime'?"),
        ("higgs", "unknown process 'higgs', known: mumu-zprime, particle-gun"),
    ],
)
def test_unknown_process(name: str, message: str):
    with pytest.raises(ConfigError) as caught:
        find_process(name)
    assert str(caught.value) == message


class Rival(ParticleGun):
    """A process of another package."""

    name = "rival"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points of another package: a good one, one of our names, and two bad ones."""
    here = {
        "rival": f"{__name__}:Rival",
        "mumu-zprime": f"{__name__}:Rival",
        "broken": "no_such_module:Process",
        "odd": "math:pi",
    }
    points = [EntryPoint(name, value, processes.ENTRY_POINTS) for name, value in here.items()]

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == "darkbelle.processes"
        return [point for point in points if name in (None, point.name)]

    monkeypatch.setattr(processes, "entry_points", entry_points)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


@pytest.mark.usefixtures("plugins")
def test_others_may_add_processes_but_replace_none():
    assert find_process("rival") is Rival
    assert find_process("mumu-zprime") is MuMuZPrime
    assert process_names() == sorted([*NAMES, "rival", "broken", "odd"])


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", r"process 'broken' \(no_such_module:Process\) fails to load"),
        ("odd", "no darkbelle"),
    ],
)
def test_a_bad_plugin_is_named(name: str, message: str):
    with pytest.raises(ConfigError, match=message):
        find_process(name)


# ---- the suite -----------------------------------------------------------------------------------


@pytest.fixture(params=NAMES)
def process(request: pytest.FixtureRequest) -> Process:
    return find_process(request.param)(**EXAMPLES[request.param])


def generate(process: Process, collider: Collider, n: int, seed: int = 91) -> TruthEvents:
    return process.generate(collider, n, np.random.default_rng(seed))


def columns(events: TruthEvents) -> dict[str, np.ndarray]:
    """Every array of the events, to compare them."""
    own = {"offsets": events.offsets, "weight": events.weight, "vertex": events.vertex}
    names = (field.name for field in dataclasses.fields(Particles))
    return own | {name: getattr(events.particles, name) for name in names}


def same(one: TruthEvents, other: TruthEvents) -> bool:
    pairs = zip(columns(one).values(), columns(other).values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_describes_itself(process: Process):
    assert type(process).__doc__
    assert process.summary
    assert "\n" not in process.summary
    for name, field in type(process).model_fields.items():
        assert field.description, name
        assert "unit" in field.json_schema_extra, name


def test_survives_the_round_trip_to_json(process: Process):
    assert type(process).model_validate_json(process.model_dump_json()) == process
    assert find_process(process.name)(**process.model_dump(mode="json")) == process


def test_is_frozen(process: Process):
    name = next(iter(type(process).model_fields))
    with pytest.raises(ValueError, match="frozen"):
        setattr(process, name, getattr(process, name))


def test_refuses_unknown_parameters(process: Process):
    parameters = process.model_dump()
    name = max(parameters, key=len)
    with pytest.raises(ConfigError, match=f"'{name}x', did you mean '{name}'"):
        type(process)(**parameters, **{f"{name}x": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_refuses_numbers_that_are_none(process: Process, value: float):
    for name, default in process.model_dump().items():
        if isinstance(default, (float, tuple)):
            with pytest.raises(ConfigError, match=name):
                type(process)(**{**process.model_dump(), name: value})


@pytest.mark.parametrize("n", [0, 1, 50])
def test_record_is_consistent(process: Process, n: int, collider: Collider):
    events = generate(process, collider, n)
    p = events.particles
    assert events.n_events == n
    assert events.offsets[0] == 0
    assert events.offsets[-1] == len(p)
    assert np.all(np.diff(events.offsets) > 0)
    for name, values in columns(events).items():
        assert np.all(np.isfinite(values)), name
    assert np.all(events.weight >= 1)
    assert np.all(p.mass >= 0)
    free = p.status != Status.BEAM  # beams count as massless
    for code in np.unique(p.pdg_id[free]):
        known = species(int(code))
        if known.mass is not None:
            assert p.mass[free & (p.pdg_id == code)] == pytest.approx(
                known.mass, rel=1e-6, abs=1e-15
            )
    assert (events.cross_section is None) or (events.cross_section.value > 0)


def test_parents_come_first_and_end_where_their_children_start(
    process: Process, collider: Collider
):
    events = generate(process, collider, 50)
    p = events.particles
    first = events.offsets[events.event_index()]
    place = np.arange(len(p)) - first
    child = np.flatnonzero(p.parent >= 0)
    assert np.all(p.parent < place)
    parent = (first + p.parent)[child]
    assert np.all(p.status[parent] == Status.DECAYED)
    assert np.all(np.isin(np.flatnonzero(p.status == Status.DECAYED), parent))
    for name in "xyzt":
        ends, starts = getattr(p, f"decay_{name}")[parent], getattr(p, name)[child]
        assert np.array_equal(ends, starts)
    # Nothing is born before the beams meet, nothing flies faster than light.
    flight = [getattr(p, f"decay_{c}")[parent] - getattr(p, c)[parent] for c in "xyzt"]
    assert np.all(flight[3] > 0)
    assert np.all(np.sqrt(sum(d**2 for d in flight[:3])) <= C * flight[3] * (1 + 1e-9))


def test_charge_and_momentum_are_conserved_at_every_decay(process: Process, collider: Collider):
    events = generate(process, collider, 50)
    p = events.particles
    charge = charges(p.pdg_id)
    first = events.offsets[events.event_index()]
    for i in np.flatnonzero(p.status == Status.DECAYED):
        children = np.flatnonzero((first == first[i]) & (first + p.parent == i) & (p.parent >= 0))
        assert charge[children].sum() == charge[i]
        for name in ("e", "px", "py", "pz"):
            total = getattr(p, name)
            assert total[children].sum() == pytest.approx(total[i], abs=1e-11 * p.e[i])


def test_seed_decides(process: Process, collider: Collider):
    generator = process.prepare(collider, np.random.default_rng(1))
    one, again, other = (generator.generate(50, np.random.default_rng(s)) for s in (2, 2, 3))
    assert same(one, again)
    assert not same(one, other)
    assert same(generate(process, collider, 20, 4), generate(process, collider, 20, 4))
