from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from darkbelle import gen, geometry, samples
from darkbelle.detsim import simulate
from darkbelle.errors import ConfigError, KinematicsError, OutputError, WorkerError
from darkbelle.samples.files.hdf5 import SampleWriter
from darkbelle.samples.production import CHUNK_SIZE, ChunkMaker, Run, write_chunks
from darkbelle.samples.workers import in_order
from tests.samples import jobs

EXPERIMENT = geometry.load("belle2")
RUN = Run(gen.MuMuZPrime(mass=2.0), EXPERIMENT, seed=11, chunk_size=256)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def datasets(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, node: found.update({name: node[()]}) if hasattr(node, "dtype") else None
        )
    return found


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    run = replace(RUN, chunk_size=64)
    for workers in (1, 2):
        samples.produce(run, tmp_path / f"{workers}.h5", n_events=270, workers=workers)
    assert sha256(tmp_path / "1.h5") == sha256(tmp_path / "2.h5")


def test_what_workers_cannot_be_sent_is_refused_before_any_starts(tmp_path, monkeypatch):
    class Local(gen.MuMuZPrime):
        """A process that no worker could import."""

    monkeypatch.setattr("darkbelle.samples.workers.ProcessPool", None)
    run = Run(Local(mass=2.0), EXPERIMENT, seed=1)
    with pytest.raises(ConfigError, match=r"cannot be sent to workers \(.*Local.*\): make it of"):
        samples.produce(run, tmp_path / "x.h5", n_events=2 * CHUNK_SIZE, workers=2)
    assert not list(tmp_path.iterdir())


def test_two_seeds_differ_and_one_seed_repeats(tmp_path):
    other = replace(RUN, seed=12)
    for name, run in (("a", RUN), ("b", RUN), ("c", other)):
        samples.produce(run, tmp_path / name, n_events=50)
    assert sha256(tmp_path / "a") == sha256(tmp_path / "b") != sha256(tmp_path / "c")


def test_more_events_keep_the_first_ones(tmp_path):
    """Across a chunk boundary, row by row in every dataset."""
    few, many = 243, 259
    for n_events in (few, many):
        samples.produce(RUN, tmp_path / f"{n_events}.h5", n_events=n_events)
    first, longer = datasets(tmp_path / f"{few}.h5"), datasets(tmp_path / f"{many}.h5")
    assert first.keys() == longer.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, longer[name][: len(values)], err_msg=name)


def test_files_of_some_chunks_hold_the_rows_of_the_whole(tmp_path):
    """The last one cut, in chunks of a run's own size."""
    run = Run(gen.MuMuZPrime(mass=2.0), EXPERIMENT, seed=11, point=3, chunk_size=64)
    samples.produce(run, tmp_path / "whole.h5", n_events=200)
    generator, written = run.prepare(), []
    for first, n_chunks in ((0, 1), (1, 3)):
        make = ChunkMaker(run, generator, 200, first)
        written.append(write_chunks(make, n_chunks, tmp_path / f"{first}.h5"))
    whole, *parts = (datasets(tmp_path / f"{name}.h5") for name in ("whole", 0, 1))
    for name in ("events/event_id", "particles/px", "tracks/helix", "trigger/hlt"):
        joined = np.concatenate([part[name] for part in parts])
        np.testing.assert_array_equal(joined, whole[name], err_msg=name)
    stored = [samples.open(tmp_path / f"{name}.h5").attributes for name in ("whole", 0, 1)]
    assert [a["first_chunk"] for a in stored] == [0, 0, 1]
    assert [a["chunks"] for a in stored] == [4, 1, 3]
    assert [a["n_generated"] for a in stored] == [200, 64, 136]
    for attributes, told in zip(stored[1:], written, strict=True):
        assert attributes["n_stored"] == told.n_events
        assert attributes["sum_w"] == told.sum_w
        assert attributes["sha256"] == told.sha256
    assert {(a["point"], a["chunk_size"]) for a in stored} == {(3, 64)}


def test_a_changed_detector_leaves_the_generated_events_alone(tmp_path):
    coarse = geometry.load("belle2", ["drift_chamber.hit_efficiency=0.5"])
    for name, experiment in (("a", EXPERIMENT), ("b", coarse)):
        samples.produce(replace(RUN, experiment=experiment), tmp_path / name, n_events=100)
    a, b = datasets(tmp_path / "a"), datasets(tmp_path / "b")
    np.testing.assert_array_equal(a["particles/px"], b["particles/px"])
    assert not np.array_equal(a["tracks/n_hits_cdc"], b["tracks/n_hits_cdc"])


