"""The double-sided Crystal Ball against quadrature and its definition."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from darkbelle.samples.fits.crystal_ball import DoubleCrystalBall

SHAPES = [
    DoubleCrystalBall(1.0, 0.2, 1.2, 3.0, 0.9, 1.5),
    DoubleCrystalBall(-3.0, 2.0, 0.3, 1.2, 4.0, 40.0),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_is_normalised_and_integrates_to_its_cdf(shape):
    ends = shape.mean + shape.sigma * np.array([-50.0, -2.0, -0.1, 0.5, 3.0, 60.0])
    kinks = [shape.mean - shape.alpha_lo * shape.sigma, shape.mean + shape.alpha_hi * shape.sigma]
    for low, high in pairwise(ends):
        inside = [kink for kink in kinks if low < kink < high] or None
        area = quad(shape.pdf, low, high, points=inside, epsabs=1e-11)[0]
        assert area == pytest.approx(shape.cdf(high) - shape.cdf(low), abs=1e-9)
    far = 1e30 * shape.sigma
    assert shape.cdf(np.array([-far, far])) == pytest.approx([0, 1], abs=1e-5)
    assert quad(shape.pdf, ends[1], ends[4], args=((ends[1], ends[4]),))[0] == pytest.approx(1)
    assert shape.pdf(ends[5], (ends[0], ends[1])) == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_is_what_skwarnicki_wrote(shape):
    """exp(-t^2/2), and (n/a)^n exp(-a^2/2) (n/a - a + |t|)^-n beyond a."""
    t = np.linspace(-9, 9, 181)
    powers = []
    for a, n in ((shape.alpha_lo, shape.n_lo), (shape.alpha_hi, shape.n_hi)):
        with np.errstate(invalid="ignore"):
            powers.append((n / a) ** n * np.exp(-(a**2) / 2) * (n / a - a + np.abs(t)) ** -n)
    expected = np.where(t < -shape.alpha_lo, powers[0], np.exp(-(t**2) / 2))
    expected = np.where(t > shape.alpha_hi, powers[1], expected)
    x = shape.mean + t * shape.sigma
    assert shape.pdf(x) / shape.pdf(shape.mean) == pytest.approx(expected, rel=1e-9)


def test_tails_become_gaussian():
    gaussian = DoubleCrystalBall(0.0, 1.0, 5.0, 50.0, 5.0, 50.0)
    x = np.linspace(-4, 4, 9)
    normal = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    assert gaussian.pdf(x) == pytest.approx(normal, rel=1e-5)
    assert gaussian.pdf(np.empty(0)).shape == (0,)
