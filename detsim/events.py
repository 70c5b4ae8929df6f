"""The reconstructed record: what the detector measured, as flat columns."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.gen.events import TruthEvents
from darkbelle.records import column

__all__ = ["FitStatus", "RecoEvents", "TrackTable"]

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int8]


class FitStatus(enum.IntEnum):
    """Whether a track's parameters can be used."""

    OK = 0
    NOT_POSITIVE = 1
    """The hits do not fix all five parameters: parameters and covariance are NaN."""
    NO_FIELD = 2
    """A straight track: its momentum and charge are unknown."""


@dataclass(frozen=True, slots=True)
class TrackTable:
    """Tracks, event after event, shape (n_tracks, ...) each."""

    helix: FloatArray = column(
        "perigee to the origin: d0, phi0, omega, z0, tan_lambda",
        unit="cm, rad, 1/cm, cm, 1",
        dtype="f4",
        edm4hep="D0, phi, omega, Z0, tanLambda",
        sign_flip="D0",
    )
    cov: FloatArray = column(
        "covariance of helix",
        unit="products of those of helix",
        dtype="f4",
        edm4hep="covMatrix",
        sign_flip="D0",
        packing="lower triangle, row by row",
    )
    charge: CountArray = column("charge", unit="e", dtype="i1")
    n_hits_pxd: CountArray = column("pixel hits", dtype="i1")
    n_hits_svd: CountArray = column("silicon strip hits", dtype="i1")
    n_hits_cdc: CountArray = column("drift chamber hits", dtype="i1")
    truth_index: npt.NDArray[np.int32] = column(
        "index of the true particle within the event", dtype="i4"
    )
    fit_status: CountArray = column(
        "whether the parameters can be used", dtype="i1", codes=FitStatus
    )

    def __len__(self) -> int:
        return len(self.charge)


@dataclass(frozen=True, slots=True)
class RecoEvents:
    """Simulated events: event i owns the tracks ``track_offsets[i]`` to ``track_offsets[i + 1]``.

    ``truth`` is the generated record as the detector leaves it, every particle with its outcome.
    """

    truth: TruthEvents
    tracks: TrackTable
    track_offsets: npt.NDArray[np.int64]

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.truth.n_events
