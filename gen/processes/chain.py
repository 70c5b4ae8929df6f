"""Exclusive decay chains of known particles: control modes, and decays that nobody wrote before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Protocol

import numpy as np
from pydantic import BeforeValidator

from darkbelle.errors import KinematicsError
from darkbelle.gen.decays.chain import Chain, code_of, read_chain
from darkbelle.gen.decays.tree import Mode, State
from darkbelle.gen.events import Outcome
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.line_shapes import line_shape
from darkbelle.gen.particles import (
    B0,
    B_PLUS,
    CHARGED_REMAINDER,
    D0,
    D_PLUS,
    D_STAR,
    D_STAR0,
    DS_STAR,
    K0,
    K_S,
    K_STAR,
    K_STAR0,
    KAON,
    MASS_TAU,
    REMAINDER,
    TAU,
    conjugate,
    species,
)
from darkbelle.gen.processes.annihilation import AnnihilationGenerator
from darkbelle.gen.processes.base import Range, parameter
from darkbelle.gen.processes.tau import tau_pair
from darkbelle.gen.processes.upsilon import BeautyProcess, b_pair, upsilon
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.inclusive import FlatMomentum, Inclusive, Kartvelishvili
from darkbelle.gen.production.lepton_pair import LeptonPair
from darkbelle.gen.production.running_coupling import RunningCoupling
from darkbelle.geometry import Collider

__all__ = ["DecayChain"]


@dataclass(frozen=True, slots=True)
class _Charm:
    """How a charmed hadron comes of a quark: how often, and its spectrum."""

    fraction: float
    alpha: float


_CHARM: Final = {
    D0: _Charm(0.56, 1.6),
    D_PLUS: _Charm(0.25, 1.6),
    D_STAR0: _Charm(0.22, 2.1),
    D_STAR: _Charm(0.23, 2.1),
    431: _Charm(0.09, 2.1),
    DS_STAR: _Charm(0.06, 2.4),
    4122: _Charm(0.07, 1.7),
}
"""Estimates, with the products of heavier charm: fractions close to those of LEP and B factories
(arXiv:1112.3757), powers of x_p for the mean x_p of 0.57 to 0.63 that Belle has seen
(hep-ex/0506068); vary the powers by 0.4, the fractions by 10 %."""
_CHARM_QUARKS: Final = 1.30e6
"""Cross-section of e+e- -> c cbar at the Y(4S) [fb], arXiv:1808.10567."""
_LIGHTEST_REST: Final = 1.0
"""GeV; what is left beside a hadron of a given momentum."""
_STEP: Final = 1e-3
"""GeV; recommended momenta are rounded down to it."""
_OF_TAUS: Final = ("tau_one_prong", "tau_to_three_muons")
_OF_KAON: Final = ("b_to_k_recoil",)
_OF_KAON_AND_ONE: Final = (*_OF_KAON, "b_to_k_photons", "b_to_k_tracks")
"""Observables of tau pairs, of B to one of the kaons with anything, and with one particle."""
_KAONS: Final = frozenset({KAON, K_S, K0, K_STAR0, K_STAR})

Parents = Callable[[int], State]
"""The parent of a chain (1), or its antiparticle (-1)."""


class _Source(Protocol):
    """Where the parents of chains come from."""

    def hard_process(self) -> HardProcess:
        """What the beams make."""

    def final_states(self, chain: Parents) -> tuple[Mode, ...]:
        """That with a chain in it, of either charge."""


@dataclass(frozen=True, slots=True)
class _Beauty:
    """Either B of a pair from the Y(4S)."""

    pdg_id: int

    def hard_process(self) -> HardProcess:
        return upsilon(self.pdg_id)

    def final_states(self, chain: Parents) -> tuple[Mode, ...]:
        return (b_pair(self.pdg_id, chain),)


@dataclass(frozen=True, slots=True)
class _Tau:
    """Either tau of a pair; the other one decays as it is known to."""

    def hard_process(self) -> HardProcess:
        return RunningCoupling(LeptonPair(MASS_TAU))

    def final_states(self, chain: Parents) -> tuple[Mode, ...]:
        tag_minus, tag_plus = State.of(TAU), State.of(-TAU)
        return tau_pair(chain(1), tag_plus), tau_pair(tag_minus, chain(-1))


@dataclass(frozen=True, slots=True)
class _Alone:
    """A hadron of some spectrum, the rest of the event one particle that nothing is known of."""

    pdg_id: int
    inclusive: Inclusive

    def hard_process(self) -> HardProcess:
        return self.inclusive

    def final_states(self, chain: Parents) -> tuple[Mode, ...]:
        charge = species(self.pdg_id).charge
        signs = (1,) if conjugate(self.pdg_id) == self.pdg_id else (1, -1)
        return tuple(
            Mode(1 / len(signs), (chain(sign), _remainder(-sign * charge))) for sign in signs
        )


def _remainder(charge: int) -> State:
    """What has the rest of the momentum."""
    code = charge * CHARGED_REMAINDER if charge else REMAINDER
    return State(code, None, outcome=Outcome.UNDECAYED)


def _from_charm(pdg_id: int) -> _Alone:
    """Of fragmentation, in either jet; angles as of quarks."""
    charm, mass = _CHARM[pdg_id], species(pdg_id).mass or 0.0
    total = 2 * charm.fraction * _CHARM_QUARKS
    inclusive = Inclusive(mass, mass, Kartvelishvili(charm.alpha), 1.0, total)
    return _Alone(pdg_id, inclusive)


class DecayChain(BeautyProcess):
    """An exclusive decay chain of B, charm, tau, or of any hadron of a given momentum.

    B come from the Y(4S), charmed hadrons from e+e- -> c cbar, taus from e+e- -> tau+ tau-; all of
    them in either charge, and anything in a range of momenta where ``p`` is given.
    """

    name: ClassVar[str] = "decay-chain"
    summary: ClassVar[str] = "any exclusive decay chain of B, charm, tau, J/psi, K_S ..."
    observables: ClassVar[tuple[str, ...]] = (*_OF_TAUS, *_OF_KAON_AND_ONE)

    chain: Annotated[
        Chain,
        BeforeValidator(read_chain),
        parameter("a TOML file with these two, or a table"),
    ]
    p: Annotated[
        Range | None,
        parameter(
            "momentum of the parent in the centre of mass, isotropic",
            unit="GeV",
            none="by its kind",
        ),
    ] = None

    def check_physics(self) -> None:
        """The parent must come from somewhere."""
        super().check_physics()
        code = self.parent
        if self.p is None and code not in (TAU, B_PLUS, B0, *_CHARM):
            msg = f"p: nothing here makes {self.chain.parent}, give its range of momenta"
            raise ValueError(msg)
        if self.p is not None and not 0 <= self.p[0] <= self.p[1]:
            msg = f"p: needs 0 <= low <= high (got {self.p[0]}, {self.p[1]})"
            raise ValueError(msg)

    @property
    def parent(self) -> int:
        """PDG code of the parent, that of the particle where the chain is of its antiparticle."""
        return abs(code_of(self.chain.parent))

    @property
    def beauty(self) -> int | None:
        """The parent, where it is a B of the Y(4S)."""
        return self.parent if self.p is None and self.parent in (B_PLUS, B0) else None

    @property
    def has_cross_section(self) -> bool:
        """Not of a hadron of a given momentum."""
        return self.p is None

    @property
    def carried(self) -> tuple[str, ...]:
        """Those of tau pairs, or those of B -> K X where a B decays like that."""
        if self.p is None and self.parent == TAU:
            return _OF_TAUS
        modes = [] if self.beauty is None else self.chain.daughters(self.beauty)
        sizes = {len(mode) for mode in modes if not _KAONS.isdisjoint(map(abs, mode))}
        if 2 in sizes:
            return _OF_KAON_AND_ONE
        return _OF_KAON if sizes else ()

    def prepare(self, collider: Collider, rng: np.random.Generator) -> AnnihilationGenerator:
        """Make ready for one collider, cf. `Process.prepare`."""
        if self.p is not None:
            self._check_momentum(self.p[1], collider)
        return super().prepare(collider, rng)

    def _check_momentum(self, most: float, collider: Collider) -> None:
        """A momentum [GeV] must be possible with what is left."""
        mass = species(self.parent).mass or 0.0
        greatest = float(breakup_momentum(np.array(collider.sqrt_s), mass, _LIGHTEST_REST))
        if most > greatest > 0:
            limit = math.floor(greatest / _STEP) * _STEP
            raise KinematicsError(
                f"{self.name}: p = {most:.6g} GeV is more than {self.chain.parent} can have at the "
                f"sqrt_s = {collider.sqrt_s:.6g} GeV of {collider.name}: "
                f"choose p <= {limit:.6g} GeV"
            )

    def hard_process(self) -> HardProcess:
        """What the parent comes from."""
        return self._source.hard_process()

    def final_states(self) -> tuple[Mode, ...]:
        """The parent and what comes with it."""
        return self._source.final_states(self._of_charge)

    def _of_charge(self, sign: int) -> State:
        return self.chain.state(self.parent if sign > 0 else conjugate(self.parent))

    @property
    def _source(self) -> _Source:
        code = self.parent
        if self.p is not None:
            hadron = line_shape(code) or species(code).mass or 0.0
            inclusive = Inclusive(hadron, _LIGHTEST_REST, FlatMomentum(*self.p), 0.0, 1.0)
            return _Alone(code, inclusive)
        if code == TAU:
            return _Tau()
        return _Beauty(code) if code in (B_PLUS, B0) else _from_charm(code)
