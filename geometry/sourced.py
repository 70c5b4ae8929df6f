"""Numbers with a birth certificate: tables that name their source and how far to trust them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from darkbelle.settings import Settings

__all__ = ["Documented", "Finite", "Fraction", "NonNegative", "Positive", "Sourced", "Trust"]

Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]


class Trust(enum.StrEnum):
    """How far a number can be trusted."""

    MEASURED = "measured"
    DESIGN = "design"
    DEFAULT = "default"
    ESTIMATE = "estimate"


class Documented(Settings):
    """A table with its origin."""

    source: Annotated[str, Field(min_length=3)]
    trust: Trust


class Sourced(Documented):
    """A table with its origin and, where it is an estimate, with alternative values."""

    variation: Annotated[dict[str, Any], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _check_variation(self) -> Self:
        if not self.variation:
            if self.trust is Trust.ESTIMATE:
                msg = "an estimate needs a variation: alternative values for keys of this table"
                raise ValueError(msg)
            return self
        try:
            self.varied()
        except ValidationError as error:
            self._with({})  # mistakes of the table itself, which later checks would find
            raise _in_variation(error) from None
        return self

    def varied(self) -> Self:
        """The same table with the alternative values of its variation."""
        return self._with(self.variation).model_copy(update={"trust": self.trust})

    def _with(self, changes: dict[str, Any]) -> Self:
        """The table with some values changed and no variation."""
        plain = {**self.model_dump(), **changes, "variation": {}, "trust": Trust.DEFAULT}
        return type(self)(**plain)

    def versions(self, *where: str) -> Iterator[tuple[tuple[str, ...], Self]]:
        """The table and, where it has a variation, itself with that, each with its path."""
        yield where, self
        if self.variation:
            yield (*where, "variation"), self.varied()


def _in_variation(error: ValidationError) -> ValidationError:
    """The same failures, seen from the table that has the variation."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError(failure["type"], "{reason}", {"reason": failure["msg"]}),
            loc=("variation", *failure["loc"]),
            input=failure["input"],
        )
        for failure in error.errors(include_url=False)
    ]
    return ValidationError.from_exception_data(error.title, details)
