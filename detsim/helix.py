"""Track parameters: the perigee helix of the project, defined here and nowhere else.

Order ``(d0, phi0, omega, z0, tan_lambda)`` as in basf2, perigee to the origin. ``d0`` [cm] has the
sign of (perigee x momentum)_z, so the perigee is (d0 sin phi0, -d0 cos phi0); ``phi0`` is the
direction of the momentum there, in [-pi, pi); ``omega`` [1/cm] is the curvature with the sign of
the charge for a field along +z; ``z0`` [cm]; ``tan_lambda = pz/pt``.

The arc length ``s`` [cm] is counted in the transverse plane, from the perigee, along the momentum.
A helix turns by ``-omega s``.
"""

from __future__ import annotations

import enum
import math

import numpy as np
import numpy.typing as npt

from darkbelle.units import CURVATURE

__all__ = [
    "CovariancePacking",
    "HelixIndex",
    "closest_point",
    "direction_at",
    "momentum",
    "momentum_covariance",
    "momentum_towards",
    "omega_from_pt",
    "pack",
    "perigee",
    "position_at",
    "shift_jacobian",
    "sine_deficit",
    "unpack",
]

FloatArray = npt.NDArray[np.float64]


class HelixIndex(enum.IntEnum):
    """Columns of a helix array and rows of its covariance."""

    D0 = 0
    PHI0 = 1
    OMEGA = 2
    Z0 = 3
    TAN_LAMBDA = 4


def omega_from_pt(pt: FloatArray, charge: npt.NDArray[np.int8], field: float) -> FloatArray:
    """Signed curvature [1/cm] from pt [GeV], charge [e] and field [T]."""
    return charge * (CURVATURE * field) / pt


