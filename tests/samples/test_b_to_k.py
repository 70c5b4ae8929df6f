from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darkbelle import geometry
from darkbelle.detsim import simulate
from darkbelle.detsim.helix import HelixIndex
from darkbelle.gen.events import Origin
from darkbelle.gen.particles import KAON, PION
from darkbelle.samples import kinfit
from darkbelle.samples.observables.b_to_k import b_to_k_photons, b_to_k_recoil, b_to_k_tracks
from darkbelle.samples.observables.combinations import (
    combine,
    good_vertices,
    near_tracks,
    of_tracks,
)
from darkbelle.samples.observables.kaons import KAONS as KAON_NAMES
from darkbelle.samples.observables.kaons import known_masses, reconstruct, short_kaons
from darkbelle.samples.windows import K_SHORT_WINDOW
from tests.samples.b_decays import KAONS, b_decays, mass_of
from tests.samples.made_up import PERFECT, by_hand

BELLE2 = geometry.load("belle2")
COLUMNS = {**{name: i for i, name in enumerate(KAON_NAMES)},
           "k_star_to_k_short": 3, "k_star_to_pi0": 3}  # fmt: skip
PAIRS = {"ee": 11, "mumu": 13, "pipi": 211, "kk": 321}


def simulated(kaon, mass, daughters, n=1200, flight=0.0, seed=1):
    rng = np.random.default_rng(seed)
    truth = b_decays(BELLE2.collider, kaon, mass, daughters, n, rng, flight)
    return simulate(truth, BELLE2, rng=rng)


def width(values):
    """Half of the central 68 %."""
    return np.diff(np.percentile(values, [15.87, 84.13]))[0] / 2


@pytest.mark.parametrize("kaon", KAONS)
def test_two_photons_and_any_kaon(kaon):
    """The fit to the mass of the B corrects the leakage of photons and sharpens their mass."""
    observed = b_to_k_photons(simulated(kaon, 2.0, (22, 22)), BELLE2)
    column = COLUMNS[kaon]
    has = observed["has_b_photons"][:, column]
    assert has.mean() > (0.5 if "short" not in kaon and "pi0" not in kaon else 0.2)
    found = {name: values[has, column] for name, values in observed.items()}
    m_b = mass_of(KAONS[kaon][1])
    assert np.median(found["b_photons_m_bc"]) == pytest.approx(m_b, abs=5e-4)
    assert width(found["b_photons_m_bc"]) < 3e-3
    assert np.median(found["b_photons_delta_e"]) == pytest.approx(-0.02, abs=0.02)
    assert width(found["b_photons_delta_e"]) < 0.07
    assert np.median(found["b_photons_mass"]) == pytest.approx(2.0, abs=0.03)
    assert np.median(found["b_photons_mass_fit"]) == pytest.approx(2.0, abs=0.005)
    assert width(found["b_photons_mass_fit"]) < 0.55 * width(found["b_photons_mass"])
    for name, values in observed.items():
        if name != "has_b_photons":
            np.testing.assert_array_equal(np.isnan(values[:, column]), ~has, err_msg=name)


@pytest.mark.parametrize(
    ("kaon", "pair"),
    [
        *(("k_plus", pair) for pair in PAIRS),
        ("k_star_zero", "mumu"),
        *(
            pytest.param("k_star_zero", pair, marks=pytest.mark.validation)
            for pair in PAIRS
            if pair != "mumu"
        ),
    ],
)
def test_two_tracks_of_a_vertex_with_the_right_masses(kaon, pair):
    code = PAIRS[pair]
    reco = simulated(kaon, 1.2, (code, -code), flight=1.5)
    observed = b_to_k_tracks(reco, BELLE2)
    column = list(PAIRS).index(pair) + 4 * (kaon == "k_star_zero")
    has = observed["has_b_tracks"][:, column]
    assert has.mean() > 0.4
    found = {name: values[has, column] for name, values in observed.items()}
    assert np.median(found["b_tracks_m_bc"]) == pytest.approx(mass_of(521), abs=1e-3)
    assert np.median(found["b_tracks_delta_e"]) == pytest.approx(0, abs=0.01)
    mass = np.median(found["b_tracks_mass_fit"])
    assert mass == pytest.approx(1.2, abs=3e-3)
    assert width(found["b_tracks_mass_fit"]) < 0.95 * width(found["b_tracks_mass"])
    reduced = np.sqrt(found["b_tracks_mass"] ** 2 - 4 * mass_of(code) ** 2)
    np.testing.assert_allclose(found["b_tracks_reduced_mass"], reduced, rtol=1e-6)
    truth = reco.truth
    rows = np.flatnonzero(
        (truth.particles.pdg_id == -code) & (truth.particles.origin == Origin.PRIMARY)
    )
    across = np.zeros(reco.n_events)  # of the last in each event, which is that of X
    across[truth.event_index()[rows]] = np.hypot(truth.particles.x[rows], truth.particles.y[rows])
    off = found["b_tracks_flight_xy"] - across[has]
    assert np.median(np.abs(off)) < 0.02


