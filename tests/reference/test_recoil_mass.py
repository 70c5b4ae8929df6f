"""Published widths of the recoil mass in mu mu Z', cf. ``benchmarks/recoil_widths.py``."""

from __future__ import annotations

import pytest

from benchmarks.recoil_widths import ROWS, detector_width, peak_width


@pytest.mark.validation
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.row)
def test_the_published_width_is_reproduced(row):
    n_events = {1: 100_000}.get(len(row.masses), 20_000)
    assert detector_width(row, n_events) == pytest.approx(row.value, rel=row.tolerance)


@pytest.mark.validation
def test_the_beam_spread_dominates_near_the_end_of_the_spectrum():
    """At 10 GeV the width is that of sqrt(s), 5 MeV, and five times what the tracks alone give."""
    row = ROWS[-1]
    assert peak_width(row, 100_000, spread=True) == pytest.approx(5.1, rel=0.15)
