from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle import gen, geometry
from darkbelle.detsim import FitStatus, TrackTable, simulate
from darkbelle.errors import ConfigError
from darkbelle.gen.particles import MASS_MU
from darkbelle.samples.observables import dimuon_recoil, observables_of
from darkbelle.units import CURVATURE

PERFECT = geometry.load(
    "belle2",
    [
        "collider.beam_spread=false",
        "drift_chamber.hit_efficiency=1",
        "drift_chamber.material_x0_per_cm=0",
        *(f"passive.{n}.thickness_x0=0" for n in ("beam_pipe", "cdc_inner_wall", "cdc_outer_wall")),
        *(f"silicon.{n}.thickness_x0=0" for n in ("pxd1", "pxd2", "svd3", "svd4", "svd5", "svd6")),
        *(f"silicon.{n}.sigma_rphi_um=1e-3" for n in ("pxd1", "svd3", "svd4", "svd5", "svd6")),
        *(f"silicon.{n}.sigma_z_um=1e-3" for n in ("pxd1", "svd3", "svd4", "svd5", "svd6")),
        "tracking.tails.fraction=0",
        "tracking.tails.variation={}",
        "tracking.tails.trust='measured'",
        "tracking.momentum_smearing.pt_coefficient_per_gev=0",
        "tracking.momentum_smearing.beta_coefficient=0",
    ],
)


@pytest.fixture(scope="module")
def perfect():
    """Events without radiation, seen by a detector that measures well enough to test identities."""
    rng = np.random.default_rng(5)
    process = gen.MuMuZPrime(mass=3.0, isr=False)
    truth = process.generate(PERFECT.collider, 3000, rng)
    return truth, simulate(truth, PERFECT, rng=rng)


def test_the_recoil_of_a_perfect_detector_is_the_boson(perfect):
    truth, reco = perfect
    observed = dimuon_recoil(reco, PERFECT)
    good = observed["has_dimuon"]
    assert good.mean() > 0.7
    boson = truth.particles.pdg_id == 55
    p = np.stack([truth.particles.px, truth.particles.py, truth.particles.pz])[:, boson]
    np.testing.assert_allclose(np.median(observed["recoil_mass"][good]), 3.0, atol=2e-3)
    np.testing.assert_allclose(observed["recoil_mass2"][good], 9.0, atol=0.5)
    theta = np.arctan2(np.hypot(p[0], p[1]), p[2])
    assert np.median(np.abs(observed["recoil_theta"] - theta)[good]) < 1e-3
    # s = E*^2 - p*^2 on both sides of the event: E*_miss = (s + M^2 - m_mumu^2)/(2 sqrt(s)).
    s = PERFECT.collider.sqrt_s**2
    expected = (s + observed["recoil_mass2"] - observed["dimuon_mass"] ** 2) / (2 * np.sqrt(s))
    np.testing.assert_allclose(observed["missing_energy"][good], expected[good], rtol=1e-10)


def test_events_without_a_pair_are_flagged_and_nan(perfect):
    _, reco = perfect
    observed = dimuon_recoil(reco, PERFECT)
    charges = np.split(reco.tracks.charge, reco.track_offsets[1:-1])
    has_both = np.array([{-1, 1} <= set(event.tolist()) for event in charges])
    np.testing.assert_array_equal(observed["has_dimuon"], has_both)
    for name, values in observed.items():
        if name != "has_dimuon":
            np.testing.assert_array_equal(np.isnan(values), ~has_both, err_msg=name)


