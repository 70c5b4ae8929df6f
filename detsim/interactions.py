"""What happens to particles in the material and in flight, before anything is measured.

Photons convert, electrons radiate, hadrons are absorbed, soft charged particles stop, pions, kaons
and muons decay; what is born thereby joins the truth and meets the same fates. Each particle is
followed to the face of the calorimeter, through material on its first turn only; it ends before,
or it arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.cavity import Cavity
from darkbelle.detsim.helices import Helices
from darkbelle.detsim.helix import position_at
from darkbelle.detsim.losses import Losses
from darkbelle.detsim.radiation import pair_momenta
from darkbelle.detsim.walk import Emission, Walk
from darkbelle.errors import KinematicsError
from darkbelle.gen.decays.decay import sample_daughters
from darkbelle.gen.events import Newborn, Origin, Outcome, Particles, Status, TruthEvents, append
from darkbelle.gen.particles import (
    ELECTRON,
    ETA,
    K_L,
    K_S,
    KAON,
    LAMBDA,
    MASS_E,
    MUON,
    PHOTON,
    PI0,
    PION,
    charges,
    ctaus,
    is_invisible,
    species_in_record,
)
from darkbelle.geometry import Experiment, Surface, all_surfaces
from darkbelle.units import C

__all__ = ["Flights", "interact"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

DECAYING: Final = (
    *(PI0, ETA, K_S, LAMBDA, -LAMBDA),
    *(K_L, MUON, -MUON, PION, -PION, KAON, -KAON),
)
"""What decays in flight; charged hyperons fly as they are."""

SHORTEST: Final = 0.1
"""Mean proper decay length [cm] below which what is not in `DECAYING` cannot be followed."""
AT_REST: Final = (MUON, -MUON, PION, KAON)
"""What decays after it has stopped; negative hadrons are captured by nuclei."""

_BLOCK = 65536


@dataclass(frozen=True, slots=True)
class Flights:
    """How particles fared on their way to the calorimeter.

    ``truth`` has an outcome for every particle, and what was born on the way. ``path`` is the
    transverse arc from birth to end or arrival of each particle [cm], else infinite; ``losses``
    are those of the electrons, ``particle`` being a row of the table; ``arrivals`` are the
    particles at the face of the calorimeter.
    """

    truth: TruthEvents
    path: FloatArray
    losses: Losses
    arrivals: Arrivals


def interact(truth: TruthEvents, experiment: Experiment, rng: np.random.Generator) -> Flights:
    """Follow every final particle to its end in the tracking volume or out of it.

    Raises
    ------
    KinematicsError
        A final particle is one that no detector knows: not finite, without mass, of charge two, or
        so short-lived that the generator must decay it.
    """
    volume = _Volume(
        all_surfaces(experiment), experiment.solenoid.field_t, Cavity.of(experiment.calorimeter)
    )
    path, losses = np.full(len(truth.particles), np.inf), Losses.none()
    arrivals = Arrivals.join([])
    rows = np.flatnonzero(truth.particles.is_final)
    _refuse(truth, rows)
    while len(rows):
        blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
        flown = [_fly(truth.particles, block, volume, rng) for block in blocks]
        ended = {name: getattr(truth.particles, name).copy() for name in _END}
        for block, flight in zip(blocks, flown, strict=True):
            path[block] = flight.path
            for name, values in zip(_END, (flight.outcome, *flight.end), strict=True):
                ended[name][block] = values
        losses = Losses.join([losses, *(flight.losses for flight in flown)])
        arrivals = Arrivals.join([arrivals, *(flight.arrivals for flight in flown)])
        truth = replace(truth, particles=replace(truth.particles, **ended))
        truth, moved = append(truth, _join([flight.born for flight in flown]))
        n_before = len(path)
        longer = np.full(len(moved), np.inf)
        longer[moved[:n_before]] = path
        path, rows = longer, moved[n_before:]
        losses = replace(losses, particle=moved[losses.particle])
        arrivals = replace(arrivals, row=moved[arrivals.row])
    return Flights(truth, path, losses, arrivals.take(np.argsort(arrivals.row)))


def _refuse(truth: TruthEvents, rows: IndexArray) -> None:
    """Refuse final particles that cannot be followed, naming the first."""
    particles = truth.particles
    pdg_id, mass = particles.pdg_id[rows], particles.mass[rows]
    columns = (getattr(particles, name)[rows] for name in ("px", "py", "pz", "x", "y", "z", "t"))
    charge, ctau = charges(pdg_id), ctaus(pdg_id)
    for is_bad, complaint in (
        (~np.isfinite([mass, *columns]).all(axis=0), "momentum, mass and vertex must be finite"),
        ((charge != 0) & (mass <= 0), "a charged particle must have a mass"),
        (np.abs(charge) > 1, "the detector knows charges 0 and +-1 only"),
        (
            (ctau < SHORTEST) & ~np.isin(pdg_id, DECAYING),
            f"c tau is below {SHORTEST} cm: the generator must decay it",
        ),
    ):
        if is_bad.any():
            row = rows[np.argmax(is_bad)]
            event = int(np.searchsorted(truth.offsets, row, side="right")) - 1
            name = species_in_record(int(particles.pdg_id[row])).name
            raise KinematicsError(f"event {event}: final {name}: {complaint}")


_END = ("outcome", "decay_x", "decay_y", "decay_z", "decay_t")


def _join(parts: Sequence[Newborn]) -> Newborn:
    return Newborn(
        np.concatenate([part.parent for part in parts]),
        np.concatenate([part.pdg_id for part in parts]),
        np.concatenate([part.mass for part in parts]),
        np.concatenate([part.momentum for part in parts], axis=1),
        np.concatenate([part.start for part in parts], axis=1),
        np.concatenate([np.broadcast_to(part.origin, len(part)) for part in parts]),
        Status.SIMULATED,
    )


@dataclass(frozen=True, slots=True)
class _Volume:
    """Where particles are followed: what stands there, the field [T], and where it ends."""

    surfaces: tuple[Surface, ...]
    field: float
    cavity: Cavity


@dataclass(frozen=True, slots=True)
class _Flight:
    """How some particles fared: arc to the end, outcome, end point (4, n) and what came of it."""

    path: FloatArray
    outcome: npt.NDArray[np.int8]
    end: FloatArray
    losses: Losses
    arrivals: Arrivals
    born: Newborn


def _fly(
    particles: Particles, rows: IndexArray, volume: _Volume, rng: np.random.Generator
) -> _Flight:
    """Follow the particles in some rows of the table."""
    pdg_id, mass = particles.pdg_id[rows], particles.mass[rows]
    start = np.stack([particles.x, particles.y, particles.z, particles.t])[:, rows]
    momentum = np.stack([particles.px, particles.py, particles.pz])[:, rows]
    charge, p = charges(pdg_id), np.linalg.norm(momentum, axis=0)
    tracks = Helices.of_particles(start[:3].T, momentum.T, charge, volume.field)
    leaves, arrives = volume.cavity.exit(tracks, start[:3])
    decays = tracks.birth + _decay_length(pdg_id, p, mass, rng) / np.sqrt(tracks.secant2)
    tracks = replace(tracks, end=np.minimum(leaves, decays))

    outcome = np.where(decays < leaves, Outcome.DECAYED, Outcome.ESCAPED).astype(np.int8)
    outcome[is_invisible(pdg_id)] = Outcome.INVISIBLE
    walk = Walk(tracks, pdg_id, charge, p, mass, rng)
    walk.through(volume.surfaces, np.flatnonzero(outcome != Outcome.INVISIBLE), rng)
    outcome = np.where(walk.ended, walk.outcome, outcome)
    slowed = walk.momentum_left()
    ended = (outcome != Outcome.ESCAPED) & (outcome != Outcome.INVISIBLE)
    arc = np.where(walk.ended, walk.end, tracks.end)
    momenta = _four_momentum_at(tracks, arc, slowed, mass)
    points = _point_at(tracks, arc, start, p, mass)

    at_rest = np.flatnonzero((outcome == Outcome.STOPPED) & np.isin(pdg_id, AT_REST))
    outcome[at_rest] = Outcome.DECAYED
    points[3, at_rest] += ctaus(pdg_id[at_rest]) * rng.standard_exponential(len(at_rest)) / C

    photons = Emission.join(walk.photons)
    slow = np.flatnonzero(outcome == Outcome.RADIATED)
    born = [
        _radiation(photons, rows, tracks, start, p, mass),
        Newborn(
            rows[slow],
            pdg_id[slow],
            mass[slow],
            momenta[:, slow],
            points[:, slow],
            Origin.BREMSSTRAHLUNG,
            Status.SIMULATED,
        ),
        _decay(pdg_id, rows, outcome, momenta, points, rng),
        _convert(rows, outcome, momenta, points, rng),
    ]
    soft = photons.change > 0
    flown = photons.arc - tracks.birth[photons.row]
    losses = Losses(rows[photons.row[soft]], flown[soft], photons.change[soft])
    arrives &= outcome == Outcome.ESCAPED
    path = np.where(ended | arrives, arc - tracks.birth, np.inf)
    bent = np.unique(photons.row[soft])
    bent = bent[outcome[bent] == Outcome.ESCAPED]
    points[:, bent], momenta[:, bent], arrives[bent] = _bent_more(
        bent, photons, tracks, start, slowed, charge, mass, volume
    )
    there = np.flatnonzero(arrives)
    arrivals = Arrivals(rows[there], pdg_id[there], points[:, there], momenta[:, there])
    return _Flight(path, outcome, np.where(ended, points, 0.0), losses, arrivals, _join(born))


def _radiation(
    photons: Emission,
    rows: IndexArray,
    tracks: Helices,
    start: FloatArray,
    p: FloatArray,
    mass: FloatArray,
) -> Newborn:
    """Photons of bremsstrahlung."""
    emitter, no_mass = photons.row, np.zeros(len(photons.row))
    theirs = tracks.take(emitter)
    return Newborn(
        rows[emitter],
        np.full(len(emitter), PHOTON, np.int32),
        no_mass,
        _four_momentum_at(theirs, photons.arc, photons.energy, no_mass),
        _point_at(theirs, photons.arc, start[:, emitter], p[emitter], mass[emitter]),
        Origin.BREMSSTRAHLUNG,
        Status.SIMULATED,
    )


def _bent_more(
    electrons: IndexArray,
    photons: Emission,
    tracks: Helices,
    start: FloatArray,
    p: FloatArray,
    charge: npt.NDArray[np.int8],
    mass: FloatArray,
    volume: _Volume,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Where electrons that have radiated leave, with which momenta, and whether they do.

    They turn with what they have left from the mean place of their photons on.
    """
    radiated, place = np.zeros((2, len(tracks)))
    np.add.at(radiated, photons.row, photons.energy)
    np.add.at(place, photons.row, photons.energy * photons.arc)
    place = place[electrons] / radiated[electrons]
    before, mass, p = tracks.take(electrons), mass[electrons], p[electrons]
    momenta = _four_momentum_at(before, place, p, mass)
    points = _point_at(before, place, start[:, electrons], p, mass)
    after = Helices.of_particles(points[:3].T, momenta[1:].T, charge[electrons], volume.field)
    leaves, arrives = volume.cavity.exit(after, points[:3])
    return (
        _point_at(after, leaves, points, p, mass),
        _four_momentum_at(after, leaves, p, mass),
        arrives,
    )


