"""``darkbelle produce CAMPAIGN.toml``: what is planned, made, and told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darkbelle.errors import ConfigError
from darkbelle.samples.cli.stopping import StopRequests

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from darkbelle.samples.campaigns.plan import Plan
    from darkbelle.samples.campaigns.running import Progress

__all__ = ["produce_campaign"]


def produce_campaign(
    campaign: str,
    *,
    output: Path | None,
    dry_run: bool,
    shard: str | None,
    workers: int,
    engine: str | None,
    scheduler: str | None,
) -> None:
    """Make a campaign, or say what it will take."""
    from darkbelle.samples.campaigns.campaign import Campaign
    from darkbelle.samples.campaigns.plan import Plan, Shard

    share = None if shard is None else Shard.parse(shard)
    plan = Plan.of(Campaign.read(campaign))
    if dry_run:
        _forecast(plan, output, workers)
        return
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output': the folder of the campaign.")
    from darkbelle.samples.campaigns.describe import describe_failures, describe_report
    from darkbelle.samples.campaigns.running import run_campaign

    with _executor(workers, engine, scheduler) as executor, _bars() as progress:
        report = run_campaign(plan, output, shard=share, executor=executor, progress=progress)
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
        click.echo(f"{len(manifest.entries):,} parts are in '{folder}'")


@contextmanager
def _executor(workers: int, engine: str | None, scheduler: str | None) -> Iterator[Executor | None]:
    """Who does the work, None for this process."""
    from darkbelle.samples import engines

    if engine == "dask" or scheduler is not None:
        with engines.dask(scheduler, workers) as executor:
            yield executor
    elif workers > 1:
        with engines.local(workers) as executor:
            yield executor
    else:
        yield None


@contextmanager
def _bars() -> Iterator[Progress]:
    """One bar after the other on a terminal; whoever advances one obeys requests to stop."""
    from tqdm import tqdm

    with StopRequests() as stop_requests, ExitStack() as shown:

        def show(what: str, total: int) -> Callable[[int], object]:
            shown.close()
            silent = None if total else True
            bar = tqdm(total=total, unit=f" {what}", unit_scale=True, disable=silent)
            shown.enter_context(bar)

            def update(n_done: int) -> None:
                stop_requests.check()
                bar.update(n_done)

            return update

        yield show
