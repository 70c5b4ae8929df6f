"""Selections of the luminosity measurement, ``benchmarks/luminosity.py``."""

from __future__ import annotations

import pytest

from benchmarks.luminosity import DIMUON, ELECTRONS, MUONS, Row, visible
from darkbelle.gen.processes import MuMu


@pytest.mark.parametrize(
    "n_events", [20_000, pytest.param(100_000, marks=pytest.mark.validation)], ids=str
)
@pytest.mark.parametrize("row", [MUONS, ELECTRONS], ids=lambda row: row.row)
def test_the_published_efficiency_is_reproduced(row: Row, n_events: int) -> None:
    """15 %, as efficiencies with cuts that are fully given; 5 % of all muon pairs besides."""
    found = visible(row.process, row.selection, n_events)
    assert found.error < 0.03 * row.visible
    assert found.value == pytest.approx(row.visible, rel=row.tolerance)
    assert found.value / row.cross_section == pytest.approx(row.efficiency, abs=0.05)


@pytest.mark.validation
def test_photons_of_the_muons_matter() -> None:
    """They take muons out of the windows of energies, angles and mass: 3.5 +- 0.9 %."""
    with_photons = visible(MUONS.process, DIMUON, 100_000)
    without = visible(MuMu(fsr=False), DIMUON, 100_000)
    assert 0.01 < 1 - with_photons.value / without.value < 0.06
