"""Triggers in cards: lines of a user's own, and one clear sentence for each mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from darkbelle.errors import ConfigError, GeometryError
from darkbelle.geometry import Experiment, load, names

MINE = '[trigger.l1.lines]\nmine = {{ {}, source = "own", trust = "default" }}\n'
NO_BOUNDS = "must be the least number, from 1 up, or the least and the most, as in [1, 2]"
NO_CONDITION = "a line needs a condition: needs, any_of"
NO_COUNT = "a condition of any_of or veto needs a count"
NO_NAME = "a name is made of small letters, digits and _, a letter first"


def card(folder: Path, changes: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(f'extends = "belle2"\n{changes}', encoding="utf-8")
    return path


def complaint(folder: Path, changes: str) -> str:
    """What is said about a card that changes belle2, without the name of the file."""
    path = card(folder, changes)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value).removeprefix(f"card '{path}'").removeprefix(": ")


# ---- lines of a user's own -----------------------------------------------------------------------


def test_a_card_adds_a_line(tmp_path: Path):
    """It stands behind those of the parent, and is off until it has a prescale."""
    line = MINE.format("needs = { full = [1, 2], open90 = 1 }, veto = [{ bhabha = 1 }]")
    parent = load("belle2").trigger.l1
    menu = load(card(tmp_path, line)).trigger.l1
    assert menu.line_names == (*parent.line_names, "mine")
    assert menu.ratios == (*parent.ratios, 0)
    assert menu.lines["mine"].needs == {"full": (1, 2), "open90": 1}
    assert menu.lines["mine"].veto == ({"bhabha": 1},)

    menu = load(card(tmp_path, f"{line}[trigger.l1.prescales.ratios]\nmine = 20")).trigger.l1
    assert menu.ratios == (*parent.ratios, 20)


def test_a_line_is_changed_removed_and_prescaled(tmp_path: Path):
    changes = (
        'remove = ["trigger.l1.lines.fff", "trigger.l1.prescales.ratios.fff"]\n'
        "[trigger.l1.lines]\nhie.efficiency = 0.5\n[trigger.l1.prescales.ratios]\nffo = 3\n"
    )
    menu = load(card(tmp_path, changes)).trigger.l1
    parent = load("belle2").trigger.l1
    assert "fff" not in menu.lines
    assert menu.lines["hie"].needs == parent.lines["hie"].needs
    assert menu.lines["hie"].efficiency == 0.5
    ratios = dict(zip(menu.line_names, menu.ratios, strict=True))
    before = dict(zip(parent.line_names, parent.ratios, strict=True))
    assert ratios == {name: ratio for name, ratio in before.items() if name != "fff"} | {"ffo": 3}


@pytest.mark.parametrize(("bounds", "read"), [("3", 3), ("[0, 0]", (0, 0)), ("[0, 2]", (0, 2))])
def test_bounds_of_a_count(tmp_path: Path, bounds: str, read: int | tuple[int, int]):
    """From the card, and again from the file of a sample, where they are JSON."""
    line = MINE.format(f"needs = {{ full = {bounds} }}")
    experiment = load(card(tmp_path, line))
    again = Experiment.model_validate_json(experiment.model_dump_json())
    assert experiment.trigger.l1.lines["mine"].needs == {"full": read}
    assert again.trigger.l1.lines["mine"].needs == {"full": read}


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("need = { full = 2 }", "trigger.l1.lines.mine: unknown key 'need', did you mean 'needs'?"),
        (
            "needs = { full = 2 }, prescale = 2",
            "trigger.l1.lines.mine: unknown key 'prescale', "
            "known: any_of, efficiency, needs, source, trust, variation, veto",
        ),
        (
            "needs = { fulll = 2 }",
            "trigger.l1.lines.mine: unknown count 'fulll', did you mean 'full'?",
        ),
        (
            "needs = { full = 2 }, any_of = [{ shrt = 1 }]",
            "trigger.l1.lines.mine: unknown count 'shrt', did you mean 'short'?",
        ),
        (
            "needs = { full = 2 }, veto = [{ bhaba = 1 }]",
            "trigger.l1.lines.mine: unknown count 'bhaba', did you mean 'bhabha'?",
        ),
        ("needs = {}", f"trigger.l1.lines.mine: {NO_CONDITION}"),
        ("needs = {}, veto = [{ bhabha = 1 }]", f"trigger.l1.lines.mine: {NO_CONDITION}"),
        ("any_of = []", f"trigger.l1.lines.mine: {NO_CONDITION}"),
        ("any_of = [{}]", f"trigger.l1.lines.mine.any_of.0: {NO_COUNT}"),
        ("any_of = [{ full = 2 }, {}]", f"trigger.l1.lines.mine.any_of.1: {NO_COUNT}"),
        ("needs = { full = 2 }, veto = [{}]", f"trigger.l1.lines.mine.veto.0: {NO_COUNT}"),
        ("needs = 2", "trigger.l1.lines.mine.needs: Input should be a table (got 2)"),
        (
            "needs = { full = 2 }, any_of = { short = 1 }",
            "trigger.l1.lines.mine.any_of: Input should be a list",
        ),
        (
            "needs = { full = 2 }, efficiency = 97",
            "trigger.l1.lines.mine.efficiency: Input should be less than or equal to 1 (got 97)",
        ),
        ("needs = { Full = 2 }", f"trigger.l1.lines.mine.needs.Full: {NO_NAME} (got 'Full')"),
    ],
)
def test_mistakes_in_a_line(tmp_path: Path, line: str, expected: str):
    assert complaint(tmp_path, MINE.format(line)) == expected


@pytest.mark.parametrize(
    ("bounds", "got"),
    [
        ("-2", "-2"),
        ("2.0", "2.0"),
        ("true", "True"),
        ('"two"', "'two'"),
        ("[2]", "[2]"),
        ("[1, 2, 3]", "[1, 2, 3]"),
        ("[1, -1]", "[1, -1]"),
        ("[]", "[]"),
    ],
)
def test_what_is_no_bound_of_a_count(tmp_path: Path, bounds: str, got: str):
    """One clause, whatever of the two kinds it was meant to be."""
    expected = f"trigger.l1.lines.mine.needs.full: {NO_BOUNDS} (got {got})"
    assert complaint(tmp_path, MINE.format(f"needs = {{ full = {bounds} }}")) == expected


def test_zero_or_more_asks_for_nothing(tmp_path: Path):
    assert complaint(tmp_path, MINE.format("needs = { full = 0 }")) == (
        "trigger.l1.lines.mine.needs.full: every event has 0 or more; none at all is [0, 0] (got 0)"
    )


def test_bounds_in_the_wrong_order(tmp_path: Path):
    assert complaint(tmp_path, MINE.format("needs = { full = [3, 2] }")) == (
        "trigger.l1.lines.mine.needs.full: the least number must not exceed the most (got [3, 2])"
    )


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ("ffo = -1", "trigger.l1.prescales.ratios.ffo: Input should be greater than or equal to 0 "
                     "(got -1)"),
        ("ffo = 2.5", "trigger.l1.prescales.ratios.ffo: Input should be a valid integer (got 2.5)"),
        ("ffoo = 1", "trigger.l1.prescales.ratios: unknown line 'ffoo', did you mean 'ffo'?"),
    ],
)  # fmt: skip
def test_mistakes_in_prescales(tmp_path: Path, ratios: str, expected: str):
    assert complaint(tmp_path, f"[trigger.l1.prescales.ratios]\n{ratios}\n") == expected


def test_a_negative_prescale_by_the_command_line():
    with pytest.raises(GeometryError, match=r"prescales\.ratios\.ffo: Input should be greater"):
        load("belle2", ["trigger.l1.prescales.ratios.ffo=-1"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            "[trigger.l1.lines]\nmine = { needs = {} }\nmine = { needs = { full = 1 } }\n\n[klm]\n",
            r" is no valid TOML: Cannot overwrite a value \(at line 4, column \d+\): "
            "'mine = { needs = { full = 1 } }'",
        ),
        (
            "[trigger.l1.lines.mine]\nneeds = {}\n[trigger.l1.lines.mine]\nneeds = {}\n",
            r" is no valid TOML: Cannot declare \('trigger', 'l1', 'lines', 'mine'\) twice "
            r"\(at line 4, column \d+\): '\[trigger.l1.lines.mine\]'",
        ),
    ],
)
def test_a_line_that_is_defined_twice(tmp_path: Path, changes: str, expected: str):
    """The reader of TOML gives the place, which counts the line that extends; the text is ours."""
    assert re.fullmatch(expected, complaint(tmp_path, changes))


def test_a_line_of_both_levels(tmp_path: Path):
    changes = '[trigger.hlt.lines.ffo]\nneeds = { loose = 2 }\nsource = "own"\ntrust = "default"\n'
    assert complaint(tmp_path, changes) == (
        "trigger: 'ffo' is the name of a line of both levels: names must differ"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ("[trigger.l2]\n", "trigger: unknown key 'l2', known: hlt, l1"),
        ("[trigger.l1.line]\n", "trigger.l1: unknown key 'line', did you mean 'lines'?"),
        (
            "[trigger.l1.prescales]\nffo = 1\n",
            "trigger.l1.prescales: unknown key 'ffo', known: ratios, source, trust, variation",
        ),
        (
            '[trigger.l1.lines."My line"]\nneeds.full = 1\nsource = "own"\ntrust = "default"\n',
            f"trigger.l1.lines.My line: {NO_NAME} (got 'My line')",
        ),
        (
            "[trigger.l1.lines]\nmine = 2\n",
            "trigger.l1.lines.mine: Input should be a table (got 2)",
        ),
        (
            'remove = ["trigger.l1.lines.ffy"]\n',
            "trigger.l1.prescales.ratios: unknown line 'ffy', did you mean 'ffyo'?",
        ),
        (
            'trigger.l1.tracks.full.superlayers = ["0A", "2A", "4A", "9X"]\n',
            "trigger.l1.tracks.full: unknown superlayer '9X', "
            "known: 0A, 1U, 2A, 3V, 4A, 5U, 6A, 7V, 8A",
        ),
    ],
)
def test_other_mistakes(tmp_path: Path, changes: str, expected: str):
    assert complaint(tmp_path, changes) == expected


# ---- ranges and limits ---------------------------------------------------------------------------

L1, HLT = "trigger.l1", "trigger.hlt"
PAIR = f'[{L1}.ecl.pairs]\nmine = {{{{ one = "clusters", other = "barrel", {{}} }}}}\n'
HARDEST = f'[{HLT}.hardest_pairs]\nmine = {{{{ of = "leg", {{}} }}}}\n'
VERTEX = f"[{HLT}.displaced_vertices.displaced_vertex]\n"
TRACK = f"[{L1}.tracks.full]\n"
UP_TO_180 = "must increase, between 0 and 180"
UP_TO_360 = "must increase, between 0 and 360"
SOME_ANGLES = "must be a range, as in [30, 130], or some, as in [[22, 32], [130, 145]]"
IN_ORDER = "the first must lie below the second"
EMPTY_LIST = "must not be empty (got [])"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            PAIR.format("dphi_deg = [170, 10]"),
            f"{L1}.ecl.pairs.mine.dphi_deg: {UP_TO_180} (got [170, 10])",
        ),
        (
            PAIR.format("dphi_deg = [370, 400]"),
            f"{L1}.ecl.pairs.mine.dphi_deg: {UP_TO_180} (got [370, 400])",
        ),
        (
            PAIR.format("theta_sum_deg = [100, 361]"),
            f"{L1}.ecl.pairs.mine.theta_sum_deg: {UP_TO_360} (got [100, 361])",
        ),
        (
            f"{TRACK}theta_deg = [130, 30]\n",
            f"{L1}.tracks.full.theta_deg: {UP_TO_180} (got [130, 30])",
        ),
        (
            HARDEST.format("dphi_deg = [-10, 10]"),
            f"{HLT}.hardest_pairs.mine.dphi_deg: {UP_TO_180} (got [-10, 10])",
        ),
        (
            HARDEST.format("theta_sum_deg = [190, 170]"),
            f"{HLT}.hardest_pairs.mine.theta_sum_deg: {UP_TO_360} (got [190, 170])",
        ),
        (
            HARDEST.format("missing_theta_deg = [[10, 20], [40, 30]]"),
            f"{HLT}.hardest_pairs.mine.missing_theta_deg.1: {UP_TO_180} (got [40, 30])",
        ),
        (
            f"[{HLT}.clusters.e_200]\ntheta_deg = [130, 30]\n",
            f"{HLT}.clusters.e_200.theta_deg.0: {UP_TO_180} (got [130, 30])",
        ),
        (
            f"[{HLT}.clusters.e_200]\ntheta_deg = [30, 60, 130]\n",
            f"{HLT}.clusters.e_200.theta_deg: {SOME_ANGLES} (got [30, 60, 130])",
        ),
        (
            f"[{HLT}.clusters.e_200]\ntheta_deg = []\n",
            f"{HLT}.clusters.e_200.theta_deg: {SOME_ANGLES} (got [])",
        ),
        (
            f"{VERTEX}radius_cm = [60, 3]\n",
            f"{HLT}.displaced_vertices.displaced_vertex.radius_cm: {IN_ORDER} (got [60, 3])",
        ),
        (
            f"{VERTEX}back_to_back_deg = 500\n",
            f"{HLT}.displaced_vertices.displaced_vertex.back_to_back_deg: "
            "Input should be less than or equal to 180 (got 500)",
        ),
        (
            f"[{L1}.ecl]\nbarrel_rings = [15, 4]\n",
            f"{L1}.ecl.barrel_rings: {IN_ORDER} (got [15, 4])",
        ),
    ],
)
def test_ranges_must_increase(tmp_path: Path, changes: str, expected: str):
    assert complaint(tmp_path, changes) == expected


def test_one_range_of_angles_needs_no_list(tmp_path: Path):
    changes = f"[{HLT}.clusters]\nmine = {{ theta_deg = [30, 130] }}\n"
    assert load(card(tmp_path, changes)).trigger.hlt.clusters["mine"].theta_deg == ((30, 130),)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            f"[{L1}.ecl.clusters]\nmine = {{ rings = [] }}\n",
            f"{L1}.ecl.clusters.mine.rings: {EMPTY_LIST}",
        ),
        (
            f"[{L1}.ecl.sums]\nmine = {{ rings = [3, 4, 3], e_lab_gev = 1.0 }}\n",
            f"{L1}.ecl.sums.mine.rings: 3 stands there twice (got [3, 4, 3])",
        ),
        (
            f"[{L1}.ecl.ring_pairs]\nmine = []\n",
            f"{L1}.ecl.ring_pairs.mine: {EMPTY_LIST}",
        ),
        (
            f"[{L1}.ecl.clusters]\nmine = {{ e_lab_gev = 2.0, e_lab_max_gev = 1.0 }}\n",
            f"{L1}.ecl.clusters.mine: e_lab_gev = 2.0 must lie below e_lab_max_gev = 1.0",
        ),
        (
            f"[{L1}.ecl.clusters]\nmine = {{ e_cms_gev = 2.0, e_cms_max_gev = 2.0 }}\n",
            f"{L1}.ecl.clusters.mine: e_cms_gev = 2.0 must lie below e_cms_max_gev = 2.0",
        ),
        (
            f"[{HLT}.tracks]\nmine = {{ e_lab_gev = 2.0, e_lab_max_gev = 1.0 }}\n",
            f"{HLT}.tracks.mine: e_lab_gev = 2.0 must lie below e_lab_max_gev = 1.0",
        ),
        (
            f"[{HLT}.clusters]\nmine = {{ e_lab_gev = 2.0, e_lab_max_gev = 1.0 }}\n",
            f"{HLT}.clusters.mine: e_lab_gev = 2.0 must lie below e_lab_max_gev = 1.0",
        ),
        (
            f"{TRACK}min_superlayers = 0\n",
            f"{L1}.tracks.full: min_superlayers = 0 must lie between 1 and 5, the number of "
            "superlayers",
        ),
        (
            f"{TRACK}min_superlayers = 6\n",
            f"{L1}.tracks.full: min_superlayers = 6 must lie between 1 and 5, the number of "
            "superlayers",
        ),
        (f"{TRACK}superlayers = []\n", f"{L1}.tracks.full: min_superlayers needs superlayers"),
        (
            f"[{L1}.ecl.sums]\nmine = {{ rings = [18], e_lab_gev = 1.0 }}\n",
            f"{L1}.ecl.sums.mine.rings.0: Input should be less than or equal to 17 (got 18)",
        ),
        (
            f'{TRACK}superlayers = ["0A", "2A", "4A", "2A"]\n',
            f"{L1}.tracks.full.superlayers: '2A' stands there twice (got ['0A', '2A', '4A', '2A'])",
        ),
    ],
)
def test_selections_that_select_nothing(tmp_path: Path, changes: str, expected: str):
    assert complaint(tmp_path, changes) == expected


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            f'{TRACK}among = ["neural"]\n',
            f"{L1}.tracks.full: kind 'neural' must stand before it",
        ),
        (
            f'{TRACK}among = ["neuron"]\n',
            f"{L1}.tracks.full: unknown kind 'neuron', did you mean 'neural'?",
        ),
        (
            PAIR.format("").replace('"barrel", ', '"barel"'),
            f"{L1}.ecl.pairs.mine: unknown selection 'barel', did you mean 'barrel'?",
        ),
        (
            f'[{L1}.matching.openings.open30]\none = "fulll"\n',
            f"{L1}.matching.openings.open30: unknown object 'fulll', did you mean 'full'?",
        ),
        (
            f'[{L1}.matching.matches.cdcecl]\nother = "barel"\n',
            f"{L1}.matching.matches.cdcecl: unknown object 'barel', did you mean 'barrel'?",
        ),
        (
            f"[{L1}.matching.matches.ecleklm_forward]\nradius_cm = 80.0\n",
            f"{L1}.matching.matches.ecleklm_forward: radius_cm is for tracks, "
            "'forward' is no kind of them",
        ),
    ],
)
def test_names_of_objects(tmp_path: Path, changes: str, expected: str):
    assert complaint(tmp_path, changes) == expected


def test_a_mistake_in_a_variation_is_found_there(tmp_path: Path):
    assert complaint(tmp_path, f"{TRACK}variation.theta_deg = [130, 30]\n") == (
        f"{L1}.tracks.full.variation.theta_deg: {UP_TO_180} (got [130, 30])"
    )


OPENINGS = '{ mine = { one = "fulll", other = "full", least_deg = 30.0 } }'


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            f"[{L1}.prescales.variation.ratios]\nffoo = 1\n",
            f"{L1}.prescales.variation.ratios: unknown line 'ffoo', did you mean 'ffo'?",
        ),
        (
            MINE.format("needs = { full = 2 }, variation = { needs = { fulll = 2 } }"),
            f"{L1}.lines.mine.variation: unknown count 'fulll', did you mean 'full'?",
        ),
        (
            f"[{HLT}.lines.ge1_tight_track]\nvariation = {{ needs = {{ tigth = 1 }} }}\n",
            f"{HLT}.lines.ge1_tight_track.variation: unknown count 'tigth', did you mean 'tight'?",
        ),
        (
            f"[{L1}.matching]\nvariation = {{ openings = {OPENINGS} }}\n",
            f"{L1}.matching.variation.openings.mine: unknown object 'fulll', did you mean 'full'?",
        ),
        (
            f'[{L1}.tracks.neural]\nvariation = {{ among = ["ful"] }}\n',
            f"{L1}.tracks.neural.variation: unknown kind 'ful', did you mean 'full'?",
        ),
        (
            f'[{L1}.tracks.full]\nvariation.superlayers = ["0A", "2A", "4A", "9X"]\n',
            f"{L1}.tracks.full.variation: unknown superlayer '9X', "
            "known: 0A, 1U, 2A, 3V, 4A, 5U, 6A, 7V, 8A",
        ),
    ],
)
def test_names_in_variations(tmp_path: Path, changes: str, expected: str):
    assert complaint(tmp_path, changes) == expected


def test_a_variation_must_count_what_lines_ask_for(tmp_path: Path):
    changes = f"[{L1}.matching]\nvariation = {{ matches = {{}} }}\n"
    assert re.match(rf"{L1}\.lines\.\w+: unknown count '\w+', ", complaint(tmp_path, changes))


@pytest.mark.parametrize("name", names())
def test_variations_of_prescales_switch_no_line_on(name: str):
    trigger = load(name).trigger
    for menu in (trigger.l1, trigger.hlt):
        varied = menu.prescales.varied().ratios
        run = {line for line, ratio in menu.prescales.ratios.items() if ratio}
        assert {line for line, ratio in varied.items() if ratio} <= run
