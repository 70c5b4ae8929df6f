"""How long work tells how much of it is done."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

Progress = Callable[[str, int], Callable[[int], object]]
"""Called with what is counted and its total; what it returns is called with what is done."""


def silent(what: str, total: int) -> Callable[[int], object]:
    """Tell nothing."""
    return lambda n_done: None
