"""Candidates of neutral particles: by hand, peaks of simulated ones, clusters as read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import awkward as ak
import numpy as np
import pytest
import vector.backends.awkward

from darkbelle import gen, geometry, samples
from darkbelle.detsim import VertexStatus, simulate
from darkbelle.detsim.events import ClusterTable
from darkbelle.gen.particles import ETA, K_S, NU_MU, PHOTON, PI0, PION
from darkbelle.geometry.calorimeter import Region
from darkbelle.samples.candidates import (
    ETA_WINDOW,
    K_SHORT_WINDOW,
    PHOTON_LISTS,
    PI0_WINDOW,
    PhotonCuts,
    eta,
    k_short,
    photon_pairs,
    photons,
    pi0,
)
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.production import Run

EXPERIMENT = geometry.load("belle2")
M_PI0, M_ETA, M_K_S = 0.1349768, 0.547862, 0.497611
"""GeV, PDG 2024."""
ALL = PHOTON_LISTS["all"]

Shoot = Callable[..., Sample]


def angle_between(one: ak.Array, two: ak.Array) -> np.ndarray:
    """Angles between momenta; those of old versions of vector are NaN where they vanish."""
    first, second = (
        np.stack([ak.to_numpy(p[axis]) / ak.to_numpy(p.p) for axis in ("px", "py", "pz")])
        for p in (one, two)
    )
    return 2 * np.arcsin(np.linalg.norm(first - second, axis=0) / 2)


@pytest.fixture(scope="module")
def shoot(tmp_path_factory: pytest.TempPathFactory) -> Shoot:
    """Samples of a gun; the same one is made once."""
    folder, known = tmp_path_factory.mktemp("guns"), {}

    def made(n_events: int, **parameters: Any) -> Sample:
        key = str((n_events, parameters))
        if key not in known:
            known[key] = folder / f"{len(known)}.h5"
            gun = gen.ParticleGun(**parameters)
            run = Run(gun, EXPERIMENT, seed=7, chunk_size=max(n_events, 1))
            samples.produce(run, known[key], n_events=n_events)
        return samples.open(known[key])

    return made


BARREL = (0.65, 2.1)


@pytest.fixture
def pi0s(shoot: Shoot) -> Sample:
    return shoot(6_000, pdg_id=PI0, p=(0.5, 2.0), theta=BARREL)


@pytest.fixture
def k_shorts(shoot: Shoot) -> Sample:
    return shoot(4_000, pdg_id=K_S, p=(0.2, 3.0), theta=BARREL)


def clusters_of(*events: list[tuple[float, float, float]], **columns: list[list[Any]]) -> Any:
    """A sample of clusters by energy, theta, phi at 130 cm; of no track unless it is said."""
    rows = np.array([cluster for event in events for cluster in event]).reshape(-1, 3)
    flat = {name: np.concatenate(values) for name, values in columns.items()}
    return clusters_in([len(event) for event in events], *rows.T, **flat)


def clusters_in(
    counts: list[int] | np.ndarray,
    energy: np.ndarray,
    theta: np.ndarray,
    phi: np.ndarray,
    **columns: np.ndarray,
) -> Any:
    """The same from columns and the number of clusters in each event."""
    n = len(energy)
    table = {
        "energy": energy,
        "theta": theta,
        "phi": phi,
        "r": np.full(n, 130.0),
        "region": np.full(n, int(Region.BARREL), np.int8),
        "track_index": np.full(n, -1, np.int16),
        "sigma_energy": 0.02 * energy,
        "sigma_theta": np.full(n, 0.004),
        "sigma_phi": np.full(n, 0.004),
    }
    ragged = {name: ak.unflatten(values, counts) for name, values in (table | columns).items()}
    return SimpleNamespace(clusters=ak.zip(ragged, depth_limit=2))


# ---- photons -------------------------------------------------------------------------------------


def test_photons_fly_from_the_origin() -> None:
    """Momenta of a cluster's energy in its direction, massless."""
    sample = clusters_of([(2.0, math.pi / 3, 0.0)], [], [(0.5, 2.0, -1.0), (1.0, 1.0, 3.0)])
    found = photons(sample)
    assert ak.num(found).to_list() == [1, 0, 2]
    assert found.px[0].to_list() == pytest.approx([math.sqrt(3)])
    assert found.py[0].to_list() == pytest.approx([0.0])
    assert found.pz[0].to_list() == pytest.approx([1.0])
    assert found.theta[2].to_list() == pytest.approx([2.0, 1.0])
    assert found.phi[2].to_list() == pytest.approx([-1.0, 3.0])
    assert found.energy[2].to_list() == [0.5, 1.0]
    assert ak.flatten(found.p).to_list() == pytest.approx([2.0, 0.5, 1.0])
    assert np.abs(ak.flatten(found.mass)).to_list() == pytest.approx([0, 0, 0], abs=1e-7)


