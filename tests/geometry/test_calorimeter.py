"""The calorimeter's part of the cards: what the shipped ones say, and what no card may say."""

from __future__ import annotations

import math
from functools import cache

import pytest

from darkbelle.errors import GeometryError
from darkbelle.geometry import load, names
from darkbelle.geometry.calorimeter import Region, Resolution

CARDS = names()
shipped = cache(load)
PARTS = ("forward", "barrel", "backward")
QUANTITIES = ("energy_percent", "theta_mrad", "phi_mrad")

# ---- what the cards say --------------------------------------------------------------------------


@pytest.mark.parametrize("name", CARDS)
def test_every_card_has_one(name: str) -> None:
    """Both experiments have the same crystals in the same places (NIM A 479 (2002) 117)."""
    ecl = shipped(name).calorimeter
    assert (ecl.inner_radius_cm, ecl.z_min_cm, ecl.z_max_cm) == (125.0, -102.0, 196.0)
    assert (ecl.depth_cm, ecl.depth_x0, ecl.depth_lambda) == (30.0, 16.1, 0.8)
    angles = {
        part.name: (crystals.theta_min_deg, crystals.theta_max_deg)
        for part, crystals in ecl.regions.items()
    }
    assert angles == {
        "FORWARD": (12.4, 31.4),
        "BARREL": (32.2, 128.7),
        "BACKWARD": (130.7, 155.1),
    }
    assert list(ecl.regions) == [Region.FORWARD, Region.BARREL, Region.BACKWARD]
    assert list(ecl.regions.values()) == [ecl.forward, ecl.barrel, ecl.backward]


@pytest.mark.parametrize("name", CARDS)
def test_no_background_unless_asked_for(name: str) -> None:
    ecl = shipped(name).calorimeter
    assert ecl.beam_background.mean_number == 0
    assert ecl.clustering.energy_edges_gev[0] == 0
    assert ecl.background in ecl.barrel.resolution


HANDBOOK = """
forward low energy_percent 0.022 4.492 -0.091238 1.9185 -2.8217 3.0312
forward mid energy_percent 0.022 10.08 -0.072593 3.4685 -5.4413 4.1204
forward high energy_percent 0.022 14.85 -0.23993 6.9496 -10.409 5.9241
barrel low energy_percent 0.022 4.666 -0.047349 1.0201 -0.70516 1.7709
barrel mid energy_percent 0.022 11.23 0.046959 1.8196 -2.1367 2.3757
barrel high energy_percent 0.022 16.49 -0.26707 7.6176 -11.034 5.9203
backward low energy_percent 0.022 4.667 -0.10673 2.3816 -4.113 4.1406
backward mid energy_percent 0.022 12.89 -0.20436 6.43 -10.867 7.0406
backward high energy_percent 0.022 25.52 -0.31624 11.521 -18.363 9.8942
forward low theta_mrad 0.02896 6.401 -0.1104 0.7536 2.6365 -0.6067
forward mid theta_mrad 0.02746 7.399 -0.20728 2.6862 -0.90549 0.96149
forward high theta_mrad 0.022 8.835 -0.16092 2.3531 -0.10798 0.56537
barrel low theta_mrad 0.03091 9.311 -0.22107 2.1988 1.5083 0.35961
barrel mid theta_mrad 0.022 11.62 -0.1266 1.819 1.8513 0.30073
barrel high theta_mrad 0.022 13.16 -0.31656 4.9469 -3.122 2.3028
backward low theta_mrad 0.03181 10.44 -0.29583 3.3775 -0.28445 1.481
backward mid theta_mrad 0.022 13.83 -0.25248 4.1883 -2.0482 2.3849
backward high theta_mrad 0.022 17.04 -0.42022 7.089 -5.8827 3.6164
forward low phi_mrad 0.03913 15.41 -0.35934 2.0181 7.2631 -1.9344
forward mid phi_mrad 0.022 18.11 -0.17826 1.3916 6.9746 -1.2795
forward high phi_mrad 0.02246 20.16 -0.34462 3.8082 4.0873 -0.46471
barrel low phi_mrad 0.03812 10.77 -0.21842 0.64898 7.1901 -3.1002
barrel mid phi_mrad 0.02224 12.68 -0.14151 0.48829 7.3006 -3.1359
barrel high phi_mrad 0.02491 14.87 -0.32375 3.6093 2.4853 -1.2549
backward low phi_mrad 0.022 15.13 -0.053444 -1.7247 12.863 -4.212
backward mid phi_mrad 0.022 20.14 0.086929 -1.9335 12.81 -4.0376
backward high phi_mrad 0.022 23.28 -0.43961 5.742 1.7669 -0.040787
"""
"""E0, constant below it, a, b, c, d of basf2's ECLCovarianceMatrixModule.cc."""


