"""e+e- -> tau+ tau-: decays of the Standard Model, or one into something dark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, ClassVar, Final, Literal

import numpy as np

from darkbelle.gen.decays.heavy_neutrino import to_lepton_pair
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.spins import FermionPair, Helicity, from_virtual_photon
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.decays.tau_to_dark import (
    AlongFirst,
    lepton_analysing_power,
    pion_analysing_power,
)
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.models.heavy_neutrino import HeavyNeutrino
from darkbelle.gen.particles import (
    ALP,
    ELECTRON,
    ETA,
    HNL,
    KAON,
    MASS_TAU,
    MUON,
    OMEGA,
    PI0,
    PION,
    TAU,
    charges,
    is_hadron,
    species,
)
from darkbelle.gen.processes.annihilation import CTau, VacuumPolarisation, VirtualPhotonProcess
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.processes.modes import decaying
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.gen.radiation import FERMIONS_FROM_VECTOR, ChargedPair

__all__ = ["TauTau", "TauToLAlpha", "TauToPiHnl", "known_tau", "tau_pair"]

TauDecays = Literal[
    "any", "leptonic", "hadronic", "one_prong", "three_prong",
    "e", "mu", "pi", "K", "pi_pi0", "pi_2pi0", "3pi", "3pi_pi0",
]  # fmt: skip
"""Groups of decays, then single ones without their neutrinos; prongs without omega and eta."""

_SEEN: Final = {
    "e": (ELECTRON,),
    "mu": (MUON,),
    "pi": (PION,),
    "K": (KAON,),
    "pi_pi0": (PI0, PION),
    "pi_2pi0": (PI0, PI0, PION),
    "3pi": (PION, PION, PION),
    "3pi_pi0": (PI0, PION, PION, PION),
}


def _prongs(seen: tuple[int, ...]) -> int:
    """Number of charged particles, none where resonances would add to them."""
    return 0 if {OMEGA, ETA} & {*seen} else int(np.count_nonzero(charges(np.array(seen, np.int32))))


_GROUPS: Final[dict[str, Callable[[tuple[int, ...]], bool]]] = {
    "any": lambda seen: True,
    "leptonic": lambda seen: not is_hadron(np.array(seen[:1], np.int32)).any(),
    "hadronic": lambda seen: bool(is_hadron(np.array(seen[:1], np.int32)).any()),
    "one_prong": lambda seen: _prongs(seen) == 1,
    "three_prong": lambda seen: _prongs(seen) == 3,
}


def known_tau(pdg_id: int, decays: TauDecays) -> State:
    """A tau that decays as it is known to, in some ways."""
    modes = tuple(mode for mode in decay_modes(pdg_id) if _is_among(mode, decays))
    known = species(pdg_id)
    return State(pdg_id, known.mass, Decay(known.ctau, tuple(Mode.known(mode) for mode in modes)))


def _is_among(mode: DecayMode, decays: TauDecays) -> bool:
    codes = (abs(code) for code in mode.daughters)
    seen = tuple(sorted(code for code in codes if not species(code).invisible))
    if decays in _GROUPS:
        return _GROUPS[decays](seen)
    return seen == _SEEN[decays]


class _TauPair(VirtualPhotonProcess):
    """e+e- -> tau- tau+ with photons radiated before and after, and the spins of both."""

    vacuum_polarisation: VacuumPolarisation = True

    def born(self) -> HardProcess:
        """Through a virtual photon."""
        return LeptonPair(MASS_TAU)


def tau_pair(minus: State, plus: State) -> Mode:
    """tau- and tau+ of one annihilation."""
    spins = FermionPair(0, 1, from_virtual_photon)
    return Mode(1.0, (minus, plus), pair=ChargedPair(0, 1, FERMIONS_FROM_VECTOR), spins=spins)


class TauTau(_TauPair):
    """e+e- -> tau+ tau- with photons radiated before and after.

    The taus decay by 26 modes, 99.8 % of their width, with full spin correlations of those that
    have a current or two bodies.
    """

    name: ClassVar[str] = "tautau"
    summary: ClassVar[str] = "e+e- -> tau+ tau- (gamma), with all decays"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2405.14625 (Belle II, lepton universality)",
        "arXiv:2206.07501 (branching fractions)",
    )
    observables: ClassVar[tuple[str, ...]] = ("tau_one_prong", "dimuon_recoil")

    minus: Annotated[TauDecays, parameter("decays of the tau-")] = "any"
    plus: Annotated[TauDecays, parameter("decays of the tau+")] = "any"

    def final_states(self) -> tuple[Mode, ...]:
        """tau-, tau+."""
        return (tau_pair(known_tau(TAU, self.minus), known_tau(-TAU, self.plus)),)


class _DarkTau(_TauPair):
    """One tau, of either charge, decays into something dark, the other one as it is known to."""

    tag: Annotated[TauDecays, parameter("decays of the other tau")] = "any"

    @abstractmethod
    def signal(self, sign: int) -> Mode:
        """The decay of the tau- (sign 1) or of the tau+ (sign -1)."""

    def final_states(self) -> tuple[Mode, ...]:
        """tau-, tau+: the signal is the first, or the second."""
        ctau = species(TAU).ctau
        minus, plus = (
            State(sign * TAU, MASS_TAU, Decay(ctau, (self.signal(sign),))) for sign in (1, -1)
        )
        tag_minus, tag_plus = (known_tau(sign * TAU, self.tag) for sign in (1, -1))
        return tau_pair(minus, tag_plus), tau_pair(tag_minus, plus)


class TauToLAlpha(_DarkTau):
    """e+e- -> tau+ tau-, one tau -> l alpha, the alpha unseen and of spin zero."""

    name: ClassVar[str] = "tau-to-l-alpha"
    summary: ClassVar[str] = "tau -> e alpha or mu alpha, alpha unseen"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:2212.03634 (Belle II, 62.8/fb)",)
    observables: ClassVar[tuple[str, ...]] = ("tau_one_prong",)

    mass: Annotated[float, parameter("mass of alpha", unit="GeV", ge=0)]
    lepton: Annotated[Literal["e", "mu"], parameter("lepton of the decay")] = "e"
    chirality: Annotated[
        Literal["isotropic", "V-A", "V+A"], parameter("coupling of alpha, or none of the spin")
    ] = "isotropic"
    branching_fraction: Annotated[float, parameter("of tau -> l alpha", gt=0, le=1)] = 1e-3

    def check_physics(self) -> None:
        """The tau must be heavy enough."""
        _check_mass(self.mass, MASS_TAU - self._m_lepton)

    @property
    def _m_lepton(self) -> float:
        return State.of(_SEEN[self.lepton][0]).least_mass

    def signal(self, sign: int) -> Mode:
        """l, alpha."""
        lepton, axial = _SEEN[self.lepton][0], {"isotropic": 0.0, "V-A": -1.0, "V+A": 1.0}
        power = lepton_analysing_power(
            self._m_lepton, self.mass, vector=1.0, axial=axial[self.chirality]
        )
        mode = DecayMode(self.branching_fraction, (lepton, ALP), polarimeter=AlongFirst(power))
        return Mode.known(mode.of_charge(sign), State(ALP, self.mass))


class TauToPiHnl(_DarkTau):
    """e+e- -> tau+ tau-, one tau -> pi N, N -> l+ l- nu of a heavy neutrino that mixes with nu_tau.

    A Majorana N decays half of the time as its antiparticle.
    """

    name: ClassVar[str] = "tau-to-pi-hnl"
    summary: ClassVar[str] = "tau -> pi N, N -> mu mu nu of a heavy neutrino"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2402.02580 (Belle, 915/fb)",
        "arXiv:1908.09719 (method)",
        "arXiv:1805.08567 (model)",
    )
    observables: ClassVar[tuple[str, ...]] = ("heavy_neutrino",)

    mass: Annotated[float, parameter("mass of N", unit="GeV", gt=0)]
    u2_tau: Annotated[float, parameter("|V_Ntau|^2", gt=0, le=1)] = 1e-4
    nature: Annotated[
        Literal["dirac", "majorana"], parameter("whether N is its own antiparticle")
    ] = "dirac"
    decay: Annotated[
        Literal["mumu", "ee"], parameter("leptons that N decays to, with a neutrino")
    ] = "mumu"
    ctau: CTau = None

    @property
    def model(self) -> HeavyNeutrino:
        """Widths, branching fractions and lifetime."""
        return HeavyNeutrino(self.mass, self.u2_tau, is_majorana=self.nature == "majorana")

    def check_physics(self) -> None:
        """The tau must be heavy enough, and N heavy enough in turn."""
        _check_mass(self.mass, MASS_TAU - State.of(PION).least_mass)
        least = 2 * State.of(self._lepton).least_mass
        if self.mass <= least:
            msg = f"decay to {self.decay} needs mass > {least:.6g} GeV (got {self.mass:g})"
            raise ValueError(msg)

    @property
    def _lepton(self) -> int:
        return {"mumu": MUON, "ee": ELECTRON}[self.decay]

    def signal(self, sign: int) -> Mode:
        """pi, N: the polarisation of N is opposite to that of its antiparticle."""
        power = pion_analysing_power(self.mass)
        fraction = self.model.fraction_of_tau(PION)
        mode = DecayMode(fraction, (-PION, HNL), polarimeter=AlongFirst(power))
        neutrino = self._neutrino(sign)
        spins = Helicity(1, -sign * power)
        return replace(Mode.known(mode.of_charge(sign), neutrino), spins=spins)

    def _neutrino(self, sign: int) -> State:
        """N (sign 1) or its antiparticle."""
        model = self.model
        signs = (1, -1) if model.is_majorana else (sign,)
        fraction = model.branching_fraction(f"nu{self.decay}") / len(signs)
        mode = to_lepton_pair(self._lepton, fraction)
        modes = tuple(Mode.known(mode.of_charge(each)) for each in signs)
        return decaying(sign * HNL, model, self.mass, modes, self.ctau)


def _check_mass(mass: float, limit: float) -> None:
    if mass >= limit:
        msg = f"mass must lie below {limit:.6g} GeV, for the tau to decay (got {mass:g})"
        raise ValueError(msg)
