"""Windows of mass in which pairs are taken for known particles [GeV]."""

from __future__ import annotations

from typing import Final

__all__ = ["ETA_WINDOW", "K_SHORT_WINDOW", "K_STAR_WINDOW", "PI0_WINDOW"]

PI0_WINDOW: Final = (0.115, 0.152)
"""Mass of pi0 candidates."""
ETA_WINDOW: Final = (0.50, 0.58)
"""Mass of eta candidates."""
K_SHORT_WINDOW: Final = (0.482, 0.513)
"""Mass of K_S candidates."""
K_STAR_WINDOW: Final = (0.796, 0.996)
"""Mass of K*(892) candidates, which holds about 0.87 of them; publications cut harder."""
