"""Change the detector: a card that differs from another, and what that does to a peak.

Usage: python examples/changing_a_card.py [PICTURE.png]

e+e- -> mu+ mu- Z' at Belle II as it is; as a card of our own that lists what differs; and with one
value of its card overridden, which the command line does by --set.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure

from darkbelle import gen, geometry, samples

CARD = """
extends = "belle2"
remove = ["silicon.pxd1", "silicon.pxd2"]

name = "belle2-weaker"
description = "Belle II without PXD, in a field of 1.2 T"

[solenoid]
source = "invented, for an example"
trust = "estimate"
variation = { field_t = 1.5 }
field_t = 1.2
"""
SMEARING = "tracking.momentum_smearing.pt_coefficient_per_gev=0.002"
N_EVENTS = 20_000
BINS = np.linspace(2.4, 3.6, 61)
COLOURS = ("#000000", "#0072B2", "#D55E00")


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "changing_a_card.png")
    process = gen.MuMuZPrime(mass=3.0, coupling=0.01, decay="invisible")
    figure = Figure(figsize=(8, 4), layout="constrained", dpi=150)
    axis = figure.subplots()
    with TemporaryDirectory() as folder:
        card = Path(folder) / "weaker.toml"
        card.write_text(CARD)
        experiments = {
            "Belle II": geometry.load("belle2"),
            "no PXD, 1.2 T": geometry.load(card),
            "worse alignment": geometry.load("belle2", [SMEARING]),
        }
        for (label, experiment), colour in zip(experiments.items(), COLOURS, strict=True):
            path = Path(folder) / "sample.h5"
            samples.produce(
                samples.Run(process, experiment, seed=1), path, n_events=N_EVENTS, force=True
            )
            with samples.open(path) as sample:
                recoil = sample.events.recoil_mass[sample.events.has_dimuon == 1]
            peak = recoil[(recoil > BINS[0]) & (recoil < BINS[-1])]
            low, high = np.quantile(peak, (0.16, 0.84))
            told = f"{label}: {500 * (high - low):.0f} MeV"
            print(told)
            axis.hist(recoil, BINS, histtype="step", color=colour, label=told)
    axis.set(xlabel="recoil mass [GeV]", ylabel=f"events / {1000 * np.diff(BINS)[0]:.0f} MeV")
    axis.set_xlim(BINS[0], BINS[-1])
    axis.legend(frameon=False)
    figure.savefig(picture)


if __name__ == "__main__":
    main()
