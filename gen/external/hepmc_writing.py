"""Truth as HepMC3 files in text, by pyhepmc.

One vertex holds the beams and what has no parent, one each the daughters of a parent; those of the
detector simulation are left out. An event without beams says where it is on its first line, since
HepMC has no vertex without an incoming particle (Buckley et al., Comput. Phys. Commun. 260 (2021)
107310). Lengths are in mm, times in mm of c t, cross-sections in pb.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import OutputError
from darkbelle.extras import needed_for
from darkbelle.gen.events import Status, TruthEvents
from darkbelle.ragged import event_of, offsets_by_length
from darkbelle.units import C, mm, pb

__all__ = ["COPY", "EventBlock", "write_events"]

COPY: Final = 11
"""Status of a copy that leads from its parent's end to where a particle was born away from it; the
codes from 11 to 200 are free for generators."""
_SAME: Final = 1e-9
"""Nearer [cm] are points of one vertex."""

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EventBlock:
    """Some events, their weights (n_events, n_weights), the nominal first, and their numbers."""

    truth: TruthEvents
    weights: FloatArray
    number: npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class _Entries:
    """Particles as HepMC lists them, event after event, the beams first, shape (n,) each.

    ``row`` is that of the truth; ``parents`` (n, 2) the first and last parent within the event, -1
    for none; ``start`` (4, n) the production point [mm].
    """

    row: RowArray
    status: npt.NDArray[np.int32]
    parents: npt.NDArray[np.int32]
    start: FloatArray
    offsets: RowArray

    def have_vertices_in_order(self) -> npt.NDArray[np.bool_]:
        """Whether first daughters stand in the order of their mothers, shape (n_events,)."""
        event = event_of(self.offsets)
        born = np.flatnonzero(self.parents[:, 0] >= 0)
        _, first = np.unique(self.offsets[event[born]] + self.parents[born, 0], return_index=True)
        falls = born[first[1:]][np.diff(first) < 0]
        return ~np.isin(np.arange(len(self.offsets) - 1), event[falls])


def write_events(
    path: Path,
    blocks: Iterable[EventBlock],
    *,
    weight_names: Sequence[str],
    tools: Sequence[tuple[str, str, str]],
) -> None:
    """Write events to a file.

    Parameters
    ----------
    path
        The file, which is replaced.
    blocks
        Blocks of events, read one after the other.
    weight_names
        Names of their weights.
    tools
        Name, version and description of the programs that made them.

    Raises
    ------
    OutputError
        An event without particles, which no reader of HepMC expects.
    OSError
        The disk refuses it.
    """
    with needed_for("writing HepMC files", "hepmc"):
        import pyhepmc
        from pyhepmc.io import WriterAscii
    run = pyhepmc.GenRunInfo()
    run.weight_names = list(weight_names)
    run.tools = list(tools)
    event = pyhepmc.GenEvent(run, pyhepmc.Units.GEV, pyhepmc.Units.MM)
    writer = WriterAscii(str(path), run)
    try:
        for block in blocks:
            _write_block(writer, event, block)
            if writer.failed():
                break
    finally:
        writer.close()
    if writer.failed():
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def _write_block(writer: Any, event: Any, block: EventBlock) -> None:
    """Events one after the other, as the library has it."""
    import pyhepmc

    truth, entries = block.truth, _entries(block.truth)
    p, row = truth.particles, entries.row
    columns: list[npt.NDArray[Any]] = [
        *(values[row].astype(np.float64) for values in (p.px, p.py, p.pz, p.e, p.mass)),
        p.pdg_id[row].astype(np.int32),
        entries.status,
        entries.parents,
    ]
    has_beams = np.isin(np.arange(truth.n_events), truth.event_index()[p.status == Status.BEAM])
    is_ordered = entries.have_vertices_in_order()
    vertex = _in_mm(truth.vertex).T.tolist()
    for i, number in enumerate(block.number.tolist()):
        own = slice(entries.offsets[i], entries.offsets[i + 1])
        if own.start == own.stop:
            raise OutputError(f"event {number} has no particle, which HepMC cannot say")
        arrays = (values[own] for values in columns)
        event.from_hepevt(number, *arrays, None, *entries.start[:, own], False)
        event.weights = block.weights[i]
        if truth.cross_section is not None:
            event.cross_section = cross_section = pyhepmc.GenCrossSection()
            value, error = truth.cross_section.value, truth.cross_section.error
            cross_section.set_cross_section(value / pb, error / pb)
        if not (has_beams[i] and is_ordered[i]):
            data = pyhepmc.GenEventData()
            event.write_data(data)
            _order_vertices(data)
            if not has_beams[i]:
                data.event_pos = pyhepmc.FourVector(*vertex[i])
            event.read_data(data)
        writer.write_event(event)


def _order_vertices(data: Any) -> None:
    """Number the vertices as their first particles stand, which simple readers rely on.

    The library has them in the order of the particles that come in.
    """
    ends = data.links1, data.links2
    is_out = ends[0] < 0
    first = np.full(len(data.vertices), len(data.particles) + 1)
    np.minimum.at(first, -1 - ends[0][is_out], ends[1][is_out])
    order = np.argsort(first)
    number = np.empty_like(order)
    number[order] = -1 - np.arange(len(order))
    data.vertices[:] = data.vertices[order]
    for link in ends:
        link[link < 0] = number[-1 - link[link < 0]]


def _entries(truth: TruthEvents) -> _Entries:
    """What of the truth is written, in order."""
    p, event = truth.particles, truth.event_index()
    kept = np.flatnonzero(p.status != Status.SIMULATED)
    is_beam = p.status == Status.BEAM
    start = np.stack([p.x, p.y, p.z, p.t])
    begin = _begins(truth, kept, start)
    away = kept[np.any(np.abs(start - begin) > _SAME, axis=0)[kept]]

    row = np.concatenate([away, kept])
    is_copy = np.arange(len(row)) < len(away)
    order = np.lexsort((~is_copy, row, ~is_beam[row], event[row]))
    row, is_copy = row[order], is_copy[order]
    offsets = offsets_by_length(np.bincount(event[row], minlength=truth.n_events))
    place = np.arange(len(row)) - offsets[event[row]]

    place_of = np.full(len(p), -1)
    place_of[row[~is_copy]] = place[~is_copy]
    copy_of = np.full(len(p), -1)
    copy_of[row[is_copy]] = place[is_copy]

    n_beams = np.bincount(event[is_beam], minlength=truth.n_events)[event[row]]
    has_parent = p.parent[row] >= 0
    parents = np.repeat(np.where(is_copy, -1, copy_of[row])[:, None], 2, axis=1)
    of_parent = (parents[:, 0] < 0) & has_parent
    parents[of_parent] = place_of[truth.parents(row[of_parent])][:, None]
    of_beams = (parents[:, 0] < 0) & ~has_parent & ~is_beam[row] & (n_beams > 0)
    parents[of_beams, 0] = 0
    parents[of_beams, 1] = n_beams[of_beams] - 1
    return _Entries(
        row,
        np.where(is_copy, COPY, p.status[row]).astype(np.int32),
        parents.astype(np.int32),
        _in_mm(np.where(is_copy, begin[:, row], start[:, row])),
        offsets,
    )


def _begins(truth: TruthEvents, kept: RowArray, start: FloatArray) -> FloatArray:
    """Where the vertex lies that a particle comes from: that of the first daughter of its parent.

    Without a parent it is where the beams met; shape (4, n).
    """
    p = truth.particles
    begin: FloatArray = truth.vertex[:, truth.event_index()]
    begin[:, p.status == Status.BEAM] = start[:, p.status == Status.BEAM]
    daughters = kept[p.parent[kept] >= 0]
    parents, first, of = np.unique(truth.parents(daughters), return_index=True, return_inverse=True)
    del parents
    begin[:, daughters] = start[:, daughters[first]][:, of]
    return begin


def _in_mm(points: FloatArray) -> FloatArray:
    """Points (x, y, z, t) [cm, ns] with lengths and times c t in mm, shape (4, n)."""
    return points * (np.array([1, 1, 1, C]) / mm)[:, None]
