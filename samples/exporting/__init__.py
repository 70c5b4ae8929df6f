"""Samples for other programs: whole, or a table of them, in one format or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.samples.exporting.csv import write_csv
from darkbelle.samples.exporting.edm4hep import from_edm4hep, to_edm4hep
from darkbelle.samples.exporting.hepmc import write_hepmc
from darkbelle.samples.exporting.parquet import write_parquet
from darkbelle.samples.exporting.root import write_root
from darkbelle.samples.exporting.tables import EVENTS, Content, one_table, whole_sample
from darkbelle.samples.files.aside import aside, check_apart, check_target
from darkbelle.samples.files.reading import Sample

__all__ = ["FORMATS", "Part", "export", "from_edm4hep", "to_edm4hep"]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a sample is wanted: a table, or all of it, and whose names."""

    table: str | None = None
    edm4hep: bool = False


Writer = Callable[[Path, Sample, Part], None]


def export(
    sample: Sample,
    path: str | Path,
    *,
    format_name: str,
    table: str | None = None,
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
        One of ``csv``, ``root``, ``parquet``, ``hepmc3``.
    table
        A collection, or a kind of candidates out of `darkbelle.samples.candidates.KINDS`; None is
        all of the sample, of which CSV holds the events.
    edm4hep
        Name and convert columns as EDM4hep does, where it has counterparts.

    Raises
    ------
    ConfigError
        An unknown format or table, or what does not go together.
    MissingDependencyError
        The library of the format is not installed.
    OutputError
        The file cannot be written; nothing half-written remains.
    """
    check_apart([check_target(path, force=force)], [sample.path])
    if format_name not in FORMATS:
        raise ConfigError(
            f"unknown format '{format_name}', {did_you_mean(format_name, FORMATS)} "
            "(workspaces of pyhf come from darkbelle template)"
        )
    with aside(path, force=force) as target:
        FORMATS[format_name](target, sample, Part(table, edm4hep))


def _of_columns(write: Callable[[Path, Content], None], default: str | None = None) -> Writer:
    """What writes tables, and the default one or the whole sample if none is named."""

    def write_part(path: Path, sample: Sample, part: Part) -> None:
        table = part.table or default
        if table is None:
            content = whole_sample(sample, edm4hep=part.edm4hep)
        else:
            content = one_table(sample, table, edm4hep=part.edm4hep)
        write(path, content)

    return write_part


def _generated(path: Path, sample: Sample, part: Part) -> None:
    if part != Part() or sample.variation is not None:
        raise ConfigError(
            "hepmc3 holds the generator's particles, with the weights of all variations: "
            "give no table, names or variation"
        )
    write_hepmc(path, sample)


FORMATS: Final[dict[str, Writer]] = {
    "csv": _of_columns(write_csv, EVENTS),
    "root": _of_columns(write_root),
    "parquet": _of_columns(write_parquet),
    "hepmc3": _generated,
}
"""What writes a part of a sample, by the name of the format."""
