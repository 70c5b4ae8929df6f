"""One look for all pictures, and how they are written. Needs the extra ``[plot]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec

from darkbelle.errors import ConfigError
from darkbelle.extras import needed_for
from darkbelle.samples.files.aside import aside, check_target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLACK",
    "COLOURS",
    "FORMATS",
    "GREY",
    "LINES",
    "MARKERS",
    "NothingToDrawError",
    "check_picture",
    "in_style",
    "new_figure",
    "save_figure",
]

P = ParamSpec("P")

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours that the colour-blind tell apart: M. Okabe and K. Ito, Color Universal Design (2008)."""
LINES: Final = ("-", "--", "-.", ":")
MARKERS: Final = ("o", "s", "^", "v", "D")
"""With the lines, what tells series apart in print without colours."""
BLACK, GREY = "#000000", "#999999"

FORMATS: Final = ("png", "pdf", "svg")

_SIZES: Final = {
    "font.size": 9.0,
    "font.family": ["TeX Gyre Heros", "DejaVu Sans"],  # the second has what the first lacks
    "mathtext.fontset": "stixsans",
    "mathtext.default": "it",
    "axes.linewidth": 0.8,
    "xtick.major.size": 4.0,
    "xtick.minor.size": 2.0,
    "xtick.major.pad": 4.0,
    "xtick.minor.ndivs": 2,  # each tick takes time to lay out
    "ytick.minor.ndivs": 2,
    "ytick.major.size": 4.0,
    "ytick.minor.size": 2.0,
    "lines.linewidth": 1.2,
    "errorbar.capsize": 0.0,
    "legend.frameon": True,
    "legend.framealpha": 0.8,
    "legend.edgecolor": "white",
    "legend.fancybox": False,
    "axes.prop_cycle": f"cycler('color', {list(COLOURS)})",
    "axes.formatter.limits": (-5, 6),
    "axes.formatter.use_mathtext": True,
    "pdf.fonttype": 42,
}
"""The style of mplhep is for figures of 10 x 10 inches, these are for a column of a paper."""


class NothingToDrawError(ConfigError):
    """Samples without anything that a picture shows."""


@contextmanager
def _style() -> Iterator[None]:
    """The style while it lasts, whatever the user has set; MissingDependencyError without."""
    with needed_for("pictures", "plot"):
        from matplotlib import style
        from mplhep import style as hep
    with style.context(["default", hep.ROOT, _SIZES]):
        yield


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a function that draws: what it makes looks like all other pictures."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with _style():
            return draw(*args, **kwargs)

    return drawn


def new_figure(rows: int, columns: int, *, width: float = 3.9) -> tuple[Figure, list[Axes]]:
    """A figure and its axes in reading order, for a function that is `in_style`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, 3.1 * rows), layout="constrained", dpi=150)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    return figure, axes


def check_picture(path: Path, *, force: bool) -> Path:
    """The real path of a picture to write; refused is what `save_figure` cannot write."""
    if path.suffix.removeprefix(".") not in FORMATS:
        raise ConfigError(f"'{path}': pictures are written as {', '.join(FORMATS)}")
    return check_target(path, force=force)


def save_figure(figure: Figure, path: Path, *, force: bool) -> None:
    """Write a picture in the format that the ending of its name says."""
    check_picture(path, force=force)
    with _style(), aside(path, force=force) as part:
        figure.savefig(part, format=path.suffix.removeprefix("."))
