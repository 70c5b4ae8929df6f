"""The systematic variations of some events as columns ready for a file."""

from __future__ import annotations

from collections.abc import Collection as Names
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim import RecoEvents
from darkbelle.detsim.shifts import changed_by, shifts
from darkbelle.geometry import Experiment
from darkbelle.geometry.systematics import SystematicError, WeightError, directions
from darkbelle.records import Column
from darkbelle.samples.files.tables import Collection, collection, described_by, measured, observed
from darkbelle.samples.files.variations import VARIATIONS, WEIGHTS
from darkbelle.samples.observables import ObservableSet

__all__ = ["tabulate_variations"]

Array = npt.NDArray[np.generic]


def tabulate_variations(
    reco: RecoEvents, *, experiment: Experiment, observables: tuple[ObservableSet, ...]
) -> dict[str, Collection]:
    """Weights and shifted responses of the systematic errors that the events carry."""
    tables = _weights(reco, experiment)
    for variation, name, shifted in shifts(reco, experiment):
        error = experiment.systematics[name]
        columns = described_by(observables)
        varied = {
            "events": collection(columns, observed(observables, shifted, experiment)),
            **measured(shifted, experiment),
        }
        changed = {"events": tuple(columns), **changed_by(error)}
        tables |= {
            f"{VARIATIONS}/{variation}/{table}": _only(names, varied[table], name, error)
            for table, names in changed.items()
            if names
        }
    return tables


def _weights(reco: RecoEvents, experiment: Experiment) -> dict[str, Collection]:
    columns: dict[str, Column] = {}
    arrays: dict[str, Array] = {}
    for name in reco.systematics:
        error = experiment.systematics[name]
        if isinstance(error, WeightError):
            for variation, _ in directions(name):
                meaning = Column("factor of the event weight", "1", "f4")
                columns[variation] = _attributed(meaning, name, error)
                arrays[variation] = reco.weights[variation]
    return {WEIGHTS: collection(columns, arrays)} if columns else {}


def _only(
    names: Names[str], table: Collection, systematic: str, error: SystematicError
) -> Collection:
    """Some columns of a table, as those of a systematic error."""
    return Collection(
        {name: _attributed(table.columns[name], systematic, error) for name in names},
        {name: table.arrays[name] for name in names},
        table.counts,
    )


def _attributed(column: Column, systematic: str, error: SystematicError) -> Column:
    return replace(column, systematic=systematic, source=error.source, correlated=error.correlated)