OWN = {("belle2-2018", "barrel mid energy_percent")}
"""As the photons of that year had it, arXiv:2007.13071."""


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (name, row)
        for name in CARDS
        for row in HANDBOOK.strip().split("\n")
        if name.startswith("belle2") and (name, row.rsplit(maxsplit=6)[0]) not in OWN
    ],
)
def test_resolutions_are_those_of_basf2(name: str, row: str) -> None:
    part, level, quantity, *numbers = row.split()
    ecl = shipped(name).calorimeter
    formula = getattr(getattr(ecl, part).resolution[level], quantity)
    found = (formula.e_min_gev, formula.below, formula.a, formula.b, formula.c, formula.d)
    assert found == tuple(map(float, numbers))
    assert not formula.in_quadrature


@pytest.mark.parametrize("name", CARDS)
def test_formulas_are_continuous_where_they_end(name: str) -> None:
    """The constant below E0 is the value at E0, to the figures that are given."""
    for part in PARTS:
        crystals = getattr(shipped(name).calorimeter, part)
        for resolution in crystals.resolution.values():
            for quantity in QUANTITIES:
                formula = getattr(resolution, quantity)
                e = formula.e_min_gev
                terms = [formula.a / e, formula.b / e**0.5, formula.c / e**0.25, formula.d]
                value = math.hypot(*terms) if formula.in_quadrature else math.fsum(terms)
                assert formula.below == pytest.approx(value, rel=0.01)


# ---- overrides -----------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["low", "mid", "high", "typical"])
def test_background_can_be_chosen(level: str) -> None:
    ecl = load("belle2", [f"calorimeter.background={level}"]).calorimeter
    assert ecl.background == level


def test_a_level_of_ones_own() -> None:
    """Given for all three parts it is known, given for two it is not."""
    mid = load("belle2").calorimeter.barrel.resolution["mid"].model_dump(mode="json")
    text = "{" + ", ".join(f"{key} = {_toml(value)}" for key, value in mid.items()) + "}"
    own = [f"calorimeter.{part}.resolution.mine={text}" for part in PARTS]
    ecl = load("belle2", [*own, "calorimeter.background=mine"]).calorimeter
    assert isinstance(ecl.forward.resolution["mine"], Resolution)
    with pytest.raises(GeometryError, match=r"'mine': backward knows .*low, mid, high"):
        load("belle2", [*own[:2], "calorimeter.background=mine"])


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def test_parts_may_touch_and_may_leave_gaps() -> None:
    touching = ["calorimeter.barrel.theta_min_deg=31.4", "calorimeter.barrel.theta_max_deg=130.7"]
    assert load("belle2", touching).calorimeter.barrel.theta_min_deg == 31.4
    small = ["calorimeter.barrel.theta_min_deg=60.0", "calorimeter.barrel.theta_max_deg=61.0"]
    assert load("belle2", small).calorimeter.barrel.theta_max_deg == 61.0


# ---- what is refused -----------------------------------------------------------------------------

