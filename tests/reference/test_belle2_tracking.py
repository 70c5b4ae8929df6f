"""Belle II tracking against published figures and the tables of its own layer model.

Section and check numbers are those of the project's collection of Belle II figures. Widths are
those of `tests.reference.tracks`, tails included.

The layer model of that collection puts every layer by itself into the logarithm of Highland's
formula. Here it is that of all the material, as the formula demands, which makes scattering 9 %
wider; rows of that model are therefore granted 15 %.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np
import pytest

from darkbelle.detsim import HelixIndex
from darkbelle.geometry import Experiment, load
from darkbelle.geometry.card import Detector
from tests.grids import spanned
from tests.reference.tracks import (
    MUON,
    PERCENT,
    PION,
    UM,
    impact_resolution,
    pt_resolution,
    quadrature,
    shoot,
    width,
)

MM, MRAD = 0.1, 1e-3

SILICON = ("pxd1", "pxd2", "svd3", "svd4", "svd5", "svd6")
LAYERS_ALONE = (
    "tracking.momentum_smearing.pt_coefficient_per_gev=0.0",
    "tracking.momentum_smearing.beta_coefficient=0.0",
)
NO_TAILS = ("tracking.tails.fraction=0.0",)
NO_PXD = tuple(f"silicon.{name}.hit_efficiency=0.0" for name in SILICON[:2])
NO_SILICON = tuple(f"silicon.{name}.hit_efficiency=0.0" for name in SILICON)


@cache
def belle2(*overrides: str, run: int = 1) -> Experiment:
    return load("belle2" if run == 1 else f"belle2-run{run}", overrides)


@pytest.mark.parametrize(
    ("theta_deg", "layers"),
    [
        (17, 19), (20, 24), (25, 33), (30, 43), (35.5, 56), (90, 56),
        (125, 50), (130, 38), (140, 22), (145, 17), (149, 13),
    ],
)  # fmt: skip
def test_chamber_layers_crossed_by_straight_tracks(theta_deg: float, layers: int) -> None:
    """Check 5, from basf2 cdc/data/CDC.xml (table 3.5); tolerance one layer.

    The radius of a stereo layer is that at mid-length here and that of the wire ends in the table.
    """
    every = belle2("drift_chamber.hit_efficiency=1.0")
    tracks, _ = shoot(every, 1e5, theta_deg, n_tracks=50)
    np.testing.assert_allclose(tracks.n_hits[Detector.CDC], layers, atol=1)


@pytest.mark.parametrize(
    ("run", "mass"), spanned(product([1, 2], [MUON, PION]), [(1, PION), (2, MUON)])
)
@pytest.mark.parametrize(("p", "percent"), [(0.5, 0.31), (1, 0.32), (2, 0.36), (5, 0.58)])
def test_pt_resolution_of_the_whole_tracker(
    p: float, percent: float, mass: float, run: int
) -> None:
    """Check 6, TDR, arXiv:1011.0352: 0.1 % pt (+) 0.3 %/beta.

    15 %: the card stays below this design figure on purpose, cf. its source.
    """
    assert pt_resolution(belle2(run=run), p, mass) == pytest.approx(percent * PERCENT, rel=0.15)


@pytest.mark.parametrize("p", [0.5, 1, 2, 5])
def test_the_smearing_s_variation_is_the_design_resolution(p: float) -> None:
    """TDR, arXiv:1011.0352, without tails; 10 %: the layers alone have not quite its form."""
    varied = belle2().tracking.momentum_smearing.varied()
    design = belle2(
        f"tracking.momentum_smearing.pt_coefficient_per_gev={varied.pt_coefficient_per_gev}",
        f"tracking.momentum_smearing.beta_coefficient={varied.beta_coefficient}",
        *NO_TAILS,
    )
    assert pt_resolution(design, p) == pytest.approx(quadrature(0.1, 0.3, p), rel=0.10)


@pytest.mark.parametrize("p", [1, 2, 5])
def test_pt_resolution_of_the_chamber_alone(p: float) -> None:
    """Check 7, cosmic rays, JINST 12 (2017) C06014: 0.127 % pt (+) 0.321 %/beta; 20 %.

    The TDR's row (0.2 % pt (+) 0.3 %/beta: 0.36, 0.50, 1.04 %) is a design figure that the chamber
    as built surpasses: the simulation stays 13, 22 and 31 % below it, as the cosmic rays do.
    """
    found = pt_resolution(belle2(*NO_SILICON), p)
    assert found == pytest.approx(quadrature(0.127, 0.321, p), rel=0.20)


def test_d0_of_stiff_tracks() -> None:
    """Check 8: 14.1 um in data (12.5 um in simulation), two-track events of 2019; 1.5 um.

    Barrel, because the note's tracks are back to back.
    """
    _, deviation = shoot(belle2(), (4, 5), (30, 130))
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(14.1, abs=1.5)


def test_z0_of_stiff_tracks() -> None:
    """Section 3.7: about 20 um by design, arXiv:1011.0352; 20 % as the figure is a round one."""
    _, deviation = shoot(belle2(), (4, 5), (30, 130))
    assert width(deviation[:, HelixIndex.Z0]) / UM == pytest.approx(20, rel=0.2)


@pytest.mark.parametrize(("run", "d0_um"), [(1, 24), (2, 23)])
def test_d0_at_1_gev(run: int, d0_um: float) -> None:
    """Check 9, layer model: 24 um (Run 1) and 22-24 um (Run 2) at 90 deg; 15 %."""
    _, deviation = shoot(belle2(run=run), 1)
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(d0_um, rel=0.15)


@pytest.mark.parametrize(
    ("p", "d0_um", "z0_um"), [(0.25, 68, 71), (0.5, 36, 40), (1, 24, 28), (2, 18, 22), (5, 12, 18)]
)
def test_points_of_the_layer_model(p: float, d0_um: float, z0_um: float) -> None:
    """Section 3.7, layer model points, Run 1 with 14 and 18 um, 90 deg; 10 %."""
    _, deviation = shoot(belle2(*NO_TAILS), p)
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(d0_um, rel=0.10)
    assert width(deviation[:, HelixIndex.Z0]) / UM == pytest.approx(z0_um, rel=0.10)


@pytest.mark.parametrize(
    ("run", "d0_um", "z0_um"), [(1, (14.4, 15.4), (20.1, 15.3)), (2, (12.7, 16.4), (17.0, 16.3))]
)
@pytest.mark.parametrize(
    ("p", "theta_deg"),
    spanned(
        product([0.25, 0.5, 1, 2], [25, 35, 50, 70, 90]),
        [(0.25, 90), (0.5, 35), (1, 25), (1, 70), (2, 50)],
    ),
)
def test_formula_of_the_layer_model(
    p: float,
    theta_deg: float,
    run: int,
    d0_um: tuple[float, float],
    z0_um: tuple[float, float],
) -> None:
    """Section 3.7, layer model, 14 and 18 um, one pixel layer and two.

    15 % for Highland's logarithm, 10 % for how well the two terms describe their own points.
    """
    _, deviation = shoot(belle2(*NO_TAILS, run=run), p, theta_deg)
    d0, z0 = impact_resolution(d0_um, z0_um, p, theta_deg, MUON)
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(d0, rel=0.25)
    assert width(deviation[:, HelixIndex.Z0]) / UM == pytest.approx(z0, rel=0.25)


@pytest.mark.parametrize(("p", "phi_mrad", "tan_lambda_mrad"), [(1, 1.4, 1.4), (5, 0.33, 0.39)])
def test_angles_of_the_layer_model(p: float, phi_mrad: float, tan_lambda_mrad: float) -> None:
    """Section 3.7, layer model angles, 90 deg; 10 %."""
    _, deviation = shoot(belle2(*NO_TAILS), p)
    assert width(deviation[:, HelixIndex.PHI0]) / MRAD == pytest.approx(phi_mrad, rel=0.10)
    found = width(deviation[:, HelixIndex.TAN_LAMBDA]) / MRAD
    assert found == pytest.approx(tan_lambda_mrad, rel=0.10)


@pytest.mark.parametrize("p", spanned([0.5, 1, 2, 5], [0.5, 5]))
@pytest.mark.parametrize(("off", "by_pt"), [((), 0.063), (NO_SILICON, 0.11)])
def test_pt_resolution_of_the_layers_alone(off: tuple[str, ...], by_pt: float, p: float) -> None:
    """Section 3.7, layer model: 0.063 % (chamber alone 0.11 %) pt (+) 0.17 %/beta; 15 %."""
    found = pt_resolution(belle2(*LAYERS_ALONE, *NO_TAILS, *off), p)
    assert found == pytest.approx(quadrature(by_pt, 0.17, p), rel=0.15)


@pytest.mark.parametrize(
    ("p", "d0_um", "z0_mm", "phi_mrad", "tan_lambda_mrad"),
    [(1, 230, 1.1, 2.3, 2.8), (0.5, 450, 1.2, 4.7, 5.0)],
)
def test_prompt_tracks_without_silicon_hits(
    p: float, d0_um: float, z0_mm: float, phi_mrad: float, tan_lambda_mrad: float
) -> None:
    """Section 3.7, layer model, chamber alone behind 4.1 % X0, 90 deg; 15 %."""
    _, deviation = shoot(belle2(*NO_TAILS, *NO_SILICON), p)
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(d0_um, rel=0.15)
    assert width(deviation[:, HelixIndex.Z0]) / MM == pytest.approx(z0_mm, rel=0.15)
    assert width(deviation[:, HelixIndex.PHI0]) / MRAD == pytest.approx(phi_mrad, rel=0.15)
    found = width(deviation[:, HelixIndex.TAN_LAMBDA]) / MRAD
    assert found == pytest.approx(tan_lambda_mrad, rel=0.15)
    # By Highland's formula 4.1 % X0 alone turn a track by more than this.
    thickness = 0.041
    scattering = 13.6 / p * math.sqrt(thickness) * (1 + 0.038 * math.log(thickness))
    assert width(deviation[:, HelixIndex.PHI0]) / MRAD > scattering


@pytest.mark.parametrize(
    ("p", "d0_um", "z0_mm", "phi_mrad", "tan_lambda_mrad"),
    [(1, 140, 1.1, 0.7, 1.7), (0.5, 240, 1.2, 1.4, 2.2)],
)
def test_tracks_born_beyond_the_silicon(
    p: float, d0_um: float, z0_mm: float, phi_mrad: float, tan_lambda_mrad: float
) -> None:
    """Section 3.7, layer model, none of the material of pipe and silicon crossed, 90 deg.

    20 %: as above, and 7 % for the rounding of 0.7 mrad.
    """
    start = (14.5 * math.cos(0.4), 14.5 * math.sin(0.4), 0.0)
    _, deviation = shoot(belle2(*NO_TAILS), p, position=start, phi=0.4)
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(d0_um, rel=0.20)
    assert width(deviation[:, HelixIndex.Z0]) / MM == pytest.approx(z0_mm, rel=0.20)
    assert width(deviation[:, HelixIndex.PHI0]) / MRAD == pytest.approx(phi_mrad, rel=0.20)
    found = width(deviation[:, HelixIndex.TAN_LAMBDA]) / MRAD
    assert found == pytest.approx(tan_lambda_mrad, rel=0.20)


def test_tracks_without_pixel_hits() -> None:
    """Section 3.7, layer model, SVD and chamber, 1 GeV, 90 deg: d0 49 um, z0 59 um; 10 %."""
    _, deviation = shoot(belle2(*NO_TAILS, *NO_PXD), 1)
    assert width(deviation[:, HelixIndex.D0]) / UM == pytest.approx(49, rel=0.10)
    assert width(deviation[:, HelixIndex.Z0]) / UM == pytest.approx(59, rel=0.10)
