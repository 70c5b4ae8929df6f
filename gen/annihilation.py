"""e+e- annihilation at a real collider: beams, radiation by them, a hard process; unweighted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from darkbelle.gen.beams import sample_beams
from darkbelle.gen.events import CrossSection, Origin, Outcome, Slot, Status
from darkbelle.gen.isr import IsrSpectrum, sample_cos_theta
from darkbelle.gen.kinematics import boost, dot, rotate_z_to, to_rest_frame
from darkbelle.gen.particles import ELECTRON, PHOTON
from darkbelle.gen.sampling import Bound, unweight
from darkbelle.geometry import Collider

__all__ = ["AnnihilationSource", "Annihilations", "HardProcess"]

FloatArray = npt.NDArray[np.float64]

_PILOT_EVENTS = 100_000


class HardProcess(Protocol):
    """A final state of e+e- annihilation in its own centre-of-mass frame, electrons along +z."""

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Born cross-section [fb] at the squared energies s [GeV^2]."""

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta, shape (n_particles, 4, n), and weights that estimate the cross-section [fb]."""


@dataclass(frozen=True, slots=True)
class Annihilations:
    """Annihilations with at most one photon radiated by the beams.

    ``electron`` and ``positron`` are in the laboratory, ``photon`` in the centre of mass of the
    beams, ``momenta`` (n_particles, 4, n) in the frame of the hard process with ``s`` as its
    squared energy.
    """

    electron: FloatArray
    positron: FloatArray
    photon: FloatArray
    momenta: FloatArray
    s: FloatArray
    weight: FloatArray

    def from_beam_frame(self, p: FloatArray) -> FloatArray:
        """To the laboratory from the centre of mass of the beams with the electrons along +z."""
        total = self.electron + self.positron
        electron = to_rest_frame(self.electron, total)
        return boost(rotate_z_to(p, electron[1:] / electron[0]), total)

    def from_hard_frame(self, p: FloatArray) -> FloatArray:
        """To the laboratory from the frame of the hard process.

        Its z axis is the direction of p(e-) - p(e+) seen from the recoil of the photon.
        """
        total = self.electron + self.positron
        root_s = np.sqrt(dot(total, total))
        zero = np.zeros_like(root_s)
        recoil = np.stack([root_s - self.photon[0], *(-self.photon[1:])])
        axis = to_rest_frame(np.stack([zero, zero, zero, root_s]), recoil)[1:]
        axis /= np.sqrt(np.sum(axis**2, axis=0))
        return self.from_beam_frame(boost(rotate_z_to(p, axis), recoil))

    def initial_slots(self, vertex: FloatArray) -> list[Slot]:
        """Beams and radiated photon, the first three slots of every event."""
        return [
            Slot(code, Status.BEAM, Origin.BEAM, 0.0, beam, vertex, outcome=Outcome.COLLIDED)
            for code, beam in ((ELECTRON, self.electron), (-ELECTRON, self.positron))
        ] + [
            Slot(
                PHOTON,
                Status.FINAL,
                Origin.INITIAL_STATE_RADIATION,
                0.0,
                self.from_beam_frame(self.photon),
                vertex,
                present=self.photon[0] > 0,
            )
        ]


class AnnihilationSource:
    """Unweighted annihilations of one hard process at one collider.

    The threshold must lie below the collider's energy. A pilot run of weighted events fixes the
    bound of the unweighting and the cross-section.
    """

    def __init__(
        self,
        hard: HardProcess,
        collider: Collider,
        *,
        isr: bool,
        rng: np.random.Generator,
    ) -> None:
        self._hard = hard
        self._collider = collider
        # Beams above their nominal energy can radiate more: leave room for five sigma.
        s = (collider.sqrt_s + 5 * collider.sqrt_s_spread) ** 2
        self._spectrum = IsrSpectrum.build(s, hard.threshold, hard.cross_section) if isr else None
        self.bound = Bound.from_pilot(self._draw(_PILOT_EVENTS, rng)[-1])
        self.cross_section = CrossSection(self.bound.mean, self.bound.error)

    def _draw(
        self, n: int, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """Weighted events: electron, positron, photon energy x, momenta, weight [fb]."""
        electron, positron = sample_beams(self._collider, n, rng)
        total = electron + positron
        x, isr_weight = np.zeros(n), np.ones(n)
        if self._spectrum is not None:
            x, isr_weight = self._spectrum.sample(n, rng)
        momenta, weight = self._hard.sample(dot(total, total) * (1 - x), rng)
        return electron, positron, x, momenta, weight * isr_weight

    def draw(self, n: int, rng: np.random.Generator) -> Annihilations:
        """Draw n unweighted events, in batches until there are enough."""
        batches: list[tuple[FloatArray, ...]] = []
        missing = n
        while missing > 0 or not batches:
            n_tries = math.ceil(1.05 * missing / self.bound.efficiency) + 16
            electron, positron, x, momenta, weights = self._draw(n_tries, rng)
            kept, weight = unweight(weights, self.bound, rng)
            kept, weight = kept[:missing], weight[:missing]
            batches.append(
                (electron[:, kept], positron[:, kept], x[kept], momenta[:, :, kept], weight)
            )
            missing -= len(kept)
        electron, positron, x, momenta, weight = (
            np.concatenate(parts, axis=-1) for parts in zip(*batches, strict=True)
        )
        total = electron + positron
        s = dot(total, total)
        photon = self._radiate(s, x, rng)
        return Annihilations(electron, positron, photon, momenta, s * (1 - x), weight)

    def _radiate(self, s: FloatArray, x: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Photons of energy x sqrt(s)/2 in the centre of mass of the beams, shape (4, n)."""
        cos_theta = sample_cos_theta(x, self._collider.sqrt_s**2, rng)
        sin_theta = np.sqrt(np.maximum(1 - cos_theta**2, 0.0))
        phi = 2 * np.pi * rng.random(len(x))
        energy = x * np.sqrt(s) / 2
        direction = [np.ones_like(x), sin_theta * np.cos(phi), sin_theta * np.sin(phi), cos_theta]
        photon: FloatArray = energy * np.stack(direction)
        return photon