def test_photons_from_elsewhere() -> None:
    """Cluster at (0, 78, 104) cm: from (0, 38, 74) the way is (0, 40, 30), and so on."""
    theta = math.atan2(78, 104)
    sample = clusters_of([(1.0, theta, math.pi / 2)])
    found = photons(sample, vertex=(0.0, 38.0, 74.0))
    momentum = [found[name][0, 0] for name in ("px", "py", "pz", "energy")]
    assert momentum == pytest.approx([0.0, 0.8, 0.6, 1.0])
    found = photons(sample, vertex=(0.0, 0.0, 104.0))
    assert [found[name][0, 0] for name in ("px", "py", "pz")] == pytest.approx([0, 1, 0])
    found = photons(sample, vertex=(30.0, 78.0, 64.0))
    assert [found[name][0, 0] for name in ("px", "py", "pz")] == pytest.approx([-0.6, 0, 0.8])


def test_the_true_vertex_mends_the_direction(shoot: Shoot) -> None:
    """Photons from 40 cm aside: 10 degrees off without it, as good as prompt ones with it."""
    place = (40.0, 0.0, 10.0)
    sample = shoot(
        2_000, pdg_id=PHOTON, p=1.0, theta=(1.2, 1.8), vertex=tuple((x, x) for x in place)
    )
    truth = sample.particles[:, 0]
    angles = []
    for vertex in ((0.0, 0.0, 0.0), place):
        found = photons(sample, vertex=vertex)
        found = found[(found.truth_index == 0) & (found.n_particles == 1)]
        first = found[ak.num(found) == 1][:, 0]
        angles.append(angle_between(first, truth[ak.num(found) == 1]))
    assert len(angles[0]) > 1_000
    assert np.median(angles[0]) > 0.15
    assert np.median(angles[1]) < 0.012


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("all", (0.0, 0.0, 0.0)),
        ("tight", (0.050, 0.050, 0.075)),
        ("pi0_60", (0.0225, 0.020, 0.020)),
        ("pi0_50", (0.025, 0.025, 0.040)),
        ("pi0_40", (0.080, 0.030, 0.060)),
        ("pi0_20", (0.120, 0.030, 0.080)),
        ("pi0_10", (0.200, 0.100, 0.180)),
        ("belle", (0.100, 0.050, 0.150)),
    ],
)
def test_photon_lists(name: str, least: tuple[float, float, float]) -> None:
    """Least energies by part of the calorimeter, handbook section 4; what is at the edge counts."""
    for region, edge in zip((Region.FORWARD, Region.BARREL, Region.BACKWARD), least, strict=True):
        energies = [edge * 0.999, edge, edge * 1.001] if edge else [1e-6, 0.1]
        sample = clusters_of(
            [(energy, 1.0, 1.0) for energy in energies], region=[[int(region)] * len(energies)]
        )
        found = photons(sample, PHOTON_LISTS[name])
        assert found.energy.to_list() == [[energy for energy in energies if energy >= edge]]
    assert set(PHOTON_LISTS) >= {name}


def test_the_usual_list_is_the_tight_one() -> None:
    sample = clusters_of([(0.051, 1.0, 1.0), (0.049, 1.0, 1.0), (0.074, 1.0, 1.0)],
                         region=[[1, 2, 3]])  # fmt: skip
    assert photons(sample).energy.to_list() == [[0.051]]
    assert photons(sample, PhotonCuts(1.0, 0.049, 0.0)).energy.to_list() == [[0.049, 0.074]]


def test_clusters_of_tracks_are_no_photons() -> None:
    """``cluster_index`` counts all clusters of the event, not the photons alone."""
    event = [(1.0, 1.0, 0.1), (0.01, 1.1, 0.2), (2.0, 1.2, 0.3), (3.0, 1.3, 0.4)]
    sample = clusters_of(event, [], event[:2], track_index=[[0, -1, -1, -1], [-1, 1]])
    found = photons(sample)
    assert found.cluster_index.to_list() == [[2, 3], [], [0]]
    assert found.energy.to_list() == [[2.0, 3.0], [], [1.0]]
    assert photons(sample, ALL).cluster_index.to_list() == [[1, 2, 3], [], [0]]


