"""What goes wrong, as the user reads it: one sentence with place, value and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


__all__ = [
    "ConfigError",
    "DarkbelleError",
    "EventFileError",
    "GeometryError",
    "KinematicsError",
    "MergeError",
    "MissingDependencyError",
    "OutputError",
    "SampleFormatError",
    "WorkerError",
    "did_you_mean",
    "explain",
]


_IN_TOML = {
    "tuple_type": "Input should be a list",
    "dict_type": "Input should be a table",
    "model_type": "Input should be a table",
}
"""What pydantic expects, in the words of those who write cards."""
_MOST_TOLD = 12
"""Of the words that there are."""


class DarkbelleError(Exception):
    """Whatever a user can mend; the command line prints it and exits with status 2."""


class ConfigError(DarkbelleError):
    """A process, parameter, card or option that is unknown or out of bounds."""


class GeometryError(ConfigError):
    """A card that describes no possible detector."""


class KinematicsError(DarkbelleError):
    """A final state that the available energy does not allow."""


class OutputError(DarkbelleError):
    """A file that cannot be, or must not be, written."""


class EventFileError(DarkbelleError):
    """A file of another generator's events that is damaged, unfinished, or holds no such thing."""


class SampleFormatError(DarkbelleError):
    """A file that is no sample of this package, or a damaged or unfinished one."""


class MergeError(DarkbelleError):
    """Samples that do not make up one: other configurations, or the same events."""


class WorkerError(DarkbelleError):
    """A process that worked for this one and was killed."""


class MissingDependencyError(DarkbelleError):
    """An optional package that is not installed."""


def did_you_mean(word: str, known: Iterable[str], listed_by: str = "") -> str:
    """A closing clause that names the nearest known word, or some and a command for the others."""
    names = sorted(known)
    if near := difflib.get_close_matches(word, names, n=1):
        return f"did you mean '{near[0]}'?"
    told = f"known: {', '.join(names[:_MOST_TOLD]) or 'none'}"
    if len(names) <= _MOST_TOLD:
        return told
    more = f"{told} and {len(names) - _MOST_TOLD} more"
    return f"{more}, cf. {listed_by}" if listed_by else more


def explain(error: ValidationError, place: str = "") -> str:
    """The failures of a pydantic model, one clause each: key, below some place, reason, value."""
    clauses = []
    for failure in error.errors(include_url=False):
        path = (place, *failure["loc"])
        key = ".".join(str(part) for part in path if str(part)[:1] not in ("", "["))
        reason = _IN_TOML.get(failure["type"], failure["msg"].removeprefix("Value error, "))
        value = failure["input"]
        shown = (
            "" if isinstance(value, dict) or failure["type"] == "missing" else f" (got {value!r})"
        )
        clauses.append(f"{key}: {reason}{shown}" if key else reason)
    return "; ".join(clauses)
