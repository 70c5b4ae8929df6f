"""Where helices meet the surfaces of the tracking volume."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helices import Helices, Place
from darkbelle.detsim.legs import Leg
from darkbelle.geometry import Surface
from darkbelle.geometry.layers import Wires

__all__ = [
    "MIN_INCIDENCE",
    "Crossing",
    "arc_at_radius",
    "draw_hits",
    "find_crossing",
    "meets_all_parts",
    "obliquity",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

MIN_INCIDENCE = 1e-3
"""Cosine to the normal below which a surface gets no thicker: it is not flat at that scale."""

_SECANT_STEPS = 10
_STEEPEST = 0.1
"""Cosine to the radius below which a track's arc from layer to layer is not extrapolated."""
_MAX_MISS = 1e-2
"""Distance to a cone [cm] beyond which the steps have not found it."""
_BEFORE_APEX = 1 - 1e-12
"""Share of the distance to the farthest point that is reached whatever the rounding."""


@dataclass(frozen=True)
class Crossing(Place):
    """Where each track meets one surface on one leg.

    ``on`` says whether it does; elsewhere the columns are finite but meaningless.
    """

    surface: Surface
    on: BoolArray
    radius: FloatArray | float

    def take(self, chosen: IndexArray) -> Crossing:
        """Some of them."""
        return Crossing(
            self.tracks.take(chosen),
            self.arc[chosen],
            self.chord[chosen],
            self.half_sin[chosen],
            self.half_cos[chosen],
            self.surface,
            self.on[chosen],
            self.radius if isinstance(self.radius, float) else self.radius[chosen],
        )

    @cached_property
    def cos_psi(self) -> FloatArray:
        """Of the transverse direction, along the radius."""
        return self.tracks.gain * self.along / self.radius

    @cached_property
    def sin_psi(self) -> FloatArray:
        """Of the transverse direction, around the axis."""
        return (self.tracks.d0 * self.cos_turn - self.sagitta) / self.radius

    @cached_property
    def incidence(self) -> FloatArray:
        """Cosine between track and normal, divided by cos(lambda), never too close to zero."""
        cosine = self.surface.normal_r * self.cos_psi
        if self.surface.normal_z:
            cosine = cosine + self.surface.normal_z * self.tracks.tan_lambda
        return np.copysign(np.maximum(np.abs(cosine), MIN_INCIDENCE), cosine)


def find_crossing(tracks: Helices, surface: Surface, leg: Leg = Leg.OUTWARD) -> Crossing:
    """Crossing of a surface on one leg of the tracks' first turn, between birth and end."""
    radius: FloatArray | float = surface.radius
    if surface.normal_z:
        radius = _radius_on_cone(tracks, surface, leg)
    elif surface.flare:
        radius = _radius_on_hyperboloid(tracks, surface, leg)
    on, arc, chord, half_sin, half_cos = _reach(tracks, radius, leg)
    crossing = Crossing(tracks, arc, chord, half_sin, half_cos, surface, on, radius)
    z = tracks.z0 + tracks.tan_lambda * arc
    on &= (arc > tracks.birth) & (arc < tracks.end)
    on &= (z > surface.z_min) & (z < surface.z_max)
    if surface.z_gap is not None:
        on &= (z < surface.z_gap[0]) | (z > surface.z_gap[1])
    if surface.phi_range is not None:
        direction = tracks.phi0 - tracks.omega * arc
        azimuth = direction - np.arctan2(crossing.sin_psi, crossing.cos_psi)
        low, high = surface.phi_range
        on &= (azimuth - low) % (2 * np.pi) < high - low
    if surface.normal_z:
        height = surface.normal_r * (radius - surface.radius)
        on &= np.abs(height + surface.normal_z * (z - surface.z_reference)) < _MAX_MISS
    return crossing


def meets_all_parts(crossing: Crossing) -> BoolArray:
    """Whether tracks that cross a surface of several wire layers meet the first and the last."""
    tracks, surface = crossing.tracks, crossing.surface
    step = 1 / np.copysign(np.maximum(np.abs(crossing.cos_psi), _STEEPEST), crossing.cos_psi)
    whole = crossing.on
    for layer in (surface.parts[0], surface.parts[-1]):
        arc = crossing.arc + (layer.radius - surface.radius) * step
        z = tracks.z0 + tracks.tan_lambda * arc
        whole = whole & (arc > tracks.birth) & (arc < tracks.end)
        whole &= (z > layer.z_min) & (z < layer.z_max)
    return whole


