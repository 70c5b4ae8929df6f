"""Published rows that this simulation misses: their tests are expected to fail."""

from __future__ import annotations

import pytest

__all__ = ["missed"]


def missed(reason: str | None, *, strict: bool = True) -> list[pytest.MarkDecorator]:
    """The mark of a row that is missed, none without a reason.

    Such a row stays open: how far it is off, and what was found there, is the reason, in the list
    of its file. Where the mark is strict, a row that comes to agree fails until it is taken off.
    """
    if reason is None:
        return []
    # Shortfalls of the physics against publications, each with its reason, none of the code.
    return [pytest.mark.xfail(strict=strict, reason=reason)]
