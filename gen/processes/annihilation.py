"""What all processes of e+e- annihilation share: radiation, flights, cuts, cross-sections."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import model_validator

from darkbelle.errors import ConfigError, KinematicsError
from darkbelle.gen.annihilation import AnnihilationSource
from darkbelle.gen.beams import sample_vertices
from darkbelle.gen.decays.decay import decay_short_lived
from darkbelle.gen.decays.tree import Mode, State, grow
from darkbelle.gen.events import CrossSection, TruthEvents, assemble
from darkbelle.gen.processes.base import Lifetime, Process, parameter
from darkbelle.gen.processes.cuts import GeneratorCuts
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.production.running_coupling import RunningCoupling
from darkbelle.geometry import Collider

__all__ = [
    "AnnihilationGenerator",
    "AnnihilationProcess",
    "CTau",
    "FinalStateRadiation",
    "InitialStateRadiation",
    "VacuumPolarisation",
    "VirtualPhotonProcess",
]

CTau = Annotated[
    Lifetime | None, parameter("mean proper decay length", unit="cm", none="the model's")
]

_PILOT_EVENTS = 20_000
"""Events that measure the efficiency of the cuts."""
_FEWEST_PASSED = 10
_LARGEST_BATCH = 65536
_STEP = 1e-3
"""GeV; recommended masses are rounded down to it."""


InitialStateRadiation = Annotated[bool, parameter("initial-state radiation")]
FinalStateRadiation = Annotated[bool, parameter("final-state radiation of all charged particles")]
VacuumPolarisation = Annotated[
    bool, parameter("alpha at the energy of the annihilation, in the cross-section")
]


class AnnihilationProcess(Process):
    """A process of e+e- annihilation: a hard process, and what becomes of what it makes.

    One that is derived from it adds parameters, and says by `hard_process` and `final_states` what
    they mean.
    """

    heaviest: ClassVar[str | None] = None
    """A mass that the threshold of the hard process grows with one to one."""

    isr: InitialStateRadiation = True
    fsr: FinalStateRadiation = True
    weighted: Annotated[bool, parameter("events with weights instead of unweighted ones")] = False
    reach: Annotated[
        float | None,
        parameter("at least half of the decays are drawn within it, with weights", unit="cm", gt=0),
    ] = None
    cuts: Annotated[GeneratorCuts, parameter("what generated events must have")] = GeneratorCuts()

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.check_physics()
        if not any(mode.has_flights for mode in self.final_states()):
            for key in ("ctau", "reach"):
                if getattr(self, key, None) is not None:
                    msg = f"{key}: nothing here has a lifetime of its own, leave it out"
                    raise ValueError(msg)
        if self.reach is not None:
            for key, state in self.long_lived.items():
                if state.decay is not None and state.decay.shortest is not None:
                    msg = f"reach: does not go with a range of {key}, leave one of them out"
                    raise ValueError(msg)
        return self

    @property
    def long_lived(self) -> dict[str, State]:
        """Found in the final states: each decay says what parameter sets its lifetime."""
        return {
            state.decay.parameter: state
            for mode in self.final_states()
            for daughter in mode.daughters
            for state in daughter.family()
            if state.decay is not None and state.decay.parameter is not None
        }

    def check_physics(self) -> None:
        """Refuse parameters that do not go together, by a ValueError."""

    @property
    def has_cross_section(self) -> bool:
        """Whether the weights of the hard process are a cross-section, or shares alone."""
        return True

    @abc.abstractmethod
    def hard_process(self) -> HardProcess:
        """What happens at the energy of the annihilation, with its couplings."""

    @abc.abstractmethod
    def final_states(self) -> tuple[Mode, ...]:
        """The particles of the hard process, in its order, and how they decay.

        Most often one; where there are several, each has its share of the cross-section.

        Raises
        ------
        ValueError
            A chosen decay is closed.
        """

    def finish(self, truth: TruthEvents, rng: np.random.Generator) -> TruthEvents:
        """Let decay what `final_states` leaves to the table of known particles."""
        return decay_short_lived(truth, rng, fsr=self.fsr)

    def prepare(self, collider: Collider, rng: np.random.Generator) -> AnnihilationGenerator:
        """Make ready for one collider, cf. `Process.prepare`."""
        hard = self.hard_process()
        if hard.threshold >= collider.sqrt_s:
            raise KinematicsError(f"{self.name}: {self._too_heavy(hard.threshold, collider)}")
        source = AnnihilationSource(hard, collider, isr=self.isr, rng=rng)
        modes = self.final_states()
        n_made = len(source.draw(0, rng, weighted=True).hard.momenta)
        for mode in modes:
            if len(mode.daughters) != n_made:
                raise ConfigError(
                    f"{self.name}: final_states have {len(mode.daughters)} particles, but the hard "
                    f"process samples momenta of {n_made}"
                )
        share, total = sum(mode.share for mode in modes), source.cross_section
        cross_section = (
            CrossSection(share * total.value, share * total.error)
            if self.has_cross_section
            else None
        )
        generator = AnnihilationGenerator(self, collider, source, modes, cross_section)
        return generator if self.cuts.are_open else generator.behind_cuts(rng)

    def _too_heavy(self, threshold: float, collider: Collider) -> str:
        """What is needed and, where lowering one mass alone is enough, how far."""
        available = collider.sqrt_s
        said = f"needs sqrt_s > {threshold:.6g} GeV, {collider.name} has {available:.6g} GeV"
        key = self.heaviest
        if key is None:
            return said
        limit = math.floor((getattr(self, key) - threshold + available) / _STEP) * _STEP
        try:
            type(self)(**self.model_dump(exclude_unset=True) | {key: limit})
        except ConfigError:
            return said
        return f"{said}: choose {key} < {limit:.6g} GeV"


class VirtualPhotonProcess(AnnihilationProcess):
    """A process of e+e- annihilation through one virtual photon.

    One that is derived from it says by `born` what happens at a fixed alpha.
    """

    vacuum_polarisation: VacuumPolarisation = False

    @abc.abstractmethod
    def born(self) -> HardProcess:
        """What happens, at lowest order."""

    def hard_process(self) -> HardProcess:
        """What happens, perhaps with a running coupling."""
        return RunningCoupling(self.born()) if self.vacuum_polarisation else self.born()


@dataclass(frozen=True, slots=True)
class AnnihilationGenerator:
    """An `AnnihilationProcess` at one collider."""

    process: AnnihilationProcess
    collider: Collider
    source: AnnihilationSource
    modes: tuple[Mode, ...]
    cross_section: CrossSection | None
    """Cross-section times branching fractions of what is generated [fb], None without one."""
    cut_efficiency: float = 1.0
    mean_weight: float = 1.0
    """Of the events that pass the cuts."""

    @property
    def efficiencies(self) -> Mapping[str, float]:
        """Shares of events that unweighting and cuts keep."""
        shares = {} if self.process.weighted else {"unweighting": self.source.bound.efficiency}
        return shares if self.process.cuts.are_open else shares | {"cuts": self.cut_efficiency}

    def generate(self, n_events: int, rng: np.random.Generator) -> TruthEvents:
        """Events in the laboratory frame."""
        if self.process.cuts.are_open:
            return self._grown(n_events, rng)
        batches = [self._grown(0, rng)]
        missing = n_events
        while missing > 0:
            n_tries = math.ceil(1.05 * missing / self.cut_efficiency) + 16
            truth = self._grown(min(n_tries, _LARGEST_BATCH), rng)
            kept = np.flatnonzero(self.process.cuts.passed(truth, self.collider))[:missing]
            batches.append(truth.take(kept))
            missing -= len(kept)
        truth = TruthEvents.join(batches)
        return replace(truth, weight=truth.weight / self.mean_weight)

    def behind_cuts(self, rng: np.random.Generator) -> AnnihilationGenerator:
        """Measure the efficiency of the cuts, which enters the cross-section.

        Raises
        ------
        ConfigError
            Hardly any event passes.
        """
        truth = self._grown(_PILOT_EVENTS, rng)
        passed = self.process.cuts.passed(truth, self.collider)
        if passed.sum() < _FEWEST_PASSED:
            raise ConfigError(
                f"{self.process.name}: of {_PILOT_EVENTS} events {passed.sum()} pass the cuts, "
                f"fewer than {_FEWEST_PASSED}: loosen them"
            )
        weight = truth.weight * passed
        efficiency = float(weight.sum() / truth.weight.sum())
        error = float(np.sqrt(np.sum((weight - efficiency * truth.weight) ** 2)))
        error /= float(truth.weight.sum())
        before, after = self.cross_section, None
        if before is not None:
            relative = math.hypot(before.error / before.value, error / efficiency)
            value = efficiency * before.value
            after = CrossSection(value, relative * value)
        return replace(
            self,
            cross_section=after,
            cut_efficiency=efficiency,
            mean_weight=float(weight.sum() / passed.sum()),
        )

    def _grown(self, n: int, rng: np.random.Generator) -> TruthEvents:
        """Events before cuts."""
        process = self.process
        events = self.source.draw(n, rng, weighted=process.weighted)
        vertex = sample_vertices(self.collider, n, rng)
        slots, weight = grow(
            events.initial_slots(vertex),
            self.modes,
            events.hard,
            vertex,
            rng,
            fsr=process.fsr,
            reach=process.reach,
        )
        truth = assemble(slots, events.weight * weight, vertex, self.cross_section)
        return process.finish(truth, rng)
