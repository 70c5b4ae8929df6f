"""Which clusters belong to which tracks: by hand, against loops, and of simulated particles."""

from __future__ import annotations

import math
from dataclasses import fields
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkbelle.detsim import FitStatus, RecoEvents, simulate
from darkbelle.detsim.events import ClusterTable
from darkbelle.detsim.helix import omega_from_pt, perigee
from darkbelle.detsim.interactions import interact
from darkbelle.detsim.matching import (
    Extrapolation,
    Matches,
    energy_over_momentum,
    extrapolate,
    match,
)
from darkbelle.gen.particles import ELECTRON, MUON, PHOTON, PION
from darkbelle.units import deg
from tests.detsim.sending import (
    NO_FIELD,
    beam,
    belle2,
    isotropic,
    no_material,
    one_each,
    seeded,
    several,
)
from tests.grids import spanned

REVERSED = "solenoid.field_t=-1.5"


def helices(momentum: np.ndarray, charge: int, field: float = 1.5) -> np.ndarray:
    """Perigee parameters (n, 5) of what starts at the origin with some momenta (3, n)."""
    px, py, pz = momentum
    pt = np.hypot(px, py)
    omega = omega_from_pt(pt, np.full(len(pt), charge, np.int8), field)
    helix, _ = perigee(np.zeros((len(pt), 3)), np.arctan2(py, px), omega, pz / pt)
    return helix


# ---- extrapolation -------------------------------------------------------------------------------


@pytest.mark.parametrize("charge", [-1, 1])
@pytest.mark.parametrize("field", [1.5, -1.5, 0.3])
def test_tracks_meet_the_face_where_particles_do(charge: int, field: float) -> None:
    """And go on for 10 cm in a straight line; the length is that of the flight."""
    momentum = np.concatenate([beam(p, t, 20) for p in (0.5, 3.0) for t in (20, 60, 120, 145)], 1)
    truth = one_each(-charge * MUON, momentum)
    card = belle2(f"solenoid.field_t={field}", *no_material())
    arrivals = interact(truth, card, np.random.default_rng(1)).arrivals
    assert len(arrivals) > 150
    tracks = helices(momentum[:, arrivals.row], charge, field)
    ahead = extrapolate(tracks, card.calorimeter)
    assert ahead.arrives.all()
    p = np.linalg.norm(arrivals.momentum[1:], axis=0)
    expected = arrivals.point[:3] + 10 * arrivals.momentum[1:] / p
    np.testing.assert_allclose(ahead.point.T, expected, atol=1e-6)
    beta = p / arrivals.momentum[0]
    np.testing.assert_allclose(ahead.length, 29.9792458 * beta * arrivals.point[3], rtol=1e-9)


def test_by_hand() -> None:
    """1 GeV at 90 deg: a circle of 222.376 cm turns by 2 asin(125/444.75) = 32.646 deg."""
    ahead = extrapolate(helices(np.array([[1.0], [0.0], [0.0]]), 1), belle2().calorimeter)
    half = math.asin(125 / (2 * 222.376))
    assert 2 * half / deg == pytest.approx(32.646, abs=0.001)
    x = 125 * math.cos(half) + 10 * math.cos(2 * half)
    y = -125 * math.sin(half) - 10 * math.sin(2 * half)  # clockwise
    np.testing.assert_allclose(ahead.point, [[x, y, 0.0]], atol=1e-3)
    assert ahead.length == pytest.approx([2 * half * 222.376], rel=1e-5)


def test_curls_do_not_arrive() -> None:
    momentum = np.stack([np.array([0.1, 0.25, 0.29]), np.zeros(3), np.zeros(3)])
    ahead = extrapolate(helices(momentum, 1), belle2().calorimeter)
    assert ahead.arrives.tolist() == [False, False, True]
    assert np.isfinite(ahead.point).all()