def test_photons_of_a_sample(pi0s: Sample) -> None:
    """They are its clusters, with all of their columns but the angles, which are vectors' now."""
    found, clusters = photons(pi0s, PHOTON_LISTS["pi0_50"]), pi0s.clusters
    assert len(found) == len(pi0s)
    assert set(clusters.fields) - {"theta", "phi"} <= set(found.fields)
    own = clusters[found.cluster_index]
    assert ak.all(own.energy == found.energy)
    assert ak.all(own.truth_index == found.truth_index)
    np.testing.assert_allclose(ak.flatten(found.theta), ak.flatten(own.theta), atol=1e-12)
    np.testing.assert_allclose(ak.flatten(found.phi), ak.flatten(own.phi), atol=1e-12)
    least = np.array([np.inf, 0.025, 0.025, 0.040])[ak.to_numpy(ak.flatten(clusters.region))]
    energy, owner = ak.flatten(clusters.energy), ak.flatten(clusters.track_index)
    assert ak.sum(ak.num(found)) == np.sum((energy >= least) & (owner < 0))


# ---- pairs ---------------------------------------------------------------------------------------


def test_mass_of_a_pair() -> None:
    """m^2 = 2 E1 E2 (1 - cos a): 0.5 and 1.2 GeV at right angles make sqrt(1.2) GeV."""
    right = [(0.5, math.pi / 2, 0.0), (1.2, math.pi / 2, math.pi / 2)]
    found = photon_pairs(photons(clusters_of(right, right[:1], [])))
    assert ak.num(found).to_list() == [1, 0, 0]
    pair = found[0, 0]
    assert pair.mass == pytest.approx(math.sqrt(1.2))
    assert pair.angle == pytest.approx(math.pi / 2)
    assert [pair.px, pair.py, pair.pz] == pytest.approx([0.5, 1.2, 0.0], abs=1e-12)
    assert pair.energy == pytest.approx(1.7)
    assert (pair.first, pair.second) == (0, 1)


def test_every_pair_once() -> None:
    """Six of four photons; the indices are those of the clusters."""
    event = [(1.0, 1.0, 0.1 * i) for i in range(5)]
    sample = clusters_of(event, track_index=[[-1, 0, -1, -1, -1]])
    pairs = photon_pairs(photons(sample))
    found = list(zip(pairs.first[0].to_list(), pairs.second[0].to_list(), strict=True))
    assert found == [(0, 2), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4)]


SIDE, CAP = math.pi / 2, 0.6


@pytest.mark.parametrize("energies", [(1.0, 1.0), (0.2, 3.0)])
@pytest.mark.parametrize(
    "directions",
    [
        ((SIDE, 0.0), (SIDE, 0.1)),
        ((SIDE, 0.0), (SIDE, 1.0)),
        ((SIDE, 0.0), (SIDE, 2.5)),
        ((SIDE - 0.15, 0.0), (SIDE + 0.15, 0.0)),
        ((SIDE - 1.2, 0.0), (SIDE + 1.2, 0.0)),
        ((CAP, 0.0), (CAP, 0.2)),
        ((CAP - 0.1, 0.0), (CAP + 0.1, 0.1)),
    ],
)
def test_error_of_the_mass(
    directions: tuple[tuple[float, float], ...], energies: tuple[float, float]
) -> None:
    """As wide as masses of smeared clusters, whose energies are known to 2 %, angles to 4 mrad.

    Those are across the line of sight: sigma_theta, and sigma_phi times the sine.
    """
    n, rng = 20_000, np.random.default_rng(1)
    true_energy, true_theta, true_phi = (
        np.tile(values, n) for values in (energies, *zip(*directions, strict=True))
    )
    noise = rng.standard_normal((3, 2 * n))
    sigma_phi = 0.004 / np.sin(true_theta)
    sample = clusters_in(
        np.full(n, 2),
        true_energy * (1 + 0.02 * noise[0]),
        true_theta + 0.004 * noise[1],
        true_phi + sigma_phi * noise[2],
        sigma_phi=sigma_phi,
    )
    pairs = ak.flatten(photon_pairs(photons(sample)))
    assert np.std(pairs.mass) == pytest.approx(np.mean(pairs.sigma_mass), rel=0.02)


