"""Clusters of trigger cells and their counts: energies, angles, pairs, sums."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.detsim.trigger import clusters as module
from darkbelle.detsim.trigger.cells import CellGrid
from darkbelle.detsim.trigger.selections import between
from darkbelle.gen.kinematics import boost
from darkbelle.gen.particles import ELECTRON, MUON, PHOTON
from darkbelle.geometry.trigger import CellClusterCut, ClusterPair
from darkbelle.units import deg
from tests.detsim.sending import beam, belle2, mass_of
from tests.detsim.trigger.sending_cells import (
    ALL_FOUND,
    NARROW,
    cells,
    energy_at,
    in_cells,
    send,
    trigger,
)

NO_STEP = "trigger.l1.ecl.e_cms_step_gev=0.0"


@pytest.fixture
def grid():
    return CellGrid.of(cells())


def back_to_back(pdg_id, n, dphi_deg=180.0, energies=(5.29, 5.29), theta_deg=(45, 135), seed=1):
    """Momenta of pairs in the laboratory, one after the other, angles in the centre of mass."""
    rng = np.random.default_rng(seed)
    theta, phi = rng.uniform(*theta_deg, n) * deg, rng.uniform(-np.pi, np.pi, n)
    mass = mass_of(pdg_id)
    legs = []
    for energy, polar, azimuth in zip(
        energies, (theta, np.pi - theta), (phi, phi + dphi_deg * deg), strict=True
    ):
        p = np.sqrt(energy**2 - mass**2)
        across = np.sin(polar)
        way = np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.cos(polar)])
        four = np.stack([np.full(n, energy), *(p * way)])
        legs.append(boost(four, belle2().collider.four_momentum)[1:])
    return np.stack(legs, axis=2).reshape(3, 2 * n)


def rate(count):
    return (count > 0).mean()


def test_energy_of_a_photon_of_1_gev_in_the_cms_is_that_of_the_table(grid):
    # handbook, triggers.md 2.2: computed for 7.007 and 4.0 GeV, 83 mrad, at the published centres
    table = [1.31, 1.29, 1.27, 1.24, 1.22, 1.18, 1.14, 1.10, 1.05, 1.00, 0.95, 0.91, 0.87, 0.84]
    table += [0.82, 0.80, 0.78]
    for step, tolerance in ((NO_STEP, 0.011), ("trigger.l1.ecl.e_cms_step_gev=0.1", 0.061)):
        clusters, *_ = trigger(
            in_cells(1.0, np.arange(576)), np.arange(576), 576, *NARROW, *ALL_FOUND, step
        )
        lab = 1 / clusters.e_cms
        mean = np.bincount(clusters.ring, lab)[1:] / np.array(cells().cells)
        assert np.abs(mean - table).max() < tolerance
    np.testing.assert_allclose(lab * 10, np.round(lab * 10), atol=1e-9)
    assert set(np.round(lab, 1)) == {0.8, 0.9, 1.0, 1.1, 1.2, 1.3}


def test_cms_angles_are_those_of_photons_to_the_cell(grid):
    chosen = np.arange(576)
    clusters, *_ = trigger(in_cells(1.0, chosen), chosen, 576, *NARROW, *ALL_FOUND)
    np.testing.assert_array_equal(clusters.ring, grid.ring + 1)
    np.testing.assert_allclose(clusters.phi, grid.phi)
    # back along the boost: cos theta = (cos theta* + beta) / (1 + beta cos theta*), near the axis
    beta = np.linalg.norm(belle2().collider.beta)
    c = np.cos(clusters.theta_cms_deg * deg)
    theta = np.arccos((c + beta) / (1 + beta * c))
    assert np.abs(theta - grid.theta).max() < 3 * deg
    turned = np.mod(clusters.phi_cms_deg * deg - clusters.phi + np.pi, 2 * np.pi) - np.pi
    assert np.abs(turned).max() < 12 * deg
    assert abs(np.mean(turned)) < 0.2 * deg


@pytest.mark.parametrize("pdg_id", [PHOTON, ELECTRON])
def test_bhabha_veto_kills_hard_pairs_back_to_back(pdg_id):
    *_, counts = send(pdg_id, back_to_back(pdg_id, 4000), 2)
    assert 0.97 < rate(counts["bhabha"]) < 0.99, "the square of the efficiency of a cluster"
    assert rate(counts["bhabha_2d"]) > 0.97
    assert rate(counts["mumu"]) == 0


def test_muons_are_no_bhabha_pairs():
    _, sums, counts = send(MUON, back_to_back(MUON, 4000), 2)
    for name in ("bhabha", "bhabha_selection", "bhabha_2d"):
        assert rate(counts[name]) < 0.001
    # 0.6 GeV more than two minimum ionising particles: knock-on electrons, 0.3 % of each muon.
    assert 0.003 < rate(counts["e_high"]) < 0.01
    assert 0.88 < rate(counts["mumu"]) < 0.98
    assert abs(np.median(sums.sum(axis=1)) - 0.4) < 0.03, "two minimum ionising particles"


@pytest.mark.parametrize(
    ("dphi_deg", "least", "most"), [(150, 0, 0), (160, 0.2, 0.8), (172, 0.97, 1)]
)
def test_pairs_must_be_back_to_back(dphi_deg, least, most):
    *_, counts = send(PHOTON, back_to_back(PHOTON, 2000, dphi_deg), 2)
    assert least <= rate(counts["bhabha"]) <= most


@pytest.mark.parametrize("energies", [(5.29, 2.5), (4.0, 4.0)])
def test_pairs_must_both_be_hard_and_one_harder(energies):
    *_, counts = send(PHOTON, back_to_back(PHOTON, 2000, energies=energies), 2)
    assert rate(counts["bhabha"]) < 0.03
    assert rate(counts["bhabha_selection"]) > 0.3


def test_energy_sum_turns_on_at_its_threshold():
    n = 40_000
    rng = np.random.default_rng(3)
    energy = rng.uniform(0.7, 1.4, n)
    theta = np.degrees(np.arccos(rng.uniform(np.cos(2.1), np.cos(0.6), n)))
    *_, counts = send(PHOTON, beam(energy, theta, n), 1)
    fires = counts["e_high"] > 0
    # The rise as a distribution of thresholds: its mean and width from the share that fires.
    number, edges = np.histogram(energy, 28, (0.7, 1.4))
    share = np.histogram(energy[fires], edges)[0] / number
    middle = (edges[1:] + edges[:-1]) / 2
    step = edges[1] - edges[0]
    mean = edges[-1] - share.sum() * step
    width = np.sqrt(2 * ((edges[-1] - middle) * share).sum() * step - (edges[-1] - mean) ** 2)
    # Leakage, and parts in cells below threshold, cost 3 % on average.
    assert 1.0 < mean < 1.05
    assert 0.05 < width < 0.08
    assert share[:4].max() == 0
    assert share[-4:].min() > 0.99


def test_half_of_what_leaves_the_threshold_is_above_it():
    n = 8000
    *_, counts = trigger(in_cells(1.0, np.full(n, 300)), np.arange(n), n)
    assert abs(rate(counts["e_high"]) - 0.5) < 0.025


@pytest.mark.parametrize(("ring", "counts_it"), [(1, 0), (2, 1), (15, 1), (16, 0), (17, 0)])
def test_outermost_rings_do_not_count_in_the_energy(grid, ring, counts_it):
    *_, counts = trigger(in_cells(2.0, [int(grid.start[ring - 1])]), [0], 1, *NARROW)
    assert counts["e_high"].tolist() == [counts_it]
    *_, counts = trigger(in_cells(8.0, [int(grid.start[ring - 1])]), [0], 1, *NARROW)
    assert counts["e_tau"].tolist() == [1]
    assert counts["bhabha_2d"].tolist() == [0], "one side alone"


def test_muons_leave_a_cluster_nearly_always():
    n = 20_000
    rng = np.random.default_rng(8)
    theta = np.degrees(np.arccos(rng.uniform(np.cos(2.1), np.cos(0.6), n)))
    clusters, _, counts = send(MUON, beam(2.0, theta, n), 1, *ALL_FOUND)
    assert 0.96 < rate(counts["clusters"]) < 0.985
    assert counts["clusters"].max() == 1
    assert abs(np.median(clusters.energy) - 0.2) < 0.01


def test_a_quarter_of_muons_on_a_border_is_lost(grid):
    n = 10_000
    found = []
    for theta, phi in (
        (grid.theta[grid.start[9]], 5 * deg),
        (grid.theta[grid.start[9]], 10 * deg),
        (grid.edges[10], 5 * deg),
        (grid.edges[10], 10 * deg),
    ):
        deposits = energy_at(0.2, np.full(n, theta), np.full(n, phi))
        *_, counts = trigger(deposits, np.arange(n), n, *ALL_FOUND)
        assert counts["clusters"].max() == 1, "not one on each side"
        found.append(rate(counts["clusters"]))
    # Each of k cells holds 0.2/k GeV with a noise of 0.02.
    assert found == pytest.approx([0.999, 0.73, 0.73, 0.03], abs=0.03)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((10, 0), (10, 35)),
        ((10, 3), (11, 4)),
        ((1, 3), (2, 8)),
        ((1, 0), (2, 31)),
        ((2, 5), (3, 4)),
    ],
)
def test_photons_in_cells_that_touch_are_one_cluster(grid, first, second):
    pair = [int(grid.start[ring - 1]) + cell for ring, cell in (first, second)]
    clusters, *_ = trigger(in_cells([1.0, 0.5], pair), [0, 0], 1, *NARROW, *ALL_FOUND)
    assert clusters.ring.tolist() == [first[0]]
    np.testing.assert_allclose(clusters.phi, grid.phi[pair[:1]])
    np.testing.assert_allclose(clusters.energy, [1.5])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((10, 0), (10, 34)),
        ((10, 3), (12, 3)),
        ((1, 3), (2, 9)),
        ((3, 0), (4, 0)),
        ((15, 0), (16, 0)),
    ],
)
def test_photons_in_cells_that_do_not_touch_are_two_clusters(grid, first, second):
    pair = [int(grid.start[ring - 1]) + cell for ring, cell in (first, second)]
    clusters, *_ = trigger(in_cells([1.0, 0.5], pair), [0, 0], 1, *NARROW, *ALL_FOUND)
    np.testing.assert_allclose(np.sort(clusters.energy), [0.5, 1.0])


def test_cells_in_a_row_have_one_peak(grid):
    row = grid.start[9] + np.array([4, 5, 6])
    deposits = in_cells([0.5, 1.0, 0.7], row)
    clusters, *_ = trigger(deposits, [0, 0, 0], 1, *NARROW, *ALL_FOUND)
    np.testing.assert_allclose(clusters.energy, [2.2])
    np.testing.assert_allclose(clusters.phi, grid.phi[row[1:2]])


def test_of_equal_cells_the_first_is_the_cluster(grid):
    on_border = energy_at(1.0, grid.theta[grid.start[9]], 0.0)
    clusters, *_ = trigger(on_border, [0], 1, *NARROW, *ALL_FOUND)
    np.testing.assert_allclose(clusters.phi, [5 * deg])
    np.testing.assert_allclose(clusters.energy, [1.0])


def test_six_clusters_are_passed_on_the_barrel_first(grid):
    barrel = grid.start[9] + np.arange(0, 20, 4)
    forward, backward = grid.start[1] + np.arange(0, 12, 4), grid.start[16] + np.arange(0, 12, 4)
    chosen = np.concatenate([forward, barrel, backward, forward, backward])
    event = np.repeat([0, 1], [11, 6])
    clusters, _, counts = trigger(in_cells(1.0, chosen), event, 3, *NARROW, *ALL_FOUND)
    assert counts["clusters"].tolist() == [6, 6, 0]
    assert counts["barrel"].tolist() == [5, 0, 0]
    assert counts["forward"].tolist() == [1, 3, 0]
    assert counts["backward"].tolist() == [0, 3, 0]
    assert (np.diff(clusters.event) >= 0).all()
    one_of_forward = clusters.take((clusters.event == 0) & (clusters.ring == 2))
    np.testing.assert_allclose(one_of_forward.phi, grid.phi[forward[:1]])


def test_efficiency_is_lower_in_the_outermost_rings(grid):
    n = 20_000
    for ring, efficiency in ((1, 0.95), (2, 0.99), (10, 0.99), (17, 0.95)):
        cell = np.full(n, grid.start[ring - 1])
        _, sums, counts = trigger(in_cells(1.0, cell), np.arange(n), n)
        assert abs(rate(counts["clusters"]) - efficiency) < 0.006
        assert (sums[:, ring - 1] > 0).all(), "the sum has it all the same"


def test_cuts_are_in_energy_and_ring(grid):
    chosen = grid.start[[1, 9, 9, 16]] + [0, 0, 9, 0]
    energy = [0.5, 1.5, 2.5, 3.5]
    clusters, *_ = trigger(in_cells(energy, chosen), [0, 0, 1, 1], 2, *NARROW, *ALL_FOUND)
    order = np.argsort(clusters.energy)

    def passing(**limits):
        return clusters.chosen(CellClusterCut(**limits))[order].tolist()

    assert passing() == [True] * 4
    assert passing(e_lab_gev=1.0, e_lab_max_gev=3.0) == [False, True, True, False]
    assert passing(rings=(1, 10)) == [False, True, True, False]
    # 1 GeV in the centre of mass is 1.3, 1.0 and 0.8 GeV in these rings
    assert passing(e_cms_gev=1.6) == [False, False, True, True]
    assert passing(e_cms_max_gev=2.51) == [True, True, True, False]
    assert passing(e_cms_gev=4.3) == [False, False, False, True]
    assert passing(e_cms_gev=4.5) == [False] * 4


def test_pairs_are_symmetric_but_for_ordered_ones(grid):
    forward, barrel = int(grid.start[1]), int(grid.start[9]) + 9
    deposits = in_cells([1.0, 2.0, 2.0, 1.0], [forward, barrel, forward, barrel])
    card = cells(*NARROW, *ALL_FOUND)
    pairs = {
        "either": ClusterPair(one="forward", other="barrel"),
        "swapped": ClusterPair(one="barrel", other="forward"),
        "softer": ClusterPair(one="forward", other="barrel", ordered=True),
        "same": ClusterPair(one="forward", other="forward"),
        "all": ClusterPair(one="clusters", other="clusters"),
    }
    card = card.model_copy(update={"pairs": pairs})
    clusters, sums, _ = trigger(deposits, [0, 0, 1, 1], 3, *NARROW, *ALL_FOUND)
    chosen = {name: clusters.chosen(cut) for name, cut in card.clusters.items()}
    counts = module.count_pairs(clusters, chosen, card.pairs, len(sums))
    assert {name: counts[name].tolist() for name in pairs} == {
        "either": [1, 1, 0],
        "swapped": [1, 1, 0],
        "softer": [1, 0, 0],
        "same": [0, 0, 0],
        "all": [1, 1, 0],
    }


def test_limits_of_angles_are_exclusive_but_at_the_ends():
    angle = np.array([0, 1, 160, 161, 179, 180])
    inside = between(angle, (160.0, 180.0), 180)
    assert inside.tolist() == [False, False, False, True, True, True]
    assert between(angle, (0.0, 180.0), 180).all()
    assert between(angle, (1.0, 180.0), 360).tolist() == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]


def test_cells_across_the_zero_of_azimuth_are_near(grid):
    cell = grid.start[9] + np.array([1, 34])
    *_, counts = trigger(in_cells(1.0, cell), [0, 0], 1, *NARROW, *ALL_FOUND)
    assert counts["clusters"].tolist() == [2]
    assert counts["hie_dphi"].tolist() == [0]
    cell = grid.start[9] + np.array([1, 19])
    *_, counts = trigger(in_cells(1.0, cell), [0, 0], 1, *NARROW, *ALL_FOUND)
    assert counts["hie_dphi"].tolist() == [1]


def test_many_pairs_of_an_event_are_all_counted(grid):
    three_by_three = grid.start[9] + np.array([0, 3, 6, 18, 21, 24])
    *_, counts = trigger(in_cells(1.0, three_by_three), np.zeros(6), 1, *NARROW, *ALL_FOUND)
    assert counts["pair_high"].tolist() == [3]


def test_events_do_not_see_each_other(monkeypatch):
    rng = np.random.default_rng(6)
    n = 3000
    event = np.sort(rng.integers(0, 400, n))
    deposits = energy_at(
        rng.uniform(0.1, 2.0, n), rng.uniform(13, 154, n) * deg, rng.uniform(-np.pi, np.pi, n)
    )
    together, sums, counts = trigger(deposits, event, 400, *NARROW, *ALL_FOUND)
    monkeypatch.setattr(module, "BLOCK", 7)
    in_blocks, *_ = trigger(deposits, event, 400, *NARROW, *ALL_FOUND)
    np.testing.assert_array_equal(together.energy, in_blocks.energy)
    for one in (0, 123, 399):
        its = deposits.take(event == one)
        alone, its_sums, its_counts = trigger(its, np.zeros(len(its)), 1, *NARROW, *ALL_FOUND)
        np.testing.assert_allclose(alone.energy, together.energy[together.event == one])
        np.testing.assert_allclose(its_sums[0], sums[one])
        assert all(its_counts[name][0] == counts[name][one] for name in counts)


def test_counts_are_what_the_card_names():
    card = cells()
    names = {*card.clusters, *card.pairs, *card.sums, *card.ring_pairs}
    nothing = energy_at(1.0, np.empty(0), np.empty(0))
    for n_events in (0, 3):
        clusters, sums, counts = trigger(nothing, [], n_events)
        assert len(clusters) == 0
        assert sums.shape == (n_events, 17)
        assert set(counts) == names
        assert all(count.tolist() == [0] * n_events for count in counts.values())


def test_same_seed_same_clusters():
    momentum = back_to_back(ELECTRON, 300)
    one, other, third = (send(ELECTRON, momentum, 2, seed=seed)[0] for seed in (4, 4, 9))
    np.testing.assert_array_equal(one.energy, other.energy)
    assert set(one.energy).isdisjoint(third.energy)
