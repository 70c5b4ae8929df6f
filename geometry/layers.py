"""The tracking volume as the surfaces that a track meets, from the beam pipe outward."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from darkbelle.geometry.card import Detector, DriftChamber, Experiment, SiliconLayer, Superlayer
from darkbelle.units import deg, mrad, um

__all__ = ["SiliconSensor", "Surface", "Wire", "tracking_surfaces"]


@dataclass(frozen=True, slots=True)
class SiliconSensor:
    """Measures r-phi and the coordinate along the beam in the plane of the sensor [cm]."""

    detector: Detector
    sigma_rphi: float
    sigma_z: float
    efficiency: float


@dataclass(frozen=True, slots=True)
class Wire:
    """Measures the distance between track and wire [cm]."""

    sigma: float
    tan_stereo: float
    efficiency: float
    detector: Detector = Detector.CDC


@dataclass(frozen=True, slots=True)
class Surface:
    """A cylinder or cone around the z axis with material, a sensor, or both.

    Its points fulfil ``normal_r (r - radius) + normal_z (z - z_reference) = 0`` between ``z_min``
    and ``z_max`` [cm]; a cylinder has ``normal_z = 0``.
    """

    name: str
    radius: float
    z_min: float
    z_max: float
    normal_r: float = 1.0
    normal_z: float = 0.0
    z_reference: float = 0.0
    thickness_x0: float = 0.0
    z_gap: tuple[float, float] | None = None
    phi_range: tuple[float, float] | None = None
    sensor: SiliconSensor | Wire | None = None


def tracking_surfaces(experiment: Experiment) -> tuple[Surface, ...]:
    """All surfaces that shape a track, in the order in which a prompt one meets them.

    Material behind the outermost layer moves no hit and is left out.
    """
    surfaces = [
        Surface(
            f"passive.{name}",
            layer.radius_cm,
            layer.z_min_cm,
            layer.z_max_cm,
            thickness_x0=layer.thickness_x0,
        )
        for name, layer in experiment.passive.items()
    ]
    for name, layer in experiment.silicon.items():
        surfaces += _silicon(name, layer)
    surfaces += _drift_chamber(experiment.drift_chamber)
    outermost = max(surface.radius for surface in surfaces if surface.sensor is not None)
    inside = [surface for surface in surfaces if surface.radius <= outermost]
    return tuple(sorted(inside, key=lambda surface: surface.radius))


def _silicon(name: str, layer: SiliconLayer) -> list[Surface]:
    """The barrel part of a layer and its forward cone, which keeps the barrel's place in order."""
    phi_range = layer.phi_range_deg
    barrel = Surface(
        f"silicon.{name}",
        layer.radius_cm,
        layer.z_min_cm,
        layer.z_max_cm,
        thickness_x0=layer.thickness_x0,
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
    """The wire layers, and the material of each superlayer as two thin cylinders.

    Half the material each, at the distance that keeps mean and variance of its radius: together
    they scatter a track like the same material spread over the superlayer.
    """
    surfaces: list[Surface] = []
    edges = _superlayer_edges(chamber.superlayers)
    for superlayer, (inner, outer) in zip(chamber.superlayers, pairwise(edges), strict=True):
        z_min, z_max = min(superlayer.z_min_cm), max(superlayer.z_max_cm)
        thickness = chamber.material_x0_per_cm * (outer - inner) / 2
        for name, offset in (("inner", -0.5), ("outer", 0.5)):
            radius = (inner + outer) / 2 + offset * (outer - inner) / math.sqrt(3)
            gas = f"cdc.{superlayer.name}.gas.{name}"
            surfaces.append(Surface(gas, radius, z_min, z_max, thickness_x0=thickness))
        columns = zip(
            superlayer.mid_radii2_cm2,
            superlayer.z_min_cm,
            superlayer.z_max_cm,
            superlayer.stereo_mrad,
            superlayer.sigma_um,
            strict=True,
        )
        for i, (radius2, z_low, z_high, stereo, sigma) in enumerate(columns):
            wire = Wire(sigma * um, math.tan(stereo * mrad), chamber.hit_efficiency)
            name = f"cdc.{superlayer.name}.{i}"
            surfaces.append(Surface(name, math.sqrt(radius2), z_low, z_high, sensor=wire))
    return surfaces


def _superlayer_edges(superlayers: tuple[Superlayer, ...]) -> list[float]:
    """Radii between which each superlayer's gas stands [cm], one more than superlayers."""
    inside = [(a.radius_cm[-1] + b.radius_cm[0]) / 2 for a, b in pairwise(superlayers)]
    first, last = superlayers[0].radius_cm, superlayers[-1].radius_cm
    first_step = (first[-1] - first[0]) / max(len(first) - 1, 1)
    last_step = (last[-1] - last[0]) / max(len(last) - 1, 1)
    return [first[0] - first_step / 2, *inside, last[-1] + last_step / 2]
