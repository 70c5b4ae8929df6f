"""Particle data: one table for the dark states, the ``particle`` package for all others.

The dark states use codes that the PDG numbering scheme reserves for dark matter (51-60), about
which the ``particle`` package knows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from particle import InvalidParticle, Particle, ParticleNotFound

from darkbelle.errors import ConfigError
from darkbelle.units import MeV

__all__ = [
    "CHI1",
    "ELECTRON",
    "MASS_E",
    "MASS_MU",
    "MASS_TAU",
    "MUON",
    "NU_MU",
    "NU_TAU",
    "PHOTON",
    "Z_PRIME",
    "Species",
    "charges",
    "is_invisible",
    "species",
]

ELECTRON: Final = 11
MUON: Final = 13
NU_MU: Final = 14
NU_TAU: Final = 16
PHOTON: Final = 22
CHI1: Final = 52
Z_PRIME: Final = 55

MASS_E: Final = 0.51099895e-3
"""GeV, PDG 2024"""
MASS_MU: Final = 0.1056583755
"""GeV, PDG 2024"""
MASS_TAU: Final = 1.77693
"""GeV, PDG 2024"""


@dataclass(frozen=True, slots=True)
class Species:
    """What the simulation needs to know of a particle; a dark state's mass is its process's."""

    name: str
    charge: int
    mass: float | None
    invisible: bool = False


_DARK = {
    CHI1: Species("chi1", 0, None, invisible=True),
    -CHI1: Species("chi1bar", 0, None, invisible=True),
    Z_PRIME: Species("Z'", 0, None, invisible=True),
}
_NEUTRINOS = frozenset({12, 14, 16})


@cache
def species(pdg_id: int) -> Species:
    """Name, charge [e] and mass [GeV] of a particle code; ConfigError where it is unknown."""
    if pdg_id in _DARK:
        return _DARK[pdg_id]
    try:
        particle = Particle.from_pdgid(pdg_id)
    except (InvalidParticle, ParticleNotFound):
        raise ConfigError(f"pdg_id {pdg_id} is no known particle") from None
    if particle.charge is None or particle.charge != int(particle.charge):
        raise ConfigError(f"pdg_id {pdg_id} ({particle.name}) is no particle of integer charge")
    mass = None if particle.mass is None else particle.mass * MeV
    return Species(particle.name, int(particle.charge), mass, invisible=abs(pdg_id) in _NEUTRINOS)


def charges(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """Charges [e] of an array of particle codes, same shape."""
    return _look_up(pdg_id, lambda known: known.charge, np.int8)


def is_invisible(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether each particle code passes any detector unseen, same shape."""
    return _look_up(pdg_id, lambda known: known.invisible, np.bool_)


def _look_up(
    pdg_id: npt.NDArray[np.int32], quantity: Callable[[Species], int], dtype: type[Any]
) -> npt.NDArray[Any]:
    """A property of each particle code; each code is asked for once."""
    codes, inverse = np.unique(pdg_id, return_inverse=True)
    table = np.array([quantity(species(int(code))) for code in codes], dtype=dtype)
    return table[inverse]
