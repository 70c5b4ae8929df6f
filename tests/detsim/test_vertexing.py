"""Vertex fits of tracks drawn from their covariances, and of tracks measured in the detector."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from scipy import optimize, stats

from darkbelle.detsim.events import FitStatus, TrackTable, VertexStatus, VertexTable
from darkbelle.detsim.helix import omega_from_pt, perigee, position_at, shift_jacobian
from darkbelle.detsim.pairs import neutral_pairs, seed, select_pairs
from darkbelle.detsim.pivot import refer_to
from darkbelle.detsim.tracking import ChargedParticles, measure
from darkbelle.detsim.vertex_table import (
    HYPOTHESES,
    invariant_mass,
    pointing_angle,
    transverse_flight,
    vertex_table,
)
from darkbelle.detsim.vertexing import Vertices, fit_vertices
from darkbelle.geometry import load
from darkbelle.records import columns
from darkbelle.units import um
from tests.grids import spanned

FIELD = 1.5
P_VALUE = 1e-4
PION, KAON_S, MUON = 0.13957, 0.497611, 0.105658
SIGMA = np.array([0.012, 0.002, 2e-5, 0.08, 0.003])
RADII = [0.0, 1.0, 10.0, 50.0]


class Sample(NamedTuple):
    """True vertices (n, 3) and momenta (n, k, 3), tracks and which of them belong together."""

    vertex: np.ndarray
    momentum: np.ndarray
    helix: np.ndarray
    cov: np.ndarray
    members: np.ndarray


def correlated(n: int, rng: np.random.Generator, sigma: np.ndarray = SIGMA) -> np.ndarray:
    """Covariances with given errors and any correlations, (n, 5, 5)."""
    factor = 0.4 * rng.normal(size=(n, 5, 5)) + np.eye(5)
    cov = factor @ factor.transpose(0, 2, 1)
    scale = sigma / np.sqrt(np.einsum("nii->ni", cov))
    return cov * scale[:, :, None] * scale[:, None, :]


def tracks_from(
    vertex: np.ndarray,
    momentum: np.ndarray,
    local_cov: np.ndarray,
    rng: np.random.Generator,
    field: float = FIELD,
) -> Sample:
    """Draw tracks where they are born; charges alternate.

    The covariance is carried to the origin by `shift_jacobian`, not by the module under test.
    """
    n, k, _ = momentum.shape
    position = np.repeat(vertex, k, axis=0)
    px, py, pz = momentum.reshape(-1, 3).T
    pt = np.hypot(px, py)
    phi, slope = np.arctan2(py, px), pz / pt
    charge = np.tile(np.resize([1, -1], k), n).astype(np.int8)
    omega = omega_from_pt(pt, charge, field)
    deviation = np.linalg.cholesky(local_cov) @ rng.normal(size=(n * k, 5, 1))
    d0, dphi, domega, dz, dslope = deviation[..., 0].T
    point = position + np.stack([d0 * np.sin(phi), -d0 * np.cos(phi), dz], axis=-1)
    helix, _ = perigee(point, phi + dphi, omega + domega, slope + dslope)
    true, birth = perigee(position, phi, omega, slope)
    gain = 1 + omega * true[:, 0]
    refer = np.tile(np.eye(5), (n * k, 1, 1))
    refer[:, 1, 1] = 1 / gain
    refer[:, 3, 1] = slope * true[:, 0] / gain
    jacobian = refer @ shift_jacobian(omega, slope, -birth)
    cov = jacobian @ local_cov @ jacobian.transpose(0, 2, 1)
    return Sample(vertex, momentum, helix, cov, np.arange(n * k).reshape(n, k))


def vertices_at(radius: float, n: int, rng: np.random.Generator) -> np.ndarray:
    phi = rng.uniform(-np.pi, np.pi, n)
    return np.stack([radius * np.cos(phi), radius * np.sin(phi), rng.normal(size=n) * 10], axis=-1)


def isotropic(
    n: int, k: int, rng: np.random.Generator, p: tuple[float, float] = (0.3, 3.0)
) -> np.ndarray:
    """Momenta within the acceptance, (n, k, 3)."""
    cosine, phi = rng.uniform(-0.8, 0.8, (n, k)), rng.uniform(-np.pi, np.pi, (n, k))
    sine = np.sqrt(1 - cosine**2)
    unit = np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=-1)
    return unit * rng.uniform(*p, (n, k, 1))


def decays(
    mass: float, daughter: float, direction: np.ndarray, p: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Momenta of the daughters of a parent that flies along unit vectors, (n, 2, 3)."""
    n = len(p)
    cosine, phi = rng.uniform(-1, 1, n), rng.uniform(-np.pi, np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    rest = np.sqrt(mass**2 / 4 - daughter**2)
    rest = rest * np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=-1)
    along = (rest * direction).sum(axis=1)
    gamma = np.hypot(p, mass) / mass
    made = []
    for sign in (1, -1):
        extra = (gamma - 1) * sign * along + p / 2
        made.append(sign * rest + extra[:, None] * direction)
    return np.stack(made, axis=1)


