"""Fates of particles in the tracking volume: consistency, rates, kinematics, edge cases."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from darkbelle.detsim import FitStatus, HelixIndex, RecoEvents, interactions, simulate
from darkbelle.detsim.interactions import AT_REST, DECAYING, interact
from darkbelle.detsim.losses import Losses
from darkbelle.detsim.radiation import photon_number
from darkbelle.detsim.walk import HARD_LOSS, SOFTEST_ELECTRON, SOFTEST_PHOTON
from darkbelle.gen.events import (
    Origin,
    Outcome,
    Particles,
    Slot,
    Status,
    TruthEvents,
    assemble,
)
from darkbelle.gen.kinematics import to_rest_frame
from darkbelle.gen.particles import (
    CHI1,
    ELECTRON,
    ETA,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MASS_E,
    MUON,
    NEUTRON,
    NU_E,
    NU_MU,
    NU_TAU,
    PHOTON,
    PI0,
    PION,
    PROTON,
    Z_PRIME,
    charges,
    is_invisible,
    species,
)
from darkbelle.units import CURVATURE, C
from tests.detsim.ends import EXIT_FORWARD, EXIT_RADIUS, leaves_tracker
from tests.detsim.sending import (
    NO_FIELD,
    P_VALUE,
    beam,
    belle2,
    everywhere,
    mass_of,
    no_material,
    one_each,
    seeded,
)
from tests.grids import spanned
from tests.physics.straight_rays import expected_ends, is_in_material, layers_on_ray

NEUTRAL = (PHOTON, PI0, ETA, K_S, K_L, LAMBDA, -LAMBDA, NEUTRON, -NEUTRON)
CHARGED = (ELECTRON, MUON, PION, KAON, PROTON, 3112, 3312)
UNSEEN = (NU_E, -NU_E, NU_MU, -NU_MU, NU_TAU, -NU_TAU, CHI1, -CHI1, Z_PRIME)
ALL = (*NEUTRAL, *CHARGED, *(-code for code in CHARGED), *UNSEEN)
CTAU = {PION: 780.45, KAON: 371.2, MUON: 65865.4}
"""cm, PDG 2024."""
END = ("decay_x", "decay_y", "decay_z", "decay_t")


@cache
def zoo(seed: int = 1) -> tuple[TruthEvents, TruthEvents, np.ndarray, Losses]:
    """Every species in 400 events each, mixed: before, after, paths, losses."""
    codes = np.random.default_rng(seed).permutation(np.repeat(ALL, 400))
    truth = one_each(codes, *everywhere(len(codes), seed))
    flights = interact(truth, belle2(), np.random.default_rng(seed))
    return truth, flights.truth, flights.path, flights.losses


def fates(
    pdg_id: int, momentum: np.ndarray, *overrides: str, seed: int = 2
) -> tuple[TruthEvents, np.ndarray]:
    """The events with their secondaries, and the rows of those that were sent."""
    sent = one_each(pdg_id, momentum)
    after = interact(sent, belle2(*overrides), np.random.default_rng(seed)).truth
    return after, after.offsets[:-1]


def points(particles: Particles, *names: str) -> np.ndarray:
    return np.stack([getattr(particles, name) for name in names])


# ---- bookkeeping ---------------------------------------------------------------------------------


def parents(truth: TruthEvents) -> tuple[np.ndarray, np.ndarray]:
    """Rows of what was born in the detector, and of their parents."""
    born = np.flatnonzero(truth.particles.origin >= Origin.CONVERSION)
    event = truth.event_index()[born]
    return born, truth.offsets[event] + truth.particles.parent[born]


def hard_photons(truth: TruthEvents) -> np.ndarray:
    """Rows of the photons that ended their electrons: they start where these end."""
    born, parent = parents(truth)
    p = truth.particles
    radiated = (p.outcome[parent] == Outcome.RADIATED) & (p.pdg_id[born] == PHOTON)
    born, parent = born[radiated], parent[radiated]
    start, end = points(p, "x", "y", "z", "t")[:, born], points(p, *END)[:, parent]
    return born[np.abs(start - end).max(axis=0, initial=0) < 1e-10]


def assert_consistent(truth: TruthEvents) -> None:
    """Outcomes suit species and ends, children start where and when their parents end."""
    particles = truth.particles
    inside = ~leaves_tracker(particles)
    pdg_id, outcome = particles.pdg_id, particles.outcome
    assert not (outcome == Outcome.UNDETERMINED).any()
    charged, size = charges(pdg_id) != 0, np.abs(pdg_id)
    np.testing.assert_array_equal(outcome == Outcome.INVISIBLE, is_invisible(pdg_id))
    assert (pdg_id[outcome == Outcome.CONVERTED] == PHOTON).all()
    assert (size[inside & (outcome == Outcome.ABSORBED)] > 100).all()
    assert charged[outcome == Outcome.STOPPED].all()
    assert not np.isin(pdg_id[inside & (outcome == Outcome.STOPPED)], AT_REST).any()
    assert not (inside & (outcome == Outcome.SHOWERED)).any()
    assert (size[outcome == Outcome.RADIATED] == ELECTRON).all()
    assert np.isin(pdg_id[outcome == Outcome.DECAYED], DECAYING).all()

    gone = np.isin(outcome, (Outcome.ESCAPED, Outcome.INVISIBLE))
    end, start = points(particles, *END), points(particles, "x", "y", "z", "t")
    assert np.isfinite(end).all()
    assert (end[:, gone] == 0).all()
    assert (end[3] >= start[3])[~gone].all()
    lasting = inside & ~gone & ~np.isin(pdg_id, (PI0, ETA)) & (outcome != Outcome.STOPPED)
    assert np.sum(~(end[3] > start[3])[lasting]) <= 1e-4 * lasting.sum()  # soft, within a shell
    way = np.linalg.norm(end[:3] - start[:3], axis=0)
    assert (way <= C * (end[3] - start[3]) * (1 + 1e-9) + 1e-7)[~gone].all()

    born, parent = parents(truth)
    event = truth.event_index()
    np.testing.assert_array_equal(event[born], event[parent])
    assert (parent < born).all()
    by_detector = np.isin(particles.status, (Status.FINAL, Status.SIMULATED))
    family = {
        Origin.CONVERSION: Outcome.CONVERTED,
        Origin.DECAY_IN_FLIGHT: Outcome.DECAYED,
    }
    for origin, cause in family.items():
        children = particles.origin[born] == origin
        rows, theirs = born[children], parent[children]
        assert (outcome[theirs] == cause).all()
        assert set(theirs) == set(np.flatnonzero((outcome == cause) & by_detector))
        np.testing.assert_allclose(start[:, rows], end[:, theirs], atol=1e-12)
        net = np.bincount(theirs, charges(pdg_id[rows]), len(pdg_id))
        np.testing.assert_array_equal(net[theirs], charges(pdg_id[theirs]))
    radiated = particles.origin[born] == Origin.BREMSSTRAHLUNG
    rows, theirs = born[radiated], parent[radiated]
    is_slowed = pdg_id[rows] != PHOTON
    np.testing.assert_array_equal(pdg_id[rows[is_slowed]], pdg_id[theirs[is_slowed]])
    assert (size[theirs] == ELECTRON).all()
    assert (start[3, rows] >= start[3, theirs]).all()
    ended = ~gone[theirs]
    assert (start[3, rows] <= end[3, theirs])[ended].all()
    # An electron that loses too much ends there: one photon and its slowed self start.
    hard = np.flatnonzero(outcome == Outcome.RADIATED)
    np.testing.assert_array_equal(np.sort(theirs[is_slowed]), hard)
    last = hard_photons(truth)
    np.testing.assert_array_equal(np.sort(parent[np.isin(born, last)]), hard)
    np.testing.assert_allclose(
        start[:, rows[is_slowed]], end[:, theirs[is_slowed]], rtol=1e-12, atol=1e-12
    )
    assert (particles.status[born] == Status.SIMULATED).all()
    others = np.setdiff1d(np.arange(len(pdg_id)), born)
    assert (particles.status[others] != Status.SIMULATED).all()
    np.testing.assert_allclose(
        particles.mass[born], [mass_of(int(code)) for code in pdg_id[born]], rtol=1e-8
    )


def assert_energy_is_kept(truth: TruthEvents) -> None:
    """At every vertex; ionisation before it lets charged parents decay with less than at birth."""
    particles = truth.particles
    four = np.stack([particles.e, particles.px, particles.py, particles.pz])
    born, parent = parents(truth)
    total = np.stack([np.bincount(parent, p[born], four.shape[1]) for p in four])
    converted = particles.outcome == Outcome.CONVERTED
    np.testing.assert_allclose(total[0, converted], four[0, converted], rtol=1e-12)
    by_detector = np.isin(particles.status, (Status.FINAL, Status.SIMULATED))
    decayed = (particles.outcome == Outcome.DECAYED) & by_detector
    neutral = decayed & (charges(particles.pdg_id) == 0)
    scale = four[0, neutral]
    np.testing.assert_allclose(total[:, neutral] / scale, four[:, neutral] / scale, atol=1e-7)
    summed, mass = total[:, decayed], particles.mass[decayed]
    mass2 = summed[0] ** 2 - np.sum(summed[1:] ** 2, axis=0)
    np.testing.assert_allclose(mass2, mass**2, atol=1e-9 * np.max(summed[0] ** 2, initial=0))
    assert (summed[0] <= four[0, decayed] * (1 + 1e-9)).all()
    np.testing.assert_array_less(mass * (1 - 1e-9), summed[0])
    hard = particles.outcome == Outcome.RADIATED
    np.testing.assert_allclose(total[0, hard], four[0, hard], rtol=1e-9)
    radiated = particles.origin[born] == Origin.BREMSSTRAHLUNG
    least = MASS_E + SOFTEST_ELECTRON * (1 - 1e-9)
    slowed = radiated & (particles.pdg_id[born] != PHOTON)
    assert (particles.e[born[slowed]] >= least).all()
    radiators = np.unique(parent[radiated & ~hard[parent]])
    kept = four[0, radiators] - total[0, radiators]
    assert (kept >= least).all()
    # The last photon takes more than half of what there is, no other one does.
    of_slowed = np.zeros(len(hard))
    of_slowed[parent[slowed]] = particles.e[born[slowed]]
    last = np.isin(born, hard_photons(truth))
    share = particles.e[born[last]] / (particles.e[born[last]] + of_slowed[parent[last]])
    assert (share > HARD_LOSS * (1 - 1e-9)).all()
    softer = radiated & ~slowed & ~last
    assert (particles.e[born[softer]] <= HARD_LOSS * four[0, parent[softer]] * (1 + 1e-9)).all()


def test_everybody_has_a_fate_that_suits_it() -> None:
    _, after, path, _ = zoo()
    assert_consistent(after)
    behind = {Outcome.UNDETERMINED, Outcome.COLLIDED, Outcome.SHOWERED, Outcome.UNDECAYED}
    assert set(after.particles.outcome) == set(Outcome) - behind
    gone = np.isin(after.particles.outcome, (Outcome.ESCAPED, Outcome.INVISIBLE))
    unfinished = np.isinf(path)  # what curls too long, and what nobody sees
    assert gone[unfinished].all()
    assert (after.particles.outcome[~unfinished & gone] == Outcome.ESCAPED).all()
    assert (path >= 0).all()


def test_energy_is_kept_at_every_vertex() -> None:
    _, after, _, _ = zoo()
    assert set(after.particles.origin) == {
        Origin.GUN,
        Origin.CONVERSION,
        Origin.BREMSSTRAHLUNG,
        Origin.DECAY_IN_FLIGHT,
    }
    assert_energy_is_kept(after)


OF_EACH_KIND = (*NEUTRAL, *CHARGED, -ELECTRON, -PION, -PROTON, NU_E, -CHI1, Z_PRIME)


@pytest.mark.parametrize("pdg_id", spanned(ALL, OF_EACH_KIND))
def test_fates_of_a_species(pdg_id: int) -> None:
    """What can happen to it does, where it flies slowly and often enough."""
    softest = 0.002 if abs(pdg_id) == ELECTRON else 0.02  # others radiate all that they have
    momentum, start = everywhere(3_000, 3, p=(softest, 5.0))
    sent = one_each(pdg_id, momentum, start)
    after = interact(sent, belle2(), np.random.default_rng(3)).truth
    found = set(after.particles.outcome[after.offsets[:-1]])
    if pdg_id in UNSEEN:
        assert found == {Outcome.INVISIBLE}
        return
    expected = {Outcome.ESCAPED}
    if species(pdg_id).charge and pdg_id not in AT_REST:
        expected.add(Outcome.STOPPED)
    if abs(pdg_id) == ELECTRON:
        expected.add(Outcome.RADIATED)
    if pdg_id == PHOTON:
        expected.add(Outcome.CONVERTED)
    if pdg_id in DECAYING:
        expected.add(Outcome.DECAYED)
    if abs(pdg_id) > 100 and pdg_id not in (PI0, ETA):
        expected.add(Outcome.ABSORBED)
    if pdg_id in (PI0, ETA):
        expected = {Outcome.DECAYED}
    assert found == expected


@seeded
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.sampled_from(ALL), min_size=1, max_size=12),
    st.sampled_from([0.0, 1.5, -1.5]),
)
def test_any_particles_are_consistent(seed: int, codes: list[int], field: float) -> None:
    sent = one_each(codes, *everywhere(len(codes), seed, p=(1e-5, 100.0), reach=200.0))
    experiment = belle2(f"solenoid.field_t={field}")
    flights = interact(sent, experiment, np.random.default_rng(seed))
    after, path, losses = flights.truth, flights.path, flights.losses
    assert_consistent(after)
    assert_energy_is_kept(after)
    assert len(path) == len(after.particles)
    assert np.isin(np.abs(after.particles.pdg_id[losses.particle]), ELECTRON).all()


def test_the_table_grows_behind_each_event() -> None:
    """What was there keeps its place and its columns, but for outcome and end."""
    before, after, _, _ = zoo()
    assert after.n_events == before.n_events
    assert len(after.particles) > 1.1 * len(before.particles)
    first = after.offsets[:-1]
    for field in fields(Particles):
        if field.name in ("outcome", *END):
            continue
        old, new = getattr(before.particles, field.name), getattr(after.particles, field.name)
        np.testing.assert_array_equal(new[first], old, err_msg=field.name)
    assert (np.diff(after.offsets) >= 1).all()
    assert after.offsets[-1] == len(after.particles)
    later = np.setdiff1d(np.arange(len(after.particles)), first)
    assert (after.particles.origin[later] >= Origin.CONVERSION).all()
    assert (before.particles.outcome == Outcome.UNDETERMINED).all()


def test_what_the_generator_ended_stays() -> None:
    """Beams and decayed particles are not followed, and their outcomes are left."""
    momentum, start = everywhere(200, 4)
    slot = Slot(
        PION, Status.DECAYED, Origin.PRIMARY, mass_of(PION),
        np.stack([np.ones(200), *momentum]), start, start + 1.0, outcome=Outcome.DECAYED,
    )  # fmt: skip
    beams = replace(slot, status=Status.BEAM, outcome=Outcome.COLLIDED, end=None)
    truth = assemble([beams, slot], np.ones(200), start, None)
    flights = interact(truth, belle2(), np.random.default_rng(4))
    after, path = flights.truth, flights.path
    for field in fields(Particles):
        np.testing.assert_array_equal(
            getattr(after.particles, field.name), getattr(truth.particles, field.name)
        )
    assert np.isinf(path).all()


def test_seeds() -> None:
    """The same seed gives the same fates and the same tracks, another one gives others."""
    codes = np.tile(ALL, 20)
    truth = one_each(codes, *everywhere(len(codes), 5))
    one, same, other = (
        simulate(truth, belle2(), rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for field in fields(Particles):
        np.testing.assert_array_equal(
            getattr(one.truth.particles, field.name), getattr(same.truth.particles, field.name)
        )
    np.testing.assert_array_equal(one.tracks.helix, same.tracks.helix)
    assert len(one.truth.particles) != len(other.truth.particles)


@pytest.mark.parametrize("n", [1023, 1024, 1025, 2049])
def test_blocks_are_joined(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Particles are followed in blocks; what is born belongs to its own parent in all of them."""
    monkeypatch.setattr(interactions, "_BLOCK", 1024)
    after, _ = fates(PI0, beam(1.0, 70, n))
    assert len(after.particles) >= 3 * n
    assert (np.diff(after.offsets) >= 3).all()
    assert_energy_is_kept(after)
    assert_consistent(after)


