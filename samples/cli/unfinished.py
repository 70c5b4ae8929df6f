"""A word on folders of campaigns that are not finished."""

from __future__ import annotations

from pathlib import Path

import click

from darkbelle.errors import SampleFormatError

__all__ = ["warn_of_missing"]


def warn_of_missing(folder: Path) -> None:
    """Say on the error channel how many parts of a campaign were not made yet, if any."""
    from darkbelle.samples.campaigns.describe import describe_missing
    from darkbelle.samples.campaigns.joining import missing_parts

    try:
        n_missing, n_parts = missing_parts(folder)
    except SampleFormatError as error:
        click.echo(f"Warning: {error}", err=True)
        return
    if n_missing:
        click.echo(f"Warning: {describe_missing(folder, n_missing, n_parts)}", err=True)
