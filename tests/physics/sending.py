"""What the tests of tracks against the slow reference send through the detector."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.tracking import ChargedParticles
from darkbelle.geometry import Experiment, load
from tests.physics.reference_flight import Particle

FloatArray = npt.NDArray[np.float64]

MASS = {"e": 0.000511, "mu": 0.105658, "pi": 0.139570, "K": 0.493677, "p": 0.938272}
OUTWARD, INWARD = 0.3, 2.5
"""Angle between the flight line of the mother and the track [rad]."""


class Bin(NamedTuple):
    """Species, momentum [GeV], polar angle and azimuth [deg], charge, radius of the start [cm]."""

    species: str
    p: float
    theta: float
    phi: float
    charge: int
    radius: float = 0.0
    angle: float = OUTWARD


@cache
def experiment() -> Experiment:
    """Belle II with a hit wherever a layer is crossed and without tails."""
    silicon = [f"silicon.{name}.hit_efficiency=1.0" for name in load("belle2").silicon]
    chamber = "drift_chamber.hit_efficiency=1.0"
    return load("belle2", [*silicon, chamber, "tracking.tails.fraction=0"])


def particle(where: Bin, path: float = math.inf) -> Particle:
    """The particle of a bin, and the arc after which it ends [cm]."""
    theta, phi = math.radians(where.theta), math.radians(where.phi)
    direction = [math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi), math.cos(theta)]
    start = np.array([12e-4, 0.2e-4, 0.02])
    if where.radius:
        line = phi + where.angle
        start = where.radius * np.array([math.cos(line), math.sin(line), 0.7 / math.tan(theta)])
    return Particle(start, where.p * np.array(direction), where.charge, MASS[where.species], path)


def charged(sent: Particle, n_tracks: int = 1) -> ChargedParticles:
    """The same as the simulation takes it, several times."""
    return ChargedParticles(
        np.tile(sent.position, (n_tracks, 1)),
        np.tile(sent.momentum, (n_tracks, 1)),
        np.full(n_tracks, sent.charge, np.int8),
        np.full(n_tracks, sent.mass),
        np.full(n_tracks, sent.path),
    )
