"""The muon system as the cards give it, and what no card may say of it."""

from __future__ import annotations

import math

import pytest

from darkbelle.errors import GeometryError
from darkbelle.geometry import load, names


def test_layers_of_belle2() -> None:
    """basf2 BKLM.xml and EKLM.xml: a pitch of 9.1 cm; 15, 14 and 12 layers; z = 47 cm."""
    klm = load("belle2").klm
    for part, n_layers in ((klm.barrel, 15), (klm.forward, 14), (klm.backward, 12)):
        assert len(part.positions_cm) == part.n_layers == n_layers
        steps = [abs(b - a) for a, b in zip(part.positions_cm, part.positions_cm[1:], strict=False)]
        assert steps == pytest.approx([9.1] * (n_layers - 1))
    assert klm.forward.face_cm - 47 == -(klm.backward.face_cm - 47)
    assert klm.forward.first_layer_cm - 47 == pytest.approx(47 - klm.backward.first_layer_cm)


def test_layers_of_belle() -> None:
    """The iron is that of Belle II; both endcaps have 14 layers, all of them RPCs."""
    klm, other = load("belle").klm, load("belle2").klm
    assert klm.backward.n_layers == klm.forward.n_layers == 14
    assert klm.backward.positions_cm[:12] == pytest.approx(other.backward.positions_cm)
    for part in (klm.barrel, klm.forward, klm.backward):
        assert part.n_scintillator_layers == 0


@pytest.mark.parametrize("name", names())
def test_acceptance(name: str) -> None:
    """Straight lines from the origin to the innermost edges, 18 and 155 degrees."""
    klm = load(name).klm
    forward, backward = (
        math.degrees(math.atan2(part.r_min_cm, part.last_layer_cm))
        for part in (klm.forward, klm.backward)
    )
    assert forward == pytest.approx(18, abs=0.3)
    assert backward == pytest.approx(155, abs=2.5)


IMPOSSIBLE = {  # override: what the message must contain
    "klm.barrel.n_layer=3": "klm.barrel: unknown key 'n_layer', did you mean 'n_layers'?",
    "klm.barrel.n_layers=0": "klm.barrel.n_layers: ",
    "klm.barrel.n_scintillator_layers=16": "n_scintillator_layers = 16 exceeds n_layers",
    "klm.barrel.last_layer_cm=204.0": "last_layer_cm = 204.0 must lie outside of first_layer_cm",
    "klm.barrel={first_layer_cm=-204.0, last_layer_cm=-331.4}": "must be a radius above 0",
    "klm.barrel.z_min_cm=300.0": "z_min_cm = 300.0 must lie below z_max_cm = 269.0",
    "klm.coil.z_min_cm=300.0": "z_min_cm = 300.0 must lie below z_max_cm = 267.5",
    "klm.coil.radius_cm=205.0": "coil.radius_cm = 205.0 must lie within barrel.first_layer_cm",
    "klm.coil.thickness_lambda=0.0": "klm.coil.thickness_lambda: ",
    "klm.forward.face_cm=290.0": "face_cm = 290.0 must lie before first_layer_cm",
    "klm.forward.face_cm=-277.0": "face_cm = -277.0 must lie before first_layer_cm",
    "klm.forward.first_layer_cm=0.0": "face_cm = 277.0 must lie before first_layer_cm",
    "klm.backward.last_layer_cm=-180.0": "last_layer_cm = -180.0 must lie outside of first_layer",
    "klm.backward.last_layer_cm=290.0": "must lie outside of first_layer_cm = -189.9, on the same",
    "klm.backward.r_min_cm=400.0": "r_min_cm = 400.0 must lie below r_max_cm = 332.0",
    "klm.backward={face_cm=183.0, first_layer_cm=189.9, last_layer_cm=290.0}": "backward.face_cm",
    "klm.hits.overlap_deg=[[47.0, 37.0]]": "must be ranges between 0 and 180",
    "klm.hits.layer_efficiency=1.1": "klm.hits.layer_efficiency: ",
    "klm.hits.min_layers=0": "klm.hits.min_layers: ",
    "klm.neutral_hadrons.efficiency=[0.5]": "efficiency needs one value for each momentum_gev",
    "klm.neutral_hadrons.momentum_gev=[3.0, 0.0]": "momentum_gev must increase (got (3.0, 0.0))",
    "klm.missed_photons.efficiency=[0.5]": "efficiency needs one value for each energy_edges_gev",
    "klm.missed_photons.energy_edges_gev=[0.5, 0.2]": "energy_edges_gev must increase",
    "klm.hadron_showers.tail_lambda=0.0": "klm.hadron_showers.tail_lambda: ",
    'klm.hits.trust="estimat"': "klm.hits.trust: ",
}


@pytest.mark.parametrize(("override", "message"), IMPOSSIBLE.items())
def test_impossible_value_is_named(override: str, message: str) -> None:
    with pytest.raises(GeometryError) as caught:
        load("belle2", [override])
    text = str(caught.value)
    assert text.startswith("card 'belle2': klm")
    assert message in text
    assert "\n" not in text