@cache
def random_sample(radius: float, k: int = 2, n: int = 10_000, field: float = FIELD) -> Sample:
    rng = np.random.default_rng(100 * k + int(radius))
    vertex = vertices_at(radius, n, rng)
    return tracks_from(vertex, isotropic(n, k, rng), correlated(n * k, rng), rng, field)


def fit(sample: Sample, field: float = FIELD, **options: object) -> Vertices:
    return fit_vertices(sample.helix, sample.cov, sample.members, field=field, **options)


def sigmas(cov: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("...ii->...i", cov))


def momentum_covariance(fitted: Vertices) -> np.ndarray:
    """Full covariance of all momenta of a vertex, (n, k, 3, k, 3)."""
    slope = fitted.momentum_slope
    full = np.einsum("nkai,nij,nlbj->nkalb", slope, fitted.cov, slope)
    for i in range(slope.shape[1]):
        full[:, i, :, i, :] += fitted.momentum_cov[:, i]
    return full


def assert_unit_core(pulls: np.ndarray, error: float = 0.05) -> None:
    """Half the central 68.3 % is one, the median zero."""
    low, middle, high = np.percentile(pulls, [15.865, 50, 84.135], axis=0)
    np.testing.assert_allclose((high - low) / 2, 1, atol=error)
    np.testing.assert_allclose(middle, 0, atol=error)


@pytest.mark.parametrize(
    ("radius", "k"),
    spanned(product(RADII, [2, 3]), [(0.0, 2), (1.0, 3), (10.0, 2), (50.0, 3)]),
)
def test_pulls(radius: float, k: int) -> None:
    """10,000 vertices allow the core's width 1.2 %; the position's chi2 tests its correlations."""
    sample = random_sample(radius, k)
    fitted = fit(sample)
    good = fitted.status == VertexStatus.OK
    assert good.mean() > 0.999
    assert fitted.ndf == 2 * k - 3
    off = (fitted.position - sample.vertex)[good]
    # A second intersection as good as the first, or tracks within mrad: not what is tested here.
    near = np.linalg.norm(off, axis=1) < 5
    assert near.mean() > 0.997
    off, cov = off[near], fitted.cov[good][near]
    assert_unit_core(off / sigmas(cov))
    distance = np.einsum("ni,ni->n", off, np.linalg.solve(cov, off[..., None])[..., 0])
    assert stats.kstest(distance, stats.chi2(3).cdf).pvalue > P_VALUE
    chi2 = fitted.chi2[good][near]
    assert stats.kstest(chi2, stats.chi2(fitted.ndf).cdf).pvalue > P_VALUE
    pulls = (fitted.momentum - sample.momentum) / np.sqrt(
        np.einsum("nkaka->nka", momentum_covariance(fitted))
    )
    assert_unit_core(pulls[good][near].reshape(-1, 3))


@pytest.mark.parametrize("radius", [0.0, 10.0])
def test_one_vertex_many_times(radius: float) -> None:
    """Spread of 20,000 fits against their covariance, momenta and their correlations included."""
    rng = np.random.default_rng(5)
    n = 20_000
    vertex = np.tile(vertices_at(radius, 1, rng), (n, 1))
    momentum = np.tile([[[0.7, 0.1, 0.3], [0.5, 0.6, -0.2]]], (n, 1, 1))
    cov = np.tile(correlated(2, rng), (n, 1, 1))
    fitted = fit(tracks_from(vertex, momentum, cov, rng))
    assert (fitted.status == VertexStatus.OK).all()
    error = 4.5 / np.sqrt(n)
    for values, expected in (
        (fitted.position, fitted.cov),
        (fitted.momentum.reshape(n, 6), momentum_covariance(fitted).reshape(n, 6, 6)),
    ):
        mean = expected.mean(axis=0)
        scale = np.sqrt(np.outer(np.diag(mean), np.diag(mean)))
        np.testing.assert_allclose(np.cov(values.T) / scale, mean / scale, atol=2 * error)
    mass, sigma = invariant_mass(fitted, (PION, PION))
    assert mass.std() == pytest.approx(sigma.mean(), rel=error)


@pytest.mark.parametrize("radius", [0.05, 1.0, 10.0, 50.0])
def test_mass_of_k_short(radius: float) -> None:
    rng = np.random.default_rng(7)
    n = 10_000
    vertex = vertices_at(radius, n, rng) * np.array([1, 1, 0.05])
    direction = vertex / np.linalg.norm(vertex, axis=1)[:, None]
    momentum = decays(KAON_S, PION, direction, rng.uniform(0.3, 3, n), rng)
    sample = tracks_from(vertex, momentum, correlated(2 * n, rng, 0.3 * SIGMA), rng)
    fitted = fit(sample, start=vertex)
    mass, sigma = invariant_mass(fitted, (PION, PION))
    assert_unit_core((mass - KAON_S) / sigma)
    # Seen from the origin it flies where it points to.
    pointing = pointing_angle(fitted, np.zeros(3))
    assert np.median(pointing) < (0.1 if radius < 1 else 0.02)
    length, error = transverse_flight(fitted, np.zeros(3), np.zeros((3, 3)))
    if radius >= 1:
        assert_unit_core((length - radius) / error)


