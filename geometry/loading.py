"""From a card's name or path to a validated Experiment: TOML, ``extends`` and overrides."""

from __future__ import annotations

import pickle
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from darkbelle.errors import ConfigError, GeometryError, did_you_mean, explain
from darkbelle.geometry.card import Experiment
from darkbelle.settings import parse_setting

__all__ = ["load", "names"]

_DEEPEST = 20
_SHOWN = 100
"""Characters of a broken line that an error shows."""
_CARDS = resources.files("darkbelle.geometry") / "cards"


def names() -> list[str]:
    """Names of the cards that come with the package."""
    cards = (Path(card.name) for card in _CARDS.iterdir())
    return sorted(card.stem for card in cards if card.suffix == ".toml")


def load(
    card: str | Path, overrides: Sequence[str] = (), *, vary: Sequence[str] = ()
) -> Experiment:
    """Experiment from a card's name or the path of a TOML file.

    Parameters
    ----------
    card
        A name out of `names`, or a path that ends in ``.toml``.
    overrides
        ``section.key=value`` each, the value as TOML writes it.
    vary
        Tables that take the values of their variation, such as ``tracking.finding``; tables in a
        list are called by their ``name``. The values before become their variation.

    Raises
    ------
    ConfigError
        Unknown card, broken TOML, circular ``extends``, an override that is none, a table that is
        unknown or has no variation.
    GeometryError
        Unknown keys, impossible values, overlapping layers.
    """
    tree = _resolve(str(card), Path(), ())
    for override in overrides:
        tree = _merge(tree, parse_setting(override))
    experiment = _validated(tree, card)
    return _varied(experiment, vary, card) if vary else experiment


def _validated(tree: dict[str, Any], card: str | Path) -> Experiment:
    try:
        return Experiment(**tree)
    except ValidationError as error:
        raise GeometryError(f"card '{card}': {explain(error)}") from None


def _varied(experiment: Experiment, names: Sequence[str], card: str | Path) -> Experiment:
    """The experiment with some tables and their variations exchanged."""
    tree = experiment.model_dump(mode="json")
    tables = dict(_tables(tree))
    variable = [name for name, table in tables.items() if table.get("variation")]
    for name in dict.fromkeys(names):
        if name not in variable:
            reason = "no variation" if name in tables else "no such table"
            told = did_you_mean(name, variable, f"darkbelle experiments {card}")
            raise ConfigError(f"card '{card}' cannot vary '{name}': {reason}, {told}")
        table = tables[name]
        before = {key: table[key] for key in table["variation"]}
        table |= table["variation"] | {"variation": before}
    return _validated(tree, card)


def _tables(tree: Mapping[str, Any], *path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All tables below one, with their paths; those in a list by their names."""
    for key, value in tree.items():
        named = {key: value} if isinstance(value, dict) else {}
        if isinstance(value, list):
            named = {f"{key}.{name}": table for name, table in _by_name(value).items()}
        for name, table in named.items():
            where = (*path, name)
            yield ".".join(where), table
            if key != "variation":
                yield from _tables(table, *where)


def _resolve(card: str, folder: Path, chain: tuple[str, ...]) -> dict[str, Any]:
    """The card's tree on top of the one it extends."""
    tree, where, folder = _read(card, folder)
    if where in chain:
        raise ConfigError(f"card '{chain[0]}': circular extends, {' -> '.join((*chain, where))}")
    if len(chain) > _DEEPEST:
        raise ConfigError(f"card '{chain[0]}': extends more than {_DEEPEST} cards in a row")
    parent, removed = tree.pop("extends", None), tree.pop("remove", [])
    if not isinstance(removed, list) or not all(isinstance(key, str) for key in removed):
        raise ConfigError(f"card '{card}': remove must be a list of section.key (got {removed!r})")
    if parent is None:
        if removed:
            raise ConfigError(f"card '{card}': remove needs a card to extend")
        return tree
    if not isinstance(parent, str):
        raise ConfigError(f"card '{card}': extends must be the name of a card (got {parent!r})")
    inherited = _resolve(parent, folder, (*chain, where))
    for key in removed:
        _remove(inherited, key, card)
    return _merge(inherited, tree)


def _read(card: str, folder: Path) -> tuple[dict[str, Any], str, Path]:
    """Tree, identity and folder of one card; a path is relative to the card that names it."""
    if card.endswith(".toml"):
        path = folder / card
        try:
            path = folder / Path(card).expanduser()
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"card '{path}' cannot be read: {reason}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"card '{path}' is no text file") from None
        where, folder = str(path.resolve()), path.parent
    elif card in names():
        text, where = (_CARDS / f"{card}.toml").read_text(encoding="utf-8"), card
    else:
        raise ConfigError(
            f"unknown experiment '{card}', {did_you_mean(card, names())} (or give a .toml file)"
        )
    try:
        return pickle.loads(_parsed(text)), where, folder
    except tomllib.TOMLDecodeError as error:
        shown = _offending_line(text, error)
        raise ConfigError(f"card '{card}' is no valid TOML: {error}: {shown}") from None
    except RecursionError as error:
        raise ConfigError(f"card '{card}' is no valid TOML: {error}") from None


@lru_cache(maxsize=16)
def _parsed(text: str) -> bytes:
    """The tree of a card, pickled, so that each caller has its own: parsing takes far longer."""
    return pickle.dumps(tomllib.loads(text))


def _offending_line(text: str, error: tomllib.TOMLDecodeError) -> str:
    """The line that an error of tomllib stands in, cut if it is long."""
    where = re.search(r"at line (\d+)", str(error))
    lines = text.split("\n") if where else text.rstrip().split("\n")
    line = lines[int(where[1]) - 1 if where else -1].strip()
    return repr(line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}...")


def _remove(tree: dict[str, Any], key: str, card: str) -> None:
    """Take ``section.key`` out of a tree that has it."""
    *sections, last = key.split(".")
    table: Any = tree
    for section in sections:
        table = table.get(section) if isinstance(table, dict) else None
    if not isinstance(table, dict) or last not in table:
        raise ConfigError(f"card '{card}': its parent has no '{key}' to remove")
    del table[last]


def _merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``change``; tables merge, all else is replaced.

    Tables in a list merge with those of the same ``name``. What is not merged is not copied.
    """
    merged = dict(base)
    for key, value in change.items():
        inherited = merged.get(key)
        if isinstance(value, dict) and isinstance(inherited, dict):
            merged[key] = _merge(inherited, value)
        elif (own := _by_name(value)) and (parents := _by_name(inherited)):
            merged[key] = list(_merge(parents, own).values())
        else:
            merged[key] = value
    return merged


def _by_name(value: Any) -> dict[str, Any]:
    """The tables of a list by their names; nothing if it is no list of named tables."""
    tables = value if isinstance(value, list) else []
    if not all(isinstance(table, dict) and "name" in table for table in tables):
        return {}
    return {str(table["name"]): table for table in tables}
