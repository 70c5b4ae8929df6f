"""Lines decide on counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from darkbelle.detsim.trigger.decision import decide_trigger
from darkbelle.detsim.trigger.menu import decide, prescale
from darkbelle.geometry import load
from darkbelle.geometry.trigger import Menu

SOURCED = {"source": "test", "trust": "default"}


def menu(ratio: int = 1, **line: Any) -> Menu:
    return Menu(
        lines={"line": {**SOURCED, **line}},
        prescales={**SOURCED, "ratios": {"line": ratio}},
    )


COUNTS = {"a": np.array([0, 1, 2, 3]), "b": np.array([1, 1, 0, 0])}


@pytest.mark.parametrize(
    ("line", "fires"),
    [
        ({"needs": {"a": 2}}, [0, 0, 1, 1]),
        ({"needs": {"a": (1, 2)}}, [0, 1, 1, 0]),
        ({"needs": {"a": (0, 0)}}, [1, 0, 0, 0]),
        ({"needs": {"a": 1, "b": 1}}, [0, 1, 0, 0]),
        ({"needs": {"a": 1}, "veto": [{"b": 1}]}, [0, 0, 1, 1]),
        ({"needs": {"a": 1}, "veto": [{"a": 3}, {"b": 1}]}, [0, 0, 1, 0]),
        ({"any_of": [{"a": 3}, {"b": 1}]}, [1, 1, 0, 1]),
        ({"needs": {"a": 1}, "any_of": [{"a": 3}, {"b": 1}]}, [0, 1, 0, 1]),
        ({"needs": {"a": 1}, "veto": [{"a": (1, 1), "b": 1}]}, [0, 0, 1, 1]),
    ],
)
def test_a_line_fires_on_its_counts(line: dict[str, Any], fires: list[int]) -> None:
    found = decide(menu(**line), COUNTS, 4, np.random.default_rng(1))
    np.testing.assert_array_equal(found[:, 0], np.array(fires, bool))


def test_efficiency_and_prescale_keep_their_share() -> None:
    rng, n = np.random.default_rng(2), 100_000
    counts = {"a": np.ones(n, int)}
    half = decide(menu(needs={"a": 1}, efficiency=0.5), counts, n, rng)
    assert half.mean() == pytest.approx(0.5, abs=0.01)
    everything = np.ones((n, 1), dtype=bool)
    for ratio, share in ((0, 0.0), (1, 1.0), (10, 0.1)):
        kept = prescale(menu(ratio, needs={"a": 1}), everything, rng)
        assert kept.mean() == pytest.approx(share, abs=0.005)
        assert not prescale(menu(ratio, needs={"a": 1}), ~everything, rng).any()


def test_a_prescale_counts_as_the_hardware_does() -> None:
    """Every tenth event in which the line fires, from a random one on."""
    fires = np.random.default_rng(1).random((5000, 1)) < 0.3
    firsts = set()
    for seed in range(40):
        kept = prescale(menu(10, needs={"a": 1}), fires, np.random.default_rng(seed))
        place = np.flatnonzero(kept[fires[:, 0], 0])
        assert (np.diff(place) == 10).all()
        firsts.add(int(place[0]))
    assert firsts == set(range(10))


def test_level_two_sees_what_level_one_keeps() -> None:
    """And physics is what passes both by lines without a prescale."""
    trigger = load("belle").trigger
    n = 20_000
    l1 = {name: np.zeros(n, int) for name in trigger.l1.asked}
    hlt = {name: np.zeros(n, int) for name in trigger.hlt.asked}
    two, low, both = np.random.default_rng(5).integers(4, size=n) == np.array([[1], [2], [3]])
    for name in ("rphi", "full", "back_to_back", "z", "tsc", "clusters"):
        l1[name][two | both] = 2
    l1["e_low"][low | both] = 1
    hlt["track"][:] = 1
    table = decide_trigger(l1, hlt, trigger, n, np.random.default_rng(3))
    kept = table.l1_prescaled.any(axis=1)
    assert not (table.l1_prescaled & ~table.l1).any()
    assert not table.hlt[~kept].any()
    assert table.hlt[kept].mean() == pytest.approx(trigger.hlt.efficiency, abs=0.005)
    np.testing.assert_array_equal(table.physics, table.hlt[:, 0] & (two | both))
    assert 0 < kept[low].mean() < 0.005


def test_prescales_and_lines_leave_the_numbers_of_others_alone() -> None:
    trigger = load("belle").trigger
    n = 5_000
    counts = {
        level: {name: np.ones(n, int) for name in menu.asked}
        for level, menu in (("l1", trigger.l1), ("hlt", trigger.hlt))
    }
    changed = load("belle", ["trigger.l1.prescales.ratios.energy_low=10"]).trigger
    first, second = (
        decide_trigger(counts["l1"], counts["hlt"], menus, n, np.random.default_rng(4))
        for menus in (trigger, changed)
    )
    np.testing.assert_array_equal(first.l1, second.l1)
    np.testing.assert_array_equal(first.physics, second.physics)
    others = [i for i, name in enumerate(trigger.l1.line_names) if name != "energy_low"]
    np.testing.assert_array_equal(first.l1_prescaled[:, others], second.l1_prescaled[:, others])
