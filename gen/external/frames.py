"""Events of others, put to where the beams of a collider meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.events import Status, TruthEvents
from darkbelle.gen.kinematics import from_axes
from darkbelle.geometry import Collider
from darkbelle.units import C

__all__ = ["meeting_at", "to_laboratory"]

FloatArray = npt.NDArray[np.float64]

_POINTS = ("x", "y", "z", "t")
_ENDS = ("decay_x", "decay_y", "decay_z", "decay_t")


def to_laboratory(truth: TruthEvents, collider: Collider) -> TruthEvents:
    """Events given in the centre of mass of the nominal beams, z along the electrons."""
    axes, p = axes_of_collision(collider), truth.particles
    momentum = from_axes(np.stack([p.e, p.px, p.py, p.pz]), axes)
    moved = dict(zip(("px", "py", "pz"), momentum[1:], strict=True))
    for names in (_POINTS, _ENDS):
        points = np.stack([getattr(p, name) for name in names])
        moved |= zip(names, _from_axes(points, axes), strict=True)
    vertex = _from_axes(truth.vertex, axes)
    return replace(truth, particles=replace(p, **moved), vertex=vertex)


def _from_axes(points: FloatArray, axes: FloatArray) -> FloatArray:
    """Points (x, y, z, t), which `from_axes` has in the order of momenta."""
    x, y, z, t = points
    ct, *space = from_axes(np.stack([C * t, x, y, z]), axes)
    return np.stack([*space, ct / C])


def meeting_at(truth: TruthEvents, vertex: FloatArray) -> TruthEvents:
    """Events moved so that the beams meet at (x, y, z, t), shape (4, n_events)."""
    p, event = truth.particles, truth.event_index()
    before, after = truth.vertex[:, event], vertex[:, event]
    moved = {}
    for i, (name, end) in enumerate(zip(_POINTS, _ENDS, strict=True)):
        moved[name] = getattr(p, name) - before[i] + after[i]
        ended = getattr(p, end) - before[i] + after[i]
        moved[end] = np.where(p.status == Status.FINAL, 0.0, ended)
    return replace(truth, particles=replace(p, **moved), vertex=vertex)
