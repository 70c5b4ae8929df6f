"""``darkbelle produce CAMPAIGN.toml``: what is planned, made, and told of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkbelle.errors import ConfigError
from darkbelle.samples.cli.progress import progress_of_steps
from darkbelle.samples.cli.stopping import resumable
from darkbelle.samples.wording import counted

if TYPE_CHECKING:
    from darkbelle.samples.campaigns.plan import Plan
    from darkbelle.samples.engines import Engine

__all__ = ["produce_campaign"]


def produce_campaign(
    campaign: str,
    *,
    output: Path | None,
    dry_run: bool,
    shard: str | None,
    workers: int | None,
    engine: str | None,
    scheduler: str | None,
) -> None:
    """Make a campaign, or say what it will take."""
    from darkbelle.samples.campaigns.campaign import Campaign
    from darkbelle.samples.campaigns.plan import Plan, Shard

    if scheduler is not None and engine == "process":
        raise click.UsageError("--scheduler is the address of a Dask scheduler: --engine dask")
    if scheduler is not None and workers is not None:
        raise click.UsageError("--scheduler has workers of its own: leave out --workers")
    if dry_run:
        for name, given in (("shard", shard), ("engine", engine), ("scheduler", scheduler)):
            if given is not None:
                raise click.UsageError(f"--dry-run is of all points, here: leave out --{name}")
    n_workers = workers or 1
    share = None if shard is None else Shard.parse(shard)
    read = Campaign.read(campaign)
    try:
        with progress_of_steps() as progress:
            plan = Plan.of(read, progress=progress)
    except ConfigError as error:
        raise ConfigError(f"'{campaign}': {error}") from None
    if dry_run:
        _forecast(plan, output, n_workers)
        return
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output': the folder of the campaign.")
    from darkbelle.samples.campaigns.describe import describe_failures, describe_report
    from darkbelle.samples.campaigns.running import run_campaign

    with resumable(), _engine(n_workers, engine, scheduler) as on, progress_of_steps() as progress:
        report = run_campaign(plan, output, shard=share, engine=on, progress=progress)
    click.echo(describe_report(report))
    if report.failures:
        raise ConfigError(describe_failures(report.failures, len(plan.points)))


def _forecast(plan: Plan, folder: Path | None, workers: int) -> None:
    from darkbelle.samples.campaigns.describe import describe_forecast
    from darkbelle.samples.campaigns.folder import read_campaign
    from darkbelle.samples.campaigns.forecast import forecast

    manifest = None if folder is None else read_campaign(folder, plan)
    click.echo(describe_forecast(forecast(plan), workers))
    if manifest is not None:
        click.echo(f"'{folder}' has {counted(len(manifest.entries), 'part')}")


@contextmanager
def _engine(workers: int, engine: str | None, scheduler: str | None) -> Iterator[Engine | None]:
    """Who does the work, None for this process."""
    from darkbelle.samples import engines

    if engine == "dask" or scheduler is not None:
        with engines.dask(scheduler, workers) as found:
            yield found
    elif workers > 1:
        with engines.local(workers) as found:
            yield found
    else:
        yield None
