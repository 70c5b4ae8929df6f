"""Samples from a process and an experiment: seed chunks, workers, one file.

Chunk k of point j draws from ``SeedSequence(seed, spawn_key=(j, k, stage))``: the sample is a
function of the configuration and the seed alone, whatever the number of workers, and more events
keep the first ones.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from darkbelle import __version__
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.errors import ConfigError
from darkbelle.gen import CrossSection, Process, TruthEvents
from darkbelle.gen.processes import EventGenerator, Source
from darkbelle.geometry import Experiment
from darkbelle.geometry.systematics import chosen
from darkbelle.samples.files.aside import check_target
from darkbelle.samples.files.hdf5 import EFFICIENCY_ENDING, SampleWriter, configuration_digests
from darkbelle.samples.files.tables import Collection, head, tabulate
from darkbelle.samples.files.varied_tables import tabulate_variations
from darkbelle.samples.observables import observables_of
from darkbelle.samples.progress import Progress, silent
from darkbelle.samples.workers import in_order

__all__ = [
    "CHUNK_SIZE",
    "ChunkMaker",
    "Run",
    "Stage",
    "header_of",
    "number_of_events",
    "produce",
    "stream_of",
    "write",
    "write_chunks",
]

CHUNK_SIZE: Final = 8192
"""Events that share a random stream; with half as many, the fixed cost of a chunk is 15 %."""
_MOST_EVENTS = 10**12


class Stage(enum.IntEnum):
    """Each stage has its own stream, so that a change in one leaves the others' numbers alone."""

    PREPARE = 0
    GENERATE = 1
    SIMULATE = 2


def stream_of(seed: int, point: int, chunk: int, stage: Stage) -> np.random.Generator:
    """Random numbers of one stage of one chunk of one parameter point."""
    key = (point, chunk, int(stage))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that determines the events of one parameter point.

    Parameters
    ----------
    process, experiment
        What is made, and where.
    seed, point
        Which random numbers: points of one seed have streams of their own.
    chunk_size
        Events that share a stream: another size gives other events.
    systematics
        Those of the experiment's card whose variations the sample carries besides, by name, or
        "all"; they leave the nominal events alone.
    """

    process: Process
    experiment: Experiment
    seed: int
    point: int = 0
    chunk_size: int = CHUNK_SIZE
    systematics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no seed, chunks without events, and unknown systematic errors."""
        if self.seed < 0:
            raise ConfigError(f"the seed must not be negative (got {self.seed})")
        if self.chunk_size < 1:
            raise ConfigError(f"the chunk size must be positive (got {self.chunk_size})")
        chosen(self.experiment.systematics, self.systematics)

    def stream(self, chunk: int, stage: Stage) -> np.random.Generator:
        """Random numbers of one stage of one chunk."""
        return stream_of(self.seed, self.point, chunk, stage)

    def prepare(self) -> EventGenerator:
        """The process made ready for the experiment's collider."""
        return self.process.prepare(self.experiment.collider, self.stream(0, Stage.PREPARE))


@dataclass(frozen=True, slots=True)
class ChunkMaker:
    """The chunks of a run from the one called ``first``, made by whichever process does it."""

    run: Run
    generator: EventGenerator
    n_events: int
    """Of the whole run: its last chunk may be cut short."""
    first: int = 0

    def n_events_in(self, n_chunks: int) -> int:
        """Number of events of the next chunks."""
        size = self.run.chunk_size
        return min(self.n_events, (self.first + n_chunks) * size) - self.first * size

    def __call__(self, i: int) -> dict[str, Collection]:
        """The events of a chunk, which is always made whole and then cut."""
        run, chunk = self.run, self.first + i
        truth = self.generator.generate(run.chunk_size, run.stream(chunk, Stage.GENERATE))
        first_event, observables = chunk * run.chunk_size, observables_of(run.process)
        reco = simulate(
            truth,
            run.experiment,
            rng=run.stream(chunk, Stage.SIMULATE),
            systematics=run.systematics,
        )
        collections = tabulate(
            truth,
            reco,
            experiment=run.experiment,
            observables=observables,
            first_event_id=first_event,
        ) | tabulate_variations(reco, experiment=run.experiment, observables=observables)
        return head(collections, min(run.chunk_size, self.n_events - first_event))


@dataclass(frozen=True, slots=True)
class Written:
    """What is in a finished file."""

    n_events: int
    sum_w: float
    sha256: str


