"""Efficiencies of samples, lifetimes and bins: sums by hand, systematic variations, the command."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from darkbelle.errors import ConfigError, MergeError
from darkbelle.gen import ParticleGun
from darkbelle.gen.processes import find_process
from darkbelle.samples import Efficiency, Run, Sample, efficiency_map, lifetime_weights, produce
from darkbelle.samples import open as open_sample
from darkbelle.samples.campaigns import Campaign, run_campaign
from darkbelle.samples.efficiency.maps import EfficiencyMap
from darkbelle.samples.efficiency.selecting import EventColumns, selection_of
from darkbelle.samples.efficiency.sums import VariedSums
from darkbelle.samples.files.merging import merge
from tests.samples.flying import card, write

FOUND = "has_b_tracks.k_plus_mumu"
FAR = f"{FOUND} and b_tracks_flight_xy.k_plus_mumu > 0.1"
SHIFT = {"up": 1.3, "down": 0.8}


def vary(path: Path, name: str, *, correlated: bool) -> None:
    """Add a variation by weights, of events with a candidate, and one by a shift of its flight."""
    with h5py.File(path, "r+") as file:
        n_columns = file["events/has_b_tracks"].attrs["names"].split(", ").index("k_plus_mumu")
        has_one = file["events/has_b_tracks"][:, n_columns].astype(bool)
        flight = file["events/b_tracks_flight_xy"][()]
        said = {"systematic": name, "correlated": correlated, "source": "nobody"}
        for way, factor in {"up": 1.1, "down": 0.95}.items():
            weights = np.where(has_one, factor, 1.0).astype("f4")
            file[f"weights/{name}_{way}"] = weights
            file[f"weights/{name}_{way}"].attrs.update(said)
            where = f"variations/scale_{way}/events/b_tracks_flight_xy"
            file[where] = (SHIFT[way] * flight).astype("f4")
            file[where].attrs.update(said | {"systematic": "scale", "correlated": False})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two samples of one point, one of another mass, and one of Belle, in its own folder."""
    folder = tmp_path_factory.mktemp("efficiencies")
    (folder / "belle").mkdir()
    parameters = {"ctau": (0.01, 100.0)}
    write(folder / "a.h5", "b-to-k-scalar", parameters | {"mass": 1.0}, n=1500)
    write(folder / "b.h5", "b-to-k-scalar", parameters | {"mass": 1.0}, n=1000, seed=2)
    write(folder / "c.h5", "b-to-k-scalar", parameters | {"mass": 2.0}, n=800)
    scalars = parameters | {"mass": 2.0}
    write(folder / "belle/d.h5", "b-to-k-scalar", scalars, n=800, experiment="belle")
    for name in ("a", "b", "c", "belle/d"):
        vary(folder / f"{name}.h5", "tracking", correlated=True)
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> Sample:
    return open_sample(folder / "a.h5")


# ---- columns and selections ----------------------------------------------------------------------


def test_columns_of_events(first: Sample):
    columns = EventColumns(first)
    assert np.array_equal(columns("n_tracks"), np.diff(first.column("tracks", "offsets")))
    assert np.array_equal(columns("weight"), first.column("events", "weight"))
    assert columns("has_b_tracks", "k_plus_mumu").dtype == bool
    flight = columns("decay_length"), columns("proper_length"), columns("momentum")
    np.testing.assert_allclose(flight[0], flight[1] * flight[2] / 1.0, rtol=1e-5)
    assert np.all(columns("decay_radius") >= 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_track == 2", "events have no column 'n_track', did you mean 'n_tracks'?"),
        ("has_b_tracks", "'has_b_tracks' must be one of has_b_tracks.k_plus_ee, "),
        ("has_b_tracks.ee", "'has_b_tracks' must be one of has_b_tracks.k_plus_ee, "),
        ("weight.x > 1", "'weight' must be one of weight itself"),
        ("decay_radius_hp > 1", "events have no column 'decay_radius_hp', did you mean"),
        ("n_tracks + 1", "must say true or false of each of the 1500 events (got float64"),
    ],
)
def test_selections_that_cannot_be(text: str, message: str, folder: Path):
    with pytest.raises(ConfigError) as caught:
        efficiency_map(folder / "a.h5", text)
    assert message in str(caught.value)


