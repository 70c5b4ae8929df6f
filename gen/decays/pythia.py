"""Decays of B mesons by the tables of Pythia 8, one after the other, as it has no other way.

C. Bierlich et al., SciPost Phys. Codebases 8 (2022). Mixing is left to the processes; masses of
what lives long, and lifetimes of B and tau, are those of `darkbelle.gen.particles`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, KinematicsError, MissingDependencyError
from darkbelle.extras import needed_for
from darkbelle.gen.events import Newborn, Origin, Outcome, Status, TruthEvents, append
from darkbelle.gen.particles import (
    B0,
    B_PLUS,
    ELECTRON,
    K0,
    K_L,
    K_S,
    KAON,
    MUON,
    NEUTRON,
    PI0,
    PION,
    PROTON,
    TAU,
    species,
)
from darkbelle.units import C, mm

__all__ = ["decay_by_pythia"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

_SETTINGS: Final = (
    "Print:quiet = on",
    "ProcessLevel:all = off",
    "ParticleDecays:mixB = off",
    "Random:setSeed = on",
)
_FOR_THE_DETECTOR: Final = (MUON, PION, KAON, K_L, 3112, 3222, 3312, 3334)
"""What the detector simulation lets decay, or fly as it is: charged hyperons."""
_OWN_MASSES: Final = (ELECTRON, MUON, TAU, PI0, PION, KAON, K0, K_S, K_L, PROTON, NEUTRON)
_OWN_LIVES: Final = (TAU, B0, B_PLUS)
_LAST_SEED: Final = 900_000_000
_DECAYING: Final = 81
"""Status of a particle that is to decay."""
_MOST_TRIES: Final = 100
_GLUON: Final = 21


def decay_by_pythia(
    truth: TruthEvents, rows: npt.NDArray[np.intp], rng: np.random.Generator
) -> TruthEvents:
    """Let some B mesons of the table fly and decay, with all that comes of them.

    The same random numbers give the same decays. Particles that have decayed on the way are kept,
    apart from partons.

    Raises
    ------
    MissingDependencyError
        Pythia is not installed.
    """
    if len(rows) == 0:
        return truth
    pythia = _pythia()
    pythia.rndm.init(int(rng.integers(1, _LAST_SEED, endpoint=True)))
    record = _Record.of(_decays(pythia, truth, rows)).without_partons()
    is_meson = record.mother < 0
    daughter = np.flatnonzero(~is_meson)
    born = Newborn(
        rows[record.meson[daughter]],
        record.pdg_id[daughter],
        record.mass[daughter],
        record.momentum[:, daughter],
        record.start[:, daughter],
        Origin.DECAY,
        np.where(record.is_final[daughter], Status.FINAL, Status.DECAYED).astype(np.int8),
    )
    longer, places = append(truth, born)
    place = np.empty(len(record.mother), np.intp)
    place[is_meson] = places[rows[record.meson[is_meson]]]
    place[daughter] = places[len(truth.particles) :]
    return _linked(longer, record, place)


def _linked(truth: TruthEvents, record: _Record, place: IndexArray) -> TruthEvents:
    """Parents of the daughters, and ends of what has decayed, at their places in the table."""
    names = ("parent", "status", "outcome", "decay_x", "decay_y", "decay_z", "decay_t")
    table = {name: getattr(truth.particles, name).copy() for name in names}
    daughter = np.flatnonzero(record.mother >= 0)
    at = place[daughter]
    first = truth.offsets[truth.event_index()[at]]
    table["parent"][at] = place[record.mother[daughter]] - first
    decayed = np.flatnonzero(~record.is_final)
    ends = (Status.DECAYED, Outcome.DECAYED, *record.end[:, decayed])
    for name, value in zip(names[1:], ends, strict=True):
        table[name][place[decayed]] = value
    return replace(truth, particles=replace(truth.particles, **table))


@dataclass(frozen=True, slots=True)
class _Record:
    """Particles of all decays, each meson before what comes of it; shape (m,) or (4, m)."""

    meson: IndexArray
    mother: IndexArray
    pdg_id: npt.NDArray[np.int32]
    is_final: npt.NDArray[np.bool_]
    mass: FloatArray
    momentum: FloatArray
    start: FloatArray
    end: FloatArray

    @classmethod
    def of(cls, decays: Iterator[list[tuple[float, ...]]]) -> _Record:
        """Pythia's particles, in mm, with mothers counted within their decay."""
        lists = list(decays)
        length = np.array([len(decay) for decay in lists])
        first = np.cumsum(length) - length
        table = np.array([particle for decay in lists for particle in decay]).T
        mother = table[0].astype(np.intp) - 1
        mother = np.where(mother < 0, -1, mother + np.repeat(first, length))
        unit = np.array([mm, mm, mm, mm / C])[:, None]
        return cls(
            np.repeat(np.arange(len(lists)), length),
            mother,
            table[1].astype(np.int32),
            table[2] > 0,
            table[3],
            table[4:8],
            table[8:12] * unit,
            table[12:16] * unit,
        )

    def without_partons(self) -> _Record:
        """What no hadron, lepton or photon is left out; its daughters are those of its mother."""
        codes, inverse = np.unique(self.pdg_id, return_inverse=True)
        kept = np.array([_is_particle(int(code)) for code in codes])[inverse]
        mother = self.mother
        while np.any(skipped := (mother >= 0) & ~kept[mother]):
            mother = np.where(skipped, self.mother[mother], mother)
        place = np.cumsum(kept) - 1
        mother = np.where(mother < 0, -1, place[mother])
        return _Record(
            self.meson[kept],
            mother[kept],
            self.pdg_id[kept],
            self.is_final[kept],
            self.mass[kept],
            self.momentum[:, kept],
            self.start[:, kept],
            self.end[:, kept],
        )