def produce(
    run: Run,
    path: str | Path,
    *,
    n_events: int | None = None,
    lumi: float | None = None,
    workers: int = 1,
    force: bool = False,
    progress: Progress = silent,
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
        Called with "events" and their number before the file is begun; what it returns is
        called with the number of events of each finished chunk.

    Returns
    -------
    n_events
        Number of events in the sample.

    Raises
    ------
    OutputError, KinematicsError, ConfigError
        Before anything is generated; nothing half-written remains, whatever happens.
    WorkerError
        A worker was killed.
    """
    if workers < 1:
        raise ConfigError(f"the number of workers must be positive (got {workers})")
    check_target(path, force=force)
    generator = run.prepare()
    n_total = number_of_events(run.process, generator.cross_section, n_events, lumi)
    make = ChunkMaker(run, generator, n_total)
    n_chunks = -(-n_total // run.chunk_size)
    done = progress("events", n_total)
    write_chunks(make, n_chunks, path, lumi=lumi, workers=workers, force=force, done=done)
    return n_total


def write_chunks(
    make: ChunkMaker,
    n_chunks: int,
    path: str | Path,
    *,
    lumi: float | None = None,
    workers: int = 1,
    force: bool = False,
    done: Callable[[int], object] = lambda n_events: None,
) -> Written:
    """Write some chunks of a run, one after the other, to a file.

    Parameters
    ----------
    make, n_chunks
        The chunks.
    path, workers, force
        As in `produce`.
    lumi
        What the file was asked to stand for [1/fb], if it was.
    done
        Called with the number of events of each finished chunk.

    Returns
    -------
    written
        What the file holds.
    """
    run, generator = make.run, make.generator
    with SampleWriter(path, force=force) as writer:
        if n_chunks == 0:  # the columns of an empty sample are those of any other
            writer.append(make(0))
        for collections in in_order(make, n_chunks, workers):
            writer.append(collections)
            done(len(collections["events"].arrays["event_id"]))
        systematics = tuple(chosen(run.experiment.systematics, run.systematics))
        header = header_of(run.process, run.experiment, generator.cross_section, systematics)
        header |= {
            "seed": str(run.seed),
            "point": run.point,
            "chunk_size": run.chunk_size,
            "first_chunk": make.first,
            "chunks": n_chunks,
            "n_generated": make.n_events_in(n_chunks),
        }
        header |= {f"{name}{EFFICIENCY_ENDING}": v for name, v in generator.efficiencies.items()}
        if lumi is not None:
            header["lumi"] = lumi
        digest = writer.finish(header)
    return Written(writer.n_events, writer.sum_w, digest)


def write(
    path: str | Path,
    truth: TruthEvents,
    reco: RecoEvents,
    *,
    process: Process,
    experiment: Experiment,
    force: bool = False,
) -> None:
    """Write events that were made step by step, in the same layout as `produce`.

    They come with the variations of those systematic errors that `simulate` was asked for.
    """
    observables = observables_of(process)
    collections = tabulate(
        truth, reco, experiment=experiment, observables=observables
    ) | tabulate_variations(reco, experiment=experiment, observables=observables)
    with SampleWriter(path, force=force) as writer:
        writer.append(collections)
        header = header_of(process, experiment, truth.cross_section, reco.systematics)
        writer.finish(header | {"n_generated": truth.n_events})


def number_of_events(
    process: Process, cross_section: CrossSection | None, n_events: int | None, lumi: float | None
) -> int:
    """Number of events asked for, by itself or as a luminosity [1/fb].

    Raises
    ------
    ConfigError
        Both are given, or none; the luminosity of a process without cross-section; too many.
    """
    if (n_events is None) == (lumi is None):
        raise ConfigError("give either a number of events or a luminosity")
    if n_events is not None:
        return _checked(n_events)
    if cross_section is None:
        raise ConfigError(f"{process.name} has no cross-section: give a number of events")
    if lumi is None or not (math.isfinite(lumi) and lumi > 0):
        raise ConfigError(f"the luminosity must be positive and finite (got {lumi} 1/fb)")
    return _checked(min(lumi * cross_section.value, 2.0 * _MOST_EVENTS))


def _checked(n_events: float) -> int:
    """The number of events as an integer within bounds."""
    if not 0 <= n_events <= _MOST_EVENTS:
        raise ConfigError(
            f"the number of events must lie between 0 and {_MOST_EVENTS:.0e} (got {n_events:g})"
        )
    return round(n_events)


def header_of(
    process: Source,
    experiment: Experiment,
    cross_section: CrossSection | None,
    systematics: tuple[str, ...],
) -> dict[str, Any]:
    """Attributes that say what the sample holds."""
    card = experiment.model_dump_json()
    parameters = process.model_dump_json()
    header: dict[str, Any] = {
        "version": __version__,
        "process": process.name,
        "parameters": parameters,
        "card": card,
        **configuration_digests(process.name, parameters, card, *systematics),
    }
    if systematics:
        header["systematics"] = ", ".join(systematics)
    if cross_section is not None:
        header |= {"xsec": cross_section.value, "xsec_err": cross_section.error}
    return header
