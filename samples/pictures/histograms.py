"""Distributions of several samples over each other, with their statistical errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.labels import (
    labels_of,
    power,
    print_head,
    print_note,
    with_unit,
)
from darkbelle.samples.pictures.style import (
    COLOURS,
    LINES,
    MARKERS,
    NothingToDrawError,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Column", "Panel", "Series", "draw_histograms", "draw_panels", "series_of"]

FloatArray = npt.NDArray[np.float64]
Column = tuple[FloatArray, FloatArray]
"""Values and weights."""

_MOST_BINS, _FEWEST_BINS = 60, 15
_MARGIN: Final = 0.05
"""Of a range, on either side."""
_LEGEND: Final = 0.065
"""Height of a line of the legend in panels."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values and weights of one sample, divided by ``norm``.

    ``is_true`` draws a line without points: what was generated, next to what was measured.
    """

    values: FloatArray
    weights: FloatArray
    label: str = ""
    norm: float = 1.0
    colour: int = 0
    is_true: bool = False

    def finite(self) -> Series:
        """Without what is not known."""
        good = np.isfinite(self.values)
        return replace(self, values=self.values[good], weights=self.weights[good])

    def contents(self, bins: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sums of weights in bins, and their errors, sqrt(sum w^2)."""
        content = np.histogram(self.values, bins, weights=self.weights)[0]
        squares = np.histogram(self.values, bins, weights=self.weights**2)[0]
        return content / self.norm, np.sqrt(squares) / self.norm


def _bins_of_shares(series: Sequence[Series], share: float = 1.0) -> FloatArray:
    """Equal bins over the central share of all values, the more the more values there are."""
    values = np.concatenate([one.finite().values for one in series] or [np.empty(0)])
    if len(values) == 0:
        return np.linspace(0.0, 1.0, _FEWEST_BINS + 1)
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    margin = _MARGIN * (high - low) or 0.5
    start = 0.0 if low >= 0 and low < 0.2 * high else low - margin
    n_bins = int(np.clip(2 * len(values) ** (1 / 2.5), _FEWEST_BINS, _MOST_BINS))
    return np.linspace(start, high + margin, n_bins + 1)


def _bins_of_counts(series: Sequence[Series]) -> FloatArray:
    """A bin for each number, from zero on; several where there are many."""
    most = max((one.finite().values.max(initial=1.0) for one in series), default=1.0)
    step = max(1, round(most / _MOST_BINS))
    return np.arange(-0.5, most + step + 0.5, step)


def draw_histograms(
    axis: Axes,
    series: Sequence[Series],
    bins: FloatArray,
    *,
    label: str,
    unit: str,
    of: str = "events",
    logarithmic: bool = False,
) -> None:
    """Lines for what is true, points with errors above thin lines for what is measured."""
    drawn = [np.empty(0)]
    for one in series:
        content, error = one.finite().contents(bins)
        drawn.append(content[content > 0])
        _draw_one(axis, one, content, error, bins)
    contents = np.concatenate(drawn)
    axis.set_xlabel(with_unit(label, unit))
    of = f"{of} per event" if any(one.norm != 1 for one in series) else of
    width = _bin_width(bins, unit)
    axis.set_ylabel(of if width == "1" else f"{of} / {width}")
    n_lines = sum(label.count("\n") + 1 for label in axis.get_legend_handles_labels()[1])
    room = 1 / (1 - min(_LEGEND * (n_lines + 1), 0.6))
    _set_limits(axis, bins, contents, max(room, 1.3), logarithmic=logarithmic)
    if len(contents) == 0:
        print_note(axis, "none")
    elif axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize="small")


