"""The surfaces that a track meets, against the card and the layer table of the handbook."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, pvariance

import pytest

from darkbelle.detsim.track_fit import lengthened
from darkbelle.geometry import Experiment, Surface, all_surfaces, load, names, tracking_surfaces
from darkbelle.geometry.card import Superlayer
from darkbelle.geometry.layers import SiliconSensor, Wires
from darkbelle.units import MeV

# Radius at mid-length of the stereo layers [cm]: handbook of the Belle II detector, table 3.5.
R_MID = {
    "1U": (25.30, 27.09, 28.88, 30.67, 32.47, 34.26),
    "3V": (47.31, 49.07, 50.87, 52.68, 54.48, 56.24),
    "5U": (69.16, 70.92, 72.73, 74.54, 76.35, 78.11),
    "7V": (91.01, 92.77, 94.58, 96.39, 98.21, 99.97),
}
# Half a cell below the first wire, between the superlayers, half a cell above the last [cm].
EDGES = [16.3, 24.75, 35.66, 46.63, 57.55, 68.47, 79.39, 90.31, 101.23, 112.045]

EVERY_CARD = pytest.mark.parametrize("experiment", [load(name) for name in names()], ids=names())


@pytest.fixture(scope="module")
def belle2() -> Experiment:
    return load("belle2")


@pytest.fixture(scope="module")
def surfaces(belle2: Experiment) -> dict[str, Surface]:
    return {surface.name: surface for surface in tracking_surfaces(belle2)}


def wires_of(surface: Surface) -> Wires:
    assert isinstance(surface.sensor, Wires)
    return surface.sensor


def halves_of(superlayer: Superlayer, surfaces: tuple[Surface, ...]) -> list[Surface]:
    """The surfaces of a superlayer, from the inside outward."""
    return [s for s in surfaces if s.name.startswith(f"cdc.{superlayer.name}.")]


def layers_of(superlayer: Superlayer, surfaces: tuple[Surface, ...]) -> list[Surface]:
    """The wire layers of a superlayer, from the inside outward."""
    return [layer for half in halves_of(superlayer, surfaces) for layer in half.parts]


@EVERY_CARD
def test_surfaces_are_ordered_and_complete(experiment: Experiment) -> None:
    found = all_surfaces(experiment)
    radii = [surface.radius for surface in found]
    assert radii == sorted(radii)
    assert len({surface.name for surface in found}) == len(found)
    assert all(surface.z_min < surface.z_max for surface in found)
    assert all(s.normal_r**2 + s.normal_z**2 == pytest.approx(1, abs=1e-14) for s in found)
    n_silicon = sum(isinstance(surface.sensor, SiliconSensor) for surface in found)
    cones = sum(layer.slanted is not None for layer in experiment.silicon.values())
    assert n_silicon == len(experiment.silicon) + cones
    assert all(
        f"passive.{name}" in {surface.name for surface in found} for name in experiment.passive
    )


@EVERY_CARD
def test_only_the_outer_wall_shapes_no_track(experiment: Experiment) -> None:
    """Whatever lies behind the last sensor."""
    every, tracking = all_surfaces(experiment), tracking_surfaces(experiment)
    assert every[: len(tracking)] == tracking
    assert tracking[-1].name == f"cdc.{experiment.drift_chamber.superlayers[-1].name}.outer"
    behind = {surface.name for surface in every[len(tracking) :]}
    assert behind == {"passive.cdc_outer_wall"}


@EVERY_CARD
def test_the_material_is_the_card_s(experiment: Experiment) -> None:
    """All of it once: walls, silicon with its cones, and the gas from edge to edge."""
    found = all_surfaces(experiment)
    materials = [surface.material for surface in found if surface.material is not None]
    assert len(materials) == len(found)
    chamber, layers = experiment.drift_chamber, []
    layers += [*experiment.passive.values(), *experiment.silicon.values()]
    layers += [layer for layer in experiment.silicon.values() if layer.slanted is not None]
    first, last = chamber.superlayers[0].radius_cm, chamber.superlayers[-1].radius_cm
    depth = last[-1] - first[0] + (first[-1] - first[0]) / (len(first) - 1) / 2
    depth += (last[-1] - last[0]) / (len(last) - 1) / 2
    assert sum(material.thickness_x0 for material in materials) == pytest.approx(
        sum(layer.thickness_x0 for layer in layers) + depth * chamber.material_x0_per_cm
    )
    assert sum(material.thickness_lambda for material in materials) == pytest.approx(
        sum(layer.thickness_lambda for layer in layers) + depth * chamber.material_lambda_per_cm
    )
    assert sum(material.mip_loss for material in materials) == pytest.approx(
        (sum(layer.mip_loss_mev for layer in layers) + depth * chamber.mip_loss_mev_per_cm) * MeV
    )


@EVERY_CARD
def test_the_gas_fills_the_chamber(experiment: Experiment) -> None:
    """Shells without gaps, each around its surface or close to it, as thick as they are deep."""
    chamber = experiment.drift_chamber
    halves = [s for s in all_surfaces(experiment) if isinstance(s.sensor, Wires)]
    layers = [layer for half in halves for layer in half.parts]
    for shells in (halves, layers):
        for inner, outer in pairwise(shells):
            assert inner.material is not None
            assert outer.material is not None
            assert inner.material.r_max == pytest.approx(outer.material.r_min)
        for surface in shells:
            material = surface.material
            assert material is not None
            depth = material.r_max - material.r_min
            assert depth > 0
            assert material.thickness_x0 == pytest.approx(chamber.material_x0_per_cm * depth)
            assert material.thickness_lambda == pytest.approx(
                chamber.material_lambda_per_cm * depth
            )
            assert material.mip_loss == pytest.approx(chamber.mip_loss_mev_per_cm * MeV * depth)
    for half in halves:
        assert half.material is not None
        assert half.material.r_min < half.radius < half.material.r_max
    # Half a cell is 1.2 cm at most; the waists of stereo wires are up to 0.6 cm nearer.
    for layer in layers:
        assert layer.material is not None
        assert layer.material.r_min - 1.2 < layer.radius < layer.material.r_max + 1.2


def test_solid_material_stands_where_the_card_says(belle2: Experiment) -> None:
    found = {surface.name: surface for surface in all_surfaces(belle2)}
    for name, layer in belle2.passive.items():
        surface = found[f"passive.{name}"]
        assert surface.material is not None
        assert (surface.material.r_min, surface.material.r_max) == (layer.r_min_cm, layer.r_max_cm)
        assert surface.radius == (layer.r_min_cm + layer.r_max_cm) / 2
        assert surface.sensor is None
    for name, silicon in belle2.silicon.items():
        material = found[f"silicon.{name}"].material
        assert material is not None
        assert material.thickness_x0 == silicon.thickness_x0
        assert material.mip_loss == silicon.mip_loss_mev * MeV


@EVERY_CARD
def test_two_surfaces_keep_mean_and_variance_of_the_wires(experiment: Experiment) -> None:
    """So that a superlayer weighs on curvature and direction as its wires do."""
    found = all_surfaces(experiment)
    for superlayer in experiment.drift_chamber.superlayers:
        radii = [math.sqrt(radius2) for radius2 in superlayer.mid_radii2_cm2]
        inner, outer = halves_of(superlayer, found)
        assert (inner.name, outer.name) == (
            f"cdc.{superlayer.name}.inner",
            f"cdc.{superlayer.name}.outer",
        )
        assert len(inner.parts) == len(radii) // 2
        assert len(inner.parts) + len(outer.parts) == len(radii)
        assert fmean([inner.radius, outer.radius]) == pytest.approx(fmean(radii), abs=1e-9)
        assert pvariance([inner.radius, outer.radius]) == pytest.approx(pvariance(radii))


@EVERY_CARD
def test_wire_layers_stand_where_the_card_says(experiment: Experiment) -> None:
    """Each at its radius at mid-length, with its own ends, angle and error."""
    found = all_surfaces(experiment)
    for superlayer in experiment.drift_chamber.superlayers:
        layers = layers_of(superlayer, found)
        assert len(layers) == len(superlayer.radius_cm)
        for i, layer in enumerate(layers):
            wires = wires_of(layer)
            tilt = math.tan(1e-3 * superlayer.stereo_mrad[i])
            assert layer.name == f"cdc.{superlayer.name}.{i}"
            assert layer.radius == pytest.approx(math.sqrt(superlayer.mid_radii2_cm2[i]))
            assert (layer.z_min, layer.z_max) == (superlayer.z_min_cm[i], superlayer.z_max_cm[i])
            assert layer.z_reference == (layer.z_min + layer.z_max) / 2
            assert layer.flare == pytest.approx(abs(tilt))
            assert wires.tan_stereo == pytest.approx(tilt)
            assert wires.sigma == pytest.approx((superlayer.sigma_um[i] * 1e-4,))
            assert wires.efficiency == experiment.drift_chamber.hit_efficiency
            assert not layer.parts
            # At the end plates the wires are at the radius that the card tells.
            end = math.hypot(layer.radius, layer.flare * (layer.z_max - layer.z_reference))
            assert end == pytest.approx(superlayer.radius_cm[i])


@EVERY_CARD
def test_half_superlayers_hold_what_their_layers_do(experiment: Experiment) -> None:
    """All hits, all gas, all length; the search lengthens them, so that no track from the axis

    that meets a layer misses them alone.
    """
    found = all_surfaces(experiment)
    for superlayer in experiment.drift_chamber.superlayers:
        for half in halves_of(superlayer, found):
            layers = half.parts
            assert wires_of(half).sigma == tuple(
                sigma for layer in layers for sigma in wires_of(layer).sigma
            )
            assert wires_of(half).efficiency == experiment.drift_chamber.hit_efficiency
            materials = [layer.material for layer in layers if layer.material is not None]
            assert half.material is not None
            assert (half.material.r_min, half.material.r_max) == (
                materials[0].r_min,
                materials[-1].r_max,
            )
            for name in ("thickness_x0", "thickness_lambda", "mip_loss"):
                together = sum(getattr(material, name) for material in materials)
                assert getattr(half.material, name) == pytest.approx(together)
            assert half.z_min == min(layer.z_min for layer in layers)
            assert half.z_max == max(layer.z_max for layer in layers)
            searched = lengthened(half)
            assert replace(searched, z_min=half.z_min, z_max=half.z_max) == half
            for layer in layers:
                assert lengthened(layer) is layer
                apart = half.radius - layer.radius
                for end, limit in ((layer.z_max, searched.z_max), (layer.z_min, searched.z_min)):
                    assert abs(end) < abs(limit) or abs(apart) < 1e-9
                    assert abs(end * (1 + apart / layer.radius)) < abs(limit) + 1e-9


@EVERY_CARD
def test_stereo_angles_are_averages(experiment: Experiment) -> None:
    """Within a superlayer they differ by a tenth and less, with one sign; the surface flares so."""
    found = all_surfaces(experiment)
    for superlayer in experiment.drift_chamber.superlayers:
        angles = [1e-3 * stereo for stereo in superlayer.stereo_mrad]
        for surface in halves_of(superlayer, found):
            own, angles = angles[: len(surface.parts)], angles[len(surface.parts) :]
            tilt = wires_of(surface).tan_stereo
            assert tilt == pytest.approx(fmean(math.tan(angle) for angle in own))
            assert surface.flare == pytest.approx(abs(tilt), abs=1e-15)
            assert surface.z_reference == pytest.approx(
                fmean((layer.z_min + layer.z_max) / 2 for layer in surface.parts)
            )
        assert not angles


def test_stereo_of_belle2(surfaces: dict[str, Surface]) -> None:
    """U leans towards larger phi, V against it, A not at all."""
    for name, surface in surfaces.items():
        if isinstance(surface.sensor, Wires):
            sign = {"A": 0, "U": 1, "V": -1}[name.split(".")[1][-1]]
            assert math.copysign(1, sign) * surface.sensor.tan_stereo >= 0
            assert (abs(surface.sensor.tan_stereo) > 0.05) == (sign != 0)


def test_gas_of_belle2(belle2: Experiment, surfaces: dict[str, Surface]) -> None:
    """0.37 % X0 in all, 3.85e-5 a centimetre."""
    for superlayer, (below, above) in zip(
        belle2.drift_chamber.superlayers, pairwise(EDGES), strict=True
    ):
        halves = halves_of(superlayer, tuple(surfaces.values()))
        materials = [half.material for half in halves if half.material is not None]
        assert materials[0].r_min == pytest.approx(below, abs=0.006)
        assert materials[-1].r_max == pytest.approx(above, abs=0.006)
        thickness = sum(material.thickness_x0 for material in materials)
        assert thickness == pytest.approx(3.85e-5 * (above - below), rel=2e-3)


def test_radius_of_wires_at_mid_length(belle2: Experiment, surfaces: dict[str, Surface]) -> None:
    for superlayer in belle2.drift_chamber.superlayers:
        expected = R_MID.get(superlayer.name, superlayer.radius_cm)
        found = [layer.radius for layer in layers_of(superlayer, tuple(surfaces.values()))]
        assert found == pytest.approx(expected, abs=0.02)


def test_number_of_layers_of_belle2(surfaces: dict[str, Surface]) -> None:
    """56 wire layers in nine superlayers, six layers of silicon of which three have cones."""
    halves = [surface for surface in surfaces.values() if isinstance(surface.sensor, Wires)]
    assert [len(half.parts) for half in halves] == [4, 4] + [3, 3] * 8
    assert [len(wires_of(half).sigma) for half in halves] == [4, 4] + [3, 3] * 8
    silicon = [
        surface for surface in surfaces.values() if isinstance(surface.sensor, SiliconSensor)
    ]
    assert len(silicon) == 6 + 3
    assert sum(surface.normal_z != 0 for surface in silicon) == 3


def test_a_superlayer_of_one_layer() -> None:
    """It has one surface, its own; and its chamber no step from layer to layer."""
    belle2 = load("belle2")
    chamber = belle2.drift_chamber
    columns = {
        name: getattr(chamber.superlayers[1], name)[:1]
        for name in ("radius_cm", "z_min_cm", "z_max_cm", "stereo_mrad", "sigma_um")
    }
    single = chamber.superlayers[1].model_copy(update=columns)
    cut = chamber.model_copy(update={"superlayers": (chamber.superlayers[0], single)})
    found = all_surfaces(belle2.model_copy(update={"drift_chamber": cut}))
    (surface,) = halves_of(single, found)
    (layer,) = surface.parts
    assert surface.radius == pytest.approx(math.sqrt(single.mid_radii2_cm2[0]))
    assert (layer.radius, layer.material) == (pytest.approx(surface.radius), surface.material)
    assert surface.material is not None
    assert surface.material.r_max == single.radius_cm[-1]


def test_material_in_front_of_the_drift_chamber(
    belle2: Experiment, surfaces: dict[str, Surface]
) -> None:
    """4.1 % X0 at 90 degrees where the second pixel layer has no ladder: 0.77+0.2+4*0.7+0.3."""
    inner = belle2.drift_chamber.superlayers[0].radius_cm[0]
    crossed = [
        (surface.phi_range, surface.material.thickness_x0)
        for surface in surfaces.values()
        if surface.radius < inner and surface.z_min < 0 < surface.z_max and surface.material
    ]
    everywhere = sum(thickness for phi_range, thickness in crossed if phi_range is None)
    assert everywhere == pytest.approx(0.0407, abs=1e-6)
    assert sum(thickness for _, thickness in crossed) == pytest.approx(0.0427, abs=1e-6)


@pytest.mark.parametrize("layer", ["svd4", "svd5", "svd6"])
def test_slanted_sensors_pass_through_both_ends(
    layer: str, belle2: Experiment, surfaces: dict[str, Surface]
) -> None:
    """Both ends solve the equation of the surface, whose normal is perpendicular to the cone."""
    cone, ends = surfaces[f"silicon.{layer}.slanted"], belle2.silicon[layer].slanted
    assert ends is not None
    for r, z in ((ends.near_r_cm, ends.near_z_cm), (ends.far_r_cm, ends.far_z_cm)):
        distance = cone.normal_r * (r - cone.radius) + cone.normal_z * (z - cone.z_reference)
        assert distance == pytest.approx(0, abs=1e-12)
    assert (cone.z_min, cone.z_max) == (ends.near_z_cm, ends.far_z_cm)
    assert cone.normal_r > 0
    assert cone.sensor == surfaces[f"silicon.{layer}"].sensor
    assert cone.material == surfaces[f"silicon.{layer}"].material
    assert cone.z_gap is None


def test_partial_pixel_layer(surfaces: dict[str, Surface]) -> None:
    phi_range = surfaces["silicon.pxd2"].phi_range
    assert phi_range is not None
    assert [math.degrees(limit) for limit in phi_range] == pytest.approx([75, 135])
    assert surfaces["silicon.pxd1"].phi_range is None
    assert surfaces["silicon.pxd1"].z_gap == (1.36, 1.44)
