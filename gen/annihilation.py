"""e+e- annihilation at a real collider: beams, radiation by them, a hard process."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths
from darkbelle.gen.beams import sample_beams
from darkbelle.gen.events import CrossSection, Origin, Outcome, Slot, Status
from darkbelle.gen.isr import X_MIN, IsrSpectrum, sample_cos_theta
from darkbelle.gen.kinematics import axes_of_rest, dot, from_axes
from darkbelle.gen.particles import ELECTRON, MASS_E, PHOTON
from darkbelle.gen.production.base import (
    ExchangeProcess,
    HardEvents,
    HardPhotonProcess,
    HardProcess,
)
from darkbelle.gen.sampling import Bound, unweight
from darkbelle.geometry import Collider

__all__ = ["AnnihilationSource", "Annihilations"]

FloatArray = npt.NDArray[np.float64]

_PILOT_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class Annihilations:
    """Annihilations with at most one photon radiated by the beams, all in the laboratory.

    ``electron``, ``positron`` and ``photon`` (zero where there is none) have the shape (4, n);
    ``weight`` is one on average.
    """

    electron: FloatArray
    positron: FloatArray
    photon: FloatArray
    hard: HardEvents
    weight: FloatArray

    def initial_slots(self, vertex: FloatArray) -> list[Slot]:
        """Beams and radiated photon, the first three slots of every event."""
        radiated = np.flatnonzero(self.photon[0] > 0)
        return [
            *(
                Slot(code, Status.BEAM, Origin.BEAM, 0.0, beam, vertex, outcome=Outcome.COLLIDED)
                for code, beam in ((ELECTRON, self.electron), (-ELECTRON, self.positron))
            ),
            Slot(
                PHOTON,
                Status.FINAL,
                Origin.INITIAL_STATE_RADIATION,
                0.0,
                self.photon[:, radiated],
                vertex[:, radiated],
                events=radiated,
            ),
        ]


class AnnihilationSource:
    """Annihilations of one hard process at one collider, all alike or weighted.

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
        self._spectrum = _spectrum(hard, s) if isr else None
        weights = self._try(_PILOT_EVENTS, rng)[-1]
        self.bound = Bound.from_pilot(weights)
        self.cross_section = CrossSection(self.bound.mean, self.bound.error)
        self._mean_weight = float(weights[weights > 0].mean())

    def draw(self, n: int, rng: np.random.Generator, *, weighted: bool = False) -> Annihilations:
        """Draw n events: those that unweighting keeps, or every possible one with its weight."""
        electron, positron, x, cos_theta, momenta, weight = self._collect(n, rng, weighted=weighted)
        total = electron + positron
        difference = electron - positron
        s = dot(total, total)
        if not isinstance(self._hard, ExchangeProcess):
            cos_theta = sample_cos_theta(x, self._collider.sqrt_s**2, rng)
        photon = _radiated(axes_of_rest(total, np.sqrt(s), difference), s, x, cos_theta, rng)
        s *= 1 - x
        axes = axes_of_rest(total - photon, np.sqrt(s), difference)
        momenta = np.stack([from_axes(p, axes) for p in momenta])
        hard = HardEvents(s, np.sqrt(s) * axes[3], momenta)
        return Annihilations(electron, positron, photon, hard, weight)

    def _try(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, ...]:
        """Weighted events: electron, positron, photon, hard momenta, weight [fb].

        Of the photon the energy x and the polar cosine in the centre of mass, which is left for
        later where it changes nothing.
        """
        electron, positron = sample_beams(self._collider, n, rng)
        total = electron + positron
        s = dot(total, total)
        x, cos_theta, isr_weight = np.zeros(n), np.zeros(n), np.ones(n)
        if self._spectrum is not None:
            x, isr_weight = self._spectrum.sample(n, rng)
            x = np.where(x < X_MIN, 0.0, x)
        momenta, weight = self._hard.sample(s * (1 - x), rng)
        if isinstance(self._hard, ExchangeProcess):
            cos_theta = sample_cos_theta(x, self._collider.sqrt_s**2, rng)
            x = np.where(self._hard.resolves(momenta, cos_theta), x, 0.0)
            momenta, weight = self._hard.at(s * (1 - x), momenta)
        if isinstance(self._hard, HardPhotonProcess):
            weight = np.where(s * (1 - x) >= self._hard.least_s(s), weight, 0.0)
        return electron, positron, x, cos_theta, momenta, weight * isr_weight

    def _collect(
        self, n: int, rng: np.random.Generator, *, weighted: bool
    ) -> tuple[FloatArray, ...]:
        """As `_try`, but for n selected events with their new weights, in batches."""
        batches: list[tuple[FloatArray, ...]] = []
        missing = n
        while missing > 0 or not batches:
            n_tries = missing if weighted else math.ceil(1.05 * missing / self.bound.efficiency)
            *event, weights = self._try(n_tries + 16, rng)
            if weighted:
                kept = np.flatnonzero(weights > 0)
                weight = weights[kept] / self._mean_weight
            else:
                kept, weight = unweight(weights, self.bound, rng)
            kept, weight = kept[:missing], weight[:missing]
            batches.append((*(values[..., kept] for values in event), weight))
            missing -= len(kept)
        return tuple(np.concatenate(parts, axis=-1) for parts in zip(*batches, strict=True))


def _spectrum(hard: HardProcess, s: float) -> IsrSpectrum:
    """The proposal for radiation at s [GeV^2]."""
    if isinstance(hard, HardPhotonProcess):
        least = max(hard.threshold, math.sqrt(float(hard.least_s(np.array(s)))))
        return IsrSpectrum.build(s, least, hard.cross_section)
    if not isinstance(hard, ExchangeProcess):
        return IsrSpectrum.build(s, hard.threshold, hard.cross_section)
    # Events whose photon is not resolved happen at s, however much energy it has.
    least = (1.0001 * hard.threshold) ** 2
    return IsrSpectrum.build(
        s, 2 * MASS_E, lambda radiated: hard.cross_section(np.maximum(radiated, least))
    )


def _radiated(
    axes: FloatArray, s: FloatArray, x: FloatArray, cos_theta: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Photons of energy x sqrt(s)/2 in the centre of mass of the beams, in the laboratory."""
    sin_theta = np.sqrt(np.maximum(1 - cos_theta**2, 0.0))
    phi = azimuths(len(x), rng)
    direction = [np.ones_like(x), sin_theta * np.cos(phi), sin_theta * np.sin(phi), cos_theta]
    photon: FloatArray = x * np.sqrt(s) / 2 * from_axes(np.stack(direction), axes)
    return photon
