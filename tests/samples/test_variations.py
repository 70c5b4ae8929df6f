"""Samples with the variations of systematic errors: written, read, told, left alone."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import h5py
import numpy as np
import pytest

from darkbelle import detsim, geometry, samples
from darkbelle.errors import ConfigError, SampleFormatError
from darkbelle.gen.processes import find_process
from darkbelle.samples.files.variations import VariationKind

EXPERIMENT = geometry.load("belle2", ["systematics.tracking.relative=[0.1, 0.1]"])
PROCESS = find_process("mumu-zprime")(mass=2.0, decay="mumu")
CHOSEN = ("tracking", "trigger_l1", "momentum_scale", "photon_energy_scale")
N_EVENTS = 300


def produce(path: Path, n_events: int, *systematics: str) -> Path:
    run_ = samples.Run(PROCESS, EXPERIMENT, 1, systematics=systematics, chunk_size=N_EVENTS)
    samples.produce(run_, path, n_events=n_events)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return produce(tmp_path_factory.mktemp("varied") / "x.h5", N_EVENTS, *CHOSEN)


@pytest.fixture
def sample(path: Path) -> samples.Sample:
    return samples.open(path)


def test_variations_are_found_with_what_they_are(sample: samples.Sample):
    names = {f"{name}_{direction}" for name in CHOSEN for direction in ("up", "down")}
    assert set(sample.variations) == names
    assert sample.attributes["systematics"] == ", ".join(CHOSEN)
    up = sample.variations["tracking_up"]
    assert (up.name, up.systematic, up.kind) == ("tracking_up", "tracking", VariationKind.WEIGHT)
    assert up.correlated is False
    assert up.source == EXPERIMENT.systematics["tracking"].source
    scale = sample.variations["momentum_scale_down"]
    assert (scale.kind, scale.correlated) == (VariationKind.SHIFT, True)


def test_nothing_nominal_changes(path: Path, tmp_path: Path):
    plain = produce(tmp_path / "plain.h5", N_EVENTS)
    with h5py.File(plain) as before, h5py.File(path) as after:
        assert set(after) - set(before) == {"weights", "variations"}
        for group in before.values():
            for column in group.values() if isinstance(group, h5py.Group) else ():
                assert column[()].tobytes() == after[column.name][()].tobytes()
        differing = {name for name in after.attrs if after.attrs[name] != before.attrs.get(name)}
        assert differing == {"systematics", "config_sha256", "sha256"}
    assert samples.open(plain).variations == {}


def test_weights_multiply_the_nominal_ones(sample: samples.Sample):
    factor = sample.column("weights", "tracking_up")
    varied = sample.varied("tracking_up")
    assert len(set(factor)) > 3
    assert varied.events.weight.to_numpy() == pytest.approx(sample.events.weight * factor)
    assert varied.column("events", "weight") == pytest.approx(varied.events.weight)
    blocks = np.concatenate([rows for _, rows in varied.blocks("events", "weight")])
    assert (blocks == varied.column("events", "weight")).all()
    assert ak.almost_equal(varied.tracks.pt, sample.tracks.pt)
    assert ak.all(sample.events.weight == 1)


def test_shifted_collections_lie_over_the_nominal_ones(sample: samples.Sample):
    nominal_pt = sample.tracks.pt  # read before: must not be found again
    varied = sample.varied("momentum_scale_up")
    assert ak.almost_equal(varied.tracks.pt / nominal_pt, 1.0003 * ak.ones_like(nominal_pt))
    assert ak.all(varied.tracks.truth_index == sample.tracks.truth_index)
    assert len(varied.vertices) == len(sample)
    assert ak.all(varied.events.event_id == sample.events.event_id)
    names = [n for n in sample.events.fields if n.startswith(("mass", "recoil"))]
    assert any(ak.any(varied.events[n] != sample.events[n]) for n in names)
    assert (varied.events.weight == sample.events.weight).to_numpy().all()
    assert (varied.trigger.l1.ffy == sample.trigger.l1.ffy).to_numpy().all()
    assert varied.trigger.physics.to_numpy().shape == sample.fired().shape == varied.fired().shape


def test_clusters_lie_over_the_nominal_ones(sample: samples.Sample):
    varied = sample.varied("photon_energy_scale_up")
    ratio = ak.flatten(varied.clusters.energy / sample.clusters.energy).to_numpy()
    is_neutral = ak.flatten(sample.clusters.track_index < 0).to_numpy()
    assert ratio[is_neutral] == pytest.approx(1.005)
    assert (ratio[~is_neutral] == 1).all()
    assert ak.all(varied.tracks.pt == sample.tracks.pt)


def test_a_variation_that_is_not_there(sample: samples.Sample):
    with pytest.raises(ConfigError, match="no variation 'tracking', did you mean 'tracking_up'"):
        sample.varied("tracking")


def test_damaged_variations(path: Path, tmp_path: Path):
    copy = tmp_path / "x.h5"
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "a") as file:
        del file["weights/tracking_up"].attrs["systematic"]
    with pytest.raises(SampleFormatError, match="/weights or /variations is damaged"):
        assert samples.open(copy).variations


def test_more_events_keep_the_first_variations(path: Path, tmp_path: Path):
    few = produce(tmp_path / "few.h5", 100, *CHOSEN)
    one, other = samples.open(few), samples.open(path)
    assert (
        one.column("weights", "tracking_up") == other.column("weights", "tracking_up")[:100]
    ).all()
    name = "momentum_scale_up"
    chi2, others = one.varied(name).vertices.chi2, other.varied(name).vertices.chi2[:100]
    np.testing.assert_array_equal(ak.num(chi2), ak.num(others))
    np.testing.assert_array_equal(ak.flatten(chi2), ak.flatten(others))


def test_empty_samples_have_the_columns_of_any_other(path: Path, tmp_path: Path):
    none = produce(tmp_path / "none.h5", 0, *CHOSEN)
    one, other = samples.open(none), samples.open(path)
    assert one.variations == other.variations
    for name in one.variations:
        assert len(one.varied(name).tracks) == 0
        assert one.varied(name).vertices.fields == other.varied(name).vertices.fields


def test_events_made_step_by_step(tmp_path: Path):
    truth = PROCESS.prepare(EXPERIMENT.collider, np.random.default_rng(1)).generate(
        20, np.random.default_rng(2)
    )
    reco = detsim.simulate(
        truth, EXPERIMENT, rng=np.random.default_rng(3), systematics=["photon_energy_scale"]
    )
    samples.write(tmp_path / "x.h5", truth, reco, process=PROCESS, experiment=EXPERIMENT)
    assert len(samples.open(tmp_path / "x.h5").variations) == 2


def test_an_unknown_error_is_refused_before_anything_is_made():
    with pytest.raises(ConfigError, match="no systematic error 'pid'"):
        samples.Run(PROCESS, EXPERIMENT, 1, systematics=("pid",))


# ---- the command line ----------------------------------------------------------------------------

PRODUCE = ("produce", "mumu-zprime", "-p", "mass=2.0", "-n", "5", "--seed", "1", "-o", "x.h5")


def test_all_errors(run, tmp_path):
    assert run(*PRODUCE, "--systematics", "all")[0] == 0
    expected = 2 * len(geometry.load("belle2").systematics)
    assert len(samples.open(tmp_path / "x.h5").variations) == expected


def test_a_sample_tells_its_errors(run, path):
    _, out, _ = run("info", str(path))
    assert f"variations of  {', '.join(CHOSEN)}" in out


def test_an_unknown_error_ends_with_status_2(run, tmp_path):
    for text in (",", "", "tracking,"):
        status, _, err = run(*PRODUCE, "--systematics", text)
        assert status == 2
        assert f"needs names with commas between them (got '{text}')" in err
    status, _, err = run(*PRODUCE, "--systematics", "photon, trakking")
    assert status == 2
    assert "no systematic error 'trakking', did you mean 'tracking'?" in err
    assert not list(tmp_path.iterdir())


def test_errors_are_told_with_their_sources(run):
    _, out, _ = run("experiments", "belle2")
    assert "[systematics.tracking]" in out
    assert "0.30 % a track" in out
