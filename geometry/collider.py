"""The beams of a collider: what they are, and what follows for the centre of mass."""

from __future__ import annotations

import math
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from darkbelle.errors import did_you_mean
from darkbelle.geometry.sourced import Finite, NonNegative, Positive, Sourced
from darkbelle.units import MeV, mrad, um

__all__ = ["BeamEnergies", "Bunches", "Collider", "LuminousRegion"]

FloatArray = npt.NDArray[np.float64]
CrossingAngle = Annotated[float, Field(strict=True, gt=-200, lt=200)]
Vector3 = tuple[Finite, Finite, Finite]


class BeamEnergies(Sourced):
    """The energies of the two beams."""

    e_her_gev: Positive
    e_ler_gev: Positive


class LuminousRegion(Sourced):
    """Where the beams meet: a Gaussian, measured or from the product of the two bunches."""

    from_bunches: bool = False
    centre_cm: Vector3 = (0.0, 0.0, 0.0)
    sigma_um: tuple[Positive, Positive, Positive]


class Bunches(Sourced):
    """Rms sizes of the bunches along their own x, y and direction of flight."""

    her_um: tuple[Positive, Positive, Positive]
    ler_um: tuple[Positive, Positive, Positive]


class Collider(Sourced):
    """The beams: electrons (HER) towards +z, positrons (LER) towards -z, both bent to +x.

    ``preset`` chooses among the pairs of energies in ``presets``.
    """

    name: str
    preset: str
    presets: dict[str, BeamEnergies]
    angle_her_mrad: CrossingAngle
    angle_ler_mrad: CrossingAngle
    spread_her_mev: NonNegative
    spread_ler_mev: NonNegative
    beam_spread: bool = True
    bunches: Bunches
    luminous_region: LuminousRegion

    @model_validator(mode="after")
    def _check_energies(self) -> Self:
        if self.preset not in self.presets:
            msg = f"unknown preset '{self.preset}', {did_you_mean(self.preset, self.presets)}"
            raise ValueError(msg)
        for beam in ("her", "ler"):
            energy, spread = getattr(self, f"e_{beam}_gev"), getattr(self, f"spread_{beam}_mev")
            if spread * MeV > 0.05 * energy:
                msg = f"spread_{beam}_mev = {spread} exceeds 5 % of e_{beam}_gev = {energy}"
                raise ValueError(msg)
        return self

    @property
    def e_her_gev(self) -> float:
        """Energy of the electrons."""
        return self.presets[self.preset].e_her_gev

    @property
    def e_ler_gev(self) -> float:
        """Energy of the positrons."""
        return self.presets[self.preset].e_ler_gev

    @property
    def direction_her(self) -> FloatArray:
        """Unit vector of the electron beam, shape (3,)."""
        angle = self.angle_her_mrad * mrad
        return np.array([math.sin(angle), 0.0, math.cos(angle)])

    @property
    def direction_ler(self) -> FloatArray:
        """Unit vector of the positron beam, shape (3,)."""
        angle = self.angle_ler_mrad * mrad
        return np.array([math.sin(angle), 0.0, -math.cos(angle)])

    @property
    def four_momentum(self) -> FloatArray:
        """(e, px, py, pz) of the pair without spread [GeV], massless beams, shape (4,)."""
        her = self.e_her_gev * np.array([1.0, *self.direction_her])
        ler = self.e_ler_gev * np.array([1.0, *self.direction_ler])
        return her + ler

    @property
    def sqrt_s(self) -> float:
        """Energy in the centre of mass [GeV]."""
        e, *p = self.four_momentum
        return math.sqrt(e**2 - float(np.dot(p, p)))

    @property
    def sqrt_s_spread(self) -> float:
        """Rms of sqrt_s [GeV] from the spreads of the beams, zero when they are switched off."""
        if not self.beam_spread:
            return 0.0
        relative = math.hypot(
            self.spread_her_mev * MeV / self.e_her_gev, self.spread_ler_mev * MeV / self.e_ler_gev
        )
        return self.sqrt_s / 2 * relative

    @property
    def beta(self) -> FloatArray:
        """Velocity of the centre of mass in the laboratory, shape (3,)."""
        beta: FloatArray = self.four_momentum[1:] / self.four_momentum[0]
        return beta

    @property
    def beta_gamma(self) -> float:
        """Boost of the centre of mass."""
        return float(np.linalg.norm(self.four_momentum[1:])) / self.sqrt_s

    def luminous_covariance(self) -> FloatArray:
        """Covariance of the collision point [cm^2], shape (3, 3).

        Two Gaussian bunches that meet head-on overlap in the product of their densities, whose
        inverse covariance is the sum of theirs.
        """
        if not self.luminous_region.from_bunches:
            return np.diag((np.array(self.luminous_region.sigma_um) * um) ** 2)
        inverse = np.zeros((3, 3))
        for direction, size in (
            (self.direction_her, self.bunches.her_um),
            (self.direction_ler, self.bunches.ler_um),
        ):
            across = np.array([direction[2], 0.0, -direction[0]])
            axes = np.array([across, [0.0, 1.0, 0.0], direction])
            inverse += axes.T @ np.diag((np.array(size) * um) ** -2.0) @ axes
        covariance: FloatArray = np.asarray(np.linalg.inv(inverse), dtype=np.float64)
        return covariance
