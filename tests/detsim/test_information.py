"""What a hit adds and scattering takes away, against differences of real trajectories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from darkbelle.detsim.helices import Helices, place_at
from darkbelle.detsim.helix import direction_at, perigee, position_at
from darkbelle.detsim.hits import Crossing, draw_hits, find_crossing
from darkbelle.detsim.information import Information, factorise
from darkbelle.detsim.legs import Leg
from darkbelle.geometry import load, tracking_surfaces
from darkbelle.geometry.layers import SiliconSensor, Wires

FloatArray = npt.NDArray[np.float64]

SURFACES = {surface.name: surface for surface in tracking_surfaces(load("belle2"))}
SENSORS = ["silicon.pxd1", "silicon.svd3", "cdc.2A.inner", "cdc.3V.outer", "cdc.5U.inner"]
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
CURLERS = [
    np.array([0.1, 0.4, 0.035, 0.02, 0.01]),  # reaches 57 cm
    np.array([-0.7, -2.0, -0.033, -3.0, 0.02]),
]


def square(elements: Sequence[FloatArray]) -> FloatArray:
    """Symmetric matrices from the elements of their lower triangles, shape (n, 5, 5)."""
    full = np.zeros((len(elements[0]), 5, 5))
    full[:, *LOWER] = np.stack(elements, axis=-1)
    lower = np.tril(full, -1)
    symmetric: FloatArray = full + lower.transpose(0, 2, 1)
    return symmetric


def matrix(information: Information) -> FloatArray:
    """Symmetric matrix of the only track."""
    only: FloatArray = square(information.elements)[0]
    return only


def known(matrices: FloatArray, pull: FloatArray | None = None) -> Information:
    """Information with given matrices, shape (n, 5, 5), and pull, shape (n, 5)."""
    information = Information(len(matrices), with_pull=pull is not None)
    information.elements = [matrices[:, i, j].copy() for i, j in zip(*LOWER, strict=True)]
    if pull is not None:
        information.pull = [*pull.T.copy()]
    return information


def one(helix: FloatArray) -> Helices:
    return Helices.from_helix(helix[None], np.full(1, -math.inf))


def cross(helix: FloatArray, name: str, leg: Leg = Leg.OUTWARD) -> Crossing:
    """Crossing of the only track, which must be there."""
    crossing = find_crossing(one(helix), SURFACES[name], leg)
    assert crossing.on[0]
    return crossing


def place(helix: FloatArray, local: FloatArray, arc: float) -> FloatArray:
    """Point of a track that deviates by local parameters, the pivot being the nominal perigee."""
    pivot = position_at(helix[None], np.zeros(1))[0]
    around_pivot = helix * [0, 1, 1, 0, 1] + local
    point: FloatArray = pivot + position_at(around_pivot[None], np.array([arc]))[0]
    return point


def hit_point(helix: FloatArray, local: FloatArray, crossing: Crossing) -> FloatArray:
    """Where the deviating track meets the surface next to the nominal crossing."""
    surface, near = crossing.surface, float(crossing.arc[0])
    radius = float(np.ravel(crossing.radius)[0]) if not surface.normal_z else surface.radius

    def height(arc: float) -> float:
        x, y, z = place(helix, local, arc)
        radial = math.hypot(x, y) - radius
        return float(surface.normal_r * radial + surface.normal_z * (z - surface.z_reference))

    arc: float = brentq(height, near - 0.1, near + 0.1, xtol=1e-13, rtol=1e-15)
    return place(helix, local, arc)


def derivative(coordinate: FloatArray, helix: FloatArray, crossing: Crossing) -> FloatArray:
    """Of a measured coordinate (a direction) by the local parameters, by differences."""
    moved = [
        [coordinate @ hit_point(helix, sign * step, crossing) for step in np.diag(STEPS)]
        for sign in (1, -1)
    ]
    slope: FloatArray = (np.array(moved[0]) - np.array(moved[1])) / (2 * STEPS)
    return slope


Coordinate = tuple[FloatArray, float]
"""A direction in which a sensor measures, and the error for a hit of weight one."""


def measured(helix: FloatArray, crossing: Crossing) -> list[Coordinate]:
    """What the sensor measures at the nominal crossing."""
    surface, arc = crossing.surface, float(crossing.arc[0])
    x, y, _ = place(helix, np.zeros(5), arc)
    radial = np.array([x, y, 0]) / math.hypot(x, y)
    around = np.array([-radial[1], radial[0], 0])
    if isinstance(surface.sensor, Wires):
        phi = direction_at(helix[None], crossing.arc)[0]
        tangent = np.array([math.cos(phi), math.sin(phi), helix[4]])
        across = np.cross(surface.sensor.tan_stereo * around + [0, 0, 1], tangent)
        return [(across / np.linalg.norm(across), 1.0)]
    assert isinstance(surface.sensor, SiliconSensor)
    along = surface.normal_r * np.array([0, 0, 1]) - surface.normal_z * radial
    return [(around, surface.sensor.sigma_rphi), (along, surface.sensor.sigma_z)]


def assert_outer_square(information: FloatArray, expected: FloatArray, sigma: float) -> None:
    """information = derivative derivative^T / sigma^2, in units of what a fit achieves."""
    found = information * np.outer(NATURAL, NATURAL) * sigma**2
    expected = np.outer(expected * NATURAL, expected * NATURAL)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * expected.max())


def blind_to(sensor: SiliconSensor, coordinate: str) -> SiliconSensor:
    """The sensor with an error of kilometres in one coordinate."""
    if coordinate == "sigma_z":
        return replace(sensor, sigma_z=1e6)
    return replace(sensor, sigma_rphi=1e6)


CASES = [(name, helix, Leg.OUTWARD) for name in SENSORS for helix in BARREL]
CASES += [(name, helix, Leg.OUTWARD) for name in CONES for helix in FORWARD]
CASES += [(name, helix, Leg.RETURN) for name in SENSORS[:4] for helix in CURLERS]
CASES += [(name, helix, Leg.INWARD) for name in SENSORS for helix in BARREL]


@pytest.mark.parametrize(("name", "helix", "leg"), CASES)
def test_a_hit_says_what_the_trajectory_does(name: str, helix: FloatArray, leg: Leg) -> None:
    crossing = cross(helix, name, leg)
    coordinates = measured(helix, crossing)
    for blinded, (direction, sigma) in zip(("sigma_z", "sigma_rphi"), coordinates, strict=False):
        alone, sensor = crossing, crossing.surface.sensor
        if isinstance(sensor, SiliconSensor):
            blind = blind_to(sensor, blinded)
            alone = replace(crossing, surface=replace(crossing.surface, sensor=blind))
        information = Information(1)
        information.add_hits(alone, np.ones(1))
        assert_outer_square(matrix(information), derivative(direction, helix, crossing), sigma)


def wire_through(helix: FloatArray, crossing: Crossing) -> FloatArray:
    """Direction of the straight stereo wire on the hyperboloid through the crossing."""
    surface = crossing.surface
    assert isinstance(surface.sensor, Wires)
    x, y, z = place(helix, np.zeros(5), float(crossing.arc[0]))
    lever = surface.sensor.tan_stereo * (z - surface.z_reference)
    waist = math.sqrt(x**2 + y**2 - lever**2)
    azimuth = math.atan2(y, x) - math.atan2(lever, waist)
    tilt = surface.sensor.tan_stereo
    return np.array([-tilt * math.sin(azimuth), tilt * math.cos(azimuth), 1.0])


@pytest.mark.parametrize("name", ["cdc.1U.inner", "cdc.3V.outer", "cdc.5U.inner", "cdc.7V.outer"])
@pytest.mark.parametrize(
    "helix",
    [
        np.array([0.0, 0.4, 0.0045, 0.0, 0.9]),
        np.array([0.5, 2.0, -0.009, 2.0, -0.4]),
        np.array([0.5, 2.0, 0.003, 60.0, 0.0]),
    ],
)
def test_stereo_hits_against_straight_wires(name: str, helix: FloatArray) -> None:
    """Far from its waist a wire is also tilted along the radius: 4 % of what it says of z."""
    crossing = cross(helix, name)
    phi = direction_at(helix[None], crossing.arc)[0]
    wire = wire_through(helix, crossing)
    across = np.cross(wire, [math.cos(phi), math.sin(phi), helix[4]])
    direction = across / np.linalg.norm(across)
    information = Information(1)
    information.add_hits(crossing, np.ones(1))
    expected = derivative(direction, helix, crossing)
    found = matrix(information)[1] / math.sqrt(matrix(information)[1, 1])
    found *= np.sign(found[1] * expected[1])
    np.testing.assert_allclose(found[:3], expected[:3], rtol=2e-3)
    np.testing.assert_allclose(found[3:], expected[3:], rtol=0.04)


@pytest.mark.parametrize("weight", [0.5, 3e4])
@pytest.mark.parametrize("name", [*SENSORS, "silicon.svd6.slanted"])
def test_weights_multiply(name: str, weight: float) -> None:
    crossing = cross(FORWARD[0] if "slanted" in name else BARREL[0], name)
    single, many = Information(1), Information(1)
    single.add_hits(crossing, np.ones(1))
    many.add_hits(crossing, np.full(1, weight))
    np.testing.assert_allclose(matrix(many), weight * matrix(single), rtol=1e-12)


def test_both_silicon_coordinates_add_up() -> None:
    crossing = cross(FORWARD[0], "silicon.svd6.slanted")
    both, alone = Information(1), Information(1)
    both.add_hits(crossing, np.ones(1))
    for blind in ("sigma_z", "sigma_rphi"):
        sensor = crossing.surface.sensor
        assert isinstance(sensor, SiliconSensor)
        surface = replace(crossing.surface, sensor=blind_to(sensor, blind))
        alone.add_hits(replace(crossing, surface=surface), np.ones(1))
    np.testing.assert_allclose(matrix(both), matrix(alone), rtol=1e-9)


@pytest.mark.parametrize("name", ["silicon.svd3", "cdc.2A.inner", "cdc.3V.outer"])
def test_no_hit_says_nothing(name: str) -> None:
    information = known(np.full((1, 5, 5), 7.0))
    information.add_hits(cross(BARREL[0], name), np.zeros(1))
    np.testing.assert_array_equal(matrix(information), 7.0)


def test_dead_material_says_nothing() -> None:
    information = Information(1)
    information.add_hits(cross(BARREL[0], "passive.beam_pipe"), np.ones(1))
    np.testing.assert_array_equal(matrix(information), 0.0)


def extrapolated_back(helix: FloatArray, arc: float, in_phi: float, in_lambda: float) -> FloatArray:
    """Local parameters at the perigee of the track that leaves a kink behind, as it looks then."""
    phi, dip = direction_at(helix[None], np.array([arc]))[0], math.atan(helix[4])
    forward = np.array(
        [math.cos(dip) * math.cos(phi), math.cos(dip) * math.sin(phi), math.sin(dip)]
    )
    sideways = np.array([-math.sin(phi), math.cos(phi), 0])
    x, y, z = forward + in_phi * sideways + in_lambda * np.cross(forward, sideways)
    length = math.sqrt(x**2 + y**2 + z**2)
    cos_after = math.hypot(x, y) / length
    omega = helix[2] * math.cos(dip) / cos_after  # omega is 1/pt, and p stays
    return seen_from(helix, arc, math.atan2(y, x), omega, z / math.hypot(x, y))


def seen_from(
    helix: FloatArray, arc: float, phi: float, omega: float, tan_lambda: float
) -> FloatArray:
    """Local parameters at the perigee of a track that flies on from a point as told."""
    shift = place(helix, np.zeros(5), arc) - place(helix, np.zeros(5), 0.0)
    local, _ = perigee(shift[None], np.array([phi]), np.array([omega]), np.array([tan_lambda]))
    deviation: FloatArray = local[0] - [0, helix[1], helix[2], 0, helix[4]]
    deviation[1] = math.remainder(deviation[1], 2 * math.pi)
    return deviation


def kink_shifts(helix: FloatArray, arc: float) -> list[FloatArray]:
    """Shifts of the local parameters by kinks in two planes, for a radian."""
    step = 1e-6
    return [
        (
            extrapolated_back(helix, arc, in_phi, in_lambda)
            - extrapolated_back(helix, arc, -in_phi, -in_lambda)
        )
        / (2 * step)
        for in_phi, in_lambda in ((step, 0.0), (0.0, step))
    ]


def curvature_shift(helix: FloatArray, arc: float) -> FloatArray:
    """Shift of the local parameters by a change of curvature at a point, for a unit of it."""
    step = 1e-7
    phi = direction_at(helix[None], np.array([arc]))[0]
    there, back = (seen_from(helix, arc, phi, helix[2] + w, helix[4]) for w in (step, -step))
    return (there - back) / (2 * step)


KINKED = [
    (name, helix, Leg.OUTWARD) for name in ("silicon.svd3", "cdc.5U.inner") for helix in BARREL
]
KINKED += [("silicon.svd6.slanted", helix, Leg.OUTWARD) for helix in FORWARD]
KINKED += [("silicon.svd3", helix, Leg.INWARD) for helix in BARREL[:3]]


@pytest.mark.parametrize(("name", "helix", "leg"), KINKED)
def test_a_kink_takes_what_the_trajectory_loses(name: str, helix: FloatArray, leg: Leg) -> None:
    """C grows by q (g g^T + h h^T), g and h being the shifts by kinks in two planes."""
    crossing, variance = cross(helix, name, leg), 1e-6
    shifts = kink_shifts(helix, float(crossing.arc[0]))
    expected = variance * sum(np.outer(shift, shift) for shift in shifts)
    # Before, every parameter is known about as well as the kink lets it be.
    before = np.diag(NATURAL**2)
    information = known(np.linalg.inv(before)[None])
    information.add_scattering(crossing, np.array([variance]))
    grown = np.linalg.inv(matrix(information)) - before
    units = np.outer(NATURAL, NATURAL)
    np.testing.assert_allclose(grown / units, expected / units, rtol=1e-3, atol=1e-4)


ARCS = [-60.0, -3.0, 0.0, 5.0, 80.0]


@pytest.mark.parametrize("helix", [*BARREL, *FORWARD])
@pytest.mark.parametrize("arc", ARCS)
def test_curvature_noise_takes_what_the_trajectory_loses(helix: FloatArray, arc: float) -> None:
    """C grows by q g g^T, g being the shift of the track that leaves with another curvature."""
    shift, variance = curvature_shift(helix, arc), 1e-10
    before = np.diag(NATURAL**2)
    information = known(np.linalg.inv(before)[None])
    information.add_curvature_noise(place_at(one(helix), np.array([arc])), np.full(1, variance))
    grown = np.linalg.inv(matrix(information)) - before
    units = np.outer(NATURAL, NATURAL)
    expected = variance * np.outer(shift, shift)
    np.testing.assert_allclose(grown / units, expected / units, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("helix", [*BARREL, *FORWARD])
@pytest.mark.parametrize("arc", ARCS)
def test_a_change_of_curvature_shifts_what_the_outer_hits_say(
    helix: FloatArray, arc: float
) -> None:
    """They alone see the track after the change, extrapolated back to the perigee."""
    information = known(random_matrices(1, seed=5), np.zeros((1, 5)))
    change = 1e-6
    spot = place_at(one(helix), np.array([arc]))
    information.change_curvature(np.zeros(1, np.intp), spot, np.full(1, change))
    shift = [float(part[0]) for part in factorise(information).solve(information.pull)]
    expected = change * curvature_shift(helix, arc)
    np.testing.assert_allclose(shift / NATURAL, expected / NATURAL, rtol=1e-5, atol=1e-6)


def test_changes_of_one_track_add_up() -> None:
    """Also where several of them come in one call; other tracks are left alone."""
    matrices = random_matrices(4, seed=6)
    together, apart = known(matrices, np.zeros((4, 5))), known(matrices, np.zeros((4, 5)))
    helix = np.repeat(BARREL[0][None], 3, axis=0)
    spots = place_at(Helices.from_helix(helix, np.zeros(3)), np.array([5.0, 20.0, 40.0]))
    rows, changes = np.array([1, 3, 1]), np.array([1e-6, -2e-6, 3e-6])
    together.change_curvature(rows, spots, changes)
    for i in range(3):
        spot = place_at(spots.tracks.take(np.array([i])), spots.arc[[i]])
        apart.change_curvature(rows[[i]], spot, changes[[i]])
    np.testing.assert_allclose(together.pull, apart.pull, rtol=1e-12)
    assert (np.array(together.pull)[:, [0, 2]] == 0).all()
    assert (np.array(together.pull)[:, [1, 3]] != 0).all()
    np.testing.assert_array_equal(square(together.elements), matrices)


def with_pull(matrices: FloatArray, estimate: FloatArray) -> Information:
    """Information of a given estimate, shape (n, 5)."""
    return known(matrices, np.einsum("nij,nj->ni", matrices, estimate))


def test_scattering_moves_no_estimate() -> None:
    """It makes the estimate of the outer hits less certain, but no other."""
    matrices, estimate = random_matrices(1, seed=7), NATURAL[None] * [1.0, -2.0, 3.0, 0.5, -1.0]
    information = with_pull(matrices, estimate)
    information.add_scattering(cross(BARREL[0], "silicon.svd6"), np.full(1, 1e-6))
    spot = place_at(one(BARREL[0]), np.array([3.0]))
    information.add_curvature_noise(spot, np.full(1, 1e-10))
    found = np.array(factorise(information).solve(information.pull))[:, 0]
    np.testing.assert_allclose(found / NATURAL, estimate[0] / NATURAL, rtol=1e-6)


class DenseFit:
    """Weighted least squares over all hits at once, with the covariance of the measurements.

    Derivatives come from differences of real trajectories, kinks correlate the hits beyond them.
    """

    def __init__(self, helix: FloatArray) -> None:
        self.helix = helix
        self.rows: list[FloatArray] = []
        self.variances: list[float] = []
        self.arcs: list[float] = []
        self.noise: list[tuple[float, FloatArray, float]] = []

    def add_hit(self, crossing: Crossing, weight: float) -> None:
        for direction, sigma in measured(self.helix, crossing):
            self.rows.append(derivative(direction, self.helix, crossing))
            self.variances.append(sigma**2 / weight)
            self.arcs.append(float(crossing.arc[0]))

    def add_kink(self, crossing: Crossing, variance: float) -> None:
        arc = float(crossing.arc[0])
        self.noise += [(arc, shift, variance) for shift in kink_shifts(self.helix, arc)]

    def solve(self, changes: Sequence[tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
        """Covariance, and the estimate that follows from changes of curvature at arcs."""
        rows, arcs = np.array(self.rows), np.array(self.arcs)
        covariance = np.diag(self.variances)
        for arc, shift, variance in self.noise:
            moved = np.where(arcs > arc, rows @ shift, 0.0)  # a layer's own hit stays
            covariance += variance * np.outer(moved, moved)
        seen = np.zeros(len(rows))
        for arc, change in changes:
            seen += np.where(arcs > arc, change * (rows @ curvature_shift(self.helix, arc)), 0.0)
        scaled = rows * NATURAL
        inverse = np.linalg.inv(covariance)
        found = np.linalg.inv(scaled.T @ inverse @ scaled)
        estimate = found @ scaled.T @ inverse @ seen * NATURAL
        return found * np.outer(NATURAL, NATURAL), estimate


WAY_OUT = [
    "silicon.pxd1",
    "silicon.svd3",
    "silicon.svd4",
    "silicon.svd6",
    "cdc.0A.inner",
    "cdc.1U.outer",
    "cdc.3V.inner",
    "cdc.4A.outer",
]


@pytest.mark.parametrize("changes", [[], [(6.0, 1e-6)], [(20.0, -2e-6), (1.3, 5e-7)], [(30, 1e-6)]])
@pytest.mark.parametrize("helix", BARREL[:3])
def test_the_filter_is_the_least_squares_fit(
    helix: FloatArray, changes: list[tuple[float, float]]
) -> None:
    """Hits before and after points where the curvature changes, kinks between: both are one."""
    dense = DenseFit(helix)
    filtered = Information(1, with_pull=True)
    waiting = sorted(changes, reverse=True)
    for name in reversed(WAY_OUT):
        crossing = cross(helix, name)
        weight = 1 / 0.012**2 if name.startswith("cdc") else 1.0
        while waiting and waiting[0][0] > crossing.arc[0]:
            arc, change = waiting.pop(0)
            spot = place_at(one(helix), np.array([arc]))
            filtered.change_curvature(np.zeros(1, np.intp), spot, np.array([change]))
        filtered.add_scattering(crossing, np.full(1, 1e-6))
        filtered.add_hits(crossing, np.full(1, weight))
        dense.add_kink(crossing, 1e-6)
        dense.add_hit(crossing, weight)
    for arc, change in waiting:
        spot = place_at(one(helix), np.array([arc]))
        filtered.change_curvature(np.zeros(1, np.intp), spot, np.array([change]))
    factor = factorise(filtered)
    assert factor.positive.all()
    covariance, estimate = dense.solve(changes)
    sigma = np.sqrt(np.diag(covariance))
    found = square(factor.covariance())[0]
    np.testing.assert_allclose(
        found / np.outer(sigma, sigma), covariance / np.outer(sigma, sigma), atol=1e-4
    )
    pulled = np.array(factor.solve(filtered.pull))[:, 0]
    scale = max(1.0, float(np.abs(estimate / sigma).max()))
    np.testing.assert_allclose(pulled / sigma, estimate / sigma, atol=2e-4 * scale)
    if changes:
        assert np.abs(estimate / sigma).max() > 0.01


def test_a_change_behind_all_hits_or_before_them() -> None:
    """Beyond the last hit nobody sees it; before the first one the fit simply follows it."""
    helix, change = BARREL[0], 1e-6
    information = Information(1, with_pull=True)
    beyond = place_at(one(helix), np.array([100.0]))
    information.change_curvature(np.zeros(1, np.intp), beyond, np.full(1, change))
    for name in reversed(WAY_OUT):
        information.add_hits(cross(helix, name), np.ones(1))
    assert not np.any(information.pull)
    before = place_at(one(helix), np.zeros(1))
    information.change_curvature(np.zeros(1, np.intp), before, np.full(1, change))
    found = np.array(factorise(information).solve(information.pull))[:, 0]
    np.testing.assert_allclose(found / NATURAL, [0, 0, change / NATURAL[2], 0, 0], atol=1e-6)


def test_no_scattering_takes_nothing() -> None:
    information = known(np.eye(5)[None])
    information.add_scattering(cross(BARREL[0], "silicon.svd3"), np.zeros(1))
    np.testing.assert_array_equal(matrix(information), np.eye(5))


def test_no_information_stays_none() -> None:
    information = Information(1, with_pull=True)
    crossing = cross(BARREL[0], "silicon.svd3")
    information.add_scattering(crossing, np.ones(1))
    information.add_curvature_noise(crossing, np.ones(1))
    information.change_curvature(np.zeros(1, np.intp), crossing, np.ones(1))
    np.testing.assert_array_equal(matrix(information), 0)
    np.testing.assert_array_equal(information.pull, 0)


def test_a_layer_that_scatters_without_bound_hides_what_lies_outside() -> None:
    """Only the place at the layer is left: two numbers, and the curvature, not five."""
    information = Information(1)
    for name in ("cdc.5U.outer", "cdc.3V.inner", "cdc.2A.inner", "silicon.svd6", "silicon.svd5"):
        information.add_hits(cross(BARREL[0], name), np.ones(1))
    scale = np.diag(NATURAL)
    before = np.linalg.eigvalsh(scale @ matrix(information) @ scale)
    information.add_scattering(cross(BARREL[0], "silicon.svd3"), np.full(1, 1e9))
    after = np.linalg.eigvalsh(scale @ matrix(information) @ scale)
    assert (before > 1e-9 * before.max()).sum() == 5
    assert (after > 1e-9 * before.max()).sum() == 3


@pytest.mark.parametrize("pulled", [False, True])
def test_some_tracks_are_taken_and_put_back(pulled: bool) -> None:
    """What is done to a copy reaches the block only when put, and only in its own rows."""
    matrices = random_matrices(5, seed=8)
    pull = np.arange(25.0).reshape(5, 5) if pulled else None
    block, rows = known(matrices, pull), np.array([3, 1])
    part = block.take(rows)
    np.testing.assert_array_equal(square(part.elements), matrices[rows])
    assert len(part.pull) == len(block.pull) == (5 if pulled else 0)
    crossing = find_crossing(
        Helices.from_helix(np.stack(BARREL[:2]), np.zeros(2)), SURFACES["silicon.svd3"]
    )
    part.add_scattering(crossing, np.full(2, 1e-6))
    part.add_hits(crossing, np.ones(2))
    np.testing.assert_array_equal(square(block.elements), matrices)
    block.put(rows, part)
    after = square(block.elements)
    np.testing.assert_array_equal(after[rows], square(part.elements))
    np.testing.assert_array_equal(after[[0, 2, 4]], matrices[[0, 2, 4]])
    assert (after[rows] != matrices[rows]).any()
    if pull is not None:
        found = np.array(block.pull).T
        np.testing.assert_array_equal(found[[0, 2, 4]], pull[[0, 2, 4]])
        np.testing.assert_array_equal(found[rows], np.array(part.pull).T)
        assert (found[rows] != pull[rows]).any()


def test_many_tracks_at_once_are_many_alone() -> None:
    tracks = Helices.from_helix(np.stack(BARREL), np.zeros(4))
    together = Information(4)
    for name in reversed(WAY_OUT):
        crossing = find_crossing(tracks, SURFACES[name])
        together.add_scattering(crossing, np.full(4, 1e-6))
        together.add_hits(crossing, np.ones(4))
    for i, helix in enumerate(BARREL):
        alone = Information(1)
        for name in reversed(WAY_OUT):
            alone.add_scattering(cross(helix, name), np.full(1, 1e-6))
            alone.add_hits(cross(helix, name), np.ones(1))
        np.testing.assert_allclose(matrix(alone), square(together.elements)[i], rtol=1e-10)


def random_matrices(n: int, seed: int = 3) -> FloatArray:
    """Positive definite, with the scales of track parameters (condition number about 1e10)."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n, 5, 8)) * (1 / NATURAL)[:, None]
    return roots @ roots.transpose(0, 2, 1)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["hit", "kink", "noise"]),
            st.sampled_from(WAY_OUT),
            st.floats(-9, -3),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_information_stays_symmetric_and_positive(steps: list[tuple[str, str, float]]) -> None:
    """Whatever is added and taken, in any order, against dense algebra."""
    information = known(random_matrices(1, seed=4))
    covariance = np.linalg.inv(random_matrices(1, seed=4)[0])
    for kind, name, exponent in steps:
        crossing, size = cross(BARREL[1], name), np.full(1, 10.0**exponent)
        if kind == "hit":
            said = Information(1)
            said.add_hits(crossing, np.ones(1))
            information.add_hits(crossing, np.ones(1))
            scaled = np.linalg.inv(covariance / np.outer(NATURAL, NATURAL))
            scaled += matrix(said) * np.outer(NATURAL, NATURAL)
            covariance = np.linalg.inv(scaled) * np.outer(NATURAL, NATURAL)
        elif kind == "kink":
            information.add_scattering(crossing, size)
            arc = float(crossing.arc[0])
            covariance = covariance + size * sum(np.outer(g, g) for g in SHIFTS[name, arc])
        else:
            information.add_curvature_noise(crossing, size * 1e-5)
            arc = float(crossing.arc[0])
            shift = curvature_shift(BARREL[1], arc)
            covariance = covariance + size * 1e-5 * np.outer(shift, shift)
    factor = factorise(information)
    assert factor.positive.all()
    sigma = np.sqrt(np.diag(covariance))
    found = square(factor.covariance())[0]
    units = np.outer(sigma, sigma)
    np.testing.assert_allclose(found / units, covariance / units, atol=2e-3)


