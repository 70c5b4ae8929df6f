"""What is kept of a generator's record, and whose daughter it is then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle.gen import Origin, Outcome, Status
from darkbelle.gen.external import RawEvents, truth_of
from darkbelle.gen.external.cleaning import can_decay, is_parton, nearest
from darkbelle.gen.particles import MASS_E, MASS_MU

# code, status, mother: as Pythia writes e+ e- -> tau tau and a jet, shortened
RECORD = (
    (11, 4, -1),  # 0 beam
    (-11, 4, -1),
    (22, 1, 0),  # 2 photon that the beam lost
    (11, 21, 0),  # 3 what collides
    (23, 22, 3),  # 4 virtual photon
    (15, 23, 4),
    (2, 23, 4),  # 6 quark
    (15, 52, 5),  # 7 tau after its recoil
    (22, 1, 5),  # 8 photon off the tau
    (16, 1, 7),
    (-211, 1, 7),
    (21, 51, 6),  # 11 gluon
    (92, 11, 11),  # 12 string
    (113, 2, 12),
    (211, 1, 13),
    (-211, 1, 13),
    (9_000_005, 2, 4),  # 16 dark
    (-13, 1, 16),
    (13, 1, 16),
)


def raw_of(rows: tuple[tuple[int, int, int], ...]) -> RawEvents:
    """One event, of which the nth entry begins at n and ends at n + 1."""
    table = np.array(rows, np.int32).reshape(-1, 3).T
    n = table.shape[1]
    has_end = np.isin(np.arange(n), table[2])
    points = np.tile(np.arange(n, dtype=float), (4, 1))
    momentum = np.zeros((4, n))
    momentum[0] = np.arange(n) + 1.0
    offsets = np.array([0, n])
    return RawEvents(
        table[0],
        *(table[1], table[2], np.zeros(n), momentum, points, points + 1, has_end, offsets),
        np.array([[0.5, 2.0]]),
    )


def test_partons_copies_and_remarks_are_left_out():
    truth = truth_of(raw_of(RECORD))
    p = truth.particles
    expected = [
        (11, 4, -1, Origin.BEAM, Outcome.COLLIDED),
        (-11, 4, -1, Origin.BEAM, Outcome.COLLIDED),
        (22, 1, -1, Origin.INITIAL_STATE_RADIATION, Outcome.UNDETERMINED),
        (15, 2, -1, Origin.PRIMARY, Outcome.DECAYED),
        (22, 1, -1, Origin.FINAL_STATE_RADIATION, Outcome.UNDETERMINED),
        (16, 1, 3, Origin.DECAY, Outcome.UNDETERMINED),
        (-211, 1, 3, Origin.DECAY, Outcome.UNDETERMINED),
        (113, 2, -1, Origin.PRIMARY, Outcome.DECAYED),
        (211, 1, 7, Origin.DECAY, Outcome.UNDETERMINED),
        (-211, 1, 7, Origin.DECAY, Outcome.UNDETERMINED),
        (9_000_005, 2, -1, Origin.PRIMARY, Outcome.DECAYED),
        (-13, 1, 10, Origin.DECAY, Outcome.UNDETERMINED),
        (13, 1, 10, Origin.DECAY, Outcome.UNDETERMINED),
    ]
    columns = (p.pdg_id, p.status, p.parent, p.origin, p.outcome)
    assert list(zip(*(c.tolist() for c in columns), strict=True)) == expected
    assert truth.weight.tolist() == [0.5]


def test_ends_and_beams():
    """Entry n begins at n and ends at n + 1; the photon off the beam is the first of the others."""
    p = truth_of(raw_of(RECORD)).particles
    assert p.x.tolist()[3:5] == [7.0, 8.0]
    assert p.decay_t[3] == 8.0
    assert p.x[0] == p.decay_x[0] == p.x[1] == 2.0
    assert np.all(p.decay_x[p.status == Status.FINAL] == 0)


def test_charge_without_mass_gets_that_of_the_table():
    p = truth_of(raw_of(RECORD)).particles
    assert p.mass[p.pdg_id == 11].tolist() == [MASS_E]
    assert p.mass[p.pdg_id == 13].tolist() == [MASS_MU]
    assert p.mass[p.pdg_id == 22].tolist() == [0.0, 0.0]


def test_decays_in_flight_are_left_to_the_detector():
    """What the file has of them goes, down to the last daughter; a copy is not yet a decay."""
    rows = ((-211, 2, -1), (-211, 2, 0), (13, 2, 1), (-14, 1, 1), (11, 1, 2), (22, 1, 0))
    p = truth_of(raw_of(rows)).particles
    assert p.pdg_id.tolist() == [-211, 22]
    assert p.status.tolist() == [1, 1]
    assert p.decay_x.tolist() == [0.0, 0.0]
    assert p.origin.tolist() == [Origin.PRIMARY, Origin.FINAL_STATE_RADIATION]


def test_photons_without_energy_are_nothing():
    raw = raw_of(((11, 4, -1), (22, 1, 0), (22, 1, 0)))
    momentum = raw.momentum.copy()
    momentum[0, 1] = 0.0
    assert truth_of(replace(raw, momentum=momentum)).particles.pdg_id.tolist() == [11, 22]


def test_mothers_in_circles_are_none():
    mother = np.array([1, 2, 0, 2, 5, 4])
    assert nearest(np.array([0, 0, 0, 1, 0, 0], bool), mother).tolist() == [-1] * 6


@pytest.mark.parametrize("length", [1, 2, 3, 64, 100])
def test_chains_of_any_length(length: int):
    """A beam, a chain of quarks, a pion."""
    chain = tuple((2, 23, i) for i in range(length))
    p = truth_of(raw_of(((113, 2, -1), *chain, (211, 1, length)))).particles
    assert p.pdg_id.tolist() == [113, 211]
    assert p.parent.tolist() == [-1, 0]


def test_events_without_anything():
    raw = raw_of(())
    truth = truth_of(raw)
    assert truth.n_events == 1
    assert len(truth.particles) == 0
    assert truth.vertex.tolist() == [[0.0]] * 4


def test_kinds_of_codes():
    codes = np.array([1, -5, 21, 2101, 11, 22, 23, 91, 15, 511, 9_000_005, 55, 4_900_023], np.int32)
    assert is_parton(codes).tolist() == [True] * 4 + [False] * 9
    assert can_decay(codes).tolist() == [False] * 8 + [True] * 5


def test_what_showers_make_of_muons_stays():
    """A muon of a remark, or one that a shower takes in, did not decay."""
    for status in (2, 3):
        rows = ((13, status, -1), (94, 3, 0), (13, 1, 1), (-13, 1, 1), (22, 1, 1))
        assert truth_of(raw_of(rows)).particles.pdg_id.tolist() == [13, -13, 22]
