"""The particle gun: ranges, numbers, texts, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from darkbelle.errors import ConfigError
from darkbelle.gen import Origin, Outcome, ParticleGun, Status, TruthEvents
from darkbelle.gen.particles import MASS_MU
from darkbelle.geometry import Collider

P_MIN = 1e-4
N = 5000


def fire(collider: Collider, n: int = N, **parameters: object) -> TruthEvents:
    return ParticleGun(**parameters).generate(collider, n, np.random.default_rng(71))


def angles(events: TruthEvents) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Momentum, polar angle and azimuth."""
    p = events.particles
    pt = np.hypot(p.px, p.py)
    return np.hypot(pt, p.pz), np.arctan2(pt, p.pz), np.arctan2(p.py, p.px)


def uniform(values: np.ndarray, low: float, high: float) -> bool:
    return stats.kstest((values - low) / (high - low), "uniform").pvalue > P_MIN


def test_numbers_fix_a_quantity(collider: Collider):
    events = fire(collider, p=1.5, theta=1.0, phi=0.5, vertex=(1, 2, -3))
    p, theta, phi = angles(events)
    assert p == pytest.approx(1.5, rel=1e-12)
    assert theta == pytest.approx(1.0, rel=1e-12)
    assert phi == pytest.approx(0.5, rel=1e-12)
    assert events.particles.e == pytest.approx(math.hypot(1.5, MASS_MU), rel=1e-12)
    start = np.stack([events.particles.x, events.particles.y, events.particles.z])
    assert np.all(start == [[1], [2], [-3]])


def test_ranges_are_filled_evenly(collider: Collider):
    ranges = {"p": (0.5, 3.0), "theta": (0.5, 2.0), "phi": (-1.0, 1.0)}
    events = fire(collider, **ranges, vertex=((-1, 1), 0.5, (10, 20)))
    p, theta, phi = angles(events)
    assert uniform(p, *ranges["p"])
    assert uniform(np.cos(theta), math.cos(2.0), math.cos(0.5))
    assert uniform(phi, *ranges["phi"])
    assert uniform(events.particles.x, -1, 1)
    assert np.all(events.particles.y == 0.5)
    assert uniform(events.particles.z, 10, 20)


def test_transverse_momentum(collider: Collider):
    events = fire(collider, pt=(0.2, 0.4), theta=(0.3, 2.8))
    p, theta, _ = angles(events)
    assert uniform(p * np.sin(theta), 0.2, 0.4)


def test_whole_sphere_from_the_luminous_region_by_default(collider: Collider):
    events = fire(collider, p=1)
    _, theta, phi = angles(events)
    assert uniform(np.cos(theta), -1, 1)
    assert uniform(phi, -math.pi, math.pi)
    sigma = np.sqrt(np.diag(collider.luminous_covariance()))
    for i, name in enumerate("xyz"):
        values = getattr(events.particles, name)
        assert np.all(values == events.vertex[i])
        assert stats.kstest(values / sigma[i], "norm").pvalue > P_MIN


def test_one_particle_an_event(collider: Collider):
    events = fire(collider, 10, p=1, pdg_id=-211)
    particles = events.particles
    assert events.offsets.tolist() == list(range(11))
    assert np.all(particles.pdg_id == -211)
    assert np.all(particles.status == Status.FINAL)
    assert np.all(particles.origin == Origin.GUN)
    assert np.all(particles.parent == -1)
    assert particles.mass == pytest.approx(0.13957, abs=1e-5)
    assert np.all(events.weight == 1)
    assert events.cross_section is None


