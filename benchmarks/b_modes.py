"""Decays of B and tau, and photon pairs, as they are reconstructed, cf. ``control_modes.py``.

One candidate for each generated decay, of its own particles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.signals import (
    Signals,
    at_vertex,
    complete,
    is_good,
    mass_list,
    own_momentum,
    simulated,
    within,
)
from benchmarks.widths import half_central
from darkbelle import geometry
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.gen.particles import (
    B0,
    B_PLUS,
    D0,
    D_STAR,
    K_S,
    KAON,
    MASS_TAU,
    MUON,
    OMEGA,
    PHOTON,
    PI0,
    PION,
)
from darkbelle.gen.processes import GammaGamma
from darkbelle.ragged import event_of
from darkbelle.samples.candidates import PHOTON_LISTS
from darkbelle.samples.kinematics import beam_constrained_mass, energy_difference, mass_of
from darkbelle.samples.observables.taus import TAU_TO_THREE_MUONS
from darkbelle.units import PERCENT, MeV, deg

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

J_PSI, PHI = 443, 333
M_D0, M_PHI = mass_list([D0, PHI])
K_SHORT = {"K_S0": "pi+ pi-"}
LEAST_FLIGHT = 0.05
SIGNAL_MBC = (5.272, 5.288)
CONTINUUM = 0.87
"""What cuts against continuum keep of charmless signals: 78 to 96 %, by channel."""
ID_PION, ID_KAON = 0.90, 0.84
"""Of charmless B decays, row M56."""


# ---- parts of B decays -------------------------------------------------------------------------


def k_shorts(made: Signals, parents: Rows) -> tuple[FloatArray, BoolArray]:
    """Four-momenta of K_S -> pi+ pi- at their vertices, and which are seen away from the beams."""
    tracks = made.tracks(made.daughters(parents, PION, 2))
    found = complete(tracks)
    decay = made.vertices(tracks[:, found])
    total = np.full((4, len(parents)), np.nan)
    total[:, found] = at_vertex(decay, [PION, PION]).sum(axis=1)
    away = np.linalg.norm(decay.position - made.beam_spot()[0], axis=1) > LEAST_FLIGHT
    found[found] = is_good(decay) & away
    return total, found


def pi0s(made: Signals, parents: Rows) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Four-momenta of pi0 as measured, angles between their photons [rad], and which are seen."""
    clusters = made.photons(made.daughters(parents, PHOTON, 2))
    found = complete(clusters)
    total = np.full((4, len(parents)), np.nan)
    angle = np.full(len(parents), np.nan)
    p = made.light(clusters[:, found]).momenta()
    total[:, found] = p.sum(axis=1)
    sine = mass_of(total[:, found]) / (2 * np.sqrt(p[0, 0] * p[0, 1]))
    angle[found] = 2 * np.arcsin(np.minimum(sine, 1.0))
    return total, angle, found


def charged(made: Signals, particles: Rows, species: list[int]) -> tuple[FloatArray, BoolArray]:
    """Sum of the four-momenta of prompt tracks, shape (k, n), and where all of them are seen."""
    tracks = made.prompt_tracks(particles)
    found = complete(tracks)
    total = np.full((4, particles.shape[1]), np.nan)
    total[:, found] = made.charged(tracks[:, found], species).momenta().sum(axis=1)
    return total, found


def from_pair(made: Signals, particles: Rows, species: list[int]) -> tuple[FloatArray, BoolArray]:
    """As `charged`, with the momenta at a common vertex."""
    tracks = made.prompt_tracks(particles)
    found = complete(tracks)
    total = np.full((4, particles.shape[1]), np.nan)
    decay = made.vertices(tracks[:, found])
    total[:, found] = at_vertex(decay, species).sum(axis=1)
    found[found] = is_good(decay)
    return total, found


