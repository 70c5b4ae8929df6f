"""Clusters of the calorimeter: resolutions, acceptance, efficiency, bookkeeping, edges."""

from __future__ import annotations

import math
import time
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from darkbelle.detsim import RecoEvents, simulate
from darkbelle.detsim.calorimeter import CalorimeterResponse, measure_clusters
from darkbelle.detsim.events import ClusterTable, KlmClusterTable, TrackTable
from darkbelle.detsim.showers import region_at
from darkbelle.gen.events import Outcome, Particles, Status
from darkbelle.gen.particles import (
    ELECTRON,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MUON,
    NEUTRON,
    NU_MU,
    PHOTON,
    PI0,
    PION,
    PROTON,
    charges,
)
from darkbelle.geometry import load, names
from darkbelle.geometry.calorimeter import Region
from darkbelle.geometry.sourced import Sourced
from darkbelle.units import C, deg
from tests.detsim.sending import (
    P_VALUE,
    at_face,
    beam,
    belle2,
    everywhere,
    isotropic,
    mass_of,
    no_material,
    one_each,
    seeded,
    several,
)
from tests.grids import spanned

PARTS = ("forward", "barrel", "backward")
QUANTITIES = ("energy_percent", "theta_mrad", "phi_mrad")
MID = "calorimeter.background=mid"
ALL_FOUND = "calorimeter.clustering.efficiency=[1.0, 1.0, 1.0, 1.0]"
NEVER_MERGED = (
    "calorimeter.clustering.distance_cm=0.0",
    "calorimeter.clustering.distance_spread_cm=0.0",
)
NO_ERROR = "{e_min_gev = 1.0, below = 1e-12, a = 0.0, b = 0.0, c = 0.0, d = 1e-12}"
FRACTIONS = [0.0616, 0.7357, 0.1275]
"""Of the solid angle: forward, barrel, backward; handbook, check 26."""


def sharp(*quantities: str) -> tuple[str, ...]:
    """Overrides that leave some quantities without error to speak of everywhere."""
    formulas = [
        f"calorimeter.{part}.resolution.mid.{name}={NO_ERROR}"
        for part in PARTS
        for name in quantities
    ]
    return (*formulas, "calorimeter.showers.front_smearing=0.0")


def measured(
    pdg_id: int | list[int] | np.ndarray,
    momentum: np.ndarray,
    *overrides: str,
    counts: np.ndarray | None = None,
    start: np.ndarray | None = None,
    seed: int = 1,
) -> CalorimeterResponse:
    """Clusters of particles that fly straight to the calorimeter, one an event or so many each."""
    arrivals, _ = at_face(pdg_id, momentum, start)
    n = np.ones(momentum.shape[1], int) if counts is None else counts
    truth = several(n, pdg_id, momentum, start)
    ecl = belle2(MID, *overrides).calorimeter
    return measure_clusters(arrivals, arrivals.pdg_id, truth, ecl, np.random.default_rng(seed))


def event_of(offsets: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def at(theta_deg: np.ndarray | float, p: float = 1.0, phi: float = 0.3) -> np.ndarray:
    """Momenta (3, n) at some polar angles."""
    theta = np.atleast_1d(theta_deg) * deg
    sine = np.sin(theta)
    return p * np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)])


# ---- resolutions and pulls -----------------------------------------------------------------------


@pytest.mark.parametrize("energy", [0.05, 0.5, 4.0])
@pytest.mark.parametrize(
    ("theta_deg", "part"),
    [(20.0, "forward"), (90.0, "barrel"), (50.0, "barrel"), (142.0, "backward")],
)
def test_positions_and_their_errors(theta_deg: float, part: str, energy: float) -> None:
    """Residuals of theta and phi are Gaussian, as wide as is reported, and that is the formula."""
    n = 20_000
    momentum = beam(energy, theta_deg, n)
    response = measured(PHOTON, momentum, ALL_FOUND)
    clusters, event = response.clusters, event_of(response.offsets)
    assert len(clusters) > 0.999 * n
    resolution = getattr(belle2(MID).calorimeter, part).resolution["mid"]
    for name, sigma in (("theta_mrad", clusters.sigma_theta), ("phi_mrad", clusters.sigma_phi)):
        expected = 1e-3 * getattr(resolution, name).at(clusters.energy)
        np.testing.assert_allclose(sigma, expected)
    expected = clusters.energy / 100 * resolution.energy_percent.at(clusters.energy)
    np.testing.assert_allclose(clusters.sigma_energy, expected)
    phi = np.arctan2(momentum[1], momentum[0])[event]
    off_phi = np.remainder(clusters.phi - phi + np.pi, 2 * np.pi) - np.pi
    for pull in (
        (clusters.theta - theta_deg * deg) / clusters.sigma_theta,
        off_phi / clusters.sigma_phi,
        clusters.time / clusters.sigma_time,
    ):
        assert stats.kstest(pull, "norm").pvalue > P_VALUE
    assert (clusters.phi >= -np.pi).all()
    assert (clusters.phi < np.pi).all()


def test_position_resolution_at_1_gev() -> None:
    """Check 17: 3.8 and 4.5 mrad in the barrel, by the residuals themselves."""
    n = 100_000
    momentum = beam(1.0, 90, n)
    clusters = measured(PHOTON, momentum, ALL_FOUND).clusters
    phi = np.arctan2(momentum[1], momentum[0])
    off_phi = np.remainder(clusters.phi - phi + np.pi, 2 * np.pi) - np.pi
    assert np.std(clusters.theta) == pytest.approx(3.84e-3, rel=0.015)
    assert np.std(off_phi) == pytest.approx(4.51e-3, rel=0.015)
    assert np.mean(clusters.theta) == pytest.approx(np.pi / 2, abs=4.5 * 3.84e-3 / math.sqrt(n))
    assert np.mean(off_phi) == pytest.approx(0, abs=4.5 * 4.51e-3 / math.sqrt(n))


