"""Variants of the shipped cards differ from their parents where meant, and nowhere else."""

from __future__ import annotations

import math
from typing import Any

import pytest

from darkbelle.geometry import load

LABELS = {"name", "description", "source", "trust", "variation"}


def differences(one: Any, other: Any, path: str = "") -> set[str]:
    """Keys whose values differ, labels left out; which lines ran is one value."""
    if not (isinstance(one, dict) and isinstance(other, dict)) or path.endswith("ratios"):
        return set() if one == other else {path}
    found: set[str] = set()
    for key in (one.keys() | other.keys()) - LABELS:
        found |= differences(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))
    return found


RATIOS = ("trigger.l1.prescales.ratios", "trigger.hlt.prescales.ratios")
SILICON = ("pxd1", "pxd2", "svd3", "svd4", "svd5", "svd6")
VARIANTS = {
    ("belle2-2018", "belle2"): {
        "collider.luminous_region.sigma_um",
        "passive.beam_pipe.thickness_x0",
        "passive.beam_pipe.mip_loss_mev",
        *(f"silicon.{layer}.phi_range_deg" for layer in SILICON),
        *(
            f"calorimeter.barrel.resolution.typical.energy_percent.{key}"
            for key in ("e_min_gev", "below", "a", "b", "c", "d", "in_quadrature")
        ),
        "trigger.l1.tracks.full.efficiency",
        "trigger.l1.klm.barrel_efficiency",
        "trigger.l1.lines.bhie.efficiency",
        "systematics.tracking.relative",
        "systematics.photon_energy_resolution.relative",
        *RATIOS,
    },
    ("belle2-2019", "belle2"): {
        "collider.luminous_region.sigma_um",
        "trigger.l1.tracks.full.efficiency",
        "systematics.tracking.relative",
        *RATIOS,
    },
    ("belle2-2020", "belle2-2019"): {
        "trigger.l1.prescales.ratios",
        "systematics.tracking.relative",
    },
    ("belle2-run2", "belle2"): {
        "silicon.pxd2.phi_range_deg",
        *(
            f"trigger.hlt.tracks.{name}.{key}"
            for name in ("loose", "tight", "loose_800", "loose_4500")
            for key in ("z0_cm", "min_cdc_hits")
        ),
        *(
            f"trigger.hlt.lines.ge1_estar_gt_2_neutral_{part}_not_bhabha_gg.veto"
            for part in ("32_130", "endcap")
        ),
        *RATIOS,
        "trigger.l1.tracks.neural.efficiency",
        "systematics.tracking.relative",
    },
    ("belle-svd1", "belle"): {
        *(
            f"passive.{layer}.{key}"
            for layer in ("beam_pipe", "cdc_inner_wall")
            for key in ("r_min_cm", "r_max_cm")
        ),
        *(
            f"passive.beam_pipe.{key}"
            for key in ("thickness_x0", "thickness_lambda", "mip_loss_mev")
        ),
        "passive.cdc_inner_wall.z_min_cm",
        "passive.cdc_inner_wall.z_max_cm",
        "passive.cdc_cathodes",
        *(
            f"silicon.{layer}.{key}"
            for layer in ("svd1", "svd2", "svd3")
            for key in (
                "radius_cm",
                "z_min_cm",
                "z_max_cm",
                "thickness_x0",
                "thickness_lambda",
                "mip_loss_mev",
                "sigma_rphi_um",
                "sigma_z_um",
            )
        ),
        "silicon.svd4",
        "tracking.finding.pt_efficiency",
        "drift_chamber.superlayers",
        "trigger.l1.tracks.z.efficiency",
    },
}


@pytest.mark.parametrize(("pair", "expected"), VARIANTS.items(), ids=[v for v, _ in VARIANTS])
def test_variant_differs_where_meant(pair: tuple[str, str], expected: set[str]):
    variant, parent = (load(name).model_dump() for name in pair)
    assert differences(variant, parent) == expected


@pytest.mark.parametrize(
    ("name", "uncertainty"),
    [("belle2-2018", 0.02), ("belle2-2019", 0.009), ("belle2-2020", 0.0069), ("belle", 0.0035)],
)
def test_tracks_are_found_less_often_by_the_published_uncertainty(name: str, uncertainty: float):
    """Above 0.3 GeV; tolerance: a variation is rounded to a per mille, or to 0.5 for Belle."""
    finding = load(name).tracking.finding
    nominal, varied = finding.pt_efficiency[-1], finding.varied().pt_efficiency[-1]
    assert 1 - varied / nominal == pytest.approx(uncertainty, abs=2e-3)


def test_phase_2_has_one_ladder_of_each_layer():
    """About an octant, centred at phi = 0: widths of 1.25, 3.84 and 5.76 cm seen from the axis."""
    widths = (1.25, 1.25, 3.84, 5.76, 5.76, 5.76)
    distances = (1.400, 2.200, 3.899, 8.000, 10.400, 13.515)
    silicon = load("belle2-2018").silicon
    for layer, ladder, distance in zip(SILICON, widths, distances, strict=True):
        half = math.degrees(math.atan(ladder / 2 / distance))
        assert silicon[layer].phi_range_deg == pytest.approx((-half, half), abs=0.06)


# ---- Belle ---------------------------------------------------------------------------------------


def test_belle_s_wires():
    """50 layers, 8400 cells; the small-cell chamber has two layers of 128 for two of 64."""
    for name, n_wires in (("belle-svd1", 8400), ("belle", 8400 + 2 * 64)):
        experiment = load(name)
        assert experiment.n_wires == n_wires
        assert sum(len(sl.radius_cm) for sl in experiment.drift_chamber.superlayers) == 50


def test_the_chamber_changed_in_its_two_inner_layers_only():
    with_svd2, with_svd1 = (
        load(name).drift_chamber.superlayers for name in ("belle", "belle-svd1")
    )
    assert with_svd2[1:] == with_svd1[1:]
    assert with_svd2[0].radius_cm[0] > load("belle").silicon["svd4"].radius_cm
    assert with_svd1[0].radius_cm == (8.80, 9.80)


def test_outermost_wires_span_their_acceptance():
    """28.3 to 131.7 degrees, NIM A 479 (2002) 117."""
    outermost = load("belle").drift_chamber.superlayers[-1]
    ends = (outermost.z_max_cm[-1], outermost.z_min_cm[-1])
    theta = [math.degrees(math.atan2(outermost.radius_cm[-1], z)) for z in ends]
    assert theta == pytest.approx([28.3, 131.7], abs=0.1)


@pytest.mark.parametrize(("name", "limits"), [("belle", (17, 150)), ("belle-svd1", (23, 139))])
def test_silicon_covers_its_acceptance(name: str, limits: tuple[float, float]):
    for layer in load(name).silicon.values():
        theta = [
            math.degrees(math.atan2(layer.radius_cm, z)) for z in (layer.z_max_cm, layer.z_min_cm)
        ]
        assert theta == pytest.approx(limits, abs=0.2)
