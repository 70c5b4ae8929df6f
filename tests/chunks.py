"""Small chunks, for tests of the command line: a chunk is always made whole, then cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from darkbelle.samples import production


@contextmanager
def small_chunks(size: int) -> Iterator[None]:
    """What the command ``produce`` makes within comes in chunks of this size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(production, "Run", partial(production.Run, chunk_size=size))
        yield
