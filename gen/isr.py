"""Initial-state radiation: one photon with the exponentiated spectrum and its first-order angle.

The radiator is that of Kuraev and Fadin (Sov. J. Nucl. Phys. 41 (1985) 466) with the second-order
soft and virtual correction of Nicrosini and Trentadue (Phys. Lett. B196 (1987) 551);
x = 1 - s'/s is the photon's energy in units of the beam energy. Several photons, and interference
with the final state, are neglected.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.particles import MASS_E
from darkbelle.units import ALPHA_EM

__all__ = ["X_MIN", "IsrSpectrum", "Radiator", "sample_cos_theta"]

FloatArray = npt.NDArray[np.float64]

X_MIN: Final = 1e-4
"""Softer photons are for events to leave out: below 0.5 MeV, a tenth of the beams' spread."""


@dataclass(frozen=True, slots=True)
class Radiator:
    """H(x): sigma(s) = integral of H(x) sigma_Born(s (1 - x)) dx."""

    exponent: float
    soft_virtual: float

    @classmethod
    def at(cls, s: float) -> Radiator:
        """The radiator at a squared energy s [GeV^2]."""
        log = math.log(s / MASS_E**2)
        zeta2, zeta3 = math.pi**2 / 6, 1.2020569031595942
        second = (
            (9 / 8 - 2 * zeta2) * log**2
            - (45 / 16 - 11 / 2 * zeta2 - 3 * zeta3) * log
            - 6 / 5 * zeta2**2
            - 9 / 2 * zeta3
            - 6 * zeta2 * math.log(2)
            + 3 / 8 * zeta2
            + 57 / 12
        )
        first = 3 / 2 * log + math.pi**2 / 3 - 2
        order = ALPHA_EM / math.pi
        return cls(2 * order * (log - 1), 1 + order * first + order**2 * second)

    def __call__(self, x: FloatArray) -> FloatArray:
        """H at 0 < x < 1."""
        return self.flattened(x) * self.exponent * x ** (self.exponent - 1)

    def flattened(self, x: FloatArray) -> FloatArray:
        """H dx/du in the variable u = x^exponent, finite at x = 0."""
        beta = self.exponent
        positive = np.maximum(x, 1e-300)
        log_x, log_rest = np.log(positive), np.log1p(-x)
        ratio = np.where(x > 1e-8, log_rest / positive, -1.0)
        hard = -beta / 2 * (2 - x) + beta**2 / 8 * (
            (2 - x) * (3 * log_rest - 4 * log_x) - 4 * ratio - 6 + x
        )
        radiator: FloatArray = self.soft_virtual + hard * positive ** (1 - beta) / beta
        return radiator


@dataclass(frozen=True, slots=True)
class IsrSpectrum:
    """Proposal for x: the radiator times the Born cross-section, tabulated in u = x^exponent.

    The density is linear between the nodes and is known exactly, so that `sample` returns an exact
    weight however coarse the table is.
    """

    radiator: Radiator
    nodes: FloatArray
    density: FloatArray
    cumulative: FloatArray

    @classmethod
    def build(
        cls, s: float, threshold: float, born: Callable[[FloatArray], FloatArray]
    ) -> IsrSpectrum:
        """Tabulate at s [GeV^2] for a final state with ``threshold`` [GeV] and born(s') [fb]."""
        radiator = Radiator.at(s)
        x_max = 1 - threshold**2 / s
        u_max = x_max**radiator.exponent
        # Equal steps in u where soft photons rule, in log(1 - x) where the cross-section grows.
        soft = u_max * np.linspace(0, 1, 257)
        hard = 1 - np.geomspace(1.0, (1 - x_max) * 1.0001, 513)
        edge = x_max * (1 - np.geomspace(1e-6, 0.5, 65))
        x_nodes = np.concatenate([soft ** (1 / radiator.exponent), hard, edge, [0.0, x_max]])
        x_nodes = np.unique(np.clip(x_nodes, 0.0, x_max))
        value = radiator.flattened(x_nodes) * born(s * (1 - x_nodes))
        value = np.maximum(value, 1e-4 * value.max() * (x_nodes < x_max))
        nodes = x_nodes**radiator.exponent
        steps = np.diff(nodes) * (value[1:] + value[:-1]) / 2
        cumulative = np.concatenate([[0.0], np.cumsum(steps)])
        return cls(radiator, nodes, value / cumulative[-1], cumulative / cumulative[-1])

    def sample(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Photon energies x and the weights H(x)/density(x), shape (n,)."""
        target = rng.random(n)
        left = np.clip(np.searchsorted(self.cumulative, target) - 1, 0, len(self.nodes) - 2)
        width = self.nodes[left + 1] - self.nodes[left]
        low, high = self.density[left], self.density[left + 1]
        # The fraction f of the step solves low f + (high - low) f^2/2 = rest.
        rest = (target - self.cumulative[left]) / width
        root = np.sqrt(np.maximum(low**2 + 2 * (high - low) * rest, 0.0))
        fraction = np.clip(2 * rest / np.maximum(low + root, 1e-300), 0.0, 1.0)
        density = low + (high - low) * fraction
        x = (self.nodes[left] + fraction * width) ** (1 / self.radiator.exponent)
        weight = self.radiator.flattened(x) / density
        return x, weight


def sample_cos_theta(x: FloatArray, s: float, rng: np.random.Generator) -> FloatArray:
    """Photon's polar cosine to the electron beam in the centre of mass, shape of x.

    First order in alpha with the electron mass kept, by rejection; x = 0 gives a placeholder.
    """
    velocity2 = 1 - 4 * MASS_E**2 / s
    velocity = math.sqrt(velocity2)
    eta_max = math.atanh(velocity)
    cos_theta = np.zeros(len(x))
    pending = np.flatnonzero(x > 0)
    while len(pending):
        y = x[pending]
        eta = (2 * rng.random(len(y)) - 1) * eta_max
        tanh = np.tanh(eta)
        gap = 1 / np.cosh(eta) ** 2  # 1 - velocity^2 cos^2(theta)
        even = 1 + tanh**2
        numerator = (2 * (1 - y) + y**2 * even / 2 + 4 * MASS_E**2 * y / s) - 4 * MASS_E**2 / s * (
            1 - y
        ) * even / gap
        accepted = rng.random(len(y)) * (1 + (1 - y) ** 2) < numerator
        cos_theta[pending[accepted]] = (tanh / velocity)[accepted]
        pending = pending[~accepted]
    return cos_theta
