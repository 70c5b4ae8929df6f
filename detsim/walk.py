"""The way of particles through material: what they meet, and what it does to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.energy_loss import momentum_with_range, stopping_path
from darkbelle.detsim.helices import Helices, radius_at
from darkbelle.detsim.hits import MIN_INCIDENCE, Crossing, arc_at_radius, find_crossing, obliquity
from darkbelle.detsim.legs import Leg, split_into_legs
from darkbelle.detsim.radiation import pairs_per_x0, photon_number, sample_photon_fraction
from darkbelle.gen.events import Outcome
from darkbelle.gen.particles import ELECTRON, MASS_E, PHOTON, is_hadron
from darkbelle.geometry import Surface
from darkbelle.units import MeV

__all__ = ["Emission", "Walk"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

SOFTEST_PHOTON: Final = 5 * MeV
"""Energy below which photons neither are radiated nor convert; few of them could be seen."""
SOFTEST_ELECTRON: Final = 1 * MeV
"""Kinetic energy that bremsstrahlung leaves at least."""
HARD_LOSS: Final = 0.5
"""Share of its energy that an electron loses at once before no finder follows it any further."""

_SOFT = 10
"""Tracks that could stop: range in units of all the material at normal incidence."""
_MARGIN = 1.1
"""On a bound, for what it neglects."""
_DEPTH = 0.03
"""Depth [cm] of a layer of silicon: half of what ends or starts there also meets the sensor."""


@dataclass(frozen=True, slots=True)
class Emission:
    """Photons radiated: by whom, at which arc length [cm], their energy [GeV], shape (m,) each.

    ``change`` is that of the inverse momentum in units of that at birth, zero where the track ends.
    """

    row: IndexArray
    arc: FloatArray
    energy: FloatArray
    change: FloatArray

    @classmethod
    def join(cls, parts: Sequence[Emission]) -> Emission:
        """All of them together."""
        none = cls(np.empty(0, np.intp), np.empty(0), np.empty(0), np.empty(0))
        columns = ("row", "arc", "energy", "change")
        return cls(*(np.concatenate([getattr(e, c) for e in (none, *parts)]) for c in columns))


class Walk:
    """Particles on their way through the material: what they have met, and whether they ended."""

    def __init__(
        self,
        tracks: Helices,
        pdg_id: npt.NDArray[np.int32],
        charge: npt.NDArray[np.int8],
        p: FloatArray,
        mass: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        self._tracks, self._charged = tracks, charge != 0
        self._range = np.full(len(p), np.inf)
        self._range[self._charged] = stopping_path(p[self._charged], mass[self._charged])
        self._is_photon = (pdg_id == PHOTON) & (p > SOFTEST_PHOTON)
        self._pairs_per_x0 = np.zeros(len(p))
        self._pairs_per_x0[self._is_photon] = pairs_per_x0(p[self._is_photon])
        self._is_electron = np.abs(pdg_id) == ELECTRON
        self._is_hadron = is_hadron(pdg_id)
        self._patience = rng.standard_exponential(len(p))
        self._p_birth, self._mass, self.energy = p, mass, np.hypot(p, mass)
        self.travelled = np.zeros(len(p))
        self.ended = np.zeros(len(p), dtype=bool)
        self.end = tracks.birth.copy()
        self.outcome = np.zeros(len(p), np.int8)
        self.photons: list[Emission] = []

    def momentum_left(self) -> FloatArray:
        """Momenta after all losses [GeV], shape (n,)."""
        left = np.sqrt(np.maximum(self.energy**2 - self._mass**2, 0.0))
        some = np.flatnonzero(self._charged & (self.travelled > 0))
        slowed = momentum_with_range(self._range[some] - self.travelled[some], self._mass[some])
        left[some] = np.minimum(left[some], slowed)
        return left

    def through(
        self, surfaces: Sequence[Surface], chosen: IndexArray, rng: np.random.Generator
    ) -> None:
        """Lead some of the particles through their surfaces, one after the other."""
        materials = [surface.material for surface in surfaces if surface.material]
        thickest = sum(material.mip_loss for material in materials)
        rate = self._pairs_per_x0 * sum(material.thickness_x0 for material in materials)
        rate += self._is_hadron * sum(material.thickness_lambda for material in materials)
        most = _most_oblique(self._tracks, surfaces)
        can_interact = self._patience / most < rate
        can_stop = self._range < _SOFT * thickest
        unclear = self._charged & np.isinf(most)
        walks = can_interact | can_stop | unclear | self._is_electron
        slowed = chosen[~walks[chosen] & self._charged[chosen]]
        self.travelled[slowed] = _straight_path(self._tracks.take(slowed), surfaces)
        chosen = chosen[walks[chosen]]
        tracks = self._tracks.take(chosen)
        chosen = chosen[_leaves_the_beam(tracks, min(surface.radius for surface in surfaces))]
        if not len(chosen):
            return
        for part in split_into_legs(self._tracks.take(chosen), surfaces):
            for surface in part.along(surfaces):
                if surface.material is None:
                    continue
                crossing = find_crossing(part.tracks, surface, part.leg)
                met = np.flatnonzero(crossing.on & ~self.ended[chosen[part.rows]])
                if len(met):
                    self._cross(chosen[part.rows[met]], crossing.take(met), part.leg, rng)

    def _cross(
        self, rows: IndexArray, crossing: Crossing, leg: Leg, rng: np.random.Generator
    ) -> None:
        """Let some particles meet the material of a surface."""
        material = crossing.surface.material
        assert material is not None
        times = obliquity(crossing)
        rate = material.thickness_x0 * self._pairs_per_x0[rows]
        rate = rate + material.thickness_lambda * self._is_hadron[rows]
        self._patience[rows] -= times * rate
        self.travelled[rows] += times * material.mip_loss * self._charged[rows]
        interacts = self._patience[rows] < 0
        stops = ~interacts & (self.travelled[rows] > self._range[rows])
        ends = interacts | stops
        radiates = self._is_electron[rows] & ~ends
        if radiates.any():
            some = np.flatnonzero(radiates)
            thickness = times[some] * material.thickness_x0
            self._radiate(rows[some], crossing.take(some), thickness, leg, rng)
        if ends.any():
            some = np.flatnonzero(ends)
            ending = rows[some]
            self.ended[ending] = True
            self.end[ending] = _arc_within(crossing.take(some), leg, rng)
            interaction = np.where(self._is_photon[ending], Outcome.CONVERTED, Outcome.ABSORBED)
            self.outcome[ending] = np.where(stops[some], Outcome.STOPPED, interaction)

    def _radiate(
        self,
        rows: IndexArray,
        crossing: Crossing,
        thickness: FloatArray,
        leg: Leg,
        rng: np.random.Generator,
    ) -> None:
        """Let electrons emit photons in some radiation lengths, until one loses too much."""
        softest = np.minimum(SOFTEST_PHOTON / self.energy[rows], 1.0)
        number = rng.poisson(thickness * photon_number(softest))
        some = np.flatnonzero(number)
        if not len(some):
            return
        rows, crossing, number = rows[some], crossing.take(some), number[some]
        places = [
            np.where(number > i, _arc_within(crossing, leg, rng), np.inf)
            for i in range(number.max())
        ]
        for place in np.sort(places, axis=0):  # in the order of flight
            goes_on = (self.energy[rows] > 2 * SOFTEST_PHOTON) & ~self.ended[rows]
            emits = np.flatnonzero(np.isfinite(place) & goes_on)
            some = rows[emits]
            before = self.energy[some]
            photon = before * sample_photon_fraction(SOFTEST_PHOTON / before, rng)
            photon = np.minimum(photon, before - MASS_E - SOFTEST_ELECTRON)
            self.energy[some] = before - photon
            p_before, p_after = (np.sqrt(e**2 - MASS_E**2) for e in (before, before - photon))
            self._range[some] = self.travelled[some] + stopping_path(p_after, self._mass[some])
            arc = place[emits]
            is_hard = photon > HARD_LOSS * before
            hard = some[is_hard]
            self.ended[hard], self.end[hard] = True, arc[is_hard]
            self.outcome[hard] = Outcome.RADIATED
            change = np.where(is_hard, 0.0, self._p_birth[some] * (1 / p_after - 1 / p_before))
            self.photons.append(Emission(some, arc, photon, change))


def _most_oblique(tracks: Helices, surfaces: Sequence[Surface]) -> FloatArray:
    """What path through surfaces over their thickness tracks from the beams cannot exceed.

    Infinite for tracks that are born elsewhere or turn early, shape (n,).
    """
    innermost = min(surface.radius for surface in surfaces)
    outermost = max(surface.radius for surface in surfaces)
    steepest = min(surface.normal_r for surface in surfaces)
    offset = np.abs(tracks.d0)
    # r sin(psi) = d0 - omega (r^2 - d0^2)/2 (1 + ...), psi being the angle to the radius
    sin_psi = _MARGIN * (offset / innermost + np.abs(tracks.half_omega) * outermost)
    from_the_beams = np.abs(tracks.birth) + offset < innermost
    bounded = from_the_beams & (sin_psi < 1)
    cosine = np.sqrt(1 - np.minimum(sin_psi, 1) ** 2)
    with np.errstate(divide="ignore"):
        most = np.sqrt(tracks.secant2) / (steepest * cosine)
    return np.where(bounded, most, np.inf)


def _straight_path(tracks: Helices, surfaces: Sequence[Surface]) -> FloatArray:
    """Material that tracks from the beams cross, as if they were straight [GeV], shape (n,)."""
    slope, crossed = tracks.tan_lambda, np.zeros(len(tracks))
    last = radius_at(tracks, tracks.end)
    for surface in surfaces:
        if surface.material is None:
            continue
        # Where normal_r (r - radius) + normal_z (z - z_reference) = 0
        cosine = surface.normal_r + surface.normal_z * slope
        cosine = np.copysign(np.maximum(np.abs(cosine), MIN_INCIDENCE), cosine)
        height = surface.normal_z * (surface.z_reference - tracks.z0)
        r = (surface.normal_r * surface.radius + height) / cosine
        z = tracks.z0 + slope * r
        on = (r > 0) & (r < last) & (z > surface.z_min) & (z < surface.z_max)
        crossed += on * (surface.material.mip_loss / np.abs(cosine))
    path: FloatArray = crossed * np.sqrt(tracks.secant2)
    return path


def _leaves_the_beam(tracks: Helices, innermost: float) -> BoolArray:
    """Whether a track gets as far from the axis as the first surface before it ends."""
    arc = arc_at_radius(tracks, np.full(len(tracks), innermost), Leg.OUTWARD)
    flies_in = tracks.birth < -innermost
    return flies_in | (np.nan_to_num(arc, nan=-np.inf) < tracks.end)


def _arc_within(crossing: Crossing, leg: Leg, rng: np.random.Generator) -> FloatArray:
    """A random place in the depth of the material that tracks cross, as arc length [cm]."""
    material, tracks = crossing.surface.material, crossing.tracks
    half = np.full_like(crossing.arc, _DEPTH / 2)
    ends = [crossing.arc - half, crossing.arc + half]
    if material is not None and material.r_min < material.r_max:
        for i, radius in enumerate((material.r_min, material.r_max)):
            arc = arc_at_radius(tracks, np.full_like(half, radius), leg)
            ends[i] = np.where(np.isnan(arc), crossing.arc, arc)
    first, last = np.clip(ends, tracks.birth, tracks.end)
    place: FloatArray = first + rng.random(len(first)) * (last - first)
    return place
