"""Tracks a second on one core: hits, 5x5 covariance, smeared parameters, whether found.

Usage: python benchmarks/tracking.py

Muons of 0.3 to 5 GeV, isotropic between 26 and 134 degrees, born on circles around the axis.
"""

from __future__ import annotations

import time

import numpy as np

from darkbelle import geometry
from darkbelle.detsim.tracking import ChargedParticles, measure
from darkbelle.gen.particles import MASS_MU

N_TRACKS, N_RUNS = 262_144, 3
RADII = (0.0, 3.0, 10.0, 30.0, 50.0)


def muons(radius: float, rng: np.random.Generator) -> ChargedParticles:
    """Born at a distance from the axis [cm], flying anywhere."""
    p, cosine = rng.uniform(0.3, 5, N_TRACKS), rng.uniform(-0.7, 0.9, N_TRACKS)
    phi, around = rng.uniform(-np.pi, np.pi, (2, N_TRACKS))
    sine = np.sqrt(1 - cosine**2)
    momentum = p * np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    start = radius * np.stack([np.cos(around), np.sin(around), 0 * around])
    charge = rng.choice(np.array([-1, 1], np.int8), N_TRACKS)
    return ChargedParticles(start.T, momentum.T, charge, np.full(N_TRACKS, MASS_MU))


def main() -> None:
    """Print the best of some runs for each radius, by the processor's time."""
    experiment, rng = geometry.load("belle2"), np.random.default_rng(1)
    for radius in RADII:
        particles, seconds = muons(radius, rng), []
        for _ in range(N_RUNS):
            begin = time.process_time()
            measure(particles, experiment, rng)
            seconds.append(time.process_time() - begin)
        print(f"born at {radius:4.0f} cm: {N_TRACKS / min(seconds):9,.0f} tracks/s")


if __name__ == "__main__":
    main()
