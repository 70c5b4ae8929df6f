"""Weighted final states of e+e- -> l+ l- gamma within cuts on the photon, and their total."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import boost, rotate_z_to
from darkbelle.gen.production.lepton_pair_photon.amplitude import (
    Invariants,
    final_state,
    initial_state,
    interference,
)
from darkbelle.gen.production.lepton_pair_photon.spectrum import final_spectrum, initial_spectrum
from darkbelle.gen.vacuum_polarisation import delta_alpha
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["LeptonPairPhoton"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_INITIAL_SHARE = 0.5
"""Share of the events that are proposed as if the beams had radiated."""

_NODE, _NODE_WEIGHT = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True, slots=True)
class LeptonPairPhoton:
    """l-, l+, gamma.

    Attributes
    ----------
    mass
        Of the lepton [GeV].
    energy_min
        Least energy of the photon [GeV].
    theta_min
        Least angle between the photon and the beams [rad], much larger than m_e/sqrt(s).
    running
        Whether alpha of the virtual photon runs: with s' of the pair where the beams radiate, with
        s where the leptons do.
    """

    mass: float
    energy_min: float
    theta_min: float
    running: bool = False

    @property
    def threshold(self) -> float:
        """Least sqrt(s) [GeV]."""
        return self.energy_min + math.hypot(self.energy_min, 2 * self.mass)

    def cross_section(self, s: FloatArray) -> FloatArray:
        """Cross-section [fb] at the squared energies s [GeV^2], zero below threshold."""
        is_open, s = self._opened(s)
        s = s[:, None]
        low, high = self._logit_range(s)
        # The square of a node makes the square root at the threshold of the pair smooth.
        away = (1 - _NODE) / 2
        rest = 1 / (1 + np.exp(high - (high - low) * away**2))
        jacobian = (high - low) * away * rest * (1 - rest)
        args = self.mass, math.cos(self.theta_min), s, rest
        beams, leptons = self._couplings(s, rest)
        spectrum = beams**2 * initial_spectrum(*args) + leptons**2 * final_spectrum(*args)
        return np.where(is_open, (spectrum * jacobian) @ _NODE_WEIGHT, 0.0)

    def sample(self, s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Momenta of l-, l+, gamma, shape (3, 4, n), and weights [fb], one event at each s.

        From two channels, of which the weight knows both densities. As if the beams radiated:
        1/(x (1 - x)) of the photon's energy, 1/(1 - cos^2) of its angle, and a flat cosine c of l-
        to it in the frame of the pair; as if the leptons did: 1/x, flat, and 1/(1 - beta^2 c^2).
        """
        is_open, s = self._opened(s)
        from_beams = rng.random(len(s)) < _INITIAL_SHARE
        rest, rest_densities = self._sample_rest(s, from_beams, rng)
        cos_photon, photon_densities = self._sample_photon(from_beams, rng)
        # A floor on the rapidity of a lepton in the frame of the pair keeps what follows finite.
        gamma = np.maximum(np.sqrt(s * rest) / (2 * self.mass), 1 + 1e-15)
        velocity, cos_pair, pair_densities = _sample_pair(np.arccosh(gamma), from_beams, rng)
        beams, leptons = (
            rest_densities[channel] * photon_densities[channel] * pair_densities[channel]
            for channel in (0, 1)
        )
        density = _INITIAL_SHARE * beams + (1 - _INITIAL_SHARE) * leptons

        momenta = _build(s, rest, velocity, cos_photon, cos_pair, rng)
        at = Invariants.of(s, *momenta)
        at_beams, at_leptons = self._couplings(s, rest)
        squared = (
            at_beams**2 * initial_state(self.mass, at)
            + at_leptons**2 * final_state(self.mass, at)
            + at_beams * at_leptons * interference(self.mass, at)
        )
        # Phase space d(rest) d(cos_photon) d(cos_pair) with both azimuths integrated.
        phase_space = s * (1 - rest) * velocity / (512 * np.pi**3)
        weight = (4 * np.pi * ALPHA_EM) ** 3 / (8 * s) * squared * phase_space / density * HBAR_C2
        return momenta, np.where(is_open, weight, 0.0)

    def _couplings(
        self, s: FloatArray, rest: FloatArray
    ) -> tuple[FloatArray | float, FloatArray | float]:
        """Of the virtual photon over alpha, where beams and where leptons radiate."""
        if not self.running:
            return 1.0, 1.0
        return 1 / (1 - delta_alpha(s * rest)), 1 / (1 - delta_alpha(s))

    def _opened(self, s: FloatArray) -> tuple[BoolArray, FloatArray]:
        """Where s is above threshold, and s with an energy above it everywhere else."""
        is_open = s > self.threshold**2
        return is_open, np.where(is_open, s, 4 * self.threshold**2)

    def _logit_range(self, s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Least and largest ln(x/(1 - x)), x being the photon's energy over that of the beam."""
        x_min, rest_min = 2 * self.energy_min / np.sqrt(s), 4 * self.mass**2 / s
        return np.log(x_min / (1 - x_min)), np.log((1 - rest_min) / rest_min)

    def _sample_rest(
        self, s: FloatArray, from_beams: BoolArray, rng: np.random.Generator
    ) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
        """1 - x = s'/s, s' being the squared mass of the pair, and its density in each channel."""
        x_min, rest_min = 2 * self.energy_min / np.sqrt(s), 4 * self.mass**2 / s
        low, high = self._logit_range(s)
        log_range = np.log((1 - rest_min) / x_min)
        u = rng.random(len(s))
        logit_flat = 1 / (1 + np.exp(low + (high - low) * u))
        log_flat = 1 - x_min * np.exp(log_range * u)
        rest = np.clip(np.where(from_beams, logit_flat, log_flat), rest_min, 1 - x_min)
        x = 1 - rest
        return rest, (1 / (x * rest * (high - low)), 1 / (x * log_range))

    def _sample_photon(
        self, from_beams: BoolArray, rng: np.random.Generator
    ) -> tuple[FloatArray, tuple[FloatArray, float]]:
        """Cosine between the photon and the electron beam, and its density in each channel."""
        cos_max = math.cos(self.theta_min)
        eta_max = math.atanh(cos_max)
        u = 2 * rng.random(len(from_beams)) - 1
        cos_theta = np.where(from_beams, np.tanh(eta_max * u), cos_max * u)
        return cos_theta, (1 / (2 * eta_max * (1 - cos_theta**2)), 1 / (2 * cos_max))


def _sample_pair(
    rapidity: FloatArray, from_beams: BoolArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, tuple[float, FloatArray]]:
    """Velocity of l- in the frame of the pair, cosine to the photon, density in each channel."""
    velocity = np.tanh(rapidity)
    u = 2 * rng.random(len(rapidity)) - 1
    cos_pair = np.where(from_beams, u, np.clip(np.tanh(rapidity * u) / velocity, -1.0, 1.0))
    collinear = velocity / (2 * rapidity * (1 - (velocity * cos_pair) ** 2))
    return velocity, cos_pair, (0.5, collinear)


def _build(
    s: FloatArray,
    rest: FloatArray,
    velocity: FloatArray,
    cos_photon: FloatArray,
    cos_pair: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Momenta of l-, l+, gamma with random azimuths, shape (3, 4, n)."""
    n = len(s)
    root_s, energy = np.sqrt(s), np.sqrt(s * rest) / 2
    k = root_s * (1 - rest) / 2
    phi, sin = azimuths(n, rng), np.sqrt(1 - cos_pair**2)
    flight = energy * velocity * np.stack([sin * np.cos(phi), sin * np.sin(phi), cos_pair])
    zero = np.zeros(n)
    pair = np.stack([root_s * (1 + rest) / 2, zero, zero, -k])
    first = boost(np.stack([energy, *flight]), pair, 2 * energy)
    phi, sin = azimuths(n, rng), np.sqrt(1 - cos_photon**2)
    axis = np.stack([sin * np.cos(phi), sin * np.sin(phi), cos_photon])
    photon = np.stack([k, *(k * axis)])
    p1 = rotate_z_to(first, axis)
    p2 = np.stack([root_s - p1[0] - k, *(-p1[1:] - photon[1:])])
    return np.stack([p1, p2, photon])
