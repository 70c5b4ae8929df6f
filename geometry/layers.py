"""The tracking volume as the surfaces that a track meets, from the beam pipe outward."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from darkbelle.geometry.card import (
    Detector,
    DriftChamber,
    Experiment,
    MaterialLayer,
    SiliconLayer,
    Superlayer,
)
from darkbelle.units import MeV, deg, mrad, um

__all__ = [
    "Material",
    "SiliconSensor",
    "Surface",
    "Wires",
    "all_surfaces",
    "tracking_surfaces",
]


@dataclass(frozen=True, slots=True)
class SiliconSensor:
    """Measures r-phi and the coordinate along the beam in the plane of the sensor [cm]."""

    detector: Detector
    sigma_rphi: float
    sigma_z: float
    efficiency: float


@dataclass(frozen=True, slots=True)
class Wires:
    """Layers of parallel wires; each measures the distance between track and wire [cm]."""

    sigma: tuple[float, ...]
    tan_stereo: float
    efficiency: float
    detector: Detector = Detector.CDC


@dataclass(frozen=True, slots=True)
class Material:
    """What a surface is made of, at normal incidence.

    Thickness in radiation lengths and nuclear interaction lengths; mean loss of a
    minimum-ionising particle [GeV]; the radii between which the material really stands [cm].
    """

    thickness_x0: float
    thickness_lambda: float
    mip_loss: float
    r_min: float
    r_max: float


@dataclass(frozen=True, slots=True)
class Surface:
    """A cylinder, cone or hyperboloid around the z axis with material, a sensor, or both.

    Its points fulfil ``normal_r (r - radius) + normal_z (z - z_reference) = 0`` between ``z_min``
    and ``z_max`` [cm]; a cylinder has ``normal_z = 0``. The wires of a stereo layer span a
    hyperboloid, ``r^2 = radius^2 + flare^2 (z - z_reference)^2``.
    """

    name: str
    radius: float
    z_min: float
    z_max: float
    normal_r: float = 1.0
    normal_z: float = 0.0
    z_reference: float = 0.0
    flare: float = 0.0
    material: Material | None = None
    z_gap: tuple[float, float] | None = None
    phi_range: tuple[float, float] | None = None
    sensor: SiliconSensor | Wires | None = None
    parts: tuple[Surface, ...] = ()


def all_surfaces(experiment: Experiment) -> tuple[Surface, ...]:
    """Sensors and material of the tracking volume, from the inside outward."""
    surfaces = [
        Surface(
            f"passive.{name}",
            layer.radius_cm,
            layer.z_min_cm,
            layer.z_max_cm,
            material=_material(layer, layer.r_min_cm, layer.r_max_cm),
        )
        for name, layer in experiment.passive.items()
    ]
    for name, layer in experiment.silicon.items():
        surfaces += _silicon(name, layer)
    surfaces += _drift_chamber(experiment.drift_chamber)
    return tuple(sorted(surfaces, key=lambda surface: surface.radius))


def tracking_surfaces(experiment: Experiment) -> tuple[Surface, ...]:
    """The surfaces that shape a track: material behind the outermost sensor moves no hit."""
    surfaces = all_surfaces(experiment)
    outermost = max(surface.radius for surface in surfaces if surface.sensor is not None)
    return tuple(surface for surface in surfaces if surface.radius <= outermost)


def _material(layer: MaterialLayer, r_min: float, r_max: float) -> Material:
    return Material(
        layer.thickness_x0, layer.thickness_lambda, layer.mip_loss_mev * MeV, r_min, r_max
    )


def _silicon(name: str, layer: SiliconLayer) -> list[Surface]:
    """The barrel part of a layer and its forward cone, which keeps the barrel's place in order."""
    phi_range = layer.phi_range_deg
    barrel = Surface(
        f"silicon.{name}",
        layer.radius_cm,
        layer.z_min_cm,
        layer.z_max_cm,
        material=_material(layer, layer.radius_cm, layer.radius_cm),
        z_gap=layer.z_gap_cm,
        phi_range=None if phi_range is None else (phi_range[0] * deg, phi_range[1] * deg),
        sensor=SiliconSensor(
            layer.detector, layer.sigma_rphi_um * um, layer.sigma_z_um * um, layer.hit_efficiency
        ),
    )
    if layer.slanted is None:
        return [barrel]
    cone = layer.slanted
    delta_r, delta_z = cone.far_r_cm - cone.near_r_cm, cone.far_z_cm - cone.near_z_cm
    length = math.hypot(delta_r, delta_z)
    slanted = replace(
        barrel,
        name=f"silicon.{name}.slanted",
        radius=(cone.near_r_cm + cone.far_r_cm) / 2,
        z_min=cone.near_z_cm,
        z_max=cone.far_z_cm,
        normal_r=delta_z / length,
        normal_z=-delta_r / length,
        z_reference=(cone.near_z_cm + cone.far_z_cm) / 2,
        z_gap=None,
    )
    return [barrel, slanted]


