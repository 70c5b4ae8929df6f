"""Which pairs radiate by a kernel of their own, and all else by the current of its charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.particles import conjugate, is_lepton, is_vector, species, twice_spin
from darkbelle.gen.radiation.decays import radiate_decay
from darkbelle.gen.radiation.pairs import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_VECTOR,
    SCALARS_FROM_SCALAR,
    SCALARS_FROM_VECTOR,
    Kernel,
    radiate,
)
from darkbelle.gen.radiation.radiated import Radiated

__all__ = ["ChargedPair", "pair_of", "radiate_daughters"]

FloatArray = npt.NDArray[np.float64]

FROM_VECTOR: Final = {1: FERMIONS_FROM_VECTOR, 0: SCALARS_FROM_VECTOR}
FROM_SPINLESS: Final = {1: FERMIONS_FROM_PSEUDOSCALAR, 0: SCALARS_FROM_SCALAR}
"""By twice the spin of the daughters."""


@dataclass(frozen=True, slots=True)
class ChargedPair:
    """Particles of opposite charge that radiate together: their places, and how."""

    minus: int
    plus: int
    kernel: Kernel


def pair_of(parent: int, daughters: Sequence[int]) -> ChargedPair | None:
    """How a known particle's daughters radiate that are a lepton or pseudoscalar and its conjugate.

    None for all other decays, and for those of axial vectors.
    """
    if len(daughters) != 2 or daughters[1] != conjugate(daughters[0]):
        return None
    spin, charge = twice_spin(daughters[0]), species(daughters[0]).charge
    if charge == 0 or not (is_lepton(daughters[0]) or spin == 0):
        return None
    if is_vector(parent):
        kernel = FROM_VECTOR[spin]
    elif twice_spin(parent) == 0:
        kernel = FROM_SPINLESS[spin]
    else:
        return None
    return ChargedPair(0, 1, kernel) if charge < 0 else ChargedPair(1, 0, kernel)


def radiate_daughters(
    momenta: FloatArray,
    pdg_ids: Sequence[int],
    masses: Sequence[float | FloatArray],
    pair: ChargedPair | None,
    rng: np.random.Generator,
) -> Radiated:
    """By the kernel of a pair among them, else by the current of all charges, cf. `radiate_decay`.

    Particles of a pair have one mass for all events.
    """
    if pair is None:
        return radiate_decay(momenta, pdg_ids, masses, rng)
    places = [pair.minus, pair.plus]
    radiated = radiate(momenta[places], float(masses[pair.minus]), pair.kernel, rng)
    momenta = momenta.copy()
    momenta[places] = radiated.momenta
    return replace(radiated, momenta=momenta)
