"""Photons of any decay: the current of all its charges, with exact phase space.

A parent at rest, or in any frame that moves along the photon, adds nothing to the current across
the photon, charged or not. In these frames, with q the charges, v = p_T/(E - p_z) along the photon
and omega its energy, -J^2 omega^2 = |sum q v|^2 (Barberio, van Eijk, Was, Comput. Phys. Commun. 66
(1991) 115; with momenta after the emission it is exact for spinless particles, F. E. Low, Phys.
Rev. 110 (1958) 974). Fermions flip their helicity besides: q^2 xi/(p.k), xi = k/(k + p), makes of
2 (1 - xi)/xi the splitting function [1 + (1 - xi)^2]/xi.

The squared current is shared among the charges by q^2 v^2, and each share is sampled with one of
them, of mass m, as the emitter. All others recoil as a body of fixed mass m_Y, which keeps its
direction: a photon along the emitter then changes nothing but the emitter's energy. With x the
energy of the photon in units of half the parent's mass M, y the rapidity of the emitter along the
photon where emitter and recoil rest, t = tanh(y), e = 1 - x + (m^2 - m_Y^2)/M^2 and, without a
photon, e_0 and the emitter's velocity beta_0, the phase space (PDG 2024, Kinematics) makes of it

    dN/(dlnx dy) = alpha q^2 (1 + t)/(2 pi beta_0 e_0) W,
    W = e (1 + t) (1 - 4 (1 - x) cosh^2(y) m^2/(e M)^2) |sum q v|^2/sum(q^2 v^2) + xi x,

the last term for fermions only. Photons come from the hardest on, by a Poisson process, each from
what the former ones have left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.gen.isr import X_MIN
from darkbelle.gen.kinematics import boost, dot, invariant_mass, rotate_z_to, to_rest_frame
from darkbelle.gen.particles import species, twice_spin
from darkbelle.gen.radiation.radiated import Radiated
from darkbelle.units import ALPHA_EM

__all__ = ["radiate_decay"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.intp]

_RAREST: Final = 1e-9
"""Photons a decay, of those that cannot radiate."""


@dataclass(frozen=True, slots=True)
class _Charged:
    """The charged daughters of one mode; ``mass`` has the shape (n_charged, n)."""

    place: IndexArray
    charge: FloatArray
    fermion: npt.NDArray[np.bool_]
    mass: FloatArray

    @classmethod
    def of(cls, pdg_ids: Sequence[int], masses: Sequence[float | FloatArray], n: int) -> Self:
        """Among daughters of these codes."""
        charges = np.array([species(code).charge for code in pdg_ids], np.float64)
        place = np.flatnonzero(charges)
        mass = np.empty((len(place), n))
        for row, i in zip(mass, place, strict=True):
            row[:] = masses[int(i)]
        fermion = np.array([twice_spin(pdg_ids[int(i)]) % 2 == 1 for i in place], np.bool_)
        return cls(place, charges[place], fermion, mass)

    def take(self, rows: IndexArray) -> Self:
        """The same of some decays."""
        return replace(self, mass=self.mass[:, rows])


@dataclass(frozen=True, slots=True)
class _Channels:
    """Charged daughters as emitters, shape (n_charged, n) each.

    ``rate`` is that of candidates per unit of ln x; ``share`` is e_0, ``bound`` what W/(1 + t) does
    not exceed, over e_0; ``y_max`` and ``x_max`` are the largest y and x.
    """

    rate: FloatArray
    share: FloatArray
    bound: FloatArray
    y_max: FloatArray
    x_max: FloatArray

    def take(self, rows: IndexArray) -> _Channels:
        """The same of some decays."""
        return _Channels(*(getattr(self, name)[:, rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Candidates:
    """One possible photon of some decays, the ``rows``, and its emitter, shape (n_candidates,).

    Energy of the emitter and what it has along and across the photon are over M/2, in the frame of
    the parent. They happen where ``threshold`` is below ``eikonal`` times the interference and
    ``flip``, which together make W/(1 + t).
    """

    rows: IndexArray
    emitter: IndexArray
    x: FloatArray
    phi: FloatArray
    energy: FloatArray
    along: FloatArray
    across: FloatArray
    eikonal: FloatArray
    flip: FloatArray
    threshold: FloatArray

    def take(self, rows: npt.NDArray[np.bool_]) -> _Candidates:
        """Some of them."""
        return _Candidates(*(getattr(self, name)[rows] for name in self.__slots__))


def radiate_decay(
    momenta: FloatArray,
    pdg_ids: Sequence[int],
    masses: Sequence[float | FloatArray],
    rng: np.random.Generator,
) -> Radiated:
    """Let the daughters of one mode, of a charged or neutral parent, radiate photons.

    Rates stay as they are: no photon has the probability exp(-first-order integral). Photons with
    less than X_MIN of half the parent's mass are left out.

    Parameters
    ----------
    momenta
        Of the daughters, in any frame, shape (n_daughters, 4, n).
    pdg_ids
        Their codes, which give charges and spins.
    masses
        Their masses [GeV], one for all or shape (n,) each.
    """
    n = momenta.shape[2]
    charged = _Charged.of(pdg_ids, masses, n)
    photons, emitters = [np.zeros((4, 0))], [np.zeros(0, np.intp)]
    result = momenta.copy() if len(charged.place) else momenta
    events = np.arange(n if len(charged.place) else 0)
    left, log_x = momenta[:, :, : len(events)], np.zeros(len(events))
    while len(events):
        total = left.sum(axis=0)
        mass = invariant_mass(total)
        channels = _channels(left, total, mass, charged)
        rate = channels.rate.sum(axis=0)
        log_x -= rng.standard_exponential(len(rate)) / np.maximum(rate, _RAREST)
        on = np.flatnonzero(log_x > math.log(X_MIN))
        if len(on) == 0:
            break
        events, log_x, left, charged = events[on], log_x[on], left[:, :, on], charged.take(on)
        candidates = _candidates(np.exp(log_x), mass[on], charged, channels.take(on), rng)
        if len(candidates.rows) == 0:
            continue
        happens, after, photon = _emit(left, candidates, charged)
        left[:, :, happens] = after
        result[:, :, events[happens]] = after
        photons.append(photon)
        emitters.append(events[happens])
    emitter = np.concatenate(emitters)
    order = np.argsort(emitter, kind="stable")
    loud = np.unique(emitter)
    for p, own in zip(result, masses, strict=True):
        flight = p[1:, loud]
        own = np.broadcast_to(own, n)[loud]
        p[0, loud] = np.sqrt(own**2 + np.sum(flight**2, axis=0))
    return Radiated(result, np.concatenate(photons, axis=1)[:, order], emitter[order])


def _channels(
    momenta: FloatArray, total: FloatArray, mass: FloatArray, charged: _Charged
) -> _Channels:
    energy = np.stack([dot(momenta[i], total) / mass for i in charged.place])
    own = charged.mass
    momentum = np.sqrt(np.maximum(energy**2 - own**2, 0.0))
    beta = momentum / energy
    recoil2 = np.maximum(mass**2 + own**2 - 2 * mass * energy, 0.0)
    x_max = 1 - (own + np.sqrt(recoil2)) ** 2 / mass**2
    share, y_max = 2 * energy / mass, np.log((energy + momentum) / own)
    soft = 2 * len(own) * beta**2
    flips = np.maximum(1 - soft, 0.0) * np.maximum(x_max, 0.0) / share
    bound = soft + np.where(charged.fermion[:, None], flips, 0.0)
    rate = ALPHA_EM / np.pi * charged.charge[:, None] ** 2 * bound
    rate *= np.divide(y_max, beta, out=np.zeros_like(beta), where=beta > 0)
    return _Channels(rate, share, bound, y_max, x_max)


def _candidates(
    x: FloatArray,
    mass: FloatArray,
    charged: _Charged,
    channels: _Channels,
    rng: np.random.Generator,
) -> _Candidates:
    """Candidates of energies ``x``, but for those that cannot happen whatever the interference."""
    choice, u, phi, chance = rng.random((4, len(x)))
    cumulative = np.cumsum(channels.rate, axis=0)
    emitter = np.sum(choice * cumulative[-1] >= cumulative[:-1], axis=0)
    here = emitter, np.arange(len(x))
    share, y_max = channels.share[here], channels.y_max[here]
    # The density (1 + tanh y) is the derivative of log(1 + exp(2 y)).
    y = np.log(np.expm1(np.log1p(np.exp(-2 * y_max)) + 2 * u * y_max)) / 2
    tanh, cosh2, e = np.tanh(y), np.cosh(y) ** 2, share - x
    across2 = e**2 / ((1 - x) * cosh2) - (2 * charged.mass[here] / mass) ** 2
    possible = (x < channels.x_max[here]) & (across2 > 0)
    energy = e / (1 - x) * (1 - x / 2 - x * tanh / 2)
    found = _Candidates(
        here[1],
        emitter,
        x,
        2 * np.pi * phi,
        energy,
        e / (1 - x) * ((1 - x / 2) * tanh - x / 2),
        np.sqrt(np.maximum(across2, 0.0)),
        (1 + tanh) * across2 * (1 - x) * cosh2 / e,
        np.where(charged.fermion[emitter], x**2 / (x + energy), 0.0),
        chance * share * channels.bound[here],
    )
    most = len(charged.place) * found.eikonal + found.flip
    return found.take(possible & (found.threshold < most))


def _emit(
    momenta: FloatArray, candidates: _Candidates, charged: _Charged
) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Which rows radiate; daughters afterwards, shape (n_daughters, 4, m); photons, (4, m)."""
    momenta = momenta[:, :, candidates.rows]
    total = momenta.sum(axis=0)
    mass = invariant_mass(total)
    seen = np.stack([to_rest_frame(p, total) for p in momenta])
    after, photon = _recoil(seen, charged.place[candidates.emitter], mass / 2, candidates)
    eikonal = candidates.eikonal
    if len(charged.place) > 1:
        eikonal = eikonal * _interference(after, photon, charged.take(candidates.rows))
    kept = candidates.threshold < eikonal + candidates.flip
    total, mass = total[:, kept], mass[kept]
    *left, radiated = (boost(p[:, kept], total, mass) for p in (*after, photon))
    return candidates.rows[kept], np.stack(left), radiated


