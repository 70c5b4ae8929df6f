"""Standard Model processes: backgrounds, and what calibrates a detector."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from darkbelle.gen.decays.tree import Mode, State
from darkbelle.gen.particles import (
    ELECTRON,
    MASS_MU,
    MUON,
    PHOTON,
)
from darkbelle.gen.processes.annihilation import (
    AnnihilationProcess,
    FinalStateRadiation,
    InitialStateRadiation,
    VacuumPolarisation,
    VirtualPhotonProcess,
)
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.bhabha import Bhabha as BhabhaScattering
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.gen.production.lepton_pair_photon import LeptonPairPhoton
from darkbelle.gen.production.photon_pair import PhotonPair
from darkbelle.gen.production.two_photon import TwoPhoton
from darkbelle.gen.radiation import FERMIONS_FROM_VECTOR, ChargedPair

__all__ = ["Bhabha", "EEMuMu", "GammaGamma", "MuMu", "MuMuGamma"]

FromBeams = Annotated[
    float,
    parameter(
        "least angle to the beams in the annihilation's frame", unit="rad", gt=0.01, lt=math.pi / 2
    ),
]
EachPhoton = Annotated[
    bool, parameter("alpha at the virtuality of each virtual photon, in the cross-section")
]
PairMass = Annotated[
    float, parameter("least mass of the pair: radiation by the beams must stop", unit="GeV", ge=1)
]
TEN_DEGREES, FIVE_DEGREES = math.pi / 18, math.pi / 36


class MuMu(VirtualPhotonProcess):
    """e+e- -> mu+ mu- with photons radiated before and after."""

    name: ClassVar[str] = "mumu"
    summary: ClassVar[str] = "e+e- -> mu+ mu- (gamma)"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:2407.00965 (Belle II, luminosity)",)
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil", "track_pair")

    vacuum_polarisation: VacuumPolarisation = True

    def born(self) -> HardProcess:
        """Through a virtual photon."""
        return LeptonPair(MASS_MU)

    def final_states(self) -> tuple[Mode, ...]:
        """mu-, mu+."""
        return (Mode.to_pair(1.0, MUON, FERMIONS_FROM_VECTOR),)


class MuMuGamma(AnnihilationProcess):
    """e+e- -> mu+ mu- gamma with one hard photon, by the full amplitude of first order.

    Initial and final state interfere. More photons, off by default, would be counted twice where
    they are as hard.
    """

    name: ClassVar[str] = "mumu-gamma"
    summary: ClassVar[str] = "e+e- -> mu+ mu- gamma, one hard photon, first order"
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil", "single_photon")

    isr: InitialStateRadiation = False
    fsr: FinalStateRadiation = False
    vacuum_polarisation: EachPhoton = True
    theta_min: FromBeams = TEN_DEGREES
    energy_min: Annotated[
        float,
        parameter("least energy of the photon in the annihilation's frame", unit="GeV", ge=0.01),
    ] = 0.5

    def hard_process(self) -> HardProcess:
        """First order."""
        return LeptonPairPhoton(MASS_MU, self.energy_min, self.theta_min, self.vacuum_polarisation)

    def final_states(self) -> tuple[Mode, ...]:
        """mu-, mu+, photon."""
        states = State.of(MUON), State.of(-MUON), State.of(PHOTON)
        return (Mode(1.0, states, pair=ChargedPair(0, 1, FERMIONS_FROM_VECTOR)),)


class GammaGamma(AnnihilationProcess):
    """e+e- -> gamma gamma, off the beams."""

    name: ClassVar[str] = "gammagamma"
    summary: ClassVar[str] = "e+e- -> gamma gamma (gamma)"
    observables: ClassVar[tuple[str, ...]] = ("cluster_pair",)
    heaviest: ClassVar[str | None] = "mass_min"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:2407.00965 (Belle II, luminosity)",)

    theta_min: FromBeams = FIVE_DEGREES
    mass_min: PairMass = 4.0

    def hard_process(self) -> HardProcess:
        """Exchange of an electron."""
        return PhotonPair(self.theta_min, self.mass_min)

    def final_states(self) -> tuple[Mode, ...]:
        """Two photons."""
        return (Mode(1.0, (State.of(PHOTON), State.of(PHOTON))),)


class EEMuMu(AnnihilationProcess):
    """e+e- -> e+e- mu+ mu- by two equivalent photons; beams do not radiate besides."""

    name: ClassVar[str] = "ee-mumu"
    summary: ClassVar[str] = "e+e- -> e+e- mu+ mu- by two photons"
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil", "four_tracks")
    heaviest: ClassVar[str | None] = "w_min"
    papers: ClassVar[tuple[str, ...]] = ("Phys. Rept. 15 (1975) 181 (equivalent photons)",)

    isr: Annotated[bool, parameter("initial-state radiation: must be off")] = False
    w_min: Annotated[float, parameter("least mass of the muon pair", unit="GeV", ge=0)] = 0.5

    def check_physics(self) -> None:
        """Nothing annihilates: the beams are hardly turned, and hardly radiate."""
        if self.isr:
            msg = "isr must be off: the radiator is that of annihilation, which this is not"
            raise ValueError(msg)

    def hard_process(self) -> HardProcess:
        """Equivalent photons."""
        return TwoPhoton(MASS_MU, self.w_min)

    def final_states(self) -> tuple[Mode, ...]:
        """e-, e+, mu-, mu+."""
        states = tuple(State.of(code) for code in (ELECTRON, -ELECTRON, MUON, -MUON))
        return (Mode(1.0, states, pair=ChargedPair(2, 3, FERMIONS_FROM_VECTOR)),)


class Bhabha(AnnihilationProcess):
    """e+e- -> e+e- off the beams, by exchange and annihilation."""

    name: ClassVar[str] = "bhabha"
    summary: ClassVar[str] = "e+e- -> e+e- (gamma)"
    observables: ClassVar[tuple[str, ...]] = ("track_pair", "cluster_pair")
    heaviest: ClassVar[str | None] = "mass_min"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:2407.00965 (Belle II, luminosity)",)

    vacuum_polarisation: EachPhoton = True
    theta_min: FromBeams = TEN_DEGREES
    mass_min: PairMass = 4.0

    def hard_process(self) -> HardProcess:
        """Tree level."""
        return BhabhaScattering(self.theta_min, self.vacuum_polarisation, self.mass_min)

    def final_states(self) -> tuple[Mode, ...]:
        """e-, e+."""
        return (Mode.to_pair(1.0, ELECTRON, FERMIONS_FROM_VECTOR),)
