"""Events of other generators as truth records, as if a process of this package had made them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, model_validator

from darkbelle.errors import ConfigError, EventFileError, KinematicsError, explain
from darkbelle.gen.beams import sample_vertices
from darkbelle.gen.decays.decay import decay_short_lived
from darkbelle.gen.events import CrossSection, Status, TruthEvents
from darkbelle.gen.external.checking import check_events, check_frame
from darkbelle.gen.external.cleaning import truth_of, where_beams_meet
from darkbelle.gen.external.flights import fly
from darkbelle.gen.external.frames import moved_by, to_laboratory
from darkbelle.gen.external.hepmc import HepMCSource
from darkbelle.gen.external.lhe import LHESource
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.external.streams import EventStream, Format
from darkbelle.gen.particles import conjugate, species
from darkbelle.geometry import Collider
from darkbelle.settings import Settings

__all__ = ["BLOCK_SIZE", "EventFile", "Reading", "read"]

FloatArray = npt.NDArray[np.float64]

BLOCK_SIZE = 8192
"""Events that are read together."""
_POINTS = ("x", "y", "z", "t")
_ENDS = ("decay_x", "decay_y", "decay_z", "decay_t")
_LAST_CODE = 2**31 - 1
_Code = Annotated[int, Field(ge=-_LAST_CODE, le=_LAST_CODE)]
_Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class FileFrame(enum.StrEnum):
    """In which frame a file has its events; in the centre of mass electrons go along z."""

    LAB = "lab"
    CM = "cm"


class Vertices(enum.StrEnum):
    """Where the beams meet: drawn from the luminous region, or as the file says."""

    BEAM = "beam"
    FILE = "file"


class Reading(Settings):
    """How the events of a file are to be taken.

    Raises
    ------
    ConfigError
        A setting is unknown or out of its bounds.
    """

    frame: Annotated[FileFrame, Field(description="frame of the momenta in the file")] = (
        FileFrame.LAB
    )
    vertices: Annotated[
        Vertices, Field(description="whether events are moved into the luminous region")
    ] = Vertices.BEAM
    weight: Annotated[
        str | None,
        Field(
            description="name of the weight that counts",
            json_schema_extra={"none": "the first one"},
        ),
    ] = None
    treat_as: Annotated[
        dict[_Code, _Code],
        Field(description="known particles in the place of others, by codes of the file"),
    ] = Field(default_factory=dict)
    ctau: Annotated[
        dict[_Code, _Length],
        Field(
            description="mean proper lengths that decaying particles fly, by codes of the file",
            json_schema_extra={"unit": "cm"},
        ),
    ] = Field(default_factory=dict)

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise ConfigError(explain(error)) from None

    @model_validator(mode="after")
    def _check_codes(self) -> Reading:
        for code, known in self.treat_as.items():
            try:
                species(known)
            except ConfigError as error:
                msg = f"treat_as.{code}: {error}"
                raise ValueError(msg) from None
        return self

    @property
    def lengths(self) -> dict[int, float]:
        """Those of `ctau` by the codes that particles have in the end."""
        codes = np.array([*self.ctau], np.int32)
        return dict(zip(self.renamed(codes).tolist(), self.ctau.values(), strict=True))

    def renamed(self, pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Codes with those of `treat_as` replaced; antiparticles by antiparticles."""
        renamed = pdg_id.copy()
        for code, known in self.treat_as.items():
            renamed[pdg_id == -code] = conjugate(known)
            renamed[pdg_id == code] = known
        return renamed