def test_straight_tracks() -> None:
    momentum = beam(1.0, 45, 5)
    ahead = extrapolate(helices(momentum, 1, field=0.0), belle2().calorimeter)
    assert ahead.arrives.all()
    length = 125 / math.sin(45 * deg) + 10
    np.testing.assert_allclose(ahead.point.T, length * momentum, atol=1e-5)


# ---- matching by hand ----------------------------------------------------------------------------


def clusters_at(
    theta_deg: list[float] | np.ndarray,
    phi_deg: list[float] | np.ndarray,
    energy: list[float] | np.ndarray | None = None,
    r: float = 135.0,
) -> ClusterTable:
    """Clusters in some directions."""
    n = len(theta_deg)
    columns = {field.name: np.zeros(n) for field in fields(ClusterTable)}
    columns["theta"] = np.asarray(theta_deg, float) * deg
    columns["phi"] = np.asarray(phi_deg, float) * deg
    columns["r"] = np.full(n, r)
    columns["energy"] = np.ones(n) if energy is None else np.asarray(energy, float)
    return ClusterTable(**columns)


def towards(
    theta_deg: list[float] | np.ndarray,
    phi_deg: list[float] | np.ndarray,
    arrives: list[bool] | np.ndarray | None = None,
) -> Extrapolation:
    """Tracks that end 135 cm from the origin in some directions."""
    theta, phi = np.asarray(theta_deg, float) * deg, np.asarray(phi_deg, float) * deg
    sine = np.sin(theta)
    point = 135 * np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)
    there = np.ones(len(theta), bool) if arrives is None else np.asarray(arrives, bool)
    return Extrapolation(point, np.full(len(theta), 150.0), there)


def matched(
    tracks: Extrapolation, clusters: ClusterTable, n_tracks: list[int], n_clusters: list[int]
) -> Matches:
    offsets = [np.concatenate([[0], np.cumsum(n, dtype=np.int64)]) for n in (n_tracks, n_clusters)]
    return match(tracks, offsets[0], clusters, offsets[1], 10.0)


def test_the_nearest_of_two_tracks_wins() -> None:
    """4 deg are 9.4 cm: the cluster at 3 deg is nearer to the track at 4 than to that at 0."""
    tracks = towards([90, 90], [0, 4])
    found = matched(tracks, clusters_at([90, 90, 90], [3, 1, -1]), [2], [3])
    assert found.track_of_cluster.tolist() == [1, 0, 0]
    per_deg = 135 * 2 * math.sin(0.5 * deg)
    np.testing.assert_allclose(found.distance, per_deg, rtol=1e-9)


def test_the_strongest_cluster_is_the_track_s() -> None:
    tracks = towards([90, 60], [0, 0])
    clusters = clusters_at([90, 91, 89, 61], [0, 0, 0, 0], [0.2, 0.7, 0.5, 0.1])
    found = matched(tracks, clusters, [2], [4])
    assert found.track_of_cluster.tolist() == [0, 0, 0, 1]
    assert found.cluster_of_track.tolist() == [1, 3]
    assert found.row_of_cluster.tolist() == [1, 3]


def test_ten_centimetres() -> None:
    """2 asin(5/135) = 4.245 deg."""
    edge = 2 * math.asin(5 / 135) / deg
    tracks = towards([90], [0])
    for phi, expected in ((edge - 1e-6, 0), (edge + 1e-6, -1), (180.0, -1)):
        found = matched(tracks, clusters_at([90], [phi]), [1], [1])
        assert found.track_of_cluster.tolist() == [expected]
        assert found.cluster_of_track.tolist() == [expected]
    assert found.distance == pytest.approx([270.0])


def test_distance_is_across_the_line_of_sight() -> None:
    """At the mean radius of both: 3 deg at 145 cm are 7.6 cm, depth alone is nothing."""
    tracks = towards([90, 90], [0, 10])
    found = matched(tracks, clusters_at([90, 90], [3, 10], r=155.0), [2], [2])
    assert found.distance == pytest.approx([145 * 2 * math.sin(1.5 * deg), 0.0], abs=1e-9)


