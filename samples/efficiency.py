"""Efficiencies with exact intervals, and the choice of trigger lines that goes into them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.samples.reading import Sample

__all__ = ["Efficiency", "fired", "line_shares", "trigger_efficiency"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The share of events that pass, with the ends of its interval.

    ``n_pass`` and ``n_total`` are sums of weights. Without events ``n_total`` is zero, ``eff`` NaN
    and the interval everything from 0 to 1.
    """

    n_pass: float
    n_total: float
    eff: float
    eff_lo: float
    eff_hi: float

    @classmethod
    def of(
        cls,
        passed: npt.ArrayLike,
        *,
        among: npt.ArrayLike | None = None,
        weight: npt.ArrayLike | None = None,
        coverage: float = 0.6827,
    ) -> Self:
        """How many events pass ``among`` some, all of them if not given.

        Parameters
        ----------
        passed, among
            One boolean an event, awkward or not.
        weight
            One number an event, 1 if not given.
        coverage
            What the interval covers at least.

        Returns
        -------
        efficiency
            With the exact binomial (Clopper-Pearson) interval: equal tails, so that it reaches 0
            where nothing passes and 1 where everything does. For weighted events it is
            approximate: that of (sum of weights)^2 / (sum of squared weights) events of weight one.

        Raises
        ------
        ConfigError
            Something that is not one value an event, or a coverage that is none.
        """
        if not 0 < coverage < 1:
            raise ConfigError(f"coverage must lie between 0 and 1 (got {coverage})")
        passes = _flags("passed", passed)
        n_events = len(passes)
        weights = np.ones(n_events) if weight is None else _numbers("weight", weight, n_events)
        if among is not None:
            chosen = _flags("among", among, n_events)
            passes, weights = passes[chosen], weights[chosen]
        n_pass, n_total = float(weights[passes].sum()), float(weights.sum())
        if n_total == 0:
            return cls(n_pass, n_total, np.nan, 0.0, 1.0)
        eff = n_pass / n_total
        n_effective = n_total**2 / float((weights**2).sum())
        return cls(n_pass, n_total, eff, *_interval(eff, n_effective, coverage))


def fired(
    sample: Sample, lines: str | Iterable[str] | None = None, *, prescaled: bool = True
) -> BoolArray:
    """Whether the trigger keeps each event by some of its lines, shape (n_events,).

    Parameters
    ----------
    sample
        The sample.
    lines
        Names of lines: those of one level are alternatives, and where lines of both levels are
        named, an event needs one of each. Not given: whatever runs without a prescale, at both
        levels, the column ``physics``.
    prescaled
        Take lines of level one as they are kept, by a line that is off nothing; else as they fire,
        before their prescales. Those of the high level are of events that level one kept.

    Raises
    ------
    ConfigError
        An unknown line, or none.
    """
    trigger = sample.trigger
    if lines is None:
        return np.asarray(trigger.physics)
    names = [lines] if isinstance(lines, str) else list(lines)
    levels = (trigger.l1_prescaled if prescaled else trigger.l1, trigger.hlt)
    known = [name for level in levels for name in level.fields]
    for name in names:
        if name not in known:
            where = f"the trigger of {sample.experiment.name}"
            raise ConfigError(f"{where} has no line '{name}', {did_you_mean(name, known)}")
    if not names:
        raise ConfigError("no lines: name one, or leave them out for those of physics")
    chosen = [(level, [name for name in names if name in level.fields]) for level in levels]
    alternatives = [
        np.logical_or.reduce([np.asarray(level[name]) for name in own])
        for level, own in chosen
        if own
    ]
    decision: BoolArray = np.logical_and.reduce(alternatives)
    return decision


def trigger_efficiency(
    sample: Sample,
    lines: str | Iterable[str] | None = None,
    *,
    among: npt.ArrayLike | None = None,
    prescaled: bool = True,
) -> Efficiency:
    """How many events, weighted, the trigger keeps by some lines, ``among`` those of interest.

    Examples
    --------
    ``trigger_efficiency(sample, ["ffo", "cdcklm1"], among=ak.num(sample.tracks) == 2)``; the lines
    are those of `fired`, the interval is that of `Efficiency.of`.
    """
    passed = fired(sample, lines, prescaled=prescaled)
    return Efficiency.of(passed, among=among, weight=sample.events.weight)


def line_shares(sample: Sample, level: str) -> dict[str, float]:
    """Weighted share of the events in which each line fires: of l1, l1_prescaled or hlt.

    All are NaN without events.
    """
    decisions, weight = sample.trigger[level], np.asarray(sample.events.weight)
    total = float(weight.sum())
    return {
        name: float(weight @ np.asarray(decisions[name])) / total if total else np.nan
        for name in decisions.fields
    }


def _interval(eff: float, n_events: float, coverage: float) -> tuple[float, float]:
    """Ends of the Clopper-Pearson interval, by quantiles of beta distributions."""
    share, tail = min(max(eff, 0.0), 1.0), (1 - coverage) / 2
    n_pass, n_fail = share * n_events, (1 - share) * n_events
    low = float(betaincinv(n_pass, n_fail + 1, tail)) if n_pass > 0 else 0.0
    high = float(betaincinv(n_pass + 1, n_fail, 1 - tail)) if n_fail > 0 else 1.0
    return low, high


def _flags(name: str, values: npt.ArrayLike, n_events: int | None = None) -> BoolArray:
    flags = _column(name, values, n_events)
    if flags.dtype != bool:
        raise ConfigError(f"{name} must hold booleans, one an event (got {flags.dtype})")
    return flags.astype(np.bool_, copy=False)


def _numbers(name: str, values: npt.ArrayLike, n_events: int) -> FloatArray:
    try:
        return _column(name, values, n_events).astype(np.float64)
    except ValueError:
        raise ConfigError(f"{name} must hold numbers, one an event") from None


def _column(name: str, values: npt.ArrayLike, n_events: int | None) -> npt.NDArray[np.generic]:
    """One value an event as a flat array."""
    try:
        column = np.asarray(values)
    except ValueError:  # rows of different lengths, or missing values
        raise ConfigError(f"{name} must hold one value for each event, without gaps") from None
    if column.ndim != 1 or (n_events is not None and len(column) != n_events):
        wanted = "one value for each event" if n_events is None else f"{n_events} values"
        raise ConfigError(f"{name} must hold {wanted} (got the shape {column.shape})")
    return column
