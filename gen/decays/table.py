"""How known particles decay: fractions of PDG 2024, daughters, matrix elements."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from darkbelle.errors import ConfigError
from darkbelle.gen.decays.amplitudes import KAON_TO_PION, MUON_DECAY
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.tau.modes import TAU_MODES
from darkbelle.gen.particles import (
    ELECTRON,
    ETA,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MUON,
    NEUTRON,
    NU_E,
    NU_MU,
    PHOTON,
    PI0,
    PION,
    PROTON,
    TAU,
    conjugate,
    species,
)

__all__ = ["decay_modes"]


_MODES: dict[int, tuple[DecayMode, ...]] = {
    MUON: (DecayMode.of(1.0, (ELECTRON, -NU_E, NU_MU), MUON_DECAY),),
    TAU: TAU_MODES,
    PION: (
        DecayMode(0.999877, (-MUON, NU_MU)),
        DecayMode(0.000123, (-ELECTRON, NU_E)),
    ),
    KAON: (
        DecayMode(0.6356, (-MUON, NU_MU)),
        DecayMode(0.2067, (PION, PI0)),
        DecayMode(0.0558, (PION, PION, -PION)),
        DecayMode.of(0.0507, (PI0, -ELECTRON, NU_E), KAON_TO_PION),
        DecayMode.of(0.0335, (PI0, -MUON, NU_MU), KAON_TO_PION),
        DecayMode(0.0176, (PION, PI0, PI0)),
    ),
    K_L: (
        DecayMode.of(0.4055 / 2, (-PION, -ELECTRON, NU_E), KAON_TO_PION),
        DecayMode.of(0.4055 / 2, (PION, ELECTRON, -NU_E), KAON_TO_PION),
        DecayMode.of(0.2704 / 2, (-PION, -MUON, NU_MU), KAON_TO_PION),
        DecayMode.of(0.2704 / 2, (PION, MUON, -NU_MU), KAON_TO_PION),
        DecayMode(0.1952, (PI0, PI0, PI0)),
        DecayMode(0.1254, (PION, -PION, PI0)),
    ),
    K_S: (
        DecayMode(0.6920, (PION, -PION)),
        DecayMode(0.3069, (PI0, PI0)),
    ),
    LAMBDA: (
        DecayMode(0.641, (PROTON, -PION)),
        DecayMode(0.359, (NEUTRON, PI0)),
    ),
    PI0: (DecayMode(0.98823, (PHOTON, PHOTON)),),
    ETA: (
        DecayMode(0.3936, (PHOTON, PHOTON)),
        DecayMode(0.3256, (PI0, PI0, PI0)),
        DecayMode(0.2302, (PION, -PION, PI0)),
        DecayMode(0.0428, (PION, -PION, PHOTON)),
    ),
}


@cache
def decay_modes(pdg_id: int) -> tuple[DecayMode, ...]:
    """Decay modes of a particle or antiparticle, their fractions normalised to one.

    Rare modes are missing, the Dalitz decay of the pi0 (1.2 %) among them; the three-pion modes
    are flat in their Dalitz plots, and so is eta -> pi+ pi- gamma. CP is conserved.

    Raises
    ------
    ConfigError
        The table does not have the particle.
    """
    if pdg_id in _MODES:
        total = sum(mode.fraction for mode in _MODES[pdg_id])
        return tuple(replace(mode, fraction=mode.fraction / total) for mode in _MODES[pdg_id])
    if conjugate(pdg_id) not in _MODES:
        raise ConfigError(f"pdg_id {pdg_id} ({species(pdg_id).name}) has no decay modes")
    return tuple(mode.conjugated() for mode in decay_modes(conjugate(pdg_id)))
