"""e+e- -> one hadron of a known spectrum, and a remainder of which nothing else is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths, even_cosines
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.line_shapes import LineShape

__all__ = ["FlatMomentum", "Inclusive", "Kartvelishvili", "Spectrum"]

FloatArray = npt.NDArray[np.float64]

_NEARLY: Final = 1.000001
"""Above the threshold by so much; below it, any momenta will do."""


class Spectrum(Protocol):
    """How momenta are distributed."""

    @property
    def least(self) -> float:
        """Least momentum [GeV], which must be possible."""

    def __call__(self, greatest: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Momenta [GeV] from the greatest ones that there can be, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Kartvelishvili:
    """x^alpha (1 - x), x the momentum over the greatest possible one.

    Kartvelishvili, Likhoded, Petrov, Phys. Lett. B78 (1978) 615, where x is the share of the
    quark's energy; here it parametrises the hadron's momentum.
    """

    alpha: float
    least: float = field(default=0.0, init=False)

    def __call__(self, greatest: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Momenta, cf. `Spectrum`."""
        return greatest * rng.beta(self.alpha + 1, 2, len(greatest))


@dataclass(frozen=True, slots=True)
class FlatMomentum:
    """Uniform between two values [GeV], or up to what is possible where that is less."""

    least: float
    most: float

    def __call__(self, greatest: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Momenta, cf. `Spectrum`."""
        width = np.maximum(np.minimum(self.most, greatest) - self.least, 0.0)
        return self.least + width * rng.random(len(greatest))


@dataclass(frozen=True, slots=True)
class Inclusive:
    """A hadron, and what has the rest of the momentum; the weights are constant.

    Attributes
    ----------
    hadron
        Its mass [GeV], or its line shape.
    least_rest
        Least mass of the remainder [GeV].
    spectrum
        Momenta in the centre of mass.
    curvature
        Of the angles to the beams, 1 + curvature cos^2(theta).
    total
        Cross-section [fb], with radiation by the beams in it, so that it is that at any energy.
    """

    hadron: float | LineShape
    least_rest: float
    spectrum: Spectrum
    curvature: float
    total: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV], at which the least momentum is possible."""
        least = self.hadron.least if isinstance(self.hadron, LineShape) else self.hadron
        return math.hypot(least, self.spectrum.least) + self._least_rest_energy

    @property
    def _least_rest_energy(self) -> float:
        return math.hypot(self.least_rest, self.spectrum.least)

    def cross_section(self, s: FloatArray) -> FloatArray:
        """The same at all squared energies s [GeV^2] above threshold [fb]."""
        return np.where(s > self.threshold**2, self.total, 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of hadron and remainder, shape (2, 4, n), and weights [fb], one at each s."""
        root_s = np.sqrt(np.maximum(s, _NEARLY * self.threshold**2))
        mass = self._masses(root_s, rng)
        momentum = self.spectrum(breakup_momentum(root_s, mass, self.least_rest), rng)
        cosine = even_cosines(np.full(len(s), self.curvature), rng)
        sine, phi = np.sqrt(1 - cosine**2), azimuths(len(s), rng)
        flight = momentum * np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
        hadron = np.stack([np.hypot(momentum, mass), *flight])
        rest = np.stack([root_s - hadron[0], *(-flight)])
        return np.stack([hadron, rest]), self.cross_section(s)

    def _masses(self, root_s: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Those that leave the least momentum possible."""
        if not isinstance(self.hadron, LineShape):
            return np.full(len(root_s), self.hadron)
        energy, momentum = root_s - self._least_rest_energy, self.spectrum.least
        return self.hadron.draw(np.sqrt((energy - momentum) * (energy + momentum)), rng)
