"""How particles really fly through the layers of a card: slow, and apart from `detsim`.

A particle goes from layer to layer in Cartesian coordinates, from its birth until it is back at
its perigee. Each layer of wires is a hyperboloid of its own; the gas scatters halfway between two
crossings by the path in it, other material where it is met. Both slow the particle down, and so it
scatters more; what that does to the curvature is left to the fit, which knows the mean loss. (It
then determines the momentum at birth by 6 % better at beta gamma = 0.55, and straggling would make
it 3 to 9 % worse by Bohr's formula: neither is here.)
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
UM, MRAD, DEG, MEV = 1e-4, 1e-3, math.pi / 180, 1e-3
MARGIN = 2.0  # cm: a scattered track may meet a layer that the nominal one just misses
GRID = 0.05  # cm of arc on which crossings of the nominal track are sought
GRAZING = 0.01  # cosine to the normal below which a track is lost between two crossings
NEWTON_STEPS = 6


@dataclass(frozen=True)
class Layer:
    """A surface of revolution: r^2 = (radius + slope d)^2 + (tan_stereo d)^2 with d = z - z_mid."""

    radius: float
    z_mid: float
    z_limits: tuple[float, float]
    thickness: float = 0.0  # radiation lengths along the normal
    loss: float = 0.0  # of a minimum-ionising particle along the normal [GeV]
    sigma: tuple[float, ...] = ()  # (r-phi, along) in silicon, (distance,) at a wire
    slope: float = 0.0
    tan_stereo: float = 0.0
    z_gap: tuple[float, float] | None = None
    phi_range: tuple[float, float] | None = None

    @property
    def is_silicon(self) -> bool:
        return len(self.sigma) == 2

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


@dataclass(frozen=True)
class Gas:
    """What fills the chamber from a radius on, a cm of path: radiation lengths, loss [GeV]."""

    r_min: float
    thickness: float
    loss: float


def layers_of(experiment: Experiment) -> list[Layer]:
    """All layers of a card up to the last wire, in no particular order."""
    end = max(superlayer.radius_cm[-1] for superlayer in experiment.drift_chamber.superlayers)
    layers = [
        Layer(
            (p.r_min_cm + p.r_max_cm) / 2,
            0.0,
            (p.z_min_cm, p.z_max_cm),
            p.thickness_x0,
            p.mip_loss_mev * MEV,
        )
        for p in experiment.passive.values()
        if p.r_min_cm < end
    ]
    for silicon in experiment.silicon.values():
        phi_range = silicon.phi_range_deg and tuple(DEG * phi for phi in silicon.phi_range_deg)
        sigma = (silicon.sigma_rphi_um * UM, silicon.sigma_z_um * UM)
        material = silicon.thickness_x0, silicon.mip_loss_mev * MEV
        barrel = Layer(
            silicon.radius_cm,
            0.0,
            (silicon.z_min_cm, silicon.z_max_cm),
            *material,
            sigma,
            z_gap=silicon.z_gap_cm,
            phi_range=phi_range,
        )
        layers.append(barrel)
        if cone := silicon.slanted:
            slope = (cone.far_r_cm - cone.near_r_cm) / (cone.far_z_cm - cone.near_z_cm)
            ends = (cone.near_z_cm, cone.far_z_cm)
            radius, z_mid = (cone.near_r_cm + cone.far_r_cm) / 2, sum(ends) / 2
            layers.append(Layer(radius, z_mid, ends, *material, sigma, slope))
    return layers + _wire_layers(experiment)


def _wire_layers(experiment: Experiment) -> list[Layer]:
    layers = []
    for s in experiment.drift_chamber.superlayers:
        for radius, z_min, z_max, stereo, sigma in zip(
            s.radius_cm, s.z_min_cm, s.z_max_cm, s.stereo_mrad, s.sigma_um, strict=True
        ):
            tan_stereo = math.tan(stereo * MRAD)
            waist = math.sqrt(radius**2 - ((z_max - z_min) / 2 * tan_stereo) ** 2)
            z_mid = (z_min + z_max) / 2
            wires = Layer(waist, z_mid, (z_min, z_max), sigma=(sigma * UM,), tan_stereo=tan_stereo)
            layers.append(wires)
    return layers


def gas_of(experiment: Experiment) -> Gas:
    """The gas of a card, from half a step before the first wires on."""
    chamber = experiment.drift_chamber
    first, second = chamber.superlayers[0].radius_cm[:2]
    r_min = first - (second - first) / 2
    return Gas(r_min, chamber.material_x0_per_cm, chamber.mip_loss_mev_per_cm * MEV)


@dataclass(frozen=True)
class State:
    """Where particles are and where they go, arrays of one shape."""

    x: FloatArray
    y: FloatArray
    z: FloatArray
    phi: FloatArray
    tan_lambda: FloatArray
    omega: FloatArray

    @property
    def secant(self) -> FloatArray:
        """Length in space for a unit of transverse arc."""
        return np.sqrt(1 + self.tan_lambda**2)

    def moved(self, arc: FloatArray) -> State:
        phi = self.phi - self.omega * arc
        x = self.x + (np.sin(self.phi) - np.sin(phi)) / self.omega
        y = self.y + (np.cos(phi) - np.cos(self.phi)) / self.omega
        return State(x, y, self.z + self.tan_lambda * arc, phi, self.tan_lambda, self.omega)

    def height(self, layer: Layer) -> tuple[FloatArray, FloatArray]:
        """Distance above a layer along the radius, and its derivative by the arc."""
        r = np.hypot(self.x, self.y)
        radius, slope = layer.profile(self.z)
        cos_psi = (self.x * np.cos(self.phi) + self.y * np.sin(self.phi)) / r
        return r - radius, cos_psi - slope * self.tan_lambda

    def arc_to(
        self, layer: Layer, z_guess: float, *, outward: bool
    ) -> tuple[FloatArray, BoolArray]:
        """Arc length to the next crossing of a layer in one sense, and whether there is one."""
        centre = self.x + np.sin(self.phi) / self.omega, self.y - np.cos(self.phi) / self.omega
        distance, azimuth = np.hypot(*centre), np.arctan2(centre[1], centre[0])
        target, _ = layer.profile(np.full_like(self.x, z_guess))
        sine = (target**2 - distance**2 - self.omega**-2) * self.omega / (2 * distance)
        there = azimuth - np.arcsin(np.clip(sine, -1, 1))
        if not outward:
            there = np.pi + 2 * azimuth - there
        turn = np.sign(self.omega) * (self.phi - there) % (2 * np.pi)
        exists = (np.abs(sine) < 1) & (turn < 2 * np.pi - 0.3)
        arc = np.where(exists, turn / np.abs(self.omega), 0.0)
        return self.refined(arc, exists, layer, outward=outward)

    def refined(
        self, arc: FloatArray, exists: BoolArray, layer: Layer, *, outward: bool
    ) -> tuple[FloatArray, BoolArray]:
        """Newton steps towards a crossing."""
        sense = 1 if outward else -1
        for _ in range(NEWTON_STEPS if layer.slope or layer.tan_stereo else 2):
            miss, rate = self.moved(arc).height(layer)
            exists = exists & (sense * rate > GRAZING)
            arc = arc - np.where(exists, miss / np.where(exists, rate, 1.0), 0.0)
        miss, _ = self.moved(arc).height(layer)
        exists = exists & (arc > 0) & (np.abs(miss) < 1e-7)
        return np.where(exists, arc, 0.0), exists

    def arc_beside(self, other: State) -> FloatArray:
        """Arc length to the plane through another particle, across its flight."""
        cos, sin = np.cos(other.phi), np.sin(other.phi)
        arc = (other.x - self.x) * cos + (other.y - self.y) * sin
        for _ in range(4):
            there = self.moved(arc)
            rate = np.cos(there.phi - other.phi)
            arc = arc + ((other.x - there.x) * cos + (other.y - there.y) * sin) / rate
        return arc

    def kinked(self, in_phi: FloatArray, in_lambda: FloatArray) -> State:
        """Turned by two small angles across the direction; the momentum stays."""
        cos_lambda = 1 / self.secant
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

    def bent(self, factor: FloatArray) -> State:
        """With another curvature."""
        return State(self.x, self.y, self.z, self.phi, self.tan_lambda, self.omega * factor)

    def point(self) -> FloatArray:
        return np.stack([self.x, self.y, self.z])

    def direction(self) -> FloatArray:
        return np.stack([np.cos(self.phi), np.sin(self.phi), self.tan_lambda]) / self.secant


def joined(states: Sequence[State]) -> State:
    """States of the same particles at several places, places first."""
    return State(*(np.stack([getattr(s, f.name) for s in states]) for f in fields(State)))


@dataclass(frozen=True)
class Particle:
    """Where and how a particle starts, and the arc after which it ends: cm, GeV, e."""

    position: FloatArray
    momentum: FloatArray
    charge: int
    mass: float
    path: float = math.inf

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

    @property
    def tan_lambda(self) -> float:
        return self.momentum[2] / self.pt

    def omega(self, experiment: Experiment) -> float:
        return self.charge * CURVATURE * experiment.solenoid.field_t / self.pt

    def states(self, omega: float, local: FloatArray) -> State:
        """At birth, displaced by local parameters (d0, phi, omega, z0, tan_lambda), (5, n)."""
        d0, phi, curvature, z0, slope = local
        x, y, z = self.position[:, None]
        direction = self.phi + phi
        return State(
            x + d0 * np.sin(direction),
            y - d0 * np.cos(direction),
            z + z0,
            direction,
            self.tan_lambda + slope,
            omega + curvature,
        )


@dataclass(frozen=True)
class Step:
    """A crossing of a layer as the undisturbed particle makes it, or almost makes it."""

    layer: Layer
    outward: bool
    z: float


def plan(particle: Particle, experiment: Experiment) -> list[Step]:
    """What a particle meets from its birth until it is back at its perigee, or ends."""
    omega = particle.omega(experiment)
    start = particle.states(omega, np.zeros((5, 1)))
    _, arc = perigee(particle.position[None], start.phi, start.omega, start.tan_lambda)
    end = min(particle.path, 2 * np.pi / abs(omega) - float(arc[0]))
    layers = layers_of(experiment)
    r_max = max(layer.radius for layer in layers) + MARGIN
    z_min = min(layer.z_limits[0] for layer in layers)
    z_max = max(layer.z_limits[1] for layer in layers)
    coarse = start.moved(np.arange(0.0, end, 1.0))
    gone = np.hypot(coarse.x, coarse.y) > r_max
    gone |= (coarse.z < z_min - MARGIN) | (coarse.z > z_max + MARGIN)
    end = min(end, float(gone.argmax()) if gone.any() else end)
    grid = np.arange(0.0, end, GRID)
    way = start.moved(grid)
    met = []
    for layer in layers:
        height, _ = way.height(layer)
        low, high = layer.z_limits[0] - MARGIN, layer.z_limits[1] + MARGIN
        crossed = np.flatnonzero(height[1:] * height[:-1] <= 0)
        for i in crossed[(low < way.z[crossed]) & (way.z[crossed] < high)]:
            share = height[i] / (height[i] - height[i + 1])
            z = way.z[i] + share * (way.z[i + 1] - way.z[i])
            met.append((grid[i] + share * GRID, Step(layer, height[i + 1] > height[i], z)))
        turns = 1 + np.flatnonzero(np.diff(np.sign(np.diff(height))))
        for i in turns[(low < way.z[turns]) & (way.z[turns] < high)]:
            at_top = height[i] > height[i + 1]
            if abs(height[i]) < MARGIN and at_top == (height[i] < 0):  # almost met at the turn
                apart = 1e-3 * (MARGIN - abs(height[i]))
                met.append((grid[i] - apart, Step(layer, at_top, way.z[i])))
                met.append((grid[i] + apart, Step(layer, not at_top, way.z[i])))
    return [step for _, step in sorted(met, key=lambda pair: pair[0])]


def slowed(momentum: FloatArray, mass: float, loss: FloatArray) -> FloatArray:
    """Momentum after a mean loss that a minimum-ionising particle would suffer [GeV]."""
    return momentum - loss * _stopping(momentum, mass) * np.hypot(momentum, mass) / momentum


def _stopping(momentum: FloatArray, mass: float) -> FloatArray:
    """Bethe's formula over its value at beta gamma = 3.5, and constant above."""
    gamma_beta = np.minimum(momentum / mass, 3.5)

    def bethe(u: FloatArray | float) -> FloatArray | float:
        return (1 + u**-2) * np.log(1.022e-3 * u**2 / 80e-9) - 1

    return bethe(gamma_beta) / bethe(3.5)


