"""e+e- -> l+ l- through one photon, at tree level with massive leptons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import two_body
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["LeptonPair"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeptonPair:
    """Muons or taus: l-, l+. The weights are constant at one energy.

    Attributes
    ----------
    mass
        Of the lepton [GeV].
    """

    mass: float

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return 2 * self.mass

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2], zero below threshold.

        (4 pi alpha^2/3s) beta (3 - beta^2)/2 (Peskin and Schroeder, eq. 5.13).
        """
        is_open = s > self.threshold**2
        beta2 = self._velocity2(s, is_open)
        point = 4 * np.pi * ALPHA_EM**2 / 3 * HBAR_C2 / np.where(is_open, s, 1.0)
        return point * np.sqrt(beta2) * (3 - beta2) / 2

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of l-, l+, shape (2, 4, n), and weights [fb], one event at each s [GeV^2]."""
        n = len(s)
        is_open = s > self.threshold**2
        beta2 = self._velocity2(s, is_open)
        # 1 + c^2 + (1 - beta^2)(1 - c^2) is a constant and a square in the cosine c.
        square_share = beta2 / (6 - 2 * beta2)
        flat = 2 * rng.random(n) - 1
        cos_theta = np.where(rng.random(n) < square_share, np.cbrt(flat), flat)
        root_s = np.sqrt(np.where(is_open, s, self.threshold**2))
        pair = two_body(root_s, self.mass, self.mass, cos_theta, azimuths(n, rng))
        return np.stack(pair), self.cross_section(s)

    def _velocity2(self, s: FloatArray, is_open: npt.NDArray[np.bool_]) -> FloatArray:
        """Squared velocity of the leptons, zero below threshold."""
        return 1 - self.threshold**2 / np.where(is_open, s, self.threshold**2)
