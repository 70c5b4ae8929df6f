"""The schema of the software trigger: selections of what is reconstructed, pairs, vertices."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from darkbelle.geometry.sourced import Fraction, NonNegative, Positive, Sourced
from darkbelle.geometry.trigger.limits import (
    Angle,
    Angles,
    AngleSums,
    Count,
    EnergyCut,
    Name,
    Radii,
    SeveralAngles,
)
from darkbelle.geometry.trigger.menu import Menu, refuse_shared_names, refuse_unknown
from darkbelle.settings import Settings

__all__ = [
    "ClusterCut",
    "ClusterSum",
    "DisplacedVertex",
    "HardestPair",
    "HighLevel",
    "TrackCut",
]


class TrackCut(EnergyCut):
    """Reconstructed tracks: distances of the perigee from the origin, hits, momentum, energy.

    The energy is that of the clusters which the track owns; in the centre of mass, it flies along
    the track.
    """

    d0_cm: Positive | None = None
    z0_cm: Positive | None = None
    min_cdc_hits: Count = 0
    pt_gev: NonNegative = 0.0
    p_cms_gev: NonNegative = 0.0
    e_over_p: NonNegative = 0.0


class ClusterCut(EnergyCut):
    """Reconstructed clusters: energy, polar angle in one of the ranges, track.

    ``neutral`` clusters are those that no track owns.
    """

    theta_deg: SeveralAngles | None = None
    neutral: bool | None = None


class HardestPair(Settings):
    """Whether the two hardest objects of the selection ``of`` make a certain pair.

    Of tracks that is the one of each charge with the highest pt, of clusters the two with the most
    energy in the centre of mass, where angles are taken too. What is given must hold: one of them
    belongs to the selection ``one`` and the other to ``other``; ``dphi_deg`` is the range of their
    distance in azimuth, at most 180, ``theta_sum_deg`` that of the sum of their polar angles;
    ``mass_gev`` and ``pt_gev`` are the least of their sum; what is missing to the beams has more
    than ``missing_p_gev``, flies in one of the ranges ``missing_theta_deg``, and within
    ``missing_angle_deg`` of one of the two.
    """

    of: Name
    one: Name | None = None
    other: Name | None = None
    dphi_deg: Angles | None = None
    theta_sum_deg: AngleSums | None = None
    mass_gev: NonNegative | None = None
    pt_gev: NonNegative | None = None
    missing_p_gev: NonNegative | None = None
    missing_theta_deg: SeveralAngles | None = None
    missing_angle_deg: Annotated[float, Field(strict=True, gt=0, le=180)] | None = None

    @model_validator(mode="after")
    def _check_legs(self) -> Self:
        if self.one is None and self.other is not None:
            msg = "other needs one"
            raise ValueError(msg)
        return self


class DisplacedVertex(Settings):
    """Whether the track of each charge with the highest pt make a vertex away from the beams.

    ``probability`` is the least of its chi2, ``radius_cm`` and ``theta_deg`` are seen from the
    origin. Tracks that are back to back in the laboratory, in azimuth and in the sum of polar
    angles, within ``back_to_back_deg``, are taken for one of a cosmic ray.
    """

    tracks: Name
    probability: Annotated[float, Field(strict=True, gt=0, lt=1)]
    radius_cm: Radii
    theta_deg: Angles
    back_to_back_deg: Angle


class ClusterSum(Settings):
    """Whether the clusters of a selection hold more than an energy."""

    clusters: Name
    e_lab_gev: NonNegative


class HighLevel(Sourced, Menu):
    """The software trigger: selections of what is reconstructed, and its menu.

    ``efficiency`` is that of passing it at all. ``net_charges`` are the absolute sums of charges
    of the tracks of a selection.
    """

    efficiency: Fraction
    tracks: dict[Name, TrackCut]
    clusters: Annotated[dict[Name, ClusterCut], Field(default_factory=dict)]
    net_charges: Annotated[dict[Name, Name], Field(default_factory=dict)]
    hardest_pairs: Annotated[dict[Name, HardestPair], Field(default_factory=dict)]
    sums: Annotated[dict[Name, ClusterSum], Field(default_factory=dict)]
    displaced_vertices: Annotated[dict[Name, DisplacedVertex], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        tracks, clusters = self.tracks, self.clusters
        for name, charged in self.net_charges.items():
            refuse_unknown(("net_charges", name), "selection", (charged,), tracks)
        for name, pair in self.hardest_pairs.items():
            where = ("hardest_pairs", name)
            refuse_unknown(where, "selection", (pair.of,), (*tracks, *clusters))
            legs = [leg for leg in (pair.one, pair.other) if leg is not None]
            refuse_unknown(where, "selection", legs, tracks if pair.of in tracks else clusters)
        for name, total in self.sums.items():
            refuse_unknown(("sums", name), "selection", (total.clusters,), clusters)
        for name, vertex in self.displaced_vertices.items():
            refuse_unknown(("displaced_vertices", name), "selection", (vertex.tracks,), tracks)
        flags = (*self.hardest_pairs, *self.sums, *self.displaced_vertices)
        counts = (*tracks, *clusters, *self.net_charges, *flags)
        refuse_shared_names(counts)
        self._refuse_unknown_counts(frozenset(counts))
        return self
