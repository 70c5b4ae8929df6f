"""e+e- -> gamma and a dark boson."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from darkbelle.gen.decays.tree import Mode, State
from darkbelle.gen.models.dark_photon import DarkPhoton
from darkbelle.gen.models.photonic import PhotonicAlp
from darkbelle.gen.particles import A_PRIME, ALP, MASS_E, PHOTON
from darkbelle.gen.processes.annihilation import AnnihilationProcess, CTau, VirtualPhotonProcess
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.processes.modes import chosen, decaying, of_dark_photon, photons
from darkbelle.gen.production import with_photon
from darkbelle.gen.production.base import HardProcess

__all__ = ["GammaAlp", "GammaDarkPhoton"]


class GammaAlp(VirtualPhotonProcess):
    """e+e- -> gamma a by a virtual photon, a -> gamma gamma, prompt or displaced."""

    name: ClassVar[str] = "gamma-alp"
    summary: ClassVar[str] = "e+e- -> gamma a, a -> gamma gamma"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2007.13071 (Belle II, 445/pb)",
        "arXiv:1709.00009 (model)",
    )
    observables: ClassVar[tuple[str, ...]] = ("three_photons", "single_photon")
    heaviest: ClassVar[str | None] = "mass"

    mass: Annotated[float, parameter("mass of a", unit="GeV", ge=1e-3)]
    coupling: Annotated[float, parameter("coupling g_agg", unit="1/GeV", gt=0, le=1)] = 1e-3
    decay: Annotated[
        Literal["gammagamma", "invisible"],
        parameter("what a decays to; invisible: leaves unseen, all of it"),
    ] = "gammagamma"
    ctau: CTau = None

    @property
    def model(self) -> PhotonicAlp:
        """Width and lifetime."""
        return PhotonicAlp(self.mass, self.coupling)

    def born(self) -> HardProcess:
        """Through a virtual photon."""
        return with_photon.PhotonAlp(self.mass, self.coupling)

    def final_states(self) -> tuple[Mode, ...]:
        """gamma, a."""
        alp = State(ALP, self.mass)
        if self.decay == "gammagamma":
            modes = photons(self.model)["gammagamma"]
            alp = decaying(ALP, self.model, self.mass, modes, self.ctau)
        return (Mode(1.0, (State.of(PHOTON), alp)),)


class GammaDarkPhoton(AnnihilationProcess):
    """e+e- -> gamma A' off the electrons, the A' unseen or visible by its mixing."""

    name: ClassVar[str] = "gamma-darkphoton"
    summary: ClassVar[str] = "e+e- -> gamma A'"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:1808.10567 (Belle II physics book)",)
    observables: ClassVar[tuple[str, ...]] = ("single_photon", "dimuon_recoil")

    mass: Annotated[float, parameter("mass of the A'", unit="GeV", gt=2 * MASS_E)]
    coupling: Annotated[float, parameter("kinetic mixing epsilon", gt=0, le=1)] = 1e-3
    decay: Annotated[
        Literal["invisible", "ee", "mumu", "tautau", "pipi", "pipipi0", "KK", "any"],
        parameter("what the A' decays to; invisible: dark matter, all of it"),
    ] = "invisible"
    theta_min: Annotated[
        float,
        parameter(
            "least angle of the hardest photon to the beams in the annihilation's frame",
            unit="rad",
            ge=0,
            lt=math.pi / 2,
        ),
    ] = 0.0
    energy_min: Annotated[
        float,
        parameter(
            "least energy of the hardest photon in the annihilation's frame", unit="GeV", ge=1e-3
        ),
    ] = 1e-2
    ctau: CTau = None

    @property
    def model(self) -> DarkPhoton:
        """Widths, branching fractions and lifetime, without dark matter."""
        return DarkPhoton(self.mass, self.coupling)

    def hard_process(self) -> HardProcess:
        """Radiation by the electrons."""
        return with_photon.PhotonDarkPhoton(
            self.mass, self.coupling, self.theta_min, self.energy_min
        )

    def final_states(self) -> tuple[Mode, ...]:
        """gamma, A'."""
        vector = State(A_PRIME, self.mass)
        if self.decay != "invisible":
            modes = of_dark_photon(self.model, with_photon.fermion_pair, with_photon.scalars)
            found = chosen(modes, self.decay, "mass", self.mass)
            vector = decaying(A_PRIME, self.model, self.mass, found, self.ctau)
        return (Mode(1.0, (State.of(PHOTON), vector)),)
