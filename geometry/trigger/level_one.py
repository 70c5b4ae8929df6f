"""The schema of the hardware trigger: what it finds of tracks, cells and sectors, and compares."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from darkbelle.geometry.sourced import Finite, Fraction, NonNegative, Positive, Sourced
from darkbelle.geometry.trigger.limits import (
    N_RINGS,
    Angles,
    AngleSums,
    Count,
    EnergyCut,
    Name,
    RingRange,
    Rings,
    refuse_empty,
    refuse_twins,
)
from darkbelle.geometry.trigger.menu import Menu, refuse, refuse_shared_names, refuse_unknown
from darkbelle.settings import Settings

__all__ = [
    "KLM_SECTIONS",
    "CellClusterCut",
    "ClusterPair",
    "KlmTracks",
    "LevelOne",
    "Match",
    "Matching",
    "Opening",
    "RingPair",
    "RingSum",
    "TrackErrors",
    "TriggerCells",
    "TriggerTrack",
]

KLM_SECTIONS: Final = ("klm_barrel", "klm_forward", "klm_backward")
"""Counts of sectors with a hit track in the muon system."""


class TriggerTrack(Sourced):
    """A kind of tracks that the hardware finds, with some probability for each charged particle.

    It must have been found as one of the kinds ``among`` and as none of the kinds ``unless``, where
    given. It must cross ``min_superlayers`` of the ``superlayers``, have theta in a range, and a
    measured abs(z0) below ``z0_cm``. Thresholds in pt and p are normal distributions with a half
    point and a width. The probability is ``efficiency`` times factors by abs(d0) and by the radius
    of birth, linear between their points and constant beyond.
    """

    among: tuple[Name, ...] = ()
    unless: tuple[Name, ...] = ()
    superlayers: Annotated[tuple[str, ...], AfterValidator(refuse_twins)] = ()
    min_superlayers: Count = 0
    theta_deg: Angles = (0.0, 180.0)
    pt_gev: NonNegative = 0.0
    pt_width_gev: NonNegative = 0.0
    p_gev: NonNegative = 0.0
    p_width_gev: NonNegative = 0.0
    z0_cm: Positive | None = None
    d0_cm: Annotated[tuple[NonNegative, ...], Field(min_length=1)] = (0.0,)
    d0_factor: tuple[Fraction, ...] = (1.0,)
    birth_radius_cm: Annotated[tuple[NonNegative, ...], Field(min_length=1)] = (0.0,)
    birth_radius_factor: tuple[Fraction, ...] = (1.0,)
    efficiency: Fraction

    @model_validator(mode="after")
    def _check_points(self) -> Self:
        for name in ("d0", "birth_radius"):
            points = getattr(self, f"{name}_cm")
            if len(getattr(self, f"{name}_factor")) != len(points):
                msg = f"{name}_factor needs one value for each {name}_cm"
                raise ValueError(msg)
            if any(low >= high for low, high in pairwise(points)):
                msg = f"{name}_cm must increase (got {points})"
                raise ValueError(msg)
        if self.min_superlayers and not self.superlayers:
            msg = "min_superlayers needs superlayers"
            raise ValueError(msg)
        if self.superlayers and not 0 < self.min_superlayers <= len(self.superlayers):
            msg = (
                f"min_superlayers = {self.min_superlayers} must lie between 1 and "
                f"{len(self.superlayers)}, the number of superlayers"
            )
            raise ValueError(msg)
        return self


class TrackErrors(Sourced):
    """How well the hardware knows tracks.

    A superlayer is crossed where the track meets its middle ``edge_margin_deg`` inside of the ends
    of its wires, with a Gaussian spread; z0 is off by two Gaussians.
    """

    edge_margin_deg: NonNegative
    edge_width_deg: NonNegative
    z0_sigma_cm: NonNegative
    z0_tail_fraction: Fraction
    z0_tail_sigma_cm: NonNegative


class CellClusterCut(EnergyCut):
    """Clusters of trigger cells by energy and by ring."""

    rings: Rings = tuple(range(1, N_RINGS + 1))


class ClusterPair(Settings):
    """Two clusters at an angle in the centre of mass, of the selections ``one`` and ``other``.

    ``dphi_deg`` is the range of their distance in azimuth, at most 180, ``theta_sum_deg`` that of
    the sum of their polar angles. ``ordered``: the one is the less energetic of the two.
    """

    one: Name
    other: Name
    dphi_deg: Angles = (0.0, 180.0)
    theta_sum_deg: AngleSums = (0.0, 360.0)
    ordered: bool = False


class RingSum(Settings):
    """Whether the cells of some rings hold more than an energy."""

    e_lab_gev: NonNegative
    rings: Rings


class RingPair(Settings):
    """Whether forward and backward rings both hold more than their energies."""

    forward: Rings
    backward: Rings
    forward_gev: NonNegative
    backward_gev: NonNegative


_RingPairs = Annotated[tuple[RingPair, ...], AfterValidator(refuse_empty)]


class CellResponse(Sourced):
    """What cells see of the energy left in them, and how often a cluster is found.

    The error is a share of a deposit and a noise of a cell; a shower reaches beyond the border of
    cells with an exponential of ``spread_cm``. ``edge_efficiency`` is that of the outermost rings.
    """

    relative_error: NonNegative
    noise_gev: NonNegative
    spread_cm: Positive
    efficiency: Fraction
    edge_efficiency: Fraction


class TriggerCells(Sourced):
    """The calorimeter as the hardware sees it: cells in rings, clusters of cells, sums of rings.

    Cells above ``threshold_gev`` count; the most energetic of neighbours and those around it are a
    cluster, up to ``max_clusters`` of which are passed on. Energies in the centre of mass are in
    units of the laboratory's energy of 1 GeV there, in steps of ``e_cms_step_gev``; angles there
    are whole degrees. Of ``ring_pairs`` a count is the number of those that hold.
    """

    theta_edges_deg: Annotated[tuple[Finite, ...], Field(min_length=18, max_length=18)]
    cells: Annotated[tuple[Annotated[int, Field(gt=2)], ...], Field(min_length=17, max_length=17)]
    barrel_rings: RingRange
    threshold_gev: NonNegative
    window_ns: Positive
    max_clusters: Count
    e_cms_step_gev: NonNegative
    response: CellResponse
    clusters: dict[Name, CellClusterCut]
    pairs: Annotated[dict[Name, ClusterPair], Field(default_factory=dict)]
    sums: Annotated[dict[Name, RingSum], Field(default_factory=dict)]
    ring_pairs: Annotated[dict[Name, _RingPairs], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _check_edges(self) -> Self:
        edges = self.theta_edges_deg
        if any(low >= high for low, high in pairwise(edges)) or edges[0] < 0 or edges[-1] > 180:
            msg = f"theta_edges_deg must increase between 0 and 180 (got {edges})"
            raise ValueError(msg)
        for name, pair in self.pairs.items():
            legs = (pair.one, pair.other)
            refuse_unknown(("pairs", name), "selection", legs, self.clusters)
        return self


class KlmTracks(Sourced):
    """Straight tracks in sectors of the muon system: so many layers hit, found so often."""

    min_layers: Annotated[int, Field(gt=0)]
    barrel_sectors: Annotated[int, Field(gt=0)]
    endcap_sectors: Annotated[int, Field(gt=0)]
    barrel_efficiency: Fraction
    endcap_efficiency: Fraction


class Opening(Settings):
    """Whether two objects of one event lie ``least_deg`` apart in azimuth, counted in bins."""

    one: Name
    other: Name
    least_deg: Annotated[float, Field(strict=True, gt=0, le=180)]


class Match(Settings):
    """How many objects ``one`` lie within ``within_deg`` of one of the objects ``other``.

    In azimuth; that of a track is taken at a radius, as if it came from the origin. The angle is
    counted between bins, or from the centre of a sector of the muon system.
    """

    one: Name
    other: Name
    radius_cm: NonNegative = 0.0
    within_deg: Annotated[float, Field(strict=True, ge=0, lt=180)]


class Matching(Sourced):
    """What is seen of tracks, clusters and sectors together, in bins of azimuth."""

    azimuth_bins: Annotated[int, Field(gt=3, le=64)]
    openings: dict[Name, Opening]
    matches: Annotated[dict[Name, Match], Field(default_factory=dict)]

    @cached_property
    def asked(self) -> frozenset[str]:
        """Names of all objects that are compared."""
        openings = {name for o in self.openings.values() for name in (o.one, o.other)}
        return frozenset(openings | {n for m in self.matches.values() for n in (m.one, m.other)})


class LevelOne(Menu):
    """The hardware trigger: objects that it finds, and its menu."""

    track_errors: TrackErrors
    tracks: dict[Name, TriggerTrack]
    ecl: TriggerCells
    klm: KlmTracks
    matching: Matching

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        self._check_kinds()
        for _, ecl in self.ecl.versions():
            objects = (*self.tracks, *ecl.clusters, *KLM_SECTIONS)
            for where, matching in self.matching.versions("matching"):
                self._check_matching(where, matching, objects)
                flags = (*ecl.pairs, *ecl.sums, *ecl.ring_pairs)
                counts = (*objects, *flags, *matching.openings, *matching.matches)
                refuse_shared_names(counts)
                self._refuse_unknown_counts(frozenset(counts))
        return self

    def _check_kinds(self) -> None:
        """Tracks are found kind by kind, in their order."""
        before: list[str] = []
        for name, track in self.tracks.items():
            for where, version in track.versions("tracks", name):
                others = (*version.among, *version.unless)
                refuse_unknown(where, "kind", others, self.tracks)
                for other in others:
                    if other not in before:
                        refuse(where, f"kind '{other}' must stand before it")
            before.append(name)

    def _check_matching(
        self, where: tuple[str, ...], matching: Matching, objects: tuple[str, ...]
    ) -> None:
        for name, opening in matching.openings.items():
            legs = (opening.one, opening.other)
            refuse_unknown((*where, "openings", name), "object", legs, objects)
        for name, match in matching.matches.items():
            place, legs = (*where, "matches", name), (match.one, match.other)
            refuse_unknown(place, "object", legs, objects)
            if match.radius_cm and match.one not in self.tracks:
                refuse(place, f"radius_cm is for tracks, '{match.one}' is no kind of them")
