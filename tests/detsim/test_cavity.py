"""Where particles leave the tracking volume, against geometry by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkbelle.detsim.cavity import Cavity
from darkbelle.detsim.helices import Helices
from darkbelle.detsim.helix import position_at
from darkbelle.units import CURVATURE, deg
from tests.detsim.sending import belle2, everywhere, isotropic, seeded

CAVITY = Cavity(125.0, -102.0, 196.0)
FIELD = 1.5


def send(
    momentum: np.ndarray, start: np.ndarray | None = None, charge: int = 1, field: float = FIELD
) -> tuple[Helices, np.ndarray, np.ndarray, np.ndarray]:
    """Tracks from some points (3, n), the arcs to their exits, whether they arrive, and where."""
    n = momentum.shape[1]
    where = np.zeros((3, n)) if start is None else np.broadcast_to(start, (3, n))
    tracks = Helices.of_particles(where.T, momentum.T, np.full(n, charge, np.int8), field)
    arc, arrives = CAVITY.exit(tracks, where)
    return tracks, arc, arrives, position_at(tracks.columns, arc).T


def test_it_is_what_the_crystals_enclose() -> None:
    assert Cavity.of(belle2().calorimeter) == CAVITY


def test_how_far_outside() -> None:
    """By the larger of the distances from wall and end; negative inside."""
    points = {
        (0.0, 0.0, 0.0): -102.0,
        (0.0, 0.0, 150.0): -46.0,
        (0.0, 124.0, 0.0): -1.0,
        (75.0, 100.0, 0.0): 0.0,
        (0.0, -130.0, 0.0): 5.0,
        (0.0, 0.0, 200.0): 4.0,
        (0.0, 0.0, -110.0): 8.0,
        (130.0, 0.0, 206.0): 10.0,
    }
    found = CAVITY.beyond(np.array(list(points)).T)
    np.testing.assert_allclose(found, list(points.values()), atol=1e-12)


def test_distance_in_a_direction() -> None:
    """Straight lines from the origin by hand: wall, planes, corners, and along the axis."""
    corner = math.atan2(125, 196) / deg
    distances = {
        90.0: 125.0,
        30.0: 196 / math.cos(30 * deg),
        60.0: 125 / math.sin(60 * deg),
        120.0: 125 / math.sin(60 * deg),
        150.0: 102 / math.cos(30 * deg),
        corner: math.hypot(125, 196),
        0.0: 196.0,
        180.0: 102.0,
    }
    found = CAVITY.distance(np.array(list(distances)) * deg)
    np.testing.assert_allclose(found, list(distances.values()), rtol=1e-12)


def test_distance_is_that_of_straight_lines() -> None:
    momentum = isotropic(1.0, 1_000)
    _, _, _, point = send(momentum, charge=0)
    found = CAVITY.distance(np.arccos(momentum[2]))
    np.testing.assert_allclose(found, np.linalg.norm(point, axis=0), rtol=1e-9)


def test_on_the_face() -> None:
    """What has flown there is, up to rounding; what is born a micron behind it is not."""
    _, _, _, point = send(isotropic(1.0, 1_000), charge=0)
    assert CAVITY.is_on_face(point).all()
    assert not CAVITY.is_on_face(point * (1 + 1e-6)).any()


# ---- straight lines ------------------------------------------------------------------------------


def test_straight_lines_from_the_origin() -> None:
    """r = 125 cm between 32.53 and 129.21 deg, the ends beyond."""
    theta = np.linspace(0.01, 3.13, 2_000)
    direction = np.stack([np.sin(theta), 0 * theta, np.cos(theta)])
    _, _, arrives, point = send(direction, charge=0)
    assert arrives.all()
    with np.errstate(divide="ignore"):
        length = np.minimum(
            125 / np.sin(theta), np.where(theta < np.pi / 2, 196, -102) / np.cos(theta)
        )
    np.testing.assert_allclose(point, length * direction, atol=1e-6)
    on_wall = np.abs(point[0] - 125) < 1e-6
    assert theta[on_wall].min() / deg == pytest.approx(32.53, abs=0.1)
    assert theta[on_wall].max() / deg == pytest.approx(129.21, abs=0.1)


def test_straight_lines_from_aside() -> None:
    """From (60, 0, 10) towards y: the wall at y = sqrt(125^2 - 60^2) = 109.66 cm."""
    momentum = np.array([[0.0, 0.0], [1.0, -1.0], [0.0, 1.0]])
    _, _, arrives, point = send(momentum, np.array([[60.0], [0.0], [10.0]]), charge=0)
    assert arrives.all()
    expected = [[60, 60], [109.65856, -109.65856], [10, 10 + 109.65856]]
    np.testing.assert_allclose(point, expected, atol=1e-5)


@pytest.mark.parametrize("charge", [-1, 0, 1])
@pytest.mark.parametrize(("side", "z"), [(1.0, 196.0), (-1.0, -102.0)])
def test_exactly_along_z(charge: int, side: float, z: float) -> None:
    momentum = np.array([[0.0], [0.0], [side]])
    for start in ([[0.0], [0.0], [0.0]], [[30.0], [-40.0], [50.0]]):
        _, _, arrives, point = send(momentum, np.array(start), charge)
        assert arrives.all()
        np.testing.assert_allclose(point[:, 0], [start[0][0], start[1][0], z], atol=1e-3)


def test_across_z_without_slope() -> None:
    """Zero of either sign is no slope."""
    for pz in (0.0, -0.0):
        _, _, arrives, point = send(np.array([[1.0], [0.0], [pz]]), charge=0)
        assert arrives.all()
        np.testing.assert_allclose(point[:, 0], [125, 0, 0], atol=1e-6)


# ---- curved tracks -------------------------------------------------------------------------------


@pytest.mark.parametrize("charge", [-1, 1])
@pytest.mark.parametrize("field", [1.5, -1.5])
def test_circles_from_the_origin(charge: int, field: float) -> None:
    """Met at R = 125 cm after an arc of 2 rho asin(R/2 rho), turned by half of its angle."""
    pt = np.array([0.29, 0.4, 1.0, 5.0])
    _, arc, arrives, point = send(np.stack([pt, 0 * pt, 0.1 * pt]), charge=charge, field=field)
    assert arrives.all()
    rho = pt / (CURVATURE * 1.5)
    half_turn = np.arcsin(125 / (2 * rho))
    np.testing.assert_allclose(arc, 2 * rho * half_turn, rtol=1e-9)
    np.testing.assert_allclose(point[2], 0.1 * arc, rtol=1e-9)
    # A positive particle turns clockwise in a field along +z.
    azimuth = -np.sign(charge * field) * half_turn
    np.testing.assert_allclose(point[0], 125 * np.cos(azimuth), atol=1e-6)
    np.testing.assert_allclose(point[1], 125 * np.sin(azimuth), atol=1e-6)


def test_least_pt_to_reach_the_barrel() -> None:
    """125 cm of a circle's diameter: 0.281 GeV; the handbook has 0.28 (check 25)."""
    least = 125 / 2 * CURVATURE * 1.5
    assert least == pytest.approx(0.28, rel=0.05)
    pt = least * np.array([0.9, 0.999, 1.001, 1.1])
    _, _, arrives, _ = send(np.stack([pt, 0 * pt, 0 * pt]))
    assert arrives.tolist() == [False, False, True, True]


