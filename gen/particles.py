"""Particle data: one table for the dark states, the ``particle`` package for all others.

The dark states use codes that the PDG numbering scheme reserves for dark matter (51-60), about
which the ``particle`` package knows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from particle import InvalidParticle, Particle, ParticleNotFound

from darkbelle.errors import ConfigError
from darkbelle.units import MeV, mm, um

__all__ = [
    "ALP",
    "A_PRIME",
    "B0",
    "B_PLUS",
    "CHARGED_REMAINDER",
    "CHI1",
    "CHI2",
    "D0",
    "DARK_HIGGS",
    "DS_STAR",
    "D_PLUS",
    "D_STAR",
    "D_STAR0",
    "ELECTRON",
    "ETA",
    "HNL",
    "K0",
    "KAON",
    "K_L",
    "K_S",
    "K_STAR",
    "K_STAR0",
    "LAMBDA",
    "MASS_E",
    "MASS_MU",
    "MASS_TAU",
    "MUON",
    "NEUTRON",
    "NU_E",
    "NU_MU",
    "NU_TAU",
    "OMEGA",
    "PHI",
    "PHOTON",
    "PI0",
    "PION",
    "PROTON",
    "REMAINDER",
    "RHO",
    "RHO0",
    "SCALAR",
    "TAU",
    "UPSILON_4S",
    "Z_PRIME",
    "Species",
    "UnknownParticleError",
    "charges",
    "conjugate",
    "ctaus",
    "is_dark",
    "is_hadron",
    "is_invisible",
    "is_lepton",
    "is_unknown",
    "is_vector",
    "masses",
    "species",
    "species_in_record",
    "twice_spin",
]

FloatArray = npt.NDArray[np.float64]

ELECTRON: Final = 11
NU_E: Final = 12
MUON: Final = 13
NU_MU: Final = 14
TAU: Final = 15
NU_TAU: Final = 16
PHOTON: Final = 22
PI0: Final = 111
K_L: Final = 130
PION: Final = 211
RHO0: Final = 113
RHO: Final = 213
ETA: Final = 221
OMEGA: Final = 223
K_S: Final = 310
K0: Final = 311
K_STAR0: Final = 313
KAON: Final = 321
PHI: Final = 333
K_STAR: Final = 323
D_PLUS: Final = 411
D_STAR: Final = 413
D0: Final = 421
D_STAR0: Final = 423
DS_STAR: Final = 433
B0: Final = 511
B_PLUS: Final = 521
UPSILON_4S: Final = 300553
REMAINDER: Final = 91
"""What is left of an event, as one particle without charge; a code that Monte Carlos may use."""
CHARGED_REMAINDER: Final = 92
NEUTRON: Final = 2112
PROTON: Final = 2212
LAMBDA: Final = 3122
ALP: Final = 51
CHI1: Final = 52
CHI2: Final = 53
SCALAR: Final = 54
Z_PRIME: Final = 55
A_PRIME: Final = 56
DARK_HIGGS: Final = 57
HNL: Final = 58

MASS_E: Final = 0.51099895e-3
"""GeV, PDG 2024"""
MASS_MU: Final = 0.1056583755
"""GeV, PDG 2024"""
MASS_TAU: Final = 1.77693
"""GeV, PDG 2024"""


@dataclass(frozen=True, slots=True)
class Species:
    """What the simulation needs of a particle; a dark state's mass and life are its process's."""

    name: str
    charge: int
    mass: float | None
    invisible: bool = False
    ctau: float = math.inf


_BOSONS = {ALP: "a", SCALAR: "S", Z_PRIME: "Z'", A_PRIME: "A'", DARK_HIGGS: "h'"}
_FERMIONS = {CHI1: "chi1", -CHI1: "chi1bar", CHI2: "chi2", HNL: "N", -HNL: "Nbar"}
_DARK = {**_FERMIONS, **_BOSONS}
_DARK_SPINS = {ALP: 0, SCALAR: 0, DARK_HIGGS: 0, Z_PRIME: 2, A_PRIME: 2}
"""Twice the spins of the bosons."""
_MASSES = {
    ELECTRON: MASS_E,
    MUON: MASS_MU,
    TAU: MASS_TAU,
    RHO0: 0.77526,
    RHO: 0.77511,
    OMEGA: 0.78266,
    K_STAR0: 0.89556,
    K_STAR: 0.89188,
    PHI: 1.01946,
    D_STAR0: 2.00685,
    D_STAR: 2.01026,
}
"""PDG 2024 [GeV], where the ``particle`` package has fewer digits or changes with its edition."""
_CTAUS = {
    TAU: 87.02975 * um,
    B0: 454.7852 * um,
    B_PLUS: 491.06 * um,
    K0: 0.0,
    DS_STAR: 0.0,
}
"""PDG 2024 [cm]; the package changes the first three, and knows no end of the last two."""
_REMAINDERS = {REMAINDER: 0, CHARGED_REMAINDER: 1}
_LIGHTEST_HADRON = 100
"""Codes beyond it are those of hadrons."""
_LONGEST_TABLE = 100_000
"""Codes side by side that are looked up in a table, which is quicker than to sort them."""
_NEUTRINOS = frozenset({NU_E, NU_MU, NU_TAU})


class UnknownParticleError(ConfigError):
    """A code that stands in no table."""


@cache
def species(pdg_id: int) -> Species:
    """Name, charge [e], mass [GeV], ctau [cm] of a code (PDG); ConfigError where it is unknown."""
    if pdg_id in _DARK:
        return Species(_DARK[pdg_id], 0, None, invisible=True)
    if abs(pdg_id) in _REMAINDERS and pdg_id != -REMAINDER:
        charge = int(math.copysign(_REMAINDERS[abs(pdg_id)], pdg_id))
        return Species("remainder", charge, None, invisible=True)
    try:
        particle = Particle.from_pdgid(pdg_id)
    except (InvalidParticle, ParticleNotFound):
        raise UnknownParticleError(f"pdg_id {pdg_id} is no known particle") from None
    if particle.charge is None or particle.charge != int(particle.charge):
        raise ConfigError(f"pdg_id {pdg_id} ({particle.name}) is no particle of integer charge")
    if abs(pdg_id) in _NEUTRINOS:
        return Species(particle.name, 0, 0.0, invisible=True)
    mass = None if particle.mass is None else _MASSES.get(abs(pdg_id), particle.mass * MeV)
    ctau = math.inf if particle.ctau is None else particle.ctau * mm
    ctau = _CTAUS.get(abs(pdg_id), ctau)
    return Species(particle.name, int(particle.charge), mass, ctau=ctau)


@cache
def species_in_record(pdg_id: int) -> Species:
    """`species`, and of a code that nobody knows: neutral, stable and invisible.

    Other generators have particles of their own; users, who may mistype, are asked for known ones.
    """
    try:
        return species(pdg_id)
    except UnknownParticleError:
        return Species(f"pdg_id {pdg_id}", 0, None, invisible=True)


@cache
def is_unknown(pdg_id: int) -> bool:
    """Whether a code stands in no table."""
    try:
        species(pdg_id)
    except UnknownParticleError:
        return True
    except ConfigError:
        return False
    return False


@cache
def conjugate(pdg_id: int) -> int:
    """Code of the antiparticle, that of the particle itself where it is its own."""
    try:
        species(-pdg_id)
    except ConfigError:
        return pdg_id
    return -pdg_id


def charges(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """Charges [e] of an array of particle codes, same shape."""
    return _look_up(pdg_id, lambda known: known.charge, np.int8)


def masses(pdg_id: npt.NDArray[np.int32]) -> FloatArray:
    """Masses [GeV] of an array of particle codes, same shape; ConfigError for a dark state."""
    return _look_up(pdg_id, _own_mass, np.float64)


def ctaus(pdg_id: npt.NDArray[np.int32]) -> FloatArray:
    """Mean proper decay lengths [cm] of particle codes, same shape; infinite if stable."""
    return _look_up(pdg_id, lambda known: known.ctau, np.float64)


def is_invisible(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether each particle code passes any detector unseen, same shape."""
    return _look_up(pdg_id, lambda known: known.invisible, np.bool_)


