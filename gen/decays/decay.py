"""Decays of many particles at once, and of all that live too shortly for the detector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.decays.flight import decay_points
from darkbelle.gen.decays.mode import DecayMode
from darkbelle.gen.decays.table import decay_modes, short_lived
from darkbelle.gen.events import Newborn, Origin, Outcome, Status, TruthEvents, append
from darkbelle.gen.kinematics import boost, invariant_mass
from darkbelle.gen.line_shapes import line_shape
from darkbelle.gen.particles import PHOTON, ctaus, species
from darkbelle.gen.radiation import pair_of, radiate_daughters

__all__ = ["Daughters", "decay_rows", "decay_short_lived", "sample_daughters"]

FloatArray = npt.NDArray[np.float64]

ModesOf = Callable[[int], tuple[DecayMode, ...]]
"""Decay modes of a particle code, their fractions normalised to one."""

_ENDING = ("status", "outcome", "decay_x", "decay_y", "decay_z", "decay_t")


@dataclass(frozen=True, slots=True)
class Daughters:
    """Decay products, those of one parent next to each other, shape (m,) each.

    ``parent`` counts the decaying particles; ``momentum`` has the shape (4, m); ``origin`` tells
    photons of the final state.
    """

    parent: npt.NDArray[np.intp]
    pdg_id: npt.NDArray[np.int32]
    mass: FloatArray
    momentum: FloatArray
    origin: npt.NDArray[np.int8]


_NOTHING: Final = Daughters(
    np.empty(0, np.intp),
    np.empty(0, np.int32),
    np.empty(0),
    np.empty((4, 0)),
    np.empty(0, np.int8),
)


def sample_daughters(
    pdg_id: npt.NDArray[np.int32],
    momentum: FloatArray,
    rng: np.random.Generator,
    *,
    fsr: bool = False,
    mass: FloatArray | None = None,
    modes: ModesOf = decay_modes,
) -> Daughters:
    """Draw decay modes and momenta, unpolarised; the parents' masses are kept.

    Parameters
    ----------
    pdg_id
        Codes of the decaying particles, mixed as they come, shape (n,).
    momentum
        Their four-momenta in the laboratory [GeV], shape (4, n).
    fsr
        Whether charged daughters radiate photons, which then follow them.
    mass
        Their masses [GeV], if known better than the momenta tell, shape (n,).
    modes
        What each kind of them decays to.

    Raises
    ------
    ConfigError
        The decays of a particle are not known.
    """
    if mass is None:
        mass = invariant_mass(momentum)
    parts = [_NOTHING]
    for kind in np.unique(pdg_id).tolist():
        ways = modes(kind)
        rows = np.flatnonzero(pdg_id == kind)
        chosen = rng.choice(len(ways), len(rows), p=[mode.fraction for mode in ways])
        for j, mode in enumerate(ways):
            parts += _of_mode(kind, mode, rows[chosen == j], mass, rng, fsr=fsr)
    parent, code, own, at_rest, origin = (
        np.concatenate([getattr(part, field.name) for part in parts], axis=-1)
        for field in fields(Daughters)
    )
    order = np.argsort(parent, kind="stable")
    parent = parent[order]
    moving = boost(at_rest[:, order], momentum[:, parent], mass[parent])
    return Daughters(parent, code[order], own[order], moving, origin[order])


def _of_mode(
    kind: int,
    mode: DecayMode,
    rows: npt.NDArray[np.intp],
    mass: FloatArray,
    rng: np.random.Generator,
    *,
    fsr: bool,
) -> Iterator[Daughters]:
    """Each daughter of some particles of a kind, then their photons, where the particles rest."""
    momenta = mode.sample(mass[rows], rng)
    masses = [_mass(*each) for each in zip(mode.daughters, momenta, strict=True)]
    if fsr:
        pair = pair_of(kind, mode.daughters)
        radiated = radiate_daughters(momenta, mode.daughters, masses, pair, rng)
        momenta = radiated.momenta
    for code, own, p in zip(mode.daughters, masses, momenta, strict=True):
        yield _alike(rows, code, own, p, Origin.DECAY)
    if fsr:
        emitters = rows[radiated.event]
        yield _alike(emitters, PHOTON, 0.0, radiated.photons, Origin.FINAL_STATE_RADIATION)


def _alike(
    parent: npt.NDArray[np.intp],
    code: int,
    mass: float | FloatArray,
    momentum: FloatArray,
    origin: Origin,
) -> Daughters:
    n = len(parent)
    codes, origins = np.full(n, code, np.int32), np.full(n, origin, np.int8)
    return Daughters(parent, codes, np.broadcast_to(mass, n), momentum, origins)


def _mass(code: int, momentum: FloatArray) -> float | FloatArray:
    """Mass of particles of a kind: that of the table, where it is not broad."""
    known = species(code).mass
    return invariant_mass(momentum) if known is None or line_shape(code) is not None else known


def decay_short_lived(
    truth: TruthEvents, rng: np.random.Generator, *, fsr: bool = False
) -> TruthEvents:
    """Decay all final particles of `short_lived`, and what comes of them, after straight flights.

    What its process leaves undecayed stays so. ``truth`` itself where there is nothing to decay.
    With ``fsr`` charged daughters radiate photons.
    """
    while True:
        particles = truth.particles
        rows = np.flatnonzero(particles.is_final & np.isin(particles.pdg_id, short_lived()))
        if len(rows) == 0:
            return truth
        truth = decay_rows(truth, rows, rng, fsr=fsr)


def decay_rows(
    truth: TruthEvents,
    rows: npt.NDArray[np.intp],
    rng: np.random.Generator,
    *,
    modes: ModesOf = decay_modes,
    fsr: bool = False,
) -> TruthEvents:
    """Let some particles of the table fly straight and decay; their daughters are final."""
    particles = truth.particles
    pdg_id = particles.pdg_id[rows]
    momentum = np.stack([particles.e, particles.px, particles.py, particles.pz])[:, rows]
    start = np.stack([particles.x, particles.y, particles.z, particles.t])[:, rows]
    end = decay_points(start, momentum, ctaus(pdg_id), rng)
    daughters = sample_daughters(
        pdg_id, momentum, rng, fsr=fsr, mass=particles.mass[rows], modes=modes
    )
    born = Newborn(
        rows[daughters.parent],
        daughters.pdg_id,
        daughters.mass,
        daughters.momentum,
        end[:, daughters.parent],
        daughters.origin,
    )
    longer, _ = append(_with_ends(truth, rows, end), born)
    return longer


def _with_ends(truth: TruthEvents, rows: npt.NDArray[np.intp], end: FloatArray) -> TruthEvents:
    """Some particles have decayed at points (x, y, z, t), shape (4, m)."""
    particles = truth.particles
    ended = {name: getattr(particles, name).copy() for name in _ENDING}
    for name, value in zip(_ENDING, (Status.DECAYED, Outcome.DECAYED, *end), strict=True):
        ended[name][rows] = value
    return replace(truth, particles=replace(particles, **ended))
