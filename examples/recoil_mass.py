"""Draw the recoil mass of the invisible Z' for five masses: the picture of the README.

Usage: python examples/recoil_mass.py [PICTURE.png]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from darkbelle import gen, geometry, samples

COLOURS = {0.5: "#0072B2", 2.0: "#009E73", 4.0: "#E69F00", 6.0: "#D55E00", 8.0: "#CC79A7"}
COUPLING, LUMI = 0.1, 365.0


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "recoil_mass.png")
    experiment = geometry.load("belle2")
    figure = Figure(figsize=(8, 4), layout="constrained", dpi=150)
    axis = figure.subplots()
    bins = np.linspace(-1.0, 10.0, 221)
    with tempfile.TemporaryDirectory() as folder:
        for mass, colour in COLOURS.items():
            process = gen.MuMuZPrime(mass=mass, coupling=COUPLING, decay="invisible")
            path = Path(folder) / f"{mass}.h5"
            samples.produce(samples.Run(process, experiment, seed=1), path, n_events=100_000)
            with samples.open(path) as sample:
                expected = LUMI * sample.cross_section.value / len(sample)
                recoil_mass = sample.events.recoil_mass[sample.events.has_dimuon == 1]
            content, _ = np.histogram(recoil_mass, bins)
            axis.stairs(expected * content, bins, color=colour, label=f"{mass:g} GeV")
    axis.set_yscale("log")
    axis.set_ylim(bottom=0.02)
    axis.set_xlim(bins[0], bins[-1])
    axis.set_xlabel("recoil mass of the muon pair [GeV]")
    axis.set_ylabel(f"events / {1000 * (bins[1] - bins[0]):.0f} MeV")
    axis.set_title(
        rf"$e^+e^- \to \mu^+\mu^- Z'$, $Z' \to$ invisible, $g' = {COUPLING}$, "
        rf"{LUMI:g} fb$^{{-1}}$, Belle II",
        fontsize="medium",
    )
    axis.legend(title="$m_{Z'}$", frameon=False)
    figure.savefig(picture)


if __name__ == "__main__":
    main()
