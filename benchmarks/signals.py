"""Known decays, generated and simulated, with the tracks, photons and vertices that are theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from darkbelle import geometry
from darkbelle.detsim import FitStatus, HelixIndex, RecoEvents, VertexStatus, simulate
from darkbelle.detsim.vertexing import Vertices, fit_vertices
from darkbelle.gen.events import Origin
from darkbelle.gen.kinematics import dot
from darkbelle.gen.particles import masses
from darkbelle.gen.processes.chain import DecayChain
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.samples import kinfit
from darkbelle.samples.candidates import PHOTON_LISTS, PhotonCuts
from darkbelle.units import deg

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

SEED = 7
TRACKER_DEG = (17.0, 150.0)
IP_D0, IP_Z0 = 0.5, 3.0
PI0_PHOTONS = PHOTON_LISTS["pi0_50"]


@dataclass(frozen=True)
class Signals:
    """Simulated events. Rows are those of whole tables, -1 is nothing."""

    reco: RecoEvents
    experiment: Experiment

    def decayed(self, code: int, *daughters: int) -> Rows:
        """True particles of a code, or their antiparticles, that decay to such daughters."""
        found = np.flatnonzero(np.abs(self.reco.truth.particles.pdg_id) == code)
        for daughter in set(daughters):
            number = daughters.count(daughter)
            found = found[np.all(self.daughters(found, daughter, number) >= 0, axis=0)]
        return found

    def daughters(self, rows: Rows, code: int, number: int = 1) -> Rows:
        """Daughters of a code of true particles, shape (number, n)."""
        truth = self.reco.truth
        particles = truth.particles
        born = (np.abs(particles.pdg_id) == code) & (particles.origin == Origin.DECAY)
        children = np.flatnonzero(born & (particles.parent >= 0))
        parents = truth.parents(children)
        order = np.argsort(parents, kind="stable")
        children, parents = children[order], parents[order]
        place = np.arange(len(parents)) - np.searchsorted(parents, parents)
        table = np.full((number + 1, len(particles) + 1), -1)
        table[np.minimum(place, number), parents] = children
        return table[:number, rows]

    def tracks(self, rows: Rows) -> Rows:
        """Tracks of true particles, from close to the beams or not."""
        return self._seen(rows, "track", self.reco.tracks.fit_status == FitStatus.OK)

    def prompt_tracks(self, rows: Rows) -> Rows:
        """Tracks of true particles in the chamber's range of angles and from close to the beams."""
        helix = self.reco.tracks.helix
        theta = np.pi / 2 - np.arctan(helix[:, HelixIndex.TAN_LAMBDA])
        good = (theta > TRACKER_DEG[0] * deg) & (theta < TRACKER_DEG[1] * deg)
        good &= np.abs(helix[:, HelixIndex.D0]) < IP_D0
        good &= np.abs(helix[:, HelixIndex.Z0]) < IP_Z0
        return self._seen(rows, "track", good & (self.reco.tracks.fit_status == FitStatus.OK))

    def photons(self, rows: Rows, cuts: PhotonCuts = PI0_PHOTONS) -> Rows:
        """Clusters of true photons above the energies of a list."""
        clusters = self.reco.clusters
        least = np.array([np.inf, cuts.forward, cuts.barrel, cuts.backward])[clusters.region]
        return self._seen(rows, "cluster", (clusters.track_index < 0) & (clusters.energy > least))

    def _seen(self, rows: Rows, table: str, good: BoolArray) -> Rows:
        offsets = getattr(self.reco, f"{table}_offsets")
        seen = getattr(self.reco, f"{table}s")
        good = good & (seen.truth_index >= 0)
        particle = self.reco.truth.offsets[event_of(offsets)] + seen.truth_index
        by_particle = np.full(len(self.reco.truth.particles) + 1, -1)
        chosen = np.flatnonzero(good)
        if table == "cluster":  # the most energetic one is put last and stays
            chosen = chosen[np.argsort(seen.energy[chosen])]
        by_particle[particle[chosen]] = chosen
        found: Rows = by_particle[rows]
        return found

    def identified(self, rows: Rows, point: str) -> BoolArray:
        """Whether all true particles, shape (k, n), have tracks that pass a working point."""
        column = self.experiment.identification.point_names.index(point)
        tracks = self.tracks(rows)
        passed: BoolArray = (tracks >= 0) & self.reco.tracks.pid[tracks, column]
        return passed.all(axis=0)

    def charged(self, tracks: Rows, species: Sequence[int]) -> kinfit.Particles:
        """Tracks, shape (k, n), at their perigees."""
        table = self.reco.tracks
        return kinfit.tracks(
            table.helix[tracks.T], table.cov[tracks.T], mass_list(species), self.field
        )

    def light(self, clusters: Rows) -> kinfit.Particles:
        """Clusters, shape (k, n), as photons from the origin."""
        names = ("energy", "theta", "phi", "sigma_energy", "sigma_theta", "sigma_phi")
        columns = {name: getattr(self.reco.clusters, name)[clusters.T] for name in names}
        return kinfit.photons(**columns)

    def vertices(self, tracks: Rows, **known: Any) -> Vertices:
        """Fit tracks, shape (k, n), to common points."""
        table = self.reco.tracks
        return fit_vertices(table.helix, table.cov, tracks.T, field=self.field, **known)

    def beam_spot(self) -> tuple[FloatArray, FloatArray]:
        """Centre and covariance of the luminous region."""
        collider = self.experiment.collider
        return np.array(collider.luminous_region.centre_cm), collider.luminous_covariance()

    def true_momenta(self, rows: Rows) -> FloatArray:
        """Four-momenta of true particles, shape (4, ...)."""
        particles = self.reco.truth.particles
        return np.stack([getattr(particles, name)[rows] for name in ("e", "px", "py", "pz")])

    @property
    def field(self) -> float:
        """Field of the solenoid [T]."""
        return self.experiment.solenoid.field_t


def simulated(
    parent: str, decays: Mapping[str, Any], n_events: int, *, card: str = "belle2", **settings: Any
) -> Signals:
    """Generate a chain of decays and simulate it."""
    experiment, rng = geometry.load(card), np.random.default_rng(SEED)
    process = DecayChain(chain={"parent": parent, "decays": dict(decays)}, **settings)
    truth = process.prepare(experiment.collider, rng).generate(n_events, rng)
    return Signals(simulate(truth, experiment, rng=rng), experiment)


def mass_list(species: Sequence[int]) -> list[float]:
    """Masses of some species [GeV]."""
    return [float(mass) for mass in masses(np.array(species, np.int32))]


def complete(*rows: Rows) -> BoolArray:
    """Which candidates have all of their rows, shape (k, n) each."""
    return np.concatenate(rows).min(axis=0) >= 0


def is_good(vertices: Vertices) -> BoolArray:
    """Whether vertices can be used."""
    good: BoolArray = vertices.status == VertexStatus.OK
    return good


def within(values: FloatArray, low: float, high: float) -> BoolArray:
    """Whether values are in a window."""
    return (values > low) & (values < high)


def own_momentum(total: FloatArray, made: Signals) -> FloatArray:
    """Momenta in the centre of mass [GeV]."""
    collider = made.experiment.collider
    energy = dot(total, collider.four_momentum) / collider.sqrt_s
    return np.sqrt(np.maximum(energy**2 - dot(total, total), 0.0))


def at_vertex(vertices: Vertices, species: list[int]) -> FloatArray:
    """Four-momenta of the tracks of vertices, shape (4, k, n)."""
    return kinfit.from_vertices(vertices, mass_list(species)).momenta()
