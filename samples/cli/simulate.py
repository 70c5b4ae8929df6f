"""``darkbelle simulate``: a sample of another generator's events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from darkbelle.samples.cli import options
from darkbelle.samples.cli.progress import progress_of_steps
from darkbelle.samples.wording import counted

__all__ = ["simulate"]


def _pairs(number: Callable[[str], Any], what: str) -> Callable[..., dict[int, Any]]:
    """What reads options CODE=VALUE."""

    def read(
        context: click.Context, option: click.Parameter, texts: tuple[str, ...]
    ) -> dict[int, Any]:
        pairs: dict[int, Any] = {}
        for text in texts:
            code, _, value = text.partition("=")
            try:
                key, taken = int(code), number(value)
            except ValueError:
                raise click.BadParameter(f"'{text}' must read CODE={what}") from None
            if key in pairs:
                raise click.BadParameter(f"{key} is given twice")
            pairs[key] = taken
        return pairs

    return read


@click.command()
@click.argument("events", type=click.Path(path_type=Path))
@options.experiment
@options.overrides
@options.vary
@options.systematics
@click.option("--seed", type=click.IntRange(min=0), help="Seed; drawn and reported if not given.")
@click.option("-n", "--events", "n_events", type=click.IntRange(min=0), help="The first so many.")
@click.option(
    "--frame",
    type=click.Choice(["lab", "cm"]),
    default="lab",
    show_default=True,
    help="That of the file: laboratory, or centre of mass with the electrons along z.",
)
@click.option(
    "--vertices",
    type=click.Choice(["beam", "file"]),
    default="beam",
    show_default=True,
    help="Move events to where the beams meet, or leave them where the file has them.",
)
@click.option("--weight", metavar="NAME", help="The weight that counts, the first if not given.")
@click.option(
    "--treat-as",
    multiple=True,
    metavar="CODE=KNOWN",
    callback=_pairs(int, "KNOWN, two particle codes"),
    help="Take a particle for a known one, e.g. 9000005=55, by PDG codes.",
)
@click.option(
    "--ctau",
    multiple=True,
    metavar="CODE=CM",
    callback=_pairs(float, "LENGTH, a particle code and cm"),
    help="Let a decaying particle fly, by its mean proper length [cm], e.g. 9000005=10.",
)
@click.option(
    "--observables",
    callback=options.split_option,
    metavar="NAME,...",
    help="Observables that the sample carries, e.g. dimuon_recoil.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def simulate(
    events: Path,
    card: str,
    overrides: tuple[str, ...],
    vary: tuple[str, ...],
    systematics: tuple[str, ...],
    seed: int | None,
    n_events: int | None,
    observables: tuple[str, ...],
    output: Path,
    force: bool,
    **how: Any,
) -> None:
    """Simulate the detector for EVENTS of another generator: HepMC3, HepMC2 or LHE.

    \b
    Example:
      darkbelle simulate pythia.hepmc3.gz --frame cm --seed 1 -o background.h5
      darkbelle simulate unweighted_events.lhe.gz --ctau 9000005=10 -o signal.h5
    """
    import secrets

    from darkbelle import geometry
    from darkbelle.gen.external import Reading
    from darkbelle.samples.external import simulate_file

    reading = Reading(**how)
    experiment = geometry.load(card, overrides, vary=vary)
    if seed is None:
        seed = secrets.randbits(32)
    with progress_of_steps() as progress:
        n_written = simulate_file(
            events,
            experiment,
            seed,
            output,
            reading=reading,
            observables=observables,
            systematics=systematics,
            n_events=n_events,
            force=force,
            progress=progress,
        )
    click.echo(f"{output}: {counted(n_written, 'event')}, seed {seed}")
