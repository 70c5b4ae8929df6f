"""Which events pass: an expression over columns of the events, or a function of the sample."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, DarkbelleError, did_you_mean
from darkbelle.samples.efficiency.expressions import Expression
from darkbelle.samples.efficiency.lifetimes import Flown
from darkbelle.samples.files.reading import Sample

__all__ = ["EventColumns", "Selection", "passed_by", "selection_of"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]

Selection = Callable[[Sample], npt.ArrayLike]
"""Takes a sample and returns one boolean an event."""

_COUNTED: Final = ("particles", "tracks", "vertices", "clusters", "klm_clusters")
_TRUE: Final = ("decay_radius", "decay_length", "proper_length", "momentum")
_FUNCTION: Final = re.compile(r"(?P<file>.+\.py):(?P<function>\w+)")


class EventColumns:
    """What is known of each event, by name; a column is read when it is asked for.

    These are the columns of ``/events``, the numbers ``n_tracks``, ``n_vertices`` ... of the other
    collections, and of true particles whose lifetime the parameter ``ctau`` sets ``decay_radius``,
    ``decay_length``, ``proper_length`` [cm] and ``momentum`` [GeV]: of several the first, NaN
    without one. Those of ``ctau_hp`` are ``decay_radius_hp`` and so on.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def __call__(self, name: str, entry: str | None = None) -> Array:
        """One value an event; ``entry`` names the column of one that is a matrix.

        Raises
        ------
        ConfigError
            There is none of that name.
        """
        sample = self._sample
        if name in self._stored:
            names = sample.names("events", name)
            values = sample.column("events", name)
            if names or entry is not None:
                values = values[:, self._entry(name, names, entry)]
            if values.dtype == np.int8 and name.startswith(("has_", "is_")):
                return values.astype(np.bool_)
            return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
        if entry is None and name.removeprefix("n_") in _COUNTED and name.startswith("n_"):
            return np.diff(sample.column(name.removeprefix("n_"), "offsets"))
        if entry is None and name in self._true:
            parameter, quantity = self._true[name]
            return self._of_first(self._flown(parameter), quantity)
        known = [*self._stored, *(f"n_{one}" for one in _COUNTED), *self._true]
        raise ConfigError(
            f"'{sample.path}': events have no column '{name}', {did_you_mean(name, known)}"
        )

    @cached_property
    def _stored(self) -> list[str]:
        return list(self._sample.units("events"))

    @cached_property
    def _true(self) -> dict[str, tuple[str, str]]:
        """Parameter and quantity of each column of true particles."""
        named: dict[str, tuple[str, str]] = {}
        for parameter in self._sample.process.long_lived:
            ending = parameter.removeprefix("ctau")
            ending = f"_{ending}" if ending and not ending.startswith("_") else ending
            named |= {f"{quantity}{ending}": (parameter, quantity) for quantity in _TRUE}
        return named

    def _flown(self, parameter: str) -> Flown:
        return Flown.of(self._sample, self._sample.process.long_lived[parameter].pdg_id)

    def _of_first(self, flown: Flown, quantity: str) -> Array:
        values = np.full(len(self._sample), np.nan)
        events, first = np.unique(flown.event, return_index=True)
        values[events] = getattr(flown, quantity)[first]
        return values

    def _entry(self, name: str, names: tuple[str, ...], entry: str | None) -> int:
        if entry not in names:
            choices = ", ".join(f"{name}.{one}" for one in names) or f"{name} itself"
            raise ConfigError(f"'{self._sample.path}': '{name}' must be one of {choices}")
        return names.index(entry)


def selection_of(text: str) -> Selection:
    """The selection that a text means: ``FILE.py:FUNCTION``, or else an expression.

    Raises
    ------
    ConfigError
        The file or its function cannot be had, or the expression is none.
    """
    if found := _FUNCTION.fullmatch(text.strip()):
        return _function(Path(found["file"]), found["function"])
    expression = Expression(text)
    return lambda sample: expression(EventColumns(sample))


def passed_by(selection: Selection, sample: Sample) -> BoolArray:
    """Whether each event passes, shape (n_events,); ConfigError if it is not told."""
    try:
        passed = np.asarray(selection(sample))
    except DarkbelleError:
        raise
    except Exception as error:  # a user's own function may raise anything
        told = f"{type(error).__name__}: {error}"
        raise ConfigError(f"'{sample.path}': the selection fails: {told}") from error
    if passed.ndim == 0:
        passed = np.full(len(sample), passed)
    if passed.dtype != bool or passed.shape != (len(sample),):
        raise ConfigError(
            f"'{sample.path}': a selection must say true or false of each of the {len(sample)} "
            f"events (got {passed.dtype} of the shape {passed.shape})"
        )
    return passed


def _function(file: Path, name: str) -> Selection:
    """A function of a file of the user's."""
    if not file.is_file():
        raise ConfigError(f"selection: there is no file '{file}'")
    spec = importlib.util.spec_from_file_location(f"darkbelle_selection_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise ConfigError(f"selection: '{file}' fails to load: {told}") from error
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value)]
        raise ConfigError(
            f"selection: '{file}' has no function '{name}', {did_you_mean(name, known)}"
        )
    return function  # type: ignore[no-any-return]
