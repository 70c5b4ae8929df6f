"""Lines of a menu, decided on counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.geometry.trigger import Condition, Menu

__all__ = ["Counts", "decide", "prescale"]

BoolArray = npt.NDArray[np.bool_]

Counts = dict[str, npt.NDArray[np.integer]]
"""What a trigger level found in each event, by the names that lines ask for, shape (n_events,)."""


def decide(menu: Menu, counts: Counts, n_events: int, rng: np.random.Generator) -> BoolArray:
    """Whether each line fires in each event, shape (n_events, n_lines)."""
    fires = np.empty((len(menu.lines), n_events), dtype=bool)
    for line, fired in zip(menu.lines.values(), fires, strict=True):
        fired[:] = _holds(line.needs, counts, n_events)
        if line.any_of:
            fired &= np.logical_or.reduce([_holds(c, counts, n_events) for c in line.any_of])
        for condition in line.veto:
            fired &= ~_holds(condition, counts, n_events)
        if line.efficiency < 1:
            fired &= rng.random(n_events) < line.efficiency
    return fires.T


def prescale(menu: Menu, fires: BoolArray, rng: np.random.Generator) -> BoolArray:
    """Those decisions that are kept, same shape."""
    kept = np.zeros_like(fires)
    for i, ratio in enumerate(menu.ratios):
        if ratio == 1:
            kept[:, i] = fires[:, i]
        elif ratio > 1:
            kept[:, i] = fires[:, i] & (rng.random(len(fires)) * ratio < 1)
    return kept


def _holds(condition: Condition, counts: Counts, n_events: int) -> BoolArray:
    """Whether every count lies within its bounds."""
    holds = np.ones(n_events, dtype=bool)
    for name, bounds in condition.items():
        least, most = bounds if isinstance(bounds, tuple) else (bounds, None)
        holds &= counts[name] >= least
        if most is not None:
            holds &= counts[name] <= most
    return holds
