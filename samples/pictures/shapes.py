"""Pictures of fitted shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from darkbelle.samples.fits.shape_fit import PARAMETERS, ShapeFit
from darkbelle.samples.fits.shapes import ShapeTable
from darkbelle.samples.pictures.labels import unit_of_parameter, with_unit
from darkbelle.samples.pictures.style import BLACK, COLOURS, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_shapes"]

_JOINED: Final = 8
"""Bins of the fit in one of the picture."""
_COLUMNS: Final = 3


@in_style
def draw_shapes(table: ShapeTable, fits: Sequence[ShapeFit]) -> Figure:
    """Three or six of the fits, and below them each parameter with its interpolation."""
    n_rows = 2 if len(fits) >= 2 * _COLUMNS else 1
    shown = np.unique(np.linspace(0, len(fits) - 1, n_rows * _COLUMNS).round().astype(int))
    figure, axes = new_figure(n_rows + len(PARAMETERS) // _COLUMNS, _COLUMNS)
    for axis, i in zip(axes, shown, strict=False):
        _draw_fit(axis, table, fits[i], float(table["mass"][i]))
    for axis in axes[len(shown) : n_rows * _COLUMNS]:
        axis.remove()
    axes[0].legend(fontsize="small")
    for axis, name in zip(axes[n_rows * _COLUMNS :], PARAMETERS, strict=True):
        _draw_parameter(axis, table, name)
    told = f"{table['process'][0]}, {table['experiment'][0]}: double-sided Crystal Ball"
    figure.suptitle(f"darkbelle simulation\n{told}", x=0.01, ha="left", fontsize="medium")
    return figure


def _draw_fit(axis: Axes, table: ShapeTable, fit: ShapeFit, mass: float) -> None:
    """Weights in bins with their errors, and the shape."""
    edges = fit.edges[::_JOINED]
    content, variance, expected = (
        values.reshape(-1, _JOINED).sum(axis=1)
        for values in (fit.content, fit.variance, fit.expected)
    )
    centres = (edges[1:] + edges[:-1]) / 2
    filled = content > 0
    axis.errorbar(
        centres[filled],
        content[filled],
        np.sqrt(variance[filled]),
        fmt="o",
        ms=2,
        lw=0.8,
        color=BLACK,
        label="simulated",
    )
    axis.stairs(expected, edges, color=COLOURS[1], lw=1.4, baseline=None, label="fitted")
    axis.set_yscale("log")
    axis.set_ylim(bottom=0.3 * content[filled].min())
    axis.set_xlabel(str(table["observable"][0]))
    axis.set_ylabel("sum of weights")
    chi2, n_free = fit.chi2()
    told = f"{table['parameter'][0]} = {mass:g}, $\\chi^2$/ndf = {chi2:.0f}/{n_free}"
    axis.set_title(told, fontsize="small")


def _draw_parameter(axis: Axes, table: ShapeTable, name: str) -> None:
    """Fitted values with their errors, and the line between."""
    masses = table["mass"]
    fine = np.linspace(masses[0], masses[-1], 200) if len(masses) > 1 else masses
    axis.plot(fine, [getattr(table.at(mass), name) for mass in fine], color=COLOURS[0])
    errors = table[f"{name}_err"]
    axis.errorbar(masses, table[name], errors, fmt="o", ms=3, lw=0.8, color=BLACK)
    parameter = str(table["parameter"][0])
    axis.set_xlabel(with_unit(parameter, unit_of_parameter(str(table["process"][0]), parameter)))
    axis.set_ylabel(name)
