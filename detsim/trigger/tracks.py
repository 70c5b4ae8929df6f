"""Tracks as the level-one hardware finds them, from the particles that cross the drift chamber."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from darkbelle.detsim.charged import ChargedFlights
from darkbelle.detsim.helices import Helices
from darkbelle.detsim.hits import arc_at_radius
from darkbelle.detsim.legs import Leg
from darkbelle.gen.events import TruthEvents
from darkbelle.geometry import Experiment
from darkbelle.geometry.card import Superlayer
from darkbelle.geometry.trigger import TrackErrors, TriggerTrack
from darkbelle.ragged import event_of
from darkbelle.units import deg

__all__ = ["TriggerTracks", "find_trigger_tracks"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]

_FAR = 6.0
"""Widths from a threshold beyond which all pass or none."""


@dataclass(frozen=True, slots=True)
class TriggerTracks:
    """Charged particles in the order of events, and the kinds of tracks that each is found as.

    ``phi0`` and ``omega`` are those of the perigee, shape (n,) each.
    """

    event: IndexArray
    phi0: FloatArray
    omega: FloatArray
    found: dict[str, BoolArray]


def find_trigger_tracks(
    charged: ChargedFlights, truth: TruthEvents, experiment: Experiment, rng: np.random.Generator
) -> TriggerTracks:
    """Find tracks of all kinds that the card knows."""
    tracks, level_one = charged.helices, experiment.trigger.l1
    x, y, _ = charged.particles.position.T
    px, py, _ = charged.particles.momentum.T
    birth_radius, pt = np.sqrt(x**2 + y**2), np.sqrt(px**2 + py**2)
    chamber = {layer.name: layer for layer in experiment.drift_chamber.superlayers}
    named = {name for kind in level_one.tracks.values() for name in kind.superlayers}
    errors = level_one.track_errors
    margin = errors.edge_margin_deg + errors.edge_width_deg * rng.standard_normal(len(tracks))
    tan_margin = np.tan(margin * deg)
    crossed = {
        name: _crosses(layer, tracks, birth_radius, tan_margin)
        for name, layer in chamber.items()
        if name in named
    }
    z0 = tracks.z0 + _z0_errors(len(tracks), errors, rng)
    found: dict[str, BoolArray] = {}
    # Kinds that start from segments share their chance, as they share the segments.
    of_segments = rng.random(len(tracks), dtype=np.float32)
    for name, kind in level_one.tracks.items():
        chance = rng.random(len(tracks), dtype=np.float32) if kind.among else of_segments
        found[name] = chance < _efficiency(kind, pt, tracks, birth_radius)
        if kind.superlayers:
            n_crossed = np.add.reduce([crossed[layer] for layer in kind.superlayers], dtype=np.int8)
            found[name] &= n_crossed >= kind.min_superlayers
        if kind.z0_cm is not None:
            found[name] &= np.abs(z0) < kind.z0_cm
        if kind.among:
            found[name] &= np.logical_or.reduce([found[other] for other in kind.among])
        for other in kind.unless:
            found[name] &= ~found[other]
    event = event_of(truth.offsets)[charged.row]
    return TriggerTracks(event, tracks.phi0, tracks.omega, found)


def _crosses(
    layer: Superlayer, tracks: Helices, birth_radius: FloatArray, tan_margin: FloatArray
) -> BoolArray:
    """Whether tracks meet the middle of a superlayer well between the ends of its wires."""
    middle = len(layer.radius_cm) // 2
    radius = layer.radius_cm[middle]
    arc = arc_at_radius(tracks, radius, Leg.OUTWARD)
    z = tracks.z0 + tracks.tan_lambda * arc
    on = (arc > tracks.birth) & (arc < tracks.end) & (birth_radius < layer.radius_cm[0])
    # An end drawn in by an angle is seen at z = r (z_end - r tan) / (r + z_end tan).
    for end, sign in ((layer.z_max_cm[middle], 1), (layer.z_min_cm[middle], -1)):
        drawn_in = radius * (sign * end - radius * tan_margin)
        on &= sign * z * (radius + sign * end * tan_margin) < drawn_in
    return on


def _z0_errors(n: int, errors: TrackErrors, rng: np.random.Generator) -> FloatArray:
    """Errors of z0 [cm], shape (n,)."""
    in_tail = rng.random(n) < errors.z0_tail_fraction
    sigma = np.where(in_tail, errors.z0_tail_sigma_cm, errors.z0_sigma_cm)
    z0_errors: FloatArray = sigma * rng.standard_normal(n)
    return z0_errors


def _efficiency(
    kind: TriggerTrack, pt: FloatArray, tracks: Helices, birth_radius: FloatArray
) -> npt.NDArray[np.floating] | float:
    """Probability to find tracks that cross enough superlayers."""
    efficiency: npt.NDArray[np.floating] | float = kind.efficiency
    if kind.pt_gev:
        efficiency = efficiency * _turn_on(pt, kind.pt_gev, kind.pt_width_gev)
    if kind.p_gev:
        efficiency = efficiency * _turn_on(
            pt * np.sqrt(tracks.secant2), kind.p_gev, kind.p_width_gev
        )
    low, high = kind.theta_deg
    if (low, high) != (0.0, 180.0):
        theta = np.arctan2(1.0, tracks.tan_lambda)
        efficiency = efficiency * ((theta > low * deg) & (theta < high * deg))
    if kind.d0_factor != (1.0,):
        efficiency = efficiency * np.interp(np.abs(tracks.d0), kind.d0_cm, kind.d0_factor)
    if kind.birth_radius_factor != (1.0,):
        efficiency = efficiency * np.interp(
            birth_radius, kind.birth_radius_cm, kind.birth_radius_factor
        )
    return efficiency


def _turn_on(value: FloatArray, half_point: float, width: float) -> FloatArray:
    """Probability to pass a threshold, one far above."""
    if not width:
        return np.greater_equal(value, half_point).astype(np.float64)
    above = (value - half_point) / width
    passed = (above > 0).astype(np.float64)
    near = np.flatnonzero(np.abs(above) < _FAR)
    passed[near] = ndtr(above[near])
    return passed
