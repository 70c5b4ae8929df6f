"""e+e- -> l+ l- and a dark boson that one of the leptons radiates, all of one narrow mass."""

from __future__ import annotations

import logging
import math
from typing import Annotated, ClassVar, Literal

from darkbelle.gen.decays.tree import Mode, State
from darkbelle.gen.models.leptonic import LeptonicPseudoscalar, LeptonicScalar
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.particles import (
    ALP,
    MASS_MU,
    MASS_TAU,
    MUON,
    SCALAR,
    TAU,
    Z_PRIME,
)
from darkbelle.gen.processes.annihilation import CTau, VirtualPhotonProcess
from darkbelle.gen.processes.base import Lifetime, parameter
from darkbelle.gen.processes.modes import (
    chosen,
    decaying,
    leptons,
    of_lmu_ltau,
    photons,
    with_lepton_pair,
)
from darkbelle.gen.production import emission
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.radiation import FERMIONS_FROM_PSEUDOSCALAR, FERMIONS_FROM_SCALAR

__all__ = ["MuMuAlp", "MuMuScalar", "MuMuZPrime", "TauTauScalar", "warn_if_broad"]

_log = logging.getLogger(__name__)

PERTURBATIVE = math.sqrt(4 * math.pi)
NARROW = 0.01
"""Width over mass above which a fixed mass distorts the recoil-mass peak."""
LIGHTEST = 1e-4
"""GeV; the mass of a lighter boson would drown in the rounding of its four-momentum."""

Mass = Annotated[float, parameter("mass of the boson", unit="GeV", ge=LIGHTEST)]


class MuMuZPrime(VirtualPhotonProcess):
    """e+e- -> mu+ mu- Z', the Z' of a gauged L_mu - L_tau, whose decays know of its spin."""

    name: ClassVar[str] = "mumu-zprime"
    summary: ClassVar[str] = "e+e- -> mu+ mu- Z' of L_mu - L_tau"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2212.03066 (Belle II, invisible, 79.7/fb)",
        "arXiv:1912.11276 (Belle II, invisible, 276/pb)",
        "arXiv:2403.02841 (Belle II, mu mu, 178/fb)",
        "arXiv:1403.2727 (model)",
    )
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil", "four_tracks")
    heaviest: ClassVar[str | None] = "mass"

    mass: Mass
    coupling: Annotated[float, parameter("coupling g'", gt=0, le=PERTURBATIVE)] = 1e-3
    decay: Annotated[
        Literal["invisible", "mumu", "tautau", "any"],
        parameter("what the Z' decays to; invisible: neutrinos, and chi chi where m_chi is given"),
    ] = "invisible"
    m_chi: Annotated[
        float | None, parameter("mass of a Dirac fermion chi, if there is one", unit="GeV", gt=0)
    ] = None
    g_chi: Annotated[float, parameter("coupling to chi chi", gt=0, le=PERTURBATIVE)] = 0.1
    ctau: CTau = None

    @property
    def model(self) -> LmuLtau:
        """Widths, branching fractions and lifetime."""
        return LmuLtau(self.mass, self.coupling, self.m_chi, self.g_chi)

    def check_physics(self) -> None:
        """A chi must exist and be light enough; a broad Z' is worth a warning."""
        if "g_chi" in self.model_fields_set and "m_chi" not in self.model_fields_set:
            msg = "g_chi: there is no chi without m_chi, give it too"
            raise ValueError(msg)
        if self.m_chi is not None and 2 * self.m_chi >= self.mass:
            msg = (
                f"m_chi = {self.m_chi} GeV exceeds half of mass = {self.mass} GeV, "
                "the Z' cannot decay into it"
            )
            raise ValueError(msg)
        warn_if_broad(self.name, self.model.width, self.mass)

    def born(self) -> HardProcess:
        """Emission by a muon."""
        masses = emission.Masses(MASS_MU, self.mass)
        return emission.LeptonPairAndBoson(emission.VECTOR, masses, self.coupling)

    def final_states(self) -> tuple[Mode, ...]:
        """mu-, mu+, Z'."""
        correlation = emission.FermionPair(emission.Masses(MASS_MU, self.mass))
        modes = of_lmu_ltau(self.model, correlation)
        found = chosen(modes, self.decay, "mass", self.mass)
        return (with_lepton_pair(MUON, decaying(Z_PRIME, self.model, self.mass, found, self.ctau)),)


