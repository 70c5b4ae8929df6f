"""How the daughters of an exclusive decay share energy and spin, as the spins of all of them say.

What its table knows of a decay is taken from there. Else two bodies come in the lowest wave that
their spins allow, a vector beside a spinless one from a spinless parent has helicity zero, vectors
decay as their polarisation wants, a pseudoscalar goes to another one and leptons by a pole, and all
that is left is phase space.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from darkbelle.gen.decays.amplitudes import VECTOR_TO_PIONS
from darkbelle.gen.decays.line_shapes import in_states
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.semileptonic import to_pseudoscalar, to_vector
from darkbelle.gen.decays.spins import (
    Across,
    Along,
    Analyser,
    FermionAnalyser,
    Helicity,
    decay_plane,
    first_daughter,
)
from darkbelle.gen.decays.table import decay_modes, has_decay_modes
from darkbelle.gen.decays.tree import ChargedPair, Mode, State
from darkbelle.gen.particles import PHOTON, conjugate, is_lepton, species, twice_spin
from darkbelle.gen.phasespace import DecayAtRest, in_phase_space
from darkbelle.gen.radiation import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_VECTOR,
    SCALARS_FROM_SCALAR,
    SCALARS_FROM_VECTOR,
)

__all__ = ["exclusive_mode"]

_KERNELS: Final = {
    (0, True): FERMIONS_FROM_PSEUDOSCALAR,
    (2, True): FERMIONS_FROM_VECTOR,
    (0, False): SCALARS_FROM_SCALAR,
    (2, False): SCALARS_FROM_VECTOR,
}
"""Radiation by twice the spin of the parent, and whether the daughters are leptons."""
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


def exclusive_mode(parent: int, daughters: Sequence[State], fraction: float) -> Mode:
    """A decay of a known particle (its PDG code), with the daughters in any order."""
    known = _known(parent, daughters)
    ordered = tuple(daughters) if known is None else _in_order(known, daughters)
    codes = tuple(state.pdg_id for state in ordered)
    return Mode(
        fraction,
        ordered,
        _at_rest(parent, codes) if known is None else known.at_rest,
        pair=_pair(parent, codes),
        analyser=(
            FermionAnalyser(known.polarimeter)
            if known is not None and known.polarimeter is not None
            else _analyser(parent, ordered)
        ),
        spins=_helicity(parent, codes),
    )


def _known(parent: int, daughters: Sequence[State]) -> DecayMode | None:
    """The mode of the table with its own way to share the energy."""
    wanted = Counter(state.pdg_id for state in daughters)
    modes = decay_modes(parent) if has_decay_modes(parent) else ()
    return next(
        (mode for mode in modes if mode.at_rest is not None and Counter(mode.daughters) == wanted),
        None,
    )


def _in_order(mode: DecayMode, daughters: Sequence[State]) -> tuple[State, ...]:
    left = list(daughters)
    return tuple(
        left.pop(next(i for i, state in enumerate(left) if state.pdg_id == code))
        for code in mode.daughters
    )


def _at_rest(parent: int, codes: tuple[int, ...]) -> DecayAtRest:
    spins = [twice_spin(code) for code in codes]
    masses = [species(code).mass or 0.0 for code in codes]
    if twice_spin(parent) == 2 and spins == [0, 0, 0]:
        return in_phase_space(masses, VECTOR_TO_PIONS)
    if twice_spin(parent) == 0 and len(codes) == 3 and all(is_lepton(code) for code in codes[1:]):
        transition = _flavours(parent), _flavours(codes[0])
        if spins[0] == 2 and transition == _TO_CHARM:
            return in_phase_space(masses, to_vector())
        if spins[0] == 0 and transition in _POLES:
            return in_phase_space(masses, to_pseudoscalar(_POLES[transition]))
    is_odd = len(codes) == 2 and (twice_spin(parent) + sum(spins)) // 2 % 2 == 1
    return in_states(codes, int(is_odd))


def _flavours(pdg_id: int) -> int:
    """Of the heavier quark of a meson: 5 for B."""
    return abs(pdg_id) // 100 % 10


def _analyser(parent: int, daughters: Sequence[State]) -> Analyser | None:
    """Of a vector."""
    if twice_spin(parent) != 2:
        return None
    codes = [state.pdg_id for state in daughters]
    spins = [twice_spin(code) for code in codes]
    if spins == [0, 0]:
        return Along(first_daughter)
    if spins == [0, 0, 0]:
        return Along(decay_plane)
    if len(codes) == 2 and PHOTON in codes and 0 in spins:
        return Across(first_daughter, 1.0)
    if len(codes) == 2 and all(is_lepton(code) for code in codes):
        return Across(
            first_daughter, 1 - (2 * daughters[0].least_mass / (species(parent).mass or 1.0)) ** 2
        )
    return None


def _helicity(parent: int, codes: Sequence[int]) -> Helicity | None:
    """Of a vector beside a spinless particle, from a spinless parent."""
    spins = [twice_spin(code) for code in codes]
    if twice_spin(parent) != 0 or sorted(spins) != [0, 2] or PHOTON in codes:
        return None
    return Helicity(spins.index(2))


def _pair(parent: int, codes: Sequence[int]) -> ChargedPair | None:
    """A particle and its antiparticle, from something neutral."""
    if len(codes) != 2 or codes[1] != conjugate(codes[0]) or species(codes[0]).charge == 0:
        return None
    kernel = _KERNELS.get((twice_spin(parent), is_lepton(codes[0])))
    if kernel is None:
        return None
    minus = 0 if species(codes[0]).charge < 0 else 1
    return ChargedPair(minus, 1 - minus, kernel)