def _drift_chamber(chamber: DriftChamber) -> list[Surface]:
    """Each superlayer as two surfaces with the wires and the gas of its inner and outer half.

    They stand where they keep the mean and the variance of the radii of the layers, and so nearly
    those of the gas: for a track that passes this is as good as every layer by itself. For one that
    starts, turns or leaves among them it is not; the layers themselves are the ``parts``.
    """
    edges = _superlayer_edges(chamber.superlayers)
    surfaces = []
    for superlayer, (inner, outer) in zip(chamber.superlayers, pairwise(edges), strict=True):
        layers = _wire_layers(chamber, superlayer, inner, outer)
        radii = [layer.radius for layer in layers]
        centre = _mean(radii)
        spread = math.sqrt(_mean((radius - centre) ** 2 for radius in radii))
        half = len(layers) // 2
        for name, part, radius in (
            ("inner", layers[:half], centre - spread),
            ("outer", layers[half:], centre + spread),
        ):
            if part:
                surfaces.append(_together(f"cdc.{superlayer.name}.{name}", part, radius))
    return surfaces


def _wire_layers(
    chamber: DriftChamber, superlayer: Superlayer, inner: float, outer: float
) -> list[Surface]:
    """The wire layers of a superlayer, each with its share of the gas between two radii."""
    radii = [math.sqrt(radius2) for radius2 in superlayer.mid_radii2_cm2]
    depth = (outer - inner) / len(radii)
    columns = zip(
        radii,
        superlayer.z_min_cm,
        superlayer.z_max_cm,
        superlayer.stereo_mrad,
        superlayer.sigma_um,
        strict=True,
    )
    layers = []
    for i, (radius, z_min, z_max, stereo, sigma) in enumerate(columns):
        tan_stereo = math.tan(stereo * mrad)
        gas = Material(
            chamber.material_x0_per_cm * depth,
            chamber.material_lambda_per_cm * depth,
            chamber.mip_loss_mev_per_cm * MeV * depth,
            inner + i * depth,
            inner + (i + 1) * depth,
        )
        layers.append(
            Surface(
                f"cdc.{superlayer.name}.{i}",
                radius,
                z_min,
                z_max,
                z_reference=(z_min + z_max) / 2,
                flare=abs(tan_stereo),
                material=gas,
                sensor=Wires((sigma * um,), tan_stereo, chamber.hit_efficiency),
            )
        )
    return layers


def _together(name: str, layers: list[Surface], radius: float) -> Surface:
    """Several wire layers as one surface."""
    materials = [layer.material for layer in layers if layer.material is not None]
    wires = [layer.sensor for layer in layers if isinstance(layer.sensor, Wires)]
    return Surface(
        name,
        radius,
        min(layer.z_min for layer in layers),
        max(layer.z_max for layer in layers),
        z_reference=_mean(layer.z_reference for layer in layers),
        flare=_mean(layer.flare for layer in layers),
        material=Material(
            sum(material.thickness_x0 for material in materials),
            sum(material.thickness_lambda for material in materials),
            sum(material.mip_loss for material in materials),
            materials[0].r_min,
            materials[-1].r_max,
        ),
        sensor=Wires(
            tuple(sigma for wire in wires for sigma in wire.sigma),
            _mean(wire.tan_stereo for wire in wires),
            wires[0].efficiency,
        ),
        parts=tuple(layers),
    )


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def _superlayer_edges(superlayers: tuple[Superlayer, ...]) -> list[float]:
    """Radii between which each superlayer's gas stands [cm], one more than superlayers."""
    inside = [(a.radius_cm[-1] + b.radius_cm[0]) / 2 for a, b in pairwise(superlayers)]
    first, last = superlayers[0].radius_cm, superlayers[-1].radius_cm
    first_step = (first[-1] - first[0]) / max(len(first) - 1, 1)
    last_step = (last[-1] - last[0]) / max(len(last) - 1, 1)
    return [first[0] - first_step / 2, *inside, last[-1] + last_step / 2]
