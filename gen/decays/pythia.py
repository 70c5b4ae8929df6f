"""Decays of B mesons by the tables of Pythia 8, one after the other, as it has no other way.

Mixing is left to the processes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import KinematicsError
from darkbelle.gen.events import Newborn, Origin, Outcome, Status, TruthEvents, append
from darkbelle.gen.external.cleaning import is_relevant, nearest
from darkbelle.gen.external.pythia import TO_CM, draw_seed, start_pythia
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.particles import is_unknown, species
from darkbelle.ragged import offsets_by_length
from darkbelle.units import C, mm

__all__ = ["decay_by_pythia"]

IndexArray = npt.NDArray[np.intp]

_SETTINGS: Final = ("ProcessLevel:all = off", "ParticleDecays:mixB = off")
_DECAYING: Final = 81
"""Status of a particle that is to decay."""
_MOST_TRIES: Final = 100


def decay_by_pythia(truth: TruthEvents, rows: IndexArray, rng: np.random.Generator) -> TruthEvents:
    """Let some B mesons of the table fly and decay, with all that comes of them.

    The same random numbers give the same decays. Particles that have decayed on the way are kept,
    apart from partons and those few of which no table tells what the antiparticle is.

    Raises
    ------
    MissingDependencyError
        Pythia is not installed.
    """
    if len(rows) == 0:
        return truth
    pythia = start_pythia("decays of B mesons by Pythia", _SETTINGS)
    pythia.rndm.init(draw_seed(rng))
    raw = _decays(pythia, truth, rows)
    mother, is_final = raw.mother_rows(), raw.status == Status.FINAL
    is_meson = mother < 0
    kept = is_relevant(raw.pdg_id, is_meson | is_final, mother) & _is_known(raw.pdg_id)
    daughter = np.flatnonzero(kept & ~is_meson)
    born = Newborn(
        rows[raw.event_index()[daughter]],
        raw.pdg_id[daughter],
        raw.mass[daughter],
        raw.momentum[:, daughter],
        raw.start[:, daughter],
        Origin.DECAY,
        raw.status[daughter].astype(np.int8),
    )
    longer, places = append(truth, born)
    place = np.full(len(raw), -1, np.intp)
    place[is_meson] = places[rows]
    place[daughter] = places[len(truth.particles) :]
    parent = place[nearest(kept, mother)[daughter]]
    decayed = np.flatnonzero(kept & ~is_final)
    return _linked(longer, place[daughter], parent, place[decayed], raw.end[:, decayed])


def _is_known(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    codes, inverse = np.unique(pdg_id, return_inverse=True)
    return np.array([not is_unknown(code) for code in codes.tolist()], np.bool_)[inverse]


def _linked(
    truth: TruthEvents,
    daughter: IndexArray,
    parent: IndexArray,
    decayed: IndexArray,
    end: npt.NDArray[np.float64],
) -> TruthEvents:
    """Parents of the daughters, and ends of what has decayed, all by their rows."""
    names = ("parent", "status", "outcome", "decay_x", "decay_y", "decay_z", "decay_t")
    table = {name: getattr(truth.particles, name).copy() for name in names}
    table["parent"][daughter] = parent - truth.offsets[truth.event_index()[daughter]]
    for name, value in zip(names[1:], (Status.DECAYED, Outcome.DECAYED, *end), strict=True):
        table[name][decayed] = value
    return replace(truth, particles=replace(truth.particles, **table))


def _decays(pythia: Any, truth: TruthEvents, rows: IndexArray) -> RawEvents:
    """Each decay as an event that begins with the meson."""
    p, event = truth.particles, pythia.event
    columns = (p.pdg_id, p.px, p.py, p.pz, p.e, p.mass, p.x / mm, p.y / mm, p.z / mm, p.t * C / mm)
    lines: list[tuple[float, ...]] = []
    lengths = []
    for code, *meson in zip(*(column[rows].tolist() for column in columns), strict=True):
        for _ in range(_MOST_TRIES):
            event.reset()
            event.append(code, _DECAYING, 0, 0, *meson[:5])
            event[1].vProd(*meson[5:])
            if pythia.next():
                break
        else:
            raise KinematicsError(f"Pythia does not decay a {species(code).name}")
        lines += [_line(event[i]) for i in range(1, event.size())]
        lengths.append(event.size() - 1)
    table = np.array(lines).T
    code, mother, final, mass = table[0], table[1], table[2] > 0, table[3]
    return RawEvents(
        pdg_id=code.astype(np.int32),
        status=np.where(final, Status.FINAL, Status.DECAYED).astype(np.int32),
        mother=mother.astype(np.int32) - 1,
        mass=mass,
        momentum=table[4:8],
        start=table[8:12] * TO_CM,
        end=table[12:] * TO_CM,
        has_end=~final,
        offsets=offsets_by_length(np.array(lengths)),
        weights=np.ones((len(rows), 1)),
    )


def _line(q: Any) -> tuple[float, ...]:
    return (
        *(q.id(), q.mother1(), q.isFinal(), q.m()),
        *(q.e(), q.px(), q.py(), q.pz()),
        *(q.xProd(), q.yProd(), q.zProd(), q.tProd()),
        *(q.xDec(), q.yDec(), q.zDec(), q.tDec()),
    )
