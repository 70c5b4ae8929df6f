"""What an analysis asks of a vertex, and the table of all two-track vertices of some events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import TrackTable, VertexTable
from darkbelle.detsim.pairs import select_pairs
from darkbelle.detsim.vertexing import Vertices, fit_vertices
from darkbelle.gen.particles import species
from darkbelle.geometry import Experiment
from darkbelle.ragged import offsets_of

__all__ = ["HYPOTHESES", "invariant_mass", "pointing_angle", "transverse_flight", "vertex_table"]

FloatArray = npt.NDArray[np.float64]

HYPOTHESES = {
    "ee": (-11, 11),
    "mumu": (-13, 13),
    "pipi": (211, -211),
    "kk": (321, -321),
    "ppi": (2212, -211),
    "pip": (211, -2212),
}
"""What the two tracks of a vertex are taken for, the positive one first."""


def invariant_mass(
    vertices: Vertices, masses: Sequence[FloatArray | float] | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Invariant mass and its error [GeV].

    Parameters
    ----------
    vertices
        Of k tracks.
    masses
        Above zero [GeV], one for each track; arrays of shape (h, 1) try h hypotheses at once.

    Returns
    -------
    mass, sigma
        Shape (n,) or (h, n).
    """
    momenta = vertices.momentum.transpose(1, 2, 0)
    total = momenta.sum(axis=0)
    energies = [np.sqrt(_dot(p, p) + m**2) for p, m in zip(momenta, masses, strict=True)]
    nothing = np.zeros(len(vertices))
    energy, least = sum(energies, nothing), sum(masses, nothing)
    # m dm = sum of (E/E_i p_i - P).dp_i; at a fixed vertex the tracks are independent.
    variance, by_vertex = nothing, [nothing] * 3
    for i, own_energy in enumerate(energies):
        ratio, momentum = energy / own_energy, momenta[i]
        cov = vertices.momentum_cov[:, i].transpose(1, 2, 0)
        slope = vertices.momentum_slope[:, i].transpose(2, 1, 0)
        by_own = [_dot(row, momentum) for row in cov]
        by_total = [_dot(row, total) for row in cov]
        own, mixed, rest = _dot(momentum, by_own), _dot(total, by_own), _dot(total, by_total)
        variance = variance + ratio**2 * own - 2 * ratio * mixed + rest
        by_vertex = [
            before + ratio * _dot(momentum, column) - _dot(total, column)
            for before, column in zip(by_vertex, slope, strict=True)
        ]
    position_cov = vertices.cov.transpose(1, 2, 0)
    variance = variance + _dot(by_vertex, [_dot(by_vertex, row) for row in position_cov])
    mass = np.sqrt(np.maximum(energy**2 - _dot(total, total), least**2))
    return mass, np.sqrt(variance) / mass


def pointing_angle(vertices: Vertices, primary: FloatArray) -> FloatArray:
    """Angle between the total momentum and the line from a primary point to the vertex [rad].

    ``primary`` [cm] has shape (3,) or (n, 3).
    """
    momentum, flight = vertices.total_momentum, vertices.position - primary
    across = np.linalg.norm(np.cross(momentum, flight), axis=1)
    angle: FloatArray = np.arctan2(across, (momentum * flight).sum(axis=1))
    return angle


def transverse_flight(
    vertices: Vertices, primary: FloatArray, primary_cov: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Distance in the transverse plane from a primary point, and its error [cm], shape (n,).

    The length is never negative; where it does not exceed its error it is mostly noise.
    ``primary`` has shape (3,) or (n, 3), its covariance (3, 3) or (n, 3, 3).
    """
    x, y, _ = (vertices.position - primary).T
    azimuth = np.arctan2(y, x)
    cos, sin = np.cos(azimuth), np.sin(azimuth)
    cov = vertices.cov + primary_cov
    variance = cov[:, 0, 0] * cos**2 + 2 * cov[:, 0, 1] * cos * sin + cov[:, 1, 1] * sin**2
    return np.hypot(x, y), np.sqrt(variance)


def _dot(a: Sequence[FloatArray] | FloatArray, b: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """Scalar product of two vectors of three columns."""
    product: FloatArray = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def vertex_table(
    tracks: TrackTable, offsets: npt.NDArray[np.int64], experiment: Experiment
) -> tuple[VertexTable, npt.NDArray[np.int64]]:
    """Fit every pair of tracks of opposite charge that may come from one point.

    Flight and pointing are measured from the centre of the luminous region, with its size.

    Returns
    -------
    vertices, vertex_offsets
        Event i owns the vertices ``vertex_offsets[i]`` to ``vertex_offsets[i + 1]``.
    """
    collider, chamber = experiment.collider, experiment.drift_chamber
    pairs = select_pairs(
        tracks.helix,
        tracks.charge,
        tracks.first_hit_radius,
        offsets,
        chamber_radius=chamber.superlayers[-1].radius_cm[-1],
    )
    fitted = fit_vertices(
        tracks.helix,
        tracks.cov,
        pairs.members,
        field=experiment.solenoid.field_t,
        start=pairs.start,
    )
    primary = np.array(collider.luminous_region.centre_cm)
    length, sigma = transverse_flight(fitted, primary, collider.luminous_covariance())
    masses = np.array([[species(code).mass for code in pair] for pair in HYPOTHESES.values()])
    mass, sigma_mass = invariant_mass(fitted, masses.T[:, :, None])
    within = pairs.members - offsets[pairs.event][:, None]
    table = VertexTable(
        track_plus=within[:, 0].astype(np.int16),
        track_minus=within[:, 1].astype(np.int16),
        **dict(zip("xyz", fitted.position.T, strict=True)),
        cov=fitted.cov,
        chi2=fitted.chi2,
        **dict(zip(("px", "py", "pz"), fitted.total_momentum.T, strict=True)),
        pointing_angle=pointing_angle(fitted, primary),
        flight_xy=length,
        flight_xy_significance=length / sigma,
        **{f"mass_{name}": column for name, column in zip(HYPOTHESES, mass, strict=True)},
        **{f"sigma_mass_{name}": s for name, s in zip(HYPOTHESES, sigma_mass, strict=True)},
        fit_status=fitted.status,
    )
    return table, offsets_of(pairs.event, len(offsets) - 1)
