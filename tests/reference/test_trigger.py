"""Published trigger efficiencies and check values of the handbook, ``benchmarks/triggers.py``."""

from __future__ import annotations

import pytest

from benchmarks.triggers import ROWS, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.row} {row.what}")
def test_the_figure_is_reproduced(row: Row) -> None:
    assert row.found() == pytest.approx(row.value, abs=row.tolerance)
