"""The truth record: generated events as flat columns."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from darkbelle.ragged import event_of, offsets_by_length
from darkbelle.records import column, columns

__all__ = [
    "CrossSection",
    "Newborn",
    "Origin",
    "Outcome",
    "Particles",
    "Slot",
    "Status",
    "TruthEvents",
    "append",
    "assemble",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]


class Status(enum.IntEnum):
    """Status codes as in HepMC; the detector simulation's own particles have 0, as in EDM4hep."""

    SIMULATED = 0
    FINAL = 1
    DECAYED = 2
    BEAM = 4


class Origin(enum.IntEnum):
    """How a particle was born; ``DECAY_IN_FLIGHT`` is a decay that the detector simulation made."""

    BEAM = 0
    PRIMARY = 1
    INITIAL_STATE_RADIATION = 2
    DECAY = 3
    GUN = 4
    CONVERSION = 5
    BREMSSTRAHLUNG = 6
    DECAY_IN_FLIGHT = 7
    FINAL_STATE_RADIATION = 8


class Outcome(enum.IntEnum):
    """How a particle ended: the generator fills what it knows, the simulation the rest.

    Whether it was found is no matter of the truth.
    """

    UNDETERMINED = 0
    COLLIDED = 1
    DECAYED = 2
    INVISIBLE = 3
    CONVERTED = 4
    ABSORBED = 5
    STOPPED = 6
    ESCAPED = 7
    RADIATED = 8
    """Lost most of its energy to a photon; the slowed electron is a particle of its own."""
    SHOWERED = 9
    """In the calorimeter."""
    UNDECAYED = 10
    """Its decays are not known to the generator, so that no detector follows it."""


@dataclass(frozen=True, slots=True)
class CrossSection:
    """Cross-section times branching fractions of the chosen final state, with its error [fb]."""

    value: float
    error: float


_END = "where and when it decayed or ended, entered the calorimeter to end there, or zero"


@dataclass(frozen=True, slots=True)
class Particles:
    """The particle table, event after event, laboratory frame, shape (n_particles,) each."""

    pdg_id: IntArray = column("particle code", dtype="i4", edm4hep="PDG")
    status: npt.NDArray[np.int8] = column(
        "status as in HepMC", dtype="i1", edm4hep="generatorStatus", codes=Status
    )
    parent: IntArray = column("index of the parent within the event, -1 for none", dtype="i4")
    px: FloatArray = column("momentum", unit="GeV", dtype="f4", edm4hep="momentum.x")
    py: FloatArray = column("momentum", unit="GeV", dtype="f4", edm4hep="momentum.y")
    pz: FloatArray = column("momentum", unit="GeV", dtype="f4", edm4hep="momentum.z")
    mass: FloatArray = column("mass", unit="GeV", dtype="f4", edm4hep="mass")
    x: FloatArray = column("production vertex", unit="cm", dtype="f8", edm4hep="vertex.x")
    y: FloatArray = column("production vertex", unit="cm", dtype="f8", edm4hep="vertex.y")
    z: FloatArray = column("production vertex", unit="cm", dtype="f8", edm4hep="vertex.z")
    t: FloatArray = column("production time", unit="ns", dtype="f8", edm4hep="time")
    decay_x: FloatArray = column(_END, unit="cm", dtype="f8", edm4hep="endpoint.x")
    decay_y: FloatArray = column(_END, unit="cm", dtype="f8", edm4hep="endpoint.y")
    decay_z: FloatArray = column(_END, unit="cm", dtype="f8", edm4hep="endpoint.z")
    decay_t: FloatArray = column(_END, unit="ns", dtype="f8")
    origin: npt.NDArray[np.int8] = column("how it was born", dtype="i1", codes=Origin)
    outcome: npt.NDArray[np.int8] = column("how it ended", dtype="i1", codes=Outcome)

    @property
    def e(self) -> FloatArray:
        """Energy [GeV]."""
        return np.sqrt(self.px**2 + self.py**2 + self.pz**2 + self.mass**2)

    @property
    def is_final(self) -> npt.NDArray[np.bool_]:
        """Whether it left the generator for the detector to follow."""
        final: npt.NDArray[np.bool_] = (self.status == Status.FINAL) & (
            self.outcome != Outcome.UNDECAYED
        )
        return final

    def __len__(self) -> int:
        return len(self.pdg_id)


