"""What every process is: validated parameters, made ready for a collider to generate events."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from darkbelle.errors import ConfigError, explain
from darkbelle.gen.decays.tree import State
from darkbelle.gen.events import CrossSection, TruthEvents
from darkbelle.geometry import Collider
from darkbelle.settings import Settings

__all__ = [
    "EventGenerator",
    "Lifetime",
    "Number",
    "Parameters",
    "Process",
    "Range",
    "Source",
    "parameter",
    "split",
]

Number = Annotated[float, Field(allow_inf_nan=False)]


def split(value: Any) -> Any:
    """Numbers with commas between them, as the command line writes them."""
    return value.split(",") if isinstance(value, str) and "," in value else value


def _as_range(value: Any) -> Any:
    """A number is a range of no width."""
    value = split(value)
    return value if isinstance(value, (tuple, list)) else (value, value)


Range = Annotated[tuple[Number, Number], BeforeValidator(_as_range)]
"""Least and greatest value."""


def _number_or_range(value: Any) -> str:
    """Which of the two; names in brackets do not show in messages."""
    return "[range]" if isinstance(split(value), (tuple, list)) else "[number]"


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    if not 0 < low < high:
        msg = "a range needs 0 < low < high"
        raise ValueError(msg)
    return ends


Lifetime = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False), Tag("[number]")]
    | Annotated[Range, AfterValidator(_rising), Tag("[range]")],
    Discriminator(_number_or_range),
]
"""Mean proper decay length [cm], or the least and the greatest of those that are sampled."""


def parameter(description: str, *, unit: str = "", none: str = "none", **bounds: Any) -> Any:
    """Meaning, unit, bounds and what None means of a parameter, for ``Annotated``.

    Numbers must be finite.
    """
    if bounds:
        bounds["allow_inf_nan"] = False
    return Field(description=description, json_schema_extra={"unit": unit, "none": none}, **bounds)


class EventGenerator(Protocol):
    """A process made ready for one collider: tables built, cross-section known, bound found."""

    @property
    def cross_section(self) -> CrossSection | None:
        """Cross-section of the chosen final state, None where the process has none."""

    @property
    def efficiencies(self) -> Mapping[str, float]:
        """Shares of tried events that each step of the generation keeps, by its name."""

    def generate(self, n_events: int, rng: np.random.Generator) -> TruthEvents:
        """Events in the laboratory frame."""


class Parameters(Settings):
    """Settings of which none takes a truth value for a number."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_truth_for_numbers(cls, data: Any) -> Any:
        """True would count as 1."""
        for key, value in data.items() if isinstance(data, dict) else ():
            field = cls.model_fields.get(key)
            if isinstance(value, bool) and field is not None and field.annotation is not bool:
                msg = f"{key}: must not be {str(value).lower()}"
                raise ValueError(msg)
        return data


class Source(Parameters, abc.ABC):
    """Where the events of a sample come from.

    Raises
    ------
    ConfigError
        A parameter is unknown, missing or out of its bounds; or the class has no name or summary.
    """

    name: ClassVar[str]
    """Name on the command line."""
    summary: ClassVar[str]
    """One line of meaning."""
    papers: ClassVar[tuple[str, ...]] = ()
    """Where the model and its searches are published."""
    observables: ClassVar[tuple[str, ...]] = ()
    """Observables that samples may carry, names out of `darkbelle.samples.observables`."""

    def __init__(self, **parameters: Any) -> None:
        self.check_description()
        try:
            super().__init__(**parameters)
        except ValidationError as error:
            raise ConfigError(f"{type(self).name}: {explain(error)}") from None
        except ConfigError as error:  # of cuts, which refuse in one line wherever they are made
            raise ConfigError(f"{type(self).name}: {error}") from None

    @classmethod
    def check_description(cls) -> None:
        """Refuse a class that forgot its name or summary."""
        for key in ("name", "summary"):
            if not isinstance(getattr(cls, key, None), str):
                raise ConfigError(f"process class {cls.__qualname__} has no {key}, set it")

    @property
    def carried(self) -> tuple[str, ...]:
        """Those of the observables that mean something for these parameters: most often all."""
        return self.observables

    @property
    def variant(self) -> str:
        """What tells its cross-section from others of the same name: most often nothing."""
        return ""

    @property
    def has_quoted_rate(self) -> bool:
        """Whether the cross-section is taken from elsewhere, and its error no statistical one."""
        return False

    @property
    def long_lived(self) -> dict[str, State]:
        """Particles with a lifetime by the name of the parameter that sets it: most often none."""
        return {}


class Process(Source):
    """Parameters of a signal, background or gun."""

    @abc.abstractmethod
    def prepare(self, collider: Collider, rng: np.random.Generator) -> EventGenerator:
        """Make ready for one collider.

        Raises
        ------
        KinematicsError
            The final state is heavier than the available energy.
        """

    def generate(self, collider: Collider, n_events: int, rng: np.random.Generator) -> TruthEvents:
        """Events in the laboratory frame: `prepare` and generate in one call."""
        return self.prepare(collider, rng).generate(n_events, rng)

    def cross_section(self, collider: Collider, rng: np.random.Generator) -> CrossSection | None:
        """Cross-section of the chosen final state with its Monte Carlo error [fb]."""
        return self.prepare(collider, rng).cross_section
