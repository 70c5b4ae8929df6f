"""The schema of the K_L and muon system: iron, layers, what stands before them, what they see."""

from __future__ import annotations

import enum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from darkbelle.geometry.sourced import Finite, Fraction, NonNegative, Positive, Sourced
from darkbelle.settings import Settings

__all__ = [
    "KlmSection",
    "MuonBarrel",
    "MuonEndcap",
    "MuonSystem",
]

Count = Annotated[int, Field(gt=0)]


class KlmSection(enum.IntEnum):
    """The parts of the muon system."""

    BARREL = 0
    FORWARD = 1
    BACKWARD = 2


class Absorber(Sourced):
    """Material at normal incidence: nuclear interaction lengths and mean loss of a fast muon."""

    mip_loss_mev: Positive
    thickness_lambda: Positive


class Crystals(Absorber):
    """The calorimeter as a muon meets it: so deep everywhere, seen from the interaction point."""

    depth_cm: Positive


class Coil(Absorber):
    """The solenoid with its cryostat, taken as a thin cylinder where the field ends."""

    radius_cm: Positive
    z_min_cm: Finite
    z_max_cm: Finite

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.z_min_cm >= self.z_max_cm:
            msg = f"z_min_cm = {self.z_min_cm} must lie below z_max_cm = {self.z_max_cm}"
            raise ValueError(msg)
        return self


class MuonLayers(Sourced):
    """Layers at equal distances; the innermost ones are scintillator, the others RPCs."""

    n_layers: Count
    n_scintillator_layers: Annotated[int, Field(ge=0)]
    first_layer_cm: Finite
    last_layer_cm: Finite

    @model_validator(mode="after")
    def _check_layers(self) -> Self:
        first, last = self.first_layer_cm, self.last_layer_cm
        if abs(last) <= abs(first) or first * last < 0:
            msg = (
                f"last_layer_cm = {last} must lie outside of first_layer_cm = {first}, "
                f"on the same side"
            )
            raise ValueError(msg)
        if self.n_scintillator_layers > self.n_layers:
            msg = f"n_scintillator_layers = {self.n_scintillator_layers} exceeds n_layers"
            raise ValueError(msg)
        return self

    @property
    def positions_cm(self) -> tuple[float, ...]:
        """Radius or z of each layer, inside to outside."""
        step = (self.last_layer_cm - self.first_layer_cm) / max(self.n_layers - 1, 1)
        return tuple(self.first_layer_cm + i * step for i in range(self.n_layers))


class MuonBarrel(MuonLayers):
    """Cylinders, a plate of iron halfway between each two: the first layer stands before any."""

    z_min_cm: Finite
    z_max_cm: Finite

    @model_validator(mode="after")
    def _check_barrel(self) -> Self:
        if self.z_min_cm >= self.z_max_cm:
            msg = f"z_min_cm = {self.z_min_cm} must lie below z_max_cm = {self.z_max_cm}"
            raise ValueError(msg)
        if self.first_layer_cm <= 0:
            msg = f"first_layer_cm = {self.first_layer_cm} must be a radius above 0"
            raise ValueError(msg)
        return self


class MuonEndcap(MuonLayers):
    """Planes in z, each behind a plate of iron; the field ends at the face of the first plate."""

    face_cm: Finite
    r_min_cm: NonNegative
    r_max_cm: Positive

    @model_validator(mode="after")
    def _check_endcap(self) -> Self:
        if self.r_min_cm >= self.r_max_cm:
            msg = f"r_min_cm = {self.r_min_cm} must lie below r_max_cm = {self.r_max_cm}"
            raise ValueError(msg)
        if self.face_cm * self.first_layer_cm <= 0 or abs(self.face_cm) > abs(self.first_layer_cm):
            msg = f"face_cm = {self.face_cm} must lie before first_layer_cm, on the same side"
            raise ValueError(msg)
        return self


