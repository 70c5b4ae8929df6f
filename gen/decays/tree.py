"""Decays that a process prescribes: what its particles decay to, how, and how long they live."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from darkbelle.gen.decays.flight import MixedLifetimes, favoured_decay_points
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.spins import (
    Analyser,
    FermionAnalyser,
    FermionPair,
    PairCorrelation,
    Siblings,
    Spins,
    correlation_of,
    orient,
)
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.events import Origin, Outcome, Slot, Status
from darkbelle.gen.kinematics import boost, invariant_mass, to_rest_frame
from darkbelle.gen.line_shapes import LineShape, in_shapes, line_shape
from darkbelle.gen.particles import PHOTON, TAU, species
from darkbelle.gen.phasespace import DecayAtRest
from darkbelle.gen.production.base import Correlation, HardEvents
from darkbelle.gen.radiation import (
    ChargedPair,
    Kernel,
    Radiated,
    radiate_daughters,
)
from darkbelle.gen.sampling import first_kept

__all__ = ["Decay", "Mode", "State", "grow"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class State:
    """A particle as a process knows it.

    ``mass`` [GeV] is None where every event has its own; ``decay`` is None where nothing follows,
    or where the decays of its kind follow from its code.
    """

    pdg_id: int
    mass: float | None
    decay: Decay | None = None
    outcome: Outcome = Outcome.UNDETERMINED

    @property
    def least_mass(self) -> float:
        """Mass [GeV], zero where every event has its own."""
        return self.mass or 0.0

    @property
    def mass_or_shape(self) -> float | LineShape:
        """Mass [GeV], or line shape where it has one."""
        shape = line_shape(self.pdg_id) if self.mass is None else None
        return self.least_mass if shape is None else shape

    def family(self) -> Iterator[State]:
        """Itself, and all that its decays make."""
        yield self
        for mode in self.decay.modes if self.decay is not None else ():
            for daughter in mode.daughters:
                yield from daughter.family()

    @classmethod
    def of(cls, pdg_id: int) -> Self:
        """A known particle; taus decay here, where their spins are known."""
        decay = Decay.known(pdg_id) if abs(pdg_id) == TAU else None
        is_broad = line_shape(pdg_id) is not None
        return cls(pdg_id, None if is_broad else species(pdg_id).mass, decay)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to decay: branching fraction, daughters, and how they share energy and spin.

    Attributes
    ----------
    fraction
        Branching fraction.
    daughters
        What comes out.
    at_rest
        How they share the energy; without it they are flat in phase space.
    correlation
        Of a decay of what the hard process makes.
    pair
        Who radiates, by the kernel of their parent; without it all charges do.
    analyser
        How the decay shows the spin of the parent; without it, not at all.
    spins
        The spins of the daughters that decay.
    """

    fraction: float
    daughters: tuple[State, ...]
    at_rest: DecayAtRest | None = None
    correlation: Correlation | None = None
    pair: ChargedPair | None = None
    analyser: Analyser | None = None
    spins: Spins | None = None

    @classmethod
    def to_pair(
        cls,
        fraction: float,
        pdg_id: int,
        kernel: Kernel,
        correlation: Correlation | None = None,
        spins: PairCorrelation | None = None,
    ) -> Self:
        """Into a charged particle and its antiparticle, the negative one first.

        The spins of fermions know of each other as from the parent of the kernel, without
        polarisation, or as told.
        """
        found = correlation_of(kernel) if spins is None else spins
        minus = pdg_id if species(pdg_id).charge < 0 else -pdg_id
        return cls(
            fraction,
            (State.of(minus), State.of(-minus)),
            correlation=correlation,
            pair=ChargedPair(0, 1, kernel),
            spins=None if found is None else FermionPair(0, 1, found),
        )

    @classmethod
    def known(cls, mode: DecayMode, *states: State) -> Self:
        """One of the table, or like it; the states are those of daughters that are not known."""
        polarimeter, own = mode.polarimeter, {state.pdg_id: state for state in states}
        return cls(
            mode.fraction,
            tuple(own[code] if code in own else State.of(code) for code in mode.daughters),
            mode.at_rest,
            analyser=None if polarimeter is None else FermionAnalyser(polarimeter),
        )

    @property
    def share(self) -> float:
        """Branching fraction of this mode and of all that follows."""
        share = self.fraction
        for daughter in self.daughters:
            if daughter.decay is not None:
                share *= daughter.decay.share
        return share

    @property
    def has_flights(self) -> bool:
        """Whether a daughter has a decay of its own; what follows it then flies too."""
        return any(daughter.decay is not None for daughter in self.daughters)