class MuMuScalar(VirtualPhotonProcess):
    """e+e- -> mu+ mu- S, a scalar that couples to muons, or to all leptons by their masses."""

    name: ClassVar[str] = "mumu-scalar"
    summary: ClassVar[str] = "e+e- -> mu+ mu- S, muonphilic or leptophilic"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2403.02841 (Belle II, mu mu, 178/fb)",
        "arXiv:2212.03066 (Belle II, invisible, 79.7/fb)",
    )
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil", "four_tracks")
    heaviest: ClassVar[str | None] = "mass"

    mass: Mass
    coupling: Annotated[
        float, parameter("g_S where muonphilic, xi where leptophilic", gt=0, le=1e4)
    ] = 1e-3
    couples_to: Annotated[
        Literal["muons", "leptons"], parameter("muonphilic, or leptophilic: xi m_l/v")
    ] = "muons"
    decay: Annotated[
        Literal["ee", "mumu", "tautau", "gammagamma", "invisible", "any"],
        parameter("what S decays to; invisible: leaves unseen, all of it"),
    ] = "mumu"
    ctau: CTau = None

    @property
    def model(self) -> LeptonicScalar:
        """Widths, branching fractions and lifetime."""
        of = LeptonicScalar
        kind = of.muonphilic if self.couples_to == "muons" else of.leptophilic
        return kind(self.mass, self.coupling)

    def check_physics(self) -> None:
        """The coupling to muons must be perturbative."""
        _check_perturbative(self.model.g_mu)

    def born(self) -> HardProcess:
        """Emission by a muon."""
        masses = emission.Masses(MASS_MU, self.mass)
        return emission.LeptonPairAndBoson(emission.SCALAR, masses, self.model.g_mu)

    def final_states(self) -> tuple[Mode, ...]:
        """mu-, mu+, S."""
        return (with_lepton_pair(MUON, _scalar(self.model, self.decay, self.ctau)),)


class MuMuAlp(VirtualPhotonProcess):
    """e+e- -> mu+ mu- a, an axion-like particle with a derivative coupling to all leptons."""

    name: ClassVar[str] = "mumu-alp"
    summary: ClassVar[str] = "e+e- -> mu+ mu- a, an axion-like particle coupled to leptons"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:1708.00443 (model)",)
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil", "four_tracks")
    heaviest: ClassVar[str | None] = "mass"

    mass: Mass
    coupling: Annotated[float, parameter("C/Lambda", unit="1/GeV", gt=0, le=10)] = 1e-3
    decay: Annotated[
        Literal["ee", "mumu", "tautau", "gammagamma", "invisible", "any"],
        parameter("what a decays to; invisible: leaves unseen, all of it"),
    ] = "mumu"
    ctau: CTau = None

    @property
    def model(self) -> LeptonicPseudoscalar:
        """Widths, branching fractions and lifetime."""
        return LeptonicPseudoscalar.alp(self.mass, self.coupling)

    def born(self) -> HardProcess:
        """Emission by a muon."""
        masses = emission.Masses(MASS_MU, self.mass)
        return emission.LeptonPairAndBoson(emission.PSEUDOSCALAR, masses, self.model.g_mu)

    def final_states(self) -> tuple[Mode, ...]:
        """mu-, mu+, a."""
        model = self.model
        if self.decay == "invisible":
            return (with_lepton_pair(MUON, State(ALP, self.mass)),)
        modes = leptons(model, FERMIONS_FROM_PSEUDOSCALAR) | photons(model)
        found = chosen(modes, self.decay, "mass", self.mass)
        return (with_lepton_pair(MUON, decaying(ALP, model, self.mass, found, self.ctau)),)


class TauTauScalar(VirtualPhotonProcess):
    """e+e- -> tau+ tau- phi_L, a scalar that couples to leptons by their masses."""

    name: ClassVar[str] = "tautau-scalar"
    summary: ClassVar[str] = "e+e- -> tau+ tau- phi_L, leptophilic"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2207.07476 (Belle, 626/fb)",
        "arXiv:2005.01885 (BaBar, 514/fb)",
    )
    observables: ClassVar[tuple[str, ...]] = ("four_tracks",)
    heaviest: ClassVar[str | None] = "mass"

    mass: Mass
    coupling: Annotated[float, parameter("xi of xi m_l/v", gt=0, le=PERTURBATIVE / 0.0072)] = 1.0
    decay: Annotated[
        Literal["ee", "mumu", "tautau", "gammagamma", "any"], parameter("what phi_L decays to")
    ] = "ee"
    ctau: CTau = None

    @property
    def model(self) -> LeptonicScalar:
        """Widths, branching fractions and lifetime."""
        return LeptonicScalar.leptophilic(self.mass, self.coupling)

    def check_physics(self) -> None:
        """The coupling to taus must be perturbative."""
        _check_perturbative(self.model.g_tau)

    def born(self) -> HardProcess:
        """Emission by a tau."""
        masses = emission.Masses(MASS_TAU, self.mass)
        return emission.LeptonPairAndBoson(emission.SCALAR, masses, self.model.g_tau)

    def final_states(self) -> tuple[Mode, ...]:
        """tau-, tau+, phi_L."""
        return (with_lepton_pair(TAU, _scalar(self.model, self.decay, self.ctau)),)


def warn_if_broad(name: str, width: float, mass: float) -> None:
    """Warn of a process whose boson has one mass in spite of its width [GeV]."""
    if width > NARROW * mass:
        _log.warning(
            "%s: the width, %.3g GeV, exceeds %g of the mass, but every boson has the same mass",
            name,
            width,
            NARROW,
        )


def _scalar(model: LeptonicScalar, decay: str, ctau: Lifetime | None) -> State:
    if decay == "invisible":
        return State(SCALAR, model.mass)
    modes = leptons(model, FERMIONS_FROM_SCALAR) | photons(model)
    found = chosen(modes, decay, "mass", model.mass)
    return decaying(SCALAR, model, model.mass, found, ctau)


def _check_perturbative(coupling: float) -> None:
    if coupling > PERTURBATIVE:
        msg = f"coupling: makes g = {coupling:.4g} of the leptons, above sqrt(4 pi)"
        raise ValueError(msg)
