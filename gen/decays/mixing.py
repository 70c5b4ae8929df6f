"""Oscillations of pairs of neutral B mesons from the Y(4S)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.events import Outcome, TruthEvents
from darkbelle.gen.particles import B0, conjugate, species
from darkbelle.units import C

__all__ = ["mix"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

OSCILLATION: Final = 506.9
"""Difference of the masses of the two states of B0 [1/ns]: PDG 2024."""


def mix(truth: TruthEvents, rng: np.random.Generator) -> TruthEvents:
    """Let one B0 of each pair decay as its antiparticle, as often as the times of both want it.

    Both have the same flavour with the probability (1 - cos(dm (t1 - t2)))/2 of their proper times
    (PDG 2024, review of B0 mixing, no difference of widths); one that is left undecayed gets a time
    of its own. The second one of a pair changes, with all that comes of it.
    """
    particles = truth.particles
    mesons = np.flatnonzero(np.abs(particles.pdg_id) == B0)
    event = truth.event_index()[mesons]
    second = np.flatnonzero(event[1:] == event[:-1]) + 1
    times = _proper_times(truth, mesons, rng)
    apart = times[second] - times[second - 1]
    changes = rng.random(len(second)) < (1 - np.cos(OSCILLATION * apart)) / 2
    chosen = np.zeros(len(particles), np.bool_)
    chosen[mesons[second[changes]]] = True
    chosen = _with_descendants(truth, chosen)
    pdg_id = particles.pdg_id.copy()
    codes, inverse = np.unique(pdg_id[chosen], return_inverse=True)
    pdg_id[chosen] = np.array([conjugate(int(code)) for code in codes], np.int32)[inverse]
    return replace(truth, particles=replace(particles, pdg_id=pdg_id))


def _proper_times(
    truth: TruthEvents, rows: npt.NDArray[np.intp], rng: np.random.Generator
) -> FloatArray:
    """From birth to decay [ns]."""
    p = truth.particles
    lived = (p.decay_t[rows] - p.t[rows]) * p.mass[rows] / p.e[rows]
    drawn = species(B0).ctau / C * rng.standard_exponential(len(rows))
    return np.where(p.outcome[rows] == Outcome.DECAYED, lived, drawn)


def _with_descendants(truth: TruthEvents, chosen: BoolArray) -> BoolArray:
    """And all that comes of them; parents stand before their children."""
    born = np.flatnonzero(truth.particles.parent >= 0)
    parents = truth.parents(born)
    while True:
        longer = chosen.copy()
        longer[born] |= chosen[parents]
        if np.array_equal(longer, chosen):
            return chosen
        chosen = longer