def test_events_are_kept_apart() -> None:
    """Each has its own tracks; indices begin anew; some lack tracks, clusters or both."""
    tracks = towards([90, 90, 40, 90], [0, 20, 0, 0])
    clusters = clusters_at([90, 90, 90, 40, 90], [20, 0, 0, 0, 90], [1, 2, 3, 4, 5])
    found = matched(tracks, clusters, [2, 0, 1, 1, 0], [2, 1, 1, 0, 1])
    assert found.track_of_cluster.tolist() == [1, 0, -1, 0, -1]
    assert found.cluster_of_track.tolist() == [1, 0, 0, -1]
    assert found.row_of_cluster.tolist() == [1, 0, 3, -1]
    assert np.isinf(found.distance).tolist() == [False, False, True, False, True]


def test_curls_own_nothing() -> None:
    """Wherever their points lie; another track may own the cluster."""
    tracks = towards([90, 90, 90], [0, 2, 0], [False, True, False])
    found = matched(tracks, clusters_at([90, 90], [0, 0]), [2, 1], [1, 1])
    assert found.track_of_cluster.tolist() == [1, -1]
    assert found.cluster_of_track.tolist() == [-1, 0, -1]
    assert np.isinf(found.distance).tolist() == [False, True]


@pytest.mark.parametrize("n_events", [0, 3])
@pytest.mark.parametrize(("n_tracks", "n_clusters"), [(0, 0), (2, 0), (0, 2)])
def test_nothing_to_match(n_events: int, n_tracks: int, n_clusters: int) -> None:
    n, m = n_events * n_tracks, n_events * n_clusters
    found = matched(
        towards([90] * n, [0] * n),
        clusters_at([90] * m, [0] * m),
        [n_tracks] * n_events,
        [n_clusters] * n_events,
    )
    assert (found.cluster_of_track == -1).all()
    assert (found.row_of_cluster == -1).all()
    assert (found.track_of_cluster == -1).all()
    assert np.isinf(found.distance).all()
    assert len(found.cluster_of_track) == n
    assert len(found.distance) == m


@seeded
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([5.0, 40.0, 180.0]))
def test_against_loops(seed: int, n_events: int, span: float) -> None:
    rng = np.random.default_rng(seed)
    n_tracks, n_clusters = rng.integers(0, 7, (2, n_events))
    n, m = n_tracks.sum(), n_clusters.sum()
    arrives = rng.random(n) < 0.8
    tracks = towards(rng.uniform(90 - span / 2, 90 + span / 2, n), rng.uniform(0, span, n), arrives)
    clusters = clusters_at(
        rng.uniform(90 - span / 2, 90 + span / 2, m), rng.uniform(0, span, m), rng.random(m)
    )
    found = matched(tracks, clusters, n_tracks.tolist(), n_clusters.tolist())
    first_track, first_cluster = 0, 0
    for event in range(n_events):
        own: dict[int, list[int]] = {}
        for j in range(n_clusters[event]):
            row = first_cluster + j
            theta, phi = clusters.theta[row], clusters.phi[row]
            there = 135 * np.array(
                [math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi), math.cos(theta)]
            )
            distance = {
                i: float(np.linalg.norm(tracks.point[first_track + i] - there))
                for i in range(n_tracks[event])
                if arrives[first_track + i]
            }
            nearest = min(distance, key=lambda i: distance[i], default=-1)
            least = distance.get(nearest, np.inf)
            assert found.distance[row] == pytest.approx(least)
            owner = nearest if least < 10 else -1
            assert found.track_of_cluster[row] == owner
            own.setdefault(owner, []).append(j)
        for i in range(n_tracks[event]):
            theirs = own.get(i, [])
            best = max(theirs, key=lambda j: clusters.energy[first_cluster + j], default=-1)
            assert found.cluster_of_track[first_track + i] == best
            row = first_cluster + best if best >= 0 else -1
            assert found.row_of_cluster[first_track + i] == row
        first_track += n_tracks[event]
        first_cluster += n_clusters[event]


