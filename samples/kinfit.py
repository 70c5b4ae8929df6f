"""Kinematic fits: momenta of many candidates at once, moved to obey what is known of them.

Of y0 with the covariance V, the y that minimises (y - y0)^T V^-1 (y - y0) while f(y) = 0 is found
by Lagrange multipliers, with f expanded anew at every step: with G = df/dy and r = f + G (y0 - y),

    y = y0 - V G^T (G V G^T)^-1 r,   chi2 = r^T (G V G^T)^-1 r

(P. Avery, CLEO notes CBX 91-72 and 98-37). Where what is known has an error itself, such as the
momentum of the beams, its covariance is added to G V G^T, which is what comes out if it is fitted
along.

    from darkbelle.samples import kinfit

    four = kinfit.tracks(helix, cov, 4 * [MASS_MU], field)          # helix (n, 4, 5) ...
    fitted = kinfit.fit(four, [kinfit.beams(experiment.collider)])  # 4C
    mass, sigma = fitted.particles.mass((0, 1))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc

from darkbelle.detsim.helix import momentum, momentum_covariance
from darkbelle.detsim.vertexing import Vertices
from darkbelle.errors import ConfigError
from darkbelle.gen.kinematics import dot
from darkbelle.geometry import Collider
from darkbelle.units import MeV

__all__ = [
    "Constraint",
    "Fitted",
    "FourMomentum",
    "Mass",
    "Particles",
    "beams",
    "charged",
    "fit",
    "from_vertices",
    "photons",
    "together",
    "tracks",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MAX_STEPS: Final = 30
_CONVERGED: Final = 1e-8
"""Square of a step, in units of the errors, below which it is the last."""
_SINGULAR: Final = 1e-12
"""Determinant of correlations of constraints below which they say the same thing twice."""
_NO_PULL: Final = 1e-9
"""Share of its variance that a parameter must lose for its pull to mean something."""


@dataclass(frozen=True, slots=True)
class Particles:
    """k particles of n candidates, three parameters each.

    Those of a mass are given by (px, py, pz), those without, photons, by (energy, theta, phi).
    """

    parameters: FloatArray
    """GeV and rad, shape (n, k, 3)"""
    cov: FloatArray
    """Covariance of all parameters of a candidate, shape (n, 3 k, 3 k)"""
    masses: tuple[float, ...]
    """GeV, one for each of the k particles; zero makes it a photon"""

    def __post_init__(self) -> None:
        n, k, _ = shape = self.parameters.shape
        if shape[2] != 3 or len(self.masses) != k or self.cov.shape != (n, 3 * k, 3 * k):
            raise ConfigError(
                f"parameters of the shape {shape} want {k} masses (got {len(self.masses)}) and "
                f"covariances of the shape {(n, 3 * k, 3 * k)} (got {self.cov.shape})"
            )
        if not all(0 <= mass < math.inf for mass in self.masses):
            raise ConfigError(f"masses must be positive, zero for photons (got {self.masses})")

    def __len__(self) -> int:
        return len(self.parameters)

    def momenta(self) -> FloatArray:
        """Four-momenta (e, px, py, pz) [GeV], shape (4, k, n)."""
        return self.expanded()[0].transpose(2, 1, 0)

    def expanded(self) -> tuple[FloatArray, FloatArray]:
        """Four-momenta and their derivatives by the parameters, shapes (n, k, 4), (n, k, 4, 3)."""
        values = np.empty((*self.parameters.shape[:2], 4))
        slopes = np.zeros((*values.shape, 3))
        for i, mass in enumerate(self.masses):
            expand = _of_charged if mass else _of_photon
            values[:, i], slopes[:, i] = expand(self.parameters[:, i], mass)
        return values, slopes

    def mass(self, members: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Invariant mass of some of them and its error [GeV], shape (n,) each."""
        values, slopes = self.expanded()
        total = values[:, members].sum(axis=1)
        mass = np.sqrt(np.maximum(dot(total.T, total.T), 0.0))
        gradient = np.zeros(self.parameters.shape)
        lowered = total * np.array([1.0, -1.0, -1.0, -1.0])  # M dM = P.dP
        gradient[:, members] = np.einsum("nf,nkfj->nkj", lowered, slopes[:, members])
        gradient = gradient.reshape(self.cov.shape[:2])
        variance = np.einsum("ni,nij,nj->n", gradient, self.cov, gradient)
        sigma = np.sqrt(np.maximum(variance, 0.0)) / np.where(mass > 0, mass, np.inf)
        return mass, sigma


