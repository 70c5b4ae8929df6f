"""Samples from files of other generators: read, simulated and written, a chunk at a time."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from darkbelle.detsim import simulate
from darkbelle.errors import ConfigError
from darkbelle.gen.external import EventFile, Reading, count_unknown
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.processes import ExternalEvents
from darkbelle.geometry import Experiment
from darkbelle.geometry.systematics import chosen
from darkbelle.samples.files.aside import check_apart, check_target
from darkbelle.samples.files.hdf5 import UNKNOWN_CODES, SampleWriter
from darkbelle.samples.files.merging import XSEC_SUM_W
from darkbelle.samples.files.tables import Collection, head, tabulate
from darkbelle.samples.files.varied_tables import tabulate_variations
from darkbelle.samples.observables import observables_of
from darkbelle.samples.production import CHUNK_SIZE, Stage, header_of, stream_of
from darkbelle.samples.progress import Progress, silent

__all__ = ["simulate_file"]


def simulate_file(
    path: str | Path,
    experiment: Experiment,
    seed: int,
    output: str | Path,
    *,
    reading: Reading | None = None,
    observables: tuple[str, ...] = (),
    systematics: tuple[str, ...] = (),
    n_events: int | None = None,
    chunk_size: int = CHUNK_SIZE,
    force: bool = False,
    progress: Progress = silent,
) -> int:
    """Simulate the events of a file, and write a sample.

    Parameters
    ----------
    path
        HepMC3 or HepMC2 as text, or LHE; as it is, or compressed.
    experiment, seed, systematics, chunk_size
        As of any `Run`.
    output
        Where to put the sample.
    reading
        How to take the events, cf. `Reading`.
    observables
        Sets that the sample is to carry, names out of `darkbelle.samples.observables`.
    n_events
        How many of the events, the first ones, all if not given; more keep the first ones.
    force
        Overwrite an existing file.
    progress
        Called with "bytes" and those of the file, cf. `produce`.

    Returns
    -------
    n_events
        Number of events in the sample.

    Raises
    ------
    EventFileError
        The file is damaged, cut off, or no such file; nothing half-written remains.
    KinematicsError
        An event cannot be followed, or its beams are not those of the experiment.
    ConfigError, OutputError
        A setting makes no sense, or the sample cannot be written.
    """
    if seed < 0:
        raise ConfigError(f"the seed must not be negative (got {seed})")
    if n_events is not None and n_events < 0:
        raise ConfigError(f"the number of events must not be negative (got {n_events})")
    errors = tuple(chosen(experiment.systematics, systematics))
    check_apart([check_target(output, force=force)], [Path(path)])
    with EventFile(path, reading) as file:
        source = _source(file, observables)
        make = _ChunkMaker(file, source, experiment, seed, systematics)
        done = progress("bytes", file.path.stat().st_size)
        n_chunks, n_bytes, unknown = 0, 0, Counter[int]()
        with SampleWriter(output, force=force) as writer:
            for n_chunks, raw in enumerate(_needed(file, chunk_size, n_events), 1):
                most = raw.n_events if n_events is None else n_events - writer.n_events
                collections = head(make(n_chunks - 1, raw), min(raw.n_events, most))
                writer.append(collections)
                unknown += _unknown(collections["particles"])
                done(file.n_bytes_read - n_bytes)
                n_bytes = file.n_bytes_read
            file.check_met()
            source = source.model_copy(update={"generators": file.generators})
            header = header_of(source, experiment, file.cross_section, errors)
            header |= {
                "seed": str(seed),
                "point": 0,
                "chunk_size": chunk_size,
                "first_chunk": 0,
                "chunks": n_chunks,
                "n_generated": writer.n_events,
                XSEC_SUM_W: writer.sum_w,
                "weight_scale": file.weight_scale,
                UNKNOWN_CODES: json.dumps(unknown),
            }
            writer.finish(header)
    return writer.n_events


def _source(file: EventFile, observables: tuple[str, ...]) -> ExternalEvents:
    """What the sample says that it comes from; the file tells its generators later."""
    with file.path.open("rb") as octets:
        digest = hashlib.file_digest(octets, "sha256").hexdigest()
    return ExternalEvents(
        file=file.path.name,
        sha256=digest,
        format=file.format,
        reading=file.reading,
        carries=observables,
    )


def _needed(file: EventFile, size: int, n_events: int | None) -> Iterator[RawEvents]:
    """Whole chunks, at least one, until there are so many events."""
    n_had = 0
    for raw in file.blocks(size):
        yield raw
        n_had += raw.n_events
        if n_events is not None and n_had >= n_events:
            return


def _unknown(particles: Collection) -> Counter[int]:
    """Final particles of codes that nobody knows."""
    columns = (particles.arrays[name] for name in ("pdg_id", "status"))
    return count_unknown(*(np.asarray(column, np.int32) for column in columns))


@dataclass(frozen=True, slots=True)
class _ChunkMaker:
    """What becomes of some events of a file."""

    file: EventFile
    source: ExternalEvents
    experiment: Experiment
    seed: int
    systematics: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse unknown observables."""
        observables_of(self.source)

    def __call__(self, chunk: int, raw: RawEvents) -> dict[str, Collection]:
        """The simulated events of a chunk."""
        observables = observables_of(self.source)
        rng = {stage: stream_of(self.seed, 0, chunk, stage) for stage in Stage}
        truth = self.file.truth(raw, self.experiment.collider, rng[Stage.GENERATE])
        with self.file.located(raw):
            reco = simulate(
                truth, self.experiment, rng=rng[Stage.SIMULATE], systematics=self.systematics
            )
        shared: dict[str, Any] = {"experiment": self.experiment, "observables": observables}
        return tabulate(truth, reco, first_event_id=raw.first, **shared) | tabulate_variations(
            reco, **shared
        )