@dataclass(frozen=True)
class Candidates:
    """Candidates of B decays, one for each generated decay; what is not ``found`` is NaN."""

    n_events: int
    found: BoolArray
    delta_e: FloatArray
    mbc: FloatArray
    parts: dict[str, FloatArray]

    @classmethod
    def of(
        cls, made: Signals, total: FloatArray, found: BoolArray, **parts: FloatArray
    ) -> Candidates:
        """From total four-momenta, shape (4, n), and what else is of interest."""
        collider = made.experiment.collider
        safe = np.where(found, total, 1.0)
        delta_e = np.where(found, energy_difference(safe, collider), np.nan)
        mbc = np.where(found, beam_constrained_mass(safe, collider), np.nan)
        return cls(made.reco.n_events, found, delta_e, mbc, parts)

    @property
    def delta_es(self) -> FloatArray:
        """Delta E of those that are found."""
        return self.delta_e[self.found]

    @property
    def mbcs(self) -> FloatArray:
        """M_bc of those that are found."""
        return self.mbc[self.found]

    def values(self, name: str) -> FloatArray:
        """Some part of those that are found."""
        return self.parts[name][self.found]

    def share(
        self, delta_e: tuple[float, float], mbc: tuple[float, float], *also: BoolArray
    ) -> float:
        """Efficiency [%] with cuts on both and other conditions."""
        kept = self.found & within(self.delta_e, *delta_e) & within(self.mbc, *mbc)
        for condition in also:
            kept &= condition
        return float(kept.sum()) / self.n_events / PERCENT


# ---- B decays ----------------------------------------------------------------------------------


@cache
def d_kaon(n: int) -> Candidates:
    """B+ -> anti-D0 K+, D0 -> K pi."""
    made = simulated("B+", {"B+": "anti-D0 K+", "anti-D0": "K+ pi-"}, n)
    b = made.decayed(B_PLUS, D0, KAON)
    d = made.daughters(b, D0)[0]
    pair = np.concatenate([made.daughters(d, code) for code in (KAON, PION)])
    total, found = from_pair(made, pair, [KAON, PION])
    kaon, seen = charged(made, made.daughters(b, KAON), [KAON])
    return Candidates.of(made, total + kaon, found & seen, d=mass_of(total))


@cache
def k_short_of_d(n: int) -> FloatArray:
    """Masses of K_S of B+ -> D0 K+, D0 -> K_S pi+ pi-."""
    made = simulated("B+", {"B+": "anti-D0 K+", "anti-D0": "K_S0 pi+ pi-", "K_S0": "pi+ pi-"}, n)
    total, found = k_shorts(made, made.decayed(K_S, PION, PION))
    return mass_of(total[:, found])


@cache
def phi_k_short(n: int) -> Candidates:
    """B0 -> phi K_S."""
    made = simulated("B0", {"B0": "phi K_S0", "phi": "K+ K-", **K_SHORT}, n)
    b = made.decayed(B0, PHI, K_S)
    phi, short = made.daughters(b, PHI)[0], made.daughters(b, K_S)[0]
    particles = made.daughters(phi, KAON, 2)
    kaons, both = from_pair(made, particles, [KAON, KAON])
    pions, seen = k_shorts(made, short)
    return Candidates.of(
        made,
        kaons + pions,
        both & seen,
        k_short=mass_of(pions),
        phi=mass_of(kaons),
        identified=made.identified(particles, "k_standard"),
    )


def phi_share(n: int) -> float:
    """Efficiency [%] of B0 -> phi K_S, kaons at the standard point of the card: none is told."""
    made = phi_k_short(n)
    near = np.abs(made.parts["phi"] - M_PHI) < 10 * MeV
    near &= within(made.parts["k_short"], 0.480, 0.515)
    return made.share((-0.05, 0.05), (5.2, 5.3), near, made.parts["identified"] > 0)


@cache
def j_psi_pi0(n: int) -> Candidates:
    """B0 -> J/psi pi0, J/psi -> mu mu."""
    made = simulated("B0", {"B0": "J/psi pi0", "J/psi": "mu+ mu-", "pi0": "gamma gamma"}, n)
    b = made.decayed(B0, J_PSI, PI0)
    muons = made.daughters(made.daughters(b, J_PSI)[0], MUON, 2)
    pair, both = from_pair(made, muons, [MUON, MUON])
    light, _, seen = pi0s(made, made.daughters(b, PI0)[0])
    psi = mass_of(pair)
    both &= within(psi, 2.9, 3.2)
    return Candidates.of(
        made,
        pair + light,
        both & seen & within(mass_of(light), 0.05, 0.20),
        j_psi=psi,
    )


