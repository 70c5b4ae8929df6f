from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle import gen, geometry
from darkbelle.detsim import simulate
from darkbelle.errors import ConfigError
from darkbelle.gen.particles import DARK_HIGGS, MASS_MU, PHOTON
from darkbelle.gen.processes import (
    DarkHiggsstrahlung,
    GammaAlp,
    GammaDarkPhoton,
    GammaGamma,
    InelasticDarkMatter,
    MuMu,
    find_process,
    process_names,
)
from darkbelle.samples.observables import OBSERVABLES, observables_of
from darkbelle.samples.observables.back_to_back import cluster_pair, track_pair
from darkbelle.samples.observables.photons import single_photon, three_photons
from darkbelle.samples.observables.tracks import dimuon_recoil, four_tracks, six_tracks
from darkbelle.samples.observables.vertices import two_vertices
from tests.samples.made_up import PERFECT, by_hand, observed_in, to_lab, with_clusters


@pytest.fixture(scope="module")
def perfect():
    """Events without radiation, seen by a detector that measures well enough to test identities."""
    rng = np.random.default_rng(5)
    process = gen.MuMuZPrime(mass=3.0, isr=False, fsr=False)
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


@pytest.mark.parametrize(
    ("parent", "modes", "names"),
    [
        ("tau-", "mu- mu- mu+", ("tau_one_prong", "tau_to_three_muons")),
        ("B0", "D- e+ nu_e", ()),
        ("B0", "J/psi pi0", ()),
        ("anti-B0", "anti-K0 nu_e anti-nu_e", ("b_to_k_recoil",)),
        ("B+", "K+ pi+ pi-", ("b_to_k_recoil",)),
        ("B+", "J/psi K+", ("b_to_k_recoil", "b_to_k_photons", "b_to_k_tracks")),
        ("B0", ["K*0 nu_e anti-nu_e", "K*0 pi0"],
         ("b_to_k_recoil", "b_to_k_photons", "b_to_k_tracks")),
        ("D0", "K- pi+", ()),
    ],
)  # fmt: skip
def test_chains_carry_what_means_something_for_them(parent, modes, names):
    process = gen.DecayChain(chain={"parent": parent, "decays": {parent: modes}})
    assert observables_of(process) == tuple(OBSERVABLES[name] for name in names)
    assert {*names} < {*process.observables}
    alone = gen.DecayChain(chain={"parent": parent, "decays": {parent: modes}}, p=1.0)
    assert observables_of(alone) == ()


def test_processes_carry_all_unless_they_say_which():
    assert observables_of(gen.MuMuZPrime(mass=1.0)) == observables_of(gen.MuMuZPrime) != ()


def test_every_set_is_carried_by_some_process():
    named = {name for process in map(find_process, process_names()) for name in process.observables}
    assert named == {*OBSERVABLES}


# ---- the registry --------------------------------------------------------------------------------


def test_no_two_sets_have_a_column_in_common():
    columns = [name for observable_set in OBSERVABLES.values() for name in observable_set.columns]
    assert len(columns) == len(set(columns))


@pytest.fixture(scope="module", params=[1.5, 0.0])
def neutrinos(request):
    """A detector, and no event and three in which nothing is seen."""
    card = geometry.load("belle2", [f"solenoid.field_t={request.param}"])
    gun, rng = gen.ParticleGun(pdg_id=14, p=1.0), np.random.default_rng(1)
    sent = {n: gun.generate(card.collider, n, rng) for n in (0, 3)}
    return card, {n: simulate(truth, card, rng=rng) for n, truth in sent.items()}


@pytest.mark.parametrize("name", OBSERVABLES)
@pytest.mark.parametrize("n_events", [0, 3])
def test_events_without_anything_have_every_column(name, n_events, neutrinos):
    card, seen = neutrinos
    observed = OBSERVABLES[name].compute(seen[n_events], card)
    assert observed.keys() == OBSERVABLES[name].columns.keys()
    for column, values in observed.items():
        assert len(values) == n_events
        if column.endswith("_index"):
            assert (values == -1).all()
        elif column.startswith(("has_", "n_")):
            assert not values.any()
        else:
            assert np.isnan(values).all()