def test_errors_of_time() -> None:
    """5, 2, 1, 0.5 ns at 0.05, 0.2, 1, 3 GeV; a power law between them, constant beyond."""
    energy = np.array([0.021, 0.05, 0.1, 0.2, 1.0, math.sqrt(3), 3.0, 8.0])
    momentum = np.concatenate([at(90, e) for e in energy], axis=1)
    clusters = measured(PHOTON, momentum, ALL_FOUND, *sharp(*QUANTITIES)).clusters
    np.testing.assert_allclose(clusters.energy, energy)
    expected = [5, 5, math.sqrt(10), 2, 1, math.sqrt(0.5), 0.5, 0.5]
    np.testing.assert_allclose(clusters.sigma_time, expected)


def test_time_tells_a_detour() -> None:
    """Zero for prompt photons; from 60 cm aside they come late by what the detour takes."""
    n = 20_000
    prompt = measured(PHOTON, beam(3.0, 90, n)).clusters
    assert np.mean(prompt.time) == pytest.approx(0, abs=4.5 * 0.5 / math.sqrt(n))
    start = np.tile([[60.0], [0.0], [0.0], [1.0]], n)
    displaced = measured(PHOTON, np.tile([[0.0], [3.0], [0.0]], n), start=start).clusters
    y = math.sqrt(125**2 - 60**2) + 15.1  # the depth of a shower of 3 GeV
    late = 1.0 + (y - math.hypot(60, y)) / C
    assert np.mean(displaced.time) == pytest.approx(late, abs=4.5 * 0.5 / math.sqrt(n))
    # Born 60 cm ahead on the way of a prompt one, at rest since the collision: 2 ns early.
    early = measured(
        PHOTON, np.tile([[3.0], [0.0], [0.0]], n), start=np.tile([[60.0], [0], [0], [0]], n)
    ).clusters
    assert np.mean(early.time) == pytest.approx(-60 / C, abs=4.5 * 0.5 / math.sqrt(n))


def test_direction_of_displaced_photons() -> None:
    """From the origin to the centroid: a calorimeter does not point.

    From (60, 0, 20) along (0, 1, 1)/sqrt(2): the wall at y = 109.659, z = 129.659; 6.992 X0 =
    13.028 cm further the centroid of 1 GeV, 9.212 cm in y and in z.
    """
    n = 20_000
    start = np.tile([[60.0], [0.0], [20.0], [0.0]], n)
    momentum = np.tile([[0.0], [math.sqrt(0.5)], [math.sqrt(0.5)]], n)
    clusters = measured(PHOTON, momentum, start=start).clusters
    x, y, z = 60.0, 109.659 + 9.212, 129.659 + 9.212
    error = 4.5 / math.sqrt(n)
    theta, phi = math.atan2(math.hypot(x, y), z), math.atan2(y, x)
    assert np.mean(clusters.theta) == pytest.approx(theta, abs=4e-3 * error + 1e-5)
    assert np.mean(clusters.phi) == pytest.approx(phi, abs=5e-3 * error + 1e-5)
    assert theta / deg == pytest.approx(43.8, abs=0.1)  # where the photon flies at 45
    assert (clusters.region == Region.BARREL).all()


def depth_of_photons(energy: np.ndarray) -> np.ndarray:
    """Mean of the profile behind the face [cm]: a/b of 1 + b (log(E/11.2 MeV) + 0.5), b = 0.5."""
    return (1 + 0.5 * (np.log(energy / 11.2e-3) + 0.5)) / 0.5 * 30 / 16.1


@pytest.mark.parametrize("pdg_id", [PHOTON, PION, K_L])
def test_distance_is_that_of_a_photon_from_the_origin(pdg_id: int) -> None:
    """Of what is measured: to the cylinder or the planes of the end caps, and the depth."""
    clusters = measured(pdg_id, isotropic(1.0, 5_000)).clusters
    sine, cosine = np.sin(clusters.theta), np.cos(clusters.theta)
    to_plane = np.where(cosine > 0, 196, 102) / np.abs(cosine)
    expected = np.minimum(125 / sine, to_plane) + depth_of_photons(clusters.energy)
    np.testing.assert_allclose(clusters.r, expected, rtol=1e-9)
    assert len(set(clusters.region)) == 3


def test_distance_does_not_tell_the_truth() -> None:
    """Prompt and displaced photons of the same measured energy and angle are as far away."""
    n = 2_000
    start = np.stack([np.full(n, 60.0), np.zeros(n), np.linspace(-40, 60, n), np.zeros(n)])
    momentum = np.tile([[0.0], [1.0], [0.0]], n)
    displaced = measured(PHOTON, momentum, ALL_FOUND, start=start).clusters
    assert len(displaced) == n
    prompt = measured(
        PHOTON,
        displaced.energy * at(displaced.theta / deg),
        ALL_FOUND,
        *sharp(*QUANTITIES),
    ).clusters
    for name in ("theta", "energy", "r"):
        values = getattr(prompt, name), getattr(displaced, name)
        np.testing.assert_allclose(*values, rtol=1e-9, err_msg=name)
    # The displaced ones meet the wall at a slant of 29 deg and shower sqrt(60^2 + 122.69^2) =
    # 136.57 cm from the axis, those of the origin at 125/sin(theta) + 13.03 cm from it.
    far = 1 / np.sin(displaced.theta)
    off = np.mean(displaced.r) - np.mean(np.hypot(136.57, start[2]))
    assert off == pytest.approx(13.03 - (136.57 - 125) * np.mean(far), abs=0.1)
    assert off > 1


