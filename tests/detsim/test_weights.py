"""Event weights of systematic errors: their means, and closure with samples made otherwise.

Every closure compares a weighted sample with one that was simulated with the card's numbers changed
by hand, from other seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from darkbelle import detsim
from darkbelle.detsim import RecoEvents
from darkbelle.gen.events import Origin, TruthEvents
from darkbelle.gen.processes import find_process
from darkbelle.geometry import Experiment, load
from darkbelle.geometry.systematics import WeightError, directions
from darkbelle.ragged import event_of

P_VALUE = 1e-5
N_EVENTS = 4096

IDS = [f"{s}_{n}" for s in ("electron", "muon", "hadron") for n in ("id", "misid")]
LARGE = [
    "systematics.tracking.relative=[0.1, 0.1]",
    "systematics.displaced_tracking={ birth_radius_cm = [0.0], relative = [0.1] }",
    "systematics.photon={ energy_edges_gev = [0.0], relative = [0.1] }",
    *(f"systematics.{name}={{ p_edges_gev = [0.0], relative = [0.1] }}" for name in IDS),
]
"""Errors large enough to be seen in a few thousand events."""


def card(*overrides: str) -> Experiment:
    return load("belle2", [*LARGE, *overrides])


PROCESSES: dict[str, tuple[str, dict[str, Any]]] = {
    "muons": ("mumu-zprime", {"mass": 2.0, "decay": "mumu"}),
    "displaced": ("b-to-k-scalar", {"mass": 1.0, "decay": "pipi", "ctau": 20.0}),
    "photons": ("gamma-alp", {"mass": 1.0}),
    "kaons": ("particle-gun", {"pdg_id": 321, "p": (0.7, 1.0)}),
    "kinks": ("particle-gun", {"pdg_id": 321, "p": (0.35, 0.45), "theta": (0.8, 2.0)}),
    "far": (
        "particle-gun",
        {"pdg_id": 13, "p": 2.0, "theta": 1.4, "vertex": ((5.0, 40.0), (0.0, 5.0), (-60.0, 60.0))},
    ),
}


@cache
def truth(name: str) -> TruthEvents:
    """Events that the tests send through the detector."""
    process, parameters = PROCESSES[name]
    generator = find_process(process)(**parameters).prepare(
        load("belle2").collider, np.random.default_rng(1)
    )
    return generator.generate(N_EVENTS, np.random.default_rng(2))


def simulate(process: str, experiment: Experiment, seed: int, *names: str) -> RecoEvents:
    """Events with the weights of some errors."""
    return detsim.simulate(
        truth(process), experiment, rng=np.random.default_rng(seed), systematics=names
    )


@cache
def nominal(process: str) -> RecoEvents:
    return simulate(process, card(), 3, "all")


def number(offsets: npt.NDArray[np.int64], chosen: Any = None) -> npt.NDArray[np.int64]:
    """Rows of each event, or of those that are chosen."""
    event = event_of(offsets)
    return np.bincount(event if chosen is None else event[chosen], minlength=len(offsets) - 1)


def agree(
    weighted: RecoEvents, name: str, direct: RecoEvents, what: Callable[[RecoEvents], Any]
) -> float:
    """p-value of a histogram of integers of weighted events agreeing with that of direct ones."""
    weight, values, others = weighted.weights[name], what(weighted), what(direct)
    n_bins = max(values.max(), others.max()) + 1
    content = np.bincount(values, weight, n_bins)
    variance = np.bincount(values, weight**2, n_bins) + np.bincount(others, minlength=n_bins)
    difference = content - np.bincount(others, minlength=n_bins)
    full = variance > 25
    return float(stats.chi2.sf((difference[full] ** 2 / variance[full]).sum(), full.sum()))


# ---- means ---------------------------------------------------------------------------------------

WEIGHTS = [n for n, e in load("belle2").systematics.items() if isinstance(e, WeightError)]
VARIATIONS = [variation for name in WEIGHTS for variation, _ in directions(name)]
NORMALISED = [variation for variation in VARIATIONS if not variation.startswith("trigger")]


def test_there_is_a_weight_up_and_down_for_each_error():
    assert list(nominal("muons").weights) == VARIATIONS


@pytest.mark.parametrize("name", NORMALISED)
@pytest.mark.parametrize("process", ["muons", "displaced", "photons", "kaons", "kinks"])
def test_weights_average_to_one(process: str, name: str):
    """Their squares have heavy tails where many things are missed, but not for one or two."""
    weight = nominal(process).weights[name]
    assert weight.min() >= 0
    error = weight.std() / np.sqrt(len(weight))
    assert abs(weight.mean() - 1) < 4.4 * error + 1e-12


def test_weights_do_not_average_to_one_where_nothing_is_missed():
    """With an efficiency of one there is nothing that could weigh more: said in the module."""
    always = card("calorimeter.clustering.efficiency=[1.0, 1.0, 1.0, 1.0]")
    weights = simulate("muons", always, 3, "photon").weights
    assert (weights["photon_up"] == 1).all()
    assert weights["photon_down"].mean() < 1
    assert weights["photon_down"].max() == 1


# ---- closure: tracks -----------------------------------------------------------------------------


def n_tracks(reco: RecoEvents) -> npt.NDArray[np.int64]:
    return number(reco.track_offsets)


def scaled(values: Any, factor: float) -> str:
    return str([value * factor for value in values])


LOWER_PT = [0.0, 0.3, 0.6, 0.7, 0.75, 0.8, 0.8, 0.8]
"""Efficiencies that can still rise by a tenth."""


@cache
def with_lower_pt(process: str) -> RecoEvents:
    experiment = card(f"tracking.finding.pt_efficiency={LOWER_PT}")
    return simulate(process, experiment, 4, "tracking")


@pytest.mark.parametrize(
    ("process", "direction", "opposite"),
    [
        ("muons", "up", "down"),
        pytest.param("muons", "down", "up", marks=pytest.mark.validation),
        pytest.param("kinks", "up", "down", marks=pytest.mark.validation),
        ("kinks", "down", "up"),
    ],
)
def test_tracks_found_with_another_efficiency(process: str, direction: str, opposite: str):
    weighted = with_lower_pt(process)
    efficiency = scaled(LOWER_PT, 1.1 if direction == "up" else 0.9)
    direct = simulate(process, card(f"tracking.finding.pt_efficiency={efficiency}"), 5)
    assert agree(weighted, f"tracking_{direction}", direct, n_tracks) > P_VALUE
    assert agree(weighted, f"tracking_{opposite}", direct, n_tracks) < 1e-9


def test_tracks_behind_kinks_have_less_to_lose():
    """Found with a tenth of the probability of others: taken for these they would weigh 1.8."""
    half, whole = [0.5] * 8, [1.0] * 8
    experiment = card(
        f"tracking.finding.pt_efficiency={half}",
        f"tracking.finding.birth_radius_factor={whole}",
        "tracking.finding.kink_factor=0.1",
        "systematics.tracking.relative=[0.9, 0.9]",
    )
    weight = simulate("kinks", experiment, 3, "tracking").weights["tracking_down"]
    assert abs(weight.mean() - 1) < 4.4 * weight.std() / np.sqrt(len(weight))


def displaced_vertices(reco: RecoEvents) -> npt.NDArray[np.int64]:
    """Bins of 10 cm that the first vertex of an event lies in, the first for events without one."""
    first = np.flatnonzero(np.diff(reco.vertex_offsets))
    flight = np.nan_to_num(reco.vertices.flight_xy[reco.vertex_offsets[first]])
    bins = np.zeros(reco.n_events, np.int64)
    bins[first] = 1 + np.minimum(flight, 99).astype(np.int64) // 10
    return bins


def test_displaced_tracks_found_with_another_efficiency():
    finding = load("belle2").tracking.finding
    radius = np.linspace(0, 95, 39)
    factor = np.interp(radius, finding.birth_radius_cm, finding.birth_radius_factor)
    points = f"tracking.finding.birth_radius_cm={radius.tolist()}"
    error = (
        "systematics.displaced_tracking={ birth_radius_cm = [0.0, 30.0], relative = [0.0, 0.6] }"
    )
    lower = factor * (1 - np.interp(radius, [0.0, 30.0], [0.0, 0.6]))

    def with_factor(values: Any) -> Experiment:
        key, listed = "birth_radius_factor", values.tolist()
        where = ("tracking.finding", "tracking.finding.variation")
        return card(points, error, *(f"{table}.{key}={listed}" for table in where))

    weighted = simulate("displaced", with_factor(factor), 4, "displaced_tracking")
    direct = simulate("displaced", with_factor(lower), 5)
    for what in (displaced_vertices, n_tracks):
        assert agree(weighted, "displaced_tracking_down", direct, what) > P_VALUE
    assert agree(weighted, "displaced_tracking_up", direct, displaced_vertices) < 1e-9


def test_found_tracks_weigh_by_the_radius_of_their_birth():
    """Where nothing was missed, 1 - delta (R) of single muons, whose birth is known."""
    error = (
        "systematics.displaced_tracking={ birth_radius_cm = [2.0, 40.0], relative = [0.0, 0.4] }"
    )
    reco = simulate("far", card(error), 3, "displaced_tracking")
    alone = (n_tracks(reco) == 1) & (np.diff(reco.truth.offsets) == 1)
    first = reco.truth.offsets[:-1][alone]
    particles = reco.truth.particles
    radius = np.hypot(particles.x[first], particles.y[first])
    expected = 1 - np.interp(radius, [2.0, 40.0], [0.0, 0.4])
    assert alone.sum() > N_EVENTS / 4
    assert reco.weights["displaced_tracking_down"][alone] == pytest.approx(expected)


# ---- closure: photons ----------------------------------------------------------------------------


def photons(reco: RecoEvents) -> npt.NDArray[np.int64]:
    """Clusters of true photons."""
    event = event_of(reco.cluster_offsets)
    index = reco.clusters.truth_index
    row = reco.truth.offsets[event] + np.maximum(index, 0)
    is_photon = (index >= 0) & (reco.truth.particles.pdg_id[row] == 22)
    return np.bincount(event[is_photon], minlength=reco.n_events)


def test_photons_found_with_another_efficiency():
    efficiency = load("belle2").calorimeter.clustering.efficiency
    lower = f"calorimeter.clustering.efficiency={scaled(efficiency, 0.9)}"
    weighted, direct = nominal("photons"), simulate("photons", card(lower), 5)
    assert agree(weighted, "photon_down", direct, photons) > P_VALUE
    assert agree(weighted, "photon_up", direct, photons) < 1e-9


# ---- closure: identification ---------------------------------------------------------------------


def with_rates(hypothesis: str, species: str, factor: float) -> Experiment:
    """A card whose rates of one species at the standard point are scaled."""
    tree = card().model_dump()
    for region in tree["identification"][hypothesis]["regions"]:
        region[species] = [rate * factor for rate in region[species]]
        region["variation"].pop(species, None)
        region["trust"] = "default"
    return Experiment(**tree)


def passing(reco: RecoEvents, point: str, species: int) -> npt.NDArray[np.int64]:
    """Tracks of each event that are of a species and pass a working point."""
    rows = reco.truth.offsets[event_of(reco.track_offsets)] + reco.tracks.truth_index
    column = load("belle2").identification.point_names.index(point)
    is_one = np.abs(reco.truth.particles.pdg_id[rows]) == species
    return number(reco.track_offsets, is_one & reco.tracks.pid[:, column])


@pytest.mark.parametrize(
    ("process", "hypothesis", "species", "code", "name"),
    [
        ("muons", "mu", "mu", 13, "muon_id"),
        pytest.param("displaced", "pi", "pi", 211, "hadron_id", marks=pytest.mark.validation),
        ("displaced", "k", "k", 321, "hadron_id"),
    ],
)
def test_other_rates_of_identification(
    process: str, hypothesis: str, species: str, code: int, name: str
):
    direct = simulate(process, with_rates(hypothesis, species, 0.9), 5)

    def what(reco: RecoEvents) -> npt.NDArray[np.int64]:
        return passing(reco, f"{hypothesis}_standard", code)

    assert agree(nominal(process), f"{name}_down", direct, what) > P_VALUE
    assert agree(nominal(process), f"{name}_up", direct, what) < 1e-6


@pytest.mark.parametrize(
    ("process", "point", "species", "name"),
    [
        ("muons", "mu_loose", 13, "muon_id"),
        ("muons", "mu_tight", 13, "muon_id"),
        ("displaced", "k_tight", 321, "hadron_id"),
        ("displaced", "mu_standard", 211, "muon_misid"),  # those that decayed to one, too
        ("displaced", "k_loose", 211, "hadron_misid"),
    ],
)
def test_all_working_points_vary_alike(process: str, point: str, species: int, name: str):
    """Each rate is scaled, and so is the number of tracks that pass, weighted."""
    reco = nominal(process)
    passed = passing(reco, point, species)
    for direction, factor in (("down", 0.9), ("up", 1.1)):
        difference = passed * (reco.weights[f"{name}_{direction}"] - factor)
        if point != "mu_loose" or direction == "down":  # else some rates would exceed one
            assert abs(difference.mean()) < 4.4 * difference.std() / np.sqrt(len(difference))


def passing_muons(reco: RecoEvents) -> npt.NDArray[np.int64]:
    """Of the first track: whether it passes as a muon, 2 more if its kaon decayed to one."""
    particles = reco.truth.particles
    daughters = np.flatnonzero(
        (particles.origin == Origin.DECAY_IN_FLIGHT) & (np.abs(particles.pdg_id) == 13)
    )
    became = np.zeros(len(particles), bool)
    became[reco.truth.parents(daughters)] = True
    first = np.flatnonzero(np.diff(reco.track_offsets))
    track = reco.track_offsets[first]
    own = became[reco.truth.offsets[first] + reco.tracks.truth_index[track]]
    column = load("belle2").identification.point_names.index("mu_standard")
    outcome = np.zeros(reco.n_events, np.int64)
    outcome[first] = reco.tracks.pid[track, column] + 2 * own
    return outcome


@pytest.mark.parametrize(
    ("species", "name"),
    [("k", "muon_misid"), pytest.param("mu", "muon_id", marks=pytest.mark.validation)],
)
def test_decays_to_muons_take_their_share_of_the_rates(species: str, name: str):
    """Of kaons, the rates differ by what they became, and those of muons limit them."""
    whole = "identification.decays.largest_share=0.9"
    tree = with_rates("mu", species, 0.4).model_dump()
    tree["identification"]["decays"]["largest_share"] = 0.9
    direct = simulate("kaons", Experiment(**tree), 5)
    error = f"systematics.{name}={{ p_edges_gev = [0.0], relative = [0.6] }}"
    weighted = simulate("kaons", card(error, whole), 4, name)
    assert agree(weighted, f"{name}_down", direct, passing_muons) > P_VALUE
    assert agree(weighted, f"{name}_up", direct, passing_muons) < 1e-4


def test_what_is_a_kaon_more_often_is_a_pion_more_rarely():
    """Both judge by one number."""
    reco = nominal("displaced")
    as_pion = passing(reco, "pi_standard", 321)
    assert as_pion @ reco.weights["hadron_id_up"] < as_pion.sum()
    assert as_pion @ reco.weights["hadron_id_down"] > as_pion.sum()


# ---- trigger -------------------------------------------------------------------------------------


def test_the_best_known_line_that_kept_an_event_counts():
    reco = nominal("muons")
    l1 = load("belle2").trigger.l1
    error = load("belle2").systematics["trigger_l1"].of_lines(l1.line_names)
    kept = reco.trigger.l1_prescaled
    some, best = kept.any(axis=1), (kept & (error == error.min())).any(axis=1)
    up, down = (reco.weights[f"trigger_l1_{direction}"] for direction in ("up", "down"))
    assert 0 < best.sum() < some.sum() <= len(best)
    assert up[best] == pytest.approx(1 + error.min())
    assert up[some & ~best] == pytest.approx(1 + error.max())
    assert (up[~some] == 1).all()
    assert up + down == pytest.approx(2)


def test_no_events_no_weights():
    none = truth("muons").take(np.array([], np.int64))
    reco = detsim.simulate(none, card(), rng=np.random.default_rng(1), systematics=["all"])
    assert all(weight.shape == (0,) for weight in reco.weights.values())
