"""What a figure looks like, as numbers: small grey pictures, and where its texts stand."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

FloatArray = npt.NDArray[np.float64]


def line_of(axis: Axes, label: str) -> FloatArray:
    """Points of the line with a label, shape (n, 2)."""
    (line,) = (line for line in axis.lines if line.get_label() == label)
    return np.asarray(line.get_xydata())


def grey(figure: Figure, n: int = 32) -> list[FloatArray]:
    """The inside of each panel as n x n shades, 0 black and 1 white, the first row on top."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    shades = np.asarray(canvas.buffer_rgba())[..., :3].mean(axis=-1) / 255
    return [_cells(shades, axis, n) for axis in figure.axes]


def _cells(shades: FloatArray, axis: Axes, n: int) -> FloatArray:
    """Means over equal cells of a panel."""
    box = axis.get_window_extent()
    height = shades.shape[0]
    rows = np.linspace(height - box.y1, height - box.y0, n + 1).round().astype(int)
    columns = np.linspace(box.x0, box.x1, n + 1).round().astype(int)
    cells = [
        [shades[top:bottom, left:right].mean() for left, right in pairwise(columns)]
        for top, bottom in pairwise(rows)
    ]
    return np.array(cells)


def as_text(pictures: list[FloatArray]) -> str:
    """Two digits for each shade, 00 black and ff white, a blank line between pictures."""
    lines = [[bytes(np.round(255 * row).astype(np.uint8)).hex() for row in one] for one in pictures]
    return "\n\n".join("\n".join(one) for one in lines) + "\n"


def from_text(text: str) -> list[FloatArray]:
    """The pictures that `as_text` told."""
    return [
        np.array([[*bytes.fromhex(line)] for line in one.split()]) / 255
        for one in text.split("\n\n")
    ]


def texts(figure: Figure) -> list[Text]:
    """All that is to be read but for tick labels."""
    figure.draw_without_rendering()
    found = [figure._suptitle] if figure._suptitle else []
    for axis in figure.axes:
        found += [axis.xaxis.label, axis.yaxis.label, axis.title, axis._left_title, *axis.texts]
        if (legend := axis.get_legend()) is not None:
            found += legend.get_texts()
    for legend in figure.legends:
        found += legend.get_texts()
    return [text for text in found if text.get_text() and text.get_visible()]


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other, and those that leave the figure."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    found = [(one, two) for (one, a), (two, b) in combinations(boxes, 2) if a.overlaps(b)]
    width, height = figure.bbox.width + 1, figure.bbox.height + 1
    return found + [
        (text, "the border")
        for text, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width or box.y1 > height
    ]


def radii_of_circles(axis: Axes) -> list[float]:
    """Radii of all lines that keep their distance from the origin."""
    found = []
    for line in axis.lines:
        points = np.asarray(line.get_xydata())
        if isinstance(line, Line2D) and len(points) > 20:
            radius = np.hypot(*points.T)
            if np.nanmax(radius) > 0 and np.ptp(radius) < 1e-9 * np.max(radius):
                found.append(float(radius[0]))
    return found
