"""Running a campaign: what is missing is made, what is damaged made again, by any engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from darkbelle.errors import DarkbelleError, OutputError
from darkbelle.samples.campaigns.campaign import Campaign
from darkbelle.samples.campaigns.folder import (
    delete_leftovers,
    locked,
    log_name,
    logging_to,
    opened,
    read_campaign,
    settle,
    write_points,
)
from darkbelle.samples.campaigns.manifest import (
    Amount,
    Entry,
    FailedPoint,
    Journal,
    Manifest,
    manifest_name,
    refusals_told,
)
from darkbelle.samples.campaigns.plan import Failure, Part, Plan, Point, Shard, owns
from darkbelle.samples.campaigns.work import (
    Check,
    PartTask,
    PointTask,
    find_amount,
    find_damage,
    make_part,
    recover,
)
from darkbelle.samples.engines import Engine, completed, local
from darkbelle.samples.progress import Progress, silent

__all__ = ["Report", "run_campaign"]

_log = logging.getLogger("darkbelle.samples.campaigns")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a campaign, or of a shard of it."""

    plan: Plan
    entries: tuple[Entry, ...]
    """All finished parts, in the order of the plan."""
    made: frozenset[str]
    """Files of those that were made now."""
    redone: tuple[str, ...]
    """Files that were damaged or missing."""
    found: tuple[str, ...]
    """Files that no manifest told of, but whole and of this campaign: kept."""
    failures: tuple[Failure, ...]
    seconds: float


