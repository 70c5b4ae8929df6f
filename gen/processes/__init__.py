"""The processes by their command-line names; others may add theirs by entry points."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.gen.processes.base import EventGenerator, Process
from darkbelle.gen.processes.gun import ParticleGun
from darkbelle.gen.processes.zprime import MuMuZPrime

__all__ = [
    "EventGenerator",
    "MuMuZPrime",
    "ParticleGun",
    "Process",
    "create_process",
    "find_process",
    "registered_processes",
]

ENTRY_POINTS = "darkbelle.processes"


def registered_processes() -> dict[str, type[Process]]:
    """All processes by name: those of this package, then those of the entry-point group."""
    processes: dict[str, type[Process]] = {p.name: p for p in (MuMuZPrime, ParticleGun)}
    for point in entry_points(group=ENTRY_POINTS):
        process = point.load()
        processes.setdefault(process.name, process)
    return processes


def find_process(name: str) -> type[Process]:
    """The class behind a command-line name; ConfigError names the nearest one."""
    processes = registered_processes()
    if name not in processes:
        raise ConfigError(f"unknown process '{name}', {did_you_mean(name, processes)}")
    return processes[name]


def create_process(name: str, parameters: dict[str, Any]) -> Process:
    """A process from its name and parameters, numbers also as strings."""
    return find_process(name)(**parameters)