def test_windows() -> None:
    """Masses of 100, 130, 200, 540 MeV: one pi0, one eta; wider windows take more."""
    events = []
    for mass in (0.100, 0.130, 0.200, 0.540):
        half = math.asin(mass / 2)
        events.append([(1.0, math.pi / 2, -half), (1.0, math.pi / 2, half)])
    found = photons(clusters_of(*events))
    assert ak.num(photon_pairs(found)).to_list() == [1, 1, 1, 1]
    assert ak.num(pi0(found)).to_list() == [0, 1, 0, 0]
    assert ak.num(eta(found)).to_list() == [0, 0, 0, 1]
    assert ak.num(pi0(found, (0.09, 0.25))).to_list() == [1, 1, 1, 0]
    assert ak.num(photon_pairs(found, (0.15, 1.0))).to_list() == [0, 0, 1, 1]


def peak(masses: np.ndarray, low: float, high: float, step: float) -> float:
    """Top of a parabola through the highest bins."""
    counts, edges = np.histogram(masses, np.arange(low, high, step))
    centre = (edges[1:] + edges[:-1]) / 2
    top = counts > 0.7 * counts.max()
    bend, slope, _ = np.polyfit(centre[top], counts[top], 2)
    return float(-slope / (2 * bend))


def test_peak_of_pi0(pi0s: Sample) -> None:
    """Near 133 to 135 MeV, of pulls as wide as errors; most fly where they were sent."""
    pairs = photon_pairs(photons(pi0s))
    candidates = pi0(photons(pi0s))
    assert ak.all((candidates.mass > PI0_WINDOW[0]) & (candidates.mass < PI0_WINDOW[1]))
    mass = ak.to_numpy(ak.flatten(pairs.mass))
    sigma = ak.to_numpy(ak.flatten(pairs.sigma_mass))
    assert 0.133 < peak(mass, 0.115, 0.155, 0.002) < 0.1355
    pull = ((mass - M_PI0) / sigma)[np.abs(mass - M_PI0) < 0.03]
    low, high = np.quantile(pull, [0.15865, 0.84135])
    assert 0.8 < (high - low) / 2 < 1.25
    assert np.abs(np.median(pull)) < 0.6
    assert np.median(sigma) == pytest.approx(0.0045, abs=0.0015)
    one = ak.num(candidates) == 1
    assert 0.5 < np.mean(one) < 0.95
    truth = pi0s.particles[one][:, 0]
    assert np.median(angle_between(candidates[one][:, 0], truth)) < 0.01
    assert np.median(candidates[one][:, 0].energy / truth.energy) == pytest.approx(1, abs=0.01)


def test_pairs_are_of_true_photons(pi0s: Sample) -> None:
    """Both photons of nearly every candidate are daughters of the pi0."""
    candidates = pi0(photons(pi0s))
    clusters, particles = pi0s.clusters, pi0s.particles
    for member in (candidates.first, candidates.second):
        species = particles.pdg_id[clusters.truth_index[member]]
        assert ak.mean(species == PHOTON) > 0.95
    assert ak.all(candidates.first < candidates.second)


def test_peak_of_eta(shoot: Shoot) -> None:
    """548 MeV within half a per cent."""
    sample = shoot(4_000, pdg_id=ETA, p=(0.5, 2.0), theta=BARREL)
    candidates = eta(photons(sample))
    assert ak.all((candidates.mass > ETA_WINDOW[0]) & (candidates.mass < ETA_WINDOW[1]))
    masses = ak.to_numpy(ak.flatten(candidates.mass))
    assert len(masses) > 700
    assert peak(masses, 0.50, 0.58, 0.005) == pytest.approx(M_ETA, rel=0.01)


# ---- K_S -----------------------------------------------------------------------------------------


