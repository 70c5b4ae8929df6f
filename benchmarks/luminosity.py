"""The selections of the luminosity measurement (arXiv:2407.00965) next to its efficiencies.

Usage: python benchmarks/luminosity.py

Muon and electron pairs, simulated and reconstructed with the card belle2, without trigger. What is
compared is the product of cross-section and efficiency, which does not depend on the denominator.
The efficiencies here are parts of the published cross-sections, as the published ones are: 29.84 %
of all muon pairs (cf. ``cross_sections.py``), 1.88 % of the Bhabha events in 10 to 170 degrees.

Muons: the figure here is 4 % above the published one, 31.1 for 29.8 %. Final-state radiation takes
4 % away; pairs in the barrel that a photon above 0.5 GeV turns by more than 5 degrees are 35.0 pb
here, 33.4 pb by the exact first order. Knock-on electrons and radiated photons, with which 0.8 to
1.2 % of the muons leave more than 0.5 GeV in the calorimeter, take 2.7 % of the pairs in the cut on
the energies of clusters. The rest is open.

Electrons: 10 % below. It is the last cut, on the mass, that takes them: without it 5.52 nb are left
of 5.55 nb published. By energies of clusters instead of tracks the same part fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle import geometry
from darkbelle.detsim import FitStatus, RecoEvents, simulate
from darkbelle.detsim.helix import momentum
from darkbelle.gen.kinematics import along_axes, axes_of_rest, invariant_mass
from darkbelle.gen.particles import MASS_E, MASS_MU
from darkbelle.gen.processes import AnnihilationProcess, Bhabha, MuMu
from darkbelle.geometry import Collider, Experiment
from darkbelle.ragged import event_of
from darkbelle.units import PERCENT, deg

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

SEED = 1
FB_PER_NB = 1e6
CHUNK = 20_000

CLUSTER_THETA_DEG = (37.8, 120.5)
ENERGY = (2.50, 5.82)
ACOLLINEARITY_DEG = 5.0
LEAST_MASS = 9.0


@dataclass(frozen=True)
class Selection:
    """What differs between muons and electrons: energies [GeV] in the centre of mass, clusters'."""

    mass: float
    least_harder: float
    cluster: tuple[float, float]


DIMUON = Selection(MASS_MU, 3.0, (0.0, 0.5))
BHABHA = Selection(MASS_E, 4.0, (1.0, np.inf))


@dataclass(frozen=True)
class Row:
    """A published efficiency and the cross-section [nb] that it is a part of."""

    row: str
    what: str
    process: AnnihilationProcess
    selection: Selection
    efficiency: float
    cross_section: float
    tolerance: float

    @property
    def visible(self) -> float:
        """Cross-section of what is selected [nb]."""
        return self.efficiency * self.cross_section


MUONS = Row("M73", "mu mu", MuMu(), DIMUON, 0.2984, 1.1472, 0.15)
ELECTRONS = Row("M75", "e e", Bhabha(theta_min=25 * deg), BHABHA, 0.0188, 295.38, 0.15)
"""Efficiencies are held to 15 %. Electrons from 15 or 35 degrees on give the same within 1.3 %."""


@dataclass(frozen=True)
class Visible:
    """Cross-section after all cuts [nb] with its error, and what each cut leaves of the events."""

    value: float
    error: float
    left: Mapping[str, float]


