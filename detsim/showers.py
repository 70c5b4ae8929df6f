"""What each particle leaves in the crystals, before neighbouring showers are told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.cavity import Cavity
from darkbelle.detsim.energy_loss import momentum_after
from darkbelle.detsim.radiation import pairs_per_x0
from darkbelle.detsim.shower_profile import (
    BY_ELECTRON,
    BY_PHOTON,
    contained_share,
    profile_shape,
)
from darkbelle.detsim.straggling import straggling
from darkbelle.gen.particles import ELECTRON, MUON, NEUTRON, PHOTON, PROTON, charges
from darkbelle.geometry import Calorimeter
from darkbelle.geometry.calorimeter import (
    Crystals,
    Hadrons,
    Region,
    Showers,
    Tracks,
)
from darkbelle.units import PERCENT, C, MeV, deg, mrad

__all__ = ["Deposits", "deposit", "photon_depth", "region_at"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
RegionArray = npt.NDArray[np.int8]

TRACK_DEPTH: Final = 10.0
"""Distance [cm] behind the face, along the flight, at which tracks and clusters are compared."""

_THINNEST = 1e-9
"""Nuclear interaction lengths that stand for none."""
_LEAST_COSINE = 0.2
"""Cosine between a flight and the crystals below which the path gets no longer."""
_FWHM = 2.3548
"""Full width at half maximum of a Gaussian in units of its sigma."""


@dataclass(frozen=True, slots=True)
class Deposits:
    """Energy that was left in the crystals, shape (n,) each.

    ``source`` is the arrival that left it, -1 for none; ``point`` its centroid, shape (3, n);
    ``time`` is late with regard to light from the origin [ns].
    """

    source: IndexArray
    energy: FloatArray
    point: FloatArray
    second_moment: FloatArray
    time: FloatArray

    def __len__(self) -> int:
        return len(self.energy)

    def take(self, chosen: IndexArray | BoolArray) -> Self:
        """Some of them."""
        return type(self)(*(getattr(self, field.name)[..., chosen] for field in fields(self)))

    @classmethod
    def join(cls, *parts: Self) -> Self:
        """All of them together."""
        columns = [[getattr(part, field.name) for part in parts] for field in fields(cls)]
        return cls(*(np.concatenate(column, axis=-1) for column in columns))


@dataclass(frozen=True, slots=True)
class _Entries:
    """How particles enter the crystals.

    ``depth`` is how deep in the crystals they are born [cm]; ``cosine`` that of the angle between
    flight and crystals, ``incidence`` that to the normal of the face.
    """

    region: RegionArray
    direction: FloatArray
    depth: FloatArray
    cosine: FloatArray
    incidence: FloatArray

    def take(self, chosen: IndexArray) -> _Entries:
        return _Entries(*(getattr(self, field.name)[..., chosen] for field in fields(self)))


def region_at(ecl: Calorimeter, theta: FloatArray) -> RegionArray:
    """Part of the calorimeter at a polar angle [rad], codes of `Region`."""
    region = np.full(theta.shape, Region.NONE, np.int8)
    for name, part in ecl.regions.items():
        inside = (theta > part.theta_min_deg * deg) & (theta < part.theta_max_deg * deg)
        region[inside] = name
    return region


def deposit(
    arrivals: Arrivals,
    mass: FloatArray,
    behaviour: npt.NDArray[np.int32],
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> tuple[Deposits, BoolArray, BoolArray]:
    """Let particles of some masses [GeV] enter the crystals, as what they behave like there.

    Returns
    -------
    deposits
        What they leave, in the order of the arrivals.
    showered, stopped
        Which particles end in a shower, and which come to rest.
    """
    entries = _enter(arrivals, ecl)
    species = np.abs(behaviour)
    active = (entries.region != Region.NONE) & (entries.depth < ecl.depth_cm)
    is_em = (species == PHOTON) | (species == ELECTRON)
    em, heavy = np.flatnonzero(active & is_em), np.flatnonzero(active & ~is_em)
    showered = active & is_em
    stopped = np.zeros(len(arrivals), dtype=bool)
    electromagnetic = _electromagnetic(arrivals.take(em), entries.take(em), ecl, rng)
    others, interacts, stops = _penetrating(
        arrivals.take(heavy), mass[heavy], species[heavy] == MUON, entries.take(heavy), ecl, rng
    )
    showered[heavy], stopped[heavy] = interacts, stops
    parts = [
        replace(part, source=rows[part.source])
        for part, rows in ((electromagnetic, em), (others, heavy))
    ]
    deposits = Deposits.join(*parts)
    deposits = deposits.take(deposits.energy > 0)
    return deposits.take(np.argsort(deposits.source, kind="stable")), showered, stopped


def _enter(arrivals: Arrivals, ecl: Calorimeter) -> _Entries:
    """Geometry of the way in."""
    place, momentum = arrivals.point[:3], arrivals.momentum[1:]
    x, y, z = place
    r = np.hypot(x, y)
    tiny = np.finfo(float).tiny
    direction = momentum / np.maximum(np.linalg.norm(momentum, axis=0), tiny)
    distance = np.maximum(np.hypot(r, z), tiny)
    cavity = Cavity.of(ecl)
    radial = (direction[0] * x + direction[1] * y) / np.maximum(r, tiny)
    beyond = cavity.beyond(place)
    on_wall = r - cavity.radius >= np.maximum(z - cavity.z_max, cavity.z_min - z)
    return _Entries(
        region_at(ecl, np.arctan2(r, z)),
        direction,
        np.where(cavity.is_on_face(place), 0.0, beyond),
        (direction * place).sum(axis=0) / distance,
        np.maximum(np.where(on_wall, radial, np.abs(direction[2])), _LEAST_COSINE),
    )


def _electromagnetic(
    arrivals: Arrivals, entries: _Entries, ecl: Calorimeter, rng: np.random.Generator
) -> Deposits:
    """Showers of photons and electrons; ``source`` counts those given."""
    look, n = ecl.showers, len(arrivals)
    energy = np.linalg.norm(arrivals.momentum[1:], axis=0)
    is_photon = arrivals.pdg_id == PHOTON
    cm_per_x0 = ecl.depth_cm / ecl.depth_x0

    shape = profile_shape(energy, np.where(is_photon, BY_PHOTON, BY_ELECTRON), look)
    centroid = shape / look.scale * cm_per_x0
    spread = np.sqrt(shape) / look.scale * cm_per_x0

    error = _relative_error(entries, energy, ecl)
    angle = np.arccos(np.clip(np.abs(entries.cosine), 0.0, 1.0))
    error *= 1 + angle / (look.angle_scale_mrad * mrad)
    # A photon that has converted before the crystals has lost a little there.
    early = is_photon & (rng.random(n) < _conversion(arrivals, entries, ecl))
    error = np.hypot(error, early * look.front_smearing)

    measured = energy * (1 + error * _skewed(look.asymmetry, rng.standard_normal(n)))
    inside = np.flatnonzero(entries.depth > 0)
    if len(inside):
        left = _path_left(entries.take(inside), ecl)
        measured[inside] *= contained_share(shape[inside], left / cm_per_x0, ecl)
        centroid[inside] = np.minimum(centroid[inside], left / 2)
    width = _width(look, rng.standard_normal(n)) + (spread * np.sin(angle)) ** 2
    return _placed(arrivals, entries, measured, centroid, width)


def _width(look: Showers | Tracks | Hadrons, normal: FloatArray) -> FloatArray:
    """Second moments [cm^2] of some looks by numbers of a Gaussian, shape (n,)."""
    width: FloatArray = look.second_moment_cm2 * np.exp(look.second_moment_spread * normal)
    return width


def photon_depth(energy: FloatArray, ecl: Calorimeter) -> FloatArray:
    """How deep in the crystals the centroid of a photon's shower is on average [cm]."""
    look = ecl.showers
    in_x0 = profile_shape(energy, BY_PHOTON, look) / look.scale
    depth: FloatArray = in_x0 * ecl.depth_cm / ecl.depth_x0
    return depth


