"""The registry, and one suite that every registered process must pass in each of its modes."""

from __future__ import annotations

import dataclasses
import pickle
import sys
from functools import cache
from importlib.metadata import EntryPoint
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen import processes
from darkbelle.gen.decays.rest_of_event import RestOfEvent
from darkbelle.gen.events import Origin, Outcome, Particles, Status, TruthEvents
from darkbelle.gen.line_shapes import line_shape
from darkbelle.gen.models.dark_photon import DarkPhoton
from darkbelle.gen.particles import (
    A_PRIME,
    ALP,
    B0,
    B_PLUS,
    CHARGED_REMAINDER,
    CHI1,
    CHI2,
    DARK_HIGGS,
    ELECTRON,
    HNL,
    K_L,
    KAON,
    MUON,
    PHOTON,
    REMAINDER,
    SCALAR,
    TAU,
    UPSILON_4S,
    Z_PRIME,
    charges,
    species,
)
from darkbelle.gen.processes import (
    AnnihilationProcess,
    EventGenerator,
    GammaDarkPhoton,
    InelasticDarkMatter,
    Mode,
    MuMuZPrime,
    ParticleGun,
    Process,
    find_process,
    modes,
    process_names,
)
from darkbelle.geometry import Collider, load
from darkbelle.units import C
from tests.gen.examples import CASES, EXAMPLES
from tests.pilot import short_pilot

NAMES = sorted(EXAMPLES)

# ---- registry ------------------------------------------------------------------------------------


def test_every_process_has_its_examples():
    assert process_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_is_in_an_example(name: str):
    """So that no decay mode goes untested."""
    examples = [find_process(name)(**parameters) for parameters in EXAMPLES[name]]
    for key, field in find_process(name).model_fields.items():
        if get_origin(field.annotation) is Literal:
            assert {getattr(process, key) for process in examples} == {*get_args(field.annotation)}


def test_find():
    assert find_process("mumu-zprime") is MuMuZPrime
    assert find_process("particle-gun")(p="1") == ParticleGun(p=1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mumu-zprim", "unknown process 'mumu-zprim', did you mean 'mumu-zprime'?"),
        (
            "higgs",
            f"unknown process 'higgs', known: {', '.join(NAMES[:12])} and {len(NAMES) - 12} more, "
            "cf. darkbelle processes",
        ),
    ],
)
def test_unknown_process(name: str, message: str):
    with pytest.raises(ConfigError) as caught:
        find_process(name)
    assert str(caught.value) == message


class Rival(ParticleGun):
    """A process of another package."""

    name = "rival"


class Nameless(ParticleGun):
    """A process that inherits a summary, but whose name was forgotten."""

    name = None  # type: ignore[assignment]


class OneTooFew(MuMuZPrime):
    """A process that forgets one of the muons of its final state."""

    name = "one-too-few"

    def final_states(self) -> tuple[Mode, ...]:
        """mu-, Z'."""
        minus, _, boson = super().final_states()[0].daughters
        return (Mode(1.0, (minus, boson)),)


def test_final_states_have_all_particles_of_the_hard_process():
    with pytest.raises(ConfigError) as caught:
        OneTooFew(mass=1.0).prepare(load("belle2").collider, np.random.default_rng(1))
    assert str(caught.value) == (
        "one-too-few: final_states have 2 particles, but the hard process samples momenta of 3"
    )