def test_shapes() -> None:
    """12 cm^2, 96.5 % in nine crystals of 21, 22 crystals above noise at 1 GeV."""
    n = 20_000
    clusters = measured(PHOTON, beam(1.0, 90, n)).clusters
    assert np.median(clusters.second_moment) == pytest.approx(12, rel=0.01)
    assert np.median(clusters.e9_e21) == pytest.approx(0.965, abs=0.001)
    assert np.mean(clusters.n_crystals) == pytest.approx(22, rel=0.01)
    soft = measured(PHOTON, beam(0.0625, 90, n), *sharp("energy_percent")).clusters
    assert np.mean(soft.n_crystals) == pytest.approx(11, rel=0.01)
    tiny = measured(
        PHOTON, beam(0.021, 90, n), "calorimeter.showers.crystals_at_1_gev=2.0", ALL_FOUND
    ).clusters
    assert tiny.n_crystals.min() == 1
    hadrons = measured(NEUTRON, beam(3.0, 90, n)).clusters
    assert np.median(hadrons.e9_e21) < 0.9
    assert ((hadrons.e9_e21 > 0) & (hadrons.e9_e21 < 1)).all()


# ---- acceptance ----------------------------------------------------------------------------------


def test_fractions_of_the_solid_angle() -> None:
    """Check 26: 0.0616, 0.7357, 0.1275, sum 0.9248; from the angles, and from photons' regions."""
    ecl = belle2().calorimeter
    exact = [
        (math.cos(part.theta_min_deg * deg) - math.cos(part.theta_max_deg * deg)) / 2
        for part in ecl.regions.values()
    ]
    assert exact == pytest.approx(FRACTIONS, abs=5e-5)
    assert sum(exact) == pytest.approx(0.9248, abs=5e-5)
    n = 100_000
    truth = one_each(PHOTON, isotropic(1.0, n))
    reco = simulate(truth, belle2(ALL_FOUND, *no_material()), rng=np.random.default_rng(2))
    found = np.bincount(reco.clusters.region, minlength=len(Region))
    assert found[Region.NONE] == 0
    for count, expected in zip(found[1:], exact, strict=True):
        assert stats.binomtest(int(count), n, expected).pvalue > P_VALUE


def test_regions_of_photons_that_did_not_convert() -> None:
    """With all material: each is where it flies, and none is in a gap or beyond the ends."""
    n = 40_000
    momentum = isotropic(1.0, n, seed=3)
    reco = simulate(one_each(PHOTON, momentum), belle2(), rng=np.random.default_rng(3))
    event = event_of(reco.cluster_offsets)
    whole = reco.truth.particles.outcome[reco.truth.offsets[:-1]] != Outcome.CONVERTED
    assert 0.6 < whole.mean() < 0.99
    kept = whole[event]
    theta = np.arccos(momentum[2])
    expected = region_at(belle2().calorimeter, theta)
    np.testing.assert_array_equal(reco.clusters.region[kept], expected[event[kept]])
    efficiency = np.sum(kept) / np.sum(whole & (expected != Region.NONE))
    assert efficiency == pytest.approx(0.99, abs=4.5 * math.sqrt(0.0099 / whole.sum()))


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, 12.4), (31.4, 32.2), (128.7, 130.7), (155.1, 180.0)],
    ids=["beam", "forward gap", "backward gap", "backward beam"],
)
def test_nothing_from_the_gaps(low: float, high: float) -> None:
    theta = np.linspace(low, high, 402)[1:-1]
    truth = one_each(PHOTON, at(theta, 3.0))
    reco = simulate(truth, belle2(*no_material()), rng=np.random.default_rng(4))
    assert len(reco.clusters) == 0
    assert Outcome.SHOWERED not in reco.truth.particles.outcome


def test_regions_flip_at_the_edges() -> None:
    """A hundred-thousandth of a degree is enough, whatever the resolution."""
    edges = np.array([12.4, 31.4, 32.2, 128.7, 130.7, 155.1])
    n = 200
    for side, expected in ((-1, [0, 1, 0, 2, 0, 3]), (1, [1, 0, 2, 0, 3, 0])):
        theta = np.repeat(edges + side * 1e-5, n)
        response = measured(PHOTON, at(theta), ALL_FOUND)
        found = np.zeros(len(theta), int)
        found[event_of(response.offsets)] = response.clusters.region
        np.testing.assert_array_equal(found, np.repeat(expected, n))


def test_least_pt_to_reach_the_barrel() -> None:
    """Check 25: 0.28 GeV, 5 %, from clusters of muons; above it nearly all have one."""
    pt = np.linspace(0.2, 0.4, 4_001)
    momentum = beam(pt, np.random.default_rng(5).uniform(60, 110, len(pt)), len(pt))
    momentum *= pt / np.hypot(momentum[0], momentum[1])
    for sign in (1, -1):
        truth = one_each(sign * MUON, momentum)
        reco = simulate(truth, belle2(), rng=np.random.default_rng(5))
        is_barrel = reco.clusters.region == Region.BARREL
        primary = reco.clusters.truth_index == 0
        found = event_of(reco.cluster_offsets)[is_barrel & primary]
        assert pt[found].min() == pytest.approx(0.28, rel=0.05)
        above = found[pt[found] > 0.3]
        assert len(set(above)) > 0.9 * np.sum(pt > 0.3)


# ---- efficiency ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", spanned(["belle2", "belle", "belle2-2018"], ["belle2", "belle"]))
def test_efficiency(name: str) -> None:
    """Binomial in each bin of the measured energy, sharp at the edges, nothing below 20 MeV."""
    card = load(name).calorimeter
    edges, efficiency = card.clustering.energy_edges_gev, card.clustering.efficiency
    level = card.background
    ecl = load(
        name,
        [
            *(f"calorimeter.{p}.resolution.{level}.energy_percent={NO_ERROR}" for p in PARTS),
            "calorimeter.showers.front_smearing=0.0",
        ],
    ).calorimeter
    n = 20_000
    points = [0.0199, 0.0201]
    points += [edge * shift for edge in edges[1:] for shift in (0.9999, 1.0001)] + [1.0, 8.0]
    for energy in points:
        momentum = beam(energy, 90, n)
        arrivals, _ = at_face(PHOTON, momentum)
        truth = one_each(PHOTON, momentum)
        response = measure_clusters(arrivals, arrivals.pdg_id, truth, ecl, np.random.default_rng(6))
        if energy < 0.02:
            assert len(response.clusters) == 0
            continue
        expected = efficiency[max(i for i, edge in enumerate(edges) if edge < energy)]
        assert stats.binomtest(len(response.clusters), n, expected).pvalue > P_VALUE, energy