def test_columns_of_two_particles_and_of_none(tmp_path: Path):
    """Of chi2 and h' apart; an event without such a particle has no flight."""
    parameters = {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5, "ctau": 3, "ctau_hp": 0.1}
    sample, _ = write(tmp_path / "x.h5", "inelastic-dark-matter", parameters, n=300)
    columns = EventColumns(sample)
    assert columns("proper_length").mean() == pytest.approx(3, rel=0.3)
    assert columns("proper_length_hp").mean() == pytest.approx(0.1, rel=0.3)
    gun, _ = write(tmp_path / "gun.h5", "particle-gun", {"p": 1.0}, n=5)
    with pytest.raises(ConfigError, match="no column 'decay_radius'"):
        EventColumns(gun)("decay_radius")


def test_a_function_of_a_file(folder: Path, tmp_path: Path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import awkward as ak\n"
        "def two(sample):\n    return ak.num(sample.tracks) == 2\n"
        "def wrong(sample):\n    return sample.nothing\n"
    )
    found = efficiency_map(folder / "a.h5", f"{file}:two")
    assert found["n_pass"] == pytest.approx(
        efficiency_map(folder / "a.h5", "n_tracks == 2")["n_pass"]
    )
    assert found["selection"][0] == f"{file}:two"
    with pytest.raises(ConfigError, match="has no function 'tow', did you mean 'two'"):
        selection_of(f"{file}:tow")
    with pytest.raises(ConfigError, match="the selection fails: AttributeError: "):
        efficiency_map(folder / "a.h5", f"{file}:wrong")
    with pytest.raises(ConfigError, match=r"there is no file 'none\.py'"):
        selection_of("none.py:two")
    file.write_text("import nothing_of_that_name\n")
    with pytest.raises(ConfigError, match="fails to load: ModuleNotFoundError"):
        selection_of(f"{file}:two")


# ---- sums ----------------------------------------------------------------------------------------


def test_a_sample_as_it_is(first: Sample, folder: Path):
    found = efficiency_map(folder / "a.h5", FAR, coverage=0.9)
    flight = EventColumns(first)("b_tracks_flight_xy", "k_plus_mumu")
    passed = EventColumns(first)("has_b_tracks", "k_plus_mumu") & (flight > 0.1)
    expected = Efficiency.of(passed, weight=first.column("events", "weight"), coverage=0.9)
    assert len(found) == 1
    for name in ("n_pass", "n_total", "eff", "eff_lo", "eff_hi"):
        assert found[name][0] == pytest.approx(getattr(expected, name), rel=1e-9)
    assert (found["mass"][0], found["ctau"][0], found["n_events"][0]) == (1.0, 100.0, 1500)
    assert found["kaon"][0] == "K+"
    assert "isr" not in found.columns
    none = efficiency_map(folder / "a.h5", "n_tracks > 99")
    other = Efficiency.of(np.zeros(1500, bool), weight=first.column("events", "weight"))
    assert none["eff_hi"][0] == pytest.approx(other.eff_hi, rel=1e-9)
    assert none["eff_stat"][0] == pytest.approx(other.eff_hi / 2, rel=1e-9)
    one = efficiency_map(folder / "a.h5", FAR)
    assert one["eff_stat"][0] == pytest.approx((one["eff_hi"] - one["eff_lo"])[0] / 2, rel=0.1)


def test_triggers(first: Sample, folder: Path):
    weight = first.column("events", "weight")
    both = ["ffo", "cdcklm1"]
    for trigger, lines in (("physics", None), (" ffo, cdcklm1", both), (both, both)):
        found = efficiency_map(folder / "a.h5", "n_tracks > 1", trigger=trigger)
        passed = first.fired(lines) & (np.diff(first.column("tracks", "offsets")) > 1)
        assert found["n_pass"][0] == pytest.approx(weight[passed].sum())
        assert found["trigger"][0] == ("physics" if lines is None else "ffo,cdcklm1")
    with pytest.raises(ConfigError, match="has no line 'ffx'"):
        efficiency_map(folder / "a.h5", "n_tracks > 1", trigger="ffx")
    with pytest.raises(
        ConfigError, match=r"has no line .qqqqq., known: .* and \d+ more, cf\. dark"
    ):
        efficiency_map(folder / "a.h5", "n_tracks > 1", trigger="qqqqq")


