from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from darkbelle.ragged import offsets_by_length
from darkbelle.samples.thrust import hemispheres, thrust


def brute_force(p):
    """Thrust of momenta (k, 3) by all ways to part them."""
    signs = np.array(list(product((1, -1), repeat=len(p))))
    return np.linalg.norm(signs @ p, axis=1).max() / np.linalg.norm(p, axis=1).sum()


@pytest.mark.parametrize("balanced", [False, True])
def test_no_other_parting_is_better(balanced):
    """Of 1 to 12 particles, on either side of where the algorithm changes, in mixed order."""
    rng = np.random.default_rng(1)
    lengths = rng.permutation(np.repeat(np.arange(2, 13), 4))
    events = []
    for n in lengths:
        p = rng.normal(size=(n, 3)) * rng.exponential(size=(n, 1))
        if balanced:
            p[-1] = -p[:-1].sum(axis=0)
        events.append(p)
    value, axis = thrust(np.concatenate(events).T, offsets_by_length(lengths))
    np.testing.assert_allclose(value, [brute_force(p) for p in events], rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(axis, axis=0), 1.0, rtol=1e-12)
    own = [
        np.abs(p @ n).sum() / np.linalg.norm(p, axis=1).sum()
        for p, n in zip(events, axis.T, strict=True)
    ]
    np.testing.assert_allclose(value, own, rtol=1e-12)


def test_planar_events_are_no_exception():
    """Three particles without total momentum lie in a plane; T is the greatest share of energy."""
    rng = np.random.default_rng(2)
    p = rng.normal(size=(50, 3, 3))
    p[:, 2] = -p[:, 0] - p[:, 1]
    value, _ = thrust(p.reshape(-1, 3).T, offsets_by_length(np.full(50, 3)))
    size = np.linalg.norm(p, axis=-1)
    np.testing.assert_allclose(value, 2 * size.max(axis=1) / size.sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7])
def test_events_in_a_coordinate_plane(n):
    """Where products of momenta are exactly zero, and no plane through two parts the others."""
    p = np.random.default_rng(n).normal(size=(n, 3))
    p[:, 2] = 0.0
    value, _ = thrust(p.T, np.array([0, n]))
    assert value[0] == pytest.approx(brute_force(p), rel=1e-12)


def test_events_with_little_in_them():
    back_to_back = np.array([[0.0, 3.0, 4.0], [0.0, -3.0, -4.0]])
    alone = np.array([[1.0, 0.0, 0.0]])
    momenta = np.concatenate([back_to_back, alone, np.zeros((2, 3))]).T
    value, axis = thrust(momenta, offsets_by_length(np.array([0, 2, 1, 0, 2])))
    np.testing.assert_allclose(value[1:3], 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.abs(axis[:, 1]), [0.0, 0.6, 0.8], atol=1e-12)
    assert np.isnan(value[[0, 3, 4]]).all()
    assert np.isnan(axis[:, [0, 3, 4]]).all()
    ahead = hemispheres(momenta, offsets_by_length(np.array([0, 2, 1, 0, 2])), axis)
    assert ahead[0] != ahead[1]
    assert not ahead[3:].any()
    value, axis = thrust(np.zeros((3, 0)), np.zeros(1, np.int64))
    assert value.shape == (0,)
    assert axis.shape == (3, 0)


def test_isotropic_and_pencil_like_events():
    """T is a half for very many isotropic particles, and 1 - <angle^2>/2 for two jets."""
    rng = np.random.default_rng(3)
    p = rng.normal(size=(3, 60))
    p /= np.linalg.norm(p, axis=0)
    value, _ = thrust(np.concatenate([p, -p], axis=1), np.array([0, 120]))
    assert 0.5 < value[0] < 0.6
    tight = np.array([[0.0], [0.0], [1.0]]) + 0.03 * rng.normal(size=(3, 20))
    value, axis = thrust(np.concatenate([tight, -tight], axis=1), np.array([0, 40]))
    assert 1 - value[0] == pytest.approx(0.03**2, rel=0.5)
    assert abs(axis[2, 0]) > 0.999
