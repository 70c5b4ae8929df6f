"""The command ``darkbelle``: a thin layer over the library; each command imports what it needs."""

from __future__ import annotations

import signal
import sys

import click

from darkbelle import __version__
from darkbelle.errors import DarkbelleError
from darkbelle.samples.cli.drawing import display, plot
from darkbelle.samples.cli.efficiency import efficiency
from darkbelle.samples.cli.export import export
from darkbelle.samples.cli.listing import experiments, processes
from darkbelle.samples.cli.looking import info
from darkbelle.samples.cli.merge import merge
from darkbelle.samples.cli.produce import produce
from darkbelle.samples.cli.shape import shape
from darkbelle.samples.cli.simulate import simulate
from darkbelle.samples.cli.template import template

__all__ = ["main"]


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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="darkbelle")
def cli() -> None:
    """Fast detector simulation and signal generator for dark sectors at Belle and Belle II.

    \b
    Example:
      darkbelle produce mumu-zprime -p mass=2.0 -n 20000 -o zprime.h5
      darkbelle plot zprime.h5 -o plots
    """


COMMANDS = (
    *(processes, experiments, produce, simulate, info, merge),
    *(efficiency, template, shape, export, plot, display),
)
for command in COMMANDS:
    cli.add_command(command)
