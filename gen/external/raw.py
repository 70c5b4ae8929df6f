"""Events as a file or another generator tells them: columns in our units, and nothing judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.ragged import event_of

__all__ = ["RawEvents"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class RawEvents:
    """Events with all that a generator writes down: partons, copies of particles, remarks.

    Event i owns the entries ``offsets[i]`` to ``offsets[i + 1]``; codes are those of the source,
    and so are states of final particles (1) and beams (4). ``mother`` is the index within the
    event of the first mother, -1 for none. ``momentum`` (e, px, py, pz) [GeV], ``start`` and
    ``end`` (x, y, z, t) [cm, ns] have the shape (4, n); ``has_end`` tells which entries have
    daughters in the record, so that ``end`` is where these begin. ``weights`` have the shape
    (n_events, n_weights), the nominal one first. ``first`` is the number of the first event in its
    file.
    """

    pdg_id: IntArray
    status: IntArray
    mother: IntArray
    mass: FloatArray
    momentum: FloatArray
    start: FloatArray
    end: FloatArray
    has_end: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    weights: FloatArray
    first: int = 0

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.offsets) - 1

    def event_index(self) -> npt.NDArray[np.int64]:
        """Event of each entry, shape (n,)."""
        return event_of(self.offsets)

    def mother_rows(self) -> npt.NDArray[np.intp]:
        """Row of the mother of each entry, -1 for none, shape (n,)."""
        first = self.offsets[self.event_index()]
        return np.where(self.mother < 0, -1, self.mother + first).astype(np.intp)

    def __len__(self) -> int:
        return len(self.pdg_id)
