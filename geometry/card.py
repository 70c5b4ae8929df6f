"""The schema of an experiment card: what a card may say, and the typed Experiment that it becomes.

Units are part of every key. Every table names its ``source`` and how far to ``trust`` it; an
estimate carries a ``variation``: the keys of its own table that change, with their alternative
values.
"""

from __future__ import annotations

import enum
import math
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from darkbelle.errors import did_you_mean
from darkbelle.geometry.calorimeter import Calorimeter
from darkbelle.geometry.collider import Collider
from darkbelle.geometry.identification import Identification
from darkbelle.geometry.klm import MuonSystem
from darkbelle.geometry.sourced import Finite, Fraction, NonNegative, Positive, Sourced
from darkbelle.geometry.systematics import AnySystematic, SystematicName, TriggerError
from darkbelle.geometry.trigger import Trigger
from darkbelle.settings import Settings
from darkbelle.units import mrad

__all__ = [
    "Detector",
    "DriftChamber",
    "Experiment",
    "PassiveLayer",
    "SiliconLayer",
    "Superlayer",
    "Tracking",
]


class Solenoid(Sourced):
    """A uniform field along +z."""

    field_t: Finite


class Layer(Sourced):
    """A cylinder around the z axis."""

    z_min_cm: Finite
    z_max_cm: Finite

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.z_min_cm >= self.z_max_cm:
            msg = f"z_min_cm = {self.z_min_cm} must lie below z_max_cm = {self.z_max_cm}"
            raise ValueError(msg)
        return self


class MaterialLayer(Layer):
    """Material of a cylinder, at normal incidence.

    Thickness in radiation lengths and in nuclear interaction lengths; ``mip_loss_mev`` is the mean
    energy that a minimum-ionising particle of charge one loses in it.
    """

    thickness_x0: NonNegative
    thickness_lambda: NonNegative
    mip_loss_mev: NonNegative


class PassiveLayer(MaterialLayer):
    """Dead material."""

    r_min_cm: Positive
    r_max_cm: Positive

    @model_validator(mode="after")
    def _check_radii(self) -> Self:
        if self.r_min_cm > self.r_max_cm:
            msg = f"r_min_cm = {self.r_min_cm} must not exceed r_max_cm = {self.r_max_cm}"
            raise ValueError(msg)
        return self

    @property
    def radius_cm(self) -> float:
        """Where the material is taken to stand."""
        return (self.r_min_cm + self.r_max_cm) / 2


class SlantedSensors(Settings):
    """The forward cone of a layer, from its near end to its far end."""

    near_r_cm: Positive
    near_z_cm: Finite
    far_r_cm: Positive
    far_z_cm: Finite

    @model_validator(mode="after")
    def _check_ends(self) -> Self:
        if self.near_z_cm >= self.far_z_cm or self.near_r_cm == self.far_r_cm:
            msg = "a slanted part needs near_z_cm < far_z_cm and two different radii"
            raise ValueError(msg)
        return self


class Detector(enum.StrEnum):
    """The tracking detectors; a track counts its hits in each."""

    PXD = "pxd"
    SVD = "svd"
    CDC = "cdc"


class SiliconLayer(MaterialLayer):
    """Silicon sensors that measure r-phi and z."""

    detector: Literal[Detector.PXD, Detector.SVD]
    radius_cm: Positive
    sigma_rphi_um: Positive
    sigma_z_um: Positive
    hit_efficiency: Fraction
    z_gap_cm: tuple[Finite, Finite] | None = None
    phi_range_deg: tuple[Finite, Finite] | None = None
    slanted: SlantedSensors | None = None

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        gap, phi = self.z_gap_cm, self.phi_range_deg
        if gap is not None and not self.z_min_cm < gap[0] < gap[1] < self.z_max_cm:
            msg = f"z_gap_cm = {gap} must be a range between z_min_cm and z_max_cm"
            raise ValueError(msg)
        if phi is not None and not 0 < phi[1] - phi[0] <= 360:
            msg = f"phi_range_deg = {phi} must be a range of at most 360 degrees"
            raise ValueError(msg)
        cone = self.slanted
        if cone is not None and max(cone.near_r_cm, cone.far_r_cm) > self.radius_cm:
            msg = f"the slanted part must lie within radius_cm = {self.radius_cm}"
            raise ValueError(msg)
        return self


