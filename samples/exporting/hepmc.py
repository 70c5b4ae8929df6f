"""What the generator made of a sample, as HepMC3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from darkbelle.gen.external.hepmc_writing import EventBlock, write_events
from darkbelle.samples.files.reading import Sample
from darkbelle.samples.files.reconstructed import blocks_of_events, truth_events
from darkbelle.samples.files.variations import VariationKind

__all__ = ["write_hepmc"]


def write_hepmc(path: Path, sample: Sample) -> None:
    """Particles of the generator, with the nominal weight and those of the variations."""
    varied = {
        name: sample.varied(name)
        for name, variation in sample.variations.items()
        if variation.kind is VariationKind.WEIGHT
    }

    def blocks() -> Iterator[EventBlock]:
        for events in blocks_of_events(sample):
            weights = [one.rows("events", "weight", events) for one in (sample, *varied.values())]
            number = sample.rows("events", "event_id", events)
            yield EventBlock(truth_events(sample, events), np.stack(weights, axis=1), number)

    process, version = str(sample.attributes["process"]), str(sample.attributes["version"])
    tool = "darkbelle", version, f"{process} {json.dumps(sample.parameters)}"
    write_events(path, blocks(), weight_names=("nominal", *varied), tools=[tool])
