"""Couplings to widths, branching fractions and lifetimes; each formula with its source."""

from __future__ import annotations

from darkbelle.gen.models.b_to_s import EmittedByB
from darkbelle.gen.models.base import Model, coupling_for_ctau
from darkbelle.gen.models.dark_higgs import DarkHiggs
from darkbelle.gen.models.dark_photon import DarkPhoton
from darkbelle.gen.models.fermion_alp import FermionCoupledAlp
from darkbelle.gen.models.heavy_neutrino import HeavyNeutrino, u2_for_ctau
from darkbelle.gen.models.inelastic import InelasticDarkMatter, epsilon_for_relic_variable
from darkbelle.gen.models.leptonic import LeptonicPseudoscalar, LeptonicScalar
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.models.mixed_scalar import HiggsMixedScalar
from darkbelle.gen.models.photonic import PhotonicAlp
from darkbelle.gen.models.w_alp import WCoupledAlp

__all__ = [
    "DarkHiggs",
    "DarkPhoton",
    "EmittedByB",
    "FermionCoupledAlp",
    "HeavyNeutrino",
    "HiggsMixedScalar",
    "InelasticDarkMatter",
    "LeptonicPseudoscalar",
    "LeptonicScalar",
    "LmuLtau",
    "Model",
    "PhotonicAlp",
    "WCoupledAlp",
    "coupling_for_ctau",
    "epsilon_for_relic_variable",
    "u2_for_ctau",
]
