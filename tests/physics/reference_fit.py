"""What a track fit makes of the hits of real flights, from the least squares themselves.

A fit has the five parameters of a particle at its birth and two angles at every place that
scatters. About the true flight its residuals are the noise of the sensors and, for the angles,
what they really were; so the minimum is one linear step away, and that step is taken exactly, with
the derivatives along the flight as it really was. From the last place to the first, each angle is
minimised over as soon as all behind it is known.

`fit_numerically` does the same with hits in space, all angles in one vector and derivatives by
finite differences, and steps until it stands still.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darkbelle.detsim.helix import perigee
from darkbelle.geometry import Experiment
from tests.physics.reference_flight import (
    Bend,
    BoolArray,
    Flight,
    FloatArray,
    Layer,
    Particle,
    State,
    Traveller,
)

STEPS = np.array([1e-4, 1e-6, 1e-9, 1e-4, 1e-6])  # of d0, phi0, omega, z0, tan_lambda
MIN_COORDINATES = 6


@dataclass(frozen=True)
class Fits:
    """Fitted minus true parameters of equal particles, and their covariances.

    Local parameters (d0, phi, omega, z0, tan_lambda) with the pivot at the true birth, shapes
    (n, 5) and (n, 5, 5), of the tracks that have enough hits.
    """

    deviation: FloatArray
    cov: FloatArray


def fit_particles(
    experiment: Experiment, particle: Particle, n_tracks: int, rng: np.random.Generator
) -> Fits:
    """Send equal particles through the layers and fit what they leave.

    Every layer that is crossed has a hit: hit efficiencies and resolution tails of the card are not
    used. The card's additional smearing of the momentum happens at birth.
    """
    omega = particle.omega(experiment)
    information, vector, number = least_squares(
        *hits(Traveller(experiment, particle), particle.states(omega, np.zeros((5, n_tracks))), rng)
    )
    some = number >= MIN_COORDINATES
    cov = np.linalg.inv(information[some])
    deviation = np.einsum("nij,nj->ni", cov, vector[some])
    smearing = experiment.tracking.momentum_smearing
    relative2 = (smearing.pt_coefficient_per_gev * particle.pt) ** 2
    relative2 += (smearing.beta_coefficient / particle.beta) ** 2
    cov[:, 2, 2] += omega**2 * relative2
    deviation[:, 2] += omega * np.sqrt(relative2) * rng.standard_normal(len(deviation))
    return Fits(deviation, cov)


def hits(
    traveller: Traveller, start: State, rng: np.random.Generator
) -> tuple[Flight, list[list[FloatArray]]]:
    """Flights with real kinks, and the noise of the sensors by place and coordinate."""
    n_tracks = len(start.x)
    flight = traveller.fly(start, rng.standard_normal((2 * len(traveller.steps), 2, n_tracks)))
    sigmas = [place.layer.sigma if place.layer else () for place in flight.places]
    return flight, [[s * rng.standard_normal(n_tracks) for s in sigma] for sigma in sigmas]


def least_squares(
    flight: Flight, residuals: list[list[FloatArray]], used: list[BoolArray] | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Information (n, 5, 5), its product with the estimate (n, 5), number of coordinates (n,).

    Residuals by place and coordinate; ``used``: which hits there are, by default all.
    """
    used = used or [place.on for place in flight.places]
    jacobians = transports(flight)
    n_tracks = len(flight.start.x)
    information, vector = np.zeros((5, 5, n_tracks)), np.zeros((5, n_tracks))
    number = np.zeros(n_tracks)
    in_order = zip(flight.places, jacobians, residuals, used, strict=True)
    for place, jacobian, apart, hit in reversed(list(in_order)):
        if place.variance.any():
            for shift, angle in zip(_kinks(place.after, jacobian), place.angles, strict=True):
                image = np.einsum("ijn,jn->in", information, shift)
                vector += image * angle
                taken = place.variance / (1 + place.variance * (shift * image).sum(axis=0))
                vector -= image * (taken * (shift * vector).sum(axis=0))
                information -= (image * taken) * image[:, None]
        if place.layer and place.layer.sigma and hit.any():
            sin, cos = np.sin(place.state.phi), np.cos(place.state.phi)
            for (_, axis, sigma), residual in zip(
                axes(place.state, place.layer), apart, strict=True
            ):
                row = (axis[0] * sin - axis[1] * cos) * jacobian[0] + axis[2] * jacobian[3]
                weighted = row * (hit / sigma**2)
                information += weighted * row[:, None]
                vector += weighted * residual
                number += hit
    return np.moveaxis(information, 2, 0), vector.T, number


