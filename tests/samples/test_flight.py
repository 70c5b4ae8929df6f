"""Fitted flights: right errors, and right for decays of the full chain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.detsim import VertexStatus
from darkbelle.detsim.vertexing import Vertices
from darkbelle.samples import flight
from darkbelle.units import C

P_VALUE = 1e-3
ORIGIN_COV = np.diag([12e-4, 0.3e-4, 290e-4]) ** 2


def decays(n: int, rng: np.random.Generator, scale: float = 1.0):
    """Vertices of two tracks as they would be measured, where they start, and their u [cm/GeV]."""
    origin = rng.normal(size=(n, 3)) * np.sqrt(np.diag(ORIGIN_COV))
    momentum = rng.normal(size=(n, 2, 3)) + np.array([0.5, 0.3, 1.0])
    u = rng.exponential(0.07, n)
    true = origin + u[:, None] * momentum.sum(axis=1)
    root = scale * rng.normal(size=(n, 3, 3)) * 20e-4
    own = scale * rng.normal(size=(n, 2, 3, 3)) * 3e-3
    slope = 5 * rng.normal(size=(n, 2, 3, 3))
    off = np.einsum("nij,nj->ni", root, rng.normal(size=(n, 3)))
    shift = np.einsum("nkij,nkj->nki", own, rng.normal(size=(n, 2, 3)))
    vertices = Vertices(
        position=true + off,
        cov=root @ np.swapaxes(root, 1, 2),
        chi2=np.ones(n),
        ndf=1,
        momentum=momentum + shift + np.einsum("nkij,nj->nki", slope, off),
        momentum_cov=own @ np.swapaxes(own, 2, 3),
        momentum_slope=slope,
        status=np.full(n, VertexStatus.OK, np.int8),
    )
    return vertices, origin, u, np.linalg.norm(momentum.sum(axis=1), axis=1)


def test_pulls_and_chi2_are_those_of_the_errors() -> None:
    rng = np.random.default_rng(1)
    vertices, origin, u, _ = decays(20_000, rng)
    fitted = flight.fit(vertices, np.zeros(3), ORIGIN_COV)
    pull = (fitted.per_momentum - u) / fitted.sigma
    assert stats.kstest(pull, "norm").pvalue > P_VALUE
    assert stats.kstest(fitted.chi2, stats.chi2(2).cdf).pvalue > P_VALUE
    off = fitted.origin - origin
    for axis in range(3):
        sigma = np.sqrt(fitted.origin_cov[:, axis, axis])
        assert stats.kstest(off[:, axis] / sigma, "norm").pvalue > P_VALUE
        assert np.all(sigma <= np.sqrt(ORIGIN_COV[axis, axis]))


def test_the_origin_is_learnt_across_the_flight() -> None:
    """Where the beams say little, along z, the momentum that points back says more."""
    vertices, *_ = decays(2_000, np.random.default_rng(2))
    fitted = flight.fit(vertices, np.zeros(3), ORIGIN_COV)
    assert np.median(fitted.origin_cov[:, 2, 2]) < 0.3**2 * ORIGIN_COV[2, 2]


def test_without_errors_lengths_and_times_are_true() -> None:
    vertices, origin, u, p = decays(100, np.random.default_rng(3), scale=1e-6)
    fitted = flight.fit(vertices, origin, ORIGIN_COV * 1e-12)
    length, sigma = fitted.length()
    np.testing.assert_allclose(length, u * p, atol=1e-6)
    assert np.all(sigma < 1e-5)
    time, _ = fitted.time(1.86484)
    np.testing.assert_allclose(time, u * 1.86484 / C, atol=1e-9)


def test_an_origin_for_each() -> None:
    vertices, origin, *_ = decays(50, np.random.default_rng(4))
    covs = np.repeat(ORIGIN_COV[None], 50, axis=0)
    one = flight.fit(vertices, origin, covs)
    other = flight.fit(vertices, origin, ORIGIN_COV)
    np.testing.assert_array_equal(one.per_momentum, other.per_momentum)


@pytest.mark.parametrize("n", [0, 1])
def test_few(n: int) -> None:
    vertices, *_ = decays(n, np.random.default_rng(5))
    fitted = flight.fit(vertices, np.zeros(3), ORIGIN_COV)
    assert fitted.origin.shape == (n, 3)
    assert fitted.length()[0].shape == (n,)
