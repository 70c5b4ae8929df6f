"""Photons radiated by a pair of opposite charges and equal mass that something neutral decays to.

One photon has the exact first-order spectrum and angle, masses kept; several follow by a Poisson
process, so that no photon at all has the probability exp(-first-order integral) and rates stay as
they are. x is the energy of a photon, in the rest frame of the pair that emits it, in units of
half the mass sqrt(s) of that pair; y = artanh(beta c) is the rapidity of the negative particle
along the photon in the rest frame of what remains, a pair of the velocity beta and squared mass
s (1 - x). With mu = m^2/s and beta0^2 = 1 - 4 mu

    dN/(dx dy) = 2 alpha/(pi beta0 x) W,  W = (1 - x) - 4 mu cosh^2 y + x^2 (a + b/cosh^2 y),

which never exceeds 2 alpha beta0/(pi x): the candidates of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.isr import X_MIN
from darkbelle.gen.kinematics import boost, dot, rotate_z_to, to_rest_frame
from darkbelle.gen.radiation.radiated import Radiated
from darkbelle.ragged import offsets_of
from darkbelle.units import ALPHA_EM

__all__ = [
    "FERMIONS_FROM_PSEUDOSCALAR",
    "FERMIONS_FROM_SCALAR",
    "FERMIONS_FROM_VECTOR",
    "SCALARS_FROM_SCALAR",
    "SCALARS_FROM_VECTOR",
    "Kernel",
    "radiate",
]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Kernel:
    """Emission of one photon; ``hard`` gives the a and b of W, which depend on spins, from mu.

    ``hard`` has a name, so that workers can be sent it.
    """

    name: str
    hard: Callable[[FloatArray], tuple[FloatArray | float, FloatArray | float]]

    def shape(self, x: FloatArray, y: FloatArray, mu: FloatArray) -> FloatArray:
        """W where 4 mu cosh^2 y < 1 - x: positive, and not above beta0^2."""
        cosh2 = np.cosh(y) ** 2
        a, b = self.hard(mu)
        shape: FloatArray = 1 - x - 4 * mu * cosh2 + x**2 * (a + b / cosh2)
        return shape


def _from_vector(mu: FloatArray) -> tuple[FloatArray, FloatArray]:
    return 1 / (2 + 4 * mu), -1 / (4 + 8 * mu)


def _from_scalar(mu: FloatArray) -> tuple[FloatArray, float]:
    return 1 / (2 - 8 * mu), 0.0


def _from_pseudoscalar(_: FloatArray) -> tuple[float, float]:
    return 0.5, 0.0


def _scalars_from_scalar(_: FloatArray) -> tuple[float, float]:
    return 0.0, 0.0


def _scalars_from_vector(mu: FloatArray) -> tuple[float, FloatArray]:
    return 0.0, 1 / (2 - 8 * mu)


# From T of the emission (``production.emission.amplitude``) with M = 0 or, for the other two,
# crossed: its boson becomes the parent (M^2 -> s) and its virtual photon the real one (s -> 0).
FERMIONS_FROM_VECTOR = Kernel("fermions from a vector", _from_vector)
FERMIONS_FROM_SCALAR = Kernel("fermions from a scalar", _from_scalar)
FERMIONS_FROM_PSEUDOSCALAR = Kernel("fermions from a pseudoscalar", _from_pseudoscalar)
# Scalar electrodynamics of point-like particles, with the contact term in the second.
SCALARS_FROM_SCALAR = Kernel("scalars from a scalar", _scalars_from_scalar)
SCALARS_FROM_VECTOR = Kernel("scalars from a vector", _scalars_from_vector)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Emissions to be thinned, by events and in each from the hardest, shape (n_candidates,).

    Those of pair i are the rows ``offsets[i]`` to ``offsets[i + 1]``. ``chance`` decides on the
    emission, ``side`` which particle keeps its direction, ``phi`` is the azimuth around it.
    """

    offsets: npt.NDArray[np.int64]
    x: FloatArray
    y: FloatArray
    chance: FloatArray
    side: FloatArray
    phi: FloatArray


