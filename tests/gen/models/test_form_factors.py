"""Form factors of B -> K and B -> K*."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.gen.models.form_factors import BALL_ZWICKY, Z_EXPANSION, SeriesExpansion

END_K, END_KSTAR = (5.27972 - 0.497611) ** 2, (5.27972 - 0.89556) ** 2


def test_choices_agree():
    """As well as their papers do: 0.3 % in f0, in A0 1.5 % at q^2 = 0 and less well above."""
    for q2 in np.linspace(0, END_K, 20):
        assert Z_EXPANSION.f0(q2) == pytest.approx(BALL_ZWICKY.f0(q2), rel=4e-3)
    for q2 in np.linspace(0, END_KSTAR, 20):
        assert Z_EXPANSION.a0(q2) == pytest.approx(BALL_ZWICKY.a0(q2), rel=0.3)
    assert Z_EXPANSION.a0(0) == pytest.approx(BALL_ZWICKY.a0(0), rel=0.015)


def test_values_at_rest():
    assert Z_EXPANSION.f0(0.0) == 0.32909
    assert BALL_ZWICKY.a0(0.0) == pytest.approx(1.364 - 0.990, rel=1e-12)


def test_expansion_is_centred():
    """The variable has opposite values at q^2 = 0 and at the end, as its origin is chosen to."""
    linear = SeriesExpansion((0.0, 1.0), 1e6, 5.27972, 0.497611)
    assert linear(END_K) == pytest.approx(2 * linear._z(END_K), rel=1e-9)
    assert linear._z(0.0) == pytest.approx(-linear._z(END_K), rel=1e-9)