class Superlayer(Settings):
    """Wire layers of one orientation: columns with a value a layer, inside to outside.

    ``radius_cm`` and the z limits are those of the wire ends; the stereo angle is positive where
    the forward end stands at larger phi.
    """

    name: str
    n_wires: Annotated[int, Field(gt=0)]
    radius_cm: Annotated[tuple[Positive, ...], Field(min_length=1)]
    z_min_cm: tuple[Finite, ...]
    z_max_cm: tuple[Finite, ...]
    stereo_mrad: tuple[Annotated[float, Field(gt=-500, lt=500)], ...]
    sigma_um: tuple[Positive, ...]

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        n_layers = len(self.radius_cm)
        for column in ("z_min_cm", "z_max_cm", "stereo_mrad", "sigma_um"):
            if (n_values := len(getattr(self, column))) != n_layers:
                msg = f"{column} has {n_values} values, radius_cm has {n_layers}"
                raise ValueError(msg)
        if any(low >= high for low, high in zip(self.z_min_cm, self.z_max_cm, strict=True)):
            msg = f"every z_min_cm of superlayer {self.name} must lie below its z_max_cm"
            raise ValueError(msg)
        if any(inner >= outer for inner, outer in pairwise(self.radius_cm)):
            msg = f"the layers of superlayer {self.name} overlap: radius_cm must increase"
            raise ValueError(msg)
        if any(radius2 <= 0 for radius2 in self.mid_radii2_cm2):
            msg = f"the stereo wires of superlayer {self.name} would cross the axis"
            raise ValueError(msg)
        return self

    @property
    def mid_radii2_cm2(self) -> list[float]:
        """Squared radius of each layer at mid-length, where a straight stereo wire is nearest."""
        columns = zip(self.radius_cm, self.z_min_cm, self.z_max_cm, self.stereo_mrad, strict=True)
        return [
            radius**2 - ((z_max - z_min) / 2 * math.tan(stereo * mrad)) ** 2
            for radius, z_min, z_max, stereo in columns
        ]


