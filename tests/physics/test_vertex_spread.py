"""Where two tracks meet: fitted vertices against a slow fit of what the slow tracks leave.

The slow fit has a vertex and two momenta, and takes the tracks of `reference_fit` as they are at
their birth, with helices that are exact on the short way between.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from darkbelle.detsim.helix import perigee
from darkbelle.detsim.tracking import ChargedParticles, measure
from darkbelle.detsim.vertexing import VertexStatus, fit_vertices
from tests.physics.reference_fit import Fits, fit_particles
from tests.physics.reference_flight import Particle
from tests.physics.sending import MASS, experiment

FloatArray = npt.NDArray[np.float64]

pytestmark = pytest.mark.validation

N_REFERENCE = 400
N_MEASURED = 6_000
STEPS = np.array([1e-4, 1e-4, 1e-4, *2 * [1e-5, 1e-8, 1e-5]])


class Pair(NamedTuple):
    """Species, momentum [GeV] and direction [deg] of the mother, angle between the two [rad].

    Then the tilt of their plane out of the transverse one [deg] and the radius of birth [cm].
    """

    species: str
    p: float
    theta: float
    phi: float
    opening: float
    tilt: float
    radius: float


PAIRS = [
    Pair("mu", 3.0, 70, 30, 1.0, 20, 0.0),
    Pair("pi", 1.0, 100, -60, 0.8, 50, 0.0),
    Pair("mu", 4.0, 50, 100, 0.5, 70, 0.5),
    Pair("pi", 1.5, 90, 200, 0.6, 10, 1.0),
    Pair("mu", 2.0, 110, -20, 1.0, 40, 3.0),
    Pair("pi", 0.8, 75, 140, 0.9, 60, 3.0),
    Pair("mu", 4.0, 60, -100, 0.3, 30, 8.0),
    Pair("pi", 2.0, 85, 50, 0.5, 15, 8.0),
    Pair("mu", 3.0, 80, 0, 0.7, 45, 15.0),
    Pair("pi", 1.5, 95, -150, 0.6, 25, 15.0),
    Pair("mu", 4.0, 75, 80, 1.0, 35, 30.0),
    Pair("pi", 3.0, 60, -40, 0.4, 55, 30.0),
    Pair("pi", 0.8, 80, -120, 0.9, 30, 30.0),
    Pair("mu", 5.0, 70, 160, 0.6, 20, 50.0),
    Pair("mu", 3.0, 90, -80, 1.0, 50, 50.0),
    Pair("pi", 1.0, 100, 60, 0.8, 40, 50.0),
]


def daughters(pair: Pair) -> tuple[Particle, Particle]:
    """Two particles of the same momentum at equal angles to the mother, of opposite charge."""
    theta, phi, tilt = (math.radians(angle) for angle in (pair.theta, pair.phi, pair.tilt))
    sin, cos = math.sin(theta), math.cos(theta)
    along = np.array([sin * math.cos(phi), sin * math.sin(phi), cos])
    around = np.array([-math.sin(phi), math.cos(phi), 0.0])
    across = math.cos(tilt) * around + math.sin(tilt) * np.cross(along, around)
    birth = pair.radius / sin * along + np.array([12e-4, 0.2e-4, 0.02])
    half = pair.opening / 2
    size = pair.p / (2 * math.cos(half))
    first, second = (
        Particle(
            birth,
            size * (math.cos(half) * along + sign * math.sin(half) * across),
            sign,
            MASS[pair.species],
        )
        for sign in (1, -1)
    )
    return first, second


def fit_slowly(pair: Pair, tracks: tuple[Fits, Fits]) -> tuple[FloatArray, FloatArray]:
    """Displacement of the vertex from the truth (n, 3), its covariance (n, 3, 3)."""
    n = min(len(fits.cov) for fits in tracks)
    particles = daughters(pair)
    measured = np.concatenate([fits.deviation[:n] for fits in tracks], axis=1)
    weight = np.zeros((n, 10, 10))
    for i, fits in enumerate(tracks):
        weight[:, 5 * i : 5 * i + 5, 5 * i : 5 * i + 5] = np.linalg.inv(fits.cov[:n])

    def expected(unknowns: FloatArray) -> FloatArray:
        """Local parameters of both tracks for a vertex and (phi, omega, tan_lambda) there."""
        columns = []
        for i, sent in enumerate(particles):
            truth = np.array([sent.phi, sent.omega(experiment()), sent.tan_lambda])
            phi, omega, tan_lambda = (unknowns[:, 3 + 3 * i : 6 + 3 * i] + truth).T
            local, _ = perigee(unknowns[:, :3], phi, omega, tan_lambda)
            local -= np.array([0.0, truth[0], truth[1], 0.0, truth[2]])
            local[:, 1] = (local[:, 1] + np.pi) % (2 * np.pi) - np.pi
            columns.append(local)
        return np.concatenate(columns, axis=1)

    estimate = np.zeros((n, 9))
    for _ in range(10):
        jacobian = np.stack(
            [
                (expected(estimate + shift) - expected(estimate - shift)) / (2 * step)
                for shift, step in zip(np.diag(STEPS), STEPS, strict=True)
            ],
            axis=-1,
        )
        weighted = np.swapaxes(jacobian, 1, 2) @ weight
        step = weighted @ (measured - expected(estimate))[..., None]
        estimate += np.linalg.solve(weighted @ jacobian, step)[..., 0]
    return estimate[:, :3], np.linalg.inv(weighted @ jacobian)[:, :3, :3]


@cache
def slow(pair: Pair) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng([round(10 * pair.p), round(pair.theta), round(10 * pair.radius)])
    first, second = (
        fit_particles(experiment(), sent, N_REFERENCE, rng) for sent in daughters(pair)
    )
    return fit_slowly(pair, (first, second))


@cache
def fast(pair: Pair) -> tuple[FloatArray, FloatArray]:
    """The same of the simulation, for the fits that are sound."""
    both = daughters(pair)
    members = np.arange(2 * N_MEASURED).reshape(-1, 2)
    sent = ChargedParticles(
        np.tile(both[0].position, (2 * N_MEASURED, 1)),
        np.tile([particle.momentum for particle in both], (N_MEASURED, 1)),
        np.tile(np.array([particle.charge for particle in both], np.int8), N_MEASURED),
        np.full(2 * N_MEASURED, both[0].mass),
    )
    tracks = measure(sent, experiment(), np.random.default_rng(2))
    assert tracks.positive.all()
    vertices = fit_vertices(
        tracks.helix,
        tracks.cov,
        members,
        field=experiment().solenoid.field_t,
        start=np.tile(both[0].position, (N_MEASURED, 1)),
    )
    sound = vertices.status == VertexStatus.OK
    assert sound.mean() > 0.999
    return vertices.position[sound] - both[0].position, vertices.cov[sound]


def widths_along(axes: FloatArray, covariance: FloatArray) -> FloatArray:
    return np.sqrt(np.einsum("ki,kl,li->i", axes, covariance, axes))


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_vertices_spread_as_in_the_slow_fit(pair: Pair) -> None:
    """What the fit says of its errors and what they are, along the axes of the slow ellipsoid."""
    size, axes = np.linalg.eigh(slow(pair)[1].mean(axis=0))
    deviation, covariance = fast(pair)
    for found in (covariance.mean(axis=0), np.cov(deviation.T)):
        np.testing.assert_allclose(widths_along(axes, found) / np.sqrt(size), 1, atol=0.1)


@pytest.mark.parametrize("pair", PAIRS[::4], ids=str)
def test_the_slow_vertices_spread_as_they_say(pair: Pair) -> None:
    deviation, covariance = slow(pair)
    size, axes = np.linalg.eigh(covariance.mean(axis=0))
    spread = widths_along(axes, np.cov(deviation.T))
    np.testing.assert_allclose(spread / np.sqrt(size), 1, atol=4.5 / np.sqrt(2 * N_REFERENCE))
