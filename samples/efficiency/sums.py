"""Sums over the events of one point of parameters, of which its rows of efficiencies are made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.weights import trigger_weights
from darkbelle.errors import ConfigError
from darkbelle.geometry.systematics import SystematicError, TriggerError, directions
from darkbelle.samples.describe import in_words
from darkbelle.samples.efficiency.expressions import Expression
from darkbelle.samples.efficiency.intervals import Efficiency, ratio_variance
from darkbelle.samples.efficiency.lifetimes import Lives, check_effective, lives_of
from darkbelle.samples.efficiency.selecting import EventColumns, Selection, passed_by
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.variations import Variation, VariationKind
from darkbelle.samples.wording import flat

__all__ = ["STANDARD", "Question", "Sums"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

STANDARD: Final = 0.6827
"""Coverage of one standard deviation."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every sample."""

    selection: Selection
    trigger: str
    lifetimes: tuple[dict[str, float], ...]
    """Values of the parameters that set lifetimes, one entry for the sample as it is"""
    axes: dict[str, FloatArray]
    """Edges of the bins of columns, or of expressions"""

    @property
    def lines(self) -> tuple[str, ...]:
        """Lines of the trigger that are asked for by their names."""
        return () if self.trigger in ("none", "physics") else tuple(self.trigger.split(","))

    @property
    def bins(self) -> list[tuple[tuple[float, float], ...]]:
        """Ends of each bin along each axis, the last axis running fastest."""
        ends = (pairwise(edges.tolist()) for edges in self.axes.values())
        return list(product(*ends))

    def passed(self, sample: Sample) -> BoolArray:
        """Which events are selected and triggered, shape (n_events,)."""
        passed = passed_by(self.selection, sample)
        if self.trigger == "none":
            return passed
        return passed & sample.fired(self.lines or None)

    def places(self, sample: Sample) -> Places:
        """Bin of each event, that after the last one for none, shape (n_events,)."""
        columns = EventColumns(sample)
        place, is_inside = np.zeros(len(sample), np.int64), np.ones(len(sample), dtype=bool)
        for name, edges in self.axes.items():
            values = np.broadcast_to(Expression(name)(columns), len(sample))
            found = np.searchsorted(edges, values, side="right") - 1  # NaN comes last
            is_inside &= (found >= 0) & (found < len(edges) - 1)
            place = place * (len(edges) - 1) + found
        return np.where(is_inside, place, len(self.bins))


@dataclass(frozen=True, slots=True)
class VariedSums:
    """Sums over events with a variation, of a sample or of several."""

    sums: FloatArray
    """Of the weights of what passes and of all, shape (2, n_lifetimes, n_bins)"""
    squares: FloatArray
    """Of the squares of what was added to these weights, likewise"""
    whole: FloatArray
    """Of what was added to the weights and of its squares without bins, shape (2, n_lifetimes)"""

    def __add__(self, other: VariedSums) -> VariedSums:
        return VariedSums(
            self.sums + other.sums, self.squares + other.squares, self.whole + other.whole
        )

    def corrected(self) -> FloatArray:
        """The sums of a varied world without chance, shape (2, n_lifetimes, n_bins).

        Weights that average to one add nothing to the sum of all: what they do add by chance is
        taken out of both sums, in proportion to their covariance with it. That leaves them the
        least variance (a control variate with its regression coefficient).
        """
        added, squares = self.whole[..., None]
        share = np.divide(self.squares, squares, out=np.zeros_like(self.squares), where=squares > 0)
        corrected: FloatArray = self.sums - share * added
        return corrected

    def efficiencies(self) -> FloatArray:
        """Of a varied world, shape (n_lifetimes, n_bins)."""
        passed, total = self.corrected()
        efficiencies: FloatArray = np.divide(
            passed, total, out=np.full_like(total, np.nan), where=total != 0
        )
        return efficiencies


