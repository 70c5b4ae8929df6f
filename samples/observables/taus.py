"""Observables of tau pairs: one prong against three, and tau -> 3 mu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import FitStatus, RecoEvents
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.kinematics import along_axes
from darkbelle.gen.particles import MASS_E, MASS_MU, PION
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of, offsets_of, pairs_within
from darkbelle.records import Column
from darkbelle.samples.kinematics import (
    energy_difference,
    mass_of,
    missing_mass2,
    pseudo_rest_frame_x,
)
from darkbelle.samples.observables.base import (
    ObservableSet,
    four_momenta,
    leading,
    light_momenta,
    particle_mass,
    photon_rows,
    track_momenta,
    where,
)
from darkbelle.samples.thrust import hemispheres, thrust

__all__ = ["TAU_ONE_PRONG", "TAU_TO_THREE_MUONS"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
Array = npt.NDArray[np.generic]

_MASS_PION: Final = particle_mass(PION)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Events in the centre of mass, z along the electrons: good tracks as pions, and photons."""

    thrust: FloatArray
    axis: FloatArray
    """Shape (3, n_events)"""
    seen: FloatArray
    """Sum of all four-momenta, shape (4, n_events)"""
    tracks: RowArray
    """Rows of the good tracks"""
    momenta: FloatArray
    """Four-momenta of these, shape (4, n)"""
    is_ahead: BoolArray
    """Whether they fly along the axis"""

    @property
    def missing_theta(self) -> FloatArray:
        """Polar angle of the missing momentum [rad]."""
        _, x, y, z = self.seen
        theta: FloatArray = np.arctan2(np.hypot(x, y), -z)
        return theta


def _shape(reco: RecoEvents, experiment: Experiment, of_interest: BoolArray) -> _Shape:
    """Thrust and sums of some events, shape (n_events,); of no meaning for the others."""
    n_events = reco.n_events
    event, of_photons = event_of(reco.track_offsets), event_of(reco.cluster_offsets)
    tracks = np.flatnonzero(_good_tracks(reco) & of_interest[event])
    photons = photon_rows(reco)
    photons = photons[of_interest[of_photons[photons]]]
    event = event[tracks]
    momenta = np.concatenate(
        [
            four_momenta(track_momenta(reco, experiment, tracks), _MASS_PION),
            light_momenta(reco, photons),
        ],
        axis=1,
    )
    momenta = along_axes(momenta, axes_of_collision(experiment.collider))
    all_events = np.concatenate([event, of_photons[photons]])
    order = np.argsort(all_events, kind="stable")
    offsets = offsets_of(all_events, n_events)
    value, axis = thrust(momenta[1:, order], offsets)
    seen = np.zeros((4, n_events))
    for total, p in zip(seen, momenta, strict=True):
        total += np.bincount(all_events, p, minlength=n_events)
    of_tracks = momenta[:, : len(tracks)]
    is_ahead = hemispheres(of_tracks[1:], offsets_of(event, n_events), axis)
    return _Shape(value, axis, seen, tracks, of_tracks, is_ahead)


def _good_tracks(reco: RecoEvents) -> BoolArray:
    good: BoolArray = reco.tracks.fit_status == FitStatus.OK
    return good


