"""Published trigger efficiencies and check values of the handbook.

Cf. ``benchmarks/triggers.py`` and ``benchmarks/tau_and_b_triggers.py``.
"""

from __future__ import annotations

import pytest

from benchmarks import tau_and_b_triggers, triggers
from benchmarks.triggers import Row, four_muons
from tests.reference.missed import missed

KNOWN = {
    "four muons, Z' of 0.22 GeV (2403.02841)": "0.84: the two muons of the Z' fly together, and a "
    "fifth of the selected events has neither three tracks nor a muon within the published windows "
    "of the lines",
    "mu mu tau tau, 5 GeV, all selected (2306.12294)": "0.89: a tenth of the selected events has "
    "nothing within the published windows of the lines; 0.96 of the others fire",
    "mu mu tau tau, 8 GeV, all selected": "0.89, as at 5 GeV",
}
"""Rows that are missed, and why; strict, so that one that comes to agree has to be taken off."""


LARGE = ("C54", "C55", "C59", "A240", "D09")
"""Rows that need large samples, or samples of their own of what other rows are of too."""


def marks(row: Row) -> list[pytest.MarkDecorator]:
    """Large samples, and what is known to be missed."""
    is_large = row.row in LARGE or row in tau_and_b_triggers.ROWS
    large = [pytest.mark.validation] if is_large else []
    return [*large, *missed(KNOWN.get(row.what))]


PARAMETERS = [
    pytest.param(row, id=f"{row.row} {row.what}", marks=marks(row))
    for row in (*triggers.ROWS, *tau_and_b_triggers.ROWS)
]


@pytest.mark.parametrize("row", PARAMETERS)
def test_the_figure_is_reproduced(row: Row) -> None:
    assert row.found() == pytest.approx(row.value, abs=row.tolerance)


@pytest.mark.validation
def test_four_muons_at_threshold_are_where_no_line_looks() -> None:
    """What row C54 misses is not lost by the lines."""
    found = four_muons(0.22)
    assert found.in_plateaus < 0.85
    assert found.there > 0.95
