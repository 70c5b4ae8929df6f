from __future__ import annotations

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.detsim import simulate
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.kinematics import boost, from_axes
from darkbelle.gen.particles import MASS_MU, MASS_TAU, PION
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.gen.processes.tau import TauToLAlpha, TauToPiHnl
from darkbelle.samples.observables.heavy_neutrino import heavy_neutrino
from darkbelle.samples.observables.taus import tau_one_prong, tau_to_three_muons
from tests.samples.b_decays import mass_of
from tests.samples.made_up import PERFECT, by_hand, observed_in, to_lab

BELLE2 = geometry.load("belle2")


def test_one_track_against_three():
    """Momenta in the centre of mass; the axis is that of the single track but for a little."""
    lepton = np.array([0.3, 0.2, 2.0])
    pions = np.array([[0.2, -0.2, -1.5], [-0.4, 0.1, -1.0], [-0.1, 0.2, -1.2]])
    energies = np.sqrt(np.sum(pions**2, axis=1) + mass_of(PION) ** 2)

    def track(charge, p):
        # Light that is as fast as the pion is not: the momentum in the lab of a massive one.
        energy = np.sqrt(p @ p + mass_of(PION) ** 2)
        lab = from_axes(np.array([energy, *p])[:, None], axes_of_collision(PERFECT.collider))
        return (charge, lab[1:, 0], True)

    single = track(-1, lepton)
    three = [track(charge, p) for charge, p in zip((1, 1, -1), pions, strict=True)]
    two_and_two = [track(1, lepton), track(-1, 0.9 * lepton + np.array([0.3, 0, 0])), *three[:2]]
    events = [
        [single, *three],
        [*three[:2], single, three[2]],
        [single, *three, (1, np.array([0.1, 0.1, 0.1]), True)],  # a fifth
        [track(1, lepton), *three],  # of charge 2
        two_and_two,
        [single, *three, (1, np.array([3.0, 0.0, 0.0]), False)],  # one more that is no good
        three,
        [],
    ]
    observed = tau_one_prong(by_hand(*events), PERFECT)
    expected = [True, True, False, False, False, True, False, False]
    assert observed["has_tau_one_prong"].tolist() == expected
    assert observed["tau_lepton_index"].tolist() == [0, 2, -1, -1, -1, 0, -1, -1]
    found = {name: values[[0, 1, 5]] for name, values in observed.items()}
    sqrt_s, total = PERFECT.collider.sqrt_s, pions.sum(axis=0)
    np.testing.assert_allclose(found["tau_tag_energy"], energies.sum(), rtol=1e-6)
    mass = np.sqrt(energies.sum() ** 2 - total @ total)
    np.testing.assert_allclose(found["tau_tag_mass"], mass, rtol=1e-6)
    axis = lepton - total
    sizes = np.linalg.norm(pions, axis=1).sum() + np.linalg.norm(lepton)
    np.testing.assert_allclose(found["tau_thrust"], np.linalg.norm(axis) / sizes, rtol=1e-6)
    unit = axis / np.linalg.norm(axis)
    np.testing.assert_allclose(found["tau_thrust_axis"], [unit] * 3, atol=1e-6)
    # 2 E_l/m in the frame of a tau of half of the energy that flies against the three.
    gamma = sqrt_s / 2 / MASS_TAU
    direction = -total / np.linalg.norm(total)
    for column, own in enumerate((0.000511, MASS_MU)):
        energy = np.sqrt(lepton @ lepton + own**2)
        at_rest = gamma * energy - np.sqrt(gamma**2 - 1) * (lepton @ direction)
        x = found["tau_x_lepton"][:, column]
        np.testing.assert_allclose(x, 2 * at_rest / MASS_TAU, rtol=1e-3)
    missing = -(total + lepton)
    theta = np.arccos(missing[2] / np.linalg.norm(missing))
    np.testing.assert_allclose(found["tau_missing_theta"], theta, rtol=1e-6)
    seen = energies.sum() + np.sqrt(lepton @ lepton + mass_of(PION) ** 2)
    left2 = (sqrt_s - seen) ** 2 - missing @ missing
    np.testing.assert_allclose(found["tau_missing_mass2"], left2, rtol=1e-6)


def test_an_unseen_alpha_leaves_a_line_in_the_pseudo_rest_frame():
    process = TauToLAlpha(mass=1.2, lepton="mu", tag="3pi", isr=False, fsr=False)
    truth, reco, observed = observed_in(process, BELLE2, 2500, tau_one_prong)
    has = observed["has_tau_one_prong"]
    assert has.mean() > 0.4
    rows = reco.track_offsets[:-1][has] + observed["tau_lepton_index"][has]
    codes = reco.truth.particles.pdg_id
    lepton = codes[reco.truth.offsets[:-1][has] + reco.tracks.truth_index[rows]]
    assert np.mean(np.abs(lepton) == 13) > 0.97
    x = observed["tau_x_lepton"][has, 1]
    exact = 1 + (MASS_MU**2 - 1.2**2) / MASS_TAU**2
    assert np.mean(x) == pytest.approx(1.072 * exact, rel=0.05)
    assert np.std(x[x < 1.5]) < 0.2
    assert np.median(observed["tau_thrust"][has]) > 0.9
    assert np.mean(observed["tau_tag_mass"][has] < MASS_TAU) > 0.97
    assert truth.n_events == len(has)


