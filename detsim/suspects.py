"""What decides how tracks are identified, and what hadrons that are taken for leptons do then."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.events import TrackTable
from darkbelle.detsim.helix import HelixIndex, momentum
from darkbelle.detsim.identification import Suspects
from darkbelle.detsim.matching import Extrapolation
from darkbelle.gen.decays.table import decay_modes
from darkbelle.gen.events import Origin, TruthEvents
from darkbelle.gen.particles import ELECTRON, KAON, MUON, PION, ctaus, is_hadron
from darkbelle.geometry.identification import Identification
from darkbelle.ragged import event_of

__all__ = ["behaviour_of", "suspects_among"]


def suspects_among(
    tracks: TrackTable,
    offsets: npt.NDArray[np.int64],
    ahead: Extrapolation,
    truth: TruthEvents,
    field: float,
) -> Suspects:
    """What decides how tracks are identified."""
    particles = truth.particles
    rows = _rows(tracks, offsets, truth)
    pdg_id = particles.pdg_id[rows]
    p = np.linalg.norm(momentum(tracks.helix, field), axis=1)
    length = ctaus(pdg_id) * p / particles.mass[rows]
    muons = np.flatnonzero(
        (particles.origin == Origin.DECAY_IN_FLIGHT) & (np.abs(particles.pdg_id) == MUON)
    )
    became_muon = np.zeros(len(particles), dtype=bool)
    became_muon[truth.parents(muons)] = True
    return Suspects(
        pdg_id,
        p,
        np.arctan2(1.0, tracks.helix[:, HelixIndex.TAN_LAMBDA]),
        np.where(ahead.arrives, np.arctan2(ahead.point[:, 1], ahead.point[:, 0]), np.nan),
        _muon_fractions(pdg_id) * -np.expm1(-ahead.length / length),
        became_muon[rows],
    )


def behaviour_of(
    arrivals: Arrivals,
    tracks: TrackTable,
    offsets: npt.NDArray[np.int64],
    truth: TruthEvents,
    pid: npt.NDArray[np.bool_],
    identification: Identification,
) -> npt.NDArray[np.int32]:
    """Codes of what arrivals behave like behind the tracker, shape (n,).

    A hadron whose track passes the loosest point of the electrons charges an electromagnetic
    shower, one that passes the muons' does not interact at all: so they came to be taken for them.
    What passes both behaves like an electron.
    """
    names = identification.point_names
    code = np.zeros(len(truth.particles), np.int32)
    rows = _rows(tracks, offsets, truth)
    for species, lepton in (("mu", MUON), ("e", ELECTRON)):
        loosest = f"{species}_{identification.hypotheses[species].points[0]}"
        code[rows[pid[:, names.index(loosest)]]] = lepton
    taken_for = code[arrivals.row]
    misleads = is_hadron(arrivals.pdg_id) & (taken_for != 0)
    return np.where(misleads, taken_for, arrivals.pdg_id)


def _rows(
    tracks: TrackTable, offsets: npt.NDArray[np.int64], truth: TruthEvents
) -> npt.NDArray[np.int64]:
    """Row of each track's particle in the table, shape (n_tracks,)."""
    rows: npt.NDArray[np.int64] = truth.offsets[event_of(offsets)] + tracks.truth_index
    return rows


def _muon_fractions(pdg_id: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Fraction of decays of pions and kaons that give a muon, zero for other species."""
    fractions = np.zeros(len(pdg_id))
    for hadron in (PION, KAON):
        with_muon = (m for m in decay_modes(hadron) if MUON in np.abs(m.daughters))
        fractions[np.abs(pdg_id) == hadron] = sum(mode.fraction for mode in with_muon)
    return fractions
