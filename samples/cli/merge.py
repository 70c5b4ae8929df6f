"""``darkbelle merge``: several samples, or shards of a campaign, as one."""

from __future__ import annotations

from pathlib import Path

import click

from darkbelle.samples.cli.progress import progress_of_steps
from darkbelle.samples.cli.unfinished import warn_of_missing
from darkbelle.samples.wording import counted

__all__ = ["merge"]


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def merge(inputs: tuple[Path, ...], output: Path, force: bool) -> None:
    """Join samples of one configuration (parts of a run, other seeds), or shards of a campaign.

    \b
    Example:
      darkbelle merge part1.h5 part2.h5 -o all.h5
      darkbelle merge shard1 shard2 shard3 -o scan
    """
    folders = [path for path in inputs if path.is_dir()]
    if folders:
        if others := [path for path in inputs if path not in folders]:
            raise click.UsageError(f"'{folders[0]}' is a folder and '{others[0]}' is not")
        if force:
            raise click.UsageError("--force is for samples: a campaign keeps what it has")
        from darkbelle.samples.campaigns.joining import join_shards

        with progress_of_steps() as progress:
            n_parts = join_shards(folders, output, progress=progress)
        click.echo(f"{output}: {counted(n_parts, 'part')} of {counted(len(folders), 'folder')}")
        warn_of_missing(output)
        return
    from darkbelle.samples.files.merging import merge as merge_samples

    with progress_of_steps() as progress:
        n_events = merge_samples(inputs, output, force=force, progress=progress)
    click.echo(f"{output}: {counted(n_events, 'event')} of {counted(len(inputs), 'sample')}")
