"""``darkbelle processes`` and ``darkbelle experiments``: what there is."""

from __future__ import annotations

import click

from darkbelle.errors import ConfigError
from darkbelle.samples.cli import options

__all__ = ["experiments", "processes"]


@click.command()
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


@click.command()
@click.argument("name", required=False)
@options.overrides
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
