"""Expected numbers of events for a luminosity and couplings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from darkbelle.errors import ConfigError
from darkbelle.samples.efficiency.selecting import Selection
from darkbelle.samples.fits.templates import EVERYTHING, templates

__all__ = ["Yield", "expected_yield"]


@dataclass(frozen=True, slots=True)
class Yield:
    """An expected number of events with its errors by one standard deviation."""

    value: float
    stat: float
    """Of the simulation"""
    rate: float
    """Of the cross-section, as it was calculated or quoted"""
    shifts: Mapping[str, float]
    """By how much each systematic error of the card moves it, with its sign"""

    @property
    def syst(self) -> float:
        """All systematic errors of the card, in quadrature."""
        return math.hypot(*self.shifts.values())

    @property
    def error(self) -> float:
        """All of them, in quadrature."""
        return math.hypot(self.stat, self.rate, self.syst)

    def __str__(self) -> str:
        parts = f"{self.stat:.2g} (stat) +- {self.rate:.2g} (rate) +- {self.syst:.2g} (syst)"
        return f"{self.value:.4g} +- {parts}"


def expected_yield(
    files: str | Path | Iterable[str | Path],
    lumi: float,
    *,
    selection: str | Selection = EVERYTHING,
    trigger: str | Iterable[str] = "none",
    couplings: Mapping[str, float] | None = None,
) -> Yield:
    """How many events of samples of one point and experiment are expected to pass.

    Cross-section, branching fractions and lifetimes follow the couplings as the model says: the
    first two by a factor, the last by weights.

    Parameters
    ----------
    files
        Samples of one process, parameters and card.
    lumi
        Integrated luminosity [1/fb].
    selection, trigger
        As those of `efficiency_map`.
    couplings
        Other couplings or lifetimes than those of the samples, cf. `rescaling`.

    Raises
    ------
    ConfigError
        Several points, or what `templates` refuses.
    """
    found = templates(
        files, "", (), lumi, selection=selection, trigger=trigger, couplings=couplings
    )
    if len(found) != 1:
        raise ConfigError(f"a yield is that of one point of parameters (got {len(found)})")
    (one,) = found
    value = float(one.expected[0])
    return Yield(
        value,
        stat=math.sqrt(float(one.variance[0])),
        rate=math.hypot(one.rate_error, one.theory_error) * value,
        shifts={name: float(one.shift(name)[0]) for name in one.systematics},
    )
