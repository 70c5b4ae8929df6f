"""Les Houches event files as blocks of events; parsed by pylhe.

J. Alwall et al., Comput. Phys. Commun. 176 (2007) 300, for what stands where.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
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
        with self._guarded():
            file = pylhe.LHEFile.frombuffer(stream)
        self._events = iter(file.events)
        self.generators = _generators(file)
        ids = () if file.header is None else file.header.initrwgt.list_weights_ids()
        self.weight_names = ("", *dict.fromkeys(ids))
        beams = file.init.initInfo
        self.root_s = 2 * float(np.sqrt(abs(beams.energyA * beams.energyB))) or None
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
            with self._guarded():
                events = list(islice(self._events, size))
            if events:
                yield self._raw(events)
                self._n_read += len(events)
            if len(events) < size:
                break
        self._stream.check_end(self._n_read)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Silence pylhe, which warns of a damage and stops as if the file ended there."""
        with warnings.catch_warnings(), self._stream.damage_told(self._n_read, _MALFORMED):
            warnings.simplefilter("ignore", RuntimeWarning)
            yield

    def _raw(self, events: Sequence[Any]) -> RawEvents:
        n_particles = np.array([len(event.particles) for event in events])
        told = np.array([event.eventinfo.nparticles for event in events])
        last = np.array([max([p.mother1 for p in e.particles], default=0) for e in events])
        for is_bad, complaint in (
            (n_particles != told, "does not have as many particles as it says"),
            (last > n_particles, "names a mother beyond its last particle"),
        ):
            if is_bad.any():
                event = self._n_read + int(np.argmax(is_bad))
                raise EventFileError(f"'{self._stream.path}': event {event} {complaint}")
        weights = np.array([[e.eventinfo.weight, *self._named(e)] for e in events], np.float64)
        return replace(_raw_events(events, n_particles, weights), first=self._n_read)

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
