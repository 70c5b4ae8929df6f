"""Events as a user sees them: momenta by particle, in the laboratory and in other frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from darkbelle.gen import Status, TruthEvents


def boosted(p: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Momenta (e, px, py, pz) in the rest frame of ``frame``, by the textbook matrix, (4, n)."""
    beta = frame[1:] / frame[0]
    beta2 = np.sum(beta**2, axis=0)
    gamma = 1 / np.sqrt(1 - beta2)
    along = np.sum(beta * p[1:], axis=0)
    energy = gamma * (p[0] - along)
    return np.stack([energy, *(p[1:] + beta * ((gamma - 1) * along / beta2 - gamma * p[0]))])


def square(p: np.ndarray) -> np.ndarray:
    return p[0] ** 2 - np.sum(p[1:] ** 2, axis=0)


def cosine(p: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Cosine between the flights of two momenta."""
    sizes = np.sum(p[1:] ** 2, axis=0) * np.sum(axis[1:] ** 2, axis=0)
    return np.sum(p[1:] * axis[1:], axis=0) / np.sqrt(sizes)


@dataclass(frozen=True)
class View:
    """Momenta by particle, shape (4, n_events), in the laboratory; nobody's momentum is zero."""

    events: TruthEvents

    def where(self, *codes: int) -> np.ndarray:
        """Which particles have one of these codes; beams do not count."""
        p = self.events.particles
        return np.isin(p.pdg_id, codes) & (p.status != Status.BEAM)

    def momentum(self, *codes: int) -> np.ndarray:
        """Summed over the particles of an event with these codes."""
        return self._sum(self.where(*codes))

    def first(self, code: int, rank: int = 0) -> np.ndarray:
        """Momentum of the first particle of this code in every event, or of a later one."""
        return self.of(self.first_row(code, rank))

    def first_row(self, code: int, rank: int = 0) -> np.ndarray:
        """Row of the first particle of this code in every event, or of a later one."""
        rows = np.flatnonzero(self.where(code))
        event = self.events.event_index()[rows]
        chosen = np.searchsorted(event, np.arange(self.events.n_events)) + rank
        return rows[chosen]

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Momenta of some particles, shape (4, n)."""
        p = self.events.particles
        return np.stack([p.e, p.px, p.py, p.pz])[:, rows]

    @cached_property
    def electron(self) -> np.ndarray:
        """The electron beam."""
        return self.of(self.events.offsets[:-1])

    @cached_property
    def total(self) -> np.ndarray:
        """Both beams."""
        return self._sum(self.events.particles.status == Status.BEAM)

    def in_beams_frame(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A momentum and the electron's in the centre of mass of the beams."""
        return boosted(p, self.total), boosted(self.electron, self.total)

    def flights(self, rows: np.ndarray) -> np.ndarray:
        """End minus start (x, y, z, t) of some particles, shape (4, n)."""
        p = self.events.particles
        return np.stack([(getattr(p, f"decay_{c}") - getattr(p, c))[rows] for c in "xyzt"])

    def _sum(self, chosen: np.ndarray) -> np.ndarray:
        index = self.events.event_index()[chosen]
        return np.stack([np.bincount(index, p, self.events.n_events) for p in self.of(chosen)])
