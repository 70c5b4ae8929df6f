"""What every model offers, and the way back from a lifetime to a coupling."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.units import HBAR_C

__all__ = ["Model", "coupling_for_ctau"]


class Model(ABC):
    """A state that decays: its mass and couplings, and what follows from them."""

    __slots__ = ()

    @abstractmethod
    def widths(self) -> dict[str, float]:
        """Partial widths [GeV] by mode: always the same modes, zero for those that are closed."""

    @property
    def width(self) -> float:
        """Total width [GeV]."""
        return sum(self.widths().values())

    @property
    def ctau(self) -> float:
        """Mean proper decay length [cm], infinite where every mode is closed."""
        width = self.width
        return HBAR_C / width if width > 0 else math.inf

    def branching_fraction(self, *modes: str) -> float:
        """Sum of the branching fractions of some modes, zero where every mode is closed.

        Raises
        ------
        ConfigError
            There is no such mode.
        """
        widths = self.widths()
        for mode in modes:
            if mode not in widths:
                raise ConfigError(f"unknown mode '{mode}', {did_you_mean(mode, widths)}")
        total = sum(widths.values())
        return sum(widths[mode] for mode in modes) / total if total > 0 else 0.0


def coupling_for_ctau(model_at: Callable[[float], Model], ctau: float) -> float:
    """Coupling at which the mean proper decay length is ``ctau`` [cm].

    ``model_at`` takes the coupling. Each partial width has to scale with the square of that
    coupling or not to depend on it, as is so for all couplings of all models but two: widths are
    linear in `alpha_d`, and the fourth power of `epsilon` stands in `DarkHiggs`.

    Raises
    ------
    ConfigError
        The decay length is not positive; or no coupling gives this lifetime: other couplings
        alone decay faster, or every mode is closed.
    """
    if not 0 < ctau < math.inf:
        raise ConfigError(f"ctau must be positive and finite (got {ctau} cm)")
    others, at_one = model_at(0.0).widths(), model_at(1.0).widths()
    per_square = sum(at_one[mode] - others[mode] for mode in at_one)
    missing = HBAR_C / ctau - sum(others.values())
    if per_square <= 0 or missing <= 0:
        raise ConfigError(
            f"no coupling of {model_at(1.0)} gives ctau = {ctau} cm: without it, "
            f"ctau = {model_at(0.0).ctau:.5g} cm, and it adds {per_square:.5g} GeV to the width"
        )
    return math.sqrt(missing / per_square)
