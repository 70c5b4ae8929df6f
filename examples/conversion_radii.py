"""Draw where a million photons convert: the material of a card as an X-ray picture.

Usage: python examples/conversion_radii.py [PICTURE.png]
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darkbelle import gen, geometry
from darkbelle.detsim.interactions import interact
from darkbelle.gen.events import Origin, Outcome

N_PHOTONS, SEED = 1_000_000, 1
LABELS = {
    "beam_pipe": "beam pipe",
    "cdc_inner_wall": "inner wall",
    "cdc_outer_wall": "outer wall",
    "pxd1": "PXD 1",
    "pxd2": "PXD 2",
    "svd3": "SVD 3",
    "svd4": "SVD 4",
    "svd5": "SVD 5",
    "svd6": "SVD 6",
}


def conversions(experiment: geometry.Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Radius and z [cm] of the conversions of photons of 1 GeV, 17 to 150 deg."""
    gun = gen.ParticleGun(pdg_id=22, p=1.0, theta=(math.radians(17), math.radians(150)))
    rng = np.random.default_rng(SEED)
    truth = gun.prepare(experiment.collider, rng).generate(N_PHOTONS, rng)
    particles = interact(truth, experiment, rng).truth.particles
    converted = (particles.origin == Origin.GUN) & (particles.outcome == Outcome.CONVERTED)
    radius = np.hypot(particles.decay_x, particles.decay_y)
    return radius[converted], particles.decay_z[converted]


def draw_radii(axis: Axes, radius: np.ndarray, experiment: geometry.Experiment) -> None:
    bins = np.geomspace(0.9, 125, 500)
    content, _ = np.histogram(radius, bins)
    axis.stairs(content / np.diff(bins), bins, fill=True, color="#0072B2")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(bins[0], bins[-1])
    axis.set_ylim(8, 2e6)
    axis.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    axis.minorticks_off()
    axis.set_xlabel("conversion radius [cm]")
    axis.set_ylabel("conversions / cm")
    radii = {name: layer.radius_cm for name, layer in experiment.passive.items()}
    radii |= {name: layer.radius_cm for name, layer in experiment.silicon.items()}
    for name, place in radii.items():
        near = np.abs(bins[:-1] - place) < 0.04 * place
        top = (content / np.diff(bins))[near].max()
        axis.annotate(
            LABELS.get(name, name), (place, 1.5 * top), rotation=90, ha="center", fontsize="small"
        )
    axis.annotate("gas and wires", (44, 90), ha="center", fontsize="small")
    axis.annotate("slanted sensors", (7.9, 1.1e3), ha="right", fontsize="small")


def draw_side_view(axis: Axes, radius: np.ndarray, z: np.ndarray) -> None:
    axis.scatter(z, radius, s=0.6, linewidths=0, color="#0072B2", rasterized=True)
    axis.set_xlim(-32, 58)
    axis.set_ylim(0, 18)
    axis.set_xlabel("z [cm]")
    axis.set_ylabel("r [cm]")


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "conversion_radii.png")
    experiment = geometry.load("belle2")
    radius, z = conversions(experiment)
    figure = Figure(figsize=(8, 6), layout="constrained", dpi=150)
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 2))
    draw_radii(upper, radius, experiment)
    draw_side_view(lower, radius, z)
    share = f"{100 * len(radius) / N_PHOTONS:.1f}"
    upper.set_title(
        rf"{N_PHOTONS:,} photons of 1 GeV, 17$\degree$ to 150$\degree$: "
        f"{share} % convert in the tracking volume, Belle II",
        fontsize="medium",
    )
    figure.savefig(picture)


if __name__ == "__main__":
    main()