@dataclass(frozen=True, slots=True)
class TruthEvents:
    """Generated events.

    Event i owns the particles ``offsets[i]`` to ``offsets[i + 1]``; ``weight`` has a value an
    event; ``vertex`` is where and when the beams met, (x, y, z, t), shape (4, n_events).
    """

    particles: Particles
    offsets: npt.NDArray[np.int64]
    weight: FloatArray
    vertex: FloatArray
    cross_section: CrossSection | None

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.weight)

    def event_index(self) -> npt.NDArray[np.int64]:
        """Event of each particle, shape (n_particles,)."""
        return event_of(self.offsets)

    def parents(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Rows of the parents of some rows, all of which have one, same shape."""
        parents: npt.NDArray[np.int64] = (
            self.offsets[self.event_index()[rows]] + self.particles.parent[rows]
        )
        return parents

    def take(self, index: npt.NDArray[np.integer]) -> TruthEvents:
        """Those of the chosen events, in that order."""
        lengths = np.diff(self.offsets)[index]
        offsets = offsets_by_length(lengths)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[index] - offsets[:-1], lengths)
        return TruthEvents(
            Particles(*(getattr(self.particles, name)[rows] for name in columns(Particles))),
            offsets,
            self.weight[index],
            self.vertex[:, index],
            self.cross_section,
        )

    @staticmethod
    def join(parts: Sequence[TruthEvents]) -> TruthEvents:
        """Events of one origin, one part after the other."""
        tables = [part.particles for part in parts]
        return TruthEvents(
            Particles(
                *(
                    np.concatenate([getattr(table, name) for table in tables])
                    for name in columns(Particles)
                )
            ),
            offsets_by_length(np.concatenate([np.diff(part.offsets) for part in parts])),
            np.concatenate([part.weight for part in parts]),
            np.concatenate([part.vertex for part in parts], axis=1),
            parts[0].cross_section,
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """A particle of every event, or of some, before events are laid out one after the other.

    ``events`` are the indices of the events that have it, in rising order, None for all of them;
    all else is of these events: ``momentum`` (e, px, py, pz), ``start`` and ``end`` (x, y, z, t)
    have the shape (4, m). ``parent`` is the place of an earlier slot that these events have.
    """

    pdg_id: int | IntArray
    status: Status
    origin: Origin
    mass: float | FloatArray
    momentum: FloatArray
    start: FloatArray
    end: FloatArray | None = None
    parent: int = -1
    outcome: Outcome = Outcome.UNDETERMINED
    events: npt.NDArray[np.intp] | None = None


def assemble(
    slots: Sequence[Slot],
    weight: FloatArray,
    vertex: FloatArray,
    cross_section: CrossSection | None,
) -> TruthEvents:
    """Lay the slots of all events out as an event-ordered particle table."""
    everywhere = np.arange(len(weight))
    owners = [everywhere if slot.events is None else slot.events for slot in slots]
    n_particles = np.zeros(len(weight), np.int32)
    places = np.full((len(slots), len(weight)), -1, np.int32)
    for owner, place in zip(owners, places, strict=True):
        place[owner] = n_particles[owner]
        n_particles[owner] += 1
    offsets = offsets_by_length(n_particles)

    table = {
        name: np.zeros(offsets[-1], described.dtype if described.dtype[0] == "i" else np.float64)
        for name, described in columns(Particles).items()
    }
    for slot, owner, place in zip(slots, owners, places, strict=True):
        row = offsets[owner] + place[owner]
        table["pdg_id"][row] = slot.pdg_id
        table["status"][row] = slot.status
        table["parent"][row] = -1 if slot.parent < 0 else places[slot.parent, owner]
        table["mass"][row] = slot.mass
        table["origin"][row] = slot.origin
        table["outcome"][row] = slot.outcome
        for name, value in zip(("px", "py", "pz"), slot.momentum[1:], strict=True):
            table[name][row] = value
        for i, name in enumerate("xyzt"):
            table[name][row] = slot.start[i]
            if slot.end is not None:
                table[f"decay_{name}"][row] = slot.end[i]
    return TruthEvents(Particles(**table), offsets, weight, vertex, cross_section)


@dataclass(frozen=True, slots=True)
class Newborn:
    """Particles that join a particle table, shape (m,) each; one status or origin may serve all.

    ``parent`` is the row of the parent in the whole table; ``momentum`` (e, px, py, pz) and
    ``start`` (x, y, z, t) have the shape (4, m).
    """

    parent: npt.NDArray[np.intp]
    pdg_id: IntArray
    mass: FloatArray
    momentum: FloatArray
    start: FloatArray
    origin: Origin | npt.NDArray[np.int8]
    status: Status | npt.NDArray[np.int8] = Status.FINAL

    def __len__(self) -> int:
        return len(self.parent)


def append(truth: TruthEvents, born: Newborn) -> tuple[TruthEvents, npt.NDArray[np.intp]]:
    """Put the newborn, in their order, at the end of their parents' events.

    Returns
    -------
    events
        The longer table, where each old particle keeps its index within its event; ``truth``
        itself where nobody is born.
    rows
        Row there of each old particle, then of each of the newborn, shape (n_particles + m,).
    """
    n_old = len(truth.particles)
    if len(born) == 0:
        return truth, np.arange(n_old)
    old_event = truth.event_index()
    event = old_event[born.parent]
    order = np.argsort(np.concatenate([old_event, event]), kind="stable")
    rows = np.empty_like(order)
    rows[order] = np.arange(len(order))

    new: dict[str, object] = {
        "pdg_id": born.pdg_id,
        "status": born.status,
        "parent": born.parent - truth.offsets[event],
        "mass": born.mass,
        "origin": born.origin,
        "outcome": Outcome.UNDETERMINED,
    }
    new |= zip(("px", "py", "pz"), born.momentum[1:], strict=True)
    new |= zip("xyzt", born.start, strict=True)
    new |= dict.fromkeys(("decay_x", "decay_y", "decay_z", "decay_t"), 0.0)
    table = {}
    for name in columns(Particles):
        old = getattr(truth.particles, name)
        longer = np.empty(len(order), old.dtype)
        longer[rows[:n_old]] = old
        longer[rows[n_old:]] = new[name]
        table[name] = longer
    offsets = truth.offsets.copy()
    offsets[1:] += np.cumsum(np.bincount(event, minlength=truth.n_events))
    return replace(truth, particles=Particles(**table), offsets=offsets), rows