# ---- where things end ----------------------------------------------------------------------------


def test_interactions_happen_in_material() -> None:
    """Conversions, absorption, stops, and what is radiated; decays anywhere inside."""
    _, after, _, _ = zoo()
    p = after.particles
    causes = (Outcome.CONVERTED, Outcome.ABSORBED, Outcome.STOPPED, Outcome.RADIATED)
    ended = np.isin(p.outcome, causes)
    assert is_in_material(belle2(), p.decay_x[ended], p.decay_y[ended], p.decay_z[ended]).all()
    radiated = p.origin == Origin.BREMSSTRAHLUNG
    assert radiated.sum() > 100
    assert is_in_material(belle2(), p.x[radiated], p.y[radiated], p.z[radiated]).all()
    decayed = (p.outcome == Outcome.DECAYED) & (np.abs(p.pdg_id) < 400)
    lived_long = decayed & ~np.isin(p.pdg_id, (PI0, ETA))
    assert (np.hypot(p.decay_x, p.decay_y)[lived_long] < EXIT_RADIUS + 1e-6).all()
    assert (p.decay_z[lived_long] < EXIT_FORWARD + 1e-6).all()


@pytest.mark.parametrize("theta_deg", [90.0, 45.0, 25.0])
@pytest.mark.parametrize("pdg_id", [NEUTRON, PION])
def test_hadrons_are_absorbed_where_the_card_says(pdg_id: int, theta_deg: float) -> None:
    """1 - exp(-t), t in interaction lengths over the sine, layer by layer; 10 GeV hardly bend."""
    n = 60_000
    after, rows = fates(pdg_id, beam(10.0, theta_deg, n), "solenoid.field_t=0.01")
    absorbed = rows[after.particles.outcome[rows] == Outcome.ABSORBED]
    radius = np.hypot(after.particles.decay_x, after.particles.decay_y)[absorbed]
    layers = layers_on_ray(belle2(), theta_deg)
    expected = expected_ends(layers, np.array([layer.nuclear for layer in layers]))
    for layer, probability in zip(layers, expected, strict=True):
        found = int(np.sum((radius >= layer.r_min) & (radius <= layer.r_max)))
        assert stats.binomtest(found, n, probability).pvalue > P_VALUE, layer.name


