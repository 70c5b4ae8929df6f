"""tau- -> three pions nu_tau, unpolarised, by the current of Kuehn and Santamaria.

In the rest frame of the hadrons, of mass Q, and with the direction n of the neutrino, V of
`hadronic_vector` gives for a transverse current

    V.P ~ (m^2 - Q^2) {|J|^2 + c |n.J|^2 - 2 n.(Re J x Im J)},   c = (m^2 - Q^2)/Q^2,

the mean of which over n is |J|^2 (m^2 - Q^2)(m^2 + 2 Q^2)/(3 Q^2). The sign of the last term is
that of the tau-; the momenta of a tau+ are mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths, even_cosines, random_axes
from darkbelle.gen.cells import Cells
from darkbelle.gen.decays.tau.currents import a1_line, pion_form_factor
from darkbelle.gen.kinematics import boost, breakup_momentum
from darkbelle.gen.particles import MASS_TAU

__all__ = ["ThreePions"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class _Plane:
    """Three pions in their rest frame: their mass, momenta (x, y) and energies, the current.

    The first pion flies along x. ``energies`` and ``momenta`` have the shapes (3, n) and (3, 2, n),
    ``current`` has (2, n); the a1 is not in it.
    """

    total_mass: FloatArray
    energies: FloatArray
    momenta: FloatArray
    current: ComplexArray
    phase_space: FloatArray


@dataclass(frozen=True, slots=True)
class ThreePions:
    """Two equal pions, the odd one and nu_tau by the a1 of Kuehn and Santamaria.

    cf. `DecayAtRest`; the mass of the pions is drawn for a tau of the nominal mass.
    """

    equal_mass: float
    odd_mass: float

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Momenta in the frames of taus of masses (n,), shape (4, 4, n)."""
        plane = self._plane(_three_pion_cells(self).sample(len(mass), rng))
        total_mass = np.minimum(plane.total_mass, mass)
        curvature = (mass - total_mass) * (mass + total_mass) / total_mass**2
        direction = _neutrino_direction(plane.current, curvature, rng)
        axes = random_axes(len(mass), rng)
        direction = np.einsum("in,ijn->jn", direction, axes)
        energy = (mass - total_mass) * (mass + total_mass) / (2 * mass)
        neutrino = np.stack([energy, *(energy * direction)])
        recoil = np.stack([mass - energy, *(-energy * direction)])
        flights = np.einsum("kin,ijn->kjn", plane.momenta, axes[:2])
        pions = [
            boost(np.stack([pion_energy, *flight]), recoil, total_mass)
            for pion_energy, flight in zip(plane.energies, flights, strict=True)
        ]
        return np.stack([*pions, neutrino])

    def density(self, point: FloatArray) -> FloatArray:
        """Of the unit cube: mass of all, mass of second and odd pion, and the cosine of the latter.

        Phi_4 ~ (m^2 - Q^2) dQ p_1 dm_23 p_23 dcos, with V.P averaged over the neutrino.
        """
        plane = self._plane(point)
        mass2 = plane.total_mass**2
        rate = (MASS_TAU**2 - mass2) ** 2 * (MASS_TAU**2 + 2 * mass2) / mass2 * plane.phase_space
        squared = np.sum(np.abs(plane.current) ** 2, axis=0)
        density: FloatArray = rate * np.abs(a1_line(mass2)) ** 2 * squared
        return density

    def _plane(self, point: FloatArray) -> _Plane:
        """Pions at points of the unit cube, shape (3, n)."""
        equal, odd = self.equal_mass, self.odd_mass
        least = 2 * equal + odd
        total = least + (MASS_TAU - least) * point[0]
        # Smooth in point[1] where either momentum vanishes as the root of the pair's mass.
        share = point[1] ** 2 * (3 - 2 * point[1])
        spread = 6 * point[1] * (1 - point[1]) * (total - least)
        pair = equal + odd + (total - least) * share
        cosine = 2 * point[2] - 1
        recoil, inner = breakup_momentum(total, pair, equal), breakup_momentum(pair, equal, odd)
        own_energy = pair / 2 + (odd**2 - equal**2) / (2 * pair)
        first_energy = total / 2 + (equal - pair) * (equal + pair) / (2 * total)
        pair_energy = total - first_energy
        odd_energy = (pair_energy * own_energy + recoil * inner * cosine) / pair
        backward = (pair_energy * inner * cosine + recoil * own_energy) / pair
        aside = inner * np.sqrt(1 - cosine**2)
        momenta = np.stack(
            [
                np.stack([recoil, np.zeros_like(recoil)]),
                np.stack([backward - recoil, -aside]),
                np.stack([-backward, aside]),
            ]
        )
        second_energy = pair_energy - odd_energy
        first_and_odd2 = np.maximum(
            total**2 + equal**2 - 2 * total * second_energy, (equal + odd) ** 2
        )
        current = (momenta[0] - momenta[2]) * pion_form_factor(first_and_odd2)
        current = current + (momenta[1] - momenta[2]) * pion_form_factor(pair**2)
        energies = np.stack([first_energy, second_energy, odd_energy])
        return _Plane(total, energies, momenta, current, recoil * inner * spread)


@lru_cache
def _three_pion_cells(decay: ThreePions) -> Cells:
    return Cells.of(decay.density, (32, 32, 24), probes=2)


def _neutrino_direction(
    current: ComplexArray, curvature: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Directions n ~ |J|^2 + c |n.J|^2 - 2 n.(Re J x Im J), J in the plane z = 0, shape (3, n).

    The first two terms are a mixture of 1 + c cos^2 around Re J and around Im J. The last one only
    tells n from its image in the plane, and is never above the first.
    """
    parts = np.stack([current.real, current.imag])
    sizes = np.sum(parts**2, axis=1)
    total = sizes[0] + sizes[1]
    by_real = rng.random(len(curvature)) * total < sizes[0]
    x, y = np.where(by_real, parts[0], parts[1]) / np.sqrt(np.where(by_real, *sizes))
    cosine, phi = even_cosines(curvature, rng), azimuths(len(curvature), rng)
    sine = np.sqrt(1 - cosine**2)
    side, height = sine * np.cos(phi), sine * np.abs(np.sin(phi))
    n_x, n_y = cosine * x - side * y, cosine * y + side * x
    projections = parts[:, 0] * n_x + parts[:, 1] * n_y
    even = total + curvature * np.sum(projections**2, axis=0)
    odd = 2 * height * (parts[0, 0] * parts[1, 1] - parts[0, 1] * parts[1, 0])
    is_above = (2 * rng.random(len(curvature)) - 1) * even < -odd
    return np.stack([n_x, n_y, np.where(is_above, height, -height)])
