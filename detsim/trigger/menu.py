"""Lines of a menu, decided on counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from operator import and_, or_

import numpy as np
import numpy.typing as npt

from darkbelle.geometry.trigger import Bounds, Condition, Menu

__all__ = ["Counts", "decide", "meets", "prescale"]

BoolArray = npt.NDArray[np.bool_]

Counts = dict[str, npt.NDArray[np.integer]]
"""What a trigger level found in each event, by the names that lines ask for, shape (n_events,)."""


def decide(menu: Menu, counts: Counts, n_events: int, rng: np.random.Generator) -> BoolArray:
    """Whether each line fires in each event, shape (n_events, n_lines)."""
    fires = meets(menu, counts, n_events)
    for line, fired in zip(menu.lines.values(), fires.T, strict=True):
        if line.efficiency < 1:
            fired &= rng.random(n_events, dtype=np.float32) < line.efficiency
    return fires


def meets(menu: Menu, counts: Counts, n_events: int) -> BoolArray:
    """Whether each event meets the conditions of each line, shape (n_events, n_lines)."""

    @cache  # as many lines ask for the same
    def reached(name: str, bounds: Bounds) -> BoolArray:
        if isinstance(bounds, tuple):
            return (counts[name] >= bounds[0]) & (counts[name] <= bounds[1])
        return counts[name] >= bounds

    fires = np.ones((len(menu.lines), n_events), dtype=bool)
    for line, fired in zip(menu.lines.values(), fires, strict=True):
        for asked in line.needs.items():
            fired &= reached(*asked)
        if line.any_of:
            fired &= reduce(or_, (_all(reached, condition) for condition in line.any_of))
        for condition in line.veto:
            np.greater(fired, _all(reached, condition), out=fired)
    return fires.T


def _all(reached: Callable[[str, Bounds], BoolArray], condition: Condition) -> BoolArray:
    """Whether every count of a condition is reached."""
    return reduce(and_, (reached(*asked) for asked in condition.items()))


def prescale(menu: Menu, fires: BoolArray, rng: np.random.Generator) -> BoolArray:
    """Those decisions that are kept, same shape: every so many-th, from a random one on."""
    ratios = np.array(menu.ratios)
    first = np.floor(rng.random(len(ratios)) * ratios).astype(np.intp)
    kept = np.zeros(fires.shape[::-1], dtype=bool).T
    for i, ratio in enumerate(ratios):
        if ratio == 1:
            kept[:, i] = fires[:, i]
        elif ratio:
            kept[np.flatnonzero(fires[:, i])[first[i] :: ratio], i] = True
    return kept