def test_efficiency_is_that_of_the_handbook() -> None:
    """0.85, 0.93, 0.97, 0.99 at 0.03-0.05, 0.05-0.1, 0.1-0.2, more than 0.2 GeV."""
    n = 50_000
    for energy, expected in ((0.04, 0.85), (0.075, 0.93), (0.15, 0.97), (1.0, 0.99)):
        found = len(measured(PHOTON, beam(energy, 90, n), *sharp("energy_percent")).clusters)
        assert stats.binomtest(found, n, expected).pvalue > P_VALUE


def test_energy_counts_after_merging() -> None:
    """Two photons of 15 MeV at one place are one cluster of 30 MeV; alone neither is seen."""
    n = 4_000
    momentum = np.repeat(beam(0.015, 90, n), 2, axis=1)
    none = measured(PHOTON, momentum, *sharp("energy_percent"))
    assert len(none.clusters) == 0
    both = measured(PHOTON, momentum, *sharp("energy_percent"), counts=np.full(n, 2))
    assert stats.binomtest(len(both.clusters), n, 0.85).pvalue > P_VALUE
    np.testing.assert_allclose(both.clusters.energy, 0.03)
    np.testing.assert_array_equal(both.clusters.n_particles, 2)


def test_what_is_found_keeps_its_columns() -> None:
    """Events of one to three photons at one place: their numbers go with energy and direction."""
    half = "calorimeter.clustering.efficiency=[0.5, 0.5, 0.5, 0.5]"
    counts = np.tile([1, 2, 3], 500)
    theta = np.repeat(np.linspace(40, 120, len(counts)), counts)
    response = measured(PHOTON, at(theta), half, *sharp(*QUANTITIES), counts=counts)
    clusters, event = response.clusters, event_of(response.offsets)
    assert stats.binomtest(len(clusters), len(counts), 0.5).pvalue > P_VALUE
    np.testing.assert_array_equal(clusters.n_particles, counts[event])
    np.testing.assert_allclose(clusters.energy, counts[event])
    np.testing.assert_allclose(clusters.theta / deg, np.linspace(40, 120, len(counts))[event])
    assert (np.diff(event) > 0).all()


@pytest.mark.parametrize("distance", [3.0, 5.0, 6.0, 7.0, 9.0])
def test_pairs_of_photons(distance: float) -> None:
    """One cluster with Phi((6 cm - d)/1 cm), d between the centroids at 138 cm; energy is kept."""
    n = 10_000
    angle = 2 * math.asin(distance / 2 / 138.028)
    phi = np.stack([np.zeros(n), np.full(n, angle)], axis=-1).ravel()
    momentum = np.stack([np.cos(phi), np.sin(phi), 0 * phi])
    cards = (ALL_FOUND, *sharp("energy_percent"))
    response = measured(PHOTON, momentum, *cards, counts=np.full(n, 2))
    number = np.diff(response.offsets)
    expected = stats.norm.cdf(6 - distance)
    assert stats.binomtest(int(np.sum(number == 1)), n, expected).pvalue > P_VALUE
    assert set(number) <= {1, 2}
    energy = np.bincount(event_of(response.offsets), response.clusters.energy, n)
    np.testing.assert_allclose(energy, 2.0)
    one = number[event_of(response.offsets)] == 1
    np.testing.assert_array_equal(response.clusters.n_particles, np.where(one, 2, 1))
    middle = response.clusters.phi[one]
    if len(middle) > 1_000:
        assert np.mean(middle) == pytest.approx(angle / 2, abs=4.5 * 4e-3 / math.sqrt(len(middle)))


# ---- background of the beams ---------------------------------------------------------------------