def _decays(
    pythia: Any, truth: TruthEvents, rows: npt.NDArray[np.intp]
) -> Iterator[list[tuple[float, ...]]]:
    """The particles of each decay, the meson first."""
    p, event = truth.particles, pythia.event
    columns = (p.pdg_id, p.px, p.py, p.pz, p.e, p.mass, p.x / mm, p.y / mm, p.z / mm, p.t * C / mm)
    for code, *meson in zip(*(column[rows].tolist() for column in columns), strict=True):
        for _ in range(_MOST_TRIES):
            event.reset()
            event.append(code, _DECAYING, 0, 0, *meson[:5])
            event[1].vProd(*meson[5:])
            if pythia.next():
                break
        else:
            raise KinematicsError(f"Pythia does not decay a {species(code).name}")
        yield [_read(event[i]) for i in range(1, event.size())]


def _read(q: Any) -> tuple[float, ...]:
    return (
        *(q.mother1(), q.id(), q.isFinal(), q.m()),
        *(q.e(), q.px(), q.py(), q.pz()),
        *(q.xProd(), q.yProd(), q.zProd(), q.tProd()),
        *(q.xDec(), q.yDec(), q.zDec(), q.tDec()),
    )


def _is_particle(pdg_id: int) -> bool:
    try:
        species(pdg_id)
    except ConfigError:
        return False
    return pdg_id != _GLUON


@cache
def _pythia() -> Any:
    """Pythia, ready to decay; its random numbers are started anew for each use."""
    with needed_for("decays of B mesons by Pythia", "pythia"):
        import pythia8mc
    pythia = pythia8mc.Pythia("", False)
    settings = [
        *_SETTINGS,
        *(f"{code}:mayDecay = off" for code in _FOR_THE_DETECTOR),
        *(f"{code}:m0 = {species(code).mass!r}" for code in (*_OWN_MASSES, B0, B_PLUS)),
        *(f"{code}:tau0 = {species(code).ctau / mm!r}" for code in _OWN_LIVES),
    ]
    if not (all(pythia.readString(setting) for setting in settings) and pythia.init()):
        raise MissingDependencyError(
            "Pythia does not start; PYTHIA8DATA, if set, must be the folder xmldoc of pythia8mc"
        )
    return pythia