def test_curls_reach_the_ends_within_ten_turns() -> None:
    """pt = 0.15 GeV: 209.6 cm a turn; a slope of 0.093 is enough for 196 cm in ten turns."""
    turn = 2 * np.pi * 0.15 / (CURVATURE * 1.5)
    assert turn == pytest.approx(209.6, abs=0.1)
    for z in (196.0, -102.0):
        slope = z / (10 * turn) * np.array([0.99, 1.01])
        _, arc, arrives, point = send(0.15 * np.stack([np.ones(2), np.zeros(2), slope]))
        assert arrives.tolist() == [False, True]
        assert point[2, 1] == pytest.approx(z)
        assert arc[0] == pytest.approx(10 * turn)


@seeded
@given(st.integers(0, 2**32 - 1), st.sampled_from([-1, 0, 1]), st.sampled_from([-1.5, 0.1, 1.5]))
def test_it_is_left_there_and_not_before(seed: int, charge: int, field: float) -> None:
    """The exit lies on the surface, and 200 points of the way inside."""
    momentum, start = everywhere(50, seed, p=(0.02, 10.0), reach=100.0)
    tracks, arc, arrives, point = send(momentum, start[:3], charge, field)
    inside = CAVITY.beyond(start[:3]) < 0
    leaves = arrives & inside
    np.testing.assert_allclose(CAVITY.beyond(point[:, leaves]), 0.0, atol=1e-5)
    for share in np.linspace(0.0, 0.999, 200):
        there = position_at(tracks.columns, tracks.birth + share * (arc - tracks.birth)).T
        assert (CAVITY.beyond(there)[inside] < 1e-6).all()
    assert (arc >= tracks.birth).all()
    # What is born outside is there already; what curls has made ten turns.
    np.testing.assert_array_equal(arc[~inside], tracks.birth[~inside])
    assert arrives[~inside].all()
    turns = np.abs(tracks.omega * (arc - tracks.birth))[~arrives] / (2 * np.pi)
    np.testing.assert_allclose(turns, 10.0)


def test_no_tracks() -> None:
    _, arc, arrives, point = send(np.empty((3, 0)))
    assert arc.shape == arrives.shape == (0,)
    assert point.shape == (3, 0)


def test_fractions_of_the_solid_angle() -> None:
    """Isotropic lines leave through the forward end by (1 - cos 32.53 deg)/2, and so on."""
    n = 200_000
    _, _, _, point = send(isotropic(1.0, n), charge=0)
    share = np.array([np.mean(point[2] > 196 - 1e-6), np.mean(point[2] < -102 + 1e-6)])
    expected = np.array([1 - 196 / math.hypot(196, 125), 1 - 102 / math.hypot(102, 125)]) / 2
    np.testing.assert_allclose(share, expected, atol=4.5 * np.sqrt(expected[0] / n))
