"""Relativistic kinematics of four-momenta as arrays (e, px, py, pz) of shape (4, n) or (4,)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "across",
    "along_axes",
    "axes_of_rest",
    "boost",
    "breakup_momentum",
    "dot",
    "from_axes",
    "invariant_mass",
    "kallen",
    "rotate_z_to",
    "to_rest_frame",
    "two_body",
]

FloatArray = npt.NDArray[np.float64]


def dot(p: FloatArray, q: FloatArray) -> FloatArray:
    """Minkowski product, metric (+, -, -, -)."""
    product: FloatArray = p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3]
    return product


def across(p: FloatArray, q: FloatArray, k: FloatArray) -> FloatArray:
    """Four-vector epsilon(p, q, k), orthogonal to all three: (0, M q x k) where p = (M, 0)."""

    def minor(i: int, j: int, h: int) -> FloatArray:
        cross: FloatArray = (
            p[i] * (q[j] * k[h] - q[h] * k[j])
            + p[j] * (q[h] * k[i] - q[i] * k[h])
            + p[h] * (q[i] * k[j] - q[j] * k[i])
        )
        return cross

    return np.stack([minor(1, 2, 3), minor(0, 2, 3), minor(0, 3, 1), minor(0, 1, 2)])


def invariant_mass(p: FloatArray) -> FloatArray:
    """Mass of time-like momenta."""
    return np.sqrt(dot(p, p))


def boost(p: FloatArray, frame: FloatArray, mass: FloatArray | None = None) -> FloatArray:
    """Momentum p, given in the rest frame of ``frame``, where ``frame`` itself was measured.

    ``mass`` is that of ``frame``, if known better than energy and momentum tell.
    """
    if mass is None:
        mass = invariant_mass(frame)
    along = frame[1] * p[1] + frame[2] * p[2] + frame[3] * p[3]
    shift = (along / (frame[0] + mass) + p[0]) / mass
    return np.stack(
        [
            (frame[0] * p[0] + along) / mass,
            p[1] + shift * frame[1],
            p[2] + shift * frame[2],
            p[3] + shift * frame[3],
        ]
    )


def to_rest_frame(p: FloatArray, frame: FloatArray) -> FloatArray:
    """Momentum p seen from the rest frame of ``frame``."""
    return boost(p, np.stack([frame[0], -frame[1], -frame[2], -frame[3]]))


def rotate_z_to(p: FloatArray, axis: FloatArray) -> FloatArray:
    """Rotate so that the z axis turns, the short way, into a unit vector, shape (3, n)."""
    x, y, z = axis
    # 1/(1 + z), which cancels close to -z; at -z itself half a turn around y serves.
    across2 = x**2 + y**2
    opposite = (z < 0) & (across2 == 0)
    inverse = np.where(
        z < 0, (1 - z) / np.where(across2 > 0, across2, 1.0), 1 / (1 + np.maximum(z, 0.0))
    )
    shift = (x * p[1] + y * p[2]) * inverse
    px = np.where(opposite, -p[1], p[1] - x * shift + x * p[3])
    py = np.where(opposite, p[2], p[2] - y * shift + y * p[3])
    pz = np.where(opposite, -p[3], z * p[3] - x * p[1] - y * p[2])
    return np.stack([np.broadcast_to(p[0], px.shape), px, py, pz])


def axes_of_rest(frame: FloatArray, mass: FloatArray, forward: FloatArray) -> FloatArray:
    """Axes (t, x, y, z) of the rest frame of ``frame``, with z towards ``forward`` there.

    They have unit length and are orthogonal to one another, shape (4, 4, n); ``forward`` must not
    point along y. `from_axes` goes with them to where ``frame`` was measured.
    """
    time = frame / mass
    one, zero = np.ones_like(mass), np.zeros_like(mass)
    axes = [time]
    for towards in (forward, np.stack([zero, zero, one, zero]), np.stack([zero, one, zero, zero])):
        axis = towards - dot(towards, time) * time
        for other in axes[1:]:
            axis = axis + dot(axis, other) * other
        axes.append(axis / np.sqrt(-dot(axis, axis)))
    _, z, y, x = axes
    return np.stack([time, x, y, z])


def from_axes(p: FloatArray, axes: FloatArray) -> FloatArray:
    """Momentum p, given along the axes, where these were measured, shape (4, n)."""
    momentum: FloatArray = p[0] * axes[0] + p[1] * axes[1] + p[2] * axes[2] + p[3] * axes[3]
    return momentum


def along_axes(p: FloatArray, axes: FloatArray) -> FloatArray:
    """Momentum p in the frame of the axes: the inverse of `from_axes`, shape (4, n)."""
    time, *space = axes
    return np.stack([dot(p, time), *(-dot(p, axis) for axis in space)])


def kallen(a: FloatArray, b: FloatArray | float, c: FloatArray | float) -> FloatArray:
    """Kallen function, in the product form that stays accurate at threshold."""
    root_b, root_c = np.sqrt(b), np.sqrt(c)
    product: FloatArray = (a - (root_b + root_c) ** 2) * (a - (root_b - root_c) ** 2)
    return product


def breakup_momentum(
    mass: FloatArray, first_mass: FloatArray | float, second_mass: FloatArray | float
) -> FloatArray:
    """Momentum of either daughter in the parent's frame [GeV], zero below threshold."""
    energy = mass / 2 + (first_mass**2 - second_mass**2) / (2 * mass)
    return np.sqrt(np.maximum(energy**2 - first_mass**2, 0.0))


def two_body(
    mass: FloatArray,
    first_mass: FloatArray | float,
    second_mass: FloatArray | float,
    cos_theta: FloatArray,
    phi: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Momenta of two daughters in the parent's frame, the first along the angles."""
    shift = (first_mass**2 - second_mass**2) / (2 * mass)
    momentum = breakup_momentum(mass, first_mass, second_mass)
    sin_theta = np.sqrt(1 - cos_theta**2)
    flight = momentum * np.stack([sin_theta * np.cos(phi), sin_theta * np.sin(phi), cos_theta])
    return np.stack([mass / 2 + shift, *flight]), np.stack([mass / 2 - shift, *(-flight)])
