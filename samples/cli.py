"""The command ``darkbelle``: a thin layer over the library; each command imports what it needs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from darkbelle import __version__
from darkbelle.errors import ConfigError, DarkbelleError

__all__ = ["main"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequests:
    """Signals that ask to stop, noted while something is half-written and obeyed at `check`.

    A handler that raised at once might strike inside a callback of a C library or of the garbage
    collector, where its exception is lost.
    """

    def __init__(self) -> None:
        self._received: int | None = None

    def __enter__(self) -> StopRequests:
        self._before = {number: signal.signal(number, self._receive) for number in STOP_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.check()  # workers received it too: what went wrong since went wrong by that

    def _receive(self, number: int, _: object) -> None:
        self._received = number

    def check(self) -> None:
        """Raise if there was a request."""
        if self._received == signal.SIGINT:
            raise KeyboardInterrupt
        if self._received is not None:
            sys.exit(128 + self._received)


def main() -> None:
    """Run the command line: one line and status 2 for what a user can mend, 130 for Ctrl-C."""
    try:
        cli.main(standalone_mode=False, prog_name="darkbelle")
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(128 + signal.SIGINT)
    except (DarkbelleError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


_experiment = click.option(
    "--experiment",
    "card",
    default="belle2",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="Card of the experiment.",
)
_overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a value of the card, e.g. collider.beam_spread=false.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="darkbelle")
def cli() -> None:
    """Fast detector simulation and signal generator for dark sectors at Belle and Belle II.

    \b
    Example:
      darkbelle produce mumu-zprime -p mass=2.0 -n 20000 -o zprime.h5
      darkbelle plot zprime.h5 -o plots
    """


@cli.command()
@click.argument("name", required=False)
def processes(name: str | None) -> None:
    """List the processes, or describe the one called NAME.

    \b
    Example:
      darkbelle processes mumu-zprime
    """
    from darkbelle.gen.processes import find_process, process_names
    from darkbelle.samples.describe import describe_process

    if name is not None:
        click.echo(describe_process(find_process(name)))
        return
    for known in process_names():
        try:
            click.echo(f"{known:<24} {find_process(known).summary}")
        except ConfigError as error:
            click.echo(f"{known:<24} {error}")


@cli.command()
@click.argument("name", required=False)
@_overrides
def experiments(name: str | None, overrides: tuple[str, ...]) -> None:
    """List the cards, or print the one called NAME as resolved, with the source of each number.

    \b
    Example:
      darkbelle experiments belle2 --set collider.beam_spread=false
    """
    from darkbelle import geometry
    from darkbelle.samples.describe import describe_experiment

    if name is not None:
        click.echo(describe_experiment(geometry.load(name, overrides)))
        return
    for known in geometry.names():
        click.echo(f"{known:<16} {geometry.load(known).description}")


@cli.command()
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
@_experiment
@_overrides
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

    from tqdm import tqdm

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

        def show_progress(total: int) -> Callable[[int], object]:
            stop_requests = stack.enter_context(StopRequests())
            bar = stack.enter_context(
                tqdm(total=total, unit="events", unit_scale=True, disable=None)
            )

            def update(n_events: int) -> None:
                stop_requests.check()
                bar.update(n_events)

            return update

        n_written = produce_sample(
            Run(process, experiment, seed),
            output,
            n_events=n_events,
            lumi=lumi,
            workers=workers,
            force=force,
            progress=show_progress,
        )
    click.echo(f"{output}: {n_written} events, seed {seed}")


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def info(files: tuple[Path, ...]) -> None:
    """Say what is in samples.

    \b
    Example:
      darkbelle info zprime.h5
    """
    from darkbelle.samples.describe import describe_sample
    from darkbelle.samples.reading import Sample

    for file in files:
        with Sample(file) as sample:
            click.echo(describe_sample(sample))


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the pictures.",
)
def plot(file: Path, folder: Path) -> None:
    """Draw the observables, tracks and resolutions of a sample as PNG files.

    \b
    Example:
      darkbelle plot zprime.h5 -o plots
    """
    from darkbelle.samples.plots import draw_sample
    from darkbelle.samples.reading import Sample

    with Sample(file) as sample:
        for picture in draw_sample(sample, folder):
            click.echo(picture)
