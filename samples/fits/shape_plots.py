"""Pictures of fitted shapes. Needs the extra ``[plot]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from darkbelle.samples.fits.shape_fit import PARAMETERS, ShapeFit
from darkbelle.samples.fits.shapes import ShapeTable
from darkbelle.samples.pictures.style import in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_BLUE, _ORANGE = "#0072B2", "#D55E00"
_JOINED: Final = 8
"""Bins of the fit in one of the picture."""
_MOST_SHOWN, _COLUMNS = 6, 3


@in_style
def draw(table: ShapeTable, fits: Sequence[ShapeFit]) -> Figure:
    """Up to six of the fits, and below them each parameter with its interpolation."""
    shown = np.unique(np.linspace(0, len(fits) - 1, _MOST_SHOWN).round().astype(int))
    n_rows = -(-len(shown) // _COLUMNS)
    figure, axes = new_figure(n_rows + len(PARAMETERS) // _COLUMNS, _COLUMNS)
    for axis, i in zip(axes, shown, strict=False):
        _draw_fit(axis, table, fits[i], float(table["mass"][i]))
    for axis in axes[len(shown) : n_rows * _COLUMNS]:
        axis.set_axis_off()
    axes[0].legend(frameon=False, fontsize="small")
    for axis, name in zip(axes[n_rows * _COLUMNS :], PARAMETERS, strict=True):
        _draw_parameter(axis, table, name)
    title = f"{table['process'][0]}, {table['experiment'][0]}: double-sided Crystal Ball"
    figure.suptitle(title, fontsize="medium")
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
    spread = np.sqrt(variance[filled])
    axis.errorbar(
        centres[filled], content[filled], spread, fmt=".", ms=3, color="black", label="simulated"
    )
    axis.stairs(expected, edges, color=_ORANGE, lw=1.5, baseline=None, label="fitted")
    axis.set_yscale("log")
    axis.set_ylim(bottom=0.3 * content[filled].min())
    axis.set_xlabel(str(table["observable"][0]))
    axis.set_ylabel("sum of weights")
    chi2, n_free = fit.chi2()
    title = f"{table['parameter'][0]} = {mass:g}, $\\chi^2$/ndf = {chi2:.0f}/{n_free}"
    axis.set_title(title, fontsize="small")


def _draw_parameter(axis: Axes, table: ShapeTable, name: str) -> None:
    """Fitted values with their errors, and the line between."""
    masses = table["mass"]
    fine = np.linspace(masses[0], masses[-1], 200) if len(masses) > 1 else masses
    axis.plot(fine, [getattr(table.at(mass), name) for mass in fine], color=_BLUE, lw=1.2)
    axis.errorbar(masses, table[name], table[f"{name}_err"], fmt=".", color="black")
    axis.set_xlabel(str(table["parameter"][0]))
    axis.set_ylabel(name)
