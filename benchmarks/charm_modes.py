"""Charmed hadrons as they are reconstructed, cf. ``control_modes.py``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from benchmarks.signals import (
    Signals,
    at_vertex,
    complete,
    is_good,
    mass_list,
    own_momentum,
    simulated,
    within,
)
from darkbelle.gen.particles import D0, D_STAR, KAON, PION
from darkbelle.samples import flight
from darkbelle.samples.kinematics import mass_of
from darkbelle.units import PERCENT, C

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

DS, LAMBDA_C, PHI, PROTON = 431, 4122, 333, 2212
M_D0, M_LAMBDA_C = mass_list([D0, LAMBDA_C])
LEAST_CHARM = 2.5
"""GeV, of charmed hadrons in the centre of mass."""


@dataclass(frozen=True)
class Charm:
    """Masses [GeV], mass differences, and decay times [ns] and lengths [cm] less the true ones."""

    mass: FloatArray
    difference: FloatArray
    time: FloatArray
    sigma_time: FloatArray
    length: FloatArray


@cache
def d_star(n: int) -> Charm:
    """D*+ -> D0 pi+, D0 -> K- pi+, the D* in the luminous region."""
    made = simulated("D*+", {"D*+": "D0 pi+", "D0": "K- pi+"}, n, card="belle2-2020")
    stars = made.decayed(D_STAR, D0, PION)
    d = made.daughters(stars, D0)
    pair = made.tracks(np.concatenate([made.daughters(d[0], code) for code in (KAON, PION)]))
    slow = made.tracks(made.daughters(stars, PION))
    kept = complete(pair, slow)
    kept[kept] &= has_inner_hits(made, pair[:, kept])
    pair, slow, d = pair[:, kept], slow[:, kept], d[0, kept]
    spot = made.beam_spot()
    start = np.repeat(spot[0][None], len(d), axis=0)
    decay = made.vertices(pair)
    backwards = flight.fit(decay, *spot)
    bound = made.vertices(slow, start=start, beam_spot=(backwards.origin, backwards.origin_cov))
    origin = made.vertices(slow, start=start, beam_spot=spot)
    flown = flight.fit(decay, origin.position, origin.cov)
    hadrons = at_vertex(decay, [KAON, PION]).sum(axis=1)
    total = hadrons + at_vertex(bound, [PION])[:, 0]
    good = is_good(decay) & is_good(bound) & (own_momentum(total, made) > LEAST_CHARM)
    return _charm(made, d, flown, hadrons, mass_of(total) - mass_of(hadrons), M_D0, good)


@cache
def lambda_c(n: int) -> Charm:
    """Lambda_c+ -> p K- pi+ from the luminous region."""
    made = simulated("Lambda_c+", {"Lambda_c+": "p+ K- pi+"}, n)
    species = [PROTON, KAON, PION]
    parents = made.decayed(LAMBDA_C, *species)
    tracks = made.tracks(np.concatenate([made.daughters(parents, code) for code in species]))
    kept = complete(tracks)
    kept[kept] &= has_inner_hits(made, tracks[:, kept])
    tracks, parents = tracks[:, kept], parents[kept]
    decay = made.vertices(tracks)
    flown = flight.fit(decay, *made.beam_spot())
    total = at_vertex(decay, species).sum(axis=1)
    good = is_good(decay) & (own_momentum(total, made) > LEAST_CHARM)
    return _charm(made, parents, flown, total, np.zeros(len(good)), M_LAMBDA_C, good)


def _charm(
    made: Signals,
    parents: Rows,
    flown: flight.Flights,
    total: FloatArray,
    difference: FloatArray,
    mass: float,
    good: BoolArray,
) -> Charm:
    truth = made.reco.truth.particles
    path = np.stack(
        [getattr(truth, f"decay_{x}")[parents] - getattr(truth, x)[parents] for x in "xyz"]
    )
    true_length = np.linalg.norm(path, axis=0)
    per_momentum = true_length / np.linalg.norm(made.true_momenta(parents)[1:], axis=0)
    time, sigma_time = flown.time(mass)
    time = time - per_momentum * mass / C
    length = flown.length()[0] - true_length
    return Charm(mass_of(total)[good], difference[good], time[good], sigma_time[good], length[good])


def d_s_share(n: int) -> float:
    """Share [%] of D_s+ -> phi pi+ within 8 MeV of the mass."""
    made = simulated("D_s+", {"D_s+": "phi pi+", "phi": "K+ K-"}, n)
    parents = made.decayed(DS, PHI, PION)
    kaons = made.daughters(made.daughters(parents, PHI)[0], KAON, 2)
    tracks = made.prompt_tracks(np.concatenate([kaons, made.daughters(parents, PION)]))
    tracks = tracks[:, complete(tracks)]
    decay = made.vertices(tracks)
    total = at_vertex(decay, [KAON, KAON, PION]).sum(axis=1)[:, is_good(decay)]
    return float(within(mass_of(total), 1.960, 1.976).mean()) / PERCENT


def has_inner_hits(made: Signals, tracks: Rows) -> BoolArray:
    """A hit in the innermost layer, another in the strips, and 20 in the chamber, for all."""
    table = made.reco.tracks
    good = (table.n_hits_pxd >= 1) & (table.first_hit_radius < 1.8)
    good &= (table.n_hits_svd >= 1) & (table.n_hits_cdc >= 20)
    kept: BoolArray = good[tracks].all(axis=0)
    return kept