def test_hypotheses_at_once() -> None:
    fitted = fit(random_sample(1.0))
    masses = np.array([[PION, PION], [0.938, PION]]).T
    together = invariant_mass(fitted, masses[:, :, None])
    for i in range(2):
        one = invariant_mass(fitted, tuple(masses[:, i]))
        for found, expected in zip(together, one, strict=True):
            assert found.shape == (2, len(fitted))
            np.testing.assert_array_equal(found[i], expected)
    energy = np.sqrt((fitted.momentum**2).sum(axis=2) + PION**2).sum(axis=1)
    mass = np.sqrt(energy**2 - (fitted.total_momentum**2).sum(axis=1))
    np.testing.assert_allclose(together[0][0], mass, rtol=1e-9)


def local_parameters(helix: np.ndarray, pivot: np.ndarray) -> np.ndarray:
    start = position_at(helix, np.zeros(len(helix))) - pivot
    return perigee(start, *helix[:, [1, 2, 4]].T)[0]


def brute_force(
    sample: Sample, spot: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, float, np.ndarray]:
    """Position, chi2 and momenta of the first vertex; V and all momenta free.

    Tracks are measured by their local parameters at the true vertex, to which the covariance is
    carried by differences.
    """
    pivot, k = sample.vertex[0], len(sample.members[0])
    measured = local_parameters(sample.helix, pivot)
    jacobian = np.empty((k, 5, 5))
    for i, step in enumerate(np.diag([1e-4, 1e-5, 1e-7, 1e-4, 1e-5])):
        ends = [local_parameters(sample.helix + sign * step, pivot) for sign in (1, -1)]
        jacobian[:, :, i] = (ends[0] - ends[1]) / (2 * step[i])
    local_cov = jacobian @ sample.cov @ jacobian.transpose(0, 2, 1)
    whiten = np.linalg.inv(np.linalg.cholesky(local_cov))
    root_spot = None if spot is None else np.linalg.inv(np.linalg.cholesky(spot[1]))

    def residuals(free: np.ndarray) -> np.ndarray:
        v, (phi, omega, slope) = free[:3], free[3:].reshape(3, k)
        expected, _ = perigee(np.tile(v - pivot, (k, 1)), phi, omega, slope)
        off = measured - expected
        off[:, 1] = (off[:, 1] + np.pi) % (2 * np.pi) - np.pi
        found = (whiten @ off[..., None]).ravel()
        return found if spot is None else np.append(found, root_spot @ (v - spot[0]))

    guess = np.concatenate([pivot, measured[:, 1], measured[:, 2], measured[:, 4]])
    scale = np.concatenate([[0.01] * 3, [1e-3] * k, [1e-5] * k, [1e-3] * k])
    best = optimize.least_squares(
        residuals, guess, x_scale=scale, xtol=1e-15, ftol=1e-15, gtol=1e-15, method="lm"
    )
    phi, omega, slope = best.x[3:].reshape(3, k)
    pt = np.abs(2.99792458e-3 * FIELD / omega)
    momentum = pt * np.stack([np.cos(phi), np.sin(phi), slope])
    return best.x[:3], 2 * best.cost, momentum.T


@pytest.mark.parametrize("spot", [False, True])
@pytest.mark.parametrize("radius", [0.0, 3.0, 30.0])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_against_a_fit_of_everything(k: int, radius: float, spot: bool) -> None:
    """chi2 to 1e-4, position and momenta to a thousandth of their errors."""
    rng = np.random.default_rng(10 * k + int(radius))
    for _ in range(2):
        vertex = vertices_at(radius, 1, rng)
        momentum = isotropic(1, k, rng)
        sample = tracks_from(vertex, momentum, correlated(k, rng, 0.05 * SIGMA), rng)
        region = (vertex[0] + 0.001, np.diag([1e-6, 4e-6, 1e-4])) if spot else None
        fitted = fit(sample, beam_spot=region, start=vertex + 0.1)
        assert fitted.status.tolist() == [VertexStatus.OK]
        position, chi2, momenta = brute_force(sample, region)
        assert fitted.chi2[0] == pytest.approx(chi2, abs=1e-4, rel=1e-4)
        off = (fitted.position[0] - position) / sigmas(fitted.cov[0])
        np.testing.assert_allclose(off, 0, atol=1e-3)
        error = np.sqrt(np.einsum("nkaka->nka", momentum_covariance(fitted)))[0]
        np.testing.assert_allclose((fitted.momentum[0] - momenta) / error, 0, atol=3e-3)


def test_beam_spot() -> None:
    """Three more measurements: ndf is 4, and information adds up."""
    rng = np.random.default_rng(11)
    n = 10_000
    cov = np.diag([0.004, 0.001, 0.03]) ** 2
    centre = np.array([0.1, -0.2, 0.5])
    vertex = centre + rng.normal(size=(n, 3)) * np.sqrt(np.diag(cov))
    sample = tracks_from(vertex, isotropic(n, 2, rng), correlated(2 * n, rng), rng)
    free, fitted = fit(sample), fit(sample, beam_spot=(centre, cov))
    assert fitted.ndf == 4
    assert (fitted.status == VertexStatus.OK).mean() > 0.999
    good = (fitted.status == VertexStatus.OK) & (free.status == VertexStatus.OK)
    off = (fitted.position - vertex)[good]
    assert_unit_core(off / sigmas(fitted.cov[good]))
    assert stats.kstest(fitted.chi2[good], stats.chi2(4).cdf).pvalue > P_VALUE
    close = good & (np.linalg.norm(free.position - vertex, axis=1) < 0.2)
    together = np.linalg.inv(np.linalg.inv(free.cov[close]) + np.linalg.inv(cov))
    ratio = sigmas(fitted.cov[close]) / sigmas(together)
    np.testing.assert_allclose(np.median(ratio, axis=0), 1, atol=1e-3)


