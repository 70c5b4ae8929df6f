"""Samples as fits take them: templates, pyhf workspaces, signal shapes, expected yields."""

from __future__ import annotations
