"""e+e- -> l+ l- gamma with one hard photon away from the beams, exact at tree level.

The photon comes from the beams, from the leptons, and from their interference; massive leptons,
massless electrons in the amplitude.
"""

from __future__ import annotations

from darkbelle.gen.production.lepton_pair_photon.amplitude import (
    Invariants,
    final_state,
    initial_state,
    interference,
)
from darkbelle.gen.production.lepton_pair_photon.process import LeptonPairPhoton

__all__ = ["Invariants", "LeptonPairPhoton", "final_state", "initial_state", "interference"]