def test_leptons_and_photons_are_not_absorbed() -> None:
    for pdg_id in (MUON, ELECTRON, PHOTON):
        after, rows = fates(pdg_id, beam(1.0, 45, 3_000), seed=6)
        assert Outcome.ABSORBED not in after.particles.outcome[rows]


@pytest.mark.parametrize(
    ("pdg_id", "p", "low", "high"),
    [
        (KAON, 0.10, 1.0, 1.2),
        (-KAON, 0.10, 1.0, 1.2),
        (PROTON, 0.15, 1.0, 1.2),
        (-PROTON, 0.20, 4.06, 4.10),
        (PROTON, 0.22, 8.22, 8.26),
        (PROTON, 0.30, 112.05, 112.61),
        (MUON, 0.03, 1.0, 1.2),
        (-MUON, 0.04, 4.06, 4.10),
        (PION, 0.03, 1.0, 1.2),
        (-PION, 0.03, 1.0, 1.2),
    ],
)
def test_soft_particles_stop(pdg_id: int, p: float, low: float, high: float) -> None:
    """In the beam pipe, in the first layers of strips or in the outer wall, but for decays.

    `path_to_rest` of protons is 0.95 and 1.34 MeV at 0.20 and 0.22 GeV, and the material up to the
    first layers of strips costs 1.04 and 1.43 MeV.
    """
    after, rows = fates(pdg_id, beam(p, 90, 1_000))
    outcome = after.particles.outcome[rows]
    assert set(outcome) <= {Outcome.STOPPED, Outcome.DECAYED, Outcome.ABSORBED}
    stopped = rows[outcome == Outcome.STOPPED]
    if pdg_id in AT_REST:
        assert not len(stopped)
        stopped = rows[decays_at_rest(after)[rows]]
    assert len(stopped) > 900
    radius = np.hypot(after.particles.decay_x, after.particles.decay_y)[stopped]
    assert ((radius >= low) & (radius <= high)).all()


