"""Parameters outside their physics: refused in one line that says what is allowed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from darkbelle.errors import ConfigError, KinematicsError
from darkbelle.gen.processes import GeneratorCuts, find_process, process_names
from darkbelle.geometry import Collider

Parameters = dict[str, Any]

HIGGS: Parameters = {"m_ap": 1.0, "m_hp": 0.5}
IDM: Parameters = {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5}
LEAST: dict[str, Parameters] = {
    "mumu-zprime": {"mass": 1.0},
    "mumu-scalar": {"mass": 1.0},
    "mumu-alp": {"mass": 1.0},
    "tautau-scalar": {"mass": 0.1},
    "dark-higgsstrahlung": HIGGS,
    "inelastic-dark-matter": IDM,
    "gamma-alp": {"mass": 1.0},
    "gamma-darkphoton": {"mass": 1.0},
    "b-to-k-alp": {"mass": 1.0},
    "b-to-k-scalar": {"mass": 1.0},
    "decay-chain": {"chain": {"parent": "D*+", "decays": {"D*+": "D0 pi+"}}},
    "tau-to-l-alpha": {"mass": 1.0},
    "tau-to-pi-hnl": {"mass": 1.0},
}
STANDARD_MODEL = ("mumu", "tautau", "mumu-gamma", "gammagamma", "ee-mumu", "bhabha")
LEAST |= {name: {} for name in STANDARD_MODEL}


def refusal(name: str, parameters: Parameters) -> str:
    """What is said of the parameters, after the name of the process."""
    with pytest.raises(ConfigError) as caught:
        find_process(name)(**parameters)
    return one_line(name, caught.value)


def one_line(name: str, error: Exception) -> str:
    text = str(error)
    assert text.startswith(f"{name}: ")
    assert "\n" not in text
    assert "Value error" not in text
    return text.removeprefix(f"{name}: ")


def test_every_process_is_here():
    assert {*LEAST, "particle-gun", "pythia"} == set(process_names())


FROM_B = ("b-to-k-alp", "b-to-k-scalar")
FROM_TAU = ("tau-to-l-alpha", "tau-to-pi-hnl")
ONE_MASS = [
    name for name, parameters in LEAST.items() if "mass" in parameters and name not in FROM_TAU
]
DARK_HIGGS = ("dark-higgsstrahlung", "inelastic-dark-matter")

# ---- numbers out of their bounds -----------------------------------------------------------------

# Process, parameter, values beyond its bounds, the bound as the message says it.
BOUNDS = [
    *((name, "mass", (-1.0, 0.0, 9e-5), "greater than or equal to 0.0001")
      for name in ("mumu-zprime", "mumu-scalar", "mumu-alp", "tautau-scalar")),
    *((name, "coupling", (0.0, -1e-3), "greater than 0") for name in ONE_MASS),
    *((name, "ctau", (-1e-9, -1.0), "greater than or equal to 0")
      for name in LEAST if name not in (*STANDARD_MODEL, "tau-to-l-alpha", "decay-chain")),
    *((name, "reach", (0.0, -1.0), "greater than 0") for name in LEAST),
    ("mumu-zprime", "coupling", (3.6,), "less than or equal to 3.54"),
    ("mumu-zprime", "g_chi", (0.0, 3.6), "Input should be"),
    ("mumu-zprime", "m_chi", (0.0, -0.1), "greater than 0"),
    ("mumu-alp", "coupling", (10.1,), "less than or equal to 10"),
    ("tautau-scalar", "coupling", (500.0,), "less than or equal to 492.3"),
    ("gamma-alp", "mass", (0.0, 1e-4), "greater than or equal to 0.001"),
    ("gamma-alp", "coupling", (1.1,), "less than or equal to 1"),
    ("gamma-darkphoton", "mass", (-1.0, 0.0, 1e-3), "greater than 0.00102"),
    ("gamma-darkphoton", "coupling", (1.1,), "less than or equal to 1"),
    ("gamma-darkphoton", "theta_min", (-0.1,), "greater than or equal to 0"),
    ("gamma-darkphoton", "theta_min", (1.6,), "less than 1.57"),
    ("gamma-darkphoton", "energy_min", (-0.1, 0.0), "greater than or equal to 0.001"),
    *((name, key, (0.0, -1.0), "greater than 0") for name in DARK_HIGGS
      for key in ("m_ap", "m_hp", "epsilon", "alpha_d")),
    *((name, key, (1.1,), "less than or equal to 1") for name in DARK_HIGGS
      for key in ("epsilon", "alpha_d")),
    ("inelastic-dark-matter", "m_chi1", (0.0, -1.0), "greater than 0"),
    ("inelastic-dark-matter", "delta", (0.0, -0.1), "greater than 0"),
    ("inelastic-dark-matter", "sin_theta", (0.0, -0.1), "greater than 0"),
    ("inelastic-dark-matter", "sin_theta", (1.0,), "less than 1"),
    ("inelastic-dark-matter", "q_phi", (0.0, -2.0), "greater than 0"),
    ("inelastic-dark-matter", "ctau_hp", (-1.0,), "greater than or equal to 0"),
    *((name, "mass", (-1.0, 0.0, 9e-4), "greater than or equal to 0.001") for name in FROM_B),
    *((name, "coupling", (1.1,), "less than or equal to 1") for name in FROM_B),
    ("b-to-k-scalar", "branching_fraction", (0.0, -0.1), "greater than 0"),
    ("b-to-k-scalar", "branching_fraction", (1.1,), "less than or equal to 1"),
    ("tau-to-l-alpha", "mass", (-1e-9, -1.0), "greater than or equal to 0"),
    ("tau-to-l-alpha", "branching_fraction", (0.0, -0.1), "greater than 0"),
    ("tau-to-l-alpha", "branching_fraction", (1.1,), "less than or equal to 1"),
    ("tau-to-pi-hnl", "mass", (0.0, -1.0), "greater than 0"),
    ("tau-to-pi-hnl", "u2_tau", (0.0, -0.1), "greater than 0"),
    ("tau-to-pi-hnl", "u2_tau", (1.1,), "less than or equal to 1"),
    *((name, "theta_min", (0.0, 0.01), "greater than 0.01")
      for name in ("gammagamma", "bhabha", "mumu-gamma")),
    *((name, "theta_min", (math.pi / 2,), "less than 1.57")
      for name in ("gammagamma", "bhabha", "mumu-gamma")),
    *((name, "mass_min", (0.9,), "greater than or equal to 1")
      for name in ("gammagamma", "bhabha")),
    ("mumu-gamma", "energy_min", (0.0, 0.009), "greater than or equal to 0.01"),
    ("ee-mumu", "w_min", (-0.1,), "greater than or equal to 0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "key", "values", "bound"), BOUNDS)
def test_out_of_bounds(name: str, key: str, values: tuple[float, ...], bound: str):
    for value in values:
        said = refusal(name, LEAST[name] | {key: value})
        assert said.startswith(f"{key}: Input should be ")
        assert bound in said
        assert said.endswith(f"(got {value})")


CHOICES = [
    *((name, "kaon") for name in FROM_B),
    *((name, "form_factors") for name in FROM_B),
    *((name, "rest_of_event") for name in (*FROM_B, "decay-chain")),
    ("b-to-k-scalar", "couples_like"),
    ("tautau", "minus"),
    ("tautau", "plus"),
    *((name, "tag") for name in FROM_TAU),
    ("tau-to-l-alpha", "lepton"),
    ("tau-to-l-alpha", "chirality"),
    ("tau-to-pi-hnl", "nature"),
    *((name, "decay") for name in (*FROM_B, "tau-to-pi-hnl")),
]


@pytest.mark.parametrize(("name", "key"), CHOICES)
def test_choices_that_are_none(name: str, key: str):
    """All that there are stand in the message, the default among them."""
    process = find_process(name)(**LEAST[name])
    said = refusal(name, LEAST[name] | {key: "both"})
    assert said.startswith(f"{key}: Input should be ")
    assert f"'{getattr(process, key)}'" in said
    assert said.endswith("(got 'both')")


@pytest.mark.parametrize("name", LEAST)
def test_words_and_truth_are_no_numbers(name: str):
    for key, value in (("reach", "far"), ("reach", True), ("isr", "maybe"), ("weighted", 7)):
        assert refusal(name, LEAST[name] | {key: value}).startswith(f"{key}: ")


# ---- parameters that do not go together ----------------------------------------------------------

TOGETHER: list[tuple[str, Parameters, str]] = [
    ("mumu-zprime", {"mass": 1.0, "m_chi": 0.5}, "m_chi = 0.5 GeV exceeds half of mass = 1.0 GeV"),
    ("mumu-scalar", {"mass": 1.0, "coupling": 4.0}, "makes g = 4 of the leptons, above sqrt(4 pi)"),
    (
        "mumu-scalar",
        {"mass": 1.0, "coupling": 9000.0, "couples_to": "leptons"},
        "makes g = 3.862 of the leptons, above sqrt(4 pi)",
    ),
    ("ee-mumu", {"isr": True}, "isr must be off: the radiator is that of annihilation"),
    *(
        (
            "dark-higgsstrahlung",
            {"m_ap": 1.0, "m_hp": m_hp},
            f"m_hp = {m_hp} GeV must lie below m_ap = 1.0 GeV or above twice that",
        )
        for m_hp in (1.0, 1.5, 2.0)
    ),
    *(
        (
            "inelastic-dark-matter",
            IDM | {"m_ap": m_ap},
            f"m_ap = {m_ap} GeV must exceed m_chi1 + m_chi2 = 2.4 GeV",
        )
        for m_ap in (0.3, 2.4)
    ),
    (
        "inelastic-dark-matter",
        IDM | {"m_hp": 2.0},
        "m_hp = 2.0 GeV must lie below 2 m_chi1 = 2 GeV",
    ),
    (
        "inelastic-dark-matter",
        IDM | {"q_phi": 100.0},
        "q_phi = 100.0 makes q_phi^2 alpha_d = 1000 of the h', above 4 pi: choose q_phi < 11.21",
    ),
]

TOGETHER += [
    (name, LEAST[name] | {"decay": "invisible", key: 5.0}, f"{key}: nothing here has a lifetime")
    for name in ("mumu-scalar", "mumu-alp", "gamma-alp", "gamma-darkphoton")
    for key in ("ctau", "reach")
]
TOGETHER += [
    (name, {"reach": 5.0}, "reach: nothing here has a lifetime")
    for name in STANDARD_MODEL
    if name != "tautau"
]
TOGETHER += [
    (name, LEAST[name] | {"decay": "invisible", "ctau": 5.0}, "ctau: nothing here has a lifetime")
    for name in FROM_B
]
TOGETHER += [
    (
        name,
        {"kaon": kaon, "mass": limit + 1e-4},
        f"mass must lie below {limit:g} GeV, for B -> {kaon} X ",
    )
    for name in FROM_B
    for kaon, limit in (("K+", 4.78573), ("K_S", 4.78211), ("K*0", 4.38416), ("K*+", 4.38753))
]
TOGETHER += [
    ("tau-to-l-alpha", {"mass": 1.8}, "mass must lie below 1.77642 GeV, for the tau to decay"),
    (
        "tau-to-l-alpha",
        {"mass": 1.7, "lepton": "mu"},
        "mass must lie below 1.67127 GeV, for the tau to decay (got 1.7)",
    ),
    ("tau-to-pi-hnl", {"mass": 1.64}, "mass must lie below 1.63736 GeV, for the tau to decay"),
]
TOGETHER += [
    ("b-to-k-scalar", LEAST["b-to-k-scalar"] | {"ctau": ctau}, f"ctau{message} (got ")
    for ctau, message in (
        ("3,1", ": a range needs 0 < low < high"),
        ([1.0, 1.0], ": a range needs 0 < low < high"),
        ("0,1", ": a range needs 0 < low < high"),
        ("1,inf", ".1: Input should be a finite number"),
        ("1,2,3", ": Tuple should have at most 2 items after validation, not 3"),
        ("short,long", ".0: Input should be a valid number, unable to parse string as a number"),
        ("long", ": Input should be a valid number, unable to parse string as a number"),
    )
]
TOGETHER += [
    (
        "inelastic-dark-matter",
        IDM | {"ctau_hp": (1.0, 2.0), "reach": 5.0},
        "reach: does not go with a range of ctau_hp, leave one of them out",
    ),
    (
        "gamma-alp",
        LEAST["gamma-alp"] | {"decay": "invisible", "ctau": (1.0, 2.0)},
        "ctau: nothing here has a lifetime",
    ),
]
TOGETHER.append(
    (
        "mumu-zprime",
        {"mass": 1.0, "g_chi": 0.1},
        "g_chi: there is no chi without m_chi, give it too",
    )
)


@pytest.mark.parametrize(("name", "parameters", "message"), TOGETHER)
def test_parameters_that_do_not_go_together(name: str, parameters: Parameters, message: str):
    assert message in refusal(name, parameters)


def test_what_the_messages_allow_is_allowed():
    find_process("inelastic-dark-matter")(**IDM | {"q_phi": 11.2})
    find_process("dark-higgsstrahlung")(m_ap=1.0, m_hp=0.999)
    find_process("dark-higgsstrahlung")(m_ap=1.0, m_hp=2.001)
    find_process("inelastic-dark-matter")(**IDM | {"m_ap": 2.401})
    find_process("mumu-zprime")(mass=1.0, m_chi=0.1, g_chi=0.1)
    find_process("mumu-zprime")(mass=1.0, ctau=5.0, reach=5.0)
    find_process("tautau")(reach=5.0)  # taus fly, if not far
    find_process("b-to-k-alp")(mass=4.785)
    find_process("b-to-k-scalar")(mass=4.384, kaon="K*0", decay="KK", branching_fraction=1e-7)
    find_process("tau-to-l-alpha")(mass=1.671, lepton="mu")
    find_process("tau-to-pi-hnl")(mass=1.637)


def test_defaults_written_out_are_no_contradiction():
    """As they stand in a sample."""
    for name, parameters in LEAST.items():
        process = find_process(name)(**parameters)
        assert find_process(name)(**process.model_dump(mode="json")) == process


# ---- closed decays -------------------------------------------------------------------------------

CLOSED: list[tuple[str, Parameters, str]] = [
    *(
        (name, {"mass": 0.2, "decay": "mumu"}, "decay to mumu needs mass > 0.211317 GeV (got 0.2)")
        for name in (
            "mumu-zprime", "mumu-scalar", "mumu-alp", "tautau-scalar", "gamma-darkphoton",
            "b-to-k-scalar", "tau-to-pi-hnl",
        )
    ),
    *(
        (name, {"mass": 3.0, "decay": "tautau"}, "decay to tautau needs mass > 3.55386 GeV (got 3)")
        for name in (
            "mumu-zprime", "mumu-alp", "tautau-scalar", "gamma-darkphoton", "b-to-k-scalar",
        )
    ),
    (
        "b-to-k-scalar",
        {"mass": 0.2, "decay": "pipi", "branching_fraction": 1e-7},
        "decay to pipi needs mass > 0.279141 GeV (got 0.2)",
    ),
    (
        "b-to-k-scalar",
        {"mass": 3.0, "decay": "pipi"},
        "no decay to pipi at mass = 3 GeV, open: ee, mumu",
    ),
    (
        "b-to-k-scalar",
        {"mass": 1.2, "decay": "KK", "couples_like": "alp"},
        "no decay to KK at mass = 1.2 GeV, open: ee, mumu",
    ),
    (
        "tau-to-pi-hnl",
        {"mass": 0.001, "decay": "ee"},
        "decay to ee needs mass > 0.001022 GeV (got 0.001)",
    ),
    ("mumu-scalar", {"mass": 5e-4, "decay": "ee"}, "decay to ee needs mass > 0.001022 GeV"),
    (
        "mumu-scalar",
        {"mass": 1.0, "decay": "ee"},
        "no decay to ee at mass = 1 GeV, open: mumu, gammagamma",
    ),
    ("gamma-darkphoton", {"mass": 0.9, "decay": "KK"}, "decay to KK needs mass > 0.987354 GeV"),
    (
        "gamma-darkphoton",
        {"mass": 3.0, "decay": "pipi"},
        "no decay to pipi at mass = 3 GeV, open: ee, mumu",
    ),
    ("dark-higgsstrahlung", {"m_ap": 0.2, "m_hp": 0.1}, "decay to mumu needs m_ap > 0.211317 GeV"),
    (
        "dark-higgsstrahlung",
        {"m_ap": 0.3, "m_hp": 1.0, "decay": "pipipi0"},
        "decay to pipipi0 needs m_ap > 0.414118 GeV (got 0.3)",
    ),
    (
        "inelastic-dark-matter",
        IDM | {"delta": 5e-4},
        "decay to ee needs delta > 0.001022 GeV (got 0.0005)",
    ),
    *(
        ("inelastic-dark-matter", IDM | {"decay": decay, "delta": 0.2},
         f"decay to {decay} needs delta > ")
        for decay in ("mumu", "tautau", "pipi")
    ),
    ("inelastic-dark-matter", IDM | {"m_hp": 0.2}, "decay to mumu needs m_hp > 0.211317 GeV"),
    *(
        ("inelastic-dark-matter", IDM | {"m_hp": 0.25, "decay_hp": decay},
         f"decay to {decay} needs m_hp > ")
        for decay in ("tautau", "pipi", "pi0pi0", "KK", "K0K0")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "message"), CLOSED)
def test_closed_decays(name: str, parameters: Parameters, message: str):
    assert message in refusal(name, parameters)


# ---- too heavy for the collider ------------------------------------------------------------------

NARROW: Parameters = {"m_chi1": 1.0, "delta": 0.4, "alpha_d": 1e-4}
# Process, parameters, which of them to lower, the threshold.
HEAVY: list[tuple[str, Parameters, str | None, float]] = [
    *((name, {"mass": 10.5}, "mass", 10.7113) for name in ("mumu-zprime", "mumu-scalar")),
    ("mumu-zprime", {"mass": 20.0, "m_chi": 6.0}, None, 20.2113),  # a lighter Z' closes chi chi
    ("mumu-alp", {"mass": 300.0}, "mass", 300.211),
    ("tautau-scalar", {"mass": 8.0}, "mass", 11.5539),
    ("dark-higgsstrahlung", {"m_ap": 8.0, "m_hp": 3.0}, "m_hp", 11.0),
    ("dark-higgsstrahlung", {"m_ap": 1.0, "m_hp": 10.0}, "m_hp", 11.0),
    ("dark-higgsstrahlung", {"m_ap": 4.0, "m_hp": 9.0}, None, 13.0),  # 6.58 is below 2 m_ap
    ("dark-higgsstrahlung", {"m_ap": 12.0, "m_hp": 1.0, "decay": "ee"}, None, 13.0),
    (
        "inelastic-dark-matter",
        {"m_ap": 12.0, "m_chi1": 4.0, "delta": 0.5, "m_hp": 3.0},
        "m_hp",
        11.5,
    ),
    (
        "inelastic-dark-matter",
        {"m_ap": 13.0, "m_chi1": 5.0, "delta": 0.5, "m_hp": 0.3},
        None,  # 0.079 is too light for two muons
        10.8,
    ),
    ("inelastic-dark-matter", {"m_ap": 13.0, "m_chi1": 5.0, "delta": 2.0, "m_hp": 0.5}, None, 12.5),
    ("inelastic-dark-matter", NARROW | {"m_ap": 10.3, "m_hp": 0.5}, "m_hp", 10.7966),
    ("inelastic-dark-matter", NARROW | {"m_ap": 12.0, "m_hp": 0.5}, None, 12.496),
    ("gamma-alp", {"mass": 11.0}, "mass", 11.0),
    ("gamma-darkphoton", {"mass": 10.58}, None, 10.59),
    ("gamma-darkphoton", {"mass": 1.0, "energy_min": 6.0}, None, 12.0828),
    ("mumu-gamma", {"energy_min": 6.0}, None, 12.0037),
    ("ee-mumu", {"w_min": 11.0}, "w_min", 11.001),
    ("gammagamma", {"mass_min": 11.0}, "mass_min", 11.0),
    ("bhabha", {"mass_min": 11.0}, "mass_min", 11.0),
]


@pytest.mark.parametrize(("name", "parameters", "key", "threshold"), HEAVY)
def test_too_heavy_for_the_collider(
    name: str, parameters: Parameters, key: str | None, threshold: float, collider: Collider
):
    """A limit, where the message names one, is one: a process just below it is made and opens."""
    with pytest.raises(KinematicsError) as caught:
        find_process(name)(**parameters).prepare(collider, np.random.default_rng(1))
    said = one_line(name, caught.value)
    needs, _, has = said.partition(", SuperKEKB has 10.5796 GeV")
    needed = float(needs.removeprefix("needs sqrt_s > ").removesuffix(" GeV"))
    assert needed == pytest.approx(threshold, abs=6e-4)
    assert (key is None) == (has == "")
    if key is not None:
        limit = float(has.removeprefix(f": choose {key} < ").removesuffix(" GeV"))
        for value, opens in ((limit - 1e-6, True), (limit + 1.1e-3, False)):
            process = find_process(name)(**parameters | {key: value})
            assert (process.hard_process().threshold < collider.sqrt_s) == opens


@pytest.mark.parametrize(
    ("name", "threshold"),
    [("tautau", 3.55386), ("tau-to-l-alpha", 3.55386), ("b-to-k-alp", 10.5588)],
)
def test_nothing_to_lower(name: str, threshold: float, collider: Collider):
    """A collider of too little energy for two taus or B mesons."""
    slow = {"slow": collider.presets[collider.preset].model_copy(
        update={"e_her_gev": 1.0, "e_ler_gev": 1.0}
    )}  # fmt: skip
    weak = collider.model_copy(update={"presets": slow, "preset": "slow"})
    with pytest.raises(KinematicsError) as caught:
        find_process(name)(**LEAST[name]).prepare(weak, np.random.default_rng(1))
    said = one_line(name, caught.value)
    assert said == f"needs sqrt_s > {threshold:g} GeV, SuperKEKB has 1.99828 GeV"


# ---- cuts ----------------------------------------------------------------------------------------

CUTS: list[tuple[Any, str]] = [
    ({"theta": (2.0, 1.0)}, "cuts: theta: needs 0 <= low <= high <= pi (got 2.0, 1.0)"),
    ({"theta": (-0.1, 1.0)}, "cuts: theta: needs 0 <= low <= high <= pi (got -0.1, 1.0)"),
    ({"theta": (0.0, 3.2)}, "cuts: theta: needs 0 <= low <= high <= pi (got 0.0, 3.2)"),
    ({"theta": (math.nan, 3.0)}, "cuts.theta.0: Input should be a finite number (got nan)"),
    ({"n_charged": -1}, "cuts.n_charged: Input should be greater than or equal to 0 (got -1)"),
    ({"n_photons": 1.5}, "cuts.n_photons: Input should be a valid integer"),
    ({"energy": -1.0}, "cuts.energy: Input should be greater than or equal to 0 (got -1.0)"),
    ({"energy": math.nan}, "cuts.energy: Input should be a finite number (got nan)"),
    ({"frame": "cm"}, "cuts.frame: Input should be 'lab' or 'cms' (got 'cm')"),
    ({"n_muons": 2}, "cuts: unknown key 'n_muons', did you mean 'n_photons'?"),
    ({"n_charged": True}, "cuts: n_charged: must not be true"),
    ({"theta": (0.3, 2.6)}, "cuts: theta: nothing to count, give n_charged or n_photons"),
    ({"energy": 0.1}, "cuts: energy: nothing to count, give n_charged or n_photons"),
    ({"frame": "cms"}, "cuts: frame: nothing to count, give n_charged or n_photons"),
    (3, "cuts: Input should be a table (got 3)"),
]


@pytest.mark.parametrize("name", ["mumu", "inelastic-dark-matter"])
@pytest.mark.parametrize(("cuts", "message"), CUTS)
def test_cuts_that_are_none(name: str, cuts: Any, message: str):
    assert message in refusal(name, LEAST[name] | {"cuts": cuts})


@pytest.mark.parametrize(("cuts", "message"), CUTS[:-1])
def test_cuts_refuse_alike_without_a_process(cuts: dict[str, Any], message: str):
    with pytest.raises(ConfigError) as caught:
        GeneratorCuts(**cuts)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
