"""What the hits of tracks say about them, and what scattering and losses take away.

Two walks along every track: forward, to know the material that it crosses and how it slows down;
and back from its last hit to the first, collecting information.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.energy_loss import momentum_after, relative_loss
from darkbelle.detsim.helices import Helices, place_at, radius_at
from darkbelle.detsim.hits import Crossing, draw_hits, find_crossing, meets_all_parts, obliquity
from darkbelle.detsim.information import Information
from darkbelle.detsim.legs import Leg, OnLeg, split_into_legs
from darkbelle.detsim.losses import Losses
from darkbelle.geometry import Surface
from darkbelle.geometry.card import Detector
from darkbelle.geometry.layers import Wires
from darkbelle.units import MeV

__all__ = ["Hits", "collect", "highland_variance", "lengthened"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
CountArray = npt.NDArray[np.int16]

_DENSE = 0.6
"""Share of a block above which a surface is cheaper for all of it than for those that meet it."""

_NEAR = 2.0
"""Distance [cm] from where a track starts, turns or ends within which wire layers count singly."""
_NEAR_PER_INVERSE_GEV = 5.0
"""The same for a GeV of momentum, to be added [cm GeV]."""

_STEEPEST = 4.0
"""Cotangent of the polar angle of the most forward tracks that a chamber can find."""

_SLOWING = 0.02
"""Relative loss of momentum above which scattering grows noticeably on the way."""
_SLOWEST = 1e-3
"""Share of its momentum at birth that a particle keeps in the formula for scattering."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Number of hits in each detector, and of those in stereo layers, shape (n,) each.

    ``first_radius`` is the distance from the axis of the first one in order of flight [cm].
    """

    number: dict[Detector, CountArray]
    stereo: CountArray
    first_radius: FloatArray

    @classmethod
    def none(cls, n_tracks: int) -> Hits:
        """No hits yet."""
        number = {detector: np.zeros(n_tracks, np.int16) for detector in Detector}
        return cls(number, np.zeros(n_tracks, np.int16), np.full(n_tracks, np.inf))

    @property
    def silicon(self) -> CountArray:
        """Hits in silicon."""
        return self.number[Detector.PXD] + self.number[Detector.SVD]

    @property
    def wires(self) -> CountArray:
        """Hits in the drift chamber."""
        return self.number[Detector.CDC]

    def prepend(self, rows: IndexArray | slice, crossing: Crossing, number: CountArray) -> None:
        """Add hits at a surface that the tracks in some rows meet before all others so far."""
        sensor = crossing.surface.sensor
        assert sensor is not None
        self.number[sensor.detector][rows] += number
        if isinstance(sensor, Wires) and sensor.tan_stereo:
            self.stereo[rows] += number
        first = np.where(number > 0, crossing.radius, self.first_radius[rows])
        self.first_radius[rows] = first


def collect(
    tracks: Helices,
    momentum: FloatArray,
    mass: FloatArray,
    surfaces: tuple[Surface, ...],
    losses: Losses,
    rng: np.random.Generator,
) -> tuple[Information, Hits]:
    """Information on the local parameters at the perigee, and the hits that it comes from.

    Parameters
    ----------
    momentum, mass
        Of each particle at its birth [GeV], shape (n,).
    losses
        ``particle`` being the number of the track.
    """
    searched = tuple(lengthened(surface) for surface in surfaces)
    legs = [_meet(part, searched, momentum) for part in split_into_legs(tracks, surfaces)]
    variances = _scattering(legs, momentum, mass)
    whole = Information(len(tracks), with_pull=len(losses.particle) > 0)
    hits = Hits.none(len(tracks))
    for leg, kinks in zip(reversed(legs), reversed(variances), strict=True):
        everybody = len(leg.part.rows) == len(tracks)
        information = whole if everybody else whole.take(leg.part.rows)
        _walk_back(leg, kinks, information, hits, losses, rng)
        if not everybody:
            whole.put(leg.part.rows, information)
    return whole, hits


@dataclass(frozen=True, slots=True)
class _Encounter:
    """Some tracks of a leg, ``rows``, at a surface: where, and how much thicker it is for them."""

    rows: IndexArray | slice
    crossing: Crossing
    times: FloatArray


@dataclass(frozen=True, slots=True)
class _MetLeg:
    """Tracks on one leg, and what they meet in the order of flight."""

    part: OnLeg
    encounters: list[_Encounter]

    def rows(self, encounter: _Encounter, n_tracks: int) -> IndexArray | slice:
        """Places in the block of the tracks of an encounter."""
        if isinstance(encounter.rows, slice) and len(self.part.rows) == n_tracks:
            return encounter.rows
        return self.part.rows[encounter.rows]


def lengthened(surface: Surface) -> Surface:
    """Several layers as one surface, so long that whoever meets one of them meets it."""
    if not surface.parts:
        return surface
    radii = [surface.radius, *(layer.radius for layer in surface.parts)]
    longer = _STEEPEST * (max(radii) - min(radii))
    return replace(surface, z_min=surface.z_min - longer, z_max=surface.z_max + longer)


def _meet(part: OnLeg, surfaces: tuple[Surface, ...], momentum: FloatArray) -> _MetLeg:
    """What tracks meet on a leg; wire layers singly where a track starts, turns, ends or leaves."""
    encounters = []
    edges = _Edges.of(part, momentum[part.rows])
    for surface in part.along(surfaces):
        crossing = find_crossing(part.tracks, surface, part.leg)
        if not surface.parts:
            encounters.append(_encounter(crossing))
            continue
        near = edges.near(surface.radius)
        whole = meets_all_parts(crossing) & ~near
        rows = np.flatnonzero(near | (crossing.on & ~whole))
        crossing.on[:] = whole
        encounters.append(_encounter(crossing))
        if len(rows):
            everybody = len(rows) == len(near)
            tracks = part.tracks if everybody else part.tracks.take(rows)
            encounters += [
                _encounter(find_crossing(tracks, layer, part.leg), None if everybody else rows)
                for layer in part.along(surface.parts)
            ]
    return _MetLeg(part, [encounter for encounter in encounters if encounter is not None])


def _encounter(crossing: Crossing, rows: IndexArray | None = None) -> _Encounter | None:
    """The tracks that do cross; all of a leg's where they are many."""
    n_met = np.count_nonzero(crossing.on)
    if not n_met:
        return None
    if rows is None and n_met > _DENSE * len(crossing.on):
        return _Encounter(slice(None), crossing, obliquity(crossing))
    met = np.flatnonzero(crossing.on)
    crossing = crossing.take(met)
    return _Encounter(met if rows is None else rows[met], crossing, obliquity(crossing))