SHIFTS = {
    (name, arc): kink_shifts(BARREL[1], arc)
    for name in WAY_OUT
    for arc in [float(cross(BARREL[1], name).arc[0])]
}


def relative(found: FloatArray, expected: npt.NDArray[np.floating]) -> FloatArray:
    scale = np.sqrt(np.einsum("nii->ni", expected))
    difference: FloatArray = (found - expected) / (scale[:, :, None] * scale[:, None, :])
    return difference


def test_factorise_against_numpy() -> None:
    matrices = random_matrices(200)
    factor = factorise(known(matrices))
    assert factor.positive.all()
    inverse = np.zeros((200, 5, 5))
    inverse[:, *LOWER] = np.stack(factor.inverse, axis=-1)
    lower = np.linalg.cholesky(matrices)
    np.testing.assert_allclose(inverse @ lower, np.broadcast_to(np.eye(5), (200, 5, 5)), atol=1e-6)
    covariance = square(factor.covariance())
    np.testing.assert_allclose(relative(covariance, np.linalg.inv(matrices)), 0, atol=1e-9)


def test_solve_and_draw_against_numpy() -> None:
    """L^-T z and C v; the former is what turns unit normals into deviations of covariance C."""
    matrices, normals = random_matrices(50), np.random.default_rng(4).normal(size=(5, 50))
    factor = factorise(known(matrices))
    upper = np.linalg.cholesky(matrices).transpose(0, 2, 1)
    drawn = np.linalg.solve(upper, normals.T[..., None])[..., 0]
    np.testing.assert_allclose(
        np.array(factor.draw([*normals])).T / NATURAL, drawn / NATURAL, atol=1e-9
    )
    pull = normals / NATURAL[:, None]
    solved = np.linalg.solve(matrices, pull.T[..., None])[..., 0]
    np.testing.assert_allclose(
        np.array(factor.solve([*pull])).T / NATURAL, solved / NATURAL, rtol=1e-6, atol=1e-9
    )


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
def test_a_singular_matrix_is_flagged_and_leaves_its_neighbours_alone(broken: FloatArray) -> None:
    matrices = random_matrices(3)
    alone = factorise(known(matrices[[0, 2]]))
    matrices[1] = broken
    factor = factorise(known(matrices))
    assert factor.positive.tolist() == [True, False, True]
    np.testing.assert_array_equal(np.array(factor.inverse)[:, [0, 2]], alone.inverse)
    np.testing.assert_array_equal(square(factor.covariance())[1], np.eye(5))


