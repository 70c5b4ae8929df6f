"""Photons of the calorimeter next to published figures: energies, pi0 masses, three-photon events.

Usage: python benchmarks/photons.py

The width of a photon's energy is the full one at half maximum over 2.355, of a logarithmic
Gaussian, that of a mass the core of a Crystal Ball with its tail below the peak (of a recoil mass:
above, so that its mirror is fitted); check 18 is half the shortest interval that holds 68.27 %.

A pi0 has the momenta of the channel that the figure is quoted for, by isotropic two-body decays of
the Y(4S), B, and so on, D0 -> K pi pi0 through the rho; the inclusive ones have
dN/dp = p exp(-p/0.25 GeV) in the centre of mass. Its photons are those of a usual list.

The three-photon search is that for e+e- -> gamma a, a -> gamma gamma. Its loose cut on the shape of
a shower is left out. The energy resolution of 2018 was chosen with these widths in view.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import curve_fit

from darkbelle import gen, geometry
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.gen.decays.decay import decay_short_lived
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.kinematics import boost, dot, invariant_mass, two_body
from darkbelle.gen.particles import ALP, PHOTON, PI0, species
from darkbelle.gen.processes import GammaAlp
from darkbelle.geometry import Experiment
from darkbelle.geometry.calorimeter import Region
from darkbelle.ragged import event_of
from darkbelle.samples.candidates import PHOTON_LISTS, PhotonCuts
from darkbelle.units import PERCENT, MeV, deg

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
Shape = Callable[..., FloatArray]
Pions = Callable[[int, Experiment, np.random.Generator], FloatArray]

SEED = 20_200_727

PHOTONS = {
    "belle": PHOTON_LISTS["belle"],
    "belle2": PHOTON_LISTS["pi0_50"],
    "belle2-2018": PhotonCuts(0.15, 0.15, 0.15),
}
MASSES = {  # GeV, PDG 2024
    "B": 5.27972, "D*": 2.01026, "D": 1.86484, "rho": 0.7753, "pi": 0.13957, "pi0": 0.13498,
    "K": 0.49368, "K_S": 0.49761, "J/psi": 3.0969,
}  # fmt: skip

THETA_DEG = (37.3, 123.7)
MASS_WINDOW = (0.88, 1.03)
LEAST_DELTA_THETA, LEAST_DELTA_PHI = 0.014, 0.400
IP_D0, IP_Z0 = 0.5, 2.0


@dataclass(frozen=True)
class Published:
    """A published figure, how it is measured here with some events, and what it is good for.

    Without a ``tolerance`` it is context.
    """

    row: str
    what: str
    value: float
    unit: str
    tolerance: float | None
    source: str
    measure: Callable[[int], float]


def momenta(reco: RecoEvents) -> FloatArray:
    """Four-momenta of all clusters as photons from the origin [GeV], shape (4, n_clusters)."""
    clusters = reco.clusters
    sine = np.sin(clusters.theta)
    x, y = sine * np.cos(clusters.phi), sine * np.sin(clusters.phi)
    return clusters.energy * np.stack([np.ones_like(x), x, y, np.cos(clusters.theta)])


def event_index(reco: RecoEvents) -> IndexArray:
    """Event of each cluster, shape (n_clusters,)."""
    return event_of(reco.cluster_offsets)


def clusters_of(reco: RecoEvents, particle: int, chosen: BoolArray) -> IndexArray:
    """Row of the cluster of one true particle of each event, -1 for none, shape (n_events,)."""
    rows = np.flatnonzero(chosen & (reco.clusters.truth_index == particle))
    found = np.full(reco.n_events, -1, np.intp)
    found[event_index(reco)[rows]] = rows
    return found


def half_interval(values: FloatArray) -> float:
    """Half the shortest interval that holds 68.27 %."""
    ordered = np.sort(values)
    n = int(0.6827 * len(ordered))
    return float((ordered[n:] - ordered[:-n]).min()) / 2


def crystal_ball(
    x: FloatArray, height: float, mean: float, width: float, alpha: float, power: float
) -> FloatArray:
    """A Gaussian that goes over into a power of the distance ``alpha`` widths below its mean."""
    pull = (x - mean) / width
    beyond = np.maximum(-alpha - pull, 0.0)
    tail = math.exp(-(alpha**2) / 2) * (1 + beyond * alpha / power) ** -power
    return height * np.where(beyond > 0, tail, np.exp(-(pull**2) / 2))


def log_gaussian(
    x: FloatArray, height: float, mode: float, width: float, asymmetry: float
) -> FloatArray:
    """A peak with a tail below whose full width at half maximum is 2.355 widths."""
    scale = 2 / 2.355 * math.asinh(asymmetry * 2.355 / 2)
    inner = np.maximum(1 - asymmetry * (x - mode) / width, np.finfo(float).tiny)
    return height * np.exp(-(np.log(inner) ** 2) / (2 * scale**2))


def fitted(values: FloatArray, shape: Shape, *tail: tuple[float, float, float]) -> FloatArray:
    """Height, position and width of a peak by a fit of its histogram, then what else it has.

    ``tail`` holds start, least and greatest value of each further parameter.
    """
    centre, guess = float(np.median(values)), half_interval(values)
    content, edges = np.histogram(values, 100, (centre - 6 * guess, centre + 4 * guess))
    peak = ((content.max(), 0, np.inf), (centre, -np.inf, np.inf), (guess, 0, np.inf))
    start, least, greatest = zip(*peak, *tail, strict=True)
    middle, error = (edges[1:] + edges[:-1]) / 2, np.sqrt(content + 1)
    limits = (least, greatest)
    found, _ = curve_fit(shape, middle, content, start, error, bounds=limits, x_scale="jac")
    return found


def full_width(values: FloatArray) -> float:
    """Full width at half maximum of a peak over 2.355."""
    return float(fitted(values, log_gaussian, (0.3, 0.01, 0.9))[2])


def core(values: FloatArray) -> tuple[float, float]:
    """Position and width of the core of a peak with its tail below."""
    _, position, width, *_ = fitted(values, crystal_ball, (1.2, 0.3, 4.0), (5.0, 1.01, 30.0))
    return float(position), float(width)


def core_width(values: FloatArray) -> float:
    """Width of the core of a peak with its tail below."""
    return core(values)[1]


def energies(
    n: int,
    *,
    card: str,
    energy: float,
    region: Region = Region.BARREL,
    overrides: Sequence[str] = (),
) -> FloatArray:
    """Measured energies of photons in a part of the calorimeter over the true one [%]."""
    experiment, rng = geometry.load(card, overrides), np.random.default_rng(SEED)
    part = experiment.calorimeter.regions[region]
    theta = (part.theta_min_deg * deg, part.theta_max_deg * deg)
    gun = gen.ParticleGun(pdg_id=PHOTON, p=energy, theta=theta)
    reco = simulate(gun.generate(experiment.collider, n, rng), experiment, rng=rng)
    return reco.clusters.energy[reco.clusters.truth_index == 0] / energy / PERCENT


def isotropic(n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Cosines and azimuths."""
    return rng.uniform(-1, 1, n), rng.uniform(-np.pi, np.pi, n)