# ---- tracks --------------------------------------------------------------------------------------


def mass(*momenta, of=MASS_MU):
    """Mass of particles of given momenta."""
    momenta = np.array(momenta)
    energy = np.sqrt(np.sum(momenta**2, axis=1) + of**2).sum()
    return np.sqrt(energy**2 - np.sum(momenta.sum(axis=0) ** 2))


def test_four_tracks_are_the_two_fastest_of_either_charge_in_that_order():
    fast, slow = np.array([0.4, 1.1, 2.9]), np.array([1.0, -0.2, 0.3])
    other_fast, other_slow = np.array([-1.5, 0.2, -2.0]), np.array([-0.3, -1.2, 0.1])
    four = [(1, slow, True), (-1, other_fast, True), (1, fast, True), (-1, other_slow, True)]
    slower = [(1, 0.5 * slow, True), (-1, -0.3 * fast, True)]
    bad = [(1, 9 * slow, False), (-1, 9 * fast, False)]
    with_four = [four, four[::-1], [*slower, *four], [*bad, *four, *slower]]
    without = [four[:3], [*four[1:], *bad], [*four[:1], *four[2:3], *slower[:1], four[1]], []]
    observed = four_tracks(by_hand(*with_four, *without), PERFECT)
    assert observed["has_four_tracks"].tolist() == [True] * 4 + [False] * 4
    pairs = [(plus, minus) for plus in (fast, slow) for minus in (other_fast, other_slow)]
    for particle, of in (("mumu", MASS_MU), ("ee", 0.000511)):
        expected = [mass(*pair, of=of) for pair in pairs]
        found = observed[f"four_track_{particle}_masses"]
        np.testing.assert_allclose(found[:4], [expected] * 4, rtol=1e-6)
        assert np.isnan(found[4:]).all()
    everything = mass(fast, slow, other_fast, other_slow)
    np.testing.assert_allclose(observed["four_track_mass"][:4], everything, rtol=1e-9)
    # s + M^2 - 2 sqrt(s) E* is the square of the missing mass, and E* what is not missing.
    sqrt_s = PERFECT.collider.sqrt_s
    seen = sqrt_s - observed["four_track_missing_energy"][0]
    expected = sqrt_s**2 + everything**2 - 2 * sqrt_s * seen
    assert observed["four_track_missing_mass2"][0] == pytest.approx(expected, rel=1e-9)


def test_reduced_masses_do_not_cancel_at_threshold():
    """Muons of one momentum p and an angle a between them: sqrt(M^2 - 4 m^2) = 2 p sin(a/2)."""
    p, angle = 4.0, 1e-6
    plus = p * np.array([np.cos(angle), np.sin(angle), 0.0])
    minus = p * np.array([1.0, 0.0, 0.0])
    slow = np.array([0.0, 0.3, 0.1])
    event = [(1, plus, True), (-1, minus, True), (1, slow, True), (-1, -slow, True)]
    observed = four_tracks(by_hand(event), PERFECT)
    reduced = observed["four_track_reduced_masses"][0, 0]
    assert reduced == pytest.approx(2 * p * np.sin(angle / 2), rel=1e-6)
    assert observed["four_track_mumu_masses"][0, 0] == pytest.approx(2 * MASS_MU, rel=1e-9)


def test_four_muons_of_a_perfect_detector_hold_the_boson():
    process = gen.MuMuZPrime(mass=2.0, decay="mumu", isr=False, fsr=False)
    _, _, observed = observed_in(process, PERFECT, 2000, four_tracks)
    found = observed["has_four_tracks"]
    assert found.mean() > 0.5
    nearest = np.abs(observed["four_track_mumu_masses"][found] - 2.0).min(axis=1)
    assert np.median(nearest) < 1e-3
    assert np.mean(nearest < 0.01) > 0.95
    sqrt_s = PERFECT.collider.sqrt_s
    assert np.median(observed["four_track_mass"][found]) == pytest.approx(sqrt_s, abs=2e-3)
    assert np.median(observed["four_track_missing_energy"][found]) == pytest.approx(0, abs=2e-3)


