"""What a campaign will cost, from a few of its points made and thrown away."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from darkbelle.errors import ConfigError, KinematicsError
from darkbelle.gen.processes import EventGenerator
from darkbelle.samples.campaigns.plan import Failure, Plan, Point
from darkbelle.samples.campaigns.work import PointTask
from darkbelle.samples.production import ChunkMaker, Run, number_of_events, write_chunks

__all__ = ["Cost", "Forecast", "forecast"]

_PILOT: Final = 2048
"""Events by which a point with more of them is judged."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What some points take, or are thought to."""

    n_points: int = 0
    n_parts: float = 0
    n_events: float = 0
    n_bytes: float = 0
    seconds: float = 0
    """Of one worker."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.n_points + other.n_points,
            self.n_parts + other.n_parts,
            self.n_events + other.n_events,
            self.n_bytes + other.n_bytes,
            self.seconds + other.seconds,
        )

    def scaled(self, n_points: int) -> Cost:
        """That of another number of such points."""
        scale = n_points / max(self.n_points, 1)
        return Cost(
            n_points,
            self.n_parts * scale,
            self.n_events * scale,
            self.n_bytes * scale,
            self.seconds * scale,
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a campaign will take at each experiment."""

    plan: Plan
    costs: dict[str, Cost]
    n_tried: int
    failures: tuple[Failure, ...]
    """Those of the tried points that cannot be made."""


def forecast(plan: Plan, *, seconds: float = 4.0) -> Forecast:
    """Judge a campaign by as many of its points as can be made in some time, at least one each.

    Points with more than two thousand events are judged by so many.
    """
    costs, failures, n_tried = {}, [], 0
    for experiment in plan.experiments:
        points = [point for point in plan.points if point.experiment == experiment]
        deadline = time.perf_counter() + seconds / len(plan.experiments)
        tried = Cost()
        for i in np.random.default_rng(0).permutation(len(points)):
            n_tried += 1
            try:
                tried += _cost(plan, points[i])
            except (ConfigError, KinematicsError) as error:
                tried += Cost(n_points=1)
                failures.append(Failure(points[i], str(error)))
            if time.perf_counter() > deadline:
                break
        costs[experiment] = tried.scaled(len(points))
    return Forecast(plan, costs, n_tried, tuple(failures))


def _cost(plan: Plan, point: Point) -> Cost:
    """What a point takes, by a part of its events if they are many."""
    task, campaign = PointTask.of(plan, point), plan.campaign
    started = time.perf_counter()
    generator = task.run().prepare()
    prepared = time.perf_counter() - started
    xsec = generator.cross_section
    n_events = number_of_events(point.process, xsec, campaign.events, campaign.lumi)
    parts = list(plan.parts_of(point, n_events))
    run = task.run(min(parts[0].chunk_size, _PILOT))
    sizes = [n_events] if n_events <= _PILOT else [_PILOT, _PILOT // 2]
    bytes_of, spent = _measured(run, generator, sizes)
    n_bytes, made = float(bytes_of[0]), spent
    if n_events > _PILOT:
        each = (bytes_of[0] - bytes_of[1]) / (sizes[0] - sizes[1])
        n_bytes = (bytes_of[0] - each * _PILOT) * len(parts) + each * n_events
        made *= n_events / _PILOT
    return Cost(1, len(parts), n_events, n_bytes, prepared * len(parts) + made)


def _measured(run: Run, generator: EventGenerator, sizes: Sequence[int]) -> tuple[list[int], float]:
    """Bytes of files of some numbers of events of the first chunk, and the time of the first."""
    n_bytes, times = [], []
    with tempfile.TemporaryDirectory(prefix="darkbelle-") as folder:
        for n_events in sizes:
            started = time.perf_counter()
            path = Path(folder) / str(n_events)
            write_chunks(ChunkMaker(run, generator, n_events), min(n_events, 1), path)
            times.append(time.perf_counter() - started)
            n_bytes.append(path.stat().st_size)
    return n_bytes, times[0]