def charged(momenta: FloatArray, cov: FloatArray, masses: Sequence[float]) -> Particles:
    """Independent particles by momenta [GeV] and covariances, (n, k, 3) and (n, k, 3, 3)."""
    return Particles(momenta, _block_diagonal(cov), tuple(masses))


def tracks(helix: FloatArray, cov: FloatArray, masses: Sequence[float], field: float) -> Particles:
    """Tracks at their perigees, helices (n, k, 5), covariances (n, k, 5, 5), field [T]."""
    return charged(momentum(helix, field), momentum_covariance(helix, cov, field), masses)


def from_vertices(vertices: Vertices, masses: Sequence[float]) -> Particles:
    """The tracks of fitted vertices, which their common point correlates."""
    n, k, _ = vertices.momentum.shape
    slope = vertices.momentum_slope.reshape(n, 3 * k, 3)
    common = slope @ vertices.cov @ np.swapaxes(slope, 1, 2)
    return Particles(
        vertices.momentum, _block_diagonal(vertices.momentum_cov) + common, tuple(masses)
    )


def photons(
    energy: FloatArray,
    theta: FloatArray,
    phi: FloatArray,
    *,
    sigma_energy: FloatArray,
    sigma_theta: FloatArray,
    sigma_phi: FloatArray,
) -> Particles:
    """Photons that fly straight from the origin to their clusters, shape (n, k) each."""
    variances = np.stack([sigma_energy, sigma_theta, sigma_phi], axis=-1) ** 2
    cov = _block_diagonal(variances[..., None] * np.eye(3))
    return Particles(np.stack([energy, theta, phi], axis=-1), cov, (0.0,) * energy.shape[1])


def together(*groups: Particles) -> Particles:
    """Particles of the same candidates, measured independently of one another, as one set."""
    sizes = np.cumsum([0, *(3 * len(group.masses) for group in groups)])
    cov = np.zeros((len(groups[0]), sizes[-1], sizes[-1]))
    for group, begin, end in zip(groups, sizes[:-1], sizes[1:], strict=True):
        cov[:, begin:end, begin:end] = group.cov
    return Particles(
        np.concatenate([group.parameters for group in groups], axis=1),
        cov,
        sum((group.masses for group in groups), ()),
    )


