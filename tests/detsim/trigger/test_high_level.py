"""What the high level of the trigger counts, and the lines of Belle II on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle.detsim import simulate
from darkbelle.detsim.trigger.high_level import _lab_to_cms, count_high_level
from darkbelle.detsim.trigger.menu import decide
from darkbelle.gen import MuMuZPrime
from darkbelle.geometry import Experiment, load
from tests.detsim.sending import belle2, several
from tests.detsim.trigger.made_up import Cluster, Event, Track, Vertex, count, fires

THREE = "ge3_loose_tracks_inc_1_tight_not_ee2leg"
SOFT = "two_loose_tracks_inc_1_tight_q0_pstarmax_lt_08_not_eexx"
MEDIUM = "two_loose_tracks_pstarmax_08_45_not_ee2leg_ee1leg1trk_eexx"
HARD = "two_loose_tracks_pstarmax_gt_45_not_bhabha_mumu"
BARREL_PHOTON = "ge1_estar_gt_2_neutral_32_130_not_bhabha_gg"
SINGLE_PHOTON = "single_photon_estar_gt_1_45_115"


def pair(plus: Track, p: float, theta: float, phi: float, **other: object) -> Event:
    """A positive track at the azimuth 0 and a negative one."""
    return Event([plus, Track(-1, p, theta, phi, **other)])  # type: ignore[arg-type]


def bhabha(energy: float = 5.2, theta: float = 80.0, phi: float = 179.0) -> Event:
    """An electron and a positron that fly apart, with their clusters."""
    plus = Track(1, 5.28, 100.0, owns=(energy,))
    return pair(plus, 5.28, theta, phi, owns=(energy,))


def test_electrons_fly_along_z() -> None:
    for card in ("belle2", "belle"):
        collider = load(card).collider
        to_cms, half = _lab_to_cms(collider), collider.sqrt_s / 2
        electrons = collider.e_her_gev * np.array([1.0, *collider.direction_her])
        positrons = collider.e_ler_gev * np.array([1.0, *collider.direction_ler])
        assert to_cms @ electrons == pytest.approx([half, 0, 0, half], abs=1e-9)
        assert to_cms @ positrons == pytest.approx([half, 0, 0, -half], abs=1e-9)


@pytest.mark.parametrize("n_events", [0, 3])
def test_nothing_in_nothing(n_events: int) -> None:
    menu = belle2().trigger.hlt
    counts = count([Event()] * n_events, belle2())
    assert menu.asked <= counts.keys()
    for name in menu.asked:
        assert counts[name].tolist() == [0] * n_events
    assert not decide(menu, counts, n_events, np.random.default_rng(1)).any()


def test_tracks_are_counted_by_z0_and_hits_alone() -> None:
    good = [Track(1, 1.0, 80.0), Track(-1, 1.2, 70.0, 60.0), Track(1, 0.5, 100.0, 200.0)]
    events = [
        Event(good),
        Event([good[0], good[1], replace(good[2], z0=11.0)]),
        Event([good[0], good[1], replace(good[2], z0=-9.0)]),
        Event([good[0], good[1], replace(good[2], cdc=0)]),
        Event([replace(track, d0=30.0) for track in good]),
        Event([replace(track, z0=3.0) for track in good]),
    ]
    counts = count(events, belle2())
    assert counts["loose"].tolist() == [3, 2, 3, 2, 3, 3]
    assert counts["tight"].tolist() == [3, 2, 2, 2, 3, 0]
    assert fires(THREE, events, belle2()) == [True, False, True, False, True, False]
    run2 = load("belle2-run2")
    assert fires(THREE, events, run2) == [True, False, False, False, True, False]


def test_two_tracks_by_the_harder() -> None:
    """Missing momentum is at large angles here, so that no veto applies."""
    events = [
        pair(Track(1, 0.7, 60.0), 0.5, 70.0, 100.0),
        pair(Track(1, 0.9, 60.0), 0.5, 70.0, 100.0),
        pair(Track(1, 4.4, 60.0), 0.5, 70.0, 100.0),
        pair(Track(1, 4.6, 60.0), 0.5, 70.0, 100.0),
        Event([Track(1, 0.7, 60.0), Track(1, 0.5, 70.0, 100.0)]),
        pair(Track(1, 0.7, 60.0, z0=5.0), 0.5, 70.0, 100.0, z0=5.0),
        Event([Track(1, 0.7, 60.0)]),
    ]
    assert fires(SOFT, events, belle2()) == [True, *[False] * 6]
    assert fires(MEDIUM, events, belle2()) == [False, True, True, *[False] * 4]
    assert fires(HARD, events, belle2()) == [False, False, False, True, *[False] * 3]
    counts = count(events, belle2())
    assert counts["net_charge"].tolist() == [0, 0, 0, 0, 2, 0, 1]


def test_bhabha_pairs_are_killed_and_muon_pairs_are_not() -> None:
    third = Track(1, 0.3, 90.0, 90.0)
    events = [
        bhabha(),
        bhabha(theta=60.0),  # the sum of polar angles is 160 degrees
        bhabha(phi=170.0),
        bhabha(energy=2.5),
        bhabha(energy=0.2),
    ]
    with_third = [Event([*event.tracks, third]) for event in events]
    assert fires(THREE, with_third, belle2()) == [False, True, True, True, True]
    assert count(events, belle2())["ee2leg"].tolist() == [1, 0, 0, 0, 0]


def test_one_leg_and_a_track() -> None:
    """Electron without a cluster, 4.2 GeV, so that it takes the line for softer pairs."""
    plus = Track(1, 4.3, 100.0, owns=(4.9,))
    events = [
        pair(plus, 4.2, 80.0, 180.0),
        pair(plus, 4.2, 80.0, 170.0),
        pair(plus, 2.8, 80.0, 180.0),
        pair(replace(plus, owns=(0.2,)), 4.2, 80.0, 180.0),
    ]
    assert fires(MEDIUM, events, belle2()) == [False, True, True, True]


def test_energy_of_a_track_is_that_of_all_its_clusters() -> None:
    events = [
        bhabha(),
        pair(Track(1, 5.28, 100.0, owns=(2.6, 2.6)), 5.28, 80.0, 179.0, owns=(3.9, 0.3)),
        pair(Track(1, 5.28, 100.0, owns=(2.6,)), 5.28, 80.0, 179.0, owns=(3.9, 0.3)),
    ]
    assert count(events, belle2())["ee2leg"].tolist() == [1, 1, 0]


def test_energy_of_a_track_is_taken_to_the_centre_of_mass() -> None:
    """The boost gives forward electrons 6.6 GeV, backward ones 4.3 GeV."""
    events = [
        Event([Track(-1, 5.28, 40.0, owns=(5.2,))]),
        Event([Track(-1, 5.28, 140.0, owns=(4.0,))]),
    ]
    assert count(events, belle2())["ee1leg"].tolist() == [0, 1]


def test_missing_momentum_is_opposite_to_the_pair() -> None:
    forward = "{of='leg', missing_theta_deg=[[0.0, 40.0]], missing_p_gev=1.5}"
    needs = "{needs={forward=1}, source='own', trust='default'}"
    card = [f"trigger.hlt.hardest_pairs.forward={forward}", f"trigger.hlt.lines.forward={needs}"]
    events = [
        pair(Track(1, 1.0, 150.0), 1.0, 150.0, 180.0),
        pair(Track(1, 1.0, 30.0), 1.0, 30.0, 180.0),
        pair(Track(1, 0.8, 150.0), 0.8, 150.0, 180.0),
    ]
    assert fires("forward", events, load("belle2", card)) == [True, False, False]


def test_muon_pairs_of_full_energy_are_killed() -> None:
    plus = Track(1, 5.28, 100.0, owns=(0.2,))
    events = [
        pair(plus, 5.28, 80.0, 179.0, owns=(0.2,)),
        pair(plus, 4.0, 80.0, 179.0, owns=(0.2,)),
        pair(plus, 4.0, 86.0, 179.0, owns=(0.2,)),
        pair(plus, 4.0, 80.0, 174.0, owns=(0.2,)),
        pair(plus, 4.0, 80.0, 179.0, owns=(0.6,)),
    ]
    assert fires(HARD, events, belle2()) == [False, False, True, True, True]


def test_soft_pairs_are_killed_if_the_rest_is_along_the_beams() -> None:
    """Two photons of the beams make them: transverse momenta balance."""
    events = [
        pair(Track(1, 0.6, 50.0), 0.6, 50.0, 179.0),
        pair(Track(1, 0.6, 90.0), 0.3, 90.0, 179.0),
        pair(Track(1, 0.6, 50.0), 0.6, 50.0, 145.0),
        pair(Track(1, 1.8, 50.0), 1.8, 50.0, 178.0),
        pair(Track(1, 1.8, 50.0), 1.8, 50.0, 172.0),
        pair(Track(1, 2.2, 50.0), 2.2, 50.0, 178.0),
    ]
    assert fires(SOFT, events, belle2())[:3] == [False, True, True]
    assert fires(MEDIUM, events, belle2())[3:] == [False, True, True]


def test_electrons_that_radiated_hard_are_killed() -> None:
    plus = Track(1, 5.0, 100.0)
    events = [
        pair(plus, 2.0, 80.0, 180.0, owns=(2.0,)),
        pair(plus, 2.0, 80.0, 180.0, owns=(0.8,)),
        pair(plus, 2.0, 60.0, 180.0, owns=(2.0,)),
        pair(plus, 2.0, 100.0, 3.0, owns=(2.0,)),  # what is missing recoils against both
    ]
    assert count(events, belle2())["eebrem"].tolist() == [1, 1, 0, 0]
    assert fires(HARD, events, belle2()) == [False, True, True, True]


def test_pairs_are_of_the_highest_pt() -> None:
    """A faster track along the beams does not take the place of the leg of a Bhabha pair."""
    event = bhabha()
    along = Track(-1, 5.29, 12.0, 60.0)
    assert count([Event([along, *event.tracks])], belle2())["ee2leg"].tolist() == [1]
    harder = Track(-1, 6.0, 90.0, 60.0)
    assert count([Event([harder, *event.tracks])], belle2())["ee2leg"].tolist() == [0]


def test_photon_pairs() -> None:
    events = [
        Event(clusters=[Cluster(5.28, 100.0), Cluster(5.28, 80.0, 179.5)]),
        Event(clusters=[Cluster(5.28, 100.0), Cluster(5.28, 80.0, 170.0)]),
        Event(clusters=[Cluster(0.5, 40.0), Cluster(5.28, 100.0), Cluster(5.28, 80.0, 179.5)]),
        Event(clusters=[Cluster(5.28, 100.0), Cluster(2.9, 80.0, 179.5)]),
        Event(clusters=[Cluster(5.28, 100.0)]),
    ]
    counts = count(events, belle2())
    assert counts["gg2clst"].tolist() == [1, 0, 1, 0, 0]
    assert counts["ee2clst"].tolist() == [0, 1, 0, 0, 0]
    assert fires(BARREL_PHOTON, events, belle2()) == [False, True, False, True, True]
    assert fires("ggbarrelloose", events, belle2()) == [True, False, True, True, False]


def test_photons_are_those_without_a_track() -> None:
    photon = Cluster(1.5, 90.0)
    track = Track(1, 1.5, 90.0)
    events = [
        Event(clusters=[photon]),
        Event(clusters=[photon, Cluster(0.2, 60.0, 90.0)]),
        Event(clusters=[photon, Cluster(0.4, 60.0, 90.0)]),
        Event([track], [replace(photon, track=0)]),
        Event(clusters=[replace(photon, theta=30.0)]),
        Event(clusters=[replace(photon, energy=0.9)]),
    ]
    assert fires(SINGLE_PHOTON, events, belle2()) == [True, True, *[False] * 4]
    electron = "single_electron_estar_gt_1_45_115"
    assert fires(electron, events, belle2()) == [*[False] * 3, True, False, False]


def test_soft_clusters_need_company_and_no_hard_one() -> None:
    line = "elab_gt_05_plus_2_others_gt_018_no_estar_gt_2"
    soft = [Cluster(0.7, 80.0), Cluster(0.3, 100.0, 90.0), Cluster(0.3, 60.0, 200.0)]
    events = [
        Event(clusters=soft),
        Event(clusters=soft[:2]),
        Event(clusters=[*soft, Cluster(2.5, 90.0, 300.0)]),
        Event(clusters=[replace(cluster, theta=170.0) for cluster in soft]),
    ]
    assert fires(line, events, belle2()) == [True, False, False, False]


def test_pairs_with_transverse_momentum() -> None:
    """As of photon fusion to a particle that flies across the beams."""
    events = [
        Event(clusters=[Cluster(1.5, 80.0), Cluster(1.0, 80.0, 60.0)]),
        Event(clusters=[Cluster(1.5, 80.0), Cluster(1.4, 80.0, 178.0)]),
        Event([Track(1, 1.5)], [Cluster(1.5, 80.0, track=0), Cluster(1.0, 80.0, 60.0)]),
    ]
    assert fires("gghighpt", events, belle2()) == [True, False, False]


DISPLACED = [Track(1, 1.0, 80.0, d0=8.0, z0=40.0), Track(-1, 1.2, 70.0, 40.0, d0=9.0, z0=40.0)]


@pytest.mark.parametrize(
    ("vertex", "expected"),
    [
        (Vertex(10.0), True),
        (Vertex(2.9), False),
        (Vertex(59.0), True),
        (Vertex(61.0), False),
        (Vertex(10.0, theta=25.0), False),
        (Vertex(10.0, theta=125.0), False),
        (Vertex(10.0, chi2=7.8), True),
        (Vertex(10.0, chi2=7.95), False),  # a probability of 0.0048
        (Vertex(10.0, plus=2, minus=1), False),
    ],
)
def test_displaced_vertex(vertex: Vertex, expected: bool) -> None:
    other = [Vertex(1.0, plus=2), vertex]
    tracks = [*DISPLACED, Track(1, 0.4, 80.0)]
    # An event before it shifts the rows.
    events = [Event(tracks[2:]), Event(tracks, vertices=other), Event(tracks)]
    run2 = load("belle2-run2")
    assert fires("displaced_vertex", events, run2) == [False, expected, False]
    assert run2.trigger.hlt.ratios[run2.trigger.hlt.line_names.index("displaced_vertex")] == 1


def test_tracks_back_to_back_are_cosmic_rays() -> None:
    """In the laboratory, where a pair that is back to back to the beams at rest is not."""
    run2 = load("belle2-run2")
    vertices = [Vertex(10.0)]
    events = [
        Event([Track(1, 1.0, 90.0), Track(-1, 1.0, 90.0, 180.0)], vertices=vertices),
        Event([Track(1, 2.0, 106.0), Track(-1, 2.0, 106.0, 180.0)], vertices=vertices),
        Event([Track(1, 2.0, 106.0), Track(-1, 2.0, 106.0, 160.0)], vertices=vertices),
    ]
    assert fires("displaced_vertex", events, run2) == [True, False, True]


def in_simulation(experiment: Experiment, radius: float, n: int = 150) -> float:
    """How often the displaced line fires for mu mu from a point at a radius."""
    rng = np.random.default_rng(3)
    theta, phi = np.radians(rng.uniform(55, 90, n)), rng.uniform(-np.pi, np.pi, n)
    opening = np.radians(rng.uniform(10, 30, n))
    momenta, starts = np.empty((3, n, 2)), np.zeros((4, n, 2))
    for i, sign in enumerate((1, -1)):
        turned = phi + sign * opening / 2
        direction = np.sin(theta) * np.cos(turned), np.sin(theta) * np.sin(turned), np.cos(theta)
        momenta[:, :, i] = 1.5 * np.stack(direction)
        starts[:3, :, i] = radius * np.stack([np.cos(phi), np.sin(phi), 1 / np.tan(theta)])
    codes = np.tile([13, -13], n)
    truth = several([2] * n, codes, momenta.reshape(3, -1), starts.reshape(4, -1))
    reco = simulate(truth, experiment, rng=rng)
    counts = count_high_level(
        reco.tracks,
        reco.track_offsets,
        reco.clusters,
        reco.cluster_offsets,
        reco.vertices,
        reco.vertex_offsets,
        experiment,
    )
    both = np.bincount(np.repeat(np.arange(n), np.diff(reco.track_offsets)), minlength=n) == 2
    return float(counts["displaced_vertex"][both].mean())


def test_displaced_muons_in_simulation() -> None:
    run2 = load("belle2-run2")
    assert in_simulation(run2, 10.0) > 0.9
    assert in_simulation(run2, 1.0) == 0
    assert in_simulation(run2, 70.0) < 0.1


@pytest.mark.parametrize(("mass", "seed"), [(2.0, 1), (6.0, 2)])
def test_invisible_zprime_passes(mass: float, seed: int) -> None:
    """Of events with two tracks, those of one charge aside, vetoes take less than 3 %."""
    experiment, rng = belle2(), np.random.default_rng(seed)
    process = MuMuZPrime(mass=mass, coupling=1e-3, decay="invisible")
    reco = simulate(process.generate(experiment.collider, 1000, rng), experiment, rng=rng)
    counts = count_high_level(
        reco.tracks,
        reco.track_offsets,
        reco.clusters,
        reco.cluster_offsets,
        reco.vertices,
        reco.vertex_offsets,
        experiment,
    )
    menu = experiment.trigger.hlt
    fired = decide(menu, counts, reco.n_events, rng)
    lines = [menu.line_names.index(name) for name in (SOFT, MEDIUM, HARD)]
    both = (counts["loose"] == 2) & (counts["net_charge"] == 0) & (counts["tight"] > 0)
    assert np.count_nonzero(both) > 500
    assert fired[both][:, lines].any(axis=1).mean() > 0.97
