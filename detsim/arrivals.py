"""Particles that leave the tracking volume: where they meet the calorimeter, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["Arrivals"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Particles that arrive at the inner face of the calorimeter, in the order of the truth table.

    ``row`` in the particle table; ``point`` (x, y, z, t) and ``momentum`` (e, px, py, pz) there,
    shape (4, n).
    """

    row: IndexArray
    pdg_id: npt.NDArray[np.int32]
    point: FloatArray
    momentum: FloatArray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: IndexArray) -> Self:
        """Some of them."""
        return type(self)(*(getattr(self, field.name)[..., chosen] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All of them together."""
        none = cls(np.empty(0, np.intp), np.empty(0, np.int32), np.empty((4, 0)), np.empty((4, 0)))
        columns = [[getattr(part, field.name) for part in (none, *parts)] for field in fields(cls)]
        return cls(*(np.concatenate(column, axis=-1) for column in columns))
