"""What a hit adds and scattering takes away, against differences of real trajectories."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from darkbelle.detsim.helix import direction_at, perigee, position_at
from darkbelle.detsim.hits import Helices, find_crossing
from darkbelle.detsim.information import (
    N_ELEMENTS,
    add_hit,
    add_scattering,
    factorise,
)
from darkbelle.geometry import Surface, load, tracking_surfaces
from darkbelle.geometry.layers import SiliconSensor, Wire

SURFACES = {surface.name: surface for surface in tracking_surfaces(load("belle2"))}
SENSORS = ["silicon.pxd1", "silicon.svd3", "cdc.2A.3", "cdc.3V.5", "cdc.5U.2"]
CONES = ["silicon.svd4.slanted", "silicon.svd6.slanted"]
STEPS = np.array([1e-4, 1e-5, 1e-7, 1e-4, 1e-5])
NATURAL = np.array([1e-2, 1e-3, 1e-5, 1e-2, 1e-3])
LOWER = np.tril_indices(5)

# d0, phi0, omega, z0, tan_lambda
BARREL = [
    np.array([0.003, 0.4, 0.0045, 0.02, 0.3]),
    np.array([-0.7, -2.0, -0.0030, 0.30, -0.5]),
    np.array([1.2, 2.9, 0.0200, -0.50, 0.1]),  # turns after 100 cm
    np.array([0.0, 1.0, 1e-7, 0.0, 0.2]),
]
FORWARD = [
    np.array([0.003, 0.4, 0.009, 0.02, 2.2]),
    np.array([-0.7, -2.0, -0.02, 0.30, 2.0]),
    np.array([0.5, 2.6, 1e-7, -0.5, 2.3]),
]


def matrix(elements: np.ndarray) -> np.ndarray:
    """Symmetric matrix of the only track."""
    full = np.zeros((5, 5))
    full[LOWER] = elements[:, 0]
    return full + np.tril(full, -1).T


def elements(matrices: np.ndarray) -> np.ndarray:
    """Lower triangles of (n, 5, 5) matrices as rows."""
    return np.ascontiguousarray(matrices[:, *LOWER].T)


def one(helix: np.ndarray) -> Helices:
    return Helices.from_helix(helix[None], np.zeros(1))


def place(helix: np.ndarray, local: np.ndarray, arc: float) -> np.ndarray:
    """Point of a track that deviates by local parameters, the pivot being the nominal perigee."""
    pivot = position_at(helix[None], np.zeros(1))[0]
    around_pivot = helix * [0, 1, 1, 0, 1] + local
    return pivot + position_at(around_pivot[None], np.array([arc]))[0]


def hit_point(helix: np.ndarray, local: np.ndarray, surface: Surface, near: float) -> np.ndarray:
    """Where the deviating track meets the surface next to the nominal crossing."""

    def height(arc: float) -> float:
        x, y, z = place(helix, local, arc)
        radial = math.hypot(x, y) - surface.radius
        return surface.normal_r * radial + surface.normal_z * (z - surface.z_reference)

    return place(helix, local, brentq(height, near - 0.1, near + 0.1, xtol=1e-13, rtol=1e-15))


def derivative(coordinate: np.ndarray, helix: np.ndarray, surface: Surface, arc: float):
    """Of a measured coordinate (a direction) by the local parameters, by differences."""
    moved = [
        [coordinate @ hit_point(helix, sign * step, surface, arc) for step in np.diag(STEPS)]
        for sign in (1, -1)
    ]
    return (np.array(moved[0]) - np.array(moved[1])) / (2 * STEPS)


def assert_outer_square(information: np.ndarray, expected: np.ndarray, sigma: float) -> None:
    """information = derivative derivative^T / sigma^2, in units of what a fit achieves."""
    found = information * np.outer(NATURAL, NATURAL) * sigma**2
    expected = np.outer(expected * NATURAL, expected * NATURAL)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * expected.max())


CASES = [(name, helix) for name in SENSORS for helix in BARREL]
CASES += [(name, helix) for name in CONES for helix in FORWARD]


@pytest.mark.parametrize(("name", "helix"), CASES)
def test_a_hit_says_what_the_trajectory_does(name: str, helix: np.ndarray) -> None:
    surface = SURFACES[name]
    crossing = find_crossing(one(helix), surface)
    assert crossing.on[0]
    arc = crossing.arc[0]
    x, y, _ = place(helix, np.zeros(5), arc)
    radial, around = np.array([x, y, 0]) / surface.radius, np.array([-y, x, 0]) / surface.radius
    phi = direction_at(helix[None], crossing.arc)[0]
    tangent = np.array([math.cos(phi), math.sin(phi), helix[4]])
    sensor = surface.sensor
    if isinstance(sensor, Wire):
        across = np.cross(sensor.tan_stereo * around + [0, 0, 1], tangent)
        coordinates = [(across / np.linalg.norm(across), sensor.sigma, surface)]
    else:
        assert isinstance(sensor, SiliconSensor)
        radial, around = radial / np.linalg.norm(radial), around / np.linalg.norm(around)
        along = surface.normal_r * np.array([0, 0, 1]) - surface.normal_z * radial
        blind = 1e6  # cm: the other coordinate says nothing
        coordinates = [
            (around, sensor.sigma_rphi, replace(surface, sensor=replace(sensor, sigma_z=blind))),
            (along, sensor.sigma_z, replace(surface, sensor=replace(sensor, sigma_rphi=blind))),
        ]
    for direction, sigma, alone in coordinates:
        information = np.zeros((N_ELEMENTS, 1))
        add_hit(information, one(helix), alone, crossing, crossing.on)
        assert_outer_square(matrix(information), derivative(direction, helix, surface, arc), sigma)


def test_both_silicon_coordinates_add_up() -> None:
    surface, tracks = SURFACES["silicon.svd6.slanted"], one(FORWARD[0])
    crossing = find_crossing(tracks, surface)
    both, alone = np.zeros((N_ELEMENTS, 1)), np.zeros((N_ELEMENTS, 1))
    add_hit(both, tracks, surface, crossing, crossing.on)
    for blind in ("sigma_z", "sigma_rphi"):
        sensor = replace(surface.sensor, **{blind: 1e9})
        add_hit(alone, tracks, replace(surface, sensor=sensor), crossing, crossing.on)
    np.testing.assert_allclose(both, alone, rtol=1e-9)


@pytest.mark.parametrize("name", ["silicon.svd3", "cdc.2A.3", "cdc.3V.5", "silicon.svd6.slanted"])
def test_no_hit_says_nothing(name: str) -> None:
    tracks = one(FORWARD[0])
    crossing = find_crossing(tracks, SURFACES[name])
    information = np.full((N_ELEMENTS, 1), 7.0)
    add_hit(information, tracks, SURFACES[name], crossing, np.array([False]))
    np.testing.assert_array_equal(information, 7.0)


def extrapolated_back(helix: np.ndarray, arc: float, in_phi: float, in_lambda: float) -> np.ndarray:
    """Local parameters at the perigee of the track that leaves a kink behind, as it looks then."""
    point = place(helix, np.zeros(5), arc)
    pivot = place(helix, np.zeros(5), 0.0)
    phi, dip = direction_at(helix[None], np.array([arc]))[0], math.atan(helix[4])
    forward = np.array(
        [math.cos(dip) * math.cos(phi), math.cos(dip) * math.sin(phi), math.sin(dip)]
    )
    sideways = np.array([-math.sin(phi), math.cos(phi), 0])
    x, y, z = forward + in_phi * sideways + in_lambda * np.cross(forward, sideways)
    length = math.sqrt(x**2 + y**2 + z**2)
    cos_after = math.hypot(x, y) / length
    omega = helix[2] * math.cos(dip) / cos_after  # omega is 1/pt, and p stays
    local, _ = perigee(
        (point - pivot)[None],
        np.array([math.atan2(y, x)]),
        np.array([omega]),
        np.array([z / math.hypot(x, y)]),
    )
    deviation = local[0] - [0, helix[1], helix[2], 0, helix[4]]
    deviation[1] = math.remainder(deviation[1], 2 * math.pi)
    return deviation


@pytest.mark.parametrize(
    ("name", "helix"),
    [(name, helix) for name in ("silicon.svd3", "cdc.5U.gas.inner") for helix in BARREL]
    + [("silicon.svd6.slanted", helix) for helix in FORWARD],
)
def test_a_kink_takes_what_the_trajectory_loses(name: str, helix: np.ndarray) -> None:
    """C grows by q (g g^T + h h^T), g and h being the shifts by kinks in two planes."""
    tracks = one(helix)
    crossing = find_crossing(tracks, SURFACES[name])
    assert crossing.on[0]
    arc, step, variance = crossing.arc[0], 1e-6, 1e-6
    planes = [
        (
            extrapolated_back(helix, arc, in_phi, in_lambda)
            - extrapolated_back(helix, arc, -in_phi, -in_lambda)
        )
        / (2 * step)
        for in_phi, in_lambda in ((step, 0.0), (0.0, step))
    ]
    expected = variance * sum(np.outer(shift, shift) for shift in planes)
    # Before, every parameter is known about as well as the kink lets it be.
    before = np.diag(NATURAL**2)
    information = elements(np.linalg.inv(before)[None])
    add_scattering(information, tracks, crossing, np.array([variance]))
    grown = np.linalg.inv(matrix(information)) - before
    units = np.outer(NATURAL, NATURAL)
    np.testing.assert_allclose(grown / units, expected / units, rtol=1e-3, atol=1e-4)


def test_no_scattering_takes_nothing() -> None:
    tracks = one(BARREL[0])
    crossing = find_crossing(tracks, SURFACES["silicon.svd3"])
    information = elements(np.eye(5)[None])
    add_scattering(information, tracks, crossing, np.zeros(1))
    np.testing.assert_array_equal(matrix(information), np.eye(5))


def test_no_information_stays_none() -> None:
    tracks = one(BARREL[0])
    information = np.zeros((N_ELEMENTS, 1))
    add_scattering(information, tracks, find_crossing(tracks, SURFACES["silicon.svd3"]), np.ones(1))
    np.testing.assert_array_equal(information, 0)


def test_a_layer_that_scatters_without_bound_hides_what_lies_outside() -> None:
    """Only the place at the layer is left: two numbers, not five."""
    tracks = one(BARREL[0])
    information = np.zeros((N_ELEMENTS, 1))
    for name in ("cdc.5U.2", "cdc.3V.5", "cdc.2A.3", "silicon.svd6", "silicon.svd5"):
        add_hit(
            information,
            tracks,
            SURFACES[name],
            find_crossing(tracks, SURFACES[name]),
            np.ones(1, bool),
        )
    crossing = find_crossing(tracks, SURFACES["silicon.svd3"])
    scale = np.diag(NATURAL)
    before = np.linalg.eigvalsh(scale @ matrix(information) @ scale)
    add_scattering(information, tracks, crossing, np.full(1, 1e9))
    after = np.linalg.eigvalsh(scale @ matrix(information) @ scale)
    assert (before > 1e-9 * before.max()).sum() == 5
    assert (after > 1e-9 * before.max()).sum() == 3


def random_matrices(n: int, seed: int = 3) -> np.ndarray:
    """Positive definite, with the scales of track parameters (condition number about 1e10)."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n, 5, 8)) * (1 / NATURAL)[:, None]
    return roots @ roots.transpose(0, 2, 1)


