"""Radiation by the electrons of J/psi -> e e next to the published share of radiative decays.

Usage: python benchmarks/final_state_radiation.py

And how much of its mass a scalar S -> e e of the same mass loses: the tail that a search sees.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import invariant_mass, two_body
from darkbelle.gen.particles import MASS_E
from darkbelle.gen.radiation import (
    FERMIONS_FROM_SCALAR,
    FERMIONS_FROM_VECTOR,
    Kernel,
    Radiated,
    radiate,
)
from darkbelle.units import PERCENT

FloatArray = npt.NDArray[np.float64]

SEED = 1
MASS_J_PSI = 3.0969
PUBLISHED = (8.8e-3 / 0.0597, 1.36e-3 / 0.0597)
"""B(J/psi -> e e gamma) above 100 MeV, E760 (Phys. Rev. D54 (1996) 7067), over B(J/psi -> e e)."""
LEAST_PHOTON = 0.1


def decays(kernel: Kernel, n_events: int) -> Radiated:
    """Pairs from a particle of the mass of the J/psi at rest."""
    rng = np.random.default_rng(SEED)
    cosine, azimuth = rng.uniform(-1, 1, n_events), rng.uniform(-np.pi, np.pi, n_events)
    pair = two_body(np.full(n_events, MASS_J_PSI), MASS_E, MASS_E, cosine, azimuth)
    return radiate(np.stack(pair), MASS_E, kernel, rng)


def radiative_share(n_events: int) -> float:
    """Share of the decays of the J/psi with a photon above 100 MeV."""
    found = decays(FERMIONS_FROM_VECTOR, n_events)
    return len(np.unique(found.event[found.photons[0] > LEAST_PHOTON])) / n_events


def lost_mass(n_events: int) -> FloatArray:
    """1 - m(e e)/m(S) of decays of a scalar, shape (n_events,)."""
    return (
        1 - invariant_mass(decays(FERMIONS_FROM_SCALAR, n_events).momenta.sum(axis=0)) / MASS_J_PSI
    )


def main() -> None:
    """Print both."""
    n_events = 500_000
    value, error = PUBLISHED
    print(f"J/psi -> e e gamma, E > 0.1 GeV: {radiative_share(n_events):.4f}, ", end="")
    print(f"published {value:.3f} +- {error:.3f}")
    lost = lost_mass(n_events)
    for share in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3):
        print(f"S -> e e that lose {share / PERCENT:g} % of the mass: {np.mean(lost > share):.4f}")


if __name__ == "__main__":
    main()
