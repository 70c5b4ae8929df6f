"""From a campaign to its points and parts: which random numbers, which file."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from darkbelle import __version__, geometry
from darkbelle.errors import ConfigError
from darkbelle.gen import Process, find_process
from darkbelle.geometry import Experiment
from darkbelle.geometry.systematics import chosen
from darkbelle.samples.campaigns.campaign import Campaign
from darkbelle.samples.production import CHUNK_SIZE, number_of_events
from darkbelle.samples.progress import Progress, silent
from darkbelle.samples.wording import as_text, flat

__all__ = ["Failure", "Part", "Plan", "Point", "Shard", "owns"]

PART_CHUNKS: Final = 32
"""Chunks in a file: some 262,000 events."""


@dataclass(frozen=True, slots=True)
class Point:
    """One set of parameters at one experiment.

    ``index`` says which random numbers, ``number`` which parameters: the same at each experiment.
    """

    index: int
    number: int
    experiment: str
    process: Process
    parameters: Mapping[str, Any]
    """As the user gave them, those of parameters with dots in their names."""

    def __str__(self) -> str:
        given = ", ".join(f"{name}={as_text(value)}" for name, value in self.parameters.items())
        return f"point {self.index} ({', '.join(filter(None, (self.experiment, given)))})"


@dataclass(frozen=True, slots=True)
class Failure:
    """A point that cannot be made."""

    point: Point
    reason: str

    def __str__(self) -> str:
        return f"{self.point}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Part:
    """Some chunks of a point: what is in one file."""

    point: Point
    file: str
    """Path below the folder of the campaign."""
    number: int
    """Among the parts of the point, from 1."""
    n_events_of_point: int
    chunk_size: int
    first_chunk: int
    n_chunks: int

    @property
    def n_events(self) -> int:
        """Number of events."""
        first = self.first_chunk * self.chunk_size
        last = (self.first_chunk + self.n_chunks) * self.chunk_size
        return min(last, self.n_events_of_point) - first

    @property
    def is_whole_point(self) -> bool:
        """Whether the point has no other part."""
        return self.n_events == self.n_events_of_point


@dataclass(frozen=True, slots=True)
class Shard:
    """The share of a campaign that one of several jobs makes, the first one called 1."""

    number: int
    of: int

    def __post_init__(self) -> None:
        """Refuse what is none."""
        if not 1 <= self.number <= self.of:
            raise ConfigError(f"there is no shard {self}: they are counted from 1, as in 1/3")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """A shard from ``2/3``."""
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal()):
            raise ConfigError(f"shard '{text}' must read NUMBER/SHARDS, e.g. 2/3")
        return cls(int(number), int(of))

    def has(self, point: int, part: int) -> bool:
        """Whether a part of a point is in this share, which depends on no other point."""
        return (point + part - self.number) % self.of == 0


def owns(shard: Shard | None, point: int, part: int) -> bool:
    """Whether a part of a point is for a shard to make, or for a whole run, which makes all."""
    return shard is None or shard.has(point, part)


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign with its cards read and the parameters of all points checked.

    ``sha256`` is the same for two campaigns that give the same files.
    """

    campaign: Campaign
    experiments: Mapping[str, Experiment]
    """By the names of their folders."""
    cards: Mapping[str, str]
    """The same as JSON."""
    points: tuple[Point, ...]
    sha256: str
    warnings: tuple[str, ...]
    """What the processes of the points warn of."""

    @classmethod
    def of(cls, campaign: Campaign, *, progress: Progress = silent) -> Self:
        """The plan of a campaign.

        All parameters are checked, some milliseconds a point; ``progress`` is called with
        "settings" and their number, and what it returns with the number of those that are done.

        Raises
        ------
        ConfigError
            An experiment, an override, or a parameter of some point is refused.
        """
        experiments = _experiments(campaign)
        cards = {name: card.model_dump_json() for name, card in experiments.items()}
        settings = campaign.settings()
        processes, warnings = _processes(
            campaign.process, settings, progress("settings", len(settings))
        )
        if campaign.events is not None:
            number_of_events(processes[0], None, campaign.events, None)
        points = tuple(
            Point(i * len(settings) + j, j, name, process, dict(flat(given)))
            for i, name in enumerate(experiments)
            for j, (process, given) in enumerate(zip(processes, settings, strict=True))
        )
        resolved = (
            [__version__, campaign.process, campaign.events, campaign.lumi],
            [campaign.seed, campaign.systematics, *cards.items()],
            [process.model_dump_json() for process in processes],
        )
        digest = hashlib.sha256(json.dumps(resolved).encode()).hexdigest()
        return cls(campaign, experiments, cards, points, digest, warnings)

    def parts(self, amounts: Mapping[int, int]) -> Iterator[Part]:
        """The parts of those points whose numbers of events are known, by the points' indices."""
        for point in self.points:
            if point.index in amounts:
                yield from self.parts_of(point, amounts[point.index])

    def parts_of(self, point: Point, n_events: int) -> Iterator[Part]:
        """The parts of a point with a number of events: of whole chunks, the last one cut."""
        chunk_size = min(CHUNK_SIZE, 1 << max(n_events - 1, 0).bit_length())
        n_chunks = -(-n_events // chunk_size)
        n_parts = max(-(-n_chunks // PART_CHUNKS), 1)
        width = max(len(str(n_parts)), 3)
        stem = f"{point.experiment}/{point.number:0{self.width}d}"
        for number in range(1, n_parts + 1):
            first = (number - 1) * PART_CHUNKS
            file = f"{stem}.h5" if n_parts == 1 else f"{stem}-{number:0{width}d}.h5"
            chunks = min(PART_CHUNKS, n_chunks - first)
            yield Part(point, file, number, n_events, chunk_size, first, chunks)

    @property
    def width(self) -> int:
        """Digits of the number of a point."""
        return max(len(str(self.campaign.n_points - 1)), 4)


def _experiments(campaign: Campaign) -> dict[str, Experiment]:
    experiments: dict[str, Experiment] = {}
    for card in campaign.experiments:
        name = Path(card).stem if card.endswith(".toml") else card
        if name in experiments:
            raise ConfigError(f"experiments: two are called '{name}'")
        experiments[name] = geometry.load(card, campaign.set, vary=campaign.vary)
        chosen(experiments[name].systematics, campaign.systematics)
    return experiments


def _processes(
    name: str, settings: Sequence[Mapping[str, Any]], done: Callable[[int], object]
) -> tuple[list[Process], tuple[str, ...]]:
    """The process with the parameters of each point, and warnings; one complaint speaks for all."""
    process_class = find_process(name)
    processes: list[Process] = []
    refused: list[str] = []
    warnings: list[str] = []
    for i, given in enumerate(settings):
        with _heard() as messages:
            try:
                processes.append(process_class(**given))
            except ConfigError as error:
                refused.append(f"point {i}: {error}")
        warnings += [f"point {i}: {message}" for message in dict.fromkeys(messages)]
        done(1)
    if refused:
        others = f" (and {len(refused) - 1} other points)" if refused[1:] else ""
        raise ConfigError(f"{refused[0]}{others}")
    seen: dict[str, int] = {}
    for i, process in enumerate(processes):
        if (same := seen.setdefault(process.model_dump_json(), i)) != i:
            raise ConfigError(f"points {same} and {i} are the same")
    return processes, tuple(warnings)


class _Listener(logging.Handler):
    """Keeps what is warned of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.messages.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What is warned of meanwhile, to be told with the point that it is about."""
    listener, log = _Listener(), logging.getLogger("darkbelle")
    log.addHandler(listener)
    try:
        yield listener.messages
    finally:
        log.removeHandler(listener)
