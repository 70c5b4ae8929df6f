"""Events made up of a few reconstructed objects, for what counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from darkbelle.detsim.events import ClusterTable, TrackTable, VertexTable
from darkbelle.detsim.helix import omega_from_pt
from darkbelle.detsim.trigger.high_level import count_high_level
from darkbelle.detsim.trigger.menu import Counts, decide
from darkbelle.gen.kinematics import boost, rotate_z_to
from darkbelle.gen.particles import PION, species
from darkbelle.geometry import Experiment
from darkbelle.records import columns

Table = TypeVar("Table")

TURN = 77.0
"""Where azimuths are counted from [deg], so that no momentum lies along an axis."""


@dataclass(frozen=True)
class Track:
    """A track by its momentum in the centre of mass [GeV, deg], and what it owns in the lab."""

    charge: int
    p: float
    theta: float = 90.0
    phi: float = 0.0
    owns: tuple[float, ...] = ()
    d0: float = 0.0
    z0: float = 0.0
    cdc: int = 40


@dataclass(frozen=True)
class Cluster:
    """A cluster by its energy and direction in the centre of mass [GeV, deg]."""

    energy: float
    theta: float = 90.0
    phi: float = 0.0
    track: int = -1


@dataclass(frozen=True)
class Vertex:
    """A vertex of two tracks by its place [cm, deg]."""

    radius: float
    theta: float = 70.0
    chi2: float = 1.0
    plus: int = 0
    minus: int = 1


@dataclass(frozen=True)
class Event:
    """What was reconstructed in one event."""

    tracks: Sequence[Track] = ()
    clusters: Sequence[Cluster] = ()
    vertices: Sequence[Vertex] = field(default=())


def to_lab(energy: Any, p: Any, theta_deg: Any, phi_deg: Any, experiment: Experiment) -> np.ndarray:
    """Momenta (4, n) of some directions in the centre of mass, electrons along z."""
    collider = experiment.collider
    beams = collider.four_momentum
    back = np.stack([beams[0], *-beams[1:]])
    electrons = boost(np.array([1.0, *collider.direction_her]), back)
    theta = np.radians(np.asarray(theta_deg, float))
    phi = np.radians(TURN + np.asarray(phi_deg, float))
    direction = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    p_cms = np.stack([np.asarray(energy, float), *(np.asarray(p, float) * direction)])
    turned = rotate_z_to(p_cms, (electrons[1:] / electrons[0])[:, None])
    return boost(turned, beams[:, None])


def table_of(kind: type[Table], n: int, values: dict[str, Any]) -> Table:
    """A table of n rows; columns that are not given are zero."""
    shapes = {"helix": (n, 5), "cov": (n, 5, 5), "pid": (n, 1)}
    filled = {name: np.zeros(shapes.get(name, n), col.dtype) for name, col in columns(kind).items()}
    return kind(**{**filled, **values})


def tracks_of(events: Sequence[Event], experiment: Experiment) -> TrackTable:
    """Tracks of some events."""
    tracks = [track for event in events for track in event.tracks]
    p = np.array([track.p for track in tracks])
    energy = np.hypot(p, species(PION).mass or 0.0)
    angles = [track.theta for track in tracks], [track.phi for track in tracks]
    _, px, py, pz = to_lab(energy, p, *angles, experiment)
    charge = np.array([track.charge for track in tracks], np.int8)
    pt = np.hypot(px, py)
    helix = [
        np.array([track.d0 for track in tracks]),
        np.arctan2(py, px),
        omega_from_pt(pt, charge, experiment.solenoid.field_t),
        np.array([track.z0 for track in tracks]),
        pz / pt,
    ]
    cdc = np.array([track.cdc for track in tracks], np.int16)
    values = {"helix": np.stack(helix, axis=-1), "charge": charge, "n_hits_cdc": cdc}
    return table_of(TrackTable, len(tracks), values)


def clusters_of(events: Sequence[Event], experiment: Experiment) -> tuple[ClusterTable, np.ndarray]:
    """Clusters of some events, first those that tracks own, and how many each has."""
    free = [cluster for event in events for cluster in event.clusters]
    energy = np.array([cluster.energy for cluster in free])
    angles = [cluster.theta for cluster in free], [cluster.phi for cluster in free]
    p = iter(to_lab(energy, energy, *angles, experiment).T)
    rows, counts = [], []
    for event in events:
        owned = [(e, 1.0, 0.0, i) for i, t in enumerate(event.tracks) for e in t.owns]
        for cluster in event.clusters:
            e, px, py, pz = next(p)
            theta, phi = np.arctan2(np.hypot(px, py), pz), np.arctan2(py, px)
            owned.append((e, theta, phi, cluster.track))
        rows += owned
        counts.append(len(owned))
    columns_of_rows = np.array(rows, float).reshape(-1, 4).T
    values = dict(zip(("energy", "theta", "phi", "track_index"), columns_of_rows, strict=True))
    values["track_index"] = values["track_index"].astype(np.int32)
    return table_of(ClusterTable, len(rows), values), np.array(counts, np.int64)


def vertices_of(events: Sequence[Event]) -> VertexTable:
    """Vertices of some events."""
    vertices = [vertex for event in events for vertex in event.vertices]
    radius = np.array([vertex.radius for vertex in vertices])
    theta = np.radians([vertex.theta for vertex in vertices])
    values = {
        "x": 0.6 * radius,
        "y": 0.8 * radius,
        "z": radius / np.tan(theta),
        "chi2": np.array([vertex.chi2 for vertex in vertices]),
        "track_plus": np.array([vertex.plus for vertex in vertices], np.int32),
        "track_minus": np.array([vertex.minus for vertex in vertices], np.int32),
    }
    return table_of(VertexTable, len(vertices), values)


def offsets(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """Where the rows of each event begin and end."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def count(events: Sequence[Event], experiment: Experiment) -> Counts:
    """What the high level counts in some events."""
    clusters, n_clusters = clusters_of(events, experiment)
    return count_high_level(
        tracks_of(events, experiment),
        offsets([len(event.tracks) for event in events]),
        clusters,
        offsets(n_clusters),
        vertices_of(events),
        offsets([len(event.vertices) for event in events]),
        experiment,
    )


def fires(line: str, events: Sequence[Event], experiment: Experiment) -> list[bool]:
    """In which events a line of the high level fires."""
    menu = experiment.trigger.hlt
    fired = decide(menu, count(events, experiment), len(events), np.random.default_rng(1))
    return fired[:, menu.line_names.index(line)].tolist()
