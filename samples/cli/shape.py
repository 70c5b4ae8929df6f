"""``darkbelle shape``: the shape of a signal in an observable, against its mass."""

from __future__ import annotations

from pathlib import Path

import click

from darkbelle.errors import ConfigError
from darkbelle.samples.cli.options import selection, trigger
from darkbelle.samples.cli.unfinished import warn_of_missing
from darkbelle.samples.wording import counted

__all__ = ["shape"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--observable", required=True, help="A column of the events, or an expression.")
@selection
@trigger
@click.option(
    "--parameter",
    default="mass",
    show_default=True,
    metavar="NAME",
    help="Of the process, against which the table is made.",
)
@click.option(
    "--within",
    metavar="LOW,HIGH",
    help="Range to fit, relative to the parameter; if not given, 8 half-widths.",
)
@click.option(
    "--plot", "picture", type=click.Path(path_type=Path), help="Draw it: FILE.png, .pdf, .svg."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="FILE.csv or FILE.h5."
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def shape(
    files: tuple[Path, ...],
    observable: str,
    selection: str,
    trigger: str,
    parameter: str,
    within: str | None,
    picture: Path | None,
    output: Path,
    force: bool,
) -> None:
    """Fit a double-sided Crystal Ball to each sample of a scan, as a table for unbinned fits.

    \b
    Example:
      darkbelle shape scan/ --observable recoil_mass --selection "has_dimuon == 1" \\
          --plot shapes.png -o shapes.csv
    """
    from darkbelle.samples.cli.progress import progress_of_steps
    from darkbelle.samples.efficiency.sources import sample_files
    from darkbelle.samples.files.aside import check_apart, check_target
    from darkbelle.samples.files.flat import check_ending
    from darkbelle.samples.fits.shapes import fit_shapes
    from darkbelle.samples.pictures import check_picture, draw_shapes, save_figure

    check_ending(output)
    targets = [check_target(output, force=force)]
    if picture is not None:
        targets.append(check_picture(picture, force=force))
    window = None if within is None else _range(within)
    check_apart(targets, sample_files(files))
    for folder in filter(Path.is_dir, files):
        warn_of_missing(folder)
    with progress_of_steps() as progress:
        table, fits = fit_shapes(
            files,
            observable,
            selection=selection,
            trigger=trigger,
            parameter=parameter,
            within=window,
            progress=progress,
        )
    table.write(output, force=force)
    if picture is not None:
        save_figure(draw_shapes(table, fits), picture, force=force)
    click.echo(f"{output}: {counted(len(table), 'shape')}")


def _range(text: str) -> tuple[float, float]:
    """Two numbers, the first one smaller."""
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not low < high:
        raise ConfigError(f"--within {text}: needs LOW,HIGH with LOW < HIGH")
    return low, high
