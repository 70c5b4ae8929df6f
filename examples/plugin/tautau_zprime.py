"""e+e- -> tau+ tau- Z': a process that darkbelle does not have, made of what it has."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from darkbelle.gen.models import LmuLtau
from darkbelle.gen.particles import MASS_TAU, TAU, Z_PRIME
from darkbelle.gen.processes import (
    CTau,
    HardProcess,
    Mode,
    VirtualPhotonProcess,
    chosen,
    decaying,
    of_lmu_ltau,
    parameter,
    warn_if_broad,
    with_lepton_pair,
)
from darkbelle.gen.production import emission

__all__ = ["TauTauZPrime"]


class TauTauZPrime(VirtualPhotonProcess):
    """e+e- -> tau+ tau- Z', the Z' of a gauged L_mu - L_tau, radiated by a tau."""

    name: ClassVar[str] = "tautau-zprime"
    summary: ClassVar[str] = "e+e- -> tau+ tau- Z' of L_mu - L_tau"
    papers: ClassVar[tuple[str, ...]] = ("arXiv:1403.2727 (model)",)
    heaviest: ClassVar[str | None] = "mass"

    mass: Annotated[float, parameter("mass of the Z'", unit="GeV", ge=1e-3)]
    coupling: Annotated[float, parameter("coupling g'", gt=0, le=1)] = 1e-2
    decay: Annotated[
        Literal["mumu", "tautau", "invisible", "any"], parameter("what the Z' decays to")
    ] = "mumu"
    ctau: CTau = None

    @property
    def model(self) -> LmuLtau:
        """Widths, branching fractions and lifetime."""
        return LmuLtau(self.mass, self.coupling)

    def check_physics(self) -> None:
        """A fixed mass is wrong for a broad Z': worth a warning."""
        warn_if_broad(self.name, self.model.width, self.mass)

    def born(self) -> HardProcess:
        """Emission of a vector by a tau."""
        return emission.LeptonPairAndBoson(emission.VECTOR, self._masses(), self.coupling)

    def final_states(self) -> tuple[Mode, ...]:
        """tau-, tau+, Z', whose decays know of its spin."""
        modes = of_lmu_ltau(self.model, emission.FermionPair(self._masses()))
        found = chosen(modes, self.decay, "mass", self.mass)
        return (with_lepton_pair(TAU, decaying(Z_PRIME, self.model, self.mass, found, self.ctau)),)

    def _masses(self) -> emission.Masses:
        return emission.Masses(MASS_TAU, self.mass)
