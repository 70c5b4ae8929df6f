"""``darkbelle export``: samples for other programs."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["export"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "format_name",
    required=True,
    metavar="FORMAT",
    help="csv (a table), root or parquet (all of the sample, or a table), hepmc3 (the generator's "
    "particles).",
)
@click.option(
    "--table",
    default=None,
    metavar="NAME",
    help="Only events (of csv the default), particles, tracks, vertices, clusters, klm_clusters or "
    "trigger; or candidates: displaced_vertices, dimuons, diphotons, b_to_k.",
)
@click.option(
    "--names",
    type=click.Choice(["darkbelle", "edm4hep"]),
    default="darkbelle",
    help="Whose names, units and signs: of edm4hep what it has a counterpart of.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def export(
    file: Path,
    format_name: str,
    table: str | None,
    names: str,
    output: Path,
    force: bool,
) -> None:
    """Write a sample, or a table of it, in another format.

    \b
    Example:
      darkbelle export zprime.h5 --to root -o zprime.root
      darkbelle export zprime.h5 --to parquet --table tracks --names edm4hep -o tracks.parquet
      darkbelle export zprime.h5 --to csv --table dimuons -o dimuons.csv
      darkbelle export zprime.h5 --to hepmc3 -o zprime.hepmc3
    """
    from darkbelle.samples import export as export_sample
    from darkbelle.samples.files.reading import Sample

    with Sample(file) as sample:
        export_sample(
            sample,
            output,
            format_name=format_name,
            table=table,
            edm4hep=names == "edm4hep",
            force=force,
        )
    click.echo(output)