def test_other_masses_of_the_same_tracks_move_delta_e_and_hardly_m_bc():
    """Muons taken for kaons have more energy, by about (m_K^2 - m_mu^2)/2p each."""
    observed = b_to_k_tracks(simulated("k_plus", 3.5, (13, -13), flight=0.5), BELLE2)
    both = observed["has_b_tracks"][:, [1, 3]].all(axis=1)
    assert both.mean() > 0.4
    m_bc, delta_e = (observed[f"b_tracks_{name}"][both] for name in ("m_bc", "delta_e"))
    assert np.median(np.abs(m_bc[:, 1] - m_bc[:, 3])) < 2e-3
    assert 0.03 < np.median(delta_e[:, 3] - delta_e[:, 1]) < 0.2


@pytest.mark.parametrize("kaon", KAONS)
def test_a_kaon_and_nothing_else(kaon):
    observed = b_to_k_recoil(simulated(kaon, 2.5, None), BELLE2)
    column = COLUMNS[kaon]
    has = observed["has_b_recoil"][:, column]
    assert has.mean() > 0.3
    q2 = observed["b_recoil_q2"][has, column]
    assert np.median(q2) == pytest.approx(2.5**2, abs=0.3)
    assert width(q2) < 2.0


@pytest.mark.parametrize(
    ("kaon", "known"),
    [
        ("k_plus", []),
        ("k_short", [((0, 1), 310)]),
        ("k_star_zero", []),
        ("k_star_to_k_short", [((0, 1), 310)]),
        ("k_star_to_pi0", [((1, 2), 111)]),
    ],
)
def test_the_masses_of_what_kaons_are_made_of_are_known(kaon, known):
    """They are about those that are measured, and the fit obeys them."""
    reco = simulated(kaon, 2.0, None, n=400)
    decays = reconstruct(reco, BELLE2, "k_star_plus" if "_to_" in kaon else kaon)
    kaons = decays[-1 if kaon == "k_star_to_pi0" else 0]
    constraints = known_masses(kaons.parts)
    assert [constraint.members for constraint in constraints] == [members for members, _ in known]
    for constraint, (members, code) in zip(constraints, known, strict=True):
        assert constraint.mass == pytest.approx(mass_of(code), rel=1e-6)
        measured = kaons.measured(reco, BELLE2)
        mass, sigma = measured.mass(members)
        assert np.median(mass) == pytest.approx(mass_of(code), abs=5e-3)
        assert 0.5 < np.median(np.abs(mass - mass_of(code)) / sigma) / 0.6745 < 1.5
        fitted = kinfit.fit(measured, [constraint])
        good = fitted.is_converged
        assert good.mean() > 0.95
        np.testing.assert_allclose(
            fitted.particles.mass(members)[0][good], mass_of(code), rtol=1e-4
        )


def test_k_shorts_decay_some_way_from_the_beams():
    """From 0.5 mm on, across the beams."""
    reco = simulated("k_short", 2.0, None, n=100)
    vertices = reco.vertices
    flight = np.where(np.arange(len(vertices)) % 2, 0.0501, 0.0499)
    reco = replace(reco, vertices=replace(vertices, flight_xy=flight))
    found = np.concatenate([part.vertex for part in short_kaons(reco, BELLE2).parts])
    low, high = K_SHORT_WINDOW
    possible = good_vertices(reco) & (vertices.mass_pipi > low) & (vertices.mass_pipi < high)
    assert possible.sum() > 30
    np.testing.assert_array_equal(found, np.flatnonzero(possible & (flight > 0.05)))


def test_tracks_from_the_collision():
    """5 mm across the beams, 2 cm along them, on either side."""
    track = (1, np.array([0.5, 0.2, 0.1]), True)
    places = {(d0, z0) for d0 in (0.49, -0.49, 0.51, -0.51) for z0 in (1.99, -1.99, 2.01, -2.01)}
    d0, z0 = np.array(sorted(places)).T
    reco = by_hand([track] * len(d0))
    helix = reco.tracks.helix.copy()
    helix[:, HelixIndex.D0], helix[:, HelixIndex.Z0] = d0, z0
    near = near_tracks(replace(reco, tracks=replace(reco.tracks, helix=helix)))
    np.testing.assert_array_equal(near, (np.abs(d0) < 0.5) & (np.abs(z0) < 2.0))
    assert near.sum() == 4


def test_nothing_is_taken_twice():
    tracks = [(1, np.array([0.5, 0.2, 0.1]), True), (-1, np.array([-0.5, 0.3, 0.9]), True)]
    reco = by_hand(tracks, tracks[:1], [*tracks, tracks[0]])
    rows = np.arange(len(reco.tracks))
    kaons, pions = (of_tracks(reco, PERFECT, rows, code) for code in (KAON, PION))
    pairs = combine(kaons, pions, reco.n_events)
    assert np.bincount(pairs.event, minlength=3).tolist() == [2, 0, 6]
    kaon, pion = (part.rows[0] for part in pairs.parts)
    assert (kaon != pion).all()
    three = combine(pairs, pions, reco.n_events)
    assert np.bincount(three.event, minlength=3).tolist() == [0, 0, 6]
    energy = kaons.momentum[0, kaon] + pions.momentum[0, pion]
    np.testing.assert_allclose(pairs.momentum[0], energy)
