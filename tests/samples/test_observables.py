from __future__ import annotations

import numpy as np
import pytest

from darkbelle import gen, geometry
from darkbelle.detsim import simulate
from darkbelle.errors import ConfigError
from darkbelle.samples.observables import dimuon_recoil, observables_of

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


def test_the_fastest_track_of_each_charge_is_taken(perfect):
    """A pion added to an event changes nothing when it is slow, and the pair when it is fast."""
    truth, _ = perfect
    rng = np.random.default_rng(1)
    gun = gen.ParticleGun(p=0.3, theta=1.5).generate(PERFECT.collider, 50, rng)
    reco = simulate(gun, PERFECT, rng=rng)
    assert not dimuon_recoil(reco, PERFECT)["has_dimuon"].any()


def test_an_unknown_observable_is_named():
    class Odd(gen.MuMuZPrime):
        observables = ("dimuon_recol",)

    with pytest.raises(ConfigError, match="did you mean 'dimuon_recoil'"):
        observables_of(Odd)
