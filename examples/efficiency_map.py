"""Draw how often a displaced pair is found, by mass and lifetime: the picture of the docs.

Usage: python examples/efficiency_map.py [PICTURE.png]

B+ -> K+ S, S -> mu+ mu- at Belle II, one sample a mass, of all lifetimes from 0.01 to 100 cm. Left:
that of 1 GeV reweighted, with samples of single lifetimes as points. Right: all of the masses.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darkbelle import gen, geometry, samples

SELECTION = "has_b_tracks.k_plus_mumu and b_tracks_flight_xy.k_plus_mumu > 0.05"
MASSES = (0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
LIFETIMES = np.geomspace(0.01, 100, 33)
DIRECT = (0.01, 0.1, 1.0, 10.0, 100.0)
N_EVENTS, N_DIRECT = 16_384, 8_192
BLUE, ORANGE = "#0072B2", "#D55E00"


def produce(
    folder: Path, mass: float, ctau: float | tuple[float, float], n: int, seed: int
) -> Path:
    """A sample of one mass."""
    path = folder / f"{seed}.h5"
    process = gen.BToKScalar(mass=mass, ctau=ctau)
    run = samples.Run(process, geometry.load("belle2"), seed, chunk_size=4_096)
    samples.produce(run, path, n_events=n)
    return path


def draw_lifetimes(
    axis: Axes, ranged: samples.EfficiencyMap, direct: samples.EfficiencyMap
) -> None:
    """One sample for all lifetimes, and samples of one each."""
    band = {"color": BLUE, "alpha": 0.25, "lw": 0}
    axis.fill_between(ranged["ctau"], ranged["eff_lo"], ranged["eff_hi"], **band)
    axis.plot(ranged["ctau"], ranged["eff"], color=BLUE, label="one sample, reweighted")
    ends = np.stack([direct["eff"] - direct["eff_lo"], direct["eff_hi"] - direct["eff"]])
    points = {"fmt": "o", "ms": 4, "color": ORANGE, "label": "samples of their own"}
    axis.errorbar(direct["ctau"], direct["eff"], ends, **points)
    axis.set(xscale="log", xlabel=r"$c\tau$ [cm]", ylabel="efficiency", ylim=(0, None))
    axis.set_title("$m_S$ = 1 GeV", fontsize="small")
    axis.legend(frameon=False)


def draw_masses(figure: Figure, axis: Axes, found: samples.EfficiencyMap) -> None:
    """Efficiency by mass and lifetime."""
    shown = found["eff"].reshape(len(MASSES), len(LIFETIMES)).T
    levels = np.linspace(0, 0.7, 15)
    filled = axis.contourf(MASSES, LIFETIMES, shown, levels, cmap="viridis", extend="max")
    axis.set(yscale="log", xlabel="$m_S$ [GeV]", ylabel=r"$c\tau$ [cm]")
    figure.colorbar(filled, ax=axis, label="efficiency")


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "efficiency_map.png")
    with TemporaryDirectory() as name:
        folder = Path(name)
        ranges = [
            produce(folder, mass, (0.01, 100.0), N_EVENTS, seed) for seed, mass in enumerate(MASSES)
        ]
        single = [
            produce(folder, 1.0, ctau, N_DIRECT, 100 + seed) for seed, ctau in enumerate(DIRECT)
        ]
        found = samples.efficiency_map(ranges, SELECTION, ctau=LIFETIMES)
        direct = samples.efficiency_map(single, SELECTION)
    figure = Figure(figsize=(10, 4.2), layout="constrained", dpi=150)
    left, right = figure.subplots(1, 2)
    draw_lifetimes(left, found.where(mass=1.0), direct)
    draw_masses(figure, right, found)
    figure.suptitle(r"$B^+ \to K^+ S$, $S \to \mu^+\mu^-$ displaced by 0.5 mm, Belle II")
    figure.savefig(picture)


if __name__ == "__main__":
    main()
