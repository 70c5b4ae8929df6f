"""Control modes against published figures, ``benchmarks/control_modes.py``."""

from __future__ import annotations

import pytest

from benchmarks.charm_modes import d_star
from benchmarks.control_modes import ROWS, Published
from benchmarks.widths import half_central
from tests.reference.missed import missed

KNOWN = {
    "M03": "93 fs. Half of the central 68 % is 92 fs, 81 from the true origin: the vertex of the "
    "D0 is what is not known. 83 fs with pixels of 11 and 15 um, the variation of the card, 76 "
    "with 9 and 11",
    "M07": "56 um and 122 fs at the published mean length, 97 um; 53 um with the variation of the "
    "pixels, 49 with 9 and 11 um: charm asks for better ones than d0 of muon pairs, to which they "
    "are tuned",
    "M09": "86 %. The core is 3.6 MeV wide, the tails hold too much: radiated photons 2 %, kaons "
    "and pions that decay in flight 3 %, and more",
    "M10": "1.65 MeV, 2 % beyond the tolerance, of the core; two Gaussians have 2.14 MeV on "
    "average. Of which the window is three is not told",
    "M19": "35 MeV; 28 with the masses of J/psi and pi0 fitted. The same paper has 8 MeV for pi0 "
    "that are 5.1 wide here, others 7 at most, cf. M18",
    "M21": "58 %: the photons of the pi0 are both found in 0.77 of the decays here, where 0.64 "
    "would do. Cuts on the shape and time of photons and corrections to data are not told",
    "M24": "2.2 MeV. The line shape of the Y(4S) narrows the core of sqrt(s) from 5.0 to 4.1 MeV; "
    "of the beams' spread alone M_bc would be 2.5 wide",
    "M25": "11.9 MeV, 1 % beyond the tolerance, with the natural width; cf. M19 for the pi0",
    "M44": "21 %, 49 without identification. Half of the events have a muon below 0.6 GeV, where "
    "0.19 pass here; 0.86 for every muon would do",
    "M82": "50 %, 45 if continuum suppression keeps no more than 0.78: as M21, pi0 are found too "
    "often",
    "M88": "16 %: a K_S is found in 0.60 of the cases, 0.72 would do. Its pions are found to 0.90 "
    "where it decays within 2 cm of the beams, 0.80 from 8 to 14 cm, and to 0.74 where slower than "
    "0.2 GeV. M84 agrees, as well as its continuum suppression is known",
    "M89": "36 %, 1 % beyond the tolerance. The 0.90 of the K_L rejection is taken for the pair of "
    "photons; for each of them, it would be 32 %",
    "M94": "17 and 19 %, before R2 and identification of the lepton. The slow pion is found in "
    "0.41 of the cases, in 0.33 of those of 50 to 100 MeV of pt, never below",
    "M99": "2.2 MeV, cf. M24",
}
"""Rows that are missed, and what was found there.

All are open. Tests are strict but for `UNDECIDED`: a row that comes to agree fails until it is
taken off.
"""

UNDECIDED = {"M10": 1.65, "M25": 11.9, "M89": 35.8}
"""Rows so little beyond their limits, by what 60,000 to 100,000 events tell, that those made here
may fall on either side: their tests are not strict, but they must stay where they were found."""

N_EVENTS = 15_000


def _parameter(row: Published):
    marks = missed(KNOWN.get(row.row), strict=row.row not in UNDECIDED)
    return pytest.param(row, id=f"{row.row}, {row.what}", marks=marks)


@pytest.mark.validation
@pytest.mark.parametrize("row", [_parameter(row) for row in ROWS])
def test_the_published_figure_is_reproduced(row: Published) -> None:
    """Widths to 20 %, efficiencies to 15 %, the share of M09 to 5 %."""
    assert row.measure(N_EVENTS) == pytest.approx(row.value, rel=row.tolerance)


def test_decay_times_of_d0_are_as_far_off_as_their_errors_say() -> None:
    """Within 15 %: tracks have tails."""
    made = d_star(4_000)
    assert half_central(made.time / made.sigma_time) == pytest.approx(1.0, abs=0.15)


@pytest.mark.validation
@pytest.mark.parametrize("row", [row for row in ROWS if row.row in UNDECIDED], ids=lambda r: r.row)
def test_what_is_undecided_stays_where_it_was_found(row: Published) -> None:
    assert row.measure(N_EVENTS) == pytest.approx(UNDECIDED[row.row], rel=0.1)