class DriftChamber(Sourced):
    """The central drift chamber; its material, a cm of radius, is gas and wires averaged."""

    material_x0_per_cm: NonNegative
    material_lambda_per_cm: NonNegative
    mip_loss_mev_per_cm: NonNegative
    hit_efficiency: Fraction
    superlayers: Annotated[tuple[Superlayer, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for inner, outer in pairwise(self.superlayers):
            if inner.radius_cm[-1] >= outer.radius_cm[0]:
                msg = f"superlayers {inner.name} and {outer.name} overlap"
                raise ValueError(msg)
        return self


class TrackFinding(Sourced):
    """Efficiency to find and fit a track with enough hits in silicon strips or the drift chamber.

    Of the hits in the chamber some must be in stereo layers. The efficiency is a value by pt, times
    one by theta, times one by the radius at which the particle is born, times one by abs(d0), the
    distance at which it passes the axis; the last two are linear between the points given, and
    constant beyond them. The daughter of a charged particle that decays in flight behind a
    track of its own is found by ``kink_factor`` more rarely.
    """

    min_svd_hits: Annotated[int, Field(ge=0)]
    min_cdc_hits: Annotated[int, Field(ge=0)]
    min_stereo_hits: Annotated[int, Field(ge=0)]
    pt_edges_gev: Annotated[tuple[NonNegative, ...], Field(min_length=1)]
    pt_efficiency: tuple[Fraction, ...]
    theta_edges_deg: tuple[Finite, ...]
    theta_factor: tuple[Fraction, ...]
    birth_radius_cm: Annotated[tuple[NonNegative, ...], Field(min_length=1)]
    birth_radius_factor: tuple[Fraction, ...]
    d0_cm: Annotated[tuple[NonNegative, ...], Field(min_length=1)]
    d0_factor: tuple[Fraction, ...]
    kink_factor: Fraction

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        if len(self.pt_efficiency) != len(self.pt_edges_gev):
            msg = "pt_efficiency needs one value for each pt_edges_gev, the last bin being open"
            raise ValueError(msg)
        if len(self.theta_factor) != len(self.theta_edges_deg) - 1:
            msg = "theta_factor needs one value less than theta_edges_deg"
            raise ValueError(msg)
        for name in ("birth_radius", "d0"):
            if len(getattr(self, f"{name}_factor")) != len(getattr(self, f"{name}_cm")):
                msg = f"{name}_factor needs one value for each {name}_cm"
                raise ValueError(msg)
        if not (self.theta_edges_deg[0] >= 0 and self.theta_edges_deg[-1] <= 180):
            msg = f"theta_edges_deg must lie between 0 and 180 (got {self.theta_edges_deg})"
            raise ValueError(msg)
        for edges in (self.pt_edges_gev, self.theta_edges_deg, self.birth_radius_cm, self.d0_cm):
            if any(low >= high for low, high in pairwise(edges)):
                msg = f"edges and points must increase (got {edges})"
                raise ValueError(msg)
        return self


class MomentumSmearing(Sourced):
    """Width on top of the layers: sigma(pt)/pt = pt_coefficient pt (+) beta_coefficient/beta."""

    pt_coefficient_per_gev: NonNegative
    beta_coefficient: NonNegative


class ResolutionTails(Sourced):
    """A fraction of tracks whose errors are wider by a factor than their covariance says."""

    fraction: Fraction
    width_factor: Annotated[float, Field(ge=1, allow_inf_nan=False)]


class Tracking(Settings):
    """From hits to tracks."""

    finding: TrackFinding
    momentum_smearing: MomentumSmearing
    tails: ResolutionTails


class Experiment(Settings):
    """One experiment, resolved: what a card says after ``extends`` and overrides."""

    name: Annotated[str, Field(min_length=1)]
    description: str
    collider: Collider
    solenoid: Solenoid
    passive: dict[str, PassiveLayer]
    silicon: dict[str, SiliconLayer]
    drift_chamber: DriftChamber
    tracking: Tracking
    calorimeter: Calorimeter
    identification: Identification
    klm: MuonSystem
    trigger: Trigger
    systematics: Annotated[dict[SystematicName, AnySystematic], Field(default_factory=dict)]

    @cached_property
    def n_wires(self) -> int:
        """Number of sense wires."""
        layers = self.drift_chamber.superlayers
        return sum(superlayer.n_wires * len(superlayer.radius_cm) for superlayer in layers)

    @model_validator(mode="after")
    def _check_shells(self) -> Self:
        """Tracker, calorimeter and muon system must stand around each other."""
        ecl, klm = self.calorimeter, self.klm
        outermost = max(
            *(layer.r_max_cm for layer in self.passive.values()),
            *(layer.radius_cm[-1] for layer in self.drift_chamber.superlayers),
        )
        for inside, inner, outside, outer in (
            ("the tracker", outermost, "calorimeter.inner_radius_cm", ecl.inner_radius_cm),
            (
                "the crystals",
                ecl.inner_radius_cm + ecl.depth_cm,
                "klm.coil.radius_cm",
                klm.coil.radius_cm,
            ),
            ("calorimeter.z_max_cm", ecl.z_max_cm, "klm.forward.face_cm", klm.forward.face_cm),
            (
                "-calorimeter.z_min_cm",
                -ecl.z_min_cm,
                "-klm.backward.face_cm",
                -klm.backward.face_cm,
            ),
        ):
            if inner >= outer:
                msg = f"{outside} = {outer} must lie outside of {inside}, {inner} cm"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_superlayers(self) -> Self:
        """The trigger must know the superlayers of the drift chamber."""
        known = {superlayer.name for superlayer in self.drift_chamber.superlayers}
        for name, track in self.trigger.l1.tracks.items():
            for where, version in track.versions("trigger", "l1", "tracks", name):
                for superlayer in version.superlayers:
                    if superlayer not in known:
                        msg = (
                            f"{'.'.join(where)}: unknown superlayer '{superlayer}', "
                            f"{did_you_mean(superlayer, known)}"
                        )
                        raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_lines(self) -> Self:
        """Systematic errors must know the lines of the trigger."""
        for name, error in self.systematics.items():
            if isinstance(error, TriggerError):
                known = getattr(self.trigger, error.level).line_names
                for line in (line for group in error.groups for line in group.lines):
                    if line not in known:
                        msg = (
                            f"systematics.{name}: unknown line '{line}', "
                            f"{did_you_mean(line, known)}"
                        )
                        raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _refuse_overlaps(self) -> Self:
        intervals = [
            (layer.r_min_cm, layer.r_max_cm, layer.z_min_cm, layer.z_max_cm, f"passive.{name}")
            for name, layer in self.passive.items()
        ]
        intervals += [
            (layer.radius_cm, layer.radius_cm, layer.z_min_cm, layer.z_max_cm, f"silicon.{name}")
            for name, layer in self.silicon.items()
        ]
        for superlayer in self.drift_chamber.superlayers:
            inner, outer = superlayer.radius_cm[0], superlayer.radius_cm[-1]
            z_min, z_max = min(superlayer.z_min_cm), max(superlayer.z_max_cm)
            intervals.append((inner, outer, z_min, z_max, f"drift_chamber {superlayer.name}"))
        for i, (r_min, r_max, z_min, z_max, name) in enumerate(intervals):
            for r_min2, r_max2, z_min2, z_max2, name2 in intervals[i + 1 :]:
                apart = r_max < r_min2 or r_max2 < r_min or z_max < z_min2 or z_max2 < z_min
                if not apart:
                    msg = (
                        f"{name} (r = {r_min} to {r_max} cm) overlaps "
                        f"{name2} (r = {r_min2} to {r_max2} cm)"
                    )
                    raise ValueError(msg)
        return self
