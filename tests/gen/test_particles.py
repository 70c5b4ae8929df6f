"""Particle data: our own dark states first, the ``particle`` package for the rest."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darkbelle.errors import ConfigError
from darkbelle.gen.particles import (
    CHI1,
    HNL,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MASS_E,
    MASS_MU,
    MASS_TAU,
    MUON,
    NEUTRON,
    NU_MU,
    PHOTON,
    PI0,
    PION,
    PROTON,
    Z_PRIME,
    charges,
    conjugate,
    ctaus,
    is_hadron,
    is_invisible,
    is_unknown,
    masses,
    species,
    species_in_record,
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


@pytest.mark.parametrize("pdg_id", [CHI1, -CHI1, HNL, -HNL, Z_PRIME, 12, -14, 16])
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
    for look_up in (charges, is_invisible, masses, ctaus):
        assert look_up(codes[:0]).shape == (0,)


def test_codes_of_other_generators_in_arrays():
    """Neutral, stable and unseen, though nobody may ask for them by hand; quarks stay refused."""
    codes = np.array([9_000_005, -4_900_023, 54_321, 13], np.int32)
    assert charges(codes).tolist() == [0, 0, 0, -1]
    assert is_invisible(codes).tolist() == [True, True, True, False]
    assert ctaus(codes)[:3].tolist() == [np.inf] * 3
    assert is_hadron(codes).tolist() == [False] * 4
    assert [is_unknown(code) for code in (9_000_005, 13, 1, 55)] == [True, False, False, False]
    assert species_in_record(-4_900_023).name == "pdg_id -4900023"
    with pytest.raises(ConfigError, match="integer charge"):
        charges(np.array([9_000_005, 2], np.int32))


@pytest.mark.parametrize(
    ("pdg_id", "name", "mass", "ctau"),
    [
        # PDG 2024: masses in GeV; c tau = c times the mean life, in cm
        (MUON, "mu-", 0.1056583755, 65863.8),
        (PION, "pi+", 0.13957039, 780.45),
        (-PION, "pi-", 0.13957039, 780.45),
        (KAON, "K+", 0.493677, 371.1),
        (K_S, "K(S)0", 0.497611, 2.6844),
        (K_L, "K(L)0", 0.497611, 1533.7),
        (PI0, "pi0", 0.1349768, 2.527e-6),
        (LAMBDA, "Lambda", 1.115683, 7.85),
        (PROTON, "p", 0.93827209, math.inf),
        (NEUTRON, "n", 0.93956542, 2.633e13),
        (PHOTON, "gamma", 0.0, math.inf),
        (NU_MU, "nu(mu)", 0.0, math.inf),
    ],
)
def test_masses_and_lifetimes(pdg_id: int, name: str, mass: float, ctau: float):
    known = species(pdg_id)
    assert known.name == name
    assert known.mass == pytest.approx(mass, rel=1e-7)
    assert known.ctau == pytest.approx(ctau, rel=1e-3)
    codes = np.array([pdg_id, MUON], np.int32)
    assert masses(codes).tolist() == [known.mass, species(MUON).mass]
    assert ctaus(codes).tolist() == [known.ctau, species(MUON).ctau]


def test_a_dark_state_has_neither_mass_nor_life_of_its_own():
    codes = np.array([MUON, Z_PRIME], np.int32)
    assert ctaus(codes)[1] == math.inf
    with pytest.raises(ConfigError, match="Z' has no mass of its own"):
        masses(codes)


@pytest.mark.parametrize("pdg_id", [MUON, NU_MU, PION, KAON, PROTON, LAMBDA])
def test_antiparticles(pdg_id: int):
    assert conjugate(pdg_id) == -pdg_id
    assert species(conjugate(pdg_id)).charge == -species(pdg_id).charge


@pytest.mark.parametrize("pdg_id", [PHOTON, PI0, K_S, K_L, Z_PRIME])
def test_own_antiparticles(pdg_id: int):
    assert conjugate(pdg_id) == pdg_id