def tau_one_prong(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """Four tracks without charge, of which the thrust axis parts one from three."""
    n_events, offsets = reco.n_events, reco.track_offsets
    good, event = _good_tracks(reco), event_of(offsets)
    n_good = np.bincount(event, good, minlength=n_events)
    charge = np.bincount(event, good * reco.tracks.charge, minlength=n_events)
    shape = _shape(reco, experiment, (n_good == 4) & (charge == 0))
    event = event[shape.tracks]
    n_ahead = np.bincount(event, shape.is_ahead, minlength=n_events)
    n_tracks = np.bincount(event, minlength=n_events)
    exists = (n_tracks == 4) & ((n_ahead == 1) | (n_ahead == 3))
    is_single = exists[event] & (shape.is_ahead == (n_ahead[event] == 1))
    is_tag = exists[event] & ~is_single
    single = shape.momenta[1:, is_single]
    tag = shape.momenta[:, is_tag].reshape(4, -1, 3).sum(axis=-1)
    sqrt_s = experiment.collider.sqrt_s
    beams = np.array([sqrt_s, 0.0, 0.0, 0.0])
    outward = np.where(n_ahead == 1, 1.0, -1.0)[exists]
    values = {
        "tau_thrust": shape.thrust[exists],
        "tau_thrust_axis": shape.axis[:, exists] * outward,
        "tau_x_lepton": np.stack(
            [
                pseudo_rest_frame_x(four_momenta(single, mass), tag, sqrt_s)
                for mass in (MASS_E, MASS_MU)
            ]
        ),
        "tau_tag_energy": tag[0],
        "tau_tag_mass": mass_of(tag),
        "tau_missing_theta": shape.missing_theta[exists],
        "tau_missing_mass2": missing_mass2(shape.seen[:, exists], beams),
    }
    index = np.full(n_events, -1)
    index[exists] = shape.tracks[is_single] - offsets[:-1][exists]
    return {"has_tau_one_prong": exists, "tau_lepton_index": index, **where(exists, values)}


TAU_ONE_PRONG: Final = ObservableSet(
    {
        "has_tau_one_prong": Column(
            "four good tracks without charge, and no other, of which the thrust axis parts one "
            "from three; their observables are NaN without",
            "1",
            "i1",
        ),
        "tau_lepton_index": Column(
            "index of the single track within the event, -1 for none", "1", "i4"
        ),
        "tau_thrust": Column("thrust of tracks, as pions, and photons", "1", "f4"),
        "tau_thrust_axis": Column(
            "its axis in the centre-of-mass frame, z along the electrons, towards the single track",
            "1",
            "f4",
            names=("x", "y", "z"),
        ),
        "tau_x_lepton": Column(
            "2 E/m_tau of the single track in the pseudo rest frame of its tau, as e and as mu",
            "1",
            "f4",
            names=("e", "mu"),
        ),
        "tau_tag_energy": Column(
            "energy of the three, as pions, in the centre-of-mass frame", "GeV", "f4"
        ),
        "tau_tag_mass": Column("mass of the three, as pions", "GeV", "f4"),
        "tau_missing_theta": Column(
            "polar angle of the missing momentum in the centre-of-mass frame", "rad", "f4"
        ),
        "tau_missing_mass2": Column(
            "square of the mass that tracks, as pions, and photons leave", "GeV^2", "f4"
        ),
    },
    tau_one_prong,
)


def tau_to_three_muons(reco: RecoEvents, experiment: Experiment) -> dict[str, Array]:
    """Three tracks of one hemisphere and of charge +-1 as muons, of the least |Delta E|."""
    n_events, collider = reco.n_events, experiment.collider
    n_good = np.bincount(event_of(reco.track_offsets), _good_tracks(reco), minlength=n_events)
    shape = _shape(reco, experiment, n_good >= 3)
    event = event_of(reco.track_offsets)[shape.tracks]
    triples = _triples(offsets_of(event, n_events))
    charge = reco.tracks.charge[shape.tracks].astype(np.int64)
    side = shape.is_ahead[triples].sum(axis=0) % 3 == 0
    triples = triples[:, side & (np.abs(charge[triples].sum(axis=0)) == 1)]
    rows = shape.tracks[triples]
    total = four_momenta(track_momenta(reco, experiment, rows), MASS_MU).sum(axis=1)
    delta_e = energy_difference(total, collider)
    chosen = leading(event[triples[0]], -np.abs(delta_e), n_events, 1)[0]
    exists = chosen >= 0
    chosen = chosen[exists]
    values = {
        "three_muon_mass": mass_of(total[:, chosen]),
        "three_muon_delta_e": delta_e[chosen],
        "three_muon_thrust": shape.thrust[exists],
        "three_muon_missing_theta": shape.missing_theta[exists],
    }
    index = np.full((n_events, 3), -1)
    index[exists] = (rows[:, chosen] - reco.track_offsets[:-1][exists]).T
    return {"has_three_muons": exists, "three_muon_index": index, **where(exists, values)}


def _triples(offsets: npt.NDArray[np.int64]) -> RowArray:
    """All sets of three rows of an event, each once and rising, shape (3, n_triples)."""
    first, second = pairs_within(offsets)
    end = np.repeat(offsets[1:], np.diff(offsets))[second]
    n_later = end - second - 1
    pair = np.repeat(np.arange(len(first)), n_later)
    third = np.arange(len(pair)) - np.repeat(np.cumsum(n_later) - n_later, n_later)
    return np.stack([first[pair], second[pair], third + second[pair] + 1])


TAU_TO_THREE_MUONS: Final = ObservableSet(
    {
        "has_three_muons": Column(
            "three good tracks of charge +-1 on one side of the thrust axis, that of the least "
            "|Delta E| as muons; their observables are NaN without",
            "1",
            "i1",
        ),
        "three_muon_index": Column(
            "indices of the three within the event, -1 for none",
            "1",
            "i4",
            names=("first", "second", "third"),
        ),
        "three_muon_mass": Column("mass of the three as muons", "GeV", "f4"),
        "three_muon_delta_e": Column(
            "their energy in the centre-of-mass frame less half of that of the beams", "GeV", "f4"
        ),
        "three_muon_thrust": Column("thrust of tracks, as pions, and photons", "1", "f4"),
        "three_muon_missing_theta": Column(
            "polar angle of the missing momentum in the centre-of-mass frame", "rad", "f4"
        ),
    },
    tau_to_three_muons,
)
