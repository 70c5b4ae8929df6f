"""What particles leave in the muon system: how far they get, and in which layers it shows."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.klm_flight import Line
from darkbelle.detsim.klm_layers import Passage
from darkbelle.gen.events import Outcome
from darkbelle.gen.particles import NEUTRON
from darkbelle.geometry.klm import MuonSystem, NeutralHadrons
from darkbelle.units import MeV

__all__ = ["Entrants", "Kind", "Marks", "charged_marks", "neutral_marks", "photon_marks"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


class Kind(enum.IntEnum):
    """How a particle shows in the muon system; a photon's way is also that of an electron."""

    UNSEEN = 0
    MUON = 1
    CHARGED_HADRON = 2
    NEUTRAL_HADRON = 3
    PHOTON = 4


@dataclass(frozen=True, slots=True)
class Entrants:
    """Particles on their way through the muon system, shape (n,) each.

    ``p`` is the momentum at the face of the calorimeter [GeV].
    """

    kind: npt.NDArray[np.int8]
    pdg_id: npt.NDArray[np.int32]
    p: FloatArray
    showered: BoolArray
    line: Line
    passage: Passage


@dataclass(frozen=True, slots=True)
class Marks:
    """What some entrants leave, shape (m,) each.

    ``chosen`` entrants and their ``outcome``; ``n_layers`` with a hit, 0 for no cluster, the first
    of them ``layer``, ``n_in_barrel`` in the barrel; ``is_shower``: the place is that of a shower's
    centroid.
    """

    chosen: IndexArray
    outcome: npt.NDArray[np.int8]
    layer: IndexArray
    n_layers: IndexArray
    n_in_barrel: IndexArray
    is_shower: BoolArray


def charged_marks(entrants: Entrants, system: MuonSystem, rng: np.random.Generator) -> Marks:
    """Muons and charged hadrons: a hit in each layer on the way, as efficient as it is."""
    chosen = np.flatnonzero(np.isin(entrants.kind, (Kind.MUON, Kind.CHARGED_HADRON)))
    passage, showered = entrants.passage.take(chosen), entrants.showered[chosen]
    interaction, end = _interactions(entrants, chosen, system, rng)
    reach = entrants.line.range_left[chosen] / (system.plate.mip_loss_mev * MeV)
    hits = passage.depth <= np.minimum(reach, end)
    hits &= rng.random(hits.shape, dtype=np.float32) < system.hits.layer_efficiency
    n_layers = hits.sum(axis=0)
    n_layers[n_layers < system.hits.min_layers] = 0

    gets_there = entrants.line.arrives[chosen] | (reach < 0)
    outcome = np.select(
        [
            showered | ~gets_there,
            interaction < np.minimum(reach, passage.iron),
            reach < passage.iron,
        ],
        [Outcome.ESCAPED, Outcome.ABSORBED, Outcome.STOPPED],
        Outcome.ESCAPED,
    )
    n_in_barrel = hits[: system.barrel.n_layers].sum(axis=0)
    return Marks(
        chosen, outcome.astype(np.int8), hits.argmax(axis=0), n_layers, n_in_barrel, showered
    )