def test_lifetimes_and_bins(first: Sample, folder: Path):
    """Rows run over lifetimes, then bins; an event outside of all of them counts nowhere."""
    edges = [0.0, 1.0, 10.0]
    found = efficiency_map(folder / "a.h5", FOUND, ctau=[0.3, 3.0], axes={"decay_radius": edges})
    assert found["ctau"].tolist() == [0.3, 0.3, 3.0, 3.0]
    assert found["decay_radius_lo"].tolist() == [0, 1, 0, 1]
    assert found["decay_radius_hi"].tolist() == [1, 10, 1, 10]
    assert found.varying == ("ctau", "decay_radius_lo", "decay_radius_hi")
    radius = EventColumns(first)("decay_radius")
    weight = first.column("events", "weight") * lifetime_weights(first, ctau=3.0)
    inside = (radius >= 1) & (radius < 10)
    assert found["n_total"][3] == pytest.approx(weight[inside].sum())
    assert found["n_events"][3] == inside.sum()
    passed = inside & EventColumns(first)("has_b_tracks", "k_plus_mumu")
    assert found["n_pass"][3] == pytest.approx(weight[passed].sum())


def test_two_axes_and_bins_of_what_may_be_nan(first: Sample, folder: Path):
    for axis in ("b_tracks_flight_xy", "abs(", "nothing"):
        with pytest.raises(ConfigError, match=axis.rstrip("(")):
            efficiency_map(folder / "a.h5", FOUND, axes={"n_tracks": [0, 3, 9], axis: [0, 1]})
    found = efficiency_map(
        folder / "a.h5", FOUND, axes={"n_tracks": [0, 3, 9], "decay_radius": [0, 1, 5]}
    )
    assert len(found) == 4
    n, radius = np.diff(first.column("tracks", "offsets")), EventColumns(first)("decay_radius")
    inside = (n >= 3) & (n < 9) & (radius < 1)
    assert found["n_events"][2] == inside.sum()


def test_parts_of_a_point_are_added_up(folder: Path):
    apart = [efficiency_map(folder / f"{name}.h5", FAR, ctau=[1.0]) for name in "ab"]
    both = efficiency_map([folder / "a.h5", folder / "b.h5"], FAR, ctau=[1.0])
    assert len(both) == 1
    for name in ("n_events", "n_pass", "n_total"):
        assert both[name][0] == pytest.approx(sum(one[name][0] for one in apart))
    assert both["eff_stat"][0] < min(one["eff_stat"][0] for one in apart)


def test_the_same_events_are_not_counted_twice(folder: Path, tmp_path: Path):
    """A copy, and the first chunks of a longer run."""
    shutil.copy(folder / "a.h5", tmp_path / "copy.h5")
    with pytest.raises(MergeError, match=r"'.*a\.h5' is named twice"):
        efficiency_map([folder / "a.h5"] * 2, FAR)
    with pytest.raises(MergeError, match=r"'.*a\.h5' and '.*copy\.h5' both hold the same events"):
        efficiency_map([folder / "a.h5", tmp_path / "copy.h5"], FAR)
    short = Run(ParticleGun(p=1.0), card(), seed=1, chunk_size=8)
    for n in (10, 20):
        produce(short, tmp_path / f"{n}.h5", n_events=n)
    produce(replace(short, seed=2), tmp_path / "other.h5", n_events=10)
    with pytest.raises(MergeError, match="both hold chunk 0 of seed 1, point 0"):
        efficiency_map([tmp_path / "10.h5", tmp_path / "20.h5"], "n_tracks == 1")
    merge([tmp_path / "10.h5", tmp_path / "other.h5"], tmp_path / "merged.h5")
    with pytest.raises(MergeError, match="both hold chunk 0 of seed 1, point 0"):
        efficiency_map([tmp_path / "merged.h5", tmp_path / "20.h5"], "n_tracks == 1")
    found = efficiency_map([tmp_path / "20.h5", tmp_path / "other.h5"], "n_tracks == 1")
    assert found["n_events"].tolist() == [30]


def test_a_merged_file_of_events_without_streams(folder: Path, tmp_path: Path):
    """Its two parts are not the same events, and those of either are in it."""
    for seed in (1, 2):
        write(tmp_path / f"{seed}.h5", "particle-gun", {"p": 1.0}, n=20, seed=seed)
    merge([tmp_path / "1.h5", tmp_path / "2.h5"], tmp_path / "both.h5")
    found = efficiency_map(tmp_path / "both.h5", "n_tracks == 1")
    apart = efficiency_map([tmp_path / "1.h5", tmp_path / "2.h5"], "n_tracks == 1")
    assert found["n_events"].tolist() == apart["n_events"].tolist() == [40]
    assert found["n_pass"] == apart["n_pass"]
    with pytest.raises(MergeError, match="both hold the same events"):
        efficiency_map([tmp_path / "2.h5", tmp_path / "both.h5"], "n_tracks == 1")