def shot(
    n: int, experiment: Experiment, rng: np.random.Generator, *, p: float | FloatArray
) -> FloatArray:
    """Pions of given momenta [GeV] into all directions of the laboratory, shape (4, n)."""
    del experiment
    momentum, mass = np.broadcast_to(p, n), species(PI0).mass or 0.0
    cosine, azimuth = isotropic(n, rng)
    sine = np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    return np.stack([np.hypot(momentum, mass), *(momentum * direction)])


def chain(
    n: int, experiment: Experiment, rng: np.random.Generator, *, decays: tuple[str, ...]
) -> FloatArray:
    """The first particle of the last of successive decays of the Y(4S), shape (4, n).

    ``decays`` names the two daughters of each, the first of which decays next.
    """
    particle = np.repeat(experiment.collider.four_momentum[:, None], n, axis=1)
    for decay in decays:
        first, second = (MASSES[name] for name in decay.split())
        daughter, _ = two_body(invariant_mass(particle), first, second, *isotropic(n, rng))
        particle = boost(daughter, particle)
    return particle


def inclusive(n: int, experiment: Experiment, rng: np.random.Generator) -> FloatArray:
    """Pions of hadronic events: dN/dp = p exp(-p/0.25 GeV) in the centre of mass, isotropic."""
    beams = np.repeat(experiment.collider.four_momentum[:, None], n, axis=1)
    return boost(shot(n, experiment, rng, p=rng.gamma(2.0, 0.25, n)), beams)