def test_six_tracks_are_matched_to_three_pairs_of_one_mass():
    """Muons back to back in their pair's frame at 1 GeV, in three frames: one matching fits."""
    size = np.sqrt(0.25 - MASS_MU**2)
    tracks, pairs = [], []
    for axis, flight in (
        ((1, 0, 0), (0, 2, 1)),
        ((0, 1, 0), (1.5, 0, -2)),
        ((0, 0, 1), (-1, 1, 0)),
    ):
        at_rest = size * np.array(axis, float)
        momentum = np.array(flight, float)
        gamma, along = np.sqrt(1 + momentum @ momentum), momentum @ at_rest
        boosted = [
            sign * at_rest + momentum * (sign * along / (1 + gamma) + 0.5) for sign in (1, -1)
        ]
        pairs.append(boosted)
        tracks += [(1, boosted[0], True), (-1, boosted[1], True)]
    scrambled = [tracks[i] for i in (3, 0, 4, 5, 2, 1)]
    slow = [(1, np.array([0.05, 0.1, 0.0]), True)]
    observed = six_tracks(by_hand(tracks, scrambled, [*slow, *tracks], tracks[:5]), PERFECT)
    assert observed["has_six_tracks"].tolist() == [True, True, True, False]
    np.testing.assert_allclose(observed["six_track_pair_masses"][:3], 1.0, rtol=1e-9)
    without = [mass(*(p for j in range(3) if j != i for p in pairs[j])) for i in range(3)]
    found = np.sort(observed["six_track_four_masses"][:3], axis=1)
    np.testing.assert_allclose(found, [np.sort(without)] * 3, rtol=1e-9)
    everything = mass(*(p for pair in pairs for p in pair))
    np.testing.assert_allclose(observed["six_track_mass"][:3], everything, rtol=1e-9)


def test_six_muons_hold_three_dark_photons_and_the_dark_higgs():
    process = DarkHiggsstrahlung(m_ap=1.0, m_hp=3.0, isr=False, fsr=False)
    _, _, observed = observed_in(process, PERFECT, 1000, six_tracks)
    found = observed["has_six_tracks"]
    assert found.mean() > 0.4
    pairs = observed["six_track_pair_masses"][found]
    assert np.all(np.diff(pairs, axis=1) >= 0)
    assert np.median(pairs[:, 1]) == pytest.approx(1.0, abs=1e-3)
    nearest = np.abs(observed["six_track_four_masses"][found] - 3.0).min(axis=1)
    assert np.median(nearest) < 5e-3


# ---- photons and clusters ------------------------------------------------------------------------


def test_three_photons_that_share_the_beams():
    """Then the squared mass of two of them is that which recoils against the third."""
    sqrt_s = PERFECT.collider.sqrt_s
    x = 0.9, 0.7, 0.4  # energies in units of sqrt(s)/2, which fix the angles
    cosine = (x[2] ** 2 - x[0] ** 2 - x[1] ** 2) / (2 * x[0] * x[1])
    one = x[0] * np.array([0.6, 0.0, 0.8])
    two = x[1] * (
        cosine * np.array([0.6, 0.0, 0.8]) + np.sqrt(1 - cosine**2) * np.array([0.64, 0.6, -0.48])
    )
    photons = [(p, False) for p in to_lab(*(sqrt_s / 2 * p for p in (one, two, -one - two)))]
    soft = [(np.array([0.0, 0.09, 0.0]), False), (np.array([3.0, 0.0, 1.0]), True)]
    faint = [(np.array([0.0, 0.3, 0.0]), False)]
    reco = with_clusters(photons, [*soft, *photons[::-1], *faint], [*photons[:2], *soft], [])
    observed = three_photons(reco, PERFECT)
    assert observed["has_three_photons"].tolist() == [True, True, False, False]
    for event in (0, 1):
        assert observed["three_photon_mass"][event] == pytest.approx(sqrt_s, rel=1e-9)
        energies = np.array(x) * sqrt_s / 2
        np.testing.assert_allclose(observed["three_photon_energies"][event], energies, rtol=1e-9)
        expected = sqrt_s**2 * (1 - np.array(x))
        for name in ("pair", "recoil"):
            found = observed[f"three_photon_{name}_masses2"][event]
            np.testing.assert_allclose(found, expected, rtol=1e-8)
    alone = single_photon(reco, PERFECT)
    assert alone["n_photons"].tolist() == [3, 4, 2, 0]
    assert alone["has_photon"].tolist() == [True, True, True, False]
    recoil = sqrt_s**2 * (1 - x[0])
    np.testing.assert_allclose(alone["photon_recoil_mass2"][:3], recoil, rtol=1e-8)
    p = photons[0][0]
    theta = np.arccos(p[2] / np.linalg.norm(p))
    np.testing.assert_allclose(alone["photon_theta"][:3], theta, rtol=1e-9)


