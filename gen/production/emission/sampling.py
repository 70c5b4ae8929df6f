"""Weighted final states of the emission."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.angles import azimuths
from darkbelle.gen.kinematics import boost, kallen, rotate_z_to
from darkbelle.gen.production.emission.amplitude import (
    Coupling,
    Invariants,
    Masses,
    squared_amplitude,
)
from darkbelle.units import ALPHA_EM, HBAR_C2

__all__ = ["Emission", "sample"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Emission:
    """Sampled final states in their centre-of-mass frame, electrons along +z.

    Momenta of l-, l+ and X, shape (4, n); ``weight`` estimates the cross-section for g = 1 [fb].
    """

    p1: FloatArray
    p2: FloatArray
    k: FloatArray
    weight: FloatArray
    invariants: Invariants


def sample(coupling: Coupling, masses: Masses, s: FloatArray, rng: np.random.Generator) -> Emission:
    """Weighted final states, one at each squared energy s [GeV^2]; weight 0 below threshold."""
    n = len(s)
    m, x = masses
    is_open = s > masses.threshold**2
    s = np.where(is_open, s, 2 * masses.threshold**2)
    root_s = np.sqrt(s)
    sg, sg_density = _sample_sg(coupling, masses, s, rng)
    s12 = s + x**2 - sg
    beta2 = np.maximum(1 - 4 * m**2 / s12, 0.0)
    lam = np.maximum(kallen(s, s12, x**2), 0.0)
    x0 = np.sqrt(beta2 * lam) / sg
    deficit = 4 * m**2 / s12 + 4 * s * x**2 * beta2 / sg**2  # 1 - x0^2 without cancellation
    c, c_density, d1, d2 = _sample_cosine(coupling, masses, x0, deficit, sg, rng)

    # The pair's frame with X along +z, then the centre of mass, then X in a random direction.
    root_s12 = np.sqrt(s12)
    p_star = np.sqrt(beta2) * root_s12 / 2
    k_star = np.sqrt(lam) / (2 * root_s)
    sin, azimuth = np.sqrt(np.maximum(1 - c**2, 0.0)), azimuths(n, rng)
    transverse = p_star * sin * np.cos(azimuth), p_star * sin * np.sin(azimuth)
    zero = np.zeros(n)
    pair = np.stack([(s + s12 - x**2) / (2 * root_s), zero, zero, -k_star])
    first = boost(np.stack([root_s12 / 2, *transverse, p_star * c]), pair)
    cos_x, phi_x = 2 * rng.random(n) - 1, azimuths(n, rng)
    sin_x = np.sqrt(1 - cos_x**2)
    axis = np.stack([sin_x * np.cos(phi_x), sin_x * np.sin(phi_x), cos_x])
    k = np.stack([root_s - pair[0], *(k_star * axis)])
    p1 = rotate_z_to(first, axis)
    p2 = np.stack([root_s - p1[0] - k[0], *(-p1[1:] - k[1:])])

    at = Invariants(s, d1, d2, -root_s * p1[3], -root_s * p2[3])
    amplitude = squared_amplitude(coupling, masses, at)
    flux_and_couplings = (4 * np.pi * ALPHA_EM) ** 2 / (8 * s**3)
    phase_space = k_star * p_star / (32 * np.pi**3 * root_s * root_s12)
    weight = flux_and_couplings * amplitude * phase_space / (sg_density * 2 * c_density) * HBAR_C2
    return Emission(p1, p2, k, np.where(is_open, weight, 0.0), at)


def _sample_sg(
    coupling: Coupling, masses: Masses, s: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Sg from 1/Sg where small energies of X rule, from Sg where not, or from both; its density."""
    low = 2 * np.sqrt(s) * masses.boson
    high = s + masses.boson**2 - 4 * masses.lepton**2
    share = 1.0 if coupling.is_soft else 0.5 if _is_collinear(coupling, masses) else 0.0
    u = rng.random(len(s))
    log_ratio = np.log(high / low)
    falling = low * np.exp(u * log_ratio)
    rising = np.sqrt(low**2 + u * (high**2 - low**2))
    sg = (
        np.where(rng.random(len(s)) < share, falling, rising)
        if 0 < share < 1
        else (falling if share else rising)
    )
    density = share / (sg * log_ratio) + (1 - share) * 2 * sg / (high**2 - low**2)
    return sg, density


def _is_collinear(coupling: Coupling, masses: Masses) -> bool:
    """Whether X prefers the direction of a lepton beyond 1/D."""
    return coupling.flips_helicity and masses.boson < 2 * masses.lepton


def _sample_cosine(
    coupling: Coupling,
    masses: Masses,
    x0: FloatArray,
    deficit: FloatArray,
    sg: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Cosine between l- and X in the pair's frame, its density on [-1, 1], and D1, D2.

    From 1/(1 - x0^2 c^2), mixed in equal parts with 1/(1 - x0 c)^2 + 1/(1 + x0 c)^2 where the
    coupling flips the helicity.
    """
    rapidity_max = np.log((1 + x0) ** 2 / deficit) / 2  # artanh(x0)
    rapidity = (2 * rng.random(len(x0)) - 1) * rapidity_max
    x0c = np.tanh(rapidity)
    flip = _is_collinear(coupling, masses)
    if flip:
        low, high = 1 / (1 + x0), (1 + x0) / deficit
        sign = np.where(rng.random(len(x0)) < 0.5, 1.0, -1.0)
        pole = sign * (1 - 1 / (low + rng.random(len(x0)) * (high - low)))
        x0c = np.where(rng.random(len(x0)) < 0.5, pole, x0c)
    minus, plus = 1 - x0c, 1 + x0c
    density = x0 / (2 * rapidity_max * minus * plus)
    if flip:
        density = density / 2 + deficit / 8 * (1 / minus**2 + 1 / plus**2)
    return np.clip(x0c / x0, -1.0, 1.0), density, sg * minus / 2, sg * plus / 2
