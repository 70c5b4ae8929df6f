"""Efficiencies: intervals, selections, lifetimes, bins, systematic errors, maps, interpolation."""

from __future__ import annotations