def by_hand(*events):
    """Events of given tracks, each (charge, momentum [GeV], whether that is really known)."""
    gun = gen.ParticleGun(p=1.0).generate(PERFECT.collider, len(events), np.random.default_rng(1))
    tracks = [track for event in events for track in event]
    charge = np.array([q for q, _, _ in tracks], dtype=np.int8)
    good = np.array([is_good for _, _, is_good in tracks])
    px, py, pz = np.array([p for _, p, _ in tracks]).T
    pt, zero = np.hypot(px, py), np.zeros(len(tracks))
    omega = charge * CURVATURE * PERFECT.solenoid.field_t / pt
    helix = np.stack([zero, np.arctan2(py, px), omega, zero, pz / pt], axis=-1)
    hits = np.full(len(tracks), 9, dtype=np.int8)
    table = TrackTable(
        helix=helix,
        cov=np.broadcast_to(1e-6 * np.eye(5), (len(tracks), 5, 5)),
        charge=charge,
        n_hits_pxd=hits,
        n_hits_svd=hits,
        n_hits_cdc=hits,
        first_hit_radius=np.ones(len(tracks)),
        cluster_index=np.full(len(tracks), -1, dtype=np.int16),
        e_over_p=np.full(len(tracks), np.nan),
        pid=np.zeros((len(tracks), 0), dtype=bool),
        truth_index=np.zeros(len(tracks), dtype=np.int32),
        fit_status=np.where(good, FitStatus.OK, FitStatus.NO_FIELD).astype(np.int8),
    )
    offsets = np.cumsum([0, *map(len, events)])
    reco = simulate(gun, PERFECT, rng=np.random.default_rng(2))
    return replace(reco, tracks=table, track_offsets=offsets)


def test_the_fastest_track_of_each_charge_is_taken():
    plus, minus = np.array([0.4, 1.1, 1.9]), np.array([-1.5, 0.2, 0.3])
    alone = ((1, plus, True), (-1, minus, True))
    # Slower ones with another direction; the second has more transverse momentum than `plus`.
    slower = [(1, np.array([0.1, -0.5, 0.2]), True), (1, np.array([-1.4, 0.3, 0.1]), True)]
    slower += [(-1, np.array([0.9, 0.9, -0.2]), True), (-1, np.array([0.2, -0.1, 1.0]), True)]
    faster_but_bad = [(1, np.array([2.0, 2.0, 1.0]), False), (-1, np.array([0.0, 3.0, 0.0]), False)]
    same_pair = [
        alone,
        alone[::-1],
        (*slower, *alone),
        (*alone, *slower),
        (*slower[:3], *alone, slower[3]),
        (*faster_but_bad, *alone, *slower),
        (*slower, *alone, *faster_but_bad),
    ]
    fastest = (-1, np.array([1.0, -2.0, 2.5]), True)
    other_pair = [(*alone, *slower, fastest), (fastest, *slower, *alone)]
    no_pair = [(), alone[:1], (*slower[:2], faster_but_bad[1]), faster_but_bad]
    observed = dimuon_recoil(by_hand(*same_pair, *other_pair, *no_pair), PERFECT)

    expected = [(plus, minus)] * len(same_pair) + [(plus, fastest[1])] * len(other_pair)
    n_pairs = len(expected)
    assert observed["has_dimuon"].tolist() == [True] * n_pairs + [False] * len(no_pair)
    momenta = np.array(expected)
    energy = np.sqrt(np.sum(momenta**2, axis=-1) + MASS_MU**2).sum(axis=1)
    momentum = momenta.sum(axis=1)
    mass = np.sqrt(energy**2 - np.sum(momentum**2, axis=1))
    np.testing.assert_allclose(observed["dimuon_mass"][:n_pairs], mass, rtol=1e-9)
    recoil = PERFECT.collider.four_momentum[1:] - momentum
    theta = np.arccos(recoil[:, 2] / np.linalg.norm(recoil, axis=1))
    np.testing.assert_allclose(observed["recoil_theta"][:n_pairs], theta, rtol=1e-9)
    assert np.isnan(observed["dimuon_mass"][n_pairs:]).all()


def test_an_unknown_observable_is_named():
    class Odd(gen.MuMuZPrime):
        observables = ("dimuon_recol",)

    with pytest.raises(ConfigError, match="did you mean 'dimuon_recoil'"):
        observables_of(Odd)
