"""The K_L and muon system: what reaches it, what ends in it, and the clusters that it sees.

Muons leave hits in every layer that their range allows. Hadrons do until they interact; the shower
goes on for some iron. K_L, neutrons, and photons that the calorimeter missed leave a cluster with
the probability that the card gives. Left out: straggling, multiple scattering, gaps between the
octants, decays behind the face of the calorimeter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.klm_flight import fly_to_iron
from darkbelle.detsim.klm_layers import pass_layers
from darkbelle.detsim.klm_marks import (
    Entrants,
    Kind,
    Marks,
    charged_marks,
    neutral_marks,
    photon_marks,
)
from darkbelle.gen.events import Outcome
from darkbelle.gen.particles import ELECTRON, PHOTON, charges, is_hadron, masses
from darkbelle.geometry import Experiment
from darkbelle.geometry.klm import KlmSection, MuonHits, MuonSystem
from darkbelle.units import deg, mrad

__all__ = ["KlmResponse", "respond"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
CountArray = npt.NDArray[np.int16]
CodeArray = npt.NDArray[np.int8]

_BLOCK = 16384
"""Particles handled at once. It decides who draws which random numbers."""


@dataclass(frozen=True, slots=True)
class KlmResponse:
    """What became of the arrivals behind the calorimeter, and the clusters seen of them.

    ``outcome`` of each arrival: stopped by its range between the face of the calorimeter and the
    last plate, absorbed by an interaction behind the calorimeter; escaped where nothing else is
    known: what showered in the calorimeter, or turned back in the field, is none of its matter.

    Clusters in the order of the arrivals, at most one an arrival, shape (n_clusters,) each:
    ``source`` among the arrivals; position [cm] in the innermost layer with a hit; ``theta`` and
    ``phi`` as seen from the origin [rad]; ``innermost_layer`` of its ``section``, the first being
    1; ``n_in_barrel`` of the ``n_layers`` with a hit; ``time`` [ns].
    """

    outcome: CodeArray
    source: IndexArray
    x: FloatArray
    y: FloatArray
    z: FloatArray
    theta: FloatArray
    phi: FloatArray
    n_layers: CountArray
    n_in_barrel: CountArray
    innermost_layer: CountArray
    time: FloatArray
    section: CodeArray


def respond(
    arrivals: Arrivals,
    behaviour: npt.NDArray[np.int32],
    showered: BoolArray,
    experiment: Experiment,
    rng: np.random.Generator,
) -> KlmResponse:
    """Simulate the response of the muon system to what arrives at the calorimeter.

    Parameters
    ----------
    arrivals
        At the inner face of the calorimeter.
    behaviour
        Code of the species that each behaves like, shape (n,).
    showered
        Whether it ended in a shower in the calorimeter, shape (n,).
    """
    charge, mass = charges(arrivals.pdg_id), masses(arrivals.pdg_id)
    kind = _kinds(behaviour, charge, showered)
    outcome = np.full(len(arrivals), Outcome.ESCAPED, np.int8)
    involved = np.flatnonzero(kind != Kind.UNSEEN)
    clusters = []
    for start in range(0, max(len(involved), 1), _BLOCK):
        some = involved[start : start + _BLOCK]
        entrants = _enter(
            arrivals.take(some), kind[some], charge[some], mass[some], showered[some], experiment
        )
        for leave_marks in (charged_marks, neutral_marks, photon_marks):
            marks = leave_marks(entrants, experiment.klm, rng)
            outcome[some[marks.chosen]] = marks.outcome
            found = _clusters(marks, entrants, experiment.klm, rng)
            clusters.append(found | {"source": some[found["source"]]})
    columns = {name: np.concatenate([c[name] for c in clusters]) for name in clusters[0]}
    order = np.argsort(columns["source"], kind="stable")
    return KlmResponse(outcome, **{name: column[order] for name, column in columns.items()})


def _kinds(
    behaviour: npt.NDArray[np.int32], charge: npt.NDArray[np.int8], showered: BoolArray
) -> CodeArray:
    """How each arrival shows; photons and electrons that showered in the calorimeter do not."""
    hadron = is_hadron(behaviour)
    kind = np.select(
        [
            np.isin(np.abs(behaviour), (PHOTON, ELECTRON)),
            hadron & (charge == 0),
            hadron,
            charge != 0,
        ],
        [
            np.where(showered, Kind.UNSEEN, Kind.PHOTON),
            Kind.NEUTRAL_HADRON,
            Kind.CHARGED_HADRON,
            Kind.MUON,
        ],
        Kind.UNSEEN,
    )
    return kind.astype(np.int8)


def _enter(
    arrivals: Arrivals,
    kind: CodeArray,
    charge: npt.NDArray[np.int8],
    mass: FloatArray,
    showered: BoolArray,
    experiment: Experiment,
) -> Entrants:
    """Carry arrivals through calorimeter and coil into the iron."""
    system, field = experiment.klm, experiment.solenoid.field_t
    line = fly_to_iron(arrivals.point, arrivals.momentum, charge, mass, system, field)
    p = np.sqrt((arrivals.momentum[1:] ** 2).sum(axis=0))
    return Entrants(kind, arrivals.pdg_id, p, showered, line, pass_layers(line, system))


def _clusters(
    marks: Marks, entrants: Entrants, system: MuonSystem, rng: np.random.Generator
) -> dict[str, npt.NDArray[Any]]:
    """The columns of a response; ``source`` among the entrants."""
    seen = np.flatnonzero(marks.n_layers > 0)
    source, row, line = marks.chosen[seen], marks.layer[seen], entrants.line
    length = entrants.passage.distance[row, source]
    x = line.x[source] + length * line.dx[source]
    y = line.y[source] + length * line.dy[source]
    z = line.z[source] + length * line.dz[source]
    distance, rho = np.sqrt(x**2 + y**2 + z**2), np.hypot(x, y)

    hits = system.hits
    direction = system.neutral_hadrons.direction_mrad * mrad * distance
    error = np.where(marks.is_shower[seen], direction, hits.position_resolution_cm)
    up, around = error * rng.standard_normal((2, len(seen)))
    kept = rng.random(len(seen)) < _overlap_factor(np.arctan2(rho, z), hits)
    x_seen = x + up * x * z / (rho * distance) - around * y / rho
    y_seen = y + up * y * z / (rho * distance) + around * x / rho
    z_seen = z - up * rho / distance

    n_barrel = system.barrel.n_layers
    endcap = np.where(line.dz[source] > 0, KlmSection.FORWARD, KlmSection.BACKWARD)
    section = np.where(row < n_barrel, KlmSection.BARREL, endcap).astype(np.int8)
    layer = np.where(row < n_barrel, row, row - n_barrel) + 1
    n_scintillator = np.array(
        [part.n_scintillator_layers for part in (system.barrel, system.forward, system.backward)]
    )
    sigma = np.where(layer <= n_scintillator[section], hits.scintillator_time_ns, hits.rpc_time_ns)
    time = line.t[source] + length / line.speed[source]
    columns = {
        "source": source,
        "x": x_seen,
        "y": y_seen,
        "z": z_seen,
        "theta": np.arctan2(np.hypot(x_seen, y_seen), z_seen),
        "phi": np.arctan2(y_seen, x_seen),
        "n_layers": marks.n_layers[seen].astype(np.int16),
        "n_in_barrel": marks.n_in_barrel[seen].astype(np.int16),
        "innermost_layer": layer.astype(np.int16),
        "time": time + sigma * rng.standard_normal(len(seen)),
        "section": section,
    }
    return {name: column[kept] for name, column in columns.items()}


def _overlap_factor(theta: FloatArray, hits: MuonHits) -> FloatArray:
    """What the overlap of barrel and endcap leaves of the efficiency."""
    factor = np.ones_like(theta)
    for low, high in hits.overlap_deg:
        factor[(low * deg < theta) & (theta < high * deg)] = hits.overlap_factor
    return factor
