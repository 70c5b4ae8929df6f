"""Sectors of the muon system in which the level-one hardware sees a straight track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.klm import KlmResponse
from darkbelle.geometry.klm import KlmSection
from darkbelle.geometry.trigger import KLM_SECTIONS, KlmTracks

__all__ = ["Sectors", "find_sectors"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


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

    Those of the barrel are centred on the x axis, quadrants of the endcaps between the axes.
    """
    seen = (response.n_layers >= card.min_layers) & (
        rng.random(len(event))
        < np.where(
            response.section == KlmSection.BARREL, card.barrel_efficiency, card.endcap_efficiency
        )
    )
    sectors = {}
    for name, section in zip(KLM_SECTIONS, KlmSection, strict=True):
        is_barrel = section == KlmSection.BARREL
        number = card.barrel_sectors if is_barrel else card.endcap_sectors
        width = 2 * np.pi / number
        first = 0.0 if is_barrel else width / 2
        here = np.flatnonzero(seen & (response.section == section))
        fired = np.zeros((n_events, number), dtype=bool)
        fired[event[here], np.rint((response.phi[here] - first) / width).astype(int) % number] = (
            True
        )
        sectors[name] = Sectors(first + width * np.arange(number, dtype=np.float64), fired)
    return sectors
