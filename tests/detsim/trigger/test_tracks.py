"""Tracks as the level-one hardware finds them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from darkbelle.detsim.charged import ChargedFlights
from darkbelle.detsim.interactions import interact
from darkbelle.detsim.trigger.tracks import TriggerTracks, find_trigger_tracks
from darkbelle.gen.particles import MUON, PHOTON
from darkbelle.geometry import load
from darkbelle.units import deg
from tests.detsim.sending import no_material, one_each

BELLE2 = load("belle2", no_material(load("belle2")))
N = 20_000


def find(
    p: float | np.ndarray,
    theta: float | np.ndarray,
    start: np.ndarray | None = None,
    phi: float | np.ndarray | None = None,
    code: int = MUON,
    card: str = "belle2",
    overrides: tuple[str, ...] = (),
) -> TriggerTracks:
    """Trigger tracks of single particles: momentum [GeV], angles [deg], (x, y, z, t) of birth."""
    rng = np.random.default_rng(5)
    experiment = BELLE2 if card == "belle2" else load(card, overrides)
    theta = np.broadcast_to(theta, N) * deg
    azimuth = rng.uniform(-np.pi, np.pi, N) if phi is None else np.broadcast_to(phi, N) * deg
    direction = np.stack(
        [np.sin(theta) * np.cos(azimuth), np.sin(theta) * np.sin(azimuth), np.cos(theta)]
    )
    flights = interact(one_each(code, p * direction, start), experiment, rng)
    charged = ChargedFlights.of(flights, experiment.solenoid.field_t)
    return find_trigger_tracks(charged, flights.truth, experiment, rng)


def share(tracks: TriggerTracks, kind: str) -> float:
    """Share of events with a track of some kind."""
    return len(np.unique(tracks.event[tracks.found[kind]])) / N


def full(experiment: str = "belle2") -> float:
    return load(experiment).trigger.l1.tracks["full"].efficiency


def test_the_threshold_in_pt_is_a_normal_distribution() -> None:
    for pt in (0.2, 0.26, 0.30, 0.34, 0.4, 1.0):
        expected = full() * ndtr((pt - 0.30) / 0.03)
        assert share(find(pt, 90.0), "full") == pytest.approx(expected, abs=0.012), pt


@pytest.mark.parametrize(
    ("theta", "expected"), [(25, 0.0), (31, 0.5), (37, 1.0), (119, 1.0), (126, 0.5), (133, 0.0)]
)
def test_four_of_five_axial_superlayers_lie_within_31_to_126_degrees(
    theta: float, expected: float
) -> None:
    """Handbook, table 6.1 (31 and 127): half points that follow from the wires of superlayer 6."""
    assert share(find(3.0, theta), "full") / full() == pytest.approx(expected, abs=0.12)


def test_a_track_born_far_out_misses_superlayers() -> None:
    """One axial superlayer may be missing, not two; the outermost is then needed."""
    for radius, theta, expected in ((10, 90, 1.0), (30, 90, 1.0), (40, 90, 0.0), (10, 124, 1.0),
                                    (30, 137, 0.0)):  # fmt: skip
        start = np.zeros((4, N))
        start[0] = radius
        found = share(find(3.0, float(theta), start, phi=0.0), "full") / full()
        assert found == pytest.approx(expected, abs=0.03), (radius, theta)


def test_tracks_that_pass_the_beams_are_lost() -> None:
    """Half of those at 6 cm (handbook, 6.1); all tracks of a level-two count stay."""
    for d0, expected in ((0.0, 1.0), (2.0, 0.98), (6.0, 0.5), (12.0, 0.0)):
        start = np.zeros((4, N))
        start[1] = -d0
        found = share(find(5.0, 90.0, start, phi=0.0), "full") / full()
        assert found == pytest.approx(expected, abs=0.03), d0


def test_neural_tracks_come_from_the_beams_along_z() -> None:
    for z, kind, low, high in (
        (0, "neural", 0.99, 1.0),
        (0, "stt", 0.97, 1.0),
        (17, "neural", 0.8, 0.95),
        (17, "stt", 0.1, 0.3),
        (30, "neural", 0.0, 0.03),
    ):
        start = np.zeros((4, N))
        start[2] = z
        tracks = find(3.0, 90.0, start)
        of_full = tracks.found[kind].sum() / tracks.found["full"].sum()
        assert low < of_full / 0.96 < high + 0.01, (z, kind)
        assert not (tracks.found[kind] & ~tracks.found["full"]).any()


def test_single_tracks_need_momentum() -> None:
    """And not transverse momentum, of which those at 45 degrees have less."""
    for p, theta, expected in ((0.5, 90, 0.0), (0.7, 90, 0.5), (1.0, 90, 1.0), (0.9, 45, 1.0)):
        tracks = find(p, float(theta))
        of_neural = tracks.found["stt"].sum() / tracks.found["neural"].sum()
        assert of_neural == pytest.approx(expected, abs=0.03)


def test_short_tracks_reach_further_forward_and_are_no_full_ones() -> None:
    tracks = find(2.0, 28.0)
    assert share(tracks, "full") < 0.1
    assert share(tracks, "short") > 0.7
    forward = tracks.found["short_forward"]
    np.testing.assert_array_equal(forward, tracks.found["short"])
    assert not find(2.0, 90.0).found["short_forward"].any()
    assert not (tracks.found["short"] & tracks.found["full"]).any()


def test_neutral_and_soft_particles_leave_none() -> None:
    for code, p in ((PHOTON, 3.0), (MUON, 0.04)):
        assert not any(found.any() for found in find(p, 90.0, code=code).found.values())


def test_a_particle_that_ends_early_is_not_found() -> None:
    rng = np.random.default_rng(1)
    momentum = np.repeat([[3.0], [0.0], [0.0]], N, axis=1)
    flights = interact(one_each(MUON, momentum), BELLE2, rng)
    for path, expected in ((50.0, 0.0), (95.0, full())):
        stopped = replace(flights, path=np.full_like(flights.path, path))
        charged = ChargedFlights.of(stopped, BELLE2.solenoid.field_t)
        found = find_trigger_tracks(charged, flights.truth, BELLE2, rng).found["full"]
        assert found.mean() == pytest.approx(expected, abs=0.01)


def test_tracks_of_belle() -> None:
    """Handbook, section 1: 30 to 130 degrees, short ones 18 to 148, half of those born at 15 cm."""
    card = "belle"
    for theta, kind, low, high in ((90, "full", 0.94, 0.98), (24, "full", 0.0, 0.02),
                                   (26, "short", 0.9, 0.94), (138, "full", 0.0, 0.02),
                                   (90, "tsc", 0.95, 0.99), (28, "tsc", 0.0, 0.0)):  # fmt: skip
        assert low <= share(find(2.0, float(theta), card=card), kind) <= high, (theta, kind)
    start = np.zeros((4, N))
    start[0] = 15.0
    assert share(find(3.0, 90.0, start, phi=0.0, card=card), "short") < 0.5


def test_a_factor_of_one_point_holds_everywhere() -> None:
    for name in ("d0", "birth_radius"):
        half = f"trigger.l1.tracks.tsc.{name}_factor=[0.5]"
        found = share(find(2.0, 90.0, card="belle", overrides=(half,)), "tsc")
        assert found == pytest.approx(0.97 / 2, abs=0.02)
