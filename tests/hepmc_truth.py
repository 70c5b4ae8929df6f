"""What a HepMC3 event must say of the truth that it was made of."""

from __future__ import annotations

import numpy as np

from darkbelle.gen.events import Status, TruthEvents
from darkbelle.units import C
from tests.hepmc_text import Event


def check_event(event: Event, truth: TruthEvents) -> None:
    """An event of the generator: the same particles in order, each born where and from what it was.

    The numbers of a sample's columns are exact but for the conversion of lengths to mm.
    """
    kept = truth.particles.status != Status.SIMULATED
    p = truth.particles
    told = list(event.particles.values())
    assert event.units == ["GEV", "MM"]
    assert event.n_particles == len(told) == kept.sum()
    assert event.n_vertices == len(event.incoming)
    assert list(event.incoming) == [-1 - i for i in range(event.n_vertices)]  # for simple readers
    np.testing.assert_array_equal([t["pdg_id"] for t in told], p.pdg_id[kept])
    np.testing.assert_array_equal([t["status"] for t in told], p.status[kept])
    np.testing.assert_array_equal([t["mass"] for t in told], p.mass[kept])
    momentum = np.stack([p.px, p.py, p.pz, p.e], axis=1)[kept]
    np.testing.assert_array_equal([t["momentum"] for t in told], momentum)
    in_mm = [10, 10, 10, 10 * C]
    points, meeting = np.stack([p.x, p.y, p.z, p.t], axis=1) * in_mm, truth.vertex[:, 0] * in_mm
    # Pythia's first hadrons are born beside the collision, by about a proton's size.
    apart = points[kept & (p.parent < 0)] - meeting
    np.testing.assert_allclose(apart, np.zeros_like(apart), rtol=0, atol=2e-12)
    beams = [n for n, t in event.particles.items() if t["status"] == Status.BEAM]
    for number, row in enumerate(np.flatnonzero(kept), start=1):
        if number in beams:
            assert event.parents(number) == []
            continue
        parent = int(p.parent[row])
        assert event.parents(number) == (beams if parent < 0 else [parent + 1])
        born = meeting if parent < 0 else points[row]
        np.testing.assert_allclose(event.start(number), born, rtol=1e-14)
