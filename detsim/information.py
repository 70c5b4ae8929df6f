"""The covariance of a track from its hits and the material between them.

An information filter: it starts from the outermost hit with no information and walks inward. A hit
adds information about the five parameters, scattering takes some away. All steps refer to the same
local parameters at the perigee (pivot on the track), in which a hit at arc length s is a known
linear function and a kink there a known shift, so that nothing is transported from layer to layer.

The matrices are kept as the 15 elements of their lower triangle, an array of shape (15, n): rows
are contiguous and every operation runs over all tracks of a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.hits import MIN_INCIDENCE, Crossing, Helices
from darkbelle.geometry import Surface
from darkbelle.geometry.layers import Wire

__all__ = ["N_ELEMENTS", "Factor", "add_hit", "add_scattering", "factorise"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_ELEMENTS = [(i, j) for i in range(5) for j in range(i + 1)]
_INDEX = {element: k for k, element in enumerate(_ELEMENTS)}
N_ELEMENTS = len(_ELEMENTS)
_RELATIVE_PIVOT = 1e-11
"""A pivot smaller than this fraction of its diagonal element is rounding, not information."""


def add_hit(
    information: FloatArray, tracks: Helices, surface: Surface, crossing: Crossing, hit: BoolArray
) -> None:
    """Add what a hit says, in place, for the tracks where ``hit`` holds.

    At the surface the track may be displaced across its direction in the bending plane and along
    z; each measured coordinate is a linear combination of these two shifts.
    """
    across = _across(crossing)
    if isinstance(surface.sensor, Wire) and surface.sensor.tan_stereo == 0:
        weight = hit / surface.sensor.sigma**2
        _add_products(information, across, [weight * derivative for derivative in across])
        return
    lengthwise = _lengthwise(tracks, crossing)
    weight_aa = weight_ab = weight_bb = np.zeros(len(tracks))
    for a, b, variance in _coordinates(tracks, surface, crossing):
        weighted_a, weighted_b = a / variance, b / variance
        weight_aa = weight_aa + weighted_a * a
        weight_ab = weight_ab + weighted_a * b
        weight_bb = weight_bb + weighted_b * b
    weight_aa, weight_ab, weight_bb = hit * weight_aa, hit * weight_ab, hit * weight_bb
    both = list(zip(across, lengthwise, strict=False))
    _add_products(information, across, [weight_aa * a + weight_ab * b for a, b in both])
    mixed = [weight_ab * a + weight_bb * b for a, b in both]
    _add_products(information, lengthwise, mixed + [weight_bb * b for b in lengthwise[3:]])


def _add_products(
    information: FloatArray, left: Sequence[FloatArray], right: Sequence[FloatArray]
) -> None:
    """Add left_i right_j to the lower triangle, in place."""
    for i, factor in enumerate(left):
        for j in range(min(i + 1, len(right))):
            information[_INDEX[i, j]] += factor * right[j]


def _across(crossing: Crossing) -> tuple[FloatArray, ...]:
    """Shift across the track in the bending plane by (d0, phi0, omega), cf. `shift_jacobian`."""
    sin_half, chord = crossing.half_sin, crossing.chord
    return 1 - 2 * sin_half**2, -chord * crossing.half_cos, chord**2 / 2


def _lengthwise(tracks: Helices, crossing: Crossing) -> tuple[FloatArray, ...]:
    """Shift along z at fixed transverse position by all five parameters."""
    slope, sin_half, chord = tracks.tan_lambda, crossing.half_sin, crossing.chord
    slope_chord = slope * chord
    return (
        -2 * slope * sin_half * crossing.half_cos,
        slope_chord * sin_half,
        -slope_chord * chord / 2 * _lag(sin_half),
        np.ones_like(chord),
        crossing.arc,
    )


def _lag(h: FloatArray) -> FloatArray:
    """(arcsin(h)/h - sqrt(1 - h^2))/h: the lag of chord behind arc in units of chord^2/2."""
    h2 = h**2
    lag = h * (2 / 3 + h2 * (1 / 5 + h2 * (3 / 28 + h2 * 5 / 72)))
    large = np.abs(h) > 0.1
    if large.any():
        x = h[large]
        lag[large] = (np.arcsin(x) / x - np.sqrt(1 - x**2)) / x
    return lag


def _coordinates(
    tracks: Helices, surface: Surface, crossing: Crossing
) -> list[tuple[FloatArray, FloatArray, FloatArray | float]]:
    """Measured coordinates: coefficients of the shifts across and lengthwise, and the variance."""
    slope, cos_psi, sin_psi = tracks.tan_lambda, crossing.cos_psi, crossing.sin_psi
    sensor = surface.sensor
    if isinstance(sensor, Wire):
        # The distance to a wire tilted by the stereo angle, across both wire and track.
        a = 1 - sensor.tan_stereo * slope * sin_psi
        b = sensor.tan_stereo * cos_psi
        return [(a, b, sensor.sigma**2 * (a**2 + b**2 * (1 + slope**2)))]
    if sensor is None:
        return []
    # The displaced track slides along itself until it meets the surface again.
    normal_r, normal_z = surface.normal_r, surface.normal_z
    inverse = 1 / np.maximum(crossing.incidence, MIN_INCIDENCE)
    slide_a, slide_b = normal_r * sin_psi * inverse, normal_z * inverse
    climb = normal_z * cos_psi - normal_r * slope
    return [
        (-cos_psi - sin_psi * slide_a, -sin_psi * slide_b, sensor.sigma_rphi**2),
        (climb * slide_a - normal_z * sin_psi, normal_r + climb * slide_b, sensor.sigma_z**2),
    ]


def add_scattering(
    information: FloatArray, tracks: Helices, crossing: Crossing, variance: FloatArray
) -> None:
    """Take away, in place, what is lost by a kink of given projected variance [rad^2].

    A kink of variance q that shifts the parameters by g turns the covariance C into C + q g g^T
    and the information I into I - v v^T / (1/q + g.v) with v = I g.
    """
    slope, omega, h, chord = tracks.tan_lambda, tracks.omega, crossing.half_sin, crossing.chord
    sin_turn, cos_turn = 2 * h * crossing.half_cos, 1 - 2 * h**2
    along = chord * crossing.half_cos
    sagitta = chord * h
    secant2 = 1 + slope**2
    in_phi = (along, cos_turn, None, slope * sagitta, None)
    _take(information, in_phi, variance * secant2)
    in_lambda = (
        slope * sagitta,
        slope * sin_turn,
        slope * omega,  # the momentum is kept, so pt changes with the dip angle
        -(crossing.arc + slope**2 * along),
        secant2,
    )
    _take(information, in_lambda, variance)


def _take(
    information: FloatArray, shift: tuple[FloatArray | None, ...], variance: FloatArray
) -> None:
    """Rank-one downdate by a shift of the parameters, None being zero, in place."""
    parts = [(j, component) for j, component in enumerate(shift) if component is not None]
    image = [
        sum(information[_INDEX[max(i, j), min(i, j)]] * component for j, component in parts)
        for i in range(5)
    ]
    strength = sum(component * image[j] for j, component in parts)
    factor = variance / (1 + variance * strength)
    for i in range(5):
        scaled = factor * image[i]
        for j in range(i + 1):
            information[_INDEX[i, j]] -= scaled * image[j]


@dataclass(frozen=True, slots=True)
class Factor:
    """Inverse of the Cholesky factor L of an information matrix I = L L^T, as 15 rows.

    ``positive`` tells where I was positive definite; elsewhere the factor is that of a unit matrix.
    """

    inverse: FloatArray
    positive: BoolArray

    def draw(self, normals: FloatArray) -> FloatArray:
        """Correlated deviations L^-T z from unit normals z, both of shape (5, n)."""
        deviations = np.zeros_like(normals)
        for i in range(5):
            for k in range(i, 5):
                deviations[i] += self.inverse[_INDEX[k, i]] * normals[k]
        return deviations

    def covariance(self) -> FloatArray:
        """L^-T L^-1, shape (n, 5, 5)."""
        covariance = np.empty((self.inverse.shape[1], 5, 5))
        for i, j in _ELEMENTS:
            element = np.zeros(self.inverse.shape[1])
            for k in range(i, 5):
                element += self.inverse[_INDEX[k, i]] * self.inverse[_INDEX[k, j]]
            covariance[:, i, j] = covariance[:, j, i] = element
        return covariance


def factorise(information: FloatArray) -> Factor:
    """Cholesky factor of every matrix and its inverse; a failure stays with its own track."""
    n_tracks = information.shape[1]
    lower = np.empty_like(information)
    inverse = np.empty_like(information)
    positive = np.ones(n_tracks, dtype=bool)
    for i in range(5):
        for j in range(i):
            element = information[_INDEX[i, j]].copy()
            for k in range(j):
                element -= lower[_INDEX[i, k]] * lower[_INDEX[j, k]]
            lower[_INDEX[i, j]] = element * inverse[_INDEX[j, j]]
        diagonal = information[_INDEX[i, i]]
        pivot = diagonal.copy()
        for k in range(i):
            pivot -= lower[_INDEX[i, k]] ** 2
        positive &= np.isfinite(pivot) & (pivot > _RELATIVE_PIVOT * diagonal)
        lower[_INDEX[i, i]] = np.sqrt(np.where(positive, pivot, 1.0))
        inverse[_INDEX[i, i]] = 1 / lower[_INDEX[i, i]]
    for i in range(5):
        for j in range(i):
            element = np.zeros(n_tracks)
            for k in range(j, i):
                element -= lower[_INDEX[i, k]] * inverse[_INDEX[k, j]]
            inverse[_INDEX[i, j]] = element * inverse[_INDEX[i, i]]
    unit = np.array([float(i == j) for i, j in _ELEMENTS])
    return Factor(np.where(positive, inverse, unit[:, None]), positive)
