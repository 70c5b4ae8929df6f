"""Helices seen from any point: their perigee to it, and how it depends on that to the origin.

Arrays are rows of columns, shapes (5, ...) and (3, ...), so that every operation runs along
contiguous memory whatever the number of tracks and points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helix import HelixIndex, closest_point, sine_deficit
from darkbelle.detsim.symmetric import SparseRow

__all__ = ["Pivoted", "refer_to"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pivoted:
    """Helices with a point (x, y, z) as their pivot: `HelixIndex` with perigee to that point.

    ``arc`` leads from the perigee to the origin to this one [cm], the direction changing by
    ``turn``; ``phi0`` continues that before and may leave [-pi, pi).
    """

    x: FloatArray
    y: FloatArray
    d0: FloatArray
    phi0: FloatArray
    omega: FloatArray
    z0: FloatArray
    tan_lambda: FloatArray
    arc: FloatArray
    turn: FloatArray
    cos_phi: FloatArray
    sin_phi: FloatArray

    @property
    def gain(self) -> FloatArray:
        """By how much a step at the pivot is longer than on the track."""
        return 1 + self.omega * self.d0

    def jacobian(self) -> tuple[SparseRow, ...]:
        """Derivatives of these parameters by those with the origin as pivot, row by row.

        To turn a track around the origin is to turn the point the other way, whence the derivatives
        by phi0; the others are those of `shift_jacobian`, referred to pivots off the track.
        """
        inverse_gain = 1 / self.gain
        slope = self.tan_lambda * inverse_gain
        ahead = self.x * self.cos_phi + self.y * self.sin_phi
        right = self.x * self.sin_phi - self.y * self.cos_phi
        sin_turn = np.sin(self.turn)
        along = self.arc * np.sinc(self.turn / np.pi)
        bend = (self.arc * np.sinc(self.turn / (2 * np.pi))) ** 2 / 2
        lag = -(self.arc**2) * sine_deficit(self.turn)
        d0, phi0, omega, z0, tan_lambda = HelixIndex
        return (
            ((d0, np.cos(self.turn)), (phi0, -ahead), (omega, bend)),
            (
                (d0, -self.omega * sin_turn * inverse_gain),
                (phi0, 1 + self.omega * inverse_gain * right),
                (omega, -along * inverse_gain),
            ),
            ((omega, 1.0),),
            (
                (d0, slope * sin_turn),
                (phi0, -slope * right),
                (omega, -self.tan_lambda * lag - slope * self.d0 * along),
                (z0, 1.0),
                (tan_lambda, self.arc),
            ),
            ((tan_lambda, 1.0),),
        )


def refer_to(helix: FloatArray, point: FloatArray) -> Pivoted:
    """Helices seen from points, whose shape may be broadcast to theirs.

    Of all turns of a curling track the one next to the perigee to the origin is taken.
    """
    d0, phi0, omega, z0, tan_lambda = helix
    x, y, z = point
    cos_phi, sin_phi = np.cos(phi0), np.sin(phi0)
    across = d0 - x * sin_phi + y * cos_phi
    along = -x * cos_phi - y * sin_phi
    distance, turn, since = closest_point(across, along, omega)
    phi = phi0 + turn
    return Pivoted(
        x=x,
        y=y,
        d0=distance,
        phi0=phi,
        omega=omega,
        z0=z0 - tan_lambda * since - z,
        tan_lambda=tan_lambda,
        arc=-since,
        turn=turn,
        cos_phi=np.cos(phi),
        sin_phi=np.sin(phi),
    )
