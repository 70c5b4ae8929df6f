"""What users set: models that name a misspelt key, and ``key=value`` as they write it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from darkbelle.errors import ConfigError, did_you_mean

__all__ = ["Settings", "parse_setting", "parse_settings", "split_names"]


class Settings(BaseModel):
    """A frozen set of values that names a misspelt key and its nearest neighbour."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            fields = cls.model_fields
            for key in data:
                if key not in fields:
                    msg = f"unknown key '{key}', {did_you_mean(str(key), fields)}"
                    raise ValueError(msg)
        return data


def parse_setting(text: str) -> dict[str, Any]:
    """``section.key=value`` as a nested dictionary; a value that TOML cannot read is a string.

    Raises
    ------
    ConfigError
        No key, no value, or a key that is none.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if key and equals and value and value.isprintable():
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        for line in (f"{key} = {value}", f'{key} = "{quoted}"'):
            try:
                return tomllib.loads(line)
            except tomllib.TOMLDecodeError:
                continue
    raise ConfigError(f"'{text}' must read key=value")


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Several settings of different keys, cf. `parse_setting`, as one nested dictionary.

    Raises
    ------
    ConfigError
        A setting is none, or repeats another.
    """
    together: dict[str, Any] = {}
    for text in texts:
        _insert(together, parse_setting(text), text)
    return together


def split_names(text: str) -> tuple[str, ...]:
    """Names with commas between them; ValueError where one is missing."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        msg = f"needs names with commas between them (got '{text}')"
        raise ValueError(msg)
    return names


def _insert(tree: dict[str, Any], branch: dict[str, Any], text: str) -> None:
    for key, value in branch.items():
        if isinstance(value, dict) and isinstance(tree.get(key, {}), dict):
            _insert(tree.setdefault(key, {}), value, text)
        elif key in tree:
            raise ConfigError(f"'{text}': '{key}' is given twice")
        else:
            tree[key] = value
