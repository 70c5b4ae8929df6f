"""Mass peaks: what decayed, and what is left of it after the detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import awkward as ak
import numpy as np
import numpy.typing as npt

from darkbelle.detsim import FitStatus
from darkbelle.detsim.helix import HelixIndex, momentum_towards
from darkbelle.gen.events import Origin, Status
from darkbelle.gen.particles import K0, PHOTON, charges, is_dark, is_hadron
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.kinematics import mass_of
from darkbelle.samples.pictures.columns import Truth, rows_of_truth
from darkbelle.samples.pictures.histograms import Series, draw_histograms, series_of
from darkbelle.samples.pictures.labels import particle_name, print_head
from darkbelle.samples.pictures.style import (
    COLOURS,
    LINES,
    NothingToDrawError,
    in_style,
    new_figure,
)
from darkbelle.samples.pictures.widths import central_width
from darkbelle.units import MeV

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Peaks", "masses"]

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]

_MOST_PANELS: Final = 6
_WIDTHS: Final = 6.0
"""Half of the range that is drawn, in widths."""
_FEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class Peaks:
    """Particles of a sample that decayed and were found whole: code, masses, weight of each.

    What was found of one is the sum over all that it decayed to in the end, every charged particle
    of which has a good track and every photon a cluster; radiated photons are left out, as in an
    analysis that does not look for them. Tracks have their true masses, and the momenta where
    the particles were born; photons are taken as from the origin.
    """

    pdg_id: npt.NDArray[np.int32]
    true: FloatArray
    measured: FloatArray
    weights: FloatArray

    @classmethod
    def of(cls, sample: Sample) -> Peaks:
        """All of a sample; dark states and hadrons."""
        truth = Truth(sample)
        found = _measured(sample, truth)
        is_known = np.isfinite(found[0])
        ends = (truth.status == Status.FINAL) & (truth.origin != Origin.FINAL_STATE_RADIATION)
        total, n_missed = np.zeros((4, len(truth))), np.zeros(len(truth), dtype=np.int64)
        for member, ancestor in _lines_of_descent(truth, np.flatnonzero(ends)):
            known = is_known[member]
            for component, values in zip(total, found, strict=True):
                np.add.at(component, ancestor[known], values[member[known]])
            np.add.at(n_missed, ancestor[~known], 1)
        wanted = (truth.status == Status.DECAYED) & (np.abs(truth.pdg_id) != K0)
        wanted &= is_dark(truth.pdg_id) | is_hadron(truth.pdg_id)
        rows = np.flatnonzero(wanted & (n_missed == 0) & (total[0] > 0))
        return cls(
            truth.pdg_id[rows],
            truth.column("mass")[rows].astype(np.float64),
            mass_of(total[:, rows]),
            truth.weights()[rows],
        )


def _lines_of_descent(truth: Truth, rows: RowArray) -> list[tuple[RowArray, RowArray]]:
    """Rows with their ancestors, a generation at a time."""
    found, above = [], truth.parent[rows]
    while len(rows := rows[above >= 0]):
        above = above[above >= 0]
        found.append((rows, above))
        above = truth.parent[above]
    return found


def _measured(sample: Sample, truth: Truth) -> FloatArray:
    """Measured four-momenta of true particles, NaN of what was not found, shape (4, n)."""
    found = np.full((4, len(truth)), np.nan)
    rows = rows_of_truth(sample, "tracks")
    tracks = ak.flatten(sample.tracks)
    good = (ak.to_numpy(tracks.fit_status) == int(FitStatus.OK)) & (rows >= 0)
    helix = np.stack([ak.to_numpy(tracks[i.name.lower()]) for i in HelixIndex], axis=-1)[good]
    born = np.stack([truth.column(name)[rows[good]] for name in "xy"], axis=-1)
    p = momentum_towards(helix, born, sample.experiment.solenoid.field_t).T
    mass = truth.column("mass")[rows[good]].astype(np.float64)
    found[:, rows[good]] = np.stack([np.sqrt((p**2).sum(axis=0) + mass**2), *p])

    rows = rows_of_truth(sample, "clusters")
    alone = (rows >= 0) & (sample.column("clusters", "track_index") < 0)
    alone[alone] = truth.pdg_id[rows[alone]] == PHOTON
    energy, theta, phi = (
        sample.column("clusters", name)[alone].astype(np.float64)
        for name in ("energy", "theta", "phi")
    )
    sine = np.sin(theta)
    direction = np.stack([np.ones_like(sine), sine * np.cos(phi), sine * np.sin(phi)])
    found[:, rows[alone]] = energy * np.stack([*direction, np.cos(theta)])
    return found


def _recoil(sample: Sample) -> Peaks:
    """The recoil mass as an observable, next to the mass of the one dark state that was made.

    Of events in which that left nothing charged, which the pair might be.
    """
    truth = Truth(sample)
    dark = is_dark(truth.pdg_id)
    first = np.flatnonzero(dark & ~((truth.parent >= 0) & dark[truth.parent]))
    true = np.zeros(len(sample))
    true[truth.event[first]] = truth.column("mass")[first]
    is_alone = np.bincount(truth.event[first], minlength=len(sample)) == 1
    is_charged = (charges(truth.pdg_id) != 0) & (truth.status == Status.FINAL)
    is_alone[truth.event[is_charged & truth.any_ancestor(dark)]] = False
    measured = np.full(len(sample), np.nan)
    if "recoil_mass" in sample.units("events"):
        values = sample.column("events", "recoil_mass").astype(np.float64)
        measured = values if values.ndim == 1 else measured
    good = is_alone & np.isfinite(measured)
    weights = sample.column("events", "weight")[good]
    code = np.zeros(len(weights), dtype=np.int32)
    return Peaks(code, true[good], measured[good], weights)


@in_style
def masses(*samples: Sample) -> Figure:
    """Masses of dark states, or of the most frequent hadrons, that were found whole, and true.

    The widths are half of the central 68.27 % of measured less true mass. The recoil mass against
    what is seen is drawn where it is an observable.

    Raises
    ------
    NothingToDrawError
        Nothing was found whole in any sample.
    """
    found = [Peaks.of(sample) for sample in samples]
    recoils = [_recoil(sample) for sample in samples]
    panels = [
        (particle_name(code), [_of(code, peaks) for peaks in found]) for code in _codes(found)
    ]
    if any(len(peaks.true) >= _FEWEST for peaks in recoils):
        panels.append((r"M_\mathrm{recoil}", recoils))
    if not panels:
        raise NothingToDrawError("no dark state and no hadron is found whole often enough")
    columns = min(len(panels), 3)
    figure, axes = new_figure(-(-len(panels) // columns), columns)
    none = np.empty(0), np.empty(0)
    series = series_of(samples, [none] * len(samples))
    for axis, (name, peaks) in zip(axes, panels, strict=False):
        text = f"$m$({name})" if name.startswith("$") else f"${name}$"
        _draw_peak(axis, peaks, series, text)
    for axis in axes[len(panels) :]:
        axis.remove()
    print_head(figure, samples)
    return figure


def _codes(found: Sequence[Peaks]) -> list[int]:
    """Codes without sign: those of dark states, else of the most frequent other particles."""
    codes = np.abs(np.concatenate([peaks.pdg_id for peaks in found]))
    known, n_found = np.unique(codes, return_counts=True)
    order = np.argsort(-n_found, kind="stable")
    known = known[order][n_found[order] >= _FEWEST]
    dark = known[is_dark(known)]
    return [int(code) for code in (dark if len(dark) else known)[:_MOST_PANELS]]


def _of(code: int, peaks: Peaks) -> Peaks:
    chosen = np.abs(peaks.pdg_id) == code
    return Peaks(
        peaks.pdg_id[chosen], peaks.true[chosen], peaks.measured[chosen], peaks.weights[chosen]
    )


def _draw_peak(axis: Axes, found: Sequence[Peaks], series: Sequence[Series], name: str) -> None:
    """What was measured, with its width, and what is true; ``series`` say how each is drawn."""
    found, name = _on_top(found, name)
    true: list[Series] = []
    measured: list[Series] = []
    ends: list[float] = []
    for peaks, look in zip(found, series, strict=True):
        if len(peaks.true) == 0:
            continue
        told = "reconstructed"
        if width := central_width(peaks.measured - peaks.true, peaks.weights):
            told = f"width {width.told(1 / MeV)} MeV"
        if spread := central_width(peaks.measured, peaks.weights):
            ends += [spread.median + side * _WIDTHS * spread.value for side in (-1, 1)]
        else:
            ends += [peaks.measured.min(), peaks.measured.max()]
        line = replace(look, values=peaks.true, weights=peaks.weights, is_true=True)
        true.append(
            replace(line, label="") if look.label else replace(line, label="true", colour=1)
        )
        text = "\n".join(part for part in (look.label, told) if part)
        measured.append(replace(look, values=peaks.measured, weights=peaks.weights, label=text))
    margin = 0.05 * (max(ends) - min(ends)) or 0.01
    low = min(ends) - margin
    if all(np.all(one.values >= 0) for one in measured):
        low = max(low, 0.0)
    bins = np.linspace(low, max(ends) + margin, 41)
    is_wide = [bool(np.std(one.values) > bins[1] - bins[0]) for one in true]
    wide = [one for one, chosen in zip(true, is_wide, strict=True) if chosen]
    draw_histograms(axis, wide + measured, bins, label=name, unit="GeV", of="candidates")
    for one, chosen in zip(true, is_wide, strict=True):
        if not chosen:
            _draw_narrow(axis, one)
    axis.legend(fontsize="small")


def _draw_narrow(axis: Axes, one: Series) -> None:
    """A line for a mass that is narrower than the bins."""
    axis.axvline(
        float(np.median(one.values)),
        color=COLOURS[one.colour % len(COLOURS)],
        ls=LINES[one.colour % len(LINES)],
        label=one.label or None,
        zorder=0,
    )


def _on_top(found: Sequence[Peaks], name: str) -> tuple[Sequence[Peaks], str]:
    """Peaks that stand far apart, less the median of the true masses of their sample."""
    seen = [peaks for peaks in found if len(peaks.true)]
    middles = [float(np.median(peaks.true)) for peaks in seen]
    widths = [central_width(peaks.measured, peaks.weights) for peaks in seen]
    widest = max((width.value for width in widths if width), default=np.inf)
    if np.ptp(middles) < 2 * _WIDTHS * widest:
        return found, name
    moved = []
    for peaks in found:
        middle = np.median(peaks.true) if len(peaks.true) else 0.0
        moved.append(replace(peaks, true=peaks.true - middle, measured=peaks.measured - middle))
    return moved, f"{name} less its true median"
