"""Candidates of neutral particles in a sample: photons, pi0, eta, K_S, as awkward vectors.

What comes back keeps the events of the `Sample`: a list of photons for each event, with the columns
of their clusters, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import awkward as ak
import numpy as np
import vector.backends.awkward

from darkbelle.detsim import VertexStatus
from darkbelle.geometry.calorimeter import Region
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.windows import ETA_WINDOW, K_SHORT_WINDOW, PI0_WINDOW

__all__ = [
    "ETA_WINDOW",
    "K_SHORT_WINDOW",
    "PHOTON_LISTS",
    "PI0_WINDOW",
    "PhotonCuts",
    "eta",
    "k_short",
    "photon_pairs",
    "photons",
    "pi0",
]


@dataclass(frozen=True, slots=True)
class PhotonCuts:
    """Least energies [GeV] of photons in the three parts of the calorimeter."""

    forward: float
    barrel: float
    backward: float


PHOTON_LISTS: Final = {
    "all": PhotonCuts(0.0, 0.0, 0.0),
    "tight": PhotonCuts(0.050, 0.050, 0.075),
    "pi0_60": PhotonCuts(0.0225, 0.020, 0.020),
    "pi0_50": PhotonCuts(0.025, 0.025, 0.040),
    "pi0_40": PhotonCuts(0.080, 0.030, 0.060),
    "pi0_20": PhotonCuts(0.120, 0.030, 0.080),
    "pi0_10": PhotonCuts(0.200, 0.100, 0.180),
    "belle": PhotonCuts(0.100, 0.050, 0.150),
}
"""Lists of basf2 (analysis/scripts/stdPhotons.py), named by their efficiency; Belle's usual one."""

_K_SHORT_MOMENTUM: Final = (0.5, 1.5)
_K_SHORT_D0: Final = np.array([0.05, 0.03, 0.02])
_K_SHORT_ANGLE: Final = np.array([0.3, 0.1, 0.03])
_K_SHORT_FLIGHT: Final = np.array([0.0, 0.08, 0.22])
"""By momentum [GeV]: least distances [cm], greatest angle [rad].

As basf2's goodBelleKshort, but for its cut on the distance of the tracks along z; the angle here is
the one in space.
"""


def photons(
    sample: Sample,
    cuts: PhotonCuts = PHOTON_LISTS["tight"],
    *,
    vertex: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Any:
    """Clusters that no track owns as photons from a vertex [cm], with their ``cluster_index``.

    A photon that was born elsewhere is taken for one from there: a calorimeter does not point.
    """
    clusters = ak.with_field(
        sample.clusters, ak.local_index(sample.clusters.energy), "cluster_index"
    )
    least = ak.where(clusters.region == int(Region.FORWARD), cuts.forward, cuts.barrel)
    least = ak.where(clusters.region == int(Region.BACKWARD), cuts.backward, least)
    chosen = clusters[(clusters.track_index < 0) & (clusters.energy >= least)]
    sine = np.sin(chosen.theta)
    away = [
        chosen.r * component - start
        for component, start in zip(
            (sine * np.cos(chosen.phi), sine * np.sin(chosen.phi), np.cos(chosen.theta)),
            vertex,
            strict=True,
        )
    ]
    distance = np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)
    momentum = {
        name: chosen.energy * component / distance
        for name, component in zip(("px", "py", "pz"), away, strict=True)
    }
    columns = {name: chosen[name] for name in chosen.fields if name not in ("theta", "phi")}
    return _vectors(momentum | columns)


def photon_pairs(found: Any, window: tuple[float, float] = (0.0, np.inf)) -> Any:
    """All pairs of photons with a mass in a window [GeV].

    ``first`` and ``second`` are indices of clusters, ``sigma_mass`` is the error of the mass by the
    errors of the clusters, ``angle`` that between the photons [rad].
    """
    one, two = ak.unzip(ak.combinations(found, 2))
    pair = one + two
    angle = _angle(one, two)
    relative2 = (one.sigma_energy / one.energy) ** 2 + (two.sigma_energy / two.energy) ** 2
    across2 = sum(
        (photon.sigma_theta**2 + (np.sin(photon.theta) * photon.sigma_phi) ** 2) / 2
        for photon in (one, two)
    )
    mass = 2 * np.sqrt(one.energy * two.energy) * np.sin(angle / 2)
    columns = {
        "px": pair.px,
        "py": pair.py,
        "pz": pair.pz,
        "mass": mass,
        "sigma_mass": mass / 2 * np.sqrt(relative2 + across2 / np.tan(angle / 2) ** 2),
        "angle": angle,
        "first": one.cluster_index,
        "second": two.cluster_index,
    }
    candidates = _vectors(columns)
    return candidates[(mass > window[0]) & (mass < window[1])]


def pi0(found: Any, window: tuple[float, float] = PI0_WINDOW) -> Any:
    """Candidates of pi0 -> gamma gamma, cf. `photon_pairs`."""
    return photon_pairs(found, window)


def eta(found: Any, window: tuple[float, float] = ETA_WINDOW) -> Any:
    """Candidates of eta -> gamma gamma, cf. `photon_pairs`."""
    return photon_pairs(found, window)


def k_short(sample: Sample, window: tuple[float, float] = K_SHORT_WINDOW) -> Any:
    """Candidates of K_S -> pi pi: vertices away from the beams, pointing back, with ``mass``."""
    vertices = sample.vertices
    tracks = sample.tracks
    vertices = vertices[vertices.fit_status == int(VertexStatus.OK)]
    vertices = vertices[(vertices.mass_pipi > window[0]) & (vertices.mass_pipi < window[1])]
    d0 = np.minimum(abs(tracks.d0[vertices.track_plus]), abs(tracks.d0[vertices.track_minus]))
    bin_ = sum((vertices.p > edge) * 1 for edge in _K_SHORT_MOMENTUM)
    good = (
        (d0 > _by_bin(_K_SHORT_D0, bin_))
        & (vertices.pointing_angle < _by_bin(_K_SHORT_ANGLE, bin_))
        & (vertices.flight_xy > _by_bin(_K_SHORT_FLIGHT, bin_))
    )
    chosen = vertices[good]
    columns = {name: chosen[name] for name in chosen.fields}
    return _vectors(columns | {"mass": chosen.mass_pipi})


def _angle(one: Any, two: Any) -> Any:
    """Angle between momenta [rad], accurate for small ones."""
    apart2 = sum((one[axis] / one.p - two[axis] / two.p) ** 2 for axis in ("px", "py", "pz"))
    return 2 * np.arcsin(np.minimum(np.sqrt(apart2) / 2, 1.0))


def _by_bin(values: Any, bin_: Any) -> Any:
    flat = ak.Array(values[ak.to_numpy(ak.flatten(bin_))])
    return ak.unflatten(flat, ak.num(bin_))


def _vectors(columns: dict[str, Any]) -> Any:
    """Four-momenta with further columns."""
    behavior = vector.backends.awkward.behavior
    return ak.zip(columns, depth_limit=2, with_name="Momentum4D", behavior=behavior)
