"""Pictures of efficiency maps. Needs the extra ``[plot]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from darkbelle.errors import ConfigError
from darkbelle.samples.pictures.labels import unit_of_parameter, with_unit
from darkbelle.samples.pictures.style import COLOURS, MARKERS, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from darkbelle.samples.efficiency.maps import EfficiencyMap

__all__ = ["draw_map"]

_LOGARITHMIC: Final = 20.0
"""Ratio of the ends of an axis above which it is drawn logarithmic."""


@in_style
def draw_map(rows: EfficiencyMap) -> Figure:
    """Lines with intervals over one coordinate, or maps over two, a line or map for each text.

    Raises
    ------
    ConfigError
        More than two numbers vary, or nothing is there.
    """
    if len(rows) == 0:
        raise ConfigError("there is nothing to draw, the map has no rows")
    texts = [name for name in rows.varying if rows[name].dtype.kind == "U"]
    numbers = [name for name in rows.varying if name not in texts]
    bins = [name.removesuffix("_lo") for name in numbers if _is_bin(rows, name)]
    free = [name for name in numbers if not any(name in (f"{b}_lo", f"{b}_hi") for b in bins)]
    axes = [*free, *bins]
    if len(axes) > 2:
        names = ", ".join(axes)
        raise ConfigError(f"{names} vary, a picture has two axes: choose rows with where(...)")
    groups = _groups(rows, texts)
    if len(axes) == 2:
        return _draw_maps(rows, axes, groups)
    figure, (axis,) = new_figure(1, 1)
    for i, (label, chosen) in enumerate(groups):
        _draw_line(axis, rows.take(chosen), axes[0] if axes else None, label, i)
    axis.set_ylabel("efficiency")
    axis.set_ylim(bottom=0)
    if any(label for label, _ in groups):
        axis.legend(fontsize="small")
    axis.set_title(_title(rows), fontsize="small")
    return figure


def _is_bin(rows: EfficiencyMap, name: str) -> bool:
    return name.endswith("_lo") and f"{name.removesuffix('_lo')}_hi" in rows.columns


def _groups(
    rows: EfficiencyMap, texts: Sequence[str]
) -> list[tuple[str, np.ndarray[Any, np.dtype[np.intp]]]]:
    """Rows of each combination of texts, with its name."""
    labels = np.array([", ".join(str(rows[name][i]) for name in texts) for i in range(len(rows))])
    return [(str(label), np.flatnonzero(labels == label)) for label in dict.fromkeys(labels)]


def _draw_line(axis: Axes, rows: EfficiencyMap, name: str | None, label: str, i: int) -> None:
    """Efficiencies over a coordinate or bins, with what a point or span covers."""
    colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
    eff = rows["eff"]
    interval = np.abs(np.stack([eff - rows["eff_lo"], rows["eff_hi"] - eff]))
    across: Any = None
    if name is None:
        x = np.zeros(len(rows))
        axis.set_xticks([])
    elif name in rows.columns:
        x = rows[name]
        axis.set_xlabel(_label(rows, name))
        if x.min() > 0 and x.max() > _LOGARITHMIC * x.min():
            axis.set_xscale("log")
    else:
        low, high = rows[f"{name}_lo"], rows[f"{name}_hi"]
        x, across = (low + high) / 2, (high - low) / 2
        axis.set_xlabel(_label(rows, name))
    order = np.argsort(x)
    axis.errorbar(
        x[order],
        eff[order],
        interval[:, order],
        None if across is None else across[order],
        fmt=marker if across is not None else f"{marker}-",
        ms=3,
        lw=0.8,
        color=colour,
        label=label or None,
    )
    if rows.systematics:
        spread = rows["eff_syst"][order]
        middle = eff[order]
        axis.fill_between(x[order], middle - spread, middle + spread, color=colour, alpha=0.2, lw=0)


def _draw_maps(
    rows: EfficiencyMap,
    names: Sequence[str],
    groups: Sequence[tuple[str, np.ndarray[Any, np.dtype[np.intp]]]],
) -> Figure:
    """A map for each group, all with the same colours."""
    columns = min(len(groups), 3)
    figure, axes = new_figure(-(-len(groups) // columns), columns)
    most = float(np.nanmax(rows["eff"], initial=0.0)) or 1.0
    mesh: Any = None
    for axis, (label, chosen) in zip(axes, groups, strict=False):
        group = rows.take(chosen)
        x_edges, i = _cells(axis, "x", group, names[0])
        y_edges, j = _cells(axis, "y", group, names[1])
        shown = np.full((len(y_edges) - 1, len(x_edges) - 1), np.nan)
        shown[j, i] = group["eff"]
        mesh = axis.pcolormesh(x_edges, y_edges, shown, vmin=0, vmax=most, cmap="cividis")
        axis.set_title(label, fontsize="small")
    for axis in axes[len(groups) :]:
        axis.remove()
    figure.colorbar(mesh, ax=axes[: len(groups)], label="efficiency")
    figure.suptitle(_title(rows), fontsize="small")
    return figure


def _cells(
    axis: Axes, which: str, rows: EfficiencyMap, name: str
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.intp]]]:
    """Edges of cells along one axis, those of bins or half-way between points, and each row's."""
    is_log = False
    if name in rows.columns:
        points, place = np.unique(rows[name], return_inverse=True)
        is_log = bool(points[0] > 0 and points[-1] > _LOGARITHMIC * points[0])
        at = np.log(points) if is_log else points
        middle = (at[1:] + at[:-1]) / 2 if len(at) > 1 else at + 0.5
        edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
        edges = np.exp(edges) if is_log else edges
    else:
        low, place = np.unique(rows[f"{name}_lo"], return_inverse=True)
        edges = np.append(low, rows[f"{name}_hi"].max())
    getattr(axis, f"set_{which}label")(_label(rows, name))
    if is_log:
        getattr(axis, f"set_{which}scale")("log")
    return edges, place


def _label(rows: EfficiencyMap, name: str) -> str:
    """A coordinate with its unit, where that is known."""
    true = {"decay_radius": "cm", "decay_length": "cm", "proper_length": "cm", "momentum": "GeV"}
    unit = next((unit for start, unit in true.items() if name.startswith(start)), "")
    return with_unit(name, unit_of_parameter(str(rows["process"][0]), name) or unit)


def _title(rows: EfficiencyMap) -> str:
    """What all rows have in common, after where they come from."""
    shared = [name for name in ("process", "experiment", "selection") if name not in rows.varying]
    return "\n".join(["darkbelle simulation", *(str(rows[name][0]) for name in shared)])
