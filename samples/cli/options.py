"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Sequence

import click

from darkbelle.errors import ConfigError

__all__ = [
    "experiment",
    "numbers_by_name",
    "overrides",
    "selection",
    "split_option",
    "systematics",
    "trigger",
    "vary",
]

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

selection = click.option(
    "--selection",
    default="True",
    metavar="EXPRESSION|FILE.py:FUNCTION",
    help="A condition on columns of the events, or a function of a sample; all if not given.",
)
trigger = click.option(
    "--trigger",
    default="none",
    show_default=True,
    metavar="none|physics|LINE,...",
    help="What the trigger must have kept; lines of one level are alternatives.",
)


def numbers_by_name(option: str, texts: Sequence[str]) -> dict[str, float]:
    """What an option gives as ``NAME=NUMBER``, by name; the name may be empty.

    Raises
    ------
    ConfigError
        No number, or a name twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if name in found:
            raise ConfigError(f"{option} {text}: {name or 'the number'} is given twice")
        try:
            found[name] = float(number)
        except ValueError:
            raise ConfigError(f"{option} {text}: must read NAME=NUMBER") from None
    return found
