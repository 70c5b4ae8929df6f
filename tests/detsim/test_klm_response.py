"""What holds for every response of the muon system: symmetries, edges, reproducibility, table."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest

from darkbelle.detsim import TrackTable
from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.klm import KlmResponse, respond
from darkbelle.detsim.klm_table import klm_cluster_table
from darkbelle.gen.events import Origin, Outcome, Slot, Status, TruthEvents, assemble
from darkbelle.gen.particles import K_L, MASS_MU, MUON, PHOTON, PION, masses
from darkbelle.geometry import Experiment, load
from darkbelle.records import columns
from tests.detsim.klm_gun import arrive, shoot

EXACT = (
    "klm.hits.layer_efficiency=1.0",
    "klm.hits.overlap_factor=1.0",
    "klm.hits.position_resolution_cm=1e-9",
    "klm.hits.rpc_time_ns=1e-9",
    "klm.hits.scintillator_time_ns=1e-9",
)


@cache
def card(*overrides: str) -> Experiment:
    return load("belle2", overrides)


def responses_of(arrivals: Arrivals, experiment: Experiment, seed: int = 3) -> KlmResponse:
    code = arrivals.pdg_id
    showered = np.zeros(len(arrivals), bool)
    rng = np.random.default_rng(seed)
    return respond(arrivals, code, showered, experiment, rng)


def some_muons(n: int = 3000, field: float = 1.5) -> Arrivals:
    rng = np.random.default_rng(8)
    code = rng.choice(np.array([MUON, -MUON], np.int32), n)
    theta = np.arccos(rng.uniform(-0.9, 0.95, n))
    return arrive(code, rng.uniform(0.4, 3, n), theta, rng.uniform(-3, 3, n), field)


def mirrored(arrivals: Arrivals) -> Arrivals:
    """In the plane y = 0, with charges changed, as the field is an axial vector along z."""
    point = arrivals.point * np.array([1, -1, 1, 1])[:, None]
    momentum = arrivals.momentum * np.array([1, 1, -1, 1])[:, None]
    return Arrivals(arrivals.row, -arrivals.pdg_id, point, momentum)


def test_charge_and_mirror() -> None:
    one, other = some_muons(), mirrored(some_muons())
    a, b = responses_of(one, card(*EXACT)), responses_of(other, card(*EXACT))
    np.testing.assert_array_equal(a.source, b.source)
    np.testing.assert_array_equal(a.n_layers, b.n_layers)
    np.testing.assert_array_equal(a.outcome, b.outcome)
    np.testing.assert_allclose(a.y, -b.y, atol=1e-6)
    np.testing.assert_allclose(a.x, b.x, atol=1e-6)


def test_field_the_other_way_round() -> None:
    """Opposite field and opposite charge are the same."""
    one = some_muons()
    other = Arrivals(one.row, -one.pdg_id, one.point, one.momentum)
    a = responses_of(one, card())
    b = responses_of(other, card("solenoid.field_t=-1.5"))
    assert len(a.source) > 1000
    for name in ("outcome", "source", "x", "y", "z", "time", "n_layers", "section"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_rotation_around_the_axis() -> None:
    one, angle = some_muons(), 1.234
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    point, momentum = one.point.copy(), one.momentum.copy()
    point[:2], momentum[1:3] = turn @ point[:2], turn @ momentum[1:3]
    a = responses_of(one, card())
    b = responses_of(Arrivals(one.row, one.pdg_id, point, momentum), card())
    np.testing.assert_array_equal(a.source, b.source)
    np.testing.assert_array_equal(a.n_layers, b.n_layers)
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-9)
    np.testing.assert_allclose(np.cos(b.phi - a.phi), cos, atol=1e-9)


def test_muons_bend_away_from_their_direction() -> None:
    """1 GeV at 90 degrees: by charge to opposite sides, 0.45 rad of chord and more at 204 cm."""
    shift = {}
    for code in (MUON, -MUON):
        response = shoot(card(*EXACT), code, 1.0, 90.0, n=10, phi=0.0)[1]
        shift[code] = float(response.phi.mean())
    assert shift[MUON] == pytest.approx(-shift[-MUON], abs=1e-9)
    assert 0.45 < shift[MUON] < 0.7  # clockwise for positive charge: phi grows for negative


def test_without_field_nothing_bends() -> None:
    arrivals = some_muons(field=0.0)
    response = responses_of(arrivals, card(*EXACT, "solenoid.field_t=0.0"))
    x, y = arrivals.momentum[1:3][:, response.source]
    np.testing.assert_allclose(response.phi, np.arctan2(y, x), atol=1e-9)


@pytest.mark.parametrize("direction", [(0.0, 1.0), (0.0, -1.0), (1.0, 0.0)])
@pytest.mark.parametrize("code", [MUON, K_L, PHOTON, PION])
@pytest.mark.parametrize("field", [1.5, 0.0])
def test_exactly_along_and_across_the_beam(
    code: int, direction: tuple[float, float], field: float
) -> None:
    """No warning (which is an error here); what flies along the beam leaves nothing."""
    across, along = direction
    n, p = 50, 3.0
    code_of = np.full(n, code, np.int32)
    e = np.hypot(p, masses(code_of))
    zero = np.zeros(n)
    z = np.full(n, {1.0: 196.0, -1.0: -102.0, 0.0: 20.0}[along])
    arrivals = Arrivals(
        np.arange(n),
        code_of,
        np.stack([zero + 125 * across, zero, z, zero]),
        np.stack([e, zero + p * across, zero, zero + p * along]),
    )
    with np.errstate(all="raise", under="ignore"):
        response = responses_of(arrivals, card(f"solenoid.field_t={field}"))
    if along:
        assert len(response.source) == 0
        assert Outcome.ESCAPED in response.outcome
    else:
        assert len(response.source) > 0


def test_nobody() -> None:
    nobody = arrive(np.empty(0, np.int32), *np.empty((3, 0)))
    response = responses_of(nobody, card())
    assert len(response.outcome) == len(response.source) == len(response.theta) == 0
    assert response.n_layers.dtype == np.int16


def test_same_seed_same_bytes() -> None:
    arrivals = some_muons()
    a, b, c = (responses_of(arrivals, card(), seed) for seed in (3, 3, 4))
    for name in KlmResponse.__slots__:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert not np.array_equal(a.time[:100], c.time[:100])


def test_clusters_come_in_the_order_of_the_arrivals() -> None:
    """Several kinds and several blocks: at most one cluster each, sources rising, finite."""
    rng, n = np.random.default_rng(2), 40_000
    code = rng.choice(np.array([MUON, PION, K_L, PHOTON, 12, 11], np.int32), n)
    theta = np.arccos(rng.uniform(-0.9, 0.95, n))
    arrivals = arrive(code, rng.uniform(0.1, 4, n), theta, rng.uniform(-3, 3, n))
    response = responses_of(arrivals, card())
    assert (np.diff(response.source) > 0).all()
    assert set(np.unique(code[response.source])) == {MUON, PION, K_L, PHOTON, 11}
    for name in ("x", "y", "z", "theta", "phi", "time"):
        assert np.isfinite(getattr(response, name)).all()
    assert (response.n_layers >= 2).all()
    assert (response.innermost_layer >= 1).all()
    assert (response.outcome[code == 12] == Outcome.ESCAPED).all()


@pytest.mark.validation
def test_a_million_muons() -> None:
    """The slowest kind; 450,000 a second where this was written."""
    arrivals = some_muons(1_000_000)
    start = time.perf_counter()
    response = responses_of(arrivals, card())
    assert time.perf_counter() - start < 10
    assert len(response.source) > 500_000


# ---- the table -----------------------------------------------------------------------------------


def truth_of(arrivals: Arrivals, n_events: int) -> TruthEvents:
    """Events of as many particles each as there are, those that arrive the last of them."""
    particles = np.split(arrivals.momentum, len(arrivals) // n_events, axis=1)
    zero = np.zeros((4, n_events))
    slots = [
        Slot(MUON, Status.FINAL, Origin.GUN, MASS_MU, momentum, zero) for momentum in particles
    ]
    return assemble(slots, np.ones(n_events), zero, None)


def tracks_of(truth: TruthEvents) -> tuple[TrackTable, np.ndarray]:
    """A track for every second particle of the table."""
    rows = np.arange(0, len(truth.particles), 2)
    event = truth.event_index()[rows]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(event, minlength=truth.n_events))])
    n = len(rows)
    none = np.zeros(n, np.int16)
    values: dict[str, np.ndarray] = dict.fromkeys(columns(TrackTable), none)
    values["truth_index"] = (rows - truth.offsets[event]).astype(np.int32)
    values["charge"] = none.astype(np.int8)
    return TrackTable(**values), offsets


def test_table() -> None:
    """Each cluster finds its event, its particle and its track."""
    n_events = 100
    arrivals = some_muons(3 * n_events)
    truth = truth_of(arrivals, n_events)
    some = arrivals.take(np.arange(0, 3 * n_events, 2))  # rows 0, 2, 4 ... arrive
    response = responses_of(some, card())
    tracks, track_offsets = tracks_of(truth)  # of rows 0, 2, 4 ...: all that arrive
    table, offsets = klm_cluster_table(response, some, truth, tracks, track_offsets)
    assert len(table) == len(response.source) == offsets[-1]
    event = np.repeat(np.arange(n_events), np.diff(offsets))
    row = truth.offsets[event] + table.truth_index
    np.testing.assert_array_equal(row, some.row[response.source])
    track = track_offsets[event] + table.track_index
    np.testing.assert_array_equal(2 * track, row)
    assert offsets[0] == 0
    assert len(offsets) == n_events + 1


def test_table_of_nothing() -> None:
    arrivals = some_muons(30)
    truth = truth_of(arrivals, 10)
    nobody = arrivals.take(np.empty(0, np.intp))
    response = responses_of(nobody, card())
    table, offsets = klm_cluster_table(response, nobody, truth, *tracks_of(truth))
    assert len(table) == 0
    np.testing.assert_array_equal(offsets, np.zeros(11))
