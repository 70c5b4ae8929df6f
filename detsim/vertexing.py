"""Vertices of tracks: least-squares fits over all candidates at once.

Seen from a point V, a track passes by at the impact parameters r = (d0, z0), and their 2x2
covariance W^-1 there holds all that the track knows about V. The sum of r^T W r over the tracks is
minimised in V alone, with helices and covariances referred anew to every V on the way; then r = 0
pulls direction and curvature of each track along (P. Billoir and S. Qian, Nucl. Instrum. Meth.
A 311 (1992) 139).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import VertexStatus
from darkbelle.detsim.helix import HelixIndex, pack
from darkbelle.detsim.pairs import BLOCK, seed
from darkbelle.detsim.pivot import Pivoted, refer_to
from darkbelle.detsim.symmetric import SparseRow, apply, invert, packed_index, transport
from darkbelle.units import CURVATURE

__all__ = ["Vertices", "fit_vertices"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.int64]
BeamSpot = tuple[FloatArray, FloatArray]

_MAX_STEPS = 30
_MAX_STEP = 20.0
"""cm; further away the tracks have curved too much for what is known here."""
_CONVERGED = 1e-5
"""Gain in chi2 that a step promises below which it is the last but one."""

_LOWER = [(i, j) for i in range(3) for j in range(i + 1)]
_SYMMETRIC = np.array([[packed_index(i, j) for j in range(3)] for i in range(3)])
_ROWS, _COLUMNS = np.array(_LOWER).T
_MOMENTUM = (HelixIndex.PHI0, HelixIndex.OMEGA, HelixIndex.TAN_LAMBDA)


@dataclass(frozen=True, slots=True)
class Vertices:
    """Fitted vertices of k tracks, shape (n, ...).

    At a fixed vertex momentum i has the covariance S_i, ``momentum_cov``; with the vertex it moves
    by K_i, ``momentum_slope``. With C, the covariance of the position,

        Cov(p_i, p_j) = delta_ij S_i + K_i C K_j^T.
    """

    position: FloatArray
    """cm, shape (n, 3)"""
    cov: FloatArray
    """Covariance of the position, shape (n, 3, 3)"""
    chi2: FloatArray
    ndf: int
    momentum: FloatArray
    """Of each track at the vertex [GeV], shape (n, k, 3)"""
    momentum_cov: FloatArray
    """At a fixed vertex, shape (n, k, 3, 3)"""
    momentum_slope: FloatArray
    """Derivatives of the momentum by the position, shape (n, k, 3, 3)"""
    status: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.status)

    @property
    def total_momentum(self) -> FloatArray:
        """Sum over the tracks [GeV], shape (n, 3)."""
        total: FloatArray = self.momentum.sum(axis=1)
        return total


def fit_vertices(
    helix: FloatArray,
    cov: FloatArray,
    members: IndexArray,
    *,
    field: float,
    start: FloatArray | None = None,
    beam_spot: BeamSpot | None = None,
) -> Vertices:
    """Fit one vertex to each set of k tracks.

    Parameters
    ----------
    helix, cov
        Perigee parameters to the origin and their covariance, shapes (n_tracks, 5) and
        (n_tracks, 5, 5).
    members
        The tracks of each vertex, shape (n, k); one alone needs both ``start`` and ``beam_spot``.
    field
        Along z [T].
    start
        Where the fits start [cm], shape (n, 3); left out, the `seed` of the first two tracks.
    beam_spot
        Centre [cm] and covariance of a region where the vertices are known to lie, shapes (3,)
        and (3, 3), or one for each vertex, (n, 3) and (n, 3, 3).
    """
    packed = np.ascontiguousarray(pack(cov).T)
    packed[~np.isfinite(packed)] = np.nan
    sound = np.isfinite(helix).all(axis=1) & invert(packed)[1]
    columns = np.where(sound, helix.T, np.nan)
    spots = None if beam_spot is None else _Spots.of(*beam_spot, len(members))
    blocks = []
    for begin in range(0, max(len(members), 1), BLOCK):
        chosen = members[begin : begin + BLOCK].T
        tracks = _Tracks(columns[:, chosen], packed[:, chosen])
        if start is None:
            point = seed(tracks.helix[:, 0], tracks.helix[:, 1]).point
        else:
            point = start[begin : begin + BLOCK].T.copy()
        block_spots = None if spots is None else spots.take(slice(begin, begin + BLOCK))
        blocks.append(_fit_block(tracks, point, field, block_spots))
    return Vertices(
        np.concatenate([block.position for block in blocks]),
        np.concatenate([block.cov for block in blocks]),
        np.concatenate([block.chi2 for block in blocks]),
        blocks[0].ndf,
        np.concatenate([block.momentum for block in blocks]),
        np.concatenate([block.momentum_cov for block in blocks]),
        np.concatenate([block.momentum_slope for block in blocks]),
        np.concatenate([block.status for block in blocks]),
    )


@dataclass(frozen=True, slots=True)
class _Tracks:
    """The k tracks of each vertex: rows of helices, (5, k, n), and of covariances, (15, k, n)."""

    helix: FloatArray
    cov: FloatArray

    def take(self, chosen: IndexArray) -> _Tracks:
        return _Tracks(self.helix[..., chosen], self.cov[..., chosen])


@dataclass(frozen=True, slots=True)
class _Spots:
    """Where each vertex is known to lie: centres, (3, n), and inverse covariances, (3, 3, n)."""

    centre: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, centre: FloatArray, cov: FloatArray, n: int) -> _Spots:
        return cls(
            np.broadcast_to(centre, (n, 3)).T,
            np.moveaxis(np.broadcast_to(np.linalg.inv(cov), (n, 3, 3)), 0, -1),
        )

    def take(self, chosen: IndexArray | slice) -> _Spots:
        return _Spots(self.centre[:, chosen], self.weight[..., chosen])

    def pull(self, point: FloatArray) -> FloatArray:
        """Weight times distance, shape (3, n)."""
        pull: FloatArray = np.einsum("ijn,jn->in", self.weight, point - self.centre)
        return pull


@dataclass(frozen=True, slots=True)
class _View:
    """The tracks as seen from a point V, and what they want of it.

    ``weight``: W, three rows (k, n); ``normal`` = sum of H^T W H and ``pull`` = sum of H^T W r,
    with H the derivatives of r by V, shapes (6, n) and (3, n). With V a step ahead along a track
    z0 changes by ``slope``; with V a step to its left d0 changes by one.
    """

    tracks: Pivoted
    jacobian: tuple[SparseRow, ...]
    slope: FloatArray
    weight: FloatArray
    normal: FloatArray
    pull: FloatArray

    def step(self) -> tuple[FloatArray, FloatArray]:
        """Way to the minimum if all were linear, its covariance; shapes (3, n) and (6, n)."""
        cov, _ = invert(self.normal)
        return -(cov[_SYMMETRIC] * self.pull).sum(axis=1), cov


def _look(tracks: _Tracks, point: FloatArray, spots: _Spots | None) -> _View:
    """See the tracks from a point."""
    seen = refer_to(tracks.helix, point[:, None])
    jacobian = seen.jacobian()
    spread = transport(tracks.cov, (jacobian[HelixIndex.D0], jacobian[HelixIndex.Z0]))
    weight, _ = invert(np.stack([spread[0][0], *spread[1]]))
    w_d, w_dz, w_z = weight
    pull_d, pull_z = w_d * seen.d0 + w_dz * seen.z0, w_dz * seen.d0 + w_z * seen.z0
    slope = seen.tan_lambda / seen.gain
    # Nearly parallel tracks say little of where along them V lies, but a track that misses V on
    # its hollow side misses it by more further on: the second derivative of d0.
    hollow = np.maximum(pull_d * seen.omega / seen.gain, 0.0)
    cos, sin = seen.cos_phi, seen.sin_phi
    ahead, left, mixed = slope**2 * w_z + hollow, w_d, slope * w_dz
    cross = 2 * cos * sin * mixed
    normal = np.stack(
        [
            cos**2 * ahead + sin**2 * left - cross,
            cos * sin * (ahead - left) + (cos**2 - sin**2) * mixed,
            sin**2 * ahead + cos**2 * left + cross,
            sin * w_dz - cos * slope * w_z,
            -cos * w_dz - sin * slope * w_z,
            w_z,
        ]
    ).sum(axis=1)
    pull = np.stack(
        [
            cos * slope * pull_z - sin * pull_d,
            sin * slope * pull_z + cos * pull_d,
            -pull_z,
        ]
    ).sum(axis=1)
    if spots is not None:
        normal += spots.weight[np.tril_indices(3)]
        pull += spots.pull(point)
    return _View(seen, jacobian, slope, weight, normal, pull)


def _fit_block(tracks: _Tracks, point: FloatArray, field: float, spots: _Spots | None) -> Vertices:
    """Walk to the vertices, then lead the tracks through them."""
    converged = np.zeros(point.shape[1], dtype=bool)
    todo = np.arange(point.shape[1])
    for _ in range(_MAX_STEPS):
        near = None if spots is None else spots.take(todo)
        view = _look(tracks.take(todo), point[:, todo], near)
        step, _ = view.step()
        length = np.sqrt((step**2).sum(axis=0))
        point[:, todo] += step * (_MAX_STEP / np.maximum(length, _MAX_STEP))
        promise = -(view.pull * step).sum(axis=0)
        converged[todo] = (promise < _CONVERGED) & (length < _MAX_STEP)
        todo = todo[promise >= _CONVERGED]
        if not len(todo):
            break
    view = _look(tracks, point, spots)
    step, cov = view.step()
    position = point + step
    seen = view.tracks
    d0 = seen.d0 - seen.sin_phi * step[0] + seen.cos_phi * step[1]
    z0 = seen.z0 + view.slope * (seen.cos_phi * step[0] + seen.sin_phi * step[1]) - step[2]
    w_d, w_dz, w_z = view.weight
    chi2 = (w_d * d0**2 + 2 * w_dz * d0 * z0 + w_z * z0**2).sum(axis=0)
    if spots is not None:
        chi2 += ((position - spots.centre) * spots.pull(position)).sum(axis=0)
    momentum, momentum_cov, momentum_slope = _momenta(tracks, view, d0, z0, field)

    straight = ~np.isfinite(momentum).all(axis=(0, 1))
    bad = ~np.isfinite(tracks.helix[0]).all(axis=0)
    status = np.select(
        [bad, ~converged, straight],
        [VertexStatus.BAD_TRACK, VertexStatus.NOT_CONVERGED, VertexStatus.NO_FIELD],
        VertexStatus.OK,
    )
    for rows in (position, cov, chi2):
        rows[..., bad | ~converged] = np.nan
    for rows in (momentum, momentum_cov, momentum_slope):
        rows[..., status != VertexStatus.OK] = np.nan
    return Vertices(
        position.T,
        cov[_SYMMETRIC].T,
        chi2,
        2 * tracks.helix.shape[1] - (3 if spots is None else 0),
        momentum.T,
        momentum_cov[_SYMMETRIC].transpose(3, 2, 0, 1),
        momentum_slope.transpose(3, 2, 0, 1),
        status.astype(np.int8),
    )


def _momenta(
    tracks: _Tracks,
    view: _View,
    d0: FloatArray,
    z0: FloatArray,
    field: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Momenta of tracks that are led through the vertex.

    Parameters
    ----------
    d0, z0
        The impact parameters to the vertex, which are to become zero.

    Returns
    -------
    momentum, momentum_cov, momentum_slope
        As in `Vertices`, shapes (3, k, n), (6, k, n) and (3, 3, k, n).
    """
    seen = view.tracks
    spread = transport(tracks.cov, view.jacobian)
    w_d, w_dz, w_z = view.weight
    by_d = np.stack([spread[p][HelixIndex.D0] for p in _MOMENTUM])
    by_z = np.stack([spread[max(p, HelixIndex.Z0)][min(p, HelixIndex.Z0)] for p in _MOMENTUM])
    gain_d, gain_z = by_d * w_d + by_z * w_dz, by_d * w_dz + by_z * w_z
    kept = np.stack([spread[_MOMENTUM[i]][_MOMENTUM[j]] for i, j in _LOWER])
    kept -= gain_d[_ROWS] * by_d[_COLUMNS] + gain_z[_ROWS] * by_z[_COLUMNS]
    by_ahead = -gain_z * view.slope
    by_ahead[0] -= seen.omega / seen.gain  # the track goes on turning to where the vertex moves
    phi, omega, tan_lambda = (
        np.stack([seen.phi0, seen.omega, seen.tan_lambda]) - gain_d * d0 - gain_z * z0
    )

    pt = CURVATURE * (abs(field) or np.nan) / np.abs(np.where(omega == 0, np.nan, omega))
    momentum = pt * np.stack([np.cos(phi), np.sin(phi), tan_lambda])
    px, py, pz = momentum
    by_parameter: list[SparseRow] = [
        ((0, -py), (1, -px / omega)),
        ((0, px), (1, -py / omega)),
        ((1, -pz / omega), (2, pt)),
    ]
    covariance = transport(kept, by_parameter)
    ahead_slope, left_slope, z_slope = (
        np.stack([apply(row, column) for row in by_parameter])
        for column in (by_ahead, -gain_d, gain_z)
    )
    momentum_slope = np.stack(
        [
            seen.cos_phi * ahead_slope - seen.sin_phi * left_slope,
            seen.sin_phi * ahead_slope + seen.cos_phi * left_slope,
            z_slope,
        ],
        axis=1,
    )
    return momentum, np.stack([covariance[i][j] for i, j in _LOWER]), momentum_slope
