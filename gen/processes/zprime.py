"""e+e- -> mu+ mu- Z' of L_mu - L_tau, the Z' going unseen."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, KinematicsError
from darkbelle.gen.annihilation import Annihilations, AnnihilationSource
from darkbelle.gen.beams import sample_vertices
from darkbelle.gen.decays.flight import decay_points
from darkbelle.gen.events import (
    CrossSection,
    Origin,
    Outcome,
    Slot,
    Status,
    TruthEvents,
    assemble,
)
from darkbelle.gen.kinematics import boost, invariant_mass, two_body
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.particles import (
    CHI1,
    MASS_MU,
    MUON,
    NU_MU,
    NU_TAU,
    Z_PRIME,
)
from darkbelle.gen.processes.base import Process, parameter
from darkbelle.gen.production import emission
from darkbelle.gen.production.base import HardEvents
from darkbelle.geometry import Collider

__all__ = ["MuMuZPrime"]

FloatArray = npt.NDArray[np.float64]

_log = logging.getLogger(__name__)

PERTURBATIVE = math.sqrt(4 * math.pi)
NARROW = 0.01
"""Width over mass above which a fixed mass distorts the recoil-mass peak."""
LIGHTEST = 1e-4
"""GeV; the mass of a lighter boson would drown in the rounding of its four-momentum."""


@dataclass(frozen=True, slots=True)
class MuonPairWithVector:
    """The hard process: mu-, mu+ and a vector boson radiated by one of them."""

    masses: emission.Masses
    coupling: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return self.masses.threshold

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb]."""
        return self.coupling**2 * emission.cross_section(emission.VECTOR, self.masses, s)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of mu-, mu+, boson, shape (3, 4, n), and weights [fb]."""
        drawn = emission.sample(emission.VECTOR, self.masses, s, rng)
        return np.stack([drawn.p1, drawn.p2, drawn.k]), self.coupling**2 * drawn.weight


class MuMuZPrime(Process):
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
        Literal["invisible"],
        parameter("what the Z' decays to: neutrinos, and chi chi where m_chi is given"),
    ] = "invisible"
    m_chi: Annotated[
        float | None, parameter("mass of a Dirac fermion chi, if there is one", unit="GeV", gt=0)
    ] = None
    g_chi: Annotated[float, parameter("coupling to chi chi", gt=0, le=PERTURBATIVE)] = 0.1
    ctau: Annotated[
        float | None, parameter("proper decay length instead of the model's", unit="cm", ge=0)
    ] = None
    isr: Annotated[bool, parameter("initial-state radiation")] = True

    @property
    def model(self) -> LmuLtau:
        """Widths, branching fractions and lifetime."""
        return LmuLtau(self.mass, self.coupling, self.m_chi, self.g_chi)

    def prepare(self, collider: Collider, rng: np.random.Generator) -> ZPrimeGenerator:
        """Make ready for one collider, cf. `Process.prepare`."""
        if self.m_chi is not None and 2 * self.m_chi >= self.mass:
            msg = (
                f"{self.name}: m_chi = {self.m_chi} GeV exceeds half of mass = {self.mass} GeV, "
                "the Z' cannot decay into it"
            )
            raise ConfigError(msg)
        heaviest = collider.sqrt_s - 2 * MASS_MU
        if self.mass >= heaviest:
            msg = (
                f"{self.name}: mass = {self.mass} GeV is too heavy for sqrt_s = "
                f"{collider.sqrt_s:.5g} GeV ({collider.name}): choose mass < {heaviest:.5g} GeV"
            )
            raise KinematicsError(msg)
        if self.model.width > NARROW * self.mass:
            _log.warning(
                "%s: the width, %.3g GeV, exceeds %g of the mass, but every Z' has the same mass",
                self.name,
                self.model.width,
                NARROW,
            )
        hard = MuonPairWithVector(emission.Masses(MASS_MU, self.mass), self.coupling)
        return ZPrimeGenerator(
            self, collider, AnnihilationSource(hard, collider, isr=self.isr, rng=rng)
        )


@dataclass(frozen=True, slots=True)
class ZPrimeGenerator:
    """`MuMuZPrime` at one collider."""

    process: MuMuZPrime
    collider: Collider
    source: AnnihilationSource

    @property
    def cross_section(self) -> CrossSection:
        """Cross-section times branching fraction to the chosen decay [fb]."""
        fraction = self.process.model.branching_fraction("nu_mu", "nu_tau", "chichi")
        total = self.source.cross_section
        return CrossSection(fraction * total.value, fraction * total.error)

    def generate(self, n_events: int, rng: np.random.Generator) -> TruthEvents:
        """Events in the laboratory frame."""
        events = self.source.draw(n_events, rng)
        vertex = sample_vertices(self.collider, n_events, rng)
        fermion, fermion_mass = self._invisible_mode(n_events, rng)
        first, second = self._decay(events, fermion_mass, rng)
        mu_minus, mu_plus, boson = (events.from_hard_frame(p) for p in events.momenta)
        model = self.process.model
        ctau = model.ctau if self.process.ctau is None else self.process.ctau
        end = decay_points(vertex, boson, ctau, rng)

        boson_slot = 3
        slots = [
            *events.initial_slots(vertex),
            Slot(
                Z_PRIME,
                Status.DECAYED,
                Origin.PRIMARY,
                self.process.mass,
                boson,
                vertex,
                end,
                outcome=Outcome.DECAYED,
            ),
            Slot(MUON, Status.FINAL, Origin.PRIMARY, MASS_MU, mu_minus, vertex),
            Slot(-MUON, Status.FINAL, Origin.PRIMARY, MASS_MU, mu_plus, vertex),
            *(
                Slot(code, Status.FINAL, Origin.DECAY, fermion_mass, p, end, parent=boson_slot)
                for code, p in ((fermion, first), (-fermion, second))
            ),
        ]
        return assemble(slots, events.weight, vertex, self.cross_section)

    def _invisible_mode(
        self, n_events: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int32], FloatArray]:
        """Fermion of each event's decay, by the partial widths, and its mass [GeV]."""
        widths = self.process.model.widths()
        modes = np.array([widths["nu_mu"], widths["nu_tau"], widths["chichi"]])
        code = rng.choice(
            np.array([NU_MU, NU_TAU, CHI1], np.int32), n_events, p=modes / modes.sum()
        )
        return code, np.where(code == CHI1, self.process.m_chi or 0.0, 0.0)

    def _decay(
        self, events: Annihilations, fermion_mass: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Daughters of the Z' in the laboratory, with the spin correlations of the amplitude."""
        correlation = emission.FermionPair(emission.Masses(MASS_MU, self.process.mass))
        root_s, zero = np.sqrt(events.s), np.zeros_like(events.s)
        hard = HardEvents(events.s, np.stack([zero, zero, zero, root_s]), events.momenta)
        momenta = np.empty((2, 4, len(events.s)))
        pending = np.arange(len(events.s))
        while len(pending):
            parent = events.momenta[2][:, pending]
            cos_theta = 2 * rng.random(len(pending)) - 1
            phi = 2 * np.pi * rng.random(len(pending))
            mass = fermion_mass[pending]
            daughters = two_body(invariant_mass(parent), mass, mass, cos_theta, phi)
            trial = np.stack([boost(daughter, parent) for daughter in daughters])
            keep = correlation(hard.take(pending), trial)
            accepted = rng.random(len(pending)) < keep
            momenta[:, :, pending[accepted]] = trial[:, :, accepted]
            pending = pending[~accepted]
        return events.from_hard_frame(momenta[0]), events.from_hard_frame(momenta[1])
