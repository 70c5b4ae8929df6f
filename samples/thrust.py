"""The thrust axis of events, exactly, and the hemispheres that it parts them into.

The axis n maximises T = sum of |p.n| / sum of |p|. It is the direction of sum of s_i p_i, with the
signs s_i of the half space that a particle is in, and a plane that parts momenta in the best way
can be turned until two of them lie in it (cf. S. Brandt and H. D. Dahmen, Z. Phys. C 1 (1979) 61).
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["hemispheres", "thrust"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_FEW: Final = 7
"""Particles up to which all signs are tried: they are fewer than the planes, and planar events,
where the signs of a plane's other particles are chance, are no exception."""
_BLOCK: Final = 1_000_000
"""Numbers that are held at once."""


def thrust(momenta: FloatArray, offsets: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Thrust and unit vector along its axis, of either sense; NaN for events without momentum.

    Parameters
    ----------
    momenta
        In the centre of mass, charged particles and photons, shape (3, n_particles).
    offsets
        Event i owns the particles ``offsets[i]`` to ``offsets[i + 1]``.

    Returns
    -------
    thrust, axis
        Shapes (n_events,) and (3, n_events).
    """
    n_particles = np.diff(offsets)
    best = np.zeros((len(n_particles), 3))
    scale = np.zeros(len(n_particles))
    for n in np.unique(n_particles[n_particles > 0]).tolist():
        events = np.flatnonzero(n_particles == n)
        for chosen in np.array_split(events, 1 + len(events) * n**3 // _BLOCK):
            rows = offsets[chosen][:, None] + np.arange(n)
            p = np.moveaxis(momenta[:, rows], 0, -1)
            best[chosen] = _best_sum(p) if n <= _FEW else _best_plane(p)
            scale[chosen] = np.linalg.norm(p, axis=-1).sum(axis=-1)
    length = np.linalg.norm(best, axis=-1)
    has_axis = length > 0
    value = np.where(has_axis, length, np.nan) / np.where(has_axis, scale, 1.0)
    axis = np.where(has_axis, best.T, np.nan) / np.where(has_axis, length, 1.0)
    return value, axis


def hemispheres(momenta: FloatArray, offsets: npt.NDArray[np.int64], axis: FloatArray) -> BoolArray:
    """Whether particles, (3, n_particles), fly along the axes of their events, (3, n_events)."""
    ahead: BoolArray = np.sum(momenta * np.repeat(axis, np.diff(offsets), axis=1), axis=0) > 0
    return ahead


def _best_sum(p: FloatArray) -> FloatArray:
    """Longest sum of momenta with any signs, (n, k, 3) to (n, 3)."""
    signs = np.array([(1.0, *rest) for rest in product((1.0, -1.0), repeat=p.shape[1] - 1)])
    return _longest(signs @ p)


def _best_plane(p: FloatArray) -> FloatArray:
    """Longest sum with the signs of planes through two of the momenta, (n, k, 3) to (n, 3)."""
    one, two = np.triu_indices(p.shape[1], 1)
    normal = np.cross(p[:, one], p[:, two])
    side = np.sign(normal @ np.swapaxes(p, 1, 2))
    pair = np.arange(len(one))
    side[:, pair, one] = side[:, pair, two] = 0.0
    others = side @ p
    candidates = [
        others + first * p[:, one] + second * p[:, two]
        for first, second in product((1.0, -1.0), repeat=2)
    ]
    return _longest(np.concatenate(candidates, axis=1))


def _longest(sums: FloatArray) -> FloatArray:
    """The longest of some vectors, (n, m, 3) to (n, 3)."""
    length2 = np.einsum("nmi,nmi->nm", sums, sums)
    longest: FloatArray = sums[np.arange(len(sums)), np.argmax(length2, axis=1)]
    return longest
