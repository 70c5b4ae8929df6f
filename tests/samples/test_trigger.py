"""Decisions of the trigger in a file: as they were written, said and drawn."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from darkbelle import gen, geometry, samples
from darkbelle.samples.describe import describe_sample
from darkbelle.samples.efficiency import trigger_efficiency
from darkbelle.samples.plots import _draw_trigger
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
    run = Run(gen.MuMuZPrime(mass=2.0), geometry.load("belle2"), seed=1)
    samples.produce(run, tmp_path / "x.h5", n_events=7)
    sample = samples.open(tmp_path / "x.h5")
    assert len(sample.trigger) == len(sample.trigger.l1.ffo) == 7
    assert "physics" in describe_sample(sample)


# ---- info ----------------------------------------------------------------------------------------


def rows_of(text: str) -> dict[str, list[str]]:
    """Words behind the first of each line."""
    return {words[0]: words[1:] for line in text.splitlines() if (words := line.split())}


def percent(words: list[str]) -> list[float]:
    return [float(word) for word in words if re.fullmatch(r"\d+\.\d+", word)]


def test_info_shows_the_lines_that_run_or_fire(triggered: Triggered):
    """Prescale, share before and after it: by hand from the weights."""
    rows, weight = rows_of(describe_sample(triggered.sample)), triggered.weight
    for name, prescale in (("ffo", "10"), ("cdcklm1", "1"), ("hie", "1"), ("fff", "10")):
        assert rows[name][0] == prescale
        shares = [
            100 * weight[of(name)].sum() / weight.sum() for of in (triggered.l1, triggered.kept)
        ]
        assert percent(rows[name]) == pytest.approx(shares, abs=6e-4)
    assert rows["bf"][0] == "off"
    assert percent(rows["bf"]) == pytest.approx(
        [100 * weight[triggered.l1("bf")].sum() / weight.sum()], abs=6e-4
    )
    assert percent(rows["c4"]) == [0, 0]  # runs, but never fires
    assert "ffb" not in rows  # neither


def test_info_ends_with_the_high_level_and_physics(triggered: Triggered):
    sample = triggered.sample
    text = describe_sample(sample)
    rows = rows_of(text.split("trigger, high level")[1])
    weight = triggered.weight
    assert "displaced_vertex" not in rows  # off
    ratios = triggered.experiment.trigger.hlt.ratios
    running = [(i, n) for i, n in enumerate(sample.trigger.hlt.fields) if ratios[i] > 0]
    for i, name in running:
        share = weight[triggered.decisions.hlt[:, i]].sum() / weight.sum()
        assert percent(rows[name]) == pytest.approx([100 * share], abs=6e-4)
    kept = trigger_efficiency(sample)
    last = text.splitlines()[-1]
    assert last.startswith("  trigger, physics")
    expected = [100 * number for number in (kept.eff, kept.eff_lo, kept.eff_hi)]
    assert percent(last.split()) == pytest.approx(expected, abs=6e-4)


# ---- pictures ------------------------------------------------------------------------------------


def test_the_picture_has_a_bar_for_each_line_that_runs(triggered: Triggered):
    sample, menus = triggered.sample, triggered.experiment.trigger
    level_one, high_level = _draw_trigger(sample).axes
    labels = [label.get_text() for label in level_one.get_yticklabels()]
    assert len(labels) == sum(ratio > 0 for ratio in menus.l1.ratios)
    assert {"cdcklm1", "ffo / 10", "f / 1000"} <= set(labels)
    before, after = ([bar.get_width() for bar in bars] for bars in level_one.containers)
    i = labels.index("ffo / 10")
    weight = triggered.weight / triggered.weight.sum()
    assert before[i] == pytest.approx(100 * weight[triggered.l1("ffo")].sum())
    assert after[i] == pytest.approx(100 * weight[triggered.kept("ffo")].sum())
    labels = [label.get_text() for label in high_level.get_yticklabels()]
    assert len(labels) == sum(ratio > 0 for ratio in menus.hlt.ratios) + 1
    assert {"ggbarrelloose", "selectmumu / 10"} <= set(labels)
    assert labels[-1] == "physics"
    shown = high_level.containers[-1][0].get_width()
    assert shown == pytest.approx(100 * trigger_efficiency(sample).eff)


def test_a_menu_that_is_off_is_said_and_drawn(tmp_path: Path):
    card = tmp_path / "off.toml"
    card.write_text(
        'extends = "belle2"\nremove = ["trigger.l1.prescales", "trigger.hlt.prescales"]\n'
        '[trigger.l1.prescales]\nratios = {}\nsource = "own"\ntrust = "default"\n'
        '[trigger.hlt.prescales]\nratios = {}\nsource = "own"\ntrust = "default"\n'
    )
    run = Run(gen.MuMuZPrime(mass=2.0), geometry.load(card), seed=1)
    samples.produce(run, tmp_path / "x.h5", n_events=20)
    sample = samples.open(tmp_path / "x.h5")
    assert "  trigger, physics" in describe_sample(sample)
    assert trigger_efficiency(sample).eff == 0
    _draw_trigger(sample).savefig(tmp_path / "x.png")