def test_two_of_three_photons_make_the_axion_like_particle():
    process = GammaAlp(mass=3.0, isr=False)
    _, _, observed = observed_in(process, PERFECT, 3000, three_photons)
    found = observed["has_three_photons"]
    assert found.mean() > 0.6
    nearest = observed["three_photon_pair_masses2"][found]
    nearest = nearest[np.arange(len(nearest)), np.argmin(np.abs(nearest - 9.0), axis=1)]
    assert np.median(nearest) == pytest.approx(9.0, abs=0.15)
    assert np.median(np.abs(nearest - 9.0)) < 0.4
    sqrt_s = PERFECT.collider.sqrt_s
    assert np.median(observed["three_photon_mass"][found]) == pytest.approx(sqrt_s, rel=0.02)


def test_an_unseen_dark_photon_recoils_against_the_photon():
    process = GammaDarkPhoton(mass=7.0, theta_min=0.7, isr=False)
    _, _, observed = observed_in(process, PERFECT, 3000, single_photon)
    found = observed["has_photon"]
    assert found.mean() > 0.85
    recoil = np.sqrt(np.median(observed["photon_recoil_mass2"][found]))
    assert recoil == pytest.approx(7.0, abs=0.05)
    assert np.median(observed["n_photons"]) == 1


def test_angles_between_two_that_are_not_quite_back_to_back():
    """In the centre of mass, where one of them is turned by 0.02 in theta and 0.03 in phi."""

    def direction(theta, phi):
        return np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])

    one, phi = 5.2 * direction(1.1, 3.0), 3.0 - np.pi
    turned = [5.0 * direction(np.pi - 1.1 + 0.02, phi + turn) for turn in (0.03, -0.03)]
    events = [to_lab(one, two) for two in turned]
    soft = (np.array([0.1, 0.2, 0.0]), False)
    reco = with_clusters(*([*((p, True) for p in event), soft] for event in events), [soft])
    observed = cluster_pair(reco, PERFECT)
    assert observed["has_cluster_pair"].tolist() == [True, True, False]
    np.testing.assert_allclose(observed["cluster_pair_energies"][:2], [[5.2, 5.0]] * 2, rtol=1e-9)
    np.testing.assert_allclose(observed["cluster_pair_acollinearity"][:2], 0.02, rtol=1e-7)
    np.testing.assert_allclose(observed["cluster_pair_acoplanarity"][:2], 0.03, rtol=1e-7)

    # Tracks of the same momenta, heavier: the same angles but for that; clusters by their index.
    tracks = [[(1, event[0], True), (-1, event[1], True)] for event in events]
    reco = with_clusters(*([soft, *((p, True) for p in event)] for event in events), tracks=tracks)
    index = np.array([1, 2, 2, -1], dtype=np.int32)
    reco = replace(reco, tracks=replace(reco.tracks, cluster_index=index))
    observed = track_pair(reco, PERFECT)
    np.testing.assert_allclose(observed["track_pair_acollinearity"], 0.02, atol=1e-3)
    np.testing.assert_allclose(observed["track_pair_acoplanarity"], 0.03, atol=1e-3)
    energies = observed["track_pair_cluster_energies"]
    np.testing.assert_allclose(energies[0], np.linalg.norm(events[0], axis=1), rtol=1e-9)
    assert np.isfinite(energies[1]).tolist() == [True, False]
    assert np.isfinite(observed["track_pair_cluster_thetas"][1]).tolist() == [True, False]


