"""One sample for other couplings: how its rate and its lifetimes change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.gen.processes import Process, Source
from darkbelle.geometry import Collider
from darkbelle.units import um

__all__ = ["COUPLINGS", "Rescaling", "rescaling"]

COUPLINGS: Final = (
    *("coupling", "epsilon", "alpha_d", "sin_theta", "u2_tau", "g_chi", "branching_fraction"),
)
"""Parameters that set rates, branching fractions and lifetimes, and no kinematics."""
_PROMPT: Final = 10 * um
"""Below which no vertex resolution tells lifetimes apart."""
_SEED: Final = 0
"""Of both cross-sections, whose common chance drops out of their ratio."""


@dataclass(frozen=True, slots=True)
class Rescaling:
    """What another coupling makes of a sample."""

    rate: float = 1.0
    """Ratio of the cross-sections, branching fractions included"""
    lifetimes: Mapping[str, float] | None = None
    """Mean proper decay lengths [cm] to reweight to, by the parameters that set them"""


def rescaling(
    process: Source, collider: Collider, couplings: Mapping[str, float]
) -> tuple[Source, Rescaling]:
    """The process with other couplings, and what that makes of a sample of the first.

    The process is made anew with the couplings, so that all follows as its model says; lifetimes
    are the model's for these couplings, whatever the sample was made with, or those given. They are
    left alone where both are below 10 um.

    Parameters
    ----------
    process
        Of the sample.
    collider
        Of its experiment.
    couplings
        Values by the names of parameters: some of `COUPLINGS`, or lifetimes such as ``ctau``.

    Raises
    ------
    ConfigError
        A parameter that is none of these, or out of its bounds, or events of other generators.
    """
    if not couplings:
        return process, Rescaling()
    if not isinstance(process, Process):
        raise ConfigError(f"{process.name}: events of other generators have no couplings to change")
    known: list[str] = [name for name in COUPLINGS if name in type(process).model_fields]
    known = [*known, *process.long_lived]
    for name in couplings:
        if name not in known:
            raise ConfigError(
                f"{process.name}: '{name}' is no coupling or lifetime, {did_you_mean(name, known)} "
                "(other parameters need samples of their own)"
            )
    free = dict.fromkeys(process.long_lived)
    given = {name: value for name, value in process if name in process.model_fields_set}
    other = type(process)(**(given | free | dict(couplings)))
    lifetimes = {
        name: _ctau(other, name)
        for name in process.long_lived
        if _differ(_ctau(process, name), _ctau(other, name))
    }
    rate = 1.0
    if any(name not in free for name in couplings):
        before, after = (
            one.cross_section(collider, np.random.default_rng(_SEED)) for one in (process, other)
        )
        if before is None or after is None:
            raise ConfigError(f"{process.name} has no cross-section, and no rate to scale")
        rate = after.value / before.value
    return other, Rescaling(rate, lifetimes)


def _ctau(process: Process, name: str) -> float:
    """Mean proper decay length [cm] that samples of a process stand for, zero if stable."""
    state = process.long_lived.get(name)
    return 0.0 if state is None or state.decay is None else state.decay.ctau


def _differ(one: float, other: float) -> bool:
    return max(one, other) > _PROMPT and not math.isclose(one, other, rel_tol=1e-9)
