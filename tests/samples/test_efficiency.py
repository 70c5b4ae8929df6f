"""Efficiencies: exact intervals by their definition, and the choice of trigger lines."""

from __future__ import annotations

import math
from typing import Any

import awkward as ak
import numpy as np
import pytest
from scipy.stats import binom

from darkbelle import samples
from darkbelle.errors import ConfigError
from darkbelle.samples import Efficiency
from darkbelle.samples.efficiency.intervals import line_shares
from tests.samples.triggered import Triggered

TAIL = (1 - 0.6827) / 2


def of(n_pass: int, n_total: int, **options: Any) -> Efficiency:
    return Efficiency.of(np.arange(n_total) < n_pass, **options)


# ---- intervals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_pass", "n_total"), [(1, 2), (3, 10), (89, 100), (1, 1000), (999, 1000)]
)
def test_ends_leave_equal_tails(n_pass: int, n_total: int):
    """Clopper and Pearson: as many or more pass with 15.9 % at the lower end, and so on."""
    found = of(n_pass, n_total)
    assert (found.n_pass, found.n_total) == (n_pass, n_total)
    assert found.eff == n_pass / n_total
    assert binom.sf(n_pass - 1, n_total, found.eff_lo) == pytest.approx(TAIL, rel=1e-6)
    assert binom.cdf(n_pass, n_total, found.eff_hi) == pytest.approx(TAIL, rel=1e-6)


@pytest.mark.parametrize("n_total", [1, 7, 1000])
def test_none_and_all(n_total: int):
    """The other end by hand: (1 - p)^n = tail."""
    other_end = 1 - TAIL ** (1 / n_total)
    none, all_of_them = of(0, n_total), of(n_total, n_total)
    assert (none.eff, none.eff_lo) == (0, 0)
    assert none.eff_hi == pytest.approx(other_end, rel=1e-6)
    assert (all_of_them.eff, all_of_them.eff_hi) == (1, 1)
    assert all_of_them.eff_lo == pytest.approx(1 - other_end, rel=1e-6)


@pytest.mark.parametrize("n_total", [1, 5, 30])
def test_intervals_cover_what_they_promise(n_total: int):
    """The chance that the interval holds the truth, summed over outcomes, for any truth."""
    found = [of(n_pass, n_total) for n_pass in range(n_total + 1)]
    low, high = (np.array([getattr(one, end) for one in found]) for end in ("eff_lo", "eff_hi"))
    for truth in np.linspace(0, 1, 201):
        holds = (low <= truth) & (truth <= high)
        assert binom.pmf(np.arange(n_total + 1), n_total, truth)[holds].sum() >= 0.6827


def test_coverage_is_a_choice():
    """Two sigma of 900 in 1000 are about 2 sqrt(0.9 0.1 / 1000)."""
    wide = of(900, 1000, coverage=0.9545)
    assert wide.eff_hi - wide.eff_lo == pytest.approx(4 * math.sqrt(0.09 / 1000), rel=0.03)
    for coverage in (0, 1, 68.27, math.nan):
        with pytest.raises(ConfigError, match="coverage must lie between 0 and 1"):
            of(1, 2, coverage=coverage)


def test_no_events_are_no_efficiency():
    for empty in (
        of(0, 0),
        Efficiency.of([]),
        Efficiency.of([], among=[], weight=[]),
        of(3, 9, among=np.zeros(9, bool)),
        of(3, 9, weight=np.zeros(9)),
    ):
        assert (empty.n_pass, empty.n_total, empty.eff_lo, empty.eff_hi) == (0, 0, 0, 1)
        assert math.isnan(empty.eff)


def test_among_is_the_denominator():
    """What passes outside of it does not count."""
    found = Efficiency.of([True, True, False, True], among=[True, False, True, True])
    assert (found.n_pass, found.n_total, found.eff) == (2, 3, 2 / 3)


