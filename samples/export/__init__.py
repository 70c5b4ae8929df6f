"""Samples for other programs: whole, or a table of them, in one format or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.samples.candidates import KINDS
from darkbelle.samples.export.csv import write_csv
from darkbelle.samples.export.edm4hep import from_edm4hep, to_edm4hep
from darkbelle.samples.export.hepmc import write_hepmc
from darkbelle.samples.export.parquet import write_parquet
from darkbelle.samples.export.root import write_root
from darkbelle.samples.export.tables import (
    CANDIDATES,
    Content,
    candidate_table,
    one_table,
    whole_sample,
)
from darkbelle.samples.files.aside import aside, check_apart, check_target
from darkbelle.samples.files.reading import Sample

__all__ = ["FORMATS", "Format", "Part", "export", "from_edm4hep", "to_edm4hep"]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a sample is wanted: a table, candidates of a kind, or all of it, and its names."""

    table: str | None = None
    kind: str | None = None
    edm4hep: bool = False

    def of(self, sample: Sample) -> Content:
        """Its columns.

        Raises
        ------
        ConfigError
            An unknown table or kind, or what does not go together.
        """
        if self.table not in (None, CANDIDATES) and self.kind is not None:
            raise ConfigError(f"only candidates have a kind, the {self.table} have none")
        if self.table == CANDIDATES or self.kind is not None:
            if self.kind not in KINDS:
                raise ConfigError(
                    f"candidates are of a kind: {did_you_mean(str(self.kind), KINDS)}"
                )
            if self.edm4hep:
                raise ConfigError("EDM4hep has no names for candidates: leave these out")
            return candidate_table(sample, self.kind, KINDS[self.kind])
        if self.table is None:
            return whole_sample(sample, edm4hep=self.edm4hep)
        return one_table(sample, self.table, edm4hep=self.edm4hep)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: what it is in a line, and what writes a part of a sample."""

    description: str
    write: Callable[[Path, Sample, Part], None]


def export(
    sample: Sample,
    path: str | Path,
    *,
    format_name: str,
    table: str | None = None,
    kind: str | None = None,
    edm4hep: bool = False,
    force: bool = False,
) -> None:
    """Write a sample, or a table of it, in another format.

    Parameters
    ----------
    sample
        The sample, or one of its variations.
    path, force
        The file to write, and whether to replace one.
    format_name
        One of `FORMATS`.
    table
        A collection, or "candidates"; None is all of the sample, of which CSV holds the events.
    kind
        Which candidates, one of `darkbelle.samples.candidates.KINDS`.
    edm4hep
        Name and convert columns as EDM4hep does, where it has counterparts.

    Raises
    ------
    ConfigError
        An unknown format, table or kind, or what does not go together.
    MissingDependencyError
        The library of the format is not installed.
    OutputError
        The file cannot be written; nothing half-written remains.
    """
    check_apart([check_target(path, force=force)], [sample.path])
    if format_name not in FORMATS:
        raise ConfigError(f"unknown format '{format_name}', {did_you_mean(format_name, FORMATS)}")
    with aside(path, force=force) as part:
        FORMATS[format_name].write(part, sample, Part(table, kind, edm4hep))


def _csv(path: Path, sample: Sample, part: Part) -> None:
    if part.table is None and part.kind is None:
        part = replace(part, table="events")
    write_csv(path, part.of(sample))


def _root(path: Path, sample: Sample, part: Part) -> None:
    write_root(path, part.of(sample))


def _parquet(path: Path, sample: Sample, part: Part) -> None:
    write_parquet(path, part.of(sample))


def _hepmc3(path: Path, sample: Sample, part: Part) -> None:
    if part != Part():
        raise ConfigError("hepmc3 holds the generator's particles: give no table, kind or names")
    write_hepmc(path, sample)


FORMATS: Final = {
    "csv": Format("a table as text, which pandas reads", _csv),
    "root": Format("a tree with a branch for each column (uproot)", _root),
    "parquet": Format("columns and lists of them (pyarrow)", _parquet),
    "hepmc3": Format("what the generator made (pyhepmc)", _hepmc3),
}
"""Formats by name."""
