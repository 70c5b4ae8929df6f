"""Decay points that are moved along, with all that comes of what decays there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.units import C

__all__ = ["fly"]

FloatArray = npt.NDArray[np.float64]
_MOST_DOUBLINGS = 32


def fly(
    start: FloatArray,
    end: FloatArray,
    mother: npt.NDArray[np.integer],
    momentum: FloatArray,
    mass: FloatArray,
    proper: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Let particles fly farther than they do, by p / m times a proper length, and t by E / m.

    Parameters
    ----------
    start, end
        Where each begins and ends (x, y, z, t) [cm, ns], shape (4, n).
    mother
        Row of the mother, -1 for none, shape (n,).
    momentum, mass
        (e, px, py, pz) [GeV], shape (4, n), and masses, where ``proper`` is not 0 above 0.
    proper
        Additional proper length of each [cm], shape (n,).

    Returns
    -------
    start, end
        With the shifts of all ancestors, and for ``end`` one's own.
    """
    own = np.zeros_like(start)
    flying = np.flatnonzero(proper)
    factor = proper[flying] / mass[flying]
    own[:3, flying] = factor * momentum[1:, flying]
    own[3, flying] = factor * momentum[0, flying] / C
    total = np.pad(own, ((0, 0), (0, 1)))  # row -1: nobody, at rest
    above = np.append(mother, -1)
    for _ in range(_MOST_DOUBLINGS):  # each adds as many ancestors as all before together
        if np.all(above < 0):
            break
        total = total + total[:, above]
        above = above[above]
    ancestors = total[:, :-1] - own
    return start + ancestors, end + ancestors + own