def test_peak_of_k_short(k_shorts: Sample) -> None:
    """497.6 MeV within 1 MeV; two true pions each; flying where it was sent."""
    found = k_short(k_shorts)
    assert len(found) == len(k_shorts)
    assert ak.sum(ak.num(found)) > 1_000
    mass = ak.to_numpy(ak.flatten(found.mass))
    assert ((mass > K_SHORT_WINDOW[0]) & (mass < K_SHORT_WINDOW[1])).all()
    assert np.median(mass) == pytest.approx(M_K_S, abs=0.001)
    assert peak(mass, 0.485, 0.510, 0.001) == pytest.approx(M_K_S, abs=0.001)
    tracks, particles = k_shorts.tracks, k_shorts.particles
    for member, sign in ((found.track_plus, 1), (found.track_minus, -1)):
        species = particles.pdg_id[tracks.truth_index[member]]
        assert ak.mean(species == sign * PION) > 0.97
    one = ak.num(found) == 1
    truth = particles[one][:, 0]
    assert np.median(angle_between(found[one][:, 0], truth)) < 0.01
    np.testing.assert_allclose(
        found[one][:, 0].energy, np.hypot(found[one][:, 0].p, found[one][:, 0].mass), rtol=1e-6
    )


def test_cuts_of_k_short(k_shorts: Sample) -> None:
    """Vertex after vertex, as basf2's list has them by the momentum: d0, angle, flight."""
    expected = []
    vertices, d0 = k_shorts.vertices.to_list(), k_shorts.tracks.d0.to_list()
    for event, (those, theirs) in enumerate(zip(vertices, d0, strict=True)):
        for vertex in those:
            p = math.sqrt(vertex["px"] ** 2 + vertex["py"] ** 2 + vertex["pz"] ** 2)
            if p < 0.5:
                least_d0, most_angle, least_flight = 0.05, 0.3, 0.0
            elif p < 1.5:
                least_d0, most_angle, least_flight = 0.03, 0.1, 0.08
            else:
                least_d0, most_angle, least_flight = 0.02, 0.03, 0.22
            if (
                vertex["fit_status"] == VertexStatus.OK
                and 0.482 < vertex["mass_pipi"] < 0.513
                and abs(theirs[vertex["track_plus"]]) > least_d0
                and abs(theirs[vertex["track_minus"]]) > least_d0
                and vertex["pointing_angle"] < most_angle
                and vertex["flight_xy"] > least_flight
            ):
                expected.append((event, vertex["track_plus"], vertex["track_minus"]))
    found = k_short(k_shorts)
    event = np.repeat(np.arange(len(found)), ak.num(found))
    members = (ak.flatten(found.track_plus), ak.flatten(found.track_minus))
    assert list(zip(event.tolist(), *(m.to_list() for m in members), strict=True)) == expected
    p = ak.to_numpy(ak.flatten(found.p))
    assert np.histogram(p, [0, 0.5, 1.5, 9])[0].min() > 50


def vertex_of(**changed: float) -> Any:
    """A sample of one vertex of 1 GeV that is a good K_S but for what is changed."""
    vertex = {
        "px": 1.0, "py": 0.0, "pz": 0.0, "mass_pipi": 0.4976, "pointing_angle": 0.01,
        "flight_xy": 1.0, "fit_status": 0, "track_plus": 0, "track_minus": 1,
    }  # fmt: skip
    d0 = changed.pop("d0", 0.2)
    table = {name: ak.Array([[value]]) for name, value in (vertex | changed).items()}
    behavior = vector.backends.awkward.behavior
    return SimpleNamespace(
        vertices=ak.zip(table, with_name="Momentum3D", behavior=behavior),
        tracks=ak.zip({"d0": ak.Array([[0.5, -d0]])}),
    )


@pytest.mark.parametrize(
    ("changed", "is_good"),
    [
        ({}, True),
        ({"fit_status": 1}, False),
        ({"fit_status": 3}, False),
        ({"mass_pipi": 0.481}, False),
        ({"mass_pipi": 0.514}, False),
        ({"d0": 0.031}, True),
        ({"d0": 0.029}, False),
        ({"px": 0.4, "d0": 0.049}, False),
        ({"px": 2.0, "d0": 0.021}, True),
        ({"pointing_angle": 0.11}, False),
        ({"px": 0.4, "pointing_angle": 0.29}, True),
        ({"px": 2.0, "pointing_angle": 0.031}, False),
        ({"flight_xy": 0.07}, False),
        ({"px": 0.4, "flight_xy": 0.001}, True),
        ({"px": 2.0, "flight_xy": 0.21}, False),
    ],
)
def test_one_k_short(changed: dict[str, float], is_good: bool) -> None:
    found = k_short(vertex_of(**changed))
    assert ak.num(found).to_list() == [int(is_good)]
    if is_good:
        assert found.mass.to_list() == [[0.4976]]


