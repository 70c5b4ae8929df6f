"""Photons that charged particles radiate as something decays to them.

`radiate` is exact, at first order, for pairs that something neutral decays to; `radiate_decay`
serves all other decays.
"""

from __future__ import annotations

from darkbelle.gen.isr import X_MIN
from darkbelle.gen.radiation.decays import radiate_decay
from darkbelle.gen.radiation.kernels import ChargedPair, pair_of, radiate_daughters
from darkbelle.gen.radiation.pairs import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_SCALAR,
    FERMIONS_FROM_VECTOR,
    SCALARS_FROM_SCALAR,
    SCALARS_FROM_VECTOR,
    Kernel,
    radiate,
)
from darkbelle.gen.radiation.radiated import Radiated

__all__ = [
    "FERMIONS_FROM_PSEUDOSCALAR",
    "FERMIONS_FROM_SCALAR",
    "FERMIONS_FROM_VECTOR",
    "SCALARS_FROM_SCALAR",
    "SCALARS_FROM_VECTOR",
    "X_MIN",
    "ChargedPair",
    "Kernel",
    "Radiated",
    "pair_of",
    "radiate",
    "radiate_daughters",
    "radiate_decay",
]
