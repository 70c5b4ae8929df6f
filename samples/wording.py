"""Numbers in sentences."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, thing: str) -> str:
    """So many of something: 1 part, 2,000 parts."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