def test_background_of_the_beams() -> None:
    """Poisson in number, isotropic, exponential above the threshold, uniform in time; of nobody."""
    n, mean = 40_000, 2.0
    truth = several(np.zeros(n, int), [], np.empty((3, 0)))
    cards = (f"calorimeter.beam_background.mean_number={mean}", ALL_FOUND, *NEVER_MERGED)
    arrivals, _ = at_face([], np.empty((3, 0)))
    ecl = belle2(*cards).calorimeter
    response = measure_clusters(arrivals, arrivals.pdg_id, truth, ecl, np.random.default_rng(7))
    clusters, number = response.clusters, np.diff(response.offsets)
    law = stats.poisson(mean * 0.92482)
    observed = np.bincount(np.minimum(number, 7), minlength=8)
    expected = n * np.append(law.pmf(np.arange(7)), law.sf(6))
    assert stats.chisquare(observed, expected).pvalue > P_VALUE
    assert (clusters.truth_index == -1).all()
    assert (clusters.track_index == -1).all()
    assert (clusters.n_particles == 1).all()
    for code, fraction in enumerate(FRACTIONS, start=1):
        share = fraction / sum(FRACTIONS)
        count = int(np.sum(clusters.region == code))
        assert stats.binomtest(count, len(clusters), share).pvalue > P_VALUE
    assert stats.kstest(clusters.phi, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > P_VALUE
    assert stats.kstest(clusters.energy, stats.expon(0.02, 0.03).cdf).pvalue > P_VALUE
    spread = 100**2 / 3 + np.mean(clusters.sigma_time**2)
    assert np.var(clusters.time) == pytest.approx(spread, rel=0.02)
    assert np.mean(np.abs(clusters.time) < 50) == pytest.approx(0.5, abs=0.01)


def test_background_beside_particles() -> None:
    """The particles' clusters keep their owners; without background nobody lacks one."""
    n = 5_000
    momentum = beam(2.0, np.linspace(35, 125, n), n)
    for mean in (0.0, 3.0):
        card = f"calorimeter.beam_background.mean_number={mean}"
        response = measured(PHOTON, momentum, card, ALL_FOUND)
        clusters, event = response.clusters, event_of(response.offsets)
        own = clusters.truth_index == 0
        assert set(clusters.truth_index) == ({0, -1} if mean else {0})
        np.testing.assert_array_equal(event[own], np.arange(n))
        away = clusters.theta[own] - np.arccos(momentum[2] / 2)
        assert np.abs(away).max() < 0.05
        assert np.abs(clusters.energy[own] - 2).max() < 0.7
        extra = np.sum(~own) + np.sum(clusters.n_particles[own] - 1)
        expected = mean * 0.92482 * n
        assert extra == pytest.approx(expected, abs=4.5 * math.sqrt(expected) + 30 * (mean > 0))


# ---- outcomes ------------------------------------------------------------------------------------

SEEN = (PHOTON, ELECTRON, -ELECTRON, MUON, -MUON, PION, -PION, KAON, -KAON, PROTON, -PROTON)
UNSTABLE = (PI0, K_S, LAMBDA, K_L, NEUTRON, -NEUTRON, NU_MU)
ALL = (*SEEN, *UNSTABLE)


def assert_consistent(reco: RecoEvents) -> None:
    """Outcomes are determined, offsets and indices valid, numbers finite."""
    q, clusters, tracks = reco.truth.particles, reco.clusters, reco.tracks
    flew = np.isin(q.status, (Status.FINAL, Status.SIMULATED))
    assert not (q.outcome[flew] == Outcome.UNDETERMINED).any()
    showered, stopped = q.outcome == Outcome.SHOWERED, q.outcome == Outcome.STOPPED
    assert not np.isin(np.abs(q.pdg_id[showered]), (MUON, NU_MU)).any()
    assert (charges(q.pdg_id[stopped]) != 0).all()

    offsets = reco.cluster_offsets
    assert offsets.dtype == np.int64
    assert len(offsets) == reco.n_events + 1
    assert offsets[0] == 0
    assert offsets[-1] == len(clusters)
    assert (np.diff(offsets) >= 0).all()
    event = event_of(offsets)
    for field in fields(ClusterTable):
        values = getattr(clusters, field.name)
        assert len(values) == len(clusters), field.name
        if field.name != "track_distance":
            assert np.isfinite(values).all(), field.name
    for name in ("energy", "r", "sigma_energy", "sigma_theta", "sigma_phi", "sigma_time"):
        assert (getattr(clusters, name) > 0).all(), name
    assert (clusters.energy >= 0.02).all()
    assert ((clusters.theta >= 0) & (clusters.theta <= np.pi)).all()
    assert ((clusters.phi >= -np.pi) & (clusters.phi < np.pi)).all()
    assert ((clusters.e9_e21 > 0) & (clusters.e9_e21 < 1)).all()
    assert (clusters.n_crystals >= 1).all()
    assert (clusters.n_particles >= 1).all()
    assert (clusters.region != Region.NONE).all()
    assert (clusters.track_distance >= 0).all()
    for column in (clusters.track_index, clusters.n_particles, tracks.cluster_index):
        assert column.dtype == np.int32

    n_particles, n_tracks = np.diff(reco.truth.offsets), np.diff(reco.track_offsets)
    assert ((clusters.truth_index >= -1) & (clusters.truth_index < n_particles[event])).all()
    assert ((clusters.track_index >= -1) & (clusters.track_index < n_tracks[event])).all()
    of = clusters.truth_index >= 0
    owner = reco.truth.offsets[event[of]] + clusters.truth_index[of]
    ends = (Outcome.SHOWERED, Outcome.STOPPED, Outcome.ABSORBED, Outcome.ESCAPED)
    assert np.isin(q.outcome[owner], ends).all()
    # Neutral ones have showered, and so have electrons.
    through = np.abs(q.pdg_id[owner[q.outcome[owner] != Outcome.SHOWERED]])
    assert not np.isin(through, (PHOTON, ELECTRON, K_L, NEUTRON)).any()

    # Tracks and clusters agree about who belongs to whom.
    track_event = event_of(reco.track_offsets)
    rows = np.flatnonzero(clusters.track_index >= 0)
    owners = reco.track_offsets[event[rows]] + clusters.track_index[rows]
    strongest = np.full(len(tracks), -1.0)
    np.maximum.at(strongest, owners, clusters.energy[rows])
    has = tracks.cluster_index >= 0
    np.testing.assert_array_equal(has, strongest >= 0)
    theirs = offsets[track_event[has]] + tracks.cluster_index[has]
    assert (tracks.cluster_index[has] < np.diff(offsets)[track_event[has]]).all()
    np.testing.assert_array_equal(clusters.energy[theirs], strongest[has])
    np.testing.assert_array_equal(
        reco.track_offsets[event[theirs]] + clusters.track_index[theirs], np.flatnonzero(has)
    )
    assert np.isnan(tracks.e_over_p[~has]).all()
    near = belle2().calorimeter.clustering.match_distance_cm
    np.testing.assert_array_equal(clusters.track_index >= 0, clusters.track_distance < near)


@settings(seeded, max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.lists(st.sampled_from(ALL), max_size=12), min_size=1, max_size=8),
    st.sampled_from(["1.5", "-1.5", "0.0"]),
    st.sampled_from(["0.0", "2.0"]),
)
def test_any_events_are_consistent(
    seed: int, events: list[list[int]], field: str, background: str
) -> None:
    codes = [code for event in events for code in event]
    momentum, start = everywhere(len(codes), seed, p=(0.05, 10.0), reach=150.0)
    truth = several([len(event) for event in events], codes, momentum, start)
    card = belle2(
        f"solenoid.field_t={field}", f"calorimeter.beam_background.mean_number={background}"
    )
    reco = simulate(truth, card, rng=np.random.default_rng(seed))
    assert_consistent(reco)
    has = reco.tracks.cluster_index >= 0
    assert np.isfinite(reco.tracks.e_over_p[has]).all() == (field != "0.0" or not has.any())
    if background == "0.0":
        assert (reco.clusters.truth_index >= 0).all()


