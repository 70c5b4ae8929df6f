"""Published limits on B -> K S against its lifetime, ``benchmarks/b_to_k_scalar.py``."""

from __future__ import annotations

import pytest

from benchmarks.b_to_k_scalar import ROWS, Channels, Limit, Ratio
from tests.reference.missed import missed

ANY = Ratio | Limit | Channels
N_EVENTS = 60_000

ELECTRONS = (
    "not explained. A third of the electron pairs near the beams leaves the window of Delta E by "
    "radiation, as a first-order estimate has it; the figure needs another third, at 0.3 to 2 GeV, "
    "not at 4.5 GeV (F68 holds). Not all cuts of the paper are known"
)
KNOWN = {
    "F31": "1.33 of the published ratio: 1.25 as for muons at 0.3 GeV and 100 cm, and electrons "
    "that start outside the silicon radiate less: 0.6 of pairs of 1 cm, 0.8 of those of 20 cm are "
    "inside the window of Delta E",
    "F65": f"1.56 of the published efficiency: {ELECTRONS}",
    "F67": f"1.50: {ELECTRONS}",
    "F70": "1.37: 1.13 as for K+ S (F61), and 1.22 for a K*0 beside a K+ (F82), each within "
    "tolerance; not explained further, the cuts of the paper on the K*0 are not known",
    "F72": "1.46: 1.19 as for K+ S (F63), and as F70",
    "F73": "1.61: as F65 and as F70",
    "F80": f"0.99 for 0.66: {ELECTRONS}",
}
"""Rows that are missed, and why; strict, so that one that comes to agree has to be taken off."""
QUICK = [row for row in ROWS if row.row in ("F07", "F08", "F09", "F10", "F61")]


@pytest.mark.slow
@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.row)
def test_muons_of_a_scalar_of_1_gev(row: ANY) -> None:
    assert row.found(12_000) == pytest.approx(row.value, rel=row.tolerance)


@pytest.mark.validation
@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.row, marks=missed(KNOWN.get(row.row))) for row in ROWS]
)
def test_the_figure_is_reproduced(row: ANY) -> None:
    assert row.found(N_EVENTS) == pytest.approx(row.value, rel=row.tolerance)
