"""Fast detector simulation and signal generator for dark-sector searches at Belle and Belle II."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
