"""The legs of a particle's first turn around the axis, on which it meets surfaces in order."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helices import Helices
from darkbelle.geometry import Surface

__all__ = ["Leg", "OnLeg", "split_into_legs"]

IndexArray = npt.NDArray[np.intp]


class Leg(enum.Enum):
    """A part of a particle's first turn around the axis."""

    INWARD = "towards the perigee"
    OUTWARD = "from the perigee to the farthest point"
    RETURN = "from the farthest point back to the perigee"


@dataclass(frozen=True, slots=True)
class OnLeg:
    """Some tracks on one of their legs; ``rows`` are their places among all."""

    leg: Leg
    rows: IndexArray
    tracks: Helices

    def along(self, surfaces: Sequence[Surface]) -> Sequence[Surface]:
        """The surfaces in the order in which the leg meets them, given from the inside outward."""
        return surfaces if self.leg is Leg.OUTWARD else surfaces[::-1]


def split_into_legs(tracks: Helices, surfaces: Sequence[Surface]) -> list[OnLeg]:
    """The legs on which tracks can meet surfaces, in the order of flight."""
    innermost = min(surface.radius for surface in surfaces)
    outermost = max(s.material.r_max if s.material else s.radius for s in surfaces)
    low, high = min(s.z_min for s in surfaces), max(s.z_max for s in surfaces)
    inward = np.flatnonzero(tracks.birth < -innermost / 2)
    z_apex = tracks.z0 + tracks.tan_lambda * np.abs(tracks.diameter) * (np.pi / 2)
    turns = (tracks.apex_radius < outermost) & (z_apex > low) & (z_apex < high)
    turning = np.flatnonzero(turns & (tracks.apex_radius > innermost))
    legs = [OnLeg(Leg.OUTWARD, np.arange(len(tracks)), tracks)]
    if len(inward):
        legs.insert(0, OnLeg(Leg.INWARD, inward, tracks.take(inward)))
    if len(turning):
        legs.append(OnLeg(Leg.RETURN, turning, tracks.take(turning)))
    return legs
