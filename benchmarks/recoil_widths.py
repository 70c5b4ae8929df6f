"""Widths of the recoil mass in e+e- -> mu mu Z' next to published ones.

Usage: python benchmarks/recoil_widths.py

The published widths are those of simulated signal without beam-energy spread. The width quoted
here is that of the core of reconstructed minus true recoil mass (or its square), a Gaussian's
within 1.5 sigma: the detector alone, without photons radiated by the beams. The last two columns
are the width of the core of the recoil-mass peak itself, photons included, without and with the
beam-energy spread.

Acceptance: muons of rows A in 37 to 120 degrees above 0.4 GeV, as the search demands; muons of rows
B anywhere in the tracker, above 0.2 GeV, since slower ones reach no detector that tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle import gen, geometry
from darkbelle.detsim import simulate
from darkbelle.gen.particles import MUON
from darkbelle.samples.observables.tracks import dimuon_recoil
from darkbelle.units import MeV, deg

FloatArray = npt.NDArray[np.float64]

SPREAD_OFF = ("collider.beam_spread=false",)


@dataclass(frozen=True)
class Acceptance:
    """Where both muons must be."""

    theta_deg: tuple[float, float]
    min_pt: float


@dataclass(frozen=True)
class Published:
    """A published width of the recoil mass [MeV] or of its square [GeV^2].

    A row with several masses, in equal steps of the square, is their harmonic mean: a scan in steps
    of one width makes as many.
    """

    row: str
    masses: tuple[float, ...]
    squared: bool
    value: float
    tolerance: float
    acceptance: Acceptance
    source: str


_TRIGGER = Acceptance((37.0, 120.0), 0.4)
_TRACKER = Acceptance((17.0, 150.0), 0.2)
_SCAN = tuple(np.sqrt(81 / 12 * (np.arange(12) + 0.5)))

ROWS = (
    Published("A02", (3.0,), True, 0.23, 0.25, _TRIGGER, "2212.03066"),
    Published("A04", _SCAN, True, 0.139, 0.25, _TRIGGER, "2212.03066: 582 steps over 81 GeV^2"),
    Published("B01", (3.6,), False, 30.0, 0.25, _TRACKER, "2306.12294"),
    Published("B04", (6.6,), False, 10.0, 0.25, _TRACKER, "2306.12294, supplement"),
    Published("B03", (10.0,), False, 1.0, 0.30, _TRACKER, "2306.12294"),
)


@dataclass(frozen=True)
class Recoil:
    """Recoil mass of the accepted events, reconstructed and true [GeV]."""

    observed: FloatArray
    true: FloatArray


def recoil(
    mass: float, n_events: int, acceptance: Acceptance, overrides: Sequence[str], seed: int
) -> Recoil:
    """Recoil masses of simulated events, the true one against the true muons."""
    rng = np.random.default_rng(seed)
    experiment = geometry.load("belle2", overrides)
    truth = gen.MuMuZPrime(mass=mass).generate(experiment.collider, n_events, rng)
    reco = simulate(truth, experiment, rng=rng)
    observed = dimuon_recoil(reco, experiment)

    particles, event = truth.particles, truth.event_index()
    is_muon = np.abs(particles.pdg_id) == MUON
    pt = np.hypot(particles.px, particles.py)
    theta = np.arctan2(pt, particles.pz) / deg
    low, high = acceptance.theta_deg
    outside = is_muon & ((theta < low) | (theta > high) | (pt < acceptance.min_pt))
    kept = observed["has_dimuon"] & (np.bincount(event, outside, minlength=n_events) == 0)

    columns = (particles.e, particles.px, particles.py, particles.pz)
    pair = [np.bincount(event, column * is_muon, minlength=n_events) for column in columns]
    p = experiment.collider.four_momentum[:, None] - np.array(pair)
    true_mass = np.sqrt(np.maximum(p[0] ** 2 - np.sum(p[1:] ** 2, axis=0), 0.0))
    return Recoil(np.asarray(observed["recoil_mass"])[kept], true_mass[kept])


def core_width(values: FloatArray) -> float:
    """Gaussian width of the core of a peak, within 1.5 sigma of its centre."""
    high, low = np.quantile(values, [0.841345, 0.158655])
    centre, sigma = float(np.median(values)), float(high - low) / 2
    for _ in range(20):
        core = values[np.abs(values - centre) < 1.5 * sigma]
        centre, sigma = float(core.mean()), float(core.std()) / 0.7426  # of a cut Gaussian
    return sigma


def _width(row: Published, n_events: int, overrides: Sequence[str], *, residual: bool) -> float:
    """Width of the residuals or of the peak, in the row's unit."""
    widths = []
    for mass in row.masses:
        made = recoil(mass, n_events, row.acceptance, overrides, seed=1)
        observed, true = made.observed, made.true
        if row.squared:
            observed, true = observed * np.abs(observed), true**2
        widths.append(core_width(observed - true if residual else observed))
    return float(1 / np.mean(1 / np.array(widths))) / (1 if row.squared else MeV)


def detector_width(row: Published, n_events: int) -> float:
    """Width that the detector gives, without beam-energy spread, in the row's unit."""
    return _width(row, n_events, SPREAD_OFF, residual=True)


def peak_width(row: Published, n_events: int, *, spread: bool) -> float:
    """Width of the recoil-mass peak with or without beam-energy spread, in the row's unit."""
    return _width(row, n_events, () if spread else SPREAD_OFF, residual=False)


def main() -> None:
    print("row   published  detector  ratio  tolerance   peak  peak with spread         source")
    for row in ROWS:
        n_events = 200_000 if max(row.masses) > 9.5 else 60_000
        detector = detector_width(row, n_events)
        peaks = [peak_width(row, n_events, spread=spread) for spread in (False, True)]
        print(
            f"{row.row}  {row.value:9.4g} {detector:9.4g}  {detector / row.value:5.2f}"
            f"  {row.tolerance:8.0%} {peaks[0]:8.4g} {peaks[1]:8.4g} "
            f"{'GeV^2' if row.squared else 'MeV':<6}  {row.source}"
        )


if __name__ == "__main__":
    main()
