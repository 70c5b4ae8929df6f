"""Systematic variations of a sample: weights beside the nominal one, and shifted responses.

In the file stand ``/weights/NAME_up`` and ``/weights/NAME_down``, factors of the nominal weight,
and ``/variations/NAME_up/COLLECTION`` and its like, the columns of a collection that a shift
changes. Every such dataset says in its attributes of which ``systematic`` it is, whether that is
``correlated`` with the one of the same name in other experiments, and its ``source``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final

import h5py

__all__ = ["VARIATIONS", "WEIGHTS", "Variation", "VariationKind", "find_variations"]

WEIGHTS: Final = "weights"
"""Group of the factors of the nominal weight."""
VARIATIONS: Final = "variations"
"""Group of the shifted responses."""


class VariationKind(enum.StrEnum):
    """How a variation is written down."""

    WEIGHT = "weight"
    """As a factor of the event weight: the events are those of the nominal sample."""
    SHIFT = "shift"
    """As columns that differ: the weights are those of the nominal sample."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A systematic error by one standard deviation, up or down.

    ``name`` is that of the ``systematic`` in the card with ``_up`` or ``_down``; where it is
    ``correlated``, the variations of the same name of other experiments go along.
    """

    name: str
    systematic: str
    kind: VariationKind
    correlated: bool
    source: str


def find_variations(file: h5py.File) -> dict[str, Variation]:
    """The variations that a sample carries by their names, weights first."""
    found = {}
    for name, dataset in file.get(WEIGHTS, {}).items():
        found[name] = _variation(name, VariationKind.WEIGHT, dataset.attrs)
    for name, group in file.get(VARIATIONS, {}).items():
        first = next(column for table in group.values() for column in table.values())
        found[name] = _variation(name, VariationKind.SHIFT, first.attrs)
    return found


def _variation(name: str, kind: VariationKind, attributes: Any) -> Variation:
    return Variation(
        name,
        str(attributes["systematic"]),
        kind,
        bool(attributes["correlated"]),
        str(attributes["source"]),
    )
