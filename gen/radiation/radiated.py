"""What radiation leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Radiated"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Radiated:
    """Decay products after their emissions.

    Attributes
    ----------
    momenta
        Those that were given, as the photons leave them, shape (n_daughters, 4, n).
    photons
        Their momenta, shape (4, n_photons), by events and in each from the hardest.
    event
        Decay that each photon comes from, shape (n_photons,).
    """

    momenta: FloatArray
    photons: FloatArray
    event: IndexArray

    def one_a_decay(self) -> Iterator[tuple[IndexArray, FloatArray]]:
        """Decays with a first photon and these photons, then those with a second one, and so on."""
        order = np.argsort(self.event, kind="stable")
        event = self.event[order]
        rank = np.arange(len(event)) - np.searchsorted(event, event)
        for i in range(rank.max(initial=-1) + 1):
            yield event[rank == i], self.photons[:, order[rank == i]]
