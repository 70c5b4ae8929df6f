"""Events a second of generation alone, in chunks as `darkbelle produce` makes them, unweighted.

Usage: python benchmarks/generation.py [NAME ...]

And the shares of tried events that unweighting and cuts keep.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from darkbelle import geometry
from darkbelle.gen.processes import Process, find_process
from darkbelle.geometry import Collider
from darkbelle.samples.production import CHUNK_SIZE

N_CHUNKS = 10

JOBS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mumu-zprime", {"mass": 2.0, "decay": "invisible"}),
    ("mumu-zprime", {"mass": 0.22, "decay": "mumu"}),
    ("mumu-zprime", {"mass": 8.0, "decay": "tautau"}),
    ("mumu-scalar", {"mass": 0.5, "decay": "mumu"}),
    ("mumu-alp", {"mass": 2.0, "decay": "mumu"}),
    ("tautau-scalar", {"mass": 1.0, "decay": "ee"}),
    ("dark-higgsstrahlung", {"m_ap": 2.0, "m_hp": 1.0, "decay": "mumu"}),
    ("inelastic-dark-matter", {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5}),
    ("gamma-alp", {"mass": 1.0}),
    ("gamma-darkphoton", {"mass": 1.0}),
    ("gamma-darkphoton", {"mass": 1.0, "decay": "mumu"}),
    ("mumu", {}),
    ("mumu-gamma", {}),
    ("tautau", {}),
    ("gammagamma", {}),
    ("ee-mumu", {}),
    ("bhabha", {}),
    ("particle-gun", {"p": (0.5, 2.0), "theta": (0.3, 2.6)}),
)


def describe(process: Process, collider: Collider) -> str:
    """Time, rate and efficiencies of one process."""
    rng = np.random.default_rng(1)
    start = time.process_time()
    generator = process.prepare(collider, rng)
    prepared = time.process_time() - start
    generator.generate(CHUNK_SIZE, rng)
    start = time.process_time()
    for _ in range(N_CHUNKS):
        generator.generate(CHUNK_SIZE, rng)
    spent = (time.process_time() - start) / (N_CHUNKS * CHUNK_SIZE)
    kept = ", ".join(f"{step} {share:.3f}" for step, share in generator.efficiencies.items())
    return f"{1 / spent:10,.0f} {1e6 * spent:7.2f} {prepared:8.2f}  {kept}"


def main() -> None:
    """Print the table, of some processes or of all."""
    chosen = set(sys.argv[1:])
    collider = geometry.load("belle2").collider
    print(f"{'':64} {'events/s':>10} {'us each':>7} {'ready, s':>8}  kept")
    for name, parameters in JOBS:
        if not chosen or name in chosen:
            what = " ".join([name, *(f"{key}={value}" for key, value in parameters.items())])
            print(f"{what:64} {describe(find_process(name)(**parameters), collider)}")


if __name__ == "__main__":
    main()