@pytest.mark.parametrize(
    ("efficiency", "text"),
    [
        (of(354, 1000), "0.354 (0.339 to 0.370)"),
        (of(1, 2), "0.5 (0.1 to 0.9)"),
        (of(3, 2_000_000), "0.0000015 (0.0000007 to 0.0000030)"),
        (of(9, 9), "1.00 (0.82 to 1.00)"),
        (of(0, 0), "nan (0.0 to 1.0)"),
    ],
)
def test_it_is_printed_as_exactly_as_it_is_known(efficiency: Efficiency, text: str):
    assert str(efficiency) == text


# ---- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-9, 1e6])
def test_equal_weights_are_no_weights(scale: float):
    plain, weighted = of(89, 100), of(89, 100, weight=np.full(100, scale))
    assert weighted.n_pass == pytest.approx(89 * scale)
    assert weighted.n_total == pytest.approx(100 * scale)
    for name in ("eff", "eff_lo", "eff_hi"):
        assert getattr(weighted, name) == pytest.approx(getattr(plain, name), rel=1e-9)
    assert of(100, 100, weight=np.full(100, scale)).eff_hi == 1


def test_weights_share_and_widen():
    """Half of 400 events weigh 3 times as much: 320 effective ones, (1600/2)^2 / (4000/2)."""
    weight = np.tile([1.0, 3.0], 200)
    passed = np.tile([True, False, False, True], 100)
    found = Efficiency.of(passed, weight=weight)
    assert (found.n_pass, found.n_total, found.eff) == (400, 800, 0.5)
    plain = of(160, 320)
    assert (found.eff_lo, found.eff_hi) == pytest.approx((plain.eff_lo, plain.eff_hi))


@pytest.mark.parametrize("correlation", [-1, 0, 1])
@pytest.mark.parametrize("truth", [0.1, 0.8])
def test_intervals_of_weighted_events_cover_about_as_much(truth: float, correlation: int):
    """1000 experiments of 300 events, weights from 0.1 to 3, that pass as often as they are heavy.

    Or as they are light, or whatever their weight; 68.27 % is known to 1.5 %.
    """
    rng, covered = np.random.default_rng(3), 0
    mean = 1.55
    for _ in range(1_000):
        weight = rng.uniform(0.1, 3.0, 300)
        chance = truth * (1 + correlation * 0.15 * (weight - mean))
        expected = truth * (1 + correlation * 0.15 * 2.9**2 / 12 / mean)
        found = Efficiency.of(rng.random(300) < chance, weight=weight)
        covered += found.eff_lo <= expected <= found.eff_hi
    assert 0.64 < covered / 1_000 < 0.78


@pytest.mark.parametrize("ctau", [0.1, 3.0, 100.0])
def test_intervals_of_reweighted_lifetimes_cover_as_much(ctau: float):
    """What decays within 1 cm, of a mixture of 0.01 to 100 cm: weights say what passes.

    That of (sum w)^2 / sum w^2 independent events would cover all of them at 0.1 and 100 cm.
    """
    rng, covered, n = np.random.default_rng(4), 0, 2_000
    low, high = 0.01, 100.0
    log_ratio = np.log(high / low)
    for _ in range(600):
        length = low * np.exp(log_ratio * rng.random(n)) * rng.standard_exponential(n)
        drawn = (np.exp(-length / high) - np.exp(-length / low)) / (length * log_ratio)
        found = Efficiency.of(length < 1.0, weight=np.exp(-length / ctau) / ctau / drawn)
        covered += found.eff_lo <= -np.expm1(-1.0 / ctau) <= found.eff_hi
    assert 0.63 < covered / 600 < 0.76


@pytest.mark.parametrize("inverted", [False, True])
def test_intervals_at_none_and_all_of_reweighted_lifetimes_cover_as_much(inverted: bool):
    """Beyond 4 ctau at the long end of a range: most often none is there, but it would be heavy."""
    rng, covered, n_extreme, n = np.random.default_rng(6), 0, 0, 1_200
    low, high = 0.01, 100.0
    log_ratio = np.log(high / low)
    truth = -np.expm1(-4.0) if inverted else np.exp(-4.0)
    for _ in range(600):
        length = low * np.exp(log_ratio * rng.random(n)) * rng.standard_exponential(n)
        drawn = (np.exp(-length / high) - np.exp(-length / low)) / (length * log_ratio)
        is_far = length > 4 * high
        weight = np.exp(-length / high) / high / drawn
        found = Efficiency.of(~is_far if inverted else is_far, weight=weight)
        covered += found.eff_lo <= truth <= found.eff_hi
        n_extreme += not is_far.any()
    assert n_extreme > 200
    assert covered / 600 > 0.68


