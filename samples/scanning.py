"""Efficiencies of many samples, lifetimes and bins, with their systematic variations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError
from darkbelle.samples.describe import flat, in_words
from darkbelle.samples.efficiency import Efficiency, check_coverage, ratio_variance
from darkbelle.samples.expressions import Expression
from darkbelle.samples.lifetimes import FEWEST_EFFECTIVE, Lives, check_effective, lives_of
from darkbelle.samples.maps import EfficiencyMap
from darkbelle.samples.reading import Sample
from darkbelle.samples.selecting import EventColumns, Selection, passed_by, selection_of
from darkbelle.samples.sources import files_by_point, sample_files
from darkbelle.samples.variations import VariationKind

__all__ = ["efficiency_map"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_STANDARD: Final = 0.6827
"""Coverage of one standard deviation."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of every sample."""

    selection: Selection
    trigger: str
    lifetimes: tuple[dict[str, float], ...]
    """Values of the parameters that set lifetimes, one entry for the sample as it is"""
    axes: dict[str, FloatArray]
    """Edges of the bins of columns, or of expressions"""

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
        lines = None if self.trigger == "physics" else self.trigger.split(",")
        return passed & sample.fired(lines)

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


@dataclass(slots=True)
class _Sums:
    """Sums over the events of one point of parameters, shape (..., n_lifetimes, n_bins)."""

    question: _Question
    labels: dict[str, Any]
    """Process, experiment and parameters"""
    lifetimes: dict[str, float]
    """Of the sample as it is, by parameter"""
    whole: FloatArray
    """Of weights and of their squares without bins, shape (2, n_lifetimes)"""
    binned: FloatArray
    """Of ones, weights and their squares, and of these two of what passes, five of them"""
    varied: dict[str, FloatArray] = field(default_factory=dict)
    """Of the weights of what passes with each variation"""
    correlated: set[str] = field(default_factory=set)
    """Systematic errors that other experiments share"""
    files: list[Path] = field(default_factory=list)

    @classmethod
    def like(cls, sample: Sample, question: _Question) -> Self:
        """Nothing yet."""
        n_lifetimes, n_bins = len(question.lifetimes), len(question.bins)
        labels = {"process": sample.attributes["process"], "experiment": sample.experiment.name}
        labels |= {name: _plain(value) for name, value in flat(sample.parameters)}
        living = {
            name: 0.0 if state.decay is None else state.decay.ctau
            for name, state in sample.process.long_lived.items()
        }
        shape = n_lifetimes, n_bins
        return cls(question, labels, living, np.zeros((2, n_lifetimes)), np.zeros((5, *shape)))

    def add(self, sample: Sample) -> None:
        """Add the events of a sample."""
        self.files.append(sample.path)
        question = self.question
        lives = lives_of(sample, question.lifetimes[0])
        weight = sample.column("events", "weight")
        factors = [_factors(lives, point, len(weight)) for point in question.lifetimes]
        places, passed = question.places(sample), question.passed(sample)
        for i, factor in enumerate(factors):
            own = weight * factor
            self.whole[:, i] += own.sum(), (own**2).sum()
            terms = np.ones(len(own)), own, own**2, own * passed, own**2 * passed
            self.binned[:, i] += [self._in_bins(places, term) for term in terms]
        self._vary(sample, places, passed, factors)

    def _vary(
        self, sample: Sample, places: Places, passed: BoolArray, factors: Sequence[FloatArray]
    ) -> None:
        """Add what passes with each systematic variation."""
        question = self.question
        if len(self.files) > 1 and sample.variations.keys() != self.varied.keys():
            raise ConfigError(
                f"'{sample.path}' has other systematic variations than '{self.files[0]}', a sample "
                "of the same point: produce them alike"
            )
        for name, variation in sample.variations.items():
            other = sample.varied(name)
            is_shift = variation.kind is VariationKind.SHIFT
            places_of = question.places(other) if is_shift else places
            passed_of = question.passed(other) if is_shift else passed
            weight_of = other.column("events", "weight") * passed_of
            total = self.varied.setdefault(name, np.zeros_like(self.binned[0]))
            for i, factor in enumerate(factors):
                total[i] += self._in_bins(places_of, weight_of * factor)
            self.correlated |= {variation.systematic} if variation.correlated else set()

    def _in_bins(self, places: Places, weight: FloatArray) -> FloatArray:
        n_bins = len(self.question.bins)
        return np.bincount(places, weight, n_bins + 1)[:n_bins].astype(np.float64)

    def check(self, least: float) -> None:
        """Refuse lifetimes of which the samples know too little."""
        where = f"'{self.files[0]}'"
        if (n_others := len(self.files) - 1) > 0:
            where += f" and {n_others} more of that point"
        for point, sum_w, sum_w2 in zip(self.question.lifetimes, *self.whole, strict=True):
            if point and sum_w2 > 0:
                check_effective(sum_w, sum_w2, point, least, where)

    def rows(self, coverage: float) -> Iterator[dict[str, Any]]:
        """A row for each lifetime and bin."""
        question = self.question
        for i, point in enumerate(question.lifetimes):
            for j, ends in enumerate(question.bins):
                row = self.labels | self.lifetimes | point
                for name, (low, high) in zip(question.axes, ends, strict=True):
                    row |= {f"{name}_lo": float(low), f"{name}_hi": float(high)}
                yield row | self._measured((i, j), coverage)

    def _measured(self, at: tuple[int, int], coverage: float) -> dict[str, Any]:
        n_events, total, total2, passed, passed2 = self.binned[:, *at].tolist()
        sums = passed, total, passed2, total2
        found = Efficiency.of_sums(*sums, coverage=coverage)
        row: dict[str, Any] = {
            "n_events": n_events,
            "n_pass": found.n_pass,
            "n_total": found.n_total,
            "eff": found.eff,
            "eff_lo": found.eff_lo,
            "eff_hi": found.eff_hi,
            "eff_stat": _standard_deviation(*sums),
        }
        if not self.varied:
            return row
        varied = {name: float(sums[at]) / (total or np.nan) for name, sums in self.varied.items()}
        systematics = [name.removesuffix("_up") for name in varied if name.endswith("_up")]
        halves = [(varied[f"{name}_up"] - varied[f"{name}_down"]) / 2 for name in systematics]
        row["eff_syst"] = math.hypot(*halves)
        row |= {f"eff_{name}": value for name, value in varied.items()}
        return row | {"correlated": " ".join(sorted(self.correlated))}


