"""Helices as columns, for kernels that run over many tracks at once, and points along them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helix import omega_from_pt, perigee

__all__ = ["MIN_PT", "STRAIGHT", "Helices", "Place", "place_at", "radius_at"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

MIN_PT = 1e-6
"""GeV; slower ones, and those along the beams, reach no layer anyhow."""

STRAIGHT = 1e-12
"""Curvature [1/cm] of what flies straight: a sagitta of 1e-8 cm over a metre, but no zero."""


@dataclass(frozen=True)
class Helices:
    """Helices as contiguous columns, with the arc lengths at which each particle is born and ends.

    Neutral particles are helices that hardly bend.
    """

    d0: FloatArray
    phi0: FloatArray
    omega: FloatArray
    z0: FloatArray
    tan_lambda: FloatArray
    birth: FloatArray
    end: FloatArray

    @classmethod
    def from_helix(
        cls, helix: FloatArray, birth: FloatArray, end: FloatArray | float = np.inf
    ) -> Self:
        """Columns of an (n, 5) array."""
        d0, phi0, omega, z0, tan_lambda = np.ascontiguousarray(helix.T)
        bent = np.where(np.abs(omega) < STRAIGHT, STRAIGHT, omega)
        return cls(d0, phi0, bent, z0, tan_lambda, birth, np.broadcast_to(end, birth.shape))

    @classmethod
    def of_particles(
        cls,
        position: FloatArray,
        momentum: FloatArray,
        charge: npt.NDArray[np.int8],
        field: float,
        path: FloatArray | float = np.inf,
    ) -> Self:
        """Helices from starts [cm] and momenta [GeV], shape (n, 3), ``path`` long [cm]."""
        px, py, pz = momentum.T
        pt = np.maximum(np.hypot(px, py), MIN_PT)
        omega = omega_from_pt(pt, charge, field)
        helix, birth = perigee(position, np.arctan2(py, px), omega, pz / pt)
        return cls.from_helix(helix, birth, birth + path)

    def __len__(self) -> int:
        return len(self.d0)

    def take(self, chosen: IndexArray | slice) -> Self:
        """Some of them."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def columns(self) -> FloatArray:
        """The helices as an array, shape (n, 5)."""
        return np.stack([self.d0, self.phi0, self.omega, self.z0, self.tan_lambda], axis=-1)

    @cached_property
    def gain(self) -> FloatArray:
        """Ratio of the distances of perigee and track centre; zero for circles around the axis."""
        return np.maximum(1 + self.omega * self.d0, 1e-9)

    @cached_property
    def inverse_gain(self) -> FloatArray:
        """Its inverse."""
        return 1 / self.gain

    @cached_property
    def d0_squared(self) -> FloatArray:
        """Square of d0 [cm^2]."""
        return self.d0**2

    @cached_property
    def quarter_omega2(self) -> FloatArray:
        """Square of half the curvature [1/cm^2]."""
        return self.half_omega**2

    @cached_property
    def half_omega(self) -> FloatArray:
        """Half the curvature [1/cm]."""
        return self.omega / 2

    @cached_property
    def diameter(self) -> FloatArray:
        """Signed diameter of the circle [cm]."""
        return 2 / self.omega

    @cached_property
    def secant2(self) -> FloatArray:
        """Square of the length in space for a unit of arc."""
        return 1 + self.tan_lambda**2

    @cached_property
    def apex_radius(self) -> FloatArray:
        """Distance of the farthest point from the axis [cm]."""
        return (self.gain + 1) * np.abs(self.diameter) / 2


@dataclass(frozen=True)
class Place:
    """A point of each track, shape (n,) each.

    ``arc`` and ``chord`` [cm] run from the perigee, negative before it; ``half_sin`` and
    ``half_cos`` are of half the turn between.
    """

    tracks: Helices
    arc: FloatArray
    chord: FloatArray
    half_sin: FloatArray
    half_cos: FloatArray

    @cached_property
    def along(self) -> FloatArray:
        """Distance from the perigee along the direction there [cm]."""
        return self.chord * self.half_cos

    @cached_property
    def sagitta(self) -> FloatArray:
        """Distance from the perigee across the direction there [cm]."""
        return self.chord * self.half_sin

    @cached_property
    def cos_turn(self) -> FloatArray:
        """Cosine of the turn since the perigee."""
        return 1 - 2 * self.half_sin**2

    @cached_property
    def bend(self) -> FloatArray:
        """Shift across the track for a unit of curvature [cm^2]."""
        return self.chord**2 / 2

    @cached_property
    def lag(self) -> FloatArray:
        """Shift along the track for a unit of curvature [cm^2]."""
        return (self.arc - self.along) * self.tracks.diameter / 2


def place_at(tracks: Helices, arc: FloatArray) -> Place:
    """The point of each track at an arc length from its perigee [cm]."""
    half_turn = tracks.half_omega * arc
    half_sin = np.sin(half_turn)
    return Place(tracks, arc, half_sin * tracks.diameter, half_sin, np.cos(half_turn))


def radius_at(tracks: Helices, arc: FloatArray) -> FloatArray:
    """Distance from the axis at an arc length [cm], shape (n,)."""
    chord = np.sin(tracks.half_omega * arc) * tracks.diameter
    radius: FloatArray = np.sqrt(tracks.d0_squared + tracks.gain * chord**2)
    return radius
