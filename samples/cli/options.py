"""Options that several commands have."""

from __future__ import annotations

import click

__all__ = ["experiment", "overrides", "split_option", "systematics", "vary"]

experiment = click.option(
    "--experiment",
    "card",
    default="belle2",
    show_default=True,
    metavar="NAME|FILE.toml",
    help="Card of the experiment.",
)
overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a value of the card, e.g. collider.beam_spread=false.",
)
vary = click.option(
    "--vary",
    multiple=True,
    metavar="TABLE",
    help="Let a table of the card take the values of its variation, e.g. tracking.finding.",
)


def split_option(
    context: click.Context, option: click.Parameter, value: str | None
) -> tuple[str, ...]:
    """Names between commas."""
    from darkbelle.settings import split_names

    try:
        return () if value is None else split_names(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


systematics = click.option(
    "--systematics",
    callback=split_option,
    metavar="all|NAME,...",
    help="Systematic errors of the card whose variations the sample carries besides.",
)
