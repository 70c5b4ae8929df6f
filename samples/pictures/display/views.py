"""The two views of an event: along the axis (r-phi), and from the side (r-z)."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.gen.particles import ELECTRON, KAON, MUON, PHOTON, PION, PROTON
from darkbelle.samples.pictures.display.event import Fits, Particles, SeenEvent, Towers
from darkbelle.samples.pictures.display.paths import Cylinder
from darkbelle.samples.pictures.labels import particle_name
from darkbelle.samples.pictures.outlines import Outline
from darkbelle.samples.pictures.style import BLACK, COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SideView", "TransverseView", "View", "draw_event"]

FloatArray = npt.NDArray[np.float64]

_LONGEST_TOWER: Final = 70.0
"""cm, of the cluster with the most energy."""
_HALF_WIDTH: Final = 3.5
"""cm of a tower."""
_AREA_68: Final = -2 * np.log(1 - 0.682689)
"""Squared semi-axis of the ellipse that holds 68.27 % in two dimensions, in variances."""
_MOST_NAMED: Final = 14
_JUMP: Final = (0, (1, 3))
"""Sparse dots."""

_COLOUR_OF: Final = {
    ELECTRON: COLOURS[0],
    MUON: COLOURS[2],
    PION: COLOURS[1],
    KAON: COLOURS[3],
    PROTON: COLOURS[5],
    PHOTON: COLOURS[4],
}


class View(abc.ABC):
    """How points of space are put onto paper."""

    x_label: str
    y_label: str

    @abc.abstractmethod
    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coordinates on paper of points, shape (..., 3)."""

    def breaks(self, points: FloatArray) -> npt.NDArray[np.int64]:
        """Rows of points, shape (m, 3), before which a line jumps on paper; none, if not told."""
        return np.empty(0, dtype=np.int64)

    @abc.abstractmethod
    def jacobian(self, points: FloatArray) -> FloatArray:
        """Derivatives of them by x, y, z, shape (n, 2, 3)."""

    @abc.abstractmethod
    def draw_detector(self, axis: Axes, parts: Sequence[Outline]) -> None:
        """The outlines of its parts."""

    @abc.abstractmethod
    def set_limits(self, axis: Axes, detector: Cylinder) -> None:
        """Show the whole detector."""


class TransverseView(View):
    """As seen against the direction of the electrons: x to the right, y up."""

    x_label, y_label = "$x$ [cm]", "$y$ [cm]"

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Their x and y."""
        return points[..., 0], points[..., 1]

    def jacobian(self, points: FloatArray) -> FloatArray:
        """Of x and y."""
        return np.broadcast_to(np.eye(2, 3), (len(points), 2, 3))

    def draw_detector(self, axis: Axes, parts: Sequence[Outline]) -> None:
        """Arcs, each once; end caps and slanted sensors have none here."""
        arcs = {
            (radius, part.phi): part
            for part in parts
            for radius in part.radii
            if not part.name.endswith(("forward", "backward", "slanted"))
        }
        for (radius, _), part in arcs.items():
            axis.plot(*part.arc(radius), **_outline_style(part))

    def set_limits(self, axis: Axes, detector: Cylinder) -> None:
        """Up to the last layer of the barrel."""
        reach = 1.03 * detector.radius
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach))


class SideView(View):
    """Along the axis to the right, the distance from it up for y > 0 and down for y < 0."""

    x_label, y_label = "$z$ [cm]", r"$r$, with the sign of $y$ [cm]"

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Their z, and the distance from the axis with the sign of y."""
        x, y, z = np.moveaxis(points, -1, 0)
        return z, np.where(y < 0, -1.0, 1.0) * np.hypot(x, y)

    def breaks(self, points: FloatArray) -> npt.NDArray[np.int64]:
        """Where y changes its sign."""
        return np.flatnonzero((points[1:, 1] < 0) != (points[:-1, 1] < 0)) + 1

    def jacobian(self, points: FloatArray) -> FloatArray:
        """Of z and the distance."""
        x, y, _ = points.T
        r = np.maximum(np.hypot(x, y), np.finfo(float).tiny)
        sign, zero = np.where(y < 0, -1.0, 1.0), np.zeros_like(x)
        across = np.stack([sign * x / r, sign * y / r, zero], axis=-1)
        return np.stack([np.stack([zero, zero, zero + 1], axis=-1), across], axis=1)

    def draw_detector(self, axis: Axes, parts: Sequence[Outline]) -> None:
        """Sections above the axis and below it."""
        for part in parts:
            style = _outline_style(part)
            for sign in (1, -1):
                if part.is_body:
                    axis.fill(part.z, sign * part.r, fc="0.95", ec=style["color"], lw=style["lw"])
                else:
                    axis.plot(part.z, sign * part.r, **style)

    def set_limits(self, axis: Axes, detector: Cylinder) -> None:
        """Up to the last layers of the muon system."""
        reach, length = 1.03 * detector.radius, detector.z_max - detector.z_min
        margin = 0.03 * length
        axis.set(xlim=(detector.z_min - margin, detector.z_max + margin), ylim=(-reach, reach))