def test_events_with_and_without_variations_are_the_same(tmp_path: Path):
    """Other ones of that point are no row of their own either."""
    plain = Run(ParticleGun(p=1.0), card(), seed=1, chunk_size=8)
    varied = replace(plain, systematics=("tracking",))
    for name, one in {"plain": plain, "varied": varied, "other": replace(varied, seed=2)}.items():
        produce(one, tmp_path / f"{name}.h5", n_events=10)
    with pytest.raises(MergeError, match="both hold chunk 0 of seed 1, point 0"):
        efficiency_map([tmp_path / "plain.h5", tmp_path / "varied.h5"], "n_tracks == 1")
    with pytest.raises(ConfigError, match="has other systematic variations than"):
        efficiency_map([tmp_path / "plain.h5", tmp_path / "other.h5"], "n_tracks == 1")


def test_a_folder_is_all_that_it_holds(folder: Path, tmp_path: Path):
    found = efficiency_map([folder, folder / "belle"], FAR, ctau={"ctau": [0.1, 1.0]})
    assert found["mass"].tolist() == [1.0, 1.0, 2.0, 2.0, 2.0, 2.0]
    assert found["experiment"].tolist() == ["belle2"] * 4 + ["belle"] * 2
    with pytest.raises(ConfigError, match="holds no samples"):
        efficiency_map(tmp_path, FAR)
    with pytest.raises(ConfigError, match="no samples: name a file or a folder"):
        efficiency_map([], FAR)


def test_a_campaign_is_what_its_manifest_names(tmp_path: Path):
    """Not what lies about beside it."""
    campaign = Campaign(
        process="particle-gun",
        experiments=["belle", "belle2"],
        events=20,
        seed=1,
        grid={"p": [0.5, 1.0]},
    )
    run_campaign(campaign, tmp_path / "dir")
    (tmp_path / "dir/belle2/stray.h5").write_text("no sample")
    found = efficiency_map(tmp_path / "dir", "n_tracks == 1")
    assert found["experiment"].tolist() == ["belle", "belle", "belle2", "belle2"]
    assert found["n_events"].tolist() == [20] * 4
    assert found.varying == ("experiment", "p")
    assert found["p"].tolist() == [0.5, 1.0] * 2
    one = efficiency_map(tmp_path / "dir/belle2", "n_tracks == 1", trigger="ffo")
    assert one["experiment"].tolist() == ["belle2"] * 2
    assert one["p"].tolist() == [0.5, 1.0]
    message = r"'.*dir/belle/0000\.h5': the trigger of belle has no line 'ffo'.* as DIR/belle2\)"
    with pytest.raises(ConfigError, match=message):
        efficiency_map(tmp_path / "dir", "n_tracks == 1", trigger="ffo")


def test_a_scan_of_masses_is_a_line(tmp_path: Path):
    """The lifetime of the model varies along, and is no coordinate unless it is asked for."""
    bare = {"decay": "mumu", "isr": False, "fsr": False}
    for mass in (0.5, 1.0, 2.0):
        sample, _ = write(tmp_path / f"{mass}.h5", "mumu-zprime", bare | {"mass": mass}, n=50)
    found = efficiency_map(tmp_path, "n_tracks > 2")
    assert found.varying == ("mass",)
    assert "ctau" not in found.columns
    assert 0 < found.interpolate(mass=1.23).eff < 1
    (axis,) = found.draw().axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("mass [GeV]", "efficiency")
    of_the_model = sample.process.long_lived["ctau"].decay.ctau
    asked = efficiency_map(sample.path, "n_tracks > 2", ctau=[of_the_model], least_effective=0)
    assert asked["ctau"].tolist() == [of_the_model]
    assert asked["eff"] == pytest.approx(found["eff"][-1:])


def test_too_few_effective_events_of_all_parts(folder: Path):
    """Together they have as many as they need."""
    files = [folder / "a.h5", folder / "b.h5"]
    with pytest.raises(ConfigError, match=r"at ctau = 1 cm it is worth \d+ events, fewer than 800"):
        efficiency_map(files[0], FAR, ctau=[1.0], least_effective=800)
    assert efficiency_map(files, FAR, ctau=[1.0], least_effective=800)["n_events"][0] == 2500
    with pytest.raises(ConfigError, match="and 1 more of that point: at ctau = 1e-05 cm"):
        efficiency_map(files, FAR, ctau=[1e-5])


