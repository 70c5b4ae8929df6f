"""Spins of what decays: where they come from, and how they turn what comes out.

A spin is a space-like four-vector orthogonal to the momentum: of a fermion its polarisation, no
longer than one; of a vector boson its linear polarisation, of length one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths, even_cosines
from darkbelle.gen.decays.mode import Polarimeter
from darkbelle.gen.kinematics import boost, dot, rotate_z_to, to_rest_frame
from darkbelle.gen.radiation import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_SCALAR,
    FERMIONS_FROM_VECTOR,
    Kernel,
)

__all__ = [
    "Across",
    "AcrossFlight",
    "Along",
    "Analyser",
    "FermionAnalyser",
    "FermionPair",
    "Helicity",
    "PairCorrelation",
    "Siblings",
    "Spins",
    "correlation_of",
    "decay_plane",
    "first_daughter",
    "from_pseudoscalar",
    "from_scalar",
    "from_unpolarised_vector",
    "from_virtual_photon",
    "orient",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Siblings:
    """Particles of one decay or hard process, in any one frame.

    Attributes
    ----------
    parent
        What they come from, shape (4, n).
    momenta
        Theirs, shape (n_siblings, 4, n).
    beams
        p(e-) - p(e+) of the annihilation, shape (4, n).
    """

    parent: FloatArray
    momenta: FloatArray
    beams: FloatArray


class Spins(Protocol):
    """Where the spins of particles that are born together come from; picklable."""

    def __call__(
        self,
        place: int,
        siblings: Siblings,
        analysed: Mapping[int, FloatArray],
        rng: np.random.Generator,
    ) -> FloatArray | None:
        """Spin of the particle at a place, shape (4, n), None where it has none.

        ``analysed`` are the polarimeters of siblings that have decayed before, as four-vectors.
        """


@dataclass(frozen=True, slots=True)
class Helicity:
    """One of the siblings is polarised along its flight, seen from the parent's frame.

    Attributes
    ----------
    place
        Which.
    polarisation
        From -1 to 1 for a fermion, 1 for a vector boson of helicity zero.
    """

    place: int
    polarisation: float = 1.0

    def __call__(
        self,
        place: int,
        siblings: Siblings,
        analysed: Mapping[int, FloatArray],
        rng: np.random.Generator,
    ) -> FloatArray | None:
        """None for the others."""
        if place != self.place:
            return None
        return self.polarisation * _along_flight(siblings.momenta[place], siblings.parent)


@dataclass(frozen=True, slots=True)
class AcrossFlight:
    """A vector boson of helicity one, of either sign: its polarisation lies across the flight."""

    place: int

    def __call__(
        self,
        place: int,
        siblings: Siblings,
        analysed: Mapping[int, FloatArray],
        rng: np.random.Generator,
    ) -> FloatArray | None:
        """None for the others; linear, of any azimuth, which is the mean of both signs."""
        if place != self.place:
            return None
        p, parent = siblings.momenta[place], siblings.parent
        flight = _unit(to_rest_frame(p, parent)[1:])
        phi = azimuths(p.shape[1], rng)
        across = np.stack([np.zeros_like(phi), np.cos(phi), np.sin(phi), np.zeros_like(phi)])
        return boost(rotate_z_to(across, flight), parent)


def _along_flight(p: FloatArray, frame: FloatArray) -> FloatArray:
    """Unit four-vector of p's own frame that points as p flies in another one."""
    mass2 = dot(p, p)
    shift = dot(p, frame) / mass2
    away = shift * p - frame
    unit: FloatArray = away / np.sqrt(np.maximum(-dot(away, away), 1e-300))
    return unit


class PairCorrelation(Protocol):
    """How the polarisation of one fermion of a pair follows from what the other one shows.

    ``h`` is the polarimeter of the other one; ``flight`` and ``beam`` are directions of that one
    and of the electron in the frame of the pair, from where pure boosts lead to both rest frames,
    all of shape (3, n); ``gamma`` is that of the fermions, shape (n,).
    """

    def __call__(
        self, h: FloatArray, flight: FloatArray, beam: FloatArray, gamma: FloatArray
    ) -> FloatArray:
        """Polarisation, shape (3, n), the same whichever of the two is the antifermion."""


def from_virtual_photon(
    h: FloatArray, flight: FloatArray, beam: FloatArray, gamma: FloatArray
) -> FloatArray:
    """Of an annihilation, unpolarised beams: handbook, decays.md, section 4.2.

    The two decays go as tr E (1 + h.h') - 2 h.E.h', E = D (1 - n n) D, D = 1 - (1 - 1/gamma) k k.
    """
    shortened = beam - (1 - 1 / gamma) * _inner(flight, beam) * flight
    turned = h - (1 - 1 / gamma**2) * _inner(flight, h) * flight - _inner(shortened, h) * shortened
    trace = 2 + 1 / gamma**2 - _inner(shortened, shortened)
    return h - 2 / trace * turned


def from_unpolarised_vector(
    h: FloatArray, flight: FloatArray, beam: FloatArray, gamma: FloatArray
) -> FloatArray:
    """Of a vector boson with a vector coupling, as `from_virtual_photon`, over all beams."""
    del beam
    turned = h - (1 - 1 / gamma**2) * _inner(flight, h) * flight
    return h - 2 / (2 + 1 / gamma**2) * turned


def from_scalar(
    h: FloatArray, flight: FloatArray, beam: FloatArray, gamma: FloatArray
) -> FloatArray:
    """Of a scalar, whose pair is a triplet in a p-wave: the part along the flight turns around."""
    del beam, gamma
    return h - 2 * _inner(flight, h) * flight


