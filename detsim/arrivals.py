"""Particles at the inner face of the calorimeter: r = 125 cm, or z = -102 and 196 cm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Arrivals"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Particles that arrive at the inner face of the calorimeter, in the order of the truth table.

    ``row`` in the particle table; ``point`` (x, y, z, t) and ``momentum`` (e, px, py, pz) there,
    shape (4, n).
    """

    row: npt.NDArray[np.intp]
    pdg_id: npt.NDArray[np.int32]
    point: FloatArray
    momentum: FloatArray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> Arrivals:
        """Some of them."""
        return Arrivals(
            self.row[chosen],
            self.pdg_id[chosen],
            self.point[:, chosen],
            self.momentum[:, chosen],
        )