def test_a_process_needs_a_name():
    with pytest.raises(ConfigError, match=r"^process class Nameless has no name, set it$"):
        Nameless(p=1.0)


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points of another package: a good one, one of our names, and three bad ones."""
    here = {
        "rival": f"{__name__}:Rival",
        "mumu-zprime": f"{__name__}:Rival",
        "broken": "no_such_module:Process",
        "odd": "math:pi",
        "nameless": f"{__name__}:Nameless",
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
    assert process_names() == sorted([*NAMES, "rival", "broken", "odd", "nameless"])


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", r"process 'broken' \(no_such_module:Process\) fails to load"),
        ("odd", "no darkbelle"),
        ("nameless", "process class Nameless has no name"),
    ],
)
def test_a_bad_plugin_is_named(name: str, message: str):
    with pytest.raises(ConfigError, match=message):
        find_process(name)


# ---- the suite -----------------------------------------------------------------------------------


@cache
def belle2() -> Collider:
    return load("belle2").collider


@cache
def prepared(name: str, i: int) -> EventGenerator:
    """An example made ready for Belle II."""
    process = find_process(name)(**EXAMPLES[name][i])
    with short_pilot():
        return process.prepare(belle2(), np.random.default_rng(91))


@cache
def some_events(name: str, i: int) -> TruthEvents:
    """Enough that modes of 1 % are among them."""
    return prepared(name, i).generate(500, np.random.default_rng(92))


@pytest.fixture(params=NAMES)
def process(request: pytest.FixtureRequest) -> Process:
    """The first example of each process, where its parameters do not matter."""
    return find_process(request.param)(**EXAMPLES[request.param][0])


def is_of_few(case: tuple[str, int]) -> bool:
    """Two of each process: the first example, and the one with cuts and weights."""
    name, i = case
    return i == 0 or "cuts" in EXAMPLES[name][i]


@pytest.fixture(
    params=[
        pytest.param(case, marks=[] if is_of_few(case) else pytest.mark.validation)
        for case in CASES
    ],
    ids=lambda case: f"{case[0]}-{case[1]}",
)
def generator(request: pytest.FixtureRequest) -> EventGenerator:
    return prepared(*request.param)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def events(request: pytest.FixtureRequest) -> TruthEvents:
    return some_events(*request.param)


def columns(events: TruthEvents) -> dict[str, np.ndarray]:
    """Every array of the events, to compare them."""
    own = {"offsets": events.offsets, "weight": events.weight, "vertex": events.vertex}
    names = (field.name for field in dataclasses.fields(Particles))
    return own | {name: getattr(events.particles, name) for name in names}


def same(one: TruthEvents, other: TruthEvents) -> bool:
    pairs = zip(columns(one).values(), columns(other).values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def momenta(events: TruthEvents) -> np.ndarray:
    p = events.particles
    return np.stack([p.e, p.px, p.py, p.pz])


def test_describes_itself(process: Process):
    assert type(process).__doc__
    assert process.summary
    assert "\n" not in process.summary
    for name, field in type(process).model_fields.items():
        assert field.description, name
        assert "unit" in field.json_schema_extra, name


@pytest.mark.parametrize(("name", "i"), CASES)
def test_survives_the_round_trip_to_json(name: str, i: int):
    process = find_process(name)(**EXAMPLES[name][i])
    assert type(process).model_validate_json(process.model_dump_json()) == process
    assert find_process(process.name)(**process.model_dump(mode="json")) == process


def test_is_frozen(process: Process):
    for name in type(process).model_fields:
        with pytest.raises(ValueError, match="frozen"):
            setattr(process, name, getattr(process, name))


def test_refuses_unknown_parameters(process: Process):
    parameters = process.model_dump()
    name = max(parameters, key=len)
    with pytest.raises(ConfigError, match=f"'{name}x', did you mean '{name}'"):
        type(process)(**parameters, **{f"{name}x": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_refuses_numbers_that_are_none(process: Process, value: float):
    for name, field in type(process).model_fields.items():
        if get_args(field.annotation) in ((), (float, type(None))) and field.annotation not in (
            bool,
            processes.annihilation.GeneratorCuts,
        ):
            with pytest.raises(ConfigError, match=name):
                type(process)(**{**process.model_dump(), name: value})


@pytest.mark.parametrize("n", [0, 1, 50])
def test_makes_as_many_events_as_asked(generator: EventGenerator, n: int):
    events = generator.generate(n, np.random.default_rng(93))
    assert events.n_events == n
    assert events.offsets[-1] == len(events.particles)
    assert events.vertex.shape == (4, n)


def test_record_is_consistent(events: TruthEvents):
    assert events.offsets[0] == 0
    assert np.all(np.diff(events.offsets) > 0)
    for name, values in columns(events).items():
        assert np.all(np.isfinite(values)), name
    assert np.all(events.weight > 0)
    assert (events.cross_section is None) or (events.cross_section.value > 0)


@pytest.mark.parametrize(("name", "i"), CASES)
def test_weights(name: str, i: int):
    """One an event unless weights were asked for; one on the average in any case."""
    weight = some_events(name, i).weight
    asked = EXAMPLES[name][i]
    if not {"weighted", "reach"} & set(asked):
        assert np.all(weight >= 1)
        assert np.mean(weight > 1) < 0.01
    else:
        assert np.ptp(weight) > 0 or name == "particle-gun"
    assert abs(weight.mean() - 1) < 4.5 * weight.std() / np.sqrt(len(weight)) + 0.02


def dark_masses(process: Process) -> dict[int, float]:
    """Masses of the dark states that the parameters fix, by their codes."""
    fixed: dict[str, Any] = dict(process)
    if isinstance(process, InelasticDarkMatter):
        m_chi2 = process.m_chi1 + process.delta
        return {CHI1: process.m_chi1, CHI2: m_chi2, DARK_HIGGS: process.m_hp}
    if "m_ap" in fixed:
        return {A_PRIME: fixed["m_ap"], DARK_HIGGS: fixed["m_hp"]}
    bosons = dict.fromkeys((ALP, SCALAR, Z_PRIME, A_PRIME, HNL), fixed.get("mass"))
    return bosons | {CHI1: fixed.get("m_chi"), -CHI1: fixed.get("m_chi")}


@pytest.mark.parametrize(("name", "i"), CASES)
def test_particles_are_on_their_mass_shells(name: str, i: int):
    """Energies follow from masses, and add up in `test_momentum_is_conserved`."""
    if name == "pythia":  # which has widths of its own
        return
    p = some_events(name, i).particles
    known = dark_masses(find_process(name)(**EXAMPLES[name][i]))
    free = p.status != Status.BEAM  # beams count as massless
    assert np.all(p.mass[~free] == 0)
    for code in np.unique(p.pdg_id[free]).tolist():
        mass, shape = species(code).mass, line_shape(code)
        found = p.mass[free & (p.pdg_id == code)]
        if shape is not None:
            assert np.all((found >= shape.least) & (found <= shape.most))
        elif code == UPSILON_4S:
            assert np.all(np.abs(found - mass) < 0.05)
        elif abs(code) in (REMAINDER, CHARGED_REMAINDER):
            assert np.all(found >= 1.0)  # no spectrum leaves it less
        elif mass is not None or abs(code) in known:
            assert np.all(found == (known[abs(code)] if mass is None else mass)), code
        else:  # the A' of inelastic dark matter has a width
            assert code == A_PRIME
            assert np.all(found > known[CHI1] + known[CHI2])


def test_parents_come_first_and_end_where_their_children_start(events: TruthEvents):
    p = events.particles
    place = np.arange(len(p)) - events.offsets[events.event_index()]
    child = np.flatnonzero(p.parent >= 0)
    assert np.all(p.parent < place)
    parent = events.parents(child)
    assert np.all(p.status[parent] == Status.DECAYED)
    assert np.all(p.outcome[parent] == Outcome.DECAYED)
    assert np.all(np.isin(np.flatnonzero(p.status == Status.DECAYED), parent))
    for name in "xyzt":
        ends, starts = getattr(p, f"decay_{name}")[parent], getattr(p, name)[child]
        assert np.array_equal(ends, starts)
        assert not np.any(getattr(p, f"decay_{name}")[p.status == Status.FINAL])
    # Nothing is born before the beams meet, nothing flies faster than light.
    flight = [getattr(p, f"decay_{c}")[parent] - getattr(p, c)[parent] for c in "xyzt"]
    assert np.all(flight[3] >= 0)
    assert np.all(np.sqrt(sum(d**2 for d in flight[:3])) <= C * flight[3] * (1 + 1e-9) + 1e-12)


def test_first_particles_start_where_the_beams_meet(events: TruthEvents):
    p, event = events.particles, events.event_index()
    if np.any(p.origin == Origin.GUN):
        return
    first = p.parent < 0
    for name, start in zip("xyzt", events.vertex, strict=True):
        # Pythia lets a virtual photon live as long as its width wants it.
        np.testing.assert_allclose(getattr(p, name)[first], start[event[first]], rtol=0, atol=1e-12)
    assert np.all(np.bincount(event, p.status == Status.BEAM) == 2)


def test_charge_and_momentum_are_conserved_at_every_decay(events: TruthEvents):
    p = events.particles
    child, decayed = np.flatnonzero(p.parent >= 0), p.status == Status.DECAYED
    parent = events.parents(child)
    for values, tolerance in (
        (charges(p.pdg_id), 0.0),
        *((component, 1e-11 * p.e) for component in momenta(events)),
    ):
        children = np.bincount(parent, values[child], len(p))
        assert np.all((np.abs(children - values) <= tolerance)[decayed])


def test_momentum_is_conserved(events: TruthEvents):
    """What is left in the end has the momentum of the beams, to 1e-12 of the energy."""
    p, event, n = events.particles, events.event_index(), events.n_events
    beam, left = p.status == Status.BEAM, p.status == Status.FINAL
    if not np.any(beam):
        return
    energy = np.bincount(event[beam], p.e[beam], n)
    for component in momenta(events):
        sent, found = (np.bincount(event[rows], component[rows], n) for rows in (beam, left))
        assert np.abs((found - sent) / energy).max() < 1e-12
    assert np.all(np.bincount(event[left], charges(p.pdg_id)[left], n) == 0)


@pytest.mark.parametrize(("name", "i"), CASES)
def test_particles_end_as_they_should(name: str, i: int):
    """Taus decay, B do unless the rest of the event is left out; K_L are left to a detector."""
    process, events = find_process(name)(**EXAMPLES[name][i]), some_events(name, i)
    beauty, rest = (B0, B_PLUS), (REMAINDER, CHARGED_REMAINDER)
    p, event = events.particles, events.event_index()
    kind = np.abs(p.pdg_id)
    left = p.outcome == Outcome.UNDECAYED
    assert np.all(p.status[left] == Status.FINAL)
    assert np.all(left[np.isin(kind, rest)])
    assert np.all(np.isin(kind[left], (*beauty, *rest)))
    has_one = np.any(np.isin(kind, rest))
    if np.any(np.isin(kind, beauty)):
        has_one = getattr(process, "rest_of_event", None) is RestOfEvent.NONE
    assert np.all(np.bincount(event[left], minlength=events.n_events) == has_one)
    decayed = p.status == Status.DECAYED
    assert np.all(decayed[(kind == TAU) | (np.isin(kind, beauty) & ~left)])
    assert np.all(p.status[p.pdg_id == K_L] == Status.FINAL)
    assert np.all((p.outcome == Outcome.COLLIDED) == (p.status == Status.BEAM))
    assert np.all(p.outcome[p.is_final] == Outcome.UNDETERMINED)


def test_photons_of_the_final_state(events: TruthEvents):
    """They come with charges: two or more of a neutral parent, one or more of a charged one."""
    p, event = events.particles, events.event_index()
    photon = p.origin == Origin.FINAL_STATE_RADIATION
    assert np.all(p.pdg_id[photon] == PHOTON)
    charged = (charges(p.pdg_id) != 0) & (p.status != Status.BEAM)
    family = event * (np.diff(events.offsets).max() + 1) + p.parent + 1
    families = np.bincount(family[charged], minlength=family.max() + 1)
    has_parent = np.flatnonzero(photon & (p.parent >= 0))
    of_charged = np.zeros(len(p), dtype=np.bool_)
    of_charged[has_parent] = charges(p.pdg_id[events.parents(has_parent)]) != 0
    beside = families[family[photon]]
    assert np.all(beside >= np.where(of_charged[photon], 1, 2))
    assert np.all(beside % 2 == of_charged[photon])


@pytest.mark.parametrize(("name", "i"), CASES)
def test_photons_are_there_where_they_are_asked_for(name: str, i: int):
    process = find_process(name)(**EXAMPLES[name][i])
    if not isinstance(process, AnnihilationProcess):
        return
    events = some_events(name, i)
    p = events.particles
    assert np.any(p.origin == Origin.INITIAL_STATE_RADIATION) == process.isr
    radiated = p.origin == Origin.FINAL_STATE_RADIATION
    # Slow kaons, alone, radiate too rarely.
    if process.fsr and np.any(np.isin(p.pdg_id, (ELECTRON, MUON)) & (p.status != Status.BEAM)):
        assert np.any(radiated)
    if not process.fsr:
        assert not np.any(radiated)


@pytest.mark.parametrize("mass", [0.9855, 0.988, 0.992, 1.0, 1.03, 1.0599, 1.06, 1.07])
def test_kaons_of_a_dark_photon(mass: float):
    """Each of its choices is generated, between the thresholds of both pairs too."""
    rng, collider = np.random.default_rng(94), belle2()
    kaons = mass > 2 * 0.493677
    for decay in ("KK", "any") if kaons else ("any",):
        p = GammaDarkPhoton(mass=mass, decay=decay).generate(collider, 2000, rng).particles
        found = {code for code in (KAON, K_L) if np.any(np.abs(p.pdg_id) == code)}
        opened = {KAON} if kaons else set()
        assert found == opened | ({K_L} if 2 * 0.497611 < mass < 1.06 else set())


def test_charged_kaons_at_the_phi():
    """Of K+ K- and K_S K_L, 0.491 and 0.339 of all decays (PDG 2024)."""
    charged, neutral = modes.of_dark_photon(DarkPhoton(1.01946, 1e-3), None, None)["KK"]
    share = charged.fraction / (charged.fraction + neutral.fraction)
    assert share == pytest.approx(0.491 / (0.491 + 0.339), abs=0.015)


def test_seed_decides_in_workers_too(generator: EventGenerator):
    sent = pickle.loads(pickle.dumps(generator))
    one, other, again = (generator.generate(20, np.random.default_rng(s)) for s in (2, 3, 2))
    assert same(one, again)
    assert not same(one, other)
    assert same(one, sent.generate(20, np.random.default_rng(2)))
    assert sent.cross_section == generator.cross_section
