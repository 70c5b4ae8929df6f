"""What decides how tracks are identified: what they really are, where they fly, how they end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import TrackTable
from darkbelle.detsim.helix import HelixIndex, momentum
from darkbelle.detsim.identification import Suspects
from darkbelle.detsim.matching import Extrapolation
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.events import Origin, TruthEvents
from darkbelle.gen.particles import KAON, MUON, PION, ctaus

__all__ = ["suspects_among"]


def suspects_among(
    tracks: TrackTable,
    offsets: npt.NDArray[np.int64],
    ahead: Extrapolation,
    truth: TruthEvents,
    field: float,
) -> Suspects:
    """What decides how tracks are identified."""
    particles = truth.particles
    rows = truth.offsets[np.repeat(np.arange(truth.n_events), np.diff(offsets))]
    rows = rows + tracks.truth_index
    pdg_id = particles.pdg_id[rows]
    p = np.linalg.norm(momentum(tracks.helix, field), axis=1)
    length = ctaus(pdg_id) * p / particles.mass[rows]
    muons = np.flatnonzero(
        (particles.origin == Origin.DECAY_IN_FLIGHT) & (np.abs(particles.pdg_id) == MUON)
    )
    became_muon = np.zeros(len(particles), dtype=bool)
    became_muon[truth.offsets[truth.event_index()[muons]] + particles.parent[muons]] = True
    return Suspects(
        pdg_id,
        p,
        np.arctan2(1.0, tracks.helix[:, HelixIndex.TAN_LAMBDA]),
        np.where(ahead.arrives, np.arctan2(ahead.point[:, 1], ahead.point[:, 0]), np.nan),
        _muon_fractions(pdg_id) * -np.expm1(-ahead.length / length),
        became_muon[rows],
    )


def _muon_fractions(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Fraction of decays of pions and kaons that give a muon, zero for other species."""
    fractions = np.zeros(len(pdg_id))
    for hadron in (PION, KAON):
        with_muon = (m for m in decay_modes(hadron) if MUON in np.abs(m.daughters))
        fractions[np.abs(pdg_id) == hadron] = sum(mode.fraction for mode in with_muon)
    return fractions
