"""e+e- -> l+ l- and a dark boson that one of the leptons radiates."""

from __future__ import annotations

import logging
import math
from typing import Annotated, ClassVar, Literal

from darkbelle.gen.decays.tree import ChargedPair, Decay, Mode, State
from darkbelle.gen.models.leptonic import LeptonicPseudoscalar, LeptonicScalar
from darkbelle.gen.models.lmu_ltau import LmuLtau
from darkbelle.gen.particles import (
    ALP,
    CHI1,
    MASS_MU,
    MASS_TAU,
    MUON,
    NU_MU,
    NU_TAU,
    SCALAR,
    TAU,
    Z_PRIME,
)
from darkbelle.gen.processes.annihilation import (
    AnnihilationProcess,
    CTau,
    VacuumPolarisation,
)
from darkbelle.gen.processes.base import parameter
from darkbelle.gen.processes.modes import Modes, chosen, leptons, photons
from darkbelle.gen.production import emission
from darkbelle.gen.production.base import HardProcess
from darkbelle.gen.radiation import (
    FERMIONS_FROM_PSEUDOSCALAR,
    FERMIONS_FROM_SCALAR,
    FERMIONS_FROM_VECTOR,
)

__all__ = ["MuMuAlp", "MuMuScalar", "MuMuZPrime", "TauTauScalar"]

_log = logging.getLogger(__name__)

PERTURBATIVE = math.sqrt(4 * math.pi)
NARROW = 0.01
"""Width over mass above which a fixed mass distorts the recoil-mass peak."""
LIGHTEST = 1e-4
"""GeV; the mass of a lighter boson would drown in the rounding of its four-momentum."""

Mass = Annotated[float, parameter("mass of the boson", unit="GeV", ge=LIGHTEST)]


class _Emission(AnnihilationProcess):
    """A boson radiated by one of two leptons, narrow-width."""

    mass: Mass
    ctau: CTau = None
    vacuum_polarisation: VacuumPolarisation = False
