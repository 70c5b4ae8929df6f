"""Where photons convert: an X-ray picture of the detector, against the material of its card."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from darkbelle.detsim.interactions import interact
from darkbelle.gen import ParticleGun
from darkbelle.gen.events import Origin, Outcome, Particles
from darkbelle.geometry import Experiment, load
from tests.physics.straight_rays import (
    Met,
    expected_ends,
    gas_limits,
    is_in_material,
    layers_on_ray,
)

P_VALUE = 1e-5
ANGLES = [90.0, 45.0, 25.0, 60.0, 120.0]
POINT = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0))


@cache
def belle2(*overrides: str) -> Experiment:
    return load("belle2", overrides)


@cache
def photons(theta_deg: tuple[float, float], n: int, *overrides: str, seed: int = 1) -> Particles:
    """The photons that are sent from the origin, with their ends."""
    theta = tuple(math.radians(angle) for angle in theta_deg)
    gun = ParticleGun(pdg_id=22, p=200.0, theta=theta, vertex=POINT)  # fully screened
    experiment, rng = belle2(*overrides), np.random.default_rng(seed)
    truth = gun.prepare(experiment.collider, rng).generate(n, rng)
    return interact(truth, experiment, rng).truth.particles


def ends(particles: Particles) -> np.ndarray:
    """Radius, z and azimuth of the conversions of the photons that were sent, (3, n)."""
    converted = (particles.origin == Origin.GUN) & (particles.outcome == Outcome.CONVERTED)
    x, y, z = (getattr(particles, f"decay_{name}")[converted] for name in "xyz")
    return np.stack([np.hypot(x, y), z, np.arctan2(y, x)])


def counts(radius: np.ndarray, layers: list[Met]) -> np.ndarray:
    return np.array([np.sum((radius >= m.r_min) & (radius <= m.r_max)) for m in layers])


def assert_expected(found: np.ndarray, layers: list[Met], n: int) -> None:
    """Layer by layer and all together."""
    rate = 7 / 9 * np.array([layer.x0 for layer in layers])
    expected = expected_ends(layers, rate)
    for layer, number, probability in zip(layers, found, expected, strict=True):
        test = stats.binomtest(int(number), n, probability)
        assert test.pvalue > P_VALUE, (layer.name, number / n, probability)
    chi2 = np.sum((found - n * expected) ** 2 / (n * expected * (1 - expected)))
    assert stats.chi2(len(layers)).sf(chi2) > P_VALUE


@pytest.mark.parametrize("theta_deg", ANGLES)
def test_every_layer_converts_what_its_thickness_says(theta_deg: float) -> None:
    """1 - exp(-7/9 X/X0 over the sine), slanted sensors by their own angle; nothing elsewhere."""
    n = 100_000
    radius, *_ = ends(photons((theta_deg, theta_deg), n))
    layers = layers_on_ray(belle2(), theta_deg)
    found = counts(radius, layers)
    assert_expected(found, layers, n)
    if any(layer.name == "gas" for layer in layers):
        assert found.sum() == len(radius)


@pytest.mark.validation
@pytest.mark.parametrize("theta_deg", [90.0, 45.0])
def test_every_layer_with_a_million_photons(theta_deg: float) -> None:
    n = 1_000_000
    radius, *_ = ends(photons((theta_deg, theta_deg), n, seed=2))
    layers = layers_on_ray(belle2(), theta_deg)
    assert len(layers) == 10
    assert_expected(counts(radius, layers), layers, n)


def test_a_slanted_layer_is_thicker_by_its_angle() -> None:
    """At 25 deg the ray meets the three cones, inclined by 11.9, 16.0 and 21.1 deg, no barrel."""
    layers = {layer.name: layer for layer in layers_on_ray(belle2(), 25.0)}
    for name, inclined in (("svd4", 11.9), ("svd5", 16.0), ("svd6", 21.1)):
        assert name not in layers
        expected = 0.007 / math.sin(math.radians(25.0 + inclined))
        assert layers[f"{name}.slanted"].x0 == pytest.approx(expected, rel=2e-3)


def test_material_filled_from_end_to_end() -> None:
    """Pipe, walls and gas convert at every depth alike; over them the beam fades by 2 % at most."""
    radius, *_ = ends(photons((90.0, 90.0), 100_000))
    shells = [(layer.r_min_cm, layer.r_max_cm) for layer in belle2().passive.values()]
    shells.append(gas_limits(belle2()))
    for low, high in shells:
        inside = radius[(radius >= low) & (radius <= high)]
        assert len(inside) > 150
        assert stats.kstest((inside - low) / (high - low), "uniform").pvalue > P_VALUE


def test_sensors_are_met_by_half_of_what_starts_there() -> None:
    """Conversions in silicon lie on both sides of the sensor, never where rounding decides."""
    radius, *_ = ends(photons((90.0, 90.0), 100_000))
    for silicon in belle2().silicon.values():
        depth = radius[np.abs(radius - silicon.radius_cm) < 0.1] - silicon.radius_cm
        assert np.abs(depth).max() < 0.016
        assert np.abs(depth).min() > 1e-9
        assert stats.binomtest(int(np.sum(depth < 0)), len(depth)).pvalue > P_VALUE


def test_the_second_pixel_layer_of_run_1() -> None:
    """Its two ladders stand between 75 and 135 deg."""
    radius, _, azimuth = ends(photons((60.0, 120.0), 150_000))
    layer = belle2().silicon["pxd2"]
    there = np.degrees(azimuth[np.abs(radius - layer.radius_cm) < 0.02])
    assert len(there) > 20
    assert ((there > 75) & (there < 135)).all()


def test_the_gap_of_the_first_pixel_layer() -> None:
    """No material between its modules at z = 1.36 to 1.44 cm."""
    radius, z, _ = ends(photons((35.0, 60.0), 100_000))
    first = np.abs(radius - belle2().silicon["pxd1"].radius_cm) < 0.02
    assert first.sum() > 150
    assert not np.any(first & (z > 1.37) & (z < 1.43))


def test_the_handbook_s_cumulative_probabilities() -> None:
    """Handbook, section 4.2: 0.60, 0.91, 3.0, 3.3, 3.5, 5.1 % at 90 deg, with both pixel layers.

    Run 1 lacks 5/6 of the second: 3.4 % before the outer wall. 100,000 photons give 0.07 %.
    """
    limits = (1.3, 3.0, 15.0, 16.311, 112.045, 113.0)
    run2 = "silicon.pxd2.phi_range_deg=[0.0, 360.0]"
    n = 100_000
    both, *_ = ends(photons((90.0, 90.0), n, run2))
    found = [np.mean(both < limit) * len(both) / n for limit in limits]
    np.testing.assert_allclose(
        found, [0.0060, 0.0091, 0.030, 0.033, 0.035, 0.051], atol=0.0005 + 4 * 0.0007
    )
    run1, *_ = ends(photons((90.0, 90.0), n))
    before_wall = np.sum(run1 < limits[-2]) / n
    assert before_wall == pytest.approx(0.0339, abs=4.5 * math.sqrt(0.0339 / n))
    assert before_wall == pytest.approx(0.035, rel=0.15)  # check 20


def test_the_picture_shows_nothing_but_the_card() -> None:
    """Photons of all directions convert only where the card has material."""
    radius, z, azimuth = ends(photons((5.0, 175.0), 150_000))
    assert len(radius) > 6_000
    inside = is_in_material(belle2(), radius * np.cos(azimuth), radius * np.sin(azimuth), z)
    assert inside.all()


def test_without_material_nothing_converts() -> None:
    overrides = [f"passive.{name}.thickness_x0=0.0" for name in belle2().passive]
    overrides += [f"silicon.{name}.thickness_x0=0.0" for name in belle2().silicon]
    overrides.append("drift_chamber.material_x0_per_cm=0.0")
    sent = photons((17.0, 150.0), 10_000, *overrides)
    assert (sent.outcome == Outcome.ESCAPED).all()
    assert len(sent) == 10_000
