"""Standard Model processes: backgrounds, and what calibrates a detector."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from darkbelle.gen.decays.tree import ChargedPair, Mode, State
from darkbelle.gen.particles import (
    ELECTRON,
    MASS_MU,
    MASS_TAU,
    MUON,
    PHOTON,
    TAU,
)
from darkbelle.gen.processes.annihilation import AnnihilationProcess, VirtualPhotonProcess
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.bhabha import Bhabha as BhabhaScattering
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.gen.production.lepton_pair_photon import LeptonPairPhoton
from darkbelle.gen.production.photon_pair import PhotonPair
from darkbelle.gen.production.two_photon import TwoPhoton
from darkbelle.gen.radiation import FERMIONS_FROM_VECTOR

__all__ = ["Bhabha", "EEMuMu", "GammaGamma", "MuMu", "MuMuGamma", "TauTau"]

FromBeams = Annotated[
    float,
    parameter(
        "least angle to the beams in the annihilation's frame", unit="rad", gt=0.01, lt=math.pi / 2
    ),
]
TEN_DEGREES = math.pi / 18


class MuMu(VirtualPhotonProcess):
    """e+e- -> mu+ mu- with photons radiated before and after."""

    name: ClassVar[str] = "mumu"
    summary: ClassVar[str] = "e+e- -> mu+ mu- (gamma)"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:2407.00965 (Belle II, luminosity)",)
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil",)

    vacuum_polarisation: bool = True

    def born(self) -> HardProcess:
        """Through a virtual photon."""
        return LeptonPair(MASS_MU)

    def final_state(self) -> Mode:
        """mu-, mu+."""
        return Mode.to_pair(1.0, MUON, FERMIONS_FROM_VECTOR)


class TauTau(VirtualPhotonProcess):
    """e+e- -> tau+ tau- with photons radiated before and after."""
