"""The schema of cards: what the shipped ones say, and what no card may say."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from darkbelle.errors import GeometryError
from darkbelle.geometry import Experiment, Trust, load, names
from darkbelle.geometry.card import Superlayer
from darkbelle.geometry.sourced import Documented, Sourced
from darkbelle.settings import Settings


def tables(table: Settings, path: str = "", *, sourced: bool = False) -> Iterator[tuple]:
    """Every table below one, with its path and whether it or a table around it has a source."""
    sourced = sourced or isinstance(table, Documented)
    yield path, table, sourced
    for key, value in table:
        children = value.items() if isinstance(value, dict) else [(key, value)]
        if isinstance(value, tuple):
            children = enumerate(value)
        for name, child in children:
            if isinstance(child, Settings):
                yield from tables(child, f"{path}.{name}", sourced=sourced)


CARDS = {name: load(name) for name in names()}
each_card = pytest.mark.parametrize("experiment", CARDS.values(), ids=CARDS)


# ---- check values 1 to 4 of the Belle II handbook ------------------------------------------------


def test_beams_at_the_upsilon_4s():
    """P = (11.006; 0.45662, 0, 2.99942) GeV by hand from 7.004 and 4.002 GeV at +-41.5 mrad."""
    collider = load("belle2").collider
    assert collider.four_momentum == pytest.approx([11.006, 0.45662, 0, 2.99942], abs=5e-6)
    assert collider.sqrt_s == pytest.approx(10.57956, abs=5e-6)
    assert collider.beta_gamma == pytest.approx(0.28678, abs=5e-6)
    assert collider.beta == pytest.approx([0.041488, 0, 0.272525], abs=1e-6)
    assert math.atan2(collider.beta[0], collider.beta[2]) == pytest.approx(0.151, abs=5e-4)


def test_energy_spread_in_the_centre_of_mass():
    assert load("belle2").collider.sqrt_s_spread == pytest.approx(4.99e-3, rel=0.01)
    assert load("belle2", ["collider.beam_spread=false"]).collider.sqrt_s_spread == 0


def test_luminous_region_of_the_design_bunches():
    collider = load("belle2", ["collider.luminous_region.from_bunches=true"]).collider
    covariance = collider.luminous_covariance()
    sigma = np.sqrt(np.diag(covariance))
    assert sigma == pytest.approx([6.4e-4, 0.042e-4, 154e-4], rel=0.02)
    assert covariance[0, 2] / (sigma[0] * sigma[2]) == pytest.approx(-0.27, abs=0.005)
    assert covariance[1, [0, 2]] == pytest.approx([0, 0], abs=1e-20)


def test_measured_luminous_region_is_the_default():
    region = load("belle2").collider.luminous_region
    expected = np.diag((np.array(region.sigma_um) * 1e-4) ** 2)
    assert load("belle2").collider.luminous_covariance() == pytest.approx(expected)


def test_wires_and_wire_layers():
    experiment = load("belle2")
    assert experiment.n_wires == 14336
    assert sum(len(sl.radius_cm) for sl in experiment.drift_chamber.superlayers) == 56


# ---- sources and variations ----------------------------------------------------------------------


def has_a_source(table: Settings, *, sourced: bool) -> bool:
    """Whether its numbers have one, and say how far they are to be trusted."""
    numbers = [key for key, value in table if isinstance(value, (int, float, tuple))]
    if numbers and numbers != ["superlayers"] and not sourced:
        return False
    if isinstance(table, Sourced) and table.trust is Trust.ESTIMATE and not table.variation:
        return False
    return not isinstance(table, Documented) or (
        len(table.source) > 5 and isinstance(table.trust, Trust)
    )


@each_card
def test_every_number_has_a_source(experiment: Experiment):
    found = [(path, has_a_source(table, sourced=has)) for path, table, has in tables(experiment)]
    assert len(found) > 100
    assert [path for path, good in found if not good] == []


def can_be_varied(table: Sourced) -> bool:
    """Whether a variation changes exactly the values it names, and stays a valid table."""
    try:
        varied = table.varied()
    except ValueError:
        return False
    before, after = table.model_dump(), varied.model_dump()
    differing = {key for key in before if before[key] != after[key]} - {"variation"}
    same_trust = varied.trust is table.trust
    return differing == set(table.variation) and same_trust and not varied.variation


@each_card
def test_estimates_can_be_varied(experiment: Experiment):
    estimates = {
        path: table
        for path, table, _ in tables(experiment)
        if isinstance(table, Sourced) and table.variation
    }
    assert len(estimates) > 50
    assert [path for path, table in estimates.items() if not can_be_varied(table)] == []


def test_override_may_coincide_with_the_variation():
    """Switching an effect off is not an error because its variation does the same."""
    assert load("belle2", ["tracking.tails.fraction=0.0"]).tracking.tails.fraction == 0


def test_cards_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load("belle2").solenoid.field_t = 0.0


# ---- what no card may say ------------------------------------------------------------------------

IMPOSSIBLE = {  # override: what the message must contain
    "solenoid.feild_t=1.5": "solenoid: unknown key 'feild_t', did you mean 'field_t'?",
    "solenoid.field_t=nan": "solenoid.field_t: Input should be a finite number (got nan)",
    'solenoid.field_t="strong"': "solenoid.field_t: ",
    'solenoid.source=""': "solenoid.source: ",
    'solenoid.trust="hearsay"': "solenoid.trust: ",
    'solenoid.trust="estimate"': "solenoid: an estimate needs a variation",
    "tracking.tails.variation={fractoin=0.1}": "unknown key 'fractoin', did you mean 'fraction'?",
    "tracking.tails.variation={fraction=2.0}": "less than or equal to 1 (got 2.0)",
    "tracking.tails.width_factor=0.5": "tracking.tails.width_factor: ",
    "collider.presets.Y4S.e_her_gev=-7": "collider.presets.Y4S.e_her_gev: Input should be greater",
    "collider.preset=5": "collider.preset: Input should be a valid string",
    "collider.spread_ler_mev=inf": "collider.spread_ler_mev: ",
    "collider.bunches.her_um=[1.0, 2.0]": "collider.bunches.her_um",
    "collider.luminous_region.sigma_um=[1.0, 0.0, 1.0]": "collider.luminous_region.sigma_um.1: ",
    "collider=7": "collider: ",
    "silicon.svd3.radius_cm=-4": "silicon.svd3.radius_cm: Input should be greater than 0 (got -4)",
    "silicon.svd3.hit_efficiency=1.2": "silicon.svd3.hit_efficiency: ",
    "silicon.svd3.thickness_x0=nan": "silicon.svd3.thickness_x0: ",
    'silicon.svd3.detector="klm"': "silicon.svd3.detector: ",
    "silicon.svd3.z_min_cm=90": "z_min_cm = 90.0 must lie below z_max_cm = 15.38",
    "silicon.svd3.z_max_cm=-9.41": "z_min_cm = -9.41 must lie below z_max_cm = -9.41",
    "silicon.svd4.slanted.near_z_cm=30": "near_z_cm < far_z_cm",
    "silicon.svd4.slanted.near_r_cm=5.42": "two different radii",
    "silicon.pxd1.z_gap_cm=[1.44, 1.36]": "z_gap_cm = (1.44, 1.36) must be a range between",
    "silicon.pxd1.z_gap_cm=[20.0, 30.0]": "z_gap_cm = (20.0, 30.0) must be a range between",
    "silicon.pxd2.phi_range_deg=[75.0, 75.0]": "phi_range_deg = (75.0, 75.0) must be a range",
    "silicon.pxd2.phi_range_deg=[0.0, 400.0]": "phi_range_deg = (0.0, 400.0) must be a range",
    "passive.cdc_inner_wall.r_min_cm=17": "r_min_cm = 17.0 must not exceed r_max_cm = 16.31",
    "silicon.svd3.radius_cm=1.1": "passive.beam_pipe (r = 1.0 to 1.2 cm) overlaps silicon.svd3",
    "silicon.svd3.radius_cm=8.24": "silicon.svd3 (r = 8.24 to 8.24 cm) overlaps silicon.svd4",
    "passive.cdc_inner_wall.r_max_cm=17.5": "overlaps drift_chamber 0A",
    "drift_chamber.superlayers=[]": "drift_chamber.superlayers: ",
    "drift_chamber.hit_efficiency=nan": "drift_chamber.hit_efficiency: ",
    "tracking.finding.theta_factor=[1.0]": "theta_factor needs one value less",
    "tracking.finding.pt_efficiency=[1.0]": "pt_efficiency needs one value for each",
    "tracking.finding.theta_edges_deg=[20, 17, 25, 140, 145, 150]": "edges and points must incr",
    "tracking.finding.min_cdc_hits=-1": "tracking.finding.min_cdc_hits: ",
    "tracking.finding.min_cdc_hits=2.5": "tracking.finding.min_cdc_hits: ",
    "silicon.svd9.radius_cm=15": "silicon.svd9.source: Field required",
    'name=""': "name: ",
    "passive.cdc_outer_wall.r_max_cm=125.0": (
        "calorimeter.inner_radius_cm = 125.0 must lie outside of the tracker, 125.0 cm"
    ),
    "calorimeter.depth_cm=57.0": (
        "klm.coil.radius_cm = 181.25 must lie outside of the crystals, 182.0 cm"
    ),
    "klm.coil.radius_cm=155.0": (
        "klm.coil.radius_cm = 155.0 must lie outside of the crystals, 155.0 cm"
    ),
    "klm.forward.face_cm=190.0": (
        "klm.forward.face_cm = 190.0 must lie outside of calorimeter.z_max_cm, 196.0 cm"
    ),
    "klm.backward.face_cm=-100.0": (
        "-klm.backward.face_cm = 100.0 must lie outside of -calorimeter.z_min_cm, 102.0 cm"
    ),
    "klm.hits.min_layers=13": "klm: hits.min_layers = 13 exceeds the 12 layers of a part",
    "muon_system.radius_cm=200": "unknown key 'muon_system', known: calorimeter, collider",
}


@pytest.mark.parametrize(("override", "message"), IMPOSSIBLE.items())
def test_impossible_value_is_named(override: str, message: str):
    with pytest.raises(GeometryError) as caught:
        load("belle2", [override])
    text = str(caught.value)
    assert text.startswith("card 'belle2': ")
    assert message in text
    assert "\n" not in text
    assert "pydantic" not in text


SUPERLAYER = {
    "name": "1U",
    "n_wires": 160,
    "radius_cm": [25.7, 27.52],
    "z_min_cm": [-47.7, -50.85],
    "z_max_cm": [87.73, 94.88],
    "stereo_mrad": [66.6, 66.3],
    "sigma_um": [126.0, 123.0],
}


def test_superlayer_is_valid():
    assert Superlayer(**SUPERLAYER).n_wires == 160


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z_min_cm": [-47.7]}, "z_min_cm has 1 values, radius_cm has 2"),
        ({"sigma_um": [126.0, 123.0, 1.0]}, "sigma_um has 3 values, radius_cm has 2"),
        ({"sigma_um": [126.0, -123.0]}, "sigma_um.1\n"),
        ({"radius_cm": [27.52, 25.7]}, "radius_cm must increase"),
        ({"radius_cm": [25.7, 25.7]}, "radius_cm must increase"),
        ({"z_min_cm": [-47.7, 95.0]}, "every z_min_cm of superlayer 1U must lie below"),
        ({"stereo_mrad": [66.6, 900.0]}, "stereo_mrad.1\n"),
        ({"stereo_mrad": [450.0, 66.3]}, "superlayer 1U would cross the axis"),
        ({"n_wires": 0}, "n_wires\n"),
    ],
)
def test_impossible_superlayer(change: dict, message: str):
    with pytest.raises(ValueError, match="validation error") as caught:
        Superlayer(**{**SUPERLAYER, **change})
    assert message in str(caught.value)


def test_superlayers_must_not_overlap():
    chamber = load("belle2").drift_chamber
    exchanged = chamber.model_dump()
    exchanged["superlayers"] = exchanged["superlayers"][1::-1]
    with pytest.raises(ValueError, match="superlayers 1U and 0A overlap"):
        type(chamber)(**exchanged)
