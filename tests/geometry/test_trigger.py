"""Triggers in cards: lines of a user's own, and one clear sentence for each mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from darkbelle.errors import ConfigError, GeometryError
from darkbelle.geometry import Experiment, load

MINE = '[trigger.l1.lines]\nmine = {{ {}, source = "own", trust = "default" }}\n'
NO_BOUNDS = "must be the least number, from 0 up, or the least and the most, as in [1, 2]"
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


@pytest.mark.parametrize(("bounds", "read"), [("0", 0), ("3", 3), ("[0, 0]", (0, 0))])
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
            "trigger.l1: lines.mine: unknown count 'fulll', did you mean 'full'?",
        ),
        (
            "needs = { full = 2 }, any_of = [{ shrt = 1 }]",
            "trigger.l1: lines.mine: unknown count 'shrt', did you mean 'short'?",
        ),
        (
            "needs = { full = 2 }, veto = [{ bhaba = 1 }]",
            "trigger.l1: lines.mine: unknown count 'bhaba', did you mean 'bhabha'?",
        ),
        ("needs = {}", "trigger.l1.lines.mine: a line needs a condition: needs, any_of"),
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
        ("ffoo = 1", "trigger.l1: prescales.ratios: unknown line 'ffoo', did you mean 'ffo'?"),
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
            "trigger.l1: prescales.ratios: unknown line 'ffy', did you mean 'ffyo'?",
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
