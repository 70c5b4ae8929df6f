"""Sudden losses that a fit does not know of: the shift of its parameters against `reference_fit`.

The reference bends the flight where the loss happens and fits all of it with one helix, in steps
until it stands still. The simulation takes one linear step: 10 % are granted, 2 % are needed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.detsim.losses import Losses
from darkbelle.detsim.tracking import measure
from tests.physics.reference_fit import at_birth, at_origin, shift_by_bend
from tests.physics.reference_flight import Bend, Particle
from tests.physics.sending import Bin, charged, experiment, particle

pytestmark = pytest.mark.validation

N_TRACKS = 4
ELECTRONS = [Bin("e", 1.0, 80, 40, 1), Bin("e", 2.0, 60, -100, -1), Bin("e", 1.0, 30, 10, -1)]


def path_to(radius: float, sent: Particle) -> float:
    """Transverse arc from the axis to a radius [cm]."""
    half_omega = abs(sent.omega(experiment())) / 2
    return math.asin(radius * half_omega) / half_omega


def measured_shift(sent: Particle, path: float, change: float) -> tuple[np.ndarray, np.ndarray]:
    """Of the local parameters at birth, with the same noise twice; and their errors."""
    tracks = charged(sent, N_TRACKS)
    suffered = Losses(np.arange(N_TRACKS), np.full(N_TRACKS, path), np.full(N_TRACKS, change))
    none, some = (
        measure(tracks, experiment(), np.random.default_rng(1), losses)
        for losses in (Losses.none(), suffered)
    )
    shift = at_birth(experiment(), sent, some.helix) - at_birth(experiment(), sent, none.helix)
    back = np.linalg.inv(at_origin(experiment(), sent))
    return shift.mean(axis=0), np.sqrt(np.diag(back @ none.cov[0] @ back.T))


@pytest.mark.parametrize("fraction", [0.1, 0.4])
@pytest.mark.parametrize("radius", [1.1, 8.0, 30.0])
@pytest.mark.parametrize("where", ELECTRONS, ids=str)
def test_a_loss_pulls_the_fit_as_in_the_reference(
    where: Bin, radius: float, fraction: float
) -> None:
    """Within 2 % of the shift, and 0.03 of the error where there is none to first order."""
    sent = particle(where)
    path, change = path_to(radius, sent), 1 / (1 - fraction) - 1
    found, sigma = measured_shift(sent, path, change)
    expected = shift_by_bend(experiment(), sent, Bend(path, 1 + change))
    np.testing.assert_allclose(found / sigma, expected / sigma, rtol=0.02, atol=0.03)
    assert abs(expected[2]) > 15 * sigma[2]


def test_a_loss_behind_the_last_hit_pulls_nothing() -> None:
    sent = particle(Bin("e", 1.0, 80, 40, 1))
    found, sigma = measured_shift(sent, path_to(112.0, sent), 0.5)
    np.testing.assert_allclose(found / sigma, 0, atol=1e-6)
