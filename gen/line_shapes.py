"""Masses of broad states where their parents decay: Breit-Wigner shapes within the open energy.

A resonance of mass m0 and width G0 that decays by a P wave into two daughters has, with q the
momentum of these and q0 that at m0, the density in its mass (J. D. Jackson, Nuovo Cim. 34 (1964)
1644; barrier: F. von Hippel, C. Quigg, Phys. Rev. D 5 (1972) 624)

    rho(m) = (2 m/pi) m0 G(m) / [(m0^2 - m^2)^2 + m0^2 G(m)^2],
    G(m)   = G0 (q/q0)^3 (m0/m) (1 + r^2 q0^2)/(1 + r^2 q^2),   r = 3/GeV.

Where a parent decays, its masses have the density of phase space times one rho for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import KinematicsError
from darkbelle.gen.kinematics import breakup_momentum
from darkbelle.gen.particles import (
    K0,
    K_STAR,
    K_STAR0,
    KAON,
    OMEGA,
    PHI,
    PI0,
    PION,
    RHO,
    RHO0,
    species,
)
from darkbelle.gen.phasespace import (
    DecayAtRest,
    draw_chain,
    follow_chain,
    greatest_product,
    in_phase_space,
)
from darkbelle.gen.sampling import first_kept

__all__ = [
    "BROAD",
    "BroadDaughters",
    "LineShape",
    "in_shapes",
    "in_states",
    "known_line_shape",
    "line_shape",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

BROAD: Final = 0.004
"""GeV; from this width on a state has a line shape."""
RADIUS: Final = 3.0
"""1/GeV; reach of the force in the barrier."""
CELLS: Final = 256
PROBES: Final = 8
"""Points in each cell that bound the density in it."""
MARGIN: Final = 1.02
"""What the density may exceed them by."""
LEAST_ROOM: Final = 1e-9
"""Energy [GeV] that a decay must leave free for masses to be drawn."""


@dataclass(frozen=True, slots=True)
class LineShape:
    """Mass and width of a resonance, and the limits of the masses that are drawn [GeV].

    ``pair`` are the masses of the daughters on which the width depends, None for a constant one.
    """

    mass: float
    width: float
    pair: tuple[float, float] | None
    least: float
    most: float

    def width_at(self, mass: FloatArray) -> FloatArray:
        """Width of the resonance at some masses [GeV]."""
        if self.pair is None:
            return np.full_like(mass, self.width)
        q2 = breakup_momentum(mass, *self.pair) ** 2
        q02 = float(breakup_momentum(np.array(self.mass), *self.pair)) ** 2
        barrier = (1 + RADIUS**2 * q02) / (1 + RADIUS**2 * q2)
        running: FloatArray = self.width * (q2 / q02) ** 1.5 * self.mass / mass * barrier
        return running

    def density(self, mass: FloatArray) -> FloatArray:
        """Density rho [1/GeV] at masses [GeV]."""
        term = self.mass * self.width_at(mass)
        away = (self.mass - mass) * (self.mass + mass)
        density: FloatArray = 2 * mass / np.pi * term / (away**2 + term**2)
        return density

    def angle(self, mass: FloatArray) -> FloatArray:
        """The angle in which a resonance of constant width is uniform."""
        return np.arctan((mass - self.mass) * (mass + self.mass) / (self.mass * self.width))

    def at_angle(self, angle: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mass at an angle, and density in the angle there."""
        tangent = np.tan(angle)
        scale = self.mass * self.width
        mass = np.sqrt(self.mass**2 + scale * tangent)
        return mass, self.density(mass) * scale * (1 + tangent**2) / (2 * mass)

    def draw(self, ceiling: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Masses below ceilings [GeV] above the least mass, same shape."""
        steps = _steps(self)
        top = self.angle(np.minimum(ceiling, self.most))
        highest = steps.area(top)
        # The first step is far too high for those who see no more of a density that rises from 0.
        is_low = top < steps.low + steps.step
        lower = np.full(len(ceiling), np.inf)
        lower[is_low] = MARGIN * self.at_angle(top[is_low])[1]

        def attempt(rows: IndexArray) -> tuple[FloatArray, BoolArray]:
            angle, bound = steps.at(rng.random(len(rows)) * highest[rows])
            bound = np.minimum(bound, lower[rows])
            mass, density = self.at_angle(angle)
            return mass, (rng.random(len(rows)) * bound < density) & (mass < ceiling[rows])

        return first_kept(len(ceiling), attempt)


@dataclass(frozen=True, slots=True)
class _Steps:
    """A function of steps above a density, and the area below it up to each edge."""

    low: float
    step: float
    bound: FloatArray
    cumulative: FloatArray

    def area(self, angle: FloatArray) -> FloatArray:
        place = np.clip((angle - self.low) / self.step, 0, len(self.bound))
        cell = np.minimum(place.astype(np.intp), len(self.bound) - 1)
        area: FloatArray = self.cumulative[cell] + (place - cell) * self.bound[cell]
        return area

    def at(self, area: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Where the area is reached, and the height of the step there."""
        cell = np.searchsorted(self.cumulative, area, side="right") - 1
        cell = np.minimum(cell, len(self.bound) - 1)
        bound = self.bound[cell]
        return self.low + self.step * (cell + (area - self.cumulative[cell]) / bound), bound


@lru_cache
def _steps(shape: LineShape) -> _Steps:
    low, high = shape.angle(np.array([shape.least, shape.most])).tolist()
    density = shape.at_angle(np.linspace(low, high, CELLS * PROBES + 1))[1]
    inner = density[:-1].reshape(CELLS, PROBES).max(axis=1)
    bound = MARGIN * np.maximum(inner, density[PROBES::PROBES])
    return _Steps(low, (high - low) / CELLS, bound, np.concatenate([[0.0], np.cumsum(bound)]))


@dataclass(frozen=True, slots=True)
class BroadDaughters:
    """Decay into daughters of given masses or line shapes, two of them by some partial wave.

    Otherwise flat in phase space; ``wave`` is the orbital momentum of two daughters, whose rate
    goes as the power 2 wave + 1 of their momentum. Spins are averaged over: isotropic.
    """

    daughters: tuple[float | LineShape, ...]
    wave: int = 0

    def __call__(self, mass: FloatArray, *, rng: np.random.Generator) -> FloatArray:
        """Momenta in the frames of parents of masses (n,), cf. `DecayAtRest`.

        By rejection: all momenta, and the free energy, fall with the masses of the daughters.
        """
        least = np.array([self._least(daughter) for daughter in self.daughters])
        free = mass - least.sum()
        if not np.all(free > LEAST_ROOM):
            raise KinematicsError(
                f"a particle of {mass.min():.6g} GeV cannot decay to {least.sum():.6g} GeV"
            )
        bound = greatest_product(mass, np.broadcast_to(least[:, None], (len(least), len(mass))))

        def attempt(rows: IndexArray) -> tuple[FloatArray, BoolArray]:
            total, room = mass[rows], free[rows]
            own = np.stack([self._draw(daughter, room, rng) for daughter in self.daughters])
            left = np.maximum(total - own.sum(axis=0), 0.0)
            chain, product = draw_chain(total, own, rng)
            weight = product / bound[rows]
            if len(own) == 2:
                weight = weight ** (2 * self.wave + 1) * (left > 0)
            else:
                weight *= (left / room) ** (len(own) - 2)
            return np.stack([chain, own]), rng.random(len(rows)) < weight

        chain, own = first_kept(len(mass), attempt)
        return follow_chain(chain, own, rng)

    @staticmethod
    def _least(daughter: float | LineShape) -> float:
        return daughter.least if isinstance(daughter, LineShape) else daughter

    @staticmethod
    def _draw(
        daughter: float | LineShape, room: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        if isinstance(daughter, LineShape):
            return daughter.draw(daughter.least + room, rng)
        return np.full(len(room), daughter)


def line_shape(pdg_id: int) -> LineShape | None:
    """Line shape of a state broader than BROAD, None for all others and where none is known.

    Masses and widths of PDG 2024. The least masses open all decays that `decay_modes` has.
    """
    return _line_shapes().get(abs(pdg_id))


def known_line_shape(pdg_id: int) -> LineShape:
    """As `line_shape`, of a state that has one."""
    return _line_shapes()[abs(pdg_id)]


@cache
def _line_shapes() -> dict[int, LineShape]:
    pion, pi0, kaon, k0 = (_mass(code) for code in (PION, PI0, KAON, K0))
    return {
        code: LineShape(_mass(code), width, pair, least, most)
        for code, width, pair, least, most in (
            (RHO0, 0.1474, (pion, pion), 2 * pion, 1.5),
            (RHO, 0.1491, (pion, pi0), pion + pi0, 1.5),
            (OMEGA, 0.00868, None, 0.66, 0.91),
            (K_STAR0, 0.0471, (kaon, pion), kaon + pion, 1.5),
            (K_STAR, 0.0485, (kaon, pion), k0 + pion, 1.5),
            (PHI, 0.004249, (kaon, kaon), 2 * k0 + 1e-4, 1.08),
        )
    }


def in_shapes(daughters: tuple[float | LineShape, ...], wave: int = 0) -> DecayAtRest:
    """Decay into daughters of given masses [GeV] or line shapes, cf. `BroadDaughters`."""
    masses = [daughter for daughter in daughters if not isinstance(daughter, LineShape)]
    if len(masses) == len(daughters):
        return in_phase_space(masses)
    return BroadDaughters(daughters, wave)


@cache
def in_states(daughters: tuple[int, ...], wave: int = 0) -> DecayAtRest:
    """Decay into known particles, broad ones with their line shapes."""
    return in_shapes(tuple(line_shape(code) or _mass(code) for code in daughters), wave)


def _mass(pdg_id: int) -> float:
    mass = species(pdg_id).mass
    if mass is None:
        raise KinematicsError(f"{species(pdg_id).name} has no mass of its own")
    return mass