REFUSED = {
    # parts
    "barrel.theta_min_deg=31.3": "forward, barrel and backward must follow each other in theta",
    "backward.theta_min_deg=128.0": "forward, barrel and backward must follow each other",
    "forward={theta_min_deg = 40.0, theta_max_deg = 50.0}": "must follow each other in theta",
    "forward.theta_max_deg=12.4": "calorimeter.forward: need 0 <= theta_min_deg < theta_max_deg",
    "forward.theta_min_deg=-1.0": "calorimeter.forward: need 0 <= theta_min_deg < theta_max_deg",
    "backward.theta_max_deg=180.1": "<= 180 .got 130.7 and 180.1",
    "z_min_cm=196.0": "z_min_cm = 196.0 must lie below z_max_cm = 196.0",
    "inner_radius_cm=0.0": "calorimeter.inner_radius_cm: Input should be greater than 0",
    "depth_cm=0.0": "calorimeter.depth_cm: Input should be greater than 0",
    "depth_x0=0.0": "calorimeter.depth_x0",
    "depth_lambda=-0.1": "calorimeter.depth_lambda",
    "barrel.front_x0=-0.1": "calorimeter.barrel.front_x0",
    "barrel.front_mip_mev=-1.0": "calorimeter.barrel.front_mip_mev: Input should be greater than",
    "barrel.front_lambda=nan": "calorimeter.barrel.front_lambda",
    # levels of background
    "background=lowish": "background = 'lowish': forward knows .*low, mid, high",
    "background=usual": "background = 'usual': forward knows .*low, mid, high",
    "background=1": "calorimeter.background: Input should be a valid string",
    # formulas
    "barrel.resolution.mid.energy_percent.a=inf": "energy_percent.a: Input should be a finite",
    "barrel.resolution.mid.theta_mrad.e_min_gev=0.0": "theta_mrad.e_min_gev",
    "barrel.resolution.mid.phi_mrad.below=-1.0": "phi_mrad.below",
    "barrel.resolution.mid.energy_percent.d=-10.0": (
        "energy_percent: the error must be positive up to 12.0 GeV, not at 0.022"
    ),
    "backward.resolution.high.phi_mrad.d=-3.0": (
        "phi_mrad: the error must be positive up to 12.0 GeV, not at"
    ),
    "forward.resolution.low.theta_mrad={e_min_gev = 1.0, a = 0.0, b = 0.0, c = 0.0, d = 0.0}": (
        "theta_mrad: the error must be positive up to 12.0 GeV, not at 1"
    ),
    # what stands around it
    "inner_radius_cm=112.6": "inner_radius_cm = 112.6 must lie outside of the tracker, 112.61 cm",
    "z_max_cm=277.0": "klm.forward.face_cm = 277.0 must lie outside of calorimeter.z_max_cm, 277.0",
    "z_min_cm=-184.0": (
        "-klm.backward.face_cm = 183.0 must lie outside of -calorimeter.z_min_cm, 184.0 cm"
    ),
    "barrel.resolution.mid.phi_mrad.e=1.0": "unknown key 'e'",
    "barrel.resolution.mid.energy=1.0": "unknown key 'energy'",
    # shapes
    "showers.asymmetry=0.0": "showers.asymmetry: Input should be greater than 0",
    "showers.asymmetry=1.0": "showers.asymmetry: Input should be less than 1",
    "showers.asymmetry='0.3'": "showers.asymmetry: Input should be a valid number",
    "showers.asymmetry=nan": "showers.asymmetry",
    "showers.leakage=0.0": "showers.leakage: Input should be greater than 0",
    "showers.leakage=1.0": "showers.leakage: Input should be less than 1",
    "showers.leakage='0.1'": "showers.leakage: Input should be a valid number",
    "showers.scale=0.0": "showers.scale",
    "showers.critical_energy_mev=0.0": "showers.critical_energy_mev",
    "tracks.mip_gev=0.0": "tracks.mip_gev",
    "tracks.mean_gev=0.0": "tracks.mean_gev",
    "tracks.width_gev=-0.1": "tracks.width_gev",
    "tracks.knock_on_gev=0.0": "tracks.knock_on_gev",
    "hadrons.share_alpha=0.0": "hadrons.share_alpha",
    "hadrons.annihilation_alpha=0.0": "hadrons.annihilation_alpha",
    "hadrons.annihilation_beta=-1.0": "hadrons.annihilation_beta",
    "hadrons.split_offs=-1.0": "hadrons.split_offs",
    # bins
    "clustering.efficiency=[0.8, 0.9, 0.9, 1.1]": "efficiency.3: Input should be less",
    "clustering.efficiency=[-0.1, 0.9, 0.9, 0.9]": "efficiency.0: Input should be greater",
    "clustering.efficiency=[0.8, nan, 0.9, 0.9]": "clustering.efficiency.1",
    "clustering.efficiency=[0.8, 0.9, 0.9]": "efficiency needs one value for each energy_edges_gev",
    "clustering.energy_edges_gev=[]": "clustering.energy_edges_gev",
    "clustering.energy_edges_gev=[0.0, 0.2, 0.1, 0.3]": "edges and points must increase",
    "clustering.energy_edges_gev=[0.0, 0.1, 0.1, 0.3]": "edges and points must increase",
    "clustering.energy_edges_gev=[-0.1, 0.1, 0.2, 0.3]": "clustering.energy_edges_gev.0",
    "clustering.distance_cm=-1.0": "clustering.distance_cm",
    "clustering.match_distance_cm=0.0": "clustering.match_distance_cm",
    "timing.sigma_ns=[1.0]": "sigma_ns needs one value for each energy_gev",
    "timing.energy_gev=[0.2, 0.05, 1.0, 3.0]": "edges and points must increase",
    "timing.energy_gev=[0.0, 0.2, 1.0, 3.0]": "timing.energy_gev.0",
    "timing.energy_gev=[]": "timing.energy_gev",
    "beam_background.mean_number=-1.0": "beam_background.mean_number",
    "beam_background.energy_gev=0.0": "beam_background.energy_gev",
    # keys
    "backgroud=mid": "unknown key 'backgroud', did you mean 'background'",
    "clustering.distance=3.0": "unknown key 'distance', did you mean 'distance_cm'",
    "barrel.theta_min=30.0": "unknown key 'theta_min', did you mean 'theta_min_deg'",
    "hadrons.split_off=0.1": "unknown key 'split_off', did you mean 'split_offs'",
    # origin of the numbers
    "timing.trust=rumour": "calorimeter.timing.trust",
    "timing.variation={sigma_ns = [1.0]}": "sigma_ns needs one value for each energy_gev",
    "hadrons.variation={mip_gev = 0.19}": "unknown key 'mip_gev'",
}


