"""Decisions of the trigger in a file: as they were written, said and drawn."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from darkbelle import gen, geometry, samples
from darkbelle.samples import pictures
from darkbelle.samples.describe import describe_sample
from darkbelle.samples.efficiency.intervals import trigger_efficiency
from darkbelle.samples.production import Run
from tests.samples.triggered import Triggered


def test_decisions_are_read_as_they_were_written(triggered: Triggered):
    sample, written = triggered.sample, triggered.decisions
    found = sample.trigger
    assert set(found.fields) == {"l1", "l1_prescaled", "hlt", "physics"}
    menus = triggered.experiment.trigger
    for level, menu in (("l1", menus.l1), ("l1_prescaled", menus.l1), ("hlt", menus.hlt)):
        assert tuple(found[level].fields) == menu.line_names
        read = np.stack([np.asarray(found[level][name]) for name in menu.line_names], axis=1)
        np.testing.assert_array_equal(read, getattr(written, level))
    np.testing.assert_array_equal(found.physics, written.physics)
    np.testing.assert_array_equal(found.l1.ffo, triggered.l1("ffo"))
    assert len(sample.tracks[found.l1.ffo]) == triggered.l1("ffo").sum() > 100


def test_the_file_names_lines_and_prescales(triggered: Triggered):
    """One row an event, the names and prescales in the order of the columns, for any reader."""
    menus = triggered.experiment.trigger
    with h5py.File(triggered.path) as file:
        group = file["trigger"]
        assert set(group) == {"l1", "l1_prescaled", "hlt", "physics"}
        for level, menu in (("l1", menus.l1), ("l1_prescaled", menus.l1), ("hlt", menus.hlt)):
            attributes = group[level].attrs
            assert group[level].shape == (400, len(menu.lines))
            assert attributes["names"].split(", ") == list(menu.lines)
            assert attributes["prescales"].tolist() == list(menu.ratios)
            assert attributes["prescales"].dtype == np.int64
            ratios = dict(
                zip(attributes["names"].split(", "), attributes["prescales"], strict=True)
            )
            assert level == "hlt" or (ratios["cdcklm1"], ratios["ffo"], ratios["bf"]) == (1, 10, 0)
        assert group["physics"].shape == (400,)
        assert group["physics"].dtype == bool
        assert "prescales" not in group["physics"].attrs
        assert "prescales" not in file["tracks/pid"].attrs


def test_a_produced_sample_has_decisions(tmp_path: Path):
    """Cut from its chunk as the other collections are."""
    run = Run(gen.MuMuZPrime(mass=2.0), geometry.load("belle2"), seed=1, chunk_size=16)
    samples.produce(run, tmp_path / "x.h5", n_events=7)
    sample = samples.open(tmp_path / "x.h5")
    assert len(sample.trigger) == len(sample.trigger.l1.ffo) == 7
    assert "physics" in describe_sample(sample)


# ---- info ----------------------------------------------------------------------------------------


def rows_of(text: str) -> dict[str, list[str]]:
    """Words behind the first of each line."""
    return {words[0]: words[1:] for line in text.splitlines() if (words := line.split())}


def percent(words: list[str]) -> list[float]:
    return [float(number) for number, sign in pairwise(words) if sign == "%"]


def shares(triggered: Triggered, *decisions: np.ndarray) -> list[float]:
    """By hand from the weights, in percent."""
    weight = triggered.weight / triggered.weight.sum()
    return [100 * weight[passed].sum() for passed in decisions]


def test_info_shows_the_lines_that_run(triggered: Triggered):
    """Prescale, share before and after it, in two digits."""
    text, ratios = describe_sample(triggered.sample), triggered.experiment.trigger.l1.ratios
    rows = rows_of(text)
    for name, prescale in (("ffo", "10"), ("cdcklm1", "1"), ("hie", "1"), ("fff", "10")):
        assert rows[name][0] == prescale
        expected = shares(triggered, triggered.l1(name), triggered.kept(name))
        assert percent(rows[name]) == pytest.approx(expected, rel=0.05)
    assert rows["c4"] == ["1", "0", "%", "0", "%"]  # runs, but never fires
    assert "bf" not in rows  # fires, but is off
    assert f"    and {ratios.count(0)} off: sample.trigger.l1\n" in text


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100 %"), (0.354, "35 %"), (0.0354, "3.5 %"), (5.4e-5, "0.0054 %"), (0, "0 %")],
)
def test_shares_have_two_digits(triggered: Triggered, monkeypatch, share: float, text: str):
    def made_up(sample: samples.Sample, level: str) -> dict[str, float]:
        return dict.fromkeys(sample.trigger_lines[level], share)

    monkeypatch.setattr("darkbelle.samples.describe.line_shares", made_up)
    assert " ".join(rows_of(describe_sample(triggered.sample))["hie"]) == f"1 {text} {text}"


def test_info_ends_with_the_high_level_and_physics(triggered: Triggered):
    sample = triggered.sample
    text = describe_sample(sample)
    rows = rows_of(text.split("trigger, high level")[1])
    assert "displaced_vertex" not in rows  # off
    ratios = triggered.experiment.trigger.hlt.ratios
    running = [(i, n) for i, n in enumerate(sample.trigger_lines["hlt"]) if ratios[i] > 0]
    for i, name in running:
        expected = shares(triggered, triggered.decisions.hlt[:, i])
        assert percent(rows[name]) == pytest.approx(expected, rel=0.05)
    assert text.splitlines()[-1] == f"  trigger, physics  {trigger_efficiency(sample)}"


# ---- pictures ------------------------------------------------------------------------------------


def bars_of(axis: Axes) -> list[BarContainer]:
    return [drawn for drawn in axis.containers if isinstance(drawn, BarContainer)]


def test_the_picture_has_a_bar_for_each_line_that_runs_and_fired(triggered: Triggered):
    sample, menus = triggered.sample, triggered.experiment.trigger
    level_one, high_level = pictures.trigger(sample).axes
    labels = [label.get_text() for label in level_one.get_yticklabels()]
    assert sorted(labels) == ["cdcklm1", "fff / 10", "ffo / 10", "hie"]
    before, after = ([bar.get_width() for bar in bars] for bars in bars_of(level_one))
    i = labels.index("ffo / 10")
    expected = shares(triggered, triggered.l1("ffo"), triggered.kept("ffo"))
    assert [before[i], after[i]] == pytest.approx(expected)
    labels = [label.get_text() for label in high_level.get_yticklabels()]
    assert len(labels) == sum(ratio > 0 for ratio in menus.hlt.ratios) + 1
    assert {"ggbarrelloose", "selectmumu / 10"} <= set(labels)
    assert labels[-1] == "physics"
    shown = bars_of(high_level)[-1][-1].get_width()
    assert shown == pytest.approx(100 * trigger_efficiency(sample).eff)


def test_a_menu_that_is_off_is_said_and_drawn(tmp_path: Path):
    card = tmp_path / "off.toml"
    card.write_text(
        'extends = "belle2"\nremove = ["trigger.l1.prescales", "trigger.hlt.prescales"]\n'
        '[trigger.l1.prescales]\nratios = {}\nsource = "own"\ntrust = "default"\n'
        '[trigger.hlt.prescales]\nratios = {}\nsource = "own"\ntrust = "default"\n'
    )
    run = Run(gen.MuMuZPrime(mass=2.0), geometry.load(card), seed=1, chunk_size=32)
    samples.produce(run, tmp_path / "x.h5", n_events=20)
    sample = samples.open(tmp_path / "x.h5")
    assert "  trigger, physics" in describe_sample(sample)
    assert trigger_efficiency(sample).eff == 0
    pictures.trigger(sample).savefig(tmp_path / "x.png")
