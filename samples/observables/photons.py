"""Observables of the most energetic photons, ordered by their energy in the centre of mass."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import FitStatus, RecoEvents
from darkbelle.gen.kinematics import dot
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.records import Column
from darkbelle.samples.observables.base import (
    LEAST_PHOTON,
    ObservableSet,
    energy_cms,
    leading,
    light_momenta,
    photon_rows,
    where,
)

__all__ = ["SINGLE_PHOTON", "THREE_PHOTONS"]

Array = npt.NDArray[np.generic]
FloatArray = npt.NDArray[np.float64]


def _brightest(
    reco: RecoEvents, experiment: Experiment, n: int
) -> tuple[npt.NDArray[np.bool_], FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """Events with n photons; momenta of their first n and energies in the centre of mass.

    Shapes (n_events,), (4, n, m) and (n, m), brightest first; besides the number of photons of all
    events, shape (n_events,).
    """
    rows = photon_rows(reco)
    momenta = light_momenta(reco, rows)
    energy = energy_cms(momenta, experiment.collider)
    event = event_of(reco.cluster_offsets)[rows]
    chosen = leading(event, energy, reco.n_events, n)
    has_them = chosen[-1] >= 0
    chosen = chosen[:, has_them]
    n_photons = np.bincount(event, minlength=reco.n_events)
    return has_them, momenta[:, chosen], energy[chosen], n_photons


def three_photons(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The three most energetic photons, of which two may be those of an axion-like particle."""
    has_three, momenta, energies, _ = _brightest(reco, experiment, 3)
    total = momenta.sum(axis=1)
    pairs = [2 * dot(momenta[:, i], momenta[:, j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    sqrt_s = experiment.collider.sqrt_s
    values = {
        "three_photon_mass": np.sqrt(np.maximum(dot(total, total), 0.0)),
        "three_photon_energies": energies,
        "three_photon_pair_masses2": np.maximum(np.stack(pairs), 0.0),
        "three_photon_recoil_masses2": sqrt_s * (sqrt_s - 2 * energies),
    }
    return {"has_three_photons": has_three, **where(has_three, values)}


_ORDER = ("first", "second", "third")

THREE_PHOTONS: Final = ObservableSet(
    {
        "has_three_photons": Column(
            f"three photons above {LEAST_PHOTON} GeV; the observables of the first three are NaN "
            "without",
            "1",
            "i1",
        ),
        "three_photon_mass": Column("mass of the three most energetic photons", "GeV", "f4"),
        "three_photon_energies": Column(
            "their energies in the centre-of-mass frame, falling", "GeV", "f4", names=_ORDER
        ),
        "three_photon_pair_masses2": Column(
            "square of the mass of the other two photons for each of them",
            "GeV^2",
            "f4",
            names=tuple(f"without_{name}" for name in _ORDER),
        ),
        "three_photon_recoil_masses2": Column(
            "square of the mass recoiling against each of them", "GeV^2", "f4", names=_ORDER
        ),
    },
    three_photons,
)


def single_photon(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The most energetic photon, and what else is in the event."""
    has_photon, momenta, energies, n_photons = _brightest(reco, experiment, 1)
    photon, energy = momenta[:, 0], energies[0]
    sqrt_s = experiment.collider.sqrt_s
    values = {
        "photon_energy": energy,
        "photon_theta": np.arctan2(np.hypot(photon[1], photon[2]), photon[3]),
        "photon_recoil_mass2": sqrt_s * (sqrt_s - 2 * energy),
    }
    is_good = reco.tracks.fit_status == FitStatus.OK
    return {
        "has_photon": has_photon,
        **where(has_photon, values),
        "n_photons": n_photons,
        "n_good_tracks": np.bincount(
            event_of(reco.track_offsets)[is_good], minlength=reco.n_events
        ),
    }


SINGLE_PHOTON: Final = ObservableSet(
    {
        "has_photon": Column(
            f"a photon above {LEAST_PHOTON} GeV; its observables are NaN without", "1", "i1"
        ),
        "photon_energy": Column(
            "energy of the most energetic photon in the centre-of-mass frame", "GeV", "f4"
        ),
        "photon_theta": Column("its polar angle in the lab", "rad", "f4"),
        "photon_recoil_mass2": Column("square of the mass recoiling against it", "GeV^2", "f4"),
        "n_photons": Column(f"photons above {LEAST_PHOTON} GeV", "1", "i2"),
        "n_good_tracks": Column("good tracks", "1", "i2"),
    },
    single_photon,
)
