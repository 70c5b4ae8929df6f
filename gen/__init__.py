"""What the collision makes: a process and the colliding beams become true particles."""

from __future__ import annotations

from darkbelle.gen.events import CrossSection, Origin, Outcome, Particles, Status, TruthEvents
from darkbelle.gen.processes import (
    Bhabha,
    DarkHiggsstrahlung,
    EEMuMu,
    GammaAlp,
    GammaDarkPhoton,
    GammaGamma,
    GeneratorCuts,
    InelasticDarkMatter,
    MuMu,
    MuMuAlp,
    MuMuGamma,
    MuMuScalar,
    MuMuZPrime,
    ParticleGun,
    Process,
    TauTau,
    TauTauScalar,
    find_process,
    process_names,
)

__all__ = [
    "Bhabha",
    "CrossSection",
    "DarkHiggsstrahlung",
    "EEMuMu",
    "GammaAlp",
    "GammaDarkPhoton",
    "GammaGamma",
    "GeneratorCuts",
    "InelasticDarkMatter",
    "MuMu",
    "MuMuAlp",
    "MuMuGamma",
    "MuMuScalar",
    "MuMuZPrime",
    "Origin",
    "Outcome",
    "ParticleGun",
    "Particles",
    "Process",
    "Status",
    "TauTau",
    "TauTauScalar",
    "TruthEvents",
    "find_process",
    "process_names",
]
