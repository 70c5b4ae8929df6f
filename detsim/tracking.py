"""From charged particles to tracks: hits, finding, covariance, smeared perigee parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helices import MIN_PT, Helices, Place, place_at
from darkbelle.detsim.helix import HelixIndex, perigee
from darkbelle.detsim.information import factorise, square
from darkbelle.detsim.losses import Losses
from darkbelle.detsim.track_fit import collect
from darkbelle.geometry import Experiment, Surface, tracking_surfaces
from darkbelle.geometry.card import Detector, TrackFinding
from darkbelle.units import deg

__all__ = ["ChargedParticles", "MeasuredTracks", "measure"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
CountArray = npt.NDArray[np.int16]

BLOCK = 65536
"""Tracks handled at once: a block has a fixed cost. It decides who draws which random numbers."""


@dataclass(frozen=True, slots=True)
class ChargedParticles:
    """What tracking needs: start [cm] and momentum [GeV], shape (n, 3), charge, mass [GeV].

    ``path`` is the length of the transverse arc after which each ends [cm], None for never.
    """

    position: FloatArray
    momentum: FloatArray
    charge: npt.NDArray[np.int8]
    mass: FloatArray
    path: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.charge)

    def helices(self, field: float) -> Helices:
        """Their helices in a field [T]."""
        path = np.inf if self.path is None else self.path
        return Helices.of_particles(self.position, self.momentum, self.charge, field, path)

    def take(self, chosen: IndexArray | slice) -> ChargedParticles:
        """Some of them."""
        return ChargedParticles(
            self.position[chosen],
            self.momentum[chosen],
            self.charge[chosen],
            self.mass[chosen],
            None if self.path is None else self.path[chosen],
        )


@dataclass(frozen=True, slots=True)
class MeasuredTracks:
    """Measurement of every particle, found or not, shape (n, ...).

    ``first_hit`` is the distance from the axis of the first hit in order of flight [cm].

    ``positive``: its hits fix all parameters; ``efficiency`` is the probability to find it, zero
    where its hits or its direction do not allow it; ``found``: it was. Where a particle was not
    found, the other columns hold what a track would have shown.
    """

    helix: FloatArray
    cov: FloatArray
    n_hits: dict[Detector, CountArray]
    first_hit: FloatArray
    efficiency: FloatArray
    found: BoolArray
    positive: BoolArray

    @property
    def accepted(self) -> BoolArray:
        """Whether each can be found."""
        return self.efficiency > 0


def measure(
    particles: ChargedParticles,
    experiment: Experiment,
    rng: np.random.Generator,
    losses: Losses | None = None,
    helices: Helices | None = None,
) -> MeasuredTracks:
    """Track every charged particle through the layers that it really crosses.

    ``helices`` are those of the particles, if they are known.
    """
    losses = losses or Losses.none()
    if helices is None:
        helices = particles.helices(experiment.solenoid.field_t)
    surfaces = tracking_surfaces(experiment)
    blocks = []
    for start in range(0, max(len(particles), 1), BLOCK):
        among = (losses.particle >= start) & (losses.particle < start + BLOCK)
        here = Losses(losses.particle[among] - start, losses.path[among], losses.change[among])
        some = slice(start, start + BLOCK)
        blocks.append(
            _measure_block(
                particles.take(some), helices.take(some), experiment, surfaces, here, rng
            )
        )
    return MeasuredTracks(
        np.concatenate([block.helix for block in blocks]),
        np.concatenate([block.cov for block in blocks]),
        {d: np.concatenate([block.n_hits[d] for block in blocks]) for d in Detector},
        np.concatenate([block.first_hit for block in blocks]),
        np.concatenate([block.efficiency for block in blocks]),
        np.concatenate([block.found for block in blocks]),
        np.concatenate([block.positive for block in blocks]),
    )


def _measure_block(
    particles: ChargedParticles,
    tracks: Helices,
    experiment: Experiment,
    surfaces: tuple[Surface, ...],
    losses: Losses,
    rng: np.random.Generator,
) -> MeasuredTracks:
    n_tracks = len(particles)
    born = place_at(tracks, tracks.birth)
    pt = np.maximum(np.hypot(*particles.momentum.T[:2]), MIN_PT)
    momentum = pt * np.sqrt(tracks.secant2)
    beta = momentum / np.hypot(momentum, particles.mass)
    information, hits = collect(tracks, momentum, particles.mass, surfaces, losses, rng)
    tracking = experiment.tracking
    extra = np.hypot(
        tracking.momentum_smearing.pt_coefficient_per_gev * pt,
        tracking.momentum_smearing.beta_coefficient / beta,
    )
    information.add_curvature_noise(born, (tracks.omega * extra) ** 2)
    factor = factorise(information)
    positive = factor.positive & (2 * hits.silicon + hits.wires >= 5)

    tail = rng.random(n_tracks) < tracking.tails.fraction
    widen = np.where(tail, tracking.tails.width_factor, 1.0)
    deviation = [widen * d for d in factor.draw([*rng.standard_normal((5, n_tracks))])]
    if information.pull:
        pulled = factor.solve(information.pull)
        deviation = [d + shift for d, shift in zip(deviation, pulled, strict=True)]

    # The deviation is drawn where the particle is born and carried to the perigee exactly.
    helix = _displace(particles.position, born, _carry(born, deviation))
    cov = _refer_to_origin(factor.covariance(), tracks)
    radius = np.hypot(*particles.position.T[:2])
    finding = tracking.finding
    enough = (hits.number[Detector.SVD] >= finding.min_svd_hits) | (
        (hits.wires >= finding.min_cdc_hits) & (hits.stereo >= finding.min_stereo_hits)
    )
    efficiency = np.where(enough, _finding_efficiency(pt, tracks, radius, finding), 0.0)
    efficiency *= positive
    found = rng.random(n_tracks) < efficiency
    return MeasuredTracks(helix, cov, hits.number, hits.first_radius, efficiency, found, positive)


def _carry(place: Place, deviation: list[FloatArray]) -> list[FloatArray]:
    """Local parameters at a point of the track from those at its perigee, cf. `shift_jacobian`."""
    d0, phi, omega, z0, tan_lambda = deviation
    tracks = place.tracks
    sin_turn = 2 * place.half_sin * place.half_cos
    ahead = sin_turn * d0 - place.sagitta * phi + place.lag * omega
    return [
        place.cos_turn * d0 - place.along * phi + place.bend * omega,
        phi + tracks.omega * ahead - place.arc * omega,
        omega,
        z0 - tracks.tan_lambda * ahead + place.arc * tan_lambda,
        tan_lambda,
    ]


def _displace(position: FloatArray, place: Place, local: list[FloatArray]) -> FloatArray:
    """Perigee helix of a track that deviates at a point by local parameters."""
    d0, phi_shift, omega_shift, z0, tan_lambda_shift = local
    tracks = place.tracks
    phi = tracks.phi0 - tracks.omega * place.arc
    point = position + np.stack([d0 * np.sin(phi), -d0 * np.cos(phi), z0], axis=-1)
    omega, tan_lambda = tracks.omega + omega_shift, tracks.tan_lambda + tan_lambda_shift
    return perigee(point, phi + phi_shift, omega, tan_lambda)[0]


def _refer_to_origin(elements: list[FloatArray], tracks: Helices) -> FloatArray:
    """Covariance of the perigee to the origin from that with the pivot on the track.

    Turning a track around the origin by dphi0 also moves it along itself by d0 dphi0.
    """
    a, b = tracks.inverse_gain, tracks.tan_lambda * tracks.d0 * tracks.inverse_gain
    phi, z = HelixIndex.PHI0, HelixIndex.Z0
    cov = square(elements)
    for i in (HelixIndex.D0, HelixIndex.OMEGA, HelixIndex.TAN_LAMBDA):
        cov[i][z] = cov[z][i] = cov[z][i] + b * cov[phi][i]
        cov[i][phi] = cov[phi][i] = a * cov[phi][i]
    cov[z][z] = cov[z][z] + b * (2 * cov[z][phi] + b * cov[phi][phi])
    cov[z][phi] = cov[phi][z] = a * (cov[z][phi] + b * cov[phi][phi])
    cov[phi][phi] = a**2 * cov[phi][phi]
    return np.ascontiguousarray(np.moveaxis(np.array(cov), 2, 0))


def _finding_efficiency(
    pt: FloatArray, tracks: Helices, birth_radius: FloatArray, finding: TrackFinding
) -> FloatArray:
    """Probability to find a track with enough hits."""
    theta = np.arctan2(1.0, tracks.tan_lambda)
    by_theta = np.array([0.0, *finding.theta_factor, 0.0])
    theta_bin = np.searchsorted(np.array(finding.theta_edges_deg) * deg, theta, side="right")
    by_pt = np.array([0.0, *finding.pt_efficiency])
    pt_bin = np.searchsorted(np.array(finding.pt_edges_gev), pt, side="right")
    by_radius = np.interp(birth_radius, finding.birth_radius_cm, finding.birth_radius_factor)
    by_d0 = np.interp(np.abs(tracks.d0), finding.d0_cm, finding.d0_factor)
    efficiency: FloatArray = by_pt[pt_bin] * by_theta[theta_bin] * by_radius * by_d0
    return efficiency
