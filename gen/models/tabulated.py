"""Tables that come with the package, and channels interpolated between their points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

__all__ = ["Opening", "TabulatedChannel", "columns"]

FloatArray = npt.NDArray[np.float64]

_TABLES = resources.files("darkbelle.gen.models") / "tables"


@cache
def columns(name: str) -> dict[str, FloatArray]:
    """Columns of a table by their names."""
    text = (_TABLES / f"{name}.csv").read_text(encoding="utf-8")
    header, *rows = (line for line in text.splitlines() if not line.startswith("#"))
    values = np.array([row.split(",") for row in rows], dtype=np.float64)
    values.setflags(write=False)
    return dict(zip(header.split(","), values.T, strict=True))


@dataclass(frozen=True, slots=True)
class Opening:
    """How a channel grows: m^rise (1 - threshold^2/m^2)^power, nothing below the threshold [GeV].

    Two particles with orbital momentum L have the power L + 1/2.
    """

    threshold: float
    power: float
    rise: float = 0.0

    def __call__(self, mass: FloatArray) -> FloatArray:
        """Growth at masses [GeV]."""
        ratio = self.threshold / np.maximum(mass, self.threshold)
        growth: FloatArray = ((1 - ratio) * (1 + ratio)) ** self.power * mass**self.rise
        return growth


@dataclass(frozen=True, slots=True)
class TabulatedChannel:
    """A table relative to its opening, so that thresholds are met and never overstepped.

    The logarithm of that ratio is interpolated by a monotone cubic in the logarithm of the mass
    (Fritsch, Carlson, SIAM J. Numer. Anal. 17 (1980) 238); beyond the table the ratio is constant.
    """

    opening: Opening
    lightest: float
    heaviest: float
    log_ratio: PchipInterpolator

    @classmethod
    def of(cls, opening: Opening, mass: FloatArray, value: FloatArray) -> TabulatedChannel:
        """Through the points with a value above zero; those at or below the threshold are left."""
        is_open = (value > 0) & (mass > opening.threshold)
        mass = mass[is_open]
        log_ratio = np.log(value[is_open] / opening(mass))
        curve = PchipInterpolator(np.log(mass), log_ratio)
        return cls(opening, float(mass[0]), float(mass[-1]), curve)

    def __call__(self, mass: FloatArray) -> FloatArray:
        """Value at masses [GeV], any shape."""
        within = np.clip(mass, self.lightest, self.heaviest)
        value: FloatArray = self.opening(mass) * np.exp(self.log_ratio(np.log(within)))
        return value
