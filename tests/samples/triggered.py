"""A sample with decisions of the trigger that are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from darkbelle import gen, geometry, samples
from darkbelle.detsim import TriggerTable, simulate
from darkbelle.geometry import Experiment
from darkbelle.samples.files.reading import Sample

FIRING = {"ffo": 10, "fff": 10, "cdcklm1": 1, "hie": 1, "bf": 0}
"""Lines of level one that fire at all, and their prescales."""


@dataclass(frozen=True)
class Triggered:
    """The sample, what was written, and the columns of lines by their names."""

    path: Path
    experiment: Experiment
    decisions: TriggerTable
    weight: npt.NDArray[np.float64]

    @property
    def sample(self) -> Sample:
        return samples.open(self.path)

    def l1(self, name: str) -> npt.NDArray[np.bool_]:
        return self.decisions.l1[:, self.experiment.trigger.l1.line_names.index(name)]

    def kept(self, name: str) -> npt.NDArray[np.bool_]:
        return self.decisions.l1_prescaled[:, self.experiment.trigger.l1.line_names.index(name)]


def produce(path: Path) -> Triggered:
    """Weighted events; random decisions of some lines, prescaled as the card says."""
    rng, n_events = np.random.default_rng(5), 400
    ratios = {**FIRING, "c4": 1, "ffb": 0}
    changes = [f"trigger.l1.prescales.ratios.{name}={ratio}" for name, ratio in ratios.items()]
    experiment = geometry.load("belle2", changes)
    process = gen.MuMuZPrime(mass=2.0)
    truth = process.generate(experiment.collider, n_events, rng=rng)
    weight = rng.uniform(0.5, 2.0, n_events)
    truth = replace(truth, weight=weight)
    menus = experiment.trigger
    prescales = np.array(menus.l1.ratios)
    l1 = np.zeros((n_events, len(prescales)), bool)
    for name in FIRING:
        l1[:, menus.l1.line_names.index(name)] = rng.random(n_events) < 0.4
    l1_prescaled = l1 & (prescales > 0) & (rng.random(l1.shape) * prescales < 1)
    kept = l1_prescaled.any(axis=1, keepdims=True)
    hlt = kept & (rng.random((n_events, len(menus.hlt.lines))) < 0.7)
    physics = l1_prescaled[:, prescales == 1].any(axis=1) & hlt.any(axis=1)
    decisions = TriggerTable(l1, l1_prescaled, hlt, physics)
    reco = replace(simulate(truth, experiment, rng=rng), trigger=decisions)
    samples.write(path, truth, reco, process=process, experiment=experiment)
    return Triggered(path, experiment, decisions, weight)
