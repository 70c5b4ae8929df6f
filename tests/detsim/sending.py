"""What the tests of the detector's parts send through it: single particles, and events of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import settings

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.gen.events import Origin, Slot, Status, TruthEvents, assemble
from darkbelle.gen.particles import species
from darkbelle.geometry import Experiment, load
from darkbelle.units import C

P_VALUE = 1e-5
"""Least p-value of a test on a seed that is fixed."""
NO_FIELD = "solenoid.field_t=0.0"

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=40)


@cache
def belle2(*overrides: str) -> Experiment:
    return load("belle2", overrides)


def no_material(experiment: Experiment | None = None) -> tuple[str, ...]:
    """Overrides that leave sensors alone."""
    card = experiment or belle2()
    layers = [f"passive.{name}" for name in card.passive]
    layers += [f"silicon.{name}" for name in card.silicon]
    names = ("thickness_x0", "thickness_lambda", "mip_loss_mev")
    chamber = ("material_x0_per_cm", "material_lambda_per_cm", "mip_loss_mev_per_cm")
    thin = [f"{layer}.{name}=0.0" for layer in layers for name in names]
    return (*thin, *(f"drift_chamber.{name}=0.0" for name in chamber))


def mass_of(pdg_id: int) -> float:
    """GeV; 1 GeV for the dark states."""
    return 1.0 if (mass := species(pdg_id).mass) is None else mass


def one_each(
    pdg_id: int | Sequence[int] | np.ndarray,
    momentum: np.ndarray,
    start: np.ndarray | None = None,
) -> TruthEvents:
    """Events of one particle each: momenta (3, n) [GeV], starts (4, n) [cm, ns] or the origin."""
    n = momentum.shape[1]
    codes, inverse = np.unique(np.atleast_1d(np.asarray(pdg_id, np.int32)), return_inverse=True)
    mass = np.broadcast_to(np.array([mass_of(int(code)) for code in codes])[inverse], n)
    four = np.stack([np.sqrt(np.sum(momentum**2, axis=0) + mass**2), *momentum])
    where = np.zeros((4, n)) if start is None else start
    slot = Slot(np.broadcast_to(codes[inverse], n), Status.FINAL, Origin.GUN, mass, four, where)
    return assemble([slot], np.ones(n), where, None)


def several(
    counts: Sequence[int] | np.ndarray,
    pdg_id: int | Sequence[int] | np.ndarray,
    momentum: np.ndarray,
    start: np.ndarray | None = None,
) -> TruthEvents:
    """As `one_each`, the particles one after the other in events of so many each."""
    single = one_each(pdg_id, momentum, start)
    offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    n = len(counts)
    return replace(single, offsets=offsets, weight=np.ones(n), vertex=np.zeros((4, n)))


def beam(p: float | np.ndarray, theta_deg: float | np.ndarray, n: int, seed: int = 1) -> np.ndarray:
    """Momenta of some size and polar angle, all azimuths, (3, n)."""
    phi = np.random.default_rng(seed).uniform(-np.pi, np.pi, n)
    theta = np.radians(theta_deg)
    across = p * np.sin(theta)
    along = np.broadcast_to(p * np.cos(theta), n)
    return np.stack([across * np.cos(phi), across * np.sin(phi), along])


def isotropic(p: float | np.ndarray, n: int, seed: int = 1) -> np.ndarray:
    """Momenta of some size in all directions, (3, n)."""
    direction = np.random.default_rng(seed).normal(size=(3, n))
    return p * direction / np.linalg.norm(direction, axis=0)


def everywhere(
    n: int, seed: int, p: tuple[float, float] = (1e-3, 10.0), reach: float = 60.0
) -> tuple[np.ndarray, np.ndarray]:
    """Momenta (3, n) in all directions and of all sizes, starts (4, n) here and there."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(3, n))
    size = np.exp(rng.uniform(*np.log(p), n))
    start = np.stack([*rng.uniform(-reach, reach, (3, n)), rng.uniform(0, 5, n)])
    start[:, rng.random(n) < 0.5] = 0.0
    return size * direction / np.linalg.norm(direction, axis=0), start


def at_face(
    pdg_id: int | Sequence[int] | np.ndarray,
    momentum: np.ndarray,
    start: np.ndarray | None = None,
) -> tuple[Arrivals, np.ndarray]:
    """What is sent straight and as fast as light to the face of the calorimeter, and the masses.

    Momenta (3, n) [GeV], starts (4, n) [cm, ns] or the origin; what starts outside is there.
    """
    particles = one_each(pdg_id, momentum, start).particles
    x, y, z, t = np.stack([particles.x, particles.y, particles.z, particles.t])
    ux, uy, uz = momentum / np.linalg.norm(momentum, axis=0)
    across, along, radius2 = ux**2 + uy**2, x * ux + y * uy, x**2 + y**2
    with np.errstate(all="ignore"):
        to_wall = (np.sqrt(along**2 + across * (125**2 - radius2)) - along) / across
        to_end = (np.where(uz > 0, 196.0, -102.0) - z) / uz
    inside = (radius2 < 125**2) & (np.abs(z - 47) < 149)
    length = np.where(inside, np.fmin(to_wall, np.where(uz == 0, np.inf, to_end)), 0.0)
    point = np.stack([x + length * ux, y + length * uy, z + length * uz, t + length / C])
    four = np.stack([particles.e, *momentum])
    return Arrivals(np.arange(len(x)), particles.pdg_id, point, four), particles.mass
