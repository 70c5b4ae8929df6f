"""Columns of samples as flat arrays, one row an object, with the weights of their events."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from darkbelle.detsim.helix import omega_from_pt, perigee
from darkbelle.gen.particles import charges
from darkbelle.ragged import event_of
from darkbelle.samples.files.reading import Sample

__all__ = ["Truth", "flat_column", "rows_of_truth", "true_helices", "weights_of"]

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]


class Truth:
    """True particles of all events of a sample, one row each, and who decayed to whom."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.offsets: RowArray = sample.column("particles", "offsets")
        self.pdg_id: Array = sample.column("particles", "pdg_id")
        self.status: Array = sample.column("particles", "status")
        self.origin: Array = sample.column("particles", "origin")
        self.event = event_of(self.offsets)
        index = sample.column("particles", "parent").astype(np.int64)
        self.parent: RowArray = np.where(index >= 0, index + self.offsets[self.event], -1)

    def __len__(self) -> int:
        return len(self.pdg_id)

    def column(self, name: str) -> Array:
        """Any other column."""
        return self.sample.column("particles", name)

    def momenta(self) -> FloatArray:
        """Four-momenta (e, px, py, pz) [GeV], shape (4, n)."""
        p = np.stack([self.column(name).astype(np.float64) for name in ("px", "py", "pz")])
        e = np.sqrt((p**2).sum(axis=0) + self.column("mass").astype(np.float64) ** 2)
        return np.stack([e, *p])

    def weights(self) -> FloatArray:
        """Weights of the events, shape (n,)."""
        weight: FloatArray = self.sample.column("events", "weight")[self.event]
        return weight

    def any_ancestor(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Whether some chosen particle is among the ancestors of each, shape (n,)."""
        found = np.zeros(len(self), dtype=bool)
        above = self.parent
        while np.any(above >= 0):
            is_there = above >= 0
            found |= is_there & chosen[above]
            above = np.where(is_there, self.parent[above], -1)
        return found


def weights_of(sample: Sample, collection: str) -> FloatArray:
    """Weight of the event of each row of a collection, shape (n_rows,)."""
    weight = sample.column("events", "weight")
    return np.repeat(weight, np.diff(sample.column(collection, "offsets")))


def flat_column(rows: Any, name: str) -> FloatArray:
    """A column of a ragged collection, all events after each other."""
    return np.asarray(ak.to_numpy(ak.flatten(getattr(rows, name))), dtype=np.float64)


def rows_of_truth(sample: Sample, collection: str) -> RowArray:
    """Rows of the true particles of some objects among all of a sample, -1 for none."""
    index = sample.column(collection, "truth_index").astype(np.int64)
    event = event_of(sample.column(collection, "offsets"))
    first = sample.column("particles", "offsets")[event]
    return np.where(index >= 0, first + index, -1)


def true_helices(sample: Sample) -> FloatArray:
    """True perigee helix of every track, shape (n_tracks, 5)."""
    truth = ak.flatten(sample.particles[sample.tracks.truth_index])
    charge = charges(ak.to_numpy(truth.pdg_id))
    position = np.stack([ak.to_numpy(truth.vertex[axis]) for axis in "xyz"], axis=-1)
    px, py, pz = (ak.to_numpy(truth[name]).astype(np.float64) for name in ("px", "py", "pz"))
    pt = np.hypot(px, py)
    omega = omega_from_pt(pt, charge, sample.experiment.solenoid.field_t)
    return perigee(position, np.arctan2(py, px), omega, pz / pt)[0]
