"""e+e- -> l+ l- X, a boson X radiated by one of the leptons of the final state.

Tree level with massive leptons, unpolarised beams, massless electrons in the amplitude. X couples
as a vector, scalar or pseudoscalar, L = -g X_mu lbar gamma^mu l, -g X lbar l,
-g X lbar i gamma5 l. Couplings are stripped: cross-sections are for g = 1 and scale with g^2.
"""

from __future__ import annotations

from darkbelle.gen.production.emission.amplitude import (
    PSEUDOSCALAR,
    SCALAR,
    VECTOR,
    Coupling,
    FermionPair,
    Invariants,
    Masses,
    squared_amplitude,
)
from darkbelle.gen.production.emission.process import LeptonPairAndBoson
from darkbelle.gen.production.emission.sampling import Emission, sample
from darkbelle.gen.production.emission.total import cross_section

__all__ = [
    "PSEUDOSCALAR",
    "SCALAR",
    "VECTOR",
    "Coupling",
    "Emission",
    "FermionPair",
    "Invariants",
    "LeptonPairAndBoson",
    "Masses",
    "cross_section",
    "sample",
    "squared_amplitude",
]