def decays_at_rest(truth: TruthEvents) -> np.ndarray:
    """Whether a particle decays in the detector into daughters that have its mass for energy."""
    p = truth.particles
    born, parent = parents(truth)
    energy = np.bincount(parent, p.e[born], len(p))
    return (p.outcome == Outcome.DECAYED) & (np.abs(energy - p.mass) < 1e-9)


@pytest.mark.parametrize(("pdg_id", "p"), [(MUON, 0.03), (-MUON, 0.03), (PION, 0.03), (KAON, 0.1)])
def test_decays_at_rest_take_a_lifetime(pdg_id: int, p: float) -> None:
    """Exponential with the lifetime, once the flight to the beam pipe is over; no net momentum."""
    after, rows = fates(pdg_id, beam(p, 90, 4_000))
    stopped = rows[decays_at_rest(after)[rows]]
    q = after.particles
    length = 1.1  # cm, of a flight that bends by less than 10 %
    waited = q.decay_t[stopped] - length * math.hypot(p, mass_of(pdg_id)) / p / C
    lifetime = CTAU[abs(pdg_id)] / C
    assert stats.kstest(waited, stats.expon(scale=lifetime).cdf).pvalue > P_VALUE
    born, parent = parents(after)
    for momentum in (q.px, q.py, q.pz):
        net = np.bincount(parent, momentum[born], len(q))[stopped]
        np.testing.assert_allclose(net, 0, atol=1e-9)


def test_negative_hadrons_are_captured() -> None:
    """They stop for good where their antiparticles decay."""
    for pdg_id, p in ((-PION, 0.03), (-KAON, 0.1)):
        after, rows = fates(pdg_id, beam(p, 90, 1_000))
        assert not decays_at_rest(after)[rows].any()
        assert np.mean(after.particles.outcome[rows] == Outcome.STOPPED) > 0.9


def path_to_rest(p: float, mass: float) -> float:
    """Of a heavy particle, in the loss at the minimum [GeV]: dT over Bethe's formula, I = 80 eV."""

    def stopping(bg: float) -> float:
        beta2 = bg**2 / (1 + bg**2)
        return (math.log(2 * MASS_E * bg**2 / 80e-9) - beta2) / beta2

    def path(bg: float) -> float:
        return stopping(3.5) / stopping(bg) * bg / math.sqrt(1 + bg**2)

    return mass * integrate.quad(path, 0.04, p / mass)[0]


def test_the_range_of_kaons_in_the_beam_pipe() -> None:
    """Its 0.51 MeV for a minimum-ionising particle stop them up to 0.106 GeV.

    Negative ones, which are captured where they stop.
    """
    mass, loss = mass_of(KAON), belle2().passive["beam_pipe"].mip_loss_mev * 1e-3
    limit = optimize.brentq(lambda p: path_to_rest(p, mass) - loss, 0.05, 0.2)
    assert limit == pytest.approx(0.106, abs=0.001)
    for p, stops in ((0.97 * limit, True), (1.03 * limit, False)):
        after, rows = fates(-KAON, beam(p, 90, 500), *no_material_but_the_pipe())
        particles = after.particles
        stopped = particles.outcome[rows] == Outcome.STOPPED
        outward = particles.decay_t[rows] < 1.0  # ns, before it returns
        others = np.isin(particles.outcome[rows], (Outcome.DECAYED, Outcome.ABSORBED))
        assert ((stopped & outward) | others).all() or not stops
        assert (stopped & outward).any() == stops


def no_material_but_the_pipe() -> tuple[str, ...]:
    return tuple(line for line in no_material() if "beam_pipe" not in line)


def test_tracks_end_with_their_particles() -> None:
    """Nothing of a kaon that stops in the pipe; no wires beyond a decay or an absorption."""
    for pdg_id in (KAON, -KAON):
        sent = one_each(pdg_id, beam(0.1, 90, 2_000))
        reco = simulate(sent, belle2(), rng=np.random.default_rng(7))
        row, _ = tracked(reco)
        assert (reco.truth.particles.parent[row] >= 0).all()
        assert (len(row) > 1_000) == (pdg_id == KAON)  # daughters of those that stopped

    sent = one_each(PION, beam(1.5, 90, 40_000))
    reco = simulate(sent, belle2(), rng=np.random.default_rng(8))
    row, _ = tracked(reco)
    p = reco.truth.particles
    ended = np.flatnonzero(
        np.isin(p.outcome[row], (Outcome.DECAYED, Outcome.ABSORBED)) & (p.parent[row] == -1)
    )
    radius = np.hypot(p.decay_x, p.decay_y)[row[ended]]
    wires = np.concatenate([s.radius_cm for s in belle2().drift_chamber.superlayers])
    sag = 0.6  # the waist of a stereo layer is that much nearer
    behind = np.searchsorted(wires - sag, radius, side="right")
    hits = reco.tracks.n_hits_cdc[ended]
    assert len(ended) > 500
    assert (hits <= behind).all()
    inside = (radius > 30) & (radius < 110)
    efficiency = belle2().drift_chamber.hit_efficiency
    assert hits[inside].sum() / behind[inside].sum() == pytest.approx(efficiency, abs=0.03)


def tracked(reco: RecoEvents) -> tuple[np.ndarray, np.ndarray]:
    """Row of the particle of each track, and the track's event."""
    event = np.repeat(np.arange(reco.n_events), np.diff(reco.track_offsets))
    return reco.truth.offsets[event] + reco.tracks.truth_index, event


# ---- decays --------------------------------------------------------------------------------------


