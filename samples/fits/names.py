"""Names of templates: what they are of, and what else tells them apart."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

__all__ = ["Named", "told_apart"]

_SHORT: Final = 8
"""Letters of a text that are told in any case: of a digest they are enough."""


class Named(Protocol):
    """What has a name that may come twice."""

    @property
    def name(self) -> str:
        """What it is, such as "tautau"."""

    @property
    def experiment(self) -> str:
        """Within which names are to differ."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the name may not tell."""


def told_apart(found: Sequence[Named]) -> list[str]:
    """A name for each that no other of its experiment has, such as "tautau plus=pi".

    Where a name comes twice in an experiment, the first parameters that differ follow it, in all
    experiments; a number where none does.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for i, one in enumerate(found):
        groups[one.name].append(i)
    names = [""] * len(found)
    for rows in groups.values():
        for i, name in zip(rows, _names([found[i] for i in rows]), strict=True):
            names[i] = name
    return names


def _names(group: Sequence[Named]) -> Iterator[str]:
    """Those of some that have one name."""
    told: list[tuple[str, ...]] = [(one.experiment, one.name) for one in group]
    parameters = [dict(_flat(one.parameters)) for one in group]
    for key in dict.fromkeys(key for each in parameters for key in each):
        if len(set(told)) == len(group):
            break
        values = _shortened([each.get(key, "") for each in parameters])
        more = [(*one, f"{key}={value}") for one, value in zip(told, values, strict=True)]
        if _n_repeated(more) < _n_repeated(told):
            told = more
    again: Counter[tuple[str, ...]] = Counter()
    for one in told:
        again[one] += 1
        yield " ".join([*one[1:], str(again[one])] if again[one] > 1 else one[1:])


def _n_repeated(told: Sequence[tuple[str, ...]]) -> int:
    """How many are not the first of their kind."""
    return len(told) - len(set(told))


def _flat(parameters: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts of parameters, those within others with a dot."""
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", _text(value)


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value)


def _shortened(values: Sequence[str]) -> list[str]:
    """Texts as short as they may be to differ as they do."""
    longest = max(map(len, values))
    sizes = range(min(_SHORT, longest), longest + 1)
    enough = next(n for n in sizes if len({one[:n] for one in values}) == len(set(values)))
    return [one[:enough] for one in values]
