"""B -> K X for tests: one B of each pair decays, the other one is not looked at."""

from __future__ import annotations

import numpy as np

from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.decays.decay import decay_short_lived
from darkbelle.gen.events import Origin, Slot, Status, TruthEvents, assemble
from darkbelle.gen.kinematics import boost, from_axes
from darkbelle.gen.particles import K_S, KAON, PI0, PION, ctaus, masses
from darkbelle.gen.phasespace import decay_at_rest
from darkbelle.geometry import Collider
from darkbelle.units import C

KAONS = {
    "k_plus": ((KAON,), 521),
    "k_short": ((K_S,), 511),
    "k_star_zero": ((KAON, -PION), 511),
    "k_star_to_k_short": ((K_S, PION), 521),
    "k_star_to_pi0": ((KAON, PI0), 521),
}
"""Kaons of the decays, and the B."""

K_STAR_MASS = 0.893


def mass_of(code: int) -> float:
    return float(masses(np.array(code, np.int32)))


def b_decays(
    collider: Collider,
    kaon: str,
    mass: float,
    daughters: tuple[int, int] | None,
    n: int,
    rng: np.random.Generator,
    flight: float = 0.0,
) -> TruthEvents:
    """Events of B -> K X with X of a mass [GeV], after a flight in its frame [cm], or unseen.

    A K* has one mass. The B is born at the origin and does not fly.
    """
    codes, b_code = KAONS[kaon]
    m_b = mass_of(b_code)
    direction = rng.normal(size=(3, n))
    direction /= np.linalg.norm(direction, axis=0)
    energy = collider.sqrt_s / 2
    b = np.concatenate([np.full((1, n), energy), np.sqrt(energy**2 - m_b**2) * direction])
    b = from_axes(b, axes_of_collision(collider))
    m_k = mass_of(codes[0]) if len(codes) == 1 else K_STAR_MASS
    k, x = (boost(p, b) for p in decay_at_rest(np.full(n, m_b), [m_k, mass], rng))
    origin = np.zeros((4, n))
    particles = [(codes[0], k, origin)]
    if len(codes) == 2:
        at_rest = decay_at_rest(np.full(n, m_k), [mass_of(code) for code in codes], rng)
        particles = [(c, boost(p, k), origin) for c, p in zip(codes, at_rest, strict=True)]
    if daughters is not None:
        at_rest = decay_at_rest(np.full(n, mass), [mass_of(code) for code in daughters], rng)
        end = flight * np.stack([x[0] / C, *x[1:]])[[1, 2, 3, 0]] / mass
        particles += [(c, boost(p, x), end) for c, p in zip(daughters, at_rest, strict=True)]
    slots = [
        Slot(code, Status.FINAL, Origin.PRIMARY, mass_of(code), p, start)
        for code, p, start in particles
    ]
    truth = assemble(slots, np.ones(n), origin, None)
    assert ctaus(np.array([K_S], np.int32))[0] > 1
    return decay_short_lived(truth, rng)
