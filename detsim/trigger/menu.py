"""Lines of a menu, decided on counts."""

from __future__ import annotations

from functools import cache, reduce
from operator import and_, or_

import numpy as np
import numpy.typing as npt

from darkbelle.geometry.trigger import Bounds, Condition, Menu

__all__ = ["Counts", "decide", "prescale"]

BoolArray = npt.NDArray[np.bool_]

Counts = dict[str, npt.NDArray[np.integer]]
"""What a trigger level found in each event, by the names that lines ask for, shape (n_events,)."""


def decide(menu: Menu, counts: Counts, n_events: int, rng: np.random.Generator) -> BoolArray:
    """Whether each line fires in each event, shape (n_events, n_lines)."""

    @cache  # as many lines ask for the same
    def reached(name: str, bounds: Bounds) -> BoolArray:
        if isinstance(bounds, tuple):
            return (counts[name] >= bounds[0]) & (counts[name] <= bounds[1])
        return counts[name] >= bounds

    def holds(condition: Condition) -> BoolArray:
        return reduce(and_, (reached(*item) for item in condition.items()))

    fires = np.ones((len(menu.lines), n_events), dtype=bool)
    for line, fired in zip(menu.lines.values(), fires, strict=True):
        if line.needs:
            fired &= holds(line.needs)
        if line.any_of:
            fired &= reduce(or_, map(holds, line.any_of))
        for condition in line.veto:
            fired &= ~holds(condition)
        if line.efficiency < 1:
            _thin_out(fired, line.efficiency, rng)
    return fires.T


def prescale(menu: Menu, fires: BoolArray, rng: np.random.Generator) -> BoolArray:
    """Those decisions that are kept, same shape."""
    kept = fires & (np.array(menu.ratios) > 0)
    for i, ratio in enumerate(menu.ratios):
        if ratio > 1:
            _thin_out(kept[:, i], 1 / ratio, rng)
    return kept


def _thin_out(fired: BoolArray, share: float, rng: np.random.Generator) -> None:
    """Keep a share of what is set; as many numbers are drawn whatever is."""
    fired &= rng.random(len(fired), dtype=np.float32) < share
