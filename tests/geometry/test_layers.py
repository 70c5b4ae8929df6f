"""The surfaces that a track meets, against the layer table of the Belle II handbook."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from darkbelle.geometry import Experiment, Surface, load, names, tracking_surfaces
from darkbelle.geometry.layers import SiliconSensor, Wire

# Radius at mid-length of the stereo layers [cm]: handbook of the Belle II detector, table 3.5.
R_MID = {
    "1U": (25.30, 27.09, 28.88, 30.67, 32.47, 34.26),
    "3V": (47.31, 49.07, 50.87, 52.68, 54.48, 56.24),
    "5U": (69.16, 70.92, 72.73, 74.54, 76.35, 78.11),
    "7V": (91.01, 92.77, 94.58, 96.39, 98.21, 99.97),
}


@pytest.fixture(scope="module")
def belle2() -> Experiment:
    return load("belle2")


@pytest.fixture(scope="module")
def surfaces(belle2: Experiment) -> dict[str, Surface]:
    return {surface.name: surface for surface in tracking_surfaces(belle2)}


@pytest.mark.parametrize("name", names())
def test_surfaces_are_ordered_and_complete(name: str):
    experiment = load(name)
    found = tracking_surfaces(experiment)
    radii = [surface.radius for surface in found]
    assert radii == sorted(radii)
    assert len({surface.name for surface in found}) == len(found)
    assert all(s.z_min < s.z_max and s.thickness_x0 >= 0 for s in found)
    assert all(s.normal_r**2 + s.normal_z**2 == pytest.approx(1, abs=1e-14) for s in found)
    n_wires = sum(isinstance(surface.sensor, Wire) for surface in found)
    assert n_wires == sum(len(sl.radius_cm) for sl in experiment.drift_chamber.superlayers)
    n_silicon = sum(isinstance(surface.sensor, SiliconSensor) for surface in found)
    cones = sum(layer.slanted is not None for layer in experiment.silicon.values())
    assert n_silicon == len(experiment.silicon) + cones


def test_material_in_front_of_the_drift_chamber(belle2: Experiment, surfaces: dict[str, Surface]):
    """4.1 % X0 at 90 degrees where the second pixel layer has no ladder: 0.77+0.2+4*0.7+0.3."""
    inner = belle2.drift_chamber.superlayers[0].radius_cm[0]
    crossed = [s for s in surfaces.values() if s.radius < inner and s.z_min < 0 < s.z_max]
    everywhere = sum(s.thickness_x0 for s in crossed if s.phi_range is None)
    assert everywhere == pytest.approx(0.0407, abs=1e-6)
    assert sum(s.thickness_x0 for s in crossed) == pytest.approx(0.0427, abs=1e-6)


def test_gas_is_spread_over_the_whole_chamber(surfaces: dict[str, Surface]):
    """0.37 % X0 between half a cell below the first wire and half a cell above the last.

    The two cylinders of a superlayer have the sum, mean radius and variance of a uniform slab.
    """
    gas = [s for s in surfaces.values() if ".gas." in s.name]
    assert all(s.sensor is None for s in gas)
    edges = [16.3, 24.75, 35.66, 46.63, 57.55, 68.47, 79.39, 90.31, 101.23, 112.045]
    for inner, outer, (below, above) in zip(gas[::2], gas[1::2], pairwise(edges), strict=True):
        assert inner.name.rsplit(".", 1)[0] == outer.name.rsplit(".", 1)[0]
        width = above - below
        assert inner.thickness_x0 == outer.thickness_x0
        assert 2 * inner.thickness_x0 == pytest.approx(3.85e-5 * width, rel=2e-3)
        assert (inner.radius + outer.radius) / 2 == pytest.approx((below + above) / 2, abs=0.01)
        assert (outer.radius - inner.radius) / 2 == pytest.approx(width / math.sqrt(12), rel=1e-3)


def test_radius_of_wires_at_mid_length(belle2: Experiment, surfaces: dict[str, Surface]):
    for superlayer in belle2.drift_chamber.superlayers:
        expected = R_MID.get(superlayer.name, superlayer.radius_cm)
        for i, radius in enumerate(expected):
            surface = surfaces[f"cdc.{superlayer.name}.{i}"]
            assert surface.radius == pytest.approx(radius, abs=0.02)
            assert surface.sensor.tan_stereo == math.tan(superlayer.stereo_mrad[i] * 1e-3)
            assert surface.sensor.sigma == pytest.approx(superlayer.sigma_um[i] * 1e-4)


@pytest.mark.parametrize("layer", ["svd4", "svd5", "svd6"])
def test_slanted_sensors_pass_through_both_ends(
    layer: str, belle2: Experiment, surfaces: dict[str, Surface]
):
    """Both ends solve the equation of the surface, whose normal is perpendicular to the cone."""
    cone, ends = surfaces[f"silicon.{layer}.slanted"], belle2.silicon[layer].slanted
    for r, z in ((ends.near_r_cm, ends.near_z_cm), (ends.far_r_cm, ends.far_z_cm)):
        distance = cone.normal_r * (r - cone.radius) + cone.normal_z * (z - cone.z_reference)
        assert distance == pytest.approx(0, abs=1e-12)
    assert cone.normal_r > 0
    assert cone.sensor == surfaces[f"silicon.{layer}"].sensor
    assert cone.thickness_x0 == belle2.silicon[layer].thickness_x0


def test_partial_pixel_layer(surfaces: dict[str, Surface]):
    low, high = surfaces["silicon.pxd2"].phi_range
    assert (math.degrees(low), math.degrees(high)) == pytest.approx((75, 135))
    assert surfaces["silicon.pxd1"].phi_range is None
    assert surfaces["silicon.pxd1"].z_gap == (1.36, 1.44)


def test_material_behind_the_last_layer_shapes_no_track(surfaces: dict[str, Surface]):
    assert "passive.cdc_outer_wall" not in surfaces
    assert list(surfaces)[-1] == "cdc.8A.5"
