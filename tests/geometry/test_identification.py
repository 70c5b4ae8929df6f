"""Cards of identification: what they may say, and the rates at their working points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from darkbelle.errors import GeometryError
from darkbelle.geometry import load, names
from darkbelle.geometry.identification import SPECIES, Hypothesis

CARDS = {name: load(name).identification for name in names()}

BARREL = {
    "name": "barrel",
    "source": "a test",
    "trust": "measured",
    "theta_deg": [[30, 130]],
    "pt_min_gev": 0.3,
    "sectors": {"number": 16, "first_centre_deg": 11.25, "coverage": 0.95},
    "p_edges_gev": [0.3, 1.0],
    "e": [0.0, 0.02],
    "mu": [0.9, 0.95],
    "pi": [0.03, 0.02],
    "k": [0.02, 0.01],
    "p": [0.01, 1.0],
}
REST = {
    "name": "rest",
    "source": "a test",
    "trust": "measured",
    "p_edges_gev": [0.0],
    **{species: [0.5] for species in SPECIES},
}
MUONS = {
    "source": "a test",
    "trust": "measured",
    "points": ["loose", "standard", "tight"],
    "shifts": [0.2, 0.0, -0.5],
    "descriptions": ["> 0.5", "> 0.9", "> 0.95"],
    "regions": [BARREL, REST],
}


def with_region(**change: Any) -> dict[str, Any]:
    return {**MUONS, "regions": [{**BARREL, **change}, REST]}


def test_rates_at_the_points():
    """By hand from tables of the normal distribution: Phi(1.28155 + 0.2), Phi(-1.88079 - 0.5)."""
    rates = Hypothesis(**MUONS).rates
    assert rates.shape == (3, len(SPECIES), 3)
    mu, pi = rates[0, SPECIES.index("mu")], rates[0, SPECIES.index("pi")]
    assert mu == pytest.approx([0.930770, 0.9, 0.782761], abs=1e-6)
    assert pi[[1, 2]] == pytest.approx([0.03, 0.008638], abs=1e-6)
    assert rates[2] == pytest.approx(np.tile([0.579260, 0.5, 0.308538], (5, 1)), abs=1e-6)


def test_certainty_is_not_shifted():
    rates = Hypothesis(**MUONS).rates
    assert (rates[0, SPECIES.index("e")] == 0).all()
    assert (rates[1, SPECIES.index("p")] == 1).all()


@pytest.mark.parametrize("name", CARDS)
def test_cards_have_three_points_for_each_hypothesis(name: str):
    identification = CARDS[name]
    assert identification.point_names == tuple(
        f"{species}_{point}" for species in SPECIES for point in ("loose", "standard", "tight")
    )
    for hypothesis in identification.hypotheses.values():
        assert hypothesis.shifts[hypothesis.points.index("standard")] == 0
        assert (np.diff(hypothesis.rates, axis=-1) <= 0).all()


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize(
    ("species", "others"),
    [("e", SPECIES), ("mu", SPECIES), ("pi", "k p"), ("k", "e mu pi"), ("p", SPECIES)],
)
def test_nothing_passes_for_a_particle_more_often_than_itself(
    name: str, species: str, others: str | tuple[str, ...]
):
    """Pions are judged against kaons alone, so electrons, if anything, are the better pions.

    So are protons the better kaons of Belle, which judges by L(K:pi).
    """
    others = others.split() if isinstance(others, str) else others
    for region in CARDS[name].hypotheses[species].regions:
        for other in others:
            assert (np.array(getattr(region, other)) <= getattr(region, species)).all()


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("other", SPECIES)
def test_tight_kaons_and_tight_pions_cannot_overlap(name: str, other: str):
    """One number decides both, so at tight and standard points the two rates sum to one at most."""
    kaons, pions = CARDS[name].k, CARDS[name].pi
    for of_kaons, of_pions in zip(kaons.regions, pions.regions, strict=True):
        assert of_kaons.theta_deg == of_pions.theta_deg
        assert of_kaons.p_edges_gev == of_pions.p_edges_gev
    index = SPECIES.index(other)
    for point in (1, 2):
        assert (kaons.rates[:, index, point] + pions.rates[:, index, point] < 1 + 1e-12).all()


# ---- what no card may say ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (with_region(pi=[0.03]), "pi needs one rate for each p_edges_gev"),
        (with_region(k=[0.02, 0.01, 0.01]), "got 3 for 2"),
        (with_region(mu=[0.9, 1.1]), "regions.0.mu.1\n  Input should be less than or equal to 1"),
        (with_region(mu=[-0.1, 0.9]), "regions.0.mu.0\n  Input should be greater than or equal"),
        (with_region(mu=[float("nan"), 0.9]), "regions.0.mu.0\n"),
        (with_region(p_edges_gev=[1.0, 0.3]), "p_edges_gev must increase"),
        (with_region(p_edges_gev=[1.0, 1.0]), "p_edges_gev must increase"),
        (with_region(theta_deg=[[130, 30]]), "theta_deg must hold ranges between 0 and 180"),
        (with_region(theta_deg=[[30, 60], [170, 190]]), "got [170.0, 190.0]"),
        (with_region(theta_deg=[]), "regions.0.theta_deg"),
        (with_region(sectors={**BARREL["sectors"], "coverage": 1.2}), "sectors.coverage"),
        (with_region(sectors={**BARREL["sectors"], "gap": 1.2}), "unknown key 'gap'"),
        (with_region(pion=[0.1, 0.1]), "unknown key 'pion', did you mean 'pi'?"),
        (with_region(trust="estimate"), "an estimate needs a variation"),
        (with_region(variation={"mu": [0.8, 1.8]}), "less than or equal to 1"),
        (with_region(variation={"mu": [0.8]}), "mu needs one rate"),
        ({**MUONS, "shifts": [0.2, 0.0]}, "shifts has 2 values, points has 3"),
        ({**MUONS, "descriptions": ["> 0.5"]}, "descriptions has 1 values, points has 3"),
        ({**MUONS, "shifts": [-0.5, 0.0, 0.2]}, "shifts must decrease, points run from loose"),
        ({**MUONS, "shifts": [0.2, 0.0, 0.0]}, "shifts must decrease"),
        ({**MUONS, "points": ["loose", "loose", "tight"]}, "points has 'loose' 2 times"),
        ({**MUONS, "points": ["loose", "Standard", "tight"]}, "points.1"),
        ({**MUONS, "points": [], "shifts": [], "descriptions": []}, "points"),
        ({**MUONS, "regions": []}, "regions"),
        ({**MUONS, "regions": [BARREL, REST, REST]}, "regions has 'rest' 2 times"),
        ({**MUONS, "regions": [REST, BARREL]}, "the last region, 'barrel', must take what all"),
        ({**MUONS, "regions": [{**REST, "p_edges_gev": [0.1]}]}, "p_edges_gev from 0"),
        ({**MUONS, "regions": [{**REST, "name": "a"}, REST]}, "region 'a' takes every track"),
    ],
)  # fmt: skip
def test_impossible_hypothesis_is_named(tree: dict[str, Any], message: str):
    with pytest.raises(ValidationError) as caught:
        Hypothesis(**tree)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "identification.tau.source=x",
            "identification: unknown key 'tau', known: decays, e, k, mu, p",
        ),
        ("identification.k.shifts=[0.2]", "identification.k: shifts has 1 values, points has 3"),
        ('identification.k.regions=[{name="top", k=[2.0]}]', "identification.k.regions.0.k.0: "),
        ('identification.k.regions=[{name="topp"}]', "identification.k.regions.3.source: Field"),
    ],
)
def test_impossible_override_is_named(override: str, message: str):
    with pytest.raises(GeometryError) as caught:
        load("belle2", [override])
    assert message in str(caught.value)


def test_one_region_can_be_overridden_by_its_name():
    changed = load("belle2", ['identification.mu.regions=[{name="klm_barrel", pt_min_gev=0.7}]'])
    before, after = CARDS["belle2"].mu.regions, changed.identification.mu.regions
    assert [region.name for region in after] == [region.name for region in before]
    assert after[0].pt_min_gev == 0.7
    assert after[0].mu == before[0].mu
    assert after[1:] == before[1:]


def test_variation_moves_rates_and_points():
    """Each is a card of its own, with which a systematic uncertainty can be simulated."""
    kaons = CARDS["belle"].k
    assert kaons.varied().shifts != kaons.shifts
    for region in kaons.regions:
        varied = region.varied()
        assert (np.array(varied.k) < region.k).all()
        assert (np.array(varied.pi) > region.pi).all()


def test_shift_is_one_of_normal_quantiles():
    """The curve that all points lie on: equal distances of quantiles for every species."""
    rates = CARDS["belle2"].k.rates
    quantiles = stats.norm.ppf(rates)
    steps = quantiles[..., 0] - quantiles[..., 2]
    assert steps == pytest.approx(np.full_like(steps, 0.27 + 0.76), abs=1e-9)
