"""Boosts, rotations and two-body momenta: the algebra they must obey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkbelle.gen.kinematics import (
    across,
    boost,
    breakup_momentum,
    dot,
    invariant_mass,
    kallen,
    rotate_z_to,
    to_rest_frame,
    two_body,
)

EPSILON = 2.3e-16
component = st.floats(-10, 10)
masses = st.floats(0.1, 10)


@st.composite
def momenta(draw: st.DrawFn) -> np.ndarray:
    """A time-like momentum of up to 17 GeV, Lorentz factor up to 170, shape (4, 1)."""
    mass, p = draw(masses), [draw(component) for _ in range(3)]
    return np.array([[math.sqrt(mass**2 + sum(q**2 for q in p))], *([q] for q in p)])


@st.composite
def axes(draw: st.DrawFn) -> np.ndarray:
    """A unit vector away from -z, shape (3, 1)."""
    theta, phi = draw(st.floats(0, 3.0)), draw(st.floats(-math.pi, math.pi))
    sin = math.sin(theta)
    return np.array([[sin * math.cos(phi)], [sin * math.sin(phi)], [math.cos(theta)]])


def gamma(p: np.ndarray) -> float:
    return float(p[0, 0] / invariant_mass(p)[0])


def matrix(axis: np.ndarray) -> np.ndarray:
    """The rotation, column by column."""
    unit = np.vstack([np.zeros(3), np.eye(3)])
    return rotate_z_to(unit, np.repeat(axis, 3, axis=1))[1:]


# ---- boosts --------------------------------------------------------------------------------------


@given(momenta(), momenta())
def test_boost_inverts(p: np.ndarray, frame: np.ndarray):
    tolerance = 100 * EPSILON * gamma(frame) ** 2 * p[0, 0]
    assert to_rest_frame(boost(p, frame), frame) == pytest.approx(p, abs=tolerance)
    assert boost(to_rest_frame(p, frame), frame) == pytest.approx(p, abs=tolerance)


@given(momenta(), momenta(), momenta())
def test_boost_keeps_invariants(p: np.ndarray, q: np.ndarray, frame: np.ndarray):
    scale = (gamma(frame) ** 2 * p[0] * q[0])[0]
    assert dot(boost(p, frame), boost(q, frame)) == pytest.approx(
        dot(p, q), abs=100 * EPSILON * scale
    )


@given(momenta())
def test_rest_frame_is_at_rest(frame: np.ndarray):
    mass = invariant_mass(frame)
    tolerance = 100 * EPSILON * gamma(frame) ** 2 * mass[0]
    at_rest = np.array([mass, [0], [0], [0]])
    assert to_rest_frame(frame, frame) == pytest.approx(at_rest, abs=tolerance)
    assert boost(at_rest, frame) == pytest.approx(frame, abs=tolerance)


def test_boost_along_z_by_hand():
    """A frame of velocity 0.6 has gamma = 1.25: (2, 1, 0, 0) becomes (2.5, 1, 0, 1.5)."""
    p = np.array([2.0, 1.0, 0.0, 0.0])
    frame = np.array([5.0, 0.0, 0.0, 3.0])
    assert boost(p, frame) == pytest.approx([2.5, 1.0, 0.0, 1.5], rel=1e-15)


def test_boost_takes_no_events():
    nothing = np.zeros((4, 0))
    assert boost(nothing, nothing).shape == (4, 0)
    assert rotate_z_to(nothing, np.zeros((3, 0))).shape == (4, 0)


# ---- rotations -----------------------------------------------------------------------------------


@given(axes())
def test_rotation_is_proper_and_turns_z_the_short_way(axis: np.ndarray):
    rotation = matrix(axis)
    assert rotation.T @ rotation == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-12)
    assert rotation[:, 2] == pytest.approx(axis[:, 0], abs=1e-12)
    assert np.trace(rotation) == pytest.approx(1 + 2 * axis[2, 0], abs=1e-12)


@given(momenta(), axes())
def test_rotation_leaves_the_energy_alone(p: np.ndarray, axis: np.ndarray):
    assert rotate_z_to(p, axis)[0] == p[0]


def test_rotation_to_either_end_of_z():
    """Nothing, and half a turn around y."""
    assert matrix(np.array([[0.0], [0.0], [1.0]])) == pytest.approx(np.eye(3), abs=0)
    assert matrix(np.array([[0.0], [0.0], [-1.0]])) == pytest.approx(np.diag([-1, 1, -1]), abs=0)


@pytest.mark.parametrize("angle", [1e-3, 1e-5, 3e-6, 1e-7, 1e-9])
def test_rotation_close_to_minus_z(angle: float):
    """There 1 + z cancels in double precision."""
    axis = np.array([[0.6 * math.sin(angle)], [0.8 * math.sin(angle)], [-math.cos(angle)]])
    rotation = matrix(axis)
    assert rotation.T @ rotation == pytest.approx(np.eye(3), abs=1e-12)
    assert rotation[:, 2] == pytest.approx(axis[:, 0], abs=1e-12)


# ---- two bodies ----------------------------------------------------------------------------------


@given(st.floats(1, 100), masses, masses)
def test_kallen_function(a: float, b: float, c: float):
    expected = a**2 + b**2 + c**2 - 2 * (a * b + b * c + c * a)
    found = kallen(np.float64(a), b, c)
    assert found == pytest.approx(expected, abs=1e-13 * (a + b + c) ** 2)
    assert found == kallen(np.float64(a), c, b)


def test_kallen_function_keeps_its_digits_at_threshold():
    """(m1 + m2 + delta)^2 with delta = 1e-9: the leading term 8 m1 m2 (m1 + m2) delta is all."""
    m1, m2, delta = 1.0, 2.0, 1e-9
    found = kallen(np.float64((m1 + m2 + delta) ** 2), m1**2, m2**2)
    assert found == pytest.approx(8 * m1 * m2 * (m1 + m2) * delta, rel=1e-6)


@given(masses, st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1), st.floats(-math.pi, math.pi))
def test_two_body_decay(mass: float, share: float, split: float, cos_theta: float, phi: float):
    daughters = share * mass * split, share * mass * (1 - split)
    values = (np.array([value]) for value in (mass, *daughters, cos_theta, phi))
    first, second = two_body(*values)
    assert first + second == pytest.approx(np.array([[mass], [0], [0], [0]]), abs=1e-14 * mass)
    for p, daughter in zip((first, second), daughters, strict=True):
        assert dot(p, p) == pytest.approx(daughter**2, abs=1e-14 * mass**2)
    size = math.sqrt(np.sum(first[1:] ** 2))
    assert size**2 == pytest.approx(
        kallen(np.float64(mass**2), *(m**2 for m in daughters)) / (4 * mass**2),
        abs=1e-14 * mass**2,
    )
    assert first[3] == pytest.approx(size * cos_theta, abs=1e-14 * mass)
    if size > 0 and abs(cos_theta) < 0.999:
        assert math.cos(math.atan2(first[2, 0], first[1, 0]) - phi) == pytest.approx(1)


@pytest.mark.parametrize(
    ("parent", "daughters", "momentum"),
    [
        # PDG 2024, particle listings, column p [MeV/c]
        (0.497611, (0.13957039, 0.13957039), 0.206),
        (1.115683, (0.93827209, 0.13957039), 0.101),
        (0.493677, (0.1056583755, 0.0), 0.236),
        (0.13957039, (0.0, 0.1056583755), 0.030),
        (0.13957039, (0.00051099895, 0.0), 0.070),
    ],
)
def test_momentum_of_known_decays(parent: float, daughters: tuple[float, float], momentum: float):
    found = breakup_momentum(np.array([parent]), *daughters)
    assert found == pytest.approx(momentum, abs=5e-4)
    first, second = two_body(np.array([parent]), *daughters, np.zeros(1), np.zeros(1))
    assert (first[1], second[1]) == (found, -found)


def test_no_momentum_below_threshold():
    assert breakup_momentum(np.array([1.0, 2.0]), 0.7, 0.7).tolist() == [0, math.sqrt(0.51)]


def test_across():
    """Orthogonal to all three; at rest M times the normal; odd under exchange; Gram determinant."""
    p, q, k = np.random.default_rng(19).normal(size=(3, 4, 100))
    normal = across(p, q, k)
    for other in (p, q, k):
        assert np.abs(dot(normal, other)).max() < 1e-13
    assert across(q, p, k) == pytest.approx(-normal)
    gram = np.array([[dot(x, y) for x in (p, q, k)] for y in (p, q, k)])
    assert dot(normal, normal) == pytest.approx(-np.linalg.det(gram.T), rel=1e-9)
    rest = np.stack([np.full(100, 2.0), *np.zeros((3, 100))])
    expected = np.stack([np.zeros(100), *(2 * np.cross(q[1:], k[1:], axis=0))])
    assert across(rest, q, k) == pytest.approx(expected)
