"""Both levels of the trigger, one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import TriggerTable
from darkbelle.detsim.trigger.menu import Counts, decide, prescale
from darkbelle.geometry.trigger import Menu, Trigger

__all__ = ["decide_trigger", "redecide"]

BoolArray = npt.NDArray[np.bool_]


def decide_trigger(
    level_one: Counts, high_level: Counts, trigger: Trigger, n_events: int, rng: np.random.Generator
) -> TriggerTable:
    """Decide on what both levels count in some events; level two sees what level one has kept.

    Each step has its own random numbers.
    """
    for_l1, for_l1_prescales, for_hlt, for_hlt_prescales, for_passing = rng.spawn(5)
    l1 = decide(trigger.l1, level_one, n_events, for_l1)
    l1_prescaled = prescale(trigger.l1, l1, for_l1_prescales)
    hlt = decide(trigger.hlt, high_level, n_events, for_hlt)
    kept = l1_prescaled.any(axis=1) & (for_passing.random(n_events) < trigger.hlt.efficiency)
    hlt = prescale(trigger.hlt, hlt & kept[:, None], for_hlt_prescales)
    physics = _unprescaled(trigger.l1, l1_prescaled) & _unprescaled(trigger.hlt, hlt)
    return TriggerTable(l1, l1_prescaled, hlt, physics)


def redecide(
    decisions: TriggerTable, before: BoolArray, after: BoolArray, trigger: Trigger
) -> TriggerTable:
    """The trigger where events meet other conditions of the high level than they did.

    ``before`` and ``after`` are those met, shape (n_events, n_lines). No chance is drawn anew: a
    line that is no longer met does not fire; one that is met now fires if it has no prescale and
    level one kept the event. Prescaled lines fire no more often.
    """
    is_unprescaled: BoolArray = np.equal(trigger.hlt.ratios, 1)
    may_fire = np.logical_and.outer(decisions.l1_prescaled.any(axis=1), is_unprescaled)
    hlt = (decisions.hlt & (after | ~before)) | (after & ~before & may_fire)
    physics = _unprescaled(trigger.l1, decisions.l1_prescaled) & _unprescaled(trigger.hlt, hlt)
    return replace(decisions, hlt=hlt, physics=physics)


def _unprescaled(menu: Menu, fires: BoolArray) -> BoolArray:
    """Whether one of the lines fires that run without a prescale."""
    lines = np.flatnonzero(np.array(menu.ratios) == 1)
    fired: BoolArray = np.any(fires.T[lines], axis=0)
    return fired