def _relative_error(entries: _Entries, energy: FloatArray, ecl: Calorimeter) -> FloatArray:
    """Resolution of the energy along the crystals, shape (n,)."""
    error = np.empty(len(energy))
    for name, part in ecl.regions.items():
        there = entries.region == name
        formula = part.resolution[ecl.background].energy_percent
        error[there] = formula.at(energy[there]) * PERCENT
    return error


def _conversion(arrivals: Arrivals, entries: _Entries, ecl: Calorimeter) -> FloatArray:
    """Probability of photons to convert between tracker and crystals, shape (n,)."""
    front = _in_front(entries, ecl, lambda part: part.front_x0)
    energy = np.maximum(arrivals.momentum[0], np.finfo(float).tiny)
    convert: FloatArray = -np.expm1(-front * pairs_per_x0(energy))
    return convert


def _skewed(asymmetry: float, normal: FloatArray) -> FloatArray:
    """Numbers of a logarithmic Gaussian: mode zero, a tail below, shape (n,).

    The line shape of calorimeters with leakage (NIM A 441 (2000) 401), whose asymmetry is given in
    units of the full width at half maximum over 2.35. Half of its central 68.27 % is one wide.
    """
    s = 2 / _FWHM * np.arcsinh(asymmetry * _FWHM / 2)
    deviation: FloatArray = -np.expm1(s * (s + normal)) / (np.exp(s**2) * np.sinh(s))
    return deviation


