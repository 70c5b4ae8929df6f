"""Sudden losses of energy, from where they happen to where a fit is pulled by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Losses"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Losses:
    """Sudden losses of energy that a track fit does not know of, in any order.

    The row of the particle that suffers it, the transverse arc from its birth [cm], and the change
    of its inverse momentum in units of that at birth.
    """

    particle: IndexArray
    path: FloatArray
    change: FloatArray

    @classmethod
    def none(cls) -> Losses:
        """No losses."""
        return cls(np.empty(0, np.intp), np.empty(0), np.empty(0))

    @classmethod
    def join(cls, parts: Sequence[Losses]) -> Losses:
        """All of them together."""
        return cls(
            np.concatenate([part.particle for part in parts]),
            np.concatenate([part.path for part in parts]),
            np.concatenate([part.change for part in parts]),
        )