def test_each_vertex_has_its_own_beam_spot() -> None:
    """As if each were fitted alone, in whichever block it is."""
    sample = random_sample(0.5, n=30)
    rng = np.random.default_rng(12)
    centres = sample.vertex + 0.01 * rng.normal(size=(30, 3))
    covs = np.array([np.diag(sigma) for sigma in rng.uniform(1e-5, 1e-3, (30, 3))])
    together = fit(sample, beam_spot=(centres, covs))
    for i in (0, 7, 29):
        part = sample._replace(members=sample.members[[i]])
        alone = fit(part, beam_spot=(centres[i], covs[i]))
        np.testing.assert_allclose(together.position[i], alone.position[0], atol=1e-9)
        np.testing.assert_allclose(together.chi2[i], alone.chi2[0], rtol=1e-6)


def test_one_track_from_a_beam_spot() -> None:
    """What the spot says of its direction is what a thin gun would."""
    rng = np.random.default_rng(14)
    n = 10_000
    cov = np.diag([12e-4, 0.3e-4, 290e-4]) ** 2
    vertex = rng.normal(size=(n, 3)) * np.sqrt(np.diag(cov))
    sample = tracks_from(vertex, isotropic(n, 1, rng), correlated(n, rng), rng)
    fitted = fit(sample, beam_spot=(np.zeros(3), cov), start=np.zeros((n, 3)))
    assert fitted.ndf == 2
    good = fitted.status == VertexStatus.OK
    assert good.mean() > 0.999
    assert_unit_core((fitted.position - vertex)[good] / sigmas(fitted.cov[good]))
    assert stats.kstest(fitted.chi2[good], stats.chi2(2).cdf).pvalue > P_VALUE


def test_turning_everything_turns_the_vertex() -> None:
    sample = random_sample(10.0, n=2_000)
    angle = 2.0
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    helix = sample.helix + np.array([0, angle, 0, 0, 0])
    one, other = fit(sample), fit(sample._replace(helix=helix))
    good = one.status == VertexStatus.OK
    np.testing.assert_array_equal(other.status, one.status)
    scale = sigmas(one.cov)[good]
    off = ((one.position @ turn.T) - other.position)[good] / scale
    assert np.percentile(np.abs(off), 99.9) < 1e-4
    clear = good & (sigmas(one.cov).max(axis=1) < 1)
    np.testing.assert_allclose(other.chi2[clear], one.chi2[clear], atol=1e-5)
    np.testing.assert_allclose(other.cov[clear], turn @ one.cov[clear] @ turn.T, atol=1e-5)
    np.testing.assert_allclose(other.momentum[clear], one.momentum[clear] @ turn.T, atol=1e-5)


def test_order_of_the_tracks() -> None:
    sample = random_sample(10.0, k=3, n=2_000)
    one, other = fit(sample), fit(sample._replace(members=sample.members[:, [0, 1, 2]][:, ::-1]))
    good = (one.status == VertexStatus.OK) & (other.status == VertexStatus.OK)
    assert good.mean() > 0.999
    same = np.abs(one.position - other.position)[good] < 1e-3 * sigmas(one.cov)[good]
    assert same.mean() > 0.999
    close = np.isclose(other.momentum[:, ::-1], one.momentum, atol=1e-4)[good]
    assert close.mean() > 0.999


def test_the_field_s_direction() -> None:
    """The other field with the other curvatures; momenta keep their sense."""
    rng = np.random.default_rng(12)
    vertex, momentum = vertices_at(20.0, 5_000, rng), isotropic(5_000, 2, rng)
    sample = tracks_from(vertex, momentum, correlated(10_000, rng), rng, field=-FIELD)
    assert (sample.helix[sample.members[:, 0], 2] < 0).mean() > 0.99
    fitted = fit(sample, field=-FIELD)
    good = fitted.status == VertexStatus.OK
    off = (fitted.position - vertex)[good]
    near = np.linalg.norm(off, axis=1) < 5
    assert_unit_core((off / sigmas(fitted.cov[good]))[near])
    sense = (fitted.momentum * momentum).sum(axis=2)[good]
    assert (sense > 0).mean() > 0.998


@pytest.mark.parametrize("radius", spanned(RADII, [1.0, 50.0]))
def test_seeds_lead_to_the_vertex(radius: float) -> None:
    """From the seed to where the fit from the truth ends, or to a point that fits better."""
    sample = random_sample(radius, n=20_000)
    found, known = fit(sample), fit(sample, start=sample.vertex)
    usable = known.status == VertexStatus.OK
    off = np.abs(found.position - known.position)[usable] / sigmas(known.cov)[usable]
    same = (off < 0.1).all(axis=1)
    better = found.chi2[usable] < known.chi2[usable]
    assert (same | better).mean() > 0.999
    assert same.mean() > 0.999


