"""Cuts on generated events, before any detector; what they keep is part of the cross-section."""

from __future__ import annotations

import enum
import math
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt, ValidationError, model_validator

from darkbelle.errors import ConfigError, explain
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.kinematics import along_axes
from darkbelle.gen.particles import PHOTON, charges
from darkbelle.gen.processes.base import Parameters, Range, parameter
from darkbelle.geometry import Collider

__all__ = ["Frame", "GeneratorCuts"]

FloatArray = npt.NDArray[np.float64]


class Frame(enum.StrEnum):
    """Where angles and energies of cuts are measured."""

    LAB = "lab"
    CMS = "cms"


class GeneratorCuts(Parameters):
    """Least numbers of charged particles and of photons that leave within some angles.

    Angles are those to the z axis of the laboratory or, in the centre of mass, to the electrons.
    Particles count wherever they are born, be it metres away; what is left undecayed does not.

    Raises
    ------
    ConfigError
        A cut is unknown or out of its bounds, or there are angles or energies of nothing.
    """

    n_charged: Annotated[NonNegativeInt, parameter("least number of charged particles")] = 0
    n_photons: Annotated[NonNegativeInt, parameter("least number of photons")] = 0
    theta: Annotated[Range, parameter("polar angles that count", unit="rad")] = (0.0, math.pi)
    energy: Annotated[float, parameter("least energy that counts", unit="GeV", ge=0)] = 0.0
    frame: Annotated[Frame, parameter("where angles and energies are measured")] = Frame.LAB

    def __init__(self, **cuts: Any) -> None:
        try:
            super().__init__(**cuts)
        except ValidationError as error:
            raise ConfigError(explain(error, "cuts")) from None

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high = self.theta
        if not 0 <= low <= high <= math.pi:
            msg = f"theta: needs 0 <= low <= high <= pi (got {low}, {high})"
            raise ValueError(msg)
        fields = type(self).model_fields
        for key in ("theta", "energy", "frame"):
            if self.are_open and getattr(self, key) != fields[key].default:
                msg = f"{key}: nothing to count, give n_charged or n_photons"
                raise ValueError(msg)
        return self

    @property
    def are_open(self) -> bool:
        """Whether every event passes."""
        return self.n_charged == 0 and self.n_photons == 0

    def passed(self, truth: TruthEvents, collider: Collider) -> npt.NDArray[np.bool_]:
        """Whether each event passes, shape (n_events,)."""
        particles = truth.particles
        is_charged = charges(particles.pdg_id) != 0
        is_seen = is_charged | (particles.pdg_id == PHOTON)
        rows = np.flatnonzero(particles.is_final & is_seen)
        p = np.stack([particles.e, particles.px, particles.py, particles.pz])[:, rows]
        if self.frame is Frame.CMS:
            p = along_axes(p, axes_of_collision(collider))
        theta = np.arctan2(np.hypot(p[1], p[2]), p[3])
        low, high = self.theta
        counts = (theta >= low) & (theta <= high) & (p[0] >= self.energy)
        event = truth.event_index()[rows]
        passed = np.ones(truth.n_events, dtype=bool)
        for least, of_kind in (
            (self.n_charged, is_charged[rows]),
            (self.n_photons, ~is_charged[rows]),
        ):
            passed &= np.bincount(event[counts & of_kind], minlength=truth.n_events) >= least
        return passed
