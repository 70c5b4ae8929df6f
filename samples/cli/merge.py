"""``darkbelle merge``: several samples as one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from darkbelle.samples.cli.progress import progress_until

__all__ = ["merge"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def merge(files: tuple[Path, ...], output: Path, force: bool) -> None:
    """Join samples of one configuration: parts of a run, or other seeds.

    \b
    Example:
      darkbelle merge part1.h5 part2.h5 -o all.h5
    """
    from darkbelle.samples.merging import merge as merge_samples

    with ExitStack() as stack:
        n_events = merge_samples(files, output, force=force, progress=progress_until(stack))
    click.echo(f"{output}: {n_events} events of {len(files)} samples")
