"""A toy of all decays of B mesons, right in its multiplicities: modes that are listed one by one.

From the decay handbook of the project, section 6, level 1: 20.6 % to D(*) l nu, of which 24 % with
a pion more; 2.4 % to D(*) tau nu; the rest to D(*) and one to six pions, each neutral with the
probability 0.28, else of either charge, given that the charges add up. All flat in phase space. It
gives the charged multiplicities of CLEO (hep-ex/9907057), too few kaons, and no D_s, no charmonium
and no baryons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from math import factorial
from typing import Final

from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.particles import (
    B0,
    B_PLUS,
    D0,
    D_PLUS,
    D_STAR,
    D_STAR0,
    ELECTRON,
    MUON,
    NU_E,
    NU_MU,
    NU_TAU,
    PI0,
    PION,
    TAU,
)

__all__ = ["toy_modes"]

SEMILEPTONIC: Final = 0.206
WITH_PION: Final = 0.24
"""Part of the semileptonic decays that has a pion beside the D(*), as those by D** have."""
CHARGED_PION: Final = 2 / 3
"""Part of these pions that is charged."""
TAUONIC: Final = 0.024
PIONS: Final = {1: 0.04, 2: 0.07, 3: 0.11, 4: 0.18, 5: 0.30, 6: 0.30}
"""Probabilities of the numbers of pions in hadronic decays."""
NEUTRAL_PION: Final = 0.28

_NEUTRAL: Final = ((-D_STAR0, 0.62), (-D0, 0.38))
_NEGATIVE: Final = ((-D_STAR, 0.62), (-D_PLUS, 0.38))
"""Charmed mesons of either charge with their probabilities."""
_LIGHT_LEPTONS: Final = ((-ELECTRON, NU_E), (-MUON, NU_MU))

_Charm = tuple[tuple[int, float], ...]


@cache
def toy_modes(pdg_id: int) -> tuple[DecayMode, ...]:
    """Modes of a charged or neutral B meson, their fractions add up to one."""
    if pdg_id < 0:
        return tuple(mode.conjugated() for mode in toy_modes(-pdg_id))
    # Where the charm changes its charge, a pion of the other charge comes with it.
    pair = {B_PLUS: (_NEUTRAL, _NEGATIVE, PION), B0: (_NEGATIVE, _NEUTRAL, -PION)}
    charm, flipped, pion = pair[pdg_id]
    modes = [*_leptonic(charm, flipped, pion), *_hadronic(charm)]
    total = sum(mode.fraction for mode in modes)
    return tuple(replace(mode, fraction=mode.fraction / total) for mode in modes)


def _leptonic(charm: _Charm, flipped: _Charm, pion: int) -> Iterator[DecayMode]:
    for code, share in charm:
        yield DecayMode(TAUONIC * share, (code, -TAU, NU_TAU))
    kinds: tuple[tuple[_Charm, tuple[int, ...], float], ...] = (
        (charm, (), 1 - WITH_PION),
        (charm, (PI0,), WITH_PION * (1 - CHARGED_PION)),
        (flipped, (pion,), WITH_PION * CHARGED_PION),
    )
    for mesons, pions, part in kinds:
        for code, share in mesons:
            for leptons in _LIGHT_LEPTONS:
                yield DecayMode(SEMILEPTONIC / 2 * part * share, (code, *pions, *leptons))


def _hadronic(charm: _Charm) -> Iterator[DecayMode]:
    rest = 1 - SEMILEPTONIC - TAUONIC
    for n, probability in PIONS.items():
        ways = _charge_shares(n)
        for (plus, minus, neutral), part in ways.items():
            pions = (PION,) * plus + (-PION,) * minus + (PI0,) * neutral
            for code, share in charm:
                yield DecayMode(rest * probability * part * share, (code, *pions))


def _charge_shares(n: int) -> dict[tuple[int, int, int], float]:
    """Numbers of pi+, pi-, pi0 among n pions of charge one together, and their probabilities."""
    charged = (1 - NEUTRAL_PION) / 2
    weights = {}
    for minus in range((n + 1) // 2):
        plus, neutral = minus + 1, n - 1 - 2 * minus
        ways = factorial(n) / (factorial(plus) * factorial(minus) * factorial(neutral))
        weights[plus, minus, neutral] = ways * charged ** (plus + minus) * NEUTRAL_PION**neutral
    total = sum(weights.values())
    return {numbers: weight / total for numbers, weight in weights.items()}
