"""What a user writes: a process, a grid of its parameters, experiments, an amount, a seed."""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    Strict,
    ValidationError,
    model_validator,
)

from darkbelle.errors import ConfigError, explain
from darkbelle.settings import Settings, split_names

__all__ = ["Campaign"]

MOST_POINTS: Final = 100_000
"""Points of a campaign; the plan of so many takes some 100 MB."""

_AXIS = "must be a list of values, { linear = [low, high, number] } or { log = [...] }"


def _as_values(axis: Any) -> Any:
    """The values of an axis, of which some are written as bounds and a number."""
    if not isinstance(axis, dict):
        values = axis
    elif axis.keys() == {"linear"}:
        values = _rounded(np.linspace(*_bounds("linear", axis["linear"])))
    elif axis.keys() == {"log"}:
        values = _rounded(np.geomspace(*_bounds("log", axis["log"])))
    else:
        raise ValueError(_AXIS)
    if not isinstance(values, (list, tuple)):
        raise ValueError(_AXIS)
    if len({repr(value) for value in values}) < len(values):
        msg = "must not have a value twice"
        raise ValueError(msg)
    return values


def _bounds(spacing: str, bounds: Any) -> tuple[float, float, int]:
    """Least and greatest value of an axis, and how many it has."""
    if (
        isinstance(bounds, list)
        and len(bounds) == 3
        and all(type(bound) in (int, float) and math.isfinite(bound) for bound in bounds)
        and bounds[0] < bounds[1]
        and type(bounds[2]) is int
        and 2 <= bounds[2] <= MOST_POINTS
        and (spacing == "linear" or bounds[0] > 0)
    ):
        return bounds[0], bounds[1], bounds[2]
    least = "0 < low" if spacing == "log" else "low"
    msg = f"{spacing} must be [low, high, number] with {least} < high and 2 or more values"
    raise ValueError(msg)


def _rounded(values: npt.NDArray[np.float64]) -> list[float]:
    """Values as one would write them: 0.3, not 0.30000000000000004."""
    return [float(f"{value:.12g}") for value in values]


Axis = Annotated[tuple[Any, ...], BeforeValidator(_as_values), Field(min_length=1)]
"""Values of one parameter."""


class Campaign(Settings):
    """Points of a process, each an amount of events at each of some experiments.

    Points are all combinations of the values of ``grid``, the last axis running first, and then
    those of ``points``; each has the ``parameters`` besides. Names with dots are those of
    parameters of parameters (``cuts.n_charged``).

    Raises
    ------
    ConfigError
        A key is unknown, missing or impossible.
    """

    process: str
    """Name of the process."""
    experiments: Annotated[tuple[str, ...], Field(min_length=1)] = ("belle2",)
    """Names of cards, or files."""
    set: tuple[str, ...] = ()
    """Overrides of all cards, ``section.key=value``."""
    vary: tuple[str, ...] = ()
    """Tables of all cards that are replaced by their variations."""
    events: Annotated[NonNegativeInt, Strict()] | None = None
    """Events of each point."""
    lumi: Annotated[PositiveFloat, Strict(), Field(allow_inf_nan=False)] | None = None
    """Luminosity that the events of each point stand for [1/fb], in the place of their number."""
    seed: Annotated[NonNegativeInt, Strict()]
    systematics: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda names: split_names(names) if isinstance(names, str) else names),
    ] = ()
    """Systematic errors whose variations the samples carry, as a list or with commas, or "all"."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Those that all points have."""
    grid: dict[str, Axis] = Field(default_factory=dict)
    """Values of parameters, of which all combinations are points."""
    points: tuple[dict[str, Any], ...] = ()
    """Points besides, or instead: each may override parameters."""

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise ConfigError(f"campaign: {explain(error)}") from None

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A campaign from a TOML file; the names of files in it are relative to its folder.

        Raises
        ------
        ConfigError
            The file cannot be read, is no TOML, or no campaign.
        """
        where = Path(path)
        try:
            tree = tomllib.loads(where.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise ConfigError(f"campaign '{path}' cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError(f"campaign '{path}' is no valid TOML: {error}") from None
        try:
            return cls(**_located(tree, where.parent))
        except ConfigError as error:
            raise ConfigError(f"'{path}': {error}") from None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.events is None) == (self.lumi is None):
            msg = "give either events or lumi"
            raise ValueError(msg)
        for name in self.grid:
            if _has(self.parameters, name):
                msg = f"{name}: is in the grid and in the parameters"
                raise ValueError(msg)
        if (n_points := self.n_points * len(self.experiments)) > MOST_POINTS:
            msg = f"has {n_points} points, more than {MOST_POINTS}: divide it"
            raise ValueError(msg)
        return self

    @property
    def n_points(self) -> int:
        """Number of points at each experiment."""
        in_grid = math.prod(len(values) for values in self.grid.values())
        return len(self.points) + (in_grid if self.grid or not self.points else 0)

    def settings(self) -> list[dict[str, Any]]:
        """The parameters of each point, those of parameters in tables of their own."""
        changes = [] if self.points and not self.grid else self._in_grid()
        return [_merged(self.parameters, change) for change in (*changes, *self.points)]

    def _in_grid(self) -> list[dict[str, Any]]:
        combinations = itertools.product(*self.grid.values())
        return [_nested(dict(zip(self.grid, values, strict=True))) for values in combinations]


def _located(value: Any, folder: Path) -> Any:
    """A tree in which the names of TOML files are those seen from here."""
    if isinstance(value, dict):
        return {key: _located(below, folder) for key, below in value.items()}
    if isinstance(value, list):
        return [_located(below, folder) for below in value]
    if isinstance(value, str) and value.endswith(".toml"):
        return str(folder / value)
    return value


def _has(tree: Mapping[str, Any], name: str) -> bool:
    """Whether a tree has a value of a name with dots."""
    node: Any = tree
    for key in name.split("."):
        if not isinstance(node, Mapping) or key not in node:
            return False
        node = node[key]
    return True


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """A tree of values with dots in their names."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *sections, last = name.split(".")
        branch = {last: value}
        for section in reversed(sections):
            branch = {section: branch}
        tree = _merged(tree, branch)
    return tree


def _merged(tree: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A tree with some values replaced."""
    both = {
        key: _merged(tree[key], value)
        for key, value in change.items()
        if isinstance(value, Mapping) and isinstance(tree.get(key), Mapping)
    }
    return {**tree, **change, **both}
