"""What the tests of the muon system send there: particles from the origin, at the calorimeter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.klm import KlmResponse, respond
from darkbelle.gen.particles import charges, masses
from darkbelle.geometry import Experiment
from darkbelle.units import CURVATURE, C

FloatArray = npt.NDArray[np.float64]

RADIUS, Z_BACKWARD, Z_FORWARD = 125.0, -102.0, 196.0
"""Face of the calorimeter [cm]."""


def arrive(
    pdg_id: npt.NDArray[np.int32],
    p: FloatArray,
    theta: FloatArray,
    phi: FloatArray,
    field: float = 1.5,
) -> Arrivals:
    """Particles of some directions at the origin, on their helices at the face."""
    mass, charge = masses(pdg_id), charges(pdg_id)
    pt, pz = p * np.sin(theta), p * np.cos(theta)
    curvature = charge * CURVATURE * field / np.maximum(pt, 1e-12)
    half = np.abs(curvature) * RADIUS / 2  # sine of half the turn at the radius of the face
    sinc = np.arcsin(np.minimum(half, 1.0)) / np.maximum(half, 1e-300)
    to_radius = np.where(half < 1, RADIUS * np.where(half > 1e-9, sinc, 1.0), np.inf)
    to_plane = np.full_like(p, np.inf)
    ends = np.where(pz > 0, Z_FORWARD, Z_BACKWARD)
    np.divide(ends * pt, pz, out=to_plane, where=pz != 0)
    arc = np.minimum(to_radius, to_plane)
    z = np.where(to_radius < to_plane, arc * pz / np.maximum(pt, 1e-12), ends)
    turn = -curvature * arc
    chord = arc * np.sinc(turn / 2 / np.pi)
    x, y = chord * np.cos(phi + turn / 2), chord * np.sin(phi + turn / 2)
    energy = np.hypot(p, mass)
    time = np.hypot(arc, z) / (C * p / energy)
    momentum = np.stack([energy, pt * np.cos(phi + turn), pt * np.sin(phi + turn), pz])
    return Arrivals(np.arange(len(p)), pdg_id, np.stack([x, y, z, time]), momentum)


def shoot(
    experiment: Experiment,
    pdg_id: int,
    p: float | FloatArray,
    theta_deg: float | FloatArray = 90.0,
    *,
    n: int = 20_000,
    showered: float = 0.0,
    seed: int = 1,
    phi: float | None = None,
) -> tuple[Arrivals, KlmResponse]:
    """Shoot n particles of one species, a share of which showers in the calorimeter."""
    rng = np.random.default_rng(seed)
    codes = np.full(n, pdg_id, np.int32)
    azimuth = rng.uniform(-np.pi, np.pi, n) if phi is None else np.full(n, phi)
    momenta = np.broadcast_to(np.asarray(p, float), n)
    theta = np.deg2rad(np.broadcast_to(np.asarray(theta_deg, float), n))
    arrivals = arrive(codes, momenta, theta, azimuth, experiment.solenoid.field_t)
    is_shower = rng.random(n) < showered
    return arrivals, respond(arrivals, codes, is_shower, experiment, rng)


def share(response: KlmResponse) -> float:
    """Share of the arrivals that left a cluster."""
    return len(response.source) / len(response.outcome)
