"""Decays that a process prescribes: what its particles decay to, how, and how long they live."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.gen.decays.flight import favoured_decay_points
from darkbelle.gen.events import Origin, Outcome, Slot, Status
from darkbelle.gen.kinematics import boost, invariant_mass
from darkbelle.gen.particles import PHOTON, TAU, species
from darkbelle.gen.phasespace import DecayAtRest, in_phase_space
from darkbelle.gen.production.base import Correlation, HardEvents
from darkbelle.gen.radiation import Kernel, Radiated, radiate, radiate_decay

__all__ = ["ChargedPair", "Decay", "Mode", "State", "grow"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ChargedPair:
    """Particles of opposite charge that radiate together: their places, and how."""

    minus: int
    plus: int
    kernel: Kernel


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

    @classmethod
    def of(cls, pdg_id: int) -> Self:
        """A particle of the Standard Model; taus stay undecayed."""
        undecayed = abs(pdg_id) == TAU
        outcome = Outcome.UNDECAYED if undecayed else Outcome.UNDETERMINED
        return cls(pdg_id, species(pdg_id).mass, outcome=outcome)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to decay: branching fraction, daughters, and how they share the energy.

    Without ``at_rest`` the daughters are flat in phase space; ``correlation`` is of decays of what
    the hard process makes. A ``pair`` alone radiates, by its kernel; without one, all charges do.
    """

    fraction: float
    daughters: tuple[State, ...]
    at_rest: DecayAtRest | None = None
    correlation: Correlation | None = None
    pair: ChargedPair | None = None

    @classmethod
    def to_pair(
        cls,
        fraction: float,
        pdg_id: int,
        kernel: Kernel,
        correlation: Correlation | None = None,
    ) -> Self:
        """Into a charged particle and its antiparticle, the negative one first."""
        minus = pdg_id if species(pdg_id).charge < 0 else -pdg_id
        daughters = (State.of(minus), State.of(-minus))
        return cls(fraction, daughters, correlation=correlation, pair=ChargedPair(0, 1, kernel))

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
    """How a particle ends: mean proper decay length [cm], and the modes that are generated."""

    ctau: float
    modes: tuple[Mode, ...]

    @property
    def share(self) -> float:
        """Part of all decays that is generated."""
        return sum(mode.share for mode in self.modes)


_PHOTON: Final = State(PHOTON, 0.0)
_MOST_TRIES: Final = 16
"""Decays that are tried at once for those few that are left."""


@dataclass(frozen=True, slots=True)
class _Branch:
    """Particles of one kind, at most one an event, on their way into the record."""

    state: State
    momentum: FloatArray
    start: FloatArray
    events: IndexArray
    parent: int
    origin: Origin


