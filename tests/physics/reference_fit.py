"""What a track fit does with real hits behind real scattering: slow, and apart from `detsim`.

A particle goes from layer to layer in Cartesian coordinates, with a random kink at each; what it
leaves is fitted by weighted least squares with the full covariance of the measurements, all
derivatives by finite differences. Wires are straight lines on their hyperboloid, their gas is spread
over all layers. Of the package only the card and `helix.perigee` are used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helix import perigee
from darkbelle.geometry import Experiment

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CURVATURE = 2.99792458e-3  # GeV / (T cm)
UM, MRAD, DEG = 1e-4, 1e-3, math.pi / 180
Z_MARGIN = 2.0  # cm: a scattered track may meet a layer that the nominal one just misses
STEPS = np.array([1e-3, 1e-5, 1e-8, 1e-3, 1e-5])  # of d0, phi0, omega, z0, tan_lambda
KINK_STEP = 1e-5


@dataclass(frozen=True)
class Layer:
    """A surface of revolution, r^2 = (radius + slope (z - z_mid))^2 + (tan_stereo (z - z_mid))^2."""

    radius: float
    z_mid: float
    z_limits: tuple[float, float]
    thickness: float  # radiation lengths along the normal
    sigma: tuple[float, ...] = ()  # (r-phi, along) in silicon, (distance,) at a wire
    slope: float = 0.0
    tan_stereo: float = 0.0
    z_gap: tuple[float, float] | None = None
    phi_range: tuple[float, float] | None = None

    def profile(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Radius at z, and its derivative."""
        along = z - self.z_mid
        cone = self.radius + self.slope * along
        r = np.hypot(cone, self.tan_stereo * along)
        return r, (cone * self.slope + self.tan_stereo**2 * along) / r

    def contains(self, x: FloatArray, y: FloatArray, z: FloatArray) -> BoolArray:
        inside = (self.z_limits[0] < z) & (z < self.z_limits[1])
        if self.z_gap is not None:
            inside &= ~((self.z_gap[0] <= z) & (z <= self.z_gap[1]))
        if self.phi_range is not None:
            centre, half = np.mean(self.phi_range), np.ptp(self.phi_range) / 2
            inside &= np.cos(np.arctan2(y, x) - centre) > math.cos(half)
        return inside


def layers_of(experiment: Experiment) -> list[Layer]:
    """All layers of a card, in no particular order."""
    layers = [
        Layer((p.r_min_cm + p.r_max_cm) / 2, 0.0, (p.z_min_cm, p.z_max_cm), p.thickness_x0)
        for p in experiment.passive.values()
    ]
    for silicon in experiment.silicon.values():
        phi_range = silicon.phi_range_deg and tuple(DEG * phi for phi in silicon.phi_range_deg)
        sigma = (silicon.sigma_rphi_um * UM, silicon.sigma_z_um * UM)
        barrel = Layer(
            silicon.radius_cm,
            0.0,
            (silicon.z_min_cm, silicon.z_max_cm),
            silicon.thickness_x0,
            sigma,
            z_gap=silicon.z_gap_cm,
            phi_range=phi_range,
        )
        layers.append(barrel)
        if cone := silicon.slanted:
            slope = (cone.far_r_cm - cone.near_r_cm) / (cone.far_z_cm - cone.near_z_cm)
            ends = (cone.near_z_cm, cone.far_z_cm)
            radius, z_mid = (cone.near_r_cm + cone.far_r_cm) / 2, sum(ends) / 2
            layers.append(Layer(radius, z_mid, ends, silicon.thickness_x0, sigma, slope))
    return layers + _wire_layers(experiment)


def _wire_layers(experiment: Experiment) -> list[Layer]:
    chamber = experiment.drift_chamber
    columns = [
        column
        for s in chamber.superlayers
        for column in zip(
            s.radius_cm, s.z_min_cm, s.z_max_cm, s.stereo_mrad, s.sigma_um, strict=True
        )
    ]
    radii = np.array([column[0] for column in columns])
    middles = (radii[1:] + radii[:-1]) / 2
    edges = [2 * radii[0] - middles[0], *middles, 2 * radii[-1] - middles[-1]]
    layers = []
    for gas, (radius, z_min, z_max, stereo, sigma) in zip(np.diff(edges), columns, strict=True):
        tan_stereo = math.tan(stereo * MRAD)
        waist = math.sqrt(radius**2 - ((z_max - z_min) / 2 * tan_stereo) ** 2)
        layers.append(
            Layer(
                waist,
                (z_min + z_max) / 2,
                (z_min, z_max),
                gas * chamber.material_x0_per_cm,
                (sigma * UM,),
                tan_stereo=tan_stereo,
            )
        )
    return layers


