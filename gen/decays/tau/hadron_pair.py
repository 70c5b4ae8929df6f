"""tau- -> two hadrons in a P wave and nu_tau, unpolarised: J ~ F(s) (q1 - q2).

With c the cosine between hadron and neutrino in the frame of the pair, J is along the hadrons there
and |M|^2 ~ |J|^2 [1 + (m^2 - s)/s c^2] (m^2 - s), cf. `three_pions`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import even_cosines
from darkbelle.gen.cells import Cells
from darkbelle.gen.decays.tau.planar import massless_and_pair
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.particles import MASS_TAU

__all__ = ["FormFactor", "HadronPair"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
FormFactor = Callable[[FloatArray, float, float], ComplexArray]
"""Of two hadrons, by the square of their mass and by their own masses."""


@dataclass(frozen=True, slots=True)
class HadronPair:
    """Two hadrons of masses [GeV] in a P wave and nu_tau, J ~ F(s) (q1 - q2), cf. `DecayAtRest`.

    The mass of the pair is drawn for a tau of the nominal mass.
    """

    form_factor: FormFactor
    first_mass: float
    second_mass: float

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Momenta in the frames of taus of masses (n,), shape (3, 4, n)."""
        pair_mass = np.minimum(self._masses(_pair_cells(self).sample(len(mass), rng)), mass)
        cosine = even_cosines((mass - pair_mass) * (mass + pair_mass) / pair_mass**2, rng)
        own_masses = self.first_mass, self.second_mass
        neutrino, first, second = massless_and_pair(mass, pair_mass, own_masses, cosine, rng)
        return np.stack([first, second, neutrino])

    def line_shape(self, s: FloatArray) -> FloatArray:
        """D Gamma/ds up to a constant, by the square of the pair's mass, shape (n,)."""
        mass = np.sqrt(s)
        opening = (breakup_momentum(mass, self.first_mass, self.second_mass) / mass) ** 3
        ratio = s / MASS_TAU**2
        form_factor = np.abs(self.form_factor(s, self.first_mass, self.second_mass)) ** 2
        rate: FloatArray = (1 - ratio) ** 2 * (1 + 2 * ratio) * opening * form_factor
        return rate

    def density(self, point: FloatArray) -> FloatArray:
        """`line_shape` on the unit interval, linear in the mass."""
        mass = self._masses(point)
        return mass * self.line_shape(mass**2)

    def _masses(self, point: FloatArray) -> FloatArray:
        least = self.first_mass + self.second_mass
        mass: FloatArray = least + (MASS_TAU - least) * point[0]
        return mass


@lru_cache
def _pair_cells(decay: HadronPair) -> Cells:
    return Cells.of(decay.density, (256,), probes=4)
