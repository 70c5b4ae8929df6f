"""The view from the side of what passes the axis, and ways on to the muon system."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure

from darkbelle.samples.pictures.display.event import _lead_on
from darkbelle.samples.pictures.display.paths import straight_paths
from darkbelle.samples.pictures.display.views import SideView, TransverseView, _draw_way


def drawn(view, points: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Points of a way on paper, with gaps, and the faint lines between its parts."""
    axis = Figure().subplots()
    _draw_way(axis, view, points, color="black", zorder=3)
    way, *between = (np.asarray(line.get_xydata()) for line in axis.lines)
    return way, between


def test_a_curling_way_changes_sides_at_gaps_that_are_joined():
    """Three turns around the axis at r = 30: six times over it, at the z where y is zero."""
    turn = np.linspace(0.1, 0.1 + 6 * np.pi, 601)
    points = np.stack([30 * np.cos(turn), 30 * np.sin(turn), 2 * turn], axis=-1)
    way, between = drawn(SideView(), points)
    assert np.count_nonzero(np.isnan(way[:, 1])) == len(between) == 6
    np.testing.assert_allclose(np.abs(way[:, 1][~np.isnan(way[:, 1])]), 30)
    steps = np.abs(np.diff(way[:, 1]))
    assert np.all(np.isnan(steps) | (steps < 1e-9))
    for i, line in enumerate(between, start=1):
        np.testing.assert_allclose(np.abs(line[:, 1]), 30)
        assert line[0, 1] * line[1, 1] < 0
        np.testing.assert_allclose(line[:, 0], 2 * np.pi * i, atol=0.1)
    way, between = drawn(TransverseView(), points)
    assert not between
    np.testing.assert_array_equal(way, points[:, :2])


def test_straight_ways_bend_next_to_the_axis():
    """A line that passes the axis at 20 cm never comes nearer on paper."""
    start, end = np.array([[20.0, -100.0, 0.0]]), np.array([[20.0, 100.0, 50.0]])
    points = straight_paths(start, end)[0]
    np.testing.assert_allclose(points[-1], end[0])
    way, between = drawn(SideView(), points)
    assert np.nanmin(np.abs(way[:, 1])) > 20 - 1e-9
    assert len(between) == 1
    assert np.ptp(np.abs(between[0][:, 1])) < 2


def test_ways_lead_on_to_clusters_of_the_muon_system():
    """Those of particles with an end; others pass it by."""
    points = np.broadcast_to(np.linspace(0, 120, 400)[:, None], (3, 400, 3)).copy()
    before = points.copy()
    klm = SimpleNamespace(
        truth_index=np.array([7, -1, 4]),
        position={axis: np.array([210.0, 1.0, 220.0]) for axis in "xyz"},
    )
    _lead_on(points, np.array([2, 4, 7]), np.array([True, False, True]), klm)
    np.testing.assert_array_equal(points[:2], before[:2])
    np.testing.assert_array_equal(points[2, 0], before[2, 0])
    np.testing.assert_allclose(points[2, -1], 210.0)
    assert np.all(np.diff(points[2, :, 0]) > 0)