@dataclass
class State:
    """Where particles are and where they go; changes as they move."""

    x: FloatArray
    y: FloatArray
    z: FloatArray
    phi: FloatArray
    tan_lambda: FloatArray
    omega: FloatArray

    @classmethod
    def from_helix(cls, helix: FloatArray, arc: float) -> State:
        """At an arc length from the perigee."""
        d0, phi, omega, z0, tan_lambda = helix.T
        at_perigee = cls(d0 * np.sin(phi), -d0 * np.cos(phi), z0, phi, tan_lambda, omega)
        return at_perigee.moved(np.full(len(helix), arc))

    def moved(self, arc: FloatArray) -> State:
        phi = self.phi - self.omega * arc
        x = self.x + (np.sin(self.phi) - np.sin(phi)) / self.omega
        y = self.y + (np.cos(phi) - np.cos(self.phi)) / self.omega
        return State(x, y, self.z + self.tan_lambda * arc, phi, self.tan_lambda, self.omega)

    def arc_to(self, layer: Layer) -> tuple[FloatArray, BoolArray]:
        """Arc length to the next outward crossing of a layer, and whether there is one."""
        centre = self.x + np.sin(self.phi) / self.omega, self.y - np.cos(self.phi) / self.omega
        distance, azimuth = np.hypot(*centre), np.arctan2(centre[1], centre[0])
        target, _ = layer.profile(np.full_like(self.x, layer.z_mid))
        sine = (target**2 - distance**2 - self.omega**-2) * self.omega / (2 * distance)
        sign = np.sign(self.omega)
        turn = sign * (self.phi - azimuth + np.arcsin(np.clip(sine, -1, 1))) % (2 * np.pi)
        outward = self.x * np.cos(self.phi) + self.y * np.sin(self.phi) > 0
        exists = (np.abs(sine) < 1) & (turn < np.where(outward, np.pi, 2 * np.pi))
        arc = np.where(exists, turn / np.abs(self.omega), 0.0)
        for _ in range(6 if layer.slope or layer.tan_stereo else 2):
            there = self.moved(arc)
            r = np.hypot(there.x, there.y)
            cos_psi = (there.x * np.cos(there.phi) + there.y * np.sin(there.phi)) / r
            radius, slope = layer.profile(there.z)
            rate = cos_psi - slope * self.tan_lambda
            exists &= rate > 0.01
            arc -= np.where(exists, (r - radius) / np.where(exists, rate, 1.0), 0.0)
        there = self.moved(arc)
        miss = np.hypot(there.x, there.y) - layer.profile(there.z)[0]
        return arc, exists & (arc > 0) & (np.abs(miss) < 1e-8)

    def kink(self, in_phi: FloatArray, in_lambda: FloatArray) -> None:
        """Turn the direction by two small angles across it; the momentum stays."""
        cos_lambda = 1 / np.sqrt(1 + self.tan_lambda**2)
        sin_lambda = self.tan_lambda * cos_lambda
        forward = cos_lambda - in_lambda * sin_lambda  # along (cos phi, sin phi, 0)
        transverse = np.hypot(forward, in_phi)
        upward = sin_lambda + in_lambda * cos_lambda
        length = np.hypot(transverse, upward)
        self.phi = self.phi + np.arctan2(in_phi, forward)
        self.tan_lambda = upward / transverse
        self.omega = self.omega * cos_lambda * length / transverse


@dataclass(frozen=True)
class Journey:
    """Crossings: point (n, n_layers, 3), direction there (n, n_layers, 3), and whether they exist."""

    point: FloatArray
    direction: FloatArray
    reached: BoolArray
    inside: BoolArray