def transports(flight: Flight) -> list[FloatArray]:
    """Derivatives of the local parameters at each place by those at birth, (5, 5, n) each.

    Local parameters (d0, phi, omega, z0, tan_lambda) have their pivot at the place; so a kink
    stays where it is in space, however long the way there.
    """
    before = flight.start
    jacobian = np.tile(np.eye(5)[..., None], (1, 1, len(before.x)))
    jacobians = []
    for place in flight.places:
        there, arc = place.state, place.arc
        d0, phi, omega, z0, slope = jacobian
        dx, dy = there.x - before.x, there.y - before.y
        x = (
            np.sin(before.phi) * d0
            - dy * phi
            + (arc * np.cos(there.phi) - dx) / there.omega * omega
        )
        y = -np.cos(before.phi) * d0 + dx * phi
        y += (arc * np.sin(there.phi) - dy) / there.omega * omega
        sin, cos = np.sin(there.phi), np.cos(there.phi)
        ahead = x * cos + y * sin  # slide back to the plane across the flight
        phi = phi - arc * omega + there.omega * ahead
        z0 = z0 + arc * slope - there.tan_lambda * ahead
        jacobian = np.stack([x * sin - y * cos, phi, omega, z0, slope])
        jacobians.append(jacobian)
        before = place.after
    return jacobians


def _kinks(state: State, jacobian: FloatArray) -> FloatArray:
    """Local parameters at birth that, seen from behind a place, are angles there, (2, 5, n)."""
    slope, zero = state.tan_lambda, np.zeros_like(state.x)
    in_phi = np.stack([zero, state.secant, zero, zero, zero])
    in_lambda = np.stack([zero, zero, state.omega * slope, zero, state.secant**2])  # p stays
    shifts = np.moveaxis(np.stack([in_phi, in_lambda]), (2, 1, 0), (0, 1, 2))
    return np.linalg.solve(np.moveaxis(jacobian, 2, 0), shifts).T


def axes(state: State, layer: Layer) -> list[tuple[FloatArray, FloatArray, float]]:
    """What a layer measures where it is met: axis, derivative by the place, both (3, n), sigma."""
    x, y, _ = state.point()
    r, zero = np.hypot(x, y), np.zeros_like(x)
    radial, around = np.stack([x / r, y / r, zero]), np.stack([-y / r, x / r, zero])
    flight = state.direction()
    if not layer.is_silicon:
        normal = np.cross(wire_direction(state, layer), flight, axis=0)
        normal /= np.linalg.norm(normal, axis=0)
        return [(normal, normal, layer.sigma[0])]
    along = np.stack([layer.slope * radial[0], layer.slope * radial[1], zero + 1.0])
    along /= np.linalg.norm(along, axis=0)
    normal = np.cross(around, along, axis=0)
    slide = normal / (normal * flight).sum(axis=0)
    return [
        (axis, axis - (axis * flight).sum(axis=0) * slide, sigma)
        for axis, sigma in zip((around, along), layer.sigma, strict=True)
    ]


def wire_direction(state: State, layer: Layer) -> FloatArray:
    """A wire runs straight through its waist, where it has no radial component; (3, n)."""
    x, y, z = state.point()
    r = np.hypot(x, y)
    turn = np.arctan2((z - layer.z_mid) * layer.tan_stereo, layer.radius)
    sin, cos = np.sin(turn), np.cos(turn)
    tilt = np.stack([(x * sin - y * cos) / r, (x * cos + y * sin) / r]) * layer.tan_stereo
    wire = np.concatenate([tilt, np.ones((1, len(x)))])
    return wire / np.linalg.norm(wire, axis=0)


def at_origin(experiment: Experiment, particle: Particle) -> FloatArray:
    """Derivatives of the perigee parameters by the local ones at birth, (5, 5)."""
    shifts = np.concatenate([np.diag(STEPS), -np.diag(STEPS)]).T
    state = particle.states(particle.omega(experiment), shifts)
    helix, _ = perigee(state.point().T, state.phi, state.omega, state.tan_lambda)
    return ((helix[:5] - helix[5:]) / (2 * STEPS[:, None])).T


def at_birth(experiment: Experiment, particle: Particle, helix: FloatArray) -> FloatArray:
    """Local deviations at the birth of particles with these perigee helices, (n, 5)."""
    d0, phi, omega, z0, tan_lambda = helix.T
    start = np.stack([d0 * np.sin(phi), -d0 * np.cos(phi), z0], axis=-1) - particle.position
    local, _ = perigee(start, phi, omega, tan_lambda)
    true_omega = particle.omega(experiment)
    local -= np.array([0, particle.phi, true_omega, 0, particle.tan_lambda])
    local[:, 1] = (local[:, 1] + np.pi) % (2 * np.pi) - np.pi
    return local


