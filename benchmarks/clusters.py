"""Photons a second on one core: calorimeter alone, and the whole detector with what they become.

Usage: python benchmarks/clusters.py

Isotropic photons of 0.05 to 5 GeV from the beams, one an event or ten.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from darkbelle import detsim, geometry
from darkbelle.detsim.calorimeter import measure_clusters
from darkbelle.detsim.interactions import interact
from darkbelle.gen import TruthEvents
from darkbelle.gen.events import Origin, Slot, Status, assemble
from darkbelle.gen.particles import PHOTON

N_PHOTONS, N_RUNS = 262_144, 3


def photons(n_each: int, rng: np.random.Generator) -> TruthEvents:
    """Events of some photons each."""
    n_events = N_PHOTONS // n_each
    nowhere = np.zeros((4, n_events))
    slots = []
    for _ in range(n_each):
        energy, cosine = rng.uniform(0.05, 5, n_events), rng.uniform(-1, 1, n_events)
        phi, sine = rng.uniform(-np.pi, np.pi, n_events), np.sqrt(1 - cosine**2)
        momentum = energy * np.stack(
            [np.ones(n_events), sine * np.cos(phi), sine * np.sin(phi), cosine]
        )
        slots.append(Slot(PHOTON, Status.FINAL, Origin.GUN, 0.0, momentum, nowhere))
    return assemble(slots, np.ones(n_events), nowhere, None)


def rate(job: Callable[[], object]) -> float:
    """Photons a second in the best of some runs, by the processor's time."""
    seconds = []
    for _ in range(N_RUNS):
        begin = time.process_time()
        job()
        seconds.append(time.process_time() - begin)
    return N_PHOTONS / min(seconds)


def main() -> None:
    experiment, rng = geometry.load("belle2"), np.random.default_rng(1)
    for n_each in (1, 10):
        truth = photons(n_each, rng)
        flights = interact(truth, experiment, rng)
        arrivals, after, ecl = flights.arrivals, flights.truth, experiment.calorimeter
        alone = rate(lambda: measure_clusters(arrivals, arrivals.pdg_id, after, ecl, rng))  # noqa: B023
        whole = rate(lambda: detsim.simulate(truth, experiment, rng=rng))  # noqa: B023
        print(f"{n_each:2} an event: calorimeter {alone:9,.0f}/s, detector {whole:9,.0f}/s")


if __name__ == "__main__":
    main()
