"""What the analyst gets: HDF5 samples, their production, observables, pictures, the command line.

Its parts are imported when they are first used, so that the command line starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from darkbelle.samples import candidates, engines, flight, kinfit
    from darkbelle.samples.campaigns import Campaign, Shard, run_campaign
    from darkbelle.samples.efficiency import Efficiency, trigger_efficiency
    from darkbelle.samples.integrity import verify
    from darkbelle.samples.lifetimes import lifetime_weights
    from darkbelle.samples.maps import EfficiencyMap
    from darkbelle.samples.merging import merge
    from darkbelle.samples.production import Run, produce, write
    from darkbelle.samples.reading import Sample, open
    from darkbelle.samples.scanning import efficiency_map
    from darkbelle.samples.variations import Variation

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
    "produce",
    "run_campaign",
    "trigger_efficiency",
    "verify",
    "write",
]

_HOMES = {
    "Campaign": "campaigns",
    "Efficiency": "efficiency",
    "EfficiencyMap": "maps",
    "Run": "production",
    "Sample": "reading",
    "Shard": "campaigns",
    "Variation": "variations",
    "efficiency_map": "scanning",
    "lifetime_weights": "lifetimes",
    "merge": "merging",
    "open": "reading",
    "produce": "production",
    "run_campaign": "campaigns",
    "trigger_efficiency": "efficiency",
    "verify": "integrity",
    "write": "production",
}


def __getattr__(name: str) -> object:
    if name in ("candidates", "engines", "flight", "kinfit"):
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        msg = f"module '{__name__}' has no attribute '{name}'"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
