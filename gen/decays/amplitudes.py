"""Matrix elements of three-body decays, summed over spins, unpolarised."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import dot
from darkbelle.gen.phasespace import MatrixElement

__all__ = ["KAON_TO_PION", "MUON_DECAY", "VECTOR_TO_PIONS"]

FloatArray = npt.NDArray[np.float64]

VECTOR_POLE: Final = 0.8917
"""GeV; mass of the K*(892)+ (PDG 2024), which dominates the vector form factor."""


def _muon_squared(
    muon: FloatArray, electron: FloatArray, nu_e_bar: FloatArray, nu_mu: FloatArray
) -> FloatArray:
    return dot(muon, nu_e_bar) * dot(electron, nu_mu)


def _muon_maximum(mass: FloatArray, electron: float, *_: float) -> FloatArray:
    """Where the antineutrino has half of its largest energy."""
    return (mass**2 - electron**2) ** 2 / 16


def _kaon_squared(
    kaon: FloatArray, pion: FloatArray, lepton: FloatArray, neutrino: FloatArray
) -> FloatArray:
    current, transfer = kaon + pion, kaon - pion
    leptons = 2 * dot(current, lepton) * dot(current, neutrino)
    leptons -= dot(current, current) * dot(lepton, neutrino)
    form_factor: FloatArray = 1 / (1 - dot(transfer, transfer) / VECTOR_POLE**2)
    return leptons * form_factor**2


def _kaon_maximum(mass: FloatArray, pion: float, *_: float) -> FloatArray:
    """At no momentum transfer; the form factor grows more slowly than the rest falls."""
    return (mass**2 - pion**2) ** 2 / 2


def _pions_squared(
    vector: FloatArray, first: FloatArray, second: FloatArray, third: FloatArray
) -> FloatArray:
    del vector, third
    normal = np.cross(first[1:], second[1:], axis=0)
    squared: FloatArray = np.sum(normal**2, axis=0)
    return squared


def _pions_maximum(mass: FloatArray, *pions: float) -> FloatArray:
    """Three equal momenta; that of the lightest pion is above all."""
    momentum2: FloatArray = mass**2 / 9 - min(pions) ** 2
    return 0.75 * momentum2**2


MUON_DECAY: Final = MatrixElement(_muon_squared, _muon_maximum)
"""mu- -> e- nubar_e nu_mu, in this order: V-A, PDG 2024, review of muon decay parameters."""
KAON_TO_PION: Final = MatrixElement(_kaon_squared, _kaon_maximum)
"""K -> pi l nu, in this order: f+ with its pole, without f- (PDG 2024, K_l3 form factors)."""
VECTOR_TO_PIONS: Final = MatrixElement(_pions_squared, _pions_maximum)
"""A vector at rest -> pi+ pi- pi0: the area of the triangle of their momenta, squared."""
