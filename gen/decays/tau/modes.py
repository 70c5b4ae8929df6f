"""How the tau- decays: fractions of HFLAV 2021 (arXiv:2206.07501), 99.8 % of the width.

Modes below 4e-4 are missing. A K0 or Kbar0 is half a K_S and half a K_L; K0 Kbar0 pi- has the
fractions of its three pairs from the same fit. Where the hadrons have no current here they are flat
in phase space and blind to the spin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.tau.currents import kaon_form_factor, pion_form_factor
from darkbelle.gen.decays.tau.hadron_pair import FormFactor, HadronPair
from darkbelle.gen.decays.tau.hadronic import (
    pair_polarimeter,
    single_polarimeter,
    three_pion_polarimeter,
)
from darkbelle.gen.decays.tau.leptonic import LeptonicDecay, leptonic_polarimeter
from darkbelle.gen.decays.tau.three_pions import ThreePions
from darkbelle.gen.particles import (
    ELECTRON,
    ETA,
    K_L,
    K_S,
    KAON,
    MASS_E,
    MASS_MU,
    MUON,
    NU_E,
    NU_MU,
    NU_TAU,
    OMEGA,
    PI0,
    PION,
    species,
)

__all__ = ["TAU_MODES"]

_K_STAR: Final = 0.012712
_KAONS: Final = (K_S, K_L)


def _pair(fraction: float, first: int, second: int, form_factor: FormFactor) -> DecayMode:
    """Two hadrons through a vector current."""
    masses = (species(code).mass or 0.0 for code in (first, second))
    at_rest = HadronPair(form_factor, *masses)
    return DecayMode(fraction, (first, second, NU_TAU), at_rest, pair_polarimeter)


def _three_pions(fraction: float, equal: int, odd: int) -> DecayMode:
    """Through the a1, two equal pions first."""
    at_rest = ThreePions(*(species(code).mass or 0.0 for code in (equal, odd)))
    return DecayMode(fraction, (equal, equal, odd, NU_TAU), at_rest, three_pion_polarimeter)


def _flat(fraction: float, *hadrons: int) -> DecayMode:
    """In phase space."""
    return DecayMode(fraction, (*hadrons, NU_TAU))


def _flat_with_k0(fraction: float, *others: int) -> Iterator[DecayMode]:
    """In phase space, with a K_S as often as with a K_L."""
    for kaon in _KAONS:
        yield _flat(fraction / 2, kaon, *others)


TAU_MODES: Final = (
    DecayMode(0.178175, (ELECTRON, -NU_E, NU_TAU), LeptonicDecay(MASS_E), leptonic_polarimeter),
    DecayMode(0.173937, (MUON, -NU_MU, NU_TAU), LeptonicDecay(MASS_MU), leptonic_polarimeter),
    DecayMode(0.108164, (-PION, NU_TAU), polarimeter=single_polarimeter),
    DecayMode(0.006964, (-KAON, NU_TAU), polarimeter=single_polarimeter),
    _pair(0.254941, -PION, PI0, pion_form_factor),
    _three_pions(0.092595, PI0, -PION),
    _three_pions(0.089868, -PION, PION),
    _flat(0.027404, -PION, -PION, PION, PI0),
    _flat(0.019494, -PION, OMEGA),
    *(_pair(_K_STAR / 3, kaon, -PION, kaon_form_factor) for kaon in _KAONS),
    _pair(_K_STAR / 3, -KAON, PI0, kaon_form_factor),
    _flat(0.010429, -PION, PI0, PI0, PI0),
    _flat(0.004085, -PION, PI0, OMEGA),
    *_flat_with_k0(0.003817, -PION, PI0),
    _flat(0.002927, -KAON, -PION, PION),
    *_flat_with_k0(0.001500, -KAON, PI0),
    *_flat_with_k0(0.001486, -KAON),
    _flat(0.001435, -PION, -KAON, KAON),
    _flat(0.001389, -PION, PI0, ETA),
    _flat(0.001118, -PION, PI0, PI0, PI0, PI0),
    _flat(0.000235, -PION, K_S, K_S),
    _flat(0.001081, -PION, K_S, K_L),
    _flat(0.000235, -PION, K_L, K_L),
    _flat(0.000981, -PION, -PION, PION, PI0, PI0),
    _flat(0.000827, -PION, -PION, -PION, PION, PION),
    _flat(0.000647, -KAON, PI0, PI0),
    _flat(0.000478, -KAON, PI0, PI0, PI0),
    _flat(0.000410, -KAON, OMEGA),
    _flat(0.000394, -KAON, -PION, PION, PI0),
)
"""Of the tau-, the neutrino last (for leptons: lepton, its antineutrino, nu_tau)."""