def efficiency_map(
    files: str | Path | Iterable[str | Path],
    selection: str | Selection,
    *,
    trigger: str = "none",
    ctau: Mapping[str, Sequence[float]] | Sequence[float] = (),
    axes: Mapping[str, Sequence[float]] | None = None,
    coverage: float = _STANDARD,
    least_effective: float = FEWEST_EFFECTIVE,
    progress: Callable[[int], Callable[[int], object]] = lambda total: lambda done: None,
) -> EfficiencyMap:
    """The share of generated events that pass, for each sample, lifetime and bin.

    Parameters
    ----------
    files
        Samples; those of one process, parameters and card are added up. The folder of a campaign,
        or of an experiment in it, stands for its finished parts, any other one for the samples in
        it.
    selection
        An expression over the columns of `EventColumns`, ``FILE.py:FUNCTION``, or a function that
        takes a `Sample` and returns one boolean an event.
    trigger
        ``none`` asks for nothing, ``physics`` for any line that runs without a prescale, else names
        of lines with commas, cf. `Sample.fired`.
    ctau
        Lifetimes [cm] to reweight to, of the parameter ``ctau`` or by the names of parameters; each
        combination is a row. Not given: the samples as they are.
    axes
        Edges of bins by columns, or by expressions of these; a bin holds its lower edge.
    coverage
        Of the intervals.
    least_effective
        Effective events that a lifetime must leave of a point, cf. `lifetime_weights`.
    progress
        Called with the number of files; what it returns is called with 1 after each.

    Raises
    ------
    ConfigError
        A selection, column, line, lifetime or bin that cannot be.
    MergeError
        The same events twice, with whatever systematic variations.
    SampleFormatError
        A file that is no sample.
    """
    check_coverage(coverage)
    if not 0 <= least_effective < math.inf:
        raise ConfigError(
            f"the least number of effective events must be 0 or more, and finite (got "
            f"{least_effective})"
        )
    question = _Question(
        selection_of(selection) if isinstance(selection, str) else selection,
        trigger,
        _combinations(ctau),
        {name: _edges(name, edges) for name, edges in (axes or {}).items()},
    )
    points: dict[tuple[str, ...], _Sums] = {}
    paths_of = files_by_point(sample_files(files))
    done = progress(sum(map(len, paths_of.values())))
    for key, paths in paths_of.items():
        for path in paths:
            with Sample(path) as sample:
                if key not in points:
                    points[key] = _Sums.like(sample, question)
                points[key].add(sample)
            done(1)
    for sums in points.values():
        sums.check(least_effective)
    told = selection if isinstance(selection, str) else getattr(selection, "__name__", "a function")
    asked = {"selection": told, "trigger": trigger}
    rows = [row | asked for sums in points.values() for row in sums.rows(coverage)]
    return EfficiencyMap(_columns(rows, question))


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


