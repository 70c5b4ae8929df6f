"""e+e- -> Y(4S) -> B Bbar, one B into a kaon and something dark."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, ClassVar, Final, Literal

from darkbelle.gen.decays.exclusive import exclusive_mode
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.models.b_to_s import EmittedByB, mother_of
from darkbelle.gen.models.fermion_alp import FermionCoupledAlp
from darkbelle.gen.models.form_factors import BALL_ZWICKY, Z_EXPANSION, FormFactors
from darkbelle.gen.models.mixed_scalar import HiggsMixedScalar
from darkbelle.gen.models.w_alp import WCoupledAlp
from darkbelle.gen.particles import (
    ALP,
    K_S,
    K_STAR,
    K_STAR0,
    KAON,
    PI0,
    PION,
    SCALAR,
    species,
)
from darkbelle.gen.processes.annihilation import CTau
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.processes.modes import LEPTONS, Modes, chosen, decaying, photons
from darkbelle.gen.processes.upsilon import BeautyProcess, b_pair, upsilon
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.radiation import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_SCALAR,
    SCALARS_FROM_SCALAR,
)

__all__ = ["BToKAlp", "BToKScalar"]

Kaon = Literal["K+", "K_S", "K*0", "K*+"]
_KAONS: Final = {"K+": KAON, "K_S": K_S, "K*0": K_STAR0, "K*+": K_STAR}
_PAIRS: Final = {**LEPTONS, "pipi": PION, "KK": KAON}
_K_S_TO_PIONS: Final = 0.6920
"""PDG 2024."""


class _BToK(BeautyProcess):
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

    @property
    def beauty(self) -> int:
        """B+ or B0, by the kaon."""
        return mother_of(_KAONS[self.kaon])

    def hard_process(self) -> HardProcess:
        """The Y(4S)."""
        return upsilon(self.beauty)

    def final_states(self) -> tuple[Mode, ...]:
        """The Y(4S), which decays to B and Bbar."""
        return (b_pair(self.beauty, self._b_meson),)

    def _b_meson(self, sign: int) -> State:
        """B -> K X."""
        daughters = (_kaon(self.kaon, sign), self.emitted())
        return _decaying(sign * self.beauty, (self.fraction_of_b, daughters))

    @property
    def fraction_of_b(self) -> float:
        """Branching fraction of B -> K X."""
        return self.model.fraction_of_b(_KAONS[self.kaon])

    def check_physics(self) -> None:
        """The B must be heavy enough; what leaves unseen has no lifetime."""
        super().check_physics()
        m_b, m_kaon = (species(code).mass or 0.0 for code in (self.beauty, _KAONS[self.kaon]))
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
    code, plus, pion = sign * _KAONS[name], State.of(sign * KAON), State.of(sign * PION)
    k_short = _decaying(K_S, (_K_S_TO_PIONS, (State.of(PION), State.of(-PION))))
    if name == "K+":
        return plus
    if name == "K_S":
        return k_short
    if name == "K*0":
        return _decaying(code, (2 / 3, (plus, State.of(-sign * PION))))
    return _decaying(code, (1 / 3, (k_short, pion)), (1 / 3, (plus, State.of(PI0))))


def _decaying(pdg_id: int, *modes: tuple[float, tuple[State, ...]]) -> State:
    """A known particle with these fractions and daughters."""
    own = tuple(exclusive_mode(pdg_id, daughters, fraction) for fraction, daughters in modes)
    return replace(State.of(pdg_id), decay=Decay(species(pdg_id).ctau, own))


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
