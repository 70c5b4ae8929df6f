"""Couplings to widths, branching fractions and lifetimes; each formula with its source."""

from __future__ import annotations

from darkbelle.gen.models.base import Model, coupling_for_ctau
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.dark_photon import DarkPhoton
from darkbelle.gen.models.inelastic import InelasticDarkMatter, epsilon_for_relic_variable
from darkbelle.gen.models.leptonic import LeptonicPseudoscalar, LeptonicScalar
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.models.photonic import PhotonicAlp

__all__ = [
    "DarkHiggs",
    "DarkPhoton",
    "InelasticDarkMatter",
    "LeptonicPseudoscalar",
    "LeptonicScalar",
    "LmuLtau",
    "Model",
    "PhotonicAlp",
    "coupling_for_ctau",
    "epsilon_for_relic_variable",
]
