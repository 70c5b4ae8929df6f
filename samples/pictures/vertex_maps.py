"""Where things decayed and where vertices were fitted, with the material around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import VertexStatus
from darkbelle.gen.events import Status
from darkbelle.gen.particles import charges
from darkbelle.geometry import Experiment
from darkbelle.ragged import event_of
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.columns import Truth, rows_of_truth
from darkbelle.samples.pictures.labels import labels_of, print_head
from darkbelle.samples.pictures.outlines import outlines
from darkbelle.samples.pictures.style import (
    COLOURS,
    MARKERS,
    NothingToDrawError,
    in_style,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["fitted_vertices", "true_vertices", "vertex_map"]

FloatArray = npt.NDArray[np.float64]

_SHARE: Final = 0.95
"""Of the vertices, which set the range that is drawn."""
_LEAST, _MOST = 1.5, 120.0
"""Radius [cm] of that: the beam pipe at least, the drift chamber at most."""
_STRETCH: Final = 1.3


def true_vertices(sample: Sample) -> FloatArray:
    """Where two or more charged particles of one parent were born [cm], shape (3, n).

    Decays and conversions; the collision itself is none.
    """
    truth = Truth(sample)
    born = (charges(truth.pdg_id) != 0) & (truth.parent >= 0)
    parent, n_charged = np.unique(truth.parent[born], return_counts=True)
    rows = parent[(n_charged >= 2) & (truth.status[parent] != Status.BEAM)]
    return np.stack([truth.column(f"decay_{axis}")[rows] for axis in "xyz"])


def fitted_vertices(sample: Sample) -> FloatArray:
    """Fitted vertices of two tracks that have the same true parent [cm], shape (3, n)."""
    truth, rows = Truth(sample), rows_of_truth(sample, "tracks")
    first = sample.column("tracks", "offsets")[event_of(sample.column("vertices", "offsets"))]
    plus, minus = (
        truth.parent[rows[first + sample.column("vertices", f"track_{sign}")]]
        for sign in ("plus", "minus")
    )
    good = (plus == minus) & (plus >= 0)
    good &= sample.column("vertices", "fit_status") == int(VertexStatus.OK)
    return np.stack([sample.column("vertices", axis)[good] for axis in "xyz"]).astype(np.float64)


@in_style
def vertex_map(*samples: Sample) -> Figure:
    """True and fitted vertices across and along the axis, over the material of the first sample.

    Raises
    ------
    NothingToDrawError
        There are neither.
    """
    true, fitted = ([find(s) for s in samples] for find in (true_vertices, fitted_vertices))
    both = np.concatenate([*true, *fitted], axis=1)
    if both.shape[1] == 0:
        raise NothingToDrawError("there are no vertices of charged particles")
    radius = np.quantile(np.hypot(both[0], both[1]), _SHARE)
    reach = float(np.clip(_STRETCH * radius, _LEAST, _MOST))
    tracker = samples[0].experiment.calorimeter
    low, high = np.quantile(both[2], [(1 - _SHARE) / 2, (1 + _SHARE) / 2])
    along = (
        max(min(low, -reach) - 0.1 * reach, tracker.z_min_cm),
        min(max(high, reach) + 0.1 * reach, tracker.z_max_cm),
    )
    figure, axes = new_figure(2, 2)
    labels = labels_of(samples)
    for row, (name, found) in enumerate((("true", true), ("fitted", fitted))):
        across, lengthwise = axes[2 * row : 2 * row + 2]
        _draw_outlines(across, lengthwise, samples[0].experiment)
        for i, (vertices, label) in enumerate(zip(found, labels, strict=True)):
            _scatter(across, vertices[0], vertices[1], i, label or None)
            _scatter(lengthwise, vertices[2], np.hypot(vertices[0], vertices[1]), i, None)
        across.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        across.set(xlabel="$x$ [cm]", ylabel="$y$ [cm]")
        lengthwise.set(xlim=along, ylim=(0, reach), xlabel="$z$ [cm]", ylabel="$r$ [cm]")
        n_seen = sum(vertices.shape[1] for vertices in found)
        told = f"{name}: {n_seen:,}"
        box = {"fc": "white", "ec": "none", "pad": 1.5, "alpha": 0.8}
        across.text(0.03, 0.95, told, transform=across.transAxes, va="top", bbox=box)
        if any(labels):
            handles = across.get_legend_handles_labels()
            lengthwise.legend(*handles, fontsize="small", markerscale=2)
    print_head(figure, samples)
    return figure


def _scatter(axis: Axes, x: FloatArray, y: FloatArray, i: int, label: str | None) -> None:
    axis.plot(
        x,
        y,
        MARKERS[i % len(MARKERS)],
        ms=2.2,
        mew=0,
        alpha=0.6,
        color=COLOURS[i % len(COLOURS)],
        label=label,
        rasterized=True,
    )


def _draw_outlines(across: Axes, lengthwise: Axes, experiment: Experiment) -> None:
    """Beam pipe, silicon and drift chamber; bodies filled."""
    parts = [part for part in outlines(experiment) if not part.name.startswith(_OUTSIDE)]
    for part in parts:
        for radius in dict.fromkeys(part.radii):
            across.plot(*part.arc(radius), color="0.7", lw=0.7, zorder=0)
        if part.is_body:
            lengthwise.fill(part.z, part.r, fc="0.93", ec="0.7", lw=0.7, zorder=0)
        else:
            lengthwise.plot(part.z, part.r, color="0.7", lw=0.9, zorder=0)


_OUTSIDE: Final = ("calorimeter", "coil", "klm")
