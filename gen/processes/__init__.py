"""The processes by their command-line names; others may add theirs by entry points."""

from __future__ import annotations

from importlib.metadata import entry_points

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.gen.processes.annihilation import AnnihilationProcess, VirtualPhotonProcess
from darkbelle.gen.processes.base import EventGenerator, Process
from darkbelle.gen.processes.dark_higgs import DarkHiggsstrahlung, InelasticDarkMatter
from darkbelle.gen.processes.emission import MuMuAlp, MuMuScalar, MuMuZPrime, TauTauScalar
from darkbelle.gen.processes.gun import ParticleGun
from darkbelle.gen.processes.photon import GammaAlp, GammaDarkPhoton
from darkbelle.gen.processes.standard_model import (
    Bhabha,
    EEMuMu,
    GammaGamma,
    MuMu,
    MuMuGamma,
    TauTau,
)

__all__ = [
    "AnnihilationProcess",
    "Bhabha",
    "DarkHiggsstrahlung",
    "EEMuMu",
    "EventGenerator",
    "GammaAlp",
    "GammaDarkPhoton",
    "GammaGamma",
    "InelasticDarkMatter",
    "MuMu",
    "MuMuAlp",
    "MuMuGamma",
    "MuMuScalar",
    "MuMuZPrime",
    "ParticleGun",
    "Process",
    "TauTau",
    "TauTauScalar",
    "VirtualPhotonProcess",
    "find_process",
    "process_names",
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
        MuMu,
        MuMuGamma,
        TauTau,
        GammaGamma,
        EEMuMu,
        Bhabha,
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
        There is none, with the nearest one; or it cannot be loaded.
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
        return process
    raise ConfigError(f"unknown process '{name}', {did_you_mean(name, process_names())}")
