"""Campaigns: what users write, what is planned, made, resumed and told."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from darkbelle import geometry, samples
from darkbelle.errors import ConfigError, OutputError, SampleFormatError
from darkbelle.gen import MuMuZPrime, ParticleGun
from darkbelle.samples.campaigns import (
    Campaign,
    Plan,
    Shard,
    forecast,
    read_manifests,
    run_campaign,
)
from darkbelle.samples.campaigns import plan as plan_module
from darkbelle.samples.campaigns.describe import describe_report
from darkbelle.samples.campaigns.folder import locked, write_points
from darkbelle.samples.campaigns.joining import verify_folder
from darkbelle.samples.campaigns.work import make_part
from darkbelle.samples.engines import local
from darkbelle.samples.production import CHUNK_SIZE, Run

GUN = {"process": "particle-gun", "seed": 3}


def gun(**changes: Any) -> Campaign:
    """Two points of a gun at two experiments, twenty events each."""
    settings = {
        "experiments": ["belle", "belle2"],
        "events": 20,
        "parameters": {"pdg_id": 211},
        "grid": {"p": [0.5, 1.0]},
    }
    return Campaign(**(GUN | settings | changes))


def few(**changes: Any) -> Campaign:
    """Three points of a gun at one experiment."""
    return gun(experiments=["belle2"], grid={"p": [0.5, 1.0, 1.5]}, **changes)


@pytest.fixture(scope="module", autouse=True)
def cards_are_read_once() -> Iterator[None]:
    """Which is most of what a plan takes, and not what is asked here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geometry, "load", cache(geometry.load))
        yield


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a campaign that must not vary, by their names."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    return {
        name: octets for name, octets in files.items() if name[0] != "." and name[-4:] != ".log"
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The campaign `gun` made at once by one worker."""
    folder = tmp_path_factory.mktemp("campaign") / "scan"
    run_campaign(gun(), folder)
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """What `made` is, for tests that damage it."""
    return shutil.copytree(made, tmp_path / "copied")


# What users write


def test_a_grid_is_a_product_and_points_come_after_it():
    grid = {"p": [0.5, 1.0], "theta": [1.0, 1.5]}
    campaign = gun(grid=grid, points=[{"p": 3.0, "pdg_id": 13}])
    assert campaign.n_points == 5
    assert [(s["p"], s.get("theta"), s["pdg_id"]) for s in campaign.settings()] == [
        (0.5, 1.0, 211),
        (0.5, 1.5, 211),
        (1.0, 1.0, 211),
        (1.0, 1.5, 211),
        (3.0, None, 13),
    ]


def test_points_may_stand_alone_and_so_may_parameters():
    assert gun(grid={}, points=[{"p": 1.0}, {"p": 2.0}]).n_points == 2
    alone = Campaign(**GUN, events=1, parameters={"p": 1.0})
    assert alone.settings() == [{"p": 1.0}]


def test_axes_are_lists_or_spaced():
    campaign = gun(grid={"p": {"linear": [0.1, 0.5, 5]}, "theta": {"log": [0.01, 1, 3]}})
    assert campaign.grid["p"] == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert campaign.grid["theta"] == (0.01, 0.1, 1.0)


def test_names_with_dots_are_those_of_parameters_of_parameters():
    campaign = Campaign(
        process="mumu",
        seed=1,
        events=1,
        parameters={"cuts": {"n_photons": 1}},
        grid={"cuts.n_charged": [1, 2]},
    )
    plan = Plan.of(campaign)
    assert [point.process.cuts.n_charged for point in plan.points] == [1, 2]
    assert [point.process.cuts.n_photons for point in plan.points] == [1, 1]
    assert plan.points[1].parameters == {"cuts.n_photons": 1, "cuts.n_charged": 2}


def test_files_are_found_beside_the_campaign(tmp_path):
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "mine.toml").write_text('extends = "belle2"\ndescription = "own"\n')
    (tmp_path / "scan.toml").write_text(
        'process = "particle-gun"\nexperiments = ["cards/mine.toml"]\nevents = 1\nseed = 1\n'
        "parameters.p = 1\n"
    )
    plan = Plan.of(Campaign.read(tmp_path / "scan.toml"))
    assert plan.experiments["mine"].description == "own"
    assert plan.points[0].experiment == "mine"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"event": 3}, "unknown key 'event', did you mean 'events'"),
        ({"events": None}, "give either events or lumi"),
        ({"lumi": 1.0}, "give either events or lumi"),
        ({"events": True}, r"events: Input should be a valid integer \(got True\)"),
        ({"events": -1}, "events: Input should be greater than or equal to 0"),
        ({"seed": -1}, "seed: Input should be greater"),
        ({"experiments": []}, "experiments: .* at least 1 item"),
        ({"experiments": ["bell"]}, "unknown experiment 'bell', did you mean 'belle'"),
        ({"experiments": ["belle2", "belle2"]}, "two are called 'belle2'"),
        ({"set": ["solenoid.feild_t=1"]}, "did you mean 'field_t'"),
        ({"vary": ["tracking.fnding"]}, "did you mean 'tracking.finding'"),
        ({"systematics": ["trackin"]}, "did you mean 'tracking'"),
        ({"systematics": "tracking,"}, "systematics: needs names with commas between them"),
        ({"process": "gun"}, "unknown process 'gun'"),
        ({"grid": {"p": []}}, "grid.p: .* at least 1 item"),
        ({"grid": {"p": [1.0, 2.0, 1.0]}}, "grid.p: must not have a value twice"),
        ({"grid": {"p": 1.0}}, r"grid.p: must be a list of values, .* \(got 1.0\)"),
        ({"grid": {"p": {"lin": [0, 1, 2]}}}, "grid.p: must be a list of values"),
        ({"grid": {"p": {"linear": [0, 1]}}}, "linear must be .* low < high and 2 or more"),
        ({"grid": {"p": {"linear": [1, 0, 3]}}}, "linear must be"),
        ({"grid": {"p": {"log": [0, 1, 3]}}}, "log must be .* 0 < low < high"),
        ({"grid": {"p": {"log": [0.1, 1, 1]}}}, "log must be"),
        ({"grid": {"pdg_id": [13]}}, "pdg_id: is in the grid and in the parameters"),
        ({"grid": {"P": [1.0]}}, "unknown key 'P'"),
        ({"grid": {"p": [1.0, -2.0, -3.0]}}, r"point 1: particle-gun: p.* \(and 1 other points\)"),
        ({"points": [{"p": 1.0}]}, "points 1 and 2 are the same"),
        ({"grid": {"p": {"linear": [1, 2, 60_000]}}}, "has 120000 points, more than 100000"),
        ({"events": 10**13}, "number of events must lie between"),
    ],
)
def test_what_no_campaign_can_be_is_refused_before_anything_is_made(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        run_campaign(gun(**changes), tmp_path / "scan")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: No such file"),
        ("[grid\n", "is no valid TOML"),
        ("seed = 1\n", r"bad.toml': campaign: process: Field required"),
    ],
)
def test_a_file_that_is_no_campaign_is_named(tmp_path, text, message):
    if text is not None:
        (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        Campaign.read(tmp_path / "bad.toml")


# Plans


def test_experiments_and_points_have_streams_of_their_own():
    points = Plan.of(gun()).points
    assert [point.index for point in points] == list(range(4))
    assert [point.number for point in points] == [0, 1, 0, 1]
    assert [point.experiment for point in points] == ["belle"] * 2 + ["belle2"] * 2


@pytest.mark.parametrize(
    ("n_events", "chunk_size", "chunks"),
    [
        (0, 1, [0]),
        (1, 1, [1]),
        (20, 32, [1]),
        (2000, 2048, [1]),
        (CHUNK_SIZE + 1, CHUNK_SIZE, [2]),
        (32 * CHUNK_SIZE, CHUNK_SIZE, [32]),
        (70 * CHUNK_SIZE - 5, CHUNK_SIZE, [32, 32, 6]),
    ],
)
def test_parts_are_whole_chunks_of_a_size_that_fits(n_events, chunk_size, chunks):
    plan = Plan.of(few())
    parts = list(plan.parts_of(plan.points[1], n_events))
    assert [part.n_chunks for part in parts] == chunks
    assert {part.chunk_size for part in parts} == {chunk_size}
    assert sum(part.n_events for part in parts) == n_events
    assert [part.first_chunk for part in parts] == [32 * i for i in range(len(parts))]
    names = ["belle2/0001.h5"] if len(parts) == 1 else [f"belle2/0001-00{i}.h5" for i in (1, 2, 3)]
    assert [part.file for part in parts] == names


def test_the_digest_is_of_what_is_made_not_of_how_it_is_written():
    digest = Plan.of(few()).sha256
    assert (
        Plan.of(gun(experiments=["belle2"], grid={"p": {"linear": [0.5, 1.5, 3]}})).sha256 == digest
    )
    for change in ({"seed": 4}, {"events": 21}, {"set": ["collider.beam_spread=false"]}):
        assert Plan.of(few(**change)).sha256 != digest
    assert Plan.of(few(systematics="all")).sha256 != digest
    assert few(systematics="tracking, luminosity") == few(systematics=["tracking", "luminosity"])


def test_shards_share_all_parts():
    plan = Plan.of(gun())
    parts = [p for point in plan.points for p in plan.parts_of(point, 70 * CHUNK_SIZE)]
    shares = [
        [p.file for p in parts if Shard(i, 3).has(p.point.index, p.number)] for i in (1, 2, 3)
    ]
    assert sorted(file for share in shares for file in share) == sorted(p.file for p in parts)
    assert [len(share) for share in shares] == [4, 4, 4]
    for text in ("0/3", "4/3", "1", "a/b", "-1/3", "1/0"):
        with pytest.raises(ConfigError, match="shard"):
            Shard.parse(text)


# Runs


def test_parts_are_samples_as_produced_one_by_one(made, tmp_path):
    run = Run(ParticleGun(p=1.0, pdg_id=211), geometry.load("belle2"), 3, 3, chunk_size=32)
    samples.produce(run, tmp_path / "x.h5", n_events=20)
    assert (tmp_path / "x.h5").read_bytes() == (made / "belle2" / "0001.h5").read_bytes()


def test_bytes_do_not_depend_on_workers(made, tmp_path):
    with local(2) as engine:
        report = run_campaign(gun(), tmp_path / "two", engine=engine)
    assert contents(tmp_path / "two") == contents(made)
    assert len(report.made) == 4


def test_shards_in_one_folder_make_the_whole(made, tmp_path):
    for i in (2, 1):
        run_campaign(gun(), tmp_path, shard=Shard(i, 2))
        report = run_campaign(gun(), tmp_path, shard=Shard(i, 2))
        assert not report.made
        assert len(report.entries) == 2
    assert (tmp_path / "manifest-1of2.jsonl").exists()
    assert not run_campaign(gun(), tmp_path).made
    assert contents(tmp_path) == contents(made)


def test_shards_of_another_number_are_refused(tmp_path):
    run_campaign(few(), tmp_path, shard=Shard(1, 3))
    with pytest.raises(OutputError, match=r"shards of another number \(manifest-1of3.jsonl\)"):
        run_campaign(few(), tmp_path, shard=Shard(1, 2))


def test_shards_write_the_same_table_at_once(tmp_path):
    plan, n_shards = Plan.of(gun()), 4
    barrier = threading.Barrier(n_shards)

    def write(_: int) -> None:
        try:
            for i in range(50):
                barrier.wait(timeout=5)
                write_points(tmp_path, plan, dict.fromkeys(range(1 + i % 4), 20))
        except BaseException:
            barrier.abort()  # or the others wait for ever
            raise

    with ThreadPoolExecutor(n_shards) as threads:
        jobs_done = [threads.submit(write, i) for i in range(n_shards)]
    errors = [error for job in jobs_done if (error := job.exception()) is not None]
    assert not errors
    assert [path.name for path in tmp_path.iterdir()] == ["points.csv"]


def test_tables_that_killed_runs_left_do_not_pile_up(tmp_path):
    run_campaign(few(), tmp_path)
    left = [tmp_path / f".{name}.0a1b2c3d.part" for name in ("points.csv", "manifest-1of2.jsonl")]
    for path in left:
        path.write_text("half")
    run_campaign(few(), tmp_path, shard=Shard(1, 2))
    assert [path.exists() for path in left] == [True, False]  # another shard may write the first
    run_campaign(few(), tmp_path)
    assert not left[0].exists()


class Stopped(Exception):
    """A user's request to stop."""


