"""Published share of radiative decays of the J/psi, ``benchmarks/final_state_radiation.py``."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.final_state_radiation import LEAST_PHOTON, MASS_J_PSI, PUBLISHED, radiative_share
from darkbelle.gen.particles import MASS_E
from darkbelle.units import ALPHA_EM


def test_the_published_share_is_reproduced() -> None:
    value, error = PUBLISHED
    assert radiative_share(100_000) == pytest.approx(value, abs=error)


def test_the_share_is_that_of_the_splitting_function() -> None:
    """(alpha/pi) [1 + (1 - x)^2]/x [ln(s (1 - x)/m^2) - 1] dx, exponentiated: not known to 2 %."""
    edges = np.linspace(np.log(2 * LEAST_PHOTON / MASS_J_PSI), 0, 2001)
    x = np.exp((edges[1:] + edges[:-1]) / 2)
    log = 2 * np.log(MASS_J_PSI / MASS_E) + np.log1p(-x) - 1
    number = np.sum(ALPHA_EM / np.pi * (1 + (1 - x) ** 2) * log) * np.diff(edges)[0]
    assert radiative_share(100_000) == pytest.approx(1 - np.exp(-number), rel=0.03)
