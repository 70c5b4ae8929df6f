"""From the face of the calorimeter to the iron: bending, slowing down, and the line beyond.

The field is uniform up to the coil and to the faces of the endcaps, and zero beyond: particles fly
straight through the iron, whose return field is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.energy_loss import momentum_with_range, stopping_path
from darkbelle.geometry.klm import MuonSystem
from darkbelle.units import CURVATURE, C, MeV

__all__ = ["Line", "fly_to_iron"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_STEPS = 4
"""Of equal depth, through the calorimeter."""
_LARGEST_TURN: Final = np.pi / 2
"""In the transverse plane behind the calorimeter; what turns more comes back."""
_LEAST_COSINE: Final = 0.1
"""Of the angle to a normal: the longest way through coil and services is ten times as long."""
_LEAST_IN_CRYSTALS: Final = 0.3
"""The same in the calorimeter: a tangent to its face leaves it after 103 cm."""
_TINY: Final = np.finfo(float).tiny
_SLOWEST: Final = 1 * MeV
"""Momentum at which those that have stopped are carried on, to no avail."""


@dataclass(frozen=True, slots=True)
class Line:
    """Straight lines on which particles enter the iron, shape (n,) each.

    Where they begin, ``x``, ``y``, ``z``, ``t``, their direction ``dx``, ``dy``, ``dz``, and the
    ``speed`` there [cm/ns]; ``range_left``: what a minimum-ionising particle would lose until this
    one stands still [GeV], infinite without charge, negative if it has stopped;
    ``thickness_lambda`` of what stood between calorimeter and iron; ``arrives``: not turned back.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    t: FloatArray
    dx: FloatArray
    dy: FloatArray
    dz: FloatArray
    speed: FloatArray
    range_left: FloatArray
    thickness_lambda: FloatArray
    arrives: BoolArray


class _Flight:
    """Particles between the face and the iron, moving."""

    def __init__(
        self, point: FloatArray, momentum: FloatArray, charge: FloatArray, mass: FloatArray
    ) -> None:
        self.x, self.y, self.z, self.t = point
        self._p: FloatArray = np.sqrt((momentum[1:] ** 2).sum(axis=0))
        self.dx, self.dy, self.dz = momentum[1:] / np.maximum(self._p, _TINY)
        self._charge, self._mass = charge, mass
        self._ionising = np.flatnonzero(charge)
        self.range_left = np.full(len(charge), np.inf)
        some = self._ionising
        self.range_left[some] = stopping_path(self._p[some], mass[some])

    def momentum(self, ahead: FloatArray | float = 0.0) -> FloatArray:
        """Momentum now, or after some more loss in units of a minimum-ionising particle's [GeV]."""
        p, some = np.array(self._p), self._ionising
        left = (self.range_left - ahead)[some]
        p[some] = np.maximum(momentum_with_range(left, self._mass[some]), _SLOWEST)
        return p

    def speed(self, p: FloatArray) -> FloatArray:
        """In cm/ns at a momentum."""
        energy = np.maximum(np.hypot(p, self._mass), _TINY)
        speed: FloatArray = np.maximum(C * p / energy, _TINY)
        return speed

    def bending(self, p: FloatArray, field: float) -> FloatArray:
        """Turn of the transverse direction on a length of flight [rad/cm], clockwise."""
        return self._charge * CURVATURE * field / np.maximum(p, _SLOWEST)

    def advance(self, length: FloatArray, bending: FloatArray, p: FloatArray) -> None:
        """Fly some lengths on helices."""
        half = bending * length / 2
        cos, sin = np.cos(half), np.sin(half)
        chord = length * np.sinc(half / np.pi)
        dx, dy = cos * self.dx + sin * self.dy, cos * self.dy - sin * self.dx
        self.x, self.y = self.x + chord * dx, self.y + chord * dy
        self.z = self.z + length * self.dz
        self.t = self.t + length / self.speed(p)
        self.dx, self.dy = cos * dx + sin * dy, cos * dy - sin * dx

    def length_to_radius(self, radius: float, bending: FloatArray) -> FloatArray:
        """Length of flight outward to a cylinder around the axis, infinite if none [cm].

        With d the transverse part of the direction, r x d - k r^2/2 stays constant on a helix, and
        (k r.d, d^2 + k r x d) turns with the direction: two vectors whose angle is the length.
        """
        across2 = self.dx**2 + self.dy**2
        along = self.x * self.dx + self.y * self.dy
        moment = self.x * self.dy - self.y * self.dx
        moment_there = moment - bending * (radius**2 - self.x**2 - self.y**2) / 2
        along2_there = radius**2 * across2 - moment_there**2
        along_there = np.sqrt(np.maximum(along2_there, 0.0))
        here, there = across2 + bending * moment, across2 + bending * moment_there
        sin = along_there * here - along * there
        cos = here * there + bending**2 * along * along_there
        turn = np.arctan2(bending * sin, cos)
        is_bent = np.abs(turn) > 1e-6
        straight = sin / np.where(is_bent | (cos == 0), 1.0, cos)
        length = np.where(is_bent, turn / np.where(is_bent, bending, 1.0), straight)
        return np.where((along2_there > 0) & (length >= 0), length, np.inf)

    def length_to_plane(self, z: FloatArray) -> FloatArray:
        """Length of flight to a plane ahead, 0 if it lies behind, infinite along it [cm]."""
        length = np.full_like(z, np.inf)
        flies = self.dz != 0
        with np.errstate(over="ignore"):
            np.divide(z - self.z, self.dz, out=length, where=flies)
        return np.maximum(length, 0.0)


