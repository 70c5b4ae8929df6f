"""What users write as key=value."""

from __future__ import annotations

import pytest

from darkbelle.errors import ConfigError
from darkbelle.settings import parse_setting, parse_settings


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("mass=1.5", {"mass": 1.5}),
        (" mass = 1.5 ", {"mass": 1.5}),
        ("decay=invisible", {"decay": "invisible"}),
        ("p=0.5,2", {"p": "0.5,2"}),
        ("theta=[0.3, 2.6]", {"theta": [0.3, 2.6]}),
        ("isr=false", {"isr": False}),
        ("cuts.theta=[0.3, 2.6]", {"cuts": {"theta": [0.3, 2.6]}}),
        ("a.b.c=1", {"a": {"b": {"c": 1}}}),
        ("cuts={n_charged = 2}", {"cuts": {"n_charged": 2}}),
        ("path=C:\\new", {"path": "C:\\new"}),
        ('name=a"b', {"name": 'a"b'}),
        ("text=a=b", {"text": "a=b"}),
    ],
)
def test_one_setting(text: str, parsed: dict):
    assert parse_setting(text) == parsed


@pytest.mark.parametrize("text", ["", "mass", "=1", "mass=", "a b=1", "a..b=1", "a=\x07"])
def test_no_setting(text: str):
    with pytest.raises(ConfigError, match="must read key=value"):
        parse_setting(text)
    with pytest.raises(ConfigError, match="must read key=value"):
        parse_settings(["isr=true", text])


@pytest.mark.parametrize(
    ("texts", "parsed"),
    [
        ([], {}),
        (["a=1", "b=x"], {"a": 1, "b": "x"}),
        (["cuts.n_charged=2", "mass=1", "cuts.theta=[0.3, 2.6]"],
         {"cuts": {"n_charged": 2, "theta": [0.3, 2.6]}, "mass": 1}),
        (["a.b.c=1", "a.b.d=2", "a.e=3"], {"a": {"b": {"c": 1, "d": 2}, "e": 3}}),
        (["cuts={n_charged = 2}", "cuts.energy=0.5"], {"cuts": {"n_charged": 2, "energy": 0.5}}),
    ],
)  # fmt: skip
def test_several_settings(texts: list[str], parsed: dict):
    assert parse_settings(texts) == parsed
    assert parse_settings(reversed(texts)) == parsed


@pytest.mark.parametrize(
    ("texts", "text", "key"),
    [
        (["mass=1", "mass=1"], "mass=1", "mass"),
        (["a.b=1", "a.c=2", "a.b=3"], "a.b=3", "b"),
        (["cuts=1", "cuts.energy=2"], "cuts.energy=2", "cuts"),
        (["cuts.energy=2", "cuts=1"], "cuts=1", "cuts"),
        (["cuts={energy = 1}", "cuts.energy=2"], "cuts.energy=2", "energy"),
    ],
)
def test_clashes_are_named(texts: list[str], text: str, key: str):
    with pytest.raises(ConfigError) as caught:
        parse_settings(texts)
    assert str(caught.value) == f"'{text}': '{key}' is given twice"


def test_what_was_parsed_is_left_alone():
    """The nested dictionary of one call is not that of another."""
    assert parse_settings(["a.b=1"]) == {"a": {"b": 1}}
    assert parse_settings(["a.c=1"]) == {"a": {"c": 1}}