def radiate(pair: FloatArray, mass: float, kernel: Kernel, rng: np.random.Generator) -> Radiated:
    """Let pairs, given in any frame, radiate photons.

    Each photon but the hardest is emitted by the pair as the former ones have left it, with the
    kernel at its mass.

    Parameters
    ----------
    pair
        Momenta of the negative and the positive particle, shape (2, 4, n).
    mass
        Of either [GeV].
    """
    total = pair[0] + pair[1]
    s = dot(total, total)
    beta0 = np.sqrt(np.maximum(1 - 4 * mass**2 / s, 0.0))
    candidates, busy = _candidates(s, beta0, mass, rng)

    total, s, beta0 = total.take(busy, axis=1), s[busy], beta0[busy]
    root_s = np.sqrt(s)
    first = to_rest_frame(pair[0].take(busy, axis=1), total)
    inner = np.stack([first, np.stack([root_s - first[0], *(-first[1:])])])
    mass2_left = s.copy()
    radiating = np.zeros(len(busy), np.bool_)
    photons, emitters = [np.zeros((4, 0))], [np.zeros(0, np.intp)]
    counts = np.diff(candidates.offsets)
    for rank in range(counts.max(initial=0)):
        i = np.flatnonzero(counts > rank)
        row = candidates.offsets[i] + rank
        kept = _happens(candidates, row, mass**2 / mass2_left[i], beta0[i], kernel)
        i, row = i[kept], row[kept]
        inner[:, :, i], photon = _emit(inner.take(i, axis=2), mass2_left[i], mass, candidates, row)
        mass2_left[i] *= 1 - candidates.x[row]
        radiating[i] = True
        photons.append(boost(photon, total.take(i, axis=1), root_s[i]))
        emitters.append(i)

    result = pair.copy()
    i = np.flatnonzero(radiating)
    for momentum, after in zip(result, inner, strict=True):
        flight = boost(after.take(i, axis=1), total.take(i, axis=1), root_s[i])[1:]
        momentum[:, busy[i]] = np.stack([np.sqrt(mass**2 + np.sum(flight**2, axis=0)), *flight])
    emitter = np.concatenate(emitters)
    order = np.argsort(emitter, kind="stable")
    return Radiated(result, np.concatenate(photons, axis=1)[:, order], busy[emitter[order]])


def _candidates(
    s: FloatArray, beta0: FloatArray, mass: float, rng: np.random.Generator
) -> tuple[_Candidates, IndexArray]:
    """Candidates of the pairs that have any, and these pairs."""
    log_range = np.log(np.maximum(beta0**2, X_MIN) / X_MIN)
    y_max = np.log((1 + beta0) * np.sqrt(s) / (2 * mass))
    number = rng.poisson(4 * ALPHA_EM / np.pi * beta0 * y_max * log_range)
    busy = np.flatnonzero(number)
    number = number[busy]
    event = np.repeat(np.arange(len(busy)), number)
    at = busy[event]
    u, y, chance, side, phi = rng.random((5, len(event)))
    u = u[np.argsort(event - u)]
    return _Candidates(
        offsets_of(event, len(busy)),
        X_MIN * np.exp(u * log_range[at]),
        (2 * y - 1) * y_max[at],
        chance,
        side,
        2 * np.pi * phi,
    ), busy


def _happens(
    candidates: _Candidates, row: IndexArray, mu: FloatArray, beta0: FloatArray, kernel: Kernel
) -> npt.NDArray[np.bool_]:
    """Which candidates become photons, by kernel over crude intensity.

    ``mu`` is that of the pairs now, ``beta0`` that of the pairs which the candidates were made for.
    """
    x, y = candidates.x[row], candidates.y[row]
    possible = 4 * mu * np.cosh(y) ** 2 < 1 - x
    mu = np.where(possible, mu, 0.0)
    crude = beta0 * np.sqrt(1 - 4 * mu)
    happens: npt.NDArray[np.bool_] = possible & (
        candidates.chance[row] * crude < kernel.shape(x, y, mu)
    )
    return happens


def _emit(
    pair: FloatArray, s: FloatArray, mass: float, candidates: _Candidates, row: IndexArray
) -> tuple[FloatArray, FloatArray]:
    """Pair after emission, shape (2, 4, n), and photon, (4, n), in the frame of ``pair``.

    Either particle keeps its direction in the rest frame of the pair, with the probability
    E^2/(E1^2 + E2^2): exact for massless fermions from a vector (Kleiss, Phys. Lett. B180 (1986)
    400).
    """
    x, y = candidates.x[row], candidates.y[row]
    z = np.tanh(y)
    half = np.sqrt(s) / 2
    # In units of half: the photon is (x; 0, x), components across and along it.
    energies = 1 - x * (1 + z) / 2, 1 - x * (1 - z) / 2
    along = (1 - x / 2) * z - x / 2, -(1 - x / 2) * z - x / 2
    across = np.sqrt(np.maximum((1 - x) / np.cosh(y) ** 2 - mass**2 / half**2, 0.0))

    first_kept = candidates.side[row] * (energies[0] ** 2 + energies[1] ** 2) < energies[0] ** 2
    kept_along = np.where(first_kept, along[0], -along[1])
    length = np.hypot(across, kept_along)
    u_across, u_along = across / length, kept_along / length

    frame = pair[0] + pair[1]
    axis = to_rest_frame(pair[0], frame)[1:]
    axis /= np.sqrt(np.sum(axis**2, axis=0))
    phi, zero = candidates.phi[row], np.zeros_like(x)
    sideways = rotate_z_to(np.stack([zero, np.cos(phi), np.sin(phi), zero]), axis)[1:]

    def outward(energy: FloatArray, across: FloatArray, along: FloatArray) -> FloatArray:
        side, on = across * u_along - along * u_across, across * u_across + along * u_along
        momentum = half * np.stack([energy, *(side * sideways + on * axis)])
        return boost(momentum, frame, 2 * half)

    first, photon = outward(energies[0], across, along[0]), outward(x, zero, x)
    return np.stack([first, frame - first - photon]), photon