def test_no_events(tmp_path: Path):
    write(tmp_path / "x.h5", "b-to-k-scalar", {"mass": 1.0, "ctau": (0.1, 1.0)}, n=0)
    found = efficiency_map(tmp_path / "x.h5", FAR, ctau=[0.3], axes={"decay_radius": [0, 1]})
    assert found["n_total"][0] == 0
    assert np.isnan(found["eff"][0])
    assert (found["eff_lo"][0], found["eff_hi"][0]) == (0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coverage": 2.0}, "coverage must lie between 0 and 1"),
        ({"coverage": np.nan}, "coverage must lie between 0 and 1"),
        ({"least_effective": np.nan}, "number of effective events must be 0 or more, and finite"),
        ({"least_effective": np.inf}, "number of effective events must be 0 or more, and finite"),
    ],
)
def test_bad_numbers_are_refused_before_any_file_is_read(options: dict[str, float], message: str):
    with pytest.raises(ConfigError, match=message):
        efficiency_map("there/is/none.h5", FAR, ctau=[1.0], **options)


def test_a_card_is_read_once(folder: Path):
    with open_sample(folder / "a.h5") as one, open_sample(folder / "c.h5") as other:
        assert one.experiment is other.experiment


def test_progress_is_told(folder: Path):
    told: list[Any] = []
    files = [folder / "a.h5", folder / "b.h5", folder / "c.h5"]
    efficiency_map(files, FAR, progress=lambda *what: told.append(what) or told.append)
    assert told == [("samples", 3), 1, 1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ctau": None}, "ctau: needs numbers (got None)"),
        ({"ctau": ["a"]}, "ctau: needs numbers (got ['a'])"),
        ({"ctau": {"ctau_hp": [[1.0], [1.0, 2.0]]}}, "ctau_hp: needs numbers (got [["),
        ({"ctau": {"ctau": []}}, "ctau: no lifetimes to reweight to"),
        ({"axes": {"n_tracks": "ab"}}, "axis n_tracks: needs numbers (got 'ab')"),
        ({"axes": {"n_tracks": 3}}, "axis n_tracks: needs two or more rising edges (got [3.0])"),
        ({"axes": [0, 1]}, "axes: needs edges by names, as {'n_tracks': [0, 2, 4]} (got [0, 1])"),
        ({"trigger": 3}, "lines must be a name or a list of names (got 3)"),
        ({"trigger": ["ffo", 3]}, "lines must be a name or a list of names (got ['ffo', 3])"),
        ({"trigger": ""}, "trigger: needs none, physics or names of lines (got '')"),
        ({"trigger": "ffo,"}, "trigger: needs none, physics or names of lines (got 'ffo,')"),
        ({"trigger": "physics, ffo"}, "physics stands alone, without lines (got 'physics, ffo')"),
        ({"trigger": ["none", "ffo"]}, "none stands alone, without lines (got ['none', 'ffo'])"),
    ],
)
def test_questions_that_cannot_be_asked(options: dict[str, Any], message: str):
    """They are refused before any file is read."""
    with pytest.raises(ConfigError) as caught:
        efficiency_map("there/is/none.h5", FAR, **options)
    assert message in str(caught.value)


def test_one_lifetime_needs_no_list(folder: Path):
    expected = efficiency_map(folder / "a.h5", FAR, ctau=[1.0])
    for one in (1, 1.0, np.float64(1), np.array([1]), {"ctau": 1.0}):
        assert efficiency_map(folder / "a.h5", FAR, ctau=one)["eff"] == expected["eff"]


@pytest.mark.parametrize("edges", [[1.0], [2.0, 1.0], [1.0, np.nan], [1.0, 1.0]])
def test_edges_must_rise(edges: list[float], folder: Path):
    with pytest.raises(ConfigError, match="axis decay_radius: needs two or more rising edges"):
        efficiency_map(folder / "a.h5", FAR, axes={"decay_radius": edges})


# ---- systematic errors ---------------------------------------------------------------------------


def test_variations_are_worlds_of_their_own(folder: Path, first: Sample):
    """What passes over what there is, less what weights of mean one add to all by chance."""
    found = efficiency_map(folder / "a.h5", FAR, ctau=[0.3])
    assert found.systematics == ("tracking", "scale")
    flight = EventColumns(first)("b_tracks_flight_xy", "k_plus_mumu")
    has_one = EventColumns(first)("has_b_tracks", "k_plus_mumu")
    weight = first.column("events", "weight") * lifetime_weights(first, ctau=0.3)
    passed = flight > 0.1
    for way, factor in {"up": 1.1, "down": 0.95}.items():
        added = np.where(has_one, factor - 1, 0.0) * weight
        share = (added**2)[passed].sum() / (added**2).sum()
        expected = ((weight + added)[passed].sum() - share * added.sum()) / weight.sum()
        assert found[f"eff_tracking_{way}"][0] == pytest.approx(expected, rel=1e-5)
    for way, factor in SHIFT.items():
        expected = weight[factor * flight > 0.1].sum() / weight.sum()
        assert found[f"eff_scale_{way}"][0] == pytest.approx(expected, rel=1e-4)
    shifts = found.shifts("tracking")[0], found.shifts("scale")[0]
    assert found["eff_syst"][0] == pytest.approx(np.hypot(*shifts))
    assert found["correlated"][0] == "tracking"


