"""HepMC3 files, read by a parser of the tests' own and by pyhepmc."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle import detsim, gen
from darkbelle.errors import OutputError
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.external.hepmc_writing import COPY, EventBlock, write_events
from tests import hepmc_text
from tests.hepmc_truth import check_event
from tests.samples.flying import card

TOOL = ("darkbelle", "1.2.3", 'x {"a": "b|c\\d"}')


def block_of(truth, factors=(1.0,), first=0):
    return EventBlock(
        truth, truth.weight[:, None] * np.array(factors), first + np.arange(truth.n_events)
    )


def written(path, *blocks, names=("nominal",)):
    write_events(path, blocks, weight_names=names, tools=[TOOL])
    return hepmc_text.read(path)


@pytest.mark.parametrize(
    "process",
    [
        gen.MuMuZPrime(mass=2.0, decay="mumu"),
        gen.BToKScalar(mass=1.0, kaon="K_S", decay="pipi", rest_of_event="toy"),
        gen.ParticleGun(pdg_id=310, p=1.0, vertex=((-3, 3), 1.0, 2.0)),
        gen.ParticleGun(pdg_id=13, p=1.0, vertex=(0.0, 0.0, 0.0)),
    ],
    ids=["mumu-zprime", "b-to-k-scalar", "gun", "muons"],
)
def test_every_particle_weight_and_vertex_comes_back(process, tmp_path):
    """What the detector simulation adds is left out; blocks follow each other."""
    rng = np.random.default_rng(4)
    truth = process.generate(card().collider, 30, rng)
    seen = detsim.simulate(truth, card(), rng=rng).truth
    assert len(seen.particles) >= len(truth.particles)
    factors, first, rest = (1.0, 1.25), np.arange(20), np.arange(20, 30)
    parts = [block_of(seen.take(first), factors), block_of(seen.take(rest), factors, 20)]
    found = written(tmp_path / "x", *parts, names=("nominal", "tracking up"))
    assert found.weight_names == ["nominal", "tracking up"]
    assert found.tools == [list(TOOL)]
    assert [event.number for event in found.events] == list(range(30))
    for i, event in enumerate(found.events):
        check_event(event, truth.take(np.array([i])))
        assert event.weights == [truth.weight[i], 1.25 * truth.weight[i]]
        if truth.cross_section is None:
            assert event.cross_section == []
        else:
            value, error = event.cross_section[:2]
            assert value == pytest.approx(truth.cross_section.value / 1e3, rel=1e-8)
            assert error == pytest.approx(truth.cross_section.error / 1e3, rel=1e-8)


def test_pyhepmc_reads_the_same(tmp_path):
    pyhepmc = pytest.importorskip("pyhepmc")
    truth = gen.BToKScalar(mass=1.0, kaon="K+", decay="pipi").generate(
        card().collider, 10, np.random.default_rng(5)
    )
    own = written(tmp_path / "x", block_of(truth, (1.0, 2.0)), names=("nominal", "up"))
    with pyhepmc.open(tmp_path / "x") as file:
        events = list(file)
    assert len(events) == 10
    for event, expected in zip(events, own.events, strict=True):
        assert event.event_number == expected.number
        assert event.weight("up") == 2 * event.weight("nominal") == expected.weights[1]
        assert event.cross_section.xsec() == pytest.approx(truth.cross_section.value / 1e3)
        (tool,) = event.run_info.tools
        assert (tool.name, tool.version, tool.description) == TOOL
        assert len(event.particles) == len(expected.particles)
        for particle in event.particles:
            told = expected.particles[particle.id]
            assert (particle.pid, particle.status) == (told["pdg_id"], told["status"])
            assert sorted(p.id for p in particle.parents) == expected.parents(particle.id)
            point = particle.production_vertex.position
            if told["status"] != Status.BEAM:
                assert (point.x, point.y, point.z, point.t) == expected.start(particle.id)
            p = particle.momentum
            assert (p.px, p.py, p.pz, p.e) == told["momentum"]
            assert particle.generated_mass == told["mass"]


def by_hand(*particles, with_beams=True):
    """An event of particles (code, status, parent, x of the start), beams amid them."""
    vertex, momentum = np.array([[0.1], [0.2], [0.3], [0.4]]), np.array([[5.0], [3.0], [0], [0]])
    slots = [
        Slot(
            code,
            status,
            Origin.PRIMARY,
            4.0,
            momentum,
            np.array([[x], [0.2], [0.3], [0.4]]),
            parent=parent,
        )
        for code, status, parent, x in particles
        if with_beams or status != Status.BEAM
    ]
    return assemble(slots, np.ones(1), vertex, None)


def codes_of_parents(event):
    return [sorted(event.particles[p]["pdg_id"] for p in event.parents(n)) for n in event.particles]


def test_beams_come_first_wherever_they_stand(tmp_path):
    truth = by_hand(
        (23, Status.DECAYED, -1, 0.1),
        (11, Status.BEAM, -1, 0.1),
        (13, Status.FINAL, 0, 0.7),
        (-11, Status.BEAM, -1, 0.1),
        (-13, Status.FINAL, 0, 0.7),
        (22, Status.FINAL, -1, 0.1),
    )
    (event,) = written(tmp_path / "x", block_of(truth)).events
    codes = [particle["pdg_id"] for particle in event.particles.values()]
    assert codes == [11, -11, 23, 13, -13, 22]
    assert codes_of_parents(event) == [[], [], [-11, 11], [23], [23], [-11, 11]]
    assert event.start(3) == event.start(6) == pytest.approx((1, 2, 3, 0.4 * 299.792458))
    assert event.start(4) == pytest.approx((7, 2, 3, 0.4 * 299.792458))
    assert len(event.incoming) == event.n_vertices == 2


@pytest.mark.parametrize("with_beams", [True, False])
def test_what_is_born_away_comes_by_a_copy(tmp_path, with_beams):
    """From the collision or the end of its parent to where it begins."""
    shift = 2 if with_beams else 0
    truth = by_hand(
        (11, Status.BEAM, -1, 0.1),
        (-11, Status.BEAM, -1, 0.1),
        (23, Status.DECAYED, -1, 0.1),
        (13, Status.FINAL, shift, 0.7),
        (-13, Status.FINAL, shift, 0.9),
        (321, Status.DECAYED, -1, 1.5),
        (211, Status.FINAL, shift + 3, 2.5),
        with_beams=with_beams,
    )
    (event,) = written(tmp_path / "x", block_of(truth)).events
    told = [(p["pdg_id"], p["status"]) for p in list(event.particles.values())[shift:]]
    copies = {(-13, COPY), (321, COPY)}
    assert told == [(23, 2), (13, 1), (-13, COPY), (-13, 1), (321, COPY), (321, 2), (211, 1)]
    beams = [-11, 11] if with_beams else []
    parents = [beams, [23], [23], [-13], beams, [321], [321]]
    assert codes_of_parents(event)[shift:] == parents
    x = [event.start(n)[0] for n in list(event.particles)[shift:]]
    np.testing.assert_allclose(x, [1, 7, 7, 9, 1, 15, 25])
    pyhepmc = pytest.importorskip("pyhepmc")
    with pyhepmc.open(tmp_path / "x") as file:
        (read,) = list(file)
    kept = [p for p in read.particles if (p.pid, p.status) not in copies]
    assert len(kept) == len(truth.particles)
    np.testing.assert_allclose(
        [p.production_vertex.position.x for p in kept[shift:]], [1, 7, 9, 15, 25]
    )


def test_nothing_is_a_file_and_an_event_of_nothing_is_none(tmp_path):
    truth = by_hand((13, Status.FINAL, -1, 0.0))
    nobody = replace(truth, offsets=np.zeros(2, np.int64)).take(np.array([0]))
    assert written(tmp_path / "x", block_of(truth.take(np.array([], int)))).events == []
    with pytest.raises(OutputError, match="event 7 has no particle"):
        written(tmp_path / "x", block_of(nobody, first=7))


def test_a_disk_that_is_full_is_told():
    with pytest.raises(OSError, match="error"):
        written("/dev/full", block_of(by_hand((13, Status.FINAL, -1, 0.0))))
