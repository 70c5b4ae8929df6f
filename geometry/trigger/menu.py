"""Lines that ask for counts, which of them ran, and the names that they may use."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from darkbelle.errors import did_you_mean
from darkbelle.geometry.sourced import Fraction, Sourced
from darkbelle.geometry.trigger.limits import Condition, Count, Name
from darkbelle.settings import Settings

__all__ = ["Line", "Menu", "Prescales", "refuse", "refuse_shared_names", "refuse_unknown"]


def _check_condition(condition: dict[str, Any]) -> dict[str, Any]:
    if not condition:
        msg = "a condition of any_of or veto needs a count"
        raise ValueError(msg)
    return condition


_Conditions = tuple[Annotated[Condition, AfterValidator(_check_condition)], ...]


class Line(Sourced):
    """One line of a menu.

    It fires in events that reach every count of ``needs``, one at least of the conditions
    ``any_of`` if there are any, and none of the conditions ``veto``, with some ``efficiency``.
    """

    needs: Annotated[Condition, Field(default_factory=dict)]
    any_of: _Conditions = ()
    veto: _Conditions = ()
    efficiency: Fraction = 1.0

    @model_validator(mode="after")
    def _check_conditions(self) -> Self:
        if not self.needs and not self.any_of:
            msg = "a line needs a condition: needs, any_of"
            raise ValueError(msg)
        return self

    @property
    def asked(self) -> frozenset[str]:
        """Names of all counts that it asks for."""
        return frozenset().union(self.needs, *self.any_of, *self.veto)


class Prescales(Sourced):
    """One event in so many is kept of those in which a line fires; lines not named are off, 0."""

    ratios: dict[Name, Count]


class Menu(Settings):
    """Lines by name, and which of them ran."""

    lines: Annotated[dict[Name, Line], Field(min_length=1)]
    prescales: Prescales

    @property
    def line_names(self) -> tuple[str, ...]:
        """Names of the lines, in their order."""
        return tuple(self.lines)

    @property
    def ratios(self) -> tuple[int, ...]:
        """Prescale of each line, in their order."""
        return tuple(self.prescales.ratios.get(name, 0) for name in self.lines)

    @cached_property
    def asked(self) -> frozenset[str]:
        """Names of all counts that lines ask for."""
        return frozenset().union(*(line.asked for line in self.lines.values()))

    @model_validator(mode="after")
    def _check_prescales(self) -> Self:
        for where, prescales in self.prescales.versions("prescales"):
            refuse_unknown((*where, "ratios"), "line", prescales.ratios, self.lines)
        return self

    def _refuse_unknown_counts(self, known: Collection[str]) -> None:
        """Refuse lines that ask for what nobody counts."""
        for name, line in self.lines.items():
            for where, version in line.versions("lines", name):
                refuse_unknown(where, "count", sorted(version.asked), known)


def refuse(where: tuple[str, ...], reason: str) -> None:
    """Refuse what stands at some path below the model that asks.

    Raises
    ------
    ValidationError
        Always; the model that asks puts its own path before.
    """
    kind = PydanticCustomError("value_error", "{reason}", {"reason": reason})
    detail = InitErrorDetails(type=kind, loc=where, input={})
    raise ValidationError.from_exception_data("trigger", [detail])


def refuse_unknown(
    where: tuple[str, ...], what: str, names: Iterable[str], known: Collection[str]
) -> None:
    """Refuse names that are not known at some path below the model that asks."""
    for name in names:
        if name not in known:
            refuse(where, f"unknown {what} '{name}', {did_you_mean(name, known)}")


def refuse_shared_names(names: tuple[str, ...]) -> None:
    """Refuse counts of one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            msg = f"'{name}' is the name of two counts: names must differ"
            raise ValueError(msg)
        seen.add(name)
