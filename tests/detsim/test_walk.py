"""What particles lose on their way to the calorimeter, walked through the material or not."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.detsim import walk
from darkbelle.detsim.energy_loss import relative_loss
from darkbelle.detsim.helices import Helices
from darkbelle.detsim.interactions import interact
from darkbelle.gen.events import Origin, Outcome
from darkbelle.gen.particles import KAON, MUON, PION
from darkbelle.geometry import Surface
from tests.detsim.sending import beam, belle2, mass_of, no_material, one_each

BEAM_PIPE, SILICON, CHAMBER = 0.51, 0.07 + 4 * 0.39, 0.18 + 1.55 + 0.195
"""Mean loss of a minimum-ionising particle at 90 deg [MeV], as the card has it.

One layer of pixels: the second covers an eighth of the azimuth. The gas is 0.195 MeV.
"""


def lost(pdg_id: int, p: float, theta_deg: float, *overrides: str) -> np.ndarray:
    """What particles from the origin have lost where they meet the calorimeter [MeV]."""
    truth = one_each(pdg_id, beam(p, theta_deg, 1_000))
    arrivals = interact(truth, belle2(*overrides), np.random.default_rng(1)).arrivals
    own = arrivals.pdg_id == pdg_id
    assert own.sum() > 400
    loss: np.ndarray = 1e3 * (np.hypot(p, mass_of(pdg_id)) - arrivals.momentum[0, own])
    return loss


@pytest.mark.parametrize("p", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("pdg_id", [MUON, PION, -KAON])
def test_loss_at_right_angles(pdg_id: int, p: float) -> None:
    """The sum over the card times Bethe's curve; 3 to 7 MeV, and nobody goes for free."""
    loss = lost(pdg_id, p, 90)
    beta_gamma = p / mass_of(pdg_id)
    expected = (BEAM_PIPE + SILICON + CHAMBER) * float(relative_loss(np.array(beta_gamma)))
    np.testing.assert_allclose(loss, expected, rtol=0.1)
    assert ((loss > 3) & (loss < 7)).all()


@pytest.mark.parametrize("theta_deg", [14.0, 18.0, 25.0, 35.0, 60.0, 90.0, 120.0, 140.0, 150.0])
@pytest.mark.parametrize(("pdg_id", "p"), [(MUON, 0.5), (PION, 1.0), (KAON, 3.0)])
def test_those_that_are_not_walked_lose_as_much(
    pdg_id: int, p: float, theta_deg: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those that are led through each surface, but for curvature and gaps of the pixels.

    A muon of pt = 0.43 GeV turns by 36 deg up to the outer wall, whose 1.55 of 4.1 MeV are then
    1/cos(36 deg) = 1.23 as thick: 8 % in all.
    """
    quick = lost(pdg_id, p, theta_deg)

    def unclear(tracks: Helices, surfaces: tuple[Surface, ...]) -> np.ndarray:
        del surfaces
        return np.full(len(tracks), np.inf)

    monkeypatch.setattr(walk, "_most_oblique", unclear)
    walked = lost(pdg_id, p, theta_deg)
    assert quick.mean() == pytest.approx(walked.mean(), rel=0.08)
    np.testing.assert_allclose(quick, walked.mean(), rtol=0.1)


def test_nothing_is_lost_in_nothing() -> None:
    for theta_deg in (20.0, 90.0):
        np.testing.assert_allclose(lost(MUON, 1.0, theta_deg, *no_material()), 0.0, atol=1e-9)


def test_what_decays_has_lost_what_it_has_crossed() -> None:
    """Nothing within the beam pipe, its wall and the silicon before the chamber, all behind it."""
    n, p = 60_000, 1.0
    truth = one_each(KAON, beam(p, 90, n))
    particles = interact(truth, belle2(), np.random.default_rng(2)).truth
    table, event = particles.particles, particles.event_index()
    born = table.origin == Origin.DECAY_IN_FLIGHT
    daughters = born & (table.parent == 0)
    energy = np.bincount(event[daughters], table.e[daughters], n)
    first = particles.offsets[:-1]
    decayed = table.outcome[first] == Outcome.DECAYED
    radius = np.hypot(table.decay_x[first], table.decay_y[first])
    loss = 1e3 * (np.hypot(p, mass_of(KAON)) - energy)
    scale = float(relative_loss(np.array(p / mass_of(KAON))))
    for low, high, crossed in (
        (0.0, 1.0, 0.0),
        (1.6, 3.7, BEAM_PIPE + 0.07),
        (14.5, 16.0, BEAM_PIPE + SILICON),
        (113.0, 124.9, BEAM_PIPE + SILICON + CHAMBER),
    ):
        there = decayed & (radius > low) & (radius < high)
        assert there.sum() > 50
        np.testing.assert_allclose(loss[there], crossed * scale, rtol=0.15, atol=1e-6)