# ---- samples -------------------------------------------------------------------------------------


def test_clusters_are_read_as_they_were_measured(shoot: Shoot) -> None:
    """Every column, event after event, to the width of the file."""
    sample = shoot(300, pdg_id=PI0, p=1.0, theta=BARREL)
    clusters = sample.clusters
    assert set(clusters.fields) == {field.name for field in fields(ClusterTable)}
    assert len(clusters) == 300
    assert clusters.energy.type.content.content.primitive == "float64"
    for name in clusters.fields:
        stored = sample.column("clusters", name)
        np.testing.assert_array_equal(ak.to_numpy(ak.flatten(clusters[name])), stored)
    offsets = sample.column("clusters", "offsets")
    np.testing.assert_array_equal(np.diff(offsets), ak.num(clusters))
    assert ak.all(clusters.truth_index < ak.num(sample.particles))
    assert sample.units("clusters") == {
        "offsets": "1", "energy": "GeV", "theta": "rad", "phi": "rad", "r": "cm", "time": "ns",
        "sigma_energy": "GeV", "sigma_theta": "rad", "sigma_phi": "rad", "sigma_time": "ns",
        "region": "1", "second_moment": "cm^2", "e9_e21": "1", "n_crystals": "1",
        "track_index": "1", "track_distance": "cm", "truth_index": "1", "n_particles": "1",
    }  # fmt: skip


def test_a_file_holds_what_was_simulated(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    process = gen.ParticleGun(pdg_id=PION, p=(0.3, 3.0))
    truth = process.generate(EXPERIMENT.collider, 400, rng)
    reco = simulate(truth, EXPERIMENT, rng=rng)
    samples.write(tmp_path / "x.h5", truth, reco, process=process, experiment=EXPERIMENT)
    sample = samples.open(tmp_path / "x.h5")
    np.testing.assert_array_equal(ak.num(sample.clusters), np.diff(reco.cluster_offsets))
    for field in fields(ClusterTable):
        stored = ak.to_numpy(ak.flatten(sample.clusters[field.name]))
        np.testing.assert_allclose(stored, getattr(reco.clusters, field.name), rtol=1e-6)
    tracks = sample.tracks
    has = tracks.cluster_index >= 0
    theirs = sample.clusters.energy[tracks.cluster_index[has]]
    expected = ak.flatten(theirs / tracks.p[has])
    np.testing.assert_allclose(ak.flatten(tracks.e_over_p[has]), expected, rtol=1e-5)
    assert ak.all(np.isnan(tracks.e_over_p[~has]))


@pytest.mark.parametrize("n_events", [0, 4])
def test_nothing_to_find(shoot: Shoot, n_events: int) -> None:
    """No events, or events in which nothing is seen."""
    sample = shoot(n_events, pdg_id=NU_MU, p=1.0)
    found = photons(sample, ALL, vertex=(1.0, 2.0, 3.0))
    for candidates in (found, photon_pairs(found), pi0(found), eta(found), k_short(sample)):
        assert len(candidates) == n_events
        assert ak.num(candidates).to_list() == [0] * n_events
        assert ak.sum(candidates.energy) == 0
    assert {"mass", "sigma_mass", "angle", "first", "second"} <= set(pi0(found).fields)


def test_samples_are_left_alone(pi0s: Sample, k_shorts: Sample) -> None:
    """Not a bit of their arrays changes, nor do they get columns."""

    def state(sample: Sample) -> list[tuple[str, bytes]]:
        parts = []
        for name in ("clusters", "tracks", "vertices", "particles"):
            form, _, buffers = ak.to_buffers(getattr(sample, name))
            parts.append((form.to_json(), b""))
            parts += [(key, np.asarray(values).tobytes()) for key, values in buffers.items()]
        return parts

    for sample in (pi0s, k_shorts):
        before = state(sample)
        found = photons(sample, ALL, vertex=(1.0, 2.0, 3.0))
        photon_pairs(found)
        pi0(found)
        eta(found)
        k_short(sample)
        assert state(sample) == before


def test_no_photons_where_tracks_are(k_shorts: Sample) -> None:
    """No photon is a track's cluster."""
    found, tracks = photons(k_shorts, ALL), k_shorts.tracks
    owned = tracks.cluster_index[tracks.cluster_index >= 0]
    both = ak.cartesian([found.cluster_index, owned])
    one, other = ak.unzip(both)
    assert not ak.any(one == other)
