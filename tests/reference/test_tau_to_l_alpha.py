"""Published shapes and efficiencies of tau -> l alpha, ``benchmarks/tau_to_l_alpha.py``."""

from __future__ import annotations

import pytest

from benchmarks.tau_to_l_alpha import N_EVENTS, ROWS, Row
from tests.reference.missed import missed

KNOWN = {
    "E01": "0.194: with the known three-prong fraction of 15.2 % it contradicts the yield E53 of "
    "the same paper, which is met",
    "E07": "0.80: a fifth of the selected events lights less than three clusters of trigger cells; "
    "pions that leave little and clusters that touch are a part of it, the rest is open",
    "E46": "0.047: few muons below 0.6 GeV are identified here, an estimate; without "
    "identification it is 0.056, within tolerance",
}
"""Rows that are missed, and why; strict, so that one that comes to agree has to be taken off."""
QUICK = [row for row in ROWS if row.row in ("E21", "E31", "E41")]


@pytest.mark.slow
@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.row)
def test_the_lepton_is_as_hard_as_published(row: Row) -> None:
    assert row.found(10_000) == pytest.approx(row.value, abs=row.tolerance)


@pytest.mark.validation
@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.row, marks=missed(KNOWN.get(row.row))) for row in ROWS]
)
def test_the_figure_is_reproduced(row: Row) -> None:
    assert row.found(N_EVENTS) == pytest.approx(row.value, abs=row.tolerance)
