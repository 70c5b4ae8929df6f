"""N -> l- l+ nu_tau of a heavy neutrino that mixes with the tau neutrino, by the neutral current.

With M and S mass and spin of N at rest, and the names of its daughters for their momenta, the
amplitude squared, summed over the spins of the daughters, goes as

    gL^2 (K l+)(nu l-) + gR^2 (K l-)(nu l+) + gL gR m_l^2 (K nu),   K x = M (E_x + S x),

gL = -1/2 + sin^2(theta_W) and gR = sin^2(theta_W); from the traces of both currents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import KinematicsError
from darkbelle.gen.angles import azimuths, directions
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.kinematics import dot, rotate_z_to
from darkbelle.gen.particles import NU_TAU, species
from darkbelle.gen.sampling import first_kept
from darkbelle.units import SIN2_WEAK

__all__ = ["NeutralCurrent", "neutral_current_polarimeter", "to_lepton_pair"]

FloatArray = npt.NDArray[np.float64]

_RIGHT: Final = SIN2_WEAK
_LEFT: Final = SIN2_WEAK - 0.5


@dataclass(frozen=True, slots=True)
class NeutralCurrent:
    """Unpolarised N -> l- l+ nu_tau, in this order, cf. `DecayAtRest`; mass of l [GeV].

    With b the velocity of the leptons in the frame of the pair, and c the cosine between l- and
    nu_tau there, phase space is flat in the energy E of nu_tau and in b c E.
    """

    m_lepton: float

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Momenta in the frames of N of masses (n,), shape (3, 4, n).

        Raises
        ------
        KinematicsError
            An N is no heavier than its leptons.
        """
        n = len(mass)
        if not np.all(mass > 2 * self.m_lepton):
            raise KinematicsError(
                f"a heavy neutrino of {mass.min():.6g} GeV cannot decay to two leptons of "
                f"{self.m_lepton:.6g} GeV"
            )
        energy, cosine = self._energies_and_cosines(mass, rng)
        pair_mass2 = mass * (mass - 2 * energy)
        beta = _velocity(self.m_lepton, pair_mass2)
        across = beta * np.sqrt(pair_mass2 * (1 - cosine) * (1 + cosine))
        phi = azimuths(n, rng)
        # The difference of l- and l+, nu_tau along z, then nu_tau in a random direction.
        difference = np.stack(
            [
                -beta * cosine * energy,
                across * np.cos(phi),
                across * np.sin(phi),
                beta * cosine * (mass - energy),
            ]
        )
        axis = directions(n, rng)
        difference = rotate_z_to(difference, axis)
        momenta = np.empty((3, 4, n))
        momenta[2, 0], momenta[2, 1:] = energy, energy * axis
        pair = np.stack([mass - energy, *(-momenta[2, 1:])])
        momenta[0] = (pair + difference) / 2
        momenta[1] = (pair - difference) / 2
        return momenta

    def _energies_and_cosines(
        self, mass: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """E and c by rejection; either term is greatest where its lepton has a quarter of M."""
        largest = mass / 2 - 2 * self.m_lepton**2 / mass
        quarter = np.maximum(mass / 4, self.m_lepton)
        bound = (_LEFT**2 + _RIGHT**2) * quarter * (mass / 2 - quarter)
        bound *= _velocity(self.m_lepton, mass**2)

        def attempt(rows: npt.NDArray[np.intp]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
            n = len(rows)
            energy = largest[rows] * np.sqrt(rng.random(n))
            cosine = 2 * rng.random(n) - 1
            density = self._density(mass[rows], energy, cosine)
            return np.stack([energy, cosine]), rng.random(n) * bound[rows] < density

        energy, cosine = first_kept(len(mass), attempt)
        return energy, cosine

    def _density(self, mass: FloatArray, energy: FloatArray, cosine: FloatArray) -> FloatArray:
        """Velocity b times the amplitude squared, up to a factor of M^2."""
        beta = _velocity(self.m_lepton, mass * (mass - 2 * energy))
        split = beta * cosine
        plus = mass - energy * (1 - split)
        minus = mass - energy * (1 + split)
        square = _LEFT**2 * plus * (1 - split) + _RIGHT**2 * minus * (1 + split)
        square += 4 * _LEFT * _RIGHT * self.m_lepton**2 / mass
        density: FloatArray = beta * energy * square / 4
        return density


def neutral_current_polarimeter(momenta: FloatArray) -> FloatArray:
    """Polarimeter of N -> l- l+ nu_tau, in this order."""
    minus, plus, neutrino = momenta
    current = (
        _LEFT**2 * dot(neutrino, minus) * plus
        + _RIGHT**2 * dot(neutrino, plus) * minus
        + _LEFT * _RIGHT * dot(minus, minus) * neutrino
    )
    h: FloatArray = current[1:] / current[0]
    return h


def to_lepton_pair(lepton: int, fraction: float = 1.0) -> DecayMode:
    """Decay of a Dirac N to l- (its code), l+ and nu_tau; a Majorana N has the conjugate too."""
    element = NeutralCurrent(species(lepton).mass or 0.0)
    return DecayMode(fraction, (lepton, -lepton, NU_TAU), element, neutral_current_polarimeter)


def _velocity(m_lepton: float, pair_mass2: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(1 - 4 * m_lepton**2 / pair_mass2, 0.0))
