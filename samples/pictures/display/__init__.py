"""Displays of single events: what was generated and what the detector makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

import numpy as np
import numpy.typing as npt

from darkbelle.geometry import Experiment
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.display.event import SeenEvent
from darkbelle.samples.pictures.display.paths import Cylinder
from darkbelle.samples.pictures.display.views import SideView, TransverseView, draw_event
from darkbelle.samples.pictures.labels import print_head
from darkbelle.samples.pictures.outlines import outlines
from darkbelle.samples.pictures.style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["display"]

FloatArray = npt.NDArray[np.float64]

_DISPLACED: Final = 0.1
"""cm in the transverse plane from the collision, from which on vertices are shown enlarged."""
_PANEL_INCHES: Final = 4.5
_LINE_INCHES: Final = 0.18
"""Of the head and the legend."""
_MARGIN: Final = 1.4
_FEWEST_CM: Final = 0.3
_MOST_LINES: Final = 8
"""Of the trigger that are named."""


class _Limits(TypedDict):
    xlim: tuple[float, float]
    ylim: tuple[float, float]


@in_style
def display(sample: Sample, event: int) -> Figure:
    """Draw an event of a sample, counted from 0, along the axis and from the side.

    Thin lines are true ways, thick ones fitted tracks from the first hit to the calorimeter;
    towers have lengths as the energies of clusters. With a vertex away from the collision, a third
    panel shows the vertices in the transverse plane.

    Raises
    ------
    ConfigError
        There is no such event.
    """
    from matplotlib.figure import Figure

    seen = SeenEvent.of(sample, event)
    limits = _around_vertices(seen, sample.experiment)
    n_panels = 2 if limits is None else 3
    figure = Figure(figsize=(4.3 * n_panels, 5.4), layout="constrained", dpi=150)
    parts = outlines(sample.experiment)
    detector = Cylinder.of_detector(sample.experiment)
    widths = [2 * detector.radius, detector.z_max - detector.z_min, 2 * detector.radius]
    axes = figure.subplots(1, n_panels, width_ratios=widths[:n_panels])
    views = TransverseView(), SideView(), TransverseView()
    for axis, view in zip(axes, views, strict=False):
        draw_event(axis, view, seen, parts)
        view.set_limits(axis, detector)
    if limits is not None:
        axes[2].set(**limits)
    handles, labels = axes[0].get_legend_handles_labels()
    columns = 3 * n_panels
    by_kind = sorted(range(len(labels)), key=lambda i: "GeV" not in labels[i])
    figure.legend(
        [handles[i] for i in by_kind],
        [labels[i] for i in by_kind],
        loc="outside lower left",
        ncols=columns,
        frameon=False,
        fontsize="small",
    )
    print_head(figure, [sample], _told(sample, event))
    n_lines = figure.get_suptitle().count("\n") - len(labels) // -columns
    figure.set_figheight(_PANEL_INCHES + _LINE_INCHES * n_lines)
    return figure


def _around_vertices(seen: SeenEvent, experiment: Experiment) -> _Limits | None:
    """What holds all true vertices in the tracker, None if none is away from the collision."""
    chamber = experiment.drift_chamber.superlayers[-1].radius_cm[-1]
    inside = np.hypot(*seen.vertices[:, :2].T) < chamber
    x, y = np.concatenate([seen.collision[None, :2], seen.vertices[inside, :2]]).T
    away = np.hypot(x - x[0], y - y[0])
    if np.all(away < _DISPLACED):
        return None
    half = max(_MARGIN * max(np.ptp(x), np.ptp(y)) / 2, _FEWEST_CM)
    middle = (x.max() + x.min()) / 2, (y.max() + y.min()) / 2
    xlim, ylim = ((float(at - half), float(at + half)) for at in middle)
    return {"xlim": xlim, "ylim": ylim}


def _told(sample: Sample, event: int) -> str:
    """Number of the event and what the trigger made of it."""
    trigger = sample.trigger[event]
    fired = {
        "level one": [name for name in trigger.l1_prescaled.fields if trigger.l1_prescaled[name]],
        "high level": [name for name in trigger.hlt.fields if trigger.hlt[name]],
    }
    lines = []
    for level, names in fired.items():
        more = f" and {len(names) - _MOST_LINES} more" if len(names) > _MOST_LINES else ""
        lines.append(f"{level}: {', '.join(names[:_MOST_LINES]) or 'no line'}{more}")
    kept = "kept" if trigger.physics else "not kept"
    return f"event {event}, {kept} by the trigger; {'; '.join(lines)}"
