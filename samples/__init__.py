"""What the analyst gets: HDF5 samples, their production, observables, pictures, the command line.

Its parts are imported when they are first used, so that the command line starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from darkbelle.samples import candidates, engines, flight, kinfit, pictures
    from darkbelle.samples.campaigns import Campaign, Shard, run_campaign
    from darkbelle.samples.efficiency.intervals import Efficiency, trigger_efficiency
    from darkbelle.samples.efficiency.lifetimes import lifetime_weights
    from darkbelle.samples.efficiency.maps import EfficiencyMap
    from darkbelle.samples.efficiency.scanning import efficiency_map
    from darkbelle.samples.external import simulate_file
    from darkbelle.samples.files.integrity import verify
    from darkbelle.samples.files.merging import merge
    from darkbelle.samples.files.reading import Sample, open
    from darkbelle.samples.files.variations import Variation
    from darkbelle.samples.production import Run, produce, write

__all__ = [
    "Campaign",
    "Efficiency",
    "EfficiencyMap",
    "Run",
    "Sample",
    "Shard",
    "Variation",
    "candidates",
    "efficiency_map",
    "engines",
    "flight",
    "kinfit",
    "lifetime_weights",
    "merge",
    "open",
    "pictures",
    "produce",
    "run_campaign",
    "simulate_file",
    "trigger_efficiency",
    "verify",
    "write",
]

_HOMES = {
    "Campaign": "campaigns",
    "Efficiency": "efficiency.intervals",
    "EfficiencyMap": "efficiency.maps",
    "Run": "production",
    "Sample": "files.reading",
    "Shard": "campaigns",
    "Variation": "files.variations",
    "efficiency_map": "efficiency.scanning",
    "lifetime_weights": "efficiency.lifetimes",
    "merge": "files.merging",
    "open": "files.reading",
    "produce": "production",
    "run_campaign": "campaigns",
    "simulate_file": "external",
    "trigger_efficiency": "efficiency.intervals",
    "verify": "files.integrity",
    "write": "production",
}


def __getattr__(name: str) -> object:
    if name in ("candidates", "engines", "flight", "kinfit", "pictures"):
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        msg = f"module '{__name__}' has no attribute '{name}'"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