@dataclass(frozen=True, slots=True)
class _Edges:
    """Where tracks start, turn or end, and how far around that details matter, shape (n,) each.

    Distances from the axis [cm].
    """

    radii: tuple[FloatArray, ...]
    reach: FloatArray

    @classmethod
    def of(cls, part: OnLeg, momentum: FloatArray) -> _Edges:
        """All edges that there are; slow tracks scatter much and live on the nearest hits."""
        tracks = part.tracks
        passes_perigee = (tracks.birth < 0) | (part.leg is Leg.RETURN)
        radii = [
            radius_at(tracks, tracks.birth),
            tracks.apex_radius,
            np.where(passes_perigee, np.abs(tracks.d0), 0.0),
        ]
        ends = np.isfinite(tracks.end)
        if ends.any():
            radii.append(radius_at(tracks, np.where(ends, tracks.end, tracks.birth)))
        return cls(tuple(radii), _NEAR + _NEAR_PER_INVERSE_GEV / momentum)

    def near(self, radius: float) -> BoolArray:
        """Tracks with an edge near a radius."""
        near = np.zeros(len(self.reach), dtype=bool)
        farthest = self.reach.max(initial=0.0)
        for edge in self.radii:
            if len(edge) and edge.min() - farthest < radius < edge.max() + farthest:
                near |= np.abs(edge - radius) < self.reach
        return near