def test_binomial_toys_cover_what_they_promise():
    """2000 experiments each; exact intervals cover a little more."""
    rng = np.random.default_rng(5)
    for n, truth in ((40, 0.03), (40, 0.5), (400, 0.97)):
        ends = [of(k, n) for k in range(n + 1)]
        tried = rng.binomial(n, truth, 2_000)
        covered = np.mean([ends[k].eff_lo <= truth <= ends[k].eff_hi for k in tried])
        assert 0.6827 - 3 * 0.0104 < covered < 0.9


def test_a_negative_weight_keeps_the_interval_within_bounds():
    found = Efficiency.of([True, True, False], weight=[1.0, 1.0, -0.5])
    assert found.eff == pytest.approx(4 / 3)
    assert 0 < found.eff_lo < found.eff_hi == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"passed": [1, 0, 1]}, "passed must hold booleans, one an event"),
        ({"passed": [[True], [False, True]]}, "passed must hold one value for each event"),
        ({"passed": ak.Array([[True], [False, True]])}, "passed must hold one value for each"),
        ({"passed": ak.Array([True, None, True])}, "passed must hold one value for each event"),
        ({"passed": True}, "passed must hold one value for each event"),
        ({"among": [True, False]}, r"among must hold 3 values \(got the shape \(2,\)\)"),
        ({"among": [2, 2, 1]}, "among must hold booleans"),
        ({"weight": [1.0]}, r"weight must hold 3 values"),
        ({"weight": ["a", "b", "c"]}, "weight must hold numbers"),
    ],
)
def test_what_is_not_one_value_an_event_is_refused(wrong: dict[str, Any], message: str):
    arguments = {"passed": [True, False, True]} | wrong
    with pytest.raises(ConfigError, match=message):
        Efficiency.of(arguments.pop("passed"), **arguments)


# ---- lines ---------------------------------------------------------------------------------------


def test_lines_of_a_level_are_alternatives(triggered: Triggered):
    """As kept: cdcklm1 has no prescale, ffo one of 10."""
    sample = triggered.sample
    expected = triggered.kept("ffo") | triggered.kept("cdcklm1")
    np.testing.assert_array_equal(sample.fired(["ffo", "cdcklm1"]), expected)
    assert not np.array_equal(expected, triggered.l1("ffo") | triggered.l1("cdcklm1"))
    np.testing.assert_array_equal(sample.fired(("cdcklm1",)), triggered.l1("cdcklm1"))


def test_a_single_line_needs_no_list(triggered: Triggered):
    """A text is a name: neither the lines f and o, nor those of its letters."""
    sample = triggered.sample
    np.testing.assert_array_equal(sample.fired("ffo"), triggered.kept("ffo"))


def test_lines_before_their_prescales(triggered: Triggered):
    """A line that is off fires, but is never kept."""
    sample = triggered.sample
    for name in ("ffo", "bf"):
        found = sample.fired(name, prescaled=False)
        np.testing.assert_array_equal(found, triggered.l1(name))
    assert triggered.l1("bf").any()
    assert not sample.fired("bf").any()


def test_lines_of_both_levels_are_both_needed(triggered: Triggered):
    sample = triggered.sample
    (name, *_), passed = sample.trigger.hlt.fields, triggered.decisions.hlt[:, 0]
    np.testing.assert_array_equal(sample.fired([name]), passed)
    found = sample.fired(["hie", name, "cdcklm1"])
    expected = passed & (triggered.l1("hie") | triggered.l1("cdcklm1"))
    np.testing.assert_array_equal(found, expected)
    assert 0 < expected.sum() < passed.sum()