def run_campaign(
    campaign: Campaign | Plan,
    folder: str | Path,
    *,
    shard: Shard | None = None,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> Report:
    """Make what a campaign's folder lacks; the files do not depend on who does it, and how often.

    Parameters
    ----------
    campaign
        What to make.
    folder
        Where; made if need be. Parts that are there are kept if their checksums are right.
    shard
        Make a share of the parts only.
    engine
        Who does the work, cf. `darkbelle.samples.engines`; None is this process.
    progress
        Called with "settings", "parts", "points" or "events" and their number before parameters
        are checked, parts looked at, cross-sections computed, and events made. What it returns is
        called with the number of those that are done, and with 0 several times a second; it may
        raise to stop.

    Returns
    -------
    report
        With the points that cannot be made, which keep no other one from being made.

    Raises
    ------
    ConfigError
        The parameters of a point, or a card, are refused; nothing was made.
    OutputError
        The folder holds something else, another run writes to it, or the disk refuses a file.
        Finished parts stay.
    WorkerError
        The workers are gone. Finished parts stay.
    """
    plan = campaign if isinstance(campaign, Plan) else Plan.of(campaign, progress=progress)
    where = Path(folder).resolve()
    read_campaign(where, plan)  # before anything is put into a folder of something else
    with locked(where, shard):
        manifest = opened(where, plan, shard)
        own = where / manifest_name(shard)
        with Journal.of(own) as journal, logging_to(where / log_name(shard)):
            return _Running(plan, where, shard, engine, progress, journal).run(manifest)


@dataclass(frozen=True, slots=True)
class _Running:
    """A campaign on its way in a folder that is locked."""

    plan: Plan
    folder: Path
    shard: Shard | None
    engine: Engine | None
    progress: Progress
    journal: Journal
    failures: dict[int, Failure] = field(default_factory=dict)
    """By the indices of points."""

    def run(self, manifest: Manifest) -> Report:
        started = time.perf_counter()
        for warning in self.plan.warnings:
            _log.warning(warning)
        if manifest.n_damaged:
            _log.warning("%d lines of the manifest are damaged", manifest.n_damaged)
        write_points(self.folder, self.plan, self._events(manifest.amounts))
        amounts = self._amounts(manifest)
        n_events = self._events(amounts)
        own = [p for p in self.plan.parts(n_events) if owns(self.shard, p.point.index, p.number)]
        with refusals_told():
            if deleted := delete_leftovers(self.folder, own):
                _log.warning("%d files that a killed run left were deleted", deleted)
        write_points(self.folder, self.plan, n_events)
        kept, redone = self._check({p.file: manifest.entries.get(p.file) for p in own})
        found: dict[str, Entry] = {}
        if manifest_name(self.shard) not in manifest.names:
            found, damaged = self._recover([p for p in own if p.file not in manifest.entries])
            kept, redone = kept | found, sorted(redone + damaged)
        made = self._make([part for part in own if part.file not in kept])
        delete_leftovers(self.folder, own)  # of workers that were lost
        entries = tuple(e for part in own if (e := (kept | made).get(part.file)) is not None)
        without = self.failures.keys() - {entry.point for entry in entries}
        write_points(
            self.folder, self.plan, {i: n for i, n in n_events.items() if i not in without}
        )
        failures = [_line_of(self.failures[i]) for i in sorted(self.failures)]
        settle(self.folder, manifest, self.shard, amounts.values(), entries, failures)
        return Report(
            self.plan,
            entries,
            frozenset(made),
            tuple(redone),
            tuple(sorted(found)),
            tuple(self.failures[i] for i in sorted(self.failures)),
            time.perf_counter() - started,
        )

    def _events(self, amounts: Mapping[int, Amount]) -> dict[int, int]:
        """Number of events of each point, as far as it has any."""
        if (n_events := self.plan.campaign.events) is not None:
            return {point.index: n_events for point in self.plan.points}
        return {index: amount.n_events for index, amount in amounts.items()}

    def _amounts(self, manifest: Manifest) -> dict[int, Amount]:
        """What a luminosity means at each point, computed where the manifest does not say it."""
        amounts = dict(manifest.amounts)
        if self.plan.campaign.lumi is not None:
            missing = [point for point in self.plan.points if point.index not in amounts]
            tasks = (PointTask.of(self.plan, point) for point in missing)
            done = self.progress("points", len(missing))
            for task, future in self._completed(find_amount, tasks, done):
                if (amount := self._result(task.point, future)) is not None:
                    amounts[amount.point] = amount
                    self.journal.add(amount)
                done(1)
        return {index: amounts[index] for index in sorted(amounts)}

    def _check(self, known: Mapping[str, Entry | None]) -> tuple[dict[str, Entry], list[str]]:
        """The parts that are there and whole, by their files, and the files that are not."""
        checks = [Check(entry, self.folder / entry.file) for entry in known.values() if entry]
        kept, redone = {}, []
        done = self.progress("parts", len(checks))
        for check, future in self._completed(find_damage, checks, done):
            file = check.entry.file
            if (damage := future.result()) is None:
                kept[file] = check.entry
            else:
                redone.append(file)
                _log.warning("%s %s: it is made again", file, damage)
            done(1)
        return kept, sorted(redone)

    def _recover(self, parts: list[Part]) -> tuple[dict[str, Entry], list[str]]:
        """Entries of parts that are there and whole though no manifest tells of them, by file.

        And the files that are there, but damaged or something else.
        """
        there = [part for part in parts if (self.folder / part.file).is_file()]
        found: dict[str, Entry] = {}
        refused = []
        done = self.progress("parts", len(there))
        for task, future in self._completed(recover, self._tasks(there), done):
            file = task.part.file
            if (entry := future.result()) is not None:
                found[file] = entry
                self.journal.add(entry)
                _log.info("%s: found without a line of the manifest, and kept", file)
            else:
                refused.append(file)
                _log.warning("%s is damaged: it is made again", file)
            done(1)
        return found, refused

    def _make(self, parts: list[Part]) -> dict[str, Entry]:
        """The missing parts, by their files."""
        for experiment in {part.point.experiment for part in parts}:
            with refusals_told():
                (self.folder / experiment).mkdir(exist_ok=True)
        done = self.progress("events", sum(part.n_events for part in parts))
        work = make_part if self.engine else partial(make_part, check=lambda: done(0))
        made = {}
        for task, future in self._completed(work, self._tasks(parts), done):
            if (entry := self._result(task.part.point, future)) is not None:
                made[entry.file] = entry
                self.journal.add(entry)
                _tell(task.part, entry)
            done(task.part.n_events)
        return made

    def _tasks(self, parts: list[Part]) -> Iterator[PartTask]:
        """What is to be made, but for points that turned out to be impossible."""
        for part in parts:
            if part.point.index not in self.failures:
                point = PointTask.of(self.plan, part.point)
                yield PartTask(point, part, self.folder / part.file)

    def _completed(
        self, function: Callable[[T], R], tasks: Iterable[T], done: Callable[[int], object]
    ) -> Iterator[tuple[T, Future[R]]]:
        with ExitStack() as stack:
            engine = self.engine or stack.enter_context(local(1))
            yield from completed(engine, function, tasks, check=lambda: done(0))

    def _result(self, point: Point, future: Future[R]) -> R | None:
        """A result, or None from a point that cannot be made; what concerns all is raised."""
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, OutputError) or not isinstance(error, Exception):
            raise error
        known = isinstance(error, DarkbelleError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        if point.index not in self.failures:
            self.failures[point.index] = Failure(point, reason)
            self.journal.add(_line_of(self.failures[point.index]))
            _log.error("%s: %s", point, reason, exc_info=None if known else error)
        return None


def _line_of(failure: Failure) -> FailedPoint:
    """What the manifest says of a point that cannot be made."""
    point = failure.point
    return FailedPoint(
        point=point.index,
        experiment=point.experiment,
        parameters=dict(point.parameters),
        reason=failure.reason,
    )


def _tell(part: Part, entry: Entry) -> None:
    """A line of the log for a part."""
    _log.info(
        "%s: %s, chunks %d to %d, %d events, %.2f s",
        part.file,
        part.point,
        part.first_chunk,
        part.first_chunk + part.n_chunks - 1,
        part.n_events,
        entry.seconds,
    )
