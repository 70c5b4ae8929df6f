"""The running of alpha; values at time-like q stand against a table in ``tests/reference``."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from darkbelle.gen.particles import MASS_E, MASS_MU, MASS_TAU
from darkbelle.gen.vacuum_polarisation import delta_alpha, hadronic, leptonic, running_factor
from darkbelle.units import ALPHA_EM


def loop_integral(q2: float, mass: float) -> float:
    """(2 alpha/pi) times the integral of x (1 - x) ln|1 - x (1 - x) q^2/m^2|."""
    ratio = q2 / mass**2
    poles = [] if ratio < 4 else [(1 - np.sqrt(1 - 4 / ratio)) / 2]
    half, _ = quad(
        lambda x: x * (1 - x) * np.log(abs(1 - x * (1 - x) * ratio)),
        *(0, 0.5),
        points=poles or None,
        limit=200,
    )
    return 4 * ALPHA_EM / np.pi * half


@pytest.mark.parametrize(
    "q2", [-112.0, -1.0, -1e-3, 1e-9, 1e-3, 0.04, 0.06, 1.0, 12.0, 13.0, 112.0]
)
def test_leptons_are_the_integral_over_the_loop(q2: float):
    expected = sum(loop_integral(q2, mass) for mass in (MASS_E, MASS_MU, MASS_TAU))
    assert leptonic(np.array([q2])) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("mass", [MASS_E, MASS_MU, MASS_TAU])
@pytest.mark.parametrize("z", [-0.02, 0.02, 1.0])
def test_no_step_between_the_forms_of_the_loop(mass: float, z: float):
    q2 = 4 * mass**2 * z * np.array([1 - 1e-9, 1 + 1e-9])
    low, high = leptonic(q2)
    # The slope is infinite on one side of the threshold, as a square root.
    assert low == pytest.approx(high, rel=1e-4 if z == 1 else 1e-8)


def test_hadrons_join_at_the_edges():
    """To the digits of the fit, 5e-6 in delta alpha, and even in q^2."""
    for edge in (0.7, 2.0, 4.0, 10.0):
        low, high = hadronic(np.array([edge * (1 - 1e-9), edge * (1 + 1e-9)]) ** 2)
        assert low == pytest.approx(high, abs=5e-6)
    assert hadronic(np.array([-30.0])) == hadronic(np.array([30.0]))


def test_coupling_at_the_z():
    """Published: leptons 0.03142 at one loop, hadrons 0.02761 (Burkhardt and Pietrzyk 2001)."""
    q2 = np.array([91.1876**2])
    assert leptonic(q2) == pytest.approx(0.03142, abs=1e-5)
    assert hadronic(q2) == pytest.approx(0.02761, abs=5e-5)


def test_on_shell_coupling_does_not_run():
    assert delta_alpha(np.zeros(1)) == 0
    assert running_factor(np.zeros(1)) == 1
    assert delta_alpha(np.zeros(0)).shape == (0,)
