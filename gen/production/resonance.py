"""e+e- -> a vector resonance, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import breakup_momentum, dot
from darkbelle.gen.production.base import HardEvents
from darkbelle.units import HBAR_C2

__all__ = ["Resonance", "scalar_pair"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Resonance:
    """A vector that decays to two particles of one mass in a p-wave, its line shape with them.

    Attributes
    ----------
    mass, width, electron_width
        Of the resonance [GeV].
    daughter_mass
        Of either of the two [GeV].
    """

    mass: float
    width: float
    electron_width: float
    daughter_mass: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return 2 * self.daughter_mass

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Breit-Wigner cross-section [fb] at the squared energies s [GeV^2].

        12 pi Gamma_ee Gamma(s)/((s - M^2)^2 + M^2 Gamma(s)^2) (PDG 2024, review of cross-section
        formulae, spin one), the width with the cube of the momentum.
        """
        momentum = breakup_momentum(np.sqrt(s), self.daughter_mass, self.daughter_mass)
        at_peak = breakup_momentum(np.array(self.mass), self.daughter_mass, self.daughter_mass)
        width = self.width * (momentum / at_peak) ** 3 * self.mass**2 / s
        lorentzian = width / ((s - self.mass**2) ** 2 + (self.mass * width) ** 2)
        return 12 * np.pi * HBAR_C2 * self.electron_width * lorentzian

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """The resonance at rest, shape (1, 4, n), and weights [fb], one event at each s [GeV^2]."""
        del rng
        return np.stack([np.sqrt(s), *np.zeros((3, len(s)))])[None], self.cross_section(s)


def scalar_pair(hard: HardEvents, scalars: FloatArray) -> FloatArray:
    """Probability to keep a decay of the resonance to two scalars of one mass: sin^2(theta)."""
    apart = scalars[0] - scalars[1]
    return 1 - dot(apart, hard.difference) ** 2 / (hard.s * -dot(apart, apart))