@dataclass(frozen=True, slots=True)
class Decay:
    """How a particle ends.

    Attributes
    ----------
    ctau
        Mean proper decay length [cm].
    modes
        Those that are generated.
    shortest
        Where it is given, flights are of all lifetimes between it and ``ctau`` [cm], with the
        weights of ``ctau``, cf. `MixedLifetimes`.
    parameter
        Of the process, that sets the lifetime; None where none does.
    """

    ctau: float
    modes: tuple[Mode, ...]
    shortest: float | None = None
    parameter: str | None = None

    @property
    def share(self) -> float:
        """Part of all decays that is generated."""
        return sum(mode.share for mode in self.modes)

    @classmethod
    def known(cls, pdg_id: int) -> Self:
        """That of the table."""
        modes = tuple(Mode.known(mode) for mode in decay_modes(pdg_id))
        return cls(species(pdg_id).ctau, modes)


@dataclass(frozen=True, slots=True)
class _Family:
    """What comes out of one mode in some events, after radiation, on its way into the record.

    ``place`` is that of the parent's slot, -1 for none; ``photons`` are the radiated ones, with the
    rows of ``events`` that have them.
    """

    mode: Mode
    siblings: Siblings
    photons: Sequence[tuple[IndexArray, FloatArray]]
    start: FloatArray
    events: IndexArray
    place: int

    def slot(self, i: int, end: FloatArray | None = None) -> Slot:
        """The i-th of them."""
        state, momentum = self.mode.daughters[i], self.siblings.momenta[i]
        return Slot(
            state.pdg_id,
            Status.FINAL if end is None else Status.DECAYED,
            Origin.PRIMARY if self.place < 0 else Origin.DECAY,
            invariant_mass(momentum) if state.mass is None else state.mass,
            momentum,
            self.start,
            end,
            self.place,
            state.outcome if end is None else Outcome.DECAYED,
            self.events,
        )

    def photon_slots(self) -> Iterator[Slot]:
        """What they radiated."""
        for rows, photon in self.photons:
            yield Slot(
                PHOTON,
                Status.FINAL,
                Origin.FINAL_STATE_RADIATION,
                0.0,
                photon,
                self.start[:, rows],
                parent=self.place,
                events=self.events[rows],
            )


def grow(
    first: Sequence[Slot],
    modes: Sequence[Mode],
    hard: HardEvents,
    vertex: FloatArray,
    rng: np.random.Generator,
    *,
    fsr: bool,
    reach: float | None,
) -> tuple[list[Slot], FloatArray]:
    """Let what a hard process makes radiate, fly and decay.

    Parameters
    ----------
    first
        Slots that come before.
    modes
        What the hard process makes, in the order of its momenta; each gets its share of the events.
    hard, vertex
        Hard processes in the laboratory, and where they happened, shape (4, n).
    fsr
        Whether charged particles radiate.
    reach
        Distance [cm] up to which decays are favoured, cf. `favoured_decay_points`; None for none.

    Returns
    -------
    slots
        ``first``, then the particles, daughters after all of an earlier generation.
    weight
        Weights of the events that make up for favoured decays and ranges of lifetimes, shape (n,).
    """
    tree = _Tree(list(first), np.ones(len(hard.s)), hard, rng, fsr=fsr, reach=reach)
    for mode, events in zip(modes, _choose(modes, len(hard.s), rng), strict=True):
        momenta = hard.momenta[:, :, events]
        siblings = Siblings(momenta.sum(axis=0), momenta, hard.difference[:, events])
        tree.add(mode, siblings, vertex[:, events], events, -1)
    while tree.queue:
        tree.settle(tree.queue.popleft())
    for mixed in tree.mixed.values():
        tree.weight *= mixed.weights()
    return tree.slots, tree.weight