def decay_lengths(pdg_id: int, p: float, theta_deg: float, n: int, *overrides: str) -> np.ndarray:
    """Lengths of the flights that end in a decay, by the time that they take."""
    after, rows = fates(pdg_id, beam(p, theta_deg, n), *overrides)
    decayed = rows[after.particles.outcome[rows] == Outcome.DECAYED]
    speed = C * p / math.hypot(p, mass_of(pdg_id))
    return after.particles.decay_t[decayed] * speed


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("pdg_id", "p", "theta_deg", "n"),
    [
        (PION, 0.5, 90.0, 20_000),
        (PION, 2.0, 50.0, 20_000),
        (KAON, 0.8, 70.0, 10_000),
        (KAON, 3.0, 30.0, 10_000),
        (MUON, 0.3, 90.0, 100_000),
    ],
)
def test_decays_in_flight(pdg_id: int, p: float, theta_deg: float, n: int, sign: int) -> None:
    """1 - exp(-L m/(p ctau)) of them decay over the real path, an arc; lengths are exponential."""
    theta = math.radians(theta_deg)
    radius = p * math.sin(theta) / (CURVATURE * 1.5)
    arc = 2 * radius * math.asin(EXIT_RADIUS / (2 * radius))
    arc = min(arc, EXIT_FORWARD * math.tan(theta)) if theta_deg < 90 else arc
    whole = arc / math.sin(theta)
    mean = CTAU[pdg_id] * p / mass_of(pdg_id)
    lengths = decay_lengths(sign * pdg_id, p, theta_deg, n, *no_material())
    expected = -math.expm1(-whole / mean)
    assert stats.binomtest(len(lengths), n, expected).pvalue > P_VALUE
    assert lengths.max() <= whole * (1 + 1e-9)
    assert stats.kstest(-np.expm1(-lengths / mean) / expected, "uniform").pvalue > P_VALUE


def test_absorption_competes_with_decay() -> None:
    """Both together take 1 - exp(-L/l - t)."""
    n, p = 30_000, 0.8
    after, rows = fates(KAON, beam(p, 90, n), "solenoid.field_t=0.01")
    left = int(np.sum(after.particles.outcome[rows] == Outcome.ESCAPED))
    nuclear = sum(layer.nuclear * layer.share for layer in layers_on_ray(belle2(), 90.0))
    mean = CTAU[KAON] * p / mass_of(KAON)
    expected = math.exp(-EXIT_RADIUS / mean - nuclear)
    assert stats.binomtest(left, n, expected).pvalue > P_VALUE


@pytest.mark.parametrize("field", [0.0, 1.5])
def test_a_pion_s_muon_in_its_rest_frame(field: float) -> None:
    """29.79 MeV in all directions, seen from the pion, whose momentum has turned by -omega s."""
    n, p = 40_000, 0.4
    after, rows = fates(PION, beam(p, 70, n), *no_material(), f"solenoid.field_t={field}")
    particles = after.particles
    muons = np.flatnonzero(particles.pdg_id == -MUON)
    assert len(muons) > 1_000
    pions = rows[after.event_index()[muons]]
    four = points(particles, "e", "px", "py", "pz")
    way = C * particles.decay_t[pions] * p / four[0, pions]
    turn = -CURVATURE * field / p * way
    x, y = four[1:3, pions]
    turned = [x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)]
    frame = np.stack([four[0, pions], *turned, four[3, pions]])
    at_rest = to_rest_frame(four[:, muons], frame)
    p_star = np.linalg.norm(at_rest[1:], axis=0)
    np.testing.assert_allclose(p_star, 0.02979, atol=1e-5)
    axis = frame[1:] / np.linalg.norm(frame[1:], axis=0)
    cosine = np.sum(at_rest[1:] * axis, axis=0) / p_star
    assert stats.kstest((cosine + 1) / 2, "uniform").pvalue > P_VALUE


def test_slow_parents_give_their_daughters_less() -> None:
    """A pion of 80 MeV loses a tenth of it in pipe and strips before it decays in the chamber."""
    after, rows = fates(PION, beam(0.08, 90, 30_000))
    p = after.particles
    decayed = rows[(p.outcome[rows] == Outcome.DECAYED)]
    born, parent = parents(after)
    energy = np.bincount(parent, p.e[born], len(p))[decayed]
    inner = C * p.decay_t[decayed] * 0.08 / p.e[decayed] < 1.0
    assert inner.sum() > 20
    np.testing.assert_allclose(energy[inner], p.e[decayed][inner], rtol=1e-9)
    lost = p.e[decayed] - energy
    assert (lost >= -1e-12).all()
    assert lost.max() > 2e-3


def with_tracks(reco: RecoEvents) -> tuple[np.ndarray, np.ndarray]:
    """Of each particle, whether it has a track and whether a daughter from a decay has one."""
    p = reco.truth.particles
    has_track, daughter_has = np.zeros(len(p), dtype=bool), np.zeros(len(p), dtype=bool)
    has_track[tracked(reco)[0]] = True
    born, parent = parents(reco.truth)
    found = has_track[born] & (p.origin[born] == Origin.DECAY_IN_FLIGHT)
    daughter_has[parent[found]] = True
    return has_track, daughter_has


@pytest.mark.parametrize(
    ("pdg_id", "p", "low"),
    [(PION, 0.5, 0.09), pytest.param(KAON, 1.0, 0.08, marks=pytest.mark.validation)],
)
def test_tracks_of_both_sides_of_a_kink(pdg_id: int, p: float, low: float) -> None:
    """Of decays beyond 17 cm about 11 % have two tracks (arXiv:2511.14171), for a factor of 0.4."""
    n, rng = 60_000, np.random.default_rng(21)
    cosine = rng.uniform(*np.cos(np.radians([150, 17])), n)
    phi, sine = rng.uniform(-np.pi, np.pi, n), np.sqrt(1 - cosine**2)
    momentum = p * np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    sent = one_each(rng.choice([pdg_id, -pdg_id], n), momentum)
    assert belle2().tracking.finding.kink_factor == 0.4
    both = []
    for overrides in ((), ("tracking.finding.kink_factor=1.0",)):
        reco = simulate(sent, belle2(*overrides), rng=np.random.default_rng(22))
        q, rows = reco.truth.particles, reco.truth.offsets[:-1]
        beyond = np.hypot(q.decay_x[rows], q.decay_y[rows]) > 17
        decayed = rows[beyond & (q.outcome[rows] == Outcome.DECAYED)]
        has_track, daughter_has = with_tracks(reco)
        assert has_track[decayed].mean() > 0.95  # the parent's track does not suffer
        both.append((has_track & daughter_has)[decayed].mean())
    assert low < both[0] < 0.14
    error = math.sqrt(both[0] / len(decayed))
    assert both[0] == pytest.approx(0.4 * both[1], abs=4.5 * error)


