"""e+e- -> gamma a and e+e- -> gamma A', and the spin correlations of the A' decay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths, even_cosines
from darkbelle.gen.kinematics import dot, two_body
from darkbelle.gen.particles import MASS_E
from darkbelle.gen.production.base import HardEvents, scalar_axis
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["PhotonAlp", "PhotonDarkPhoton", "fermion_pair", "scalars"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PhotonAlp:
    """e+e- -> gamma a through a virtual photon; particles gamma, a.

    L = -(g/4) a F Fdual with g = ``coupling`` [1/GeV]; a scalar with -(g/4) a F F does the same.
    Dolan, Ferber, Hearty, Kahlhoefer, Schmidt-Hoberg, arXiv:1709.00009.
    """

    mass: float
    coupling: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return self.mass

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2], zero below threshold."""
        phase_space = np.maximum((s - self.mass**2) / s, 0.0)
        total: FloatArray = ALPHA_EM * self.coupling**2 / 24 * phase_space**3 * HBAR_C2
        return total

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of gamma and a, shape (2, 4, n), and weights [fb], equal at equal s."""
        cosine = even_cosines(np.ones_like(s), rng)
        opened = np.where(s > self.threshold**2, s, 2 * self.threshold**2)
        momenta = two_body(np.sqrt(opened), 0.0, self.mass, cosine, azimuths(len(s), rng))
        return np.stack(momenta), self.cross_section(s)


@dataclass(frozen=True, slots=True)
class PhotonDarkPhoton:
    """e+e- -> gamma A' off the electrons, whose mass is kept; particles gamma, A'.

    Both limits on the photon are in the frame of the hard process. The cross-section grows as
    1/energy of the photon: where the energy of the beams spreads around the mass, it needs a least
    energy to be finite.

    Attributes
    ----------
    mass
        Of the A' [GeV].
    epsilon
        Kinetic mixing.
    theta_min
        Least angle of the photon to either beam [rad].
    energy_min
        Least energy of the photon [GeV].
    """

    mass: float
    epsilon: float
    theta_min: float = 0.0
    energy_min: float = 0.0

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return max(self.energy_min + math.hypot(self.energy_min, self.mass), 2 * MASS_E)

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2], zero below threshold.

        The integral of `_density` over the rapidity.
        """
        is_open, s = self._opened(s)
        factor, even, pole = self._coefficients(s)
        y, gap, rapidity = self._edge(s)
        integral = 2 * ((4 + even) * rapidity - 2 * y - 2 * pole * y / gap)
        return np.where(is_open, factor * integral, 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of gamma and A', shape (2, 4, n), and weights [fb]."""
        is_open, s = self._opened(s)
        factor, even, pole = self._coefficients(s)
        _, _, edge = self._edge(s)
        rapidity = (2 * rng.random(len(s)) - 1) * edge
        y = np.tanh(rapidity)
        twice = 2 * (1 + y**2)
        weight = 2 * edge * factor * (twice + even - pole * twice * np.cosh(rapidity) ** 2)
        cosine = np.clip(y / np.sqrt(1 - 4 * MASS_E**2 / s), -1.0, 1.0)
        momenta = two_body(np.sqrt(s), 0.0, self.mass, cosine, azimuths(len(s), rng))
        return np.stack(momenta), np.where(is_open, np.maximum(weight, 0.0), 0.0)

    def least_s(self, s: FloatArray) -> FloatArray:
        """Squared energies s' [GeV^2] that a photon as hard as its own leaves of s, shape (n,).

        Each in units of what the beams have left: s'/s = M^2/s'. The convolution of two collinear
        emissions is symmetric in these, so that either order has half of it.
        """
        return self.mass * np.sqrt(s)

    def _opened(self, s: FloatArray) -> tuple[npt.NDArray[np.bool_], FloatArray]:
        """Whether each s is above threshold, and s where it is."""
        is_open = s > self.threshold**2
        return is_open, np.where(is_open, s, 2 * self.threshold**2)

    def _edge(self, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Largest y = beta cos(theta), 1 - y^2 there, and artanh(y), without cancellation."""
        cos2 = math.cos(self.theta_min) ** 2
        gap = math.sin(self.theta_min) ** 2 + 4 * MASS_E**2 / s * cos2
        y = np.sqrt(1 - gap)
        return y, gap, np.log((1 + y) ** 2 / gap) / 2

    def _coefficients(self, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Factor [fb], E and P of the distribution in y = beta cos(theta).

        d sigma/dy = factor [2 (1 + y^2) + E - 2 P (1 + y^2)/(1 - y^2)]/(1 - y^2), which is the
        handbook of production, section 4.2, where D1 and D2 are -(s - M^2)(1 -+ y)/2; exact in the
        mass of the electron. dy = (1 - y^2) d rapidity.
        """
        m2, x2 = MASS_E**2, self.mass**2
        reach2 = (s - x2) ** 2 / 4
        factor = np.pi * (ALPHA_EM * self.epsilon) ** 2 * (s - x2) / s**2 * HBAR_C2
        factor = factor / (1 - 4 * m2 / s)
        even = (2 * x2 * s - 8 * m2**2 + 4 * m2 * (s - x2)) / reach2
        pole = 2 * m2 * (x2 + 2 * m2) / reach2
        return factor, even, pole


def fermion_pair(events: HardEvents, daughters: FloatArray) -> FloatArray:
    """Correlation of A' -> f fbar, the second particle of the event, shape (n,).

    [(1 + 4 r) Y + D]/(2 Y) with r = m_f^2/M^2, Y and D the sums of (p_a.x)^2 and (p_b.x)^2 for x
    the sum and the difference of the momenta of f and fbar; massless electrons.
    """
    size2, ratio = _alignment(events, daughters[0] - daughters[1])
    kept: FloatArray = 1 - (size2 - ratio) / 2
    return kept


def scalars(events: HardEvents, daughters: FloatArray) -> FloatArray:
    """Correlation of A' -> pi+ pi-, K Kbar or pi+ pi- pi0, cf. `fermion_pair`, shape (n,).

    1 - D/Y over -d.d/M^2, with the `scalar_axis` for the difference d.
    """
    size2, ratio = _alignment(events, scalar_axis(events.momenta[1], daughters))
    kept: FloatArray = 1 - ratio / size2
    return kept


def _alignment(events: HardEvents, difference: FloatArray) -> tuple[FloatArray, FloatArray]:
    """-d.d/M^2 of the difference d, which is 1 - 4 r, and D/Y, shape (n,) each."""
    vector = events.momenta[1]
    total = events.momenta.sum(axis=0)
    along = dot(total, vector) ** 2 + dot(events.difference, vector) ** 2
    across = dot(total, difference) ** 2 + dot(events.difference, difference) ** 2
    return -dot(difference, difference) / dot(vector, vector), across / along