def test_without_lines_it_is_those_of_physics(triggered: Triggered):
    sample = triggered.sample
    np.testing.assert_array_equal(sample.fired(), triggered.decisions.physics)
    physics = Efficiency.of(triggered.decisions.physics, weight=triggered.weight)
    assert samples.trigger_efficiency(sample) == physics


def test_efficiency_of_lines_among_some_events(triggered: Triggered):
    """Weighted: of events with two tracks, those that a line keeps."""
    sample = triggered.sample
    two = ak.num(sample.tracks) == 2
    found = samples.trigger_efficiency(sample, lines=["ffo", "cdcklm1"], among=two)
    chosen, weight = np.asarray(two), triggered.weight
    passed = chosen & (triggered.kept("ffo") | triggered.kept("cdcklm1"))
    assert found.n_total == pytest.approx(weight[chosen].sum())
    assert found.eff == pytest.approx(weight[passed].sum() / weight[chosen].sum())
    assert found.eff_lo < found.eff < found.eff_hi
    wide = samples.trigger_efficiency(sample, ["ffo", "cdcklm1"], among=two, coverage=0.95)
    assert wide.eff_hi - wide.eff_lo > 1.8 * (found.eff_hi - found.eff_lo)
    before = samples.trigger_efficiency(sample, ["ffo"], among=two, prescaled=False)
    assert before.n_pass == pytest.approx(weight[chosen & triggered.l1("ffo")].sum())


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["ffo", "eclmuu"], "the trigger of belle2 has no line 'eclmuu', did you mean 'eclmumu'?"),
        ("xxxxxx", "has no line 'xxxxxx', known: b2b_phi_photons, beklm, "),
        ([], "no lines: name one, or leave them out for those of physics"),
        ([5], "lines must be a name or a list of names (got [5])"),
        (5, "lines must be a name or a list of names (got 5)"),
    ],
)
def test_unknown_lines_are_refused(triggered: Triggered, lines: Any, message: str):
    with pytest.raises(ConfigError) as caught:
        samples.trigger_efficiency(triggered.sample, lines)
    assert message in str(caught.value)


def test_a_misspelt_line_of_the_high_level(triggered: Triggered):
    name = triggered.experiment.trigger.hlt.line_names[0]
    with pytest.raises(ConfigError, match=f"did you mean '{name}'"):
        triggered.sample.fired(f"{name}x")


def test_the_high_level_has_no_choice_of_prescales(triggered: Triggered):
    """It saw what level one kept, so that it cannot go with what level one would have kept."""
    (name, *_) = triggered.experiment.trigger.hlt.line_names
    for lines in (name, ["ffo", name]):
        with pytest.raises(ConfigError, match=f"'{name}' is a line of the high level"):
            triggered.sample.fired(lines, prescaled=False)


def test_shares_of_lines(triggered: Triggered):
    weight, sample = triggered.weight, triggered.sample
    before, after = line_shares(sample, "l1"), line_shares(sample, "l1_prescaled")
    assert tuple(before) == tuple(after) == triggered.experiment.trigger.l1.line_names
    assert before["ffo"] == pytest.approx(weight[triggered.l1("ffo")].sum() / weight.sum())
    assert after["ffo"] == pytest.approx(weight[triggered.kept("ffo")].sum() / weight.sum())
    assert before["ffb"] == 0
    assert list(line_shares(sample, "hlt")) == sample.trigger.hlt.fields


def test_long_samples_are_read_in_blocks(triggered: Triggered, monkeypatch):
    """Of 150 events here, the last of them shorter, and summed by 64."""
    whole = line_shares(triggered.sample, "l1")
    monkeypatch.setattr("darkbelle.samples.files.reading.CHUNK_ROWS", 150)
    monkeypatch.setattr("darkbelle.samples.efficiency.intervals.PIECE_ROWS", 64)
    sample = triggered.sample
    assert [len(rows) for _, rows in sample.blocks("trigger", "l1")] == [150, 150, 100]
    assert line_shares(sample, "l1") == pytest.approx(whole)
    np.testing.assert_array_equal(sample.fired("ffo"), triggered.kept("ffo"))
