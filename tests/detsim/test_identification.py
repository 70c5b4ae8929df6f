"""Decisions: whom a region decides about, rates realised, nesting, decays in flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from darkbelle.detsim.identification import Suspects, identify
from darkbelle.geometry import load
from darkbelle.geometry.identification import SPECIES, Identification
from tests.grids import spanned

CARDS = {name: load(name).identification for name in ("belle2", "belle")}
CODES = {"e": 11, "mu": 13, "pi": 211, "k": 321, "p": 2212}
P_VALUE = 1e-6

BAR, GAP = 0.0, 11.25
"""Azimuth from the centre of a bar of the TOP [deg]: on it, and between it and the next."""
PLACES = {  # where one region decides: polar angles and azimuth from the centre of a bar [deg]
    ("belle2", "e"): {
        "ecl_barrel": ((33, 90, 128), BAR),
        "ecl_endcaps": ((13, 31, 131, 154), BAR),
        "dedx": ((10, 31.8, 129.5, 160), BAR),
    },
    ("belle2", "mu"): {
        "klm_barrel": ((48, 90, 121), BAR),
        "klm_overlaps": ((38, 46, 123, 129), BAR),
        "klm_endcaps": ((20, 36, 131, 154), BAR),
        "before_klm": ((17, 156), BAR),
    },
    ("belle2", "k"): {
        "top": ((32, 90, 127), BAR),
        "arich": ((15, 29), GAP),
        "dedx": ((30.5, 129, 149), BAR),
    },
    ("belle", "e"): {
        "ecl_barrel": ((33, 90, 128), GAP),
        "ecl_endcaps": ((13, 31, 131, 154), GAP),
        "dedx": ((31.8, 129.5), GAP),
    },
    ("belle", "mu"): {
        "klm_barrel": ((46, 90, 124), GAP),
        "klm_endcaps": ((21, 44, 126, 154), GAP),
        "before_klm": ((19, 156), GAP),
    },
    ("belle", "k"): {
        "tof_acc": ((35, 90, 120), GAP),
        "acc": ((18, 33, 122, 126), GAP),
        "dedx": ((128, 149), GAP),
    },
}
for card in CARDS:
    PLACES |= {(card, hypothesis): PLACES[card, "k"] for hypothesis in ("pi", "p")}


def suspects(n: int, **columns: Any) -> Suspects:
    """Muons of 2 GeV at 90 degrees on a bar of the TOP, but for the columns given."""
    default = {
        "pdg_id": 13,
        "p": 2.0,
        "theta": np.pi / 2,
        "phi": np.radians(11.25),
        "muon_chance": 0.0,
        "became_muon": False,
    }
    return Suspects(**{key: np.full(n, columns.get(key, default[key])) for key in default})


def anybody(n: int, rng: np.random.Generator) -> Suspects:
    """Everything that can be asked about, also what curls, decays or is no common species."""
    chance = np.where(rng.random(n) < 0.5, 0.0, rng.random(n))
    return Suspects(
        rng.choice([11, -11, 13, 211, -211, 321, -321, 2212, 3112, -3312], n).astype(np.int32),
        rng.exponential(1.0, n),
        rng.uniform(0, np.pi, n),
        np.where(rng.random(n) < 0.1, np.nan, rng.uniform(-np.pi, np.pi, n)),
        chance,
        rng.random(n) < chance,
    )


def decide(
    asked: Suspects, identification: Identification = CARDS["belle2"], seed: int = 1
) -> dict[str, np.ndarray]:
    """Decisions by the names of their points."""
    passed = identify(asked, identification, np.random.default_rng(seed))
    assert passed.shape == (len(asked), len(identification.point_names))
    assert passed.dtype == np.bool_
    return dict(zip(identification.point_names, passed.T, strict=True))


def published(
    hypothesis: str, region: str, species: str, i_bin: int, card: str = "belle2"
) -> dict[str, float]:
    """Rates by the names of the points, from the lists of the card as they stand there."""
    judge = CARDS[card].hypotheses[hypothesis]
    table = next(entry for entry in judge.regions if entry.name == region)
    quantile = stats.norm.ppf(getattr(table, species)[i_bin])
    return {
        f"{hypothesis}_{point}": float(stats.norm.cdf(quantile + shift))
        for point, shift in zip(judge.points, judge.shifts, strict=True)
    }


def identification_of(
    *regions: dict[str, Any], shifts: Sequence[float] = (0.0,), largest_share: float = 1.0
) -> Identification:
    """The same regions, of one bin unless they say otherwise, for every hypothesis."""
    origin = {"source": "a test", "trust": "measured"}
    bins = {"p_edges_gev": [0.0]}
    points = [f"point{i}" for i in range(len(shifts))]
    hypothesis = {
        **origin,
        "points": points,
        "shifts": list(shifts),
        "descriptions": points,
        "regions": [
            {**origin, **bins, "name": f"region{i}"} | region for i, region in enumerate(regions)
        ],
    }
    decays = {**origin, "largest_share": largest_share}
    return Identification(decays=decays, **dict.fromkeys(SPECIES, hypothesis))


def assert_rate(passed: np.ndarray, rate: float) -> None:
    low, high = stats.binom.interval(1 - P_VALUE, len(passed), rate)
    assert low <= passed.sum() <= high


# ---- who decides, and how often ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "hypothesis", "region"),
    spanned(
        [(*key, region) for key, regions in PLACES.items() for region in regions],
        lambda case: case[0] == "belle2" or case[1] == "mu",
    ),
)
def test_rates_of_every_region_are_realised(card: str, hypothesis: str, region: str):
    """In every bin and for every species."""
    regions = CARDS[card].hypotheses[hypothesis].regions
    table = next(entry for entry in regions if entry.name == region)
    thetas, from_centre = PLACES[card, hypothesis][region]
    edges = np.array(table.p_edges_gev)
    rng, n = np.random.default_rng([3, len(edges)]), 2_000
    theta = rng.choice(np.radians(thetas), n)
    phi = np.radians(11.25 + from_centre + 22.5 * rng.integers(-8, 8, n))
    for i, (low, high) in enumerate(zip(edges, [*edges[1:], 3 * edges[-1] + 1], strict=True)):
        p = rng.uniform(low, high, n)
        reaches = p * np.sin(theta) >= table.pt_min_gev
        if not reaches.any():
            continue
        for species, code in CODES.items():
            asked = suspects(n, pdg_id=code, p=p, theta=theta, phi=phi)
            asked = Suspects(*(getattr(asked, field.name)[reaches] for field in fields(asked)))
            passed = decide(asked, CARDS[card], seed=i)
            for name, rate in published(hypothesis, region, species, i, card).items():
                assert_rate(passed[name], rate)


def test_every_region_is_tried():
    for (card, hypothesis), regions in PLACES.items():
        named = [region.name for region in CARDS[card].hypotheses[hypothesis].regions]
        assert named == list(regions)


@pytest.mark.parametrize(
    ("hypothesis", "change"),
    [
        ("k", {"phi": 0.0}),
        ("k", {"phi": -2 * np.pi}),
        ("k", {"phi": np.nan}),
        ("pi", {"phi": np.nan}),
        ("k", {"theta": np.radians(129)}),
        ("k", {"theta": np.radians(30.5)}),
    ],
)
def test_between_devices_what_remains_decides(hypothesis: str, change: dict):
    """The same decisions, of the same random numbers, as far behind all of them."""
    ours = decide(suspects(2_000, pdg_id=321, **change))
    behind = decide(suspects(2_000, pdg_id=321, theta=np.radians(149)))
    inside = decide(suspects(2_000, pdg_id=321))
    for point in ("loose", "standard", "tight"):
        name = f"{hypothesis}_{point}"
        assert (ours[name] == behind[name]).all()
        assert (ours[name] != inside[name]).any()


@pytest.mark.parametrize(
    ("hypothesis", "pt", "code"), [("k", 0.27, 321), ("e", 0.28, 11), ("mu", 0.6, 13)]
)
def test_track_must_reach_the_device(hypothesis: str, pt: float, code: int):
    """At the same momentum, so that no bin of momentum can make the difference."""
    p, n = pt + 0.05, 20_000
    below, above = (
        decide(suspects(n, pdg_id=code, p=p, theta=np.arcsin(pt * factor / p)))
        for factor in (0.999, 1.001)
    )
    name = f"{hypothesis}_standard"
    assert below[name].mean() != pytest.approx(above[name].mean(), abs=0.005)


def test_first_region_that_has_a_track_decides():
    everybody, nobody = ({species: [rate] for species in SPECIES} for rate in (1.0, 0.0))
    stiff, soft = suspects(100), suspects(100, p=0.2)
    for first, second in ((everybody, nobody), (nobody, everybody)):
        identification = identification_of(
            {**first, "pt_min_gev": 1.0}, {**second, "theta_deg": [[80, 100]]}, nobody
        )
        rng = np.random.default_rng(10)
        assert (identify(stiff, identification, rng) == first["mu"]).all()
        assert (identify(soft, identification, rng) == second["mu"]).all()


def test_first_bin_goes_on_below_and_the_last_above():
    asked = suspects(1_000, pdg_id=321)
    for p, same in ((0.0, 0.1), (4.1, 1e3)):
        ours, theirs = (decide(replace(asked, p=np.full(1_000, x))) for x in (p, same))
        assert all((ours[name] == theirs[name]).all() for name in ours)


def test_nothing_is_decided_without_a_momentum():
    for p in (np.nan, np.inf):
        assert not any(passed.any() for passed in decide(suspects(1_000, p=p)).values())


def test_whatever_else_is_charged_counts_as_a_proton():
    protons = decide(suspects(1_000, pdg_id=2212))
    for code in (-2212, 3112, 3222, -3312, -3334, 1000010020):
        others = decide(suspects(1_000, pdg_id=code))
        assert all((protons[name] == others[name]).all() for name in protons)


@pytest.mark.parametrize("code", [11, 13, 211, 321])
def test_antiparticles_are_particles(code: int):
    ours, theirs = decide(suspects(1_000, pdg_id=code)), decide(suspects(1_000, pdg_id=-code))
    assert all((ours[name] == theirs[name]).all() for name in ours)


# ---- how decisions hang together -----------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), card=st.sampled_from(sorted(CARDS)))
def test_tight_implies_loose(seed: int, card: str):
    passed = decide(anybody(500, np.random.default_rng(seed)), CARDS[card], seed)
    for species in SPECIES:
        assert (passed[f"{species}_tight"] <= passed[f"{species}_standard"]).all()
        assert (passed[f"{species}_standard"] <= passed[f"{species}_loose"]).all()


@pytest.mark.parametrize("card", CARDS)
def test_no_track_is_a_tight_kaon_and_a_tight_pion(card: str):
    passed = decide(anybody(200_000, np.random.default_rng(4)), CARDS[card])
    for point in ("standard", "tight"):
        assert passed[f"k_{point}"].any()
        assert not (passed[f"k_{point}"] & passed[f"pi_{point}"]).any()


@pytest.mark.parametrize("code", [211, 321])
def test_cut_at_one_half_leaves_no_third_choice(code: int):
    """Belle II, standard: of pions and kaons, what is no kaon is a pion."""
    passed = decide(
        replace(anybody(100_000, np.random.default_rng(5)), pdg_id=np.full(100_000, code))
    )
    assert (passed["k_standard"] != passed["pi_standard"]).all()


def test_other_hypotheses_are_independent():
    passed = decide(suspects(200_000, pdg_id=321))
    for one, other in (("k_loose", "p_loose"), ("mu_loose", "k_loose"), ("e_loose", "mu_loose")):
        both = (passed[one] & passed[other]).sum()
        expected = passed[one].mean() * passed[other].mean()
        assert stats.binomtest(both, 200_000, expected).pvalue > P_VALUE


# ---- decays in flight ----------------------------------------------------------------------------


@pytest.mark.parametrize("species", ["pi", "k"])
@pytest.mark.parametrize(
    ("p", "region", "i_bin"),
    [
        (0.15, "before_klm", 0),
        (0.65, "klm_barrel", 0),
        (1.2, "klm_barrel", 3),
        (3, "klm_barrel", 5),
    ],
)
@pytest.mark.parametrize("chance", spanned([0.003, 0.03, 0.3, 0.9], [0.03, 0.9]))
def test_decays_are_part_of_the_published_rate(
    species: str, p: float, region: str, i_bin: int, chance: float
):
    """With decays drawn by their chance the average is the rate f; who became a muon has a muon's.

    Unless that alone would exceed its largest share of the published rate, s f < d e.
    """
    share = CARDS["belle2"].decays.largest_share
    n = 100_000
    became = np.random.default_rng(6).random(n) < chance
    asked = suspects(n, pdg_id=CODES[species], p=p, muon_chance=chance, became_muon=became)
    passed = decide(asked)
    efficiencies = published("mu", region, "mu", i_bin)
    for name, f in published("mu", region, species, i_bin).items():
        by_decay = min(efficiencies[name], share * f / chance)
        by_decay = max(by_decay, (f - (1 - chance)) / chance)
        assert_rate(passed[name], f)
        assert_rate(passed[name][became], by_decay)
        assert_rate(passed[name][~became], max(0.0, f - chance * by_decay) / (1 - chance))


RATE = st.floats(0, 1) | st.floats(0, 0.01) | st.floats(0.99, 1)


@settings(deadline=None, max_examples=150)
@given(
    muon=RATE,
    pion=RATE,
    chance=st.floats(1e-6, 1) | st.just(1.0),
    largest_share=st.floats(0, 1) | st.just(1.0),
)
def test_decays_keep_nesting_and_the_average(
    muon: float, pion: float, chance: float, largest_share: float
):
    """For any rates, also where pions pass more often than muons, and any working point.

    A generator that deals the same even numbers to both kinds shows their rates to 1/n.
    """

    class Even:
        def random(self, shape: tuple[int, int]) -> np.ndarray:
            return np.broadcast_to(np.tile((np.arange(n) + 0.5) / n, 2), shape)

    n, shifts = 1_000, np.linspace(4, -4, 17)
    region = {species: [0.1] for species in SPECIES} | {"mu": [muon], "pi": [pion]}
    identification = identification_of(region, shifts=shifts, largest_share=largest_share)
    became = np.repeat([True, False], n)
    asked = suspects(2 * n, pdg_id=211, muon_chance=chance, became_muon=became)
    passed = identify(asked, identification, Even())[:, len(shifts) : 2 * len(shifts)]
    assert (passed[:, 1:] <= passed[:, :-1]).all()
    by_decay, otherwise = passed[:n].mean(axis=0), passed[n:].mean(axis=0)
    expected = stats.norm.cdf(stats.norm.ppf(pion) + shifts)
    average = chance * by_decay + (1 - chance) * otherwise
    assert average == pytest.approx(expected, abs=1.01 / n)


def test_decays_change_only_who_is_a_muon():
    asked = suspects(5_000, pdg_id=321, p=0.8)
    decaying = replace(asked, muon_chance=np.full(5_000, 0.3), became_muon=np.arange(5_000) < 1_500)
    before, after = decide(asked), decide(decaying)
    differing = {name for name in before if (before[name] != after[name]).any()}
    assert differing == {"mu_loose", "mu_standard", "mu_tight"}


# ---- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("card", CARDS)
def test_empty(card: str):
    passed = identify(suspects(0), CARDS[card], np.random.default_rng(7))
    assert passed.shape == (0, 15)


def test_same_seed_same_bytes():
    asked = anybody(1_000, np.random.default_rng(8))
    first, again, other = (
        identify(asked, CARDS["belle2"], np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_arithmetic_is_sound():
    with np.errstate(all="raise", under="ignore"):
        decide(anybody(10_000, np.random.default_rng(9)))
