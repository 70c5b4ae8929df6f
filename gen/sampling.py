"""Rejection, and unweighting with a bound from a pilot run: what exceeds it keeps its excess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Bound", "first_kept", "unweight"]

FloatArray = npt.NDArray[np.float64]

_MARGIN = 1.1
_MOST_TRIES: Final = 16
_CHEAP: Final = 1024
"""Trials that cost no more than a round of them itself."""


def first_kept(
    n: int,
    attempt: Callable[[npt.NDArray[np.intp]], tuple[FloatArray, npt.NDArray[np.bool_]]],
) -> FloatArray:
    """Rejection for n cases at once: what the first trial gave that was kept, shape (..., n).

    Parameters
    ----------
    attempt
        Tries some cases, perhaps several times each: takes their numbers, shape (m,), and returns
        what came out, shape (..., m), and which of it is kept.
    """
    values, kept = attempt(np.arange(n))
    pending = np.flatnonzero(~kept)
    while len(pending):
        n_tries = max(1, min(_MOST_TRIES, _CHEAP // len(pending)))
        tried, kept = attempt(np.repeat(pending, n_tries))
        kept = kept.reshape(-1, n_tries)
        done = np.flatnonzero(kept.any(axis=1))
        values[..., pending[done]] = tried[..., done * n_tries + kept.argmax(axis=1)[done]]
        pending = np.delete(pending, done)
    return values


@dataclass(frozen=True, slots=True)
class Bound:
    """Largest weight and moments of the weights of a pilot run."""

    maximum: float
    mean: float
    error: float

    @classmethod
    def from_pilot(cls, weights: FloatArray) -> Bound:
        """Bound with a margin of 10 % above the largest weight seen."""
        error = float(weights.std(ddof=1)) / len(weights) ** 0.5
        return cls(_MARGIN * float(weights.max()), float(weights.mean()), error)

    @property
    def efficiency(self) -> float:
        """Share of weighted events that unweighting keeps."""
        return self.mean / self.maximum


def unweight(
    weights: FloatArray, bound: Bound, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Indices of the events kept, and their weights.

    The weight is one but for an event above the bound, which is always kept and carries the
    excess, so that no distribution is distorted.
    """
    relative = weights / bound.maximum
    kept = np.flatnonzero(rng.random(len(weights)) < relative)
    return kept, np.maximum(relative[kept], 1.0)
