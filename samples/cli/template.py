"""``darkbelle template``: expected counts in bins, or a pyhf workspace of them."""

from __future__ import annotations

from pathlib import Path

import click

from darkbelle.errors import ConfigError
from darkbelle.samples.cli.options import numbers_by_name, selection, trigger
from darkbelle.samples.cli.unfinished import warn_of_missing
from darkbelle.samples.wording import counted

__all__ = ["template"]

_MOST_BINS = 100_000


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--background",
    "backgrounds",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A sample of a background, or a folder of them.",
)
@click.option("--observable", required=True, help="A column of the events, or an expression.")
@click.option(
    "--bins",
    required=True,
    metavar="NUMBER,LOW,HIGH|EDGE,EDGE,...",
    help="Bins of equal width, or two, four or more edges.",
)
@click.option(
    "--lumi",
    "lumis",
    required=True,
    multiple=True,
    metavar="[EXPERIMENT=]LUMI",
    help="Integrated luminosity [1/fb].",
)
@selection
@trigger
@click.option(
    "--coupling",
    "couplings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another coupling or lifetime of the signal than the sample's, e.g. coupling=0.01.",
)
@click.option(
    "--lumi-error",
    type=click.FloatRange(min=0, max=1, max_open=True),
    default=0.01,
    show_default=True,
    help="Relative error of the luminosity.",
)
@click.option(
    "--rate-error",
    "rate_errors",
    multiple=True,
    metavar="SAMPLE=ERROR",
    help="Relative error of a cross-section, e.g. ee-mumu=0.2 or 'pythia charm=0.1'.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="FILE.json for a workspace; FILE.csv or FILE.h5 for a table.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def template(
    files: tuple[Path, ...],
    backgrounds: tuple[Path, ...],
    observable: str,
    bins: str,
    lumis: tuple[str, ...],
    selection: str,
    trigger: str,
    couplings: tuple[str, ...],
    lumi_error: float,
    rate_errors: tuple[str, ...],
    output: Path,
    force: bool,
) -> None:
    """Write expected counts in bins of an observable: a pyhf workspace, or a table.

    \b
    Example:
      darkbelle template zprime.h5 --background mumu.h5 --background tautau.h5 \\
          --observable recoil_mass2 --bins 40,0,10 --lumi 79.7 --trigger physics -o limit.json
    """
    from darkbelle.samples.cli.progress import progress_of_steps
    from darkbelle.samples.efficiency.sources import sample_files
    from darkbelle.samples.files.aside import check_apart, check_target
    from darkbelle.samples.files.flat import check_ending
    from darkbelle.samples.fits.templates import templates, write_templates
    from darkbelle.samples.fits.workspace import channels_of, workspace, write_workspace

    is_workspace = output.suffix == ".json"
    if not is_workspace:
        check_ending(output)
    edges = _edges(bins)
    lumi = numbers_by_name("--lumi", lumis)
    target = check_target(output, force=force)
    check_apart([target], sample_files([*files, *backgrounds]))
    for folder in filter(Path.is_dir, [*files, *backgrounds]):
        warn_of_missing(folder)
    with progress_of_steps() as progress:
        found = [
            templates(
                paths,
                observable,
                edges,
                lumi.get("", lumi),
                selection=selection,
                trigger=trigger,
                couplings=numbers_by_name("--coupling", couplings) if is_signal else None,
                progress=progress,
            )
            for paths, is_signal in ((files, True), (backgrounds, False))
            if paths
        ]
    signals, others = found[0], found[1] if len(found) > 1 else []
    if not is_workspace:
        write_templates(output, [*signals, *others], force=force)
        click.echo(f"{output}: {counted(len(signals) + len(others), 'template')}")
        return
    errors = numbers_by_name("--rate-error", rate_errors)
    channels = channels_of(signals, others)
    specification = workspace(channels, lumi_error=lumi_error, rate_errors=errors)
    write_workspace(output, specification, force=force)
    click.echo(f"{output}: {counted(len(channels), 'channel')}")


def _edges(text: str) -> list[float]:
    """Edges of bins; of three numbers the first is how many of equal width."""
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 3:
        if len(numbers) < 2:
            raise ConfigError(f"--bins {text}: needs NUMBER,LOW,HIGH or edges of bins")
        return numbers
    number, low, high = numbers
    if not (number.is_integer() and 1 <= number <= _MOST_BINS and low < high):
        raise ConfigError(
            f"--bins {text}: needs NUMBER,LOW,HIGH with 1 <= NUMBER <= {_MOST_BINS} and LOW < HIGH"
        )
    width = (high - low) / number
    return [low + i * width for i in range(int(number))] + [high]