def test_crowds_are_consistent() -> None:
    """Ten events of 200 particles, where much is merged and tracks lie near to each other."""
    codes = np.random.default_rng(8).choice(SEEN, 2_000)
    momentum, _ = everywhere(2_000, 8, p=(0.1, 3.0))
    truth = several(np.full(10, 200), codes, momentum)
    reco = simulate(truth, belle2(), rng=np.random.default_rng(8))
    assert_consistent(reco)
    assert (reco.clusters.n_particles > 1).sum() > 50
    assert np.sum(reco.tracks.cluster_index >= 0) > 500


def test_outcomes() -> None:
    """Photons and electrons shower, muons pass or stop, neutrinos are not seen."""
    n = 2_000

    def outcomes(pdg_id: int, p: float) -> tuple[set[int], RecoEvents]:
        truth = one_each(pdg_id, beam(p, 90, n))
        reco = simulate(truth, belle2(*no_material()), rng=np.random.default_rng(9))
        return set(reco.truth.particles.outcome[reco.truth.offsets[:-1]].tolist()), reco

    for pdg_id in (PHOTON, ELECTRON, -ELECTRON):
        assert outcomes(pdg_id, 1.0)[0] == {Outcome.SHOWERED}
    assert outcomes(NU_MU, 1.0)[0] == {Outcome.INVISIBLE}
    assert outcomes(MUON, 5.0)[0] <= {Outcome.ESCAPED, Outcome.DECAYED}
    assert outcomes(MUON, 0.3)[0] <= {Outcome.STOPPED, Outcome.DECAYED}
    assert outcomes(PROTON, 0.5)[0] <= {Outcome.STOPPED, Outcome.SHOWERED}
    found, reco = outcomes(NEUTRON, 1.0)
    assert found == {Outcome.ESCAPED, Outcome.SHOWERED, Outcome.ABSORBED}
    q = reco.truth.particles
    share = np.mean(q.outcome == Outcome.SHOWERED)
    assert share == pytest.approx(-math.expm1(-0.855), abs=4.5 * 0.5 / math.sqrt(n))
    # What ends in the crystals or behind them has its end at the wall.
    ended = q.outcome != Outcome.ESCAPED
    radius = np.hypot(q.decay_x, q.decay_y)
    np.testing.assert_allclose(radius[ended], 125.0, atol=1e-6)
    assert (radius[~ended] == 0).all()
    assert (q.decay_t[ended] > 125 / C).all()


def test_what_was_decided_before_stays() -> None:
    """Converted, decayed and absorbed ones never reach the crystals."""
    truth = one_each(np.tile(ALL, 200), *everywhere(200 * len(ALL), 10, p=(0.02, 5.0)))
    reco = simulate(truth, belle2(), rng=np.random.default_rng(10))
    assert_consistent(reco)
    found = set(reco.truth.particles.outcome.tolist())
    assert found == set(Outcome) - {Outcome.UNDETERMINED, Outcome.COLLIDED, Outcome.UNDECAYED}


@pytest.mark.parametrize("name", spanned(names(), ["belle", "belle2", "belle2-2018"]))
def test_every_card(name: str) -> None:
    """All that can arrive is measured with each card, nominal and with its variations."""
    codes = np.tile(ALL, 100)
    momentum, start = everywhere(len(codes), 11, p=(0.05, 10.0))
    experiment = load(name)
    truth = several(np.full(100, len(ALL)), codes, momentum, start)
    assert_consistent(simulate(truth, experiment, rng=np.random.default_rng(11)))
    codes = np.tile([PHOTON, PHOTON, PION, K_L], 1_000)
    momentum = isotropic(1.0, len(codes))
    arrivals, _ = at_face(codes, momentum)
    truth, ecl = one_each(codes, momentum), experiment.calorimeter
    tables = {key: table for key, table in ecl if isinstance(table, Sourced) and table.variation}
    assert {"barrel", "showers", "hadrons", "clustering", "timing"} <= set(tables)
    nominal = measure_clusters(
        arrivals, arrivals.pdg_id, truth, ecl, np.random.default_rng(12)
    ).clusters
    for key, table in tables.items():
        varied = ecl.model_copy(update={key: table.varied()})
        other = measure_clusters(
            arrivals, arrivals.pdg_id, truth, varied, np.random.default_rng(12)
        ).clusters
        same = [
            np.array_equal(getattr(nominal, field.name), getattr(other, field.name))
            for field in fields(ClusterTable)
        ]
        assert not all(same), key


# ---- hadrons that are taken for leptons ----------------------------------------------------------


def identified(pdg_id: int, n: int, seed: int) -> tuple[RecoEvents, np.ndarray, np.ndarray]:
    """Particles of 2 GeV in the barrel: rows of their tracks, and outcomes."""
    theta = np.random.default_rng(seed).uniform(40, 120, n)
    reco = simulate(
        one_each(pdg_id, beam(2.0, theta, n)), belle2(), rng=np.random.default_rng(seed)
    )
    own = np.flatnonzero(reco.tracks.truth_index == 0)
    particle = reco.truth.offsets[event_of(reco.track_offsets)[own]]
    return reco, own, reco.truth.particles.outcome[particle]


