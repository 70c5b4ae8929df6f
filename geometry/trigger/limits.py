"""What limits counts, energies and angles in a card of triggers."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from darkbelle.geometry.sourced import Finite, NonNegative, Positive
from darkbelle.settings import Settings

__all__ = [
    "N_RINGS",
    "Angle",
    "AngleSums",
    "Angles",
    "Bounds",
    "Condition",
    "Count",
    "EnergyCut",
    "Name",
    "Radii",
    "RingRange",
    "Rings",
    "SeveralAngles",
    "refuse_empty",
    "refuse_twins",
]

N_RINGS: Final = 17
"""Rings of trigger cells, from forward to backward; cards number them from 1."""


def _check_name(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        msg = "a name is made of small letters, digits and _, a letter first"
        raise ValueError(msg)
    return name


def _check_bounds(bounds: Any) -> Any:
    """Refuse what is neither a number nor a range: a union would complain about both."""
    numbers = bounds if isinstance(bounds, (list, tuple)) else [bounds, bounds]
    if len(numbers) != 2 or any(type(number) is not int or number < 0 for number in numbers):
        msg = "must be the least number, from 1 up, or the least and the most, as in [1, 2]"
        raise ValueError(msg)
    if numbers[0] > numbers[1]:
        msg = "the least number must not exceed the most"
        raise ValueError(msg)
    if bounds == 0:
        msg = "every event has 0 or more; none at all is [0, 0]"
        raise ValueError(msg)
    return bounds


def _check_order(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] >= limits[1]:
        msg = "the first must lie below the second"
        raise ValueError(msg)
    return limits


def _check_angles(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= limits[0] < limits[1] <= 180:
        msg = "must increase, between 0 and 180"
        raise ValueError(msg)
    return limits


def _check_sums(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= limits[0] < limits[1] <= 360:
        msg = "must increase, between 0 and 360"
        raise ValueError(msg)
    return limits


def _list_ranges(ranges: Any) -> Any:
    """A list of ranges, of one if that is what is given."""
    if isinstance(ranges, (list, tuple)) and ranges:
        if all(isinstance(limits, (list, tuple)) for limits in ranges):
            return ranges
        if len(ranges) == 2 and not any(isinstance(limit, (list, tuple)) for limit in ranges):
            return [ranges]
    msg = "must be a range, as in [30, 130], or some, as in [[22, 32], [130, 145]]"
    raise ValueError(msg)


def refuse_empty(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values as they are, if there are any; only asked if each of them is valid."""
    if not values:
        msg = "must not be empty"
        raise ValueError(msg)
    return values


def refuse_twins(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values as they are, if all differ."""
    for value in values:
        if values.count(value) > 1:
            msg = f"{value!r} stands there twice"
            raise ValueError(msg)
    return values


Name = Annotated[str, AfterValidator(_check_name)]
Count = Annotated[int, Field(strict=True, ge=0)]
Bounds = int | tuple[int, int]
"""The least number, or the least and the most."""
Condition = dict[Name, Annotated[Bounds, BeforeValidator(_check_bounds)]]
"""Counts that must all be reached."""

Angle = Annotated[float, Field(strict=True, ge=0, le=180)]
Angles = Annotated[tuple[Finite, Finite], AfterValidator(_check_angles)]
SeveralAngles = Annotated[tuple[Angles, ...], BeforeValidator(_list_ranges)]
"""Ranges one of which must hold; a card may give one without a list around it."""
AngleSums = Annotated[tuple[Finite, Finite], AfterValidator(_check_sums)]
Radii = Annotated[tuple[NonNegative, NonNegative], AfterValidator(_check_order)]

_Ring = Annotated[int, Field(strict=True, ge=1, le=N_RINGS)]
RingRange = Annotated[tuple[_Ring, _Ring], AfterValidator(_check_order)]
Rings = Annotated[tuple[_Ring, ...], AfterValidator(refuse_empty), AfterValidator(refuse_twins)]


class EnergyCut(Settings):
    """Limits of an energy in the laboratory and in the centre of mass; zero and none are none."""

    e_lab_gev: NonNegative = 0.0
    e_lab_max_gev: Positive | None = None
    e_cms_gev: NonNegative = 0.0
    e_cms_max_gev: Positive | None = None

    @model_validator(mode="after")
    def _check_energies(self) -> Self:
        for frame, least, most in (
            ("lab", self.e_lab_gev, self.e_lab_max_gev),
            ("cms", self.e_cms_gev, self.e_cms_max_gev),
        ):
            if most is not None and least >= most:
                msg = f"e_{frame}_gev = {least} must lie below e_{frame}_max_gev = {most}"
                raise ValueError(msg)
        return self
