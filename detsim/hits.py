"""Where helices meet the surfaces of the tracking volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.geometry import Surface

__all__ = ["MIN_INCIDENCE", "Crossing", "Helices", "find_crossing", "path_thickness"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MIN_INCIDENCE = 1e-3
"""Cosine to the normal below which a surface gets no thicker: it is not flat at that scale."""

_NEWTON_STEPS = 4
_MAX_MISS = 1e-2
"""Distance to the cone [cm] beyond which the steps have not found it."""


@dataclass(frozen=True, slots=True)
class Helices:
    """Helices as contiguous columns, with the arc length at which each particle is born."""

    d0: FloatArray
    phi0: FloatArray
    omega: FloatArray
    z0: FloatArray
    tan_lambda: FloatArray
    birth: FloatArray

    @classmethod
    def from_helix(cls, helix: FloatArray, birth: FloatArray) -> Helices:
        """Columns of an (n, 5) array."""
        d0, phi0, omega, z0, tan_lambda = np.ascontiguousarray(helix.T)
        return cls(d0, phi0, omega, z0, tan_lambda, birth)

    def __len__(self) -> int:
        return len(self.d0)


@dataclass(frozen=True, slots=True)
class Crossing:
    """The outward crossing of one surface by each track, shape (n,) each.

    ``on`` says whether it exists; elsewhere the columns are finite but meaningless. ``arc`` and
    ``chord`` run from the perigee; ``half_sin`` is the sine of half the turn between; ``cos_psi``
    and ``sin_psi`` give the transverse direction with respect to the radius; ``incidence`` is the
    cosine between track and normal, divided by cos(lambda).
    """

    on: BoolArray
    arc: FloatArray
    chord: FloatArray
    half_sin: FloatArray
    half_cos: FloatArray
    cos_psi: FloatArray
    sin_psi: FloatArray
    incidence: FloatArray


def find_crossing(tracks: Helices, surface: Surface) -> Crossing:
    """Outward crossing of a surface, found from the perigee without trigonometric functions.

    With the chord c from the perigee, r^2 = d0^2 + (1 + omega d0) c^2.
    """
    gain = 1 + tracks.omega * tracks.d0
    radius = np.full(len(tracks), surface.radius)
    if surface.normal_z:
        radius = _radius_on_cone(tracks, surface, gain)
    chord2 = (radius**2 - tracks.d0**2) / gain
    chord = np.sqrt(np.maximum(chord2, 0.0))
    half_sin = tracks.omega * chord / 2
    reached = (chord2 > 0) & (np.abs(half_sin) < 1)
    half_sin = np.where(reached, half_sin, 0.0)
    half_cos = np.sqrt(1 - half_sin**2)
    arc = chord * _arcsin_ratio(half_sin)
    cos_psi = gain * chord * half_cos / radius
    sin_psi = (tracks.d0 * (1 - 2 * half_sin**2) - half_sin * chord) / radius
    incidence = surface.normal_r * cos_psi + surface.normal_z * tracks.tan_lambda
    on = reached & (arc > tracks.birth) & (incidence > 0)
    if surface.normal_z:
        z = tracks.z0 + tracks.tan_lambda * arc - surface.z_reference
        miss = surface.normal_r * (radius - surface.radius) + surface.normal_z * z
        on &= np.abs(miss) < _MAX_MISS
    on &= _inside(tracks, surface, arc, half_sin, sin_psi, cos_psi)
    return Crossing(on, arc, chord, half_sin, half_cos, cos_psi, sin_psi, incidence)


def _arcsin_ratio(x: FloatArray) -> FloatArray:
    """arcsin(x)/x."""
    tiny = np.abs(x) < 1e-8
    safe = np.where(tiny, 1.0, x)
    return np.where(tiny, 1.0, np.arcsin(safe) / safe)


def _radius_on_cone(tracks: Helices, surface: Surface, gain: FloatArray) -> FloatArray:
    """Radius at which each track meets a cone [cm], by Newton steps along the track."""
    radius = np.full(len(tracks), surface.radius)
    slope = surface.normal_z / surface.normal_r
    ends = [
        surface.radius - slope * (z - surface.z_reference) for z in (surface.z_min, surface.z_max)
    ]
    for _ in range(_NEWTON_STEPS):
        chord = np.sqrt(np.maximum((radius**2 - tracks.d0**2) / gain, 1e-12))
        half_sin = np.clip(tracks.omega * chord / 2, -0.99, 0.99)
        z = tracks.z0 + tracks.tan_lambda * chord * _arcsin_ratio(half_sin)
        cos_psi = gain * chord * np.sqrt(1 - half_sin**2) / radius
        miss = radius - surface.radius + slope * (z - surface.z_reference)
        step = miss / np.maximum(1 + slope * tracks.tan_lambda / np.maximum(cos_psi, 0.1), 0.1)
        radius = np.clip(radius - step, min(ends) - 1.0, max(ends) + 1.0)
    return radius


def _inside(
    tracks: Helices,
    surface: Surface,
    arc: FloatArray,
    half_sin: FloatArray,
    sin_psi: FloatArray,
    cos_psi: FloatArray,
) -> BoolArray:
    """Whether the crossing lies within the surface's limits."""
    z = tracks.z0 + tracks.tan_lambda * arc
    inside = (z > surface.z_min) & (z < surface.z_max)
    if surface.z_gap is not None:
        inside &= (z < surface.z_gap[0]) | (z > surface.z_gap[1])
    if surface.phi_range is not None:
        turn = 2 * np.arcsin(half_sin)
        psi = np.arctan2(sin_psi, cos_psi)
        azimuth = tracks.phi0 - turn - psi
        low, high = surface.phi_range
        inside &= (azimuth - low) % (2 * np.pi) < high - low
    return inside


def path_thickness(tracks: Helices, surface: Surface, crossing: Crossing) -> FloatArray:
    """Radiation lengths on the way through one surface, zero where it is missed, shape (n,)."""
    secant = np.sqrt(1 + tracks.tan_lambda**2)
    return np.where(
        crossing.on,
        surface.thickness_x0 * secant / np.maximum(crossing.incidence, MIN_INCIDENCE),
        0.0,
    )
