"""tau- -> l- nubar_l nu_tau: V-A with the mass of the lepton.

|M|^2 ~ (P.nubar)(l.nu) (PDG 2024, review of muon decay parameters). With P.nubar = m E and
2 l.nu = w^2 - m_l^2 it knows of the energy E of the antineutrino alone, w being the mass of the
other two, which share that isotropically. In u = w^2/m^2 = 1 - 2 E/m and r = (m_l/m)^2, the element
gives (1 - u)(u - r), the antineutrino's momentum space 1 - u and the pair's phase space (u - r)/u:
the density is u (1 - u)^2 (1 - r/u)^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.decays.tau.planar import massless_and_pair
from darkbelle.gen.sampling import first_kept

__all__ = ["LeptonicDecay", "leptonic_polarimeter"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeptonicDecay:
    """Lepton of a mass [GeV], its antineutrino and nu_tau, cf. `DecayAtRest`."""

    lepton_mass: float

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Momenta in the frames of taus of masses (n,), shape (3, 4, n)."""
        rest = _rest(self.lepton_mass / mass, rng)
        cosine = 2 * rng.random(len(mass)) - 1
        antineutrino, lepton, neutrino = massless_and_pair(
            mass, mass * np.sqrt(rest), (self.lepton_mass, 0.0), cosine, rng
        )
        return np.stack([lepton, antineutrino, neutrino])


def leptonic_polarimeter(momenta: FloatArray) -> FloatArray:
    """The direction of the antineutrino: |M|^2 ~ (P - m s).nubar, shape (3, n)."""
    direction: FloatArray = momenta[1, 1:] / momenta[1, 0]
    return direction


def _rest(relative_mass: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Values of u = w^2/m^2, by rejection from u (1 - u)^2, shape (n,)."""
    least = relative_mass**2

    def attempt(rows: npt.NDArray[np.intp]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        trial = rng.beta(2, 3, len(rows))
        return trial, np.sqrt(rng.random(len(rows))) < 1 - least[rows] / trial

    return first_kept(len(least), attempt)
