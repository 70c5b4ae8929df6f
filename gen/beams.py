"""The colliding beams: energies event by event, and where they meet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.gen.kinematics import axes_of_rest
from darkbelle.geometry import Collider
from darkbelle.units import MeV

__all__ = ["axes_of_collision", "sample_beams", "sample_vertices"]

FloatArray = npt.NDArray[np.float64]


def axes_of_collision(collider: Collider) -> FloatArray:
    """Axes of the centre of mass of the nominal beams, z along the electrons, (4, 4, 1)."""
    total = collider.four_momentum[:, None]
    electron = collider.e_her_gev * np.array([1.0, *collider.direction_her])[:, None]
    return axes_of_rest(total, np.array([collider.sqrt_s]), 2 * electron - total)


def sample_beams(
    collider: Collider, n: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Massless electrons and positrons in the laboratory [GeV], shape (4, n) each."""
    beams = []
    for energy, spread, direction in (
        (collider.e_her_gev, collider.spread_her_mev, collider.direction_her),
        (collider.e_ler_gev, collider.spread_ler_mev, collider.direction_ler),
    ):
        energies = np.full(n, energy)
        if collider.beam_spread:
            energies += spread * MeV * rng.standard_normal(n)
        beams.append(energies * np.array([1.0, *direction])[:, None])
    return beams[0], beams[1]


def sample_vertices(collider: Collider, n: int, rng: np.random.Generator) -> FloatArray:
    """Points and times (x, y, z, t) of collisions [cm, ns], shape (4, n); t = 0 by definition."""
    vertices = np.zeros((4, n))
    root = np.linalg.cholesky(collider.luminous_covariance())
    centre = np.array(collider.luminous_region.centre_cm)
    vertices[:3] = centre[:, None] + root @ rng.standard_normal((3, n))
    return vertices
