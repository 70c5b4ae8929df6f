"""The frames between hard process and laboratory, and the source of unweighted annihilations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from darkbelle.gen.annihilation import Annihilations, AnnihilationSource
from darkbelle.gen.events import Origin, Outcome, Status
from darkbelle.gen.isr import X_MIN
from darkbelle.gen.kinematics import dot, to_rest_frame
from darkbelle.geometry import Collider

FloatArray = np.ndarray


@dataclass(frozen=True)
class TwoBody:
    """Two massless particles along the axis of the beams, cross-section 1/s."""

    threshold: float = 1.0

    def cross_section(self, s: FloatArray) -> FloatArray:
        return 1 / s

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        del rng
        half, zero = np.sqrt(s) / 2, np.zeros_like(s)
        first = np.stack([half, zero, zero, half])
        second = np.stack([half, zero, zero, -half])
        return np.stack([first, second]), 1 / s


@pytest.fixture(scope="module")
def events(collider: Collider) -> Annihilations:
    source = AnnihilationSource(TwoBody(), collider, isr=True, rng=np.random.default_rng(51))
    return source.draw(3000, np.random.default_rng(52))


def test_momentum_is_conserved(events: Annihilations):
    total = events.electron + events.positron
    final = events.hard.momenta.sum(axis=0) + events.photon
    assert np.abs(final - total).max() < 1e-12 * total[0].max()


def test_photon_energy_is_that_of_the_centre_of_mass(events: Annihilations):
    total = events.electron + events.positron
    s = dot(total, total)
    x = 1 - events.hard.s / s
    assert dot(events.photon, total) / s == pytest.approx(x / 2, abs=1e-12)
    assert np.abs(dot(events.photon, events.photon)).max() < 1e-12 * s.max()
    energy = events.photon[0] / (np.sqrt(s) / 2)
    assert np.all((energy == 0) | (energy > X_MIN / 2))
    # Of an exponentiated spectrum about x^0.0877 lies below x = 1e-4.
    assert np.mean(energy == 0) == pytest.approx(0.41, abs=0.05)


def test_photon_prefers_the_beams(events: Annihilations):
    """Half of the photons lie within 3 degrees of either beam, in the centre of mass."""
    rest = to_rest_frame(events.photon, events.electron + events.positron)
    beam = to_rest_frame(events.electron, events.electron + events.positron)
    hard = rest[0] > 0
    along = np.sum(rest[1:] * beam[1:], axis=0)[hard] / (rest[0] * beam[0])[hard]
    assert np.mean(np.abs(along) > np.cos(0.05)) > 0.5
    assert abs(np.mean(along > 0) - 0.5) < 4 * 0.5 / np.sqrt(hard.sum())


def test_hard_frame_has_the_beams_difference_along_z(events: Annihilations):
    """In the rest frame of the recoil, p(e-) - p(e+) points where the frame's z axis points."""
    recoil = events.electron + events.positron - events.photon
    axis = to_rest_frame(events.electron - events.positron, recoil)[1:]
    axis /= np.sqrt(np.sum(axis**2, axis=0))
    first = to_rest_frame(events.hard.momenta[0], recoil)
    assert first[0] == pytest.approx(np.sqrt(events.hard.s) / 2, rel=1e-10)
    assert np.abs(first[1:] / first[0] - axis).max() < 1e-9
    difference = to_rest_frame(events.hard.difference, recoil)
    assert np.abs(difference[0]).max() < 1e-9
    assert np.abs(difference[1:] / np.sqrt(events.hard.s) - axis).max() < 1e-9


def test_difference_of_the_hard_process(events: Annihilations):
    hard = events.hard
    assert dot(hard.difference, hard.difference) == pytest.approx(-hard.s, rel=1e-12)
    across = dot(hard.difference, hard.momenta.sum(axis=0))
    assert np.abs(across / hard.s).max() < 1e-12


def test_initial_slots(events: Annihilations):
    vertex = np.zeros((4, len(events.weight)))
    electron, positron, photon = events.initial_slots(vertex)
    assert (electron.pdg_id, positron.pdg_id, photon.pdg_id) == (11, -11, 22)
    assert (electron.status, photon.status) == (Status.BEAM, Status.FINAL)
    assert (electron.origin, electron.outcome) == (Origin.BEAM, Outcome.COLLIDED)
    assert photon.origin == Origin.INITIAL_STATE_RADIATION
    assert photon.events is not None
    assert photon.events.tolist() == np.flatnonzero(events.photon[0]).tolist()


def test_cross_section_without_radiation_or_spread(sharp_collider: Collider):
    rng = np.random.default_rng(54)
    source = AnnihilationSource(TwoBody(), sharp_collider, isr=False, rng=rng)
    assert source.cross_section.value == pytest.approx(1 / sharp_collider.sqrt_s**2, rel=1e-9)
    assert source.cross_section.error < 1e-9 * source.cross_section.value


@pytest.mark.parametrize("isr", [True, False])
def test_drawn_events(collider: Collider, *, isr: bool):
    source = AnnihilationSource(TwoBody(), collider, isr=isr, rng=np.random.default_rng(55))
    events = source.draw(500, np.random.default_rng(56))
    assert events.hard.momenta.shape == (2, 4, 500)
    assert events.weight == pytest.approx(1)
    assert np.any(events.photon[0] > 0) == isr


class Sloped(TwoBody):
    """As `TwoBody`, but with weights between 0 and 2, a tenth of them zero."""

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        momenta, weight = super().sample(s, rng)
        u = rng.random(len(s))
        momenta[0, 1] = u  # what the weight depends on, in a place nobody else needs
        return momenta, weight * np.where(u < 0.1, 0.0, 2 * u / 0.99)


def test_weighted_events(sharp_collider: Collider):
    """Impossible events are left out, and the weights are one on average."""
    rng = np.random.default_rng(57)
    source = AnnihilationSource(Sloped(), sharp_collider, isr=False, rng=rng)
    assert source.cross_section.value == pytest.approx(1 / sharp_collider.sqrt_s**2, rel=0.01)
    events = source.draw(20_000, rng, weighted=True)
    assert len(events.weight) == 20_000
    assert events.weight.min() > 0.1
    assert events.weight.mean() == pytest.approx(
        1, abs=4 * events.weight.std() / 20_000**0.5 + 0.005
    )
    assert source.draw(0, rng, weighted=True).weight.shape == (0,)
