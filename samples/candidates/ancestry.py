"""From which particle some tracks or clusters come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.gen.events import Origin, TruthEvents
from darkbelle.gen.particles import ELECTRON, K0
from darkbelle.ragged import event_of

__all__ = ["Ancestry"]

RowArray = npt.NDArray[np.int64]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Particles of some events and their decays; rows are those of all events, -1 for none.

    ``mother`` is what a particle is a product of the decay of. Radiated photons are no products,
    nor is what the detector made; a K0 and what it is seen as are one.
    """

    pdg_id: IntArray
    mother: RowArray
    n_products: RowArray
    of_track: RowArray
    of_cluster: RowArray

    @classmethod
    def of(cls, reco: RecoEvents) -> Ancestry:
        """That of all particles, and the particles of tracks and clusters."""
        particles = reco.truth.particles
        pdg_id, parent = particles.pdg_id, _parents(reco.truth)
        mother = np.where(particles.origin == Origin.DECAY, parent, -1)
        n_products = np.bincount(mother[mother >= 0], minlength=len(mother))
        is_of_k0 = np.abs(_taken(pdg_id, mother)) == K0
        mother[is_of_k0] = mother[mother[is_of_k0]]
        return cls(
            pdg_id,
            mother,
            n_products,
            of_track=_before_radiation(
                _rows(reco.tracks.truth_index, reco.track_offsets, reco.truth), reco, parent
            ),
            of_cluster=_rows(reco.clusters.truth_index, reco.cluster_offsets, reco.truth),
        )

    def code(self, rows: RowArray) -> IntArray:
        """Codes of particles, 0 for none."""
        return _taken(self.pdg_id, rows)

    def common_mother(self, rows: RowArray) -> RowArray:
        """What some particles, no two of them the same, are products of, shape (k, m) to (m,)."""
        mothers = np.where(rows >= 0, _taken(self.mother, rows), -1)
        agree = np.all(mothers == mothers[0], axis=0)
        agree &= np.all(np.diff(np.sort(rows, axis=0), axis=0) > 0, axis=0)
        return np.where(agree, mothers[0], -1)

    def whole_mother(self, rows: RowArray) -> RowArray:
        """What some particles are all the products of, else as `common_mother`."""
        found = self.common_mother(rows)
        return np.where(_taken(self.n_products, found) == len(rows), found, -1)


def _parents(truth: TruthEvents) -> RowArray:
    parent = truth.particles.parent.astype(np.int64)
    return np.where(parent >= 0, parent + truth.offsets[truth.event_index()], -1)


def _rows(truth_index: IntArray, offsets: RowArray, truth: TruthEvents) -> RowArray:
    """Rows of particles that objects name by their index within the event."""
    first = truth.offsets[event_of(offsets)]
    return np.where(truth_index >= 0, first + truth_index, -1)


def _before_radiation(rows: RowArray, reco: RecoEvents, parent: RowArray) -> RowArray:
    """An electron that a photon has slowed is a particle of its own: the one that it was."""
    particles = reco.truth.particles
    slowed = (particles.origin == Origin.BREMSSTRAHLUNG) & (np.abs(particles.pdg_id) == ELECTRON)
    while np.any(is_slowed := _taken(slowed, rows)):
        rows = np.where(is_slowed, _taken(parent, rows), rows)
    return rows


def _taken(values: npt.NDArray[Any], rows: RowArray) -> npt.NDArray[Any]:
    """Values of rows, nothing where there is none."""
    return np.append(values, values.dtype.type(0))[rows]