def draw_event(axis: Axes, view: View, seen: SeenEvent, parts: Sequence[Outline]) -> None:
    """The detector and all that is to be seen of an event; what has a label is for the legend."""
    view.draw_detector(axis, parts)
    _draw_towers(axis, view, seen.towers)
    _draw_particles(axis, view, seen.particles)
    for points, code in zip(seen.tracks, seen.track_codes, strict=True):
        _draw_way(axis, view, points, color=_colour(int(code)), lw=2.2, alpha=0.8, zorder=4)
    if len(seen.tracks):
        axis.plot([], [], color=GREY, lw=2.2, label="fitted track")
    marks = {"marker": "s", "ms": 5, "mfc": COLOURS[5], "mew": 0.6, "zorder": 5}
    _draw_points(axis, view, seen.hits, **marks, label="KLM cluster")
    marks = {"marker": "o", "ms": 6, "mfc": "none", "mew": 1.0, "zorder": 7}
    _draw_points(axis, view, seen.vertices, **marks, label="true vertex")
    _draw_fits(axis, view, seen.fits)
    axis.set(xlabel=view.x_label, ylabel=view.y_label, aspect="equal")


def _colour(code: int) -> str:
    return _COLOUR_OF.get(abs(code), BLACK)


def _outline_style(part: Outline) -> dict[str, Any]:
    """Grey; the tracker's layers darker than what stands around it."""
    is_far = part.name.startswith(("calorimeter", "coil", "klm"))
    return {"color": "0.8" if is_far else "0.65", "lw": 0.6, "ls": "-", "zorder": 1}


def _draw_points(axis: Axes, view: View, points: FloatArray, **look: Any) -> None:
    if len(points):
        axis.plot(*view.project(points), ls="none", mec=BLACK, **look)


def _draw_way(axis: Axes, view: View, points: FloatArray, **look: Any) -> None:
    """A line, where it jumps to the other side of the axis with a faint one between its parts."""
    x, y = view.project(points)
    after = view.breaks(points)
    axis.plot(np.insert(x, after, np.nan), np.insert(y, after, np.nan), **look)
    between = np.stack([after - 1, after])
    axis.plot(x[between], y[between], ls=_JUMP, color=look["color"], lw=0.6, zorder=look["zorder"])


def _draw_particles(axis: Axes, view: View, particles: Particles) -> None:
    """Thin lines: dashed what leaves no trace, dotted other neutral ones; the fastest are named."""
    named = np.argsort(-particles.p, kind="stable")[:_MOST_NAMED]
    for i in np.argsort(-particles.p, kind="stable"):
        code = int(particles.pdg_id[i])
        line = "--" if particles.is_hidden[i] else ":" if particles.is_neutral[i] else "-"
        label = f"{particle_name(code)}  {particles.p[i]:.2f} GeV" if i in named else None
        look = {"ls": line, "color": _colour(code), "lw": 0.9, "zorder": 3, "label": label}
        _draw_way(axis, view, particles.points[i], **look)


def _draw_towers(axis: Axes, view: View, towers: Towers) -> None:
    """Towers from the face of the crystals outward, filled if no track owns them."""
    if len(towers.energy) == 0:
        return
    length = _LONGEST_TOWER * towers.energy / towers.energy.max()
    base = np.stack(view.project(towers.face), axis=-1)
    tip = np.stack(view.project(towers.face + length[:, None] * towers.direction), axis=-1)
    ray = base / np.maximum(np.linalg.norm(base, axis=1, keepdims=True), np.finfo(float).tiny)
    side = _HALF_WIDTH * np.stack([-ray[:, 1], ray[:, 0]], axis=-1)
    corners = np.stack([base - side, tip - side, tip + side, base + side], axis=1)
    for has_track, label in ((False, "cluster without track"), (True, "cluster of a track")):
        chosen = corners[towers.has_track == has_track]
        face = "white" if has_track else COLOURS[4]
        for i, polygon in enumerate(chosen):
            told = label if i == 0 else None
            axis.fill(*polygon.T, fc=face, ec=BLACK, lw=0.6, zorder=5, label=told)


def _draw_fits(axis: Axes, view: View, fits: Fits) -> None:
    """Filled ellipses that hold 68.27 %, with points that are seen however small they are."""
    x, y = view.project(fits.points)
    jacobian = view.jacobian(fits.points)
    cov = jacobian @ fits.cov @ np.swapaxes(jacobian, 1, 2)
    values, vectors = np.linalg.eigh(cov)
    turn = np.linspace(0, 2 * np.pi, 61)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    ellipses = vectors @ (np.sqrt(_AREA_68 * np.maximum(values, 0))[:, :, None] * circle)
    for i, ellipse in enumerate(ellipses):
        axis.fill(x[i] + ellipse[0], y[i] + ellipse[1], fc=COLOURS[1], alpha=0.35, lw=0, zorder=6)
    look = {"marker": "D", "ms": 3, "mfc": BLACK, "mew": 0, "zorder": 8}
    _draw_points(axis, view, fits.points, **look, label="fitted vertex")