@cache
def j_psi_omega(n: int) -> Candidates:
    """B0 -> J/psi omega."""
    made = simulated(
        "B0",
        {
            "B0": "J/psi omega",
            "J/psi": "mu+ mu-",
            "omega": "pi+ pi- pi0",
            "pi0": "gamma gamma",
        },
        n,
    )
    b = made.decayed(B0, J_PSI, OMEGA)
    muons = made.daughters(made.daughters(b, J_PSI)[0], MUON, 2)
    pair, both = from_pair(made, muons, [MUON, MUON])
    omega = made.daughters(b, OMEGA)[0]
    pions, two = charged(made, made.daughters(omega, PION, 2), [PION, PION])
    light, _, seen = pi0s(made, made.daughters(omega, PI0)[0])
    found = both & two & seen
    found &= within(mass_of(pair), 2.9, 3.2) & within(mass_of(light), 0.05, 0.20)
    return Candidates.of(made, pair + pions + light, found, omega=mass_of(pions + light))


def k_pi(n: int) -> float:
    """Efficiency [%] of B0 -> K+ pi-."""
    made = simulated("B0", {"B0": "K+ pi-"}, n)
    b = made.decayed(B0, KAON, PION)
    total, found = charged(
        made, np.concatenate([made.daughters(b, code) for code in (KAON, PION)]), [KAON, PION]
    )
    return Candidates.of(made, total, found).share((-0.1, 0.2), SIGNAL_MBC)


def k_pi0(n: int) -> float:
    """Efficiency [%] of B+ -> K+ pi0."""
    made = simulated("B+", {"B+": "K+ pi0", "pi0": "gamma gamma"}, n)
    b = made.decayed(B_PLUS, KAON, PI0)
    kaon, found = charged(made, made.daughters(b, KAON), [KAON])
    light, angle, seen = pi0s(made, made.daughters(b, PI0)[0])
    seen &= within(mass_of(light), 0.115, 0.150) & (angle < 0.4)
    return Candidates.of(made, kaon + light, found & seen).share((-0.3, 0.3), SIGNAL_MBC)


def k_short_pi(n: int) -> float:
    """Efficiency [%] of B+ -> K_S pi+, K_S -> pi+ pi-."""
    made = simulated("B+", {"B+": "K_S0 pi+", **K_SHORT}, n)
    b = made.decayed(B_PLUS, K_S, PION)
    pion, found = charged(made, made.daughters(b, PION), [PION])
    pions, seen = k_shorts(made, made.daughters(b, K_S)[0])
    seen &= within(mass_of(pions), 0.480, 0.515)
    return Candidates.of(made, pion + pions, found & seen).share((-0.3, 0.3), SIGNAL_MBC)


def three_k_shorts(n: int) -> float:
    """Efficiency [%] of B0 -> K_S K_S K_S."""
    made = simulated("B0", {"B0": "K_S0 K_S0 K_S0", **K_SHORT}, n)
    b = made.decayed(B0, K_S, K_S, K_S)
    parts = [k_shorts(made, rows) for rows in made.daughters(b, K_S, 3)]
    found = np.all([seen & within(mass_of(p), 0.480, 0.515) for p, seen in parts], axis=0)
    total = np.sum([p for p, _ in parts], axis=0)
    return Candidates.of(made, total, found).share((-0.1, 0.1), (5.2, 5.3))


def two_photons(n: int) -> float:
    """Efficiency [%] of B0 -> gamma gamma, in events with three tracks."""
    made = simulated("B0", {"B0": "gamma gamma"}, n, rest_of_event="toy")
    b = made.decayed(B0, PHOTON, PHOTON)
    clusters = made.photons(made.daughters(b, PHOTON, 2), PHOTON_LISTS["all"])
    found = complete(clusters)
    table = made.reco.clusters
    good = within(table.theta, 33 * deg, 132 * deg) & (table.e9_e21 > 0.95)
    good &= table.n_crystals > 15
    found &= good[clusters].all(axis=0)
    total = np.full((4, len(b)), np.nan)
    momenta = made.light(clusters[:, found]).momenta()
    energy = energy_difference(momenta, made.experiment.collider)
    energy += made.experiment.collider.sqrt_s / 2
    total[:, found] = momenta.sum(axis=1)
    found[found] = within(energy, 1.4, 3.4).all(axis=0)
    n_tracks = np.diff(made.reco.track_offsets)[made.reco.truth.event_index()[b]]
    return Candidates.of(made, total, found).share((-0.6, 0.2), (5.24, 5.29), n_tracks >= 3)