def _path_left(entries: _Entries, ecl: Calorimeter) -> FloatArray:
    """Length of the crystals before particles that enter or are born in them [cm], shape (n,)."""
    # What leaves the cavity enters the crystals, even where it flies towards the axis.
    goes_on = (entries.cosine > 0) | (entries.depth == 0)
    ahead = np.where(goes_on, ecl.depth_cm - entries.depth, entries.depth)
    left: FloatArray = ahead / np.maximum(np.abs(entries.cosine), _LEAST_COSINE)
    return left


def _penetrating(
    arrivals: Arrivals,
    mass: FloatArray,
    like_muon: BoolArray,
    entries: _Entries,
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> tuple[Deposits, BoolArray, BoolArray]:
    """Muons and hadrons: deposits, whether they shower, whether they stop."""
    n = len(arrivals)
    annihilates = np.isin(arrivals.pdg_id, (-PROTON, -NEUTRON)) & ~like_muon
    path = np.maximum(_path_left(entries, ecl), 0.0) / ecl.depth_cm
    kinetic, left, interacts, stops = _way_through(
        arrivals, mass, like_muon, entries, path, ecl, rng
    )
    interacts |= stops & annihilates
    available = interacts * (left + np.where(annihilates, 2 * mass, 0.0))
    share = _visible_share(annihilates, ecl.hadrons, rng)
    energy = kinetic - left + share * available
    passes = np.flatnonzero((charges(arrivals.pdg_id) != 0) & ~stops & ~interacts)
    energy[passes] = _passing(
        arrivals.pdg_id[passes], mass[passes], kinetic[passes], left[passes], path[passes], ecl, rng
    )
    error = _relative_error(entries, energy, ecl)
    energy = energy * np.maximum(1 + error * rng.standard_normal(n), 0.0)

    normal = rng.standard_normal(n)
    moment = np.where(interacts, _width(ecl.hadrons, normal), _width(ecl.tracks, normal))
    deposits = _placed(arrivals, entries, energy, np.full(n, TRACK_DEPTH), moment)
    off = np.where(interacts, ecl.hadrons.offset_cm, 0.0) * rng.standard_normal((3, n))
    deposits = replace(deposits, point=deposits.point + off)
    unseen = ((1 - share) * available)[interacts]
    split = _split_off(deposits.take(interacts), unseen, ecl, rng)
    return Deposits.join(deposits, split), interacts, stops & ~interacts


def _passing(
    pdg_id: npt.NDArray[np.int32],
    mass: FloatArray,
    kinetic: FloatArray,
    left: FloatArray,
    path: FloatArray,
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> FloatArray:
    """What is seen of charged particles with kinetic energies before and behind [GeV]."""
    momentum = np.sqrt(kinetic * (kinetic + 2 * mass))
    has_spin = np.isin(np.abs(pdg_id), (ELECTRON, MUON, PROTON))
    likely = (kinetic - left) * ecl.tracks.mip_gev / ecl.tracks.mean_gev
    return np.clip(likely + straggling(momentum, mass, has_spin, path, ecl, rng), 0.0, kinetic)


def _way_through(
    arrivals: Arrivals,
    mass: FloatArray,
    like_muon: BoolArray,
    entries: _Entries,
    path: FloatArray,
    ecl: Calorimeter,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray]:
    """Slow down on paths through the crystals, in depths of these, until something ends them.

    Returns
    -------
    kinetic, left
        Kinetic energies before the crystals and at that place [GeV].
    interacts, stops
        What ended the way: an interaction or a stop, else it is the end of the crystals.
    """
    charged = charges(arrivals.pdg_id) != 0
    p = np.linalg.norm(arrivals.momentum[1:], axis=0)
    before = _in_front(entries, ecl, lambda part: part.front_mip_mev * MeV)
    p[charged] = momentum_after(p[charged], mass[charged], before[charged])
    front = _in_front(entries, ecl, lambda part: part.front_lambda)
    lengths = np.where(like_muon, 0.0, front + path * ecl.depth_lambda)
    depth = rng.standard_exponential(len(p)) / np.maximum(lengths, _THINNEST)
    loss = ecl.tracks.mean_gev * path * np.minimum(depth, 1.0)
    after = p.copy()
    after[charged] = momentum_after(p[charged], mass[charged], loss[charged])
    kinetic, left = np.hypot(p, mass) - mass, np.hypot(after, mass) - mass
    stops = charged & (after == 0)
    return kinetic, left, (depth < 1) & ~stops, stops


def _visible_share(annihilates: BoolArray, look: Hadrons, rng: np.random.Generator) -> FloatArray:
    """Shares of the available energy that hadronic showers show, shape (n,)."""
    n = len(annihilates)
    return np.where(
        annihilates,
        rng.beta(look.annihilation_alpha, look.annihilation_beta, n),
        rng.beta(look.share_alpha, look.share_beta, n),
    )


def _split_off(
    showers: Deposits, unseen: FloatArray, ecl: Calorimeter, rng: np.random.Generator
) -> Deposits:
    """Parts of hadronic showers that stand apart, of the energy that these leave unseen [GeV]."""
    look = ecl.hadrons
    number = rng.poisson(look.split_offs, len(showers))
    parent = np.repeat(np.arange(len(showers)), number)
    parts, n = showers.take(parent), len(parent)
    away = np.cross(parts.point, rng.standard_normal((3, n)), axis=0)
    away /= np.maximum(np.linalg.norm(away, axis=0), np.finfo(float).tiny)
    distance = look.split_off_distance_cm * rng.standard_exponential(n)
    energy = look.split_off_energy_gev * rng.standard_exponential(n)
    energy = np.minimum(energy, unseen[parent] / number[parent])
    point = parts.point + distance * away
    in_crystals = region_at(ecl, np.arctan2(np.hypot(*point[:2]), point[2])) != Region.NONE
    return replace(parts, energy=energy, point=point).take(in_crystals)


def _placed(
    arrivals: Arrivals,
    entries: _Entries,
    energy: FloatArray,
    depth: FloatArray,
    second_moment: FloatArray,
) -> Deposits:
    """Deposits at a depth along the flight; events are not known here."""
    point = arrivals.point[:3] + depth * entries.direction
    time = arrivals.point[3] + (depth - np.linalg.norm(point, axis=0)) / C
    return Deposits(np.arange(len(arrivals)), energy, point, second_moment, time)


def _in_front(
    entries: _Entries, ecl: Calorimeter, thickness: Callable[[Crystals], float]
) -> FloatArray:
    """Material that particles cross between tracker and crystals, in lengths of one kind."""
    table = np.zeros(len(Region))
    for name, part in ecl.regions.items():
        table[name] = thickness(part)
    crossed: FloatArray = table[entries.region] / entries.incidence * (entries.depth == 0)
    return crossed
