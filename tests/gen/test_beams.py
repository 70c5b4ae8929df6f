"""Energies and collision points of the beams, against the numbers of the card."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from darkbelle.gen.beams import sample_beams, sample_vertices
from darkbelle.gen.kinematics import dot, invariant_mass
from darkbelle.geometry import Collider, load
from darkbelle.units import MeV

N = 40_000
P_MIN = 1e-4


def test_energies_are_gaussian(collider: Collider):
    electron, positron = sample_beams(collider, N, np.random.default_rng(41))
    her = (electron[0] - collider.e_her_gev) / (collider.spread_her_mev * MeV)
    ler = (positron[0] - collider.e_ler_gev) / (collider.spread_ler_mev * MeV)
    assert stats.kstest(her, "norm").pvalue > P_MIN
    assert stats.kstest(ler, "norm").pvalue > P_MIN
    assert abs(np.corrcoef(her, ler)[0, 1]) < 4.5 / np.sqrt(N)


def test_beams_are_massless_and_keep_their_direction(collider: Collider):
    electron, positron = sample_beams(collider, 1000, np.random.default_rng(42))
    for beam, sign in ((electron, 1), (positron, -1)):
        assert np.abs(dot(beam, beam)).max() < 1e-13
        assert beam[1] / beam[0] == pytest.approx(np.sin(0.0415), rel=1e-12)
        assert np.all(beam[2] == 0)
        assert beam[3] / beam[0] == pytest.approx(sign * np.cos(0.0415), rel=1e-12)


def test_spread_in_the_centre_of_mass(collider: Collider):
    root_s = invariant_mass(np.add(*sample_beams(collider, N, np.random.default_rng(43))))
    error = collider.sqrt_s_spread / np.sqrt(N)
    assert abs(root_s.mean() - collider.sqrt_s) < 4.5 * error
    assert abs(root_s.std() - collider.sqrt_s_spread) < 4.5 * error / np.sqrt(2)


def test_spread_can_be_switched_off(sharp_collider: Collider):
    total = np.add(*sample_beams(sharp_collider, 10, np.random.default_rng(44)))
    assert total == pytest.approx(np.repeat(sharp_collider.four_momentum[:, None], 10, axis=1))


@pytest.mark.parametrize("from_bunches", ["true", "false"])
def test_vertices_fill_the_luminous_region(from_bunches: str):
    overrides = [
        f"collider.luminous_region.from_bunches={from_bunches}",
        "collider.luminous_region.centre_cm=[0.03, -0.02, 0.1]",
    ]
    collider = load("belle2", overrides).collider
    vertices = sample_vertices(collider, N, np.random.default_rng(45))
    assert vertices.shape == (4, N)
    assert np.all(vertices[3] == 0)
    shifted = vertices[:3] - np.array([[0.03], [-0.02], [0.1]])
    white = np.linalg.solve(np.linalg.cholesky(collider.luminous_covariance()), shifted)
    for component in white:
        assert stats.kstest(component, "norm").pvalue > P_MIN
    off_diagonal = np.corrcoef(white)[np.triu_indices(3, 1)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(N)


def test_no_collisions(collider: Collider):
    rng = np.random.default_rng(46)
    assert sample_beams(collider, 0, rng)[0].shape == (4, 0)
    assert sample_vertices(collider, 0, rng).shape == (4, 0)