def _interactions(
    entrants: Entrants, chosen: IndexArray, system: MuonSystem, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Where hadrons interact and where their showers end, in plates of iron; infinite for muons.

    Those that showered in the calorimeter did so at an exponential depth of it.
    """
    crystals = system.calorimeter.thickness_lambda
    in_crystals = -np.log1p(rng.random(len(chosen)) * np.expm1(-crystals)) - crystals
    behind = rng.standard_exponential(len(chosen))
    place = np.where(entrants.showered[chosen], in_crystals, behind)
    place[entrants.kind[chosen] == Kind.MUON] = np.inf
    tail = system.hadron_showers.tail_lambda * rng.standard_exponential(len(chosen))
    before = entrants.line.thickness_lambda[chosen]
    plate = system.plate.thickness_lambda
    return (place - before) / plate, (place + tail - before) / plate


def neutral_marks(entrants: Entrants, system: MuonSystem, rng: np.random.Generator) -> Marks:
    """K_L, neutrons and other neutral hadrons: a cluster with the card's probability.

    What the calorimeter let pass interacts at an exponential depth, if seen with enough layers
    behind; what showered there leaks into the first layers.
    """
    chosen = np.flatnonzero(entrants.kind == Kind.NEUTRAL_HADRON)
    passage, showered = entrants.passage.take(chosen), entrants.showered[chosen]
    before, plate = entrants.line.thickness_lambda[chosen], system.plate.thickness_lambda
    latest = _latest_start(passage, system.hits.min_layers)
    possible = -np.expm1(-np.maximum(before + latest * plate, 0.0))
    likely = -np.expm1(-(before + passage.iron * plate))

    efficiency = _hadron_efficiency(entrants, chosen, system.neutral_hadrons)
    efficiency = np.minimum(efficiency, np.where(showered, np.isfinite(latest), possible))
    chance = rng.random(len(chosen))
    depth = -np.log1p(-rng.random(len(chosen)) * possible)
    start = np.where(showered, 0.0, (depth - before) / plate)
    layer, n_layers = _shower(passage, start, chance < efficiency, system, rng)
    outcome = np.where(chance < np.maximum(likely, efficiency), Outcome.ABSORBED, Outcome.ESCAPED)
    outcome[showered] = Outcome.ESCAPED
    n_in_barrel = np.where(layer < system.barrel.n_layers, n_layers, 0)
    is_shower = np.ones(len(chosen), bool)
    return Marks(chosen, outcome.astype(np.int8), layer, n_layers, n_in_barrel, is_shower)


def _latest_start(passage: Passage, min_layers: int) -> FloatArray:
    """Depth at which a shower still has enough layers behind, -inf where there are too few."""
    met = np.isfinite(passage.depth)
    early = np.cumsum(met, axis=0) <= met.sum(axis=0) - min_layers + 1
    latest: FloatArray = np.where(met & early, passage.depth, -np.inf).max(axis=0)
    return latest


def _hadron_efficiency(entrants: Entrants, chosen: IndexArray, card: NeutralHadrons) -> FloatArray:
    """Probability of a cluster."""
    p, pdg_id = entrants.p[chosen], entrants.pdg_id[chosen]
    efficiency = np.where(
        entrants.showered[chosen],
        np.interp(p, card.momentum_gev, card.showered_efficiency),
        np.interp(p, card.momentum_gev, card.efficiency),
    )
    efficiency[pdg_id == NEUTRON] *= card.neutron_factor
    efficiency[pdg_id == -NEUTRON] *= card.antineutron_factor
    return efficiency


def photon_marks(entrants: Entrants, system: MuonSystem, rng: np.random.Generator) -> Marks:
    """Photons and electrons that missed the calorimeter: a shower in the first layers."""
    chosen = np.flatnonzero(entrants.kind == Kind.PHOTON)
    passage, card = entrants.passage.take(chosen), system.missed_photons
    index = np.searchsorted(card.energy_edges_gev, entrants.p[chosen], side="right")
    efficiency = np.array([0.0, *card.efficiency])[index]
    seen = rng.random(len(chosen)) < efficiency
    seen &= np.isfinite(_latest_start(passage, system.hits.min_layers))
    layer, n_layers = _shower(passage, np.zeros(len(chosen)), seen, system, rng)
    outcome = np.where(passage.iron > 0, Outcome.ABSORBED, Outcome.ESCAPED)
    outcome[~entrants.line.arrives[chosen]] = Outcome.ESCAPED
    n_in_barrel = np.where(layer < system.barrel.n_layers, n_layers, 0)
    is_shower = np.ones(len(chosen), bool)
    return Marks(chosen, outcome.astype(np.int8), layer, n_layers, n_in_barrel, is_shower)


def _shower(
    passage: Passage,
    start: FloatArray,
    seen: BoolArray,
    system: MuonSystem,
    rng: np.random.Generator,
) -> tuple[IndexArray, IndexArray]:
    """First layer of showers that start at some depths of iron, and number of layers with a hit.

    A shower that is seen has hits in as many layers as a cluster needs, and in more as it is long.
    """
    behind = np.isfinite(passage.depth) & (passage.depth >= start)
    length = system.hadron_showers.tail_lambda / system.plate.thickness_lambda
    more = np.floor(length * rng.standard_exponential(len(start))).astype(np.intp)
    n_layers = np.minimum(system.hits.min_layers + more, behind.sum(axis=0))
    return behind.argmax(axis=0), np.where(seen, n_layers, 0)
