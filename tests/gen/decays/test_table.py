"""The table of decays: what each mode keeps, and what becomes of the antiparticles."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle.gen.decays.table import decay_modes, short_lived
from darkbelle.gen.kinematics import invariant_mass
from darkbelle.gen.line_shapes import line_shape
from darkbelle.gen.particles import (
    D_STAR,
    DS_STAR,
    K0,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MUON,
    PION,
    PROTON,
    conjugate,
    ctaus,
    species,
)

CODES = sorted(short_lived())
BARYONS = {2112, 2212, 3112, 3122, 3212, 3222, 3312, 3322, 4122}


def numbers(pdg_id: int) -> np.ndarray:
    """Electron, muon, tau and baryon number."""
    size, sign = abs(pdg_id), int(np.sign(pdg_id))
    groups = ({11, 12}, {13, 14}, {15, 16}, BARYONS)
    return np.array([sign * (size in group) for group in groups])


def test_who_is_in_it():
    for code in (K_S, LAMBDA, -LAMBDA, 421, -411, 431, 4122, 413, 443, 223, -323, K0, 3212):
        assert code in CODES
    for code in (11, MUON, PION, KAON, K_L, PROTON, 2112, 3112, 3222, 3312, 3334, 511, 521):
        assert code not in CODES
        assert -code not in CODES


@pytest.mark.parametrize("pdg_id", CODES)
def test_each_mode_keeps_its_numbers(pdg_id: int):
    least = shape.least if (shape := line_shape(pdg_id)) else species(pdg_id).mass
    for mode in decay_modes(pdg_id):
        assert sum(species(code).charge for code in mode.daughters) == species(pdg_id).charge
        assert sum(map(numbers, mode.daughters)).tolist() == numbers(pdg_id).tolist()
        shapes = [line_shape(code) for code in mode.daughters]
        masses = [
            shape.least if shape else species(code).mass
            for shape, code in zip(shapes, mode.daughters, strict=True)
        ]
        assert sum(masses) <= least + 1e-12


@pytest.mark.parametrize("pdg_id", CODES)
def test_fractions_and_conjugates(pdg_id: int):
    modes = decay_modes(pdg_id)
    assert sum(mode.fraction for mode in modes) == pytest.approx(1, abs=1e-12)
    assert min(mode.fraction for mode in modes) > 0
    if conjugate(pdg_id) != pdg_id:
        mirrored = {tuple(map(conjugate, mode.daughters)) for mode in modes}
        assert {mode.daughters for mode in decay_modes(conjugate(pdg_id))} == mirrored


@pytest.mark.parametrize("pdg_id", CODES)
def test_each_mode_is_sampled(pdg_id: int):
    """From the lightest parents on; momenta add up, daughters are where their shapes are."""
    shape = line_shape(pdg_id)
    rng = np.random.default_rng(1)
    own = shape.draw(np.full(200, 9.0), rng) if shape else np.full(200, species(pdg_id).mass)
    for mode in decay_modes(pdg_id):
        momenta = mode.sample(own, rng)
        total = np.stack([own, *np.zeros((3, 200))])
        assert np.abs(momenta.sum(axis=0) - total).max() < 1e-12 * own.max()
        for code, p in zip(mode.daughters, momenta, strict=True):
            known = line_shape(code)
            if known:
                assert np.all(invariant_mass(p) > known.least)
                assert np.std(invariant_mass(p)) > 0
            elif species(code).mass > 0.1:
                assert invariant_mass(p) == pytest.approx(species(code).mass, rel=1e-9)


def test_resonances_do_not_fly():
    codes = np.array([K0, DS_STAR, D_STAR, 113, 331, 443], np.int32)
    assert ctaus(codes).max() < 1e-6


def test_neutral_kaons_turn():
    (short, long) = decay_modes(K0)
    assert (short.daughters, long.daughters) == ((K_S,), (K_L,))
    assert short.fraction == long.fraction == 0.5
    assert [mode.daughters for mode in decay_modes(-K0)] == [(K_S,), (K_L,)]
