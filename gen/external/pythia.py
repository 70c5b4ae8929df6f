"""Pythia 8: how it is started, and the events that it makes, many at once.

C. Bierlich et al., SciPost Phys. Codebases 8 (2022). Masses of what lives long, and lifetimes of B
and tau, are those of `darkbelle.gen.particles`; what the detector simulation lets decay, Pythia
leaves alone.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from darkbelle.errors import ConfigError, KinematicsError, MissingDependencyError
from darkbelle.extras import needed_for
from darkbelle.gen.events import Status
from darkbelle.gen.external.cleaning import is_parton
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.particles import (
    B0,
    B_PLUS,
    ELECTRON,
    K0,
    K_L,
    K_S,
    KAON,
    MUON,
    NEUTRON,
    PI0,
    PION,
    PROTON,
    TAU,
    species,
)
from darkbelle.ragged import offsets_by_length
from darkbelle.units import C, mm

__all__ = ["TO_CM", "draw_seed", "events_of_pythia", "raw_events", "start_pythia"]

_COMMON: Final = ("Print:quiet = on", "Random:setSeed = on")
_FOR_THE_DETECTOR: Final = (MUON, PION, KAON, K_L, 3112, 3222, 3312, 3334)
"""What the detector simulation lets decay, or fly as it is: charged hyperons."""
_OWN_MASSES: Final = (
    *(ELECTRON, MUON, TAU, PI0, PION, KAON, K0, K_S, K_L, PROTON, NEUTRON, B0, B_PLUS),
)
_OWN_LIVES: Final = (TAU, B0, B_PLUS)
_OLDEST: Final = "8.317.2"
"""Those before forget where particles are born when they give many events at once."""
_LAST_SEED: Final = 900_000_000
_MOST_TRIES: Final = 100.0
"""For each event; Pythia gives up about one in 10^4."""
_BEAM: Final = -12
_DECAYED: Final = (91, 99)
"""First and last status of what hadrons and leptons decay to."""
TO_CM: Final = np.array([mm, mm, mm, mm / C])[:, None]
"""And to ns: Pythia counts lengths and times in mm."""


@lru_cache(maxsize=8)
def start_pythia(purpose: str, settings: tuple[str, ...]) -> Any:
    """Pythia with some settings: one and the same for equal ones, so give it a seed.

    Parameters
    ----------
    purpose
        What it is for, as in "... for decays of B mesons".
    settings
        As Pythia reads them.

    Raises
    ------
    MissingDependencyError
        Pythia is not installed, too old, or incomplete.
    ConfigError
        Pythia does not know a setting, or refuses its value.
    """
    with needed_for(purpose, "pythia"):
        import pythia8mc
    installed = version("pythia8mc")
    if _numbers(installed) < _numbers(_OLDEST):
        raise MissingDependencyError(
            f"pythia8mc >= {_OLDEST} is needed for {purpose}, and {installed} is installed"
        )
    pythia = pythia8mc.Pythia("", False)
    common = [
        *_COMMON,
        *(f"{code}:mayDecay = off" for code in _FOR_THE_DETECTOR),
        *(f"{code}:m0 = {species(code).mass!r}" for code in _OWN_MASSES),
        *(f"{code}:tau0 = {species(code).ctau / mm!r}" for code in _OWN_LIVES),
    ]
    whole = all(pythia.readString(setting, False) for setting in common)
    for setting in settings if whole else ():
        if not pythia.readString(setting, False):
            raise ConfigError(f"Pythia does not know '{setting}', or not that value")
    if not (whole and pythia.init()):
        raise MissingDependencyError(
            "Pythia does not start; PYTHIA8DATA, if set, must be the folder xmldoc of pythia8mc"
        )
    return pythia


def _numbers(of_version: str) -> tuple[int, ...]:
    return tuple(map(int, of_version.split(".")[:3]))


def draw_seed(rng: np.random.Generator) -> int:
    """One of the seeds that Pythia knows."""
    return int(rng.integers(1, _LAST_SEED, endpoint=True))


def events_of_pythia(pythia: Any, n_events: int, rng: np.random.Generator) -> RawEvents:
    """Events with their partons, in Pythia's frame; the same random numbers give the same ones.

    Raises
    ------
    KinematicsError
        Pythia fails again and again.
    ConfigError
        Its settings leave partons, or nothing.
    """
    seed = draw_seed(rng)
    pythia.rndm.init(seed)
    pythia.next()  # where beams have a spread, it remembers the energy of the event before
    pythia.rndm.init(seed)
    batch = pythia.nextBatch(max(n_events, 1), _MOST_TRIES)[:n_events]  # of none has no columns
    if len(batch) < n_events:
        raise KinematicsError(f"Pythia made {len(batch)} events of {n_events} and gave up")
    raw = raw_events(batch)
    if np.any(is_parton(raw.pdg_id[raw.status == Status.FINAL])):
        raise ConfigError("Pythia leaves partons as they are: its settings must let them fragment")
    return raw


def raw_events(batch: Any) -> RawEvents:
    """Pythia's columns as ours, without the entry at the head of each event, its sum."""
    import awkward as ak

    n_entries = ak.to_numpy(ak.num(batch.prt))
    if np.any(n_entries == 0):
        raise ConfigError("Pythia's events have no particles: its settings must let them be made")
    entries = ak.flatten(batch.prt)
    kept = np.ones(len(entries), np.bool_)
    kept[offsets_by_length(n_entries)[:-1]] = False

    def column(values: Any) -> npt.NDArray[Any]:
        return np.asarray(ak.to_numpy(ak.fill_none(values, 0.0)))[kept]

    momentum = np.stack([column(entries.p[name]) for name in ("e", "px", "py", "pz")])
    start = np.stack([column(entries.vProd[name]) for name in ("px", "py", "pz", "e")]) * TO_CM
    code, told = column(entries.id), column(entries.status)
    offsets = offsets_by_length(n_entries - 1)
    # Pythia counts the entries of an event from 1, and 0 is nobody.
    nth = column(entries.daughter1)
    has_end = (nth > 0) & (told < 0)
    daughter = np.where(has_end, np.repeat(offsets[:-1], n_entries - 1) + nth - 1, 0)
    return RawEvents(
        pdg_id=code,
        status=_status(told, has_end, code, daughter),
        mother=column(entries.mother1) - 1,
        mass=column(entries.m),
        momentum=momentum,
        start=start,
        end=np.where(has_end, start[:, daughter], 0.0),
        has_end=has_end,
        offsets=offsets,
        weights=np.ones((len(batch), 1)),
    )


def _status(
    told: npt.NDArray[np.int32],
    has_end: npt.NDArray[np.bool_],
    code: npt.NDArray[np.int32],
    daughter: npt.NDArray[np.int64],
) -> npt.NDArray[np.int32]:
    """Pythia's status as in HepMC: decays have daughters that say so; all else is its own."""
    first, last = _DECAYED
    of_daughter = np.abs(told[daughter])
    decayed = has_end & (of_daughter >= first) & (of_daughter <= last) & (code != code[daughter])
    kinds = [told > 0, told == _BEAM, decayed]
    meant = [Status.FINAL, Status.BEAM, Status.DECAYED]
    return np.select(kinds, meant, np.abs(told)).astype(np.int32)
