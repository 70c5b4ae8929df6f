"""Ways of particles: how far they go, on known circles and lines."""

from __future__ import annotations

import numpy as np

from darkbelle import geometry
from darkbelle.detsim.helices import Helices
from darkbelle.samples.pictures.display.paths import (
    Cylinder,
    arc_at_radius,
    helix_paths,
    true_paths,
)

EXPERIMENT = geometry.load("belle2")


def tracks(rng: np.random.Generator, n: int, radius: float) -> Helices:
    """Random tracks from within a radius."""
    start = np.stack([*rng.uniform(-radius, radius, (2, n)) / 2, rng.uniform(-9, 9, n)], axis=-1)
    charge = rng.choice(np.array([-1, 1], dtype=np.int8), n)
    return Helices.of_particles(start, rng.normal(0, 1.0, (n, 3)), charge, 1.5)


def test_arcs_reach_their_radius_or_turn_back():
    found = tracks(np.random.default_rng(1), 500, 20.0)
    arc = arc_at_radius(found, 100.0)
    last = helix_paths(found, np.zeros(500), arc)[:, -1]
    reached = np.hypot(last[:, 0], last[:, 1])
    curls = found.apex_radius < 100.0
    assert 5 < np.count_nonzero(curls) < 495
    np.testing.assert_allclose(reached[~curls], 100.0, rtol=1e-9)
    np.testing.assert_allclose(reached[curls], found.apex_radius[curls], rtol=1e-9)


def test_helices_leave_through_the_nearest_side():
    volume, found = Cylinder(125.0, -100.0, 200.0), tracks(np.random.default_rng(2), 500, 20.0)
    points = helix_paths(found, np.zeros(500), volume.arc_out(found))
    radius, z = np.hypot(points[..., 0], points[..., 1]), points[..., 2]
    assert np.all(radius < 125 + 1e-6)
    assert np.all((z > -100 - 1e-6) & (z < 200 + 1e-6))
    half_turn = np.pi / np.abs(found.omega)
    at_end = volume.is_at_border(points[:, -1]) | np.isclose(volume.arc_out(found), half_turn)
    assert np.all(at_end)


def test_lines_leave_through_the_nearest_side():
    rng, volume = np.random.default_rng(3), Cylinder(125.0, -100.0, 200.0)
    direction = rng.normal(size=(400, 3))
    direction[:2] = [[0, 0, 1], [1, 0, 0]]  # along and across the axis
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    start = rng.uniform(-60, 60, (400, 3))
    end = start + volume.way_out(start, direction)[:, None] * direction
    assert np.all(volume.is_at_border(end))
    assert not np.any(volume.is_at_border(start + 0.999 * (end - start)))


def test_a_way_with_an_end_reaches_it():
    """Also one that losses have bent; one without goes on straight where the field ends."""
    start, p = np.zeros((3, 3)), np.array([[1.0, 0.2, 0.3], [1.0, 0.2, 0.3], [0.4, 1.5, 0.1]])
    end = np.array([[40.0, 5.0, 13.0], [40.0, 5.0, 13.0], [0.0, 0.0, 0.0]])
    charge = np.array([1, 0, -1], dtype=np.int8)
    flight = np.hypot(end[:, 0], end[:, 1])
    ways = true_paths(start, end, p, charge, flight, EXPERIMENT)
    np.testing.assert_allclose(ways[:2, -1], end[:2], atol=1e-9)
    np.testing.assert_allclose(ways[:, 0], 0.0, atol=1e-9)
    outside = Cylinder.of_detector(EXPERIMENT)
    assert outside.is_at_border(ways[2, -1:])[0]
    last, before = ways[2, -1] - ways[2, 499], ways[2, 499] - ways[2, 498]
    cosine = last @ before / np.linalg.norm(last) / np.linalg.norm(before)
    assert cosine > 0.99999
    assert np.linalg.norm(last) > 100


def test_nothing_has_no_ways():
    none = np.zeros((0, 3))
    ways = true_paths(none, none, none, np.zeros(0, np.int8), np.zeros(0), EXPERIMENT)
    assert ways.shape == (0, 600, 3)


def test_curling_ways_go_round_until_they_leave():
    """Through an end of the field, or for ten turns; never farther out than the apex."""
    found = np.array([[0.1, 0.0, 0.05], [0.0, 0.1, 1e-4], [0.1, 0.05, -0.3]])
    start, charge = np.zeros((3, 3)), np.array([1, -1, 1], dtype=np.int8)
    ways = true_paths(start, start, found, charge, np.zeros(3), EXPERIMENT)[:, :500]
    field = Cylinder.of_field(EXPERIMENT)
    assert field.is_at_border(ways[:, -1]).tolist() == [True, False, True]
    pt = np.hypot(found[:, 0], found[:, 1])
    diameter = 2 * pt / (2.99792458e-3 * EXPERIMENT.solenoid.field_t)
    radius = np.hypot(ways[..., 0], ways[..., 1])
    np.testing.assert_allclose(radius.max(axis=1)[:2], diameter[:2], rtol=1e-3)
    turning = np.unwrap(np.arctan2(*np.moveaxis(np.diff(ways, axis=1)[..., [1, 0]], -1, 0)))
    turns = np.abs(turning[:, -1] - turning[:, 0]) / (2 * np.pi)
    assert abs(turns[1] - 10) < 0.1
    length = np.abs(ways[:, -1, 2]) * pt / np.abs(found[:, 2])
    np.testing.assert_allclose(turns, length / (np.pi * diameter), rtol=0.02)
