"""Efficiencies of many samples, lifetimes and bins, with their systematic variations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError
from darkbelle.samples.describe import in_words
from darkbelle.samples.efficiency.intervals import check_coverage
from darkbelle.samples.efficiency.lifetimes import FEWEST_EFFECTIVE
from darkbelle.samples.efficiency.maps import EfficiencyMap
from darkbelle.samples.efficiency.selecting import Selection, selection_of
from darkbelle.samples.efficiency.sources import files_by_point, sample_files
from darkbelle.samples.efficiency.sums import STANDARD, Question, Sums
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.trigger_lines import line_names
from darkbelle.samples.progress import Progress, silent

__all__ = ["bins_of", "efficiency_map", "trigger_of"]

FloatArray = npt.NDArray[np.float64]
Lifetimes = float | Sequence[float]


def efficiency_map(
    files: str | Path | Iterable[str | Path],
    selection: str | Selection,
    *,
    trigger: str | Iterable[str] = "none",
    ctau: Lifetimes | Mapping[str, Lifetimes] = (),
    axes: Mapping[str, Sequence[float]] | None = None,
    coverage: float = STANDARD,
    least_effective: float = FEWEST_EFFECTIVE,
    progress: Progress = silent,
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
        of lines, a list or with commas, cf. `Sample.fired`.
    ctau
        Lifetimes [cm] to reweight to, one or several, of the parameter ``ctau`` or by the names of
        parameters; each combination is a row. Not given: the samples as they are.
    axes
        Edges of bins by columns, or by expressions of these; a bin holds its lower edge.
    coverage
        Of the intervals.
    least_effective
        Effective events that a lifetime must leave of a point, cf. `lifetime_weights`.
    progress
        Called with "samples" and the number of files; what it returns is called with 1 after each.

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
    question = Question(
        selection_of(selection) if isinstance(selection, str) else selection,
        trigger_of(trigger),
        _combinations(ctau),
        bins_of({} if axes is None else axes),
    )
    points: dict[tuple[str, ...], Sums] = {}
    paths_of = files_by_point(sample_files(files))
    done = progress("samples", sum(map(len, paths_of.values())))
    for key, paths in paths_of.items():
        for path in paths:
            with Sample(path) as sample:
                if key not in points:
                    points[key] = Sums.like(sample, question)
                points[key].add(sample)
            done(1)
    for sums in points.values():
        sums.check(least_effective)
    told = selection if isinstance(selection, str) else getattr(selection, "__name__", "a function")
    asked = {"selection": told, "trigger": question.trigger}
    rows = [
        row | asked
        for i, sums in enumerate(points.values())
        for row in sums.rows(coverage, i * len(question.bins))
    ]
    return EfficiencyMap(_columns(rows, question))


def trigger_of(asked: str | Iterable[str]) -> str:
    """What is asked of the trigger, names with commas between them."""
    text = asked if isinstance(asked, str) else ",".join(line_names(asked))
    lines = [name.strip() for name in text.split(",")]
    if "" in lines:
        raise ConfigError(f"trigger: needs none, physics or names of lines (got {asked!r})")
    for name in ("none", "physics"):
        if name in lines and len(lines) > 1:
            raise ConfigError(f"trigger: {name} stands alone, without lines (got {asked!r})")
    return ",".join(lines)


def _combinations(ctau: Lifetimes | Mapping[str, Lifetimes]) -> tuple[dict[str, float], ...]:
    """Lifetimes to reweight to, by parameter."""
    if not isinstance(ctau, Mapping):
        ctau = {"ctau": ctau} if np.size(ctau) else {}
    by_name = {name: _numbers(name, values).tolist() for name, values in ctau.items()}
    for name, values in by_name.items():
        if len(values) == 0:
            raise ConfigError(f"{name}: no lifetimes to reweight to")
    return tuple(dict(zip(by_name, values, strict=True)) for values in product(*by_name.values()))


def bins_of(axes: Mapping[str, Sequence[float]]) -> dict[str, FloatArray]:
    """Edges of the bins along each axis."""
    if not isinstance(axes, Mapping):
        raise ConfigError(f"axes: needs edges by names, as {{'n_tracks': [0, 2, 4]}} (got {axes})")
    found = {name: _numbers(f"axis {name}", edges) for name, edges in axes.items()}
    for name, edges in found.items():
        if len(edges) < 2 or not np.all(np.diff(edges) > 0):
            raise ConfigError(f"axis {name}: needs two or more rising edges (got {edges.tolist()})")
    return found


def _numbers(where: str, values: Lifetimes) -> FloatArray:
    """One number or several, shape (n,)."""
    with suppress(ValueError):  # lists of different lengths
        found = np.atleast_1d(np.asarray(values))
        if found.ndim == 1 and found.dtype.kind in "iuf":
            return found.astype(np.float64)
    raise ConfigError(f"{where}: needs numbers (got {values!r})")


def _columns(rows: Sequence[Mapping[str, Any]], question: Question) -> dict[str, Any]:
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
