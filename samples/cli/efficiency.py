"""``darkbelle efficiency``: what passes a selection, by sample, lifetime and bin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from darkbelle.errors import ConfigError
from darkbelle.samples.cli.options import trigger
from darkbelle.samples.cli.unfinished import warn_of_missing
from darkbelle.samples.wording import counted

__all__ = ["efficiency"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--selection",
    required=True,
    metavar="EXPRESSION|FILE.py:FUNCTION",
    help="A condition on columns of the events, or a function of a sample.",
)
@trigger
@click.option(
    "--ctau",
    "lifetimes",
    multiple=True,
    metavar="[NAME=]CTAU,...",
    help="Reweight to these lifetimes [cm], of the parameter ctau if not named.",
)
@click.option(
    "--axis",
    "axes",
    multiple=True,
    metavar="NAME:EDGE,EDGE,...",
    help="Bins of a column or expression, e.g. decay_radius:0,1,10; several make a grid.",
)
@click.option("--coverage", type=float, default=0.6827, show_default=True, help="Of the intervals.")
@click.option(
    "--least-effective",
    type=click.FloatRange(min=0),
    default=100.0,
    show_default=True,
    help="Effective events that a lifetime must leave.",
)
@click.option(
    "--plot", "picture", type=click.Path(path_type=Path), help="Draw it: FILE.png, .pdf, .svg."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="FILE.csv or FILE.h5."
)
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def efficiency(
    files: tuple[Path, ...],
    selection: str,
    trigger: str,
    lifetimes: tuple[str, ...],
    axes: tuple[str, ...],
    coverage: float,
    least_effective: float,
    picture: Path | None,
    output: Path,
    force: bool,
) -> None:
    """Say which share of the events of samples, or of the folder of a campaign, passes.

    \b
    Example:
      darkbelle efficiency zprime.h5 --selection "abs(recoil_mass - 2) < 0.05 and n_tracks == 2" \\
          --trigger ffo,cdcklm1 -o eff.csv
    """
    from darkbelle.samples.cli.progress import progress_of_steps
    from darkbelle.samples.efficiency.scanning import efficiency_map
    from darkbelle.samples.efficiency.sources import sample_files
    from darkbelle.samples.files.aside import check_apart, check_target
    from darkbelle.samples.files.flat import check_ending
    from darkbelle.samples.pictures import check_picture, save_figure

    check_ending(output)
    targets = [check_target(output, force=force)]
    if picture is not None:
        targets.append(check_picture(picture, force=force))
    samples = sample_files(files)
    check_apart(targets, samples)
    for folder in filter(Path.is_dir, files):
        warn_of_missing(folder)
    with progress_of_steps() as progress:
        found = efficiency_map(
            samples,
            selection,
            trigger=trigger,
            ctau=_numbers_by_name("--ctau", lifetimes, "=", "ctau"),
            axes=_numbers_by_name("--axis", axes, ":"),
            coverage=coverage,
            least_effective=least_effective,
            progress=progress,
        )
    found.write(output, force=force)
    if picture is not None:
        save_figure(found.draw(), picture, force=force)
    click.echo(f"{output}: {counted(len(found), 'row')}")


def _numbers_by_name(
    option: str, texts: Sequence[str], separator: str, default: str = ""
) -> dict[str, list[float]]:
    """What an option gives as ``NAME:0,1,10``, by name; there may be one for those without."""
    found: dict[str, list[float]] = {}
    for text in texts:
        start, _, end = text.rpartition(separator)
        if not (name := start.strip() or default):
            raise ConfigError(f"{option} {text}: must read NAME{separator}NUMBER,NUMBER,...")
        if name in found:
            raise ConfigError(f"{option} {text}: numbers of {name} are given twice")
        try:
            found[name] = [float(number) for number in end.split(",")]
        except ValueError:
            raise ConfigError(f"{option} {text}: needs numbers with commas between them") from None
    return found
