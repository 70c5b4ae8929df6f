"""Which layers of the muon system straight lines meet, and behind how much iron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.klm_flight import Line
from darkbelle.geometry.klm import MuonBarrel, MuonEndcap, MuonSystem

__all__ = ["Passage", "pass_layers"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Passage:
    """Layers on the way of particles: first those of the barrel, then those of the endcap.

    ``depth``: plates of iron before each layer, counted at normal incidence, infinite where the
    layer is not met; ``distance`` from the beginning of the line [cm]; shape (n_layers, n).
    ``iron``: plates on the whole way, shape (n,).
    """

    depth: FloatArray
    distance: FloatArray
    iron: FloatArray

    def take(self, chosen: IndexArray) -> Passage:
        """Some of the particles."""
        return Passage(self.depth[:, chosen], self.distance[:, chosen], self.iron[chosen])


def pass_layers(line: Line, system: MuonSystem) -> Passage:
    """Follow lines through barrel and endcaps, as cylinders and planes."""
    n_barrel = system.barrel.n_layers
    n_layers = n_barrel + max(system.forward.n_layers, system.backward.n_layers)
    depth = np.full((n_layers, len(line.x)), np.inf)
    distance, iron = np.zeros_like(depth), np.zeros(len(line.x))
    _pass_barrel(line, system.barrel, depth, distance, iron)
    for endcap, side in ((system.forward, 1), (system.backward, -1)):
        goes = line.arrives & (side * line.dz > 0)
        goes &= _may_meet(line, endcap)
        _pass_endcap(
            line, endcap, np.flatnonzero(goes), depth[n_barrel:], distance[n_barrel:], iron
        )
    return Passage(depth, distance, iron)


def _pass_barrel(
    line: Line, barrel: MuonBarrel, depth: FloatArray, distance: FloatArray, iron: FloatArray
) -> None:
    """Fill in the layers of the barrel; a plate stands halfway between each two."""
    across2 = line.dx**2 + line.dy**2
    along = line.x * line.dx + line.y * line.dy
    moment2 = (line.x * line.dy - line.y * line.dx) ** 2

    def crossing(rows: IndexArray, radius: float) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Length to a cylinder, cosine of incidence, whether it is met within the barrel."""
        square = radius**2 * across2[rows] - moment2[rows]
        along_there = np.sqrt(np.maximum(square, 0.0))
        length = (along_there - along[rows]) / np.maximum(across2[rows], np.finfo(float).tiny)
        z = line.z[rows] + length * line.dz[rows]
        on = (square > 0) & (length >= 0) & (barrel.z_min_cm < z) & (z < barrel.z_max_cm)
        return length, along_there / radius, on

    before: float | None = None
    rows = np.flatnonzero(line.arrives & (across2 > 0))
    for i, radius in enumerate(barrel.positions_cm):
        if before is not None:
            _, cosine, on = crossing(rows, (before + radius) / 2)
            iron[rows[on]] += 1 / cosine[on]
        length, _, on = crossing(rows, radius)
        rows, length = rows[on], length[on]
        depth[i, rows], distance[i, rows] = iron[rows], length
        before = radius


def _may_meet(line: Line, endcap: MuonEndcap) -> BoolArray:
    """Whether a line is neither inside nor outside of an endcap on the whole way."""
    slope = np.where(line.dz == 0, np.finfo(float).tiny, line.dz)
    with np.errstate(over="ignore", invalid="ignore"):
        radii = [
            np.hypot(line.x + length * line.dx, line.y + length * line.dy)
            for length in ((z - line.z) / slope for z in (endcap.face_cm, endcap.last_layer_cm))
        ]
        return (np.minimum(*radii) < endcap.r_max_cm) & (np.maximum(*radii) > endcap.r_min_cm)


def _pass_endcap(
    line: Line,
    endcap: MuonEndcap,
    rows: IndexArray,
    depth: FloatArray,
    distance: FloatArray,
    iron: FloatArray,
) -> None:
    """Fill in the layers of an endcap; each stands behind a plate, halfway to the one before."""
    x, y, z = line.x[rows], line.y[rows], line.z[rows]
    dx, dy, dz = line.dx[rows], line.dy[rows], line.dz[rows]

    def crossing(z_there: float) -> tuple[FloatArray, BoolArray]:
        """Length to a plane, and whether it is met."""
        length = (z_there - z) / dz
        radius = np.hypot(x + length * dx, y + length * dy)
        return length, (length >= 0) & (endcap.r_min_cm < radius) & (radius < endcap.r_max_cm)

    before = endcap.face_cm
    for i, z_there in enumerate(endcap.positions_cm):
        _, on = crossing((before + z_there) / 2)
        iron[rows[on]] += 1 / np.abs(dz[on])
        length, on = crossing(z_there)
        depth[i, rows[on]], distance[i, rows[on]] = iron[rows[on]], length[on]
        before = z_there
