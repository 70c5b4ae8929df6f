"""Observables of the fastest tracks: two, four and six of them with no charge in all."""

from __future__ import annotations

from itertools import permutations
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.gen.particles import MASS_E, MASS_MU
from darkbelle.geometry import Experiment
from darkbelle.records import Column
from darkbelle.samples.kinematics import mass_of, missing_mass2
from darkbelle.samples.observables.base import (
    ObservableSet,
    energy_cms,
    fastest_tracks,
    four_momenta,
    opposite_masses2,
    track_momenta,
    where,
)

__all__ = ["DIMUON_RECOIL", "FOUR_TRACKS", "SIX_TRACKS"]

FloatArray = npt.NDArray[np.float64]
Array = npt.NDArray[np.generic]

_MATCHINGS: Final = np.array(list(permutations(range(3))))
"""Which negative track goes with each of three positive ones, shape (6, 3)."""


def dimuon_recoil(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """What recoils against the fastest track of each charge, both taken for muons."""
    rows = fastest_tracks(reco, 1)[:, 0]
    has_dimuon = np.all(rows >= 0, axis=0)
    momenta = track_momenta(reco, experiment, rows[:, has_dimuon])
    dimuon = four_momenta(momenta, MASS_MU).sum(axis=1)
    collider = experiment.collider
    recoil = collider.four_momentum[:, None] - dimuon
    recoil_mass2 = missing_mass2(dimuon, collider.four_momentum)
    values = {
        "dimuon_mass": mass_of(dimuon),
        "recoil_mass": np.sign(recoil_mass2) * np.sqrt(np.abs(recoil_mass2)),
        "recoil_mass2": recoil_mass2,
        "recoil_theta": np.arctan2(np.hypot(recoil[1], recoil[2]), recoil[3]),
        "missing_energy": energy_cms(recoil, collider),
    }
    return {"has_dimuon": has_dimuon, **where(has_dimuon, values)}


DIMUON_RECOIL: Final = ObservableSet(
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
        "missing_energy": Column("energy of the recoil in the centre-of-mass frame", "GeV", "f4"),
    },
    dimuon_recoil,
)


def four_tracks(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The two fastest tracks of each charge, as four muons or two and a pair of electrons.

    The reduced mass sqrt(M^2 - 4 m_mu^2) is that of arXiv:2403.02841, where it is scanned.
    """
    rows = fastest_tracks(reco, 2)
    has_four = np.all(rows >= 0, axis=(0, 1))
    chosen = track_momenta(reco, experiment, rows[..., has_four])
    muons = four_momenta(chosen, MASS_MU)
    collider = experiment.collider
    total = muons.sum(axis=(1, 2))
    missing = collider.four_momentum[:, None] - total
    shape = (4, has_four.sum())
    as_muons = opposite_masses2(muons[:, 0], muons[:, 1]).reshape(shape)
    electrons = four_momenta(chosen, MASS_E)
    as_electrons = opposite_masses2(electrons[:, 0], electrons[:, 1]).reshape(shape)
    values = {
        "four_track_mass": mass_of(total),
        "four_track_mumu_masses": np.sqrt(as_muons + 4 * MASS_MU**2),
        "four_track_reduced_masses": np.sqrt(as_muons),
        "four_track_ee_masses": np.sqrt(as_electrons + 4 * MASS_E**2),
        "four_track_missing_energy": energy_cms(missing, collider),
        "four_track_missing_mass2": missing_mass2(total, collider.four_momentum),
    }
    return {"has_four_tracks": has_four, **where(has_four, values)}


_PAIRINGS = ("fast_fast", "fast_slow", "slow_fast", "slow_slow")

FOUR_TRACKS: Final = ObservableSet(
    {
        "has_four_tracks": Column(
            "two good tracks of either charge; the observables of the four are NaN without",
            "1",
            "i1",
        ),
        "four_track_mass": Column("mass of the four, all taken for muons", "GeV", "f4"),
        "four_track_mumu_masses": Column(
            "masses of the pairs of opposite charge as muons: faster or slower positive track with "
            "faster or slower negative one; pairs 0 and 3, and 1 and 2, make up the four",
            "GeV",
            "f4",
            names=_PAIRINGS,
        ),
        "four_track_reduced_masses": Column(
            "sqrt(M^2 - 4 m_mu^2) of the same pairs", "GeV", "f4", names=_PAIRINGS
        ),
        "four_track_ee_masses": Column(
            "masses of the same pairs as electrons", "GeV", "f4", names=_PAIRINGS
        ),
        "four_track_missing_energy": Column(
            "energy in the centre-of-mass frame that the four, as muons, leave", "GeV", "f4"
        ),
        "four_track_missing_mass2": Column(
            "square of the mass recoiling against the four, as muons", "GeV^2", "f4"
        ),
    },
    four_tracks,
)


def six_tracks(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """The three fastest tracks of each charge as three pairs of about one mass."""
    rows = fastest_tracks(reco, 3)
    has_six = np.all(rows >= 0, axis=(0, 1))
    momenta = track_momenta(reco, experiment, rows[..., has_six])
    plus, minus = np.moveaxis(four_momenta(momenta, MASS_MU), 1, 0)
    masses = np.sqrt(opposite_masses2(plus, minus) + 4 * MASS_MU**2)
    matched = masses[np.arange(3), _MATCHINGS]
    best = np.argmin(np.ptp(matched, axis=1), axis=0)
    event = np.arange(len(best))
    pairs = plus + minus[:, _MATCHINGS[best].T, event]
    order = np.argsort(matched[best, :, event], axis=1).T
    pairs = pairs[:, order, event]
    total = pairs.sum(axis=1)
    others = total[:, None] - pairs
    values = {
        "six_track_mass": mass_of(total),
        "six_track_pair_masses": matched[best[None], order, event],
        "six_track_four_masses": mass_of(others),
    }
    return {"has_six_tracks": has_six, **where(has_six, values)}


SIX_TRACKS: Final = ObservableSet(
    {
        "has_six_tracks": Column(
            "three good tracks of either charge; the observables of the six are NaN without",
            "1",
            "i1",
        ),
        "six_track_mass": Column("mass of the six, all taken for muons", "GeV", "f4"),
        "six_track_pair_masses": Column(
            "masses of the three pairs of opposite charge that differ least, as muons, rising",
            "GeV",
            "f4",
            names=("light", "middle", "heavy"),
        ),
        "six_track_four_masses": Column(
            "mass of the other four tracks for each of these pairs",
            "GeV",
            "f4",
            names=("without_light", "without_middle", "without_heavy"),
        ),
    },
    six_tracks,
)
