"""Which showers are told apart: distances, chains, sums, and a slow reference."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from darkbelle.detsim.clustering import Clusters, form_clusters
from darkbelle.detsim.showers import Deposits
from darkbelle.geometry.calorimeter import Clustering
from tests.detsim.sending import P_VALUE, belle2, seeded

SHARP = {"distance_cm": 6.0, "distance_spread_cm": 0.0}


def card(**values: float) -> Clustering:
    return belle2().calorimeter.clustering.model_copy(update=values)


def deposits_at(
    point: np.ndarray, energy: np.ndarray | float = 1.0, source: np.ndarray | None = None
) -> Deposits:
    """Deposits at some points (3, n), told apart by energy, width and time."""
    n = point.shape[1]
    index = np.arange(n)
    return Deposits(
        index if source is None else source,
        np.broadcast_to(np.asarray(energy, float), n),
        np.asarray(point, float),
        10.0 + index % 7,
        0.1 * (index % 11),
    )


def merge(event: np.ndarray, deposits: Deposits, *, seed: int = 1, **values: float) -> Clusters:
    return form_clusters(
        np.asarray(event, np.intp), deposits, card(**values), np.random.default_rng(seed)
    )


def pairs(distance: float, n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Events of two points in some place 138 cm from the origin, ``distance`` apart."""
    rng = np.random.default_rng(seed)
    one, aside = rng.normal(size=(2, 3, n))
    one /= np.linalg.norm(one, axis=0)
    aside -= (aside * one).sum(axis=0) * one
    aside /= np.linalg.norm(aside, axis=0)
    angle = 2 * math.asin(distance / 2 / 138)
    two = math.cos(angle) * one + math.sin(angle) * aside
    return np.repeat(np.arange(n), 2), 138 * np.stack([one, two], axis=-1).reshape(3, -1)


# ---- distances -----------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [0.5, 4.0, 5.0, 5.5, 6.0, 6.5, 7.0, 8.0])
@pytest.mark.parametrize(("middle", "spread"), [(6.0, 1.0), (5.0, 2.0)])
def test_share_that_is_merged(distance: float, middle: float, spread: float) -> None:
    """Phi((6 cm - d)/1 cm), wherever the two stand and however they lie to each other."""
    n = 20_000
    event, point = pairs(distance, n)
    found = merge(event, deposits_at(point), distance_cm=middle, distance_spread_cm=spread)
    merged = 2 * n - len(found.content)
    expected = stats.norm.cdf((middle - distance) / spread)
    assert stats.binomtest(merged, n, expected).pvalue > P_VALUE
    np.testing.assert_array_equal(found.event, np.sort(found.event))


def test_no_spread_is_a_sharp_edge() -> None:
    for distance, n_clusters in ((5.99, 500), (6.01, 1_000)):
        found = merge(*_with_deposits(pairs(distance, 500)), **SHARP)
        assert len(found.content) == n_clusters


def test_nothing_merges_at_distance_zero() -> None:
    """Not even what stands at one point."""
    for distance in (0.0, 1e-6, 1.0):
        event, deposits = _with_deposits(pairs(distance, 300))
        found = merge(event, deposits, distance_cm=0.0, distance_spread_cm=0.0)
        assert len(found.content) == 600
        np.testing.assert_array_equal(found.content.energy, deposits.energy)
        np.testing.assert_array_equal(found.n_sources, 1)


def test_distance_is_across_the_line_of_sight() -> None:
    """One behind the other is no distance; the chord counts at the mean radius."""
    behind = np.array([[130.0, 150.0], [0, 0], [0, 0]])
    assert len(merge([0, 0], deposits_at(behind), **SHARP).content) == 1
    for chord, n_clusters in ((5.99, 1), (6.01, 2)):
        angle = 2 * math.asin(chord / 2 / 140)
        point = np.array([[130, 150 * math.cos(angle)], [0, 0], [0, 150 * math.sin(angle)]])
        assert len(merge([0, 0], deposits_at(point), **SHARP).content) == n_clusters