def stop_after(n_calls: int):
    """Progress that stops a run at its n-th finished part."""
    left = [n_calls]

    def begin(what: str, total: int):
        def move(n_done: int) -> None:
            left[0] -= what == "events" and n_done > 0
            if left[0] < 0:
                raise Stopped

        return move

    return begin


@pytest.mark.parametrize("n_done", [0, 2])
def test_an_interrupted_campaign_goes_on(made, tmp_path, n_done):
    with pytest.raises(Stopped):
        run_campaign(gun(), tmp_path, progress=stop_after(n_done))
    assert len(read_manifests(tmp_path).entries) == n_done + 1
    report = run_campaign(gun(), tmp_path)
    assert len(report.made) == 4 - n_done - 1
    assert report.redone == ()
    assert contents(tmp_path) == contents(made)


def test_nothing_that_a_killed_worker_left_remains(tmp_path):
    run_campaign(few(), tmp_path, shard=Shard(2, 2))
    names = (".0000.h5.0a1b2c3d.part", ".0002.h5.0a1b2c3d.part.part")
    left = [tmp_path / "belle2" / name for name in names]
    other = tmp_path / "belle2" / ".0001.h5.0a1b2c3d.part"  # of a shard that may be at work
    for path in (*left, other):
        path.write_text("half")
    run_campaign(few(), tmp_path, shard=Shard(1, 2))
    assert not any(path.exists() for path in left)
    assert other.exists()
    run_campaign(few(), tmp_path)
    assert not other.exists()