def grow(
    first: Sequence[Slot],
    mode: Mode,
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
    mode
        What the hard process makes, in the order of its momenta.
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
        Weights of the events that make up for the favoured decays, shape (n,).
    """
    slots, weight = list(first), np.ones(len(hard.s))
    everywhere = np.arange(len(hard.s))
    leave = partial(_leave, rng=rng, fsr=fsr)
    queue = deque(leave(mode, hard.momenta, vertex, everywhere, -1, Origin.PRIMARY))
    while queue:
        branch = queue.popleft()
        decay, place = branch.state.decay, len(slots)
        if decay is None:
            slots.append(_slot(branch))
            continue
        end, favour = favoured_decay_points(branch.start, branch.momentum, decay.ctau, reach, rng)
        weight[branch.events] *= favour
        slots.append(_slot(branch, end))
        chosen = _choose(decay.modes, len(favour), rng)
        for mode, rows in zip(decay.modes, chosen, strict=True):
            events = branch.events[rows]
            parent = branch.momentum[:, rows]
            daughters = _daughters(mode, branch.state.mass, parent, hard.take(events), rng)
            queue += leave(mode, daughters, end[:, rows], events, place, Origin.DECAY)
    return slots, weight


def _slot(branch: _Branch, end: FloatArray | None = None) -> Slot:
    state = branch.state
    return Slot(
        state.pdg_id,
        Status.FINAL if end is None else Status.DECAYED,
        branch.origin,
        invariant_mass(branch.momentum) if state.mass is None else state.mass,
        branch.momentum,
        branch.start,
        end,
        branch.parent,
        state.outcome if end is None else Outcome.DECAYED,
        branch.events,
    )


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
    hard: HardEvents,
    rng: np.random.Generator,
) -> FloatArray:
    """Momenta of the daughters in the laboratory, shape (n_daughters, 4, n)."""
    n = parent.shape[1]
    own_mass = invariant_mass(parent) if mass is None else np.full(n, mass)
    at_rest = mode.at_rest or in_phase_space([daughter.least_mass for daughter in mode.daughters])

    def isotropic(frame: FloatArray, frame_mass: FloatArray) -> FloatArray:
        *others, _ = at_rest(frame_mass, rng=rng)
        moving = [boost(p, frame, frame_mass) for p in others]
        return np.stack([*moving, frame - sum(moving)])

    if mode.correlation is None:
        return isotropic(parent, own_mass)
    daughters = np.empty((len(mode.daughters), 4, n))
    pending, n_tries = np.arange(n), 1
    while len(pending):
        trial = isotropic(parent, own_mass)
        kept = rng.random(len(own_mass)) < mode.correlation(hard, trial)
        kept = kept.reshape(-1, n_tries)
        done = kept.any(axis=1)
        first_kept = np.flatnonzero(done) * n_tries + kept.argmax(axis=1)[done]
        daughters[:, :, pending[done]] = trial[:, :, first_kept]
        n_before, pending = n_tries, pending[~done]
        n_tries = min(_MOST_TRIES, -(-n // (4 * len(pending) + 1)))
        left = np.repeat(np.flatnonzero(~done) * n_before, n_tries)
        parent, own_mass, hard = parent[:, left], own_mass[left], hard.take(left)
    return daughters


def _leave(
    mode: Mode,
    momenta: FloatArray,
    start: FloatArray,
    events: IndexArray,
    parent: int,
    origin: Origin,
    *,
    rng: np.random.Generator,
    fsr: bool,
) -> Iterator[_Branch]:
    """The particles of one mode after radiation, and their photons."""
    photons: Iterable[tuple[IndexArray, FloatArray]] = ()
    if fsr:
        radiated = _radiate(mode, momenta, rng)
        momenta, photons = radiated.momenta, _one_an_event(radiated)
    for state, momentum in zip(mode.daughters, momenta, strict=True):
        yield _Branch(state, momentum, start, events, parent, origin)
    for rows, photon in photons:
        yield _Branch(
            _PHOTON, photon, start[:, rows], events[rows], parent, Origin.FINAL_STATE_RADIATION
        )


def _radiate(mode: Mode, momenta: FloatArray, rng: np.random.Generator) -> Radiated:
    """By the kernel of a pair, else by the current of all charges."""
    states = mode.daughters
    if mode.pair is None:
        masses = [
            invariant_mass(p) if state.mass is None else state.mass
            for state, p in zip(states, momenta, strict=True)
        ]
        return radiate_decay(momenta, [state.pdg_id for state in states], masses, rng)
    places = [mode.pair.minus, mode.pair.plus]
    mass = states[places[0]].least_mass
    radiated = radiate(momenta[places], mass, mode.pair.kernel, rng)
    momenta = momenta.copy()
    momenta[places] = radiated.momenta
    return replace(radiated, momenta=momenta)


def _one_an_event(radiated: Radiated) -> Iterator[tuple[IndexArray, FloatArray]]:
    """Events with a first photon and these photons, then those with a second one, and so on."""
    order = np.argsort(radiated.event, kind="stable")
    event = radiated.event[order]
    rank = np.arange(len(event)) - np.searchsorted(event, event)
    for i in range(rank.max(initial=-1) + 1):
        yield event[rank == i], radiated.photons[:, order[rank == i]]
