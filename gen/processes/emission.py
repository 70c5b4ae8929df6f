"""e+e- -> l+ l- and a dark boson that one of the leptons radiates."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from darkbelle.gen.decays.tree import ChargedPair, Decay, Mode, State
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.particles import CHI1, MASS_MU, MASS_TAU, MUON, NU_MU, NU_TAU, TAU, Z_PRIME
from darkbelle.gen.processes.annihilation import AnnihilationProcess
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.production import emission
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.radiation import FERMIONS_FROM_VECTOR

__all__ = ["MuMuZPrime"]

_log = logging.getLogger(__name__)

PERTURBATIVE = math.sqrt(4 * math.pi)
NARROW = 0.01
"""Width over mass above which a fixed mass distorts the recoil-mass peak."""
LIGHTEST = 1e-4
"""GeV; the mass of a lighter boson would drown in the rounding of its four-momentum."""


class MuMuZPrime(AnnihilationProcess):
    """e+e- -> mu+ mu- Z', the Z' of a gauged L_mu - L_tau radiated by a muon, narrow-width."""

    name: ClassVar[str] = "mumu-zprime"
    summary: ClassVar[str] = "e+e- -> mu+ mu- Z' of L_mu - L_tau"
    papers: ClassVar[tuple[str, ...]] = (
        "arXiv:2212.03066 (Belle II, invisible, 79.7/fb)",
        "arXiv:1912.11276 (Belle II, invisible, 276/pb)",
        "arXiv:1403.2727 (model)",
    )
    observables: ClassVar[tuple[str, ...]] = ("dimuon_recoil",)

    mass: Annotated[float, parameter("mass of the Z'", unit="GeV", ge=LIGHTEST)]
    coupling: Annotated[float, parameter("coupling g'", gt=0, le=PERTURBATIVE)] = 1e-3
    decay: Annotated[
        Literal["invisible", "mumu", "tautau"],
        parameter("what the Z' decays to; invisible: neutrinos, and chi chi where m_chi is given"),
    ] = "invisible"
    m_chi: Annotated[
        float | None, parameter("mass of a Dirac fermion chi, if there is one", unit="GeV", gt=0)
    ] = None
    g_chi: Annotated[float, parameter("coupling to chi chi", gt=0, le=PERTURBATIVE)] = 0.1
    ctau: Annotated[
        float | None, parameter("proper decay length instead of the model's", unit="cm", ge=0)
    ] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.m_chi is not None and 2 * self.m_chi >= self.mass:
            msg = (
                f"m_chi = {self.m_chi} GeV exceeds half of mass = {self.mass} GeV, "
                "the Z' cannot decay into it"
            )
            raise ValueError(msg)
        if not self.final_state().share:
            lightest = 2 * {"mumu": MASS_MU, "tautau": MASS_TAU}[self.decay]
            msg = f"decay = '{self.decay}' needs mass > {lightest:.6g} GeV (got {self.mass})"
            raise ValueError(msg)
        if self.model.width > NARROW * self.mass:
            _log.warning(
                "%s: the width, %.3g GeV, exceeds %g of the mass, but every Z' has the same mass",
                self.name,
                self.model.width,
                NARROW,
            )
        return self

    def hard_process(self) -> HardProcess:
        """The emission by a muon."""
        return emission.LeptonPairAndBoson(emission.VECTOR, emission.Masses(MASS_MU, self.mass), self.coupling)

    def final_state(self) -> Mode:
        """mu-, mu+ and the Z', which knows of its spin."""
        boson = State(Z_PRIME, self.mass, Decay(self.model.ctau if self.ctau is None else self.ctau, tuple(self._modes())))
        pair = ChargedPair(0, 1, FERMIONS_FROM_VECTOR)
        return Mode(1.0, (State.of(MUON), State.of(-MUON), boson), pair=pair)

    def _modes(self) -> Iterator[Mode]:
        branching = self.model.branching_fraction
        correlation = emission.VectorDecay(emission.Masses(MASS_MU, self.mass))
        if self.decay == "invisible":
            for code, mode in ((NU_MU, "nu_mu"), (NU_TAU, "nu_tau")):
                daughters = State.of(code), State.of(-code)
                yield Mode(branching(mode), daughters, correlation=correlation)
            if self.m_chi is not None:
                daughters = State(CHI1, self.m_chi), State(-CHI1, self.m_chi)
                yield Mode(branching("chichi"), daughters, correlation=correlation)
        else:
            lepton = {"mumu": MUON, "tautau": TAU}[self.decay]
            yield Mode.to_pair(branching(self.decay), lepton, FERMIONS_FROM_VECTOR, correlation)

    @property
    def model(self) -> LmuLtau:
        """Widths, branching fractions and lifetime."""
        return LmuLtau(self.mass, self.coupling, self.m_chi, self.g_chi)