def _recoil(
    momenta: FloatArray,
    place: IndexArray,
    half: FloatArray,
    candidates: _Candidates,
) -> tuple[FloatArray, FloatArray]:
    """Daughters after the emission, and the photon, in the frame of the parent."""
    x, phi, energy = candidates.x, candidates.phi, candidates.energy
    along, across = candidates.along, candidates.across
    each = np.arange(len(x))
    before = momenta[place, :, each].T
    size = np.sqrt(np.sum(before[1:] ** 2, axis=0))
    axis, zero = -before[1:] / size, np.zeros_like(x)
    sideways = rotate_z_to(np.stack([zero, np.cos(phi), np.sin(phi), zero]), axis)[1:]
    length = np.hypot(across, x + along)
    u_across, u_along = -across / length, -(x + along) / length

    def outward(energy: FloatArray, across: FloatArray, along: FloatArray) -> FloatArray:
        side, on = across * u_along - along * u_across, across * u_across + along * u_along
        momentum: FloatArray = half * np.stack([energy, *(side * sideways + on * axis)])
        return momentum

    # The others keep what they have across the axis; along it their rapidities shift as one.
    factor = half * (2 - x - energy + length) / (2 * half - before[0] + size)
    along_axis = np.sum(momenta[:, 1:] * axis, axis=1)
    plus, minus = (momenta[:, 0] + along_axis) * factor, (momenta[:, 0] - along_axis) / factor
    after = momenta + ((plus - minus) / 2 - along_axis)[:, None] * np.stack([zero, *axis])
    after[:, 0] = (plus + minus) / 2
    after[place, :, each] = outward(energy, across, along).T
    return after, outward(x, zero, x)


def _interference(momenta: FloatArray, photon: FloatArray, charged: _Charged) -> FloatArray:
    """|sum q v|^2/sum(q^2 v^2) of the current across the photon, at most the number of charges."""
    axis = photon[1:] / photon[0]
    summed, squares = np.zeros_like(axis), np.zeros_like(photon[0])
    for place, charge, mass in zip(charged.place, charged.charge, charged.mass, strict=True):
        energy, *flight = momenta[place]
        along = np.sum(flight * axis, axis=0)
        across = flight - along * axis
        across2 = np.sum(across**2, axis=0)
        # 1/(E - p_z), which cancels for fast particles along the photon.
        current = charge * across * (energy + along) / (mass**2 + across2)
        summed += current
        squares += np.sum(current**2, axis=0)
    ratio: FloatArray = np.sum(summed**2, axis=0) / squares
    return ratio
