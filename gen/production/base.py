"""What every hard process offers, and what the decays of its particles may know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import across

__all__ = [
    "Correlation",
    "ExchangeProcess",
    "HardEvents",
    "HardPhotonProcess",
    "HardProcess",
    "scalar_axis",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class HardProcess(Protocol):
    """A final state of e+e- annihilation in its own centre-of-mass frame, electrons along +z.

    Its distribution must not depend on the azimuth around the beams.
    """

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2], zero below threshold."""

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta, shape (n_particles, 4, n), and weights that estimate the cross-section [fb].

        One event at each squared energy s; weight zero, with any momenta, below threshold.
        """


@runtime_checkable
class ExchangeProcess(HardProcess, Protocol):
    """A hard process that hardly turns the charges of the beams.

    Radiation by beams and scattered particles cancels at larger angles than they are turned by.
    """

    def resolves(self, momenta: FloatArray, cos_theta: FloatArray) -> BoolArray:
        """Whether the beams can radiate photons of these polar cosines, shape (n,)."""

    def at(self, s: FloatArray, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """As `sample`, with the directions of events that were drawn at other energies."""


@runtime_checkable
class HardPhotonProcess(HardProcess, Protocol):
    """A hard process of a photon off the beams.

    Photons that they radiate besides are softer: they would be counted twice, once as either.
    """

    def least_s(self, s: FloatArray) -> FloatArray:
        """Squared energies [GeV^2] that a photon as hard as its own leaves of s, shape (n,)."""


@dataclass(frozen=True, slots=True)
class HardEvents:
    """Hard processes that have happened, in any one frame.

    Attributes
    ----------
    s
        Squared energies [GeV^2], shape (n,).
    difference
        p(e-) - p(e+), massless: its square is -s, and it is orthogonal to the sum; shape (4, n).
    momenta
        Of the particles that come out, shape (n_particles, 4, n).
    """

    s: FloatArray
    difference: FloatArray
    momenta: FloatArray

    def take(self, index: npt.NDArray[np.intp]) -> HardEvents:
        """Those of the chosen events."""
        return HardEvents(self.s[index], self.difference[:, index], self.momenta[:, :, index])


Correlation = Callable[[HardEvents, FloatArray], FloatArray]
"""Probability, within [0, 1] and shape (n,), to keep isotropic decays.

Takes the events and the momenta of the daughters in the same frame, shape (n_daughters, 4, n).
"""


def scalar_axis(vector: FloatArray, scalars: FloatArray) -> FloatArray:
    """Four-vector x of a decay whose amplitude is x.e, e the polarisation; shape (4, n).

    Two scalars of one mass: their difference. Three pions, of negative parity: the normal of their
    plane.
    """
    first, second, *third = scalars
    return across(vector, first, second) if third else first - second