def travel(
    state: State, layers: Sequence[Layer], kinks: FloatArray, *, everywhere: bool = False
) -> Journey:
    """Go through the layers in order, with kinks (n, n_layers, 2) where a layer is really crossed."""
    shape = (len(state.x), len(layers))
    point, direction = np.zeros((*shape, 3)), np.zeros((*shape, 3))
    reached, inside = np.zeros(shape, bool), np.zeros(shape, bool)
    for i, layer in enumerate(layers):
        arc, exists = state.arc_to(layer)
        state = state.moved(np.where(exists, arc, 0.0))
        point[:, i] = np.stack([state.x, state.y, state.z], axis=-1)
        direction[:, i] = np.stack(
            [np.cos(state.phi), np.sin(state.phi), state.tan_lambda], axis=-1
        ) / np.sqrt(1 + state.tan_lambda**2)[:, None]
        reached[:, i] = exists
        inside[:, i] = exists & layer.contains(state.x, state.y, state.z)
        deflected = (exists if everywhere else inside[:, i])[:, None]
        state.kink(*np.where(deflected, kinks[:, i], 0.0).T)
    return Journey(point, direction, reached, inside)


def _axes(layer: Layer, point: FloatArray, direction: FloatArray) -> list[FloatArray]:
    """Directions in which a layer measures the place of a track."""
    x, y, z = point
    azimuth = math.atan2(y, x)
    radial, around = np.array([x, y, 0.0]) / math.hypot(x, y), np.array([-y, x, 0.0])
    if len(layer.sigma) == 2:
        along = layer.slope * radial + [0, 0, 1]
        return [around / math.hypot(x, y), along / np.linalg.norm(along)]
    if not layer.sigma:
        return []
    # A wire runs straight through its waist, where it has no radial component.
    waist = azimuth - math.atan2((z - layer.z_mid) * layer.tan_stereo, layer.radius)
    across = layer.tan_stereo * np.array([-math.sin(waist), math.cos(waist), 0.0])
    distance = np.cross(across + [0, 0, 1], direction)
    return [distance / np.linalg.norm(distance)]


@dataclass(frozen=True)
class ReferenceFit:
    """Least-squares fits of many equal particles."""

    truth: FloatArray
    """True perigee parameters, shape (5,)."""
    deviation: FloatArray
    """Fitted minus true parameters of the tracks that could be fitted, shape (n, 5)."""
    patterns: int
    """How many different sets of layers the particles crossed."""


def fit_particles(
    experiment: Experiment,
    position: FloatArray,
    momentum: FloatArray,
    charge: int,
    mass: float,
    n_tracks: int,
    rng: np.random.Generator,
) -> ReferenceFit:
    """Send equal particles, position [cm] and momentum [GeV] of shape (3,), and fit what they leave.

    Parameters
    ----------
    experiment
        Its hit efficiencies and resolution tails are not used: every crossed layer has a hit.
    """
    pt, p = math.hypot(momentum[0], momentum[1]), float(np.linalg.norm(momentum))
    omega = charge * CURVATURE * experiment.solenoid.field_t / pt
    phi, tan_lambda = math.atan2(momentum[1], momentum[0]), momentum[2] / pt
    truth, birth = (
        value[0]
        for value in perigee(
            position[None], np.array([phi]), np.array([omega]), np.array([tan_lambda])
        )
    )
    layers = _in_order(State.from_helix(truth[None], birth), layers_of(experiment))
    calm = np.zeros((1, len(layers), 2))
    nominal = travel(State.from_helix(truth[None], birth), layers, calm)

    variance = _kink_variances(layers, nominal, p, p / math.hypot(p, mass))
    kinks = rng.standard_normal((n_tracks, len(layers), 2)) * np.sqrt(variance)[:, None]
    particles = travel(State.from_helix(np.tile(truth, (n_tracks, 1)), birth), layers, kinks)

    axes = [
        _axes(*crossing)
        for crossing in zip(layers, nominal.point[0], nominal.direction[0], strict=True)
    ]
    owner = np.array([i for i, directions in enumerate(axes) for _ in directions])
    directions = np.array([axis for directions in axes for axis in directions])
    sigma = np.array([sigma for layer in layers for sigma in layer.sigma])

    def measured(journey: Journey) -> FloatArray:
        apart = journey.point - nominal.point
        return np.einsum("nmk,mk->nm", apart[:, owner], directions)

    residual = measured(particles) + sigma * rng.standard_normal((n_tracks, len(sigma)))
    by_helix = _by_helix(measured, truth, birth, layers)
    by_kink = _by_kink(measured, truth, birth, layers)

    deviation = np.full((n_tracks, 5), np.nan)
    patterns, member = np.unique(particles.inside, axis=0, return_inverse=True)
    for i, pattern in enumerate(patterns):
        hits = pattern[owner]
        if hits.sum() < 6:
            continue
        lever = by_kink[hits][:, pattern].reshape(hits.sum(), -1)
        covariance = np.diag(sigma[hits] ** 2)
        covariance += (lever * np.repeat(variance[pattern], 2)) @ lever.T
        chosen = member.ravel() == i
        weighted = np.linalg.solve(covariance, by_helix[hits])
        information = by_helix[hits].T @ weighted
        if np.linalg.cond(information / np.outer(1 / STEPS, 1 / STEPS)) > 1e12:
            continue
        deviation[chosen] = residual[chosen][:, hits] @ np.linalg.solve(information, weighted.T).T
    deviation += _extra(experiment, position, truth, pt, p / math.hypot(p, mass), deviation, rng)
    return ReferenceFit(truth, deviation[np.isfinite(deviation).all(axis=1)], len(patterns))


