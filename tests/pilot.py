"""A short pilot run, for tests that do not ask for the precision of a cross-section."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from darkbelle.gen import annihilation

SHORT = 10_000


@contextmanager
def short_pilot(n_events: int = SHORT) -> Iterator[None]:
    """Generators prepared within find a poorer bound: excess weights are more, means the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annihilation, "_PILOT_EVENTS", n_events)
        yield
