"""``darkbelle info``: what is in samples, and whether it is whole."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from darkbelle.errors import DarkbelleError
from darkbelle.samples.wording import counted

__all__ = ["info"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--verify",
    "only_verify",
    is_flag=True,
    help="Check that samples, or those of a campaign's folder, are whole, and say no more.",
)
def info(files: tuple[Path, ...], only_verify: bool) -> None:
    """Say what is in samples.

    \b
    Example:
      darkbelle info zprime.h5
      darkbelle info --verify zprime.h5 scan
    """
    if only_verify:
        _verify(files)
        return
    from darkbelle.samples.describe import describe_sample
    from darkbelle.samples.files.reading import Sample

    for file in files:
        with Sample(file) as sample:
            click.echo(describe_sample(sample))


def _verify(paths: tuple[Path, ...]) -> None:
    """Check all samples and campaigns; each that is no good is told, and the status is 2."""
    from darkbelle.samples.files.integrity import verify

    is_good = True
    for path in paths:
        try:
            if path.is_dir():
                is_good &= _verify_folder(path)
            else:
                click.echo(f"{path}: good, sha256 {verify(path)}")
        except DarkbelleError as error:
            click.echo(f"Error: {error}", err=True)
            is_good = False
    if not is_good:
        sys.exit(2)


def _verify_folder(folder: Path) -> bool:
    """Check a campaign, and say whether all its parts are there and good."""
    from darkbelle.samples.campaigns.joining import verify_folder
    from darkbelle.samples.cli.progress import progress_of_steps

    with progress_of_steps() as progress:
        found = verify_folder(folder, progress=progress)
    for complaint in found.complaints:
        click.echo(f"Error: {complaint}", err=True)
    n_good = found.n_parts - len(found.complaints)
    for failed in found.failures:
        told = ", ".join(f"{name}={value}" for name, value in failed.parameters.items())
        click.echo(f"point {failed.point} ({failed.experiment}, {told}): {failed.reason}")
    told = f"{folder}: {n_good:,} of {counted(found.n_parts, 'part')} good"
    if found.n_missing:
        told += f", {found.n_missing:,} not made"
    if found.failures:
        told += f", {counted(len(found.failures), 'point')} cannot be made"
    click.echo(told)
    return not (found.complaints or found.n_missing)
