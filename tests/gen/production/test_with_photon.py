"""A photon with an axion-like particle or a dark photon."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from darkbelle.gen.kinematics import boost, dot, two_body
from darkbelle.gen.production.base import HardEvents
from darkbelle.gen.production.with_photon import (
    PhotonAlp,
    PhotonDarkPhoton,
    fermion_pair,
    scalars,
)

S = 10.58**2
P_MIN = 1e-3


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("mass", [0.1, 9.0])
def test_angle_of_an_alp(mass: float, seed: int):
    n = 100_000
    momenta, weight = PhotonAlp(mass, 1e-3).sample(np.full(n, S), np.random.default_rng([81, seed]))
    assert np.ptp(weight) == 0
    cosine = momenta[0, 3] / momenta[0, 0]
    assert stats.kstest(cosine, lambda c: 0.5 + (3 * c + c**3) / 8).pvalue > P_MIN


@pytest.mark.parametrize("mass", [0.1, 5.0, 10.0])
@pytest.mark.parametrize("degrees", [12.4, 60.0])
def test_angle_of_a_dark_photon_at_wide_angles(mass: float, degrees: float):
    """[1 + c^2 + 4 (1 - x)/x^2]/(1 - c^2), the mass of the electron being of no account."""
    hard = PhotonDarkPhoton(mass, 1e-3, theta_min=math.radians(degrees))
    rng = np.random.default_rng(82)
    momenta, weight = hard.sample(np.full(100_000, S), rng)
    photon = momenta[0][:, rng.random(len(weight)) < weight / weight.max()]
    x = 1 - mass**2 / S
    flat, edge = 2 + 4 * (1 - x) / x**2, math.cos(math.radians(degrees))

    def cumulative(c: np.ndarray) -> np.ndarray:
        return 0.5 + (flat * np.arctanh(c) - c) / (2 * (flat * math.atanh(edge) - edge))

    cosine = photon[3] / photon[0]
    assert np.abs(cosine).max() <= edge
    assert stats.kstest(cosine, cumulative).pvalue > P_MIN


@pytest.mark.parametrize("mass", [0.1, 5.0, 10.0])
def test_angle_of_a_dark_photon_at_all_angles(mass: float):
    """Leading power in the electron's mass m: with d = (1 - c^2) + 4 m^2/s from the beams,

    [1 + c^2 + 4 (1 - x)/x^2]/d - 8 (1 - x)/x^2 (m^2/s) (1 + c^2)/d^2, integrated numerically.
    """
    hard = PhotonDarkPhoton(mass, 1e-3)
    rng = np.random.default_rng(83)
    momenta, weight = hard.sample(np.full(100_000, S), rng)
    photon = momenta[0][:, rng.random(len(weight)) < weight / weight.max()]
    assert weight.mean() > 0.9 * weight.max()
    x, mu = 1 - mass**2 / S, 0.51099895e-3**2 / S
    z = 4 * (1 - x) / x**2

    def density(eta: np.ndarray) -> np.ndarray:
        """In the rapidity artanh(beta c)."""
        even = 1 + np.tanh(eta) ** 2
        return even + z - 2 * z * mu * even * np.cosh(eta) ** 2

    edge = math.log(1 / mu) / 2
    eta = np.linspace(-edge, edge, 20_001)
    cumulative = integrate.cumulative_simpson(density(eta), x=eta, initial=0)
    # sin^2 rather than the cosine: most photons are within a milliradian of the beams.
    sin2 = (photon[1] ** 2 + photon[2] ** 2) / photon[0] ** 2
    found = np.sign(photon[3]) * np.arccosh(1 / np.sqrt(sin2 + 4 * mu * (1 - sin2)))
    assert (
        stats.kstest(found, lambda y: np.interp(y, eta, cumulative / cumulative[-1])).pvalue > P_MIN
    )


@pytest.mark.parametrize("mass", [0.01, 1.0, 9.9])
def test_total_is_the_integral_over_the_angle(mass: float):
    """Cuts on the angle approach the full solid angle as they approach the beams."""
    angles = np.array([1e-6, 1e-9, 0.0])
    totals = [
        PhotonDarkPhoton(mass, 1.0, theta).cross_section(np.array([S]))[0] for theta in angles
    ]
    assert totals[0] < totals[1] <= totals[2]
    assert totals[0] == pytest.approx(totals[2], rel=1e-3)


def test_energy_min_of_the_photon():
    hard = PhotonDarkPhoton(3.0, 1e-3, energy_min=0.5)
    momenta, _ = hard.sample(np.array([hard.threshold + 1e-9]) ** 2, np.random.default_rng(84))
    assert momenta[0, 0] == pytest.approx(0.5, rel=1e-8)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.49])
@pytest.mark.parametrize("mass", [0.1, 1.0, 9.0])
def test_correlations_are_probabilities(mass: float, share: float):
    """Their means are (2/3)(1 + 2 r) and 2/3 in every event: three axes are exact."""
    n = 2000
    s = np.full(n, S)
    momenta, _ = PhotonDarkPhoton(mass, 1e-3, 0.2).sample(s, np.random.default_rng(85))
    events = HardEvents(s, np.stack([*np.zeros((3, n)), np.sqrt(s)]), momenta)
    vector = momenta[1]
    rest = np.sqrt(dot(vector, vector))
    for correlation, mean in ((fermion_pair, 2 / 3 * (1 + 2 * share**2)), (scalars, 2 / 3)):
        kept = []
        for cosine, phi in ((1.0, 0.0), (0.0, 0.0), (0.0, np.pi / 2)):
            angles = np.full(n, cosine), np.full(n, phi)
            pair = two_body(rest, share * mass, share * mass, *angles)
            kept.append(correlation(events, np.stack([boost(p, vector) for p in pair])))
        assert np.min(kept) > -1e-8
        assert np.max(kept) < 1 + 1e-8
        assert np.mean(kept, axis=0) == pytest.approx(mean, abs=1e-8)