def passing(reco: RecoEvents, point: str) -> np.ndarray:
    """Which tracks pass a working point."""
    return reco.tracks.pid[:, belle2().identification.point_names.index(point)]


@pytest.mark.parametrize("pdg_id", spanned([PION, -KAON], [PION]))
def test_hadrons_taken_for_leptons(pdg_id: int) -> None:
    """They charge the energy of an electron, or leave what a muon does.

    Those that are taken for both are electrons; of those for neither half shower, and leave less.
    """
    reco, own, outcome = identified(pdg_id, 30_000, 21)
    ratio = reco.tracks.e_over_p[own]
    electron, muon = passing(reco, "e_loose")[own], passing(reco, "mu_loose")[own]
    showered = outcome == Outcome.SHOWERED

    assert np.sum(electron & showered) > 50
    arrived = np.isin(outcome, (Outcome.SHOWERED, Outcome.STOPPED, Outcome.ESCAPED))
    assert showered[electron & arrived].all()
    like_electrons = ratio[electron & showered]
    assert np.mean(np.isfinite(like_electrons)) > 0.95
    like_electrons = like_electrons[np.isfinite(like_electrons)]
    assert np.median(like_electrons) == pytest.approx(0.99, abs=0.02)
    assert np.mean(np.abs(like_electrons - 1) < 0.15) > 0.95

    quiet = muon & ~electron
    assert np.sum(quiet) > 200
    assert not showered[quiet].any()
    passes = quiet & (outcome == Outcome.ESCAPED) & np.isfinite(ratio)
    assert np.median(ratio[passes] * 2.0) == pytest.approx(0.215, abs=0.02)
    assert np.mean(ratio[passes] * 2.0 > 0.5) < 0.05

    neither = ~muon & ~electron
    assert 0.4 < np.mean(showered[neither]) < 0.7
    assert np.nanmedian(ratio[neither & showered]) < 0.6


def test_leptons_behave_like_themselves() -> None:
    """Whatever they are taken for: only hadrons mislead."""
    reco, own, outcome = identified(ELECTRON, 5_000, 22)
    arrived = np.isin(outcome, (Outcome.SHOWERED, Outcome.STOPPED, Outcome.ESCAPED))
    assert (outcome[arrived] == Outcome.SHOWERED).all()
    reco, own, outcome = identified(MUON, 5_000, 22)
    assert passing(reco, "mu_loose")[own].mean() > 0.8
    assert Outcome.SHOWERED not in outcome


# ---- randomness and order ------------------------------------------------------------------------


def test_seeds() -> None:
    codes = np.tile(SEEN, 60)
    truth = several(np.full(60, len(SEEN)), codes, *everywhere(len(codes), 11, p=(0.1, 5.0)))
    one, same, other = (
        simulate(truth, belle2(), rng=np.random.default_rng(seed)).clusters for seed in (1, 1, 2)
    )
    for field in fields(ClusterTable):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(same, field.name))
    assert len(one) != len(other) or not np.array_equal(one.energy, other.energy)


def test_each_stage_has_its_own_random_numbers() -> None:
    """What hadronic showers look like changes neither tracks, nor species, nor muons behind."""
    n = 1_500
    momentum, _ = everywhere(3 * n, 20, p=(0.5, 3.0))
    truth = several(np.full(n, 3), np.tile([PION, MUON, K_L], n), momentum)
    one, other = (
        simulate(truth, belle2(card), rng=np.random.default_rng(20))
        for card in (
            "calorimeter.hadrons.split_offs=0.15",
            "calorimeter.hadrons.split_offs=1.5",
        )
    )
    assert len(other.clusters) > 1.1 * len(one.clusters)
    for field in fields(TrackTable):
        if field.name not in ("cluster_index", "e_over_p"):
            np.testing.assert_array_equal(
                getattr(one.tracks, field.name), getattr(other.tracks, field.name), field.name
            )
    assert one.tracks.pid.any(axis=0).all()
    muons = [np.flatnonzero(reco.klm_clusters.truth_index == 1) for reco in (one, other)]
    assert len(muons[0]) > 500
    for field in fields(KlmClusterTable):
        np.testing.assert_array_equal(
            getattr(one.klm_clusters, field.name)[muons[0]],
            getattr(other.klm_clusters, field.name)[muons[1]],
            field.name,
        )


def test_order_of_events_does_not_matter() -> None:
    """With a calorimeter that errs in the time alone."""
    cards = (
        *sharp(*QUANTITIES),
        ALL_FOUND,
        "calorimeter.clustering.distance_spread_cm=0.0",
        "calorimeter.showers.second_moment_spread=0.0",
    )
    n, rng = 300, np.random.default_rng(12)
    counts = rng.integers(0, 12, n)
    momentum, start = everywhere(counts.sum(), 12, p=(0.05, 5.0))
    event = np.repeat(np.arange(n), counts)
    new = rng.permutation(n)  # old numbers of the new events
    order = np.concatenate([np.flatnonzero(event == old) for old in new])
    one = measured(PHOTON, momentum, *cards, counts=counts, start=start)
    other = measured(
        PHOTON, momentum[:, order], *cards, counts=counts[new], start=start[:, order], seed=2
    )
    rows = np.concatenate([np.arange(one.offsets[old], one.offsets[old + 1]) for old in new])
    np.testing.assert_array_equal(np.diff(other.offsets), np.diff(one.offsets)[new])
    for field in fields(ClusterTable):
        if field.name in ("time", "n_crystals"):
            continue
        np.testing.assert_allclose(
            getattr(other.clusters, field.name),
            getattr(one.clusters, field.name)[rows],
            rtol=1e-9,
            atol=1e-12,
            err_msg=field.name,
        )
    assert len(one.clusters) < 0.93 * counts.sum()


