"""Reads the reference tables: comma-separated, ``#`` header lines, one line of column names."""

from __future__ import annotations

import csv
from pathlib import Path

__all__ = ["rows"]

TABLES = Path(__file__).parent / "tables"


def rows(name: str) -> list[dict[str, float | str]]:
    """Rows of a table, numbers as numbers."""
    with (TABLES / f"{name}.csv").open(encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    return [{key: _number(cell) for key, cell in row.items()} for row in csv.DictReader(lines)]


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
