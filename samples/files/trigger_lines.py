"""Lines of the trigger, as users name them and as files hold their decisions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import h5py

from darkbelle.errors import ConfigError

__all__ = ["check_decisions", "line_names"]


def check_decisions(name: str, dataset: h5py.Dataset, lines: tuple[str, ...] | None) -> None:
    """Refuse what does not hold a boolean for each event, or for each of its lines."""
    if dataset.dtype != bool or dataset.ndim != (1 if lines is None else 2):
        raise ValueError(f"{name} holds {dataset.dtype} in {dataset.ndim} dimensions")
    if lines is None:
        return
    if dataset.shape[1] != len(lines):
        raise ValueError(f"{name} has {dataset.shape[1]} lines instead of {len(lines)}")
    if str(dataset.attrs["names"]) != ", ".join(lines):
        raise ValueError(f"{name} names other lines than the card, or in another order")


def line_names(lines: Any) -> list[str]:
    """Names as a user gives them, one or several."""
    names = list(lines) if isinstance(lines, Iterable) and not isinstance(lines, str) else [lines]
    if not all(isinstance(name, str) for name in names):
        raise ConfigError(f"lines must be a name or a list of names (got {lines!r})")
    if not names:
        raise ConfigError("no lines: name one, or leave them out for those of physics")
    return names
