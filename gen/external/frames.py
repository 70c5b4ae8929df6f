"""Events of others, put to where the beams of a collider meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.kinematics import from_axes
from darkbelle.geometry import Collider
from darkbelle.units import C

__all__ = ["moved_by", "to_laboratory"]

FloatArray = npt.NDArray[np.float64]


def to_laboratory(raw: RawEvents, collider: Collider) -> RawEvents:
    """Events given in the centre of mass of the nominal beams, z along the electrons."""
    axes = axes_of_collision(collider)

    def turned(point: FloatArray) -> FloatArray:
        time, *space = from_axes(np.stack([C * point[3], *point[:3]]), axes)
        return np.stack([*space, time / C])

    return replace(
        raw,
        momentum=from_axes(raw.momentum, axes),
        start=turned(raw.start),
        end=turned(raw.end),
    )


def moved_by(raw: RawEvents, shift: FloatArray) -> RawEvents:
    """Events moved in space and time, each by its (x, y, z, t), shape (4, n_events)."""
    each = shift[:, raw.event_index()]
    return replace(raw, start=raw.start + each, end=raw.end + each * raw.has_end)