# ---- energy over momentum ------------------------------------------------------------------------


def test_energy_over_momentum() -> None:
    """1.5 GeV over a momentum of 2 GeV; NaN without cluster, and without field."""
    momentum = np.concatenate([beam(2.0, 60, 1), beam(1.0, 100, 1)], axis=1)
    clusters = clusters_at([60, 60], [0, 0], [1.5, 9.0])
    owned = Matches(
        np.array([0, -1], np.int16), np.array([0, -1]), np.array([0, -1], np.int16), np.zeros(2)
    )
    for field in (1.5, -1.5):
        ratio = energy_over_momentum(helices(momentum, -1, field), owned, clusters, field)
        assert ratio[0] == pytest.approx(0.75)
        assert np.isnan(ratio[1])
    ratio = energy_over_momentum(helices(momentum, -1, 0.0), owned, clusters, 0.0)
    assert np.isnan(ratio).all()


def events_of(offsets: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def shot(pdg_id: int, p: float, *overrides: str, n: int = 6_000, seed: int = 1) -> RecoEvents:
    """Particles of one momentum all over the barrel."""
    theta = np.random.default_rng(seed).uniform(40, 120, n)
    truth = one_each(pdg_id, beam(p, theta, n))
    return simulate(truth, belle2(*overrides), rng=np.random.default_rng(seed))


def mode(values: np.ndarray, low: float, high: float, n_bins: int) -> float:
    counts, edges = np.histogram(values, np.linspace(low, high, n_bins + 1))
    return float((edges[:-1] + edges[1:])[np.argmax(counts)] / 2)


@pytest.mark.parametrize(
    ("pdg_id", "p"),
    spanned(
        product([ELECTRON, -ELECTRON], [0.5, 1.0, 3.0]),
        [(ELECTRON, 0.5), (ELECTRON, 3.0), (-ELECTRON, 1.0)],
    ),
)
def test_electrons(pdg_id: int, p: float) -> None:
    """E/p peaks at 0.95 to 1.0: nearly all that is left after radiation."""
    reco = shot(pdg_id, p)
    ratio = reco.tracks.e_over_p[reco.tracks.truth_index == 0]
    assert np.mean(np.isfinite(ratio)) > 0.85
    assert 0.95 < mode(ratio, 0.5, 1.3, 40) < 1.02
    core = ratio[(ratio > 0.85) & (ratio < 1.15)]
    assert len(core) > 0.6 * len(ratio)
    assert 0.95 < np.median(core) < 1.0


@pytest.mark.parametrize("p", [1.0, 2.0, 4.0])
def test_muons(p: float) -> None:
    """E/p peaks at 0.20 GeV over p, a little above where the path is slanted."""
    reco = shot(MUON, p)
    ratio = reco.tracks.e_over_p
    assert mode(ratio * p, 0.1, 0.4, 30) == pytest.approx(0.205, abs=0.011)
    assert np.mean(ratio[np.isfinite(ratio)] * p > 0.5) < 0.05


# ---- simulated particles -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "overrides"),
    spanned(
        product([0.5, 2.0], [(), (REVERSED,), (NO_FIELD,)]),
        [(0.5, (REVERSED,)), (0.5, (NO_FIELD,)), (2.0, ())],
    ),
)
def test_clusters_of_muons_belong_to_their_tracks(p: float, overrides: tuple[str, ...]) -> None:
    """Of those with a track 99 % own a cluster, and that is theirs, whatever the field."""
    for pdg_id in (MUON, -MUON):
        reco = shot(pdg_id, p, *overrides, n=3_000)
        tracks, clusters = reco.tracks, reco.clusters
        primary = tracks.truth_index == 0
        has = tracks.cluster_index >= 0
        assert np.mean(has[primary]) > 0.97
        event = events_of(reco.track_offsets)[has]
        row = reco.cluster_offsets[event] + tracks.cluster_index[has]
        same = clusters.truth_index[row] == tracks.truth_index[has]
        assert np.mean(same) > 0.995
        assert np.median(clusters.track_distance[row]) < 2.0
        if NO_FIELD in overrides:
            assert set(tracks.fit_status) == {FitStatus.NO_FIELD}
            assert np.isnan(tracks.e_over_p).all()
        else:
            np.testing.assert_array_equal(np.isfinite(tracks.e_over_p), has)


