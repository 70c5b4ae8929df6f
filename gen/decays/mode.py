"""One way in which a known particle decays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.line_shapes import in_states
from darkbelle.gen.particles import conjugate, masses
from darkbelle.gen.phasespace import DecayAtRest, MatrixElement, in_phase_space

__all__ = ["DecayMode", "Polarimeter"]

FloatArray = npt.NDArray[np.float64]

Polarimeter = Callable[[FloatArray], FloatArray]
"""How a decay of a fermion analyses its spin: the rate goes as 1 + h.s, s a unit vector.

Takes the momenta of the daughters in the frame of the parent, shape (n_daughters, 4, n), and
returns h, shape (3, n), no longer than one.
"""


def _mirror(momenta: FloatArray) -> FloatArray:
    """CP turns momenta around, but not spins."""
    return np.concatenate([momenta[:, :1], -momenta[:, 1:]], axis=1)


@dataclass(frozen=True, slots=True)
class _MirroredPolarimeter:
    """That of the antiparticle."""

    original: Polarimeter

    def __call__(self, momenta: FloatArray) -> FloatArray:
        return self.original(_mirror(momenta))


@dataclass(frozen=True, slots=True)
class _MirroredDecay:
    """That of the antiparticle; of four bodies and more, the mirror image is no rotation."""

    original: DecayAtRest

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        return _mirror(self.original(mass, rng=rng))


@dataclass(frozen=True, slots=True)
class DecayMode:
    """A branching fraction, codes of the daughters, how they share energy and spin.

    Without ``at_rest`` the daughters are flat in phase space, with line shapes where they are
    broad; without ``polarimeter`` they are blind to the spin of the parent.
    """

    fraction: float
    daughters: tuple[int, ...]
    at_rest: DecayAtRest | None = None
    polarimeter: Polarimeter | None = None

    @classmethod
    def of(cls, fraction: float, daughters: tuple[int, ...], element: MatrixElement) -> DecayMode:
        """Three daughters by a matrix element."""
        own = masses(np.array(daughters, np.int32)).tolist()
        return cls(fraction, daughters, in_phase_space(own, element))

    def of_charge(self, sign: int) -> DecayMode:
        """The mode itself where the sign is positive, else that of the antiparticle."""
        return self if sign > 0 else self.conjugated()

    def conjugated(self) -> DecayMode:
        """The mode of the antiparticle, CP conserved."""
        return DecayMode(
            self.fraction,
            tuple(conjugate(code) for code in self.daughters),
            None if self.at_rest is None else _MirroredDecay(self.at_rest),
            None if self.polarimeter is None else _MirroredPolarimeter(self.polarimeter),
        )

    def sample(self, mass: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Momenta in the frames of parents of masses (n,), shape (n_daughters, 4, n)."""
        at_rest = self.at_rest or in_states(self.daughters)
        return at_rest(mass, rng=rng)
