"""What the collision makes: a process and the colliding beams become true particles."""

from __future__ import annotations

from darkbelle.gen.events import CrossSection, Origin, Outcome, Particles, Status, TruthEvents
from darkbelle.gen.processes import MuMuZPrime, ParticleGun, Process, find_process

__all__ = [
    "CrossSection",
    "MuMuZPrime",
    "Origin",
    "Outcome",
    "ParticleGun",
    "Particles",
    "Process",
    "Status",
    "TruthEvents",
    "find_process",
]
