"""What workers do: cross-sections, parts, and a look at parts that are there."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from darkbelle import __version__
from darkbelle.errors import OutputError, SampleFormatError
from darkbelle.geometry import Experiment
from darkbelle.geometry.systematics import chosen
from darkbelle.samples.campaigns.manifest import Amount, Entry
from darkbelle.samples.campaigns.plan import Part, Plan, Point
from darkbelle.samples.files.aside import beside, put_in_place
from darkbelle.samples.files.hdf5 import configuration_digests, digest_of
from darkbelle.samples.files.stored import read_header, reading
from darkbelle.samples.production import ChunkMaker, Run, number_of_events, write_chunks

__all__ = [
    "Check",
    "PartTask",
    "PointTask",
    "find_amount",
    "find_damage",
    "is_foreign",
    "make_part",
    "recover",
]


@dataclass(frozen=True, slots=True)
class PointTask:
    """A point, small enough to be sent to workers by the thousand."""

    point: Point
    seed: int
    card: bytes
    lumi: float | None
    systematics: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan, point: Point) -> PointTask:
        """The task of a point of a plan."""
        campaign = plan.campaign
        card = _packed(plan.cards[point.experiment])
        return cls(point, campaign.seed, card, campaign.lumi, campaign.systematics)

    def run(self, chunk_size: int = 1) -> Run:
        """What determines the events of the point."""
        return Run(
            self.point.process,
            _experiment(self.card),
            self.seed,
            self.point.index,
            chunk_size,
            self.systematics,
        )


@dataclass(frozen=True, slots=True)
class PartTask:
    """A part to be made."""

    point: PointTask
    part: Part
    path: Path


@dataclass(frozen=True, slots=True)
class Check:
    """A part to be looked at."""

    entry: Entry
    path: Path


@lru_cache(maxsize=16)
def _packed(card: str) -> bytes:
    """A card as it travels."""
    return zlib.compress(card.encode())


@lru_cache(maxsize=16)
def _experiment(card: bytes) -> Experiment:
    """A card unpacked, once a worker."""
    return Experiment.model_validate_json(zlib.decompress(card))


def find_amount(task: PointTask) -> Amount:
    """The events that a luminosity means at a point.

    Raises
    ------
    KinematicsError, ConfigError
        The point has no events, or no cross-section.
    """
    xsec = task.run().prepare().cross_section
    n_events = number_of_events(task.point.process, xsec, None, task.lumi)
    assert xsec is not None
    return Amount(point=task.point.index, n_events=n_events, xsec=xsec.value, xsec_err=xsec.error)


def find_damage(check: Check) -> str | None:
    """Why a part must be made again, None if it need not."""
    if not check.path.is_file():
        return "is missing"
    try:
        same = digest_of(check.path) == check.entry.sha256
    except SampleFormatError:
        same = False
    return None if same else "is damaged"


def is_foreign(path: Path, task: PointTask) -> bool:
    """Whether a file is a finished sample, but not of a point."""
    try:
        header = _header_of(path)
    except SampleFormatError:
        return False
    return not _agree(header, _identity(task.run()))


def recover(task: PartTask) -> Entry | None:
    """The entry of a part that no manifest tells of, None if the file is not it, or damaged."""
    part, run = task.part, task.point.run(task.part.chunk_size)
    expected = _identity(run) | {
        "chunk_size": part.chunk_size,
        "first_chunk": part.first_chunk,
        "chunks": part.n_chunks,
        "n_generated": part.n_events,
        "lumi": task.point.lumi if part.is_whole_point else None,
    }
    try:
        header, digest = _header_of(task.path), digest_of(task.path)
    except SampleFormatError:
        return None
    if not _agree(header, expected):
        return None
    return Entry(
        file=part.file,
        experiment=part.point.experiment,
        point=part.point.index,
        part=part.number,
        parameters=dict(part.point.parameters),
        n_events=part.n_events,
        sum_w=float(header["sum_w"]),
        xsec=header.get("xsec"),
        xsec_err=header.get("xsec_err"),
        sha256=digest,
        bytes=task.path.stat().st_size,
    )


def _header_of(path: Path) -> dict[str, Any]:
    with reading(path) as file:
        return read_header(file)


def _identity(run: Run) -> dict[str, Any]:
    """Attributes of all files of a run."""
    digests = configuration_digests(
        run.process.name,
        run.process.model_dump_json(),
        run.experiment.model_dump_json(),
        *chosen(run.experiment.systematics, run.systematics),
    )
    return {
        "version": __version__,
        "config_sha256": digests["config_sha256"],
        "seed": str(run.seed),
        "point": run.point,
    }


def _agree(header: dict[str, Any], expected: dict[str, Any]) -> bool:
    return all(header.get(name) == value for name, value in expected.items())


def make_part(task: PartTask, *, check: Callable[[], object] = lambda: None) -> Entry:
    """Make a part: beside its place, whole, then in it.

    Parameters
    ----------
    task
        Which part.
    check
        Called after each chunk; raises to stop.

    Raises
    ------
    KinematicsError, ConfigError
        The point has no events.
    OutputError
        The disk refuses the file.
    """
    started = time.perf_counter()
    part, path = task.part, task.path
    aside = beside(path)  # another worker, given up for lost, may be making the same part
    run = task.point.run(part.chunk_size)
    generator = run.prepare()
    make = ChunkMaker(run, generator, part.n_events_of_point, part.first_chunk)
    lumi = task.point.lumi if part.is_whole_point else None
    written = write_chunks(make, part.n_chunks, aside, lumi=lumi, done=lambda _: check())
    try:
        n_bytes = aside.stat().st_size
        put_in_place(aside, path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"cannot write '{path}': {error.strerror}") from None
    point, xsec = part.point, generator.cross_section
    return Entry(
        file=part.file,
        experiment=point.experiment,
        point=point.index,
        part=part.number,
        parameters=dict(point.parameters),
        n_events=part.n_events,
        sum_w=written.sum_w,
        xsec=None if xsec is None else xsec.value,
        xsec_err=None if xsec is None else xsec.error,
        sha256=written.sha256,
        bytes=n_bytes,
        seconds=round(time.perf_counter() - started, 3),
    )
