"""Events a second of every process, generated alone, with cross-section and efficiency.

Usage: python benchmarks/generation.py [NAME...]

The fastest of some batches of 8192 events on one core, radiation included, without a detector.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from darkbelle import gen, geometry
from darkbelle.gen.processes import EventGenerator

BATCH, N_BATCHES = 8192, 8
PARAMETERS: dict[str, dict[str, Any]] = {
    "mumu-zprime": {"mass": 2.0},
    "mumu-scalar": {"mass": 1.0},
    "mumu-alp": {"mass": 1.0},
    "tautau-scalar": {"mass": 1.0},
    "dark-higgsstrahlung": {"m_ap": 2.0, "m_hp": 0.5},
    "inelastic-dark-matter": {"m_ap": 3.0, "m_chi1": 1.0, "delta": 0.4, "m_hp": 0.5},
    "gamma-alp": {"mass": 1.0},
    "gamma-darkphoton": {"mass": 1.0},
    "b-to-k-alp": {"mass": 1.0},
    "b-to-k-scalar": {"mass": 1.0, "kaon": "K*0"},
    "tau-to-l-alpha": {"mass": 1.0},
    "tau-to-pi-hnl": {"mass": 1.0},
    "decay-chain": {"chain": "examples/chains/dstar.toml"},
}
"""What processes need besides their defaults."""
NOT_OF_COLLISIONS = "particle-gun"


def seconds_an_event(generator: EventGenerator) -> float:
    rng = np.random.default_rng(2)
    times = []
    for _ in range(N_BATCHES):
        start = time.perf_counter()
        generator.generate(BATCH, rng)
        times.append(time.perf_counter() - start)
    return min(times) / BATCH


def main() -> None:
    collider = geometry.load("belle2").collider
    names = sys.argv[1:] or [name for name in gen.process_names() if name != NOT_OF_COLLISIONS]
    print(f"{'':<24}{'events/s':>10}{'unweighting':>13}   cross-section [fb]")
    for name in names:
        process = gen.find_process(name)(**PARAMETERS.get(name, {}))
        generator = process.prepare(collider, np.random.default_rng(1))
        rate, share = 1 / seconds_an_event(generator), generator.efficiencies["unweighting"]
        total = generator.cross_section
        assert total is not None
        print(f"{name:<24}{rate:>10,.0f}{share:>13.2f}   {total.value:.5g} +- {total.error:.1g}")


if __name__ == "__main__":
    main()
