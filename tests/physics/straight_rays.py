"""The material that a straight ray from the origin meets, from the numbers of a card alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from darkbelle.geometry import Experiment
from darkbelle.geometry.card import SlantedSensors

FloatArray = npt.NDArray[np.float64]
SENSOR = 0.02
"""cm along the track, within which a sensor is met."""


@dataclass(frozen=True)
class Met:
    """A layer on a ray: radii [cm], path in radiation and interaction lengths, share of azimuth."""

    name: str
    r_min: float
    r_max: float
    x0: float
    nuclear: float
    share: float = 1.0


def gas_limits(experiment: Experiment) -> tuple[float, float]:
    """Radii between which the gas stands: from the inner wall to half a step beyond the wires."""
    superlayers = experiment.drift_chamber.superlayers
    last = superlayers[-1].radius_cm
    walls = [layer.r_max_cm for layer in experiment.passive.values()]
    inner = max(wall for wall in walls if wall < superlayers[0].radius_cm[0])
    return inner, last[-1] + (last[-1] - last[0]) / (len(last) - 1) / 2


def layers_on_ray(experiment: Experiment, theta_deg: float) -> list[Met]:
    """What a ray meets, from the inside outward; the whole chamber's gas counts as one layer.

    Rays that leave the chamber through an end plate meet some of the gas only: it is left out.
    """
    sine, cot = math.sin(math.radians(theta_deg)), 1 / math.tan(math.radians(theta_deg))
    met = []
    for name, layer in experiment.passive.items():
        if layer.z_min_cm < layer.radius_cm * cot < layer.z_max_cm:
            path = layer.thickness_x0 / sine, layer.thickness_lambda / sine
            met.append(Met(name, layer.r_min_cm, layer.r_max_cm, *path))
    for name, silicon in experiment.silicon.items():
        z, gap = silicon.radius_cm * cot, silicon.z_gap_cm
        phi = silicon.phi_range_deg
        share = 1.0 if phi is None else (phi[1] - phi[0]) / 360
        if silicon.z_min_cm < z < silicon.z_max_cm and not (gap and gap[0] <= z <= gap[1]):
            near = silicon.radius_cm - SENSOR, silicon.radius_cm + SENSOR
            path = silicon.thickness_x0 / sine, silicon.thickness_lambda / sine
            met.append(Met(name, *near, *path, share))
        if silicon.slanted and (crossed := _on_cone(silicon.slanted, theta_deg)):
            radius, cosine = crossed
            near = radius - SENSOR, radius + SENSOR
            path = silicon.thickness_x0 / cosine, silicon.thickness_lambda / cosine
            met.append(Met(f"{name}.slanted", *near, *path, share))
    chamber = experiment.drift_chamber
    r_min, r_max = gas_limits(experiment)
    if all(
        z_min < r * cot < z_max
        for s in chamber.superlayers
        for r, z_min, z_max in zip(s.radius_cm, s.z_min_cm, s.z_max_cm, strict=True)
    ):
        depth = (r_max - r_min) / sine
        path = chamber.material_x0_per_cm * depth, chamber.material_lambda_per_cm * depth
        met.append(Met("gas", r_min, r_max, *path))
    return sorted(met, key=lambda layer: layer.r_min)


def _on_cone(cone: SlantedSensors, theta_deg: float) -> tuple[float, float] | None:
    """Radius where a ray meets a cone, and its cosine to the normal there."""
    sine, cosine = math.sin(math.radians(theta_deg)), math.cos(math.radians(theta_deg))
    delta_r, delta_z = cone.far_r_cm - cone.near_r_cm, cone.far_z_cm - cone.near_z_cm
    # near + u (delta_r, delta_z) = s (sine, cosine)
    determinant = delta_z * sine - delta_r * cosine
    u = (cone.near_r_cm * cosine - cone.near_z_cm * sine) / determinant
    if not 0 < u < 1:
        return None
    return cone.near_r_cm + u * delta_r, determinant / math.hypot(delta_r, delta_z)


def expected_ends(layers: list[Met], rate: FloatArray) -> FloatArray:
    """Probability to end in each layer, from the mean number of interactions in it.

    Exact but for correlations of shares below one.
    """
    passed = [math.exp(-number) for number in rate]
    shares = np.array([layer.share for layer in layers])
    ends = shares * -np.expm1(-rate)
    survival = np.cumprod([1.0, *(1 - shares * (1 - np.array(passed)))])
    return ends * survival[:-1]


def is_in_material(
    experiment: Experiment, x: FloatArray, y: FloatArray, z: FloatArray
) -> npt.NDArray[np.bool_]:
    """Whether points lie in dead material, next to a sensor, or between the wires."""
    r = np.hypot(x, y)
    inside = np.zeros(len(r), dtype=bool)
    edge = 1e-6
    for layer in experiment.passive.values():
        along = (z > layer.z_min_cm - 1) & (z < layer.z_max_cm + 1)
        inside |= along & (r > layer.r_min_cm - edge) & (r < layer.r_max_cm + edge)
    for silicon in experiment.silicon.values():
        along = (z > silicon.z_min_cm - SENSOR) & (z < silicon.z_max_cm + SENSOR)
        inside |= along & (np.abs(r - silicon.radius_cm) < SENSOR)
        if cone := silicon.slanted:
            delta_r, delta_z = cone.far_r_cm - cone.near_r_cm, cone.far_z_cm - cone.near_z_cm
            across = (r - cone.near_r_cm) * delta_z - (z - cone.near_z_cm) * delta_r
            along = (z > cone.near_z_cm - 1) & (z < cone.far_z_cm + 1)
            inside |= along & (np.abs(across) / math.hypot(delta_r, delta_z) < 2 * SENSOR)
    superlayers = experiment.drift_chamber.superlayers
    r_min, r_max = gas_limits(experiment)
    edges = [r_min, *((a.radius_cm[-1] + b.radius_cm[0]) / 2 for a, b in pairwise(superlayers))]
    for s, low, high in zip(superlayers, edges, [*edges[1:], r_max], strict=True):
        # Gas ends with the wires; half a superlayer counts as one place along its tracks.
        depth = 4 * (high - low)
        along = (z > min(s.z_min_cm) - depth) & (z < max(s.z_max_cm) + depth)
        inside |= along & (r > low - edge) & (r < high + edge)
    return inside
