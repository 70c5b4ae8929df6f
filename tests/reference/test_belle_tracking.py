"""Belle tracking against its published figures, pions, 0.3 to 4 GeV.

Widths are those of `tests.reference.tracks`, tails included. The numbers of the cards that were
tuned to these figures, effective resolution and thickness of the silicon and the smearing of the
momentum, are one each for all layers, momenta and angles; 15 % is what the figures leave them.

Two things keep the agreement from being closer. In r-phi the published scattering terms exceed
those in z (35.5 and 31.9, 50 and 42 um GeV), although scattering turns a track alike in both, so
that soft tracks come out narrow in d0 and wide in z0. And the published momentum resolution at
high momentum is hardly better with the silicon than without it (0.19 and 0.20 %), where a longer
lever arm should give half: one smearing for both leaves the one low and the other high.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from darkbelle.detsim import HelixIndex
from darkbelle.geometry import Experiment, load
from tests.grids import spanned
from tests.reference.tracks import (
    PION,
    UM,
    impact_resolution,
    pt_resolution,
    quadrature,
    shoot,
    width,
)

MOMENTA = [0.3, 0.5, 1, 2, 4]
CARDS = ["belle", "belle-svd1"]


@cache
def belle(card: str, *, silicon: bool = True) -> Experiment:
    experiment = load(card)
    if silicon:
        return experiment
    return load(card, [f"silicon.{name}.hit_efficiency=0.0" for name in experiment.silicon])


@pytest.mark.parametrize(
    ("p", "theta_deg"),
    spanned(product(MOMENTA, [90, 45]), [(0.3, 90), (0.5, 45), (1, 90), (2, 45), (4, 90)]),
)
@pytest.mark.parametrize(
    ("card", "d0_um", "z0_um"),
    [("belle", (21.9, 35.5), (27.8, 31.9)), ("belle-svd1", (19.0, 50.0), (36.0, 42.0))],
)
def test_impact_parameters(
    card: str, d0_um: tuple[float, float], z0_um: tuple[float, float], p: float, theta_deg: float
) -> None:
    """NIM A 560 (2006) 1 (SVD2), NIM A 479 (2002) 117 (SVD1)."""
    _, deviation = shoot(belle(card), p, theta_deg, mass=PION)
    d0, z0 = impact_resolution(d0_um, z0_um, p, theta_deg, PION)
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(d0, rel=0.15)
    assert width(deviation[:, HelixIndex.Z0]) / UM == pytest.approx(z0, rel=0.15)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("p", spanned(MOMENTA, [0.3, 1, 4]))
def test_pt_resolution_of_the_whole_tracker(p: float, card: str) -> None:
    """arXiv:1212.5342: 0.19 % pt (+) 0.30 %/beta; at 90 deg.

    Slanted, a soft track's pt is worse than this (2.3 times at 0.3 GeV and 45 deg): scattering in
    the beam pipe turns momentum from the axis into pt, which nothing before the pipe can tell.
    """
    found = pt_resolution(belle(card), p, PION)
    assert found == pytest.approx(quadrature(0.19, 0.30, p, PION), rel=0.10)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("p", spanned(MOMENTA, [0.3, 1, 4]))
def test_pt_resolution_of_the_chamber_alone(p: float, card: str) -> None:
    """NIM A 479 (2002) 117, cosmic rays: 0.20 % pt (+) 0.29 %/beta; at 90 deg."""
    found = pt_resolution(belle(card, silicon=False), p, PION)
    assert found == pytest.approx(quadrature(0.20, 0.29, p, PION), rel=0.15)
