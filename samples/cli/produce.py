"""``darkbelle produce``: samples of a process."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from darkbelle.samples.cli import options
from darkbelle.samples.cli.progress import progress_until

__all__ = ["produce"]


@click.command()
@click.argument("process_name", metavar="PROCESS")
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
@options.systematics
@click.option("--seed", type=click.IntRange(min=0), help="Seed; drawn and reported if not given.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def produce(
    process_name: str,
    settings: tuple[str, ...],
    n_events: int | None,
    lumi: float | None,
    card: str,
    overrides: tuple[str, ...],
    systematics: tuple[str, ...],
    seed: int | None,
    workers: int,
    output: Path,
    force: bool,
) -> None:
    """Generate and simulate a sample of PROCESS.

    \b
    Example:
      darkbelle produce mumu-zprime -p mass=2.0 -p decay=invisible -n 20000 --seed 1 -o zprime.h5
    """
    import secrets

    from darkbelle import geometry
    from darkbelle.gen.processes import find_process
    from darkbelle.samples.production import Run
    from darkbelle.samples.production import produce as produce_sample
    from darkbelle.settings import parse_settings

    process = find_process(process_name)(**parse_settings(settings))
    experiment = geometry.load(card, overrides)
    if seed is None:
        seed = secrets.randbits(32)
    with ExitStack() as stack:
        n_written = produce_sample(
            Run(process, experiment, seed, systematics=systematics),
            output,
            n_events=n_events,
            lumi=lumi,
            workers=workers,
            force=force,
            progress=progress_until(stack),
        )
    click.echo(f"{output}: {n_written} events, seed {seed}")