@pytest.mark.parametrize("override", REFUSED)
def test_refused(override: str) -> None:
    """In one sentence that names the key, and the file."""
    with pytest.raises(GeometryError, match=REFUSED[override]) as refusal:
        load("belle2", [f"calorimeter.{override}"])
    assert "calorimeter" in str(refusal.value)
    assert "card 'belle2'" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("key", ["barrel", "showers", "clustering", "background", "timing"])
def test_nothing_may_be_missing(key: str, tmp_path) -> None:
    card = tmp_path / "card.toml"
    card.write_text(f'extends = "belle2"\nremove = ["calorimeter.{key}"]\n')
    with pytest.raises(GeometryError, match=rf"calorimeter\.{key}: Field required"):
        load(card)


def test_an_estimate_needs_a_variation(tmp_path) -> None:
    card = tmp_path / "card.toml"
    card.write_text('extends = "belle2"\nremove = ["calorimeter.timing.variation"]\n')
    with pytest.raises(GeometryError, match=r"calorimeter\.timing: an estimate needs a variation"):
        load(card)


def test_a_part_needs_a_resolution(tmp_path) -> None:
    known = load("belle2").calorimeter.barrel.resolution
    levels = ", ".join(f'"calorimeter.barrel.resolution.{name}"' for name in known)
    card = tmp_path / "card.toml"
    card.write_text(f'extends = "belle2"\nremove = [{levels}]\n')
    with pytest.raises(GeometryError, match=r"calorimeter\.barrel\.resolution"):
        load(card)
