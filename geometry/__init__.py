"""What the experiment is: a card (TOML) becomes a typed, validated Experiment."""

from __future__ import annotations

from darkbelle.geometry.calorimeter import Calorimeter
from darkbelle.geometry.card import Experiment
from darkbelle.geometry.collider import Collider
from darkbelle.geometry.layers import Surface, all_surfaces, tracking_surfaces
from darkbelle.geometry.loading import load, names
from darkbelle.geometry.sourced import Trust

__all__ = [
    "Calorimeter",
    "Collider",
    "Experiment",
    "Surface",
    "Trust",
    "all_surfaces",
    "load",
    "names",
    "tracking_surfaces",
]
