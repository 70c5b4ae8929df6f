"""``darkbelle plot`` and ``darkbelle display``: pictures of samples and of their events."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

__all__ = ["display", "plot"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the pictures.",
)
@click.option(
    "--what",
    "names",
    multiple=True,
    metavar="NAME",
    help="A picture to draw, e.g. resolutions; may be repeated. All of them, if not given.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["png", "pdf", "svg"]),
    default="png",
    show_default=True,
    help="Of the pictures.",
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def plot(
    files: tuple[Path, ...], folder: Path, names: tuple[str, ...], file_format: str, force: bool
) -> None:
    """Draw what is in samples, several of them over each other.

    Pictures: observables, kinematics, tracks, clusters, vertices, resolutions, pulls,
    efficiencies, trigger, masses, vertex_map.

    \b
    Example:
      darkbelle plot zprime.h5 -o plots
      darkbelle plot light.h5 heavy.h5 -o plots --what masses --what efficiencies --format pdf
    """
    from darkbelle.samples.files.reading import Sample
    from darkbelle.samples.pictures import draw_samples

    with ExitStack() as stack:
        samples = [stack.enter_context(Sample(file)) for file in files]
        drawn = draw_samples(samples, folder, what=names, file_format=file_format, force=force)
    for path in drawn:
        click.echo(path)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--event",
    type=int,
    default=0,
    show_default=True,
    help="Place of the event in the sample, counted from 0.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="FILE.png, .pdf or .svg.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def display(file: Path, event: int, output: Path, force: bool) -> None:
    """Draw one event: what was generated, and what the detector makes of it.

    \b
    Example:
      darkbelle display zprime.h5 --event 3 -o event.png
    """
    from darkbelle.samples.files.aside import check_apart
    from darkbelle.samples.files.reading import Sample
    from darkbelle.samples.pictures import check_picture, save_figure
    from darkbelle.samples.pictures import display as draw

    check_apart([check_picture(output, force=force)], [file])
    with Sample(file) as sample:
        save_figure(draw(sample, event), output, force=force)
    click.echo(output)
