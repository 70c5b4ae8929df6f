"""Shifted responses: momenta, energies and masses move as they must, and nothing else does."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import pytest

from darkbelle import detsim
from darkbelle.detsim import RecoEvents
from darkbelle.detsim.helix import momentum
from darkbelle.detsim.pivot import refer_to
from darkbelle.detsim.shifts import changed_by, shifts
from darkbelle.detsim.trigger.decision import redecide
from darkbelle.gen.processes import find_process
from darkbelle.geometry import load
from darkbelle.ragged import event_of

LARGE = [
    "systematics.momentum_scale.relative=0.01",
    "systematics.momentum_resolution.relative=0.2",
    "systematics.impact_resolution.relative=0.2",
    "systematics.photon_energy_scale.relative=0.05",
    "systematics.photon_energy_resolution.relative=0.2",
]
EXPERIMENT = load("belle2", LARGE)
FIELD = EXPERIMENT.solenoid.field_t


def simulate(name: str, **parameters: Any) -> RecoEvents:
    process = find_process(name)(**parameters)
    generator = process.prepare(EXPERIMENT.collider, np.random.default_rng(1))
    truth = generator.generate(1500, np.random.default_rng(2))
    return detsim.simulate(truth, EXPERIMENT, rng=np.random.default_rng(3), systematics=["all"])


@cache
def nominal() -> RecoEvents:
    """Displaced pairs beside a kaon."""
    return simulate("b-to-k-scalar", mass=1.0, decay="mumu", ctau=5.0)


@cache
def photons() -> RecoEvents:
    """Three photons, some of which convert."""
    return simulate("gamma-alp", mass=1.0)


@cache
def all_shifted(of_photons: bool) -> dict[str, RecoEvents]:
    reco = photons() if of_photons else nominal()
    return {variation: after for variation, _, after in shifts(reco, EXPERIMENT)}


def shifted(name: str) -> RecoEvents:
    return all_shifted(name.startswith("photon"))[name]


def local(reco: RecoEvents) -> Any:
    """Tracks of nominal events seen from the births of their particles, deviations from these."""
    particles = nominal().truth.particles
    rows = nominal().truth.offsets[event_of(reco.track_offsets)] + reco.tracks.truth_index
    births = np.stack([particles.x[rows], particles.y[rows], particles.z[rows]])
    seen = refer_to(reco.tracks.helix.T, births)
    true = np.sign(reco.tracks.charge) * 0.00299792458 * FIELD
    return seen, true / np.hypot(particles.px[rows], particles.py[rows])


def test_up_and_down_of_what_shifts():
    assert len(all_shifted(False)) == 10


@pytest.mark.parametrize(("name", "factor"), [("up", 1.01), ("down", 0.99)])
def test_momenta_scale(name: str, factor: float):
    after = shifted(f"momentum_scale_{name}")
    p, q = (momentum(reco.tracks.helix, FIELD) for reco in (nominal(), after))
    assert np.linalg.norm(q, axis=1) == pytest.approx(factor * np.linalg.norm(p, axis=1), rel=1e-9)
    before, ratio = nominal().tracks.e_over_p, after.tracks.e_over_p
    known = np.isfinite(before)
    assert 0 < known.sum() < len(known)
    assert ratio[known] == pytest.approx(before[known] / factor, rel=1e-9)
    assert np.isnan(ratio[~known]).all()
    assert (after.tracks.charge == nominal().tracks.charge).all()


def same_vertices(name: str) -> tuple[Any, Any]:
    """Rows of good vertices of the same tracks before and after."""
    before, after = nominal(), shifted(name)

    def keys(reco: RecoEvents) -> Any:
        event = event_of(reco.vertex_offsets)
        return event * 10_000 + reco.vertices.track_plus * 100 + reco.vertices.track_minus

    _, rows, others = np.intersect1d(keys(before), keys(after), return_indices=True)
    good = (before.vertices.fit_status[rows] == 0) & (after.vertices.fit_status[others] == 0)
    return rows[good], others[good]


def test_masses_scale_and_vertices_stay():
    """The mass as e+ e- is proportional to the momenta; displaced vertices move by their errors."""
    rows, others = same_vertices("momentum_scale_up")
    before, after = nominal().vertices, shifted("momentum_scale_up").vertices
    assert len(rows) > 0.99 * len(before)
    heavy = before.mass_ee[rows] > 0.3
    ratio = after.mass_ee[others][heavy] / before.mass_ee[rows][heavy]
    assert np.median(ratio) == pytest.approx(1.01, abs=1e-4)
    far = before.flight_xy[rows] > 3
    moved = np.hypot(after.x[others] - before.x[rows], after.y[others] - before.y[rows])
    sigma = np.sqrt(before.cov[rows, 0, 0] + before.cov[rows, 1, 1])
    assert far.sum() > 100
    assert np.median(moved[far] / sigma[far]) < 0.1


def test_the_recoil_of_heavier_pairs_is_lighter():
    """Against a kaon and its dimuon; P from the card, momenta scaled by hand."""
    reco, after = nominal(), shifted("momentum_scale_up")
    two = np.flatnonzero(np.diff(reco.track_offsets) >= 2)
    first = reco.track_offsets[two]
    beams = np.array(EXPERIMENT.collider.four_momentum)

    def recoil2(p: Any) -> Any:
        pair = p[first] + p[first + 1]
        energy = np.linalg.norm(p[first], axis=1) + np.linalg.norm(p[first + 1], axis=1)
        return (beams[0] - energy) ** 2 - ((beams[1:] - pair) ** 2).sum(axis=1)

    p = momentum(reco.tracks.helix, FIELD)
    expected, found = recoil2(1.01 * p), recoil2(momentum(after.tracks.helix, FIELD))
    assert np.median(expected - recoil2(p)) < 0
    # directions at the perigee turn a little where a displaced track bends otherwise
    assert np.median(np.abs(found - expected)) < 0.01 * np.median(np.abs(expected - recoil2(p)))


@pytest.mark.parametrize(("name", "factor"), [("up", 1.2), ("down", 0.8)])
def test_momenta_deviate_more_or_less_from_the_truth(name: str, factor: float):
    (before, true), (after, _) = local(nominal()), local(shifted(f"momentum_resolution_{name}"))
    same = np.sign(before.omega) == np.sign(after.omega)
    assert same.mean() > 0.999
    deviation = (before.omega - true)[same]
    assert (after.omega - true)[same] == pytest.approx(factor * deviation, rel=1e-6, abs=1e-12)
    assert after.d0 == pytest.approx(before.d0, abs=1e-7)
    assert after.z0 == pytest.approx(before.z0, abs=1e-6)
    assert after.tan_lambda == pytest.approx(before.tan_lambda)


@pytest.mark.parametrize(("name", "factor"), [("up", 1.2), ("down", 0.8)])
def test_tracks_miss_their_origins_by_more_or_less(name: str, factor: float):
    (before, _), (after, _) = local(nominal()), local(shifted(f"impact_resolution_{name}"))
    assert after.d0 == pytest.approx(factor * before.d0, rel=1e-6, abs=1e-7)
    assert after.z0 == pytest.approx(factor * before.z0, rel=1e-6, abs=1e-6)
    assert after.omega == pytest.approx(before.omega)


@pytest.mark.parametrize(("name", "factor"), [("up", 1.05), ("down", 0.95)])
def test_energies_of_photons_scale(name: str, factor: float):
    before, after = photons().clusters, shifted(f"photon_energy_scale_{name}").clusters
    neutral = before.track_index < 0
    assert 0 < neutral.sum() < len(neutral)
    assert after.energy[neutral] == pytest.approx(factor * before.energy[neutral])
    assert (after.energy[~neutral] == before.energy[~neutral]).all()


def test_energies_of_photons_deviate_more_from_the_truth():
    before, after = photons(), shifted("photon_energy_resolution_up")
    event = event_of(before.cluster_offsets)
    clusters, particles = before.clusters, before.truth.particles
    row = before.truth.offsets[event] + np.maximum(clusters.truth_index, 0)
    alone = (clusters.track_index < 0) & (clusters.truth_index >= 0) & (clusters.n_particles == 1)
    photon = alone & (particles.pdg_id[row] == 22)
    assert photon.sum() > 1000
    true, found = particles.e[row][photon], after.clusters.energy[photon]
    least = EXPERIMENT.calorimeter.clustering.threshold_gev
    kept = found > least
    expected = true + 1.2 * (clusters.energy[photon] - true)
    assert kept.mean() > 0.95
    assert found[kept] == pytest.approx(expected[kept])
    assert (expected[~kept] <= least).all()
    assert (after.clusters.energy[~photon] == clusters.energy[~photon]).all()


def test_nothing_else_changes():
    """Of every table only the columns that are told, so that a file may hold those alone."""
    tables = {"tracks", "vertices", "clusters", "klm_clusters", "trigger"}
    for variation, after in all_shifted(False).items():
        name = variation.rpartition("_")[0]
        changed = changed_by(EXPERIMENT.systematics[name])
        for table in tables:
            before_table, after_table = getattr(nominal(), table), getattr(after, table)
            for field in fields(before_table):
                if field.name not in changed.get(table, ()):
                    before, now = (getattr(t, field.name) for t in (before_table, after_table))
                    assert np.array_equal(before, now, equal_nan=before.dtype.kind == "f")
        assert after.truth is nominal().truth
        assert (after.track_offsets == nominal().track_offsets).all()


def test_no_shift_of_no_events():
    none = nominal().truth.take(np.array([], np.int64))
    reco = detsim.simulate(
        none, EXPERIMENT, rng=np.random.default_rng(1), systematics=["momentum_scale"]
    )
    assert [len(after.tracks) for _, _, after in shifts(reco, EXPERIMENT)] == [0, 0]


def test_straight_tracks_have_no_momenta_that_scale():
    experiment = load("belle2", [*LARGE, "solenoid.field_t=0.0"])
    reco = detsim.simulate(
        nominal().truth.take(np.arange(50)),
        experiment,
        rng=np.random.default_rng(3),
        systematics=["all"],
    )
    for _, _, after in shifts(reco, experiment):
        assert np.isfinite(after.tracks.helix).all()


# ---- the high level of the trigger ---------------------------------------------------------------


def test_a_trigger_decides_anew_without_new_chances():
    """Columns: a line without prescale, one that is prescaled; level one kept all events but one.

    Events: still met, met no longer, met now, met now but not kept by level one, kept by chance.
    """
    menu = EXPERIMENT.trigger.hlt
    plain, prescaled = menu.ratios.index(1), menu.ratios.index(100)
    decisions = nominal().trigger
    n, lines = 5, len(menu.ratios)
    before, after, hlt = (np.zeros((n, lines), bool) for _ in range(3))
    for line in (plain, prescaled):
        before[:, line], after[:, line] = (1, 1, 0, 0, 0), (1, 0, 1, 1, 0)
        hlt[:, line] = (1, 1, 0, 0, 0)
    l1 = np.zeros((n, decisions.l1.shape[1]), bool)
    l1[[0, 1, 2, 4], EXPERIMENT.trigger.l1.ratios.index(1)] = True
    table = type(decisions)(l1, l1, hlt, hlt.any(axis=1))
    again = redecide(table, before, after, EXPERIMENT.trigger)
    assert again.hlt[:, plain].tolist() == [True, False, True, False, False]
    assert again.hlt[:, prescaled].tolist() == [True, False, False, False, False]
    assert again.physics.tolist() == [True, False, True, False, False]
    assert (again.l1 == l1).all()


def test_the_high_level_sees_other_photons():
    before = photons().trigger
    for name in ("up", "down"):
        after = shifted(f"photon_energy_scale_{name}").trigger
        assert 0 < (after.hlt != before.hlt).any(axis=1).sum() < len(before) / 2
        assert (after.l1_prescaled == before.l1_prescaled).all()
