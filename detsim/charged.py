"""Charged particles that flew, for all that follows their tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helices import Helices
from darkbelle.detsim.interactions import Flights
from darkbelle.detsim.tracking import ChargedParticles
from darkbelle.gen.events import Status
from darkbelle.gen.particles import charges

__all__ = ["ChargedFlights"]


@dataclass(frozen=True, slots=True)
class ChargedFlights:
    """Charged particles in the order of the particle table, ``row`` there, and their helices."""

    row: npt.NDArray[np.intp]
    particles: ChargedParticles
    helices: Helices

    @classmethod
    def of(cls, flights: Flights, field: float) -> Self:
        """Those that the generator left, or the detector made, in a field [T]."""
        table = flights.truth.particles
        row = np.flatnonzero(table.is_final | (table.status == Status.SIMULATED))
        charge = charges(table.pdg_id[row])
        row, charge = row[charge != 0], charge[charge != 0]
        particles = ChargedParticles(
            np.stack([table.x[row], table.y[row], table.z[row]], axis=-1),
            np.stack([table.px[row], table.py[row], table.pz[row]], axis=-1),
            charge,
            table.mass[row],
            flights.path[row],
        )
        return cls(row, particles, particles.helices(field))