@dataclass(frozen=True)
class Place:
    """Halfway through some gas, or where a layer is met: arrays of shape (n,).

    ``arc`` leads there from the place before; ``state`` is that at arrival, ``after`` that at
    departure, turned by ``angles`` (2, n) of the given variance [rad] in material of the given
    thickness [radiation lengths]. ``on``: the layer is met, within its limits.
    """

    layer: Layer | None
    arc: FloatArray
    state: State
    after: State
    thickness: FloatArray
    variance: FloatArray
    angles: FloatArray
    on: BoolArray


@dataclass(frozen=True)
class Flight:
    """What particles meet on their way; for each step a place in the gas and one on the layer."""

    start: State
    places: list[Place]


@dataclass(frozen=True)
class Bend:
    """A sudden loss: at an arc from the birth the curvature changes by a factor."""

    arc: float
    factor: float


class Traveller:
    """Sends particles of one kind through the layers."""

    def __init__(self, experiment: Experiment, particle: Particle) -> None:
        self.steps = plan(particle, experiment)
        self.gas = gas_of(experiment)
        self.particle = particle
        self.highland = 1.0  # variance of a radiation length's angle times (beta p)^2 [GeV^2]
        nominal = self.fly(particle.states(particle.omega(experiment), np.zeros((5, 1))))
        thickness = sum(float(place.thickness[0]) for place in nominal.places)
        log = math.log(max(thickness, 1e-6) / particle.beta**2)
        self.highland = (0.0136 * (1 + 0.038 * log)) ** 2

    def fly(
        self,
        state: State,
        kinks: FloatArray | None = None,
        *,
        along: Flight | None = None,
        bend: Bend | None = None,
    ) -> Flight:
        """All steps; ``kinks`` (n_places, 2, n) are angles in units of their widths.

        Along another flight, of one particle, they are angles [rad], and the gas acts where it
        did there.
        """
        if kinks is None:
            kinks = np.zeros((2 * len(self.steps), 2, len(state.x)))
        start, places = state, []
        momentum = np.full_like(state.x, self.particle.p)
        travelled = np.zeros_like(state.x)
        for i, (step, in_gas, at_layer) in enumerate(
            zip(self.steps, kinks[::2], kinks[1::2], strict=True)
        ):
            layer = step.layer
            arc, exists = state.arc_to(layer, step.z, outward=step.outward)
            before_bend = np.zeros_like(arc)
            if bend is not None:
                due = (travelled < bend.arc) & (travelled + arc >= bend.arc)
                before_bend = np.where(due, bend.arc - travelled, 0.0)
                state = state.moved(before_bend).bent(np.where(due, bend.factor, 1.0))
                arc, exists = state.arc_to(layer, step.z, outward=step.outward)
            way = np.where(self._in_gas(state, state.moved(arc), layer), arc * state.secant, 0.0)
            half_way = arc / 2 if along is None else state.arc_beside(along.places[2 * i].state)
            middle = state.moved(half_way)
            thickness = self.gas.thickness * way
            variance, momentum = self._scattering(thickness, self.gas.loss * way, momentum)
            angles = in_gas * (np.sqrt(variance) if along is None else 1)
            state = middle.kinked(*angles)
            off, rest = np.zeros_like(exists), arc - half_way
            half_way += before_bend
            places.append(Place(None, half_way, middle, state, thickness, variance, angles, off))

            arc, exists = state.refined(rest, exists, layer, outward=step.outward)
            travelled += half_way + arc
            there = state.moved(arc)
            on = exists & layer.contains(there.x, there.y, there.z)
            times = np.where(on, 1 / np.abs(incidence(there, layer)), 0.0)
            thickness = layer.thickness * times
            variance, momentum = self._scattering(thickness, layer.loss * times, momentum)
            angles = at_layer * (np.sqrt(variance) if along is None else 1)
            state = there.kinked(*angles)
            places.append(Place(layer, arc, there, state, thickness, variance, angles, on))
        return Flight(start, places)

    def _in_gas(self, state: State, there: State, layer: Layer) -> BoolArray:
        near = np.minimum(np.hypot(state.x, state.y), np.hypot(there.x, there.y))
        return (near > self.gas.r_min - 0.1) & layer.contains(there.x, there.y, there.z)

    def _scattering(
        self, thickness: FloatArray, loss: FloatArray, momentum: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Variance of an angle in some material, and the momentum behind it."""
        after = slowed(momentum, self.particle.mass, loss)
        middle = (momentum + after) / 2
        beta_p = middle**2 / np.hypot(middle, self.particle.mass)
        return thickness * self.highland / beta_p**2, after


def incidence(state: State, layer: Layer) -> FloatArray:
    """Cosine between the flight and the normal of a layer where it is met."""
    r = np.hypot(state.x, state.y)
    radial = (state.x * np.cos(state.phi) + state.y * np.sin(state.phi)) / r
    cosine = radial - layer.slope * state.tan_lambda
    cosine /= math.hypot(1, layer.slope) * state.secant
    return np.copysign(np.maximum(np.abs(cosine), 1e-3), cosine)