TO_J_PSI = partial(chain, decays=("B B", "pi0 J/psi"))
TO_K = partial(chain, decays=("B B", "pi0 K"))
TO_D = partial(chain, decays=("B B", "D K", "pi0 K_S"))
TO_D_STAR = partial(chain, decays=("B B", "D* pi", "D pi", "rho K", "pi0 pi"))


def pi0_masses(
    n: int,
    *,
    pions: Pions,
    card: str = "belle2",
    overrides: Sequence[str] = (),
    barrel: bool = False,
    min_p: float = 0.0,
    max_angle: float = np.pi,
) -> FloatArray:
    """Masses of pi0 both of whose photons leave clusters of their own [MeV].

    ``barrel`` asks both to be there; momenta [GeV] and opening angles [rad] are those measured.
    """
    experiment, rng = geometry.load(card, overrides), np.random.default_rng(SEED)
    nowhere = np.zeros((4, n))
    pion = Slot(
        PI0, Status.FINAL, Origin.GUN, species(PI0).mass or 0.0, pions(n, experiment, rng), nowhere
    )
    truth = decay_short_lived(assemble([pion], np.ones(n), nowhere, None), rng)
    reco = simulate(truth, experiment, rng=rng)
    clusters, cuts = reco.clusters, PHOTONS[card]
    least = np.array([np.inf, cuts.forward, cuts.barrel, cuts.backward])[clusters.region]
    good = (clusters.track_index < 0) & (clusters.energy > least)
    if barrel:
        good &= clusters.region == Region.BARREL
    rows = np.stack([clusters_of(reco, photon, good) for photon in (1, 2)])
    first, second = momenta(reco)[:, rows[:, (rows >= 0).all(axis=0)]].swapaxes(0, 1)
    pair = first + second
    cosine = 1 - dot(first, second) / (first[0] * second[0])
    near = cosine > math.cos(max_angle)
    fast = np.linalg.norm(pair[1:], axis=0) > min_p
    return invariant_mass(pair[:, near & fast]) / MeV


@dataclass(frozen=True)
class Selected:
    """Squared masses [GeV^2] of the events that pass the search, and their share of all."""

    pair: FloatArray
    recoil: FloatArray
    efficiency: float


@cache
def search(mass: float, n: int) -> Selected:
    """The selection of the search but for time, where prompt photons always pass, and shape.

    Which of the three photons is that of the beams is taken from the truth.
    """
    experiment, rng = geometry.load("belle2-2018"), np.random.default_rng(SEED)
    truth = GammaAlp(mass=mass, ctau=0).generate(experiment.collider, n, rng)
    reco = simulate(truth, experiment, rng=rng)
    beams = experiment.collider.four_momentum[:, None]
    rows = _three_hardest(reco, least_energy=1.0 if mass <= 4 else 0.65)
    rows = rows[:, ~_has_track(reco)[event_index(reco)[rows[0]]]]
    rows = rows[:, _apart(reco, rows)]
    photons = momenta(reco)[:, rows]
    relative = invariant_mass(photons.sum(axis=1)) / experiment.collider.sqrt_s
    balanced = (relative > MASS_WINDOW[0]) & (relative < MASS_WINDOW[1])
    from_beams = reco.clusters.truth_index[rows] == _row_beside_alp(reco)[event_index(reco)[rows]]
    chosen = balanced & (from_beams.sum(axis=0) == 1)
    recoil = (photons * from_beams).sum(axis=1)[:, chosen]
    pair = (photons * ~from_beams).sum(axis=1)[:, chosen]
    return Selected(dot(pair, pair), dot(beams - recoil, beams - recoil), float(balanced.sum()) / n)


