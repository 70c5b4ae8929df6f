"""The strong coupling at two loops."""

from __future__ import annotations

import math
from typing import Final

from scipy.optimize import brentq

__all__ = ["alpha_s"]

_AT_Z: Final = 0.118
_MASS_Z: Final = 91.1876
"""GeV"""
_THRESHOLDS: Final = ((5, 4.18), (4, 1.27), (3, 0.0))
"""Flavours and the scale [GeV] down to which there are that many."""


def alpha_s(scale: float) -> float:
    """Coupling at a scale [GeV] below the mass of the Z, continuous at the masses of b and c.

    PDG 2024, review of quantum chromodynamics, section 9.1.1; diverges at 0.3 GeV.
    """
    value, at = _AT_Z, _MASS_Z
    for n_flavours, end in _THRESHOLDS:
        down_to = max(scale, end)
        value, at = _run(value, at, down_to, n_flavours), down_to
        if scale >= end:
            break
    return value


def _run(value: float, start: float, end: float, n_flavours: int) -> float:
    """Solution of d alpha/d ln(mu^2) = -b0 alpha^2 (1 + c alpha)."""
    b0 = (33 - 2 * n_flavours) / (12 * math.pi)
    c = (153 - 19 * n_flavours) / (2 * math.pi * (33 - 2 * n_flavours))

    def potential(alpha: float) -> float:
        return 1 / alpha + c * math.log(alpha / (1 + c * alpha))

    wanted = potential(value) + 2 * b0 * math.log(end / start)
    return float(brentq(lambda alpha: potential(alpha) - wanted, value / 2, 10.0, xtol=1e-13))
