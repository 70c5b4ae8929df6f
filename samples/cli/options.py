"""Options that several commands have."""

from __future__ import annotations

import click

__all__ = ["experiment", "overrides"]

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
