"""Widths and efficiencies of control modes in generated and simulated decays next to published ones.

Usage: python benchmarks/control_modes.py

Candidates are made of the true particles' tracks and photons, so that combinations of others are
neither a background nor a gain. Widths are, by what the publication says,

- "FWHM/2.355": that of the smoothed peak,
- a standard deviation of a fit, or windows of so many: that of a Gaussian within 1.5 of it,
- a "resolution": half of the central 68.27 % of reconstructed less true values,
- an average with all tails: the standard deviation of all that is in the window.

Efficiencies are shares of generated decays. Factors that stand for a trained classifier or for the
identification of a publication (its own rates) are given with the rows; where the range of such a
factor is published, its middle is taken.

Rows M18, M26, M27 and M29 are in ``photons.py``, M73 and M75 in ``luminosity.py``, M31 and M33 in
``tests/reference/test_three_pion_fit.py``. Electrons have no bremsstrahlung recovery here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import curve_fit

from benchmarks.recoil_widths import core_width
from benchmarks.signals import Signals, complete, is_good, mass_list, simulated
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
from darkbelle.units import PERCENT, MeV, deg, um

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

FS = 1e-6  # ns
B0, B_PLUS, D0, D_STAR, DS, LAMBDA_C = 511, 521, 421, 413, 431, 4122
J_PSI, OMEGA, PHI, K_S, PROTON = 443, 223, 333, 310, 2212
M_PI0, M_K_S, M_D0, M_LAMBDA_C, M_DS, M_PHI, M_J_PSI = mass_list(
    [PI0, K_S, D0, LAMBDA_C, DS, PHI, J_PSI]
)
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


def full_width(values: FloatArray) -> float:
    """Full width at half maximum of a smoothed peak over 2.355."""
    centre, sigma = float(np.median(values)), half_central(values)
    content, edges = np.histogram(values, 160, (centre - 4 * sigma, centre + 4 * sigma))
    smooth = gaussian_filter1d(content.astype(np.float64), 5)
    middle, top = (edges[1:] + edges[:-1]) / 2, int(np.argmax(smooth))
    half = smooth[top] / 2
    left = np.interp(half, smooth[: top + 1], middle[: top + 1])
    right = np.interp(-half, -smooth[top:], middle[top:])
    return float(right - left) / 2.355


def half_central(values: FloatArray) -> float:
    """Half of the interval that leaves 15.87 % on either side."""
    low, high = np.quantile(values, [0.158655, 0.841345])
    return float(high - low) / 2


def lower_width(values: FloatArray) -> float:
    """Width below the peak of a Gaussian with two widths, fitted within three of them."""

    def peak(
        x: FloatArray, height: float, mode: float, below: float, above: float
    ) -> FloatArray:
        return height * np.exp(-(((x - mode) / np.where(x < mode, below, above)) ** 2) / 2)

    found = np.array([1.0, np.median(values), *[half_central(values)] * 2])
    for _ in range(5):
        _, mode, below, above = found
        content, edges = np.histogram(values, 60, (mode - 3 * below, mode + 3 * above))
        found[0] = content.max()
        middle, error = (edges[1:] + edges[:-1]) / 2, np.sqrt(content + 1)
        found, _ = curve_fit(peak, middle, content, found, error, x_scale=np.abs(found))
    return float(found[2])


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
    true_length: FloatArray


@cache
def d_star(n: int) -> Charm:
    """D*+ -> D0 pi+, D0 -> K- pi+, the D* in the luminous region."""
    made = simulated("D*+", {"D*+": "D0 pi+", "D0": "K- pi+"}, n)
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
    bound = made.vertices(
        slow, start=start, beam_spot=(backwards.origin, backwards.origin_cov)
    )
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
    time = (flown.per_momentum - per_momentum) * mass / flight.C
    length = flown.length()[0] - true_length
    return Charm(mass_of(total)[good], difference[good], time[good], length[good], true_length[good])


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


def pi0s(made: Signals, parents: Rows) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    """Four-momenta after a fit of the mass, masses before, angles between the photons, and seen."""
    clusters = made.photons(made.daughters(parents, PHOTON, 2))
    found = complete(clusters)
    total = np.full((4, len(parents)), np.nan)
    mass, angle = np.full((2, len(parents)), np.nan)
    measured = made.light(clusters[:, found])
    p = measured.momenta()
    mass[found] = mass_of(p.sum(axis=1))
    angle[found] = 2 * np.arcsin(
        np.minimum(mass[found] / (2 * np.sqrt(p[0, 0] * p[0, 1])), 1.0)
    )
    fitted = kinfit.fit(measured, [kinfit.Mass((0, 1), M_PI0)])
    total[:, found] = fitted.particles.momenta().sum(axis=1)
    found[found] = fitted.is_converged
    return total, mass, angle, found


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
    made = simulated(
        "B+", {"B+": "anti-D0 K+", "anti-D0": "K_S0 pi+ pi-", "K_S0": "pi+ pi-"}, n
    )
    total, found = k_shorts(made, made.decayed(K_S, PION, PION))
    return mass_of(total[:, found])


@cache
def phi_k_short(n: int) -> Candidates:
    """B0 -> phi K_S."""
    made = simulated("B0", {"B0": "phi K_S0", "phi": "K+ K-", **K_SHORT}, n)
    b = made.decayed(B0, PHI, K_S)
    phi, short = made.daughters(b, PHI)[0], made.daughters(b, K_S)[0]
    kaons, both = from_pair(made, made.daughters(phi, KAON, 2), [KAON, KAON])
    pions, seen = k_shorts(made, short)
    phi_mass = mass_of(kaons)
    return Candidates.of(
        made,
        kaons + pions,
        both & seen,
        k_short=mass_of(pions),
        phi=phi_mass,
        phi_residual=phi_mass - mass_of(made.true_momenta(made.daughters(phi, KAON, 2)).sum(axis=1)),
    )


@cache
def j_psi_pi0(n: int) -> Candidates:
    """B0 -> J/psi pi0, J/psi -> mu mu; both masses are fitted for Delta E."""
    made = simulated("B0", {"B0": "J/psi pi0", "J/psi": "mu+ mu-", "pi0": "gamma gamma"}, n)
    b = made.decayed(B0, J_PSI, PI0)
    muons = made.daughters(made.daughters(b, J_PSI)[0], MUON, 2)
    pair, both = from_pair(made, muons, [MUON, MUON])
    light, mass, _, seen = pi0s(made, made.daughters(b, PI0)[0])
    psi = mass_of(pair)
    both &= within(psi, 2.9, 3.2)
    return Candidates.of(
        made,
        with_mass(pair, M_J_PSI) + light,
        both & seen & within(mass, 0.05, 0.20),
        j_psi=psi,
        pi0=mass,
    )


def with_mass(p: FloatArray, mass: float) -> FloatArray:
    """Four-momenta of given momenta and a mass."""
    energy = np.sqrt(np.sum(p[1:] ** 2, axis=0) + mass**2)
    return np.concatenate([energy[None], p[1:]])


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
    light, mass, _, seen = pi0s(made, made.daughters(omega, PI0)[0])
    three = mass_of(pions + light)
    true = mass_of(made.true_momenta(omega))
    psi = mass_of(pair)
    both &= within(psi, 2.9, 3.2)
    return Candidates.of(
        made,
        with_mass(pair, M_J_PSI) + pions + light,
        both & two & seen & within(mass, 0.05, 0.20),
        omega=three,
        omega_residual=three - true,
    )


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
    light, mass, angle, seen = pi0s(made, made.daughters(b, PI0)[0])
    seen &= within(mass, 0.115, 0.150) & (angle < 0.4)
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
    true = reco.truth.offsets[event_of(reco.cluster_offsets)[rows]] + reco.clusters.truth_index[rows]
    energy = energy_difference(measured, collider) + collider.sqrt_s / 2
    expected = energy_difference(made.true_momenta(true), collider) + collider.sqrt_s / 2
    return half_central((energy - expected)[np.abs(expected - 5.29) < 0.05])


def _own_clusters(reco: RecoEvents) -> Rows:
    """Clusters of photons in the range of the luminosity measurement."""
    clusters = reco.clusters
    good = within(clusters.theta, 37.8 * deg, 120.5 * deg) & (clusters.track_index < 0)
    return np.flatnonzero(good & (clusters.energy > 2.0) & (clusters.truth_index >= 0))


def _width(row: str, what: str, value: float, source: str, measure: Any, unit: str = "MeV") -> Any:
    scale = {"MeV": MeV, "fs": FS, "um": um, "GeV": 1.0}[unit]
    return Published(row, what, value, unit, 0.20, source, lambda n: measure(n) / scale)


def _share(
    row: str, what: str, value: float, source: str, measure: Any, factor: float = 1.0
) -> Any:
    return Published(row, what, value, "%", 0.15, source, lambda n: factor * measure(n))


_LIFETIME, _HADRONIC, _CHARMLESS = "2108.03216", "2308.05048", "2310.06381"
_PHI, _PSI_PI0, _PSI_OMEGA, _TAU = "2307.02802", "2410.08622", "2412.13338", "2405.07386"

ROWS: tuple[Published, ...] = (
    _width("M01", "D*+ -> D0 pi+: D0 mass, FWHM", 4.42, _LIFETIME, lambda n: full_width(d_star(n).mass)),
    _width("M03", "D0 decay time", 70, _LIFETIME, lambda n: half_central(d_star(n).time), "fs"),
    _width("M05", "D*+: mass difference", 0.16, _LIFETIME, lambda n: core_width(d_star(n).difference)),
    _width("M07", "Lambda_c decay length", 40, "2206.15227", lambda n: half_central(lambda_c(n).length), "um"),
    _width("M07", "Lambda_c decay time", 87, "2206.15227", lambda n: half_central(lambda_c(n).time), "fs"),
    Published("M09", "D_s -> phi pi within 8 MeV", 95, "%", 0.05, "2306.00365", d_s_share),
    _width("M10", "K_S of B -> D K: mass", 2.17, _HADRONIC, lambda n: core_width(k_short_of_d(n))),
    _width("M12", "K_S of B0 -> phi K_S: mass", 2.0, _PHI, lambda n: half_central(phi_k_short(n).values("k_short"))),
    _width("M13", "D0 of B+ -> D0 K+: mass", 4.0, _HADRONIC, lambda n: core_width(d_kaon(n).values("d"))),
    _width("M15", "phi of B0 -> phi K_S: mass", 3.0, _PHI, lambda n: half_central(phi_k_short(n).values("phi_residual"))),
    _width("M16", "J/psi -> mu mu mass, average", 13, _PSI_PI0, lambda n: float(np.std(j_psi_pi0(n).values("j_psi")))),
    _width("M19", "B0 -> J/psi pi0: Delta E", 50, _PSI_PI0, lambda n: half_central(j_psi_pi0(n).values("delta_e"))),
    _share("M21", "B0 -> J/psi pi0", 48, _PSI_PI0, lambda n: j_psi_pi0(n).share((-0.3, 0.3), (5.2, 5.3)), 0.97 * 0.99),
    _width("M24", "B0 -> J/psi omega: M_bc", 3.0, _PSI_OMEGA, lambda n: core_width(j_psi_omega(n).mbc[j_psi_omega(n).found])),
    _width("M25", "omega -> 3 pi mass", 15, _PSI_OMEGA, lambda n: half_central(j_psi_omega(n).values("omega_residual"))),
    _width("M40", "tau -> 3 mu: mass", 4.8, _TAU, lambda n: lower_width(three_muons(n).mass)),
    _width("M42", "tau -> 3 mu: Delta E", 14.9, _TAU, lambda n: lower_width(three_muons(n).delta_e)),
    _share("M44", "tau -> 3 mu", 30.7, _TAU, lambda n: three_muons(n).efficiency),
    _width("M76", "photons of 5.29 GeV", 0.08, "2407.00965", hard_photons, "GeV"),
    _share("M80", "B0 -> K+ pi-", 49.91, _CHARMLESS, k_pi, CONTINUUM * ID_KAON * ID_PION),
    _share("M82", "B+ -> K+ pi0", 36.91, _CHARMLESS, k_pi0, 0.988 * CONTINUUM * ID_KAON),
    _share("M84", "B+ -> K_S pi+", 15.89, _CHARMLESS, k_short_pi, 0.5 * 0.692 * CONTINUUM * ID_PION),
    _share("M86", "B0 -> phi K_S", 33, _PHI, lambda n: phi_share(n), 0.95),
    _share("M88", "B0 -> K_S K_S K_S", 28.3, "2403.02590", three_k_shorts, 0.91**3),
    _share("M89", "B0 -> gamma gamma", 30.8, "2405.19734", two_photons, 0.90 * 0.82 * 0.89),
    _share("M94", "B0 -> D* e nu", 22.0, "2310.01170", lambda n: d_star_lepton_share(n, "e")),
    _share("M94", "B0 -> D* mu nu", 23.5, "2310.01170", lambda n: d_star_lepton_share(n, "mu")),
    _width("M99", "B+ -> D0 K+: M_bc", 3.3, _HADRONIC, lambda n: core_width(d_kaon(n).mbc[d_kaon(n).found])),
    _width("M100", "D0 of B0 -> D* l nu: mass", 4.41, "2310.01170", lambda n: core_width(d_star_lepton(n, "mu").values("d"))),
)


def phi_share(n: int) -> float:
    """Efficiency [%] of B0 -> phi K_S."""
    made = phi_k_short(n)
    near = np.abs(made.parts["phi"] - M_PHI) < 10 * MeV
    near &= within(made.parts["k_short"], 0.480, 0.515)
    return made.share((-0.05, 0.05), (5.2, 5.3), near)


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
