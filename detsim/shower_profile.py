"""How the energy of electromagnetic showers is spread along their way through the crystals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from darkbelle.geometry import Calorimeter
from darkbelle.geometry.calorimeter import Showers
from darkbelle.units import MeV

__all__ = ["BY_ELECTRON", "BY_PHOTON", "contained_share", "profile_shape"]

FloatArray = npt.NDArray[np.float64]

BY_ELECTRON, BY_PHOTON = -0.5, 0.5
"""How much deeper the maximum of a shower is for what begins it, PDG 2024, Eq. 34.37."""


def profile_shape(energy: FloatArray, start: FloatArray | float, look: Showers) -> FloatArray:
    """Shape a of the gamma distribution of the depth in X0: PDG 2024, Eqs. 34.36 and 34.37."""
    y = np.maximum(energy / (look.critical_energy_mev * MeV), 1.0)
    shape: FloatArray = 1 + look.scale * np.maximum(np.log(y) + start, 0.0)
    return shape


def contained_share(shape: FloatArray, left_x0: FloatArray, ecl: Calorimeter) -> FloatArray:
    """Share of their energy that showers leave on a length, in units of what the depth keeps."""
    scale = ecl.showers.scale
    share: FloatArray = gammainc(shape, scale * left_x0) / gammainc(shape, scale * ecl.depth_x0)
    return np.minimum(share, 1.0)
