"""Where tracks meet surfaces, against a search along the helix for the first outward crossing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from darkbelle.detsim.helix import direction_at, perigee, position_at
from darkbelle.detsim.hits import (
    MIN_INCIDENCE,
    Crossing,
    Helices,
    find_crossing,
    path_thickness,
)
from darkbelle.geometry import Surface, load, tracking_surfaces

CYLINDER = Surface("cylinder", 20.0, -30.0, 50.0, thickness_x0=0.01)
SURFACES = tracking_surfaces(load("belle2"))
CONES = [surface for surface in SURFACES if surface.normal_z]
CONE = CONES[-1]
OMEGA_1GEV = 0.0044969
TOLERANCE = 1e-5
"""cm: a hundredth of the best resolution; three Newton steps find a cone to about 1e-6."""


def one(helix: np.ndarray, birth: float = 0.0) -> Helices:
    return Helices.from_helix(np.atleast_2d(helix), np.array([birth]))


def from_start(
    position: tuple[float, float, float], phi: float, omega: float, tan_lambda: float
) -> tuple[np.ndarray, float]:
    """Helix through a point, and the arc length there."""
    helix, arc = perigee(
        np.array([position]), np.array([phi]), np.array([omega]), np.array([tan_lambda])
    )
    return helix, float(arc[0])


def height(helix: np.ndarray, surface: Surface, arc: np.ndarray | float) -> np.ndarray:
    """Distance from the surface along its normal, positive outside."""
    arcs = np.atleast_1d(arc)
    x, y, z = position_at(np.repeat(helix, len(arcs), axis=0), arcs).T
    return surface.normal_r * (np.hypot(x, y) - surface.radius) + surface.normal_z * (
        z - surface.z_reference
    )


def search(helix: np.ndarray, birth: float, surface: Surface) -> float | None:
    """Arc length of the first outward crossing within the limits, half a turn from the perigee."""
    end = min(math.pi / max(abs(helix[0, 2]), 1e-9), 400.0)
    steps = np.linspace(birth, end, 4001)
    heights = height(helix, surface, steps)
    for i in np.flatnonzero((heights[:-1] < 0) & (heights[1:] >= 0)):
        arc = brentq(
            lambda s: height(helix, surface, s)[0], steps[i], steps[i + 1], xtol=1e-12, rtol=1e-14
        )
        x, y, z = position_at(helix, np.array([arc]))[0]
        if surface.z_min < z < surface.z_max and math.hypot(x, y) > 0:
            return arc
    return None


def agree(crossing: Crossing, helix: np.ndarray, birth: float, surface: Surface) -> bool:
    """Whether there is a crossing; the place and the direction must be the right ones."""
    arc = search(helix, birth, surface)
    assert crossing.on[0] == (arc is not None)
    if arc is None:
        return False
    assert crossing.arc[0] == pytest.approx(arc, abs=TOLERANCE)
    point, ahead = position_at(np.repeat(helix, 2, axis=0), np.array([arc, arc + 1e-5]))
    foot = position_at(helix, np.zeros(1))[0]
    assert crossing.chord[0] == pytest.approx(math.dist(point[:2], foot[:2]), abs=TOLERANCE)
    assert crossing.half_sin[0] == pytest.approx(math.sin(helix[0, 2] * arc / 2), abs=1e-7)
    assert crossing.half_cos[0] == pytest.approx(math.cos(helix[0, 2] * arc / 2), abs=1e-7)

    # The direction from a difference of positions, with the radius and its azimuth as axes.
    tangent = (ahead - point) / 1e-5
    radial = point[:2] / np.linalg.norm(point[:2])
    along, across = tangent[:2] @ radial, tangent[1] * radial[0] - tangent[0] * radial[1]
    assert crossing.cos_psi[0] == pytest.approx(along, abs=1e-5)
    assert crossing.sin_psi[0] == pytest.approx(across, abs=1e-5)
    slope = (height(helix, surface, arc + 1e-5) - height(helix, surface, arc))[0] / 1e-5
    assert crossing.incidence[0] == pytest.approx(slope, abs=1e-4)
    return True


@given(
    radius=st.floats(1.0, 110.0),
    d0=st.floats(-0.9, 0.9),
    phi=st.floats(-3.1, 3.1),
    omega=st.floats(-0.05, 0.05),
    z0=st.floats(-5, 5),
    tan_lambda=st.floats(-3, 3),
)
def test_cylinders(
    radius: float, d0: float, phi: float, omega: float, z0: float, tan_lambda: float
) -> None:
    """Tracks from near the beam, also those that turn inside or leave through an end."""
    diameter = 2 / max(abs(omega), 1e-9)
    if abs(radius - diameter) < 0.1 + 2 * abs(d0):  # grazing: the search finds what it likes
        return
    helix = np.array([[d0, phi, omega, z0, tan_lambda]])
    surface = Surface("cylinder", radius, -60.0, 140.0)
    z_end = position_at(helix, find_crossing(one(helix), surface).arc)[0, 2]
    if min(abs(z_end - surface.z_min), abs(z_end - surface.z_max)) > 1e-3:
        agree(find_crossing(one(helix), surface), helix, 0.0, surface)


@pytest.mark.parametrize("surface", CONES, ids=lambda surface: surface.name)
@pytest.mark.parametrize("omega", [-0.02, -0.004, 0.0, 0.0009, 0.015])
@pytest.mark.parametrize("theta", [14, 15, 17, 20, 23, 26, 28, 32, 40, 55])
def test_cones_from_the_origin(surface: Surface, theta: float, omega: float) -> None:
    helix = np.array([[0.01, 1.0, omega, 0.3, 1 / math.tan(math.radians(theta))]])
    agree(find_crossing(one(helix), surface), helix, 0.0, surface)


@pytest.mark.parametrize("surface", CONES, ids=lambda surface: surface.name)
def test_most_of_a_cone_is_met(surface: Surface) -> None:
    """Straight from the origin through its middle, and near both of its ends."""
    for fraction in (0.02, 0.5, 0.98):
        z = surface.z_min + fraction * (surface.z_max - surface.z_min)
        radius = surface.radius - surface.normal_z / surface.normal_r * (z - surface.z_reference)
        helix = np.array([[0, -2.0, 1e-5, 0, z / radius]])
        assert agree(find_crossing(one(helix), surface), helix, 0.0, surface)


def test_radius_of_the_card_s_cone() -> None:
    """The slanted sensor of SVD layer 6 runs from (13.42, 24.62) to (9.00, 36.08) cm."""
    straight = np.array([[0, 0, 0, 0, 30.35 / 11.21]])
    crossing = find_crossing(one(straight), CONE)
    assert crossing.on.all()
    assert crossing.arc[0] == pytest.approx(11.21, abs=1e-6)
    assert crossing.incidence[0] == pytest.approx(
        math.sin(math.atan2(11.21, 30.35) + math.atan2(13.42 - 9.00, 36.08 - 24.62))
        / math.sin(math.atan2(11.21, 30.35)),
        abs=1e-6,
    )


@pytest.mark.parametrize("surface", [CYLINDER, Surface("outer", 80.0, -65, 150), *CONES])
@pytest.mark.parametrize("omega", [-0.012, -0.002, 0.002, 0.012])
@pytest.mark.parametrize("turn", [-2.6, -1.2, -0.3, 0.3, 1.2, 2.6])
@pytest.mark.parametrize("radius", [0.5, 6.0, 15.0, 40.0])
def test_displaced_starts(surface: Surface, omega: float, turn: float, radius: float) -> None:
    """Outward or inward first, and from outside the surface."""
    for tan_lambda in (-0.4, 0.2, 1.5):
        start = (radius * math.cos(0.8), radius * math.sin(0.8), radius * 0.7)
        helix, birth = from_start(start, 0.8 + turn, omega, tan_lambda)
        agree(find_crossing(one(helix, birth), surface), helix, birth, surface)


def test_a_particle_does_not_cross_what_lies_behind_its_birth() -> None:
    helix, birth = from_start((25.0, 0.0, 0.0), 0.1, OMEGA_1GEV, 0.0)
    assert birth > 20
    assert not find_crossing(one(helix, birth), CYLINDER).on[0]
    assert find_crossing(one(helix, 0.0), CYLINDER).on[0]


def test_a_particle_flying_inwards_crosses_once_on_its_way_out() -> None:
    helix, birth = from_start((10.0, 0.0, 0.0), math.pi - 0.1, OMEGA_1GEV, 0.0)
    assert birth < 0
    assert agree(find_crossing(one(helix, birth), CYLINDER), helix, birth, CYLINDER)


@pytest.mark.parametrize("sign", [-1, 1])
def test_curlers_reach_twice_their_radius(sign: int) -> None:
    """From the origin a track reaches 2 / omega."""
    for diameter, reaches in ((19.9, False), (20.1, True)):
        helix = np.array([[0, 0.3, sign * 2 / diameter, 0, 0.1]])
        crossing = find_crossing(one(helix), CYLINDER)
        assert crossing.on[0] == reaches
        assert all(
            np.isfinite(getattr(crossing, name)).all()
            for name in Crossing.__slots__
            if name != "on"
        )


def test_d0_outside_the_surface() -> None:
    assert not find_crossing(one(np.array([25.0, 0, OMEGA_1GEV, 0, 0])), CYLINDER).on[0]


@pytest.mark.parametrize(
    ("z", "hit"), [(-30.1, False), (-29.9, True), (0, True), (49.9, True), (50.1, False)]
)
def test_z_limits(z: float, hit: bool) -> None:
    flat = np.array([0, 1.0, OMEGA_1GEV, z, 0])
    slanted = np.array([0, 1.0, 0, 0, z / 20])
    assert find_crossing(one(flat), CYLINDER).on[0] == hit
    assert find_crossing(one(slanted), CYLINDER).on[0] == hit


def test_z_gap() -> None:
    gapped = replace(CYLINDER, z_gap=(1.0, 2.0))
    z = np.array([0.9, 1.1, 1.9, 2.1])
    helix = np.stack([0 * z, z, 0 * z, z, 0 * z], axis=-1)
    on = find_crossing(Helices.from_helix(helix, 0 * z), gapped).on
    assert on.tolist() == [True, False, False, True]


@pytest.mark.parametrize("limits", [(75, 135), (170, 200), (-30, 30), (-190, -100), (300, 420)])
@pytest.mark.parametrize("omega", [-0.03, 0.0, 0.03])
def test_phi_range(limits: tuple[float, float], omega: float) -> None:
    """The azimuth of the hit counts, not that of the momentum; also across +-180 deg."""
    low, high = np.radians(limits)
    surface = replace(CYLINDER, phi_range=(low, high))
    phi = np.linspace(-3.14, 3.14, 500)
    helix = np.stack([0.2 + 0 * phi, phi, omega + 0 * phi, 0 * phi, 0.3 + 0 * phi], axis=-1)
    crossing = find_crossing(Helices.from_helix(helix, 0 * phi), surface)
    x, y, _ = position_at(helix, crossing.arc).T
    middle = (low + high) / 2
    expected = x * np.cos(middle) + y * np.sin(middle) > 20 * math.cos((high - low) / 2)
    np.testing.assert_array_equal(crossing.on, expected)
    assert 0 < crossing.on.sum() < len(phi)


def test_azimuth_of_the_direction() -> None:
    """psi is the azimuth of the momentum from that of the hit."""
    helix = np.array([[0.5, 2.0, -0.03, 0, 0.3]])
    crossing = find_crossing(one(helix), CYLINDER)
    x, y, _ = position_at(helix, crossing.arc)[0]
    psi = math.atan2(crossing.sin_psi[0], crossing.cos_psi[0])
    assert math.atan2(y, x) + psi == pytest.approx(direction_at(helix, crossing.arc)[0])


@pytest.mark.parametrize("tan_lambda", [0.0, -1.0, 2.0])
def test_thickness_along_a_straight_track(tan_lambda: float) -> None:
    """A cylinder in its wall is 1/sin(theta) thicker, a missed surface counts nothing."""
    tracks = one(np.array([0, 0, 0, 0, tan_lambda]))
    crossing = find_crossing(tracks, CYLINDER)
    expected = CYLINDER.thickness_x0 * math.hypot(1, tan_lambda)
    assert path_thickness(tracks, CYLINDER, crossing)[0] == pytest.approx(expected)
    far = replace(CYLINDER, z_min=100.0, z_max=200.0)
    assert path_thickness(tracks, far, find_crossing(tracks, far))[0] == 0


def test_thickness_of_a_cone_met_head_on() -> None:
    """Along its normal it is as thick as the card says."""
    tan_lambda = CONE.normal_z / CONE.normal_r
    z0 = CONE.z_reference - CONE.radius * tan_lambda
    tracks = one(np.array([0, 0, 0, z0, tan_lambda]))
    assert path_thickness(tracks, CONE, find_crossing(tracks, CONE))[0] == pytest.approx(
        CONE.thickness_x0
    )


def test_thickness_is_finite_where_a_track_turns() -> None:
    tracks = one(np.array([0, 0, 0.1 * (1 - 1e-13), 0, 0.5]))
    crossing = find_crossing(tracks, CYLINDER)
    assert crossing.on[0]
    assert (
        path_thickness(tracks, CYLINDER, crossing)[0] <= 0.01 * math.hypot(1, 0.5) / MIN_INCIDENCE
    )


@pytest.mark.parametrize("surface", [CYLINDER, CONE, replace(CYLINDER, phi_range=(0.0, 1.0))])
def test_no_tracks(surface: Surface) -> None:
    tracks = Helices.from_helix(np.empty((0, 5)), np.empty(0))
    crossing = find_crossing(tracks, surface)
    assert all(getattr(crossing, name).shape == (0,) for name in Crossing.__slots__)
    assert path_thickness(tracks, surface, crossing).shape == (0,)