def perigee(
    position: FloatArray, phi: FloatArray, omega: FloatArray, tan_lambda: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Helix through a point, and the arc length from its perigee to that point.

    Every step stays accurate for omega -> 0, a straight line.

    Parameters
    ----------
    position
        Point on the track [cm], shape (n, 3).
    phi, omega, tan_lambda
        Direction of the momentum there, curvature, slope, shape (n,).

    Returns
    -------
    helix, arc
        Shapes (n, 5) and (n,).
    """
    x, y, z = position.T
    cos_phi, sin_phi = np.cos(phi), np.sin(phi)
    across = x * sin_phi - y * cos_phi
    along = x * cos_phi + y * sin_phi
    d0, turn, arc = closest_point(across, along, omega)
    phi0 = (phi + turn + np.pi) % (2 * np.pi) - np.pi
    helix = np.stack([d0, phi0, omega, z - tan_lambda * arc, tan_lambda], axis=-1)
    return helix, arc


def closest_point(
    across: FloatArray, along: FloatArray, omega: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Signed distance of a track from a point, by how much it has turned since it was closest.

    Parameters
    ----------
    across, along, omega
        Where the track now is as seen from the point: to the right of its direction and ahead
        [cm]; its curvature [1/cm]; any shape.

    Returns
    -------
    d0, turn, arc
        Distance of closest approach [cm], turn back to it [rad], arc length since [cm].
    """
    u = np.hypot(1 + omega * across, omega * along)
    d0 = (2 * across + omega * (across**2 + along**2)) / (1 + u)
    turn = np.arctan2(omega * along, 1 + omega * across)
    return d0, turn, along / u / np.sinc(turn / np.pi)


def position_at(helix: FloatArray, arc: FloatArray) -> FloatArray:
    """Point of the helix at an arc length from the perigee [cm], shape (n, 3)."""
    d0, phi0, omega, z0, tan_lambda = helix.T
    half_turn = omega * arc / 2
    chord = arc * np.sinc(half_turn / np.pi)
    x = d0 * np.sin(phi0) + chord * np.cos(phi0 - half_turn)
    y = -d0 * np.cos(phi0) + chord * np.sin(phi0 - half_turn)
    return np.stack([x, y, z0 + tan_lambda * arc], axis=-1)


def direction_at(helix: FloatArray, arc: FloatArray) -> FloatArray:
    """Azimuth of the momentum at an arc length from the perigee [rad], shape (n,)."""
    return helix[:, HelixIndex.PHI0] - helix[:, HelixIndex.OMEGA] * arc


def momentum(helix: FloatArray, field: float) -> FloatArray:
    """Momentum (px, py, pz) at the perigee [GeV], shape (..., 3), NaN for a field of 0 T."""
    _, phi0, omega, _, tan_lambda = np.moveaxis(helix, -1, 0)
    pt = CURVATURE * (abs(field) or np.nan) / np.abs(omega)
    return np.stack([pt * np.cos(phi0), pt * np.sin(phi0), pt * tan_lambda], axis=-1)


def momentum_covariance(helix: FloatArray, cov: FloatArray, field: float) -> FloatArray:
    """Covariance of `momentum` [GeV^2] by that of the helix, (..., 5, 5) to (..., 3, 3)."""
    px, py, pz = np.moveaxis(momentum(helix, field), -1, 0)
    omega, pt = helix[..., HelixIndex.OMEGA], np.hypot(px, py)
    zero = np.zeros_like(pt)
    by_helix = np.stack(
        [
            np.stack([-py, -px / omega, zero], axis=-1),
            np.stack([px, -py / omega, zero], axis=-1),
            np.stack([zero, -pz / omega, pt], axis=-1),
        ],
        axis=-2,
    )
    chosen = (HelixIndex.PHI0, HelixIndex.OMEGA, HelixIndex.TAN_LAMBDA)
    own = cov[..., chosen, :][..., chosen]
    covariance: FloatArray = by_helix @ own @ np.swapaxes(by_helix, -1, -2)
    return covariance


def momentum_towards(helix: FloatArray, point: FloatArray, field: float) -> FloatArray:
    """Momentum where the helix comes closest to a point in the transverse plane [GeV].

    ``point`` [cm] has the shape (n, 2). The centre of the circle lies at (d0 + 1/omega) (sin phi0,
    -cos phi0), and the momentum across the line from there; omega times both stays finite for a
    straight track.
    """
    p = momentum(helix, field)
    d0, _, omega, *_ = helix.T
    pt = np.hypot(p[:, 0], p[:, 1])
    x = (1 + omega * d0) * p[:, 0] / pt + omega * point[:, 1]
    y = (1 + omega * d0) * p[:, 1] / pt - omega * point[:, 0]
    return np.stack([*(pt / np.hypot(x, y) * np.stack([x, y])), p[:, 2]], axis=-1)


def shift_jacobian(omega: FloatArray, tan_lambda: FloatArray, arc: FloatArray) -> FloatArray:
    """Derivatives of the local parameters after an arc length by those before it, shape (n, 5, 5).

    Local parameters are those of `HelixIndex` with the pivot on the track itself. The inverse is
    the same function of ``-arc``.
    """
    turn = omega * arc
    sin, cos = np.sin(turn), np.cos(turn)
    chord_along = arc * np.sinc(turn / np.pi)  # sin(turn)/omega
    half = np.sinc(turn / (2 * np.pi)) ** 2
    sagitta = arc * turn / 2 * half  # (1 - cos(turn))/omega
    bend = arc**2 / 2 * half  # (1 - cos(turn))/omega^2
    lag = arc**2 * sine_deficit(turn)  # (turn - sin(turn))/omega^2
    along = np.stack([sin, -sagitta, lag], axis=-1)  # shift along the track by d0, phi0, omega
    jacobian = np.zeros((len(omega), 5, 5))
    jacobian[:, HelixIndex.D0, :3] = np.stack([cos, -chord_along, bend], axis=-1)
    jacobian[:, HelixIndex.PHI0, :3] = omega[:, None] * along
    jacobian[:, HelixIndex.PHI0, HelixIndex.PHI0] += 1
    jacobian[:, HelixIndex.PHI0, HelixIndex.OMEGA] -= arc
    jacobian[:, HelixIndex.OMEGA, HelixIndex.OMEGA] = 1
    jacobian[:, HelixIndex.Z0, :3] = -tan_lambda[:, None] * along
    jacobian[:, HelixIndex.Z0, HelixIndex.Z0] = 1
    jacobian[:, HelixIndex.Z0, HelixIndex.TAN_LAMBDA] = arc
    jacobian[:, HelixIndex.TAN_LAMBDA, HelixIndex.TAN_LAMBDA] = 1
    return jacobian


def sine_deficit(x: FloatArray) -> FloatArray:
    """(x - sin x)/x^2, accurate for small x."""
    small = np.abs(x) < 1e-2
    safe = np.where(small, 1.0, x)
    return np.where(small, x / 6 * (1 - x**2 / 20), (safe - np.sin(safe)) / safe**2)


class CovariancePacking(enum.Enum):
    """Order in which files keep the independent elements of a covariance."""

    LOWER = "lower triangle, row by row (EDM4hep, this project)"
    UPPER = "upper triangle, row by row (basf2 mdst)"

    def indices(self, size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Row and column of each packed element of a size x size matrix."""
        return np.tril_indices(size) if self is CovariancePacking.LOWER else np.triu_indices(size)


def pack(
    covariance: FloatArray, packing: CovariancePacking = CovariancePacking.LOWER
) -> FloatArray:
    """Independent elements of symmetric matrices, (n, k, k) to (n, k (k + 1)/2)."""
    rows, columns = packing.indices(covariance.shape[-1])
    return covariance[:, rows, columns]


def unpack(packed: FloatArray, packing: CovariancePacking = CovariancePacking.LOWER) -> FloatArray:
    """Symmetric matrices from their independent elements, (n, k (k + 1)/2) to (n, k, k)."""
    size = math.isqrt(2 * packed.shape[-1])
    rows, columns = packing.indices(size)
    covariance = np.empty((len(packed), size, size))
    covariance[:, rows, columns] = packed
    covariance[:, columns, rows] = packed
    return covariance
