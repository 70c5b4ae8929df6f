"""``darkbelle info`` and ``darkbelle plot``: what is in samples."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["info", "plot"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def info(files: tuple[Path, ...]) -> None:
    """Say what is in samples.

    \b
    Example:
      darkbelle info zprime.h5
    """
    from darkbelle.samples.describe import describe_sample
    from darkbelle.samples.reading import Sample

    for file in files:
        with Sample(file) as sample:
            click.echo(describe_sample(sample))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the pictures.",
)
def plot(file: Path, folder: Path) -> None:
    """Draw the observables, tracks and resolutions of a sample as PNG files.

    \b
    Example:
      darkbelle plot zprime.h5 -o plots
    """
    from darkbelle.samples.plots import draw_sample
    from darkbelle.samples.reading import Sample

    with Sample(file) as sample:
        for picture in draw_sample(sample, folder):
            click.echo(picture)
