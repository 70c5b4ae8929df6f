"""The emission of a boson as a hard process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.production.emission.amplitude import Coupling, Masses
from darkbelle.gen.production.emission.sampling import sample
from darkbelle.gen.production.emission.total import cross_section

__all__ = ["LeptonPairAndBoson"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeptonPairAndBoson:
    """e+e- -> l- l+ X with a coupling of some kind and strength."""

    kind: Coupling
    masses: Masses
    strength: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return self.masses.threshold

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb], cf. `HardProcess`."""
        return self.strength**2 * cross_section(self.kind, self.masses, s)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of l-, l+, X and weights, cf. `HardProcess`."""
        drawn = sample(self.kind, self.masses, s, rng)
        return np.stack([drawn.p1, drawn.p2, drawn.k]), self.strength**2 * drawn.weight


@dataclass(frozen=True)
class VectorDecay:
    masses: Masses

    def __call__(self, events, daughters):
        from darkbelle.gen.kinematics import dot
        from darkbelle.gen.production.emission.amplitude import Invariants, decay_correlation
        p1, p2, k = events.momenta
        k2 = self.masses.boson**2
        at = Invariants(events.s, 2*dot(p1,k)+k2, 2*dot(p2,k)+k2, dot(events.difference,p1), dot(events.difference,p2))
        d = daughters[0]-daughters[1]
        w = dot(events.difference, d)
        fake = np.stack([d[0],d[1],d[2],d[3]])
        return decay_correlation(self.masses, at, p1, p2, d, w)
