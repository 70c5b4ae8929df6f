"""Dark Higgs bosons radiated by a dark photon, alone or with inelastic dark matter."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from darkbelle.gen.decays.tree import Mode, State
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.dark_photon import DarkPhoton
from darkbelle.gen.models.inelastic import InelasticDarkMatter as InelasticModel
from darkbelle.gen.particles import A_PRIME, CHI1, CHI2, DARK_HIGGS, MASS_E
from darkbelle.gen.processes.annihilation import CTau, VirtualPhotonProcess
from darkbelle.gen.processes.base import Lifetime, parameter
from darkbelle.gen.processes.modes import (
    Modes,
    chosen,
    decaying,
    of_chi2,
    of_dark_higgs,
    of_dark_photon,
)
from darkbelle.gen.production import higgsstrahlung
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.off_shell import OffShellHiggsstrahlung

__all__ = ["DarkHiggsstrahlung", "InelasticDarkMatter"]

Epsilon = Annotated[float, parameter("kinetic mixing of the A'", gt=0, le=1)]
AlphaD = Annotated[float, parameter("g_D^2/4pi of the dark force", gt=0, le=1)]
HiggsMass = Annotated[float, parameter("mass of the h'", unit="GeV", gt=0)]
DarkPhotonMass = Annotated[float, parameter("mass of the A'", unit="GeV", gt=2 * MASS_E)]


class DarkHiggsstrahlung(VirtualPhotonProcess):
    """e+e- -> A' h', the A' visible by its mixing with the photon, without Higgs mixing.

    An h' lighter than the A' leaves unseen; one heavier than two of them decays into them, and they
    as the first, but without correlation of their spins. What lies between is not generated.
    """

    name: ClassVar[str] = "dark-higgsstrahlung"
    summary: ClassVar[str] = "e+e- -> A' h', h' unseen or into A' A'"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2207.00509 (Belle II, h' unseen, 8.34/fb)",
        "arXiv:1502.00084 (Belle, six tracks, 977/fb)",
        "arXiv:0903.0363 (model)",
    )
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil", "six_tracks")
    heaviest: ClassVar[str | None] = "m_hp"

    m_ap: DarkPhotonMass
    m_hp: HiggsMass
    epsilon: Epsilon = 1e-3
    alpha_d: AlphaD = 0.1
    decay: Annotated[
        Literal["ee", "mumu", "tautau", "pipi", "pipipi0", "KK", "any"],
        parameter("what every A' decays to"),
    ] = "mumu"
    ctau: CTau = None

    @property
    def model(self) -> DarkPhoton:
        """Widths, branching fractions and lifetime of the A'."""
        return DarkPhoton(self.m_ap, self.epsilon)

    @property
    def higgs_model(self) -> DarkHiggs:
        """Widths, branching fractions and lifetime of the h'."""
        return DarkHiggs(self.m_hp, 0.0, m_ap=self.m_ap, alpha_h=self.alpha_d, epsilon=self.epsilon)

    def check_physics(self) -> None:
        """An h' that decays to a real and a virtual A' is not generated."""
        if self.m_ap <= self.m_hp <= 2 * self.m_ap:
            msg = (
                f"m_hp = {self.m_hp} GeV must lie below m_ap = {self.m_ap} GeV or above twice that"
            )
            raise ValueError(msg)

    def born(self) -> HardProcess:
        """The A' on its mass shell."""
        return higgsstrahlung.Higgsstrahlung(self.m_ap, self.m_hp, self.epsilon, self.alpha_d)

    def final_states(self) -> tuple[Mode, ...]:
        """A', h'."""
        model = self.model
        fermions = higgsstrahlung.FermionPair(0.0, 0.0)
        modes = of_dark_photon(model, fermions, higgsstrahlung.scalars)
        first = self._dark_photon(modes)
        if self.m_hp < self.m_ap:
            return (Mode(1.0, (first, State(DARK_HIGGS, self.m_hp))),)
        again = self._dark_photon(of_dark_photon(model, None, None))
        to_photons = Mode(self.higgs_model.branching_fraction("apap"), (again, again))
        higgs = decaying(DARK_HIGGS, self.higgs_model, self.m_hp, (to_photons,), parameter=None)
        return (Mode(1.0, (first, higgs)),)

    def _dark_photon(self, modes: Modes) -> State:
        found = chosen(modes, self.decay, "m_ap", self.m_ap)
        return decaying(A_PRIME, self.model, self.m_ap, found, self.ctau)