def fly_to_iron(
    point: FloatArray,
    momentum: FloatArray,
    charge: npt.NDArray[np.int8],
    mass: FloatArray,
    system: MuonSystem,
    field: float,
) -> Line:
    """Carry particles from the face of the calorimeter to where the field ends.

    Parameters
    ----------
    point, momentum
        (x, y, z, t) [cm, ns] and (e, px, py, pz) [GeV] at the face, shape (4, n).
    charge, mass
        Shape (n,); particles without charge lose nothing.
    field
        Tesla, along z.

    Notes
    -----
    Losses are mean ones.
    """
    flight = _Flight(point, momentum, charge.astype(np.float64), mass)
    _cross_calorimeter(flight, system, field)
    p = flight.momentum()
    bending = flight.bending(p, field)
    to_coil = flight.length_to_radius(system.coil.radius_cm, bending)
    to_face = flight.length_to_plane(
        np.where(flight.dz > 0, system.forward.face_cm, system.backward.face_cm)
    )
    length = np.minimum(to_coil, to_face)
    arrives = np.isfinite(length)
    length = np.where(arrives, length, 0.0)
    arrives &= np.abs(bending) * length < _LARGEST_TURN
    flight.advance(np.where(arrives, length, 0.0), bending, p)

    thickness, loss = _before_iron(flight, system, at_coil=to_coil < to_face)
    flight.range_left -= loss
    return Line(
        flight.x,
        flight.y,
        flight.z,
        flight.t,
        flight.dx,
        flight.dy,
        flight.dz,
        flight.speed(flight.momentum()),
        flight.range_left,
        thickness,
        arrives,
    )


def _before_iron(
    flight: _Flight, system: MuonSystem, *, at_coil: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Interaction lengths and loss [GeV] in the coil or, before an endcap, in its services."""
    coil, services = system.coil, system.endcap_services
    is_in = at_coil & (coil.z_min_cm < flight.z) & (flight.z < coil.z_max_cm)
    radial = (flight.x * flight.dx + flight.y * flight.dy) / coil.radius_cm
    cosine = np.where(at_coil, radial, np.abs(flight.dz))
    times = np.where(is_in | ~at_coil, 1 / np.maximum(cosine, _LEAST_COSINE), 0.0)
    return (
        times * np.where(at_coil, coil.thickness_lambda, services.thickness_lambda),
        times * np.where(at_coil, coil.mip_loss_mev, services.mip_loss_mev) * MeV,
    )


def _cross_calorimeter(flight: _Flight, system: MuonSystem, field: float) -> None:
    """Bend and slow down on the way through the crystals.

    They point to the interaction point: what comes from there crosses their depth at any theta,
    longer by one over the cosine of its angle to them.
    """
    crystals = system.calorimeter
    for _ in range(_STEPS):
        distance = np.sqrt(flight.x**2 + flight.y**2 + flight.z**2)
        outward = flight.x * flight.dx + flight.y * flight.dy + flight.z * flight.dz
        cosine = outward / np.maximum(distance, _TINY)
        times = 1 / np.maximum(cosine, _LEAST_IN_CRYSTALS) / _STEPS
        loss = times * crystals.mip_loss_mev * MeV
        p = flight.momentum(loss / 2)
        flight.advance(times * crystals.depth_cm, flight.bending(p, field), p)
        flight.range_left -= loss
