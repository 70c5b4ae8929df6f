"""Which particles live as a parameter says, and what a range of lifetimes makes of the weights."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.gen.events import Status, TruthEvents
from darkbelle.gen.processes import Process, find_process, process_names
from darkbelle.geometry import Collider
from darkbelle.units import C
from tests.gen.examples import EXAMPLES

LIVING = [
    (name, key)
    for name in process_names()
    for key in find_process(name).model_fields
    if key.startswith("ctau")
]
RANGE = (0.1, 10.0)


def visible(name: str, **others: object) -> Process:
    """The first example of a process in which all decays."""
    of = find_process(name)
    for parameters in EXAMPLES[name]:
        if parameters.get("decay", of.model_fields["decay"].default) != "invisible":
            kept = {key: parameters[key] for key in parameters if key not in ("ctau", "reach")}
            return of(**kept | others)
    raise AssertionError(name)


def proper_lengths(truth: TruthEvents, pdg_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Of all that are of a kind, with their events."""
    p = truth.particles
    rows = np.flatnonzero(np.abs(p.pdg_id) == abs(pdg_id))
    assert np.all(p.status[rows] == Status.DECAYED)
    return (C * (p.decay_t - p.t) * p.mass / p.e)[rows], truth.event_index()[rows]


@pytest.mark.parametrize(("name", "key"), LIVING)
def test_each_parameter_has_a_particle(name: str, key: str, collider: Collider):
    """A state of that lifetime, which decays after 1e-3 cm where the model says otherwise."""
    assert visible(name).long_lived[key].decay.ctau > 0
    process = visible(name, **{key: 1e-3})
    assert {key for other, key in LIVING if other == name} == set(process.long_lived)
    state = process.long_lived[key]
    assert state.decay.ctau == 1e-3
    proper, _ = proper_lengths(
        process.generate(collider, 400, np.random.default_rng(1)), state.pdg_id
    )
    assert proper.mean() == pytest.approx(1e-3, rel=0.25)
    assert proper.max() < 0.02


def test_what_has_no_lifetime_has_no_parameter():
    assert find_process("mumu")().long_lived == {}
    assert find_process("particle-gun")(p=1.0).long_lived == {}
    assert find_process("b-to-k-scalar")(mass=1.0, decay="invisible").long_lived == {}


@pytest.mark.parametrize(("name", "parameters", "n_each"), [
    ("dark-higgsstrahlung", {"m_ap": 0.3, "m_hp": 1.0, "ctau": RANGE}, {"ctau": 3}),
    (
        "inelastic-dark-matter",
        {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5, "ctau": RANGE, "ctau_hp": RANGE},
        {"ctau": 1, "ctau_hp": 1},
    ),
    ("tau-to-pi-hnl", {"mass": 1.0, "ctau": RANGE, "nature": "majorana"}, {"ctau": 1}),
])  # fmt: skip
def test_weights_of_a_range_are_of_every_particle(
    name: str, parameters: dict, n_each: dict[str, int], collider: Collider
):
    """Of k with a sum S, those of the longest over the mean over the logarithm of ctau.

    All of one parameter share the lifetime of their event, the parameters have their own.
    """
    low, high = RANGE
    process = find_process(name)(**parameters)
    truth = process.generate(collider, 500, np.random.default_rng(2))
    expected = np.ones(500)
    ctau = np.geomspace(low, high, 4001)
    for key, n in n_each.items():
        proper, event = proper_lengths(truth, process.long_lived[key].pdg_id)
        assert np.array_equal(np.bincount(event), np.full(500, n))
        length = np.bincount(event, proper)[:, None]
        ratio = (high / ctau) ** n * np.exp(length / high - length / ctau)
        expected /= np.trapezoid(ratio, np.log(ctau), axis=1) / np.log(high / low)
    assert truth.weight == pytest.approx(expected, rel=1e-4)


def test_a_range_reads_back_as_it_is_written():
    of = find_process("b-to-k-scalar")
    process = of(mass=1.0, ctau="0.01,100")
    assert process.ctau == (0.01, 100.0)
    assert process == of.model_validate_json(process.model_dump_json())
    assert process == of(mass=1.0, ctau=[0.01, 100])
    assert process.long_lived["ctau"].decay.ctau == 100
