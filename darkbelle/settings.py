"""``key=value`` settings as users write them, for values of cards and parameters of processes."""

from __future__ import annotations

import tomllib
from typing import Any

from darkbelle.errors import ConfigError

__all__ = ["parse_setting"]


def parse_setting(text: str) -> dict[str, Any]:
    """``section.key=value`` as a nested dictionary; a value that TOML cannot read is a string.

    Raises
    ------
    ConfigError
        No key, no value, or a key that is none.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if key and equals and value:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        for line in (f"{key} = {value}", f'{key} = "{quoted}"'):
            try:
                return tomllib.loads(line)
            except tomllib.TOMLDecodeError:
                continue
    raise ConfigError(f"'{text}' must read key=value")
