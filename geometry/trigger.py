"""The schema of a trigger: what its two levels count in an event, and lines that ask for counts.

Whatever the trigger finds is a count: tracks, clusters, pairs, sectors, and flags, which are counts
of zero or one. A line names the counts that it needs, so that a card can define lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from darkbelle.errors import did_you_mean
from darkbelle.geometry.sourced import Finite, Fraction, NonNegative, Positive, Sourced
from darkbelle.settings import Settings

__all__ = [
    "KLM_SECTIONS",
    "N_RINGS",
    "Bounds",
    "ClusterCut",
    "Condition",
    "DisplacedVertex",
    "EnergySum",
    "HardestPair",
    "HighLevel",
    "LevelOne",
    "Line",
    "Match",
    "Menu",
    "Opening",
    "Pair",
    "RingPair",
    "ShowerCut",
    "SumCut",
    "TrackCut",
    "Trigger",
    "TriggerCells",
    "TriggerTrack",
]

N_RINGS: Final = 17
"""Rings of trigger cells, from forward to backward; cards number them from 1."""
KLM_SECTIONS: Final = ("klm_barrel", "klm_forward", "klm_backward")
"""Counts of sectors with a hit track in the muon system."""


def _check_name(name: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        msg = "a name is made of small letters, digits and _, a letter first"
        raise ValueError(msg)
    return name


def _check_bounds(bounds: Any) -> Any:
    """Refuse what is neither a number nor a range: a union would complain about both."""
    numbers = bounds if isinstance(bounds, (list, tuple)) else [bounds, bounds]
    if len(numbers) != 2 or any(type(number) is not int or number < 0 for number in numbers):
        msg = "must be the least number, from 0 up, or the least and the most, as in [1, 2]"
        raise ValueError(msg)
    if numbers[0] > numbers[1]:
        msg = "the least number must not exceed the most"
        raise ValueError(msg)
    return bounds


Count = Annotated[int, Field(strict=True, ge=0)]
Name = Annotated[str, AfterValidator(_check_name)]
Degrees = tuple[Finite, Finite]
Bounds = int | tuple[int, int]
"""The least number, or the least and the most."""
Condition = dict[Name, Annotated[Bounds, BeforeValidator(_check_bounds)]]
"""Counts that must all be reached: the least number, or the least and the most."""


class Line(Sourced):
    """One line of a menu.

    It fires in events that reach every count of ``needs``, one at least of the conditions
    ``any_of`` if there are any, and none of the conditions ``veto``, with some ``efficiency``.
    """

    needs: Condition
    any_of: tuple[Condition, ...] = ()
    veto: tuple[Condition, ...] = ()
    efficiency: Fraction = 1.0

    @model_validator(mode="after")
    def _check_conditions(self) -> Self:
        conditions = (self.needs, *self.any_of, *self.veto)
        if not any(conditions):
            msg = "a line needs a condition: needs, any_of"
            raise ValueError(msg)
        return self

    def named(self) -> Iterable[tuple[str, int | tuple[int, int]]]:
        """All counts that it asks for, with their bounds."""
        for condition in (self.needs, *self.any_of, *self.veto):
            yield from condition.items()


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
        return frozenset(name for line in self.lines.values() for name, _ in line.named())

    @model_validator(mode="after")
    def _check_prescales(self) -> Self:
        _refuse_unknown("prescales.ratios", "line", self.prescales.ratios, self.lines)
        return self

    def _refuse_unknown_counts(self, known: Iterable[str]) -> None:
        """Refuse lines that ask for what nobody counts."""
        names = tuple(known)
        for name, line in self.lines.items():
            _refuse_unknown(f"lines.{name}", "count", (count for count, _ in line.named()), names)


class Pair(Settings):
    """Two objects at an angle in the centre of mass, of the selections ``one`` and ``other``.

    ``dphi_deg`` is the range of their distance in azimuth, at most 180, ``theta_sum_deg`` that of
    the sum of their polar angles. ``ordered``: the one is the less energetic of the two.
    """

    one: Name
    other: Name
    dphi_deg: Degrees = (0.0, 180.0)
    theta_sum_deg: Degrees = (0.0, 360.0)
    ordered: bool = False


# ---- level one -----------------------------------------------------------------------------------


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
    superlayers: tuple[str, ...] = ()
    min_superlayers: Count = 0
    theta_deg: Degrees = (0.0, 180.0)
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
        if self.min_superlayers > len(self.superlayers):
            msg = f"min_superlayers = {self.min_superlayers} exceeds the number of superlayers"
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


class ClusterCut(Settings):
    """Clusters of trigger cells by energy in the laboratory and centre of mass, and by ring."""

    e_lab_gev: NonNegative = 0.0
    e_lab_max_gev: Positive | None = None
    e_cms_gev: NonNegative = 0.0
    e_cms_max_gev: Positive | None = None
    rings: tuple[Annotated[int, Field(ge=1, le=N_RINGS)], ...] = tuple(range(1, N_RINGS + 1))


class EnergySum(Settings):
    """Whether the cells of some rings hold more than an energy."""

    e_lab_gev: NonNegative
    rings: tuple[Annotated[int, Field(ge=1, le=N_RINGS)], ...]


class RingPair(Settings):
    """Whether forward and backward rings both hold their energies, for one of several types."""

    forward: tuple[tuple[Annotated[int, Field(ge=1, le=N_RINGS)], ...], ...]
    backward: tuple[tuple[Annotated[int, Field(ge=1, le=N_RINGS)], ...], ...]
    forward_gev: tuple[NonNegative, ...]
    backward_gev: tuple[NonNegative, ...]

    @model_validator(mode="after")
    def _check_types(self) -> Self:
        lengths = {
            len(getattr(self, name))
            for name in ("forward", "backward", "forward_gev", "backward_gev")
        }
        if len(lengths) > 1:
            msg = "forward, backward, forward_gev and backward_gev need one value for each type"
            raise ValueError(msg)
        return self


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
    are whole degrees. What is compared must exceed its limits, angles but for 0, 180 and 360.
    """

    theta_edges_deg: Annotated[tuple[Finite, ...], Field(min_length=18, max_length=18)]
    cells: Annotated[tuple[Annotated[int, Field(gt=2)], ...], Field(min_length=17, max_length=17)]
    barrel_rings: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=N_RINGS)]]
    threshold_gev: NonNegative
    window_ns: Positive
    max_clusters: Count
    e_cms_step_gev: NonNegative
    response: CellResponse
    clusters: dict[Name, ClusterCut]
    pairs: Annotated[dict[Name, Pair], Field(default_factory=dict)]
    sums: Annotated[dict[Name, EnergySum], Field(default_factory=dict)]
    ring_pairs: Annotated[dict[Name, RingPair], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _check_edges(self) -> Self:
        edges = self.theta_edges_deg
        if any(low >= high for low, high in pairwise(edges)) or edges[0] < 0 or edges[-1] > 180:
            msg = f"theta_edges_deg must increase between 0 and 180 (got {edges})"
            raise ValueError(msg)
        _refuse_unknown_legs(self.pairs, self.clusters)
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
    """How many objects lie within ``within_deg`` of one of the objects ``to``, in azimuth.

    That of a track is taken at a radius, as if it came from the origin. The angle is counted
    between bins, or from the centre of a sector of the muon system.
    """

    of: Name
    to: Name
    radius_cm: NonNegative = 0.0
    within_deg: Annotated[float, Field(strict=True, ge=0, lt=180)]


class Matching(Sourced):
    """What is seen of tracks, clusters and sectors together, in bins of azimuth."""

    azimuth_bins: Annotated[int, Field(gt=3, le=64)]
    openings: dict[Name, Opening]
    matches: Annotated[dict[Name, Match], Field(default_factory=dict)]

    @cached_property
    def named(self) -> frozenset[str]:
        """Names of all objects that are compared."""
        openings = {name for o in self.openings.values() for name in (o.one, o.other)}
        return frozenset(openings | {n for m in self.matches.values() for n in (m.of, m.to)})


class LevelOne(Menu):
    """The hardware trigger: objects that it finds, and its menu."""

    track_errors: TrackErrors
    tracks: dict[Name, TriggerTrack]
    ecl: TriggerCells
    klm: KlmTracks
    matching: Matching

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        found: list[str] = []
        for name, track in self.tracks.items():
            _refuse_unknown(f"tracks.{name}", "kind", (*track.among, *track.unless), found)
            found.append(name)
        ecl, matching = self.ecl, self.matching
        objects = (*self.tracks, *ecl.clusters, *KLM_SECTIONS)
        for name, opening in matching.openings.items():
            _refuse_unknown(f"openings.{name}", "object", (opening.one, opening.other), objects)
        for name, match in matching.matches.items():
            _refuse_unknown(f"matches.{name}", "object", (match.of, match.to), objects)
        flags = (*ecl.pairs, *ecl.sums, *ecl.ring_pairs, *matching.openings, *matching.matches)
        counts = (*objects, *flags)
        _refuse_twins(counts)
        self._refuse_unknown_counts(counts)
        return self


# ---- high level ----------------------------------------------------------------------------------


class TrackCut(Settings):
    """Reconstructed tracks: distances of the perigee from the origin, hits, momentum, energy.

    The energy is that of the clusters which the track owns; in the centre of mass, it flies along
    the track.
    """

    d0_cm: Positive | None = None
    z0_cm: Positive | None = None
    min_cdc_hits: Count = 0
    pt_gev: NonNegative = 0.0
    p_cms_gev: NonNegative = 0.0
    e_gev: NonNegative = 0.0
    e_max_gev: Positive | None = None
    e_cms_gev: NonNegative = 0.0
    e_over_p: NonNegative = 0.0


class ShowerCut(Settings):
    """Reconstructed clusters: energy in the laboratory and centre of mass, polar angle, track.

    The angle lies in one of the ranges; ``neutral`` clusters are those that no track owns.
    """

    e_lab_gev: NonNegative = 0.0
    e_lab_max_gev: Positive | None = None
    e_cms_gev: NonNegative = 0.0
    theta_deg: Annotated[tuple[Degrees, ...], Field(min_length=1)] | None = None
    neutral: bool | None = None


class HardestPair(Settings):
    """Whether the two hardest objects of the selection ``of`` make a certain pair.

    Of tracks that is the one of each charge with the highest pt, of clusters the two with the most
    energy in the centre of mass, where angles are taken too. What is given must hold: one of them
    belongs to the selection ``one`` and the other to ``other``; ``dphi_deg`` is the range of their
    distance in azimuth, at most 180, ``theta_sum_deg`` that of the sum of their polar angles;
    ``mass_gev`` and ``pt_gev`` are the least of their sum; what is missing to the beams has at
    least ``missing_p_gev``, flies in one of the ranges ``missing_theta_deg``, and within
    ``missing_angle_deg`` of one of the two.
    """

    of: Name
    one: Name | None = None
    other: Name | None = None
    dphi_deg: Degrees | None = None
    theta_sum_deg: Degrees | None = None
    mass_gev: NonNegative | None = None
    pt_gev: NonNegative | None = None
    missing_p_gev: NonNegative | None = None
    missing_theta_deg: Annotated[tuple[Degrees, ...], Field(min_length=1)] | None = None
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
    radius_cm: tuple[NonNegative, Positive]
    theta_deg: Degrees
    back_to_back_deg: NonNegative


class SumCut(Settings):
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
    clusters: Annotated[dict[Name, ShowerCut], Field(default_factory=dict)]
    net_charges: Annotated[dict[Name, Name], Field(default_factory=dict)]
    pairs: Annotated[dict[Name, HardestPair], Field(default_factory=dict)]
    sums: Annotated[dict[Name, SumCut], Field(default_factory=dict)]
    displaced_vertices: Annotated[dict[Name, DisplacedVertex], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        tracks, clusters = self.tracks, self.clusters
        for name, charged in self.net_charges.items():
            _refuse_unknown(f"net_charges.{name}", "selection", (charged,), tracks)
        for name, pair in self.pairs.items():
            _refuse_unknown(f"pairs.{name}", "selection", (pair.of,), (*tracks, *clusters))
            legs = [leg for leg in (pair.one, pair.other) if leg is not None]
            alike = tracks if pair.of in tracks else clusters
            _refuse_unknown(f"pairs.{name}", "selection", legs, alike)
        for name, total in self.sums.items():
            _refuse_unknown(f"sums.{name}", "selection", (total.clusters,), clusters)
        for name, vertex in self.displaced_vertices.items():
            _refuse_unknown(f"displaced_vertices.{name}", "selection", (vertex.tracks,), tracks)
        flags = (*self.pairs, *self.sums, *self.displaced_vertices)
        counts = (*tracks, *clusters, *self.net_charges, *flags)
        _refuse_twins(counts)
        self._refuse_unknown_counts(counts)
        return self


class Trigger(Settings):
    """Both levels; the second sees the events that the first has kept."""

    l1: LevelOne
    hlt: HighLevel

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for name in self.l1.lines:
            if name in self.hlt.lines:
                msg = f"'{name}' is the name of a line of both levels: names must differ"
                raise ValueError(msg)
        return self


def _refuse_unknown_legs(pairs: Mapping[str, Pair], known: Iterable[str]) -> None:
    names = tuple(known)
    for name, pair in pairs.items():
        _refuse_unknown(f"pairs.{name}", "selection", (pair.one, pair.other), names)


def _refuse_unknown(where: str, what: str, named: Iterable[str], known: Iterable[str]) -> None:
    names = tuple(known)
    for name in named:
        if name not in names:
            msg = f"{where}: unknown {what} '{name}', {did_you_mean(name, names)}"
            raise ValueError(msg)


def _refuse_twins(names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            msg = f"'{name}' is the name of two counts: names must differ"
            raise ValueError(msg)
