"""Angles of decays and of two-body final states, sampled exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["azimuths", "directions", "even_cosines", "random_axes"]

FloatArray = npt.NDArray[np.float64]


def azimuths(n: int, rng: np.random.Generator) -> FloatArray:
    """Uniform in [0, 2 pi)."""
    return 2 * np.pi * rng.random(n)


def directions(n: int, rng: np.random.Generator) -> FloatArray:
    """Isotropic unit vectors, shape (3, n)."""
    cosine, phi = 2 * rng.random(n) - 1, azimuths(n, rng)
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])


def even_cosines(curvature: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Cosines c with the density 1 + curvature c^2 on [-1, 1], curvature >= -1, same shape.

    A mixture of a uniform c with c^2 or, for negative curvature, with 1 - c^2; these two are
    sampled by inverting c^3 and (3 c - c^3)/2, the latter with sin(3 x) = 3 sin(x) - 4 sin(x)^3.
    """
    flat = 2 * rng.random(len(curvature)) - 1
    # Both mixtures leave 1 + min(curvature, 0) of 1 + curvature/3 to the uniform part.
    share = (1 + np.minimum(curvature, 0.0)) / (1 + curvature / 3)
    curved = np.flatnonzero(rng.random(len(curvature)) >= share)
    falls, u = curvature[curved] < 0, flat[curved]
    cosine = flat
    cosine[curved] = np.where(falls, 2 * np.sin(np.arcsin(u) / 3), np.cbrt(u))
    return cosine


def random_axes(n: int, rng: np.random.Generator) -> FloatArray:
    """Right-handed orthogonal unit vectors x, y, z, turned at random, shape (3, 3, n)."""
    cosine, phi, turn = 2 * rng.random(n) - 1, azimuths(n, rng), azimuths(n, rng)
    sine = np.sqrt(1 - cosine**2)
    cos_phi, sin_phi, cos_turn, sin_turn = np.cos(phi), np.sin(phi), np.cos(turn), np.sin(turn)
    x = np.stack([sine * cos_phi, sine * sin_phi, cosine])
    polar = np.stack([cosine * cos_phi, cosine * sin_phi, -sine])
    azimuthal = np.stack([-sin_phi, cos_phi, np.zeros(n)])
    return np.stack(
        [x, cos_turn * polar + sin_turn * azimuthal, cos_turn * azimuthal - sin_turn * polar]
    )
