"""The triggers as the cards give them: lines of Belle, selections of the high level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from darkbelle.detsim.trigger.menu import decide
from darkbelle.errors import GeometryError
from darkbelle.gen.kinematics import boost
from darkbelle.geometry import load, names
from darkbelle.geometry.trigger import Menu

BELLE = ("belle", "belle-svd1")


def fires(menu: Menu, counts: dict[str, int]) -> set[str]:
    """Lines that fire in one event with these counts and none else; efficiencies are left out."""
    found = dict.fromkeys(menu.asked, 0) | counts
    perfect = {
        name: line.model_copy(update={"efficiency": 1.0}) for name, line in menu.lines.items()
    }
    menu = menu.model_copy(update={"lines": perfect})
    arrays = {name: np.array([value]) for name, value in found.items()}
    fired = decide(menu, arrays, 1, np.random.default_rng(1))[0]
    return {name for name, fire in zip(menu.line_names, fired, strict=True) if fire}


@pytest.mark.parametrize("name", names())
def test_every_card_keeps_something_for_physics(name: str) -> None:
    trigger = load(name).trigger
    assert 1 in trigger.l1.ratios
    assert 1 in trigger.hlt.ratios


TWO = {"rphi": 2, "full": 1, "back_to_back": 1, "z": 1, "tsc": 1, "clusters": 1}
BELLE_EVENTS: list[tuple[dict[str, int], set[str]]] = [
    (TWO, {"two_track"}),
    *((TWO | {missing: 0}, set[str]()) for missing in TWO if missing != "rphi"),
    (TWO | {"rphi": 1}, set()),
    ({"rphi": 3, "z": 1}, {"three_track"}),
    ({"rphi": 3}, set()),
    ({"e_low": 1, "e_high": 1, "clusters": 1}, {"energy", "energy_low"}),
    ({"e_high": 1, "bhabha_2d": 1, "clusters": 2}, {"bhabha"}),
    ({"e_high": 1, "bhabha_2d": 1, "clusters": 4}, {"energy", "icn4"}),
    ({"clusters": 4}, {"icn4"}),
    ({"clusters": 3}, set()),
]


@pytest.mark.parametrize("card", BELLE)
@pytest.mark.parametrize(("counts", "lines"), BELLE_EVENTS)
def test_lines_of_belle(card: str, counts: dict[str, int], lines: set[str]) -> None:
    assert fires(load(card).trigger.l1, counts) == lines


def test_level_four_of_belle() -> None:
    menu = load("belle").trigger.hlt
    assert fires(menu, {"track": 1}) == fires(menu, {"e_4gev": 1}) == {"level4"}
    assert fires(menu, {}) == set()


def test_cathodes_see_z() -> None:
    late, early = (load(card).trigger.l1.tracks["z"] for card in BELLE)
    assert early.efficiency >= 0.99 > late.efficiency


def test_tracks_of_belle_end_where_their_wires_do() -> None:
    """Full tracks in 30-130 degrees, short ones in 18-148: triggers.md, section 1."""
    card = load("belle")
    layers = {layer.name: layer for layer in card.drift_chamber.superlayers}
    margin = card.trigger.l1.track_errors.edge_margin_deg
    for kind, forward, backward in (("full", 30, 130), ("short", 18, 148)):
        outermost = layers[card.trigger.l1.tracks[kind].superlayers[-1]]
        radius = np.mean(outermost.radius_cm)
        ends = np.mean(outermost.z_max_cm), np.mean(outermost.z_min_cm)
        theta = [math.degrees(math.atan2(radius, end)) for end in ends]
        assert theta[0] + margin == pytest.approx(forward, abs=1.2)
        assert theta[1] - margin == pytest.approx(backward, abs=1.2)


@pytest.mark.parametrize("card", ["belle", "belle2"])
def test_rings_of_bhabha_events_are_back_to_back(card: str) -> None:
    """Electrons and positrons without radiation that both reach the cells fire, each in one ring.

    Rings of SuperKEKB would miss most at KEKB.
    """
    experiment = load(card)
    ecl, collider = experiment.trigger.l1.ecl, experiment.collider
    rings = ecl.ring_pairs["bhabha_2d"]
    cos_theta = np.linspace(-0.95, 0.95, 400)
    sine, half = np.sqrt(1 - cos_theta**2), collider.sqrt_s / 2
    fired, inside = np.zeros(400, dtype=bool), np.ones(400, dtype=bool)
    sums = np.zeros((18, 400))
    for sign in (1, -1):
        p_cms = half * np.stack([np.ones(400), np.zeros(400), sign * sine, sign * cos_theta])
        e, px, py, pz = boost(p_cms, collider.four_momentum[:, None])
        theta = np.degrees(np.arctan2(np.hypot(px, py), pz))
        ring = np.digitize(theta, ecl.theta_edges_deg)
        inside &= (ring > 0) & (ring < 18)
        np.add.at(sums, (np.minimum(ring, 17), np.arange(400)), e)
    for kind in rings:
        hard = sums[list(kind.forward)].sum(axis=0) > kind.forward_gev
        fired |= hard & (sums[list(kind.backward)].sum(axis=0) > kind.backward_gev)
    assert np.count_nonzero(inside) > 250
    assert fired[inside].mean() > 0.95


def test_displaced_vertices_are_on_since_2024() -> None:
    ratios = {name: load(name).trigger.hlt.prescales.ratios for name in names()}
    line = "displaced_vertex"
    assert {name: ratio[line] for name, ratio in ratios.items() if line in ratio} == {
        "belle2": 0,
        "belle2-2018": 0,
        "belle2-2019": 0,
        "belle2-2020": 0,
        "belle2-run2": 1,
    }


PAIRS = "trigger.hlt.hardest_pairs"
IMPOSSIBLE = {  # override: what the message must contain
    f"{PAIRS}.ee2leg.of='legs'": f"{PAIRS}.ee2leg: unknown selection 'legs', did you mean",
    f"{PAIRS}.ee2leg.one='e_4500'": f"{PAIRS}.ee2leg: unknown selection 'e_4500'",
    f"{PAIRS}.gg2clst.one='owns_4500'": f"{PAIRS}.gg2clst: unknown selection 'owns_4500'",
    f"{PAIRS}.new={{of='leg', other='p_1000'}}": "other needs one",
    f"{PAIRS}.new={{of='leg', dphi=[0.0, 90.0]}}": "unknown key 'dphi', did you mean",
    f"{PAIRS}.e_200={{of='leg'}}": "'e_200' is the name of two counts",
    "trigger.hlt.net_charges.q='clusters'": "net_charges.q: unknown selection 'clusters'",
    "trigger.hlt.sums.e={clusters='loose', e_lab_gev=1.0}": "sums.e: unknown selection 'loose'",
    "trigger.hlt.displaced_vertices.displaced_vertex.tracks='clusters'": "unknown selection",
    "trigger.hlt.displaced_vertices.displaced_vertex.probability=0.0": "probability",
    "trigger.hlt.tracks.loose.z0cm=1.0": "unknown key 'z0cm', did you mean 'z0_cm'?",
    "trigger.hlt.lines.ge1_tight_track.needs={tigth=1}": "unknown count 'tigth', did you mean",
    "trigger.hlt.prescales.ratios.ge1_tight=1": "unknown line 'ge1_tight', did you mean",
    "trigger.hlt.prescales.ratios.ge1_tight_track=-1": "ge1_tight_track",
}


@pytest.mark.parametrize(("override", "message"), IMPOSSIBLE.items())
def test_impossible_values_are_refused(override: str, message: str) -> None:
    with pytest.raises(GeometryError) as refusal:
        load("belle2", [override])
    assert message in str(refusal.value)


def test_a_card_can_add_a_line(tmp_path: Any) -> None:
    card = tmp_path / "own.toml"
    card.write_text(
        """extends = "belle2"
[trigger.hlt.hardest_pairs.acoplanar]
of = "leg"
dphi_deg = [0.0, 90.0]
[trigger.hlt.lines.acoplanar]
needs = { acoplanar = 1 }
source = "own"
trust = "default"
"""
    )
    menu = load(card).trigger.hlt
    assert fires(menu, {"acoplanar": 1}) == {"acoplanar"}
    assert menu.ratios[-1] == 0