def _in_order(start: State, layers: list[Layer]) -> list[Layer]:
    """The layers that an undisturbed particle meets or almost meets, as it meets them."""
    met = []
    for layer in layers:
        arc, exists = start.arc_to(layer)
        z = float(start.moved(arc).z[0])
        if exists[0] and layer.z_limits[0] - Z_MARGIN < z < layer.z_limits[1] + Z_MARGIN:
            met.append((float(arc[0]), layer))
    return [layer for _, layer in sorted(met, key=lambda pair: pair[0])]


def _kink_variances(layers: list[Layer], nominal: Journey, p: float, beta: float) -> FloatArray:
    """Highland's formula, its logarithm for all the material that is crossed."""
    x, y, _ = nominal.point[0].T
    radial = (nominal.direction[0, :, 0] * x + nominal.direction[0, :, 1] * y) / np.hypot(x, y)
    slope = np.array([layer.slope for layer in layers])
    cosine = (radial - slope * nominal.direction[0, :, 2]) / np.sqrt(1 + slope**2)
    thickness = np.array([layer.thickness for layer in layers]) / cosine
    total = thickness[nominal.inside[0]].sum()
    width = 0.0136 / (beta * p) * (1 + 0.038 * math.log(total / beta**2))
    return thickness * width**2


def _by_helix(measured, truth: FloatArray, birth: float, layers: list[Layer]) -> FloatArray:
    """Derivatives of the measurements by the perigee parameters, shape (n_measurements, 5)."""
    steps = np.concatenate([np.diag(STEPS), -np.diag(STEPS)])
    calm = np.zeros((10, len(layers), 2))
    there = measured(travel(State.from_helix(truth + steps, birth), layers, calm))
    return ((there[:5] - there[5:]) / (2 * STEPS[:, None])).T


def _by_kink(measured, truth: FloatArray, birth: float, layers: list[Layer]) -> FloatArray:
    """Derivatives by both kinks at each layer, shape (n_measurements, n_layers, 2)."""
    n = 2 * len(layers)
    kinks = KINK_STEP * np.concatenate([np.eye(n), -np.eye(n)]).reshape(2 * n, -1, 2)
    start = State.from_helix(np.tile(truth, (2 * n, 1)), birth)
    there = measured(travel(start, layers, kinks, everywhere=True))
    return ((there[:n] - there[n:]) / (2 * KINK_STEP)).T.reshape(-1, len(layers), 2)


def _extra(
    experiment: Experiment,
    position: FloatArray,
    truth: FloatArray,
    pt: float,
    beta: float,
    like: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """The card's additional smearing of the momentum, at the point where the particle is born."""
    smearing = experiment.tracking.momentum_smearing
    relative = math.hypot(
        smearing.pt_coefficient_per_gev * pt, smearing.beta_coefficient / beta
    )
    omega, tan_lambda = truth[2], truth[4]
    arc = (position[2] - truth[3]) / tan_lambda if tan_lambda else math.nan
    if abs(math.hypot(position[0], position[1]) - abs(truth[0])) < 1e-6 or math.isnan(arc):
        arc = 0.0
    phi = np.full(2, truth[1] - omega * arc)
    omegas = omega + np.array([1, -1]) * STEPS[2]
    helices, _ = perigee(np.tile(position, (2, 1)), phi, omegas, np.full(2, tan_lambda))
    derivative = (helices[0] - helices[1]) / (2 * STEPS[2])
    return rng.standard_normal((len(like), 1)) * omega * relative * derivative