def test_daughters_of_what_stops_early_are_no_kinks() -> None:
    """A kaon that ends in the beam pipe has no track that could hide that of its daughter."""
    sent = one_each(KAON, beam(0.1, 90, 4_000))
    shares = []
    for factor in (0.0, 0.3, 1.0):
        experiment = belle2(f"tracking.finding.kink_factor={factor}")
        reco = simulate(sent, experiment, rng=np.random.default_rng(23))
        at_rest = decays_at_rest(reco.truth)[reco.truth.offsets[:-1]]
        has_track, daughter_has = (has[reco.truth.offsets[:-1]] for has in with_tracks(reco))
        assert at_rest.mean() > 0.9
        assert not has_track.any()
        shares.append(daughter_has[at_rest].mean())
    assert shares[0] > 0.6
    np.testing.assert_allclose(shares, shares[0], atol=0.04)  # a daughter's own decay is a kink


# ---- bremsstrahlung ------------------------------------------------------------------------------

FREE = "solenoid.field_t=0.0"


@cache
def electrons(p: float, n: int) -> tuple[TruthEvents, np.ndarray]:
    """Photons' rows of electrons that are sent straight outwards at 90 deg."""
    after, _ = fates(ELECTRON, beam(p, 90, n), FREE)
    return after, photons_of_first(after)


def photons_of_first(truth: TruthEvents) -> np.ndarray:
    """Rows of the photons that were radiated by the first particles of the events."""
    p = truth.particles
    radiated = (p.origin == Origin.BREMSSTRAHLUNG) & (p.pdg_id == PHOTON)
    return np.flatnonzero(radiated & (p.parent == 0))


def photons_of_line(truth: TruthEvents) -> np.ndarray:
    """Rows of the photons of the first particles, and of what these are after hard losses."""
    p = truth.particles
    born, parent = parents(truth)
    radiated = p.origin[born] == Origin.BREMSSTRAHLUNG
    born, parent = born[radiated], parent[radiated]
    in_line = p.parent == -1
    while True:
        slowed = born[in_line[parent] & (p.pdg_id[born] != PHOTON)]
        if in_line[slowed].all():
            return born[in_line[parent] & (p.pdg_id[born] == PHOTON)]
        in_line[slowed] = True


@pytest.mark.parametrize("p", spanned([0.2, 1.0, 5.0], [0.2, 1.0]))
def test_photons_of_the_beam_pipe(p: float) -> None:
    """There the electron is fresh: X N(k > 5 MeV) photons, spectrum 4/3 (1 - k) + k^2 over k."""
    n = 40_000
    after, photons = electrons(p, n)
    radius = np.hypot(after.particles.x, after.particles.y)[photons]
    there = photons[radius < 1.3]
    energy = math.hypot(p, MASS_E)
    softest = SOFTEST_PHOTON / energy
    total = photon_number(np.array([softest]))[0]
    mean = belle2().passive["beam_pipe"].thickness_x0 * total
    number = stats.poisson(n * mean)
    assert min(number.cdf(len(there)), number.sf(len(there) - 1)) > P_VALUE / 2
    several = np.bincount(after.event_index()[there], minlength=n)
    again = stats.poisson(n * (-math.expm1(-mean) - mean * math.exp(-mean)))
    assert min(again.cdf((several > 1).sum()), again.sf((several > 1).sum() - 1)) > P_VALUE / 2
    share = after.particles.e[there] / energy

    def cumulative(k: np.ndarray) -> np.ndarray:
        return 1 - photon_number(k) / total

    assert share.min() > softest
    hardest = 1 - (MASS_E + SOFTEST_ELECTRON) / energy
    assert share.max() <= hardest * (1 + 1e-12)
    assert stats.kstest(share[share < hardest], cumulative).pvalue > P_VALUE


@pytest.mark.parametrize(
    ("p", "n", "precision"),
    spanned(
        [(1.0, 40_000, 0.02), (1.0, 300_000, 0.007), (5.0, 300_000, 0.007)], {(1.0, 40_000, 0.02)}
    ),
)
def test_mean_loss_of_electrons(p: float, n: int, precision: float) -> None:
    """1 - exp(-X/X0) of the energy beyond 4/3 of the softest photon's, which stays, to 2 %.

    Or, with the electrons of other tests, to 6 %.
    """
    after, _ = electrons(p, n)
    photons = photons_of_line(after)
    energy = after.particles.e[photons]
    x0 = np.array([layer.x0 * layer.share for layer in layers_on_ray(belle2(), 90.0)])
    lost = energy.sum() / n / p
    of_each = np.bincount(after.event_index()[photons], energy, n) / p
    error = np.std(of_each) / math.sqrt(n)
    radiable = 1 - 4 / 3 * SOFTEST_PHOTON / p
    expected = -math.expm1(-x0.sum()) * radiable
    assert error < precision * expected
    assert lost == pytest.approx(expected, abs=3 * error)
    radius = np.hypot(after.particles.x, after.particles.y)[photons]
    before = energy[radius < 112].sum() / n / p
    assert before == pytest.approx(-math.expm1(-x0[:-1].sum()) * radiable, abs=3 * error)


def test_photons_fly_along_their_electrons() -> None:
    """Born on the helix, in its direction there, at the time when the electron passes."""
    n, p = 20_000, 1.0
    after, _ = fates(ELECTRON, beam(p, 60, n))
    q = after.particles
    photons = photons_of_first(after)
    assert len(photons) > 3_000
    sent = after.offsets[:-1][after.event_index()[photons]]
    length = C * q.t[photons] * p / math.hypot(p, MASS_E)
    turn = CURVATURE * 1.5 / p * length  # charge -1
    phi = np.arctan2(q.py, q.px)
    np.testing.assert_allclose(
        np.remainder(phi[photons] - phi[sent] - turn + 1, 2 * np.pi), 1, atol=1e-9
    )
    np.testing.assert_allclose(q.z[photons], length * math.cos(math.radians(60)), atol=1e-7)
    chord = 2 * p * math.sin(math.radians(60)) / (CURVATURE * 1.5) * np.sin(turn / 2)
    np.testing.assert_allclose(np.hypot(q.x, q.y)[photons], chord, rtol=1e-9)


