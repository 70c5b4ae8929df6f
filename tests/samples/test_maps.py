"""Maps of efficiencies: kept to the last digit, looked up between points, drawn."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from darkbelle.errors import ConfigError, OutputError, SampleFormatError
from darkbelle.samples import EfficiencyMap

MASSES = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0])
CTAUS = np.geomspace(0.01, 100, 9)


def smooth(mass: np.ndarray, ctau: np.ndarray) -> np.ndarray:
    """Like a search for displaced vertices."""
    seen: np.ndarray = 0.5 * np.exp(-(((mass - 2.0) / 2.5) ** 2))
    return seen * np.exp(-0.05 / ctau) / (1 + ctau / 10)


def made(
    masses: np.ndarray,
    ctaus: np.ndarray,
    stat: float = 0.0,
    seed: int = 1,
    experiments: tuple[str, ...] = ("belle2",),
) -> EfficiencyMap:
    """A map of `smooth` with errors of their sizes, and a systematic one of 5 %."""
    rows = np.array(list(product(masses, ctaus))).reshape(-1, 2)
    mass, ctau = np.tile(rows, (len(experiments), 1)).T
    n = len(mass)
    eff = smooth(mass, ctau) + stat * np.random.default_rng(seed).normal(size=n)
    texts = {"process": "x", "experiment": np.repeat(experiments, len(rows)), "selection": "a, b",
             "trigger": "none", "kaon": "K+"}  # fmt: skip
    numbers = {"mass": mass, "ctau": ctau, "n_events": 1000, "n_pass": eff, "n_total": 1.0,
               "eff": eff, "eff_lo": eff - stat, "eff_hi": eff + stat, "eff_stat": stat,
               "eff_syst": 0.05 * eff, "eff_pid_up": 1.05 * eff,
               "eff_pid_down": 0.95 * eff}  # fmt: skip
    columns = {name: np.broadcast_to(np.asarray(v, np.str_), n) for name, v in texts.items()}
    columns |= {name: np.broadcast_to(np.asarray(v, float), n) for name, v in numbers.items()}
    return EfficiencyMap(columns | {"correlated": np.full(n, "pid")})


# ---- between points ------------------------------------------------------------------------------


def test_at_the_points_it_is_their_value():
    found = made(MASSES, CTAUS, stat=0.01)
    for i in (0, 17, len(found) - 1):
        at = found.interpolate(mass=found["mass"][i], ctau=found["ctau"][i])
        assert at.eff == pytest.approx(found["eff"][i], abs=1e-12)
        assert at.stat == pytest.approx(0.01, rel=1e-9)
        assert at.syst == pytest.approx(0.05 * found["eff"][i], rel=1e-9)
        assert at.grid == pytest.approx(0, abs=1e-12)
        assert at.error == pytest.approx(np.hypot(at.stat, at.syst), rel=1e-9)


def test_what_is_left_out_is_found_within_its_error():
    """Every inner point, by those of a grid without its mass; and by one without its lifetime."""
    whole, pulls, errors = made(MASSES, CTAUS), [], []
    for name, points in (("mass", MASSES), ("ctau", CTAUS)):
        for left_out in points[1:-1]:
            rows = np.flatnonzero(whole[name] != left_out)
            for row in np.flatnonzero(whole[name] == left_out):
                point = {"mass": whole["mass"][row], "ctau": whole["ctau"][row]}
                found = whole.take(rows).interpolate(**point)
                pulls.append((found.eff - whole["eff"][row]) / max(found.grid, 1e-12))
                errors.append(abs(found.eff - whole["eff"][row]))
    assert np.mean(np.abs(pulls) < 1) > 0.9
    assert np.quantile(errors, 0.9) < 0.02
    assert max(errors) < 0.05


def test_where_splines_and_lines_cross_the_error_remains():
    """A step between two points: off by 0.08 half-way, where both curves meet."""
    masses = np.arange(0.5, 4.1, 0.5)
    rows = made(masses, CTAUS[:1])
    step = EfficiencyMap({**rows.columns, "eff": 1 / (1 + np.exp(-(masses - 1.8) / 0.1))})
    for mass in (1.65, 1.7, 1.75, 1.8):
        found = step.interpolate(mass=mass)
        assert abs(found.eff - 1 / (1 + np.exp(-(mass - 1.8) / 0.1))) < 1.2 * found.grid, mass
    assert abs(step.interpolate(mass=1.75).eff - 1 / (1 + np.exp(0.5))) > 0.07
    # As far as that one may be from the middle of a two-dimensional grid.
    whole = made(masses, CTAUS)
    steep = EfficiencyMap(
        {**whole.columns, "eff": whole["eff"] / (1 + np.exp(-(whole["mass"] - 1.8) / 0.1))}
    )
    truth = smooth(np.array(1.75), np.array(0.3)) / (1 + np.exp(0.5))
    found = steep.interpolate(mass=1.75, ctau=0.3)
    assert abs(found.eff - truth) < 1.2 * found.grid


def test_statistical_errors_are_those_of_repeated_maps():
    """Twenty-five maps of the same truth scatter as much as is said, 3 % of it known to 14 %."""
    found = [
        made(MASSES, CTAUS[:4], stat=0.01, seed=seed).interpolate(mass=1.3, ctau=0.05)
        for seed in range(200)
    ]
    spread = np.std([one.eff for one in found])
    assert np.mean([one.stat for one in found]) == pytest.approx(spread, rel=0.2)
    assert found[0].stat < 0.01


def test_lifetimes_count_by_their_logarithm():
    """Half-way between 0.01 and 1 is 0.1 for what is straight in the logarithm."""
    rows = made(MASSES[:1], np.array([0.01, 1.0, 100.0]))
    straight = EfficiencyMap({**rows.columns, "eff": np.array([0.1, 0.2, 0.3])})
    found = straight.interpolate(ctau=0.1)
    assert (found.eff, found.grid) == (pytest.approx(0.15), pytest.approx(0, abs=1e-12))
    rows = made(np.array([1.0, 2.0, 3.0]), CTAUS[:1])
    straight = EfficiencyMap({**rows.columns, "eff": np.array([0.1, 0.2, 0.3])})
    assert straight.interpolate(mass=1.5).eff == pytest.approx(0.15)


def test_two_points_make_a_line_and_one_itself():
    rows = made(MASSES[:2], CTAUS[:1])
    found = rows.interpolate(mass=0.75)
    assert found.eff == pytest.approx(rows["eff"].mean())
    assert rows.where(mass=0.5).interpolate(mass=0.5).eff == pytest.approx(rows["eff"][0])


def test_an_efficiency_stays_one():
    rows = made(np.array([1.0, 2.0, 3.0, 4.0]), CTAUS[:1])
    steep = EfficiencyMap({**rows.columns, "eff": np.array([0.0, 0.0, 1.0, 1.0])})
    for mass in np.linspace(1, 4, 31):
        assert 0 <= steep.interpolate(mass=mass).eff <= 1


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"mass": 4.5, "ctau": 1.0}, "mass = 4.5 lies outside of the map, 0.5 to 4"),
        ({"mass": 1.0}, "the map varies in ctau too, say where: ctau = 0.01, "),
        ({"mass": 1.0, "ctau": 1.0, "decay": "ee"}, "the map has no column 'decay'"),
        ({"mass": 1.0, "ctau": 1.0, "kaon": "K_S"}, "no row has kaon = K_S: there are K+"),
        ({"mass": 1.0, "ctau": np.nan}, "ctau = nan lies outside of the map"),
    ],
)
def test_points_that_cannot_be(point: dict[str, Any], message: str):
    with pytest.raises(ConfigError) as caught:
        made(MASSES, CTAUS).interpolate(**point)
    assert message in str(caught.value)


def test_grids_that_cannot_be():
    whole = made(MASSES, CTAUS)
    holed = whole.take(np.delete(np.arange(len(whole)), [5, 30]))
    with pytest.raises(ConfigError, match="2 points of the grid of mass, ctau are missing"):
        holed.interpolate(mass=1.0, ctau=1.0)
    assert holed.where(mass=(2.5, 4.0)).interpolate(mass=3.2, ctau=1.0).eff > 0
    with pytest.raises(ConfigError, match="the map varies in experiment too"):
        made(MASSES, CTAUS, experiments=("belle", "belle2")).interpolate(mass=1.0, ctau=1.0)
    both = made(MASSES, CTAUS, experiments=("belle", "belle2"))
    assert both.interpolate(mass=1.0, ctau=1.0, experiment="belle").eff > 0
    twice = whole.take(np.array([0, 0, 9]))
    with pytest.raises(ConfigError, match="2 rows of the map are at one point of mass"):
        twice.interpolate(mass=0.7)
    empty = EfficiencyMap({**whole.columns, "eff": np.full(len(whole), np.nan)})
    with pytest.raises(ConfigError, match="a row has no events"):
        empty.interpolate(mass=1.0, ctau=1.0)


# ---- kept ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "h5"])
def test_what_is_written_is_read(ending: str, tmp_path: Path):
    """Numbers to the last digit, texts with commas, NaN, the order of the columns."""
    rows = made(MASSES, CTAUS, stat=0.01)
    gap = np.where(np.arange(len(rows)) == 3, np.nan, rows["eff_pid_up"])
    rows = EfficiencyMap({**rows.columns, "eff_pid_up": gap, "kaon": np.full(len(rows), "Käon")})
    path = tmp_path / f"x.{ending}"
    rows.write(path)
    again = EfficiencyMap.read(path)
    assert list(again.columns) == list(rows.columns)
    for name, values in rows.columns.items():
        np.testing.assert_array_equal(again[name], values)
    assert again.varying == ("mass", "ctau")
    assert again.systematics == ("pid",)
    np.testing.assert_array_equal(again.covariance(), rows.covariance())
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["csv", "h5"])
def test_no_rows_are_rows(ending: str, tmp_path: Path):
    rows = made(MASSES, CTAUS).take(np.array([], dtype=np.intp))
    rows.write(tmp_path / f"x.{ending}")
    again = EfficiencyMap.read(tmp_path / f"x.{ending}")
    assert len(again) == 0
    assert again.varying == ()
    with pytest.raises(ConfigError, match="nothing to draw"):
        again.draw()


def test_files_that_are_something_else(tmp_path: Path):
    for name, content in (("a.csv", "mass,ctau\n1,2\n"), ("b.csv", "mass,ctau\n1\n"), ("c.h5", "")):
        (tmp_path / name).write_text(content)
        with pytest.raises(SampleFormatError):
            EfficiencyMap.read(tmp_path / name)
    h5py.File(tmp_path / "d.h5", "w").close()
    for name in ("d.h5", "e.h5", "e.csv"):
        with pytest.raises(SampleFormatError):
            EfficiencyMap.read(tmp_path / name)
    with pytest.raises(ConfigError, match="tables are kept as"):
        EfficiencyMap.read(tmp_path / "x.root")
    for name in ("x.csv", "x.h5"):
        with pytest.raises(OutputError, match="cannot write"):
            made(MASSES, CTAUS).write(tmp_path / "none" / name)


def test_a_misspelt_column_is_told():
    with pytest.raises(ConfigError, match="the map has no column 'masss', did you mean 'mass'"):
        made(MASSES, CTAUS)["masss"]
    with pytest.raises(ConfigError, match=r"no row has mass = 9: there are 0\.5, 1\.0"):
        made(MASSES, CTAUS).where(mass=9)


# ---- drawn ---------------------------------------------------------------------------------------


def test_pictures():
    """A line each for two experiments, a map each, and what has one point."""
    both = made(MASSES, CTAUS, stat=0.01, experiments=("belle", "belle2"))
    figure = both.where(mass=1.0).draw()
    (axis,) = figure.axes
    assert axis.get_xscale() == "log"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["belle", "belle2"]
    panels = [axis for axis in both.draw().axes if axis.get_title()]
    assert [axis.get_title() for axis in panels] == ["belle", "belle2"]
    assert (panels[0].get_xscale(), panels[0].get_yscale()) == ("linear", "log")
    one = both.where(mass=1.0, ctau=CTAUS[0], experiment="belle")
    assert len(one.draw().axes) == 1
    deep = EfficiencyMap({"other": np.arange(len(both)) % 2.0, **both.columns})
    with pytest.raises(ConfigError, match="other, mass, ctau vary, a picture has two axes"):
        deep.draw()
