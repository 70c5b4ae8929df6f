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
