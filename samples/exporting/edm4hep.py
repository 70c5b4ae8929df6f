"""Columns by the names, units and signs of EDM4hep, and back.

Lengths are in mm there, and D0 = -10 d0: LCIO's impact parameter, which EDM4hep took over, has the
opposite sign of that of basf2 (T. Kraemer, Track Parameters in LCIO, LC-DET-2006-004). What has no
counterpart there keeps its name and unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import ClusterTable, KlmClusterTable, TrackTable, VertexTable
from darkbelle.detsim.helix import HelixIndex
from darkbelle.gen.events import Particles
from darkbelle.records import Column
from darkbelle.records import columns as columns_of
from darkbelle.samples.files.tables import EVENT_COLUMNS
from darkbelle.units import mm

__all__ = ["Counterpart", "counterparts", "from_edm4hep", "meanings_in_edm4hep", "to_edm4hep"]

Columns = dict[str, npt.NDArray[Any]]
Meanings = dict[str, tuple[str, str]]

_RECORDS: Final = {
    "events": EVENT_COLUMNS,
    "particles": columns_of(Particles),
    "tracks": columns_of(TrackTable),
    "vertices": columns_of(VertexTable),
    "clusters": columns_of(ClusterTable),
    "klm_clusters": columns_of(KlmClusterTable),
}
_HELIX: Final = tuple(f"helix_{index.name.lower()}" for index in HelixIndex)
_ROWS_OF_COV: Final = {"tracks": _HELIX, "vertices": ("x", "y", "z")}
"""What covariances are of."""
_UNITS: Final = {"cm": (1 / mm, "mm"), "1/cm": (mm, "1/mm")}
"""Factors from our units, and what they are then; other units are the same."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A column of EDM4hep: its name, what ours is multiplied with to be it, and its unit."""

    name: str
    factor: float
    unit: str


def to_edm4hep(table: str, columns: Mapping[str, npt.NDArray[Any]]) -> Columns:
    """Flat columns of a table as EDM4hep has them, in the same order and width."""
    known = counterparts(table)
    converted = {}
    for name, values in columns.items():
        there = known.get(name, Counterpart(name, 1, ""))
        converted[there.name] = values if there.factor == 1 else values * there.factor
    return converted


def from_edm4hep(table: str, columns: Mapping[str, npt.NDArray[Any]]) -> Columns:
    """Undo `to_edm4hep`, but for rounding."""
    known = {there.name: (name, there.factor) for name, there in counterparts(table).items()}
    converted = {}
    for name, values in columns.items():
        ours, factor = known.get(name, (name, 1))
        converted[ours] = values if factor == 1 else values / factor
    return converted


def meanings_in_edm4hep(table: str, meanings: Meanings) -> Meanings:
    """Units and descriptions of columns after `to_edm4hep`."""
    known = counterparts(table)
    return {
        known[name].name if name in known else name: (
            known[name].unit if name in known else unit,
            description,
        )
        for name, (unit, description) in meanings.items()
    }


@lru_cache
def counterparts(table: str) -> Mapping[str, Counterpart]:
    """Those of the flat columns of a table that EDM4hep knows, by our names."""
    described = _RECORDS.get(table, {})
    known: dict[str, Counterpart] = {}
    for name, column in described.items():
        if column.edm4hep is not None and column.packing is None:
            known |= _converted(name, column, column.edm4hep.split(", "))
    for name, column in described.items():
        if column.edm4hep is not None and column.packing is not None:
            rows = [known[row] for row in _ROWS_OF_COV[table]]
            known |= _covariance(name, column.edm4hep, rows)
    return MappingProxyType(known)


def _converted(name: str, column: Column, theirs: list[str]) -> dict[str, Counterpart]:
    """A column, or those of a helix."""
    ours = _HELIX if len(theirs) > 1 else (name,)
    found = {}
    for own, their, unit in zip(ours, theirs, column.unit.split(", "), strict=True):
        factor, there = _UNITS.get(unit, (1.0, unit))
        sign = -1 if their == column.sign_flip else 1
        found[own] = Counterpart(their.replace(".", "_"), sign * factor, there)
    return found


def _covariance(name: str, their: str, rows: list[Counterpart]) -> dict[str, Counterpart]:
    """A packed lower triangle, row by row, of parameters that are converted themselves."""
    found = {}
    for k, (i, j) in enumerate(zip(*np.tril_indices(len(rows)), strict=True)):
        one, other = rows[i], rows[j]
        units = [unit for unit in (one.unit, other.unit) if unit != "1"]
        unit = f"{units[0]}^2" if len(units) == 2 and i == j else " ".join(units) or "1"
        found[f"{name}_{k}"] = Counterpart(f"{their}_{k}", one.factor * other.factor, unit)
    return found
