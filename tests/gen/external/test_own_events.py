"""HepMC3 files of this package are read back as the events that they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from darkbelle import gen
from darkbelle.gen.events import Status
from darkbelle.gen.external import EventFile, Reading
from darkbelle.gen.external.hepmc_writing import EventBlock, write_events
from tests.samples.flying import card

pytest.importorskip("pyhepmc")


@pytest.mark.parametrize(
    "process",
    [
        gen.BToKScalar(mass=1.0, kaon="K_S", decay="pipi", rest_of_event="toy"),
        gen.ParticleGun(pdg_id=310, p=1.0, vertex=((-3, 3), 1.0, 2.0)),
    ],
    ids=["b-to-k-scalar", "gun"],
)
def test_our_own_events_come_back(process, tmp_path):
    """Particles, parents and where each was born; the reader fills masses and ends of beams."""
    rng = np.random.default_rng(6)
    truth = process.generate(card().collider, 30, rng)
    block = EventBlock(truth, truth.weight[:, None], np.arange(30))
    write_events(tmp_path / "x", [block], weight_names=["nominal"], tools=[("x", "1", "")])
    with EventFile(tmp_path / "x", Reading(vertices="file")) as file:
        (raw,) = file.blocks()
        read = file.truth(raw, card().collider, rng)
    np.testing.assert_array_equal(read.offsets, truth.offsets)
    p, q = read.particles, truth.particles
    for name in ("pdg_id", "status", "parent"):
        np.testing.assert_array_equal(getattr(p, name), getattr(q, name))
    for name in ("px", "py", "pz", "x", "y", "z", "t"):
        np.testing.assert_allclose(getattr(p, name), getattr(q, name), rtol=1e-13, atol=1e-15)
    decayed = q.status == Status.DECAYED
    for name in ("decay_x", "decay_y", "decay_z", "decay_t"):
        ends = getattr(p, name)[decayed], getattr(q, name)[decayed]
        np.testing.assert_allclose(*ends, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(read.vertex, truth.vertex, rtol=1e-13, atol=1e-15)
