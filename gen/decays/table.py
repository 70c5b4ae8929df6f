"""How known particles decay: fractions of PDG 2024, daughters, matrix elements.

Light particles stand here, charm and resonances in ``tables/modes.csv``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt
from particle.converters import EvtGenName2PDGIDBiMap

from darkbelle.errors import ConfigError
from darkbelle.gen.decays.amplitudes import KAON_TO_PION, MUON_DECAY, VECTOR_TO_PIONS
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.tau.modes import TAU_MODES
from darkbelle.gen.line_shapes import in_states
from darkbelle.gen.particles import (
    ELECTRON,
    ETA,
    K0,
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

__all__ = ["LONG_LIVED", "decay_modes", "has_decay_modes", "short_lived"]

FloatArray = npt.NDArray[np.float64]

_TABLES: Final = resources.files("darkbelle.gen.decays") / "tables"

LONG_LIVED: Final = (MUON, PION, KAON, K_L)
"""What has decay modes but is left to the detector simulation."""


def _turn(mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
    """A single daughter takes all."""
    del rng
    return np.stack([mass, *np.zeros((3, len(mass)))])[None]


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
    K0: (DecayMode(0.5, (K_S,), _turn), DecayMode(0.5, (K_L,), _turn)),
}


def _read_mode(fraction: str, names: str, shape: str) -> DecayMode:
    daughters = tuple(int(EvtGenName2PDGIDBiMap[name]) for name in names.split())
    if shape == "pions":
        return DecayMode.of(float(fraction), daughters, VECTOR_TO_PIONS)
    return DecayMode(float(fraction), daughters, in_states(daughters, 1) if shape == "P" else None)


@cache
def _modes() -> dict[int, tuple[DecayMode, ...]]:
    """All modes, as yet not normalised."""
    text = (_TABLES / "modes.csv").read_text(encoding="utf-8")
    _, *rows = (line for line in text.splitlines() if not line.startswith("#"))
    read: dict[int, tuple[DecayMode, ...]] = {}
    for parent, *mode in (row.split(",") for row in rows):
        code = int(EvtGenName2PDGIDBiMap[parent])
        read[code] = (*read.get(code, ()), _read_mode(*mode))
    return _MODES | read


@cache
def short_lived() -> tuple[int, ...]:
    """Particles and antiparticles that decay before the detector, or as neutral ones in it.

    Charged hyperons fly as they are; mesons with beauty decay where a process says so.
    """
    known = [code for code in _modes() if code not in LONG_LIVED]
    return tuple({sign for code in known for sign in (code, conjugate(code))})


def has_decay_modes(pdg_id: int) -> bool:
    """Whether the table has a particle or its antiparticle."""
    return bool({pdg_id, conjugate(pdg_id)} & _modes().keys())


@cache
def decay_modes(pdg_id: int) -> tuple[DecayMode, ...]:
    """Decay modes of a particle or antiparticle, their fractions normalised to one.

    Rare modes are missing, the Dalitz decay of the pi0 (1.2 %) among them; the three-pion modes
    of K and eta are flat in their Dalitz plots, and so are all decays of charm. CP is conserved.

    Raises
    ------
    ConfigError
        The table does not have the particle.
    """
    if pdg_id in _modes():
        total = sum(mode.fraction for mode in _modes()[pdg_id])
        return tuple(replace(mode, fraction=mode.fraction / total) for mode in _modes()[pdg_id])
    if conjugate(pdg_id) not in _modes():
        raise ConfigError(f"pdg_id {pdg_id} ({species(pdg_id).name}) has no decay modes")
    return tuple(mode.conjugated() for mode in decay_modes(conjugate(pdg_id)))
