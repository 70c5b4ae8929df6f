"""What the experiment is: a card (TOML) becomes a typed, validated Experiment."""

from __future__ import annotations

from darkbelle.geometry.card import Collider, Experiment, Trust
from darkbelle.geometry.layers import Surface, tracking_surfaces
from darkbelle.geometry.loading import load, names

__all__ = ["Collider", "Experiment", "Surface", "Trust", "load", "names", "tracking_surfaces"]