def _with_deposits(sent: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, Deposits]:
    event, point = sent
    return event, deposits_at(point)


# ---- chains and events ---------------------------------------------------------------------------


def row(n: int, step: float, direction: str) -> np.ndarray:
    """Points 130 cm from the axis or the equator, neighbours ``step`` cm apart."""
    angle = 2 * math.asin(step / 2 / 130) * np.arange(n)
    across, zero = np.sin(angle), np.zeros(n)
    if direction == "z":
        return 130 * np.stack([np.cos(angle), zero, across])
    return 130 * np.stack([np.cos(angle), across, zero])


@pytest.mark.parametrize("direction", ["z", "phi"])
def test_chains(direction: str) -> None:
    """Three in a row are one although the outer two are told apart; so are fifty."""
    for n in (3, 50):
        found = merge(np.zeros(n), deposits_at(row(n, 5.0, direction)), **SHARP)
        assert len(found.content) == 1
        assert found.n_sources.tolist() == [n]
        assert found.content.energy[0] == pytest.approx(n)
    gap = row(8, 5.0, direction)[:, [0, 1, 2, 4, 5, 7]]
    found = merge(np.zeros(6), deposits_at(gap), **SHARP)
    assert sorted(found.n_sources.tolist()) == [1, 2, 3]


def test_never_across_events() -> None:
    """The same points in every event, in many of them."""
    n = 2_000
    point = np.tile(row(3, 2.0, "phi"), n)
    event = np.repeat(np.arange(n), 3)
    found = merge(event, deposits_at(point))
    np.testing.assert_array_equal(found.event, np.arange(n))
    np.testing.assert_array_equal(found.n_sources, 3)
    # One each at one point: nothing to merge with, with gaps in the numbers and far beyond.
    event = np.cumsum(np.random.default_rng(1).integers(1, 5_000, n))
    found = merge(event, deposits_at(np.tile(row(1, 1.0, "z"), n)))
    np.testing.assert_array_equal(found.event, event)
    np.testing.assert_array_equal(found.n_sources, 1)


def test_poles_of_neighbouring_events() -> None:
    """z runs from +1 to -1: the last of an event and the first of the next stay apart."""
    point = np.tile([[1e-9, 1e-9], [0, 0], [-120.0, 120.0]], 100)
    found = merge(np.repeat(np.arange(100), 2), deposits_at(point))
    assert len(found.content) == 200


# ---- sums ----------------------------------------------------------------------------------------


def test_two_showers_become_one() -> None:
    """Energy adds up; place and time are weighted; the width grows by f1 f2 d^2."""
    point = row(2, 5.0, "phi")
    energy = np.array([0.5, 1.5])
    found = merge([3, 3], deposits_at(point, energy), **SHARP)
    assert found.event.tolist() == [3]
    assert found.n_sources.tolist() == [2]
    content = found.content
    assert content.source.tolist() == [1]
    assert content.energy == pytest.approx([2.0])
    np.testing.assert_allclose(content.point[:, 0], 0.25 * point[:, 0] + 0.75 * point[:, 1])
    assert content.time == pytest.approx([0.25 * 0.0 + 0.75 * 0.1])
    assert content.second_moment == pytest.approx([0.25 * 10 + 0.75 * 11 + 0.25 * 0.75 * 5.0**2])


@pytest.mark.parametrize("strongest", [0, 1, 2])
def test_the_strongest_owns_it(strongest: int) -> None:
    """Also where it is the background of the beams."""
    energy = np.full(3, 0.3)
    energy[strongest] = 0.31
    for source in (np.array([7, 8, 9]), np.array([-1, 4, 5])):
        found = merge(np.zeros(3), deposits_at(row(3, 2.0, "z"), energy, source), **SHARP)
        assert found.content.source.tolist() == [source[strongest]]


