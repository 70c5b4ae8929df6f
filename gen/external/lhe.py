"""Les Houches event files as blocks of events; parsed by pylhe.

J. Alwall et al., Comput. Phys. Commun. 176 (2007) 300, for what stands where.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import EventFileError
from darkbelle.extras import needed_for
from darkbelle.gen.events import CrossSection, Status
from darkbelle.gen.external.flights import fly
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.external.streams import EventStream
from darkbelle.ragged import event_of, offsets_by_length
from darkbelle.units import mm, pb

__all__ = ["LHESource"]

FloatArray = npt.NDArray[np.float64]

_INCOMING: Final = -1
_MALFORMED = (ValueError, IndexError, KeyError, AttributeError, TypeError)
"""What pylhe raises where a line is not as it should be."""


class LHESource:
    """Events of an LHE file, read once from its beginning; what it says besides."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        with needed_for("reading LHE files", "hepmc"):
            import pylhe
        self._n_read = 0
        self._complaint = ""
        file = self._guarded(lambda: pylhe.LHEFile.frombuffer(stream))
        self._events = iter(file.events)
        self.generators = _generators(file)
        ids = () if file.header is None else file.header.initrwgt.list_weights_ids()
        self.weight_names = ("", *dict.fromkeys(ids))
        told = file.init.procInfo
        value, error = sum(p.xSection for p in told), np.hypot.reduce([p.error for p in told])
        self.cross_section = (
            CrossSection(value * pb, float(error) * pb)
            if np.isfinite(value) and value > 0
            else None
        )

    def blocks(self, size: int) -> Iterator[RawEvents]:
        """Events, so many at a time.

        Raises
        ------
        EventFileError
            The file is damaged or cut off.
        """
        while True:
            events = self._guarded(lambda: list(islice(self._events, size)))
            if events:
                yield self._raw(events)
                self._n_read += len(events)
            if len(events) < size:
                break
        self._stream.check_end(self._n_read)

    def _guarded(self, read: Any) -> Any:
        """What pylhe reads; it warns of a damage, and then stops as if the file ended there."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                return read()
        except _MALFORMED as error:
            self._stream.check_damage()
            raise EventFileError(
                f"'{self._stream.path}' is damaged or cut off after {self._n_read} events or more: "
                f"{error}"
            ) from None

    def _raw(self, events: Sequence[Any]) -> RawEvents:
        n_particles = [len(event.particles) for event in events]
        told = [event.eventinfo.nparticles for event in events]
        if n_particles != told:
            bad = next(i for i, n in enumerate(told) if n != n_particles[i])
            raise EventFileError(
                f"'{self._stream.path}': event {self._n_read + bad} has {n_particles[bad]} "
                f"particles, and says {told[bad]}"
            )
        weights = np.array([[e.eventinfo.weight, *self._named(e)] for e in events], np.float64)
        return _raw_events(events, np.array(n_particles), weights)

    def _named(self, event: Any) -> list[float]:
        """The weights that the header names, NaN for one that an event does not have."""
        return [event.weights.get(name, np.nan) for name in self.weight_names[1:]]


def _generators(file: Any) -> tuple[str, ...]:
    told = tuple(f"{one.name} {one.version}".strip() for one in file.init.generators)
    if told or file.header is None:
        return told
    texts = {part.tag: part.text or "" for part in file.header.extra_elements}
    version = texts.get("MGVersion", "").strip(" \n#")
    return (f"MadGraph {version}",) if version else ()


def _raw_events(
    events: Sequence[Any], n_particles: npt.NDArray[np.int64], weights: FloatArray
) -> RawEvents:
    """Columns of events: all begins where the beams meet, and flies as far as is written down."""
    table = np.array(
        [
            (p.id, p.status, p.mother1, p.e, p.px, p.py, p.pz, p.m, p.lifetime)
            for event in events
            for p in event.particles
        ]
    ).T.reshape(9, -1)
    offsets = offsets_by_length(n_particles)
    first = offsets[event_of(offsets)]
    mother = np.where(table[2] > 0, table[2] - 1, -1).astype(np.int32)
    mother = np.where(mother < np.repeat(n_particles, n_particles), mother, -1)
    rows = np.where(mother < 0, -1, mother + first)
    has_end = np.zeros(len(rows), bool)
    has_end[rows[rows >= 0]] = True
    status = table[1].astype(np.int32)
    momentum, mass = table[3:7], table[7]
    flown = np.where(has_end & (mass > 0) & (status != _INCOMING), table[8] * mm, 0.0)
    nowhere = np.zeros((4, len(rows)))
    start, end = fly(nowhere, nowhere, rows, momentum, mass, flown)
    return RawEvents(
        table[0].astype(np.int32),
        np.where(status == _INCOMING, Status.BEAM, status).astype(np.int32),
        mother.astype(np.int32),
        mass,
        momentum,
        start,
        end,
        has_end,
        offsets,
        weights,
    )