# ---- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_events", [0, 1, 5])
@pytest.mark.parametrize("background", ["0.0", "1.0"])
def test_nobody_arrives(n_events: int, background: str) -> None:
    """No events, events without particles, and with unseen ones only."""
    empty = several(np.zeros(n_events, int), [], np.empty((3, 0)))
    unseen = one_each(NU_MU, beam(1.0, 90, n_events))
    card = belle2(f"calorimeter.beam_background.mean_number={background}")
    for truth in (empty, unseen):
        reco = simulate(truth, card, rng=np.random.default_rng(13))
        assert len(reco.cluster_offsets) == n_events + 1
        assert reco.cluster_offsets[-1] == len(reco.clusters)
        assert (reco.clusters.truth_index == -1).all()
        assert_consistent(reco)
        if background == "0.0" or not n_events:
            assert len(reco.clusters) == 0


def test_softest_and_hardest() -> None:
    """1 MeV leaves no cluster; 100 GeV leave one, with errors that are positive."""
    n = 2_000
    for pdg_id in (PHOTON, ELECTRON, MUON, NEUTRON):
        assert len(measured(pdg_id, isotropic(1e-3, n)).clusters) == 0
    momentum = isotropic(100.0, n)
    reco = simulate(one_each(PHOTON, momentum), belle2(), rng=np.random.default_rng(14))
    assert_consistent(reco)
    assert np.median(reco.clusters.energy) == pytest.approx(100, rel=0.02)


def test_what_curls_leaves_nothing() -> None:
    """0.15 GeV across the field turn within 67 cm and reach no crystals; 0.35 GeV do."""
    for p, expected in ((0.15, 0), (0.35, 200)):
        momentum = beam(p, 90, 200)
        momentum[2] = 0.0
        for pdg_id in (MUON, -ELECTRON):
            reco = simulate(
                one_each(pdg_id, momentum), belle2(*no_material()), rng=np.random.default_rng(15)
            )
            primary = np.unique(event_of(reco.cluster_offsets)[reco.clusters.truth_index == 0])
            assert 0.9 * expected <= len(primary) <= expected
            showered = reco.truth.particles.outcome[reco.truth.offsets[:-1]] == Outcome.SHOWERED
            assert showered.any() == (p > 0.3 and pdg_id == -ELECTRON)


@pytest.mark.parametrize("pdg_id", [PHOTON, ELECTRON, -MUON, PION, NEUTRON])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_exactly_along_z(pdg_id: int, side: float) -> None:
    """From the origin into the beam pipe; from aside into an end cap, whose crystals look aside."""
    n = 500
    momentum = np.tile([[0.0], [0.0], [2.0 * side]], n)
    reco = simulate(one_each(pdg_id, momentum), belle2(), rng=np.random.default_rng(15))
    assert len(reco.clusters) == 0
    assert_consistent(reco)
    start = np.tile([[80.0], [0.0], [0.0], [0.0]], n)
    reco = simulate(one_each(pdg_id, momentum, start), belle2(), rng=np.random.default_rng(15))
    assert_consistent(reco)
    assert len(reco.clusters) > 0.4 * n
    region = Region.FORWARD if side > 0 else Region.BACKWARD
    primary = reco.clusters.truth_index == 0
    assert np.mean(reco.clusters.region[primary] == region) > 0.9


def test_two_thousand_photons_in_one_event() -> None:
    """Time and memory stay small; energy is kept."""
    momentum = isotropic(0.5, 2_000)
    truth = several([0, 2_000, 0], PHOTON, momentum)
    began = time.perf_counter()
    reco = simulate(truth, belle2(), rng=np.random.default_rng(16))
    assert time.perf_counter() - began < 5
    assert_consistent(reco)
    assert 50 < len(reco.clusters) < 1_800
    assert reco.clusters.energy.sum() == pytest.approx(1_000 * 0.9248, rel=0.1)


def test_twenty_thousand_photons_in_one_event() -> None:
    """Neighbours in all directions are found, not pairs of all or of all on a parallel."""
    n = 20_000
    momentum = isotropic(0.5, n)
    truth = several([n], PHOTON, momentum)
    began = time.perf_counter()
    reco = simulate(truth, belle2(*no_material()), rng=np.random.default_rng(16))
    assert time.perf_counter() - began < 5
    # So many cover everything: all in the barrel hang together, and are still counted each.
    assert reco.clusters.n_particles.max() > 0.7357 * n
    assert 0.9 * n < reco.clusters.n_particles.sum() < 0.94 * n
    assert reco.clusters.energy.sum() == pytest.approx(0.5 * n * 0.9248, rel=0.02)


@pytest.mark.validation
def test_a_million_photons() -> None:
    """In as many events; were it quadratic anywhere it would be hours."""
    n = 1_000_000
    truth = one_each(PHOTON, isotropic(1.0, n))
    began = time.perf_counter()
    reco = simulate(truth, belle2(), rng=np.random.default_rng(17))
    assert time.perf_counter() - began < 120
    assert_consistent(reco)
    assert 0.9 * n < len(reco.clusters) < n


def test_truth_is_left_alone() -> None:
    truth = one_each(np.tile(SEEN, 30), *everywhere(30 * len(SEEN), 18))
    names = [field.name for field in fields(Particles)]
    before = [getattr(truth.particles, name).copy() for name in names]
    simulate(truth, belle2(), rng=np.random.default_rng(18))
    for name, values in zip(names, before, strict=True):
        np.testing.assert_array_equal(getattr(truth.particles, name), values)


def test_generator_s_own_decays_are_not_seen() -> None:
    """Only final particles arrive: a pi0 that the generator has decayed leaves nothing itself."""
    truth = one_each(PHOTON, beam(1.0, 90, 50))
    status = np.full(50, Status.DECAYED, np.int8)
    truth = replace(truth, particles=replace(truth.particles, status=status))
    reco = simulate(truth, belle2(), rng=np.random.default_rng(19))
    assert len(reco.clusters) == 0
    assert mass_of(PHOTON) == 0
