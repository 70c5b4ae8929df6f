"""e+e- -> Y(4S) -> B Bbar, one B into a kaon and something dark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, ClassVar, Final, Literal

import numpy as np

from darkbelle.gen.decays.line_shapes import BroadDaughters, line_shape
from darkbelle.gen.decays.mixing import mix
from darkbelle.gen.decays.rest_of_event import RestOfEvent
from darkbelle.gen.decays.spins import Along, Helicity, first_daughter
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.models.b_to_s import EmittedByB, mother_of
from darkbelle.gen.models.fermion_alp import FermionCoupledAlp
from darkbelle.gen.models.form_factors import BALL_ZWICKY, Z_EXPANSION, FormFactors
from darkbelle.gen.models.mixed_scalar import HiggsMixedScalar
from darkbelle.gen.models.w_alp import WCoupledAlp
from darkbelle.gen.particles import (
    ALP,
    B0,
    B_PLUS,
    K_S,
    K_STAR,
    K_STAR0,
    KAON,
    PI0,
    PION,
    SCALAR,
    UPSILON_4S,
    species,
)
from darkbelle.gen.processes.annihilation import AnnihilationProcess, CTau
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.processes.modes import LEPTONS, Modes, chosen, decaying, photons
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.resonance import Resonance, scalar_pair
from darkbelle.gen.radiation import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_SCALAR,
    SCALARS_FROM_SCALAR,
)

__all__ = ["BToKAlp", "BToKScalar"]

Kaon = Literal["K+", "K_S", "K*0", "K*+"]
_KAONS: Final = {"K+": KAON, "K_S": K_S, "K*0": K_STAR0, "K*+": K_STAR}
_PRODUCED: Final = {B_PLUS: 0.5113, B0: 0.4861}
"""Shares of charged and neutral pairs in the decays of the Y(4S): HFLAV, arXiv:2411.18639."""
_WIDTH, _ELECTRON_WIDTH = 0.0205, 0.321e-6
"""Of the Y(4S) [GeV]: PDG 2024; BaBar, hep-ex/0405025, which makes 1.06 nb, as N_BB over the
luminosity of Belle II does, where the mean of PDG would make 0.90 nb."""
_PAIRS: Final = {**LEPTONS, "pipi": PION, "KK": KAON}
_K_S_TO_PIONS: Final = 0.6920
"""PDG 2024."""

Mixing = Annotated[bool, parameter("whether pairs of neutral B mesons oscillate")]


def upsilon(pdg_id: int) -> HardProcess:
    """e+e- -> Y(4S), where it decays to pairs of a B meson."""
    mass, own = (species(code).mass or 0.0 for code in (UPSILON_4S, pdg_id))
    return Resonance(mass, _WIDTH, _ELECTRON_WIDTH, own)


def b_pair(pdg_id: int, signal: Callable[[int], State], other: Callable[[int], State]) -> Mode:
    """A Y(4S) whose decay to B and Bbar, of a kind, has a signal in either.

    ``signal`` and ``other`` make the particle (1) and the antiparticle (-1).
    """
    pairs = tuple(
        Mode(_PRODUCED[pdg_id], (signal(sign), other(-sign)), correlation=scalar_pair)
        for sign in (1, -1)
    )
    return Mode(1.0, (State(UPSILON_4S, None, Decay(0.0, pairs)),))


class _BToK(AnnihilationProcess):
    """B -> K X, X of spin zero."""

    mass: Annotated[float, parameter("mass of what B emit", unit="GeV", ge=1e-3)]
    kaon: Annotated[
        Kaon, parameter("K+; K_S -> pi+ pi-; K*0 -> K+ pi-; K*+ -> K_S pi+ or K+ pi0")
    ] = "K+"
    ctau: CTau = None
    form_factors: Annotated[
        Literal["BZ", "z"],
        parameter("Ball and Zwicky's, or those of arXiv:1811.00983 and arXiv:1503.05534"),
    ] = "BZ"
    rest_of_event: Annotated[
        RestOfEvent, parameter("what the other B decays to: nothing, a toy, or as in Pythia 8")
    ] = RestOfEvent.NONE
    mixing: Mixing = False

    @property
    @abstractmethod
    def model(self) -> EmittedByB:
        """Widths, branching fractions and lifetime of X, and how often B emit it."""

    @abstractmethod
    def emitted(self) -> State:
        """X."""

    @property
    def _form_factors(self) -> FormFactors:
        return {"BZ": BALL_ZWICKY, "z": Z_EXPANSION}[self.form_factors]

    def hard_process(self) -> HardProcess:
        """The Y(4S)."""
        return upsilon(mother_of(_KAONS[self.kaon]))

    def final_states(self) -> tuple[Mode, ...]:
        """The Y(4S), which decays to B and Bbar."""
        return (b_pair(mother_of(_KAONS[self.kaon]), self._b_meson, self._other),)

    def _b_meson(self, sign: int) -> State:
        """B -> K X."""
        kaon, emitted = _KAONS[self.kaon], self.emitted()
        own = species(mother_of(kaon))
        mode = Mode(self.fraction_of_b, (_kaon(self.kaon, sign), emitted))
        shape = line_shape(kaon)
        if shape is not None:  # a K*, with helicity zero
            at_rest = BroadDaughters((shape, emitted.least_mass), wave=1)
            mode = replace(mode, at_rest=at_rest, spins=Helicity(0))
        return State(sign * mother_of(kaon), own.mass, Decay(own.ctau, (mode,)))

    def _other(self, sign: int) -> State:
        """The other B, whose decay is left to the rest of the event."""
        code = sign * mother_of(_KAONS[self.kaon])
        return State.of(code)

    def finish(self, truth: TruthEvents, rng: np.random.Generator) -> TruthEvents:
        """The rest of the event."""
        whole = self.rest_of_event(truth, rng, fsr=self.fsr)
        return mix(whole, rng) if self.mixing else whole

    @property
    def fraction_of_b(self) -> float:
        """Branching fraction of B -> K X."""
        return self.model.fraction_of_b(_KAONS[self.kaon])

    def check_physics(self) -> None:
        """The B must be heavy enough; what leaves unseen has no lifetime."""
        m_b, m_kaon = (
            species(code).mass or 0.0 for code in (mother_of(_KAONS[self.kaon]), _KAONS[self.kaon])
        )
        if self.mass >= m_b - m_kaon:
            msg = (
                f"mass must lie below {m_b - m_kaon:.6g} GeV, for B -> {self.kaon} X "
                f"(got {self.mass:g})"
            )
            raise ValueError(msg)
        if self.ctau is not None and self.emitted().decay is None:
            msg = "ctau: nothing here has a lifetime of its own, leave it out"
            raise ValueError(msg)


def _kaon(name: Kaon, sign: int) -> State:
    """K+ and K*0, or their antiparticles, and what they decay to."""
    plus, pion = State.of(sign * KAON), State.of(sign * PION)
    if name == "K+":
        return plus
    short, to_pions = species(K_S), Mode.to_pair(_K_S_TO_PIONS, PION, SCALARS_FROM_SCALAR)
    k_short = State(K_S, short.mass, Decay(short.ctau, (to_pions,)))
    if name == "K_S":
        return k_short
    daughters = {
        "K*0": ((2 / 3, (plus, State.of(-sign * PION))),),
        "K*+": ((1 / 3, (k_short, pion)), (1 / 3, (plus, State.of(PI0)))),
    }[name]
    modes = tuple(
        Mode(fraction, pair, analyser=Along(first_daughter)) for fraction, pair in daughters
    )
    return State(sign * _KAONS[name], None, Decay(0.0, modes))


class BToKAlp(_BToK):
    """e+e- -> Y(4S) -> B Bbar, one B -> K a by its coupling to W, a -> gamma gamma."""

    name: ClassVar[str] = "b-to-k-alp"
    summary: ClassVar[str] = "B -> K a or K* a, a -> gamma gamma"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2507.01249 (Belle, 711/fb)",
        "arXiv:2111.01800 (BaBar, 424/fb)",
        "arXiv:1611.09355 (model)",
    )
    observables: ClassVar[tuple[str, ...]] = ("b_to_k_photons", "b_to_k_recoil")

    coupling: Annotated[float, parameter("coupling g_aW", unit="1/GeV", gt=0, le=1)] = 1e-5
    decay: Annotated[
        Literal["gammagamma", "invisible"],
        parameter("what a decays to; invisible: leaves unseen, all of it"),
    ] = "gammagamma"

    @property
    def model(self) -> WCoupledAlp:
        """Width and lifetime, and how often B emit it."""
        return WCoupledAlp(self.mass, self.coupling, form_factors=self._form_factors)

    def emitted(self) -> State:
        """The axion-like particle."""
        if self.decay == "invisible":
            return State(ALP, self.mass)
        modes = photons(self.model)["gammagamma"]
        return decaying(ALP, self.model, self.mass, modes, self.ctau)


class BToKScalar(_BToK):
    """e+e- -> Y(4S) -> B Bbar, one B -> K S, S to two leptons or hadrons, or unseen.

    A scalar that mixes with the Higgs boson, or a pseudoscalar with derivative couplings to all
    fermions, whose hadronic decays are not known here.
    """

    name: ClassVar[str] = "b-to-k-scalar"
    summary: ClassVar[str] = "B -> K S or K* S, S -> ee, mumu, pipi, KK or unseen"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2306.02830 (Belle II, 189/fb)",
        "arXiv:1809.01876 (model)",
        "arXiv:2012.12272 (pseudoscalar)",
    )
    observables: ClassVar[tuple[str, ...]] = ("b_to_k_tracks", "b_to_k_recoil")

    coupling: Annotated[
        float, parameter("sin(theta) where Higgs-mixed, c_ff/f_a [1/GeV] where not", gt=0, le=1)
    ] = 1e-3
    couples_like: Annotated[
        Literal["higgs", "alp"], parameter("scalar that mixes, or pseudoscalar")
    ] = "higgs"
    decay: Annotated[
        Literal["ee", "mumu", "tautau", "pipi", "KK", "invisible"],
        parameter("what S decays to; invisible: leaves unseen, all of it"),
    ] = "mumu"
    branching_fraction: Annotated[
        float | None,
        parameter("B -> K S times that of S to what is chosen", none="the model's", gt=0, le=1),
    ] = None

    @property
    def model(self) -> HiggsMixedScalar | FermionCoupledAlp:
        """Widths, branching fractions and lifetime, and how often B emit it."""
        kind = HiggsMixedScalar if self.couples_like == "higgs" else FermionCoupledAlp
        return kind(self.mass, self.coupling, form_factors=self._form_factors)

    @property
    def fraction_of_b(self) -> float:
        """Branching fraction of B -> K S, or the product where that is given."""
        return super().fraction_of_b if self.branching_fraction is None else self.branching_fraction

    def emitted(self) -> State:
        """S."""
        pdg_id = SCALAR if self.couples_like == "higgs" else ALP
        if self.decay == "invisible":
            return State(pdg_id, self.mass)
        modes: Modes = {name: (self._mode(name, code),) for name, code in _PAIRS.items()}
        found = chosen(modes, self.decay, "mass", self.mass)
        return decaying(pdg_id, self.model, self.mass, found, self.ctau)

    def _mode(self, name: str, pdg_id: int) -> Mode:
        """Into a pair, with all that is left to it of a given product of branching fractions."""
        lepton_kernel = (
            FERMIONS_FROM_SCALAR if self.couples_like == "higgs" else FERMIONS_FROM_PSEUDOSCALAR
        )
        kernel = lepton_kernel if name in LEPTONS else SCALARS_FROM_SCALAR
        known = self.model.widths()
        if self.branching_fraction is not None:
            fraction = float(self.mass > 2 * State.of(pdg_id).least_mass)
        else:
            fraction = self.model.branching_fraction(name) if name in known else 0.0
        return Mode.to_pair(fraction, pdg_id, kernel)
