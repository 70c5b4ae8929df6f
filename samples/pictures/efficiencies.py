"""How many of the signal's charged particles and photons leave a track or a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.events import Origin
from darkbelle.gen.particles import PHOTON, is_dark
from darkbelle.geometry import Experiment
from darkbelle.samples.efficiency.intervals import Efficiency
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.columns import Truth, rows_of_truth
from darkbelle.samples.pictures.kinematics import CHARGED, final_rows
from darkbelle.samples.pictures.labels import labels_of, print_head, print_note
from darkbelle.samples.pictures.style import (
    COLOURS,
    MARKERS,
    NothingToDrawError,
    in_style,
    new_figure,
)
from darkbelle.samples.pictures.widths import bins_of_equal_content

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["efficiencies", "signal_rows"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_RADIATED: Final = (Origin.INITIAL_STATE_RADIATION, Origin.FINAL_STATE_RADIATION)
_BINS: Final = 12
_PROMPT: Final = 0.1
"""Radius of birth [cm] that all have where nothing is displaced."""


def signal_rows(truth: Truth, pdg_ids: Sequence[int]) -> BoolArray:
    """Whether each particle is of some species and of the signal, shape (n,).

    What dark states decayed to if it is of these species in any event, else what all else did,
    without radiated photons.
    """
    chosen = final_rows(truth, pdg_ids) & ~np.isin(truth.origin, _RADIATED)
    of_dark = chosen & truth.any_ancestor(is_dark(truth.pdg_id))
    return of_dark if of_dark.any() else chosen


@dataclass(frozen=True, slots=True)
class _Tried:
    """Particles that could be found: size and polar angle of the momentum, birth, and was it."""

    size: FloatArray
    theta: FloatArray
    radius: FloatArray
    is_found: BoolArray
    weights: FloatArray
    is_ahead: BoolArray
    is_inside: BoolArray

    @classmethod
    def of(cls, sample: Sample, species: Sequence[int], group: str) -> _Tried:
        truth = Truth(sample)
        chosen = signal_rows(truth, species)
        rows = rows_of_truth(sample, group)
        is_found = np.zeros(len(truth), dtype=bool)
        is_found[rows[rows >= 0]] = True
        _, px, py, pz = truth.momenta()[:, chosen]
        pt = np.hypot(px, py)
        theta = np.degrees(np.arctan2(pt, pz))
        radius = np.hypot(truth.column("x"), truth.column("y"))[chosen]
        low, high, most = _acceptance(sample.experiment, group)
        return cls(
            np.hypot(pt, pz),
            theta,
            radius,
            is_found[chosen],
            truth.weights()[chosen],
            (theta > low) & (theta < high),
            radius < most,
        )


def _acceptance(experiment: Experiment, group: str) -> tuple[float, float, float]:
    """Range of theta [deg] where tracks are found or crystals stand, and their radius [cm]."""
    if group == "tracks":
        edges = experiment.tracking.finding.theta_edges_deg
        return edges[0], edges[-1], experiment.drift_chamber.superlayers[-1].radius_cm[-1]
    crystals = experiment.calorimeter
    return (
        crystals.forward.theta_min_deg,
        crystals.backward.theta_max_deg,
        crystals.inner_radius_cm,
    )


@in_style
def efficiencies(*samples: Sample) -> Figure:
    """Shares of the signal's charged particles and photons that leave a track or a cluster.

    Against momentum, polar angle and radius of birth, of those that are born inside the drift
    chamber or the calorimeter and, but for the second, fly into their acceptance in theta. Exact
    (Clopper-Pearson) intervals of 68.27 %.

    Raises
    ------
    NothingToDrawError
        There are neither.
    """
    kinds = {"track": (CHARGED, "tracks"), "photon": ((PHOTON,), "clusters")}
    tried = {
        name: [_Tried.of(sample, species, group) for sample in samples]
        for name, (species, group) in kinds.items()
    }
    shown = {name: ones for name, ones in tried.items() if any(len(one.size) for one in ones)}
    if not shown:
        raise NothingToDrawError("the signal has no charged particles and no photons")
    figure, axes = new_figure(len(shown), 3)
    labels = labels_of(samples)
    for row, (name, ones) in enumerate(shown.items()):
        momentum, theta, radius = axes[3 * row : 3 * row + 3]
        is_displaced = any(np.any(one.radius > _PROMPT) for one in ones)
        if not is_displaced:
            print_note(radius, f"all are born within\n{_PROMPT:g} cm of the axis")
        for i, (one, label) in enumerate(zip(ones, labels, strict=True)):
            accepted = one.is_ahead & one.is_inside
            for axis, across, chosen in (
                (momentum, one.size, accepted),
                (theta, one.theta, one.is_inside),
            ):
                _draw(axis, i, label, one, across, chosen, _edges(across[chosen]))
            if is_displaced:
                edges = _edges_of_radius(one.radius[accepted])
                _draw(radius, i, label, one, one.radius, accepted, edges)
        momentum.set_xlabel(r"true $p$ [GeV]" if name == "track" else r"true $E$ [GeV]")
        theta.set_xlabel(r"true $\theta$ [deg]")
        radius.set_xlabel("radius of birth [cm]")
        for axis in (momentum, theta, radius):
            axis.set_ylabel(f"{name} efficiency")
            axis.set_ylim(0, 1.3 if any(labels) else 1.08)
            if any(labels) and axis.get_legend_handles_labels()[0]:
                axis.legend(fontsize="small", loc="upper right")
    note = "particles of the signal, born inside; within acceptance but against theta"
    print_head(figure, samples, note)
    return figure


def _draw(
    axis: Axes,
    i: int,
    label: str,
    one: _Tried,
    across: FloatArray,
    chosen: BoolArray,
    edges: FloatArray,
) -> None:
    """Efficiencies in bins, those without anything left out."""
    rows = []
    for low, high in pairwise(edges):
        inside = chosen & (across >= low) & ((across < high) | (high == edges[-1]))
        share = Efficiency.of(one.is_found, among=inside, weight=one.weights)
        if np.isfinite(share.eff):
            middle = np.median(across[inside])
            ends = middle - low, high - middle, share.eff - share.eff_lo, share.eff_hi - share.eff
            rows.append((middle, share.eff, *ends))
    if not rows:
        return
    middle, eff, left, right, below, above = np.array(rows).T
    axis.errorbar(
        middle,
        eff,
        [below, above],
        [left, right],
        fmt=MARKERS[i % len(MARKERS)],
        ms=3,
        lw=0.8,
        color=COLOURS[i % len(COLOURS)],
        label=label or None,
    )


def _edges(values: FloatArray) -> FloatArray:
    """Of bins with equally many, or of one with all where there are few; none of none."""
    edges = bins_of_equal_content(values, _BINS)
    if len(edges) < 2 and len(values):
        edges = np.array([values.min() - 1e-6, values.max() + 1e-6])
    return edges


def _edges_of_radius(radius: FloatArray) -> FloatArray:
    """Of a bin with all that are prompt, and of such with equally many others."""
    edges = _edges(radius[radius > _PROMPT])
    if len(edges) and np.any(radius <= _PROMPT):
        edges = np.concatenate([[0.0, _PROMPT], edges[1:]])
    return edges if len(edges) else _edges(radius)