def _scattering(
    legs: list[_MetLeg], momentum: FloatArray, mass: FloatArray
) -> list[list[FloatArray]]:
    """Variance of the scattering angle at every encounter, larger as particles slow down."""
    beta = momentum / np.hypot(momentum, mass)
    thickness, path = np.zeros(len(momentum)), np.zeros(len(momentum))
    for leg in legs:
        for encounter in leg.encounters:
            material = encounter.crossing.surface.material
            if material is not None:
                rows = leg.rows(encounter, len(momentum))
                thickness[rows] += material.thickness_x0 * encounter.times
                path[rows] += material.mip_loss * encounter.times
    per_x0 = highland_variance(thickness, momentum, beta)
    slow = path * relative_loss(momentum / mass) > _SLOWING * beta * momentum
    any_slow, travelled = slow.any(), np.zeros(len(momentum))
    variances = []
    for leg in legs:
        of_leg = []
        for encounter in leg.encounters:
            material = encounter.crossing.surface.material
            if material is None:
                of_leg.append(np.zeros(len(encounter.times)))
                continue
            rows = leg.rows(encounter, len(momentum))
            variance = material.thickness_x0 * per_x0[rows] * encounter.times
            if any_slow:
                is_slow = slow[rows]
                some = np.arange(len(momentum))[rows][is_slow]
                loss = material.mip_loss * encounter.times[is_slow]
                now = momentum_after(momentum[some], mass[some], travelled[some] + loss / 2)
                travelled[some] += loss
                now = np.maximum(now, _SLOWEST * momentum[some])
                slower = beta[some] * momentum[some] * np.hypot(now, mass[some]) / now**2
                variance[is_slow] *= slower**2
            of_leg.append(variance)
        variances.append(of_leg)
    return variances


def _walk_back(
    leg: _MetLeg,
    variances: list[FloatArray],
    information: Information,
    hits: Hits,
    losses: Losses,
    rng: np.random.Generator,
) -> None:
    """Collect information on the parameters at the perigee, from the last hit to the first."""
    waiting = _Waiting(leg.part, losses)
    for encounter, variance in zip(reversed(leg.encounters), reversed(variances), strict=True):
        crossing, rows = encounter.crossing, encounter.rows
        waiting.release(information, crossing, rows)
        some = information if isinstance(rows, slice) else information.take(rows)
        if crossing.surface.material is not None:
            some.add_scattering(crossing, variance)
        if crossing.surface.sensor is not None:
            weight, number = draw_hits(crossing, rng)
            some.add_hits(crossing, weight)
            hits.prepend(leg.rows(encounter, len(hits.stereo)), crossing, number)
        if not isinstance(rows, slice):
            information.put(rows, some)
    waiting.release(information)


class _Waiting:
    """Losses on one leg that the filter, on its way back, has not come to yet."""

    def __init__(self, part: OnLeg, losses: Losses) -> None:
        row = np.searchsorted(part.rows, losses.particle)
        row = np.minimum(row, len(part.rows) - 1)
        arc = part.tracks.birth[row] + losses.path
        half_turn = np.pi / 2 * np.abs(part.tracks.diameter[row])
        on_leg = {
            Leg.INWARD: arc < 0,
            Leg.OUTWARD: (arc >= 0) & (arc < half_turn),
            Leg.RETURN: arc >= half_turn,
        }[part.leg]
        mine = np.flatnonzero(on_leg & (part.rows[row] == losses.particle))
        self._tracks = part.tracks
        self._row, self._arc, self._change = row[mine], arc[mine], losses.change[mine]

    def release(
        self,
        information: Information,
        upto: Crossing | None = None,
        rows: IndexArray | slice = slice(None),
    ) -> None:
        """Let the filter know of those beyond a crossing of some tracks, or of all left."""
        if not len(self._row):
            return
        arc = np.full(len(self._tracks), -np.inf if upto is None else np.inf)
        if upto is not None:
            arc[rows] = np.where(upto.on, upto.arc, np.inf)
        due = self._arc >= arc[self._row]
        if not due.any():
            return
        row, at = self._row[due], self._arc[due]
        tracks = self._tracks.take(row)
        information.change_curvature(row, place_at(tracks, at), tracks.omega * self._change[due])
        self._row, self._arc, self._change = self._row[~due], self._arc[~due], self._change[~due]


def highland_variance(
    total_thickness: FloatArray, momentum: FloatArray, beta: FloatArray
) -> FloatArray:
    """Variance of the projected scattering angle per radiation length [rad^2], shape (n,).

    Highland's formula as in PDG 2024, Eq. 34.16, charge one. Its logarithm is that of the whole
    material on the way, so that layers add up to the formula for their sum; one layer alone then
    scatters a little more than the formula says of it.
    """
    log = np.log(np.maximum(total_thickness, 1e-6) / beta**2)
    width: FloatArray = 13.6 * MeV / (beta * momentum) * (1 + 0.038 * log)
    return width**2
