"""The covariance of a track from its hits and the material between them.

An information filter: it starts from the last hit with no information and walks back to the first.
A hit adds information about the five parameters, scattering takes some away. All steps refer to the
same local parameters at the perigee (pivot on the track), in which a hit at arc length s is a known
linear function and a kink there a known shift, so that nothing is transported from layer to layer.

The matrices are kept as the 15 elements of their lower triangle, each an array over all tracks of a
block, so that every operation runs over contiguous numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helices import Place
from darkbelle.detsim.hits import Crossing
from darkbelle.detsim.symmetric import RELATIVE_PIVOT, packed_index
from darkbelle.geometry.layers import SiliconSensor, Wires

__all__ = ["Factor", "Information", "factorise", "square"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
Vector = Sequence[FloatArray | None]
"""Five components, None being zero."""

_ELEMENTS = [(i, j) for i in range(5) for j in range(i + 1)]
_ROWS = [[packed_index(i, j) for j in range(5)] for i in range(5)]
"""Where the elements of each row of a matrix stand."""


class Information:
    """Information matrices of a block of tracks, and what bends a track behind the fit's back.

    ``pull`` is the information matrix times the shift of the estimate, present where asked for.
    """

    def __init__(self, n_tracks: int, *, with_pull: bool = False) -> None:
        self.elements = [np.zeros(n_tracks) for _ in _ELEMENTS]
        self.pull = [np.zeros(n_tracks) for _ in range(5)] if with_pull else []

    def take(self, chosen: IndexArray) -> Information:
        """Copy of the matrices of some tracks."""
        part = Information(0)
        part.elements = [element[chosen] for element in self.elements]
        part.pull = [component[chosen] for component in self.pull]
        return part

    def put(self, chosen: IndexArray, part: Information) -> None:
        """Write those of some tracks back."""
        for mine, theirs in zip(self.elements + self.pull, part.elements + part.pull, strict=True):
            mine[chosen] = theirs

    def add_hits(self, crossing: Crossing, weight: FloatArray) -> None:
        """Add what the hits at a surface say, weights as from `draw_hits`."""
        for derivatives, variance in _measurements(crossing):
            self._add(derivatives, weight / variance)

    def add_scattering(self, place: Place, variance: FloatArray) -> None:
        """Take away what is lost by a kink of given projected variance [rad^2]."""
        tracks = place.tracks
        slope, secant2 = tracks.tan_lambda, tracks.secant2
        climb = slope * place.sagitta
        self._take((place.along, place.cos_turn, None, climb, None), variance * secant2)
        in_lambda = (
            climb,
            2 * slope * place.half_sin * place.half_cos,
            slope * tracks.omega,  # the momentum is kept, so pt changes with the dip angle
            -(place.arc + slope**2 * place.along),
            secant2,
        )
        self._take(in_lambda, variance)

    def add_curvature_noise(self, place: Place, variance: FloatArray) -> None:
        """Take away what is lost by a random change of curvature at a point [1/cm^2]."""
        self._take(_curvature_shift(place), variance)

    def change_curvature(self, rows: IndexArray, place: Place, change: FloatArray) -> None:
        """Account for changes of curvature that the fit does not know of [1/cm].

        Each of them, shape (m,), happens to the track in one of the rows, at a point of it.
        """
        elements = [element[rows] for element in self.elements]
        image = _image(elements, _curvature_shift(place))
        for component, shift in zip(self.pull, image, strict=True):
            np.add.at(component, rows, change * shift)

    def _add(self, vector: Vector, weight: FloatArray) -> None:
        """Add weight * vector vector^T."""
        for i, left in enumerate(vector):
            if left is None:
                continue
            weighted = weight * left
            for j in range(i + 1):
                right = vector[j]
                if right is not None:
                    self.elements[_ROWS[i][j]] += weighted * right

    def _take(self, shift: Vector, variance: FloatArray) -> None:
        """Let the parameters be shifted at random.

        A shift g of variance q turns the covariance C into C + q g g^T and the information I into
        I - v v^T / (1/q + g.v) with v = I g, and I d into that of the same estimate d.
        """
        image = _image(self.elements, shift)
        strength = _dot(shift, image)
        factor = variance / (1 + variance * strength)
        if self.pull:
            pulled = factor * _dot(shift, self.pull)
            for component, share in zip(self.pull, image, strict=True):
                component -= pulled * share
        for i in range(5):
            scaled = factor * image[i]
            for j in range(i + 1):
                self.elements[_ROWS[i][j]] -= scaled * image[j]


def _image(elements: Sequence[FloatArray], vector: Vector) -> list[FloatArray]:
    """Matrix times vector."""
    return [_dot(vector, [elements[k] for k in row]) for row in _ROWS]


def _dot(vector: Vector, other: Sequence[FloatArray]) -> FloatArray:
    """Scalar product."""
    total: FloatArray | None = None
    for a, b in zip(vector, other, strict=True):
        if a is None:
            continue
        if total is None:
            total = a * b
        else:
            total += a * b
    assert total is not None
    return total


def _curvature_shift(place: Place) -> Vector:
    """Shift of the parameters by a unit of curvature that sets in at a point."""
    climb = place.tracks.tan_lambda * place.lag
    return place.bend, place.along, np.ones_like(climb), climb, None


def _measurements(crossing: Crossing) -> list[tuple[Vector, FloatArray | float]]:
    """Derivatives of each measured coordinate by the five parameters, and its variance.

    Variances are those of hits of weight one.

    At the surface the track may be displaced across its direction in the bending plane and along
    z; each coordinate is a linear combination of these two shifts.
    """
    sensor = crossing.surface.sensor
    if sensor is None:
        return []
    across = (crossing.cos_turn, -crossing.along, crossing.bend)
    if isinstance(sensor, Wires) and sensor.tan_stereo == 0:
        return [((*across, None, None), 1.0)]
    slope = crossing.tracks.tan_lambda
    rise = slope * crossing.half_sin
    lengthwise = (-2 * rise * crossing.half_cos, rise * crossing.chord, -slope * crossing.lag)
    coordinates = _on_wires if isinstance(sensor, Wires) else _on_silicon
    measurements: list[tuple[Vector, FloatArray | float]] = []
    for a, b, variance in coordinates(crossing):
        shared = [a * u + b * v for u, v in zip(across, lengthwise, strict=True)]
        measurements.append(((*shared, b, b * crossing.arc), variance))
    return measurements


Coordinate = tuple[FloatArray, FloatArray, FloatArray | float]
"""Coefficients of the shifts across and lengthwise, and the variance."""


def _on_wires(crossing: Crossing) -> list[Coordinate]:
    """The distance to a wire tilted by the stereo angle, across both wire and track."""
    wires = crossing.surface.sensor
    assert isinstance(wires, Wires)
    a = 1 - wires.tan_stereo * crossing.tracks.tan_lambda * crossing.sin_psi
    b = wires.tan_stereo * crossing.cos_psi
    return [(a, b, a**2 + b**2 * crossing.tracks.secant2)]


def _on_silicon(crossing: Crossing) -> list[Coordinate]:
    """R-phi, and the coordinate across it in the plane of the sensor.

    The displaced track slides along itself until it meets the surface again.
    """
    sensor = crossing.surface.sensor
    assert isinstance(sensor, SiliconSensor)
    normal_r, normal_z = crossing.surface.normal_r, crossing.surface.normal_z
    cos_psi, sin_psi = crossing.cos_psi, crossing.sin_psi
    slide_a, slide_b = normal_r * sin_psi / crossing.incidence, normal_z / crossing.incidence
    climb = normal_z * cos_psi - normal_r * crossing.tracks.tan_lambda
    return [
        (-cos_psi - sin_psi * slide_a, -sin_psi * slide_b, sensor.sigma_rphi**2),
        (climb * slide_a - normal_z * sin_psi, normal_r + climb * slide_b, sensor.sigma_z**2),
    ]


@dataclass(frozen=True, slots=True)
class Factor:
    """Inverse of the Cholesky factor L of an information matrix I = L L^T, as 15 arrays.

    ``positive`` tells where I was positive definite; elsewhere the factor is that of a unit matrix.
    """

    inverse: list[FloatArray]
    positive: BoolArray

    def draw(self, normals: Sequence[FloatArray]) -> list[FloatArray]:
        """Correlated deviations L^-T z from unit normals z, five arrays each."""
        return [
            _dot([self.inverse[packed_index(k, i)] for k in range(i, 5)], normals[i:])
            for i in range(5)
        ]

    def solve(self, pull: Sequence[FloatArray]) -> list[FloatArray]:
        """Covariance times a vector, five arrays each."""
        return self.draw(
            [
                _dot([self.inverse[packed_index(i, k)] for k in range(i + 1)], pull[: i + 1])
                for i in range(5)
            ]
        )

    def covariance(self) -> list[FloatArray]:
        """L^-T L^-1, the 15 elements of its lower triangle."""
        columns = [[self.inverse[packed_index(k, i)] for k in range(i, 5)] for i in range(5)]
        return [_dot(columns[i], columns[j][i - j :]) for i, j in _ELEMENTS]


def square(elements: Sequence[FloatArray]) -> list[list[FloatArray]]:
    """Rows of symmetric matrices from the elements of their lower triangles."""
    return [[elements[k] for k in row] for row in _ROWS]


def factorise(information: Information) -> Factor:
    """Cholesky factor of every matrix and its inverse; a failure stays with its own track."""
    elements = information.elements
    lower, inverse = list(elements), list(elements)
    positive = np.ones(len(elements[0]), dtype=bool)
    least = np.ones(len(elements[0]))
    for i in range(5):
        for j in range(i):
            element = elements[packed_index(i, j)].copy()
            for k in range(j):
                element -= lower[packed_index(i, k)] * lower[packed_index(j, k)]
            lower[packed_index(i, j)] = element * inverse[packed_index(j, j)]
        diagonal = elements[packed_index(i, i)]
        pivot = diagonal.copy()
        for k in range(i):
            pivot -= lower[packed_index(i, k)] ** 2
        positive &= np.isfinite(pivot) & (least * pivot > RELATIVE_PIVOT * diagonal)
        relative = np.divide(pivot, diagonal, out=np.ones_like(pivot), where=positive)
        least = np.minimum(least, relative)
        lower[packed_index(i, i)] = np.sqrt(np.where(positive, pivot, 1.0))
        inverse[packed_index(i, i)] = 1 / lower[packed_index(i, i)]
    for i in range(5):
        for j in range(i):
            element = lower[packed_index(i, j)] * inverse[packed_index(j, j)]
            for k in range(j + 1, i):
                element += lower[packed_index(i, k)] * inverse[packed_index(k, j)]
            inverse[packed_index(i, j)] = -element * inverse[packed_index(i, i)]
    if not positive.all():
        for k, (i, j) in enumerate(_ELEMENTS):
            inverse[k] = np.where(positive, inverse[k], float(i == j))
    return Factor(inverse, positive)
