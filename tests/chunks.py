"""Small chunks, for tests of the command line: a chunk is always made whole, then cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from darkbelle.samples.production import CHUNK_SIZE, Run


@contextmanager
def small_chunks(size: int) -> Iterator[None]:
    """Runs that are made within have chunks of this size if they do not say."""
    defaults = [size if value == CHUNK_SIZE else value for value in Run.__init__.__defaults__]
    assert size in defaults
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run.__init__, "__defaults__", tuple(defaults))
        yield
