"""How the daughters of an exclusive decay share energy and spin, as the spins of all of them say.

What its table knows of a decay is taken from there. Else two bodies come in the lowest wave that
their spins allow; a vector from a spinless parent has the helicity that its partner leaves it, and
so has a tau beside its neutrino; vectors decay as their polarisation wants; fermions of a pair know
of each other; pseudoscalars go semileptonically by form factors. All that is left is phase space.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from darkbelle.gen.decays.amplitudes import VECTOR_TO_PIONS
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.semileptonic import to_pseudoscalar, to_vector
from darkbelle.gen.decays.spins import (
    Across,
    AcrossFlight,
    Along,
    Analyser,
    FermionAnalyser,
    FermionPair,
    Helicity,
    Spins,
    correlation_of,
    decay_plane,
    first_daughter,
)
from darkbelle.gen.decays.table import decay_modes, has_decay_modes
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.line_shapes import in_shapes
from darkbelle.gen.particles import (
    K_L,
    K_S,
    PHOTON,
    TAU,
    is_lepton,
    is_vector,
    species,
    twice_spin,
)
from darkbelle.gen.phasespace import DecayAtRest, in_phase_space
from darkbelle.gen.radiation import pair_of

__all__ = ["exclusive_mode", "known_state"]

_TO_CHARM: Final = (5, 4)
_POLES: Final = {
    _TO_CHARM: 6.33,
    (5, 2): 5.325,
    (5, 1): 5.325,
    (4, 3): 2.112,
    (4, 2): 2.010,
    (4, 1): 2.010,
}
"""Masses [GeV] of the vectors that couple to changes of flavour (PDG 2024; B_c*: 6.33)."""
_STRANGE: Final = 3


@cache
def known_state(pdg_id: int) -> State:
    """A known particle; a vector decays by its table here, where its spin is known."""
    if not (is_vector(pdg_id) and has_decay_modes(pdg_id)):
        return State.of(pdg_id)
    modes = tuple(
        exclusive_mode(pdg_id, [known_state(code) for code in mode.daughters], mode.fraction)
        for mode in decay_modes(pdg_id)
    )
    return replace(State.of(pdg_id), decay=Decay(species(pdg_id).ctau, modes))


def exclusive_mode(parent: int, daughters: Sequence[State], fraction: float) -> Mode:
    """A decay of a known particle (its PDG code), with the daughters in any order."""
    known = _known(parent, daughters)
    codes = _leptons_last(daughters) if known is None else known.daughters
    at_rest = None if known is None else known.at_rest
    ordered = _in_order(codes, daughters)
    pair = pair_of(parent, codes)
    correlation = None if pair is None else correlation_of(pair.kernel)
    analyser, spins = _analyser(parent, codes), _spins(parent, codes)
    if known is not None and known.polarimeter is not None:
        analyser = FermionAnalyser(known.polarimeter)
    if pair is not None and correlation is not None:
        spins = FermionPair(pair.minus, pair.plus, correlation)
    return Mode(
        fraction,
        ordered,
        at_rest or _at_rest(parent, ordered),
        pair=pair,
        analyser=analyser,
        spins=spins,
    )


def _known(parent: int, daughters: Sequence[State]) -> DecayMode | None:
    """The mode of the table, if that has its own way to share energy or spin."""
    wanted = Counter(state.pdg_id for state in daughters)
    modes = decay_modes(parent) if has_decay_modes(parent) else ()
    for mode in modes:
        if (mode.at_rest or mode.polarimeter) and Counter(mode.daughters) == wanted:
            return mode
    return None


def _leptons_last(daughters: Sequence[State]) -> tuple[int, ...]:
    """Codes of the daughters: hadrons, charged leptons, neutrinos."""

    def rank(code: int) -> int:
        return is_lepton(code) + (is_lepton(code) and code % 2 == 0)

    return tuple(sorted((state.pdg_id for state in daughters), key=rank))


def _in_order(codes: Sequence[int], daughters: Sequence[State]) -> tuple[State, ...]:
    left = list(daughters)
    return tuple(
        left.pop(next(i for i, state in enumerate(left) if state.pdg_id == code)) for code in codes
    )


def _at_rest(parent: int, daughters: Sequence[State]) -> DecayAtRest:
    codes = [state.pdg_id for state in daughters]
    spins = [twice_spin(code) for code in codes]
    masses = [state.least_mass for state in daughters]
    if is_vector(parent) and spins == [0, 0, 0]:
        return in_phase_space(masses, VECTOR_TO_PIONS)
    if twice_spin(parent) == 0 and len(codes) == 3 and all(is_lepton(code) for code in codes[1:]):
        transition = _flavour(parent), _flavour(codes[0])
        if is_vector(codes[0]) and transition == _TO_CHARM:
            return in_phase_space(masses, to_vector())
        if spins[0] == 0 and transition in _POLES:
            return in_phase_space(masses, to_pseudoscalar(_POLES[transition]))
    is_odd = len(codes) == 2 and (twice_spin(parent) + sum(spins)) // 2 % 2 == 1
    return in_shapes(tuple(state.mass_or_shape for state in daughters), int(is_odd))


def _flavour(pdg_id: int) -> int:
    """Of the heavier quark of a meson: 5 for B."""
    return _STRANGE if pdg_id in (K_S, K_L) else abs(pdg_id) // 100 % 10


def _analyser(parent: int, codes: Sequence[int]) -> Analyser | None:
    """Of a vector."""
    if not is_vector(parent):
        return None
    spins = [twice_spin(code) for code in codes]
    if spins == [0, 0]:
        return Along(first_daughter)
    if spins == [0, 0, 0]:
        return Along(decay_plane)
    if len(codes) == 2 and PHOTON in codes and 0 in spins:
        return Across(first_daughter, 1.0)
    if len(codes) == 2 and all(is_lepton(code) for code in codes):
        masses = [species(code).mass or 0.0 for code in (codes[0], parent)]
        return Across(first_daughter, 1 - (2 * masses[0] / masses[1]) ** 2)
    return None


def _spins(parent: int, codes: Sequence[int]) -> Spins | None:
    """Of what decays beside one other particle, from a spinless parent."""
    if twice_spin(parent) != 0 or len(codes) != 2:
        return None
    spins = [twice_spin(code) for code in codes]
    if sorted(spins) == [0, 2] and PHOTON not in codes:
        return Helicity(spins.index(2))
    if spins == [2, 2] and PHOTON in codes:
        return AcrossFlight(1 - codes.index(PHOTON))
    if all(is_lepton(code) for code in codes) and TAU in map(abs, codes):
        # The helicity of the neutrino beside it leaves no other.
        place = [abs(code) for code in codes].index(TAU)
        return Helicity(place, math.copysign(1.0, codes[place]))
    return None
