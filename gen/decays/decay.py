"""Decays of many particles at once, and of all that live too shortly for the detector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

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

Modes = Callable[[int], tuple[DecayMode, ...]]
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


def sample_daughters(
    pdg_id: npt.NDArray[np.int32],
    momentum: FloatArray,
    rng: np.random.Generator,
    *,
    fsr: bool = False,
    mass: FloatArray | None = None,
    modes: Modes = decay_modes,
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
    parents = [np.empty(0, np.intp)]
    codes = [np.empty(0, np.int32)]
    own = [np.empty(0)]
    momenta = [np.empty((4, 0))]
    origins = [np.empty(0, np.int8)]

    def add(rows: npt.NDArray[np.intp], code: int, p: FloatArray, origin: Origin) -> None:
        parents.append(rows)
        codes.append(np.full(len(rows), code, np.int32))
        own.append(np.broadcast_to(_mass(code, p), len(rows)))
        momenta.append(p)
        origins.append(np.full(len(rows), origin, np.int8))

    for kind in np.unique(pdg_id):
        ways = modes(int(kind))
        rows = np.flatnonzero(pdg_id == kind)
        chosen = rng.choice(len(ways), len(rows), p=[mode.fraction for mode in ways])
        for j, mode in enumerate(ways):
            decaying = rows[chosen == j]
            at_rest = mode.sample(mass[decaying], rng)
            if fsr:
                masses = [_mass(*each) for each in zip(mode.daughters, at_rest, strict=True)]
                pair = pair_of(int(kind), mode.daughters)
                radiated = radiate_daughters(at_rest, mode.daughters, masses, pair, rng)
                at_rest = radiated.momenta
            for code, p in zip(mode.daughters, at_rest, strict=True):
                add(decaying, code, p, Origin.DECAY)
            if fsr:
                emitters = decaying[radiated.event]
                add(emitters, PHOTON, radiated.photons, Origin.FINAL_STATE_RADIATION)
    unsorted = np.concatenate(parents)
    order = np.argsort(unsorted, kind="stable")
    parent = unsorted[order]
    at_rest = np.concatenate(momenta, axis=1)[:, order]
    return Daughters(
        parent,
        np.concatenate(codes)[order],
        np.concatenate(own)[order],
        boost(at_rest, momentum[:, parent], mass[parent]),
        np.concatenate(origins)[order],
    )


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
    modes: Modes = decay_modes,
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