class EventFile:
    """A file of events of another generator, read once from its beginning.

    Use as a context manager.

    Parameters
    ----------
    path
        HepMC3 or HepMC2 as text, or LHE; as it is, or compressed (gzip, bzip2, xz, zstd).
    reading
        How to take its events.

    Raises
    ------
    EventFileError
        It is no such file, or damaged.
    """

    def __init__(self, path: str | Path, reading: Reading | None = None) -> None:
        self.path = Path(path)
        self.reading = reading or Reading()
        self.weight_scale: float | None = None
        """What the weights were divided by, so that an event counts about once."""
        self._sums = np.zeros(2)
        self._met: set[int] = set()
        self._flown: set[int] = set()
        self._stream = EventStream(self.path)
        try:
            is_lhe = self._stream.format is Format.LHE
            self._source = LHESource(self._stream) if is_lhe else HepMCSource(self._stream)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> EventFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    @property
    def format(self) -> str:
        """HepMC3, HepMC2 or LHE."""
        return self._stream.format.label

    @property
    def generators(self) -> tuple[str, ...]:
        """Which programs made the events, with their versions; known once some were read."""
        return self._source.generators

    @property
    def cross_section(self) -> CrossSection | None:
        """Cross-section of all events, as the file tells it so far, for the weight that counts.

        The file's belongs to the first weight: that of another one is as the sums of both.
        """
        told, (first, chosen) = self._source.cross_section, self._sums
        if told is None or first == chosen:
            return told
        ratio = chosen / first if first else 0.0
        return CrossSection(told.value * ratio, told.error * ratio) if ratio > 0 else None

    @property
    def n_bytes_read(self) -> int:
        """How much of the file was read."""
        return self._stream.n_bytes_read

    def blocks(self, size: int = BLOCK_SIZE) -> Iterator[RawEvents]:
        """Events as they stand in the file, so many at a time, checked, their weights scaled.

        Raises
        ------
        EventFileError
            The file is damaged, or an event makes no sense.
        ConfigError
            It does not have the weight that is asked for; or blocks of no events.
        """
        if size < 1:
            raise ConfigError(f"events are read one at a time or more (got {size})")
        for raw in self._source.blocks(size):
            try:
                check_events(raw, self.path)
            except EventFileError:
                self._stream.check_damage()
                raise
            self._met.update(np.unique(raw.pdg_id).tolist())
            yield replace(raw, pdg_id=self.reading.renamed(raw.pdg_id), weights=self._weights(raw))

    def check_met(self) -> None:
        """Refuse settings about particles that none of the events so far has: mistyped codes."""
        for key in ("treat_as", "ctau"):
            for code in getattr(self.reading, key):
                if not {code, -code} & self._met:
                    raise ConfigError(f"'{self.path}': {key}: no event has a particle {code}")
        codes = np.array([*self.reading.ctau], np.int32)
        for code, known in zip(codes, np.abs(self.reading.renamed(codes)).tolist(), strict=True):
            if known not in self._flown:
                raise ConfigError(
                    f"'{self.path}': ctau: no particle {code} decays in the file with a mass, or "
                    "is left out as internal to the generator: treat_as gives it another code"
                )

    def _weights(self, raw: RawEvents) -> FloatArray:
        """The chosen weight, over the mean magnitude in the first block, shape (n_events, 1)."""
        names, name = self._source.weight_names, self.reading.weight
        if name is not None and name not in names:
            told = ", ".join(f"'{known}'" for known in names if known) or "none"
            raise ConfigError(f"'{self.path}' has no weight '{name}'; its weights: {told}")
        weight = raw.weights[:, [0 if name is None else names.index(name)]]
        if not np.isfinite(weight).all():
            raise EventFileError(f"'{self.path}': some event has no weight '{name}'")
        self._sums += raw.weights[:, 0].sum(), weight.sum()
        if self.weight_scale is None:
            size = np.abs(weight)
            is_one = size.min() == size.max()  # whose mean would be rounded
            self.weight_scale = float(size.max() if is_one else size.mean()) or 1.0
        return weight / self.weight_scale

    def truth(self, raw: RawEvents, collider: Collider, rng: np.random.Generator) -> TruthEvents:
        """Some of its events as those of a collider: in its frame, where its beams meet.

        What is undecayed and too short-lived for the detector decays as this package knows it.
        """
        if self.reading.frame is FileFrame.CM:
            raw = to_laboratory(raw, collider)
        if self.reading.vertices is Vertices.BEAM:
            vertices = sample_vertices(collider, raw.n_events, rng)
            raw = moved_by(raw, vertices - where_beams_meet(raw))
        truth = truth_of(raw, self.cross_section)
        if raw.first == 0:
            check_frame(truth, collider, self.path, self._source.root_s)
        p = truth.particles
        can_fly = (p.status == Status.DECAYED) & (p.mass > 0)
        self._flown.update(np.unique(np.abs(p.pdg_id[can_fly])).tolist())
        truth = _flown(truth, self.reading.lengths, rng)
        with self.located(raw):
            return decay_short_lived(truth, rng, fsr=True)

    @contextmanager
    def located(self, raw: RawEvents) -> Iterator[None]:
        """Say of which events an error is."""
        try:
            yield
        except KinematicsError as error:
            raise KinematicsError(f"'{self.path}', events from {raw.first} on: {error}") from None


def _flown(truth: TruthEvents, ctau: dict[int, float], rng: np.random.Generator) -> TruthEvents:
    """Let particles of some codes, where they decay, fly as long as their lives last."""
    p = truth.particles
    proper = np.zeros(len(p))
    for code, mean in sorted(ctau.items()):
        decays = (p.status == Status.DECAYED) & (p.mass > 0)
        rows = np.flatnonzero((np.abs(p.pdg_id) == abs(code)) & decays)
        proper[rows] = mean * rng.standard_exponential(len(rows))
    if not proper.any():
        return truth
    first = truth.offsets[truth.event_index()]
    start, end = (np.stack([getattr(p, name) for name in names]) for names in (_POINTS, _ENDS))
    start, end = fly(
        start,
        end,
        np.where(p.parent < 0, -1, p.parent + first),
        np.stack([p.e, p.px, p.py, p.pz]),
        p.mass,
        proper,
    )
    moved = dict(zip(_POINTS, start, strict=True))
    moved |= dict(zip(_ENDS, np.where(p.status != Status.FINAL, end, 0.0), strict=True))
    return replace(truth, particles=replace(p, **moved))


def read(
    path: str | Path,
    collider: Collider,
    *,
    rng: np.random.Generator,
    reading: Reading | None = None,
    block_size: int = BLOCK_SIZE,
) -> Iterator[TruthEvents]:
    """Events of a file, ready for `darkbelle.detsim.simulate`, a block at a time.

    Parameters
    ----------
    path
        HepMC3 or HepMC2 as text, or LHE, compressed or not.
    collider
        Whose beams made the events.
    rng
        Draws where the beams meet, and decays that are not in the file.
    reading
        How to take the events: in the laboratory, moved into the luminous region, if not given.
    block_size
        Events in a block, and in memory.

    Raises
    ------
    EventFileError
        The file is none of these, damaged or cut off, or an event makes no sense.
    KinematicsError
        Its beams do not move as those of the collider.
    """
    with EventFile(path, reading) as file:
        for raw in file.blocks(block_size):
            yield file.truth(raw, collider, rng)
        file.check_met()
