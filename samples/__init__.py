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
    from darkbelle.samples.exporting import export, from_edm4hep, to_edm4hep
    from darkbelle.samples.external import simulate_file
    from darkbelle.samples.files.integrity import verify
    from darkbelle.samples.files.merging import merge
    from darkbelle.samples.files.reading import Sample, open
    from darkbelle.samples.files.variations import Variation
    from darkbelle.samples.fits.limits import expected_limits
    from darkbelle.samples.fits.shapes import ShapeTable, fit_shapes
    from darkbelle.samples.fits.templates import Template, templates
    from darkbelle.samples.fits.workspace import Channel, workspace
    from darkbelle.samples.fits.yields import Yield, expected_yield
    from darkbelle.samples.production import Run, produce, write

__all__ = [
    "Campaign",
    "Channel",
    "Efficiency",
    "EfficiencyMap",
    "Run",
    "Sample",
    "ShapeTable",
    "Shard",
    "Template",
    "Variation",
    "Yield",
    "candidates",
    "efficiency_map",
    "engines",
    "expected_limits",
    "expected_yield",
    "export",
    "fit_shapes",
    "flight",
    "from_edm4hep",
    "kinfit",
    "lifetime_weights",
    "merge",
    "open",
    "pictures",
    "produce",
    "run_campaign",
    "simulate_file",
    "templates",
    "to_edm4hep",
    "trigger_efficiency",
    "verify",
    "workspace",
    "write",
]

_HOMES = {
    "Campaign": "campaigns",
    "Channel": "fits.workspace",
    "Efficiency": "efficiency.intervals",
    "EfficiencyMap": "efficiency.maps",
    "Run": "production",
    "Sample": "files.reading",
    "ShapeTable": "fits.shapes",
    "Shard": "campaigns",
    "Template": "fits.templates",
    "Variation": "files.variations",
    "Yield": "fits.yields",
    "efficiency_map": "efficiency.scanning",
    "expected_limits": "fits.limits",
    "expected_yield": "fits.yields",
    "export": "exporting",
    "fit_shapes": "fits.shapes",
    "from_edm4hep": "exporting",
    "lifetime_weights": "efficiency.lifetimes",
    "merge": "files.merging",
    "open": "files.reading",
    "produce": "production",
    "run_campaign": "campaigns",
    "simulate_file": "external",
    "templates": "fits.templates",
    "to_edm4hep": "exporting",
    "trigger_efficiency": "efficiency.intervals",
    "verify": "files.integrity",
    "workspace": "fits.workspace",
    "write": "production",
}


def __getattr__(name: str) -> object:
    if name in ("candidates", "engines", "flight", "kinfit", "pictures"):
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        msg = f"module '{__name__}' has no attribute '{name}'"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