class InelasticDarkMatter(VirtualPhotonProcess):
    """e+e- -> h' A'(-> chi1 chi2), chi2 -> chi1 and a pair, h' by its mixing with the Higgs boson.

    Radiation of the h' off chi1 and chi2 is neglected, below 0.1 % where the A' can be real, as it
    must be but for ten of its widths: e+e- -> gamma A', A' -> h' chi1 chi2 is no part of it. The
    dark charge of the h' sets its coupling, alpha_h = q_phi^2 alpha_d: papers that write 1 have a
    rate four times smaller.
    """

    name: ClassVar[str] = "inelastic-dark-matter"
    summary: ClassVar[str] = "e+e- -> h' A'(-> chi1 chi2), chi2 and h' displaced"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2505.09705 (Belle II, 365/fb)",
        "arXiv:2012.08595 (model)",
    )
    observables: ClassVar[tuple[str, ...]] = ("two_vertices",)
    heaviest: ClassVar[str | None] = "m_hp"

    m_ap: DarkPhotonMass
    m_chi1: Annotated[float, parameter("mass of chi1", unit="GeV", gt=0)]
    delta: Annotated[float, parameter("mass of chi2 minus that of chi1", unit="GeV", gt=0)]
    m_hp: HiggsMass
    epsilon: Epsilon = 1e-3
    alpha_d: AlphaD = 0.1
    sin_theta: Annotated[float, parameter("sine of the mixing of h' and Higgs", gt=0, lt=1)] = 1e-4
    q_phi: Annotated[float, parameter("dark charge of the h' in units of g_D", gt=0)] = 2.0
    decay: Annotated[
        Literal["ee", "mumu", "tautau", "pipi", "any"], parameter("what chi2 decays to, with chi1")
    ] = "ee"
    decay_hp: Annotated[
        Literal["ee", "mumu", "tautau", "pipi", "pi0pi0", "KK", "K0K0", "any"],
        parameter("what h' decays to; pipi and KK are charged"),
    ] = "mumu"
    ctau: CTau = None
    ctau_hp: Annotated[
        Lifetime | None,
        parameter("mean proper decay length of the h'", unit="cm", none="the model's"),
    ] = None

    @property
    def model(self) -> InelasticModel:
        """Widths, branching fractions and lifetime of chi2; couplings, A' and h' follow from it."""
        return InelasticModel(
            self.m_chi1, self.delta, self.m_ap, self.epsilon, self.alpha_d, self.q_phi
        )

    @property
    def higgs_model(self) -> DarkHiggs:
        """Widths, branching fractions and lifetime of the h'."""
        return self.model.dark_higgs(self.m_hp, self.sin_theta)

    def check_physics(self) -> None:
        """The A' must decay to chi1 chi2, and the h' must not."""
        least = 2 * self.m_chi1 + self.delta
        if self.m_ap <= least:
            msg = f"m_ap = {self.m_ap} GeV must exceed m_chi1 + m_chi2 = {least:.6g} GeV"
            raise ValueError(msg)
        if self.m_hp >= 2 * self.m_chi1:
            msg = f"m_hp = {self.m_hp} GeV must lie below 2 m_chi1 = {2 * self.m_chi1:.6g} GeV"
            raise ValueError(msg)
        if self.model.alpha_h > 4 * math.pi:
            greatest = math.sqrt(4 * math.pi / self.alpha_d)
            msg = (
                f"q_phi = {self.q_phi} makes q_phi^2 alpha_d = {self.model.alpha_h:.4g} of the h', "
                f"above 4 pi: choose q_phi < {greatest:.4g}"
            )
            raise ValueError(msg)

    def born(self) -> HardProcess:
        """The A' with its width."""
        model = self.model
        widths = model.dark_photon.widths()
        return OffShellHiggsstrahlung(
            self.m_ap,
            self.m_hp,
            self.m_chi1,
            model.m_chi2,
            self.epsilon,
            self.alpha_d,
            self.q_phi,
            sum(width for mode, width in widths.items() if mode != "chi1chi2"),
        )

    def final_states(self) -> tuple[Mode, ...]:
        """A', h'."""
        model, higgs_model = self.model, self.higgs_model
        to_chi1 = chosen(of_chi2(model), self.decay, "delta", self.delta, beside=self.m_chi1)
        chi1 = State(CHI1, self.m_chi1)
        chi2 = decaying(CHI2, model, model.m_chi2, to_chi1, self.ctau)
        correlation = higgsstrahlung.FermionPair(self.m_chi1, model.m_chi2)
        to_chi = Mode(1.0, (chi1, chi2), correlation=correlation)
        vector = decaying(A_PRIME, model.dark_photon, None, (to_chi,), parameter=None)
        to_known = chosen(of_dark_higgs(higgs_model), self.decay_hp, "m_hp", self.m_hp)
        higgs = decaying(DARK_HIGGS, higgs_model, self.m_hp, to_known, self.ctau_hp, "ctau_hp")
        return (Mode(1.0, (vector, higgs)),)
