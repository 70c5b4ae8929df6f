"""Track parameters: definitions, conversions and transport."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkbelle.detsim.helix import (
    CovariancePacking,
    HelixIndex,
    direction_at,
    momentum,
    momentum_towards,
    omega_from_pt,
    pack,
    perigee,
    position_at,
    shift_jacobian,
    unpack,
)

FIELD = 1.5  # T


def between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


# A radius of curvature above 10 cm and |d0| below 5 cm: the perigee is where it should be.
omegas = st.one_of(between(-0.1, 0.1), between(-1e-6, 1e-6), st.just(0.0))
helices = st.builds(
    lambda *values: np.array([values]),
    between(-5, 5),
    between(-math.pi, math.pi - 1e-6),
    omegas,
    between(-10, 10),
    between(-4, 4),
)


def same_angle(a: object, b: object, tolerance: float) -> bool:
    return bool(
        np.all(np.abs(np.remainder(np.subtract(a, b) + np.pi, 2 * np.pi) - np.pi) < tolerance)
    )


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


@given(helix=helices, turns=between(-0.45, 0.45))
def test_any_point_of_the_arc_gives_the_helix_back(helix: np.ndarray, turns: float) -> None:
    """Up to almost half a turn to either side of the perigee, or 100 cm of a straight track."""
    omega, tan_lambda = helix[:, HelixIndex.OMEGA], helix[:, HelixIndex.TAN_LAMBDA]
    arc = np.clip(turns * 2 * np.pi / np.maximum(np.abs(omega), 1e-12), -100, 100)
    found, found_arc = perigee(position_at(helix, arc), direction_at(helix, arc), omega, tan_lambda)
    np.testing.assert_allclose(found_arc, arc, atol=1e-8)
    assert same_angle(found[:, HelixIndex.PHI0], helix[:, HelixIndex.PHI0], 1e-9)
    others = [HelixIndex.D0, HelixIndex.OMEGA, HelixIndex.Z0, HelixIndex.TAN_LAMBDA]
    np.testing.assert_allclose(found[:, others], helix[:, others], atol=1e-8)


@given(helix=helices, turns=between(-0.45, 0.45), beside=between(-0.5, 0.5))
def test_momentum_towards_a_point(helix: np.ndarray, turns: float, beside: float) -> None:
    """A point on the track or beside it, where the direction is that of the arc up to there."""
    helix = helix.copy()
    omega = helix[:, HelixIndex.OMEGA]
    omega[np.abs(omega) < 1e-9] = 1e-9  # without any curvature there is no momentum
    arc = np.clip(turns * 2 * np.pi / np.abs(omega), -100, 100)
    phi = direction_at(helix, arc)
    across = np.stack([np.sin(phi), -np.cos(phi)], axis=-1)
    point = position_at(helix, arc)[:, :2] + beside * across
    found, perigee_momentum = momentum_towards(helix, point, FIELD), momentum(helix, FIELD)
    pt = np.hypot(*perigee_momentum[0, :2])
    assert np.hypot(*found[0, :2]) == pytest.approx(pt, rel=1e-9)
    assert same_angle(np.arctan2(found[:, 1], found[:, 0]), phi, 1e-6)
    assert found[0, 2] == perigee_momentum[0, 2]


@given(
    pt=between(0.05, 7),
    phi=between(-math.pi, math.pi),
    pz=between(-7, 7),
    charge=st.sampled_from([-1, 1]),
    field=st.sampled_from([-FIELD, FIELD]),
    x=between(-5, 5),
    y=between(-5, 5),
)
def test_momentum_comes_back(
    pt: float, phi: float, pz: float, charge: int, field: float, x: float, y: float
) -> None:
    """Turned back by the way from the perigee, for both charges and both fields."""
    omega = omega_from_pt(array(pt), np.array([charge], np.int8), field)
    assert np.sign(omega[0]) == charge * np.sign(field)
    helix, arc = perigee(array(x, y, 0)[None], array(phi), omega, array(pz / pt))
    px, py, found_pz = momentum(helix, field)[0]
    assert math.hypot(px, py) == pytest.approx(pt, rel=1e-12)
    assert found_pz == pytest.approx(pz, abs=1e-12)
    assert same_angle(math.atan2(py, px) - omega * arc, phi, 1e-10)


def test_curvature_of_one_gev_in_one_and_a_half_tesla() -> None:
    """R = pt/(0.299792458 B) = 2.2237 m."""
    omega = omega_from_pt(array(1), np.array([1], np.int8), FIELD)
    assert 1 / omega[0] == pytest.approx(222.3760, rel=1e-6)


@pytest.mark.parametrize("charge", [-1, 1])
@pytest.mark.parametrize("field", [-FIELD, FIELD])
def test_particles_turn_as_the_lorentz_force_bends_them(charge: int, field: float) -> None:
    """Force along q v x B: to -y for a positive particle along +x in a field along +z."""
    omega = omega_from_pt(array(1), np.array([charge], np.int8), field)
    helix, _ = perigee(np.zeros((1, 3)), array(0), omega, array(0))
    y = position_at(helix, array(10))[0, 1]
    assert y == pytest.approx(-charge * np.sign(field) * 10**2 / (2 * 222.3760), rel=1e-3)


@pytest.mark.parametrize("omega", [-0.01, 0.0, 0.01])
@pytest.mark.parametrize("phi", [0.0, 2.0, -3.0])
@pytest.mark.parametrize("d0", [-0.3, 0.3])
def test_sign_and_place_of_d0(d0: float, phi: float, omega: float) -> None:
    """The perigee is (d0 sin phi0, -d0 cos phi0), and (perigee x momentum)_z has the sign of d0."""
    helix = array(d0, phi, omega, 0, 0)[None]
    x, y, _ = position_at(helix, array(0))[0]
    assert (x, y) == pytest.approx((d0 * math.sin(phi), -d0 * math.cos(phi)))
    assert np.sign(x * math.sin(phi) - y * math.cos(phi)) == np.sign(d0)
    found, _ = perigee(
        position_at(helix, array(5)), direction_at(helix, array(5)), *helix.T[[2, 4]]
    )
    assert found[0, HelixIndex.D0] == pytest.approx(d0)


@given(helix=helices)
def test_the_perigee_is_the_nearest_point(helix: np.ndarray) -> None:
    nearby = position_at(np.repeat(helix, 41, axis=0), np.linspace(-10, 10, 41))
    assert np.hypot(*nearby[:, :2].T).min() >= abs(helix[0, HelixIndex.D0]) - 1e-9


@given(x=between(-50, 50), y=between(-50, 50), phi=between(-20, 20), omega=omegas)
def test_range_of_phi0(x: float, y: float, phi: float, omega: float) -> None:
    helix, _ = perigee(array(x, y, 0)[None], array(phi), array(omega), array(0))
    assert -np.pi <= helix[0, HelixIndex.PHI0] < np.pi


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("tan_lambda", [-2.0, 0.0, 3.0])
def test_a_stiff_track_is_a_straight_line(sign: int, tan_lambda: float) -> None:
    """At omega = 1e-9 what is left is the sagitta, 5e-6 cm after 100 cm."""
    x, y, z, phi = 60.0, -80.0, 30.0, 0.4
    line, arc = perigee(array(x, y, z)[None], array(phi), array(0), array(tan_lambda))
    along = x * math.cos(phi) + y * math.sin(phi)
    d0 = x * math.sin(phi) - y * math.cos(phi)
    assert arc[0] == pytest.approx(along, rel=1e-14)
    assert line[0] == pytest.approx([d0, phi, 0, z - tan_lambda * along, tan_lambda], rel=1e-13)
    stiff, stiff_arc = perigee(
        array(x, y, z)[None], array(phi), array(sign * 1e-9), array(tan_lambda)
    )
    assert stiff_arc == pytest.approx(arc, abs=1e-5)
    assert stiff[0] == pytest.approx(line[0], abs=1e-4)
    np.testing.assert_allclose(position_at(stiff, stiff_arc), [[x, y, z]], atol=1e-10)


@given(x=between(-5, 5), y=between(-5, 5), phi=between(-3, 3), omega=omegas, by=between(-6, 6))
def test_turning_everything_turns_phi0(
    x: float, y: float, phi: float, omega: float, by: float
) -> None:
    cos, sin = math.cos(by), math.sin(by)
    turned = array(x * cos - y * sin, x * sin + y * cos, 1)[None]
    before, arc = perigee(array(x, y, 1)[None], array(phi), array(omega), array(0.7))
    after, arc_after = perigee(turned, array(phi + by), array(omega), array(0.7))
    before[:, HelixIndex.PHI0] += by
    assert same_angle(after[:, HelixIndex.PHI0], before[:, HelixIndex.PHI0], 1e-9)
    np.testing.assert_allclose(arc_after, arc, atol=1e-9)
    np.testing.assert_allclose(after[:, [0, 2, 3, 4]], before[:, [0, 2, 3, 4]], atol=1e-9)


def local_after(
    local: np.ndarray, phi: float, omega: float, tan_lambda: float, arc: float
) -> np.ndarray:
    """Local parameters ``arc`` further on, of tracks that deviate by ``local`` at the perigee."""
    pivot = array(0, phi, omega, 0, tan_lambda)[None]
    moved = position_at(pivot, array(arc))
    start = pivot + local
    point, direction = position_at(start, np.zeros(len(start))), start[:, HelixIndex.PHI0]
    helix, _ = perigee(point - moved, direction, start[:, HelixIndex.OMEGA], start[:, 4])
    helix[:, HelixIndex.PHI0] -= phi - omega * arc
    return helix


@pytest.mark.parametrize("omega", [0.02, -0.02, 0.003, -1e-5, 0.0])
@pytest.mark.parametrize("arc", [-30.0, 0.3, 3.0, 60.0])
@pytest.mark.parametrize("tan_lambda", [0.0, -0.6, 2.0])
def test_shift_jacobian_against_differences(omega: float, arc: float, tan_lambda: float) -> None:
    steps = array(1e-4, 1e-5, 1e-7, 1e-4, 1e-5)
    there = [local_after(sign * np.diag(steps), -0.7, omega, tan_lambda, arc) for sign in (1, -1)]
    numerical = ((there[0] - there[1]) / (2 * steps[:, None])).T
    jacobian = shift_jacobian(array(omega), array(tan_lambda), array(arc))[0]
    np.testing.assert_allclose(jacobian, numerical, rtol=1e-5, atol=1e-6)


@given(omega=omegas, tan_lambda=between(-3, 3), arc=between(-100, 100))
def test_shifts_there_and_back_cancel(omega: float, tan_lambda: float, arc: float) -> None:
    there = shift_jacobian(array(omega), array(tan_lambda), array(arc))[0]
    back = shift_jacobian(array(omega), array(tan_lambda), array(-arc))[0]
    np.testing.assert_allclose(back @ there, np.eye(5), atol=1e-7)


@given(omega=omegas, first=between(-50, 50), second=between(-50, 50))
def test_shifts_add_up(omega: float, first: float, second: float) -> None:
    args = array(omega), array(0.8)
    one, two = (shift_jacobian(*args, array(arc))[0] for arc in (first, second))
    whole = shift_jacobian(*args, array(first + second))[0]
    np.testing.assert_allclose(two @ one, whole, atol=1e-7)


@pytest.mark.parametrize("packing", CovariancePacking)
def test_packing_keeps_a_symmetric_matrix(packing: CovariancePacking) -> None:
    matrices = np.random.default_rng(1).normal(size=(7, 5, 5))
    matrices = matrices + matrices.transpose(0, 2, 1)
    packed = pack(matrices, packing)
    assert packed.shape == (7, 15)
    np.testing.assert_array_equal(unpack(packed, packing), matrices)
    assert pack(np.empty((0, 5, 5)), packing).shape == (0, 15)


@pytest.mark.parametrize(
    ("packing", "order"),
    [
        (CovariancePacking.LOWER, "00 10 11 20 21 22 30 31 32 33 40 41 42 43 44"),  # EDM4hep
        (CovariancePacking.UPPER, "00 01 02 03 04 11 12 13 14 22 23 24 33 34 44"),  # basf2
    ],
)
def test_order_of_packed_elements(packing: CovariancePacking, order: str) -> None:
    labels = np.array([[10 * i + j for j in range(5)] for i in range(5)])
    assert pack(labels[None], packing)[0].tolist() == [int(label) for label in order.split()]


def test_no_tracks() -> None:
    none = np.empty(0)
    helix, arc = perigee(np.empty((0, 3)), none, none, none)
    assert helix.shape == (0, 5)
    assert arc.shape == (0,)
    assert position_at(helix, arc).shape == (0, 3)
    assert momentum(helix, FIELD).shape == (0, 3)
    assert shift_jacobian(none, none, none).shape == (0, 5, 5)
