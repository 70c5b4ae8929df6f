"""The frames between hard process and laboratory, and the source of unweighted annihilations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from darkbelle.gen.annihilation import Annihilations, AnnihilationSource
from darkbelle.gen.events import Origin, Outcome, Status
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
    final = sum(events.from_hard_frame(p) for p in events.momenta)
    final += events.from_beam_frame(events.photon)
    assert np.abs(final - total).max() < 1e-12 * total[0].max()


def test_photon_energy_is_that_of_the_centre_of_mass(events: Annihilations):
    total = events.electron + events.positron
    s = dot(total, total)
    x = 1 - events.s / s
    assert dot(events.from_beam_frame(events.photon), total) / s == pytest.approx(x / 2, abs=1e-12)
    assert events.photon[0] == pytest.approx(x * np.sqrt(s) / 2, abs=1e-12)
    assert np.mean(events.photon[0] == 0) == pytest.approx(0.3, abs=0.05)


def test_beam_frame_has_the_electrons_along_z(events: Annihilations):
    """A momentum along z comes out along the electron beam as seen from the centre of mass."""
    total = events.electron + events.positron
    along = np.zeros_like(total)
    along[0] = along[3] = np.sqrt(dot(total, total)) / 2
    assert events.from_beam_frame(along) == pytest.approx(events.electron, abs=1e-12)


def test_hard_frame_has_the_beams_difference_along_z(events: Annihilations):
    """In the rest frame of the recoil, p(e-) - p(e+) points where the frame's z axis points."""
    total = events.electron + events.positron
    recoil = total - events.from_beam_frame(events.photon)
    axis = to_rest_frame(events.electron - events.positron, recoil)[1:]
    axis /= np.sqrt(np.sum(axis**2, axis=0))
    first = to_rest_frame(events.from_hard_frame(events.momenta[0]), recoil)
    assert first[0] == pytest.approx(np.sqrt(events.s) / 2, rel=1e-10)
    assert np.abs(first[1:] / first[0] - axis).max() < 1e-9


def test_frames_are_reached_by_rotations_and_boosts(events: Annihilations):
    """Products of any two momenta survive."""
    rng = np.random.default_rng(53)
    flight = rng.normal(size=(2, 3, len(events.s)))
    p, q = (np.stack([np.sqrt(np.sum(f**2, axis=0) + 0.1), *f]) for f in flight)
    for to_lab in (events.from_beam_frame, events.from_hard_frame):
        product = dot(to_lab(p), to_lab(q))
        scale = to_lab(p)[0] * to_lab(q)[0]
        assert np.abs((product - dot(p, q)) / scale).max() < 1e-10


def test_initial_slots(events: Annihilations):
    vertex = np.zeros((4, len(events.s)))
    electron, positron, photon = events.initial_slots(vertex)
    assert (electron.pdg_id, positron.pdg_id, photon.pdg_id) == (11, -11, 22)
    assert (electron.status, photon.status) == (Status.BEAM, Status.FINAL)
    assert (electron.origin, electron.outcome) == (Origin.BEAM, Outcome.COLLIDED)
    assert photon.origin == Origin.INITIAL_STATE_RADIATION
    assert np.all(photon.present == (events.photon[0] > 0))


def test_cross_section_without_radiation_or_spread(sharp_collider: Collider):
    rng = np.random.default_rng(54)
    source = AnnihilationSource(TwoBody(), sharp_collider, isr=False, rng=rng)
    assert source.cross_section.value == pytest.approx(1 / sharp_collider.sqrt_s**2, rel=1e-9)
    assert source.cross_section.error < 1e-9 * source.cross_section.value


@pytest.mark.parametrize("isr", [True, False])
def test_drawn_events(collider: Collider, *, isr: bool):
    source = AnnihilationSource(TwoBody(), collider, isr=isr, rng=np.random.default_rng(55))
    events = source.draw(500, np.random.default_rng(56))
    assert events.momenta.shape == (2, 4, 500)
    assert events.weight == pytest.approx(1)
    assert np.any(events.photon[0] > 0) == isr


def test_first_events_do_not_depend_on_the_boost_of_the_others(events: Annihilations):
    """Frames act event by event: part of the events gives part of the result."""
    part = Annihilations(
        events.electron[:, :10],
        events.positron[:, :10],
        events.photon[:, :10],
        events.momenta[:, :, :10],
        events.s[:10],
        events.weight[:10],
    )
    expected = events.from_hard_frame(events.momenta[0])[:, :10]
    assert part.from_hard_frame(part.momenta[0]) == pytest.approx(expected, rel=1e-13)
