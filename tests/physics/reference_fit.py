"""What a track fit does with real hits behind real scattering: slow, and apart from `detsim`.

A particle goes from layer to layer in Cartesian coordinates, with a random kink at each; what it
leaves is fitted by weighted least squares with the full covariance of the measurements, all
derivatives by finite differences. Wires are straight lines on their hyperboloid, their gas is
spread over all layers. Of the package only the card and `helix.perigee` are used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

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
MIN_COORDINATES = 10


@dataclass(frozen=True)
class Layer:
    """A surface of revolution: r^2 = (radius + slope d)^2 + (tan_stereo d)^2 with d = z - z_mid."""

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
    """All layers of a card up to the last wire, in no particular order."""
    end = max(superlayer.radius_cm[-1] for superlayer in experiment.drift_chamber.superlayers)
    layers = [
        Layer((p.r_min_cm + p.r_max_cm) / 2, 0.0, (p.z_min_cm, p.z_max_cm), p.thickness_x0)
        for p in experiment.passive.values()
        if p.r_min_cm < end
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


@dataclass(frozen=True)
class State:
    """Where particles are and where they go, arrays of one shape."""

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

    def kinked(self, in_phi: FloatArray, in_lambda: FloatArray) -> State:
        """Turned by two small angles across the direction; the momentum stays."""
        cos_lambda = 1 / np.sqrt(1 + self.tan_lambda**2)
        sin_lambda = self.tan_lambda * cos_lambda
        forward = cos_lambda - in_lambda * sin_lambda  # along (cos phi, sin phi, 0)
        transverse = np.hypot(forward, in_phi)
        upward = sin_lambda + in_lambda * cos_lambda
        cos_after = transverse / np.hypot(transverse, upward)
        return State(
            self.x,
            self.y,
            self.z,
            self.phi + np.arctan2(in_phi, forward),
            upward / transverse,
            self.omega * cos_lambda / cos_after,
        )

    def point(self) -> FloatArray:
        return np.stack([self.x, self.y, self.z], axis=-1)

    def direction(self) -> FloatArray:
        direction = [np.cos(self.phi), np.sin(self.phi), self.tan_lambda]
        return np.stack(direction, axis=-1) / np.sqrt(1 + self.tan_lambda**2)[..., None]


@dataclass(frozen=True)
class Journey:
    """Crossings of every layer by every particle, all of shape (n, n_layers).

    ``reached``: it meets the surface of the layer; ``inside``: within its limits.
    """

    state: State
    reached: BoolArray
    inside: BoolArray


def travel(
    state: State, layers: Sequence[Layer], kinks: FloatArray, *, everywhere: bool = False
) -> Journey:
    """Go through the layers; ``kinks`` (n, n_layers, 2) act where a layer is really crossed."""
    states, reached, inside = [], [], []
    for i, layer in enumerate(layers):
        arc, exists = state.arc_to(layer)
        state = state.moved(np.where(exists, arc, 0.0))
        states.append(state)
        reached.append(exists)
        inside.append(exists & layer.contains(state.x, state.y, state.z))
        deflected = (exists if everywhere else inside[-1])[:, None]
        state = state.kinked(*np.where(deflected, kinks[:, i], 0.0).T)
    columns = (np.stack([getattr(s, f.name) for s in states], axis=-1) for f in fields(State))
    return Journey(State(*columns), np.stack(reached, axis=-1), np.stack(inside, axis=-1))


class Sensors:
    """What the layers measure, one coordinate after the other, zero for the nominal particle.

    Silicon measures the place in its plane; a wire that the nominal particle hits measures the
    signed distance of closest approach.
    """

    def __init__(self, layers: Sequence[Layer], nominal: State) -> None:
        self.origin = nominal.point()[0]
        silicon: list[tuple[int, FloatArray, float]] = []
        wires: list[tuple[int, FloatArray, float]] = []
        for i, layer in enumerate(layers):
            x, y, z = self.origin[i]
            radial, around = np.array([x, y, 0.0]), np.array([-y, x, 0.0])
            radial, around = (v / np.linalg.norm(v) for v in (radial, around))
            if len(layer.sigma) == 2:
                along = np.array([*layer.slope * radial[:2], 1.0])
                silicon.append((i, around, layer.sigma[0]))
                silicon.append((i, along / np.linalg.norm(along), layer.sigma[1]))
            elif layer.sigma:
                # A wire runs straight through its waist, where it has no radial component.
                turn = math.atan2((z - layer.z_mid) * layer.tan_stereo, layer.radius)
                wire = layer.tan_stereo * (math.cos(turn) * around + math.sin(turn) * radial)
                wires.append((i, [*wire[:2], 1.0], layer.sigma[0]))
        self.n_silicon = len(silicon)
        self.layer = np.array([i for i, _, _ in silicon + wires])
        self.axis = np.array([axis for _, axis, _ in silicon + wires])
        self.axis /= np.linalg.norm(self.axis, axis=1)[:, None]
        self.sigma = np.array([sigma for _, _, sigma in silicon + wires])

    def measure(self, state: State) -> FloatArray:
        """Coordinates of particles at their crossings, shape (n, n_coordinates)."""
        on_silicon, on_wires = self.layer[: self.n_silicon], self.layer[self.n_silicon :]
        apart = state.point()[:, on_silicon] - self.origin[on_silicon]
        in_silicon = np.einsum("nmk,mk->nm", apart, self.axis[: self.n_silicon])
        wire, origin = self.axis[self.n_silicon :], self.origin[on_wires]
        near = State(*(getattr(state, f.name)[:, on_wires] for f in fields(State)))
        for _ in range(4):  # Newton steps towards the closest approach
            across = _perpendicular(near.point() - origin, wire)
            along = _perpendicular(near.direction(), wire)
            miss = np.einsum("nmk,nmk->nm", across, along)
            step = miss / np.einsum("nmk,nmk->nm", along, along)
            near = near.moved(-step / np.sqrt(1 + near.tan_lambda**2))
        normal = np.cross(wire, near.direction())
        distance = np.einsum("nmk,nmk->nm", near.point() - origin, normal)
        distance /= np.linalg.norm(normal, axis=-1)
        return np.concatenate([in_silicon, distance], axis=1)


def _perpendicular(vector: FloatArray, axis: FloatArray) -> FloatArray:
    return vector - np.einsum("nmk,mk->nm", vector, axis)[..., None] * axis


@dataclass(frozen=True)
class Particle:
    """Where and how a particle starts: cm, GeV, e."""

    position: FloatArray
    momentum: FloatArray
    charge: int
    mass: float

    @property
    def p(self) -> float:
        return float(np.linalg.norm(self.momentum))

    @property
    def pt(self) -> float:
        return math.hypot(self.momentum[0], self.momentum[1])

    @property
    def beta(self) -> float:
        return self.p / math.hypot(self.p, self.mass)

    @property
    def phi(self) -> float:
        return math.atan2(self.momentum[1], self.momentum[0])

    def helices(self, omega: Sequence[float]) -> tuple[FloatArray, float]:
        """Perigee parameters for some curvatures, and the arc length to the start for the first."""
        n = len(omega)
        phi, tan_lambda = np.full(n, self.phi), np.full(n, self.momentum[2] / self.pt)
        helix, arc = perigee(np.tile(self.position, (n, 1)), phi, np.array(omega), tan_lambda)
        return helix, float(arc[0])


def fit_particles(
    experiment: Experiment, particle: Particle, n_tracks: int, rng: np.random.Generator
) -> FloatArray:
    """Send equal particles through the layers and fit what they leave.

    Every layer that is crossed has a hit: hit efficiencies and resolution tails of the card are not
    used. One step of the fit, from the true parameters, is enough.

    Returns
    -------
    deviation
        Fitted minus true perigee parameters of the particles with enough hits, shape (n, 5).
    """
    omega = particle.charge * CURVATURE * experiment.solenoid.field_t / particle.pt
    helix, birth = particle.helices([omega])
    start = State.from_helix(helix, birth)
    layers = _in_order(start, layers_of(experiment))
    nominal = travel(start, layers, np.zeros((1, len(layers), 2)))
    sensors = Sensors(layers, nominal.state)

    variance = _kink_variances(layers, nominal, particle)
    kinks = rng.standard_normal((n_tracks, len(layers), 2)) * np.sqrt(variance)[:, None]
    journey = travel(State.from_helix(np.tile(helix, (n_tracks, 1)), birth), layers, kinks)
    residual = sensors.measure(journey.state)
    residual += sensors.sigma * rng.standard_normal(residual.shape)
    by_helix = _by_helix(sensors, helix, birth, layers)
    by_kink = _by_kink(sensors, helix, birth, layers)

    deviation = np.full((n_tracks, 5), np.nan)
    patterns, member = np.unique(journey.inside, axis=0, return_inverse=True)
    for i, pattern in enumerate(patterns):
        hits, chosen = pattern[sensors.layer], member.ravel() == i
        if hits.sum() < MIN_COORDINATES:
            continue
        lever = by_kink[hits][:, pattern].reshape(hits.sum(), -1)
        covariance = np.diag(sensors.sigma[hits] ** 2)
        covariance += (lever * np.repeat(variance[pattern], 2)) @ lever.T
        weighted = np.linalg.solve(covariance, by_helix[hits])
        gain = np.linalg.solve(by_helix[hits].T @ weighted, weighted.T)
        deviation[chosen] = residual[chosen][:, hits] @ gain.T
    deviation += _extra(experiment, particle, omega, n_tracks, rng)
    return deviation[np.isfinite(deviation).all(axis=1)]


def _in_order(start: State, layers: list[Layer]) -> list[Layer]:
    """The layers that an undisturbed particle meets or almost meets, as it meets them."""
    met = []
    for layer in layers:
        arc, exists = start.arc_to(layer)
        z = float(start.moved(arc).z[0])
        if exists[0] and layer.z_limits[0] - Z_MARGIN < z < layer.z_limits[1] + Z_MARGIN:
            met.append((float(arc[0]), layer))
    return [layer for _, layer in sorted(met, key=lambda pair: pair[0])]


def _kink_variances(layers: list[Layer], nominal: Journey, particle: Particle) -> FloatArray:
    """Highland's formula, its logarithm for all the material that is crossed."""
    x, y, _ = nominal.state.point()[0].T
    direction = nominal.state.direction()[0]
    radial = (direction[:, 0] * x + direction[:, 1] * y) / np.hypot(x, y)
    slope = np.array([layer.slope for layer in layers])
    cosine = (radial - slope * direction[:, 2]) / np.sqrt(1 + slope**2)
    thickness = np.array([layer.thickness for layer in layers]) / cosine
    total = thickness[nominal.inside[0]].sum()
    log = math.log(total / particle.beta**2)
    return thickness * (0.0136 / (particle.beta * particle.p) * (1 + 0.038 * log)) ** 2


