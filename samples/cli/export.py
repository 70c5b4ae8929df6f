"""``darkbelle export``: tables of a sample for other programs."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["export"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "format_name", required=True, metavar="FORMAT", help="Format: csv.")
@click.option(
    "--table",
    default=None,
    metavar="NAME",
    help="events (default), particles, tracks, vertices, clusters, klm_clusters, trigger, "
    "or candidates.",
)
@click.option(
    "--kind",
    metavar="NAME",
    help="Which candidates: displaced_vertices, dimuons, diphotons, b_to_k.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def export(
    file: Path,
    format_name: str,
    table: str | None,
    kind: str | None,
    output: Path,
    force: bool,
) -> None:
    """Write a table of a sample in another format, a row for each event or object.

    \b
    Example:
      darkbelle export zprime.h5 --to csv -o events.csv
      darkbelle export zprime.h5 --to csv --kind dimuons -o dimuons.csv
    """
    from darkbelle.samples.export import export as export_table
    from darkbelle.samples.files.reading import Sample

    table = table or ("events" if kind is None else "candidates")
    with Sample(file) as sample:
        export_table(sample, output, format_name=format_name, table=table, kind=kind, force=force)
    click.echo(output)
