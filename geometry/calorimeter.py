"""The calorimeter's part of a card: regions of crystals and what each kind of particle leaves."""

from __future__ import annotations

import enum
from itertools import pairwise
from typing import Annotated, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from darkbelle.geometry.sourced import Finite, Fraction, NonNegative, Positive, Sourced
from darkbelle.settings import Settings

__all__ = ["HIGHEST_GEV", "Calorimeter", "Region", "Resolution", "ResolutionFormula"]

HIGHEST_GEV: Final = 12.0
"""Energy from which on resolutions stay as they are: more than there is in a collision."""


class Region(enum.IntEnum):
    """Parts of the calorimeter, by the polar angle at which its face is met."""

    NONE = 0
    """A gap between two parts, or beyond their ends."""
    FORWARD = 1
    BARREL = 2
    BACKWARD = 3


class ResolutionFormula(Settings):
    """``a/E + b/sqrt(E) + c/E^(1/4) + d``, E in GeV; constant below ``e_min_gev``.

    The terms add up as they are, or in quadrature.
    """

    e_min_gev: Positive
    a: Finite
    b: Finite
    c: Finite
    d: Finite
    below: NonNegative
    in_quadrature: bool = False

    @model_validator(mode="after")
    def _check_sign(self) -> Self:
        energies = np.geomspace(self.e_min_gev, HIGHEST_GEV, 50)
        if len(wrong := energies[self.at(energies) <= 0]):
            msg = f"the error must be positive up to {HIGHEST_GEV} GeV, not at {wrong[0]:.3g}"
            raise ValueError(msg)
        return self

    def at(self, energy: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The error at some energies [GeV], constant beyond ``HIGHEST_GEV`` too, same shape."""
        root = np.sqrt(np.clip(energy, self.e_min_gev, HIGHEST_GEV))
        terms = np.stack(
            [self.a / root**2, self.b / root, self.c / np.sqrt(root), np.full_like(root, self.d)]
        )
        value = np.sqrt((terms**2).sum(axis=0)) if self.in_quadrature else terms.sum(axis=0)
        return np.where(np.less(energy, self.e_min_gev), self.below, value)


class Resolution(Sourced):
    """Relative error of the energy and errors of the polar and azimuthal angle of a shower."""

    energy_percent: ResolutionFormula
    theta_mrad: ResolutionFormula
    phi_mrad: ResolutionFormula


class Crystals(Sourced):
    """Crystals between two polar angles, and the material between tracker and crystals.

    ``front_x0`` and ``front_lambda`` are at normal incidence on the face, in radiation and in
    nuclear interaction lengths; ``front_mip_mev`` is the mean loss of a minimum-ionising particle
    there. ``resolution`` is given for each level of beam background.
    """

    theta_min_deg: Finite
    theta_max_deg: Finite
    front_x0: NonNegative
    front_lambda: NonNegative
    front_mip_mev: NonNegative
    resolution: Annotated[dict[str, Resolution], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_angles(self) -> Self:
        if not 0 <= self.theta_min_deg < self.theta_max_deg <= 180:
            low, high = self.theta_min_deg, self.theta_max_deg
            msg = f"need 0 <= theta_min_deg < theta_max_deg <= 180 (got {low} and {high})"
            raise ValueError(msg)
        return self


class Showers(Sourced):
    """How showers of photons and electrons look.

    ``asymmetry`` is that of the logarithmic Gaussian which the measured energy follows, half of its
    central 68 % being the resolution; ``front_smearing`` is a photon's relative error besides if
    it converts between tracker and crystals. The depth profile is that of PDG 2024, Eq. 34.36, with
    ``scale`` b. A shower at an angle to the crystals is wider, and its energy less well known by
    1 + angle / ``angle_scale_mrad``; ``second_moment_cm2`` is that of one along them, ``leakage``
    the share of the energy that it has outside of the nine central crystals of 21. The number of
    crystals above noise grows from that at 1 GeV with a power of the energy.
    """

    asymmetry: Annotated[float, Field(strict=True, gt=0, lt=1)]
    front_smearing: NonNegative
    critical_energy_mev: Positive
    scale: Positive
    angle_scale_mrad: Positive
    second_moment_cm2: Positive
    second_moment_spread: NonNegative
    leakage: Annotated[float, Field(strict=True, gt=0, lt=1)]
    crystals_at_1_gev: Positive
    crystals_power: NonNegative


class Tracks(Sourced):
    """What a charged particle leaves that does not shower, at normal incidence.

    ``mip_gev`` is the most probable energy seen of a minimum-ionising particle, ``width_gev`` the
    full width at half maximum, ``mean_gev`` what it loses on average. A fast one makes xi/T
    knock-on electrons above an energy T, where ``knock_on_gev`` is xi.
    """

    mip_gev: Positive
    mean_gev: Positive
    width_gev: Positive
    knock_on_gev: Positive
    second_moment_cm2: Positive
    second_moment_spread: NonNegative


class Hadrons(Sourced):
    """Showers of hadrons: the visible share of the energy follows a beta distribution.

    Where antinucleons annihilate, of which half of the energy goes into pi0, it is another one.

    Their centroid is off by ``offset_cm``; with ``split_offs`` clusters a shower on average, of
    exponential energy, that stand apart by an exponential distance.
    """

    share_alpha: Positive
    share_beta: Positive
    annihilation_alpha: Positive
    annihilation_beta: Positive
    second_moment_cm2: Positive
    second_moment_spread: NonNegative
    offset_cm: NonNegative
    split_offs: NonNegative
    split_off_energy_gev: Positive
    split_off_distance_cm: Positive


class Clustering(Sourced):
    """Which showers become clusters.

    Two showers are told apart from ``distance_cm`` on, with a Gaussian spread; a cluster of at
    least ``threshold_gev`` is found with an efficiency by energy; a track owns the clusters within
    ``match_distance_cm``.
    """

    distance_cm: NonNegative
    distance_spread_cm: NonNegative
    threshold_gev: NonNegative
    energy_edges_gev: Annotated[tuple[NonNegative, ...], Field(min_length=1)]
    efficiency: tuple[Fraction, ...]
    match_distance_cm: Positive

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        if len(self.efficiency) != len(self.energy_edges_gev):
            msg = "efficiency needs one value for each energy_edges_gev, the last bin being open"
            raise ValueError(msg)
        _refuse_disorder(self.energy_edges_gev)
        return self


class Timing(Sourced):
    """Error of a cluster's time, a power law between the energies given."""

    energy_gev: Annotated[tuple[Positive, ...], Field(min_length=1)]
    sigma_ns: tuple[Positive, ...]

    @model_validator(mode="after")
    def _check_points(self) -> Self:
        if len(self.sigma_ns) != len(self.energy_gev):
            msg = "sigma_ns needs one value for each energy_gev"
            raise ValueError(msg)
        _refuse_disorder(self.energy_gev)
        return self


class BeamBackground(Sourced):
    """Deposits of the beams: how many an event, exponential in energy, uniform in time.

    They are isotropic, and found like any other: fewer become clusters.
    """

    mean_number: NonNegative
    energy_gev: Positive
    window_ns: NonNegative


class Calorimeter(Sourced):
    """A cylinder of crystals with two end caps that look at the interaction point.

    The faces are at ``inner_radius_cm`` and at the two z; depth along a crystal in cm, radiation
    lengths and nuclear interaction lengths. ``background`` chooses the resolutions.
    """

    inner_radius_cm: Positive
    z_min_cm: Finite
    z_max_cm: Finite
    depth_cm: Positive
    depth_x0: Positive
    depth_lambda: NonNegative
    background: str
    forward: Crystals
    barrel: Crystals
    backward: Crystals
    showers: Showers
    tracks: Tracks
    hadrons: Hadrons
    clustering: Clustering
    timing: Timing
    beam_background: BeamBackground

    @property
    def regions(self) -> dict[Region, Crystals]:
        """The parts, in the order of the polar angle."""
        return {
            Region.FORWARD: self.forward,
            Region.BARREL: self.barrel,
            Region.BACKWARD: self.backward,
        }

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if self.z_min_cm >= self.z_max_cm:
            msg = f"z_min_cm = {self.z_min_cm} must lie below z_max_cm = {self.z_max_cm}"
            raise ValueError(msg)
        for before, after in pairwise(self.regions.values()):
            if before.theta_max_deg > after.theta_min_deg:
                msg = "forward, barrel and backward must follow each other in theta"
                raise ValueError(msg)
        for region, crystals in self.regions.items():
            if self.background not in crystals.resolution:
                known = ", ".join(crystals.resolution)
                msg = f"background = '{self.background}': {region.name.lower()} knows {known}"
                raise ValueError(msg)
        return self


def _refuse_disorder(points: tuple[float, ...]) -> None:
    if any(low >= high for low, high in pairwise(points)):
        msg = f"edges and points must increase (got {points})"
        raise ValueError(msg)
