"""The table of clusters in the K_L and muon system."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.arrivals import Arrivals
from darkbelle.detsim.klm import KlmResponse
from darkbelle.detsim.klm_layers import KlmSection
from darkbelle.gen.events import TruthEvents
from darkbelle.records import column

__all__ = ["KlmClusterTable", "klm_cluster_table"]

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class KlmClusterTable:
    """Clusters in the K_L and muon system, event after event, shape (n_clusters,) each."""

    theta: FloatArray = column("polar angle seen from the origin", unit="rad", dtype="f4")
    phi: FloatArray = column("azimuth seen from the origin", unit="rad", dtype="f4", edm4hep="phi")
    x: FloatArray = column(
        "position in the innermost layer", unit="cm", dtype="f4", edm4hep="position.x"
    )
    y: FloatArray = column(
        "position in the innermost layer", unit="cm", dtype="f4", edm4hep="position.y"
    )
    z: FloatArray = column(
        "position in the innermost layer", unit="cm", dtype="f4", edm4hep="position.z"
    )
    time: FloatArray = column("time of the innermost hit", unit="ns", dtype="f4")
    n_layers: CountArray = column("layers with a hit", dtype="i2")
    innermost_layer: CountArray = column(
        "innermost layer with a hit in its section, the first is 1", dtype="i2"
    )
    section: npt.NDArray[np.int8] = column(
        "part of the system with the innermost hit", dtype="i1", codes=KlmSection
    )
    track_index: CountArray = column(
        "index of the matched track within the event, -1 for none", dtype="i2"
    )
    truth_index: npt.NDArray[np.int32] = column(
        "index of the true particle within the event", dtype="i4"
    )

    def __len__(self) -> int:
        return len(self.theta)


def klm_cluster_table(
    response: KlmResponse, arrivals: Arrivals, truth: TruthEvents
) -> tuple[KlmClusterTable, npt.NDArray[np.int64]]:
    """The clusters of a response, none of them matched to a track yet, and the events' offsets.

    ``arrivals`` are those that the response is to, their rows those of ``truth``.
    """
    row = arrivals.row[response.source]
    event = truth.event_index()[row]
    offsets = np.zeros(truth.n_events + 1, dtype=np.int64)
    np.cumsum(np.bincount(event, minlength=truth.n_events), out=offsets[1:])
    table = KlmClusterTable(
        theta=response.theta,
        phi=response.phi,
        x=response.x,
        y=response.y,
        z=response.z,
        time=response.time,
        n_layers=response.n_layers,
        innermost_layer=response.innermost_layer,
        section=response.section,
        track_index=np.full(len(row), -1, np.int16),
        truth_index=(row - truth.offsets[event]).astype(np.int32),
    )
    return table, offsets