def _reach(
    tracks: Helices, radius: FloatArray | float, leg: Leg
) -> tuple[BoolArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Whether a distance from the axis is reached, arc, chord, sine and cosine of half the turn.

    With the chord c from the perigee, r^2 = d0^2 + (1 + omega d0) c^2.
    """
    chord2 = (radius**2 - tracks.d0_squared) * tracks.inverse_gain
    half_sin2 = chord2 * tracks.quarter_omega2
    reached = (chord2 > 0) & (half_sin2 < 1)
    if not reached.all():
        chord2 = np.where(reached, chord2, 0.0)
        half_sin2 = np.where(reached, half_sin2, 0.0)
    chord = np.sqrt(chord2)
    half_sin = tracks.half_omega * chord
    half_cos = np.sqrt(1 - half_sin2)
    arc = np.arcsin(half_sin) * tracks.diameter
    if leg is Leg.INWARD:
        return reached, -arc, -chord, -half_sin, half_cos
    if leg is Leg.RETURN:
        return reached, np.pi * np.abs(tracks.diameter) - arc, chord, half_sin, -half_cos
    return reached, arc, chord, half_sin, half_cos


def _z_at(tracks: Helices, radius: FloatArray | float, leg: Leg) -> FloatArray:
    """Position along the axis at a distance from it [cm]."""
    z: FloatArray = tracks.z0 + tracks.tan_lambda * _reach(tracks, radius, leg)[1]
    return z


def _radius_on_hyperboloid(tracks: Helices, surface: Surface, leg: Leg) -> FloatArray:
    """Distance from the axis at which each track meets a stereo layer [cm].

    The place along the axis is that at the waist's radius, where the layer is within a few
    per cent of its radius.
    """
    z = _z_at(tracks, surface.radius, leg)
    z = np.minimum(np.maximum(z, surface.z_min), surface.z_max)
    flared = (surface.flare * (z - surface.z_reference)) ** 2
    radius: FloatArray = np.sqrt(surface.radius**2 + flared)
    return radius


def _radius_on_cone(tracks: Helices, surface: Surface, leg: Leg) -> FloatArray:
    """Distance from the axis at which each track meets a cone [cm].

    The height over the cone changes sign between the cone's ends where a track meets it.
    """
    slope = surface.normal_z / surface.normal_r
    ends = [
        surface.radius - slope * (z - surface.z_reference) for z in (surface.z_min, surface.z_max)
    ]

    def height(some: Helices, radius: FloatArray) -> FloatArray:
        z = _z_at(some, radius, leg)
        return radius - surface.radius + slope * (z - surface.z_reference)

    # A track that rises with the radius and is still below at the outer end never meets it.
    apex = tracks.apex_radius * _BEFORE_APEX
    high = np.clip(apex, min(ends), max(ends))
    height_high = height(tracks, high)
    rises = tracks.tan_lambda * slope * (-1 if leg is not Leg.OUTWARD else 1) > 0
    flight = tracks.tan_lambda * (-1 if leg is Leg.INWARD else 1)  # away from the perigee
    beside = np.where(flight > 0, tracks.z0 > surface.z_max, tracks.z0 < surface.z_min)
    some_rows = np.flatnonzero(~(rises & (height_high < 0)) & ~beside)
    candidates, high, height_high = tracks.take(some_rows), high[some_rows], height_high[some_rows]
    low = np.clip(np.abs(candidates.d0), min(ends), max(ends))
    height_low = height(candidates, low)
    crossed = np.flatnonzero(height_low * height_high < 0)
    met = some_rows[crossed]
    radius = np.full(len(tracks), surface.radius)
    some, a, b = candidates.take(crossed), low[crossed], high[crossed]
    height_a, height_b = height_low[crossed], height_high[crossed]
    for _ in range(_SECANT_STEPS):  # the Illinois variant of the secant, always bracketed
        c = b - height_b * (b - a) / np.where(height_b == height_a, 1.0, height_b - height_a)
        height_c = height(some, c)
        across = height_c * height_b < 0
        a, height_a = np.where(across, b, a), np.where(across, height_b, height_a / 2)
        b, height_b = c, height_c
    radius[met] = b
    return radius


def draw_hits(
    crossing: Crossing, rng: np.random.Generator
) -> tuple[FloatArray, npt.NDArray[np.int16]]:
    """Hits that the sensors of a surface deliver: their weights in a fit, and their number.

    A weight is the inverse variance of a wire's measurement, and one for a hit in silicon.
    """
    sensor, tracks = crossing.surface.sensor, crossing.tracks
    n_tracks = len(tracks)
    if not isinstance(sensor, Wires):
        efficiency = 0.0 if sensor is None else sensor.efficiency
        hit = crossing.on & (rng.random(n_tracks, dtype=np.float32) < efficiency)
        return hit.astype(np.float64), hit.astype(np.int16)
    weight, number = np.zeros(n_tracks), np.zeros(n_tracks, np.int16)
    for sigma in sensor.sigma:
        hit = crossing.on & (rng.random(n_tracks, dtype=np.float32) < sensor.efficiency)
        weight += hit / sigma**2
        number += hit
    return weight, number


def arc_at_radius(tracks: Helices, radius: FloatArray | float, leg: Leg) -> FloatArray:
    """Arc length at which a distance from the axis is reached on a leg [cm], NaN if it is not."""
    reached, arc, *_ = _reach(tracks, radius, leg)
    return np.where(reached, arc, np.nan)


def obliquity(crossing: Crossing) -> FloatArray:
    """Path through the surface over its thickness, zero where it is missed, shape (n,)."""
    path: FloatArray = crossing.on * np.sqrt(crossing.tracks.secant2) / np.abs(crossing.incidence)
    return path
