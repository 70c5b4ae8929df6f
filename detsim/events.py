"""The reconstructed record: what the detector measured, as flat columns."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from darkbelle.gen.events import TruthEvents
from darkbelle.geometry.calorimeter import Region
from darkbelle.geometry.klm import KlmSection
from darkbelle.records import column

__all__ = [
    "ClusterTable",
    "FitStatus",
    "KlmClusterTable",
    "RecoEvents",
    "TrackTable",
    "TriggerTable",
    "VertexStatus",
    "VertexTable",
]

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int16]


class FitStatus(enum.IntEnum):
    """Whether a track's parameters can be used."""

    OK = 0
    NO_FIELD = 1
    """A straight track: its momentum and charge are unknown."""


@dataclass(frozen=True, slots=True)
class TrackTable:
    """Tracks, event after event, shape (n_tracks, ...) each."""

    helix: FloatArray = column(
        "perigee to the origin: d0, phi0, omega, z0, tan_lambda",
        unit="cm, rad, 1/cm, cm, 1",
        dtype="f4",
        edm4hep="D0, phi, omega, Z0, tanLambda",
        sign_flip="D0",
    )
    cov: FloatArray = column(
        "covariance of helix",
        unit="products of those of helix",
        dtype="f4",
        edm4hep="covMatrix",
        sign_flip="D0",
        packing="lower triangle, row by row",
    )
    charge: npt.NDArray[np.int8] = column("charge", unit="e", dtype="i1")
    n_hits_pxd: CountArray = column("pixel hits", dtype="i2")
    n_hits_svd: CountArray = column("silicon strip hits", dtype="i2")
    n_hits_cdc: CountArray = column("drift chamber hits", dtype="i2")
    first_hit_radius: FloatArray = column(
        "distance from the z axis of the first hit in order of flight", unit="cm", dtype="f4"
    )
    cluster_index: npt.NDArray[np.int32] = column(
        "index of its most energetic cluster within the event, -1 for none", dtype="i4"
    )
    e_over_p: FloatArray = column(
        "energy of that cluster over the momentum, NaN without one", dtype="f4"
    )
    pid: npt.NDArray[np.bool_] = column(
        "whether it is taken for a species, at each working point; a table of rates that does not "
        "look at clusters",
        dtype="?",
    )
    truth_index: npt.NDArray[np.int32] = column(
        "index of the true particle within the event", dtype="i4"
    )
    fit_status: npt.NDArray[np.int8] = column(
        "whether the parameters can be used", dtype="i1", codes=FitStatus
    )

    def __len__(self) -> int:
        return len(self.charge)


@dataclass(frozen=True, slots=True)
class ClusterTable:
    """Clusters of the calorimeter, event after event, shape (n_clusters,) each."""

    energy: FloatArray = column("energy", unit="GeV", dtype="f4", edm4hep="energy")
    theta: FloatArray = column("polar angle, seen from the origin", unit="rad", dtype="f4")
    phi: FloatArray = column("azimuth, seen from the origin", unit="rad", dtype="f4")
    r: FloatArray = column(
        "distance from the origin that a photon of this energy from there showers at",
        unit="cm",
        dtype="f4",
    )
    time: FloatArray = column(
        "time since the collision, less that of light from the origin", unit="ns", dtype="f4"
    )
    sigma_energy: FloatArray = column(
        "error of energy", unit="GeV", dtype="f4", edm4hep="energyError"
    )
    sigma_theta: FloatArray = column("error of theta", unit="rad", dtype="f4")
    sigma_phi: FloatArray = column("error of phi", unit="rad", dtype="f4")
    sigma_time: FloatArray = column("error of time", unit="ns", dtype="f4")
    region: npt.NDArray[np.int8] = column("part of the calorimeter", dtype="i1", codes=Region)
    second_moment: FloatArray = column("lateral width squared", unit="cm^2", dtype="f4")
    e9_e21: FloatArray = column("energy in 3x3 over that in 5x5 less 4 crystals", dtype="f4")
    n_crystals: CountArray = column("crystals above noise", dtype="i2")
    track_index: npt.NDArray[np.int32] = column(
        "index of the track that owns it within the event, -1 for none", dtype="i4"
    )
    track_distance: FloatArray = column(
        "distance to the nearest track, infinite without tracks", unit="cm", dtype="f4"
    )
    truth_index: npt.NDArray[np.int32] = column(
        "index of the true particle that left most of it within the event, -1 for none",
        dtype="i4",
    )
    n_particles: npt.NDArray[np.int32] = column(
        "particles whose showers were not told apart in it", dtype="i4"
    )

    def __len__(self) -> int:
        return len(self.energy)


@dataclass(frozen=True, slots=True)
class KlmClusterTable:
    """Clusters in the K_L and muon system, event after event, shape (n_clusters,) each."""

    theta: FloatArray = column("polar angle seen from the origin", unit="rad", dtype="f4")
    phi: FloatArray = column("azimuth seen from the origin", unit="rad", dtype="f4")
    x: FloatArray = column(
        "position in the innermost layer", unit="cm", dtype="f4", edm4hep="position.x"
    )
    y: FloatArray = column(
        "position in the innermost layer", unit="cm", dtype="f4", edm4hep="position.y"
    )
    z: FloatArray = column(
        "position in the innermost layer", unit="cm", dtype="f4", edm4hep="position.z"
    )
    time: FloatArray = column("time of the innermost hit", unit="ns", dtype="f4")
    n_layers: CountArray = column("layers with a hit", dtype="i2")
    innermost_layer: CountArray = column(
        "innermost layer with a hit in its section, the first is 1", dtype="i2"
    )
    section: npt.NDArray[np.int8] = column(
        "part of the system with the innermost hit", dtype="i1", codes=KlmSection
    )
    track_index: npt.NDArray[np.int32] = column(
        "index of its particle's track (or its parent's, decayed in flight), -1 for none",
        dtype="i4",
    )
    truth_index: npt.NDArray[np.int32] = column(
        "index of the true particle within the event", dtype="i4"
    )

    def __len__(self) -> int:
        return len(self.theta)