def test_losses_are_those_of_the_photons() -> None:
    """p_birth times the sum of changes of 1/p tells the energy that is left.

    But for that of the photon at which the electron ends: no finder follows it there.
    """
    p = 2.0
    sent = one_each(ELECTRON, beam(p, 90, 20_000))
    flights = interact(sent, belle2(), np.random.default_rng(9))
    after, losses = flights.truth, flights.losses
    q = after.particles
    hard = hard_photons(after)
    radiated = (q.origin == Origin.BREMSSTRAHLUNG) & (q.pdg_id == PHOTON)
    assert len(hard) == np.sum(q.outcome == Outcome.RADIATED) > 500
    assert len(losses.particle) == radiated.sum() - len(hard)
    event = after.event_index()
    primary = np.isin(losses.particle, after.offsets[:-1])
    change = np.bincount(
        event[losses.particle[primary]], losses.change[primary], minlength=after.n_events
    )
    photons = np.setdiff1d(photons_of_first(after), hard)
    lost = np.bincount(event[photons], q.e[photons], after.n_events)
    left = np.sqrt((math.hypot(p, MASS_E) - lost) ** 2 - MASS_E**2)
    np.testing.assert_allclose(1 + change, p / left, rtol=1e-6)
    assert (losses.path >= 0).all()


@pytest.mark.parametrize("sign", spanned([1, -1], [-1]))
def test_electrons_end_at_hard_losses(sign: int) -> None:
    """X N(k > 1/2) of them up to the chamber, whatever they lost before."""
    n = 40_000
    after, rows = fates(sign * ELECTRON, beam(1.0, 90, n), FREE)
    q = after.particles
    before = q.decay_x[rows] ** 2 + q.decay_y[rows] ** 2 < 20**2
    ended = int(np.sum(before & (q.outcome[rows] == Outcome.RADIATED)))
    x0 = [layer.x0 * layer.share for layer in layers_on_ray(belle2(), 90.0) if layer.r_max < 20]
    expected = -math.expm1(-sum(x0) * photon_number(np.array([HARD_LOSS]))[0])
    assert expected == pytest.approx(0.0255, abs=0.0005)
    assert stats.binomtest(ended, n, expected).pvalue > P_VALUE


def measured_p(reco: RecoEvents) -> np.ndarray:
    """Momenta of the tracks of what was sent and did not end by a photon."""
    row, _ = tracked(reco)
    p = reco.truth.particles
    primary = (p.parent[row] == -1) & (p.outcome[row] != Outcome.RADIATED)
    helix = reco.tracks.helix[primary]
    pt = CURVATURE * 1.5 / np.abs(helix[:, HelixIndex.OMEGA])
    return pt * np.sqrt(1 + helix[:, HelixIndex.TAN_LAMBDA] ** 2)


@pytest.mark.parametrize("sign", spanned([1, -1], [1]))
def test_electrons_have_a_tail_of_low_momenta(sign: int) -> None:
    """As many measured below 0.9 p as radiate a tenth to a half before the chamber: 6.8 %.

    Those that radiate more end there, mostly without a track; of muons none is so low.
    """
    n, p = 20_000, 1.0
    sent = one_each(sign * ELECTRON, beam(p, 90, n))
    found = measured_p(simulate(sent, belle2(), rng=np.random.default_rng(10)))
    x0 = [layer.x0 * layer.share for layer in layers_on_ray(belle2(), 90.0) if layer.r_max < 20]
    tenth, half = photon_number(np.array([0.1, HARD_LOSS]))
    expected = -math.expm1(-sum(x0) * (tenth - half))
    assert expected == pytest.approx(0.068, abs=0.001)
    # Softer photons add up, and the gas still counts: 4 % more of them.
    error = math.sqrt(expected / n)
    assert np.mean(found < 0.9 * p) == pytest.approx(1.04 * expected, abs=4.5 * error)
    assert np.mean(found > 1.1 * p) < 5e-4
    assert np.median(found) == pytest.approx(p, rel=0.01)
    muons = one_each(sign * MUON, beam(p, 90, n))
    found = measured_p(simulate(muons, belle2(), rng=np.random.default_rng(10)))
    assert np.mean(np.abs(found - p) > 0.1 * p) < 1e-3


# ---- photons below threshold ---------------------------------------------------------------------


def test_soft_photons_do_not_convert() -> None:
    """Below 5 MeV their electrons would leave no track, above they convert wherever they can."""
    thick = [f"silicon.{name}.thickness_x0=1.0" for name in belle2().silicon]
    for p, converts in ((0.99 * SOFTEST_PHOTON, False), (1.01 * SOFTEST_PHOTON, True)):
        after, rows = fates(PHOTON, beam(p, 90, 500), *thick)
        assert (Outcome.CONVERTED in after.particles.outcome[rows]) == converts
        assert_energy_is_kept(after)


# ---- edge cases, end to end ----------------------------------------------------------------------


def assert_tracks_are_sound(reco: RecoEvents) -> None:
    """All numbers are finite, all errors positive, and charged particles own the tracks."""
    tracks = reco.tracks
    assert np.isfinite(tracks.helix).all()
    assert np.isfinite(tracks.cov).all()
    assert (np.einsum("nii->ni", tracks.cov) > 0).all()
    assert np.isfinite(tracks.first_hit_radius).all()
    for field in fields(Particles):
        assert np.isfinite(getattr(reco.truth.particles, field.name)).all(), field.name
    row, event = tracked(reco)
    np.testing.assert_array_equal(reco.truth.event_index()[row], event)
    assert (charges(reco.truth.particles.pdg_id[row]) != 0).all()


def test_all_species_end_to_end() -> None:
    truth, _, _, _ = zoo()
    reco = simulate(truth, belle2(), rng=np.random.default_rng(11))
    assert_tracks_are_sound(reco)
    assert_consistent(reco.truth)
    assert len(reco.tracks) > 1_000
    assert (reco.tracks.fit_status == FitStatus.OK).all()


def test_without_a_field() -> None:
    """Straight tracks: momentum and charge unknown, all else known; everything still happens."""
    momentum, start = everywhere(3_000, 12, p=(0.1, 3.0))
    codes = np.resize([ELECTRON, PION, PHOTON, KAON, MUON, K_S], 3_000)
    truth = one_each(codes, momentum, start)
    reco = simulate(truth, belle2(NO_FIELD), rng=np.random.default_rng(12))
    assert_tracks_are_sound(reco)
    assert_consistent(reco.truth)
    assert len(reco.tracks) > 500
    assert set(reco.tracks.fit_status) == {FitStatus.NO_FIELD}
    assert (reco.tracks.charge == 0).all()
    assert {Outcome.CONVERTED, Outcome.DECAYED, Outcome.ABSORBED} <= set(
        reco.truth.particles.outcome
    )


