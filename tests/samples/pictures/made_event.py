"""A sample with one event that is known to the last point."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from darkbelle import gen, geometry, samples
from darkbelle.detsim import (
    ClusterTable,
    KlmClusterTable,
    RecoEvents,
    TrackTable,
    TriggerTable,
    VertexTable,
)
from darkbelle.detsim.helix import omega_from_pt, perigee
from darkbelle.gen.events import Origin, Outcome, Slot, Status, TruthEvents, assemble
from darkbelle.gen.particles import CHI1, MASS_MU, MUON, PHOTON, SCALAR

EXPERIMENT = geometry.load("belle2")
FIRED = "ffy", "ge3_loose_tracks_inc_1_tight_not_ee2leg"

VERTEX = np.array([6.0, 8.0, 5.0])
FITTED = np.array([6.1, 7.9, 5.2])
COV = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.0], [0.0, 0.0, 0.16]])
MINUS, PLUS = np.array([0.9, 1.4, 0.6]), np.array([1.2, 0.7, 0.8])
PHOTON_P, HIDDEN_P = np.array([-1.5, -0.8, -0.3]), np.array([-0.5, 1.0, 0.2])
HIT = np.array([150.0, -140.0, 60.0])
CLUSTERS = ((1.6, 1.75, -2.65), (0.2, 1.2, 0.7))
"""Energy, theta, phi; the second is that of a track."""
FIRST_HIT = 14.0


def truth() -> TruthEvents:
    """S -> mu mu away from the collision, a photon, something that leaves no trace."""

    def slot(code: int, mass: float, p: Any, start: Any, end: Any = None, **more: Any) -> Slot:
        p = np.asarray(p, dtype=float)
        momentum = np.array([np.sqrt(p @ p + mass**2), *p])[:, None]
        points = [None if at is None else np.array([*at, 0.0])[:, None] for at in (start, end)]
        status = more.pop("status", Status.FINAL)
        origin = more.pop("origin", Origin.PRIMARY)
        return Slot(code, status, origin, mass, momentum, *points, **more)  # type: ignore[arg-type]

    zero = np.zeros(3)
    face = PHOTON_P * EXPERIMENT.calorimeter.inner_radius_cm / np.hypot(*PHOTON_P[:2])
    decays = {"status": Status.DECAYED, "outcome": Outcome.DECAYED}
    born = {"origin": Origin.DECAY, "parent": 0, "outcome": Outcome.ESCAPED}
    slots = [
        slot(SCALAR, 0.5, MINUS + PLUS, zero, VERTEX, **decays),
        slot(MUON, MASS_MU, MINUS, VERTEX, **born),
        slot(-MUON, MASS_MU, PLUS, VERTEX, **born),
        slot(PHOTON, 0.0, PHOTON_P, zero, face, outcome=Outcome.SHOWERED),
        slot(CHI1, 0.5, HIDDEN_P, zero, outcome=Outcome.INVISIBLE),
    ]
    return assemble(slots, np.ones(1), np.zeros((4, 1)), None)


def table(kind: Any, n: int, **known: Any) -> Any:
    """A table of some rows, ones where nothing is known."""
    return kind(**(dict.fromkeys((field.name for field in fields(kind)), np.ones(n)) | known))


def reco() -> RecoEvents:
    """What a detector measures without errors."""
    p, charge = np.stack([MINUS, PLUS]), np.array([-1, 1], dtype=np.int8)
    pt, field = np.hypot(p[:, 0], p[:, 1]), EXPERIMENT.solenoid.field_t
    born = np.stack([VERTEX, VERTEX])
    phi = np.arctan2(p[:, 1], p[:, 0])
    helix, _ = perigee(born, phi, omega_from_pt(pt, charge, field), p[:, 2] / pt)
    n_points = len(EXPERIMENT.identification.point_names)
    tracks = table(
        TrackTable,
        2,
        helix=helix,
        cov=np.broadcast_to(1e-6 * np.eye(5), (2, 5, 5)),
        charge=charge,
        first_hit_radius=np.full(2, FIRST_HIT),
        pid=np.zeros((2, n_points), dtype=bool),
        truth_index=np.array([1, 2]),
        fit_status=np.zeros(2),
    )
    energy, theta, phi = np.array(CLUSTERS).T
    index = np.array([-1, 0])
    clusters = table(
        ClusterTable,
        2,
        energy=energy,
        theta=theta,
        phi=phi,
        track_index=index,
        truth_index=np.array([3, 2]),
    )
    x, y, z = HIT[:, None]
    klm = table(KlmClusterTable, 1, x=x, y=y, z=z)
    x, y, z = FITTED[:, None]
    plus, minus = np.array([1]), np.array([0])
    vertices = table(
        VertexTable,
        1,
        track_plus=plus,
        track_minus=minus,
        x=x,
        y=y,
        z=z,
        cov=COV[None],
        fit_status=np.zeros(1),
    )
    return RecoEvents(
        truth(),
        tracks,
        np.array([0, 2]),
        vertices,
        np.array([0, 1]),
        clusters,
        np.array([0, 2]),
        klm,
        np.array([0, 1]),
        decisions(),
    )


def decisions() -> TriggerTable:
    """One line of each level keeps the event."""
    menus = EXPERIMENT.trigger
    l1 = np.array([[name == FIRED[0] for name in menus.l1.line_names]])
    hlt = np.array([[name == FIRED[1] for name in menus.hlt.line_names]])
    return TriggerTable(l1, l1, hlt, np.ones(1, dtype=bool))


def produce(path: Path) -> samples.Sample:
    """The sample."""
    made = reco()
    process = gen.ParticleGun(p=1.0)
    samples.write(path, made.truth, made, process=process, experiment=EXPERIMENT)
    return samples.open(path)