@dataclass(slots=True)
class _Tree:
    """Events that grow: what is settled, and the families that wait."""

    slots: list[Slot]
    weight: FloatArray
    hard: HardEvents
    rng: np.random.Generator
    fsr: bool = field(kw_only=True)
    reach: float | None = field(kw_only=True)
    queue: deque[_Family] = field(default_factory=deque)
    mixed: dict[str | None, MixedLifetimes] = field(default_factory=dict)
    """Ranges of lifetimes, by the parameters that set them"""

    def add(
        self, mode: Mode, siblings: Siblings, start: FloatArray, events: IndexArray, place: int
    ) -> None:
        """A family, after radiation."""
        photons: Sequence[tuple[IndexArray, FloatArray]] = ()
        # Spectra of what comes with a remainder are measured with all photons.
        is_whole = all(state.outcome is not Outcome.UNDECAYED for state in mode.daughters)
        if self.fsr and is_whole:
            radiated = _radiate(mode, siblings.momenta, self.rng)
            siblings = replace(siblings, momenta=radiated.momenta)
            photons = tuple(radiated.one_a_decay())
        self.queue.append(_Family(mode, siblings, photons, start, events, place))

    def settle(self, family: _Family) -> None:
        """Record a family, and let those of it decay that do."""
        mode, siblings = family.mode, family.siblings
        analysed: dict[int, FloatArray] = {}
        for i, state in enumerate(mode.daughters):
            if state.decay is None:
                self.slots.append(family.slot(i))
                continue
            end = self._fly(state.decay, family, siblings.momenta[i])
            self.slots.append(family.slot(i, end))
            spin = None if mode.spins is None else mode.spins(i, siblings, analysed, self.rng)
            analysed[i] = self._decay(family, i, state, end, spin)
        self.slots += family.photon_slots()

    def _fly(self, decay: Decay, family: _Family, momentum: FloatArray) -> FloatArray:
        """Ends of flights, shape (4, n)."""
        if decay.shortest is None:
            end, favour = favoured_decay_points(
                family.start, momentum, decay.ctau, self.reach, self.rng
            )
            self.weight[family.events] *= favour
            return end
        if decay.parameter not in self.mixed:
            self.mixed[decay.parameter] = MixedLifetimes.draw(
                decay.shortest, decay.ctau, len(self.weight), self.rng
            )
        return self.mixed[decay.parameter].fly(family.start, momentum, family.events, self.rng)

    def _decay(
        self, family: _Family, i: int, state: State, end: FloatArray, spin: FloatArray | None
    ) -> FloatArray:
        """Let the i-th of a family decay; what its decays show of its spin, shape (4, n)."""
        assert state.decay is not None
        place = len(self.slots) - 1
        parents: FloatArray = family.siblings.momenta[i]
        shown = np.zeros_like(parents)
        chosen = _choose(state.decay.modes, len(family.events), self.rng)
        for mode, rows in zip(state.decay.modes, chosen, strict=True):
            events, parent = family.events[rows], parents[:, rows]
            spins = None if spin is None else spin[:, rows]
            daughters, shown[:, rows] = _daughters(
                mode, state.mass, parent, spins, self.hard.take(events), self.rng
            )
            siblings = Siblings(parent, daughters, family.siblings.beams[:, rows])
            self.add(mode, siblings, end[:, rows], events, place)
        return shown


def _choose(modes: Sequence[Mode], n: int, rng: np.random.Generator) -> list[IndexArray]:
    """Which of n particles decay by each mode."""
    if len(modes) == 1:
        return [np.arange(n)]
    shares = np.array([mode.share for mode in modes])
    chosen = rng.choice(len(modes), n, p=shares / shares.sum())
    return [np.flatnonzero(chosen == i) for i in range(len(modes))]


def _daughters(
    mode: Mode,
    mass: float | None,
    parent: FloatArray,
    spin: FloatArray | None,
    hard: HardEvents,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Momenta of the daughters in the laboratory, shape (n_daughters, 4, n).

    With what they show of the spin of the parent, as a four-vector, shape (4, n).
    """
    own_mass = invariant_mass(parent) if mass is None else np.full(parent.shape[1], mass)
    at_rest = mode.at_rest or in_shapes(tuple(state.mass_or_shape for state in mode.daughters))
    if mode.correlation is not None:
        kept = _correlated(at_rest, mode.correlation, parent, own_mass, hard, rng)
        return kept, np.zeros_like(parent)
    momenta = at_rest(own_mass, rng=rng)
    shown = np.zeros_like(parent)
    if mode.analyser is not None:
        at_rest_spin = None if spin is None else to_rest_frame(spin, parent)[1:]
        momenta, vector = orient(momenta, mode.analyser, at_rest_spin, rng)
        shown = boost(np.stack([np.zeros_like(own_mass), *vector]), parent, own_mass)
    return _moving(momenta, parent, own_mass), shown


def _moving(momenta: FloatArray, frame: FloatArray, mass: FloatArray) -> FloatArray:
    """Daughters at rest where their parent moves; the last one takes up the rounding."""
    moving = [boost(p, frame, mass) for p in momenta[:-1]]
    return np.stack([*moving, frame - sum(moving)])


def _correlated(
    at_rest: DecayAtRest,
    correlation: Correlation,
    parent: FloatArray,
    mass: FloatArray,
    hard: HardEvents,
    rng: np.random.Generator,
) -> FloatArray:
    """Isotropic decays, tried until the correlation keeps one."""

    def attempt(rows: IndexArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        frame, own_mass = parent.take(rows, axis=1), mass[rows]
        trial = _moving(at_rest(own_mass, rng=rng), frame, own_mass)
        return trial, rng.random(len(rows)) < correlation(hard.take(rows), trial)

    return first_kept(len(mass), attempt)


def _radiate(mode: Mode, momenta: FloatArray, rng: np.random.Generator) -> Radiated:
    masses = [
        invariant_mass(p) if state.mass is None else state.mass
        for state, p in zip(mode.daughters, momenta, strict=True)
    ]
    codes = [state.pdg_id for state in mode.daughters]
    return radiate_daughters(momenta, codes, masses, mode.pair, rng)
