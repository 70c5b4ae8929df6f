"""Event-level observables of the published searches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import FitStatus, RecoEvents
from darkbelle.detsim.helix import momentum
from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.gen import Process
from darkbelle.gen.kinematics import dot, to_rest_frame
from darkbelle.gen.particles import MASS_MU
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.records import Column

__all__ = ["OBSERVABLES", "ObservableSet", "observables_of"]

FloatArray = npt.NDArray[np.float64]
Array = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class ObservableSet:
    """Observables that are computed together: their columns, and the function that fills them."""

    columns: dict[str, Column]
    compute: Callable[[RecoEvents, Experiment], dict[str, Array]]


def _hardest_tracks(reco: RecoEvents, momenta: FloatArray, charge: int) -> npt.NDArray[np.int64]:
    """Index of the fastest good track of one charge in each event, -1 where there is none."""
    chosen = np.full(reco.n_events, -1, dtype=np.int64)
    candidates = np.flatnonzero(
        (reco.tracks.charge == charge) & (reco.tracks.fit_status == FitStatus.OK)
    )
    event = event_of(reco.track_offsets)[candidates]
    p2 = np.sum(momenta[candidates] ** 2, axis=1)
    slow_to_fast = np.lexsort((p2, event))
    chosen[event[slow_to_fast]] = candidates[slow_to_fast]  # the last one written is the fastest
    return chosen


def dimuon_recoil(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """What recoils against the fastest track of each charge, both taken for muons."""
    momenta = momentum(reco.tracks.helix, experiment.solenoid.field_t)
    plus, minus = (_hardest_tracks(reco, momenta, charge) for charge in (1, -1))
    has_dimuon = (plus >= 0) & (minus >= 0)
    dimuon = np.zeros((4, reco.n_events))
    for index in (plus, minus):
        p = momenta[index[has_dimuon]].T
        dimuon[:, has_dimuon] += [np.sqrt(np.sum(p**2, axis=0) + MASS_MU**2), *p]
    beams = experiment.collider.four_momentum[:, None]
    recoil = beams - dimuon
    recoil_mass2 = dot(recoil, recoil)
    values = {
        "dimuon_mass": np.sqrt(np.maximum(dot(dimuon, dimuon), 0.0)),
        "recoil_mass": np.sign(recoil_mass2) * np.sqrt(np.abs(recoil_mass2)),
        "recoil_mass2": recoil_mass2,
        "recoil_theta": np.arctan2(np.hypot(recoil[1], recoil[2]), recoil[3]),
        "missing_energy": to_rest_frame(recoil, beams)[0],
    }
    masked: dict[str, Array] = {k: np.where(has_dimuon, v, np.nan) for k, v in values.items()}
    return {"has_dimuon": has_dimuon, **masked}


OBSERVABLES = {
    "dimuon_recoil": ObservableSet(
        {
            "has_dimuon": Column(
                "two good tracks of opposite charge; the observables of the pair are NaN without",
                "1",
                "i1",
            ),
            "dimuon_mass": Column("mass of the pair, both taken for muons", "GeV", "f4"),
            "recoil_mass": Column(
                "mass recoiling against the pair, negative where its square is", "GeV", "f4"
            ),
            "recoil_mass2": Column("square of the recoil mass", "GeV^2", "f4"),
            "recoil_theta": Column("polar angle of the recoil momentum in the lab", "rad", "f4"),
            "missing_energy": Column(
                "energy of the recoil in the centre-of-mass frame", "GeV", "f4"
            ),
        },
        dimuon_recoil,
    )
}


def observables_of(process: Process | type[Process]) -> tuple[ObservableSet, ...]:
    """The observables that a process asks for; ConfigError where one is unknown."""
    for name in process.observables:
        if name not in OBSERVABLES:
            raise ConfigError(
                f"{process.name}: unknown observables '{name}', {did_you_mean(name, OBSERVABLES)}"
            )
    return tuple(OBSERVABLES[name] for name in process.observables)