def relative(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.einsum("nii->ni", expected))
    return (found - expected) / (scale[:, :, None] * scale[:, None, :])


def test_factorise_against_numpy() -> None:
    matrices = random_matrices(200)
    factor = factorise(elements(matrices))
    assert factor.positive.all()
    inverse = np.zeros((200, 5, 5))
    inverse[:, *LOWER] = factor.inverse.T
    lower = np.linalg.cholesky(matrices)
    np.testing.assert_allclose(inverse @ lower, np.broadcast_to(np.eye(5), (200, 5, 5)), atol=1e-6)
    covariance = factor.covariance()
    np.testing.assert_allclose(relative(covariance, np.linalg.inv(matrices)), 0, atol=1e-9)
    np.testing.assert_array_equal(covariance, covariance.transpose(0, 2, 1))


@pytest.mark.parametrize(
    "broken",
    [
        np.zeros((5, 5)),
        np.diag([1.0, 1, 0, 1, 1]),
        np.diag([1.0, -1, 1, 1, 1]),
        np.full((5, 5), np.nan),
        np.outer(np.arange(1.0, 6), np.arange(1.0, 6)),
        np.eye(5) - 0.9 + 0.9 * np.eye(5),
    ],
    ids=["nothing", "no omega", "negative", "nan", "rank one", "indefinite"],
)
def test_a_singular_matrix_is_flagged_and_leaves_its_neighbours_alone(broken: np.ndarray) -> None:
    matrices = random_matrices(3)
    alone = factorise(elements(matrices[[0, 2]]))
    matrices[1] = broken
    factor = factorise(elements(matrices))
    assert factor.positive.tolist() == [True, False, True]
    np.testing.assert_array_equal(factor.inverse[:, [0, 2]], alone.inverse)
    np.testing.assert_array_equal(factor.covariance()[1], np.eye(5))


