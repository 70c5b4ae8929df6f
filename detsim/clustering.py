"""Deposits become clusters: showers too near to be told apart are one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from darkbelle.detsim.showers import Deposits
from darkbelle.geometry.calorimeter import Clustering

__all__ = ["Clusters", "form_clusters"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

_FARTHEST = 4.0
"""Spreads of the distance beyond which no two showers are merged."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Showers that were told apart, event after event, shape (n,) each.

    ``content`` is what each is made of; ``source`` there is the arrival that left the most.
    """

    event: IndexArray
    content: Deposits
    n_sources: npt.NDArray[np.int32]


def form_clusters(
    event: IndexArray, deposits: Deposits, card: Clustering, rng: np.random.Generator
) -> Clusters:
    """Merge the deposits of each event that stand too near to each other."""
    n = len(deposits)
    distance = np.maximum(np.linalg.norm(deposits.point, axis=0), np.finfo(float).tiny)
    direction = deposits.point / distance
    first, second = _near_pairs(event, direction, distance, card)
    apart = np.linalg.norm(direction[:, first] - direction[:, second], axis=0)
    apart *= (distance[first] + distance[second]) / 2
    least = card.distance_cm + card.distance_spread_cm * rng.standard_normal(len(first))
    merges = apart < least
    if not merges.any():
        return Clusters(event, deposits, np.ones(n, np.int32))
    graph = coo_array((merges[merges], (first[merges], second[merges])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    return _merge(label.astype(np.intp), event, deposits)


def _near_pairs(
    event: IndexArray, direction: FloatArray, distance: FloatArray, card: Clustering
) -> tuple[IndexArray, IndexArray]:
    """Pairs of deposits of an event whose directions are near enough to be merged, in order."""
    if len(event) < 2:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    farthest = card.distance_cm + _FARTHEST * card.distance_spread_cm
    window = farthest / distance.min()
    # Events stand apart along the first axis, so that none of their deposits are near.
    place = direction.T + np.outer(event * (2 + 2 * window), [1.0, 0.0, 0.0])
    pairs = cKDTree(place).query_pairs(window, output_type="ndarray")
    first, second = pairs[np.lexsort(pairs.T[::-1])].T
    return first, second


def _merge(label: IndexArray, event: IndexArray, deposits: Deposits) -> Clusters:
    """Sum up the deposits of each label."""
    order = np.argsort(label, kind="stable")
    _, begin, number = np.unique(label[order], return_index=True, return_counts=True)
    event, deposits = event[order], deposits.take(order)

    def total(values: FloatArray) -> FloatArray:
        sums: FloatArray = np.add.reduceat(values, begin, axis=-1)
        return sums

    energy = total(deposits.energy)
    group = np.repeat(np.arange(len(begin)), number)
    share = deposits.energy / energy[group]
    point = total(share * deposits.point)
    away2 = ((deposits.point - point[:, group]) ** 2).sum(axis=0)
    leading = np.lexsort((-deposits.energy, group))[begin]
    merged = Deposits(
        deposits.source[leading],
        energy,
        point,
        total(share * (deposits.second_moment + away2)),
        total(share * deposits.time),
    )
    by_source = np.lexsort((deposits.source, group))
    source, of_group = deposits.source[by_source], group[by_source]
    is_new = np.ones(len(source), np.int32)
    is_new[1:] = (source[1:] != source[:-1]) | (of_group[1:] != of_group[:-1])
    in_order = np.argsort(event[begin], kind="stable")
    n_sources = np.add.reduceat(is_new, begin, dtype=np.int32)[in_order]
    return Clusters(event[begin][in_order], merged.take(in_order), n_sources)
