"""Rows that belong to events."""

from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest

from darkbelle.ragged import pairs_between, pairs_within


@pytest.mark.parametrize("counts", [[], [0], [1], [2, 0, 1, 4], [0, 3, 3, 0]])
def test_pairs_are_all_of_one_event(counts):
    offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    first, second = pairs_within(offsets)
    rows = [range(*ends) for ends in pairwise(offsets)]
    expected = [pair for own in rows for pair in combinations(own, 2)]
    assert list(zip(first, second, strict=True)) == expected


def test_pairs_between_tables_are_all_of_one_event():
    first, second = ([0, 2, 1, 0, 3], [2, 0, 3, 1, 1])
    offsets = [np.concatenate([[0], np.cumsum(counts)]) for counts in (first, second)]
    rows = [[range(*ends) for ends in pairwise(each)] for each in offsets]
    expected = [pair for own in zip(*rows, strict=True) for pair in product(*own)]
    assert list(zip(*pairs_between(*offsets), strict=True)) == expected
    nothing = np.zeros(1, np.int64)
    assert [len(rows) for rows in pairs_between(nothing, nothing)] == [0, 0]