AWAY = np.array([20.0, 7.0, 0.0])


def track(x: float, y: float, azimuth: float, radius: float = np.inf) -> np.ndarray:
    """Helix through `AWAY` + (x, y, 0), turning clockwise, shape (5, 1)."""
    point = AWAY + np.array([[x, y, 0.0]])
    return perigee(point, np.array([azimuth]), np.array([1 / radius]), np.zeros(1))[0].T


def circle(x: float, radius: float) -> np.ndarray:
    """Helix around `AWAY` + (x, 0, 0), shape (5, 1)."""
    return track(x, radius, 0.0, radius)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (circle(0, 5), circle(11, 5), (5.5, 0)),  # a gap of 1
        (circle(0, 5), circle(2, 2), (4.5, 0)),  # one within the other, likewise
        (circle(0, 5), circle(6, 5), (3, -4)),
        (circle(0, 5), circle(3, 4), (3, -4)),
        (track(3, 0, np.pi / 2), track(0, 4, 0), (3, 4)),
        (track(3, 0, np.pi / 2), circle(0, 5), (3, -4)),
    ],
    ids=["apart", "nested", "crossing", "through_the_centre", "lines", "line_and_circle"],
)
def test_seeds_of_circles(
    one: np.ndarray, other: np.ndarray, expected: tuple[float, float]
) -> None:
    """Of two common points, at +-y, that nearer to the z axis, as z is the same."""
    for mirror in (1, -1):
        turn = np.array([[0.0], [0.0 if mirror > 0 else np.pi], [0.0], [0.0], [0.0]])
        for pair in ((one + turn, other + turn), (other + turn, one + turn)):
            seeds = seed(*pair)
            found = (mirror * seeds.point[:, 0] - AWAY)[:2]
            np.testing.assert_allclose(found, expected, atol=1e-6)
            assert seeds.gap[0] == pytest.approx(1 if expected[1] == 0 else 0, abs=1e-6)
            assert seeds.z_gap[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("wanted", [4.0, -4.0])
def test_of_two_intersections_the_one_where_z_agrees(wanted: float) -> None:
    pair = circle(0, 5), circle(6, 5)
    for helix, slope in zip(pair, (1.0, 0.3), strict=True):
        helix[4] = slope
        helix[3] -= refer_to(helix, AWAY[:, None] + [[3.0], [wanted], [7.0]]).z0
    found = seed(*pair)
    np.testing.assert_allclose(found.point[:, 0] - AWAY, [3, wanted, 7], atol=1e-6)


def test_one_circle_twice() -> None:
    """It meets itself everywhere; whatever is chosen lies on it."""
    found = seed(circle(1, 5), circle(1, 5))
    assert np.isfinite(found.point).all()
    assert found.gap[0] == pytest.approx(0, abs=1e-6)


def test_momenta_follow_the_vertex() -> None:
    """`momentum_slope` against fits that are held in two places."""
    rng = np.random.default_rng(19)
    vertex, momentum = vertices_at(10.0, 3, rng), isotropic(3, 2, rng)
    sample = tracks_from(vertex, momentum, correlated(6, rng, 0.01 * SIGMA), rng)
    hold = np.eye(3) * 1e-14
    slope = np.empty((2, 3, 3))
    free = fit(sample)
    for event in range(3):
        part = sample._replace(members=sample.members[[event]])
        for i, step in enumerate(np.eye(3) * 1e-4):
            ends = [
                fit(part, beam_spot=(free.position[event] + sign * step, hold)).momentum[0]
                for sign in (1, -1)
            ]
            slope[:, :, i] = (ends[0] - ends[1]) / 2e-4
        scale = np.abs(free.momentum_slope[event]).max()
        np.testing.assert_allclose(free.momentum_slope[event], slope, atol=1e-3 * scale, rtol=1e-3)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_back_to_back_tracks(shift: float) -> None:
    """Of equal momentum they share one circle; only z tells where they part."""
    rng = np.random.default_rng(13)
    n = 2_000
    forward = isotropic(n, 1, rng, (1.0, 3.0))[:, 0]
    pair = np.stack([forward, -forward + np.array([0.001, 0, 0.4])], axis=1)
    vertex = np.full((n, 3), shift)
    sigma = SIGMA * np.array([0.1, 0.1, 0.1, 0.02, 0.1])
    fitted = fit(tracks_from(vertex, pair, correlated(2 * n, rng, sigma), rng))
    good = fitted.status == VertexStatus.OK
    assert good.mean() > 0.995
    off = (fitted.position - vertex)[good] / sigmas(fitted.cov[good])
    assert (np.abs(off) < 5).all(axis=1).mean() > 0.98


def test_touching_circles() -> None:
    """Photon conversions: opening angles of 0.1 mrad, the vertex known across the flight alone."""
    rng = np.random.default_rng(14)
    n = 5_000
    vertex = vertices_at(5.0, n, rng) * np.array([1, 1, 0.1])
    direction = vertex / np.linalg.norm(vertex, axis=1)[:, None]
    share = rng.uniform(0.2, 0.8, n)
    p = rng.uniform(0.5, 3, n)
    kick = 0.0003 * rng.normal(size=(n, 3))
    pair = np.stack(
        [
            (share * p)[:, None] * direction + kick,
            ((1 - share) * p)[:, None] * direction - kick,
        ],
        axis=1,
    )
    fitted = fit(tracks_from(vertex, pair, correlated(2 * n, rng), rng))
    assert (fitted.status == VertexStatus.OK).mean() > 0.999
    assert np.percentile(fitted.chi2, 90) < 6
    mass, _ = invariant_mass(fitted, (0.000511, 0.000511))
    assert np.median(mass) < 0.02
    across = np.linalg.norm(np.cross(fitted.position - vertex, direction), axis=1)
    assert np.median(across) < 0.05


def test_straight_tracks() -> None:
    """Without field positions are fitted, momenta unknown; curvatures are noise or zero."""
    rng = np.random.default_rng(15)
    vertex, momentum = vertices_at(10.0, 5_000, rng), isotropic(5_000, 2, rng)
    local_cov = correlated(10_000, rng, SIGMA * np.array([1, 1, 1e-2, 1, 1]))
    sample = tracks_from(vertex, momentum, local_cov, rng, field=0.0)
    fitted = fit(sample, field=0.0)
    assert set(fitted.status) <= {VertexStatus.NO_FIELD, VertexStatus.NOT_CONVERGED}
    good = fitted.status == VertexStatus.NO_FIELD
    assert good.mean() > 0.999
    assert_unit_core((fitted.position - vertex)[good] / sigmas(fitted.cov[good]))
    assert np.isfinite(fitted.chi2[good]).all()
    assert np.isnan(fitted.momentum).all()
    assert np.isnan(invariant_mass(fitted, (PION, PION))).all()
    exact = sample.helix.copy()
    exact[:, 2] = 0
    lines = fit(sample._replace(helix=exact), field=0.0)
    assert (lines.status == VertexStatus.NO_FIELD).mean() > 0.999
    assert np.median(np.linalg.norm(lines.position - vertex, axis=1)) < 0.2


def test_parallel_tracks() -> None:
    helix = np.array([[0.0, 0.3, 0.0, 0, 0.2], [1.0, 0.3, 0.0, 0, 0.2], [0.0, 0.3, 0.0, 0, 0.2]])
    cov = np.tile(np.diag(SIGMA**2), (3, 1, 1))
    fitted = fit_vertices(helix, cov, np.array([[0, 1], [0, 2], [0, 0]]), field=FIELD)
    assert set(fitted.status) == {VertexStatus.NOT_CONVERGED}
    assert np.isnan(fitted.position).all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda helix, cov: helix[0].fill(np.nan),
        lambda helix, cov: helix.__setitem__((0, 3), np.inf),
        lambda helix, cov: cov[0].fill(np.nan),
        lambda helix, cov: cov.__setitem__((0, 2, 2), np.inf),
        lambda helix, cov: cov[0].fill(0.0),
        lambda helix, cov: cov.__setitem__((0, 4, 4), -1.0),
    ],
    ids=["nan", "infinite", "cov_nan", "cov_infinite", "cov_zero", "cov_negative"],
)
def test_a_bad_track_spoils_its_own_vertex_only(spoil: object) -> None:
    sample = random_sample(1.0, n=50)
    helix, cov = sample.helix.copy(), sample.cov.copy()
    spoil(helix, cov)
    good, fitted = fit(sample), fit(sample._replace(helix=helix, cov=cov))
    assert fitted.status[0] == VertexStatus.BAD_TRACK
    assert np.isnan(fitted.position[0]).all()
    assert np.isnan(fitted.momentum[0]).all()
    assert (fitted.status[1:] == VertexStatus.OK).all()
    np.testing.assert_array_equal(fitted.position[1:], good.position[1:])