def test_command_line_texts():
    """What comes from key=value on the command line."""
    gun = ParticleGun(p="0.5, 3", theta="1.2", pdg_id="11", vertex=("-1,1", "0", 2))
    assert gun.p == (0.5, 3.0)
    assert gun.theta == (1.2, 1.2)
    assert gun.vertex == ((-1.0, 1.0), (0.0, 0.0), (2.0, 2.0))
    assert ParticleGun(**gun.model_dump()) == gun


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "give either p or pt"),
        ({"p": 1, "pt": 1}, "give either p or pt"),
        ({"p": -1}, "p: must lie between 0 and 1000 GeV"),
        ({"p": 0}, "p: must lie between 0 and 1000 GeV"),
        ({"p": (3, 1)}, "p: a range needs low <= high (got 3.0, 1.0)"),
        ({"p": math.nan}, "p.0: Input should be a finite number"),
        ({"pt": (1, math.inf)}, "pt.1: Input should be a finite number"),
        ({"p": "fast"}, "p.0: "),
        ({"p": "1,2,3"}, "p"),
        ({"p": 1, "theta": (-0.1, 1)}, "theta: must lie between 0 and pi"),
        ({"p": 1, "theta": 3.2}, "theta: must lie between 0 and pi"),
        ({"pt": 1, "theta": (0, 1)}, "theta: a gun in pt cannot fire along the beam axis"),
        ({"p": 1, "phi": (1, -1)}, "phi: a range needs"),
        ({"p": 1, "vertex": (1, 2)}, "vertex"),
        ({"p": 1, "vertex": ((2, 1), 0, 0)}, "x: a range needs"),
        ({"p": 1, "pdg_id": 9_900_099}, "pdg_id 9900099 is no known particle"),
        ({"p": 1, "pdg_id": 55}, "pdg_id: Z' has no mass of its own"),
        ({"p": 1, "pdg_id": 1.5}, "pdg_id: "),
        ({"momentum": 1}, "unknown key 'momentum', known: p, pdg_id, phi"),
        ({"p": 1, "tehta": 1}, "unknown key 'tehta', did you mean 'theta'?"),
    ],
)
def test_bad_input(parameters: dict, message: str):
    with pytest.raises(ConfigError) as caught:
        ParticleGun(**parameters)
    text = str(caught.value)
    assert text.startswith("particle-gun: ")
    assert message in text
    assert "\n" not in text


def test_transverse_gun_must_not_fire_backward_along_the_axis():
    with pytest.raises(ConfigError):
        ParticleGun(pt=1, theta=math.pi)


def test_invalid_particle_code():
    with pytest.raises(ConfigError):
        ParticleGun(p=1, pdg_id=0)


def test_truth_is_no_number():
    with pytest.raises(ConfigError, match="p: must not be true"):
        ParticleGun(p=True)


def test_a_point_and_its_bounds():
    assert ParticleGun(p=1, vertex="0,1,2").vertex == ((0, 0), (1, 1), (2, 2))
    for bad in ({"p": 1e4}, {"p": 1, "vertex": (0, 0, 1e5)}, {"pt": 1, "theta": 1e-6}):
        with pytest.raises(ConfigError):
            ParticleGun(**bad)


@pytest.mark.parametrize("pdg_id", [2224, -2224])
def test_double_charges_are_refused(pdg_id: int):
    with pytest.raises(ConfigError, match=r"charge -?2"):
        ParticleGun(p=1, pdg_id=pdg_id)


@pytest.mark.parametrize(
    ("pdg_id", "daughters"),
    [
        (310, {211, -211, 111, 22}),
        (3122, {2212, -211, 2112, 111, 22}),
        (-3122, {-2212, 211, -2112, 111, 22}),
        (111, {22}),
    ],
)
def test_what_lives_too_shortly_decays(collider: Collider, pdg_id: int, daughters: set[int]):
    """The particle fired stays the first of its event, its daughters start where it ends."""
    events = fire(collider, 200, p=(1, 2), pdg_id=pdg_id)
    p = events.particles
    first = events.offsets[:-1]
    assert np.all(p.pdg_id[first] == pdg_id)
    assert np.all(p.origin[first] == Origin.GUN)
    assert np.all(p.status[first] == Status.DECAYED)
    assert np.all(p.outcome[first] == Outcome.DECAYED)
    born = p.parent >= 0
    assert born.sum() + 200 == len(p)
    assert np.all(p.origin[born] == Origin.DECAY)
    assert set(p.pdg_id[born]) == daughters
    children = p.parent == 0
    mother = first[events.event_index()[children]]
    np.testing.assert_array_equal(p.x[children], p.decay_x[mother])
    flight = np.hypot(p.decay_x - p.x, p.decay_y - p.y)[first]
    assert (flight.mean() > 1) == (pdg_id != 111)
