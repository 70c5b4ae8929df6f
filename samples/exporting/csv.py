"""Tables as comma-separated values."""

from __future__ import annotations

import csv
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.samples.exporting.tables import Content

__all__ = ["write_csv"]

_ROWS: Final = 8192
"""That are text at once, which takes much more memory than numbers."""


def write_csv(path: Path, content: Content) -> None:
    """Lines below one of names, numbers with the digits that they have; lists are left out."""
    first = next(content.blocks)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(first.columns)
        for block in chain([first], content.blocks):
            columns = list(block.columns.values())
            for start in range(0, len(columns[0]), _ROWS):
                rows = slice(start, start + _ROWS)
                writer.writerows(zip(*(_as_text(v[rows]) for v in columns), strict=True))


def _as_text(values: npt.NDArray[Any]) -> list[str]:
    """Numbers as the shortest text that gives them back in their width."""
    text: list[str] = np.asarray(values).astype(str).tolist()
    return text