def test_numbers_are_missing_only_where_a_status_says_so() -> None:
    fitted = fit(random_sample(50.0))
    good = fitted.status == VertexStatus.OK
    mass = invariant_mass(fitted, (PION, PION))
    for values in (fitted.position, fitted.cov, fitted.chi2, fitted.momentum, mass[0], mass[1]):
        assert np.isfinite(values[good]).all()
    # A start from nowhere leads nowhere.
    lost = fit(random_sample(1.0, n=3), start=np.full((3, 3), np.nan))
    assert set(lost.status) == {VertexStatus.NOT_CONVERGED}


@pytest.mark.parametrize("k", [2, 3])
def test_no_candidates(k: int) -> None:
    fitted = fit_vertices(
        np.empty((0, 5)), np.empty((0, 5, 5)), np.empty((0, k), np.int64), field=FIELD
    )
    assert len(fitted) == 0
    assert fitted.position.shape == (0, 3)
    assert fitted.cov.shape == (0, 3, 3)
    assert fitted.momentum.shape == (0, k, 3)
    assert fitted.momentum_slope.shape == fitted.momentum_cov.shape == (0, k, 3, 3)
    assert invariant_mass(fitted, (PION,) * k)[0].shape == (0,)


def test_flight_against_errors() -> None:
    """Along x the variance is that of x, at 45 degrees half the sum and the correlation."""
    fitted = replace(
        fit(random_sample(1.0, n=3)),
        position=np.array([[2.0, 0, 1], [1, 1, 1], [0, 0, 0]]),
        cov=np.tile(np.array([[4.0, 1, 0], [1, 9, 0], [0, 0, 1]]), (3, 1, 1)),
    )
    length, sigma = transverse_flight(fitted, np.zeros(3), np.diag([1.0, 2, 3]))
    np.testing.assert_allclose(length, [2, np.sqrt(2), 0])
    np.testing.assert_allclose(sigma**2, [5, 5 / 2 + 11 / 2 + 1, 5])


