"""What pictures say: where they come from, what tells samples apart, names of particles."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Any, Final

from particle import InvalidParticle, Particle, ParticleNotFound

from darkbelle.errors import ConfigError
from darkbelle.gen.particles import (
    A_PRIME,
    ALP,
    CHI1,
    CHI2,
    DARK_HIGGS,
    HNL,
    SCALAR,
    Z_PRIME,
    species,
)
from darkbelle.gen.processes import find_source
from darkbelle.geometry import Experiment
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.wording import as_text, counted, flat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "detector_name",
    "labels_of",
    "particle_name",
    "power",
    "print_head",
    "print_note",
    "unit_of_parameter",
    "with_unit",
]

_AN_INCH: Final = 13.5
"""Characters of the head of a figure that stand side by side in an inch."""
_LABEL: Final = 44
"""Characters of a label."""
_DARK: Final = {
    ALP: "a",
    CHI1: r"\chi_1",
    CHI2: r"\chi_2",
    SCALAR: "S",
    Z_PRIME: "Z'",
    A_PRIME: "A'",
    DARK_HIGGS: "h'",
    HNL: "N",
}
"""As papers write them."""


def detector_name(experiment: Experiment) -> str:
    """Belle, Belle II, or what the description of a card begins with."""
    name = experiment.description.partition(",")[0].strip()
    return name if 0 < len(name) <= _LABEL else experiment.name


def print_head(figure: Figure, samples: Sequence[Sample], note: str = "") -> None:
    """Write above a figure what made it, for one sample with its parameters."""
    names = dict.fromkeys(detector_name(sample.experiment) for sample in samples)
    told = [note] if note else []
    if len(samples) == 1:
        told.append(_description(samples[0]))
    width = int(figure.get_figwidth() * _AN_INCH)
    lines = [line for text in told for line in wrap(text, width)]
    head = "\n".join([f"darkbelle simulation, {' and '.join(names)}", *lines])
    figure.suptitle(head.replace("$", r"\$"), x=0.01, ha="left", fontsize="medium")


def labels_of(samples: Sequence[Sample]) -> list[str]:
    """What tells samples apart: processes, parameters that differ, else names of their files."""
    if len(samples) < 2:
        return [""] * len(samples)
    known = [_told(sample) for sample in samples]
    names = dict.fromkeys(name for told in known for name in told)
    differing = [n for n in names if any(told.get(n) != known[0].get(n) for told in known)]
    if len({told["process"] for told in known}) == len(known):
        differing = [name for name in differing if name in ("process", "experiment")]
    labels = [
        shorten(", ".join(_clause(n, told[n]) for n in differing if n in told), _LABEL)
        for told in known
    ]
    if len(set(labels)) == len(labels) and all(labels):
        return [label.replace("$", r"\$") for label in labels]
    stems = [sample.path.stem for sample in samples]
    names_of_files = stems if len(set(stems)) == len(stems) else [str(s.path) for s in samples]
    return [name.replace("$", r"\$") for name in names_of_files]


def _told(sample: Sample) -> dict[str, Any]:
    """Everything that a sample was made with and a label can tell."""
    told = {"process": sample.attributes["process"], "experiment": sample.experiment.name}
    told |= {name: as_text(value) for name, value in flat(sample.parameters)}
    if sample.variation is not None:
        told["variation"] = sample.variation.name
    return told


def _clause(name: str, value: str) -> str:
    return value if name in ("process", "experiment", "variation") else f"{name} = {value}"


def _short(value: object) -> str:
    """A value with four digits at most."""
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _description(sample: Sample) -> str:
    """Process, parameters other than switches and cuts, experiment and number of events."""
    shown = [
        f"{name} = {_short(value)}"
        for name, value in sample.parameters.items()
        if not (value in (None, "", []) or isinstance(value, (bool, dict)) or name == "sha256")
    ]
    parts = [sample.attributes["process"], *shown, counted(len(sample), "event")]
    return shorten(", ".join(parts), 6 * _LABEL)


@cache
def particle_name(pdg_id: int) -> str:
    """A particle in mathematical writing, its code where nobody has a name for it."""
    if abs(pdg_id) in _DARK:
        name = _DARK[abs(pdg_id)]
        return f"${name}$" if pdg_id > 0 else rf"$\bar{{{name}}}$"
    try:
        name = Particle.from_pdgid(pdg_id).latex_name
    except (InvalidParticle, ParticleNotFound):
        name = ""
    if name:
        return f"${name}$"
    try:
        return species(pdg_id).name  # of what is left of an event
    except ConfigError:
        return str(pdg_id)


def with_unit(label: str, unit: str) -> str:
    """An axis label with its unit in brackets."""
    return label if unit in ("", "1") else f"{label} [{power(unit)}]"


def unit_of_parameter(process: str, name: str) -> str:
    """Unit of a parameter of a process, empty where it has none or is not known."""
    with suppress(ConfigError, KeyError):  # a process of a plugin that is not here
        extra = find_source(process).model_fields[name].json_schema_extra
        return str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return ""


def power(unit: str) -> str:
    """A unit with its exponent above the line."""
    base, _, exponent = unit.partition("^")
    return rf"{base}$^{{{exponent}}}$" if exponent else unit


def print_note(axis: Axes, text: str) -> None:
    """A remark in the middle of a panel without data."""
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center")
