"""What a campaign will cost, from a few of its points made and thrown away."""

from __future__ import annotations