def test_pointing() -> None:
    fitted = replace(
        fit(random_sample(1.0, n=3)),
        position=np.array([[2.0, 0, 0], [0, 0, 3], [-1, 0, 1]]),
        momentum=np.tile([[[1.0, 0, 0], [0.5, 0, 0]]], (3, 1, 1)),
    )
    angle = pointing_angle(fitted, np.zeros(3))
    np.testing.assert_allclose(angle, [0, np.pi / 2, 3 * np.pi / 4])


def test_pairs_of_events() -> None:
    """Against loops over events and tracks."""
    rng = np.random.default_rng(16)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 6, 50))])
    charge = rng.choice(np.array([-1, 1], np.int8), offsets[-1])
    members, event = neutral_pairs(charge, offsets)
    expected = {
        (i, plus, minus)
        for i in range(50)
        for plus in range(offsets[i], offsets[i + 1])
        for minus in range(offsets[i], offsets[i + 1])
        if charge[plus] > 0 > charge[minus]
    }
    found = list(zip(event.tolist(), *members.T.tolist(), strict=True))
    assert len(found) == len(expected)
    assert set(found) == expected
    assert (np.diff(event) >= 0).all()
    # Without field nobody knows a charge.
    neutral, _ = neutral_pairs(np.zeros(4, np.int8), np.array([0, 3, 3, 4]))
    assert neutral.tolist() == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.parametrize("offsets", [[0], [0, 0, 0], [0, 1, 2, 3]])
def test_events_without_pairs(offsets: list[int]) -> None:
    n = offsets[-1]
    table, vertex_offsets = vertex_table(
        track_table(np.zeros((n, 5)), np.tile(np.eye(5), (n, 1, 1)), np.ones(n)),
        np.array(offsets),
        load("belle2"),
    )
    assert len(table) == 0
    assert vertex_offsets.tolist() == [0] * len(offsets)
    assert table.cov.shape == (0, 3, 3)


def track_table(helix: np.ndarray, cov: np.ndarray, first_hit: np.ndarray) -> TrackTable:
    none = np.zeros(len(helix), np.int16)
    charge, unknown = np.sign(helix[:, 2]).astype(np.int8), none.astype(np.int32)
    good = none.astype(np.int8)
    unused = np.empty((len(charge), 0), bool)
    return TrackTable(
        helix, cov, charge, none, none, none, first_hit, none, first_hit, unused, unknown, good
    )


class Measured(NamedTuple):
    """Pairs of tracks, both found, their vertex and their parent's momentum."""

    vertex: np.ndarray
    momentum: np.ndarray
    tracks: TrackTable
    offsets: np.ndarray


@cache
def measured(mass: float, daughter: float, max_radius: float) -> Measured:
    """Two-body decays, uniform in radius, in the detector as it is."""
    rng = np.random.default_rng(17)
    n = 20_000
    direction = isotropic(n, 1, rng, (1.0, 1.0))[:, 0]
    p = rng.uniform(0.5, 4, n)
    radius = rng.uniform(0, max_radius, n)
    vertex = direction * (radius / np.hypot(*direction[:, :2].T))[:, None]
    vertex += rng.normal(size=(n, 3)) * np.array([12, 0.25, 290]) * um
    momentum = decays(mass, daughter, direction, p, rng)
    particles = ChargedParticles(
        np.repeat(vertex, 2, axis=0),
        momentum.reshape(-1, 3),
        np.tile(np.array([1, -1], np.int8), n),
        np.full(2 * n, daughter),
    )
    tracks = measure(particles, load("belle2"), rng)
    right = tracks.found & (np.sign(tracks.helix[:, 2]) == particles.charge)
    both = right.reshape(-1, 2).all(axis=1)
    chosen = np.repeat(both, 2)
    table = track_table(tracks.helix[chosen], tracks.cov[chosen], tracks.first_hit[chosen])
    return Measured(
        vertex[both], momentum[both].sum(axis=1), table, np.arange(0, chosen.sum() + 1, 2)
    )


@pytest.mark.parametrize(
    ("mass", "daughter", "max_radius"),
    spanned(
        [(KAON_S, PION, 30.0), (KAON_S, PION, 100.0), (0.25, MUON, 100.0), (5.0, MUON, 100.0)],
        [(KAON_S, PION, 30.0), (0.25, MUON, 100.0)],
    ),
)
def test_preselection_keeps_decays(mass: float, daughter: float, max_radius: float) -> None:
    sample = measured(mass, daughter, max_radius)
    tracks = sample.tracks
    pairs = select_pairs(
        tracks.helix,
        tracks.charge,
        tracks.first_hit_radius,
        sample.offsets,
        chamber_radius=100.0,
    )
    assert len(pairs) > 0.995 * len(sample.vertex)


