"""From charged particles to tracks: hits, finding, covariance, smeared perigee parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helix import (
    HelixIndex,
    omega_from_pt,
    perigee,
    shift_jacobian,
)
from darkbelle.detsim.hits import Helices, find_crossing, path_thickness
from darkbelle.detsim.information import N_ELEMENTS, add_hit, add_scattering, factorise
from darkbelle.geometry import Experiment, Surface, tracking_surfaces
from darkbelle.geometry.card import Detector, Tracking
from darkbelle.units import MeV, deg

__all__ = ["ChargedParticles", "MeasuredTracks", "highland_variance", "measure"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MIN_PT = 1e-6
"""GeV; slower ones, and those along the beams, reach no layer anyhow."""

BLOCK = 4096
"""Tracks handled at once, so that the working arrays stay in the cache."""


@dataclass(frozen=True, slots=True)
class ChargedParticles:
    """What tracking needs: start [cm] and momentum [GeV], shape (n, 3), charge, mass [GeV]."""

    position: FloatArray
    momentum: FloatArray
    charge: npt.NDArray[np.int8]
    mass: FloatArray

    def __len__(self) -> int:
        return len(self.charge)

    def take(self, chosen: slice) -> ChargedParticles:
        """A part of them."""
        return ChargedParticles(
            self.position[chosen], self.momentum[chosen], self.charge[chosen], self.mass[chosen]
        )


@dataclass(frozen=True, slots=True)
class MeasuredTracks:
    """Measurement of every particle, found or not, shape (n, ...).

    ``accepted``: it can be found, by its hits and its direction; ``found``: and was. Where a
    particle was not found, the other columns hold what a track would have shown. ``positive`` is
    false where the hits do not fix all parameters.
    """

    helix: FloatArray
    cov: FloatArray
    n_hits: dict[Detector, npt.NDArray[np.int8]]
    accepted: BoolArray
    found: BoolArray
    positive: BoolArray


def measure(
    particles: ChargedParticles, experiment: Experiment, rng: np.random.Generator
) -> MeasuredTracks:
    """Track every charged particle through the layers that it really crosses."""
    surfaces = tracking_surfaces(experiment)
    blocks = [
        _measure_block(particles.take(slice(start, start + BLOCK)), experiment, surfaces, rng)
        for start in range(0, max(len(particles), 1), BLOCK)
    ]
    return MeasuredTracks(
        np.concatenate([block.helix for block in blocks]),
        np.concatenate([block.cov for block in blocks]),
        {d: np.concatenate([block.n_hits[d] for block in blocks]) for d in Detector},
        np.concatenate([block.accepted for block in blocks]),
        np.concatenate([block.found for block in blocks]),
        np.concatenate([block.positive for block in blocks]),
    )


def _measure_block(
    particles: ChargedParticles,
    experiment: Experiment,
    surfaces: tuple[Surface, ...],
    rng: np.random.Generator,
) -> MeasuredTracks:
    px, py, pz = particles.momentum.T
    pt = np.maximum(np.hypot(px, py), MIN_PT)
    phi, tan_lambda = np.arctan2(py, px), pz / pt
    omega = omega_from_pt(pt, particles.charge, experiment.solenoid.field_t)
    helix, birth = perigee(particles.position, phi, omega, tan_lambda)
    tracks = Helices.from_helix(helix, birth)

    momentum = pt * np.sqrt(1 + tan_lambda**2)
    beta = momentum / np.hypot(momentum, particles.mass)
    information, n_hits = _collect(tracks, surfaces, momentum, beta, rng)
    factor = factorise(information)
    n_coordinates = 2 * (n_hits[Detector.PXD] + n_hits[Detector.SVD]) + n_hits[Detector.CDC]
    positive = factor.positive & (n_coordinates >= 5)
    cov = factor.covariance()

    tracking = experiment.tracking
    extra = np.hypot(
        tracking.momentum_smearing.pt_coefficient_per_gev * pt,
        tracking.momentum_smearing.beta_coefficient / beta,
    )
    omega_variance = (omega * extra) ** 2
    deviation = factor.draw(rng.standard_normal((5, len(particles))))
    extra_deviation = omega * extra * rng.standard_normal(len(particles))
    tail = rng.random(len(particles)) < tracking.tails.fraction
    widen = np.where(tail, tracking.tails.width_factor, 1.0)

    # The deviation is drawn where the particle is born and carried to the perigee exactly.
    to_birth = shift_jacobian(omega, tan_lambda, birth)
    local = np.einsum("nij,jn->in", to_birth, deviation)
    local[HelixIndex.OMEGA] += extra_deviation
    helix = _displace(particles.position, phi, omega, tan_lambda, widen * local)
    omega_shift = shift_jacobian(omega, tan_lambda, -birth)[:, :, HelixIndex.OMEGA]
    cov += omega_variance[:, None, None] * omega_shift[:, :, None] * omega_shift[:, None, :]

    accepted, found = _find(n_hits, pt, tan_lambda, tracking, rng)
    return MeasuredTracks(helix, _refer_to_origin(cov, tracks), n_hits, accepted, found, positive)


def _collect(
    tracks: Helices,
    surfaces: tuple[Surface, ...],
    momentum: FloatArray,
    beta: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, dict[Detector, npt.NDArray[np.int8]]]:
    """Information on the local parameters at the perigee, and hits, from the outside inward."""
    crossings = [find_crossing(tracks, surface) for surface in surfaces]
    thickness = {
        i: path_thickness(tracks, surface, crossings[i])
        for i, surface in enumerate(surfaces)
        if surface.thickness_x0
    }
    per_x0 = highland_variance(sum(thickness.values(), np.zeros(len(tracks))), momentum, beta)
    information = np.zeros((N_ELEMENTS, len(tracks)))
    n_hits = {detector: np.zeros(len(tracks), np.int8) for detector in Detector}
    for i in reversed(range(len(surfaces))):
        surface, crossing = surfaces[i], crossings[i]
        if surface.thickness_x0:
            add_scattering(information, tracks, crossing, per_x0 * thickness[i])
        if surface.sensor is not None:
            lucky = rng.random(len(tracks), dtype=np.float32) < surface.sensor.efficiency
            hit = crossing.on & lucky
            n_hits[surface.sensor.detector] += hit
            add_hit(information, tracks, surface, crossing, hit)
    return information, n_hits


def highland_variance(
    total_thickness: FloatArray, momentum: FloatArray, beta: FloatArray
) -> FloatArray:
    """Variance of the projected scattering angle per radiation length [rad^2], shape (n,).

    Highland's formula as in PDG 2024, Eq. 34.16, charge one. Its logarithm is that of the whole
    material on the way, so that layers add up to the formula for their sum; one layer alone then
    scatters a little more than the formula says of it.
    """
    log = np.log(np.maximum(total_thickness, 1e-6) / beta**2)
    width: FloatArray = 13.6 * MeV / (beta * momentum) * (1 + 0.038 * log)
    return width**2


def _displace(
    position: FloatArray,
    phi: FloatArray,
    omega: FloatArray,
    tan_lambda: FloatArray,
    local: FloatArray,
) -> FloatArray:
    """Perigee helix of a track that deviates at a point by ``local`` parameters, shape (5, n)."""
    d0, phi_shift, omega_shift, z0, tan_lambda_shift = local
    point = position + np.stack([d0 * np.sin(phi), -d0 * np.cos(phi), z0], axis=-1)
    return perigee(point, phi + phi_shift, omega + omega_shift, tan_lambda + tan_lambda_shift)[0]


def _refer_to_origin(cov: FloatArray, tracks: Helices) -> FloatArray:
    """Covariance of the perigee to the origin from that with the pivot on the track.

    Turning a track around the origin by dphi0 also moves it along itself by d0 dphi0.
    """
    gain = 1 + tracks.omega * tracks.d0
    jacobian = np.broadcast_to(np.eye(5), cov.shape).copy()
    jacobian[:, HelixIndex.PHI0, HelixIndex.PHI0] = 1 / gain
    jacobian[:, HelixIndex.Z0, HelixIndex.PHI0] = tracks.tan_lambda * tracks.d0 / gain
    referred: FloatArray = jacobian @ cov @ jacobian.transpose(0, 2, 1)
    return referred


def _find(
    n_hits: dict[Detector, npt.NDArray[np.int8]],
    pt: FloatArray,
    tan_lambda: FloatArray,
    tracking: Tracking,
    rng: np.random.Generator,
) -> tuple[BoolArray, BoolArray]:
    """Which particles can be found, by their hits and their direction, and which of these were."""
    finding = tracking.finding
    silicon = n_hits[Detector.PXD] + n_hits[Detector.SVD]
    accepted = (silicon >= finding.min_silicon_hits) | (
        n_hits[Detector.CDC] >= finding.min_cdc_hits
    )
    theta = np.arctan2(1.0, tan_lambda)
    by_theta = np.array([0.0, *finding.theta_factor, 0.0])
    theta_bin = np.searchsorted(np.array(finding.theta_edges_deg) * deg, theta, side="right")
    by_pt = np.array([0.0, *finding.pt_efficiency])
    pt_bin = np.searchsorted(np.array(finding.pt_edges_gev), pt, side="right")
    efficiency = by_pt[pt_bin] * by_theta[theta_bin]
    accepted &= efficiency > 0
    return accepted, accepted & (rng.random(len(pt)) < efficiency)
