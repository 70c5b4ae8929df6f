"""Single particles, for resolutions and efficiencies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, model_validator

from darkbelle.errors import ConfigError
from darkbelle.gen.beams import sample_vertices
from darkbelle.gen.decays.decay import decay_short_lived
from darkbelle.gen.events import Origin, Slot, Status, TruthEvents, assemble
from darkbelle.gen.particles import species
from darkbelle.gen.processes.base import Process, Range, parameter, split
from darkbelle.geometry import Collider

__all__ = ["ParticleGun"]

FloatArray = npt.NDArray[np.float64]

HARDEST, FARTHEST = 1e3, 1e4
"""Largest momentum [GeV] and distance from the origin [cm]."""
ALONG_BEAM = 1e-3
"""Sine of the polar angle below which no transverse momentum can be given."""


class ParticleGun(Process):
    """One particle an event, each quantity uniform within its range (a number fixes it).

    Give ``p`` or ``pt``; theta is sampled uniform in its cosine. Without ``vertex`` the particle
    starts in the luminous region. What lives too shortly for a detector decays.
    """

    name: ClassVar[str] = "particle-gun"
    summary: ClassVar[str] = "one particle an event, momentum and direction uniform in ranges"

    pdg_id: Annotated[int, parameter("particle code")] = 13
    p: Annotated[Range | None, parameter("momentum", unit="GeV")] = None
    pt: Annotated[Range | None, parameter("transverse momentum", unit="GeV")] = None
    theta: Annotated[Range, parameter("polar angle", unit="rad")] = (0.0, math.pi)
    phi: Annotated[Range, parameter("azimuth", unit="rad")] = (-math.pi, math.pi)
    vertex: Annotated[
        Annotated[tuple[Range, Range, Range], BeforeValidator(split)] | None,
        parameter("start: ranges of x, y, z", unit="cm"),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.p is None) == (self.pt is None):
            msg = "give either p or pt"
            raise ValueError(msg)
        ranges = {"p": self.p, "pt": self.pt, "theta": self.theta, "phi": self.phi}
        ranges |= dict(zip("xyz", self.vertex or (), strict=False))
        for name, bounds in ranges.items():
            if bounds is None:
                continue
            low, high = bounds
            if low > high:
                msg = f"{name}: a range needs low <= high (got {low}, {high})"
                raise ValueError(msg)
            if name in ("p", "pt") and not 0 < low <= high <= HARDEST:
                msg = f"{name}: must lie between 0 and {HARDEST:g} GeV (got {low}, {high})"
                raise ValueError(msg)
            if name in ("x", "y", "z") and max(abs(low), abs(high)) > FARTHEST:
                msg = f"vertex: {name} must lie within {FARTHEST:g} cm (got {low}, {high})"
                raise ValueError(msg)
        if not 0 <= self.theta[0] <= self.theta[1] <= math.pi:
            msg = f"theta: must lie between 0 and pi (got {self.theta})"
            raise ValueError(msg)
        if self.pt is not None and min(math.sin(angle) for angle in self.theta) < ALONG_BEAM:
            msg = "theta: a gun in pt cannot fire along the beam axis"
            raise ValueError(msg)
        try:
            known = species(self.pdg_id)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        if abs(known.charge) > 1:
            msg = f"pdg_id: {known.name} has charge {known.charge}, tracking knows 0 and +-1"
            raise ValueError(msg)
        if known.mass is None:
            msg = f"pdg_id: {known.name} has no mass of its own"
            raise ValueError(msg)
        return self

    def prepare(self, collider: Collider, rng: np.random.Generator) -> GunGenerator:
        """Make ready for one collider, of which only the luminous region matters."""
        del rng
        return GunGenerator(self, collider)


@dataclass(frozen=True, slots=True)
class GunGenerator:
    """`ParticleGun` at one collider."""

    process: ParticleGun
    collider: Collider
    cross_section: None = None
    efficiencies: Mapping[str, float] = field(default_factory=dict)

    def generate(self, n_events: int, rng: np.random.Generator) -> TruthEvents:
        """Events in the laboratory frame."""
        gun = self.process
        mass = species(gun.pdg_id).mass or 0.0
        cos_theta = rng.uniform(math.cos(gun.theta[1]), math.cos(gun.theta[0]), n_events)
        if gun.theta[0] == gun.theta[1]:
            cos_theta = np.full(n_events, math.cos(gun.theta[0]))
        sin_theta = np.sqrt(1 - cos_theta**2)
        phi = rng.uniform(*gun.phi, n_events)
        magnitude = rng.uniform(*(gun.p or gun.pt or (0.0, 0.0)), n_events)
        if gun.pt is not None:
            magnitude = magnitude / sin_theta
        direction = np.stack([sin_theta * np.cos(phi), sin_theta * np.sin(phi), cos_theta])
        momentum = np.stack([np.sqrt(magnitude**2 + mass**2), *(magnitude * direction)])
        vertex = sample_vertices(self.collider, n_events, rng)
        if gun.vertex is not None:
            vertex[:3] = [rng.uniform(*bounds, n_events) for bounds in gun.vertex]
        slot = Slot(gun.pdg_id, Status.FINAL, Origin.GUN, mass, momentum, vertex)
        return decay_short_lived(assemble([slot], np.ones(n_events), vertex, None), rng)
