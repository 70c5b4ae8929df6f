"""Sectors of the muon system in which the level-one hardware sees a straight track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.klm import KlmResponse
from darkbelle.geometry.trigger import KLM_SECTIONS, KlmTracks

__all__ = ["Sectors", "find_sectors"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

_TURN = 2 * np.pi


@dataclass(frozen=True, slots=True)
class Sectors:
    """Sectors of one section: the azimuth of their centres, and where a track was seen.

    Shapes (n_sectors,) and (n_events, n_sectors).
    """

    centre: FloatArray
    fired: BoolArray


def find_sectors(
    response: KlmResponse,
    event: IndexArray,
    n_events: int,
    card: KlmTracks,
    rng: np.random.Generator,
) -> dict[str, Sectors]:
    """Sectors of each section by its name, from clusters and the events that they belong to.

    Sectors of the barrel are centred on the x axis, quadrants of the endcaps between the axes. Each
    section needs enough layers of its own.
    """
    n_in_endcap, is_forward = response.n_layers - response.n_in_barrel, response.z > 0
    of_sections = (
        response.n_in_barrel,
        np.where(is_forward, n_in_endcap, 0),
        np.where(is_forward, 0, n_in_endcap),
    )
    chance, sectors = rng.random(len(event)), {}
    for name, n_layers in zip(KLM_SECTIONS, of_sections, strict=True):
        is_barrel = name == KLM_SECTIONS[0]
        number = card.barrel_sectors if is_barrel else card.endcap_sectors
        efficiency = card.barrel_efficiency if is_barrel else card.endcap_efficiency
        centre = (np.arange(number, dtype=np.float64) + (0 if is_barrel else 0.5)) * _TURN / number
        seen = np.flatnonzero((n_layers >= card.min_layers) & (chance < efficiency))
        nearest = np.rint((response.phi[seen] - centre[0]) * number / _TURN).astype(int) % number
        fired = np.zeros((n_events, number), dtype=bool)
        fired[event[seen], nearest] = True
        sectors[name] = Sectors(centre, fired)
    return sectors
