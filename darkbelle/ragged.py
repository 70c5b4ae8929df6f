"""Rows that belong to events: event i owns the rows ``offsets[i]`` to ``offsets[i + 1]``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "event_of",
    "offsets_by_length",
    "offsets_of",
    "pairs_between",
    "pairs_within",
    "product_by_event",
]


def offsets_of(event: npt.NDArray[np.integer], n_events: int) -> npt.NDArray[np.int64]:
    """Offsets of rows whose events are given in order, shape (n_events + 1,)."""
    return offsets_by_length(np.bincount(event, minlength=n_events))


def offsets_by_length(n_rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Offsets of events that own so many rows each, shape (n_events + 1,)."""
    offsets = np.zeros(len(n_rows) + 1, np.int64)
    np.cumsum(n_rows, out=offsets[1:])
    return offsets


def event_of(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Event of each row, shape (n_rows,)."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def product_by_event(
    values: npt.NDArray[np.float64], event: npt.NDArray[np.integer], n_events: int
) -> npt.NDArray[np.float64]:
    """Product of the values of each event, which are given in order, 1 without any."""
    offsets = offsets_of(event, n_events)
    filled = np.flatnonzero(np.diff(offsets))
    product = np.ones(n_events)
    product[filled] = np.multiply.reduceat(values, offsets[filled])
    return product


def pairs_within(
    offsets: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All pairs of rows of one event, each once, the earlier row first, shape (n_pairs,) each."""
    rows = np.arange(offsets[-1])
    n_later = np.repeat(offsets[1:], np.diff(offsets)) - 1 - rows
    first = np.repeat(rows, n_later)
    second = np.arange(len(first)) - np.repeat(np.cumsum(n_later) - n_later, n_later) + first + 1
    return first, second


def pairs_between(
    first_offsets: npt.NDArray[np.int64], second_offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All pairs of a row of one table and a row of another in the same event.

    Shape (n_pairs,) each, in the order of the first.
    """
    event = event_of(first_offsets)
    n_partners = np.diff(second_offsets)[event]
    first = np.repeat(np.arange(len(event)), n_partners)
    begin = np.repeat(second_offsets[event] - np.cumsum(n_partners) + n_partners, n_partners)
    return first, begin + np.arange(len(first))