def _row_beside_alp(reco: RecoEvents) -> IndexArray:
    """Row in its event of the photon that is made together with the a, shape (n_events,)."""
    particles, offsets = reco.truth.particles, reco.truth.offsets
    alps = np.flatnonzero(particles.pdg_id == ALP)
    beside: IndexArray = alps - 1 - offsets[:-1]
    return beside


def _three_hardest(reco: RecoEvents, least_energy: float) -> IndexArray:
    """Rows of the three hardest photons of the events that have three, shape (3, n)."""
    clusters, low, high = reco.clusters, *(angle * deg for angle in THETA_DEG)
    good = (clusters.theta > low) & (clusters.theta < high) & (clusters.track_index < 0)
    rows = np.flatnonzero(good & (clusters.energy > least_energy))
    event = event_index(reco)[rows]
    rows = rows[np.lexsort((-clusters.energy[rows], event))]
    number = np.bincount(event, minlength=reco.n_events)
    first = (np.cumsum(number) - number)[number >= 3]
    return rows[first + np.arange(3)[:, None]]


def _has_track(reco: RecoEvents) -> BoolArray:
    """Which events have a track from the interaction point, shape (n_events,)."""
    d0, z0 = reco.tracks.helix[:, 0], reco.tracks.helix[:, 3]
    prompt = (np.abs(d0) < IP_D0) & (np.abs(z0) < IP_Z0)
    event = event_of(reco.track_offsets)
    return np.bincount(event, prompt, minlength=reco.n_events) > 0


def _apart(reco: RecoEvents, rows: IndexArray) -> BoolArray:
    """Whether any two photons differ in the polar angle or else in azimuth."""
    theta, phi = reco.clusters.theta[rows], reco.clusters.phi[rows]
    delta_theta = np.abs(theta - np.roll(theta, 1, axis=0))
    delta_phi = np.abs(np.remainder(phi - np.roll(phi, 1, axis=0) + np.pi, 2 * np.pi) - np.pi)
    return ((delta_theta > LEAST_DELTA_THETA) | (delta_phi > LEAST_DELTA_PHI)).all(axis=0)


_SEARCH, _TDR, _NIM = "arXiv:2007.13071", "arXiv:1011.0352", "NIM A 479 (2002) 117"
_SIMULATION_2018 = tuple(  # the variation of the card
    f"calorimeter.barrel.resolution.typical.energy_percent.{term}" for term in ("b=2.56", "d=0.65")
)


def _photon(row: str, what: str, value: float, source: str, **photons: Any) -> Published:
    return Published(
        row, f"sigma(E)/E, {what}", value, "%", 0.20, source,
        lambda n: full_width(energies(n, **photons)),
    )  # fmt: skip


def _pion(
    row: str,
    what: str,
    value: float,
    source: str,
    tolerance: float = 0.20,
    width: Callable[[FloatArray], float] = core_width,
    **channel: Any,
) -> Published:
    return Published(
        row, what, value, "MeV", tolerance, source, lambda n: width(pi0_masses(n, **channel))
    )


def _peak(row: str, name: Literal["pair", "recoil"], mass: float, value: float) -> Published:
    sign = {"pair": 1, "recoil": -1}[name]  # the tail of a recoil mass is above its peak
    return Published(
        row, f"M^2({name}), {mass:g} GeV", value, "GeV^2", 0.20, _SEARCH,
        lambda n: core_width(sign * getattr(search(mass, n), name)),
    )  # fmt: skip