def shift_by_bend(experiment: Experiment, particle: Particle, bend: Bend) -> FloatArray:
    """Local parameters at birth that a fit without kinks and noise finds in spite of a bend, (5,).

    The fit weighs the hits as ever and does not know of the bend; it steps until it stands still.
    """
    traveller, omega = Traveller(experiment, particle), particle.omega(experiment)
    seen = traveller.fly(particle.states(omega, np.zeros((5, 1))), bend=bend)
    estimate = np.zeros(5)
    for _ in range(8):
        expected = traveller.fly(particle.states(omega, estimate[:, None]))
        both = [a.on & b.on for a, b in zip(seen.places, expected.places, strict=True)]
        residuals: list[list[FloatArray]] = []
        for there, here in zip(seen.places, expected.places, strict=True):
            apart = there.state.point() - here.state.point()
            measures = here.layer and here.layer.sigma
            axis = axes(here.state, here.layer) if measures else []
            residuals.append([(along * apart).sum(axis=0) for along, _, _ in axis])
        information, vector, _ = least_squares(expected, residuals, both)
        estimate = estimate + np.linalg.solve(information[0], vector[0])
    return estimate


def fit_numerically(
    experiment: Experiment, particle: Particle, rng: np.random.Generator
) -> tuple[Fits, Fits]:
    """One track fitted by brute force, and as everywhere else, without additional smearing."""
    traveller, omega = Traveller(experiment, particle), particle.omega(experiment)
    flight, noise = hits(traveller, particle.states(omega, np.zeros((5, 1))), rng)
    information, vector, _ = least_squares(flight, noise)
    cov = np.linalg.inv(information)
    quick = Fits(np.einsum("nij,nj->ni", cov, vector), cov)

    widths = np.sqrt([place.variance[0] for place in flight.places])
    true_kinks = np.array([place.angles[:, 0] for place in flight.places])
    unknown = np.repeat(widths > 0, 2).reshape(-1, 2)
    truth = np.concatenate([np.zeros(5), true_kinks[unknown]])
    kink_width = np.repeat(widths, 2).reshape(-1, 2)[unknown]
    sensors = [
        (i, axis, sigma, apart)
        for i, place in enumerate(flight.places)
        if place.on[0] and place.layer and place.layer.sigma
        for (axis, _, sigma), apart in zip(axes(place.state, place.layer), noise[i], strict=True)
    ]

    def missed(unknowns: FloatArray) -> FloatArray:
        """Expected minus measured coordinates and zero kinks, all in their widths, (n, m)."""
        angles = np.zeros((len(flight.places), 2, len(unknowns)))
        angles[unknown] = unknowns[:, 5:].T
        start = particle.states(omega, unknowns[:, :5].T)
        expected = traveller.fly(start, angles, along=flight)
        columns = []
        for i, axis, sigma, apart in sensors:
            there, origin = expected.places[i], flight.places[i].state
            if there.layer.is_silicon:
                place = axis.T @ (there.state.point() - origin.point())
            else:
                wire = wire_direction(origin, there.layer)
                place = _distance(there.state, origin.point(), wire, axis)
            columns.append((np.ravel(place) - apart) / sigma)
        return np.concatenate([np.stack(columns, axis=-1), unknowns[:, 5:] / kink_width], axis=1)

    steps = np.concatenate([STEPS, 1e-3 * kink_width])
    estimate = truth
    for _ in range(4):
        shifted = estimate + np.concatenate([np.diag(steps), -np.diag(steps)])
        there = missed(np.concatenate([shifted, estimate[None]]))
        jacobian = ((there[: len(steps)] - there[len(steps) : -1]) / (2 * steps[:, None])).T
        normal = jacobian.T @ jacobian
        estimate = estimate - np.linalg.solve(normal, jacobian.T @ there[-1])
    return Fits(estimate[None, :5], np.linalg.inv(normal)[None, :5, :5]), quick


def _distance(state: State, origin: FloatArray, wire: FloatArray, normal: FloatArray) -> FloatArray:
    """Signed distance of closest approach between flights and a wire through a point."""
    for _ in range(4):  # Newton steps towards the closest approach
        across = _perpendicular(state.point() - origin, wire)
        along = _perpendicular(state.direction(), wire)
        step = (across * along).sum(axis=0) / (along**2).sum(axis=0)
        state = state.moved(-step / state.secant)
    apart = np.cross(wire, state.direction(), axis=0)
    apart *= np.sign((apart * normal).sum(axis=0)) / np.linalg.norm(apart, axis=0)
    return ((state.point() - origin) * apart).sum(axis=0)


def _perpendicular(vector: FloatArray, axis: FloatArray) -> FloatArray:
    return vector - (vector * axis).sum(axis=0) * axis
