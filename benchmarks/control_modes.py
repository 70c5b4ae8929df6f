"""Widths and efficiencies of control modes in generated and simulated decays next to published ones.

Usage: python benchmarks/control_modes.py

Candidates are made of the true particles' tracks and photons, so that combinations of others are
neither a background nor a gain. Widths are, by what the publication says,

- "FWHM/2.355": that of the smoothed peak,
- the standard deviation of a fit, or windows of so many: that of a Gaussian, or of one with two
  widths, fitted within 1.5 of it,
- an "average" resolution: the mean of the widths of two Gaussians, by their areas,
- any other "resolution": half of the central 68.27 %, of reconstructed less true values where
  these differ from one decay to the next.

No masses are fitted but where the publication says so. Efficiencies are shares of generated decays.
Factors that stand for a trained classifier or for the identification of a publication (its own
rates) are given with the rows; where the range of such a factor is published, its middle is taken.

Rows M18, M26, M27 and M29 are in ``photons.py``, M73 and M75 in ``luminosity.py``, M31 and M33 in
``tests/reference/test_three_pion_fit.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.recoil_widths import core_width
from benchmarks.signals import Signals, complete, is_good, mass_list, simulated
from benchmarks.widths import average_width, full_width, half_central, lower_width
from darkbelle import geometry
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.detsim.vertexing import Vertices
from darkbelle.gen.kinematics import dot
from darkbelle.gen.particles import KAON, MUON, PHOTON, PI0, PION
from darkbelle.gen.processes import GammaGamma
from darkbelle.ragged import event_of
from darkbelle.samples import flight, kinfit
from darkbelle.samples.candidates import PHOTON_LISTS
from darkbelle.samples.kinematics import beam_constrained_mass, energy_difference, mass_of
from darkbelle.samples.observables.taus import TAU_TO_THREE_MUONS
from darkbelle.units import PERCENT, C, MeV, deg, um

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

FS = 1e-6  # ns
B0, B_PLUS, D0, D_STAR, DS, LAMBDA_C = 511, 521, 421, 413, 431, 4122
J_PSI, OMEGA, PHI, K_S, PROTON = 443, 223, 333, 310, 2212
M_D0, M_LAMBDA_C, M_PHI = mass_list([D0, LAMBDA_C, PHI])
LEAST_CHARM = 2.5
"""GeV, of charmed hadrons in the centre of mass."""
K_SHORT = {"K_S0": "pi+ pi-"}
LEAST_FLIGHT = 0.05
SIGNAL_MBC = (5.272, 5.288)
CONTINUUM = 0.87
"""What cuts against continuum keep of charmless signals: 78 to 96 %, by channel."""
ID_PION, ID_KAON = 0.90, 0.84
"""Of charmless B decays, row M56."""


@dataclass(frozen=True)
class Published:
    """A published figure and how it is measured here with some events."""

    row: str
    what: str
    value: float
    unit: str
    tolerance: float
    source: str
    measure: Callable[[int], float]


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


def has_inner_hits(made: Signals, tracks: Rows) -> BoolArray:
    """A hit in the innermost layer, another in the strips, and 20 in the chamber, for all."""
    table = made.reco.tracks
    good = (table.n_hits_pxd >= 1) & (table.first_hit_radius < 1.8)
    good &= (table.n_hits_svd >= 1) & (table.n_hits_cdc >= 20)
    kept: BoolArray = good[tracks].all(axis=0)
    return kept


# ---- charm -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Charm:
    """Masses [GeV], mass differences, and decay times and lengths less the true ones [ns, cm]."""

    mass: FloatArray
    difference: FloatArray
    time: FloatArray
    length: FloatArray


@cache
def d_star(n: int) -> Charm:
    """D*+ -> D0 pi+, D0 -> K- pi+, the D* in the luminous region."""
    made = simulated("D*+", {"D*+": "D0 pi+", "D0": "K- pi+"}, n, card="belle2-2020")
    stars = made.decayed(D_STAR, D0, PION)
    d = made.daughters(stars, D0)
    pair = made.tracks(np.concatenate([made.daughters(d[0], code) for code in (KAON, PION)]))
    slow = made.tracks(made.daughters(stars, PION))
    kept = complete(pair, slow)
    kept[kept] &= has_inner_hits(made, pair[:, kept])
    pair, slow, d = pair[:, kept], slow[:, kept], d[0, kept]
    spot = made.beam_spot()
    start = np.repeat(spot[0][None], len(d), axis=0)
    decay = made.vertices(pair)
    backwards = flight.fit(decay, *spot)
    bound = made.vertices(slow, start=start, beam_spot=(backwards.origin, backwards.origin_cov))
    origin = made.vertices(slow, start=start, beam_spot=spot)
    flown = flight.fit(decay, origin.position, origin.cov)
    hadrons = at_vertex(decay, [KAON, PION]).sum(axis=1)
    total = hadrons + at_vertex(bound, [PION])[:, 0]
    good = is_good(decay) & is_good(bound) & (own_momentum(total, made) > LEAST_CHARM)
    return _charm(made, d, flown, hadrons, mass_of(total) - mass_of(hadrons), M_D0, good)


@cache
def lambda_c(n: int) -> Charm:
    """Lambda_c+ -> p K- pi+ from the luminous region."""
    made = simulated("Lambda_c+", {"Lambda_c+": "p+ K- pi+"}, n)
    species = [PROTON, KAON, PION]
    parents = made.decayed(LAMBDA_C, *species)
    tracks = made.tracks(np.concatenate([made.daughters(parents, code) for code in species]))
    kept = complete(tracks)
    kept[kept] &= has_inner_hits(made, tracks[:, kept])
    tracks, parents = tracks[:, kept], parents[kept]
    decay = made.vertices(tracks)
    flown = flight.fit(decay, *made.beam_spot())
    total = at_vertex(decay, species).sum(axis=1)
    good = is_good(decay) & (own_momentum(total, made) > LEAST_CHARM)
    return _charm(made, parents, flown, total, np.zeros(len(good)), M_LAMBDA_C, good)


def _charm(
    made: Signals,
    parents: Rows,
    flown: flight.Flights,
    total: FloatArray,
    difference: FloatArray,
    mass: float,
    good: BoolArray,
) -> Charm:
    truth = made.reco.truth.particles
    path = np.stack(
        [getattr(truth, f"decay_{x}")[parents] - getattr(truth, x)[parents] for x in "xyz"]
    )
    true_length = np.linalg.norm(path, axis=0)
    per_momentum = true_length / np.linalg.norm(made.true_momenta(parents)[1:], axis=0)
    time = (flown.per_momentum - per_momentum) * mass / C
    length = flown.length()[0] - true_length
    return Charm(mass_of(total)[good], difference[good], time[good], length[good])


def d_s_share(n: int) -> float:
    """Share [%] of D_s+ -> phi pi+ within 8 MeV of the mass."""
    made = simulated("D_s+", {"D_s+": "phi pi+", "phi": "K+ K-"}, n)
    parents = made.decayed(DS, PHI, PION)
    kaons = made.daughters(made.daughters(parents, PHI)[0], KAON, 2)
    tracks = made.prompt_tracks(np.concatenate([kaons, made.daughters(parents, PION)]))
    tracks = tracks[:, complete(tracks)]
    decay = made.vertices(tracks)
    total = at_vertex(decay, [KAON, KAON, PION]).sum(axis=1)[:, is_good(decay)]
    return float(within(mass_of(total), 1.960, 1.976).mean()) / PERCENT


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
    """tau -> 3 mu, the other tau as it decays."""
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
    kept &= np.abs(found["three_muon_mass"] - 1.77693) < 20 * DELTA_MASS
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


def phi_share(n: int) -> float:
    """Efficiency [%] of B0 -> phi K_S, kaons at the standard point of the card: none is told."""
    made = phi_k_short(n)
    near = np.abs(made.parts["phi"] - M_PHI) < 10 * MeV
    near &= within(made.parts["k_short"], 0.480, 0.515)
    return made.share((-0.05, 0.05), (5.2, 5.3), near, made.parts["identified"] > 0)


def _width(
    row: str,
    what: str,
    value: float,
    source: str,
    measure: Callable[[int], float],
    unit: str = "MeV",
    error: float = 0.0,
) -> Published:
    scale = {"MeV": MeV, "fs": FS, "um": um, "GeV": 1.0}[unit]
    tolerance = math.hypot(0.20, error / value)
    return Published(row, what, value, unit, tolerance, source, lambda n: measure(n) / scale)


def _share(
    row: str,
    what: str,
    value: float,
    source: str,
    measure: Callable[[int], float],
    factor: float = 1.0,
    error: float = 0.0,
) -> Published:
    tolerance = math.hypot(0.15, error / value)
    return Published(row, what, value, "%", tolerance, source, lambda n: factor * measure(n))


_LIFETIME, _HADRONIC, _CHARMLESS = "2108.03216", "2308.05048", "2310.06381"
_PHI, _PSI_PI0, _PSI_OMEGA, _TAU = "2307.02802", "2410.08622", "2412.13338", "2405.07386"
_SLNU = "2310.01170"

ROWS: tuple[Published, ...] = (
    _width("M01", "D0 of D*+: mass, FWHM", 4.42, _LIFETIME, lambda n: full_width(d_star(n).mass), error=0.1),
    _width("M03", "D0 of D*+: decay time", 70, _LIFETIME, lambda n: average_width(d_star(n).time, -500 * FS, 500 * FS), "fs"),
    _width("M05", "D*+: mass difference", 0.16, _LIFETIME, lambda n: core_width(d_star(n).difference)),
    _width("M07", "Lambda_c: decay length", 40, "2206.15227", lambda n: half_central(lambda_c(n).length), "um"),
    _width("M07", "Lambda_c: decay time", 87, "2206.15227", lambda n: half_central(lambda_c(n).time), "fs"),
    Published("M09", "D_s -> phi pi within 8 MeV", 95, "%", 0.05, "2306.00365", d_s_share),
    _width("M10", "K_S of B -> D K: mass", 2.17, _HADRONIC, lambda n: core_width(k_short_of_d(n)), error=0.2),
    _width("M12", "K_S of B0 -> phi K_S: mass", 2.0, _PHI, lambda n: average_width(phi_k_short(n).values("k_short"), 0.480, 0.515)),
    _width("M13", "D0 of B+ -> D0 K+: mass", 4.0, _HADRONIC, lambda n: core_width(d_kaon(n).values("d"))),
    _width("M15", "phi of B0 -> phi K_S: mass", 3.0, _PHI, lambda n: average_width(phi_k_short(n).values("phi"), M_PHI - 0.01, M_PHI + 0.01)),
    _width("M16", "J/psi of B0 -> J/psi pi0: mass", 13, _PSI_PI0, lambda n: average_width(j_psi_pi0(n).values("j_psi"), 2.9, 3.2)),
    _width("M19", "B0 -> J/psi pi0: Delta E", 50, _PSI_PI0, lambda n: half_central(j_psi_pi0(n).delta_es)),
    _share("M21", "B0 -> J/psi pi0", 48, _PSI_PI0, lambda n: j_psi_pi0(n).share((-0.3, 0.3), (5.2, 5.3)), 0.97 * 0.99, 2),
    _width("M24", "B0 -> J/psi omega: M_bc", 3.0, _PSI_OMEGA, lambda n: core_width(j_psi_omega(n).mbcs)),
    _width("M25", "omega of B0 -> J/psi omega: mass", 15, _PSI_OMEGA, lambda n: half_central(j_psi_omega(n).values("omega"))),
    _width("M40", "tau -> 3 mu: mass", 4.8, _TAU, lambda n: lower_width(three_muons(n).mass)),
    _width("M42", "tau -> 3 mu: Delta E", 14.9, _TAU, lambda n: lower_width(three_muons(n).delta_e)),
    _share("M44", "tau -> 3 mu", 30.7, _TAU, lambda n: three_muons(n).efficiency),
    _width("M76", "photons of 5.29 GeV", 0.08, "2407.00965", hard_photons, "GeV"),
    _share("M80", "B0 -> K+ pi-", 49.91, _CHARMLESS, k_pi, CONTINUUM * ID_KAON * ID_PION),
    _share("M82", "B+ -> K+ pi0", 36.91, _CHARMLESS, k_pi0, 0.988 * CONTINUUM * ID_KAON),
    _share("M84", "B+ -> K_S pi+", 15.89, _CHARMLESS, k_short_pi, 0.5 * 0.692 * CONTINUUM * ID_PION),
    _share("M86", "B0 -> phi K_S", 33, _PHI, phi_share, 0.95),
    _share("M88", "B0 -> K_S K_S K_S", 28.3, "2403.02590", three_k_shorts, 0.91**3),
    _share("M89", "B0 -> gamma gamma", 30.8, "2405.19734", two_photons, 0.90 * 0.82 * 0.89),
    _share("M94", "B0 -> D* e nu", 22.0, _SLNU, lambda n: d_star_lepton_share(n, "e")),
    _share("M94", "B0 -> D* mu nu", 23.5, _SLNU, lambda n: d_star_lepton_share(n, "mu")),
    _width("M99", "B+ -> D0 K+: M_bc", 3.3, _HADRONIC, lambda n: core_width(d_kaon(n).mbcs)),
    _width("M100", "D0 of B0 -> D* l nu: mass", 4.41, _SLNU, lambda n: core_width(d_star_lepton(n, "mu").values("d"))),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    print(f"{'row':5}  {'what':32} {'published':>9} {'here':>9}  {'ratio':>5}  tolerance  source")
    for row in ROWS:
        here = row.measure(20_000)
        print(
            f"{row.row:5}  {row.what:32} {row.value:9.4g} {here:9.4g}  {here / row.value:5.2f}"
            f"  {row.tolerance:>9.0%}  arXiv:{row.source} [{row.unit}]",
            flush=True,
        )


if __name__ == "__main__":
    main()