@pytest.mark.parametrize("tied", [0.0, 0.5, 1.0])
def test_weights_of_mean_one_shift_efficiencies_without_needless_noise(tied: float):
    """Right on average, and quieter than over the nominal or the varied sum of weights.

    Of 99 % of the events a particle is found; some of what passes needs it, ``tied`` of it.
    """
    rng = np.random.default_rng(3)
    found = rng.random((500, 2000)) < 0.99
    passed = np.where(rng.random(found.shape) < tied, found, True) & (rng.random(found.shape) < 0.6)
    added = np.where(found, 0.005, -0.005 * 0.99 / 0.01)
    shifts = []
    for kept, more in zip(passed, added, strict=True):
        sums = VariedSums(
            np.array([(1 + more)[kept].sum(), (1 + more).sum()]).reshape(2, 1, 1),
            np.array([(more**2)[kept].sum(), (more**2).sum()]).reshape(2, 1, 1),
            np.array([more.sum(), (more**2).sum()]).reshape(2, 1),
        )
        nominal = kept.mean()
        over_nominal = (1 + more)[kept].mean() * nominal - nominal
        over_varied = (1 + more)[kept].sum() / (1 + more).sum() - nominal
        shifts.append((sums.efficiencies()[0, 0] - nominal, over_nominal, over_varied))
    mean, spread = np.mean(shifts, axis=0)[0], np.std(shifts, axis=0)
    assert mean == pytest.approx(0.6 * 0.99 * tied * 0.005, abs=4 * spread[0] / np.sqrt(500))
    assert spread[0] < 1.02 * min(spread[1:])
    assert spread[0] < 0.9 * max(spread[1:])


