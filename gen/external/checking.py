"""Refusing events that no detector can follow, with the file and the event, before they count."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from darkbelle.errors import EventFileError, KinematicsError
from darkbelle.gen.events import Status, TruthEvents
from darkbelle.gen.external.cleaning import is_parton
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.particles import ELECTRON
from darkbelle.geometry import Collider

__all__ = ["check_events", "check_frame"]

_OFF_SHELL: Final = 0.01
"""Of its energy, by which a particle may miss its mass shell."""
_ENERGY: Final = 0.003
"""Of it, by which that in the centre of mass may differ."""
_SPEED: Final = np.array([0.01, 0.01, 0.1])
"""By which the components of the velocity of the centre of mass may differ: along z also by what
beams have radiated."""


def check_events(raw: RawEvents, path: Path) -> None:
    """Refuse numbers that are none, particles off their mass shells, and partons.

    Raises
    ------
    EventFileError
        Names the first such particle.
    """
    final = raw.status == Status.FINAL
    energy, *p = raw.momentum
    with np.errstate(invalid="ignore", over="ignore"):
        on_shell = np.sqrt(np.sum(np.square(p), axis=0) + raw.mass**2)
        is_off = ~(np.abs(energy - on_shell) <= _OFF_SHELL * np.abs(on_shell))
    finite = np.isfinite([raw.mass, *raw.momentum, *raw.start, *raw.end]).all(axis=0)
    for is_bad, complaint in (
        (~finite, "momentum, mass and vertex must be finite"),
        (final & is_off, "energy, momentum and mass differ by more than 1 %"),
        (final & raw.has_end, "a final particle (status 1) has daughters: it would count twice"),
        (final & is_parton(raw.pdg_id), "partons must become hadrons first, e.g. by Pythia"),
    ):
        if is_bad.any():
            row = int(np.argmax(is_bad))
            event = raw.first + int(raw.event_index()[row])
            raise EventFileError(f"'{path}', event {event}: {_described(raw, row)}: {complaint}")
    bad = np.flatnonzero(~np.isfinite(raw.weights[:, 0]))
    if len(bad):
        raise EventFileError(f"'{path}', event {raw.first + bad[0]}: its weight must be finite")


def _described(raw: RawEvents, row: int) -> str:
    e, px, py, pz = raw.momentum[:, row]
    code = int(raw.pdg_id[row])
    return (
        f"particle {code} with e, px, py, pz, mass = {e:g}, {px:g}, {py:g}, {pz:g}, "
        f"{raw.mass[row]:g} GeV"
    )


def check_frame(
    truth: TruthEvents, collider: Collider, path: Path, told: float | None = None
) -> None:
    """Refuse events whose beams, once in the laboratory, are not those of the collider.

    Parameters
    ----------
    told
        Energy in the centre of mass [GeV] as the head of the file has it, where it has one:
        beams in the events may have radiated.

    Raises
    ------
    KinematicsError
        Of a block of events the median differs: the frame is another one, or the beams are
        exchanged.
    """
    p = truth.particles
    beam = np.flatnonzero(p.status == Status.BEAM)
    if len(beam) == 0:
        return
    event = truth.event_index()[beam]
    energy, *momentum = (
        np.bincount(event, value[beam], truth.n_events) for value in (p.e, p.px, p.py, p.pz)
    )
    there = energy > 0
    velocity = np.median([axis[there] / energy[there] for axis in momentum], axis=1)
    if np.any(np.abs(velocity - collider.beta) > _SPEED):
        raise KinematicsError(
            f"'{path}': the centre of mass of its beams, taken to the laboratory, has the velocity "
            f"{_vector(velocity)} c, that of {collider.name} {_vector(collider.beta)} c; its beams "
            f"cross at {collider.angle_her_mrad + collider.angle_ler_mrad:.4g} mrad: choose the "
            "frame 'lab' or 'cm', or a card with these beams"
        )
    square = energy[there] ** 2 - np.sum([axis[there] ** 2 for axis in momentum], axis=0)
    root_s = told or float(np.median(np.sqrt(np.maximum(square, 0.0))))
    if abs(root_s / collider.sqrt_s - 1) > _ENERGY:
        raise KinematicsError(
            f"'{path}': its beams have {root_s:.5g} GeV in their centre of mass, those of "
            f"{collider.name} {collider.sqrt_s:.5g} GeV: make events at that energy, or choose a "
            "card, or a preset of its beams, with theirs"
        )
    electron = p.pz[beam[p.pdg_id[beam] == ELECTRON]]
    if len(electron) and np.median(electron) < 0:
        raise KinematicsError(
            f"'{path}': its electrons fly towards -z, those of {collider.name} towards +z: "
            "exchange the beams where the events are made"
        )


def _vector(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    return "(" + ", ".join(f"{value:.2f}" for value in values) + ")"
