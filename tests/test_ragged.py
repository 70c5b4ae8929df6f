"""Rows that belong to events."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from darkbelle.ragged import pairs_within


@pytest.mark.parametrize("counts", [[], [0], [1], [2, 0, 1, 4], [0, 3, 3, 0]])
def test_pairs_are_all_of_one_event(counts):
    offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    first, second = pairs_within(offsets)
    rows = [range(*ends) for ends in pairwise(offsets)]
    expected = [pair for own in rows for pair in combinations(own, 2)]
    assert list(zip(first, second, strict=True)) == expected