def test_particles_are_counted_once() -> None:
    """However many of its showers are merged: split-offs come back to where they came from."""
    source = np.array([7, 3, 7, 7, 3, 5])
    for order in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]):
        deposits = deposits_at(row(6, 2.0, "phi"), source=source[order])
        found = merge(np.zeros(6), deposits, **SHARP)
        assert found.n_sources.tolist() == [3]
    # Apart from each other, each of its clusters has it.
    source = np.array([7, 7, 7, 3, 8, 8, 9, 8])
    point = np.concatenate([row(4, 2.0, "z"), row(4, 2.0, "z")], axis=1)
    apart = deposits_at(point, source=source)
    found = merge(np.repeat([2, 5], 4), apart, **SHARP)
    assert found.n_sources.tolist() == [2, 2]
    far = deposits_at(row(3, 9.0, "z"), source=np.array([7, 7, 7]))
    assert merge(np.zeros(3), far, **SHARP).n_sources.tolist() == [1, 1, 1]
    assert found.n_sources.dtype == np.int32


def crowd(seed: int, n_events: int, n_max: int, cosine: float = 1.0) -> tuple[np.ndarray, Deposits]:
    """Random events; deposits within a cone are near enough to each other."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, n_max + 1, n_events)
    n = counts.sum()
    z = rng.uniform(-cosine, cosine, n)
    phi = rng.uniform(-cosine, cosine, n) * np.pi
    r, distance = np.sqrt(1 - z**2), rng.uniform(125, 160, n)
    point = distance * np.stack([r * np.cos(phi), r * np.sin(phi), z])
    return np.repeat(np.arange(n_events), counts), deposits_at(point, rng.exponential(0.3, n))


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_sums_over_events_are_kept(spread: float) -> None:
    event, deposits = crowd(1, 300, 60, cosine=0.15)
    found = merge(event, deposits, distance_spread_cm=spread)
    assert len(found.content) < 0.8 * len(deposits)
    for values, merged in (
        (deposits.energy, found.content.energy),
        (deposits.energy * deposits.time, found.content.energy * found.content.time),
        (np.ones(len(deposits)), found.n_sources.astype(float)),
        *zip(
            deposits.energy * deposits.point,
            found.content.energy * found.content.point,
            strict=True,
        ),
    ):
        np.testing.assert_allclose(
            np.bincount(found.event, merged, 300), np.bincount(event, values, 300), atol=1e-9
        )

    # Energy times width about the origin: the theorem of parallel axes.
    def about_the_origin(one: Deposits) -> np.ndarray:
        return one.energy * (one.second_moment + (one.point**2).sum(axis=0))

    np.testing.assert_allclose(
        np.bincount(found.event, about_the_origin(found.content), 300),
        np.bincount(event, about_the_origin(deposits), 300),
        rtol=1e-9,
    )


# ---- against a slow reference --------------------------------------------------------------------


def slowly(event: np.ndarray, deposits: Deposits, least: float) -> set[frozenset[int]]:
    """Sets of deposits that belong together: every pair tried, joined one after the other."""
    groups = [{i} for i in range(len(deposits))]
    length = np.linalg.norm(deposits.point, axis=0)
    for i in range(len(deposits)):
        for j in range(i):
            one, two = deposits.point[:, i] / length[i], deposits.point[:, j] / length[j]
            apart = np.linalg.norm(one - two) * (length[i] + length[j]) / 2
            if event[i] == event[j] and apart < least and groups[i] is not groups[j]:
                joined = groups[i] | groups[j]
                for member in joined:
                    groups[member] = joined
    return {frozenset(group) for group in groups}


@seeded
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.integers(0, 25),
    st.sampled_from([0.05, 0.3, 1.0]),
    st.sampled_from([1.0, 6.0, 30.0, 300.0]),
)
def test_any_crowd(seed: int, n_events: int, n_max: int, cosine: float, least: float) -> None:
    event, deposits = crowd(seed, n_events, n_max, cosine)
    found = merge(event, deposits, distance_cm=least, distance_spread_cm=0.0)
    expected = slowly(event, deposits, least)
    strongest = {max(group, key=lambda i: deposits.energy[i]): list(group) for group in expected}
    of_group = {(int(event[i]), len(group), i) for i, group in strongest.items()}
    source = found.content.source
    assert set(zip(found.event, found.n_sources, source, strict=True)) == of_group
    assert len(source) == len(expected)
    energy = [deposits.energy[strongest[i]].sum() for i in source]
    np.testing.assert_allclose(found.content.energy, energy)


def test_order_within_an_event_does_not_matter() -> None:
    """Where no random numbers decide, which go with the order."""
    event, deposits = crowd(2, 200, 40, cosine=0.5)
    rng = np.random.default_rng(3)
    order = np.lexsort((rng.random(len(event)), event))
    assert not np.array_equal(order, np.arange(len(event)))
    one = merge(event, deposits, distance_spread_cm=0.0)
    other = merge(event[order], deposits.take(order), distance_spread_cm=0.0)
    assert len(one.content) == len(other.content) < len(deposits)
    np.testing.assert_array_equal(one.event, other.event)
    first, second = np.argsort(one.content.source), np.argsort(other.content.source)
    np.testing.assert_array_equal(one.content.source[first], other.content.source[second])
    np.testing.assert_array_equal(one.n_sources[first], other.n_sources[second])
    for name in ("energy", "point", "second_moment", "time"):
        np.testing.assert_allclose(
            getattr(one.content, name)[..., first],
            getattr(other.content, name)[..., second],
            rtol=1e-9,
        )


def test_order_of_events_does_not_matter() -> None:
    event, deposits = crowd(4, 100, 30, cosine=0.5)
    new = np.random.default_rng(5).permutation(100)
    order = np.argsort(new[event], kind="stable")
    one = merge(event, deposits, **SHARP)
    other = merge(new[event][order], deposits.take(order), **SHARP)
    back = np.argsort(new)[other.event]
    for i in range(100):
        np.testing.assert_allclose(
            np.sort(one.content.energy[one.event == i]), np.sort(other.content.energy[back == i])
        )


# ---- edges ---------------------------------------------------------------------------------------


def test_nothing_and_one() -> None:
    nothing = merge([], deposits_at(np.empty((3, 0))))
    assert len(nothing.content) == len(nothing.event) == len(nothing.n_sources) == 0
    one = merge([5], deposits_at(row(1, 1.0, "z")))
    assert one.event.tolist() == [5]
    assert one.n_sources.tolist() == [1]


def test_inputs_are_left_alone() -> None:
    event, deposits = crowd(6, 50, 40, cosine=0.3)
    before = [values.copy() for values in (event, deposits.point, deposits.energy, deposits.time)]
    merge(event, deposits)
    after = (event, deposits.point, deposits.energy, deposits.time)
    for values, copy in zip(after, before, strict=True):
        np.testing.assert_array_equal(values, copy)


def test_two_thousand_in_one_event() -> None:
    """Beside 20,000 small ones; a quarter of a second, were all pairs tried it would be minutes."""
    rng = np.random.default_rng(7)
    n = 2_000 + 20_000
    direction = rng.normal(size=(3, n))
    point = 135 * direction / np.linalg.norm(direction, axis=0)
    event = np.concatenate([np.zeros(2_000, int), 1 + np.arange(20_000)])
    began = time.perf_counter()
    found = merge(event, deposits_at(point))
    assert time.perf_counter() - began < 3
    assert found.n_sources.sum() == n
    # A sphere of 135 cm has room for about 2,000 circles of 6 cm: most hang together.
    assert np.sum(found.event == 0) < 1_500
    np.testing.assert_array_equal(found.n_sources[found.event > 0], 1)


def test_many_on_one_parallel() -> None:
    """20,000 deposits of one event at one polar angle, 2 cm apart each: few pairs are near."""
    n = 20_000
    angle = 2 * np.pi * np.arange(n) / n
    point = 2 / (2 * np.sin(np.pi / n)) * np.stack([np.cos(angle), np.sin(angle), 0 * angle])
    began = time.perf_counter()
    found = merge(np.zeros(n), deposits_at(point), distance_cm=1.0, distance_spread_cm=0.0)
    assert time.perf_counter() - began < 2
    assert len(found.content) == n
