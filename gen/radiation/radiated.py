"""What radiation leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Radiated"]


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

    momenta: npt.NDArray[np.float64]
    photons: npt.NDArray[np.float64]
    event: npt.NDArray[np.intp]
