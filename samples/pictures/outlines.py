"""The detector as cards describe it, as lines in the two views: from the axis, and along it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.geometry import Experiment
from darkbelle.geometry.calorimeter import Region
from darkbelle.units import deg

__all__ = ["Outline", "outlines"]

FloatArray = npt.NDArray[np.float64]

_FULL_TURN: Final = (-np.pi, np.pi)


@dataclass(frozen=True, slots=True)
class Outline:
    """A part of the detector: a sheet or a body around the axis.

    ``r`` and ``z`` [cm] are the corners of its section through the axis, an open line for a sheet
    and the border of a body; it reaches over ``phi`` [rad].
    """

    name: str
    r: FloatArray
    z: FloatArray
    is_body: bool
    phi: tuple[float, float] = _FULL_TURN

    @property
    def radii(self) -> tuple[float, float]:
        """Least and greatest distance from the axis [cm]."""
        return float(self.r.min()), float(self.r.max())

    def arc(self, radius: float, n_points: int = 181) -> tuple[FloatArray, FloatArray]:
        """Points (x, y) of a circle around the axis, as far as this part reaches [cm]."""
        phi = np.linspace(*self.phi, n_points)
        return radius * np.cos(phi), radius * np.sin(phi)


def outlines(experiment: Experiment) -> tuple[Outline, ...]:
    """All parts: passive material, silicon, drift chamber, calorimeter, coil, muon system."""
    return (*_tracker(experiment), *_calorimeter(experiment), *_muon_system(experiment))


def _tracker(experiment: Experiment) -> Iterator[Outline]:
    for name, passive in experiment.passive.items():
        radii = passive.r_min_cm, passive.r_max_cm
        yield _box(f"passive.{name}", radii, (passive.z_min_cm, passive.z_max_cm))
    for name, layer in experiment.silicon.items():
        phi = layer.phi_range_deg
        turn = _FULL_TURN if phi is None else (phi[0] * deg, phi[1] * deg)
        gap = layer.z_gap_cm or ()
        ends = np.array([layer.z_min_cm, *gap, layer.z_max_cm]).reshape(-1, 2)
        for z in ends:
            r = np.full(2, layer.radius_cm)
            yield Outline(f"silicon.{name}", r, z, False, turn)
        if (cone := layer.slanted) is not None:
            r = np.array([cone.near_r_cm, cone.far_r_cm])
            z = np.array([cone.near_z_cm, cone.far_z_cm])
            yield Outline(f"silicon.{name}.slanted", r, z, False, turn)
    for layers in experiment.drift_chamber.superlayers:
        r = np.array([layers.radius_cm[i] for i in (0, -1, -1, 0)])
        z_min, z_max = layers.z_min_cm, layers.z_max_cm
        z = np.array([z_min[0], z_min[-1], z_max[-1], z_max[0]])
        yield Outline(f"cdc.{layers.name}", r, z, True)


def _calorimeter(experiment: Experiment) -> Iterator[Outline]:
    """Each region as the crystals between two polar angles, from their faces outward."""
    crystals = experiment.calorimeter
    near, far = crystals.inner_radius_cm, crystals.inner_radius_cm + crystals.depth_cm
    ends = {Region.FORWARD: crystals.z_max_cm, Region.BACKWARD: crystals.z_min_cm}
    for region, part in crystals.regions.items():
        slope = np.tan(np.array([part.theta_min_deg, part.theta_max_deg]) * deg)
        if region is Region.BARREL:
            r, z = (
                np.array([near, near, far, far]),
                np.concatenate([near / slope, far / slope[::-1]]),
            )
        else:
            face = ends[region]
            back = face + np.copysign(crystals.depth_cm, face)
            z = np.array([face, face, back, back])
            r = np.concatenate([face * slope, back * slope[::-1]])
        yield Outline(f"calorimeter.{region.name.lower()}", r, z, True)


def _muon_system(experiment: Experiment) -> Iterator[Outline]:
    klm = experiment.klm
    z = np.array([klm.coil.z_min_cm, klm.coil.z_max_cm])
    yield Outline("coil", np.full(2, klm.coil.radius_cm), z, False)
    barrel = klm.barrel
    for radius in barrel.positions_cm:
        z = np.array([barrel.z_min_cm, barrel.z_max_cm])
        yield Outline("klm.barrel", np.full(2, radius), z, False)
    for name, part in (("forward", klm.forward), ("backward", klm.backward)):
        for place in part.positions_cm:
            r = np.array([part.r_min_cm, part.r_max_cm])
            yield Outline(f"klm.{name}", r, np.full(2, place), False)


def _box(name: str, r: tuple[float, float], z: tuple[float, float]) -> Outline:
    return Outline(name, np.array([r[0], r[1], r[1], r[0]]), np.repeat(z, 2), True)
