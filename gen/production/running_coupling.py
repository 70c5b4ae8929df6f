"""Any hard process of one s-channel photon, with the coupling at its own energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.vacuum_polarisation import running_factor

__all__ = ["RunningCoupling"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RunningCoupling:
    """A hard process times the vacuum polarisation of its photon of virtuality s."""

    hard: HardProcess

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return self.hard.threshold

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Cross-section [fb] at the squared energies s [GeV^2], zero below threshold."""
        return running_factor(s) * self.hard.cross_section(s)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of the hard process and weights [fb], one event at each s [GeV^2]."""
        momenta, weight = self.hard.sample(s, rng)
        return momenta, running_factor(s) * weight
