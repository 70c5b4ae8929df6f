"""Efficiencies with exact intervals, those of trigger lines among them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from darkbelle.errors import ConfigError
from darkbelle.samples.files.reading import Sample

__all__ = ["Efficiency", "check_coverage", "line_shares", "ratio_variance", "trigger_efficiency"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

PIECE_ROWS = 2_048
"""Events whose decisions are summed at once."""


def check_coverage(coverage: float) -> None:
    """Refuse what no interval can cover."""
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage must lie between 0 and 1 (got {coverage})")


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
            where nothing passes and 1 where everything does. For weighted events it is approximate,
            cf. `of_sums`.

        Raises
        ------
        ConfigError
            Something that is not one value an event, or a coverage that is none.
        """
        passes = _flags("passed", passed)
        n_events = len(passes)
        weights = np.ones(n_events) if weight is None else _numbers("weight", weight, n_events)
        if among is not None:
            chosen = _flags("among", among, n_events)
            passes, weights = passes[chosen], weights[chosen]
        kept = weights[passes]
        return cls.of_sums(
            float(kept.sum()),
            float(weights.sum()),
            float((kept**2).sum()),
            float((weights**2).sum()),
            float(np.abs(weights).max(initial=0.0)),
            coverage=coverage,
        )

    @classmethod
    def of_sums(
        cls,
        sum_pass: float,
        sum_all: float,
        sum_pass2: float,
        sum_all2: float,
        heaviest: float,
        *,
        coverage: float = 0.6827,
    ) -> Self:
        """From sums of weights and of their squares, of what passes and of all, and the heaviest.

        The interval is that of the number of equal events that know as much, eff (1 - eff) / var,
        where var = sum w^2 (pass - eff)^2 / (sum w)^2 is the variance of a ratio of sums to first
        order: it knows whether it is the heavy events that pass. Of equal weights that number is
        the true one. Where everything or nothing passes, what is missing may be of the heaviest
        kind, as the long flights of a range of lifetimes are: the number is sum w / max w.
        """
        check_coverage(coverage)
        if sum_all == 0:
            return cls(sum_pass, sum_all, np.nan, 0.0, 1.0)
        eff = sum_pass / sum_all
        variance = ratio_variance(sum_pass, sum_all, sum_pass2, sum_all2)
        n_equal = abs(sum_all) / heaviest
        if 0 < eff < 1 and variance > 0:
            n_equal = eff * (1 - eff) / variance
        return cls(sum_pass, sum_all, eff, *_interval(eff, n_equal, coverage))

    def __str__(self) -> str:
        """``0.354 (0.345 to 0.363)``, as exact as half of the interval deserves."""
        digits = math.ceil(math.log10(6 / (self.eff_hi - self.eff_lo)))
        eff, low, high = (f"{n:.{digits}f}" for n in (self.eff, self.eff_lo, self.eff_hi))
        return f"{eff} ({low} to {high})"


def trigger_efficiency(
    sample: Sample,
    lines: str | Iterable[str] | None = None,
    *,
    among: npt.ArrayLike | None = None,
    prescaled: bool = True,
    coverage: float = 0.6827,
) -> Efficiency:
    """How many events, weighted, the trigger keeps by some lines, ``among`` those of interest.

    Examples
    --------
    ``trigger_efficiency(sample, ["ffo", "cdcklm1"], among=ak.num(sample.tracks) == 2)``; the lines
    are those of `Sample.fired`, with its optimistic default, the interval is that of
    `Efficiency.of`.
    """
    passed, weight = sample.fired(lines, prescaled=prescaled), sample.column("events", "weight")
    return Efficiency.of(passed, among=among, weight=weight, coverage=coverage)


def line_shares(sample: Sample, level: str) -> dict[str, float]:
    """Weighted share of the events in which each line fires: of l1, l1_prescaled or hlt.

    All are NaN without events.
    """
    lines, weight = sample.trigger_lines[level], sample.column("events", "weight")
    passed, total = np.zeros(len(lines)), float(weight.sum())
    for rows, decisions in sample.blocks("trigger", level):
        passed += _sum_columns(weight[rows], decisions)
    shares = passed / total if total else np.full(len(lines), np.nan)
    return dict(zip(lines, shares.tolist(), strict=True))


def ratio_variance(sum_pass: float, sum_all: float, sum_pass2: float, sum_all2: float) -> float:
    """Variance of a share of weights, sum w^2 (pass - eff)^2 / (sum w)^2, from sums."""
    eff = sum_pass / sum_all
    return (sum_pass2 * (1 - eff) ** 2 + (sum_all2 - sum_pass2) * eff**2) / sum_all**2


def _sum_columns(weight: FloatArray, decisions: BoolArray) -> FloatArray:
    """Sum of the weights of what each column holds, in pieces that fit into the cache."""
    starts = range(0, len(weight), PIECE_ROWS)
    pieces = [weight[i : i + PIECE_ROWS] @ decisions[i : i + PIECE_ROWS] for i in starts]
    summed: FloatArray = np.sum(pieces, axis=0)
    return summed


def _interval(eff: float, n_events: float, coverage: float) -> tuple[float, float]:
    """Ends of the Clopper-Pearson interval, by quantiles of beta distributions."""
    share, tail = min(max(eff, 0.0), 1.0), (1 - coverage) / 2
    n_pass, n_fail = share * n_events, (1 - share) * n_events
    low = float(betaincinv(n_pass, n_fail + 1, tail)) if n_pass > 0 else 0.0
    high = float(betaincinv(n_pass + 1, n_fail, 1 - tail)) if n_fail > 0 else 1.0
    return low, high


def _flags(name: str, values: npt.ArrayLike, n_events: int | None = None) -> BoolArray:
    flags = _column(name, values, n_events)
    if len(flags) and flags.dtype != bool:  # an empty list is one of floats
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