def test_preselection_drops_far_tracks() -> None:
    """Two prompt tracks with 30 cm between their z0."""
    helix = np.array([[0.0, 0.1, 0.005, 0.0, 0.3], [0.0, 2.0, -0.005, 30.0, 0.2]])
    seeds = seed(helix[:1].T, helix[1:].T)
    assert seeds.z_gap[0] == pytest.approx(30, abs=5)
    charge, inner = np.array([1, -1], np.int8), np.ones(2)
    pairs = select_pairs(helix, charge, inner, np.array([0, 2]), chamber_radius=100.0)
    assert len(pairs) == 0


def test_table_of_k_short() -> None:
    """From measured tracks to a mass peak; 5 % of tracks have errors three times too large."""
    sample = measured(KAON_S, PION, 30.0)
    experiment = load("belle2")
    table, offsets = vertex_table(sample.tracks, sample.offsets, experiment)
    assert offsets[-1] == len(table)
    assert set(np.diff(offsets)) <= {0, 1}
    good = table.fit_status == VertexStatus.OK
    assert good.mean() > 0.999
    pull = ((table.mass_pipi - KAON_S) / table.sigma_mass_pipi)[good]
    assert np.percentile(np.abs(pull), 68.27) == pytest.approx(1.07, abs=0.05)
    assert np.nanmedian(table.pointing_angle) < 0.01
    event = np.repeat(np.arange(len(sample.vertex)), np.diff(offsets))
    radius = np.hypot(*sample.vertex[event, :2].T)
    assert np.median(np.abs(table.flight_xy - radius)) < 0.1
    momentum = np.stack([table.px, table.py, table.pz], axis=-1)
    assert np.median(np.abs(momentum - sample.momentum[event])) < 0.01
    displaced = radius > 1
    assert (table.flight_xy_significance[displaced] > 5).mean() > 0.98
    assert (table.track_plus == 0).all()
    assert (table.track_minus == 1).all()
    # Columns are those of the functions.
    tracks = sample.tracks
    pairs = select_pairs(
        tracks.helix,
        tracks.charge,
        tracks.first_hit_radius,
        sample.offsets,
        chamber_radius=experiment.drift_chamber.superlayers[-1].radius_cm[-1],
    )
    fitted = fit_vertices(tracks.helix, tracks.cov, pairs.members, field=FIELD, start=pairs.start)
    np.testing.assert_allclose(table.cov, fitted.cov)
    for name in ("mumu", "pipi", "ppi", "pip"):
        taken = {11: 0.000511, 13: MUON, 211: PION, 321: 0.493677, 2212: 0.938272}
        masses = tuple(taken[abs(code)] for code in HYPOTHESES[name])
        mass, sigma = invariant_mass(fitted, masses)
        np.testing.assert_allclose(getattr(table, f"mass_{name}"), mass, rtol=1e-4)
        np.testing.assert_allclose(getattr(table, f"sigma_mass_{name}"), sigma, rtol=1e-3)


def test_the_table_says_what_cannot_be_fitted() -> None:
    """A track without information spoils the vertices that it has a part in, and says so."""
    sample = measured(KAON_S, PION, 30.0)
    cov = sample.tracks.cov.copy()
    cov[0] = 0.0
    good, offsets = vertex_table(sample.tracks, sample.offsets, load("belle2"))
    table, same = vertex_table(replace(sample.tracks, cov=cov), sample.offsets, load("belle2"))
    assert offsets[:2].tolist() == [0, 1]
    np.testing.assert_array_equal(same, offsets)
    assert table.fit_status[0] == VertexStatus.BAD_TRACK
    assert good.fit_status[0] == VertexStatus.OK
    for name in columns(VertexTable):
        values = getattr(table, name)
        if name not in ("track_plus", "track_minus", "fit_status"):
            assert np.isnan(values[0]).all(), name
        np.testing.assert_array_equal(values[1:], getattr(good, name)[1:], err_msg=name)


def test_the_table_without_field() -> None:
    """Charges are unknown, tracks straight: vertices without momenta, any two tracks a pair."""
    experiment = load("belle2", ("solenoid.field_t=0.0",))
    rng = np.random.default_rng(18)
    sample = tracks_from(
        vertices_at(5.0, 100, rng),
        isotropic(100, 2, rng),
        correlated(200, rng, SIGMA * np.array([1, 1, 1e-3, 1, 1])),
        rng,
        field=0.0,
    )
    tracks = replace(
        track_table(sample.helix, sample.cov, np.full(len(sample.helix), 5.0)),
        charge=np.zeros(200, np.int8),
        fit_status=np.full(200, FitStatus.NO_FIELD, np.int8),
    )
    table, _ = vertex_table(tracks, np.arange(0, 201, 2), experiment)
    assert len(table) > 95
    assert set(table.fit_status) == {VertexStatus.NO_FIELD}
    assert np.isfinite(table.x).all()
    assert np.isnan(table.mass_pipi).all()


def test_every_column_has_one_row_a_vertex() -> None:
    sample = measured(KAON_S, PION, 30.0)
    table, _ = vertex_table(sample.tracks, sample.offsets, load("belle2"))
    for name in columns(VertexTable):
        assert len(getattr(table, name)) == len(table)
