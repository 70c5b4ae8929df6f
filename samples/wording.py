"""Numbers and parameters as sentences and tables have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["as_text", "counted", "flat"]


def counted(number: int, thing: str) -> str:
    """So many of something: 1 part, 2,000 parts."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def as_text(value: object) -> str:
    """A word as it is, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def flat(parameters: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of parameters, those of nested ones as ``cuts.n_charged``."""
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