def _standard_deviation(passed: float, total: float, passed2: float, total2: float) -> float:
    """Of an efficiency; half of its interval where all or nothing passes, NaN without events."""
    if total == 0:
        return float("nan")
    variance = ratio_variance(passed, total, passed2, total2)
    if variance > 0 and 0 < passed < total:
        return float(np.sqrt(variance))
    whole = Efficiency.of_sums(passed, total, passed2, total2, coverage=_STANDARD)
    return (whole.eff_hi - whole.eff_lo) / 2


def _combinations(
    ctau: Mapping[str, Sequence[float]] | Sequence[float],
) -> tuple[dict[str, float], ...]:
    """Lifetimes to reweight to, by parameter."""
    by_name = dict(ctau) if isinstance(ctau, Mapping) else {"ctau": ctau} if len(ctau) else {}
    for name, values in by_name.items():
        if len(values) == 0:
            raise ConfigError(f"{name}: no lifetimes to reweight to")
    return tuple(dict(zip(by_name, values, strict=True)) for values in product(*by_name.values()))


def _edges(name: str, edges: Sequence[float]) -> FloatArray:
    found = np.asarray(edges, dtype=np.float64)
    if found.ndim != 1 or len(found) < 2 or not np.all(np.diff(found) > 0):
        raise ConfigError(f"axis {name}: needs two or more rising edges (got {list(edges)})")
    return found


def _columns(rows: Sequence[Mapping[str, Any]], question: _Question) -> dict[str, Any]:
    """Rows as columns: what they are, then what was found."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    i = names.index("n_events")
    bins = [f"{axis}_{end}" for axis in question.axes for end in ("lo", "hi")]
    first = ["process", "experiment", "selection", "trigger"]
    parameters = [name for name in names[:i] if name not in (*first, *bins)]
    told = [name for name in parameters if _is_worth_telling(name, [r.get(name) for r in rows])]
    # eff_NAME_up of a later sample may be new.
    measured = [name for name in names[i:] if name not in (*first, *parameters, *bins)]
    measured.sort(key=lambda name: name == "correlated")
    return {
        name: _column([row.get(name) for row in rows]) for name in (*first, *told, *bins, *measured)
    }


def _is_worth_telling(name: str, values: Sequence[Any]) -> bool:
    """Whether a parameter differs between rows, or is neither a switch, nor nested, nor none."""
    is_dull = "." in name or values[0] is None or isinstance(values[0], bool)
    return not is_dull or any(value != values[0] for value in values)


def _column(values: Sequence[Any]) -> npt.NDArray[Any]:
    """Numbers, NaN for what a row does not have, or texts."""
    if all(v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for v in values):
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return np.array(["" if v is None else in_words(v) for v in values], dtype=np.str_)


def parse_lifetimes(texts: Iterable[str]) -> dict[str, list[float]]:
    """Lifetimes as the command line gives them, ``0.1,1`` or ``ctau_hp=0.1,1``, by parameter.

    Raises
    ------
    ConfigError
        No numbers, or a parameter that is given twice.
    """
    found: dict[str, list[float]] = {}
    for text in texts:
        name, equals, values = text.rpartition("=")
        name = name.strip() if equals else "ctau"
        if name in found:
            raise ConfigError(f"--ctau {text}: lifetimes of {name} are given twice")
        found[name] = _parse_numbers(f"--ctau {text}", values)
    return found


def parse_axes(texts: Iterable[str]) -> dict[str, list[float]]:
    """Edges by axes as the command line gives them, ``decay_radius:0,1,10``.

    Raises
    ------
    ConfigError
        One that reads otherwise, or an axis that is given twice.
    """
    found: dict[str, list[float]] = {}
    for text in texts:
        name, colon, edges = text.rpartition(":")
        name = name.strip()
        if not (name and colon):
            raise ConfigError(f"--axis {text}: must read NAME:EDGE,EDGE,...")
        if name in found:
            raise ConfigError(f"--axis {text}: edges of {name} are given twice")
        found[name] = _parse_numbers(f"--axis {text}", edges)
    return found


def _parse_numbers(where: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"{where}: needs numbers with commas between them") from None
