"""What becomes of B mesons that a process leaves to others: nothing, a toy, or Pythia."""

from __future__ import annotations

import enum
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.gen.decays.decay import decay_rows, decay_short_lived
from darkbelle.gen.decays.pythia import decay_by_pythia
from darkbelle.gen.decays.toy_beauty import toy_modes
from darkbelle.gen.events import Outcome, Status, TruthEvents
from darkbelle.gen.particles import B0, B_PLUS

__all__ = ["RestOfEvent"]

_BEAUTY = (B_PLUS, -B_PLUS, B0, -B0)


class RestOfEvent(enum.StrEnum):
    """How the B mesons that are still there decay; called with events, it returns longer ones."""

    NONE = "none"
    TOY = "toy"
    PYTHIA = "pythia"

    def __call__(
        self, truth: TruthEvents, rng: np.random.Generator, *, fsr: bool = False
    ) -> TruthEvents:
        """Decay all B mesons of whole events, and then what is short-lived, perhaps with photons.

        Raises
        ------
        MissingDependencyError
            Pythia is not installed.
        """
        rows = _undecayed(truth)
        if self is RestOfEvent.NONE:
            truth = _left(truth, rows)
        elif self is RestOfEvent.TOY:
            truth = decay_rows(truth, rows, rng, modes=toy_modes, fsr=fsr)
        else:
            truth = decay_by_pythia(truth, rows, rng)
        return decay_short_lived(truth, rng, fsr=fsr)


def _undecayed(truth: TruthEvents) -> npt.NDArray[np.intp]:
    particles = truth.particles
    final = particles.status == Status.FINAL
    return np.flatnonzero(final & np.isin(particles.pdg_id, _BEAUTY))


def _left(truth: TruthEvents, rows: npt.NDArray[np.intp]) -> TruthEvents:
    outcome = truth.particles.outcome.copy()
    outcome[rows] = Outcome.UNDECAYED
    return replace(truth, particles=replace(truth.particles, outcome=outcome))