class Constraint(Protocol):
    """Equations that four-momenta obey."""

    @property
    def cov(self) -> FloatArray:
        """What is known of how well they hold, shape (c, c): zero where they are exact."""

    def equations(self, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What is to be zero, and its derivatives, of momenta (n, k, 4).

        Shapes (n, c) and (n, c, k, 4).
        """


@dataclass(frozen=True, slots=True)
class FourMomentum:
    """All particles together have this four-momentum [GeV], shape (4,), up to a covariance."""

    total: FloatArray
    cov: FloatArray

    def equations(self, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What is missing, cf. `Constraint`."""
        n, k, _ = momenta.shape
        return momenta.sum(axis=1) - self.total, np.broadcast_to(np.eye(4)[:, None], (n, 4, k, 4))


def beams(collider: Collider, *, spread: bool = False) -> FourMomentum:
    """The colliding beams as those of all particles; with their spread, or taken as fixed."""
    rays = np.array([[1.0, *collider.direction_her], [1.0, *collider.direction_ler]])
    sigmas = np.array([collider.spread_her_mev, collider.spread_ler_mev]) * MeV
    if not (spread and collider.beam_spread):
        sigmas = np.zeros(2)
    return FourMomentum(collider.four_momentum, rays.T @ np.diag(sigmas**2) @ rays)


@dataclass(frozen=True, slots=True)
class Mass:
    """Some of the particles, by their places, have a mass above zero [GeV] together."""

    members: tuple[int, ...]
    mass: float

    def __post_init__(self) -> None:
        if not 0 < self.mass < math.inf:
            raise ConfigError(f"the mass of a constraint must be positive (got {self.mass} GeV)")
        if not self.members or len({*self.members}) < len(self.members):
            raise ConfigError(f"members must be places of different particles (got {self.members})")

    @property
    def cov(self) -> FloatArray:
        """Zero, cf. `Constraint`."""
        return np.zeros((1, 1))

    def equations(self, momenta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(M^2 - m^2)/(2 m), which is quadratic in momenta, cf. `Constraint`."""
        total = momenta[:, self.members].sum(axis=1)
        excess = (dot(total.T, total.T) - self.mass**2) / (2 * self.mass)
        slopes = np.zeros((len(momenta), 1, *momenta.shape[1:]))
        lowered = total * np.array([1.0, -1.0, -1.0, -1.0]) / self.mass
        slopes[:, 0, self.members] = lowered[:, None]
        return excess[:, None], slopes


@dataclass(frozen=True, slots=True)
class Fitted:
    """Results of fits. One that did not converge leaves its particles as they were measured."""

    particles: Particles
    chi2: FloatArray
    """Shape (n,), infinite without convergence"""
    ndf: int
    pulls: FloatArray
    """Fitted less measured parameters in units of the error of that, shape (n, k, 3).

    Zero for parameters that the constraints say nothing about.
    """
    is_converged: BoolArray

    @property
    def probability(self) -> FloatArray:
        """Chance of a greater chi2, flat where everything is as assumed, shape (n,)."""
        return np.asarray(gammaincc(self.ndf / 2, self.chi2 / 2), np.float64)


def fit(measured: Particles, constraints: Sequence[Constraint]) -> Fitted:
    """Fit all candidates to the same constraints.

    Constraints must be independent: two masses of the same particles do not converge. ConfigError
    where there are none.
    """
    if not constraints:
        raise ConfigError("a fit needs a constraint at least")
    cov = measured.cov
    start = measured.parameters.reshape(cov.shape[:2])
    sound = np.isfinite(start).all(axis=1) & np.isfinite(cov).all(axis=(1, 2))
    variance = np.where(_variances(cov) > 0, _variances(cov), 1.0)
    current = start.copy()
    converged = np.zeros(len(measured), bool)
    todo = np.flatnonzero(sound)
    with np.errstate(over="ignore", invalid="ignore"):  # of those that run away
        for _ in range(_MAX_STEPS):
            step = _Step.take(measured, current[todo], todo, constraints)
            moved = start[todo] - step.shift
            size2 = np.sum((moved - current[todo]) ** 2 / variance[todo], axis=1)
            current[todo] = moved
            good = step.is_sound & np.isfinite(size2)
            converged[todo] = good & (size2 < _CONVERGED)
            todo = todo[good & (size2 >= _CONVERGED)]
            if not len(todo):
                break
    done = np.flatnonzero(converged)
    step = _Step.take(measured, current[done], done, constraints)
    lost = step.gain @ step.inverse @ np.swapaxes(step.gain, 1, 2)
    ndf = sum(len(constraint.cov) for constraint in constraints)
    return _assemble(measured, done, step, lost, ndf)


def _assemble(
    measured: Particles, done: npt.NDArray[np.intp], step: _Step, lost: FloatArray, ndf: int
) -> Fitted:
    """Results of the fits that converged among those that did not."""
    parameters, cov = measured.parameters.copy(), measured.cov.copy()
    shape = parameters.shape[1:]
    parameters[done] -= step.shift.reshape(len(done), *shape)
    cov[done] -= lost
    chi2 = np.full(len(measured), np.inf)
    chi2[done] = np.einsum("ni,nij,nj->n", step.residual, step.inverse, step.residual)
    known = _variances(measured.cov[done])
    drop = _variances(lost)
    drop = np.where(drop > _NO_PULL * known, drop, np.inf)
    pulls = np.zeros_like(parameters)
    pulls[done] = (-step.shift / np.sqrt(drop)).reshape(len(done), *shape)
    converged = np.zeros(len(measured), bool)
    converged[done] = True
    return Fitted(Particles(parameters, cov, measured.masses), chi2, ndf, pulls, converged)


@dataclass(frozen=True, slots=True)
class _Step:
    """Constraints expanded at some parameters, of m candidates.

    With the names of the module: ``shift`` = V G^T S^-1 r, ``gain`` = V G^T, ``inverse`` = S^-1.
    """

    residual: FloatArray
    gain: FloatArray
    inverse: FloatArray
    shift: FloatArray
    is_sound: BoolArray

    @classmethod
    def take(
        cls,
        measured: Particles,
        parameters: FloatArray,
        rows: npt.NDArray[np.intp],
        constraints: Sequence[Constraint],
    ) -> _Step:
        cov = measured.cov[rows]
        start = measured.parameters[rows]
        here = Particles(parameters.reshape(start.shape), cov, measured.masses)
        values, by_parameter = here.expanded()
        equations = [constraint.equations(values) for constraint in constraints]
        slopes = np.concatenate([slope for _, slope in equations], axis=1)
        jacobian = (slopes.swapaxes(1, 2) @ by_parameter).swapaxes(1, 2)
        jacobian = jacobian.reshape(len(rows), slopes.shape[1], cov.shape[1])
        back = start.reshape(parameters.shape) - parameters
        residual = np.concatenate([value for value, _ in equations], axis=1)
        residual += (jacobian @ back[..., None])[..., 0]
        gain = cov @ np.swapaxes(jacobian, 1, 2)
        spread = jacobian @ gain + _direct_sum([constraint.cov for constraint in constraints])
        inverse, is_sound = _inverse(spread)
        shift = (gain @ (inverse @ residual[..., None]))[..., 0]
        return cls(residual, gain, inverse, shift, is_sound)


def _inverse(spread: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Inverse of covariances, and which have one."""
    scale = np.sqrt(np.maximum(_variances(spread), 0.0))
    usable: BoolArray = np.isfinite(spread).all(axis=(1, 2)) & np.all(scale > 0, axis=1)
    norm = np.where(usable[:, None], scale, 1.0)
    norm = norm[:, :, None] * norm[:, None]
    unit = np.eye(spread.shape[1])
    correlation = np.where(usable[:, None, None], spread / norm, unit)
    usable = usable & np.greater(np.linalg.det(correlation), _SINGULAR)
    correlation[~usable] = unit
    return np.linalg.inv(correlation) / norm, usable


def _of_charged(parameters: FloatArray, mass: float) -> tuple[FloatArray, FloatArray]:
    """Four-momenta of (px, py, pz), and derivatives."""
    energy = np.sqrt(np.sum(parameters**2, axis=1) + mass**2)
    slopes = np.zeros((len(parameters), 4, 3))
    slopes[:, 0] = parameters / energy[:, None]
    slopes[:, 1:] = np.eye(3)
    return np.concatenate([energy[:, None], parameters], axis=1), slopes


def _of_photon(parameters: FloatArray, _: float) -> tuple[FloatArray, FloatArray]:
    """Four-momenta of (energy, theta, phi), and derivatives."""
    energy, theta, phi = parameters.T
    one, zero = np.ones_like(energy), np.zeros_like(energy)
    sin, cos, sin_phi, cos_phi = np.sin(theta), np.cos(theta), np.sin(phi), np.cos(phi)
    ray = np.stack([one, sin * cos_phi, sin * sin_phi, cos], axis=1)
    by_theta = np.stack([zero, cos * cos_phi, cos * sin_phi, -sin], axis=1)
    by_phi = np.stack([zero, -sin * sin_phi, sin * cos_phi, zero], axis=1)
    values = energy[:, None] * ray
    return values, np.stack([ray, energy[:, None] * by_theta, energy[:, None] * by_phi], axis=2)


def _block_diagonal(blocks: FloatArray) -> FloatArray:
    """Matrices of blocks, (n, k, 3, 3) to (n, 3 k, 3 k)."""
    n, k = blocks.shape[:2]
    whole = np.zeros((n, k, 3, k, 3))
    for i in range(k):
        whole[:, i, :, i] = blocks[:, i]
    return whole.reshape(n, 3 * k, 3 * k)


def _direct_sum(matrices: Sequence[FloatArray]) -> FloatArray:
    """One matrix with some along its diagonal."""
    sizes = np.cumsum([0, *map(len, matrices)])
    whole = np.zeros((sizes[-1], sizes[-1]))
    for matrix, begin, end in zip(matrices, sizes[:-1], sizes[1:], strict=True):
        whole[begin:end, begin:end] = matrix
    return whole


def _variances(cov: FloatArray) -> FloatArray:
    """Diagonals, (n, k, k) to (n, k)."""
    diagonal: FloatArray = np.diagonal(cov, axis1=1, axis2=2)
    return diagonal