@pytest.fixture(scope="module")
def triggered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample with both errors of the trigger."""
    path = tmp_path_factory.mktemp("triggered") / "x.h5"
    names = ("trigger_l1", "trigger_hlt", "tracking")
    of = find_process("b-to-k-scalar")(mass=1.0, ctau=0.1)
    produce(Run(of, card(), seed=1, chunk_size=512, systematics=names), path, n_events=400)
    return path


@pytest.mark.parametrize(
    ("trigger", "errors"),
    [
        ("none", {"tracking"}),
        ("physics", {"tracking", "trigger_l1", "trigger_hlt"}),
        ("ffo,hie", {"tracking", "trigger_l1"}),
    ],
)
def test_the_error_of_a_trigger_is_of_what_is_asked(
    trigger: str, errors: set[str], triggered: Path
):
    found = efficiency_map(triggered, "n_tracks > 1", trigger=trigger)
    assert set(found.systematics) == errors
    assert found["eff_syst"][0] > 0


def test_named_lines_have_errors_of_their_own(triggered: Path):
    """2 % for tracks, 0.5 % for the calorimeter, whatever else fired; the least for either."""
    for lines, low, high in (("ffo", 0.02, 0.02), ("hie", 0.005, 0.005), ("ffo,hie", 0.005, 0.02)):
        found = efficiency_map(triggered, "n_tracks > 1", trigger=lines)
        shift = found.shifts("trigger_l1")[0] / found["eff"][0]
        assert low - 1e-9 <= shift <= high + 1e-9, lines
    sample = open_sample(triggered)
    several, weight = EventColumns(sample)("n_tracks") > 1, sample.column("events", "weight")
    ffo, hie = (sample.fired(line) & several for line in ("ffo", "hie"))
    expected = weight @ np.where(hie, 1.005, np.where(ffo, 1.02, 0)) / weight.sum()
    assert found["eff_trigger_l1_up"][0] == pytest.approx(expected, rel=1e-9)
    assert 0 < hie.sum() < (ffo | hie).sum()


def test_shifts_move_events_between_bins(folder: Path, first: Sample):
    """The flight is the axis: a bin has what passes and what there is where events moved to."""
    axis, edges = "b_tracks_flight_xy.k_plus_mumu", [0.0, 1.0, 10.0]
    found = efficiency_map(folder / "a.h5", "decay_radius < 0.9", axes={axis: edges})
    assert found[f"{axis}_lo"].tolist() == [0, 1]
    flight = EventColumns(first)("b_tracks_flight_xy", "k_plus_mumu")
    weight, is_near = first.column("events", "weight"), EventColumns(first)("decay_radius") < 0.9
    for way, factor in SHIFT.items():
        passed, _ = np.histogram((factor * flight)[is_near], edges, weights=weight[is_near])
        moved, _ = np.histogram(factor * flight, edges, weights=weight)
        assert found[f"eff_scale_{way}"] == pytest.approx(passed / moved, rel=1e-4)
    everything = efficiency_map(folder / "a.h5", FOUND, axes={axis: edges})
    assert np.all(everything["eff_syst"] < 1e-9)


def test_lifetimes_of_a_sample_share_its_events(folder: Path, first: Sample, tmp_path: Path):
    """Covariance by its definition; rows of other bins and samples are independent."""
    ctaus, edges = [0.3, 0.4, 30.0], [0.0, 1.0, 10.0]
    files = [folder / "a.h5", folder / "c.h5"]
    found = efficiency_map(files, FAR, ctau=ctaus, axes={"decay_radius": edges})
    covariance = found.statistical_covariance()
    assert np.diag(covariance) == pytest.approx(found["eff_stat"] ** 2)
    radius, weight = EventColumns(first)("decay_radius"), first.column("events", "weight")
    inside = (radius >= 1) & (radius < 10)
    flight = EventColumns(first)("b_tracks_flight_xy", "k_plus_mumu")
    passed = flight[inside] > 0.1
    own = np.stack([(weight * lifetime_weights(first, ctau=c))[inside] for c in ctaus])
    eff = own @ passed / own.sum(axis=1)
    terms = own * (passed - eff[:, None]) / own.sum(axis=1)[:, None]
    np.testing.assert_allclose(covariance[1:6:2, 1:6:2], terms @ terms.T, rtol=1e-6)
    assert np.all(covariance[0:6:2, 1:6:2] == 0)
    assert np.all(covariance[:6, 6:] == 0)
    assert covariance[1, 3] > 0.95 * np.sqrt(covariance[1, 1] * covariance[3, 3])
    assert np.linalg.eigvalsh(covariance).min() > -1e-12
    for ending in ("csv", "h5"):
        found.write(tmp_path / f"x.{ending}")
        again = EfficiencyMap.read(tmp_path / f"x.{ending}").take(np.array([9, 3, 1, 5]))
        expected = covariance[np.ix_([9, 3, 1, 5], [9, 3, 1, 5])]
        np.testing.assert_array_equal(again.statistical_covariance(), expected)
    # Between two lifetimes it is no better known than at either.
    one = found.where(mass=1.0, decay_radius_lo=1.0, ctau=(0.3, 0.4))
    between = one.interpolate(ctau=0.35)
    assert between.stat == pytest.approx(one["eff_stat"].mean(), rel=0.03)


def test_lifetimes_where_nothing_passes_go_along(folder: Path):
    found = efficiency_map(folder / "a.h5", "n_tracks > 99", ctau=[0.3, 0.4])
    stat = found["eff_stat"]
    np.testing.assert_allclose(found.statistical_covariance(), np.outer(stat, stat))


def test_covariance(folder: Path):
    """Within an experiment all goes together, between experiments what says so."""
    found = efficiency_map([folder, folder / "belle"], FAR, ctau=[1.0])
    tracking, scale = found.shifts("tracking"), found.shifts("scale")
    expected = np.outer(tracking, tracking) + np.diag(found["eff_stat"] ** 2)
    expected[:2, :2] += np.outer(scale, scale)[:2, :2]
    expected[2, 2] += scale[2] ** 2
    np.testing.assert_allclose(found.covariance(), expected, rtol=1e-12)
    assert np.linalg.eigvalsh(found.covariance()).min() > 0


def test_samples_of_a_point_must_carry_the_same(folder: Path, tmp_path: Path):
    shutil.copy(folder / "b.h5", tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        del file["weights"]
    with pytest.raises(ConfigError, match="has other systematic variations than"):
        efficiency_map([folder / "a.h5", tmp_path / "b.h5"], FAR)


def test_rows_without_variations(folder: Path, tmp_path: Path):
    """Another point may carry none; its shifts are zero."""
    write(tmp_path / "x.h5", "b-to-k-scalar", {"mass": 1.5, "ctau": 1.0}, n=200)
    found = efficiency_map([folder / "a.h5", tmp_path / "x.h5"], FAR)
    assert np.isnan(found["eff_tracking_up"][1])
    assert found.shifts("tracking")[1] == 0
    assert np.all(np.isfinite(found.covariance()))
    assert found["correlated"].tolist() == ["tracking", ""]


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_writes_what_python_finds(run: Any, folder: Path, tmp_path: Path):
    folders = [folder, folder / "belle"]
    options = ("--ctau", "0.1,1", "--axis", "decay_radius:0,1,10", "--trigger", "physics")
    status, out, err = run(
        *("efficiency", *map(str, folders), "--selection", FAR, *options),
        *("-o", "eff.csv", "--plot", "eff.png", "--coverage", "0.9"),
    )
    assert status == 2
    assert "mass" in err
    assert "a picture has two axes" in err
    expected = efficiency_map(
        folders,
        FAR,
        trigger="physics",
        ctau=[0.1, 1],
        axes={"decay_radius": [0, 1, 10]},
        coverage=0.9,
    )
    found = EfficiencyMap.read(tmp_path / "eff.csv")
    for name, values in expected.columns.items():
        np.testing.assert_array_equal(found[name], values)
    status, out, err = run(
        *("efficiency", str(folder / "a.h5"), "--selection", FAR, "--ctau", "ctau=0.1,1"),
        *("-o", "eff.h5", "--plot", "eff.png"),
    )
    assert (status, out) == (0, "eff.h5: 2 rows\n"), err
    assert (tmp_path / "eff.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "eff.txt"), "'eff.txt': tables are kept as .csv or .h5"),
        (("-o", "no/eff.csv"), "there is no folder"),
        (("-o", "e.csv", "--plot", "e.csv"), "'e.csv': pictures are written as png, pdf, svg"),
        (("-o", "e.csv", "--plot", "no/e.png"), "there is no folder"),
        (("-o", "e.csv", "--least-effective", "nan"), "effective events must be 0 or more"),
        (("-o", "e.csv", "--axis", "weight:0,1", "--axis", "weight:0,2"), "are given twice"),
        (("-o", "e.csv", "--ctau", "0.1;1"), "--ctau 0.1;1: needs numbers with commas between"),
        (("-o", "e.csv", "--ctau", "1", "--ctau", "ctau=2"), "of ctau are given twice"),
        (("-o", "e.csv", "--trigger", ""), "trigger: needs none, physics or names of lines"),
        (("-o", "e.csv", "--ctau", "ctau_hp=1"), "has no lifetime 'ctau_hp'"),
        (("-o", "e.csv", "--axis", "0,1"), "--axis 0,1: must read NAME:NUMBER,NUMBER,..."),
        (("-o", "e.csv", "--axis", "radius:0,1"), "no column 'radius'"),
        (("-o", "e.csv", "--coverage", "1.5"), "coverage must lie between 0 and 1"),
        (("-o", "e.csv", "--trigger", "fg"), "has no line 'fg'"),
    ],
)
def test_bad_options(
    options: tuple[str, ...], message: str, run: Any, folder: Path, tmp_path: Path
):
    status, _, err = run("efficiency", str(folder / "a.h5"), "--selection", FAR, *options)
    assert (status, len(err.splitlines())) == (2, 1)
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_overwritten(run: Any, folder: Path, tmp_path: Path):
    (tmp_path / "e.csv").write_text("mine")
    command = ("efficiency", str(folder / "a.h5"), "--selection", FAR, "-o", "e.csv")
    status, _, err = run(*command)
    assert status == 2
    assert "exists already" in err
    assert (tmp_path / "e.csv").read_text() == "mine"
    assert run(*command, "--force")[0] == 0


def test_a_sample_is_not_overwritten_by_its_table(run: Any, folder: Path, tmp_path: Path):
    shutil.copy(folder / "c.h5", tmp_path / "c.h5")
    before = (tmp_path / "c.h5").read_bytes()
    status, _, err = run("efficiency", "c.h5", "--selection", FAR, "-o", "c.h5", "--force")
    assert status == 2
    assert "is a sample, or named twice" in err
    assert (tmp_path / "c.h5").read_bytes() == before


@pytest.mark.parametrize(("ending", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_pictures_are_what_their_endings_say(
    ending: str, start: bytes, run: Any, folder: Path, tmp_path: Path
):
    status, _, err = run(
        *("efficiency", str(folder / "a.h5"), "--selection", FAR, "--ctau", "0.1,1"),
        *("-o", "e.csv", "--plot", f"e.{ending}"),
    )
    assert status == 0, err
    assert (tmp_path / f"e.{ending}").read_bytes().startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.csv", f"e.{ending}"]
