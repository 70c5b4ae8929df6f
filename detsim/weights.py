"""Event weights of systematic errors: what happened, had its probability been another.

A particle that is found with a probability eps, which an error changes to eps' = eps (1 +- delta)
within [0, 1], weighs eps'/eps if it was found and (1 - eps')/(1 - eps) if it was not: the mean of
the weights is one, and any selection, vetoes included, has the efficiency that it would have in
events made with eps'. Where eps = 1 nothing was ever missed, and eps' < 1 leaves the mean below
one. Neither draws a random number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.calorimeter import ClusterChances
from darkbelle.detsim.charged import ChargedFlights
from darkbelle.detsim.events import TriggerTable
from darkbelle.detsim.identification import Suspects, average_rates, realised_rates, species_of
from darkbelle.detsim.track_table import FoundTracks
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.particles import PHOTON
from darkbelle.geometry import Experiment
from darkbelle.geometry.identification import SPECIES
from darkbelle.geometry.systematics import (
    AnySystematic,
    AnyWeight,
    DisplacedTrackingError,
    IdentificationError,
    PhotonError,
    TrackingError,
    TriggerError,
    WeightError,
    directions,
)
from darkbelle.ragged import event_of, product_by_event

__all__ = ["Chances", "event_weights", "trigger_weights"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chances:
    """What happened to simulated events by chance, with what decided on the probabilities."""

    truth: TruthEvents
    charged: ChargedFlights
    tracks: FoundTracks
    suspects: Suspects
    pid: BoolArray
    showers: ClusterChances
    trigger: TriggerTable
    experiment: Experiment


def event_weights(
    systematics: Mapping[str, AnySystematic], chances: Chances
) -> dict[str, FloatArray]:
    """Factors of the event weights, shape (n_events,) each, by names such as "tracking_up"."""
    return {
        variation: _factors(error, chances, sign)
        for name, error in systematics.items()
        if isinstance(error, WeightError)
        for variation, sign in directions(name)
    }


def _factors(error: AnyWeight, chances: Chances, sign: int) -> FloatArray:
    """Factors of the event weights for an error up (+1) or down (-1), shape (n_events,)."""
    match error:
        case TrackingError() | DisplacedTrackingError():
            return _of_tracks(error, chances, sign)
        case PhotonError():
            return _of_photons(error, chances, sign)
        case IdentificationError():
            return _of_identification(error, chances, sign)
        case TriggerError():
            return _of_trigger(error, chances, sign)


def _of_tracks(
    error: TrackingError | DisplacedTrackingError, chances: Chances, sign: int
) -> FloatArray:
    """By the transverse momentum of each particle, or by the radius of its birth."""
    particles = chances.charged.particles
    by = particles.momentum if isinstance(error, TrackingError) else particles.position
    relative = error.at(np.hypot(by[:, 0], by[:, 1]))
    tracks, truth = chances.tracks, chances.truth
    rows = np.flatnonzero((tracks.efficiency > 0) & (relative > 0))
    factor = _of_finding(tracks.efficiency[rows], tracks.found[rows], sign * relative[rows])
    event = np.searchsorted(truth.offsets, chances.charged.row[rows], side="right") - 1
    return product_by_event(factor, event, truth.n_events)


def _of_photons(error: PhotonError, chances: Chances, sign: int) -> FloatArray:
    showers, truth = chances.showers, chances.truth
    rows = np.flatnonzero((showers.truth_index >= 0) & (showers.efficiency > 0))
    particle = truth.offsets[showers.event[rows]] + showers.truth_index[rows]
    rows = rows[truth.particles.pdg_id[particle] == PHOTON]
    relative = sign * error.at(showers.energy[rows])
    factor = _of_finding(showers.efficiency[rows], showers.found[rows], relative)
    return product_by_event(factor, showers.event[rows], truth.n_events)


def _of_identification(error: IdentificationError, chances: Chances, sign: int) -> FloatArray:
    """Each hypothesis weighs by the interval between two rates that its random number fell into.

    Where pions and kaons judge by one number, the other one's rates move with the intervals.
    """
    card, suspects = chances.experiment.identification, chances.suspects
    species = species_of(suspects.pdg_id)
    factor = np.ones(len(suspects))
    for name, varied in error.rates.items():
        is_varied = np.isin(species, [SPECIES.index(true) for true in varied])
        concerned = is_varied | (suspects.muon_chance > 0) if name == "mu" else is_varied
        rows = np.flatnonzero(concerned & np.isfinite(suspects.p))
        some = suspects.take(rows)
        average, muons = average_rates(some, card.hypotheses[name])
        scale = (1 + sign * error.at(some.p))[:, None]
        varied_average = np.where(is_varied[rows, None], _within(average * scale), average)
        varied_muons = _within(muons * scale) if "mu" in varied else muons
        points = [f"{name}_{point}" for point in card.hypotheses[name].points]
        columns = [card.point_names.index(point) for point in points]
        factor[rows] *= _of_intervals(
            realised_rates(name, average, muons, some, card),
            realised_rates(name, varied_average, varied_muons, some, card),
            chances.pid[rows][:, columns].sum(axis=1),
        )
    return product_by_event(factor, event_of(chances.tracks.offsets), chances.truth.n_events)


def _of_trigger(error: TriggerError, chances: Chances, sign: int) -> FloatArray:
    trigger, menus = chances.trigger, chances.experiment.trigger
    kept, menu = {
        "l1": (trigger.l1_prescaled, menus.l1),
        "hlt": (trigger.hlt, menus.hlt),
    }[error.level]
    return trigger_weights(error.of_lines(menu.line_names), kept, sign)


def trigger_weights(relative: FloatArray, kept: BoolArray, sign: int) -> FloatArray:
    """The least error of the lines that kept an event; an event that none did has weight one.

    What is not kept would weigh less where this weighs more, but no probability is known: the
    mean is not one.

    Parameters
    ----------
    relative
        Error of each line, shape (n_lines,).
    kept
        Whether each line kept each event, shape (n_events, n_lines).
    sign
        +1 for up, -1 for down.
    """
    least = np.where(kept, relative, np.inf).min(axis=1, initial=np.inf)
    return 1 + sign * np.where(np.isfinite(least), least, 0.0)


def _of_finding(efficiency: FloatArray, found: BoolArray, relative: FloatArray) -> FloatArray:
    """Weight of each thing that was found with some efficiency above zero, or was not."""
    varied = _within(efficiency * (1 + relative))
    missed = (1 - varied) / np.where(efficiency < 1, 1 - efficiency, 1.0)
    return np.where(found, varied / efficiency, missed)


def _of_intervals(
    rates: FloatArray, varied: FloatArray, n_passed: npt.NDArray[np.integer]
) -> FloatArray:
    """Weights of tracks that passed so many of some nested points, loosest first, shape (n,).

    Ratio of the widths of the interval between two rates, (n, n_points), after and before.
    """
    before, after = _widths(rates, n_passed), _widths(varied, n_passed)
    return np.where(before > 0, after / np.where(before > 0, before, 1.0), 1.0)


def _widths(rates: FloatArray, n_passed: npt.NDArray[np.integer]) -> FloatArray:
    """Probabilities to pass as many points as each did, shape (n,)."""
    n = len(rates)
    edges = np.concatenate([np.ones((n, 1)), rates, np.zeros((n, 1))], axis=1)
    rows = np.arange(n)
    width: FloatArray = edges[rows, n_passed] - edges[rows, n_passed + 1]
    return width


def _within(probability: FloatArray) -> FloatArray:
    return np.clip(probability, 0.0, 1.0)