@dataclass(slots=True)
class Sums:
    """Sums over the events of one point of parameters."""

    question: Question
    labels: dict[str, Any]
    """Process, experiment and parameters"""
    lifetimes: dict[str, float]
    """Of the sample as it is, by parameter; the model's is a function of the others, and none"""
    whole: FloatArray
    """Of weights and of their squares without bins, shape (2, n_lifetimes)"""
    n_events: FloatArray
    """Without weights, shape (n_bins,)"""
    sums: FloatArray
    """Of the weights of what passes and of all, shape (2, n_lifetimes, n_bins)"""
    products: FloatArray
    """Of products of two lifetimes' weights, shape (2, n_lifetimes, n_lifetimes, n_bins)"""
    heaviest: FloatArray
    """The greatest weight, shape (n_lifetimes, n_bins)"""
    varied: dict[str, VariedSums] = field(default_factory=dict)
    """With each variation"""
    correlated: set[str] = field(default_factory=set)
    """Systematic errors that other experiments share"""
    files: list[Path] = field(default_factory=list)

    @classmethod
    def like(cls, sample: Sample, question: Question) -> Self:
        """Nothing yet."""
        n_lifetimes, n_bins = len(question.lifetimes), len(question.bins)
        labels = {"process": sample.attributes["process"], "experiment": sample.experiment.name}
        labels |= {name: _plain(value) for name, value in flat(sample.parameters)}
        living = {
            name: 0.0 if state.decay is None else state.decay.ctau
            for name, state in sample.process.long_lived.items()
            if sample.parameters.get(name) is not None
        }
        return cls(
            question,
            labels,
            living,
            whole=np.zeros((2, n_lifetimes)),
            n_events=np.zeros(n_bins),
            sums=np.zeros((2, n_lifetimes, n_bins)),
            products=np.zeros((2, n_lifetimes, n_lifetimes, n_bins)),
            heaviest=np.zeros((n_lifetimes, n_bins)),
        )

    def add(self, sample: Sample) -> None:
        """Add the events of a sample."""
        self.files.append(sample.path)
        question = self.question
        lives = lives_of(sample, question.lifetimes[0])
        weight = sample.column("events", "weight")
        factors = np.stack([_factors(lives, point, len(weight)) for point in question.lifetimes])
        places, passed = question.places(sample), question.passed(sample)
        weights = factors * weight
        self.whole += weights.sum(axis=1), (weights**2).sum(axis=1)
        order = np.argsort(places, kind="stable")
        ends = np.searchsorted(places[order], np.arange(len(question.bins) + 1)).tolist()
        for j, (start, stop) in enumerate(pairwise(ends)):
            rows = order[start:stop]
            own, kept = weights[:, rows], weights[:, rows[passed[rows]]]
            self.n_events[j] += len(rows)
            self.sums[..., j] += kept.sum(axis=1), own.sum(axis=1)
            self.products[..., j] += kept @ kept.T, own @ own.T
            greatest = np.abs(own).max(axis=1, initial=0.0)
            self.heaviest[:, j] = np.maximum(self.heaviest[:, j], greatest)
        self._vary(sample, places, passed, factors)

    def _vary(self, sample: Sample, places: Places, passed: BoolArray, factors: FloatArray) -> None:
        """Add what passes and what there is with each systematic variation.

        Weights of the trigger do not average to one: of these the total is the nominal one.
        """
        question = self.question
        variations = _variations_of(sample, question)
        if len(self.files) > 1 and variations.keys() != self.varied.keys():
            raise ConfigError(
                f"'{sample.path}' has other systematic variations than '{self.files[0]}', a sample "
                "of the same point: produce them alike"
            )
        nominal = sample.column("events", "weight")
        for name, variation in variations.items():
            is_shift = variation.kind is VariationKind.SHIFT
            other = sample.varied(name) if is_shift else sample
            places_of = question.places(other) if is_shift else places
            passed_of = question.passed(other) if is_shift else passed
            weight_of = _weight_of(sample, variation, question)
            is_trigger = isinstance(_error_of(sample, variation), TriggerError)
            of_all = nominal if is_trigger else weight_of
            added = (of_all - nominal) * factors
            found = VariedSums(
                self._in_bins(places_of, (weight_of * passed_of * factors, of_all * factors)),
                self._in_bins(places_of, (added**2 * passed_of, added**2)),
                np.stack([added.sum(axis=1), (added**2).sum(axis=1)]),
            )
            self.varied[name] = self.varied[name] + found if name in self.varied else found
            self.correlated |= {variation.systematic} if variation.correlated else set()

    def _in_bins(self, places: Places, terms: Sequence[FloatArray]) -> FloatArray:
        """Sums of some terms of shape (n_lifetimes, n_events), each (n_lifetimes, n_bins)."""
        n_bins = len(self.question.bins)
        return np.array(
            [[np.bincount(places, row, n_bins + 1)[:n_bins] for row in term] for term in terms]
        )

    def check(self, least: float) -> None:
        """Refuse lifetimes of which the samples know too little."""
        where = f"'{self.files[0]}'"
        if (n_others := len(self.files) - 1) > 0:
            where += f" and {n_others} more of that point"
        for point, sum_w, sum_w2 in zip(self.question.lifetimes, *self.whole, strict=True):
            if point and sum_w2 > 0:
                check_effective(sum_w, sum_w2, point, least, where)

    def rows(self, coverage: float, first_group: int) -> Iterator[dict[str, Any]]:
        """A row for each lifetime and bin; those of a bin are a group, numbered from a first."""
        question = self.question
        correlations = [self._correlations(j) for j in range(len(question.bins))]
        for i, point in enumerate(question.lifetimes):
            for j, ends in enumerate(question.bins):
                row = self.labels | self.lifetimes | point
                for name, (low, high) in zip(question.axes, ends, strict=True):
                    row |= {f"{name}_lo": float(low), f"{name}_hi": float(high)}
                row |= self._measured((i, j), coverage)
                if len(question.lifetimes) > 1:
                    row |= {"group": first_group + j, "member": i}
                    row |= {f"corr_{k}": value for k, value in enumerate(correlations[j][i])}
                yield row

    def _correlations(self, j: int) -> FloatArray:
        """Of the statistical errors of the lifetimes in a bin, (n_lifetimes, n_lifetimes).

        The covariance of two ratios of sums over the same events is, to first order,
        sum w_i w_k (pass - eff_i)(pass - eff_k) / (sum w_i sum w_k). Where all or nothing passes
        that is zero, and the errors are taken to go along with each other.
        """
        (passed, total), (both_pass, both) = self.sums[..., j], self.products[..., j]
        eff = np.divide(passed, total, out=np.zeros_like(total), where=total != 0)
        covariance = both_pass * np.outer(1 - eff, 1 - eff)
        covariance += (both - both_pass) * np.outer(eff, eff)
        sigma = np.sqrt(np.diag(covariance) * ((eff > 0) & (eff < 1)))
        known = np.outer(sigma, sigma)
        alike = np.equal.outer(sigma > 0, sigma > 0).astype(np.float64)
        found: FloatArray = np.divide(covariance, known, out=alike, where=known > 0)
        return found

    def _measured(self, at: tuple[int, int], coverage: float) -> dict[str, Any]:
        i, j = at
        (passed, total), (passed2, total2) = self.sums[:, i, j], self.products[:, i, i, j]
        sums = *map(float, (passed, total, passed2, total2)), float(self.heaviest[at])
        found = Efficiency.of_sums(*sums, coverage=coverage)
        row: dict[str, Any] = {
            "n_events": float(self.n_events[j]),
            "n_pass": found.n_pass,
            "n_total": found.n_total,
            "eff": found.eff,
            "eff_lo": found.eff_lo,
            "eff_hi": found.eff_hi,
            "eff_stat": _standard_deviation(*sums),
        }
        if not self.varied:
            return row
        varied = {name: float(sums.efficiencies()[at]) for name, sums in self.varied.items()}
        systematics = [name.removesuffix("_up") for name in varied if name.endswith("_up")]
        halves = [(varied[f"{name}_up"] - varied[f"{name}_down"]) / 2 for name in systematics]
        row["eff_syst"] = math.hypot(*halves)
        row |= {f"eff_{name}": value for name, value in varied.items()}
        return row | {"correlated": " ".join(sorted(self.correlated))}