def test_damaged_and_missing_parts_are_made_again(made, copied):
    damaged, missing = copied / "belle" / "0001.h5", copied / "belle2" / "0000.h5"
    octets = bytearray(damaged.read_bytes())
    octets[len(octets) // 2] ^= 1
    damaged.write_bytes(octets)
    missing.unlink()
    report = run_campaign(gun(), copied)
    assert report.redone == ("belle/0001.h5", "belle2/0000.h5")
    assert report.made == {*report.redone}
    assert contents(copied) == contents(made)
    assert "belle/0001.h5 is damaged: it is made again" in (copied / "produce.log").read_text()


def test_a_lost_manifest_costs_no_part_that_is_whole(made, copied):
    """Damaged ones are made again, and so are those of another number of events."""
    (copied / "manifest.jsonl").unlink()
    (copied / "belle" / "0001.h5").write_bytes(b"torn")
    report = run_campaign(gun(), copied)
    assert report.made == {"belle/0001.h5"} == {*report.redone}
    assert report.found == ("belle/0000.h5", "belle2/0000.h5", "belle2/0001.h5")
    assert "3 parts found whole without the manifest, and kept" in describe_report(report)
    assert "belle/0000.h5: found without" in (copied / "produce.log").read_text()
    assert contents(copied) == contents(made)
    (copied / "manifest.jsonl").unlink()
    assert len(run_campaign(gun(events=10), copied).made) == 4


def test_a_lost_manifest_of_a_shard_costs_none(made, tmp_path):
    for i in (1, 2):
        run_campaign(gun(), tmp_path, shard=Shard(i, 2))
    (tmp_path / "manifest-1of2.jsonl").unlink()
    report = run_campaign(gun(), tmp_path)
    assert (len(report.made), len(report.found)) == (0, 2)
    assert contents(tmp_path) == contents(made)


@pytest.mark.parametrize("stranger", ["thesis.tex", "belle/notes.h5", "belle/0002.h5", "x/0000.h5"])
def test_without_a_manifest_other_files_are_refused(tmp_path, stranger):
    (tmp_path / stranger).parent.mkdir(exist_ok=True)
    (tmp_path / stranger).write_text("precious")
    with pytest.raises(OutputError, match="is not empty and holds no campaign"):
        run_campaign(gun(), tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / stranger]


def test_without_a_manifest_samples_of_another_campaign_are_not_overwritten(copied):
    (copied / "manifest.jsonl").unlink()
    before = contents(copied)
    with pytest.raises(OutputError, match=r"no manifest, and 'belle.*h5' is of another campaign"):
        run_campaign(gun(seed=4), copied)
    assert contents(copied) == before


@pytest.mark.parametrize("damage", ["torn", "garbage"])
def test_a_damaged_line_of_the_manifest_costs_its_part(made, copied, damage):
    manifest = copied / "manifest.jsonl"
    lines = manifest.read_text().splitlines(keepends=True)
    if damage == "torn":
        lines[-1] = lines[-1][:70]
    else:
        lines[2] = '{"file": 3}\n'
    manifest.write_text("".join(lines))
    assert len(run_campaign(gun(), copied).made) == 1
    assert contents(copied) == contents(made)


def test_a_manifest_without_a_header_is_refused(tmp_path):
    run_campaign(few(), tmp_path)
    (tmp_path / "manifest.jsonl").write_text('{"format":"darkbelle-campaign"')
    with pytest.raises(SampleFormatError, match="no manifest of a campaign"):
        run_campaign(few(), tmp_path)


def test_folders_of_something_else_are_refused(tmp_path, monkeypatch):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("precious")
    with pytest.raises(OutputError, match="is not empty and holds no campaign"):
        run_campaign(few(), tmp_path / "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["dear.txt"]
    run_campaign(few(), tmp_path / "scan")
    before = contents(tmp_path / "scan")
    for changes, difference in (
        ({"seed": 4, "events": 3}, "differs in events, seed"),
        ({"set": ["collider.beam_spread=false"]}, "differs in set"),
    ):
        with pytest.raises(OutputError, match=f"holds another campaign .*{difference}"):
            run_campaign(few(**changes), tmp_path / "scan")
    monkeypatch.setattr("darkbelle.samples.campaigns.plan.__version__", "99")
    monkeypatch.setattr("darkbelle.samples.campaigns.manifest.__version__", "99")
    with pytest.raises(OutputError, match=r"made by darkbelle .*, this is 99"):
        run_campaign(few(), tmp_path / "scan")
    assert contents(tmp_path / "scan") == before
    with pytest.raises(OutputError, match=r"cannot write '.*nowhere/scan': No such file"):
        run_campaign(few(), tmp_path / "nowhere" / "scan")


def test_a_second_run_is_refused_while_the_first_one_lasts(tmp_path):
    def second(shard: Shard | None) -> None:
        with pytest.raises(OutputError, match=r"another run writes to .*scan': wait for its end"):
            run_campaign(few(), tmp_path / "scan", shard=shard)

    def begin(what: str, total: int):
        def move(n_done: int) -> None:
            if n_done and what != "settings":  # which are checked before the folder is locked
                for shard in others:
                    second(shard)

        return move

    others: list[Shard | None] = [None, Shard(1, 2)]
    run_campaign(few(), tmp_path / "scan", progress=begin)
    others = [Shard(2, 2)]
    (tmp_path / "scan" / "belle2" / "0000.h5").unlink()
    run_campaign(few(), tmp_path / "scan", shard=Shard(2, 2), progress=begin)


def test_points_that_cannot_be_are_reported_and_the_others_made(tmp_path):
    campaign = Campaign(
        process="mumu-zprime", seed=1, events=5, grid={"mass": [2.0, 11.0]}, points=[{"mass": 3.0}]
    )
    for expected in ({"belle2/0000.h5", "belle2/0002.h5"}, set()):
        report = run_campaign(campaign, tmp_path)
        assert report.made == expected
        (failure,) = report.failures
        assert str(failure).startswith("point 1 (belle2, mass=11.0): mumu-zprime: needs sqrt_s >")
        assert str(failure) in (tmp_path / "produce.log").read_text()
        assert len(report.entries) == 2
        (line,) = read_manifests(tmp_path).failures.values()
        assert (line.point, line.parameters) == (1, {"mass": 11.0})
        assert line.reason == failure.reason
        found = verify_folder(tmp_path)
        assert (found.n_missing, found.failures) == (0, (line,))


def test_the_table_lists_points_without_files(tmp_path):
    """Those that cannot be, and those that an interrupted run does not know yet."""
    campaign = Campaign(process="mumu-zprime", seed=1, lumi=9.0, grid={"mass": [2.0, 11.0, 3.0]})

    def begin(what: str, total: int):
        def move(n_done: int) -> None:
            if n_done and what == "points":
                raise Stopped

        return move

    def files() -> list[str]:
        with (tmp_path / "points.csv").open(newline="") as table:
            return [row["file"] for row in csv.DictReader(table)]

    with pytest.raises(Stopped):
        run_campaign(campaign, tmp_path, progress=begin)
    assert files() == ["", "", ""]
    assert verify_folder(tmp_path).n_missing == 3
    run_campaign(campaign, tmp_path)
    assert files() == ["belle2/0000.h5", "", "belle2/0002.h5"]
    found = verify_folder(tmp_path)
    assert (found.n_missing, [failed.point for failed in found.failures]) == (0, [1])


def test_a_table_that_cannot_be_read_fails_its_point_alone(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/nowhere/table.csv")

    good = ParticleGun.prepare
    monkeypatch.setattr(
        ParticleGun, "prepare", lambda self, *a: fail() if self.p == (1.0, 1.0) else good(self, *a)
    )
    report = run_campaign(few(), tmp_path)
    assert len(report.entries) == 2
    (failure,) = report.failures
    assert "/nowhere/table.csv" in failure.reason


def test_only_what_the_folder_refuses_is_called_so(tmp_path):
    """What goes wrong in a folder that is locked keeps its name."""
    with pytest.raises(FileNotFoundError), locked(tmp_path, None):
        (tmp_path / "none").read_text()


def test_a_point_that_fails_by_a_fault_of_ours_is_reported_with_its_traceback(
    tmp_path, monkeypatch
):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    good = ParticleGun.prepare
    monkeypatch.setattr(
        ParticleGun, "prepare", lambda self, *a: fail() if self.p == (1.0, 1.0) else good(self, *a)
    )
    report = run_campaign(few(), tmp_path)
    assert [str(failure) for failure in report.failures] == [
        "point 1 (belle2, pdg_id=211, p=1.0): ZeroDivisionError: oh"
    ]
    assert "Traceback" in (tmp_path / "produce.log").read_text()


def test_a_full_disk_stops_at_once_and_leaves_what_is_done(tmp_path, monkeypatch):
    def full(task, **options):
        if task.part.point.index == 1:
            raise OutputError("writing failed: No space left on device")
        return make_part(task, **options)

    monkeypatch.setattr("darkbelle.samples.campaigns.running.make_part", full)
    with pytest.raises(OutputError, match="No space left"):
        run_campaign(few(), tmp_path)
    assert [*read_manifests(tmp_path).entries] == ["belle2/0000.h5"]
    monkeypatch.undo()
    assert len(run_campaign(few(), tmp_path).made) == 2


def test_several_parts_make_a_point(tmp_path, monkeypatch):
    """Their events follow from the chunks alone; lines of the log name them."""
    monkeypatch.setattr(plan_module, "PART_CHUNKS", 2)
    monkeypatch.setattr(plan_module, "CHUNK_SIZE", 16)
    campaign = Campaign(**GUN, events=70, parameters={"pdg_id": 211}, grid={"p": [0.5]})
    report = run_campaign(campaign, tmp_path / "scan")
    names = [f"belle2/0000-00{k}.h5" for k in (1, 2, 3)]
    assert [entry.file for entry in report.entries] == names
    assert [entry.n_events for entry in report.entries] == [32, 32, 6]
    run = Run(ParticleGun(p=0.5, pdg_id=211), geometry.load("belle2"), 3, chunk_size=16)
    samples.produce(run, tmp_path / "whole.h5", n_events=70)
    whole = samples.open(tmp_path / "whole.h5").column("tracks", "helix")
    parts = [samples.open(tmp_path / "scan" / name) for name in names]
    rows = [row for part in parts for row in part.column("tracks", "helix").tolist()]
    assert rows == whole.tolist()
    assert [part.attributes["first_chunk"] for part in parts] == [0, 2, 4]
    log = (tmp_path / "scan" / "produce.log").read_text()
    assert (
        "belle2/0000-002.h5: point 0 (belle2, pdg_id=211, p=0.5), chunks 2 to 3, 32 events" in log
    )


def test_a_luminosity_gives_each_point_its_number(tmp_path):
    masses = [0.5, 2.0, 11.0]
    campaign = Campaign(process="mumu-zprime", seed=1, lumi=500.0, grid={"mass": masses})
    report = run_campaign(campaign, tmp_path)
    assert [failure.point.index for failure in report.failures] == [2]
    manifest = read_manifests(tmp_path)
    for entry in report.entries:
        amount = manifest.amounts[entry.point]
        assert entry.n_events == amount.n_events == round(500.0 * amount.xsec) > 0
        sample = samples.open(tmp_path / entry.file)
        assert sample.attributes["lumi"] == 500.0
        assert sample.cross_section.value == amount.xsec
    (tmp_path / report.entries[1].file).unlink()
    counted = []
    run_campaign(
        campaign, tmp_path, progress=lambda *what: counted.append(what) or (lambda done: None)
    )
    assert counted[1] == ("points", 1)  # that which has none
    run = Run(MuMuZPrime(mass=0.5), geometry.load("belle2"), 1, chunk_size=64)
    single = samples.produce(run, tmp_path / "single.h5", lumi=500.0)
    assert single == report.entries[0].n_events


def test_the_table_of_points_names_all_files(made):
    with (made / "points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[3] == {
        "index": "3",
        "experiment": "belle2",
        "pdg_id": "211",
        "p": "1.0",
        "file": "belle2/0001.h5",
    }
    assert all((made / row["file"]).exists() for row in rows)
    assert all(
        samples.open(made / row["file"]).attributes["point"] == int(row["index"]) for row in rows
    )


def test_the_manifest_says_what_is_in_the_files(made):
    header, *lines = map(json.loads, (made / "manifest.jsonl").read_text().splitlines())
    assert header["campaign"]["grid"] == {"p": [0.5, 1.0]}
    for line in lines:
        attributes = samples.open(made / line["file"]).attributes
        assert line["sha256"] == attributes["sha256"]
        assert (line["n_events"], line["sum_w"]) == (20, attributes["sum_w"])
        assert line["bytes"] == (made / line["file"]).stat().st_size
        assert "seconds" not in line


def test_warnings_of_a_point_are_logged_with_it(tmp_path):
    campaign = Campaign(
        process="mumu-zprime",
        seed=1,
        events=2,
        parameters={"coupling": 3.0, "decay": "mumu"},
        grid={"mass": [2.0]},
    )
    run_campaign(campaign, tmp_path)
    log = (tmp_path / "produce.log").read_text()
    assert "WARNING point 0: mumu-zprime: the width, 0.955 GeV, exceeds" in log


def test_forecasts_are_near_what_it_takes(made):
    """Bytes to 10 %: the points differ by little; many events are judged by few."""
    judged = forecast(Plan.of(gun()), seconds=0.2)
    n_bytes = sum(path.stat().st_size for path in made.rglob("*.h5"))
    assert sum(cost.n_bytes for cost in judged.costs.values()) == pytest.approx(n_bytes, rel=0.1)
    assert sum(cost.n_events for cost in judged.costs.values()) == 80
    many = forecast(Plan.of(few(events=1_000_000)), seconds=0.0).costs["belle2"]
    assert (many.n_parts, many.n_events) == (12, 3_000_000)


# The command


SCAN = 'process = "mumu-zprime"\nevents = 5\nseed = 1\ngrid.mass = [2.0, 11.0]\n'


def test_a_campaign_is_planned_made_and_told(run, tmp_path):
    (tmp_path / "scan.toml").write_text(SCAN)
    status, out, err = run("produce", "scan.toml", "--dry-run", "--workers", "2")
    assert status == 0, err
    assert out.splitlines()[0].split()[:5] == ["experiment", "points", "parts", "events", "MB"]
    assert out.splitlines()[1].split()[:2] == ["belle2", "2"]
    assert "estimated from 2 points; with 2 workers about 0:00:0" in out
    assert "1 of 2 points cannot be made: point 1 (belle2, mass=11.0)" in out
    assert not (tmp_path / "scan").exists()
    for counts in ("1 part made in", "0 parts made in"):
        status, out, err = run("produce", "scan.toml", "-o", "scan")
        assert status == 2
        assert counts in out
        assert out.splitlines()[1].split()[:4] == ["belle2", "1", "1", "5"]
        assert out.splitlines()[1].split()[-1] == "1"
        assert err.startswith("Error: 1 of 2 points cannot be made: point 1 (belle2, mass=11.0)")
    status, out, _ = run("info", "--verify", "scan")
    assert status == 0
    assert "point 1 (belle2, mass=11.0): mumu-zprime: needs sqrt_s >" in out
    assert "scan: 1 of 1 part good, 1 point cannot be made" in out
    (tmp_path / "scan" / "belle2" / "0000.h5").unlink()
    assert (
        "1 part damaged or missing: belle2/0000.h5" in run("produce", "scan.toml", "-o", "scan")[1]
    )
    assert "'scan' has 1 part\n" in run("produce", "scan.toml", "--dry-run", "-o", "scan")[1]


def test_an_unfinished_campaign_is_not_good(run, tmp_path):
    (tmp_path / "scan.toml").write_text(SCAN.replace("11.0", "3.0"))
    assert run("produce", "scan.toml", "-o", "scan", "--shard", "1/2")[0] == 0
    status, out, _ = run("info", "--verify", "scan")
    assert status == 2
    assert "scan: 1 of 1 part good, 1 not made" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan.toml"], "Missing option '-o'"),
        (["scan.toml", "-o", "x", "--seed", "2"], "--seed is for one process: write it into"),
        (["scan.toml", "-o", "x", "-p", "mass=1"], "--parameter is for one process"),
        (["scan.toml", "-o", "x", "--force"], "--force is for one process"),
        (["scan.toml", "-o", "x", "--shard", "3/2"], "there is no shard 3/2"),
        (["scan.toml", "-o", "scan.toml"], "is a file, a campaign needs a folder"),
        (["scan.toml", "-o", "scan.toml", "--dry-run"], "is a file, a campaign needs a folder"),
        (["scan.toml", "--dry-run", "--shard", "1/2"], "leave out --shard"),
        (["scan.toml", "--dry-run", "--engine", "dask"], "leave out --engine"),
        (["scan.toml", "--dry-run", "--scheduler", "tcp://a:1"], "leave out --scheduler"),
        (["scan.toml", "-o", "x", "--scheduler", "a", "--workers", "7"], "leave out --workers"),
        (["scan.toml", "-o", "x", "--engine", "process", "--scheduler", "a"], "--engine dask"),
        (["none.toml", "-o", "x"], "campaign 'none.toml' cannot be read"),
        (["mumu-zprime", "-o", "x.h5", "--dry-run"], "--dry-run is for campaigns"),
        (["mumu-zprime", "-p", "mass=1", "-n", "1"], "Missing option '-o'"),
        (
            ["mumu-zprime", "-p", "mass=1", "-n", "1", "-o", "x.h5", "--vary", "x"],
            "cannot vary 'x'",
        ),
    ],
)
def test_bad_options_give_one_clear_message(run, tmp_path, arguments, message):
    (tmp_path / "scan.toml").write_text(SCAN)
    status, out, err = run("produce", *arguments)
    assert status == 2
    assert message in err
    assert len([line for line in err.splitlines() if "Error" in line]) == 1
    assert out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["scan.toml"]


def test_a_table_of_the_card_is_varied(run, tmp_path):
    gun = ("produce", "particle-gun", "-p", "p=1", "-n", "5", "--seed", "1")
    assert run(*gun, "--vary", "tracking.finding", "-o", "x.h5")[0] == 0
    varied = geometry.load("belle2", vary=("tracking.finding",))
    assert samples.open(tmp_path / "x.h5").experiment == varied != geometry.load("belle2")
    (tmp_path / "scan.toml").write_text(
        'process = "particle-gun"\nvary = ["tracking.finding"]\nevents = 5\nseed = 1\n'
        "parameters.p = 1\n"
    )
    assert run("produce", "scan.toml", "-o", "scan")[0] == 0
    assert samples.open(tmp_path / "scan" / "belle2" / "0000.h5").experiment == varied


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_campaign_that_is_stopped_says_that_it_goes_on(run, tmp_path, monkeypatch, number, code):
    def stopped(task, **options):
        entry = make_part(task, **options)
        signal.raise_signal(number)
        return entry

    (tmp_path / "scan.toml").write_text(SCAN.replace("11.0", "3.0"))
    monkeypatch.setattr("darkbelle.samples.campaigns.running.make_part", stopped)
    status, _, err = run("produce", "scan.toml", "-o", "scan")
    assert (status, err) == (code, "stopped; the same command goes on\n")
    monkeypatch.undo()
    assert not (tmp_path / "scan" / "belle2" / "0001.h5").exists()


def test_planning_tells_how_far_it_is():
    told = []
    Plan.of(few(), progress=lambda *what: told.append(what) or told.append)
    assert told == [("settings", 3), 1, 1, 1]


def test_what_campaigns_need_is_at_hand():
    assert samples.Shard is Shard
    assert samples.engines.local is local
    assert {"merge", "verify", "run_campaign", "Shard", "engines"} <= {*samples.__all__}
    assert all(hasattr(samples, name) for name in samples.__all__)
    assert [*samples._HOMES] == sorted(samples._HOMES)
