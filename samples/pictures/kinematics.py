"""Distributions: observables, what is true and measured, tracks, clusters, vertices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import awkward as ak
import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from darkbelle.detsim import FitStatus, VertexStatus
from darkbelle.gen.events import Status
from darkbelle.gen.particles import ELECTRON, KAON, MUON, PHOTON, PION, PROTON
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.tables import EVENT_COLUMNS
from darkbelle.samples.pictures.columns import Truth, flat_column, weights_of
from darkbelle.samples.pictures.histograms import Column, Panel, Series, draw_panels, series_of
from darkbelle.samples.pictures.style import NothingToDrawError, in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CHARGED", "clusters", "final_rows", "kinematics", "observables", "tracks", "vertices"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CHARGED: Final = (ELECTRON, MUON, PION, KAON, PROTON)
"""Particles that live long enough to leave a track."""
_LEAST_PHOTON: Final = 0.02
"""GeV; below it nothing is found anyhow, and final-state radiation has no end."""
_SHARE: Final = 0.95
"""Of an observable that is drawn, and of what has far tails; 1 on a logarithmic scale."""
_MOST_COLUMNS: Final = 4
"""Of an observable for several choices; the others have fewer events."""
_AXIS_LABELS: Final = {
    "dimuon_mass": r"$m_{\mu\mu}$",
    "recoil_mass": r"$M_\mathrm{recoil}$",
    "recoil_mass2": r"$M^2_\mathrm{recoil}$",
    "recoil_theta": r"$\theta_\mathrm{recoil}$",
    "missing_energy": r"$E^*_\mathrm{miss}$",
}


@in_style
def observables(*samples: Sample) -> Figure:
    """Every observable that some event has, the recoil mass once more on a logarithmic scale.

    Raises
    ------
    NothingToDrawError
        The samples have none in common.
    """
    units = _observables(samples[0])
    names = [name for name in units if all(name in _observables(s) for s in samples)]
    values = {name: _series_of_observable(samples, name) for name in names}
    seen = [n for n in names if any(len(one.finite().values) for one in values[n])] or names
    if not seen:
        raise NothingToDrawError("there are no observables, or none that all samples have")
    panels = []
    for name in seen:
        label, is_count = _AXIS_LABELS.get(name, name.replace("_", " ")), name.startswith("n_")
        panel = Panel(label, units[name], values[name], share=_SHARE, is_count=is_count)
        panels.append(panel)
        if name == "recoil_mass":
            panels.append(Panel(label, units[name], values[name], is_logarithmic=True))
    return draw_panels(samples, panels)


def _observables(sample: Sample) -> dict[str, str]:
    """Names and units of the observables of the events, without flags."""
    units = sample.units("events").items()
    return {
        name: unit
        for name, unit in units
        if name not in EVENT_COLUMNS and not name.startswith("has_")
    }


def _series_of_observable(samples: Sequence[Sample], name: str) -> list[Series]:
    """One of each sample, but of a matrix of one sample the columns that have most events."""
    parts = samples[0].names("events", name)
    if len(samples) == 1 and parts:
        matrix = samples[0].column("events", name).astype(np.float64)
        weights = samples[0].column("events", "weight")
        n_known = np.isfinite(matrix).sum(axis=0)
        most = np.sort(np.argsort(-n_known, kind="stable")[:_MOST_COLUMNS])
        return [
            Series(matrix[:, column], weights, parts[column].replace("_", " "), colour=i)
            for i, column in enumerate(most)
            if n_known[column]
        ]
    return series_of(samples, [_observable(sample, name) for sample in samples])


def _observable(sample: Sample, name: str) -> Column:
    """Values and weights, of a matrix of all its columns."""
    values = sample.column("events", name).astype(np.float64)
    weights = sample.column("events", "weight")
    per_event = values.size // max(len(weights), 1)
    return values.ravel(), np.repeat(weights, per_event)


def final_rows(truth: Truth, pdg_ids: Sequence[int]) -> BoolArray:
    """Whether each particle is one of some species that left the generator, shape (n,)."""
    chosen: BoolArray = (truth.status == Status.FINAL) & np.isin(np.abs(truth.pdg_id), pdg_ids)
    return chosen


@in_style
def kinematics(*samples: Sample) -> Figure:
    """Charged particles and photons as they were generated, next to tracks and clusters.

    Photons above 0.02 GeV; clusters without a track.
    """
    p, theta, n_charged = _both(samples, _true_charged, _tracks)
    energy, theta_photon, n_photons = _both(samples, _true_photons, _neutral_clusters)
    panels = [
        Panel(r"$p$ of charged particles", "GeV", p, "particles"),
        Panel(r"$\theta$ of charged particles", "deg", theta, "particles"),
        Panel("charged particles in an event", "1", n_charged, is_count=True),
        Panel(r"$E_\gamma$", "GeV", energy, "photons", is_logarithmic=True),
        Panel(r"$\theta_\gamma$", "deg", theta_photon, "photons"),
        Panel("photons in an event", "1", n_photons, is_count=True),
    ]
    note = "lines: true, points: reconstructed" if len(samples) > 1 else ""
    return draw_panels(samples, panels, note)


Three = tuple[Column, Column, Column]
"""Momenta, angles, numbers in an event."""


def _both(
    samples: Sequence[Sample], true: Callable[[Sample], Three], seen: Callable[[Sample], Three]
) -> list[list[Series]]:
    """Series of momenta, angles and numbers, what is true before what is measured."""
    found: list[list[Series]] = [[], [], []]
    for is_true, read in ((True, true), (False, seen)):
        for series, columns in zip(found, zip(*map(read, samples), strict=True), strict=True):
            series += series_of(samples, columns, is_true=is_true)
    return found


def _true_charged(sample: Sample) -> Three:
    truth = Truth(sample)
    return _three_of_truth(truth, final_rows(truth, CHARGED))


def _true_photons(sample: Sample) -> Three:
    truth = Truth(sample)
    is_photon = final_rows(truth, [PHOTON]) & (truth.momenta()[0] > _LEAST_PHOTON)
    return _three_of_truth(truth, is_photon)


def _three_of_truth(truth: Truth, chosen: BoolArray) -> Three:
    _, px, py, pz = truth.momenta()[:, chosen]
    size, theta = np.sqrt(px**2 + py**2 + pz**2), np.degrees(np.arctan2(np.hypot(px, py), pz))
    weights, of_events = truth.weights()[chosen], truth.sample.column("events", "weight")
    number = np.bincount(truth.event[chosen], minlength=len(of_events)).astype(np.float64)
    return (size, weights), (theta, weights), (number, of_events)


def _tracks(sample: Sample) -> Three:
    rows = sample.tracks
    good = ak.to_numpy(ak.flatten(rows.fit_status)) == int(FitStatus.OK)
    weights = weights_of(sample, "tracks")[good]
    size, theta = flat_column(rows, "p")[good], flat_column(rows, "theta")[good]
    number = ak.to_numpy(ak.num(rows)).astype(np.float64)
    of_events = sample.column("events", "weight")
    return (size, weights), (np.degrees(theta), weights), (number, of_events)


def _neutral_clusters(sample: Sample) -> Three:
    owned = sample.clusters.track_index >= 0
    rows, of_events = sample.clusters[~owned], sample.column("events", "weight")
    weights = weights_of(sample, "clusters")[~ak.to_numpy(ak.flatten(owned))]
    number = ak.to_numpy(ak.num(rows)).astype(np.float64)
    theta = np.degrees(flat_column(rows, "theta"))
    return (flat_column(rows, "energy"), weights), (theta, weights), (number, of_events)


@in_style
def tracks(*samples: Sample) -> Figure:
    """Hits of the tracks and where they pass the origin."""

    def column(*names: str) -> list[Series]:
        return series_of(samples, [_column(s, "tracks", *names) for s in samples])

    silicon, chamber = column("n_hits_pxd", "n_hits_svd"), column("n_hits_cdc")
    panels = [
        Panel("hits in the silicon", "1", silicon, "tracks", is_count=True),
        Panel("hits in the drift chamber", "1", chamber, "tracks", is_count=True),
        Panel(r"$d_0$", "cm", column("d0"), "tracks", share=_SHARE, is_logarithmic=True),
        Panel(r"$z_0$", "cm", column("z0"), "tracks", share=_SHARE, is_logarithmic=True),
    ]
    return draw_panels(samples, panels)


def _column(sample: Sample, collection: str, *names: str) -> Column:
    """Sum of some columns of a collection, with weights."""
    rows = getattr(sample, collection)
    values = np.sum([flat_column(rows, name) for name in names], axis=0)
    return values, weights_of(sample, collection)


@in_style
def clusters(*samples: Sample) -> Figure:
    """Energy of clusters with and without a track, E/p, and their width."""
    owned = [flat_column(sample.clusters, "track_index") >= 0 for sample in samples]
    energy = [_column(sample, "clusters", "energy") for sample in samples]
    alone = series_of(samples, [_chosen(e, ~o) for e, o in zip(energy, owned, strict=True)])
    of_tracks = series_of(samples, [_chosen(e, o) for e, o in zip(energy, owned, strict=True)])
    ratio = series_of(samples, [_column(s, "tracks", "e_over_p") for s in samples])
    width = series_of(samples, [_column(s, "clusters", "second_moment") for s in samples])
    panels = [
        Panel("$E$, no track", "GeV", alone, "clusters", is_logarithmic=True),
        Panel("$E$, of a track", "GeV", of_tracks, "clusters", is_logarithmic=True),
        Panel("$E/p$", "1", ratio, "tracks", is_logarithmic=True),
        Panel("second moment", "cm^2", width, "clusters", is_logarithmic=True),
    ]
    return draw_panels(samples, panels)


def _chosen(column: Column, rows: BoolArray) -> Column:
    return column[0][rows], column[1][rows]


@in_style
def vertices(*samples: Sample) -> Figure:
    """Flight, its significance, quality and one of the masses of the two-track vertices."""
    good = [flat_column(s.vertices, "fit_status") == int(VertexStatus.OK) for s in samples]

    def column(name: str) -> list[Series]:
        columns = [
            _chosen(_column(sample, "vertices", name), rows)
            for sample, rows in zip(samples, good, strict=True)
        ]
        if name == "chi2":
            columns = [(chdtrc(1, chi2), weights) for chi2, weights in columns]
        return series_of(samples, columns)

    panels = [
        Panel(label, unit, column(name), "vertices", is_logarithmic=True)
        for label, unit, name in (
            ("transverse flight", "cm", "flight_xy"),
            ("significance of the flight", "1", "flight_xy_significance"),
            (r"probability of $\chi^2$", "1", "chi2"),
            (r"$m_{\mu\mu}$", "GeV", "mass_mumu"),
        )
    ]
    return draw_panels(samples, panels)
