"""Where particles and tracks of an event go, as points in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helices import Helices
from darkbelle.detsim.helix import direction_at, position_at
from darkbelle.geometry import Experiment
from darkbelle.units import um

__all__ = ["Cylinder", "arc_at_radius", "helix_paths", "straight_paths", "true_paths"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_POINTS: Final = 500
_ONWARD: Final = 100
"""Points of the straight ways behind the field; from the side they bend next to the axis."""
_TURNS: Final = 10
"""That a curling particle is followed, as by `darkbelle.detsim.cavity`."""


@dataclass(frozen=True, slots=True)
class Cylinder:
    """A volume around the axis [cm]."""

    radius: float
    z_min: float
    z_max: float

    @classmethod
    def of_calorimeter(cls, experiment: Experiment) -> Self:
        """What the faces of the crystals enclose."""
        crystals = experiment.calorimeter
        return cls(crystals.inner_radius_cm, crystals.z_min_cm, crystals.z_max_cm)

    @classmethod
    def of_field(cls, experiment: Experiment) -> Self:
        """Up to the coil and the iron, where tracks bend."""
        klm = experiment.klm
        return cls(klm.coil.radius_cm, klm.backward.face_cm, klm.forward.face_cm)

    @classmethod
    def of_detector(cls, experiment: Experiment) -> Self:
        """Up to the outermost layers of the muon system."""
        klm = experiment.klm
        return cls(klm.barrel.last_layer_cm, klm.backward.last_layer_cm, klm.forward.last_layer_cm)

    def arc_out(self, tracks: Helices) -> FloatArray:
        """Arc length at which each helix leaves, of half a turn if it curls, shape (n,) [cm]."""
        return np.minimum(arc_at_radius(tracks, self.radius), self.arc_to_end(tracks))

    def arc_to_end(self, tracks: Helices) -> FloatArray:
        """Arc length at which each helix passes one of the ends, shape (n,) [cm]."""
        slope = np.where(tracks.tan_lambda == 0, np.finfo(float).tiny, tracks.tan_lambda)
        with np.errstate(over="ignore"):
            by_z = (np.where(slope > 0, self.z_max, self.z_min) - tracks.z0) / slope
        arc: FloatArray = np.maximum(by_z, 0.0)
        return arc

    def is_at_border(self, points: FloatArray) -> BoolArray:
        """Whether points, shape (n, 3), lie at the border or outside, to a micrometre."""
        x, y, z = points.T
        inside = np.stack([self.radius - np.hypot(x, y), self.z_max - z, z - self.z_min])
        at_border: BoolArray = inside.min(axis=0) < 1 * um
        return at_border

    def way_out(self, start: FloatArray, direction: FloatArray) -> FloatArray:
        """Length of straight lines from points inside to where they leave, (n, 3) to (n,) [cm]."""
        across, towards = start[:, :2], direction[:, :2]
        a = np.maximum((towards**2).sum(axis=1), np.finfo(float).tiny)
        b = (across * towards).sum(axis=1)
        c = (across**2).sum(axis=1) - self.radius**2
        sideways = (-b + np.sqrt(np.maximum(b**2 - a * c, 0.0))) / a
        dz = np.where(direction[:, 2] == 0, np.finfo(float).tiny, direction[:, 2])
        with np.errstate(over="ignore"):
            lengthwise = (np.where(dz > 0, self.z_max, self.z_min) - start[:, 2]) / dz
        way: FloatArray = np.maximum(np.minimum(sideways, lengthwise), 0.0)
        return way


def arc_at_radius(tracks: Helices, radius: FloatArray | float) -> FloatArray:
    """Arc length to a distance from the axis, to the farthest point if none is so far, (n,) [cm].

    The radius at a chord c from the perigee is r^2 = d0^2 + (1 + omega d0) c^2, as in
    `darkbelle.detsim.helices.radius_at`, and the chord of an arc s is 2 sin(omega s/2)/omega.
    """
    bend = np.abs(tracks.half_omega)
    chord2 = np.maximum(np.square(radius) - tracks.d0_squared, 0.0) / tracks.gain
    arc: FloatArray = np.arcsin(np.minimum(bend * np.sqrt(chord2), 1.0)) / bend
    return arc


def helix_paths(tracks: Helices, begin: FloatArray, end: FloatArray) -> FloatArray:
    """Points between two arc lengths [cm], shape (n, points, 3)."""
    share = np.linspace(0.0, 1.0, _POINTS)
    arc = begin[:, None] + share * (end - begin)[:, None]
    helix = np.repeat(tracks.columns, _POINTS, axis=0)
    return position_at(helix, arc.ravel()).reshape(len(tracks), _POINTS, 3)


def straight_paths(start: FloatArray, end: FloatArray) -> FloatArray:
    """Points behind a start up to an end, (n, 3) each, shape (n, points, 3)."""
    share = np.linspace(0.0, 1.0, _ONWARD + 1)[1:, None]
    return start[:, None] + share * (end - start)[:, None]


def true_paths(
    start: FloatArray,
    end: FloatArray,
    momentum: FloatArray,
    charge: npt.NDArray[np.int8],
    flight: FloatArray,
    experiment: Experiment,
) -> FloatArray:
    """Points of the ways of true particles, from birth to end or out of the detector.

    Parameters
    ----------
    start, end
        Points of birth and end [cm], shape (n, 3); an end at zero is none.
    momentum
        At birth [GeV], shape (n, 3).
    charge
        Shape (n,); neutral ones fly straight.
    flight
        Path between birth and end in the transverse plane [cm], shape (n,).

    Returns
    -------
    points
        Shape (n, points, 3). A way with an end reaches it: what losses have bent away is spread
        over it. One without goes on straight behind the field, if it gets there; one that curls
        inside of the calorimeter does so until it leaves through an end, or for ten turns.
    """
    tracks = Helices.of_particles(start, momentum, charge, experiment.solenoid.field_t)
    field, detector = Cylinder.of_field(experiment), Cylinder.of_detector(experiment)
    has_end, is_neutral = np.any(end != 0, axis=1), charge == 0
    leave = np.maximum(field.arc_out(tracks), tracks.birth)
    curls = tracks.apex_radius < Cylinder.of_calorimeter(experiment).radius
    gone = tracks.birth + _TURNS * np.pi * np.abs(tracks.diameter)
    leave = np.where(curls, np.minimum(field.arc_to_end(tracks), gone), leave)
    bent = helix_paths(tracks, tracks.birth, np.where(has_end, tracks.birth + flight, leave))
    share = np.linspace(0.0, 1.0, bent.shape[1])[None, :, None]
    off = np.where(has_end[:, None], end - bent[:, -1], 0.0)
    bent = bent + share * off[:, None, :]

    direction = momentum / np.linalg.norm(momentum, axis=1, keepdims=True)
    last = np.where(is_neutral[:, None], start, bent[:, -1])
    onward = np.where(is_neutral[:, None], direction, _directions(tracks, leave))
    goes_on = ~has_end & (is_neutral | field.is_at_border(last))
    way = np.where(goes_on, detector.way_out(last, onward), 0.0)
    target = np.where(has_end[:, None], end, last + way[:, None] * onward)
    straight = start[:, None] + share * (target - start)[:, None, :]
    paths = np.where(is_neutral[:, None, None], straight, bent)
    return np.concatenate([paths, straight_paths(paths[:, -1], target)], axis=1)


def _directions(tracks: Helices, arc: FloatArray) -> FloatArray:
    """Unit vectors along helices at an arc length, shape (n, 3)."""
    phi = direction_at(tracks.columns, arc)
    direction = np.stack([np.cos(phi), np.sin(phi), tracks.tan_lambda], axis=-1)
    unit: FloatArray = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    return unit
