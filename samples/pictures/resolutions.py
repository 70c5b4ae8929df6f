"""How well tracks and photons are known: widths of residuals against momentum, and pulls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import awkward as ak
import numpy as np
import numpy.typing as npt

from darkbelle.detsim import FitStatus
from darkbelle.detsim.helix import HelixIndex
from darkbelle.gen.particles import PHOTON
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.pictures.columns import Truth, rows_of_truth, true_helices, weights_of
from darkbelle.samples.pictures.histograms import Series, draw_histograms
from darkbelle.samples.pictures.labels import labels_of, print_head, print_note, with_unit
from darkbelle.samples.pictures.style import (
    BLACK,
    COLOURS,
    MARKERS,
    NothingToDrawError,
    in_style,
    new_figure,
)
from darkbelle.samples.pictures.widths import (
    bins_of_equal_content,
    central_width,
    widths_in_bins,
)
from darkbelle.units import mrad, um

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["pulls", "resolutions"]

FloatArray = npt.NDArray[np.float64]

_NAMES: Final = (r"$d_0$", r"$\varphi_0$", r"$\omega$", r"$z_0$", r"$\tan\lambda$")
_PULLS: Final = np.linspace(-5, 5, 41)


@dataclass(frozen=True, slots=True)
class _Tracks:
    """Good tracks of a sample: measured and true helices, errors, weights."""

    measured: FloatArray
    true: FloatArray
    sigma: FloatArray
    weights: FloatArray
    pt: FloatArray

    @classmethod
    def of(cls, sample: Sample) -> _Tracks:
        good = ak.to_numpy(ak.flatten(sample.tracks.fit_status)) == int(FitStatus.OK)
        rows = ak.flatten(sample.tracks)
        measured = np.stack([ak.to_numpy(rows[i.name.lower()]) for i in HelixIndex], axis=-1)
        variances = np.diagonal(ak.to_numpy(rows.cov), axis1=1, axis2=2)
        weights = weights_of(sample, "tracks")
        pt = ak.to_numpy(rows.pt)
        columns = measured, true_helices(sample), np.sqrt(variances), weights, pt
        return cls(*(column[good] for column in columns))

    def residuals(self) -> FloatArray:
        """Measured less true helices, shape (n, 5)."""
        residuals = self.measured - self.true
        turn = residuals[:, HelixIndex.PHI0]
        residuals[:, HelixIndex.PHI0] = (turn + np.pi) % (2 * np.pi) - np.pi
        return residuals


Points = tuple[FloatArray, FloatArray, FloatArray]
"""Residuals, weights, and what they are drawn against."""


@in_style
def pulls(*samples: Sample) -> Figure:
    """Residuals of the five parameters of tracks over their errors, next to N(0, 1).

    Raises
    ------
    NothingToDrawError
        There are no tracks.
    """
    tracks = [_Tracks.of(sample) for sample in samples]
    if not any(len(one.pt) for one in tracks):
        raise NothingToDrawError("there are no tracks")
    figure, axes = new_figure(2, 3)
    labels = labels_of(samples)
    for index, axis in zip(HelixIndex, axes, strict=False):
        series = []
        for i, (one, label) in enumerate(zip(tracks, labels, strict=True)):
            values = one.residuals()[:, index] / one.sigma[:, index]
            width = central_width(values, one.weights)
            told = "" if width is None else f"width {width.told()}"
            text = "\n".join(part for part in (label, told) if part)
            norm = one.weights.sum() * (_PULLS[1] - _PULLS[0]) or 1.0
            series.append(Series(values, one.weights, text, norm, i))
        name = f"pull of {_NAMES[index]}"
        draw_histograms(axis, series, _PULLS, label=name, unit="1")
        x = np.linspace(-5, 5, 201)
        normal = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        axis.plot(x, normal, color=BLACK, lw=0.8, label="N(0, 1)", zorder=3)
        axis.set_ylabel("probability density")
        axis.set_yscale("log")
        axis.set_ylim(3e-4, 30)
        axis.legend(fontsize="small", loc="upper left")
    axes[-1].remove()
    print_head(figure, samples)
    return figure


@in_style
def resolutions(*samples: Sample) -> Figure:
    """Half of the central 68.27 % of measured less true, in bins with equally many.

    Raises
    ------
    NothingToDrawError
        There are too few tracks and photons for any.
    """
    tracks = [_Tracks.of(sample) for sample in samples]
    photons = [_photons(sample) for sample in samples]

    def column(index: HelixIndex, unit: float) -> list[Points]:
        return [(one.residuals()[:, index] / unit, one.weights, one.pt) for one in tracks]

    omega = HelixIndex.OMEGA
    relative = [
        (100 * (np.abs(one.true[:, omega] / one.measured[:, omega]) - 1), one.weights, one.pt)
        for one in tracks
    ]
    of_pt: list[tuple[str, str, list[Points]]] = [
        (r"$\sigma(p_T)/p_T$", "%", relative),
        (r"$\sigma(d_0)$", "µm", column(HelixIndex.D0, um)),
        (r"$\sigma(z_0)$", "µm", column(HelixIndex.Z0, um)),
        (r"$\sigma(\varphi_0)$", "mrad", column(HelixIndex.PHI0, mrad)),
    ]
    of_energy: list[tuple[str, str, list[Points]]] = [
        (r"$\sigma(E_\gamma)/E_\gamma$", "%", [one.energy for one in photons]),
        (r"$\sigma(\theta_\gamma)$", "mrad", [one.theta for one in photons]),
    ]
    figure, axes = new_figure(2, 3)
    labels = labels_of(samples)
    for axis, (name, unit, points) in zip(axes, of_pt + of_energy, strict=True):
        _draw_widths(axis, points, labels)
        axis.set_ylabel(with_unit(name, unit))
        axis.set_xlabel("$p_T$ [GeV]" if axis in axes[:4] else r"$E_\gamma$ [GeV]")
    if not any(axis.containers for axis in axes):
        raise NothingToDrawError("there are too few tracks and photons")
    print_head(figure, samples)
    return figure


@dataclass(frozen=True, slots=True)
class _Photons:
    """Clusters of true photons: energy [%] and polar angle [mrad], against true energy."""

    energy: Points
    theta: Points


def _photons(sample: Sample) -> _Photons:
    """Clusters without a track that true photons left, their angles as seen from the origin."""
    truth, rows = Truth(sample), rows_of_truth(sample, "clusters")
    alone = (sample.column("clusters", "track_index") < 0) & (rows >= 0)
    alone[alone] = truth.pdg_id[rows[alone]] == PHOTON
    rows = rows[alone]
    energy, px, py, pz = truth.momenta()[:, rows]
    weights = weights_of(sample, "clusters")[alone]
    measured = sample.column("clusters", "energy")[alone].astype(np.float64)
    theta = sample.column("clusters", "theta")[alone].astype(np.float64)
    off = (theta - np.arctan2(np.hypot(px, py), pz)) / mrad
    return _Photons((100 * (measured / energy - 1), weights, energy), (off, weights, energy))


def _draw_widths(axis: Axes, points: Sequence[Points], labels: Sequence[str]) -> None:
    """Points with errors at the medians of bins, which are drawn as bars across."""
    edges_of: Callable[[FloatArray], FloatArray] = bins_of_equal_content
    for i, ((residuals, weights, across), label) in enumerate(zip(points, labels, strict=True)):
        found = widths_in_bins(residuals, weights, across, edges_of(across))
        if not found:
            continue
        low, middle, high = np.array([place for *place, _ in found]).T
        axis.errorbar(
            middle,
            [width.value for *_, width in found],
            [width.error for *_, width in found],
            [middle - low, high - middle],
            fmt=MARKERS[i % len(MARKERS)],
            ms=3,
            lw=0.8,
            color=COLOURS[i % len(COLOURS)],
            label=label or None,
        )
    if not axis.containers:
        print_note(axis, "too few")
        axis.set_yticks([])
        return
    top = axis.get_ylim()[1]
    axis.set_ylim(0, 1.25 * top if any(labels) else top)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize="small")
