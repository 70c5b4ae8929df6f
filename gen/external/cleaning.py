"""From what a generator writes down to what flies: no partons, copies or remarks, relinked.

Kept are beams, final particles, and decays of what can decay; of copies of a particle, which
generators make when it recoils or radiates, the last one. Daughters of what is left out belong to
the nearest ancestor that is kept; what comes of the beams alone has no parent.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError
from darkbelle.gen.decays.table import LONG_LIVED
from darkbelle.gen.events import CrossSection, Origin, Outcome, Particles, Status, TruthEvents
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.particles import (
    ELECTRON,
    NU_E,
    NU_MU,
    NU_TAU,
    PHOTON,
    UnknownParticleError,
    charges,
    masses,
    species,
)
from darkbelle.ragged import offsets_of

__all__ = ["can_decay", "is_parton", "is_relevant", "nearest", "truth_of", "where_beams_meet"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]
RowArray = npt.NDArray[np.intp]

_GLUON: Final = 21
_STABLE: Final = (ELECTRON, NU_E, NU_MU, NU_TAU, PHOTON, _GLUON)
_INTERNAL: Final = (23, 24, 25, *range(81, 101))
"""Codes of what is far off its mass shell here, and of strings, clusters and the like (PDG)."""
_INCOMING: Final = (21, *range(41, 50))
"""States of what Pythia lets collide, on its way from the beams."""
_NEUTRAL: Final = (111, 221, 331, 310, 130, 311, -311, 421, -421, 2112, -2112, 3122, -3122)
"""Hadrons that calculations without masses may have."""
_SHOWER: Final = 94
"""What Fortran generators put between particles and the same after radiation (PDG)."""
_MOST_DOUBLINGS = 32
"""No chain of mothers is longer than two to this power."""


def is_parton(pdg_id: IntArray) -> BoolArray:
    """Whether each code is that of a gluon, a quark or a diquark, same shape."""
    codes, inverse = np.unique(pdg_id, return_inverse=True)
    return np.array([_is_parton(code) for code in codes.tolist()], bool)[inverse]


def _is_parton(code: int) -> bool:
    try:
        species(code)
    except UnknownParticleError:
        return False
    except ConfigError:  # no integer charge
        return True
    return code == _GLUON


def can_decay(pdg_id: IntArray) -> BoolArray:
    """Whether each code may be that of a particle with daughters, same shape.

    Photons and electrons have some in generators' records alone.
    """
    code = np.abs(pdg_id)
    return ~(np.isin(code, _STABLE) | np.isin(code, _INTERNAL) | is_parton(pdg_id))


def is_relevant(pdg_id: IntArray, always: BoolArray, mother: RowArray) -> BoolArray:
    """Which entries of a record are kept, shape (n,).

    Parameters
    ----------
    pdg_id
        Codes.
    always
        Which ones are kept in any case: beams and final particles.
    mother
        Rows of their mothers, -1 for none.
    """
    has_daughter = np.zeros(len(pdg_id), bool)
    has_daughter[mother[mother >= 0]] = True
    return always | (has_daughter & ~_goes_on(pdg_id, mother) & can_decay(pdg_id))


def _goes_on(pdg_id: IntArray, mother: RowArray) -> BoolArray:
    """Which entries have a copy of themselves among their daughters, shape (n,)."""
    has_mother = np.flatnonzero(mother >= 0)
    its = mother[has_mother]
    found = np.zeros(len(pdg_id), bool)
    found[its[pdg_id[its] == pdg_id[has_mother]]] = True
    return found


def _showers(pdg_id: IntArray, mother: RowArray) -> BoolArray:
    """Which entries lead to a shower, and did not decay, shape (n,)."""
    found = np.zeros(len(pdg_id), bool)
    found[mother[(mother >= 0) & (pdg_id == _SHOWER)]] = True
    return found


def nearest(kept: BoolArray, mother: RowArray) -> RowArray:
    """Row of the nearest kept ancestor of each entry, -1 for none, shape (n,).

    Each step skips as many ancestors as all before together.
    """
    rows = np.arange(len(kept))
    skip = np.append(np.where(kept, rows, mother), -1)  # -1 leads to itself
    for _ in range(_MOST_DOUBLINGS):
        farther = skip[skip]
        if np.array_equal(farther, skip):
            break
        skip = farther
    ancestor = skip[mother]
    return np.where((ancestor >= 0) & kept[ancestor], ancestor, -1)


def truth_of(raw: RawEvents, cross_section: CrossSection | None = None) -> TruthEvents:
    """The truth record of some events of another generator, in the frame that they are in.

    The first weight counts. Charged particles and hadrons without a mass, as massless calculations
    have them, get that of the table. Muons, pions, kaons and K_L are final, for their decays are
    those of the detector simulation, which follows their tracks.
    """
    mother = raw.mother_rows()
    is_beam = raw.status == Status.BEAM
    is_final = (raw.status == Status.FINAL) & (raw.momentum[0] > 0)  # photons rounded to nothing
    kept = is_relevant(raw.pdg_id, is_beam | is_final, mother)
    ends = is_final | ((raw.status == Status.DECAYED) & ~_showers(raw.pdg_id, mother))
    flies = kept & ends & np.isin(np.abs(raw.pdg_id), LONG_LIVED)
    kept &= flies | ~np.isin(np.abs(raw.pdg_id), LONG_LIVED) | is_beam
    is_final, kept = is_final | flies, kept & (nearest(flies, mother) < 0)
    parent, row = nearest(kept, mother)[kept], np.flatnonzero(kept)
    event = raw.event_index()[row]
    offsets = offsets_of(event, raw.n_events)
    place = np.cumsum(kept) - 1
    code, beam, final = raw.pdg_id[row], is_beam[row], is_final[row]
    from_beams = (parent < 0) | is_beam[parent]
    vertex = where_beams_meet(raw)
    start, end = raw.start[:, row], np.where(final, 0.0, raw.end[:, row])
    for points in (start, end):
        points[:, beam] = vertex[:, event[beam]]
    status = np.select([beam, final], [Status.BEAM, Status.FINAL], Status.DECAYED)
    outcome = np.select([beam, final], [Outcome.COLLIDED, Outcome.UNDETERMINED], Outcome.DECAYED)
    px, py, pz = raw.momentum[1:, row]
    x, y, z, t = start
    decay_x, decay_y, decay_z, decay_t = end
    particles = Particles(
        pdg_id=code,
        status=status.astype(np.int8),
        parent=np.where(from_beams, -1, place[parent] - offsets[event]).astype(np.int32),
        px=px,
        py=py,
        pz=pz,
        mass=_masses(raw, row),
        x=x,
        y=y,
        z=z,
        t=t,
        decay_x=decay_x,
        decay_y=decay_y,
        decay_z=decay_z,
        decay_t=decay_t,
        origin=_origins(raw, mother, row, from_beams).astype(np.int8),
        outcome=outcome.astype(np.int8),
    )
    return TruthEvents(particles, offsets, raw.weights[:, 0], vertex, cross_section)


def where_beams_meet(raw: RawEvents) -> npt.NDArray[np.float64]:
    """Where the first entry begins that is no beam and comes of none but beams, (4, n_events).

    The origin for an event without any.
    """
    mother, is_beam = raw.mother_rows(), raw.status == Status.BEAM
    is_first = ~is_beam & ((mother < 0) | is_beam[mother])
    rows = np.flatnonzero(is_first)[::-1]  # the first is written last
    vertex = np.zeros((4, raw.n_events))
    vertex[:, raw.event_index()[rows]] = raw.start[:, rows]
    return vertex


def _masses(raw: RawEvents, row: RowArray) -> npt.NDArray[np.float64]:
    """Those of the source, none negative; of the table for charges and hadrons without one."""
    mass, code = np.maximum(raw.mass[row], 0.0), raw.pdg_id[row]
    bare = np.flatnonzero((mass == 0) & ((charges(code) != 0) | np.isin(code, _NEUTRAL)))
    mass[bare] = masses(code[bare])
    return mass


def _origins(
    raw: RawEvents, mother: RowArray, row: RowArray, from_beams: BoolArray
) -> npt.NDArray[np.int64]:
    """How each kept entry was born; photons with a mother that goes on were radiated."""
    origin = np.where(from_beams, Origin.PRIMARY, Origin.DECAY)
    emitter = mother[row]
    goes_on = _goes_on(raw.pdg_id, mother)[emitter]
    radiated = (raw.pdg_id[row] == PHOTON) & (emitter >= 0) & goes_on
    incoming = np.isin(raw.status[emitter], (Status.BEAM, *_INCOMING))
    origin[radiated & incoming] = Origin.INITIAL_STATE_RADIATION
    origin[radiated & ~incoming] = Origin.FINAL_STATE_RADIATION
    origin[raw.status[row] == Status.BEAM] = Origin.BEAM
    return origin
