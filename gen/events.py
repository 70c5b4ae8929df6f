"""The truth record: generated events as flat columns."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from darkbelle.ragged import event_of
from darkbelle.records import column

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


@dataclass(frozen=True, slots=True)
class Slot:
    """One particle of every event, before events are laid out one after the other.

    ``momentum`` (e, px, py, pz), ``start`` and ``end`` (x, y, z, t) have the shape (4, n_events);
    ``parent`` is the place of another slot; ``present`` says in which events the particle exists.
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
    present: npt.NDArray[np.bool_] | None = None


def assemble(
    slots: Sequence[Slot],
    weight: FloatArray,
    vertex: FloatArray,
    cross_section: CrossSection | None,
) -> TruthEvents:
    """Lay the slots of all events out as an event-ordered particle table."""
    n_events = len(weight)
    shape = (n_events, len(slots))
    present = np.ones(shape, dtype=bool)
    for j, slot in enumerate(slots):
        if slot.present is not None:
            present[:, j] = slot.present
    place = np.cumsum(present, axis=1, dtype=np.int32) - 1

    def table(values: Sequence[object], dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
        full = np.empty(shape, dtype=dtype)
        for j, value in enumerate(values):
            full[:, j] = value
        return full[present]

    nowhere = np.zeros((4, n_events))
    columns: dict[str, npt.NDArray[np.generic]] = {
        "pdg_id": table([slot.pdg_id for slot in slots], np.int32),
        "status": table([slot.status for slot in slots], np.int8),
        "parent": table(
            [-1 if slot.parent < 0 else place[:, slot.parent] for slot in slots], np.int32
        ),
        "mass": table([slot.mass for slot in slots], np.float64),
        "origin": table([slot.origin for slot in slots], np.int8),
        "outcome": table([slot.outcome for slot in slots], np.int8),
    }
    for i, name in enumerate(("px", "py", "pz"), start=1):
        columns[name] = table([slot.momentum[i] for slot in slots], np.float64)
    for i, name in enumerate(("x", "y", "z", "t")):
        columns[name] = table([slot.start[i] for slot in slots], np.float64)
        ends = [nowhere[i] if slot.end is None else slot.end[i] for slot in slots]
        columns[f"decay_{name}"] = table(ends, np.float64)
    offsets = np.zeros(n_events + 1, dtype=np.int64)
    np.cumsum(present.sum(axis=1), out=offsets[1:])
    return TruthEvents(Particles(**columns), offsets, weight, vertex, cross_section)  # type: ignore[arg-type]


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
    columns = {}
    for field in fields(Particles):
        old = getattr(truth.particles, field.name)
        longer = np.empty(len(order), old.dtype)
        longer[rows[:n_old]] = old
        longer[rows[n_old:]] = new[field.name]
        columns[field.name] = longer
    offsets = truth.offsets.copy()
    offsets[1:] += np.cumsum(np.bincount(event, minlength=truth.n_events))
    return replace(truth, particles=Particles(**columns), offsets=offsets), rows
