"""The space that the calorimeter encloses, and where particles leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helices import Helices
from darkbelle.detsim.hits import arc_at_radius
from darkbelle.detsim.legs import Leg
from darkbelle.geometry import Calorimeter

__all__ = ["Cavity"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_ROUNDING = 1e-6
"""Distance [cm] behind the face that means none."""
_TURNS = 10
"""Turns after which a curling particle counts as gone."""


@dataclass(frozen=True, slots=True)
class Cavity:
    """A cylinder around the z axis [cm]."""

    radius: float
    z_min: float
    z_max: float

    @classmethod
    def of(cls, ecl: Calorimeter) -> Self:
        """What the crystals enclose."""
        return cls(ecl.inner_radius_cm, ecl.z_min_cm, ecl.z_max_cm)

    def beyond(self, point: FloatArray) -> FloatArray:
        """How far points (x, y, z), shape (3, n), lie outside [cm]; negative inside."""
        x, y, z = point
        along = np.maximum(z - self.z_max, self.z_min - z)
        outside: FloatArray = np.maximum(np.hypot(x, y) - self.radius, along)
        return outside

    def distance(self, theta: FloatArray) -> FloatArray:
        """Distance of the face from the origin in some direction [cm]."""
        tiny = np.finfo(float).eps
        sine, cosine = np.maximum(np.sin(theta), tiny), np.cos(theta)
        to_end = np.where(cosine > 0, self.z_max, self.z_min) / np.where(cosine == 0, tiny, cosine)
        to_face: FloatArray = np.minimum(self.radius / sine, np.abs(to_end))
        return to_face

    def is_on_face(self, point: FloatArray) -> BoolArray:
        """Whether points, shape (3, n), lie no deeper than rounding makes them."""
        on_face: BoolArray = self.beyond(point) < _ROUNDING
        return on_face

    def exit(self, tracks: Helices, start: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Arc length at which each track leaves [cm], and whether it has not curled too long.

        What is born outside leaves there.
        """
        edge = np.full(len(tracks), self.radius)
        through_wall = np.nan_to_num(arc_at_radius(tracks, edge, Leg.OUTWARD), nan=np.inf)
        slope = np.where(tracks.tan_lambda == 0, np.finfo(float).tiny, tracks.tan_lambda)
        z_end = np.where(slope > 0, self.z_max, self.z_min)
        with np.errstate(over="ignore"):
            through_end = (z_end - tracks.z0) / slope
        turns = tracks.birth + _TURNS * np.pi * np.abs(tracks.diameter)
        inside = self.beyond(start) < 0
        leaves = np.where(inside, np.minimum(through_wall, through_end), tracks.birth)
        return np.minimum(leaves, turns), leaves < turns
