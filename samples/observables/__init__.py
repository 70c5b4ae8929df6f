"""Event-level observables of the published searches, in sets that processes name."""

from __future__ import annotations

from typing import Final

from darkbelle.errors import ConfigError, did_you_mean
from darkbelle.gen.processes import Source
from darkbelle.samples.observables.b_to_k import B_TO_K_PHOTONS, B_TO_K_RECOIL, B_TO_K_TRACKS
from darkbelle.samples.observables.back_to_back import CLUSTER_PAIR, TRACK_PAIR
from darkbelle.samples.observables.base import ObservableSet
from darkbelle.samples.observables.heavy_neutrino import HEAVY_NEUTRINO
from darkbelle.samples.observables.photons import SINGLE_PHOTON, THREE_PHOTONS
from darkbelle.samples.observables.taus import TAU_ONE_PRONG, TAU_TO_THREE_MUONS
from darkbelle.samples.observables.tracks import DIMUON_RECOIL, FOUR_TRACKS, SIX_TRACKS
from darkbelle.samples.observables.vertices import TWO_VERTICES

__all__ = ["OBSERVABLES", "ObservableSet", "observables_of"]

OBSERVABLES: Final = {
    "dimuon_recoil": DIMUON_RECOIL,
    "four_tracks": FOUR_TRACKS,
    "six_tracks": SIX_TRACKS,
    "two_vertices": TWO_VERTICES,
    "three_photons": THREE_PHOTONS,
    "single_photon": SINGLE_PHOTON,
    "track_pair": TRACK_PAIR,
    "cluster_pair": CLUSTER_PAIR,
    "b_to_k_photons": B_TO_K_PHOTONS,
    "b_to_k_tracks": B_TO_K_TRACKS,
    "b_to_k_recoil": B_TO_K_RECOIL,
    "tau_one_prong": TAU_ONE_PRONG,
    "tau_to_three_muons": TAU_TO_THREE_MUONS,
    "heavy_neutrino": HEAVY_NEUTRINO,
}
"""Sets by name; no two have a column in common."""


def observables_of(process: Source | type[Source]) -> tuple[ObservableSet, ...]:
    """What samples of a process carry, or may carry; ConfigError where one is unknown."""
    names = process.observables if isinstance(process, type) else process.carried
    for name in names:
        if name not in OBSERVABLES:
            raise ConfigError(
                f"{process.name}: unknown observables '{name}', {did_you_mean(name, OBSERVABLES)}"
            )
    return tuple(OBSERVABLES[name] for name in names)
