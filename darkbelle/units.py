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
HIGGS_VEV: Final = 246.21965
"""Vacuum expectation value of the Higgs field, (sqrt2 G_F)^(-1/2) [GeV] (PDG 2024)."""