def test_drawn_deviations_have_the_covariance() -> None:
    """Chi2 of every element of the sample covariance; its 15 errors follow from Wishart's law."""
    n = 100_000
    information = random_matrices(1, seed=11)
    factor = factorise(np.repeat(elements(information), n, axis=1))
    deviation = factor.draw(np.random.default_rng(12).standard_normal((5, n)))
    whitened = np.linalg.cholesky(information[0]).T @ deviation
    pulls = (np.cov(whitened) - np.eye(5)) * np.sqrt(n / (1 + np.eye(5)))
    assert np.abs(pulls).max() < 4.5  # p = 1e-4 for 15 elements
    assert np.abs(whitened.mean(axis=1) * math.sqrt(n)).max() < 4.5


def test_no_tracks() -> None:
    tracks = Helices.from_helix(np.empty((0, 5)), np.empty(0))
    information = np.zeros((N_ELEMENTS, 0))
    for surface in SURFACES.values():
        crossing = find_crossing(tracks, surface)
        add_scattering(information, tracks, crossing, np.empty(0))
        add_hit(information, tracks, surface, crossing, crossing.on)
    factor = factorise(information)
    assert factor.covariance().shape == (0, 5, 5)
    assert factor.draw(np.empty((5, 0))).shape == (5, 0)
