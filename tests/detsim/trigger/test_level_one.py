"""Level one as a whole: what fires on what passes the detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.triggers import Shot, back_to_back, fired, shoot
from darkbelle.detsim import RecoEvents, simulate
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.kinematics import boost, two_body
from darkbelle.gen.particles import ELECTRON, MUON, PHOTON
from darkbelle.geometry import Experiment, load

N = 4000


@cache
def card(name: str) -> Experiment:
    return load(name)


def run(truth: TruthEvents, name: str = "belle2", seed: int = 7) -> RecoEvents:
    return simulate(truth, card(name), rng=np.random.default_rng(seed))


def rates(shots: Sequence[Shot], *lines: str, name: str = "belle2") -> list[float]:
    """Share of events in which each line fires before prescales."""
    reco = run(shoot(shots, N, card(name)), name)
    return [float(fired(reco, card(name), line).mean()) for line in lines]


def angles(low: float = 60, high: float = 110) -> tuple[np.ndarray, np.ndarray]:
    """Polar and azimuthal angles [deg] of N particles."""
    rng = np.random.default_rng(int(low))
    return rng.uniform(low, high, N), rng.uniform(-180, 180, N)


def photon_and_alp(mass: float, theta: np.ndarray, phi: np.ndarray) -> list[Shot]:
    """e+ e- -> gamma a, a -> gamma gamma, as three photons in the centre of mass."""
    sqrt_s = card("belle2").collider.sqrt_s
    energy = (sqrt_s**2 + mass**2) / (2 * sqrt_s)
    p = (sqrt_s**2 - mass**2) / (2 * sqrt_s)
    rng = np.random.default_rng(11)
    direction = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    alp = np.stack([np.full(N, energy), *(p * np.array(direction))])
    decay = two_body(np.full(N, mass), 0, 0, rng.uniform(-1, 1, N), rng.uniform(-np.pi, np.pi, N))
    shots = [Shot(PHOTON, p, 180 - np.degrees(theta), np.degrees(phi) + 180, in_cms=True)]
    for photon in decay:
        e, px, py, pz = boost(photon, alp)
        angle, azimuth = np.arctan2(np.hypot(px, py), pz), np.arctan2(py, px)
        shots.append(Shot(PHOTON, e, np.degrees(angle), np.degrees(azimuth), in_cms=True))
    return shots


def test_a_light_alp_is_killed_by_the_bhabha_veto_and_a_heavy_one_is_not() -> None:
    """Its photons are one cluster, back to back with the other: e+ e- to the hardware.

    What keeps it is lml1, which carries no veto, and a photon line of the high level.
    """
    theta, phi = np.radians(angles(60, 120))
    light, heavy = photon_and_alp(0.1, theta, phi), photon_and_alp(4.0, theta, phi)
    bhie, hie, lml1, bha3d = rates(light, "bhie", "hie", "lml1", "bha3d")
    assert bhie > 0.97
    assert bha3d > 0.95
    assert hie < 0.05
    assert lml1 > 0.95
    bhie, hie, bha3d = rates(heavy, "bhie", "hie", "bha3d")
    assert bhie > 0.97
    assert hie > 0.7  # a photon with most of the energy is still back to back with the other
    assert bha3d < 0.3


def test_a_muon_pair_is_not_vetoed() -> None:
    """Nor does it look like energy: two minimum-ionising particles."""
    shots = back_to_back(MUON, -MUON)(np.random.default_rng(1), N)
    bha3d, ffo, bffo, hie, eclmumu = rates(shots, "bha3d", "ffo", "bffo", "hie", "eclmumu")
    assert bha3d == 0
    assert ffo == bffo > 0.9
    assert hie < 0.01
    assert eclmumu > 0.7


def test_three_track_lines_carry_no_veto() -> None:
    """Three muons beside a pair of hard photons: fff and ffy fire, two-track lines do not."""
    shots = [*back_to_back(PHOTON, PHOTON)(np.random.default_rng(2), N)]
    theta, phi = angles()
    shots += [Shot(MUON, 1.5, theta, phi + 120 * i) for i in range(3)]
    fff, ffy, ffo, fyo, fy, stt, hie, c4 = rates(
        shots, "fff", "ffy", "ffo", "fyo", "fy", "stt", "hie", "c4"
    )
    assert fff > 0.88
    assert ffy > 0.88
    assert max(ffo, fyo, fy, stt, hie, c4) < 0.05


def test_single_photon_lines_have_their_kinematic_edges() -> None:
    """E* > 2, 1 and 0.5 GeV: invisible masses below 8.34, 9.53 and 10.07 GeV (handbook)."""
    s = card("belle2").collider.sqrt_s ** 2
    theta, phi = angles(70, 95)
    for line, edge in (("lml1", 8.34), ("lml6", 9.53), ("lml13", 10.07)):
        for mass, low, high in ((edge - 0.4, 0.9, 1.0), (edge + 0.3, 0.0, 0.05)):
            energy = (s - mass**2) / (2 * np.sqrt(s))
            (rate,) = rates([Shot(PHOTON, energy, theta, phi, in_cms=True)], line)
            assert low <= rate <= high, (line, mass)


def test_energy_in_the_outermost_rings_does_not_count() -> None:
    for theta, low, high in ((16.0, 0.0, 0.02), (90.0, 0.95, 1.0), (140.0, 0.0, 0.02)):
        (rate,) = rates([Shot(ELECTRON, 2.5, theta, angles()[1])], "hie")
        assert low <= rate <= high, theta


def test_muons_fire_the_muon_system_from_one_gev_on() -> None:
    """Half of the plateau at 0.95 GeV (handbook, estimate) for eight layers."""
    theta, phi = angles(55, 115)
    plateau = rates([Shot(MUON, 3.0, theta, phi)], "klmhit")[0]
    assert plateau == pytest.approx(0.935, abs=0.02)
    assert rates([Shot(MUON, 0.8, theta, phi)], "klmhit")[0] < 0.25 * plateau
    assert rates([Shot(MUON, 1.15, theta, phi)], "klmhit")[0] > 0.75 * plateau


def test_each_section_of_the_muon_system_needs_eight_layers_of_its_own() -> None:
    """Barrel tracks end at 44.9 and 123.2 degrees, where the eighth layer does."""
    for theta, low, high in ((42.0, 0.0, 0.02), (50.0, 0.88, 0.97), (120.0, 0.88, 0.97),
                             (126.0, 0.0, 0.02)):  # fmt: skip
        (rate,) = rates([Shot(MUON, 3.0, theta, angles()[1])], "klmhit")
        assert low <= rate <= high, theta


def test_muons_of_the_endcap_fire_its_lines() -> None:
    theta, phi = angles(23, 30)
    seklm, fwd, cdcklm = rates([Shot(MUON, 2.5, theta, phi)], "seklm1", "fwd_seklm", "cdcklm1")
    assert seklm > 0.3
    assert fwd > 0.3
    assert cdcklm < 0.05


def test_sectors_belong_to_the_events_of_their_muons() -> None:
    """Every other event holds an electron instead, which fires no sector."""
    theta, phi = angles(60, 110)
    code = np.where(np.arange(N) % 2 == 0, MUON, ELECTRON)
    truth = shoot([Shot(MUON, 3.0, theta, phi)], N, card("belle2"))
    mass = np.where(code == MUON, truth.particles.mass, 0.000511)
    particles = replace(truth.particles, pdg_id=code.astype(np.int32), mass=mass)
    seen = fired(run(replace(truth, particles=particles)), card("belle2"), "klmhit")
    assert seen[code == MUON].mean() > 0.9
    assert seen[code == ELECTRON].mean() < 0.01


def test_a_track_that_points_to_its_own_cluster_and_sector() -> None:
    """The curvature counts: soft tracks of both charges bend by more than a match allows."""
    theta, phi = angles()
    for code in (MUON, -MUON):
        (yecl, y) = rates([Shot(code, 0.5, theta, phi)], "yecl", "y")
        assert yecl > 0.9 * y


def test_boosted_pairs_need_the_opening_of_30_degrees() -> None:
    theta, phi = angles()
    shots = [Shot(MUON, 2.0, theta, phi), Shot(-MUON, 2.0, theta, phi + 50)]
    ffo, ff30, ff = rates(shots, "ffo", "ff30", "ff")
    assert ffo == 0
    assert ff30 == ff > 0.9


def test_nothing_fires_on_nothing() -> None:
    truth = shoot([Shot(PHOTON, 1.0, 2.0, 0.0)], N, card("belle2"))  # into the beam pipe
    for name in ("belle2", "belle"):
        reco = run(truth, name)
        assert not reco.trigger.l1.any()
        assert not reco.trigger.physics.any()
    empty = shoot([], 0, card("belle2"))
    assert run(empty).trigger.l1.shape == (0, len(card("belle2").trigger.l1.lines))


def test_belle_keeps_muon_pairs_by_two_tracks_and_drops_single_photons_at_level_two() -> None:
    theta, phi = angles(45, 115)
    shots = [
        Shot(MUON, 4.0, theta, phi, in_cms=True),
        Shot(-MUON, 4.0, 180 - theta, phi + 180, in_cms=True),
    ]
    reco = run(shoot(shots, N, card("belle")), "belle")
    assert 0.80 < reco.trigger.physics.mean() < 0.97
    photon = run(shoot([Shot(PHOTON, 2.0, theta, phi)], N, card("belle")), "belle")
    assert fired(photon, card("belle"), "energy").mean() > 0.95
    assert photon.trigger.physics.mean() < 0.05  # conversions leave a track
