"""Units and constants of nature: GeV, cm, ns, tesla, rad, elementary charge; cross-sections in fb.

A literal in another unit is written as a product, ``11 * um``; arrays carry no unit objects.
"""

from __future__ import annotations

from typing import Final

MeV: Final = 1e-3
"""GeV"""
um: Final = 1e-4
"""cm"""
mm: Final = 0.1
"""cm"""
mrad: Final = 1e-3
"""rad"""
pb: Final = 1e3
"""fb"""
PERCENT: Final = 0.01
deg: Final = 0.017453292519943295
"""rad"""

C: Final = 29.9792458
"""Speed of light [cm/ns]."""
CURVATURE: Final = 2.99792458e-3
"""omega = charge * CURVATURE * B / pt [GeV / (T cm)]."""
ALPHA_EM: Final = 1 / 137.035999084
"""Fine-structure constant, on shell (CODATA 2018)."""
HBAR_C: Final = 1.973269804e-14
"""Reduced Planck constant times c [GeV cm]."""
HBAR_C2: Final = 3.893793721e11
"""Square of it [GeV^2 fb]."""
FERMI: Final = 1.1663788e-5
"""Fermi constant [GeV^-2] (PDG 2024)."""
HIGGS_VEV: Final = (2**0.5 * FERMI) ** -0.5
"""Vacuum expectation value of the Higgs field [GeV]: 246.2196."""
SIN2_WEAK: Final = 0.23121
"""Square of the sine of the weak mixing angle, MSbar at the mass of the Z (PDG 2024)."""
