"""HepMC files, version 3 and 2, as blocks of events; parsed by pyhepmc.

A. Buckley et al., Comput. Phys. Commun. 260 (2021) 107310.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedReader
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from darkbelle.errors import EventFileError
from darkbelle.extras import needed_for
from darkbelle.gen.events import CrossSection
from darkbelle.gen.external.cleaning import nearest
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.external.streams import EventStream, Format
from darkbelle.ragged import offsets_by_length
from darkbelle.units import C, MeV, mm, pb

__all__ = ["HepMCSource"]

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.intp]


class HepMCSource:
    """Events of a HepMC file, read once from its beginning; what it says besides, so far."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self.root_s: float | None = None
        self.generators: tuple[str, ...] = ()
        self.weight_names: tuple[str, ...] = ()
        self.cross_section: CrossSection | None = None

    def blocks(self, size: int) -> Iterator[RawEvents]:
        """Events, so many at a time.

        Raises
        ------
        EventFileError
            The file is damaged or cut off.
        """
        with needed_for("reading HepMC files", "hepmc"):
            import pyhepmc

        is_new = self._stream.format is Format.HEPMC3
        kind = pyhepmc.io.ReaderAscii if is_new else pyhepmc.io.ReaderAsciiHepMC2
        bytes_of = pyhepmc.io.pyiostream(BufferedReader(self._stream))
        reader = iter(kind(bytes_of))  # which does not keep them alive
        n_read = 0
        while True:
            events, orders, last = [], [], None
            with _silence(pyhepmc.Setup), self._stream.damage_told(n_read, (RuntimeError,)):
                for last in islice(reader, size):
                    events.append(pyhepmc.GenEventData())
                    last.write_data(events[-1])
                    orders.append(np.argsort(-last.numpy.vertices.id))
            if last is not None:
                self._note(last)
                yield self._raw(events, orders, n_read)
                n_read += len(events)
            if len(events) < size:
                break
        self._stream.check_end(n_read)

    def _note(self, event: Any) -> None:
        """What the run is said to be, and the cross-section, whose last value is the best."""
        run = event.run_info
        if run is not None:
            self.generators = tuple(f"{tool.name} {tool.version}".strip() for tool in run.tools)
            self.weight_names = tuple(run.weight_names)
        told = event.cross_section
        if told is not None:
            value, error = told.xsec() * pb, told.xsec_err() * pb
            if np.isfinite(value) and value > 0:
                self.cross_section = CrossSection(value, max(error, 0.0))

    def _raw(self, events: Sequence[Any], orders: Sequence[RowArray], first: int) -> RawEvents:
        n_weights = {len(event.weights) for event in events}
        if len(n_weights) > 1:
            raise EventFileError(
                f"'{self._stream.path}': the events from {first} on have different numbers of "
                f"weights: {', '.join(map(str, sorted(n_weights)))}"
            )
        weights = np.array([event.weights for event in events], np.float64)
        if not weights.size:
            weights = np.ones((len(events), 1))
        return replace(_raw_events(events, orders, weights), first=first)


@contextmanager
def _silence(setup: Any) -> Iterator[None]:
    """What the library prints of a damaged file is told in one line at the end."""
    names = ("print_errors", "print_warnings", "debug_level")
    before = [getattr(setup, name) for name in names]
    try:
        for name, value in zip(names, (False, False, 0), strict=True):
            setattr(setup, name, value)
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            setattr(setup, name, value)