def visible(process: AnnihilationProcess, selection: Selection, n_events: int) -> Visible:
    """Generate, simulate, select."""
    experiment, rng = geometry.load("belle2"), np.random.default_rng(SEED)
    generator = process.prepare(experiment.collider, rng)
    left: dict[str, float] = {}
    n_chunks = -(-n_events // CHUNK)
    for _ in range(n_chunks):
        reco = simulate(generator.generate(CHUNK, rng), experiment, rng=rng)
        for cut, passed in select(reco, experiment, selection).items():
            left[cut] = left.get(cut, 0.0) + float(passed.mean()) / n_chunks
    efficiency = list(left.values())[-1]
    error = np.sqrt(efficiency * (1 - efficiency) / (n_chunks * CHUNK))
    scale = generator.cross_section.value / FB_PER_NB
    return Visible(scale * efficiency, scale * float(error), left)


def select(reco: RecoEvents, experiment: Experiment, selection: Selection) -> dict[str, BoolArray]:
    """Which events are left after each cut, shape (n_events,)."""
    momenta = momentum(reco.tracks.helix, experiment.solenoid.field_t)
    rows = np.stack([_fastest(reco, momenta, charge) for charge in (-1, 1)])
    clusters = np.where(rows >= 0, _cluster(reco, rows), -1)
    flight = np.moveaxis(momenta[rows], -1, 0)
    lab = np.stack([np.sqrt(selection.mass**2 + np.sum(flight**2, axis=0)), *flight])
    first, second = (along_axes(lab[:, i], _centre_of_mass(experiment.collider)) for i in (0, 1))
    theta, phi = np.array([_angles(first), _angles(second)]).swapaxes(0, 1)
    cluster_theta = reco.clusters.theta[clusters] / deg
    cluster_energy = reco.clusters.energy[clusters]
    low, high = selection.cluster
    energies = np.stack([first[0], second[0]])
    turn = np.abs(np.remainder(phi[0] - phi[1], 360) - 180)
    cuts = {
        "two tracks": (rows >= 0).all(axis=0),
        "clusters": (clusters >= 0).all(axis=0),
        "their angles": _within(cluster_theta, CLUSTER_THETA_DEG),
        "their energies": _within(cluster_energy, (low, high)),
        "energies": _within(energies, ENERGY) & (energies.max(axis=0) > selection.least_harder),
        "polar angles": np.abs(theta.sum(axis=0) - 180) < ACOLLINEARITY_DEG,
        "azimuths": turn < ACOLLINEARITY_DEG,
        "mass": invariant_mass(first + second) > LEAST_MASS,
    }
    left = np.logical_and.accumulate(list(cuts.values()))
    return dict(zip(cuts, left, strict=True))


def _fastest(reco: RecoEvents, momenta: FloatArray, charge: int) -> IndexArray:
    """Row of the fastest track of a charge in each event, -1 where there is none."""
    good = (reco.tracks.charge == charge) & (reco.tracks.fit_status == FitStatus.OK)
    rows = np.flatnonzero(good)
    event = event_of(reco.track_offsets)[rows]
    order = np.lexsort((np.sum(momenta[rows] ** 2, axis=1), event))
    fastest = np.full(reco.n_events, -1)
    fastest[event[order]] = rows[order]
    return fastest


def _cluster(reco: RecoEvents, rows: IndexArray) -> IndexArray:
    """Rows of the clusters of tracks, -1 for none, shape of ``rows``: (2, n_events)."""
    within = reco.tracks.cluster_index[rows]
    found: IndexArray = np.where(within >= 0, within + reco.cluster_offsets[:-1], -1)
    return found


def _centre_of_mass(collider: Collider) -> FloatArray:
    """Axes of the centre of mass, z along the electrons."""
    total = collider.four_momentum[:, None]
    electron = collider.e_her_gev * np.array([1.0, *collider.direction_her])[:, None]
    return axes_of_rest(total, np.array([collider.sqrt_s]), 2 * electron - total)


def _angles(p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Polar angles and azimuths [deg]."""
    return np.arctan2(np.hypot(p[1], p[2]), p[3]) / deg, np.arctan2(p[2], p[1]) / deg


def _within(values: FloatArray, limits: tuple[float, float]) -> BoolArray:
    """Whether both values of each event are, shape (n_events,)."""
    return ((values > limits[0]) & (values < limits[1])).all(axis=0)


def main() -> None:
    """Print both, and what radiation does to the muons."""
    n_events = 100_000
    variants = {
        "all radiation": (MUONS, MuMu()),
        "without final-state radiation": (MUONS, MuMu(fsr=False)),
        "all radiation, ": (ELECTRONS, ELECTRONS.process),
    }
    for name, (row, process) in variants.items():
        found = visible(process, row.selection, n_events)
        part = found.value / row.cross_section
        print(f"{row.row} {row.what}, {name}: {found.value:.4f} +- {found.error:.4f} nb")
        print(f"    published {row.visible:.4f} nb, ratio {found.value / row.visible:.3f}")
        print(f"    of {row.cross_section} nb: {part / PERCENT:.2f} %, {row.efficiency / PERCENT}")
        print("    left:", ", ".join(f"{cut} {share:.4f}" for cut, share in found.left.items()))


if __name__ == "__main__":
    main()
