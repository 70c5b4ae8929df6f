"""The whole detector: true particles and an experiment in, reconstructed objects out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from darkbelle.detsim.events import FitStatus, RecoEvents, TrackTable
from darkbelle.detsim.helix import HelixIndex
from darkbelle.detsim.tracking import ChargedParticles, MeasuredTracks, measure
from darkbelle.gen.events import Outcome, Status, TruthEvents
from darkbelle.gen.particles import charges, is_invisible
from darkbelle.geometry import Experiment
from darkbelle.geometry.card import Detector

__all__ = ["simulate"]


def simulate(truth: TruthEvents, experiment: Experiment, *, rng: np.random.Generator) -> RecoEvents:
    """Simulate the detector's response.

    Charged particles of the final state become tracks. Photons and neutral hadrons pass unseen:
    their outcome is ``NOT_SIMULATED``.
    """
    particles = truth.particles
    charge = charges(particles.pdg_id)
    final = particles.status == Status.FINAL
    tracked = np.flatnonzero(final & (charge != 0))
    measured = measure(
        ChargedParticles(
            np.stack([particles.x, particles.y, particles.z], axis=-1)[tracked],
            np.stack([particles.px, particles.py, particles.pz], axis=-1)[tracked],
            charge[tracked],
            particles.mass[tracked],
        ),
        experiment,
        rng,
    )
    outcome = particles.outcome.copy()
    outcome[final & (charge == 0)] = Outcome.NOT_SIMULATED
    outcome[final & is_invisible(particles.pdg_id)] = Outcome.INVISIBLE
    outcome[tracked] = np.select(
        [measured.found, measured.accepted],
        [Outcome.TRACKED, Outcome.NOT_FOUND],
        Outcome.OUTSIDE_ACCEPTANCE,
    )
    tracks, offsets = _track_table(measured, tracked, truth, experiment.solenoid.field_t)
    seen = replace(truth, particles=replace(particles, outcome=outcome))
    return RecoEvents(seen, tracks, offsets)


def _track_table(
    measured: MeasuredTracks, tracked: npt.NDArray[np.intp], truth: TruthEvents, field: float
) -> tuple[TrackTable, npt.NDArray[np.int64]]:
    """The tracks that were found, and the offsets of the events."""
    found = np.flatnonzero(measured.found)
    event = truth.event_index()[tracked[found]]
    offsets = np.zeros(truth.n_events + 1, dtype=np.int64)
    np.cumsum(np.bincount(event, minlength=truth.n_events), out=offsets[1:])
    good = measured.positive[found]
    helix = np.where(good[:, None], measured.helix[found], np.nan)
    usable = FitStatus.OK if field else FitStatus.NO_FIELD
    table = TrackTable(
        helix=helix,
        cov=np.where(good[:, None, None], measured.cov[found], np.nan),
        charge=np.sign(np.nan_to_num(field * helix[:, HelixIndex.OMEGA])).astype(np.int8),
        n_hits_pxd=measured.n_hits[Detector.PXD][found],
        n_hits_svd=measured.n_hits[Detector.SVD][found],
        n_hits_cdc=measured.n_hits[Detector.CDC][found],
        truth_index=(tracked[found] - truth.offsets[event]).astype(np.int32),
        fit_status=np.where(good, usable, FitStatus.NOT_POSITIVE).astype(np.int8),
    )
    return table, offsets
