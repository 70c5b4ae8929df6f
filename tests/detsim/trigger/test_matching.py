"""Azimuths in bins: which objects open, which point to each other."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.detsim.trigger.matching import Azimuths, count_together
from darkbelle.detsim.trigger.sectors import Sectors
from darkbelle.geometry.trigger import Matching
from darkbelle.units import CURVATURE, deg

SOURCED = {"source": "test", "trust": "default"}


def opening(first: np.ndarray, second: np.ndarray, least: float, bins: int = 36) -> np.ndarray:
    """Whether two azimuths [deg], one each in every event, are far enough apart."""
    card = Matching(
        **SOURCED, azimuth_bins=bins, openings={"o": {"one": "a", "other": "b", "least_deg": least}}
    )
    n = len(first)
    objects = {
        name: Azimuths(np.arange(n), phi * deg) for name, phi in (("a", first), ("b", second))
    }
    return count_together(objects, {}, card, n)["o"]


@pytest.mark.parametrize(("least", "bins"), [(30, 36), (90, 36), (160, 36), (180, 36), (135, 64)])
def test_openings_are_distances_of_bins(least: float, bins: int) -> None:
    """Compared with distances of bins, counted one by one."""
    rng = np.random.default_rng(1)
    first, second = rng.uniform(-180, 180, (2, 5000))
    step = 360 / bins
    i, j = (np.floor((phi % 360) / step).astype(int) for phi in (first, second))
    distance = np.minimum((i - j) % bins, (j - i) % bins)
    expected = distance * step >= least - 1e-9
    np.testing.assert_array_equal(opening(first, second, least, bins), expected)


def test_the_efficiency_of_an_opening_of_90_degrees_ramps_from_80_to_90() -> None:
    """Handbook, table 2.1: bins of ten degrees."""
    rng, n = np.random.default_rng(2), 20_000
    first = rng.uniform(-180, 180, n)
    for apart, share in ((79.9, 0.0), (82.5, 0.25), (85.0, 0.5), (90.1, 1.0), (180.0, 1.0)):
        assert opening(first, first + apart, 90).mean() == pytest.approx(share, abs=0.02)
        assert opening(first, first - apart, 90).mean() == pytest.approx(share, abs=0.02)


def match(of: Azimuths, to: Azimuths, n: int, **card: float) -> np.ndarray:
    matching = Matching(
        **SOURCED, azimuth_bins=36, openings={}, matches={"m": {"one": "a", "other": "b", **card}}
    )
    return count_together({"a": of, "b": to}, {}, matching, n)["m"]


def test_matches_count_objects_near_another_of_their_event() -> None:
    of = Azimuths(np.array([0, 0, 0, 1]), np.array([5, 15, 95, 5]) * deg)
    to = Azimuths(np.array([0, 2]), np.array([355, 5]) * deg)
    np.testing.assert_array_equal(match(of, to, 3, within_deg=0.0), [0, 0, 0])
    np.testing.assert_array_equal(match(of, to, 3, within_deg=10.0), [1, 0, 0])
    np.testing.assert_array_equal(match(of, to, 3, within_deg=20.0), [2, 0, 0])


@pytest.mark.parametrize("charge", [1, -1])
def test_tracks_are_carried_along_their_circle(charge: int) -> None:
    """A positive particle turns clockwise in a field along z."""
    pt, radius = 0.4, 126.0
    omega = charge * CURVATURE * 1.5 / pt
    circle = 1 / omega  # centre on -y for positive charge: x = R sin(a), y = -R (1 - cos(a))
    angle = 2 * np.arcsin(radius / (2 * circle))
    x, y = circle * np.sin(angle), -circle * (1 - np.cos(angle))
    assert np.hypot(x, y) == pytest.approx(radius)
    found = Azimuths(np.array([0]), np.array([0.0]), np.array([omega])).at(radius)
    assert found[0] == pytest.approx(np.arctan2(y, x))


def test_sectors_are_matched_by_their_centres() -> None:
    fired = np.zeros((2, 8), dtype=bool)
    fired[0, 4] = True
    sectors = Sectors(np.arange(8) * np.pi / 4, fired)
    of = Azimuths(np.array([0, 0, 0, 1]), np.array([-150, 147, 149, 180]) * deg)
    matching = Matching(
        **SOURCED,
        azimuth_bins=36,
        openings={},
        matches={"m": {"one": "a", "other": "klm_barrel", "within_deg": 32.5}},
    )
    counts = count_together({"a": of}, {"klm_barrel": sectors}, matching, 2)
    np.testing.assert_array_equal(counts["m"], [2, 0])
    assert len(Azimuths.of_sectors(sectors).phi) == 1


def test_empty_events_count_nothing() -> None:
    nothing = Azimuths(np.empty(0, np.intp), np.empty(0))
    assert match(nothing, nothing, 0, within_deg=10.0).shape == (0,)
    np.testing.assert_array_equal(match(nothing, nothing, 2, within_deg=10.0), [0, 0])
