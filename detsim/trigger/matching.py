"""What level one sees together: objects that open in azimuth, objects that point to each other.

Azimuth comes in bins; those of one event that are occupied are the bits of one integer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.trigger.menu import Counts
from darkbelle.detsim.trigger.sectors import Sectors
from darkbelle.geometry.trigger import Matching
from darkbelle.units import deg

__all__ = ["Azimuths", "count_together"]

FloatArray = npt.NDArray[np.float64]
BitArray = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

_ROUNDING = 1e-9
"""Of an azimuth in bins, so that the centre of a sector falls into the same one everywhere."""


@dataclass(frozen=True, slots=True)
class Azimuths:
    """Objects with their events and azimuths [rad], those of tracks bent by ``omega`` [1/cm]."""

    event: IndexArray
    phi: FloatArray
    omega: FloatArray | float = 0.0

    def at(self, radius: float) -> FloatArray:
        """Azimuth at a radius [cm], as if all came from the origin."""
        bend: FloatArray = np.arcsin(np.clip(np.multiply(self.omega, radius / 2), -1, 1))
        return self.phi - bend

    @classmethod
    def of_sectors(cls, sectors: Sectors) -> Azimuths:
        """The centres of the sectors that have fired."""
        event, sector = np.nonzero(sectors.fired)
        return cls(event, sectors.centre[sector])


def count_together(
    objects: Mapping[str, Azimuths],
    sectors: Mapping[str, Sectors],
    matching: Matching,
    n_events: int,
) -> Counts:
    """Whether two objects stand far apart, how many point to another, by the names of the card."""
    n_bins = matching.azimuth_bins

    @cache
    def occupied(name: str) -> BitArray:
        return _occupied(objects[name], n_bins, n_events)

    @cache  # as openings compare the same objects
    def spread(name: str, first: int, last: int) -> BitArray:
        return _spread(occupied(name), first, last, n_bins)

    counts: Counts = {}
    for name, opening in matching.openings.items():
        least = math.ceil(opening.least_deg / 360 * n_bins - _ROUNDING)
        apart = spread(opening.other, least, n_bins - least)
        counts[name] = (occupied(opening.one) & apart).astype(bool).view(np.int8)
    for name, match in matching.matches.items():
        ones = objects[match.one]
        phi = ones.at(match.radius_cm)
        if match.other in sectors:
            matched = _near_sector(ones.event, phi, sectors[match.other], match.within_deg * deg)
        else:
            within = math.floor(match.within_deg / 360 * n_bins + _ROUNDING)
            near = spread(match.other, -within, within)
            matched = (near[ones.event] >> _bins(phi, n_bins)) & np.uint64(1) != 0
        counts[name] = np.bincount(ones.event[matched], minlength=n_events)
    return counts


def _near_sector(event: IndexArray, phi: FloatArray, sectors: Sectors, within: float) -> BoolArray:
    """Whether a sector has fired whose centre is near enough to each azimuth."""
    number = len(sectors.centre)
    width = 2 * np.pi / number
    place = (phi - sectors.centre[0]) / width
    first = np.ceil(place - within / width).astype(np.intp)
    last = np.floor(place + within / width).astype(np.intp)
    matched = np.zeros(len(event), dtype=bool)
    for step in range(int((last - first).max(initial=-1)) + 1):
        matched |= (first + step <= last) & sectors.fired[event, (first + step) % number]
    return matched


def _bins(phi: FloatArray, n_bins: int) -> BitArray:
    """Bin of each azimuth, from that of the x axis on."""
    turns = phi / (2 * np.pi)
    bins = (turns - np.floor(turns)) * n_bins + _ROUNDING
    return np.minimum(bins, n_bins - 1).astype(np.uint64)


def _occupied(objects: Azimuths, n_bins: int, n_events: int) -> BitArray:
    """Bins that objects occupy in each event, one bit each."""
    bits = np.zeros(n_events, np.uint64)
    np.bitwise_or.at(bits, objects.event, np.uint64(1) << _bins(objects.phi, n_bins))
    return bits


def _spread(bits: BitArray, first: int, last: int, n_bins: int) -> BitArray:
    """Bins that lie ``first`` to ``last`` bins further around than occupied ones."""
    if first > last:
        return np.zeros_like(bits)
    spread, length = _rotate(bits, first, n_bins), 1
    while length < last - first + 1:
        step = min(length, last - first + 1 - length)
        spread = spread | _rotate(spread, step, n_bins)
        length += step
    return spread


def _rotate(bits: BitArray, by: int, n_bins: int) -> BitArray:
    """Bits moved around the circle."""
    by %= n_bins
    if not by:
        return bits
    everything = np.uint64(2**n_bins - 1)
    return ((bits << np.uint64(by)) | (bits >> np.uint64(n_bins - by))) & everything