def three_muons(n, rng):
    """tau -> mu mu mu with tau -> pi nu, not radiating, in the lab."""
    collider = BELLE2.collider
    direction = rng.normal(size=(3, n))
    direction /= np.linalg.norm(direction, axis=0)
    energy = collider.sqrt_s / 2
    momentum = np.sqrt(energy**2 - MASS_TAU**2) * direction
    axes = axes_of_collision(collider)
    taus = [
        from_axes(np.concatenate([np.full((1, n), energy), sign * momentum]), axes)
        for sign in (1, -1)
    ]
    muons = decay_at_rest(np.full(n, MASS_TAU), [MASS_MU] * 3, rng)
    pion, _ = decay_at_rest(np.full(n, MASS_TAU), [mass_of(PION), 0.0], rng)
    born = [(code, boost(p, taus[0])) for code, p in zip((13, 13, -13), muons, strict=True)]
    born.append((PION, boost(pion, taus[1])))
    origin = np.zeros((4, n))
    slots = [Slot(code, Status.FINAL, Origin.PRIMARY, mass_of(code), p, origin) for code, p in born]
    return assemble(slots, np.ones(n), origin, None)


def test_three_muons_are_a_tau():
    rng = np.random.default_rng(12)
    reco = simulate(three_muons(2000, rng), BELLE2, rng=rng)
    observed = tau_to_three_muons(reco, BELLE2)
    has = observed["has_three_muons"]
    assert has.mean() > 0.5
    mass, delta_e = (observed[f"three_muon_{name}"][has] for name in ("mass", "delta_e"))
    assert np.median(mass) == pytest.approx(MASS_TAU, abs=1e-3)
    assert np.median(np.abs(mass - MASS_TAU)) < 6e-3
    assert np.median(delta_e) == pytest.approx(0, abs=6e-3)
    assert np.median(np.abs(delta_e)) < 0.03
    rows = reco.track_offsets[:-1][has][:, None] + observed["three_muon_index"][has]
    first = reco.truth.offsets[:-1][has][:, None]
    codes = reco.truth.particles.pdg_id[first + reco.tracks.truth_index[rows]]
    assert np.mean(np.abs(codes) == 13) > 0.98
    assert np.median(observed["three_muon_thrust"][has]) > 0.9


def test_three_tracks_of_one_side_and_charge_one():
    near = [np.array([2.0, 0.1, 0.3]), np.array([1.8, -0.2, 0.1]), np.array([1.5, 0.2, 0.0])]
    away = (-1, to_lab(np.array([-4.5, 0.0, -0.3]))[0], True)
    tracks = [(charge, to_lab(p)[0], True) for charge, p in zip((1, -1, 1), near, strict=True)]
    same_sign = [(1, p, True) for _, p, _ in tracks]
    reco = by_hand([away, *tracks], [*tracks[:2], away], [away, *same_sign], [])
    observed = tau_to_three_muons(reco, PERFECT)
    assert observed["has_three_muons"].tolist() == [True, False, False, False]
    assert observed["three_muon_index"].tolist() == [[1, 2, 3]] + 3 * [[-1, -1, -1]]


@pytest.mark.parametrize("mass", [0.6, 1.2])
def test_one_of_the_masses_of_a_displaced_vertex_is_that_of_the_neutral_lepton(mass):
    process = TauToPiHnl(mass=mass, ctau=10.0, tag="leptonic", isr=False, fsr=False)
    _, _, observed = observed_in(process, BELLE2, 2500, heavy_neutrino)
    has = observed["has_heavy_neutrino"] & (observed["heavy_neutrino_flight_xy"] > 0.5)
    assert has.mean() > 0.15
    heavier, lighter = (
        observed[f"heavy_neutrino_mass_{name}"][has, 0] for name in ("plus", "minus")
    )
    assert np.all(heavier >= lighter)
    off = np.minimum(np.abs(heavier - mass), np.abs(lighter - mass))
    assert np.median(off) < 0.02
    pair, seen = (observed[f"heavy_neutrino_{name}_mass"][has, 0] for name in ("pair", "seen"))
    assert np.mean(pair < mass) > 0.9
    assert np.mean(seen < MASS_TAU) > 0.8  # but where the pion is lost and the tag taken
