"""Samples from a process and an experiment: seed chunks, workers, one file.

Chunk k of point j draws from ``SeedSequence(seed, spawn_key=(j, k, stage))``: the sample is a
function of the configuration and the seed alone, whatever the number of workers, and more events
keep the first ones.
"""

from __future__ import annotations

import enum
import hashlib
import json
import math
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from darkbelle import __version__
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.errors import ConfigError
from darkbelle.gen import CrossSection, Process, TruthEvents
from darkbelle.gen.processes import EventGenerator
from darkbelle.geometry import Experiment
from darkbelle.samples.hdf5 import SampleWriter, check_target
from darkbelle.samples.observables import observables_of
from darkbelle.samples.tables import Collection, head, tabulate

__all__ = ["CHUNK_SIZE", "Run", "Stage", "produce", "write"]

CHUNK_SIZE: Final = 4096
"""Events that share a random stream."""
_CHUNKS_IN_FLIGHT = 3
"""Chunks a worker may be ahead of the writer."""


class Stage(enum.IntEnum):
    """Each stage has its own stream, so that a change in one leaves the others' numbers alone."""

    PREPARE = 0
    GENERATE = 1
    SIMULATE = 2


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that determines the events of one parameter point."""

    process: Process
    experiment: Experiment
    seed: int
    point: int = 0

    def stream(self, chunk: int, stage: Stage) -> np.random.Generator:
        """Random numbers of one stage of one chunk."""
        key = (self.point, chunk, int(stage))
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def prepare(self) -> EventGenerator:
        """The process made ready for the experiment's collider."""
        return self.process.prepare(self.experiment.collider, self.stream(0, Stage.PREPARE))

    def chunk(self, generator: EventGenerator, chunk: int, n_events: int) -> dict[str, Collection]:
        """The first ``n_events`` of a chunk, which is always made whole and then cut."""
        truth = generator.generate(CHUNK_SIZE, self.stream(chunk, Stage.GENERATE))
        collections = tabulate(
            truth,
            simulate(truth, self.experiment, rng=self.stream(chunk, Stage.SIMULATE)),
            experiment=self.experiment,
            observables=observables_of(self.process),
            first_event_id=chunk * CHUNK_SIZE,
        )
        return collections if n_events == CHUNK_SIZE else head(collections, n_events)


def produce(
    run: Run,
    path: str | Path,
    *,
    n_events: int | None = None,
    lumi: float | None = None,
    workers: int = 1,
    force: bool = False,
    progress: Callable[[int], object] = lambda n_events: None,
) -> int:
    """Produce a sample.

    Parameters
    ----------
    run
        What to produce.
    path
        Where to put it.
    n_events, lumi
        Number of events, or the luminosity [1/fb] that they stand for; one of the two.
    workers
        Processes to use; the result does not depend on it.
    force
        Overwrite an existing file.
    progress
        Called with the number of events of each finished chunk.

    Returns
    -------
    n_events
        Number of events in the sample.

    Raises
    ------
    OutputError, KinematicsError, ConfigError
        Before anything is generated; nothing half-written remains, whatever happens.
    """
    check_target(Path(path), force=force)
    observables_of(run.process)
    generator = run.prepare()
    n_total = _number_of_events(run.process, generator.cross_section, n_events, lumi)
    sizes = [min(CHUNK_SIZE, n_total - start) for start in range(0, n_total, CHUNK_SIZE)]
    with SampleWriter(path, force=force) as writer:
        if not sizes:  # the columns of an empty sample are those of any other
            writer.append(run.chunk(generator, 0, 0))
        for collections in _chunks(run, generator, sizes, workers):
            writer.append(collections)
            progress(len(collections["events"].arrays["event_id"]))
        header = _header(run.process, run.experiment, generator.cross_section)
        header |= {
            "seed": str(run.seed),
            "point": run.point,
            "chunk_size": CHUNK_SIZE,
            "chunks": len(sizes),
            "n_generated": n_total,
        }
        if lumi is not None:
            header["lumi"] = lumi
        writer.finish(header)
    return n_total


def write(
    path: str | Path,
    truth: TruthEvents,
    reco: RecoEvents,
    *,
    process: Process,
    experiment: Experiment,
    force: bool = False,
) -> None:
    """Write events that were made step by step, in the same layout as `produce`."""
    collections = tabulate(truth, reco, experiment=experiment, observables=observables_of(process))
    with SampleWriter(path, force=force) as writer:
        writer.append(collections)
        header = _header(process, experiment, truth.cross_section)
        writer.finish(header | {"n_generated": truth.n_events})


def _number_of_events(
    process: Process, cross_section: CrossSection | None, n_events: int | None, lumi: float | None
) -> int:
    if (n_events is None) == (lumi is None):
        raise ConfigError("give either a number of events or a luminosity")
    if n_events is not None:
        if n_events < 0:
            raise ConfigError(f"the number of events must not be negative (got {n_events})")
        return n_events
    if cross_section is None:
        raise ConfigError(f"{process.name} has no cross-section: give a number of events")
    if lumi is None or not (math.isfinite(lumi) and lumi > 0):
        raise ConfigError(f"the luminosity must be positive and finite (got {lumi} 1/fb)")
    return round(lumi * cross_section.value)


def _header(
    process: Process, experiment: Experiment, cross_section: CrossSection | None
) -> dict[str, Any]:
    """Attributes that say what the sample holds."""
    card = experiment.model_dump_json()
    parameters = process.model_dump_json()
    header: dict[str, Any] = {
        "version": __version__,
        "process": process.name,
        "parameters": parameters,
        "card": card,
        "card_sha256": _sha256(card),
        "config_sha256": _sha256(json.dumps([process.name, parameters, card])),
    }
    if cross_section is not None:
        header |= {"xsec": cross_section.value, "xsec_err": cross_section.error}
    return header


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- workers ------------------------------------------------------------------------------------


def _chunks(
    run: Run, generator: EventGenerator, sizes: list[int], workers: int
) -> Iterator[dict[str, Collection]]:
    """The collections of all chunks, in order."""
    if workers < 1:
        raise ConfigError(f"the number of workers must be positive (got {workers})")
    if workers == 1 or len(sizes) == 1:
        for chunk, size in enumerate(sizes):
            yield run.chunk(generator, chunk, size)
        return
    executor = ProcessPoolExecutor(
        min(workers, len(sizes)), multiprocessing.get_context("spawn"), _start_worker
    )
    try:
        in_flight: deque[Future[dict[str, Collection]]] = deque()
        for chunk, size in enumerate(sizes):
            in_flight.append(executor.submit(run.chunk, generator, chunk, size))
            if len(in_flight) >= _CHUNKS_IN_FLIGHT * workers:
                yield in_flight.popleft().result()
        while in_flight:
            yield in_flight.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """An interrupt from the terminal is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