class VertexStatus(enum.IntEnum):
    """Whether a fitted vertex can be used."""

    OK = 0
    BAD_TRACK = 1
    """A track is not finite, or its covariance not positive: everything is NaN."""
    NOT_CONVERGED = 2
    """The steps did not end, or parallel tracks single out no point: everything is NaN."""
    NO_FIELD = 3
    """The tracks are straight: the vertex is good, momenta and masses are NaN."""


@dataclass(frozen=True, slots=True)
class VertexTable:
    """Two-track vertices, event after event, shape (n_vertices, ...) each.

    A mass is named by what the positive and the negative track are taken for.
    """

    track_plus: npt.NDArray[np.int32] = column(
        "index of the positive track within the event", dtype="i4"
    )
    track_minus: npt.NDArray[np.int32] = column(
        "index of the negative track within the event", dtype="i4"
    )
    x: FloatArray = column("position", unit="cm", dtype="f4", edm4hep="position.x")
    y: FloatArray = column("position", unit="cm", dtype="f4", edm4hep="position.y")
    z: FloatArray = column("position", unit="cm", dtype="f4", edm4hep="position.z")
    cov: FloatArray = column(
        "covariance of the position; along the flight of nearly parallel tracks (conversions, "
        "light pairs beyond the silicon) errors are up to twice as large",
        unit="cm^2",
        dtype="f4",
        edm4hep="covMatrix",
        packing="lower triangle, row by row",
    )
    chi2: FloatArray = column("chi2 of the fit, one degree of freedom", dtype="f4", edm4hep="chi2")
    px: FloatArray = column("sum of the momenta at the vertex", unit="GeV", dtype="f4")
    py: FloatArray = column("sum of the momenta at the vertex", unit="GeV", dtype="f4")
    pz: FloatArray = column("sum of the momenta at the vertex", unit="GeV", dtype="f4")
    pointing_angle: FloatArray = column(
        "angle between momentum and flight from the luminous region", unit="rad", dtype="f4"
    )
    flight_xy: FloatArray = column(
        "transverse distance from the luminous region", unit="cm", dtype="f4"
    )
    flight_xy_significance: FloatArray = column("flight_xy in units of its error", dtype="f4")
    mass_ee: FloatArray = column("mass as e+ e-", unit="GeV", dtype="f4")
    mass_mumu: FloatArray = column("mass as mu+ mu-", unit="GeV", dtype="f4")
    mass_pipi: FloatArray = column("mass as pi+ pi-", unit="GeV", dtype="f4")
    mass_kk: FloatArray = column("mass as K+ K-", unit="GeV", dtype="f4")
    mass_ppi: FloatArray = column("mass as p pi-", unit="GeV", dtype="f4")
    mass_pip: FloatArray = column("mass as pi+ anti-p", unit="GeV", dtype="f4")
    sigma_mass_ee: FloatArray = column("error of mass_ee", unit="GeV", dtype="f4")
    sigma_mass_mumu: FloatArray = column("error of mass_mumu", unit="GeV", dtype="f4")
    sigma_mass_pipi: FloatArray = column("error of mass_pipi", unit="GeV", dtype="f4")
    sigma_mass_kk: FloatArray = column("error of mass_kk", unit="GeV", dtype="f4")
    sigma_mass_ppi: FloatArray = column("error of mass_ppi", unit="GeV", dtype="f4")
    sigma_mass_pip: FloatArray = column("error of mass_pip", unit="GeV", dtype="f4")
    fit_status: npt.NDArray[np.int8] = column(
        "whether the vertex can be used", dtype="i1", codes=VertexStatus
    )

    def __len__(self) -> int:
        return len(self.chi2)


@dataclass(frozen=True, slots=True)
class TriggerTable:
    """Decisions of the trigger, event after event, shape (n_events, ...) each."""

    l1: npt.NDArray[np.bool_] = column("lines of level one that fire", dtype="?")
    l1_prescaled: npt.NDArray[np.bool_] = column(
        "lines of level one that are kept, after their prescales", dtype="?"
    )
    hlt: npt.NDArray[np.bool_] = column(
        "lines of the high level that keep the event, of those that a line of level one kept",
        dtype="?",
    )
    physics: npt.NDArray[np.bool_] = column(
        "whether lines that are not prescaled keep the event, at both levels", dtype="?"
    )

    def __len__(self) -> int:
        return len(self.physics)


@dataclass(frozen=True, slots=True)
class RecoEvents:
    """Simulated events: event i owns the tracks ``track_offsets[i]`` to ``track_offsets[i + 1]``.

    Its vertices and clusters are counted by their own offsets in the same way. ``truth`` is the
    generated record as the detector leaves it, every particle with its outcome. ``systematics`` are
    the names of those errors of the card that were asked for; ``weights`` what the nominal event
    weights are to be multiplied with for the variations of those that change them, by names such as
    "tracking_up".
    """

    truth: TruthEvents
    tracks: TrackTable
    track_offsets: npt.NDArray[np.int64]
    vertices: VertexTable
    vertex_offsets: npt.NDArray[np.int64]
    clusters: ClusterTable
    cluster_offsets: npt.NDArray[np.int64]
    klm_clusters: KlmClusterTable
    klm_cluster_offsets: npt.NDArray[np.int64]
    trigger: TriggerTable
    systematics: tuple[str, ...] = ()
    weights: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.truth.n_events