def test_luminosity_gives_the_expected_number(tmp_path):
    n_events = samples.produce(RUN, tmp_path / "l.h5", lumi=50_000.0)
    sample = samples.open(tmp_path / "l.h5")
    assert n_events == len(sample) == round(50_000.0 * sample.cross_section.value)
    assert sample.attributes["lumi"] == 50_000.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either a number of events or a luminosity"),
        ({"n_events": 10, "lumi": 1.0}, "either a number of events or a luminosity"),
        ({"n_events": -1}, "must lie between 0"),
        ({"lumi": float("nan")}, "must be positive and finite"),
        ({"lumi": -3.0}, "must be positive and finite"),
        ({"n_events": 10, "workers": 0}, "workers must be positive"),
    ],
)
def test_impossible_amounts_are_refused(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        samples.produce(RUN, tmp_path / "x.h5", **options)
    assert not list(tmp_path.iterdir())


def test_chunks_without_events_are_refused():
    with pytest.raises(ConfigError, match=r"chunk size must be positive \(got 0\)"):
        Run(RUN.process, EXPERIMENT, seed=1, chunk_size=0)


def test_a_gun_has_no_luminosity(tmp_path):
    gun = Run(gen.ParticleGun(p=1.0), EXPERIMENT, seed=1)
    with pytest.raises(ConfigError, match="no cross-section"):
        samples.produce(gun, tmp_path / "x.h5", lumi=1.0)


def test_nothing_remains_of_a_run_that_fails(tmp_path):
    heavy = Run(gen.MuMuZPrime(mass=10.5), EXPERIMENT, seed=1)
    with pytest.raises(KinematicsError, match=r"> 10\.7113 GeV, .*: choose mass < 10\.368 GeV"):
        samples.produce(heavy, tmp_path / "x.h5", n_events=10)
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_unless_forced(tmp_path):
    target = tmp_path / "x.h5"
    target.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        samples.produce(RUN, target, n_events=10)
    assert target.read_text() == "precious"
    samples.produce(RUN, target, n_events=10, force=True)
    assert len(samples.open(target)) == 10


def test_step_by_step_gives_a_readable_sample(tmp_path):
    rng = np.random.default_rng(1)
    truth = RUN.process.generate(EXPERIMENT.collider, 100, rng=rng)
    reco = simulate(truth, EXPERIMENT, rng=rng)
    samples.write(tmp_path / "x.h5", truth, reco, process=RUN.process, experiment=EXPERIMENT)
    assert len(samples.open(tmp_path / "x.h5").particles) == 100
    few = RUN.process.generate(EXPERIMENT.collider, 3, rng=rng)
    with pytest.raises(ValueError, match="truth has 3 events, reco has 100"):
        samples.write(tmp_path / "y.h5", few, reco, process=RUN.process, experiment=EXPERIMENT)
    assert not (tmp_path / "y.h5").exists()


def start_long_run(folder: Path, workers: int) -> subprocess.Popen[str]:
    """A run that would take minutes, once it is writing."""
    command = [sys.executable, "-m", "darkbelle", "produce", "particle-gun", "-p", "p=1"]
    command += ["-n", "20000000", "--workers", str(workers), "-o", str(folder / "x.h5")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    part = folder / "x.h5.part"
    while not (part.exists() and part.stat().st_size > 100_000) and time.monotonic() < deadline:
        time.sleep(0.05)
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "number", "status", "complaint"),
    [
        (1, signal.SIGTERM, 143, ""),
        pytest.param(2, signal.SIGTERM, 143, "", marks=pytest.mark.validation),
        pytest.param(1, signal.SIGINT, 130, "interrupted", marks=pytest.mark.validation),
        pytest.param(2, signal.SIGINT, 130, "interrupted", marks=pytest.mark.validation),
        pytest.param(1, signal.SIGTERM, 143, "", marks=pytest.mark.validation),
    ],
)
def test_a_run_that_is_stopped_leaves_nothing(tmp_path, workers, number, status, complaint):
    process = start_long_run(tmp_path, workers)
    os.killpg(process.pid, number)  # as a terminal does: to the workers too
    _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert said.strip() == complaint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "status", "complaint"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "")],
)
def test_a_request_to_stop_is_obeyed_between_chunks(
    run, tmp_path, monkeypatch, number, status, complaint
):
    """In this process; in one of its own, wherever it is then, above."""
    append = SampleWriter.append

    def stopped(writer, collections):
        append(writer, collections)
        signal.raise_signal(number)

    monkeypatch.setattr(SampleWriter, "append", stopped)
    gun = ("produce", "particle-gun", "-p", "p=1", "-n", "2000", "-o", "x.h5")
    ended, _, said = run(*gun)
    assert (ended, said.strip()) == (status, complaint)
    assert not list(tmp_path.iterdir())


def test_a_lost_worker_is_told():
    with pytest.raises(WorkerError, match="a worker was killed, perhaps for want of memory: try"):
        list(in_order(jobs.kill_itself, 3, workers=2))


@pytest.mark.validation
def test_a_worker_that_is_killed_is_named(tmp_path):
    process = start_long_run(tmp_path, workers=2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("needs /proc")
    workers = [
        child
        for child in children.read_text().split()
        if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()
    ]
    os.kill(int(workers[-1]), signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said == (
        "Error: a worker was killed, perhaps for want of memory: try again with fewer workers\n"
    )
    assert not list(tmp_path.iterdir())


def test_two_runs_into_one_file(tmp_path):
    """The second is refused while the first one writes, and harms nothing."""
    with SampleWriter(tmp_path / "x.h5") as first:
        with pytest.raises(OutputError, match="another run is writing it"):
            samples.produce(RUN, tmp_path / "x.h5", n_events=10)
        (tmp_path / "x.h5").write_text("precious")
        with pytest.raises(OutputError, match="the finished sample is"):
            first.finish({})
    assert (tmp_path / "x.h5").read_text() == "precious"
    with h5py.File(tmp_path / "x.h5.part") as file:
        assert file.attrs["complete"]


def test_a_link_is_followed_and_a_device_refused(tmp_path):
    real, link = tmp_path / "real.h5", tmp_path / "link.h5"
    real.write_text("old")
    link.symlink_to(real)
    samples.produce(RUN, link, n_events=5, force=True)
    assert link.is_symlink()
    assert len(samples.open(real)) == 5
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OutputError, match="no ordinary file"):
        samples.produce(RUN, tmp_path / "fifo", n_events=5, force=True)