def is_dark(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether each particle code is that of a dark state, same shape."""
    return np.isin(np.abs(pdg_id), list(_DARK))


def is_hadron(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether each particle code is that of a hadron, same shape; dark states are none."""
    hadron: npt.NDArray[np.bool_] = (np.abs(pdg_id) > _LIGHTEST_HADRON) & ~is_invisible(pdg_id)
    return hadron


def is_lepton(pdg_id: int) -> bool:
    """Whether a code is that of a lepton of the Standard Model."""
    return ELECTRON <= abs(pdg_id) <= NU_TAU


def twice_spin(pdg_id: int) -> int:
    """Twice the spin: of hadrons by the last digit of their codes."""
    if abs(pdg_id) in _DARK:
        return _DARK_SPINS.get(abs(pdg_id), 1)
    if is_lepton(pdg_id):
        return 1
    if pdg_id == PHOTON:
        return 2
    return 0 if pdg_id in (K_S, K_L) else abs(pdg_id) % 10 - 1


def is_vector(pdg_id: int) -> bool:
    """Whether a code is that of a meson of spin one and natural parity, like rho, D* and J/psi."""
    return (
        abs(pdg_id) > _LIGHTEST_HADRON
        and twice_spin(pdg_id) == 2
        and abs(pdg_id) // 10_000 % 10 in (0, 3)
    )


def _own_mass(known: Species) -> float:
    if known.mass is None:
        raise ConfigError(f"{known.name} has no mass of its own")
    return known.mass


def _look_up(
    pdg_id: npt.NDArray[np.int32], quantity: Callable[[Species], float], dtype: type[Any]
) -> npt.NDArray[Any]:
    """A property of each particle code; each code is asked for once."""
    lowest = int(pdg_id.min(initial=0))
    span = int(pdg_id.max(initial=0)) - lowest + 1
    if span > _LONGEST_TABLE:
        codes, inverse = np.unique(pdg_id, return_inverse=True)
        return _properties(codes, quantity, dtype)[inverse]
    place = pdg_id - lowest
    is_there = np.zeros(span, dtype=bool)
    is_there[place] = True
    places = np.flatnonzero(is_there)
    table = np.empty(span, dtype)
    table[places] = _properties(places + lowest, quantity, dtype)
    return table[place]


def _properties(
    codes: npt.NDArray[np.integer], quantity: Callable[[Species], float], dtype: type[Any]
) -> npt.NDArray[Any]:
    known = (species_in_record(int(code)) for code in codes)
    return np.array([quantity(one) for one in known], dtype=dtype)
