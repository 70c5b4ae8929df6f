"""Samples as HDF5 files: their layout, written, read, verified and merged."""

from __future__ import annotations