@cache
def d_star_lepton(n: int, lepton: str) -> Candidates:
    """B0 -> D*- l+ nu, D*- -> anti-D0 pi-, D0 -> K pi, with another B."""
    code = {"e": 11, "mu": 13}[lepton]
    made = simulated(
        "B0",
        {"B0": f"D*- {lepton}+ nu_{lepton}", "D*-": "anti-D0 pi-", "anti-D0": "K+ pi-"},
        n,
        rest_of_event="toy",
    )
    b = made.decayed(B0, D_STAR, code)
    star = made.daughters(b, D_STAR)[0]
    d = made.daughters(star, D0)[0]
    slow = made.daughters(star, PION)
    pair = np.concatenate([made.daughters(d, c) for c in (KAON, PION)])
    signal = complete(pair, slow)
    star_total, found = from_pair(made, pair, [KAON, PION])
    d_mass = mass_of(star_total)
    soft, seen = charged(made, slow, [PION])
    lepton_total, third = charged(made, made.daughters(b, code), [code])
    found &= signal & seen & third
    star_total = star_total + soft
    return Candidates.of(
        made,
        star_total + lepton_total,
        found,
        d=d_mass,
        difference=mass_of(star_total) - d_mass,
        p_star=own_momentum(star_total, made),
        p_lepton=own_momentum(lepton_total, made),
    )


def d_star_lepton_share(n: int, lepton: str) -> float:
    """Efficiency [%] without that of the lepton's identification and of the event's shape."""
    made = d_star_lepton(n, lepton)
    kept = made.found & within(made.parts["p_lepton"], 1.2, 2.4)
    kept &= (np.abs(made.parts["d"] - M_D0) < 15 * MeV) & (made.parts["p_star"] < 2.5)
    kept &= within(made.parts["difference"], 0.141, 0.156)
    return float(kept.sum()) / made.n_events / PERCENT


# ---- tau -> 3 mu, and photons of 5.29 GeV ------------------------------------------------------

DELTA_MASS, DELTA_ENERGY = 4.8 * MeV, 14.9 * MeV
"""Published widths, in which the box of tau -> 3 mu is counted."""


@dataclass(frozen=True)
class ThreeMuons:
    """Mass and Delta E [GeV] of those that are selected, and their share of all [%]."""

    mass: FloatArray
    delta_e: FloatArray
    efficiency: float


@cache
def three_muons(n: int) -> ThreeMuons:
    """Tau -> 3 mu, the other tau as it decays."""
    made = simulated("tau-", {"tau-": "mu- mu- mu+"}, n)
    reco, points = made.reco, made.experiment.identification.point_names
    found: dict[str, Any] = TAU_TO_THREE_MUONS.compute(reco, made.experiment)
    index = found["three_muon_index"] + reco.track_offsets[:-1, None]
    has = np.asarray(found["has_three_muons"], bool)
    loose, tight = (
        reco.tracks.pid[:, points.index(name)][np.where(has[:, None], index, 0)]
        for name in ("mu_loose", "mu_tight")
    )
    kept = has & loose.all(axis=1) & (tight.sum(axis=1) >= 2)
    kept &= np.abs(found["three_muon_mass"] - MASS_TAU) < 20 * DELTA_MASS
    kept &= np.abs(found["three_muon_delta_e"]) < 20 * DELTA_ENERGY
    kept &= within(found["three_muon_missing_theta"], 0.3, 2.7)
    kept &= within(found["three_muon_thrust"], 0.89, 0.97)
    return ThreeMuons(
        found["three_muon_mass"][kept],
        found["three_muon_delta_e"][kept],
        float(kept.mean()) / PERCENT,
    )


def hard_photons(n: int) -> float:
    """Resolution [GeV] of the energies of e+e- -> gamma gamma in the centre of mass."""
    experiment, rng = geometry.load("belle2"), np.random.default_rng(1)
    collider = experiment.collider
    reco = simulate(GammaGamma().generate(collider, n, rng), experiment, rng=rng)
    made = Signals(reco, experiment)
    rows = _own_clusters(reco)
    measured = made.light(rows[None]).momenta()[:, 0]
    true = (
        reco.truth.offsets[event_of(reco.cluster_offsets)[rows]] + reco.clusters.truth_index[rows]
    )
    energy = energy_difference(measured, collider) + collider.sqrt_s / 2
    expected = energy_difference(made.true_momenta(true), collider) + collider.sqrt_s / 2
    return half_central((energy - expected)[np.abs(expected - 5.29) < 0.05])


def _own_clusters(reco: RecoEvents) -> Rows:
    """Clusters of photons in the range of the luminosity measurement."""
    clusters = reco.clusters
    good = within(clusters.theta, 37.8 * deg, 120.5 * deg) & (clusters.track_index < 0)
    return np.flatnonzero(good & (clusters.energy > 2.0) & (clusters.truth_index >= 0))