def test_without_material() -> None:
    """Only decays are left; tracks are as good as their sensors."""
    codes = np.tile(ALL, 50)
    truth = one_each(codes, *everywhere(len(codes), 13))
    reco = simulate(truth, belle2(*no_material()), rng=np.random.default_rng(13))
    assert_tracks_are_sound(reco)
    inside = ~leaves_tracker(reco.truth.particles)
    assert set(reco.truth.particles.outcome[inside]) == {Outcome.DECAYED, Outcome.INVISIBLE}
    soft = one_each(MUON, beam(0.3, 90, 500))
    real, ideal = (
        simulate(soft, belle2(*overrides), rng=np.random.default_rng(13)).tracks.cov[:, 0, 0]
        for overrides in ((), no_material())
    )
    assert np.median(ideal) < 0.2 * np.median(real)


def test_one_layer_of_silicon_alone() -> None:
    """One hit fixes no track, so none is found, even where a card would have it."""
    lax = (
        "drift_chamber.hit_efficiency=0.0",
        "silicon.svd3.hit_efficiency=1.0",
    )
    truth = one_each(MUON, beam(1.0, 90, 500))
    for overrides in (lax, (*lax, "tracking.finding.min_svd_hits=1")):
        experiment = belle2(*overrides)
        alone = {"svd3": experiment.silicon["svd3"]}
        experiment = experiment.model_copy(update={"silicon": alone})
        reco = simulate(truth, experiment, rng=np.random.default_rng(14))
        assert len(reco.tracks) == 0
        assert reco.track_offsets.tolist() == [0] * 501


def test_silicon_alone() -> None:
    """Without hits in the chamber the silicon fixes all parameters, the momentum badly."""
    truth = one_each(MUON, beam(1.0, 90, 1_000))
    reco = simulate(
        truth, belle2("drift_chamber.hit_efficiency=0.0"), rng=np.random.default_rng(15)
    )
    assert len(reco.tracks) > 900
    assert (reco.tracks.n_hits_cdc == 0).all()
    assert (reco.tracks.fit_status == FitStatus.OK).all()
    assert_tracks_are_sound(reco)
    omega = reco.tracks.helix[:, HelixIndex.OMEGA]
    relative = np.sqrt(reco.tracks.cov[:, 2, 2]) / np.abs(omega)
    assert 0.02 < np.median(relative) < 0.5


@pytest.mark.parametrize("way", spanned([1.0, -1.0], [-1.0]))
@pytest.mark.parametrize("start", [(163.0, 0.0, 0.0), (0.0, 0.0, 230.0), (0.0, -200.0, -300.0)])
@pytest.mark.parametrize("pdg_id", [MUON, -ELECTRON, PHOTON, PION, K_S, NEUTRON])
def test_born_outside(pdg_id: int, start: tuple[float, float, float], way: float) -> None:
    """Beyond the crystals it leaves no track, no cluster there, no daughters, wherever it flies."""
    where = np.tile(np.array([*start, 1.0])[:, None], 100)
    away = np.array(start) / np.linalg.norm(start)
    momentum = way * np.tile(away[:, None], 100)
    reco = simulate(one_each(pdg_id, momentum, where), belle2(), rng=np.random.default_rng(16))
    assert len(reco.tracks) == 0
    assert len(reco.truth.particles) == 100
    assert len(reco.clusters) == 0
    outcome = reco.truth.particles.outcome
    assert set(outcome) <= {Outcome.ESCAPED, Outcome.STOPPED, Outcome.ABSORBED}
    assert_consistent(reco.truth)


@pytest.mark.parametrize("pdg_id", [ELECTRON, -MUON, PION])
def test_too_soft_for_any_layer(pdg_id: int) -> None:
    """2 MeV turn within 0.9 cm: no hits, no material; they curl out or decay.

    A decay may give its daughter enough for a track.
    """
    truth = one_each(pdg_id, beam(0.002, 60, 500))
    reco = simulate(truth, belle2(), rng=np.random.default_rng(17))
    row, _ = tracked(reco)
    assert (reco.truth.particles.parent[row] >= 0).all()
    assert len(row) < 10
    outcome = reco.truth.particles.outcome[reco.truth.offsets[:-1]]
    assert set(outcome) <= {Outcome.ESCAPED, Outcome.DECAYED}
    assert (outcome == Outcome.ESCAPED).all() == (pdg_id == ELECTRON) or pdg_id == -MUON


@pytest.mark.parametrize("pdg_id", [ELECTRON, -MUON, PHOTON, KAON, NEUTRON, PI0])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_along_the_beam(pdg_id: int, side: float) -> None:
    """No layer is met; what lives long escapes, the others' daughters may be found."""
    momentum = np.tile(np.array([0.0, 0.0, side])[:, None], 300)
    reco = simulate(one_each(pdg_id, momentum), belle2(), rng=np.random.default_rng(18))
    row, _ = tracked(reco)
    assert (reco.truth.particles.parent[row] >= 0).all()
    assert_tracks_are_sound(reco)
    assert_consistent(reco.truth)
    row = reco.truth.offsets[:-1]
    outcome = np.where(
        leaves_tracker(reco.truth.particles)[row], Outcome.ESCAPED,
        reco.truth.particles.outcome[row],
    )  # fmt: skip
    assert set(outcome) <= {Outcome.ESCAPED, Outcome.DECAYED}
    assert (outcome == Outcome.DECAYED).all() == (pdg_id == PI0)


def test_nothing_at_all() -> None:
    """No events; events without particles; events of the unseen alone."""
    none = one_each([], np.empty((3, 0)))
    unseen = one_each(NU_E, beam(1.0, 90, 5))
    absent = Slot(
        MUON, Status.FINAL, Origin.GUN, mass_of(MUON), np.ones((4, 0)), np.zeros((4, 0)),
        events=np.empty(0, np.intp),
    )  # fmt: skip
    empty = assemble([absent], np.ones(5), np.zeros((4, 5)), None)
    for truth, n_events, n_particles in ((none, 0, 0), (empty, 5, 0), (unseen, 5, 5)):
        reco = simulate(truth, belle2(), rng=np.random.default_rng(19))
        assert reco.n_events == n_events
        assert len(reco.truth.particles) == n_particles
        assert len(reco.tracks) == 0
        assert reco.tracks.helix.shape == (0, 5)
        assert reco.track_offsets.tolist() == [0] * (n_events + 1)
        assert len(interact(truth, belle2(), np.random.default_rng(19)).path) == n_particles


@pytest.mark.validation
def test_a_million_tracks() -> None:
    """As many pions of all momenta and starts; nothing breaks, 10^5 events a block or not."""
    n = 1_000_000
    truth = one_each(PION, *everywhere(n, 20, p=(0.02, 5.0), reach=100.0))
    reco = simulate(truth, belle2(), rng=np.random.default_rng(20))
    assert_tracks_are_sound(reco)
    assert_consistent(reco.truth)
    assert len(reco.tracks) > 300_000
    assert (reco.tracks.fit_status == FitStatus.OK).mean() > 0.9999
