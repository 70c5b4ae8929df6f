"""How particles are told apart: rates by region, momentum and species, and the working points.

Rates are constant in a bin of momentum, as they are published: their averages over a bin are then
those that were measured, which no interpolation keeps.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import pairwise
from statistics import NormalDist
from typing import Annotated, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from darkbelle.geometry.sourced import Finite, Fraction, NonNegative, Positive, Sourced
from darkbelle.settings import Settings

__all__ = ["SPECIES", "Hypothesis", "Identification", "Region", "Sectors"]

SPECIES: Final = ("e", "mu", "pi", "k", "p")
"""What a track can be and what it can be taken for."""

_NORMAL = NormalDist()


class Sectors(Settings):
    """Equal modules side by side around the axis that leave gaps between them."""

    number: Annotated[int, Field(gt=0)]
    first_centre_deg: Finite
    coverage: Annotated[Positive, Field(le=1)]


class Region(Sourced):
    """Where one set of devices decides, and the rates at which it takes each species for one.

    A track belongs to it with theta in one of the ranges, pt of ``pt_min_gev`` or more, p of the
    first edge or more, and an azimuth that no gap between sectors lets through. ``e`` to ``p`` have
    a value for each of ``p_edges_gev``, the last bin being open.
    """

    name: Annotated[str, Field(min_length=1)]
    theta_deg: Annotated[tuple[tuple[Finite, Finite], ...], Field(min_length=1)] | None = None
    pt_min_gev: NonNegative = 0.0
    sectors: Sectors | None = None
    p_edges_gev: Annotated[tuple[NonNegative, ...], Field(min_length=1)]
    e: tuple[Fraction, ...]
    mu: tuple[Fraction, ...]
    pi: tuple[Fraction, ...]
    k: tuple[Fraction, ...]
    p: tuple[Fraction, ...]

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        if any(low >= high for low, high in pairwise(self.p_edges_gev)):
            msg = f"p_edges_gev must increase (got {self.p_edges_gev})"
            raise ValueError(msg)
        for species in SPECIES:
            n_rates, n_edges = len(getattr(self, species)), len(self.p_edges_gev)
            if n_rates != n_edges:
                msg = (
                    f"{species} needs one rate for each p_edges_gev, the last bin being open "
                    f"(got {n_rates} for {n_edges})"
                )
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_theta(self) -> Self:
        for low, high in self.theta_deg or ():
            if not 0 <= low < high <= 180:
                msg = f"theta_deg must hold ranges between 0 and 180 (got [{low}, {high}])"
                raise ValueError(msg)
        return self

    @property
    def is_everywhere(self) -> bool:
        """Whether every track belongs to it."""
        return (
            self.theta_deg is None
            and self.sectors is None
            and self.pt_min_gev == 0
            and self.p_edges_gev[0] == 0
        )


class Hypothesis(Sourced):
    """How tracks are found to be of one species: regions, the first that has a track decides.

    ``points`` are the working points from loose to tight; source and trust are those of their
    ``shifts``. A shift moves every rate of the regions on the scale of the normal quantile,
    rate -> Phi(Phi^-1(rate) + shift), so that one number moves the efficiency and all
    mis-identification along one curve and a tight decision implies a loose one; rates of 0 and 1
    stay. The regions' rates are those of a point of shift 0.
    """

    points: Annotated[
        tuple[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], ...], Field(min_length=1)
    ]
    shifts: tuple[Finite, ...]
    descriptions: tuple[Annotated[str, Field(min_length=1)], ...]
    regions: Annotated[tuple[Region, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_points(self) -> Self:
        for column in ("shifts", "descriptions"):
            if (n_values := len(getattr(self, column))) != len(self.points):
                msg = f"{column} has {n_values} values, points has {len(self.points)}"
                raise ValueError(msg)
        if any(loose <= tight for loose, tight in pairwise(self.shifts)):
            msg = f"shifts must decrease, points run from loose to tight (got {self.shifts})"
            raise ValueError(msg)
        _refuse_twins("points", self.points)
        return self

    @model_validator(mode="after")
    def _check_regions(self) -> Self:
        _refuse_twins("regions", [region.name for region in self.regions])
        *devices, remainder = self.regions
        if not remainder.is_everywhere:
            msg = (
                f"the last region, '{remainder.name}', must take what all others leave: no "
                "theta_deg, pt_min_gev or sectors, and p_edges_gev from 0"
            )
            raise ValueError(msg)
        for region in devices:
            if region.is_everywhere:
                msg = f"region '{region.name}' takes every track, those after it never decide"
                raise ValueError(msg)
        return self

    @cached_property
    def rates(self) -> npt.NDArray[np.float64]:
        """Rates at the working points, shape (n_bins, n_species, n_points).

        The bins of all regions stand one after the other.
        """
        return np.array(
            [
                [[_shifted(rate, shift) for shift in self.shifts] for rate in rates]
                for region in self.regions
                for rates in zip(*(getattr(region, species) for species in SPECIES), strict=True)
            ]
        )


class Decays(Sourced):
    """What decays in flight contribute to the rates of pions and kaons among muons, at most."""

    largest_share: Fraction


class Identification(Settings):
    """The hypotheses that are tried on every track."""

    decays: Decays
    e: Hypothesis
    mu: Hypothesis
    pi: Hypothesis
    k: Hypothesis
    p: Hypothesis

    @cached_property
    def hypotheses(self) -> dict[str, Hypothesis]:
        """Each hypothesis by its species, in the order of `SPECIES`."""
        return {species: getattr(self, species) for species in SPECIES}

    @cached_property
    def point_names(self) -> tuple[str, ...]:
        """Names of all decisions, such as "mu_tight"."""
        return tuple(
            f"{species}_{point}"
            for species, hypothesis in self.hypotheses.items()
            for point in hypothesis.points
        )


def _shifted(rate: float, shift: float) -> float:
    if rate in (0, 1):
        return rate
    return _NORMAL.cdf(_NORMAL.inv_cdf(rate) + shift)


def _refuse_twins(key: str, names: tuple[str, ...] | list[str]) -> None:
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        msg = f"{key} has '{name}' {count} times"
        raise ValueError(msg)