def _raw_events(
    events: Sequence[Any], orders: Sequence[RowArray], weights: FloatArray
) -> RawEvents:
    """Columns of events whose particles and vertices HepMC numbers from 1 and from -1.

    Files may list vertices in other orders, those of their numbers are given.
    """
    particles = np.concatenate([event.particles for event in events])
    vertices = np.concatenate(
        [event.vertices[order] for event, order in zip(events, orders, strict=True)]
    )
    n_particles = np.array([len(event.particles) for event in events])
    offsets = offsets_by_length(n_particles)
    first_vertex = offsets_by_length(np.array([len(event.vertices) for event in events]))
    gev = np.array([1.0 if event.momentum_unit.name == "GEV" else MeV for event in events])
    cm = np.array([mm if event.length_unit.name == "MM" else 1.0 for event in events])
    where = np.array([[getattr(event.event_pos, c) for c in "xyzt"] for event in events]).T

    born, ended, mother_of = _links(events, offsets, first_vertex)
    event_of_vertex = np.repeat(np.arange(len(events)), np.diff(first_vertex))
    points = _positions(vertices, born, mother_of, where[:, event_of_vertex])
    points *= np.array([1.0, 1.0, 1.0, 1 / C])[:, None] * cm[event_of_vertex]
    where = where * np.array([1.0, 1.0, 1.0, 1 / C])[:, None] * cm
    event = np.repeat(np.arange(len(events)), n_particles)
    start = where[:, event]
    start[:, born >= 0] = points[:, born[born >= 0]]
    end = np.zeros_like(start)
    end[:, ended >= 0] = points[:, ended[ended >= 0]]

    momentum = np.stack([particles[name] for name in ("e", "px", "py", "pz")]) * gev[event]
    with np.errstate(invalid="ignore", over="ignore"):  # infinite ones are refused later
        own = np.sqrt(np.maximum(momentum[0] ** 2 - np.sum(momentum[1:] ** 2, axis=0), 0.0))
    mother = np.where(born < 0, -1, np.append(mother_of, -1)[born])
    return RawEvents(
        particles["pid"].astype(np.int32),
        particles["status"].astype(np.int32),
        np.where(mother < 0, -1, mother - offsets[event]).astype(np.int32),
        np.where(particles["is_mass_set"], particles["mass"] * gev[event], own),
        momentum,
        start,
        end,
        ended >= 0,
        offsets,
        weights,
    )


def _links(
    events: Sequence[Any], offsets: npt.NDArray[np.int64], first_vertex: npt.NDArray[np.int64]
) -> tuple[RowArray, RowArray, RowArray]:
    """Rows of the vertices where particles begin and end, and of the first that enters each.

    A link goes from a particle to its end vertex, or from a vertex to a particle; -1 for none.
    """
    n_links = [len(event.links1) for event in events]
    event = np.repeat(np.arange(len(events)), n_links)
    tail = np.concatenate([event_data.links1 for event_data in events]).astype(np.intp)
    head = np.concatenate([event_data.links2 for event_data in events]).astype(np.intp)
    enters, leaves = (tail > 0) & (head < 0), (tail < 0) & (head > 0)

    def particle(ids: RowArray, of: npt.NDArray[np.bool_]) -> RowArray:
        return (offsets[event[of]] + ids[of] - 1).astype(np.intp)

    def vertex(ids: RowArray, of: npt.NDArray[np.bool_]) -> RowArray:
        return (first_vertex[event[of]] - ids[of] - 1).astype(np.intp)

    born, ended = np.full((2, offsets[-1]), -1, np.intp)
    born[particle(head, leaves)] = vertex(tail, leaves)
    ended[particle(tail, enters)] = vertex(head, enters)
    mother_of = np.full(first_vertex[-1], -1, np.intp)
    mother_of[vertex(head, enters)[::-1]] = particle(tail, enters)[::-1]  # the first is last
    return born, ended, mother_of


def _positions(
    vertices: npt.NDArray[np.void], born: RowArray, mother_of: RowArray, where: FloatArray
) -> FloatArray:
    """Points of vertices; one that has none is where the vertex before it is, (4, n)."""
    points = np.stack([vertices[name] for name in "xyzt"])
    is_set = np.any(points != 0, axis=0)
    before = np.where(mother_of < 0, -1, np.append(born, -1)[mother_of])
    known = nearest(is_set, before)
    bare = ~is_set & (known >= 0)
    points[:, bare] = points[:, known[bare]]
    nowhere = ~is_set & (known < 0)
    points[:, nowhere] = where[:, nowhere]
    return points
