"""Particles with codes that nobody knows: neutral and invisible, and counted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from darkbelle.gen.events import Status
from darkbelle.gen.particles import is_unknown

__all__ = ["count_unknown"]


def count_unknown(pdg_id: npt.NDArray[np.integer], status: npt.NDArray[np.integer]) -> Counter[int]:
    """How many final particles have codes that stand in no table, by code.

    Detectors do not see them, cf. `darkbelle.gen.particles.species_in_record`.
    """
    codes, counts = np.unique(pdg_id[status == Status.FINAL], return_counts=True)
    pairs = zip(codes.tolist(), counts.tolist(), strict=True)
    return Counter({code: count for code, count in pairs if is_unknown(code)})
