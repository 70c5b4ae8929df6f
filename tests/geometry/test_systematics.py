"""Systematic errors of cards, and cards whose tables are varied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from darkbelle.errors import ConfigError, GeometryError
from darkbelle.geometry import Experiment, load, names
from darkbelle.geometry.systematics import (
    DisplacedTrackingError,
    IdentificationError,
    ShiftError,
    TrackingError,
    TriggerError,
    WeightError,
    chosen,
    directions,
)

ORIGIN = {"source": "a test", "trust": "estimate", "correlated": False}


@pytest.mark.parametrize("name", names())
def test_every_card_knows_all_kinds_of_errors(name: str):
    errors = load(name).systematics.values()
    kinds = {error.kind for error in errors}
    assert len(kinds) == 9
    assert all(isinstance(error, (WeightError, ShiftError)) for error in errors)


def test_errors_of_the_same_name_are_of_one_kind_in_all_cards():
    first, *others = ({n: e.kind for n, e in load(c).systematics.items()} for c in names())
    assert all(other == first for other in others)


def test_a_card_needs_no_systematic_errors():
    tree = load("belle2").model_dump()
    del tree["systematics"]
    assert Experiment(**tree).systematics == {}


def test_errors_by_bins_and_points():
    tracking = TrackingError(
        **ORIGIN, kind="tracking", pt_edges_gev=(0.1, 0.2), relative=(0.02, 0.01)
    )
    assert tracking.at(np.array([0.05, 0.1, 0.2, 5.0])) == pytest.approx([0, 0.02, 0.01, 0.01])
    displaced = DisplacedTrackingError(
        **ORIGIN, kind="displaced_tracking", birth_radius_cm=(1.0, 5.0), relative=(0.0, 0.04)
    )
    assert displaced.at(np.array([0.5, 3.0, 50.0])) == pytest.approx([0, 0.02, 0.04])
    trigger = TriggerError(
        **ORIGIN,
        kind="trigger",
        level="l1",
        groups=({"lines": ["hie"], "relative": 0.01},),
        others=0.02,
    )
    assert trigger.of_lines(["ffo", "hie"]) == pytest.approx([0.02, 0.01])


def test_errors_are_chosen_in_the_order_of_the_card():
    known = load("belle2").systematics
    assert list(chosen(known, ["photon", "tracking"])) == ["tracking", "photon"]
    assert list(chosen(known, ["all"])) == list(known)
    assert chosen(known, []) == {}
    with pytest.raises(ConfigError, match="no systematic error 'traking', did you mean 'tracking'"):
        chosen(known, ["traking"])
    assert dict(directions("photon")) == {"photon_up": 1, "photon_down": -1}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tracking.relative=[0.1]", "one value for each of pt_edges_gev .got 1 for 2"),
        ("tracking.relative=[0.1, 1.0]", "less than 1"),
        ("tracking.pt_edges_gev=[0.2, 0.1]", "must increase"),
        ("tracking.variation={}", "unknown key 'variation'"),
        ("tracking.kind='trakking'", "'trakking'"),
        ("trigger_l1.groups=[{ lines = ['hi'], relative = 0.1 }]", "unknown line 'hi', did you m"),
        ("hadron_id.rates={ pi = ['k'], k = ['k'] }", "one of them .got k under both"),
        ("hadron_id.rates={ pion = ['k'] }", "pion"),
        ("momentum_resolution.parameters=['pt']", "parameters"),
        ("all={}", "choose another name"),
    ],
)
def test_wrong_tables_are_refused(override: str, message: str):
    with pytest.raises(GeometryError, match=message):
        load("belle2", [f"systematics.{override}"])


def test_pions_and_kaons_share_a_number():
    table: dict[str, Any] = {"kind": "identification", "p_edges_gev": (0.0,), "relative": (0.1,)}
    with pytest.raises(ValidationError, match="ratio of likelihoods"):
        IdentificationError(**ORIGIN, **table, rates={"pi": ("pi", "p"), "k": ("p",)})


# ---- tables with their variations ----------------------------------------------------------------


def test_a_varied_table_takes_the_other_values():
    nominal, varied = load("belle2"), load("belle2", vary=["tracking.finding"])
    before, after = nominal.tracking.finding, varied.tracking.finding
    assert after.pt_efficiency == tuple(before.variation["pt_efficiency"])
    assert after.variation["pt_efficiency"] == list(before.pt_efficiency)
    assert after.source == before.source
    assert after.trust is before.trust
    changed = {name for name, _ in nominal if getattr(nominal, name) != getattr(varied, name)}
    assert changed == {"tracking"}


def test_a_varied_card_is_stored_and_loaded():
    varied = load("belle2", vary=["tracking.finding", "tracking.tails"])
    assert Experiment.model_validate_json(varied.model_dump_json()) == varied


def test_tables_in_a_list_are_varied_by_name():
    region = "identification.mu.regions.klm_endcaps"
    nominal, varied = load("belle2"), load("belle2", vary=[region])
    before, after = (card.identification.mu.regions for card in (nominal, varied))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, True]


@pytest.mark.parametrize("name", names())
def test_every_variation_makes_a_card(name: str):
    """All at once: what one table changes must go with what the others do."""
    tables = ["tracking.finding", "tracking.momentum_smearing", "calorimeter.clustering"]
    nominal, varied = load(name), load(name, vary=tables)
    assert varied.tracking.momentum_smearing != nominal.tracking.momentum_smearing
    assert varied.calorimeter.clustering != nominal.calorimeter.clustering


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("tracking.findin", "no such table, did you mean 'tracking.finding'"),
        ("solenoid", "no variation, "),
    ],
)
def test_what_cannot_be_varied(table: str, message: str):
    with pytest.raises(ConfigError, match=f"card 'belle2' cannot vary '{table}': {message}"):
        load("belle2", vary=[table])


@pytest.mark.parametrize("name", ["belle", "belle2", "belle2-2019", "belle2-run2"])
def test_what_the_card_is_tuned_to_is_no_measured_error(name: str):
    """Of impact parameters: the 13 % are those of another simulation."""
    error = load(name).systematics["impact_resolution"]
    assert error.trust == "estimate"
    assert "own" in error.source
