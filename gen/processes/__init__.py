"""The processes by their command-line names; others may add theirs by entry points.

Whoever writes one finds what it is made of here: base classes, `parameter`, and the states and
modes of its final state. Hard processes are in `darkbelle.gen.production`.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.gen.decays.tree import Decay, Mode, State
from darkbelle.gen.phasespace import in_phase_space
from darkbelle.gen.processes.annihilation import AnnihilationProcess, CTau, VirtualPhotonProcess
from darkbelle.gen.processes.b_meson import BToKAlp, BToKScalar
from darkbelle.gen.processes.base import EventGenerator, Lifetime, Process, Source, parameter
from darkbelle.gen.processes.chain import DecayChain
from darkbelle.gen.processes.cuts import Frame, GeneratorCuts
from darkbelle.gen.processes.dark_higgs import DarkHiggsstrahlung, InelasticDarkMatter
from darkbelle.gen.processes.emission import (
    MuMuAlp,
    MuMuScalar,
    MuMuZPrime,
    TauTauScalar,
    warn_if_broad,
)
from darkbelle.gen.processes.external import ExternalEvents
from darkbelle.gen.processes.gun import ParticleGun
from darkbelle.gen.processes.modes import (
    chosen,
    decaying,
    leptons,
    of_lmu_ltau,
    photons,
    with_lepton_pair,
)
from darkbelle.gen.processes.photon import GammaAlp, GammaDarkPhoton
from darkbelle.gen.processes.pythia import PythiaEvents
from darkbelle.gen.processes.standard_model import (
    Bhabha,
    EEMuMu,
    GammaGamma,
    MuMu,
    MuMuGamma,
)
from darkbelle.gen.processes.tau import TauTau, TauToLAlpha, TauToPiHnl
from darkbelle.gen.production.base import Correlation, HardEvents, HardProcess
from darkbelle.gen.radiation import ChargedPair

__all__ = [
    "AnnihilationProcess",
    "BToKAlp",
    "BToKScalar",
    "Bhabha",
    "CTau",
    "ChargedPair",
    "Correlation",
    "DarkHiggsstrahlung",
    "Decay",
    "DecayChain",
    "EEMuMu",
    "EventGenerator",
    "ExternalEvents",
    "Frame",
    "GammaAlp",
    "GammaDarkPhoton",
    "GammaGamma",
    "GeneratorCuts",
    "HardEvents",
    "HardProcess",
    "InelasticDarkMatter",
    "Lifetime",
    "Mode",
    "MuMu",
    "MuMuAlp",
    "MuMuGamma",
    "MuMuScalar",
    "MuMuZPrime",
    "ParticleGun",
    "Process",
    "PythiaEvents",
    "Source",
    "State",
    "TauTau",
    "TauTauScalar",
    "TauToLAlpha",
    "TauToPiHnl",
    "VirtualPhotonProcess",
    "chosen",
    "decaying",
    "find_process",
    "find_source",
    "in_phase_space",
    "leptons",
    "of_lmu_ltau",
    "parameter",
    "photons",
    "process_names",
    "warn_if_broad",
    "with_lepton_pair",
]

ENTRY_POINTS = "darkbelle.processes"
_BUILT_IN: dict[str, type[Process]] = {
    process.name: process
    for process in (
        MuMuZPrime,
        MuMuScalar,
        MuMuAlp,
        TauTauScalar,
        DarkHiggsstrahlung,
        InelasticDarkMatter,
        GammaAlp,
        GammaDarkPhoton,
        BToKAlp,
        BToKScalar,
        DecayChain,
        MuMu,
        MuMuGamma,
        TauTau,
        TauToLAlpha,
        TauToPiHnl,
        GammaGamma,
        EEMuMu,
        Bhabha,
        PythiaEvents,
        ParticleGun,
    )
}


def process_names() -> list[str]:
    """Names of the processes of this package and of those that others registered."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINTS))})


def find_process(name: str) -> type[Process]:
    """The class behind a command-line name; one's own processes are entry points of that name.

    Raises
    ------
    ConfigError
        There is none, with the nearest one; or it cannot be loaded or described.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            process = point.load()
        except Exception as error:
            raise ConfigError(f"process '{name}' ({point.value}) fails to load: {error}") from error
        if not (isinstance(process, type) and issubclass(process, Process)):
            raise ConfigError(f"process '{name}' ({point.value}) is no darkbelle Process")
        process.check_description()
        return process
    told = did_you_mean(name, process_names(), "darkbelle processes")
    raise ConfigError(f"unknown process '{name}', {told}")


def find_source(name: str) -> type[Source]:
    """What samples say they come from: a process, cf. `find_process`, or another generator."""
    return ExternalEvents if name == ExternalEvents.name else find_process(name)