def test_pairs_share_the_energy_of_the_beams():
    for process, compute, name, width in (
        (MuMu(isr=False, fsr=False), track_pair, "track_pair", 0.01),
        (GammaGamma(isr=False, theta_min=0.8), cluster_pair, "cluster_pair", 0.15),
    ):
        _, _, observed = observed_in(process, PERFECT, 1500, compute)
        found = observed[f"has_{name}"]
        assert found.mean() > 0.6
        energies = observed[f"{name}_energies"][found]
        np.testing.assert_allclose(
            np.median(energies, axis=0), PERFECT.collider.sqrt_s / 2, atol=width
        )
        for angle in ("acollinearity", "acoplanarity"):
            assert np.median(np.abs(observed[f"{name}_{angle}"][found])) < 0.01


# ---- vertices ------------------------------------------------------------------------------------


def test_one_of_two_vertices_points_and_is_the_dark_higgs():
    process = InelasticDarkMatter(
        m_ap=3.0, m_chi1=1.0, delta=0.4, m_hp=0.5, ctau=1.0, ctau_hp=3.0, isr=False, fsr=False
    )
    truth, _, observed = observed_in(process, PERFECT, 4000, two_vertices)
    found = np.flatnonzero(observed["has_two_vertices"])
    assert len(found) > 600
    assert np.median(observed["hp_mass_mumu"][found]) == pytest.approx(0.5, abs=1e-3)
    assert np.mean(np.abs(observed["hp_mass_mumu"][found] - 0.5) < 0.02) > 0.85
    # chi2 -> chi1 e e ends at delta; h' and photon-like pairs do not fly alike.
    assert np.mean(observed["chi_mass_ee"][found] < 0.4) > 0.85
    assert np.median(observed["hp_pointing_angle"][found]) < 0.01
    assert np.median(observed["chi_pointing_angle"][found]) > 0.1
    # The detector turns muons on their way: the angle where they were born is that of the truth.
    p = truth.particles
    higgs = np.flatnonzero(p.pdg_id == DARK_HIGGS)
    event = truth.event_index()[higgs]
    muons = [np.flatnonzero(p.pdg_id == code) for code in (13, -13)]
    assert all(len(m) == truth.n_events for m in muons)
    unit = [np.stack([p.px[m], p.py[m], p.pz[m]]) for m in muons]
    unit = [u / np.linalg.norm(u, axis=0) for u in unit]
    angle = np.arccos(np.sum(unit[0] * unit[1], axis=0))[found]
    is_higgs = np.abs(observed["hp_mass_mumu"][found] - 0.5) < 0.01
    difference = (observed["hp_opening_angle"][found] - angle)[is_higgs]
    assert np.median(np.abs(difference)) < 2e-3
    flight = np.hypot(p.decay_x[higgs], p.decay_y[higgs])[np.argsort(event)][found]
    assert np.median(np.abs(observed["hp_flight_xy"][found] - flight)[is_higgs]) < 0.02
    # Missing: two chi1, whatever radiation there is besides.
    chi1 = (np.abs(p.pdg_id) == 52) & p.is_final
    total = PERFECT.collider.four_momentum
    dark = np.stack([p.e, p.px, p.py, p.pz])[:, chi1]
    energy = (dark[0] * total[0] - dark[1:].T @ total[1:]) / PERFECT.collider.sqrt_s
    missing = np.bincount(truth.event_index()[chi1], energy, truth.n_events)[found]
    away = (observed["two_vertex_missing_energy"][found] - missing)[is_higgs]
    assert np.median(np.abs(away)) < 0.05
    assert not np.any(p.pdg_id == PHOTON)
