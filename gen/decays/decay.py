"""Decays of many particles at once, and of all that live too shortly for the detector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.decays.flight import decay_points
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.events import Newborn, Origin, Outcome, Status, TruthEvents, append
from darkbelle.gen.kinematics import boost, invariant_mass
from darkbelle.gen.particles import ETA, K_S, LAMBDA, PHOTON, PI0, ctaus, masses
from darkbelle.gen.radiation import radiate_decay

__all__ = ["SHORT_LIVED", "Daughters", "decay_short_lived", "sample_daughters"]

FloatArray = npt.NDArray[np.float64]

SHORT_LIVED: Final = (PI0, ETA, K_S, LAMBDA, -LAMBDA)
"""Neutral particles that decay before or in the tracker; charged hyperons fly as they are."""

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
) -> Daughters:
    """Draw decay modes by `decay_modes` and momenta, unpolarised; the parents' masses are kept.

    Parameters
    ----------
    pdg_id
        Codes of the decaying particles, mixed as they come, shape (n,).
    momentum
        Their four-momenta in the laboratory [GeV], shape (4, n).
    fsr
        Whether charged daughters radiate photons, which then follow them.

    Raises
    ------
    ConfigError
        The decays of a particle are not known.
    """
    parents = [np.empty(0, np.intp)]
    codes = [np.empty(0, np.int32)]
    momenta = [np.empty((4, 0))]
    origins = [np.empty(0, np.int8)]

    def add(rows: npt.NDArray[np.intp], code: int, p: FloatArray, origin: Origin) -> None:
        parents.append(rows)
        codes.append(np.full(len(rows), code, np.int32))
        momenta.append(boost(p, momentum[:, rows]))
        origins.append(np.full(len(rows), origin, np.int8))

    for species in np.unique(pdg_id):
        modes = decay_modes(int(species))
        rows = np.flatnonzero(pdg_id == species)
        chosen = rng.choice(len(modes), len(rows), p=[mode.fraction for mode in modes])
        for j, mode in enumerate(modes):
            decaying = rows[chosen == j]
            at_rest = mode.sample(invariant_mass(momentum[:, decaying]), rng)
            if fsr:
                own = masses(np.array(mode.daughters, np.int32)).tolist()
                radiated = radiate_decay(at_rest, mode.daughters, own, rng)
                at_rest = radiated.momenta
            for code, p in zip(mode.daughters, at_rest, strict=True):
                add(decaying, code, p, Origin.DECAY)
            if fsr:
                emitters = decaying[radiated.event]
                add(emitters, PHOTON, radiated.photons, Origin.FINAL_STATE_RADIATION)
    parent, pdg_ids = np.concatenate(parents), np.concatenate(codes)
    order = np.argsort(parent, kind="stable")
    return Daughters(
        parent[order],
        pdg_ids[order],
        masses(pdg_ids[order]),
        np.concatenate(momenta, axis=1)[:, order],
        np.concatenate(origins)[order],
    )


def decay_short_lived(
    truth: TruthEvents, rng: np.random.Generator, *, fsr: bool = False
) -> TruthEvents:
    """Decay every final pi0, eta, K_S and Lambda, and what comes of them, after a straight flight.

    ``truth`` itself where there is none. With ``fsr`` the charged daughters radiate photons.
    """
    while True:
        particles = truth.particles
        rows = np.flatnonzero(
            (particles.status == Status.FINAL) & np.isin(particles.pdg_id, SHORT_LIVED)
        )
        if len(rows) == 0:
            return truth
        pdg_id = particles.pdg_id[rows]
        momentum = np.stack([particles.e, particles.px, particles.py, particles.pz])[:, rows]
        start = np.stack([particles.x, particles.y, particles.z, particles.t])[:, rows]
        end = decay_points(start, momentum, ctaus(pdg_id), rng)
        daughters = sample_daughters(pdg_id, momentum, rng, fsr=fsr)
        ended = {name: getattr(particles, name).copy() for name in _ENDING}
        for name, value in zip(_ENDING, (Status.DECAYED, Outcome.DECAYED, *end), strict=True):
            ended[name][rows] = value
        born = Newborn(
            rows[daughters.parent],
            daughters.pdg_id,
            daughters.mass,
            daughters.momentum,
            end[:, daughters.parent],
            daughters.origin,
        )
        truth, _ = append(replace(truth, particles=replace(particles, **ended)), born)
