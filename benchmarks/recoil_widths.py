"""Widths of the recoil mass in e+e- -> mu mu Z' next to published ones.

Usage: python benchmarks/recoil_widths.py

The published widths are those of simulated signal without beam-energy spread. Muons have to lie in
the acceptance of the track trigger, 37 to 120 degrees, above the transverse momentum of the
search. The width is half the central 68 % of reconstructed minus true recoil mass (squared), so
that photons radiated by the beams do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkbelle import gen, geometry
from darkbelle.detsim import simulate
from darkbelle.gen.particles import MUON
from darkbelle.samples.observables import dimuon_recoil
from darkbelle.units import MeV, deg

FloatArray = npt.NDArray[np.float64]

SPREAD_OFF = ("collider.beam_spread=false",)


@dataclass(frozen=True)
class Published:
    """A published width: of the mass [MeV] or of its square [GeV^2] at one mass, or its mean."""

    row: str
    masses: tuple[float, ...]
    squared: bool
    value: float
    tolerance: float
    min_pt: float
    source: str


_SCAN = tuple(np.sqrt(np.linspace(0.25, 80.75, 12)))

ROWS = (
    Published("A02", (3.0,), True, 0.23, 0.25, 0.4, "arXiv:2212.03066"),
    Published("A04", _SCAN, True, 0.139, 0.25, 0.4, "arXiv:2212.03066, 81 GeV^2 / 582 steps"),
    Published("B01", (3.6,), False, 30.0, 0.25, 0.2, "arXiv:2306.12294"),
    Published("B04", (6.6,), False, 10.0, 0.25, 0.2, "arXiv:2306.12294, supplement"),
    Published("B03", (10.0,), False, 1.0, 0.30, 0.2, "arXiv:2306.12294"),
)


def residuals(
    mass: float, n_events: int, min_pt: float, overrides: Sequence[str], seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Reconstructed recoil mass, and reconstructed minus true recoil mass and its square."""
    rng = np.random.default_rng(seed)
    experiment = geometry.load("belle2", overrides)
    process = gen.MuMuZPrime(mass=mass)
    truth = process.generate(experiment.collider, n_events, rng)
    reco = simulate(truth, experiment, rng=rng)
    observed = dimuon_recoil(reco, experiment)

    particles, event = truth.particles, truth.event_index()
    is_muon = np.abs(particles.pdg_id) == MUON
    pt = np.hypot(particles.px, particles.py)
    theta = np.arctan2(pt, particles.pz) / deg
    outside = is_muon & ((theta < 37) | (theta > 120) | (pt < min_pt))
    kept = observed["has_dimuon"] & (np.bincount(event, outside, minlength=n_events) == 0)

    columns = (particles.e, particles.px, particles.py, particles.pz)
    pair = [np.bincount(event, column * is_muon, minlength=n_events) for column in columns]
    recoil = experiment.collider.four_momentum[:, None] - np.array(pair)
    true_mass2 = recoil[0] ** 2 - np.sum(recoil[1:] ** 2, axis=0)
    mass_residual = observed["recoil_mass"] - np.sqrt(np.maximum(true_mass2, 0.0))
    return (
        np.asarray(observed["recoil_mass"])[kept],
        mass_residual[kept],
        (observed["recoil_mass2"] - true_mass2)[kept],
    )


def half_width(values: FloatArray) -> float:
    """Half the central 68.27 %."""
    high, low = np.quantile(values, [0.841345, 0.158655])
    return float(high - low) / 2


def peak_width(values: FloatArray) -> float:
    """Gaussian width of a peak's core, within 1.5 sigma, whatever its tails."""
    centre, sigma = float(np.median(values)), half_width(values)
    for _ in range(20):
        core = values[np.abs(values - centre) < 1.5 * sigma]
        centre, sigma = float(core.mean()), float(core.std()) / 0.7426  # of a cut Gaussian
    return sigma


def simulated_width(row: Published, n_events: int = 60_000, seed: int = 1) -> float:
    """Width that this simulation finds, in the row's unit."""
    widths = []
    for mass in row.masses:
        _, of_mass, of_square = residuals(mass, n_events, row.min_pt, SPREAD_OFF, seed)
        widths.append(half_width(of_square) if row.squared else half_width(of_mass) / MeV)
    return float(np.mean(widths))


def spread_width(row: Published, n_events: int = 60_000, seed: int = 1) -> float:
    """Width of the recoil-mass peak with the beam-energy spread on, in the row's unit."""
    widths = []
    for mass in row.masses:
        observed, _, _ = residuals(mass, n_events, row.min_pt, (), seed)
        signed_square = observed * np.abs(observed)
        widths.append(peak_width(signed_square) if row.squared else peak_width(observed) / MeV)
    return float(np.mean(widths))


def main() -> None:
    print("row   published  simulated  ratio  tolerance  peak with beam spread  source")
    for row in ROWS:
        n_events = 200_000 if max(row.masses) > 9.5 else 60_000
        simulated = simulated_width(row, n_events)
        ratio = simulated / row.value
        unit = "GeV^2" if row.squared else "MeV"
        print(
            f"{row.row}  {row.value:8.4g} {simulated:10.4g}  {ratio:6.2f}  {row.tolerance:6.0%}"
            f"  {spread_width(row, n_events):12.4g} {unit:<6}       {row.source}"
        )


if __name__ == "__main__":
    main()
