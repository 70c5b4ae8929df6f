"""Samples of long-lived particles for tests, made without the price of a whole chunk."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from darkbelle import detsim, geometry, samples
from darkbelle.gen.events import TruthEvents
from darkbelle.gen.processes import find_process


@cache
def card(name: str = "belle2") -> geometry.Experiment:
    return geometry.load(name)


def write(
    path: Path,
    name: str,
    parameters: dict[str, Any],
    n: int = 400,
    seed: int = 1,
    experiment: str = "belle2",
) -> tuple[samples.Sample, TruthEvents]:
    """A sample and the truth that it was made of, in full precision."""
    rng, process = np.random.default_rng(seed), find_process(name)(**parameters)
    truth = process.generate(card(experiment).collider, n, rng)
    reco = detsim.simulate(truth, card(experiment), rng=rng)
    samples.write(path, truth, reco, process=process, experiment=card(experiment))
    return samples.open(path), truth