def test_drawn_deviations_have_the_covariance() -> None:
    """Chi2 of every element of the sample covariance; its 15 errors follow from Wishart's law."""
    n = 100_000
    information = random_matrices(1, seed=11)
    factor = factorise(known(np.repeat(information, n, axis=0)))
    deviation = np.array(factor.draw([*np.random.default_rng(12).standard_normal((5, n))]))
    whitened = np.linalg.cholesky(information[0]).T @ deviation
    pulls = (np.cov(whitened) - np.eye(5)) * np.sqrt(n / (1 + np.eye(5)))
    assert np.abs(pulls).max() < 4.5  # p = 1e-4 for 15 elements
    assert np.abs(whitened.mean(axis=1) * math.sqrt(n)).max() < 4.5


@pytest.mark.parametrize("pulled", [False, True])
def test_no_tracks(pulled: bool) -> None:
    tracks = Helices.from_helix(np.empty((0, 5)), np.empty(0))
    information = Information(0, with_pull=pulled)
    for surface in SURFACES.values():
        crossing = find_crossing(tracks, surface)
        information.add_scattering(crossing, np.empty(0))
        information.add_hits(crossing, draw_hits(crossing, np.random.default_rng(0))[0])
        information.add_curvature_noise(crossing, np.empty(0))
        if pulled:
            information.change_curvature(np.empty(0, np.intp), crossing, np.empty(0))
    factor = factorise(information)
    assert square(factor.covariance()).shape == (0, 5, 5)
    assert np.shape(factor.draw([np.empty(0)] * 5)) == (5, 0)
    assert np.shape(factor.solve([np.empty(0)] * 5)) == (5, 0)