def test_photons_belong_to_nobody() -> None:
    """A muon and photons at least 30 deg from it: none of theirs is the muon's."""
    n = 3_000
    muon = beam(1.0, np.random.default_rng(2).uniform(50, 110, n), n)
    photons = np.stack([-muon, np.stack([-muon[1], muon[0], muon[2]])], axis=-1)  # back, aside
    momentum = np.concatenate([muon[:, :, None], photons], axis=-1).reshape(3, -1)
    truth = several(np.full(n, 3), np.tile([MUON, PHOTON, PHOTON], n), momentum)
    reco = simulate(truth, belle2(*no_material()), rng=np.random.default_rng(2))
    clusters = reco.clusters
    species = clusters.truth_index
    owned = clusters.track_index >= 0
    is_photon = (species == 1) | (species == 2)
    assert not owned[is_photon].any()
    assert clusters.track_distance[is_photon].min() > 30
    event = events_of(reco.cluster_offsets)
    n_tracks = np.diff(reco.track_offsets)
    with_track = (species == 0) & (n_tracks[event] > 0)
    assert np.mean(owned[with_track]) > 0.99
    assert np.isinf(clusters.track_distance[n_tracks[event] == 0]).all()


def test_without_tracks_nothing_is_owned() -> None:
    truth = one_each(PHOTON, isotropic(1.0, 500))
    reco = simulate(truth, belle2(*no_material()), rng=np.random.default_rng(3))
    assert (reco.clusters.track_index == -1).all()
    assert np.isinf(reco.clusters.track_distance).all()


def test_photons_beside_tracks_are_lost() -> None:
    """A photon 5 cm from where a muon enters is the muon's, merged or matched; from 8 cm on not.

    Its azimuth is known to 4.5 mrad, 0.6 cm.
    """
    n = 500
    muon = beam(3.0, 90, n)
    ahead = extrapolate(helices(muon, -1), belle2().calorimeter)
    for aside, share in ((5.0, 1.0), (11.0, 0.0)):
        phi = np.arctan2(ahead.point[:, 1], ahead.point[:, 0]) + aside / 135
        photon = np.stack([np.cos(phi), np.sin(phi), 0 * phi])
        momentum = np.stack([muon, photon], axis=-1).reshape(3, -1)
        truth = several(np.full(n, 2), np.tile([MUON, PHOTON], n), momentum)
        reco = simulate(truth, belle2(*no_material()), rng=np.random.default_rng(4))
        event = events_of(reco.cluster_offsets)
        tracked = np.diff(reco.track_offsets)[event] > 0
        of_photon = (reco.clusters.truth_index == 1) & tracked
        assert np.mean(reco.clusters.track_index[of_photon] >= 0) == pytest.approx(share, abs=0.03)


def test_pions_that_split_off() -> None:
    """Clusters far from the track stay neutral, although a pion left them."""
    reco = shot(PION, 3.0, "calorimeter.hadrons.split_offs=2.0", n=2_000)
    clusters = reco.clusters
    theirs = clusters.truth_index == 0
    far = clusters.track_distance > 8
    assert (theirs & far).sum() > 300
    assert (clusters.track_index[far] == -1).all()
    assert (clusters.track_index[clusters.track_distance < 8] >= 0).all()
