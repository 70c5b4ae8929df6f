"""How well an experiment knows its own response: relative errors, as weights or as shifts.

Each entry of a card's ``[systematics]`` is one source of error, whose variation up and down by one
standard deviation moves all that it names together. ``correlated`` says whether the entry of the
same name in other experiments varies along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, model_validator

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.geometry.sourced import Documented, NonNegative
from darkbelle.settings import Settings

__all__ = [
    "ALL",
    "AnyShift",
    "AnySystematic",
    "AnyWeight",
    "DisplacedTrackingError",
    "IdentificationError",
    "MomentumScaleError",
    "PhotonError",
    "PhotonResolutionError",
    "PhotonScaleError",
    "ShiftError",
    "SystematicError",
    "SystematicName",
    "TrackResolutionError",
    "TrackingError",
    "TriggerError",
    "WeightError",
    "chosen",
    "directions",
]

FloatArray = npt.NDArray[np.float64]

ALL: Final = "all"
"""Stands for all systematic errors of a card."""


def _refuse_all(name: str) -> str:
    if name == ALL:
        msg = f"'{ALL}' stands for all systematic errors: choose another name"
        raise ValueError(msg)
    return name


SystematicName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$"), AfterValidator(_refuse_all)]
RelativeError = Annotated[float, Field(strict=True, ge=0, lt=1)]
Species = Literal["e", "mu", "pi", "k", "p"]
TrackParameter = Literal["d0", "phi0", "omega", "z0", "tan_lambda"]


class SystematicError(Documented):
    """One source of error."""

    correlated: bool


class WeightError(SystematicError):
    """An error of probabilities, which gives the events other weights."""


class BinnedError(WeightError):
    """An error in bins of a quantity, of which the last is open; none below the first."""

    along: ClassVar[str]
    """The key of the lower edges or points; that of the errors is ``relative``."""

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        points, relative = self._points()
        if not points or len(points) != len(relative):
            numbers = f"got {len(relative)} for {len(points)}"
            msg = f"relative needs one value for each of {self.along} ({numbers})"
            raise ValueError(msg)
        if any(low >= high for low, high in pairwise(points)):
            msg = f"{self.along} must increase (got {points})"
            raise ValueError(msg)
        return self

    def at(self, value: FloatArray) -> FloatArray:
        """Relative error at some values of the quantity, same shape."""
        edges, relative = self._points()
        errors: FloatArray = np.array([0.0, *relative])[np.searchsorted(edges, value, side="right")]
        return errors

    def _points(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Edges and errors; not fields of this class, which would change their order in cards."""
        fields = dict(self)
        return fields[self.along], fields["relative"]


class ShiftError(SystematicError):
    """An error of what is measured, which moves it."""


class TrackingError(BinnedError):
    """Of the efficiency to find a track, in bins of its true pt, the last being open."""

    along: ClassVar = "pt_edges_gev"

    kind: Literal["tracking"]
    pt_edges_gev: tuple[NonNegative, ...]
    relative: tuple[RelativeError, ...]


class DisplacedTrackingError(BinnedError):
    """Of the same by the radius at which the particle is born, linear between the points given."""

    along: ClassVar = "birth_radius_cm"

    kind: Literal["displaced_tracking"]
    birth_radius_cm: tuple[NonNegative, ...]
    relative: tuple[RelativeError, ...]

    def at(self, value: FloatArray) -> FloatArray:
        """Relative error at some radii [cm], constant beyond the points, same shape."""
        return np.interp(value, *self._points())


class IdentificationError(BinnedError):
    """Of the rates at which tracks of some species pass some hypotheses, in bins of momentum.

    ``rates`` lists for each hypothesis the true species whose rates vary, at all working points
    alike; the last bin is open.
    """

    along: ClassVar = "p_edges_gev"

    kind: Literal["identification"]
    rates: Annotated[
        dict[Species, Annotated[tuple[Species, ...], Field(min_length=1)]], Field(min_length=1)
    ]
    p_edges_gev: tuple[NonNegative, ...]
    relative: tuple[RelativeError, ...]

    @model_validator(mode="after")
    def _check_species(self) -> Self:
        if both := set(self.rates.get("pi", ())) & set(self.rates.get("k", ())):
            msg = (
                "pi and k judge by one ratio of likelihoods: name each species under one of them "
                f"(got {', '.join(sorted(both))} under both)"
            )
            raise ValueError(msg)
        return self


class PhotonError(BinnedError):
    """Of the efficiency to find a photon's cluster, in bins of its energy, the last being open."""

    along: ClassVar = "energy_edges_gev"

    kind: Literal["photon"]
    energy_edges_gev: tuple[NonNegative, ...]
    relative: tuple[RelativeError, ...]


class LineGroup(Settings):
    """Lines of a trigger whose efficiency is known alike."""

    lines: Annotated[tuple[str, ...], Field(min_length=1)]
    relative: RelativeError


class TriggerError(WeightError):
    """Of the efficiency of a level of the trigger, by groups of lines; ``others`` for all others.

    Of several lines that keep an event the best known counts.
    """

    kind: Literal["trigger"]
    level: Literal["l1", "hlt"]
    groups: tuple[LineGroup, ...] = ()
    others: RelativeError

    def of_lines(self, lines: Sequence[str]) -> FloatArray:
        """Relative error of each line, shape (n_lines,)."""
        known = {line: group.relative for group in self.groups for line in group.lines}
        return np.array([known.get(line, self.others) for line in lines])


class MomentumScaleError(ShiftError):
    """Of all momenta of tracks, by one factor."""

    kind: Literal["momentum_scale"]
    relative: RelativeError


class TrackResolutionError(ShiftError):
    """Of the width of some track parameters where the particle is born."""

    kind: Literal["track_resolution"]
    parameters: Annotated[tuple[TrackParameter, ...], Field(min_length=1)]
    relative: RelativeError


class PhotonScaleError(ShiftError):
    """Of all energies of clusters without a track, by one factor."""

    kind: Literal["photon_energy_scale"]
    relative: RelativeError


class PhotonResolutionError(ShiftError):
    """Of the width of the energy of photons."""

    kind: Literal["photon_energy_resolution"]
    relative: RelativeError


AnyWeight = (
    TrackingError | DisplacedTrackingError | IdentificationError | PhotonError | TriggerError
)
AnyShift = MomentumScaleError | TrackResolutionError | PhotonScaleError | PhotonResolutionError
AnySystematic = Annotated[AnyWeight | AnyShift, Field(discriminator="kind")]


def chosen(known: Mapping[str, AnySystematic], names: Sequence[str]) -> dict[str, AnySystematic]:
    """Systematic errors of a card by their names, or "all", in the order of the card.

    Raises
    ------
    ConfigError
        The card has no such entry.
    """
    for name in names:
        if name != ALL and name not in known:
            raise ConfigError(
                f"the card has no systematic error '{name}', {did_you_mean(name, [*known, ALL])}"
            )
    return {name: error for name, error in known.items() if ALL in names or name in names}


def directions(name: str) -> Iterator[tuple[str, int]]:
    """Names of the variations of a systematic error, and their signs."""
    yield f"{name}_up", 1
    yield f"{name}_down", -1