def _decay_length(
    pdg_id: npt.NDArray[np.int32], p: FloatArray, mass: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Exponential flight lengths [cm], infinite for what does not decay here, shape (n,)."""
    length = np.full(len(p), np.inf)
    unstable = np.flatnonzero(np.isin(pdg_id, DECAYING))
    proper = ctaus(pdg_id[unstable]) * rng.standard_exponential(len(unstable))
    length[unstable] = proper * p[unstable] / mass[unstable]
    return length


def _four_momentum_at(
    tracks: Helices, arc: FloatArray, p: FloatArray, mass: FloatArray
) -> FloatArray:
    """Four-momenta of magnitude p in the direction at an arc length, shape (4, n)."""
    phi, pt = tracks.phi0 - tracks.omega * arc, p / np.sqrt(tracks.secant2)
    return np.stack([np.hypot(p, mass), pt * np.cos(phi), pt * np.sin(phi), pt * tracks.tan_lambda])


def _point_at(
    tracks: Helices, arc: FloatArray, start: FloatArray, p: FloatArray, mass: FloatArray
) -> FloatArray:
    """Place and time at an arc length, shape (4, n)."""
    length = (arc - tracks.birth) * np.sqrt(tracks.secant2)
    speed = C * p / np.maximum(np.hypot(p, mass), np.finfo(float).tiny)
    time = start[3] + length / np.maximum(speed, np.finfo(float).tiny)
    return np.stack([*position_at(tracks.columns, arc).T, time])


def _decay(
    pdg_id: npt.NDArray[np.int32],
    rows: IndexArray,
    outcome: npt.NDArray[np.int8],
    momenta: FloatArray,
    points: FloatArray,
    rng: np.random.Generator,
) -> Newborn:
    """Daughters of what decayed."""
    decayed = np.flatnonzero(outcome == Outcome.DECAYED)
    daughters = sample_daughters(pdg_id[decayed], momenta[:, decayed], rng)
    parent = decayed[daughters.parent]
    return Newborn(
        rows[parent],
        daughters.pdg_id,
        daughters.mass,
        daughters.momentum,
        points[:, parent],
        Origin.DECAY_IN_FLIGHT,
        Status.SIMULATED,
    )


def _convert(
    rows: IndexArray,
    outcome: npt.NDArray[np.int8],
    momenta: FloatArray,
    points: FloatArray,
    rng: np.random.Generator,
) -> Newborn:
    """Electrons and positrons of converted photons."""
    converted = np.flatnonzero(outcome == Outcome.CONVERTED)
    electrons, positrons = pair_momenta(momenta[:, converted], rng)
    n_pairs = len(converted)
    return Newborn(
        np.tile(rows[converted], 2),
        np.repeat(np.array([ELECTRON, -ELECTRON], np.int32), n_pairs),
        np.full(2 * n_pairs, MASS_E),
        np.concatenate([electrons, positrons], axis=1),
        np.tile(points[:, converted], 2),
        Origin.CONVERSION,
        Status.SIMULATED,
    )
