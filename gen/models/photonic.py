"""An axion-like particle that couples to photons: L = -(g/4) a F Ftilde.

Dolan, Ferber, Hearty, Kahlhoefer, Schmidt-Hoberg, arXiv:1709.00009. A scalar with
-(g/4) S F F lives equally long.
"""

from __future__ import annotations

from dataclasses import dataclass

from darkbelle.gen.models.base import Model
from darkbelle.gen.models.two_body import to_photons

__all__ = ["PhotonicAlp"]


@dataclass(frozen=True, slots=True)
class PhotonicAlp(Model):
    """Mass [GeV] and coupling g [1/GeV]."""

    mass: float
    coupling: float

    def widths(self) -> dict[str, float]:
        """Partial widths [GeV]: gammagamma."""
        return {"gammagamma": to_photons(self.coupling, self.mass)}
