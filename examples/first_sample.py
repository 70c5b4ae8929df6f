"""A first sample: produce a signal, open it, count, and draw a peak.

Usage: python examples/first_sample.py [PICTURE.png]

e+e- -> mu+ mu- Z' with a Z' of 2 GeV that decays to neutrinos, at Belle II.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import awkward as ak
import numpy as np

from darkbelle import gen, geometry, samples

N_EVENTS = 20_000


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "first_sample.png")
    process = gen.MuMuZPrime(mass=2.0, coupling=0.01, decay="invisible")
    run = samples.Run(process, geometry.load("belle2"), seed=1)
    with TemporaryDirectory() as folder:
        samples.produce(run, Path(folder) / "zprime.h5", n_events=N_EVENTS)
        with samples.open(Path(folder) / "zprime.h5") as sample:
            print(f"cross-section: {sample.cross_section.value:.3g} fb")
            print(f"tracks an event: {np.mean(ak.num(sample.tracks)):.2f}")

            has_dimuon = sample.events.has_dimuon == 1
            kept = has_dimuon & sample.fired()
            print(f"two muons, and triggered: {np.mean(kept):.1%} of {len(sample)} events")
            recoil = sample.events.recoil_mass[kept]
            low, high = np.quantile(recoil, (0.16, 0.84))
            print(f"recoil mass: {np.median(recoil):.3f} GeV, width {(high - low) / 2:.3f} GeV")
            samples.pictures.observables(sample).savefig(picture)


if __name__ == "__main__":
    main()
