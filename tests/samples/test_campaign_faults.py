"""Campaigns against all that goes wrong: real signals, a real Dask cluster, a real full disk."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.samples import jobs

MANIFEST = "manifest.jsonl"
CAMPAIGN = """
process = "mumu-zprime"
experiments = ["belle", "belle2"]
events = 500
seed = 3
[parameters]
decay = "invisible"
[grid]
mass = { linear = [0.5, 8.0, POINTS] }
"""
N_PARTS = 40
GOES_ON = "run the same command again; it goes on where it stopped"


def start(*arguments: str | Path, command: str = "produce") -> subprocess.Popen[str]:
    """``darkbelle``, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "darkbelle", command, *map(str, arguments)],
        cwd=jobs.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*arguments: str | Path, command: str = "produce") -> tuple[int, str, str]:
    """Status, and what was said on both channels."""
    process = start(*arguments, command=command)
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def contents(folder: Path) -> dict[str, str]:
    """Checksums of all files that must not depend on how they were made."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".log" and not path.name.startswith(".lock")
    }


def n_done(folder: Path) -> int:
    """Parts that the manifest tells of."""
    path = folder / MANIFEST
    return max(path.read_bytes().count(b"\n") - 1, 0) if path.exists() else 0


def finished(folder: Path) -> dict[str, int]:
    """The parts that are in their places, each with its number: a new one is a new file."""
    return {str(path): path.stat().st_ino for path in folder.glob("*/*.h5")}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    path = tmp_path_factory.mktemp("campaign") / "scan.toml"
    path.write_text(CAMPAIGN.replace("POINTS", str(N_PARTS // 2)))
    return path


@pytest.fixture(scope="module")
def reference(campaign):
    """What a quiet run in one process makes."""
    folder = campaign.with_name("reference")
    status, _, err = run(campaign, "-o", folder)
    assert (status, err) == (0, "")
    made = contents(folder)
    assert len(made) == N_PARTS + 2  # manifest and points.csv
    return made


@pytest.mark.validation
def test_bytes_do_not_depend_on_who_makes_them(campaign, reference, tmp_path):
    with jobs.dask_cluster(tmp_path) as cluster:
        for name, options in (
            ("pool", ["--workers", "2"]),
            ("local", ["--workers", "2", "--engine", "dask"]),
            ("cluster", ["--scheduler", cluster.address]),
        ):
            status, out, err = run(campaign, "-o", tmp_path / name, *options)
            assert (status, err) == (0, "")
            assert f"{N_PARTS} parts made" in out
            assert contents(tmp_path / name) == reference, name


@pytest.mark.validation
def test_shards_that_share_a_folder_make_the_campaign(campaign, reference, tmp_path):
    """At the same time, as a batch system runs them; the whole run then has nothing to do."""
    shards = [
        start(campaign, "-o", tmp_path / "scan", "--shard", f"{i}/3", "--workers", "1")
        for i in (1, 2, 3)
    ]
    for shard in shards:
        _, err = shard.communicate(timeout=200)
        assert (shard.returncode, err) == (0, "")
    made = finished(tmp_path / "scan")
    status, _, err = run(campaign, "-o", tmp_path / "scan")
    assert (status, err) == (0, "")
    assert finished(tmp_path / "scan") == made
    assert contents(tmp_path / "scan") == reference


@pytest.mark.validation
def test_merged_shards_are_the_campaign(campaign, reference, tmp_path):
    folders = [tmp_path / f"shard-{i}" for i in (1, 2, 3)]
    for i, folder in enumerate(folders, start=1):
        status, _, err = run(campaign, "-o", folder, "--shard", f"{i}/3", "--workers", str(i))
        assert (status, err) == (0, "")
    status, _, err = run(*folders, "-o", tmp_path / "scan", command="merge")
    assert (status, err) == (0, "")
    assert contents(tmp_path / "scan") == reference


@pytest.mark.validation
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_killed_ten_times_makes_the_same_bytes(campaign, reference, tmp_path, workers):
    """At random moments of its work, by turns alone or with its workers; nothing is done twice."""
    rng = np.random.default_rng(workers)
    folder = tmp_path / "scan"
    command = (campaign, "-o", folder, "--workers", str(workers))
    for i in range(10):
        process = start(*command)
        before = n_done(folder)
        if i % 2:  # later than anywhere in the beginning
            jobs.until(lambda: n_done(folder) > before or process.poll() is not None)  # noqa: B023
            time.sleep(rng.uniform(0.0, 0.2))
        else:
            time.sleep(rng.uniform(0.0, 1.2))
        assert process.poll() is None, process.communicate()
        (os.killpg if i % 4 < 2 else os.kill)(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    status, _, err = run(*command)
    assert (status, err) == (0, "")
    assert contents(folder) == reference


@pytest.mark.validation
def test_a_killed_dask_worker_loses_nothing(campaign, reference, tmp_path):
    folder = tmp_path / "scan"
    with jobs.dask_cluster(tmp_path) as cluster:
        process = start(campaign, "-o", folder, "--scheduler", cluster.address)
        jobs.until(lambda: n_done(folder) >= 3)
        os.killpg(cluster.workers[0].pid, signal.SIGKILL)
        assert n_done(folder) < N_PARTS - 3
        out, err = process.communicate(timeout=200)
    assert (process.returncode, err) == (0, "")
    assert f"{N_PARTS} parts made" in out
    assert contents(folder) == reference


@pytest.mark.validation
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_lost_scheduler_is_told_and_the_next_run_resumes(campaign, reference, tmp_path, number):
    """While the workers that it had may still be at work."""
    folder = tmp_path / "scan"
    with jobs.dask_cluster(tmp_path) as cluster:
        process = start(campaign, "-o", folder, "--scheduler", cluster.address)
        jobs.until(lambda: n_done(folder) >= 3)
        os.killpg(cluster.scheduler.pid, number)
        since = time.monotonic()
        _, err = process.communicate(timeout=60)
        assert time.monotonic() - since < 30
        assert process.returncode == 2
        message = f"the Dask scheduler at {cluster.address} is lost: start it and {GOES_ON}"
        assert err == f"Error: {message}\n"
        n_before = n_done(folder)
        assert 3 <= n_before < N_PARTS
        status, out, err = run(campaign, "-o", folder, "--workers", "2")
    assert (status, err) == (0, "")
    assert f"{N_PARTS - n_before} parts made" in out
    assert contents(folder) == reference


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB, made and gone with a process: in a name space of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = f"mount -t tmpfs -o size=4m none {place} &&"
    unshare = ["unshare", "--map-root-user", "--mount"]
    if (
        not shutil.which("unshare")
        or subprocess.run(
            [*unshare, "sh", "-c", f"{mount} true"], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("needs leave to mount a file system")
    return place, unshare, mount


@pytest.mark.validation
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_told_and_leaves_finished_parts_whole(
    campaign, reference, tmp_path, small_disk, workers
):
    place, unshare, mount = small_disk
    produce = f"{sys.executable} -m darkbelle produce {campaign} -o {place}/scan"
    script = f"{mount} {produce} --workers {workers}; echo status $?; cp -r {place}/scan {tmp_path}"
    done = subprocess.run(
        [*unshare, "sh", "-c", script],
        cwd=jobs.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "status 2" in done.stdout
    message = r"Error: .*No space left on device.*\n"
    assert re.fullmatch(message, done.stderr), done.stderr
    saved = contents(tmp_path / "scan")
    parts = {name for name in saved if name.endswith(".h5")}
    assert 0 < len(parts) < N_PARTS
    assert all(saved[name] == reference[name] for name in parts)
    status, out, err = run(campaign, "-o", tmp_path / "scan")
    assert (status, err) == (0, "")
    assert f"{N_PARTS - len(parts)} parts made" in out
    assert contents(tmp_path / "scan") == reference


@pytest.mark.validation
def test_every_damaged_byte_is_found_and_the_part_made_again(campaign, reference, tmp_path):
    folder = tmp_path / "scan"
    shutil.copytree(campaign.with_name("reference"), folder)
    rng = np.random.default_rng(1)
    files = [folder / name for name in reference if name.endswith(".h5")]
    damaged = rng.choice(len(files), 5, replace=False)
    for i in damaged:
        data = bytearray(files[i].read_bytes())
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        files[i].write_bytes(data)
    status, out, err = run(campaign, "-o", folder)
    assert (status, err) == (0, "")
    assert "5 parts made" in out
    assert contents(folder) == reference


@pytest.mark.validation
def test_the_second_of_two_runs_is_refused(campaign, reference, tmp_path):
    folder = tmp_path / "scan"
    first = start(campaign, "-o", folder)
    jobs.until(lambda: n_done(folder) >= 1)
    for options in ([], ["--shard", "1/3"], ["--workers", "2"]):
        status, _, err = run(campaign, "-o", folder, *options)
        assert status == 2
        assert err == f"Error: another run writes to '{folder}': wait for its end\n"
    assert first.poll() is None
    _, err = first.communicate(timeout=200)
    assert (first.returncode, err) == (0, "")
    assert contents(folder) == reference


@pytest.mark.validation
@pytest.mark.parametrize(
    "options",
    [[], ["--workers", "2"], ["--workers", "2", "--engine", "dask"]],
    ids=["here", "pool", "dask"],
)
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)],
    ids=["interrupted", "terminated"],
)
def test_a_run_that_is_stopped_leaves_whole_parts_only(
    campaign, reference, tmp_path, options, number, status
):
    folder = tmp_path / "scan"
    process = start(campaign, "-o", folder, *options)
    jobs.until(lambda: n_done(folder) >= 2)
    os.killpg(process.pid, number)
    since = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (status, "stopped; the same command goes on")
    assert time.monotonic() - since < 10
    assert finished(folder)
    made = contents(folder)
    assert all(made[name] == reference[name] for name in made if name.endswith(".h5"))
