"""Pictures of a sample. Needs the extra ``[plot]``; nothing else imports this module."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from darkbelle.detsim.helix import HelixIndex, omega_from_pt, perigee
from darkbelle.errors import ConfigError, OutputError
from darkbelle.extras import needed_for
from darkbelle.gen.particles import charges
from darkbelle.samples.efficiency.intervals import line_shares, trigger_efficiency
from darkbelle.samples.files.aside import aside, check_target
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.tables import EVENT_COLUMNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from darkbelle.geometry.trigger import Menu

__all__ = [
    "check_picture",
    "draw_sample",
    "draw_trigger",
    "new_figure",
    "save_figure",
    "true_helices",
]

FloatArray = npt.NDArray[np.float64]

_PICTURES = ".png", ".pdf", ".svg"
_BLUE, _ORANGE = "#0072B2", "#D55E00"  # Okabe and Ito, colour-blind safe
_COLOURS = _BLUE, _ORANGE, "#009E73", "#CC79A7"
_BARREL = 35, 123  # degrees, where a prompt track crosses all layers of the drift chamber
_AXIS_LABELS = {
    "dimuon_mass": r"$m_{\mu\mu}$",
    "recoil_mass": r"$M_\mathrm{recoil}$",
    "recoil_mass2": r"$M^2_\mathrm{recoil}$",
    "recoil_theta": r"$\theta_\mathrm{recoil}$",
    "missing_energy": r"$E^*_\mathrm{miss}$",
}


def new_figure(rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    """A figure and its axes in reading order; MissingDependencyError without matplotlib."""
    with needed_for("plots", "plot"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(4.8 * columns, 3.6 * rows), layout="constrained", dpi=150)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    return figure, axes


def draw_sample(sample: Sample, folder: Path) -> list[Path]:
    """Draw all pictures that the sample has the columns for; the folder is made if needed."""
    pictures: dict[str, Callable[[Sample], Figure]] = {
        "tracks": _draw_tracks,
        "vertices": _draw_vertices,
        "clusters": _draw_clusters,
        "resolutions": _draw_resolutions,
        "trigger": draw_trigger,
    }
    if _observables(sample):
        pictures = {"observables": _draw_observables, **pictures}
    drawn = {name: draw(sample) for name, draw in pictures.items()}
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write pictures to '{folder}': {error.strerror}") from None
    for name, figure in drawn.items():
        paths.append(folder / f"{name}.png")
        save_figure(figure, paths[-1], force=True)
    return paths


def check_picture(path: Path, *, force: bool) -> Path:
    """The real path of a picture to write; refused is what `save_figure` cannot write."""
    if path.suffix not in _PICTURES:
        raise ConfigError(f"'{path}': pictures are written as {', '.join(_PICTURES)}")
    return check_target(path, force=force)


def save_figure(figure: Figure, path: Path, *, force: bool) -> None:
    """Write a picture in the format that the ending of its name says."""
    check_picture(path, force=force)
    with aside(path, force=force) as part:
        figure.savefig(part, format=path.suffix.removeprefix("."))


def _histogram(
    axis: Axes,
    values: FloatArray,
    weights: FloatArray,
    bins: FloatArray,
    *,
    label: str,
    unit: str,
) -> None:
    """One distribution with its statistical errors."""
    content, _ = np.histogram(values, bins, weights=weights)
    error = np.sqrt(np.histogram(values, bins, weights=weights**2)[0])
    axis.stairs(content, bins, color=_BLUE, fill=True, alpha=0.25)
    centres = (bins[1:] + bins[:-1]) / 2
    axis.errorbar(centres, content, error, fmt="none", ecolor=_BLUE, elinewidth=0.8)
    axis.stairs(content, bins, color=_BLUE)
    _label(axis, bins, label, unit)


def _label(axis: Axes, bins: FloatArray, label: str, unit: str) -> None:
    """What is drawn in which bins."""
    suffix = f" [{unit}]" if unit != "1" else ""
    width = f"{bins[1] - bins[0]:.3g}" + (f" {unit}" if unit != "1" else "")
    axis.set_xlabel(label + suffix)
    axis.set_ylabel(f"events / {width}")
    axis.set_xlim(bins[0], bins[-1])


def _central_bins(values: FloatArray, n_bins: int = 80, share: float = 0.998) -> FloatArray:
    """Equal bins over the central share of the values."""
    if len(values) == 0:
        return np.linspace(0.0, 1.0, n_bins + 1)
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    margin = 0.05 * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, n_bins + 1)


def _observables(sample: Sample) -> dict[str, str]:
    """Names and units of the observables of the events, without flags."""
    units = sample.units("events").items()
    return {
        name: unit
        for name, unit in units
        if name not in EVENT_COLUMNS and not name.startswith("has_")
    }


def _draw_observables(sample: Sample) -> Figure:
    """Every observable that some event has, the recoil mass once more on a logarithmic scale."""
    units = _observables(sample)
    values = {name: sample.column("events", name).astype(np.float64) for name in units}
    drawn = [name for name in units if np.isfinite(values[name]).any()] or list(units)
    panels = [(name, False) for name in drawn]
    if "recoil_mass" in drawn:
        panels.insert(panels.index(("recoil_mass", False)) + 1, ("recoil_mass", True))
    columns = min(len(panels), 3)
    figure, axes = new_figure(-(-len(panels) // columns), columns)
    for axis in axes[len(panels) :]:
        axis.remove()
    weights = sample.column("events", "weight")
    for axis, (name, logarithmic) in zip(axes, panels, strict=False):
        label, names = _AXIS_LABELS.get(name, name), sample.names("events", name)
        _draw_observable(axis, values[name], weights, names, label, units[name], logarithmic)
    figure.suptitle(_title(sample), fontsize="medium")
    return figure


def _draw_observable(
    axis: Axes,
    values: FloatArray,
    weights: FloatArray,
    names: tuple[str, ...],
    label: str,
    unit: str,
    logarithmic: bool,
) -> None:
    """One observable, or the columns of one that is a matrix over each other."""
    finite = values[np.isfinite(values)]
    bins = _central_bins(finite, share=1.0 if logarithmic else 0.95)
    if label.startswith("n_"):
        bins = np.arange(-0.5, finite.max(initial=0.0) + 1.5)
    if names:
        for column, name, colour in zip(values.T, names, _COLOURS, strict=False):
            good = np.isfinite(column)
            content, _ = np.histogram(column[good], bins, weights=weights[good])
            axis.stairs(content, bins, color=colour, label=name.replace("_", " "))
        _label(axis, bins, label, unit)
        axis.legend(frameon=False, fontsize="x-small")
    else:
        good = np.isfinite(values)
        _histogram(axis, values[good], weights[good], bins, label=label, unit=unit)
    if logarithmic and len(finite):
        axis.set_yscale("log")


def _weights(sample: Sample, rows: Any) -> FloatArray:
    """Weight of the event of each of some rows, shape (n_rows,)."""
    return np.repeat(sample.column("events", "weight"), ak.to_numpy(ak.num(rows)))


def _draw_vertices(sample: Sample) -> Figure:
    """Flight, its significance, quality and one of the masses of the two-track vertices."""
    good = sample.vertices[sample.vertices.fit_status == 0]
    vertices, weights = ak.flatten(good), _weights(sample, good)
    panels = [
        ("transverse flight", "cm", ak.to_numpy(vertices.flight_xy)),
        ("significance of the flight", "1", ak.to_numpy(vertices.flight_xy_significance)),
        (r"probability of $\chi^2$", "1", chdtrc(1, ak.to_numpy(vertices.chi2))),
        (r"$m_{\mu\mu}$", "GeV", ak.to_numpy(vertices.mass_mumu)),
    ]
    figure, axes = new_figure(2, 2)
    for axis, (label, unit, values) in zip(axes, panels, strict=True):
        _histogram(axis, values, weights, _central_bins(values), label=label, unit=unit)
        if len(values):
            axis.set_yscale("log")
    figure.suptitle(_title(sample), fontsize="medium")
    return figure


def _draw_clusters(sample: Sample) -> Figure:
    """Energy of photons and of the clusters of tracks, E/p, and the width of the clusters."""
    clusters, ratio = ak.flatten(sample.clusters), ak.to_numpy(ak.flatten(sample.tracks.e_over_p))
    owned, matched = ak.to_numpy(clusters.track_index >= 0), np.isfinite(ratio)
    weights = _weights(sample, sample.clusters)
    energy, width = ak.to_numpy(clusters.energy), ak.to_numpy(clusters.second_moment)
    of_tracks = _weights(sample, sample.tracks)[matched]
    panels = [
        (r"$E$, no track", "GeV", energy[~owned], weights[~owned]),
        (r"$E$, of a track", "GeV", energy[owned], weights[owned]),
        (r"$E/p$", "1", ratio[matched], of_tracks),
        ("second moment", r"cm$^2$", width, weights),
    ]
    figure, axes = new_figure(2, 2)
    for axis, (label, unit, values, weight) in zip(axes, panels, strict=True):
        _histogram(axis, values, weight, _central_bins(values), label=label, unit=unit)
        if len(values):
            axis.set_yscale("log")
    figure.suptitle(_title(sample), fontsize="medium")
    return figure


def _draw_tracks(sample: Sample) -> Figure:
    """Momentum, polar angle, hits and number of the tracks."""
    good = sample.tracks[sample.tracks.fit_status == 0]
    tracks, weights = ak.flatten(good), _weights(sample, good)
    of_events = sample.column("events", "weight")
    hits, number = tracks.n_hits_cdc, ak.num(sample.tracks)
    panels = [
        (r"$p$", "GeV", ak.to_numpy(tracks.p), weights),
        (r"$\theta$", "deg", np.degrees(ak.to_numpy(tracks.theta)), weights),
        ("drift chamber hits", "1", ak.to_numpy(hits).astype(np.float64), weights),
        ("tracks an event", "1", ak.to_numpy(number).astype(np.float64), of_events),
    ]
    figure, axes = new_figure(2, 2)
    for axis, (label, unit, values, weight) in zip(axes, panels, strict=True):
        bins = _central_bins(values, share=1.0)
        if unit == "1":
            bins = np.arange(-0.5, max(values, default=1.0) + 1.5)
        _histogram(axis, values, weight, bins, label=label, unit=unit)
    figure.suptitle(_title(sample), fontsize="medium")
    return figure


def true_helices(sample: Sample) -> FloatArray:
    """True perigee helix of every track, shape (n_tracks, 5)."""
    truth = ak.flatten(sample.particles[sample.tracks.truth_index])
    charge = charges(ak.to_numpy(truth.pdg_id))
    position = np.stack([ak.to_numpy(truth.vertex[axis]) for axis in "xyz"], axis=-1)
    px, py, pz = (ak.to_numpy(truth[name]).astype(np.float64) for name in ("px", "py", "pz"))
    pt = np.hypot(px, py)
    omega = omega_from_pt(pt, charge, sample.experiment.solenoid.field_t)
    return perigee(position, np.arctan2(py, px), omega, pz / pt)[0]


def _draw_resolutions(sample: Sample) -> Figure:
    """Pulls of the five helix parameters, and the momentum resolution against momentum."""
    good = ak.to_numpy(ak.flatten(sample.tracks.fit_status == 0))
    tracks = ak.flatten(sample.tracks)
    truth = true_helices(sample)[good]
    weights = _weights(sample, sample.tracks)[good]
    figure, axes = new_figure(2, 3)
    bins = np.linspace(-5, 5, 81)
    centres = (bins[1:] + bins[:-1]) / 2
    names = (r"$d_0$", r"$\varphi_0$", r"$\omega$", r"$z_0$", r"$\tan\lambda$")
    for index, axis in zip(HelixIndex, axes, strict=False):
        measured = ak.to_numpy(tracks[index.name.lower()])[good]
        variance = ak.to_numpy(tracks.cov)[good, index, index]
        difference = measured - truth[:, index]
        if index is HelixIndex.PHI0:
            difference = (difference + np.pi) % (2 * np.pi) - np.pi
        pull = difference / np.sqrt(variance)
        _histogram(axis, pull, weights, bins, label=f"pull of {names[index]}", unit="1")
        expected = weights.sum() * (bins[1] - bins[0]) / np.sqrt(2 * np.pi)
        axis.plot(centres, expected * np.exp(-(centres**2) / 2), color=_ORANGE, label="N(0, 1)")
        if len(pull):
            axis.set_yscale("log")
            axis.set_ylim(bottom=0.5)
        axis.legend(frameon=False)
    _draw_momentum_resolution(axes[5], tracks[good], truth)
    figure.suptitle(_title(sample), fontsize="medium")
    return figure


def _draw_momentum_resolution(axis: Axes, tracks: Any, truth: FloatArray) -> None:
    """Half the central 68 % of (pt - true pt)/pt against pt, barrel and ends apart."""
    ratio = np.abs(truth[:, HelixIndex.OMEGA] / ak.to_numpy(tracks.omega)) - 1
    pt, theta = ak.to_numpy(tracks.pt), np.degrees(ak.to_numpy(tracks.theta))
    barrel = (theta > _BARREL[0]) & (theta < _BARREL[1])
    for part, colour, label in (
        (barrel, _BLUE, rf"${_BARREL[0]}^\circ < \theta < {_BARREL[1]}^\circ$"),
        (~barrel, _ORANGE, "elsewhere"),
    ):
        if not part.any():
            continue
        edges = np.unique(np.quantile(pt[part], np.linspace(0, 1, 13)))
        for low, high in pairwise(edges):
            chosen = ratio[part & (pt >= low) & (pt < high)]
            if len(chosen) > 20:
                upper, lower = np.quantile(chosen, [0.841345, 0.158655])
                sigma = 100 * (upper - lower) / 2
                error = sigma / np.sqrt(len(chosen))
                centre, half = (low + high) / 2, (high - low) / 2
                axis.errorbar(centre, sigma, error, half, fmt="o", ms=3, color=colour, label=label)
                label = "_"
    axis.set_xlabel(r"$p_T$ [GeV]")
    axis.set_ylabel(r"$\sigma(p_T)/p_T$ [%]")
    axis.set_ylim(bottom=0)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False)


def draw_trigger(sample: Sample) -> Figure:
    """How often the lines that run fire, before and after their prescales, and what is kept."""
    menus = sample.experiment.trigger
    figure, axes = new_figure(1, 2)
    _draw_lines(axes[0], sample, menus.l1, {"l1": "before prescale", "l1_prescaled": "after"})
    _draw_lines(axes[1], sample, menus.hlt, {"hlt": "after prescale"})
    axes[0].set_title("level one", fontsize="small", loc="left")
    axes[1].barh("physics", 100 * trigger_efficiency(sample).eff, color=_ORANGE, alpha=0.5)
    axes[1].set_title("high level", fontsize="small", loc="left")
    axes[1].tick_params(axis="y", pad=-4)  # names as long as those have room in the panel only
    for label in axes[1].get_yticklabels():
        label.set_horizontalalignment("left")
    most = max(len(axis.get_yticks()) for axis in axes)
    for axis in axes:
        axis.set_ylim(most - 0.4, -0.6)
    figure.set_figheight(max(3.6, 1.2 + 0.16 * most))
    figure.suptitle(_title(sample), fontsize="medium")
    return figure


def _draw_lines(axis: Axes, sample: Sample, menu: Menu, stages: dict[str, str]) -> None:
    """Lines that run and fired as bars, first to last from the top, each stage over the last."""
    shares = {stage: line_shares(sample, level) for level, stage in stages.items()}
    fired = next(iter(shares.values()))
    ratios = {
        name: ratio
        for name, ratio in zip(menu.line_names, menu.ratios, strict=True)
        if ratio > 0 and fired[name] != 0
    }
    labels = [name if ratio == 1 else f"{name} / {ratio}" for name, ratio in ratios.items()]
    for stage, share in shares.items():
        alpha = 0.3 if stage == "before prescale" else 0.6
        widths = [100 * share[name] for name in ratios]
        axis.barh(labels, widths, color=_BLUE, alpha=alpha, label=stage)
    axis.tick_params(axis="y", labelsize="x-small", length=0)
    axis.set_xlim(0, 100)
    axis.set_xlabel("events [%]")
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow("line")
    axis.legend(frameon=False, fontsize="small", ncols=2, loc="lower right", bbox_to_anchor=(1, 1))


def _title(sample: Sample) -> str:
    """Process, parameters other than switches and cuts, and experiment."""
    shown = [
        f"{name} = {value}"
        for name, value in sample.parameters.items()
        if not (value is None or isinstance(value, (bool, dict)))
    ]
    process = sample.attributes["process"]
    return "\n".join(wrap(f"{process} ({', '.join(shown)}), {sample.experiment.name}", 110))