def _draw_one(
    axis: Axes, one: Series, content: FloatArray, error: FloatArray, bins: FloatArray
) -> None:
    """A line, and if it is measured the points."""
    from mplhep import histplot

    colour = COLOURS[one.colour % len(COLOURS)]
    histplot(
        content,
        bins,
        yerr=False,
        histtype="step",
        ax=axis,
        flow="none",
        color=colour,
        linestyle=LINES[one.colour % len(LINES)],
        linewidth=1.4 if one.is_true else 0.8,
        label=one.label if one.is_true else None,
    )
    if not one.is_true:
        histplot(
            np.where(content == 0, np.nan, content),  # a point there says nothing
            bins,
            yerr=error,
            histtype="errorbar",
            ax=axis,
            flow="none",
            color=colour,
            marker=MARKERS[one.colour % len(MARKERS)],
            markersize=3.0,
            elinewidth=0.8,
            label=one.label or None,
        )


def _bin_width(bins: FloatArray, unit: str) -> str:
    """How wide bins are, with their unit."""
    width = f"{float(f'{bins[1] - bins[0]:.2g}'):g}"
    return width if unit == "1" else f"{width} {power(unit)}"


def _set_limits(
    axis: Axes, bins: FloatArray, contents: FloatArray, room: float, *, logarithmic: bool
) -> None:
    """The bins, and so much room for what is in them; a logarithmic scale has two decades."""
    axis.set_xlim(bins[0], bins[-1])
    if len(contents) == 0:
        axis.set(ylim=(0, 1), yticks=[])
    elif logarithmic:
        low, high = contents.min() / 2, contents.max()
        axis.set_yscale("log")
        axis.set_ylim(low, max(high * (high / low) ** (room - 1), 100 * low))
    else:
        axis.set_ylim(0, max(axis.get_ylim()[1] * room, 1e-12))


@dataclass(frozen=True, slots=True)
class Panel:
    """A distribution to draw: of what, in which unit, and how much of it."""

    label: str
    unit: str
    series: Sequence[Series]
    of: str = "events"
    share: float = 1.0
    is_count: bool = False
    is_logarithmic: bool = False

    def draw(self, axis: Axes) -> None:
        """Into a panel of a figure."""
        bins = _bins_of_counts if self.is_count else partial(_bins_of_shares, share=self.share)
        draw_histograms(
            axis,
            self.series,
            bins(self.series),
            label=self.label,
            unit=self.unit,
            of=self.of,
            logarithmic=self.is_logarithmic,
        )
        if self.is_count:
            axis.locator_params(axis="x", integer=True)
            axis.tick_params(axis="x", which="minor", bottom=False, top=False)


def series_of(
    samples: Sequence[Sample],
    columns: Sequence[Column],
    *,
    is_true: bool | None = None,
) -> list[Series]:
    """Values and weights of each sample; several are divided by the sums of their weights.

    Where something ``is_true`` or is measured, and there is one sample, the labels say so.
    """
    labels = labels_of(samples)
    if len(samples) == 1 and is_true is not None:
        labels = ["true" if is_true else "reconstructed"]
    elif is_true:
        labels = [""] * len(samples)
    found = []
    for i, (sample, column, label) in enumerate(zip(samples, columns, labels, strict=True)):
        norm = float(sample.column("events", "weight").sum()) if len(samples) > 1 else 1.0
        colour = 1 if is_true and len(samples) == 1 else i
        found.append(Series(*column, label, norm or 1.0, colour, bool(is_true)))
    return found


def draw_panels(samples: Sequence[Sample], panels: Sequence[Panel], note: str = "") -> Figure:
    """A figure of distributions, three in a row; four make two rows of two.

    Raises
    ------
    NothingToDrawError
        All of them are empty.
    """
    if not any(len(one.finite().values) for panel in panels for one in panel.series):
        raise NothingToDrawError(f"there are no {panels[0].of}")
    columns = 2 if len(panels) in (2, 4) else min(len(panels), 3)
    figure, axes = new_figure(-(-len(panels) // columns), columns)
    for axis, panel in zip(axes, panels, strict=False):
        panel.draw(axis)
    for axis in axes[len(panels) :]:
        axis.remove()
    print_head(figure, samples, note)
    return figure
