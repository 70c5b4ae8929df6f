"""The calorimeter: particles that arrive become clusters with energy, direction, time and shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.cavity import Cavity
from darkbelle.detsim.clustering import Clusters, form_clusters
from darkbelle.detsim.events import ClusterTable
from darkbelle.detsim.showers import Deposits, deposit, photon_depth, region_at
from darkbelle.gen.events import TruthEvents
from darkbelle.geometry import Calorimeter
from darkbelle.geometry.calorimeter import Region, Resolution, ResolutionFormula
from darkbelle.ragged import offsets_of
from darkbelle.units import PERCENT, deg, mrad

__all__ = ["CalorimeterResponse", "ClusterChances", "measure_clusters"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ClusterChances:
    """Showers that were told apart, shape (n,) each, event after event.

    ``truth_index`` of the particle that left most of it within the event, -1 for none, ``energy``
    [GeV], the probability that it had to become a cluster, and whether it did.
    """

    event: IndexArray
    truth_index: IndexArray
    energy: FloatArray
    efficiency: FloatArray
    found: BoolArray


@dataclass(frozen=True, slots=True)
class CalorimeterResponse:
    """Clusters, event i owning ``offsets[i]`` to ``offsets[i + 1]``; no track owns one yet.

    ``deposits`` are what they were made of, with their events; ``showered`` and ``stopped`` say
    which arrivals ended in the crystals, and how; ``chances`` are all that could be clusters.
    """

    deposits: Deposits
    deposit_event: IndexArray
    clusters: ClusterTable
    offsets: npt.NDArray[np.int64]
    showered: BoolArray
    stopped: BoolArray
    chances: ClusterChances


def measure_clusters(
    arrivals: Arrivals,
    behaviour: npt.NDArray[np.int32],
    truth: TruthEvents,
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> CalorimeterResponse:
    """Measure what arrives at the calorimeter and behaves like some species."""
    mass = truth.particles.mass[arrivals.row]
    deposits, showered, stopped = deposit(arrivals, mass, behaviour, ecl, rng)
    event_of_arrival = truth.event_index()[arrivals.row]
    event_of_deposit = event_of_arrival[deposits.source]
    if ecl.beam_background.mean_number:
        event_of_deposit, deposits = _with_background(
            event_of_deposit, deposits, truth.n_events, ecl, rng
        )
    clusters = form_clusters(event_of_deposit, deposits, ecl.clustering, rng)
    index = np.append(arrivals.row - truth.offsets[event_of_arrival], -1)
    table, chances = _find(clusters, index[clusters.content.source], ecl, rng)
    offsets = offsets_of(chances.event[chances.found], truth.n_events)
    return CalorimeterResponse(
        deposits, event_of_deposit, table, offsets, showered, stopped, chances
    )


def _with_background(
    event: IndexArray, deposits: Deposits, n_events: int, ecl: Calorimeter, rng: np.random.Generator
) -> tuple[IndexArray, Deposits]:
    """Deposits of the beams among those of the particles, isotropic in the laboratory."""
    card = ecl.beam_background
    stray = np.repeat(np.arange(n_events), rng.poisson(card.mean_number, n_events))
    n = len(stray)
    away = rng.standard_normal((3, n))
    away /= np.linalg.norm(away, axis=0)
    background = Deposits(
        np.full(n, -1),
        ecl.clustering.threshold_gev + card.energy_gev * rng.standard_exponential(n),
        (ecl.inner_radius_cm + ecl.depth_cm / 2) * away,
        np.full(n, ecl.showers.second_moment_cm2),
        rng.uniform(-card.window_ns, card.window_ns, n),
    )
    seen = region_at(ecl, np.arccos(away[2])) != Region.NONE
    all_events = np.concatenate([event, stray[seen]])
    order = np.argsort(all_events, kind="stable")
    return all_events[order], Deposits.join(deposits, background.take(seen)).take(order)


def _find(
    clusters: Clusters, truth_index: IndexArray, ecl: Calorimeter, rng: np.random.Generator
) -> tuple[ClusterTable, ClusterChances]:
    """Measure clusters of some particles and keep those that are found, and what could be found."""
    content, finding = clusters.content, ecl.clustering
    bin_ = np.searchsorted(finding.energy_edges_gev, content.energy, side="right")
    efficiency = np.array([0.0, *finding.efficiency])[bin_]
    efficiency[content.energy < finding.threshold_gev] = 0.0
    is_found = rng.random(len(content)) < efficiency
    chances = ClusterChances(clusters.event, truth_index, content.energy, efficiency, is_found)
    found = np.flatnonzero(is_found)
    content = content.take(found)
    n, energy = len(found), content.energy
    x, y, z = content.point
    r = np.hypot(x, y)
    theta, phi = np.arctan2(r, z), np.arctan2(y, x)
    region = _nearest_region(ecl, theta)
    sigma_energy = energy * PERCENT * _error(region, energy, ecl, lambda part: part.energy_percent)
    sigma_theta = mrad * _error(region, energy, ecl, lambda part: part.theta_mrad)
    sigma_phi = mrad * _error(region, energy, ecl, lambda part: part.phi_mrad)
    timing = ecl.timing
    sigma_time = np.exp(
        np.interp(np.log(energy), np.log(timing.energy_gev), np.log(timing.sigma_ns))
    )
    theta = np.abs(theta + sigma_theta * rng.standard_normal(n))
    phi = phi + sigma_phi * rng.standard_normal(n)
    look = ecl.showers
    width = content.second_moment / look.second_moment_cm2
    crystals = look.crystals_at_1_gev * energy**look.crystals_power * np.sqrt(width)
    table = ClusterTable(
        energy=energy,
        theta=theta,
        phi=(phi + np.pi) % (2 * np.pi) - np.pi,
        r=Cavity.of(ecl).distance(theta) + photon_depth(energy, ecl),
        time=content.time + sigma_time * rng.standard_normal(n),
        sigma_energy=sigma_energy,
        sigma_theta=sigma_theta,
        sigma_phi=sigma_phi,
        sigma_time=sigma_time,
        region=region,
        second_moment=content.second_moment,
        e9_e21=(1 - look.leakage) ** width,
        n_crystals=np.maximum(rng.poisson(crystals), 1).astype(np.int16),
        track_index=np.full(n, -1, np.int32),
        track_distance=np.full(n, np.inf),
        truth_index=truth_index[found].astype(np.int32),
        n_particles=clusters.n_sources[found],
    )
    return table, chances


def _error(
    region: npt.NDArray[np.int8],
    energy: FloatArray,
    ecl: Calorimeter,
    formula: Callable[[Resolution], ResolutionFormula],
) -> FloatArray:
    """An error of each cluster in the unit of its formula, shape (n,)."""
    error = np.empty(len(energy))
    for name, part in ecl.regions.items():
        there = np.flatnonzero(region == name)
        error[there] = formula(part.resolution[ecl.background]).at(energy[there])
    return error


def _nearest_region(ecl: Calorimeter, theta: FloatArray) -> npt.NDArray[np.int8]:
    """Part of the calorimeter that a centroid belongs to, even where it is above a gap."""
    parts = list(ecl.regions.items())
    middle = [(a.theta_max_deg + b.theta_min_deg) / 2 * deg for (_, a), (_, b) in pairwise(parts)]
    codes = np.array([name for name, _ in parts], np.int8)
    nearest: npt.NDArray[np.int8] = codes[np.searchsorted(middle, theta)]
    return nearest