def _by_helix(sensors: Sensors, helix: FloatArray, birth: float, layers: list[Layer]) -> FloatArray:
    """Derivatives of the measurements by the perigee parameters, shape (n_measurements, 5)."""
    steps = np.concatenate([np.diag(STEPS), -np.diag(STEPS)])
    calm = np.zeros((10, len(layers), 2))
    there = sensors.measure(travel(State.from_helix(helix + steps, birth), layers, calm).state)
    return ((there[:5] - there[5:]) / (2 * STEPS[:, None])).T


def _by_kink(sensors: Sensors, helix: FloatArray, birth: float, layers: list[Layer]) -> FloatArray:
    """Derivatives by both kinks at each layer, shape (n_measurements, n_layers, 2)."""
    n = 2 * len(layers)
    kinks = KINK_STEP * np.concatenate([np.eye(n), -np.eye(n)]).reshape(2 * n, -1, 2)
    start = State.from_helix(np.tile(helix, (2 * n, 1)), birth)
    there = sensors.measure(travel(start, layers, kinks, everywhere=True).state)
    return ((there[:n] - there[n:]) / (2 * KINK_STEP)).T.reshape(-1, len(layers), 2)


def _extra(
    experiment: Experiment,
    particle: Particle,
    omega: float,
    n_tracks: int,
    rng: np.random.Generator,
) -> FloatArray:
    """The card's additional smearing of the momentum where the particle starts, shape (n, 5)."""
    smearing = experiment.tracking.momentum_smearing
    relative = math.hypot(
        smearing.pt_coefficient_per_gev * particle.pt, smearing.beta_coefficient / particle.beta
    )
    helix, _ = particle.helices([omega + STEPS[2], omega - STEPS[2]])
    derivative = (helix[0] - helix[1]) / (2 * STEPS[2])
    return omega * relative * rng.standard_normal((n_tracks, 1)) * derivative
