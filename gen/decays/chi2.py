"""chi2 -> chi1 f fbar and chi1 pi+ pi- through an off-shell dark photon; chi2 is unpolarised.

With q the momentum of the pair, S = m2 + m1, D = m2 - m1, and c the cosine between l- and chi1 in
the pair's frame, the amplitude squared, of a vector current between chi1 and chi2, is

    leptons   (D^2 - q^2) [S^2 + q^2 + 4 m^2 - (S^2 - q^2) beta^2 c^2],  beta^2 = 1 - 4 m^2/q^2
    scalars   (D^2 - q^2) [q^2 + (S^2 - q^2) c^2] beta^2 |F(q^2)|^2

up to constants: the trace of chi1 and chi2 contracted with that of the leptons, or with
(l- - l+)^m (l- - l+)^n. Both have the mean over c (D^2 - q^2)(S^2 + 2 q^2) R(q^2), with R the
cross-section of e+e- to the pair over that to massless muons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths, directions, even_cosines
from darkbelle.gen.kinematics import rotate_z_to
from darkbelle.gen.models.inelastic import InelasticDarkMatter
from darkbelle.gen.sampling import first_kept

__all__ = ["Chi2Decay", "LeptonPair", "Sampler", "ScalarPair"]

FloatArray = npt.NDArray[np.float64]

CELLS = 512
PROBES = 8
"""Points in each cell that bound the density in it."""
MARGIN = 1.02
"""What the density may exceed them by."""


@dataclass(frozen=True, slots=True)
class LeptonPair:
    """l- l+ of a mass [GeV]."""

    mass: float

    def curvature(self, sum2: float, q2: FloatArray) -> FloatArray:
        """The angular distribution is 1 + curvature c^2; ``sum2`` is (m2 + m1)^2 [GeV^2]."""
        beta2 = np.maximum(1 - 4 * self.mass**2 / q2, 0.0)
        return -(sum2 - q2) * beta2 / (sum2 + q2 + 4 * self.mass**2)


@dataclass(frozen=True, slots=True)
class ScalarPair:
    """pi- pi+ or K- K+ of a mass [GeV]."""

    mass: float

    def curvature(self, sum2: float, q2: FloatArray) -> FloatArray:
        """The angular distribution is 1 + curvature c^2; ``sum2`` is (m2 + m1)^2 [GeV^2]."""
        return sum2 / q2 - 1


@dataclass(frozen=True, slots=True)
class Chi2Decay:
    """chi2 -> chi1 and a pair by a mode of the model."""

    model: InelasticDarkMatter
    mode: str
    pair: LeptonPair | ScalarPair

    def density(self, q2: FloatArray) -> FloatArray:
        """D Gamma/d q^2 [1/GeV], zero where the decay is closed."""
        return self.model.differential_width(self.mode, q2)


@dataclass(frozen=True, slots=True)
class Sampler:
    """Unweighted decays, by rejection from steps above the density.

    Steps are equal in v with q^2 = least + (greatest - least) v^2. Where the density changes within
    less than an eighth of a step by more than `MARGIN`, it is cut there.
    """

    decay: Chi2Decay
    bound: FloatArray
    cumulative: FloatArray

    @classmethod
    def of(cls, decay: Chi2Decay) -> Sampler:
        """Tabulate; the decay must be open."""
        v = np.linspace(0, 1, CELLS * PROBES + 1)
        value = _density_in_v(decay, v)
        inner = value[:-1].reshape(CELLS, PROBES).max(axis=1)
        bound = MARGIN * np.maximum(inner, value[PROBES::PROBES])
        cumulative = np.cumsum(bound)
        return cls(decay, bound, cumulative / cumulative[-1])

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Momenta of chi1, l-, l+ (or pi-, pi+) in the frames of chi2, cf. `DecayAtRest`."""
        decay, model, n = self.decay, self.decay.model, len(mass)
        q2 = self._pair_mass2(n, rng)
        sum2 = (model.m_chi2 + model.m_chi1) ** 2
        room = model.delta**2 - q2
        momentum = np.sqrt(np.maximum((sum2 - q2) * room, 0.0)) / (2 * model.m_chi2)
        pair_energy = model.delta - room / (2 * model.m_chi2)
        beta = np.sqrt(np.maximum(1 - 4 * decay.pair.mass**2 / q2, 0.0))
        cosine = even_cosines(decay.pair.curvature(sum2, q2), rng)
        phi = azimuths(n, rng)
        across = beta * np.sqrt(q2) * np.sqrt(1 - cosine**2)
        # The difference of the pair's momenta, chi1 along z, then chi1 in a random direction.
        difference = np.stack(
            [
                -beta * cosine * momentum,
                across * np.cos(phi),
                across * np.sin(phi),
                beta * cosine * pair_energy,
            ]
        )
        axis = directions(n, rng)
        difference = rotate_z_to(difference, axis)
        flight = momentum * axis
        momenta = np.empty((3, 4, n))
        momenta[0, 0], momenta[0, 1:] = model.m_chi2 - pair_energy, flight
        momenta[1, 0], momenta[1, 1:] = pair_energy, -flight
        momenta[2] = (momenta[1] - difference) / 2
        momenta[1] = (momenta[1] + difference) / 2
        return momenta

    def _pair_mass2(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Squared masses of the pair [GeV^2], shape (n,)."""
        least, greatest = 4 * self.decay.pair.mass**2, self.decay.model.delta**2

        def attempt(rows: npt.NDArray[np.intp]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
            n_tried = len(rows)
            cell = np.searchsorted(self.cumulative, rng.random(n_tried))
            cell = np.minimum(cell, CELLS - 1)
            v = (cell + rng.random(n_tried)) / CELLS
            return v, rng.random(n_tried) * self.bound[cell] < _density_in_v(self.decay, v)

        v = first_kept(n, attempt)
        return least + (greatest - least) * v**2


def _density_in_v(decay: Chi2Decay, v: FloatArray) -> FloatArray:
    """The density by v where q^2 = least + (greatest - least) v^2, up to a constant."""
    least, greatest = 4 * decay.pair.mass**2, decay.model.delta**2
    return v * decay.density(least + (greatest - least) * v**2)
