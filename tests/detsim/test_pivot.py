"""Helices seen from any point, and symmetric matrices kept as rows."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.detsim.helix import HelixIndex, pack, perigee, position_at, unpack
from darkbelle.detsim.pivot import Pivoted, refer_to
from darkbelle.detsim.symmetric import invert, transport

N = 500
OMEGAS = [-0.02, -1e-3, -1e-9, 0.0, 1e-6, 0.01, 0.03]


def helices_and_points(omega: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    helix = rng.normal(size=(5, N)) * np.array([5.0, 0.0, 0.0, 20.0, 1.0])[:, None]
    helix[HelixIndex.PHI0] = rng.uniform(-np.pi, np.pi, N)
    helix[HelixIndex.OMEGA] = omega
    return helix, rng.normal(size=(3, N)) * 15


def parameters(seen: Pivoted) -> np.ndarray:
    return np.stack([seen.d0, seen.phi0, seen.omega, seen.z0, seen.tan_lambda])


def matrix(seen: Pivoted) -> np.ndarray:
    jacobian = np.zeros((5, 5, N))
    for i, row in enumerate(seen.jacobian()):
        for column, value in row:
            jacobian[i, column] = value
    return jacobian


@pytest.mark.parametrize("omega", OMEGAS)
def test_a_pivot_is_an_origin(omega: float) -> None:
    """The same as the perigee to the origin once everything is shifted by the point."""
    helix, point = helices_and_points(omega)
    seen = refer_to(helix, point)
    start = position_at(helix.T, np.zeros(N)) - point.T
    expected, since = perigee(start, helix[1], helix[2], helix[4])
    np.testing.assert_allclose(seen.arc, -since, atol=1e-9)
    found = parameters(seen)
    found[1] = (found[1] + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(found.T, expected, atol=1e-9)
    np.testing.assert_allclose(
        [seen.cos_phi, seen.sin_phi], [np.cos(seen.phi0), np.sin(seen.phi0)], atol=1e-14
    )
    # Where the arc leads, the track is nearest to the point.
    nearest = position_at(helix.T, seen.arc) - point.T
    offset = np.stack([seen.d0 * seen.sin_phi, -seen.d0 * seen.cos_phi, seen.z0], axis=-1)
    np.testing.assert_allclose(nearest, offset, atol=1e-9)


@pytest.mark.parametrize("omega", OMEGAS)
def test_jacobian_against_differences(omega: float) -> None:
    helix, point = helices_and_points(omega)
    seen = refer_to(helix, point)
    # Near the centre of the circle, or half a turn away, differences say nothing.
    smooth = (seen.gain > 0.2) & (np.abs(seen.turn) < 3)
    jacobian = matrix(seen)
    for column, size in enumerate([1e-4, 1e-5, 1e-7, 1e-4, 1e-5]):
        step = np.zeros((5, 1))
        step[column] = size
        ahead, behind = (parameters(refer_to(helix + sign * step, point)) for sign in (1, -1))
        numerical = (ahead - behind) / (2 * size)
        np.testing.assert_allclose(
            jacobian[:, column, smooth], numerical[:, smooth], rtol=1e-4, atol=1e-5
        )


def test_transport_is_a_sandwich() -> None:
    helix, point = helices_and_points(0.01)
    seen = refer_to(helix, point)
    factor = np.random.default_rng(2).normal(size=(N, 5, 5))
    cov = factor @ factor.transpose(0, 2, 1)
    jacobian = matrix(seen).transpose(2, 0, 1)
    expected = pack(jacobian @ cov @ jacobian.transpose(0, 2, 1)).T
    found = transport(pack(cov).T, seen.jacobian())
    np.testing.assert_allclose(
        np.stack([element for row in found for element in row]), expected, rtol=1e-9, atol=1e-9
    )
    d0, z0 = seen.jacobian()[0], seen.jacobian()[3]
    (dd,), (dz, zz) = transport(pack(cov).T, (d0, z0))
    np.testing.assert_allclose([dd, dz, zz], expected[[0, 6, 9]], rtol=1e-9, atol=1e-9)


def test_inverse_of_positive_matrices() -> None:
    factor = np.random.default_rng(3).normal(size=(N, 5, 5)) + 3 * np.eye(5)
    matrices = factor @ factor.transpose(0, 2, 1)
    inverse, positive = invert(pack(matrices).T)
    assert positive.all()
    np.testing.assert_allclose(
        unpack(inverse.T) @ matrices, np.tile(np.eye(5), (N, 1, 1)), atol=1e-6
    )


@pytest.mark.parametrize(
    "matrix", [np.diag([1.0, -1, 1, 1, 1]), np.ones((5, 5)), np.full((5, 5), np.nan)]
)
def test_no_inverse_without_positivity(matrix: np.ndarray) -> None:
    inverse, positive = invert(pack(np.stack([np.eye(5), matrix])).T)
    assert positive.tolist() == [True, False]
    np.testing.assert_array_equal(unpack(inverse.T)[0], np.eye(5))
    assert np.isnan(inverse[:, 1]).any()
