"""``darkbelle produce``: a sample of a process, or a campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from darkbelle.samples.cli import options
from darkbelle.samples.cli.campaign import produce_campaign
from darkbelle.samples.cli.progress import progress_of_steps
from darkbelle.samples.wording import counted

__all__ = ["produce"]

_CAMPAIGN_ONLY = ("dry_run", "shard", "engine", "scheduler")
_COMMON = ("output", "workers")


@click.command()
@click.argument("target", metavar="PROCESS|CAMPAIGN.toml")
@click.option(
    "-p",
    "--parameter",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the process, cf. 'darkbelle processes PROCESS'.",
)
@click.option("-n", "--events", "n_events", type=int, help="Number of events.")
@click.option("--lumi", type=float, help="Luminosity [1/fb] instead of a number of events.")
@options.experiment
@options.overrides
@options.vary
@options.systematics
@click.option("--seed", type=click.IntRange(min=0), help="Seed; drawn and reported if not given.")
@click.option("--workers", type=click.IntRange(min=1), help="How many processes, 1 if not given.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File of a sample, folder of a campaign.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--dry-run", is_flag=True, help="Campaign: say what it will take, make nothing.")
@click.option("--shard", metavar="I/N", help="Campaign: make one of N shares only, the first 1/N.")
@click.option(
    "--engine",
    type=click.Choice(["process", "dask"]),
    help="Campaign: who the workers are; processes of this machine if not given.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Campaign: that of a running Dask scheduler.")
def produce(target: str, **given: Any) -> None:
    """Generate and simulate a sample of PROCESS, or all samples of a campaign.

    A campaign that was interrupted goes on when it is run again.

    \b
    Example:
      darkbelle produce mumu-zprime -p mass=2.0 -p decay=invisible -n 20000 --seed 1 -o zprime.h5
      darkbelle produce scan.toml -o scan --workers 2
    """
    if is_campaign := target.endswith(".toml"):
        needless = [name for name in given if name not in (*_CAMPAIGN_ONLY, *_COMMON)]
    else:
        needless = list(_CAMPAIGN_ONLY)
    context = click.get_current_context()
    for option in context.command.params:
        source = context.get_parameter_source(str(option.name))
        if option.name in needless and source is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{option.opts[-1]} is for one process: write it into '{target}'"
                if is_campaign
                else f"{option.opts[-1]} is for campaigns, and '{target}' is no file .toml"
            )
    make = produce_campaign if is_campaign else _produce_sample
    make(target, **{name: value for name, value in given.items() if name not in needless})


def _produce_sample(
    process_name: str,
    *,
    settings: tuple[str, ...],
    n_events: int | None,
    lumi: float | None,
    card: str,
    overrides: tuple[str, ...],
    vary: tuple[str, ...],
    systematics: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    output: Path | None,
    force: bool,
) -> None:
    """Make one sample."""
    import secrets

    from darkbelle import geometry
    from darkbelle.gen.processes import find_process
    from darkbelle.samples.production import Run
    from darkbelle.samples.production import produce as produce_sample
    from darkbelle.settings import parse_settings

    if output is None:
        raise click.UsageError("Missing option '-o' / '--output': the file of the sample.")
    process = find_process(process_name)(**parse_settings(settings))
    experiment = geometry.load(card, overrides, vary=vary)
    if seed is None:
        seed = secrets.randbits(32)
    with progress_of_steps() as progress:
        n_written = produce_sample(
            Run(process, experiment, seed, systematics=systematics),
            output,
            n_events=n_events,
            lumi=lumi,
            workers=workers or 1,
            force=force,
            progress=progress,
        )
    click.echo(f"{output}: {counted(n_written, 'event')}, seed {seed}")
