"""Control modes against published figures, ``benchmarks/control_modes.py``."""

from __future__ import annotations

import pytest

from benchmarks.charm_modes import d_star
from benchmarks.control_modes import ROWS, Published
from benchmarks.widths import half_central

KNOWN = {
    "M03": "93 fs. The D0 vertex is known to 42 um along the flight, of which 0.25 um of beam "
    "spot or the origin take little (85 fs with the true one); with 11 and 15 um for the pixels, "
    "the variation of the card, 88 fs; with 9 and 11 um about what is published",
    "M07": "56 um and 122 fs at the published mean length of 97 um; 53 um with the pixels' "
    "variation, 49 um with 9 and 11 um: the vertices of charm ask for better pixels than the d0 "
    "of muon pairs, to which they are tuned",
    "M09": "86 %. The core is 3.6 MeV, as published (4 MeV): the tails hold what is missing. "
    "Photons radiated and kaons and pions that decay in flight are 5 % of it",
    "M10": "1.66 MeV, of the core; two Gaussians have 2.14 MeV on average: which one the window "
    "of 3 sigma is of is not told",
    "M19": "35 MeV, with the masses of J/psi and pi0 fitted 28 MeV. The same paper has 8 MeV for "
    "pi0 that are 5.1 MeV wide here and 7 MeV or less in others, cf. M18",
    "M21": "58 %: both photons of the pi0 are seen in 77 % of the decays here; 0.60 to 0.64 is what "
    "M21, M82 and M91 ask for. No cut on shape or time of photons, whose clusters are always found",
    "M24": "2.2 MeV: the line shape of the Y(4S) narrows the spread of sqrt(s) from 5.0 to 4.1 MeV. "
    "B as basf2 makes them, of the beams' spread alone, would have 2.5 MeV",
    "M25": "11.8 MeV with the natural width, 1 % beyond the tolerance; 7.1 MeV of resolution, and "
    "pi0 that are too good for the papers on J/psi, cf. M19",
    "M44": "21 %. Without identification 49 %: half of the events have a muon below 0.6 GeV, which "
    "passes in 0.19 of the cases here; 0.86 for each muon would make up for it",
    "M82": "50 %, as M21: pi0 of 2.5 GeV are seen too often, by 1.2 to 1.3",
    "M88": "16 %: a K_S is seen in 0.60 of the cases, 0.72 would be needed. Pions are found to "
    "0.90 within 2 cm of the beams, to 0.80 from 8 cm on; slow ones besides, 0.74 below 0.2 GeV. "
    "The K_S of M84 are right",
    "M94": "18 and 19 %, without R2 and identification of the lepton: the slow pion of the D* is "
    "found in 0.41 of the cases, in 0.3 of those of 50 to 100 MeV",
    "M99": "2.2 MeV, cf. M24",
}
"""Rows that are missed, and what was found there.

All are open. Their tests are strict: a row that comes to agree fails until it is taken off.
"""

N_EVENTS = 15_000

PARAMETERS = [
    pytest.param(
        row,
        id=f"{row.row}, {row.what}",
        marks=[pytest.mark.xfail(strict=True, reason=KNOWN[row.row])] if row.row in KNOWN else [],
    )
    for row in ROWS
]


@pytest.mark.validation
@pytest.mark.parametrize("row", PARAMETERS)
def test_the_published_figure_is_reproduced(row: Published) -> None:
    """Widths to 20 %, efficiencies to 15 %, the share of M09 to 5 %."""
    assert row.measure(N_EVENTS) == pytest.approx(row.value, rel=row.tolerance)


def test_decay_times_of_d0_are_as_far_off_as_their_errors_say() -> None:
    """Within 12 %, as the errors of the tracks."""
    made = d_star(4_000)
    assert half_central(made.time / made.sigma_time) == pytest.approx(1.05, abs=0.12)
