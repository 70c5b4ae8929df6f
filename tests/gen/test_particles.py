"""Particle data: our own dark states first, the ``particle`` package for the rest."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen.particles import (
    CHI1,
    MASS_E,
    MASS_MU,
    MASS_TAU,
    Z_PRIME,
    charges,
    is_invisible,
    species,
)


@pytest.mark.parametrize(
    ("pdg_id", "charge", "mass"),
    [
        (11, -1, MASS_E),
        (-13, 1, MASS_MU),
        (15, -1, MASS_TAU),
        (22, 0, 0.0),
        (211, 1, 0.13957039),
        (-2212, -1, 0.93827209),
    ],
)
def test_known_particles(pdg_id: int, charge: int, mass: float):
    known = species(pdg_id)
    assert known.charge == charge
    assert known.mass == pytest.approx(mass, rel=1e-4)
    assert not known.invisible


@pytest.mark.parametrize("pdg_id", [CHI1, -CHI1, Z_PRIME, 12, -14, 16])
def test_invisible_particles(pdg_id: int):
    assert species(pdg_id).invisible
    assert species(pdg_id).charge == 0


@pytest.mark.parametrize(
    "pdg_id",
    [
        pytest.param(1, id="charge of a third"),
        pytest.param(9_900_099, id="not in the table"),
        pytest.param(0, id="no code"),
        pytest.param(999_999_999, id="no code of nine digits"),
    ],
)
def test_no_particle_of_its_own(pdg_id: int):
    with pytest.raises(ConfigError, match=f"pdg_id {pdg_id} "):
        species(pdg_id)


def test_arrays():
    codes = np.array([11, -11, 22, 55, 11, 14], np.int32)
    assert charges(codes).tolist() == [-1, 1, 0, 0, -1, 0]
    assert is_invisible(codes).tolist() == [False, False, False, True, False, True]
    assert charges(codes[:0]).shape == is_invisible(codes[:0]).shape == (0,)