ROWS = (
    _photon("check 16", "0.1 GeV, barrel", 4.0, _TDR, card="belle2", energy=0.1),
    _photon("check 16", "8 GeV, barrel", 1.6, _TDR, card="belle2", energy=8.0),
    _photon("check 16", "0.1 GeV, barrel, belle", 4.0, _TDR, card="belle", energy=0.1),
    _photon("check 16", "8 GeV, barrel, belle", 1.6, _TDR, card="belle", energy=8.0),
    *(
        _photon(
            "Bhabha", f"5.3 GeV, {region.name.lower()}, belle", value, _NIM,
            card="belle", energy=5.3, region=region,
        )
        for region, value in zip(tuple(Region)[1:], (1.74, 1.70, 2.85), strict=True)
    ),
    _photon(
        "I30", "0.65 GeV, simulation of 2018", 3.0, _SEARCH,
        card="belle2-2018", energy=0.65, overrides=_SIMULATION_2018,
    ),
    *(
        _pion(
            "check 18", f"{p:g} GeV, barrel, background {level}", value, "covariances of basf2",
            0.10, half_interval, pions=partial(shot, p=p), barrel=True,
            overrides=(f"calorimeter.background={level}",),
        )
        for level, values in (("low", (3.4, 4.1, 5.7)), ("mid", (4.2, 4.6, 5.9)))
        for p, value in zip((0.5, 1.0, 2.0), values, strict=True)
    ),
    # 5 to 6 MeV, taken to be those of the first collisions, photons > 0.15 GeV; 20 % off its ends
    _pion(
        "check 19", "inclusive, 2018", 5.5, "Belle II figures", 0.27,
        pions=inclusive, card="belle2-2018",
    ),
    _pion("check 19", "inclusive, belle", 4.5, "arXiv:1808.10567", pions=inclusive, card="belle"),
    _pion(
        "width", "1 GeV, barrel, belle", 4.9, _NIM,
        pions=partial(shot, p=1.0), card="belle", barrel=True,
    ),
    _pion("M18", "B0 -> J/psi pi0", 8.0, "arXiv:2410.08622", pions=TO_J_PSI),
    _pion("M26", "D0 -> K pi pi0 of B -> D* pi", 3.5, "arXiv:2402.17260", pions=TO_D_STAR),
    _pion("M27", "B -> D K, D -> K_S pi0, p > 0.6", 5.0, "arXiv:2308.05048", pions=TO_D, min_p=0.6),
    _pion("M29", "B -> K pi0, angle < 0.4", 7.0, "arXiv:2310.06381", pions=TO_K, max_angle=0.4),
    _peak("I10", "pair", 0.2, 0.00428),
    _peak("I12", "pair", 1.0, 0.0374),
    _peak("I14", "pair", 3.0, 0.2592),
    _peak("I15", "pair", 4.0, 0.4446),
    _peak("I17", "pair", 6.0, 0.8861),
    _peak("I18", "pair", 6.85, 1.0811),
    _peak("I20", "recoil", 6.85, 0.9524),
    _peak("I22", "recoil", 9.0, 0.6976),
    Published(
        "I35", "|bias| of M(pair), 1 GeV", 0.5, "%", None, _SEARCH,
        lambda n: abs(core(np.sqrt(search(1.0, n).pair))[0] - 1) / PERCENT,
    ),
    Published(
        "I01", "efficiency, 0.2 GeV", 20.0, "%", 0.15, _SEARCH,
        lambda n: search(0.2, n).efficiency / PERCENT,
    ),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    print(f"{'row':8}  {'what':40} {'published':>9} {'here':>9}  {'ratio':>5}  tolerance  source")
    for row in ROWS:
        here = row.measure(60_000)
        tolerance = "-" if row.tolerance is None else f"{row.tolerance:.0%}"
        print(
            f"{row.row:8}  {row.what:40} {row.value:9.4g} {here:9.4g}  {here / row.value:5.2f}"
            f"  {tolerance:>9}  {row.source} [{row.unit}]"
        )


if __name__ == "__main__":
    main()