def _plain(value: Any) -> Any:
    """A number for a range without width, a text for any other, else the value."""
    if isinstance(value, (list, tuple)):
        is_number = len(value) == 2 and value[0] == value[1] and not isinstance(value[0], list)
        return value[0] if is_number else in_words(value)
    return value


def _factors(lives: Sequence[Lives], point: Mapping[str, float], n_events: int) -> FloatArray:
    """Of one combination of lifetimes, shape (n_events,)."""
    factors = np.ones(n_events)
    for each in lives:
        factors *= each.weights(point[each.parameter])
    return factors


def _variations_of(sample: Sample, question: Question) -> dict[str, Variation]:
    """Those that a question depends on: the error of a level of the trigger if it is asked."""
    asked = set(question.lines)

    def is_asked(error: SystematicError | None) -> bool:
        if not isinstance(error, TriggerError) or question.trigger == "physics":
            return True
        return not asked.isdisjoint(sample.trigger_lines[error.level])

    return {
        name: variation
        for name, variation in sample.variations.items()
        if is_asked(_error_of(sample, variation))
    }


def _error_of(sample: Sample, variation: Variation) -> SystematicError | None:
    """That of the card; what was varied afterwards has none."""
    return sample.experiment.systematics.get(variation.systematic)


def _weight_of(sample: Sample, variation: Variation, question: Question) -> FloatArray:
    """Weights of the events with a variation, shape (n_events,).

    The error of the trigger in the sample is that of any line; of named ones it is their own.
    """
    error = _error_of(sample, variation)
    if not (isinstance(error, TriggerError) and question.lines):
        return sample.varied(variation.name).column("events", "weight")
    level = {"l1": "l1_prescaled", "hlt": "hlt"}[error.level]
    names = sample.trigger_lines[level]
    columns = [i for i, name in enumerate(names) if name in question.lines]
    relative = error.of_lines([names[i] for i in columns])
    sign = dict(directions(variation.systematic))[variation.name]
    weight: FloatArray = sample.column("events", "weight").astype(np.float64)
    for rows, kept in sample.blocks("trigger", level):
        weight[rows] *= trigger_weights(relative, kept[:, columns], sign)
    return weight


def _standard_deviation(
    passed: float, total: float, passed2: float, total2: float, heaviest: float
) -> float:
    """Of an efficiency; half of its interval where all or nothing passes, NaN without events."""
    if total == 0:
        return float("nan")
    variance = ratio_variance(passed, total, passed2, total2)
    if variance > 0 and 0 < passed < total:
        return float(np.sqrt(variance))
    whole = Efficiency.of_sums(passed, total, passed2, total2, heaviest, coverage=STANDARD)
    return (whole.eff_hi - whole.eff_lo) / 2