def from_pseudoscalar(
    h: FloatArray, flight: FloatArray, beam: FloatArray, gamma: FloatArray
) -> FloatArray:
    """Of a pseudoscalar, whose pair is a singlet: spins are opposite."""
    del flight, beam, gamma
    return -h


_CORRELATIONS: Final = {
    FERMIONS_FROM_VECTOR: from_unpolarised_vector,
    FERMIONS_FROM_SCALAR: from_scalar,
    FERMIONS_FROM_PSEUDOSCALAR: from_pseudoscalar,
}


def correlation_of(kernel: Kernel) -> PairCorrelation | None:
    """Of fermions that something unpolarised decays to, by how they radiate; None for scalars."""
    return _CORRELATIONS.get(kernel)


@dataclass(frozen=True, slots=True)
class FermionPair:
    """The spins of a fermion and an antifermion, at two places, know of each other."""

    fermion: int
    antifermion: int
    correlation: PairCorrelation

    def __call__(
        self,
        place: int,
        siblings: Siblings,
        analysed: Mapping[int, FloatArray],
        rng: np.random.Generator,
    ) -> FloatArray | None:
        """None for the one that decays first."""
        places = [self.fermion, self.antifermion]
        other = sum(places) - place
        if place not in places or other not in analysed:
            return None
        p, q = siblings.momenta[other], siblings.momenta[place]
        pair = p + q
        first, second = to_rest_frame(p, pair), to_rest_frame(q, pair)
        beam = to_rest_frame(siblings.beams, pair)[1:]
        h = to_rest_frame(to_rest_frame(analysed[other], pair), first)[1:]
        gamma = first[0] / np.sqrt(dot(p, p))
        spin = self.correlation(h, _unit(first[1:]), _unit(beam), gamma)
        return boost(boost(np.stack([np.zeros_like(gamma), *spin]), second), pair)


class Analyser(Protocol):
    """How a decay shows the spin of what decays; picklable."""

    @property
    def vector(self) -> Polarimeter:
        """What the spin turns, shape (3, n), of daughters at rest, shape (n_daughters, 4, n)."""

    def cosines(self, strength: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Cosines between vector and spin whose lengths have the product ``strength``."""


@dataclass(frozen=True, slots=True)
class FermionAnalyser:
    """A fermion: 1 + h.s, the vector h being its polarimeter."""

    vector: Polarimeter

    def cosines(self, strength: FloatArray, rng: np.random.Generator) -> FloatArray:
        """1 + strength c, by inverting its integral."""
        u = rng.random(len(strength))
        root = np.sqrt(np.maximum((1 - strength) ** 2 + 4 * strength * u, 0.0))
        cosines: FloatArray = np.clip((strength - 2 + 4 * u) / (1 + root), -1.0, 1.0)
        return cosines


@dataclass(frozen=True, slots=True)
class Along:
    """A vector boson whose decay goes as (v.e)^2: two scalars, or three pions with their normal."""

    vector: Polarimeter

    def cosines(self, strength: FloatArray, rng: np.random.Generator) -> FloatArray:
        """c^2, by inverting its integral."""
        return np.cbrt(2 * rng.random(len(strength)) - 1)


@dataclass(frozen=True, slots=True)
class Across:
    """A vector boson whose decay goes as 1 - beta^2 (v.e)^2: fermions, or with a photon beta = 1.

    Attributes
    ----------
    vector
        The direction of a daughter.
    beta2
        Their squared velocity.
    """

    vector: Polarimeter
    beta2: float

    def cosines(self, strength: FloatArray, rng: np.random.Generator) -> FloatArray:
        """1 - beta^2 c^2."""
        return even_cosines(np.full(len(strength), -self.beta2), rng)


def first_daughter(momenta: FloatArray) -> FloatArray:
    """Direction of the first daughter, shape (3, n)."""
    return _unit(momenta[0, 1:])


def decay_plane(momenta: FloatArray) -> FloatArray:
    """Normal of the plane of three daughters, shape (3, n)."""
    return _unit(np.cross(momenta[0, 1:], momenta[1, 1:], axis=0))


def orient(
    momenta: FloatArray, analyser: Analyser, spin: FloatArray | None, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Turn isotropic decays at rest as the spin wants it.

    The unpolarised decay is the average over its orientations, whatever the momenta are in the
    frame that turns with it; so nothing is rejected.

    Parameters
    ----------
    momenta
        Shape (n_daughters, 4, n).
    spin
        In the frame of the decaying particle, shape (3, n); None where it is unpolarised.

    Returns
    -------
    momenta, vector
        The turned momenta, and the vector of the analyser with them, shape (3, n).
    """
    vector = analyser.vector(momenta)
    if spin is None:
        return momenta, vector
    size, length = _length(vector), _length(spin)
    cosine = analyser.cosines(size * length, rng)
    sine = np.sqrt(np.maximum(1 - cosine**2, 0.0))
    phi = azimuths(len(cosine), rng)
    wanted = np.stack([np.zeros_like(phi), sine * np.cos(phi), sine * np.sin(phi), cosine])
    target = rotate_z_to(wanted, _unit(spin))[1:]
    # Half a turn around the bisector takes the vector there.
    middle = _unit(_unit(vector) + target)
    turns = (size > 0) & (length > 0)
    flights = momenta[:, 1:]
    swung = 2 * np.sum(flights * middle, axis=1, keepdims=True) * middle - flights
    turned = np.where(turns, swung, flights)
    return np.concatenate([momenta[:, :1], turned], axis=1), np.where(turns, size * target, vector)


def _inner(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def _length(a: FloatArray) -> FloatArray:
    return np.sqrt(_inner(a, a))


def _unit(a: FloatArray) -> FloatArray:
    """Unit vectors; zero stays zero."""
    unit: FloatArray = a / np.maximum(_length(a), 1e-300)
    return unit