class MuonHits(Sourced):
    """What a layer sees, and what makes a cluster.

    The efficiency of a cluster is lower by ``overlap_factor`` in ranges of theta where barrel and
    endcap share the way.
    """

    layer_efficiency: Fraction
    min_layers: Count
    position_resolution_cm: Positive
    scintillator_time_ns: Positive
    rpc_time_ns: Positive
    overlap_deg: tuple[tuple[Finite, Finite], ...]
    overlap_factor: Fraction

    @model_validator(mode="after")
    def _check_overlaps(self) -> Self:
        if any(not 0 <= low < high <= 180 for low, high in self.overlap_deg):
            msg = f"overlap_deg = {self.overlap_deg} must be ranges between 0 and 180"
            raise ValueError(msg)
        return self


class HadronShowers(Sourced):
    """What follows a nuclear interaction: charged particles over an exponential depth of iron."""

    tail_lambda: Positive


class NeutralHadrons(Sourced):
    """Probability of a cluster against momentum, linear between the points, constant beyond.

    One for K_L that passed the calorimeter untouched, one for those that showered there; for
    neutrons and antineutrons times a factor. The direction is that of a shower's centroid.
    """

    momentum_gev: Annotated[tuple[NonNegative, ...], Field(min_length=1)]
    efficiency: tuple[Fraction, ...]
    showered_efficiency: tuple[Fraction, ...]
    neutron_factor: Fraction
    antineutron_factor: Fraction
    direction_mrad: Positive

    @model_validator(mode="after")
    def _check_points(self) -> Self:
        for name in ("efficiency", "showered_efficiency"):
            if len(getattr(self, name)) != len(self.momentum_gev):
                msg = f"{name} needs one value for each momentum_gev"
                raise ValueError(msg)
        if any(low >= high for low, high in pairwise(self.momentum_gev)):
            msg = f"momentum_gev must increase (got {self.momentum_gev})"
            raise ValueError(msg)
        return self


class MissedPhotons(Sourced):
    """Probability to see a photon or electron that the calorimeter missed.

    One value for each lower edge in energy, the last bin being open; none below the first edge.
    """

    energy_edges_gev: Annotated[tuple[NonNegative, ...], Field(min_length=1)]
    efficiency: tuple[Fraction, ...]

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        if len(self.efficiency) != len(self.energy_edges_gev):
            msg = "efficiency needs one value for each energy_edges_gev"
            raise ValueError(msg)
        if any(low >= high for low, high in pairwise(self.energy_edges_gev)):
            msg = f"energy_edges_gev must increase (got {self.energy_edges_gev})"
            raise ValueError(msg)
        return self


class MuonSystem(Settings):
    """The K_L and muon system, and what stands between it and the face of the calorimeter."""

    calorimeter: Crystals
    coil: Coil
    endcap_services: Absorber
    plate: Absorber
    barrel: MuonBarrel
    forward: MuonEndcap
    backward: MuonEndcap
    hits: MuonHits
    hadron_showers: HadronShowers
    neutral_hadrons: NeutralHadrons
    missed_photons: MissedPhotons

    @model_validator(mode="after")
    def _check_sides(self) -> Self:
        fewest = min(part.n_layers for part in (self.barrel, self.forward, self.backward))
        if self.hits.min_layers > fewest:
            msg = f"hits.min_layers = {self.hits.min_layers} exceeds the {fewest} layers of a part"
            raise ValueError(msg)
        if not self.backward.face_cm < 0 < self.forward.face_cm:
            msg = "backward.face_cm must lie below 0, forward.face_cm above"
            raise ValueError(msg)
        if self.coil.radius_cm >= self.barrel.first_layer_cm:
            msg = (
                f"coil.radius_cm = {self.coil.radius_cm} must lie within "
                f"barrel.first_layer_cm = {self.barrel.first_layer_cm}"
            )
            raise ValueError(msg)
        return self
