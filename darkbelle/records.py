"""Columns of the records that pass from stage to stage: what each holds, in which unit and width.

A record is a dataclass of arrays whose fields are made by `column`; the file format, its
attributes and the documentation are read from there.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from typing import Any

__all__ = ["Column", "column", "columns"]


@dataclass(frozen=True, slots=True)
class Column:
    """One quantity: its meaning, its unit, how a file stores it, its EDM4hep counterpart.

    ``codes`` is the enum that explains an integer, ``sign_flip`` what changes sign on the way to
    EDM4hep, ``packing`` how matrices are flattened, ``names`` what the columns of a matrix are,
    ``prescales`` those of its columns that are lines of a trigger. What a systematic error changes
    says which one in ``systematic``, where that is from in ``source``, and whether it is
    ``correlated`` with that of other experiments.
    """

    description: str
    unit: str
    dtype: str
    edm4hep: str | None = None
    sign_flip: str | None = None
    packing: str | None = None
    codes: type[enum.IntEnum] | None = None
    names: tuple[str, ...] = ()
    prescales: tuple[int, ...] = ()
    systematic: str | None = None
    source: str | None = None
    correlated: bool | None = None


def column(
    description: str,
    *,
    unit: str = "1",
    dtype: str,
    edm4hep: str | None = None,
    sign_flip: str | None = None,
    packing: str | None = None,
    codes: type[enum.IntEnum] | None = None,
) -> Any:
    """A dataclass field that holds an array described by a `Column`."""
    meta = Column(description, unit, dtype, edm4hep, sign_flip, packing, codes)
    return dataclasses.field(metadata={"column": meta})


def columns(record: type) -> dict[str, Column]:
    """The columns of a record class by name, in order."""
    fields = dataclasses.fields(record)
    return {f.name: f.metadata["column"] for f in fields if "column" in f.metadata}
