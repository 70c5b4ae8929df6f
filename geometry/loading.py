"""From a card's name or path to a validated Experiment: TOML, ``extends`` and overrides."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from darkbelle.errors import ConfigError, GeometryError, did_you_mean, explain
from darkbelle.geometry.card import Experiment
from darkbelle.settings import parse_setting

__all__ = ["load", "names"]

_DEEPEST = 20
_CARDS = resources.files("darkbelle.geometry") / "cards"


def names() -> list[str]:
    """Names of the cards that come with the package."""
    cards = (Path(card.name) for card in _CARDS.iterdir())
    return sorted(card.stem for card in cards if card.suffix == ".toml")


def load(card: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Experiment from a card's name or the path of a TOML file.

    Parameters
    ----------
    card
        A name out of `names`, or a path that ends in ``.toml``.
    overrides
        ``section.key=value`` each, the value as TOML writes it.

    Raises
    ------
    ConfigError
        Unknown card, broken TOML, circular ``extends``, an override that is none.
    GeometryError
        Unknown keys, impossible values, overlapping layers.
    """
    tree = _resolve(str(card), Path(), ())
    for override in overrides:
        tree = _merge(tree, parse_setting(override))
    try:
        return Experiment(**tree)
    except ValidationError as error:
        raise GeometryError(f"card '{card}': {explain(error)}") from None


def _resolve(card: str, folder: Path, chain: tuple[str, ...]) -> dict[str, Any]:
    """The card's tree on top of the one it extends."""
    tree, where, folder = _read(card, folder)
    if where in chain:
        raise ConfigError(f"card '{chain[0]}': circular extends, {' -> '.join((*chain, where))}")
    if len(chain) > _DEEPEST:
        raise ConfigError(f"card '{chain[0]}': extends more than {_DEEPEST} cards in a row")
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    if not isinstance(parent, str):
        raise ConfigError(f"card '{card}': extends must be the name of a card (got {parent!r})")
    return _merge(_resolve(parent, folder, (*chain, where)), tree)


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
        return tomllib.loads(text), where, folder
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"card '{card}' is no valid TOML: {error}") from None


def _merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``change``; tables merge, all else is replaced."""
    merged = copy.deepcopy(dict(base))
    for key, value in change.items():
        both_tables = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both_tables else copy.deepcopy(value)
    return merged
